/* SPDX-License-Identifier: GPL-3.0-or-later */
/* foe.h - what the files of foe share. Filters, potential, theta: foe_filters.h; responses by tiles: src/filterbank.h. */
#ifndef PRI_FOE_H
#define PRI_FOE_H
#include <stdint.h>
#include "filterbank.h"
#include "foe_filters.h"
#include "priori/prior.h"
typedef struct foe {
  char *file;
  double weight, smoothing, range, norm2, curvature; /* >= |C|^2; L / weight, an estimate */
  double *peaks;                   /* [count] >= |C_k|^2 */
  long filters, size, seed;
  int potential, begin, hold, basis; /* keys; init=, hold=, basis= */
  foe_filters f;
  pri_filterbank bank, wide;       /* wide: in double, for values */
  pri_shape dom;
  ptrdiff_t n, fieldsize;          /* pixels of an image; elements of its dual */
} foe;
pri_status pri_foe_refresh(pri_ctx *ctx, foe *v);   /* bounds and taps of the banks, after theta changed */
static inline double pri_foe_gain(const foe *v, int k) { return v->weight * pri_foe_weight(&v->f, k); }

/* scratch of a call: strips at work, sums of strips, desks of J'v, taps of a second bank; each a multiple of 64 bytes */
size_t pri_foe_scratch(const foe *v);
size_t pri_foe_desk(const foe *v);                  /* bytes of one worker's desk */
typedef struct foe_rooms { char *strips, *desks, *taps; double *sums; } foe_rooms;
foe_rooms pri_foe_rooms(const foe *v, void *scratch);
static inline size_t pri_foe_sums(const foe *v) { return (size_t)v->f.count * (size_t)(v->f.side * v->f.side + 2); } /* of a strip */

/* r = V phi'(r) or V phi''(r) of a whole tile, all filters; V = weight W_k */
void pri_foe_slopes(const foe *v, const pri_filterbank_tile *t, void *r);
void pri_foe_curves(const foe *v, const pri_filterbank_tile *t, void *r);

/* foe_basis.c: [count][side side] each, in and out may be the same */
void pri_foe_taps_of(const foe *v, double *taps, const double *a);
void pri_foe_cosines_of(const foe *v, double *a, const double *taps, int gradient); /* gradient: of what depends on taps */
double pri_foe_reach(const foe *v);                 /* |d taps / d what is learned| */
/* foe_near.c: slot `near` of the learnable face */
pri_status pri_foe_near(pri_ctx *ctx, const void *priv, const pri_real *x, double radius, pri_bound *lip_mixed, pri_bound *norm_mixed, void *scratch);
extern const pri_saddle pri_foe_saddle;             /* foe_saddle.c: of the convex potential */
extern const pri_learnable pri_foe_learnable;       /* foe_learn.c */
#endif
