/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * center_picture.c - the centre c whose FBP has the least norm1(x) / norm2(x) over a disc. A wrong centre multiplies the transform of x
 * by phases: over half a turn norm2 stays, but negative pixels appear and norm1 grows; over a full turn the phases of opposite views
 * average to a cosine, x is blurred with a ring, norm1 stays and norm2 falls. First on rows of joined bins over the middle half of the detector, then on the rows
 * themselves, in steps of one and of a quarter bin; a parabola fitted to the last, within a bin of its lowest, gives the fraction. Pictures
 * of the first two searches are sampled coarsely: the measure is a mean. In the last search that would cost a quarter of a bin.
 */
#include <math.h>

#include "center.h"
#include "fbp.h"
#include "linalg.h"
#include "vec.h"

enum { QUICK_SIDE = 80, FINE_SIDE = 320, QUICK_BINS = 160, QUICK_VIEWS = 120, FINE_VIEWS = 400, STEPS = 12, FIT = 4 };
struct search {
  pri_ctx *ctx;
  const pri_geometry *g;
  const pri_array *y;
  pri_geometry joined;            /* some views, `factor` bins joined */
  ptrdiff_t factor, stride;
  double *angle;
  pri_real *rows, *picture;
};

/* means of `factor` bins, every stride-th view, of one slice */
static void join(struct search *s, ptrdiff_t item) {
  const pri_geometry *g = s->g;
  const pri_real *y = pri_array_item(s->y, item);
  for (ptrdiff_t v = 0; v < s->joined.views; v++)
    for (ptrdiff_t j = 0; j < s->joined.bins; j++) {
      double sum = 0;
      for (ptrdiff_t k = 0; k < s->factor; k++) sum += (double)y[v * s->stride * g->bins + j * s->factor + k];
      s->rows[v * s->joined.bins + j] = (pri_real)(sum / (double)s->factor);
    }
}

static void coarsen(struct search *s, ptrdiff_t bins, ptrdiff_t views, ptrdiff_t side) {
  const pri_geometry *g = s->g;
  s->factor = (g->bins + bins - 1) / bins, s->stride = (g->views + views - 1) / views;
  s->joined = *g;
  s->joined.angle = s->angle;
  s->joined.bins = g->bins / s->factor, s->joined.views = (g->views + s->stride - 1) / s->stride;
  s->joined.bin = g->bin * (double)s->factor;
  for (ptrdiff_t v = 0; v < s->joined.views; v++) s->angle[v] = g->angle[v * s->stride];
  double field[2];
  s->joined.center = (double)(s->joined.bins - 1) / 2;
  pri_fbp_field(&s->joined, field);
  s->joined.n[0] = s->joined.n[1] = side, s->joined.n[2] = 1;
  s->joined.pixel = 2 * field[0] / (double)side;
}

static double spread(const struct search *s) {
  double size = 0, square = 0;
  const ptrdiff_t n = s->joined.n[0];
  const double middle = (double)(n - 1) / 2;
  for (ptrdiff_t i = 0; i < n * n; i++) {
    const double x = (double)(i % n) - middle, y = (double)(i / n) - middle, v = (double)s->picture[i];
    if (x * x + y * y > 0.23 * (double)(n * n)) continue;
    size += fabs(v), square += v * v;
  }
  return square > 0 ? size / sqrt(square) : INFINITY;
}

/* Less than half a turn: the picture is more concentrated the less of the object it holds, and tells nothing of the centre. */
static pri_status is_half_turn(struct search *s, int *yes) {
  pri_fbp *f;
  coarsen(s, QUICK_BINS, s->g->views, 8);
  PRI_TRY(pri_fbp_create(s->ctx, &f, &s->joined, &(pri_fbp_opts){.cutoff = 1}));
  *yes = f->arc > 3.0;
  pri_fbp_destroy(&f);
  return PRI_OK;
}

/* c in bins of the detector. Hann's window: noise would be smoothed differently where opposite views interleave */
static pri_status cost(struct search *s, double c, double *out) {
  pri_fbp *f;
  s->joined.center = (c + 0.5) / (double)s->factor - 0.5;
  PRI_TRY(pri_fbp_create(s->ctx, &f, &s->joined, &(pri_fbp_opts){.window = PRI_HANN, .cutoff = s->factor > 1 ? 1 : 0.6, .offset = PRI_OFFSET_NONE}));
  pri_status status = PRI_OK;
  *out = 0;
  for (ptrdiff_t i = 0; i < s->y->items && status == PRI_OK; i++) {
    join(s, i);
    status = pri_fbp_run(f, s->picture, s->rows, -INFINITY, INFINITY);
    *out += spread(s);
  }
  pri_fbp_destroy(&f);
  return status;
}

