/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * prepare.c - the measurement of some slices: read, bad values refused or repaired, filters run, weights made.
 *
 * A value is bad that is not finite, or, of counts in an integer type, at the largest number of that type (saturated).
 * --on-bad error   refuses, with count and first place.
 * --on-bad inpaint puts the line through the nearest good neighbours in its view (of one neighbour: its value) in its place.
 * --on-bad mask    does the same, so that filters have something finite to work on, and gives it weight zero; solvers that
 *                  take no weights go on with the repaired value alone.
 */
#include <math.h>
#include <stdio.h>
#include <string.h>
#include "pipeline.h"
#include "vec.h"

void pri_block_destroy(pri_block *b) {
  pri_array_destroy(&b->y);
  pri_array_destroy(&b->w);
}

/* ---- reading */

static pri_status read_slices(pri_job *job, pri_array *to, const ptrdiff_t *slice) {
  for (ptrdiff_t i = 0, n; i < to->items; i += n) {
    for (n = 1; i + n < to->items && slice[i + n] == slice[i] + n;) n++;
    PRI_TRY(pri_input_read(job->in, pri_array_item(to, i), slice[i], n));
  }
  return PRI_OK;
}

/* ---- bad values */

static double saturated_at(const pri_job *job) {
  const char *t = job->info->dtype;
  if (!job->counts || !t) return INFINITY;
  if (!strcmp(t, "u8")) return 255;
  if (!strcmp(t, "u16")) return 65535;
  if (!strcmp(t, "i16")) return 32767;
  return INFINITY;
}

struct scan {
  double top;
  ptrdiff_t bad, first; /* how many, index of the first in the whole block */
};

static int is_bad(double v, double top) { return !isfinite(v) || v >= top; }

static void scan(const pri_array *a, struct scan *s) {
  const ptrdiff_t n = pri_shape_size(&a->shape) * a->items;
  for (ptrdiff_t i = 0; i < n; i++)
    if (is_bad((double)a->data[i], s->top)) {
      if (s->bad == 0) s->first = i;
      s->bad++;
    }
}

static pri_status refuse(pri_job *job, const pri_array *a, const ptrdiff_t *slice, const struct scan *s, const char *when) {
  const ptrdiff_t size = pri_shape_size(&a->shape), fast = a->shape.n[a->shape.nd - 1];
  const ptrdiff_t inside = s->first % size;
  const double v = (double)a->data[s->first];
  const int sinogram = pri_job_ct(job) != NULL;
  return PRI_FAIL(job->ctx, PRI_EDATA,
                  "%s: %td value%s %s%s, the first (%g) at %s %td, %s %td of slice %td (from 0); --on-bad mask or inpaint goes "
                  "on without them",
                  job->input_name, s->bad, s->bad == 1 ? " is" : "s are", isfinite(v) ? "saturated" : "not finite", when, v,
                  sinogram ? "view" : "y", inside / fast, sinogram ? "bin" : "x", inside % fast, slice[s->first / size]);
}

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

