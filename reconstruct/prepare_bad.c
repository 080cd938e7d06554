/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * prepare_bad.c - values that say nothing: not finite, or saturated, that is at the largest number of an integer type.
 *
 * --on-bad error    refuses, with count and first place. In 8-bit pictures, where plain white is ordinary, saturated values are counted and
 *                   said only.
 * --on-bad keep     refuses what is not finite; saturated values are taken as they are.
 * --on-bad inpaint  of a measurement in views puts the line through the nearest good neighbours in its view (of one neighbour: its value) in
 *                   its place; of an image the mean of such lines along y and x, each weighted by the inverse of its length.
 * --on-bad mask     does the same, so that filters have something finite to work on, and gives the value weight zero; solvers that take no
 *                   weights go on with the repaired value alone.
 */
#include <math.h>
#include <string.h>
#include "pipeline.h"
#include "vec.h"

enum { SATURATED_IS_BAD = 1, SATURATED_IS_SAID = 2 };

/* The largest number of the file's type: reading is exact up to it; INFINITY: floats. */
static double saturated_at(const pri_job *job) {
  static const struct { const char *name; double top; } types[] = {
      {"u8", 255}, {"i8", 127}, {"u16", 65535}, {"i16", 32767}, {"u32", 4294967295.0}, {"i32", 2147483647}};
  for (size_t i = 0; job->info->dtype && i < sizeof types / sizeof *types; i++)
    if (!strcmp(job->info->dtype, types[i].name)) return (double)(pri_real)types[i].top;
  return INFINITY;
}

static int saturated_is(const pri_job *job) {
  const int pictures = job->info->dtype && strchr(job->info->dtype, '8') && !job->counts;
  if (job->simulate || !strcmp(job->o->solver, "none")) return 0;
  if (job->o->on_bad == PRI_BAD_KEEP) return 0;
  return job->o->on_bad == PRI_BAD_ERROR && pictures ? SATURATED_IS_SAID : SATURATED_IS_BAD;
}

/* ---- which */

struct scan {
  double top;
  ptrdiff_t infinite, saturated, first; /* how many, index of the first in the whole block */
};

static int is_bad(double v, double top) { return !isfinite(v) || v >= top; }

static void scan(const pri_array *a, struct scan *s) {
  const ptrdiff_t n = pri_shape_size(&a->shape) * a->items;
  for (ptrdiff_t i = 0; i < n; i++) {
    if (!is_bad((double)a->data[i], s->top)) continue;
    if (s->infinite + s->saturated == 0) s->first = i;
    *(isfinite(a->data[i]) ? &s->saturated : &s->infinite) += 1;
  }
}

static pri_status refuse(pri_job *job, const pri_array *a, const ptrdiff_t *slice, const struct scan *s, const char *when) {
  const ptrdiff_t size = pri_shape_size(&a->shape), fast = a->shape.n[a->shape.nd - 1];
  const ptrdiff_t inside = s->first % size, n = s->infinite + s->saturated;
  const int sinogram = pri_job_ct(job) != NULL;
  const char *what = !s->saturated ? "not finite" : !s->infinite ? "saturated" : "not finite or saturated";
  return PRI_FAIL(job->ctx, PRI_EDATA,
                  "%s: %td value%s %s%s, the first (%g) at %s %td, %s %td of slice %td (from 0); --on-bad mask or inpaint goes "
                  "on without them%s",
                  job->input_name, n, n == 1 ? " is" : "s are", what, when, (double)a->data[s->first], sinogram ? "view" : "y",
                  inside / fast, sinogram ? "bin" : "x", inside % fast, slice[s->first / size],
                  s->infinite ? "" : ", keep takes them as they are");
}

/* ---- measurements in views */

/* One line of n values: runs of bad ones are bridged. 0: there is no good value. */
static int bridge(pri_real *v, ptrdiff_t n, double top) {
  ptrdiff_t last = -1;
  for (ptrdiff_t i = 0; i <= n; i++) {
    if (i < n && is_bad((double)v[i], top)) continue;
    if (i == n && last < 0) return 0;
    for (ptrdiff_t j = last + 1; j < i; j++) {
      const double t = last < 0 ? 1 : i == n ? 0 : (double)(j - last) / (double)(i - last);
      v[j] = (pri_real)((t < 1 ? (1 - t) * (double)v[last] : 0) + (t > 0 ? t * (double)v[i] : 0));
    }
    last = i;
  }
  return 1;
}

/* Each view by itself; a view without a good value takes its neighbour's. 0: no good value at all. */
static int repair_views(pri_real *v, const pri_shape *shape, double top) {
  const ptrdiff_t fast = shape->n[shape->nd - 1], lines = pri_shape_size(shape) / fast;
  ptrdiff_t good = -1;
  for (ptrdiff_t l = 0; l < lines; l++) {
    if (!bridge(v + l * fast, fast, top)) continue;
    if (good < 0)
      for (ptrdiff_t k = 0; k < l; k++) memcpy(v + k * fast, v + l * fast, (size_t)fast * sizeof *v);
    good = l;
  }
  for (ptrdiff_t l = 1; l < lines && good >= 0; l++)
    if (is_bad((double)v[l * fast], top)) memcpy(v + l * fast, v + (l - 1) * fast, (size_t)fast * sizeof *v);
  return good >= 0;
}