/* costs of STEPS + 1 or more candidates from c0 on; the index of the lowest */
static pri_status scan(struct search *s, double c0, double step, int n, double *value, int *at) {
  *at = 0;
  for (int k = 0; k < n; k++) {
    PRI_TRY(cost(s, c0 + k * step, &value[k]));
    if (value[k] < value[*at]) *at = k;
  }
  return isfinite(value[*at]) ? PRI_OK : PRI_FAIL(s->ctx, PRI_EDATA, "center=auto: the picture is empty for every centre");
}

/* vertex of the parabola over 2 FIT + 1 values around index at, in steps from there; 0 where it is none */
static pri_status vertex(pri_ctx *ctx, const double *value, int at, double *out) {
  double a[(2 * FIT + 1) * 3], b[2 * FIT + 1], c[3];
  for (int i = 0; i <= 2 * FIT; i++) {
    const double t = i - FIT;
    a[3 * i] = 1, a[3 * i + 1] = t, a[3 * i + 2] = t * t;
    b[i] = value[at - FIT + i];
  }
  PRI_TRY(pri_linalg_lstsq(ctx, c, a, b, 2 * FIT + 1, 3, NULL));
  *out = c[2] > 0 ? fmin(fmax(-c[1] / (2 * c[2]), -FIT), FIT) : 0;
  return PRI_OK;
}

static pri_status minimise(struct search *s, double *center, double *value) {
  const double bins = (double)s->g->bins;
  int at;
  PRI_TRY(is_half_turn(s, &at));
  if (!at) return PRI_OK;
  coarsen(s, QUICK_BINS, QUICK_VIEWS, QUICK_SIDE);
  const double step = (double)s->factor, wide = fmax(1, step / 4);
  PRI_TRY(scan(s, (bins - 1) / 4, step, (int)(bins / 2 / step) + 1, value, &at));
  double best = floor((bins - 1) / 4 + at * step);
  coarsen(s, s->g->bins, FINE_VIEWS, QUICK_SIDE);
  PRI_TRY(scan(s, best - wide * STEPS / 2, wide, STEPS + 1, value, &at));
  best += wide * (at - STEPS / 2);
  coarsen(s, s->g->bins, FINE_VIEWS, s->g->bins < FINE_SIDE ? s->g->bins : FINE_SIDE);
  int edge = 1;
  for (int tries = 0; edge && tries < 5; tries++) {
    PRI_TRY(scan(s, best - 0.25 * STEPS / 2, 0.25, STEPS + 1, value, &at));
    edge = at == 0 || at == STEPS;
    if (edge) best += 0.25 * (at - STEPS / 2);
  }
  if (edge) return PRI_OK; /* no minimum here: left NAN */
  at = at < FIT ? FIT : at > STEPS - FIT ? STEPS - FIT : at;
  double fraction;
  PRI_TRY(vertex(s->ctx, value, at, &fraction));
  *center = best + 0.25 * (at + fraction - STEPS / 2);
  return PRI_OK;
}

pri_status pri_center_picture(pri_ctx *ctx, double *center, const pri_geometry *g, const pri_array *y) {
  struct search s = {.ctx = ctx, .g = g, .y = y};
  *center = NAN;
  s.angle = pri_calloc(ctx, (size_t)g->views, sizeof *s.angle);
  s.rows = s.angle ? pri_calloc(ctx, (size_t)(g->views * g->bins), sizeof *s.rows) : NULL;
  s.picture = s.rows ? pri_calloc(ctx, FINE_SIDE * FINE_SIDE, sizeof *s.picture) : NULL;
  double *value = s.picture ? pri_calloc(ctx, (size_t)g->bins + STEPS, sizeof *value) : NULL;
  const pri_status status = value ? minimise(&s, center, value) : pri_ctx_code(ctx);
  pri_free(ctx, value);
  pri_free(ctx, s.angle);
  pri_free(ctx, s.rows);
  pri_free(ctx, s.picture);
  return status;
}