/* One item: each view by itself; a view without a good value takes its neighbour's. 0: no good value at all. */
static int repair_item(pri_real *v, const pri_shape *shape, double top) {
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

static void mask(pri_array *w, const pri_array *y, double top) {
  const ptrdiff_t n = pri_shape_size(&y->shape) * y->items;
  for (ptrdiff_t i = 0; i < n; i++)
    if (is_bad((double)y->data[i], top)) w->data[i] = 0;
}

static pri_status treat_bad(pri_job *job, pri_block *b, pri_array *raw) {
  struct scan s = {.top = saturated_at(job)};
  scan(raw, &s);
  b->bad = s.bad;
  if (s.bad == 0) return PRI_OK;
  if (job->o->on_bad == PRI_BAD_ERROR) return refuse(job, raw, b->slice, &s, "");
  if (b->w.data && pri_shape_equal(&b->w.shape, &raw->shape)) mask(&b->w, raw, s.top);
  for (ptrdiff_t i = 0; i < raw->items; i++)
    if (!repair_item(pri_array_item(raw, i), &raw->shape, s.top))
      return PRI_FAIL(job->ctx, PRI_EDATA, "%s: slice %td holds no good value", job->input_name, b->slice[i]);
  return PRI_OK;
}

/* ---- weights */

static pri_status file_weights(pri_block *b, const char *name) {
  pri_array file = {0};
  PRI_TRY(pri_input_load(b->ctx, name, &file));
  const ptrdiff_t n = pri_shape_size(&b->w.shape), have = pri_shape_size(&file.shape);
  pri_status s = PRI_OK;
  for (ptrdiff_t i = 0; i < b->items && s == PRI_OK; i++) {
    const ptrdiff_t from = file.items > 1 ? b->slice[i] : 0;
    if (have != n || from >= file.items)
      s = PRI_FAIL(b->ctx, PRI_ESHAPE, "%s: %td slices of %td weights do not fit the data: %td values a slice", name, file.items,
                   have, n);
    else
      memcpy(pri_array_item(&b->w, i), pri_array_item(&file, from), (size_t)n * sizeof(pri_real));
  }
  pri_array_destroy(&file);
  return s;
}

/* The inverse variance of -ln of counts, up to the factor that the flat field is: the counts as read; exp(-y) where line integrals came. */
static void count_weights(pri_job *job, pri_block *b, const pri_array *raw, ptrdiff_t n, int blank) {
  if (!job->counts && !blank && !job->said_weights++)
    pri_log(b->ctx, PRI_LOG_INFO, "weights=counts: the file holds line integrals, so exp(-value) stands for the counts");
  for (ptrdiff_t i = 0; i < n; i++) {
    const double v = (double)raw->data[i];
    b->w.data[i] = (pri_real)(!job->counts ? exp(-v) : v > 0 ? v : 0);
  }
}

/* All ones where nothing else is asked for. */
static pri_status make_weights(pri_job *job, pri_block *b, const pri_array *raw, int blank) {
  char *which = NULL;
  if (!job->set.weighted) return PRI_OK;
  PRI_TRY(pri_array_create(b->ctx, &b->w, &job->set.data, b->items));
  const ptrdiff_t n = pri_shape_size(&b->w.shape) * b->items;
  pri_fill(b->ctx, b->w.data, 1, n);
  PRI_TRY(pri_spec_get(job->ctx, job->o->fidelity, "weights", "weights", &which));
  pri_status s = PRI_OK;
  if (which && *which && !strcmp(which, "counts")) {
    if (!pri_shape_equal(&raw->shape, &b->w.shape))
      s = PRI_FAIL(b->ctx, PRI_ESHAPE, "weights=counts: a filter changes the shape of the data");
    else count_weights(job, b, raw, n, blank);
  } else if (which && *which && strcmp(which, "auto") && !blank) {
    s = file_weights(b, which);
  }
  pri_free(job->ctx, which);
  return s;
}

/* ---- filters */

/* blank: only the shapes change; a filter may object to made-up values */
static pri_status run_filters(pri_job *job, pri_block *b, pri_array *a, int blank) {
  for (int i = 0; i < job->set.n_prepare; i++) {
    const pri_shape *to = pri_filter_range(job->set.prepare[i]);
    if (pri_shape_equal(to, &a->shape)) {
      if (!blank) PRI_TRY(pri_filter_run(job->set.prepare[i], a, a, b->slice));
      continue;
    }
    pri_array next = {0};
    PRI_TRY(pri_array_create(b->ctx, &next, to, a->items));
    const pri_status s = blank ? PRI_OK : pri_filter_run(job->set.prepare[i], &next, a, b->slice);
    if (blank) pri_fill(b->ctx, next.data, 1, pri_shape_size(to) * a->items);
    pri_array_destroy(a);
    *a = next;
    PRI_TRY(s);
  }
  return PRI_OK;
}

pri_status pri_block_read(pri_job *job, pri_ctx *ctx, pri_block *b, const ptrdiff_t *slice, ptrdiff_t items, int blank) {
  *b = (pri_block){.ctx = ctx, .items = items, .slice = slice};
  PRI_TRY(pri_array_create(ctx, &b->y, &job->set.measured, items));
  pri_array *y = &b->y;
  if (blank)
    pri_fill(ctx, y->data, 1, pri_shape_size(&y->shape) * items);
  else
    PRI_TRY(read_slices(job, y, slice));
  PRI_TRY(make_weights(job, b, y, blank));
  PRI_TRY(treat_bad(job, b, y));
  PRI_TRY(run_filters(job, b, y, blank));
  struct scan s = {.top = INFINITY};
  if (job->set.n_prepare && !blank) scan(y, &s);
  return s.bad ? refuse(job, y, slice, &s, " after the filters of --prepare") : PRI_OK;
}
