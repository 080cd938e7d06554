/* SPDX-License-Identifier: GPL-3.0-or-later */
/* smooth_tv.h - what the two files of smooth-tv share. Fields: [nd][n] of one image, src/stencil.h. */
#ifndef PRI_SMOOTH_TV_H
#define PRI_SMOOTH_TV_H
#include "priori/prior.h"
#include "stencil.h"
typedef struct smooth_tv {
  char *file;
  double weight, smoothing, learned; /* the factor is weight times what a file says, else weight times 1 */
  int form; /* 0: isotropic, groups are pixels; 1: anisotropic, every difference is a group */
  pri_stencil s;
  pri_shape dom;
} smooth_tv;
static inline double pri_smooth_tv_factor(const smooth_tv *v) { return v->weight * v->learned; }
/* a group's field is q[(first + a) n + i], a < members, for groups 0 ... of a pixel */
static inline int pri_smooth_tv_groups(const smooth_tv *v) { return v->form ? v->s.nd : 1; }
static inline int pri_smooth_tv_members(const smooth_tv *v) { return v->form ? 1 : v->s.nd; }
extern const pri_learnable pri_smooth_tv_learnable; /* smooth_tv_learn.c */
#endif
