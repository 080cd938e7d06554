/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * fbp.h - filtered back projection as a plan: made once for a geometry, run on any number of slices. Parallel, fan with flat and with
 * curved detector; full turns, short scans, any set of angles. fbp.c is the solver plug-in around it; center.c judges centres with it.
 *
 * x(X, Y) = sum_v w_v D q_v(u), q_v = ramp * (c_v(u) p_v(u));  w_v: angle that view v stands for; D: distance weight; c_v: cosine and
 * redundancy weights. Formulas stand in the files: fbp_weight.c (w_v, c_v), fbp_ramp.c (ramp, rows), fbp_sum.c (sum over views).
 */
#ifndef PRI_FBP_H
#define PRI_FBP_H
#include "fft.h"
#include "priori/geometry.h"
enum { PRI_RAM_LAK, PRI_SHEPP_LOGAN, PRI_COSINE, PRI_HAMMING, PRI_HANN };                  /* window */
enum { PRI_SHORT_AUTO, PRI_SHORT_PARKER, PRI_SHORT_NONE };                                 /* short: rays that are measured twice */
enum { PRI_EXTEND_ZERO, PRI_EXTEND_EDGE, PRI_EXTEND_COSINE };                              /* extend: beyond the detector */
enum { PRI_OFFSET_AUTO, PRI_OFFSET_ON, PRI_OFFSET_NONE };                                  /* offset: detector shifted for a wider field */
enum { PRI_FBP_GUARD = 3 };                                                                /* zeros at both ends of a filtered row */
typedef struct pri_fbp_opts {
  int window;
  double cutoff;                  /* share of the Nyquist frequency, (0, 1] */
  int doubled, extend, offset;    /* PRI_SHORT_, PRI_EXTEND_, PRI_OFFSET_ */
} pri_fbp_opts;
typedef struct pri_fbp_view { double cos, sin, weight; } pri_fbp_view;
typedef struct pri_fbp {
  pri_ctx *ctx;
  pri_geometry g;                 /* angle and vectors are not kept */
  pri_fbp_opts opts;
  pri_fbp_view *view;             /* [views] */
  double *beta;                   /* [views] rad since the scan began; used where partial */
  double begin, arc;              /* of the scan, rad; arc = period where it is a full one */
  int partial, offset;            /* rays are missing or doubled: see fbp_weight.c */
  double pitch;                   /* of the samples that are filtered: mm at the axis, rad for curved */
  pri_fft *fft;
  ptrdiff_t size;                 /* of the transforms */
  ptrdiff_t pad, margin;          /* samples added on each side before filtering; kept on each side after it */
  double *ramp;                   /* [size / 2 + 1] transform of the ramp with window and scale, real and even */
  ptrdiff_t stride;               /* of a row of q: zeros, bins + 2 margin samples, zeros, and a rest for alignment */
  pri_real *q, *work;             /* [views][stride]; [workers][rows of transform and spectrum] */
  ptrdiff_t work_stride;
  pri_real *angle_of;             /* curved: table of atan over its range of tangents, [entries + 2] */
  double table_from, table_step;  /* tangent = from + i step */
} pri_fbp;
/* EPARAM, EGEOMETRY (the source is inside the image), ENOTSUP (cone, vectors), ENOMEM, EBUDGET. *out NULL on failure */
PRI_MUST_CHECK pri_status pri_fbp_create(pri_ctx *ctx, pri_fbp **out, const pri_geometry *g, const pri_fbp_opts *opts);
void pri_fbp_destroy(pri_fbp **f);
/* x: [ny][nx], y: [views][bins], one slice; clipped to [lo, hi]. No allocation. */
PRI_MUST_CHECK pri_status pri_fbp_run(pri_fbp *f, pri_real *x, const pri_real *y, double lo, double hi);
/* The steps of the two above; each reads what the ones before it made. */
PRI_MUST_CHECK pri_status pri_fbp_weigh(pri_fbp *f, const double *angle);
double pri_fbp_redundancy(const pri_fbp *f, ptrdiff_t view, double bin);      /* 1 where each ray is measured equally often */
PRI_MUST_CHECK pri_status pri_fbp_ramp(pri_fbp *f);
PRI_MUST_CHECK pri_status pri_fbp_filter(pri_fbp *f, const pri_real *y);
PRI_MUST_CHECK pri_status pri_fbp_table(pri_fbp *f);
PRI_MUST_CHECK pri_status pri_fbp_sum(pri_fbp *f, pri_real *x);
/* Radius at the axis that the two sides of the detector see, mm: out[0] below the centre, out[1] above. */
void pri_fbp_field(const pri_geometry *g, double out[2]);
#endif
