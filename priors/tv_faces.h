/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * tv_faces.h - what tv and huber-tv share: slots over a tv_term, which is the first member of their private structs. They stand for the slots of
 * priori/prior.h that have the same names.
 * coupled: the slowest axis of an image holds channels, |(D x)_i| is over the differences of all of them at one pixel (vectorial total variation;
 * Blomgren, Chan 1998: edges stand in one place). Otherwise every axis is one of differences.
 */
#ifndef PRI_TV_FACES_H
#define PRI_TV_FACES_H
#include "tv_term.h"
typedef struct tv_faces {
  tv_term t;
  int coupled;      /* a key */
  pri_shape dom;
  const char *who;  /* begins messages */
} tv_faces;
#define PRI_TV_COUPLED(s, m)                                                                                                                   \
  {.name = "coupled", .type = PRI_BOOL, .unit = "-", .offset = offsetof(s, m),                                                                  \
   .help = "the slowest axis of an item holds channels (--item channels) whose edges stand in one place: the length of all their differences at a pixel counts"}
PRI_MUST_CHECK pri_status pri_tv_faces_init(pri_ctx *ctx, tv_faces *f, const char *who, const pri_meta *meta, const pri_shape *dom); /* ESHAPE */
size_t pri_tv_faces_scratch(const void *priv);
void pri_tv_faces_halo(const void *priv, ptrdiff_t h[PRI_MAXDIM]);
pri_status pri_tv_faces_scale(pri_ctx *ctx, void *priv, double factor);
pri_status pri_tv_faces_value(pri_ctx *ctx, const void *priv, double *per_item, const pri_real *x, ptrdiff_t items, void *scratch);
pri_status pri_tv_faces_prox(pri_ctx *ctx, const void *priv, pri_real *p, const pri_real *z, const double *lo, const double *hi, const pri_prox_req *req,
                             pri_prox_cert *per_item, pri_real *q, pri_real *w, ptrdiff_t items, void *scratch);
pri_bound pri_tv_faces_convexity(const void *priv);
extern const pri_saddle pri_tv_saddle;
#endif