/* ---- images */

/* The line through the nearest good values along one axis; 0: there is none. *length: from one to the other (one alone: twice as far) */
static int across(const pri_real *v, ptrdiff_t i, ptrdiff_t n, ptrdiff_t stride, double top, double *value, double *length) {
  ptrdiff_t a = i, b = i;
  while (a >= 0 && is_bad((double)v[a * stride], top)) a--;
  while (b < n && is_bad((double)v[b * stride], top)) b++;
  if (a < 0 && b >= n) return 0;
  if (a < 0 || b >= n) {
    *value = (double)v[(a < 0 ? b : a) * stride];
    *length = 2 * (double)(a < 0 ? b - i : i - a);
    return 1;
  }
  const double t = (double)(i - a) / (double)(b - a);
  *value = (1 - t) * (double)v[a * stride] + t * (double)v[b * stride];
  *length = (double)(b - a);
  return 1;
}

static int has_good(const pri_real *v, ptrdiff_t n, double top) {
  for (ptrdiff_t i = 0; i < n; i++)
    if (!is_bad((double)v[i], top)) return 1;
  return 0;
}

/* One plane, from a copy of it. Where row and column hold nothing good, the line above or below stands in. */
static void repair_plane(pri_real *v, const pri_real *from, ptrdiff_t ny, ptrdiff_t nx, double top) {
  for (ptrdiff_t y = 0; y < ny; y++)
    for (ptrdiff_t x = 0; x < nx; x++) {
      double along[2], length[2], sum = 0, weight = 0;
      if (!is_bad((double)from[y * nx + x], top)) continue;
      if (across(from + x, y, ny, nx, top, &along[0], &length[0])) sum += along[0] / length[0], weight += 1 / length[0];
      if (across(from + y * nx, x, nx, 1, top, &along[1], &length[1])) sum += along[1] / length[1], weight += 1 / length[1];
      if (weight > 0) v[y * nx + x] = (pri_real)(sum / weight);
    }
}

static int repair_image(pri_real *v, pri_real *copy, const pri_shape *shape, double top) {
  const ptrdiff_t nx = shape->n[shape->nd - 1], ny = shape->nd > 1 ? shape->n[shape->nd - 2] : 1, n = pri_shape_size(shape);
  for (ptrdiff_t p = 0; p < n; p += ny * nx) {
    memcpy(copy + p, v + p, (size_t)(ny * nx) * sizeof *v);
    if (has_good(v + p, ny * nx, top)) repair_plane(v + p, copy + p, ny, nx, top);
  }
  return repair_views(v, shape, top); /* what is left: rows and planes without a good value */
}

/* ---- all of them */

static void mask(pri_array *w, const pri_array *y, double top) {
  const ptrdiff_t n = pri_shape_size(&y->shape) * y->items;
  for (ptrdiff_t i = 0; i < n; i++)
    if (is_bad((double)y->data[i], top)) w->data[i] = 0;
}

static pri_status repair(pri_job *job, pri_block *b, pri_array *raw, double top) {
  pri_array copy = {0};
  const int views = pri_job_ct(job) != NULL;
  pri_status s = views ? PRI_OK : pri_array_create(b->ctx, &copy, &raw->shape, 1);
  for (ptrdiff_t i = 0; i < raw->items && s == PRI_OK; i++) {
    pri_real *v = pri_array_item(raw, i);
    if (!(views ? repair_views(v, &raw->shape, top) : repair_image(v, copy.data, &raw->shape, top)))
      s = PRI_FAIL(job->ctx, PRI_EDATA, "%s: slice %td holds no good value", job->input_name, b->slice[i]);
  }
  pri_array_destroy(&copy);
  return s;
}

pri_status pri_block_repair(pri_job *job, pri_block *b, pri_array *raw) {
  const int saturated = saturated_is(job);
  struct scan s = {.top = saturated ? saturated_at(job) : INFINITY};
  scan(raw, &s);
  if (saturated == SATURATED_IS_SAID) {
    b->white = s.saturated;
    if (s.infinite == 0) return PRI_OK;
  }
  b->bad = s.infinite + s.saturated;
  if (b->bad == 0) return PRI_OK;
  if (job->o->on_bad == PRI_BAD_ERROR || job->o->on_bad == PRI_BAD_KEEP) return refuse(job, raw, b->slice, &s, "");
  if (b->w.data && pri_shape_equal(&b->w.shape, &raw->shape)) mask(&b->w, raw, s.top);
  return repair(job, b, raw, s.top);
}

pri_status pri_block_finite(pri_job *job, const pri_block *b, const pri_array *y) {
  struct scan s = {.top = INFINITY};
  scan(y, &s);
  return s.infinite ? refuse(job, y, b->slice, &s, " after the filters of --prepare") : PRI_OK;
}
