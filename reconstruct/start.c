/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * start.c - --init: one starting image for all items, or one for each item of the job or of the file.
 * A file has the unknown's shape, or that of the field that is written (border=unknown solves for more): then it goes on beyond the field as
 * it ends there. Pages of a volume count together.
 * Without --init pdhg starts from the data where the image has N times their pixels (downsample): interpolated linearly,
 *   x_i = (1 - t) y_j + t y_{j+1},  j + t = (i + 1/2) / N - 1/2, along each axis;
 * the large scales, which its steps reach last, are right then: a relative gap of 1e-3 takes a half to a third of the steps that it takes from 0.
 */
#include <math.h>
#include "pipeline.h"
#include <string.h>
#include "vec.h"

/* Images of shape s in the file; 0: its pages are of another one. */
static ptrdiff_t images_of(const pri_array *file, const pri_shape *s) {
  const ptrdiff_t n = pri_shape_size(s), all = file->items * pri_shape_size(&file->shape);
  for (int i = 1; i <= 2 && i <= s->nd; i++)
    if (file->shape.nd < i || file->shape.n[file->shape.nd - i] != s->n[s->nd - i]) return 0;
  return all % n == 0 ? all / n : 0;
}

static ptrdiff_t clamped(ptrdiff_t i, ptrdiff_t first, ptrdiff_t n) { return i < first ? 0 : i >= first + n ? n - 1 : i - first; }

/* x of shape s from v, which lies in the box: beyond it the nearest pixel. */
static void extend(pri_real *x, const pri_shape *s, const pri_real *v, const pri_box *box) {
  ptrdiff_t n[3] = {1, 1, 1}, m[3] = {1, 1, 1}, first[3] = {0, 0, 0};
  for (int i = 0; i < s->nd && i < 3; i++) {
    const int a = 3 - s->nd + i;
    n[a] = s->n[i], m[a] = box->n[i], first[a] = box->first[i];
  }
  for (ptrdiff_t z = 0; z < n[0]; z++)
    for (ptrdiff_t y = 0; y < n[1]; y++) {
      const pri_real *row = v + (clamped(z, first[0], m[0]) * m[1] + clamped(y, first[1], m[1])) * m[2];
      for (ptrdiff_t i = 0; i < n[2]; i++) *x++ = row[clamped(i, first[2], m[2])];
    }
}

static pri_status fill(pri_job *job, pri_array *x0, const pri_block *b, const pri_array *file) {
  const pri_shape *image = &job->set.image, field = pri_box_shape(&job->set.frame, image->nd);
  const ptrdiff_t whole = images_of(file, image), some = image->nd <= 3 ? images_of(file, &field) : 0, count = whole ? whole : some;
  char s[96], t[96];
  for (ptrdiff_t i = 0; i < b->items; i++) {
    const ptrdiff_t of_job = (b->slice[i] - job->slice[0]) / (job->items > 1 ? job->slice[1] - job->slice[0] : 1);
    const ptrdiff_t from = count == 1 ? 0 : count == job->items ? of_job : b->slice[i];
    if (from >= count)
      return PRI_FAIL(job->ctx, PRI_ESHAPE, "--init %s: %td images of %s; needed are %s and one image, or one for each slice", job->o->init, file->items,
                      pri_shape_text(&file->shape, s, sizeof s), pri_shape_text(&field, t, sizeof t));
    if (whole) pri_copy(job->ctx, pri_array_item(x0, i), file->data + from * pri_shape_size(image), pri_shape_size(image));
    else extend(pri_array_item(x0, i), image, file->data + from * pri_shape_size(&field), &job->set.frame);
  }
  return PRI_OK;
}

/* ---- from the data */

/* N of an axis, counted from the last one; 1: not there; 0: the image has no whole number of times the data's pixels */
static ptrdiff_t times_finer(const pri_setup *s, int axis) {
  if (axis >= s->image.nd) return 1;
  const ptrdiff_t n = s->image.n[s->image.nd - 1 - axis], m = s->data.n[s->data.nd - 1 - axis];
  return n % m == 0 ? n / m : 0;
}

static int is_finer(const pri_job *job) {
  const pri_setup *s = &job->set;
  ptrdiff_t all = 1;
  if (strncmp(job->o->solver, "pdhg", 4) || pri_job_ct(job) || s->image.nd != s->data.nd || s->image.nd > 3) return 0;
  for (int a = 0; a < s->image.nd; a++) all *= times_finer(s, a);
  return all > 1;
}

struct between { ptrdiff_t j, next; double t; };

static struct between between(ptrdiff_t i, ptrdiff_t times, ptrdiff_t m) {
  const double at = ((double)i + 0.5) / (double)times - 0.5;
  if (at <= 0) return (struct between){0, 0, 0};
  const ptrdiff_t j = (ptrdiff_t)at;
  return j + 1 < m ? (struct between){j, j + 1, at - (double)j} : (struct between){m - 1, m - 1, 0};
}

static double mix(double a, double b, double t) { return a + t * (b - a); }

/* x from y of m pixels, each axis N times finer: sizes and N of z, y, x */
static void interpolate(pri_real *x, const pri_real *y, const ptrdiff_t m[3], const ptrdiff_t times[3]) {
  for (ptrdiff_t k = 0; k < m[0] * times[0]; k++) {
    const struct between z = between(k, times[0], m[0]);
    for (ptrdiff_t r = 0; r < m[1] * times[1]; r++) {
      const struct between v = between(r, times[1], m[1]);
      const pri_real *row[4] = {y + (z.j * m[1] + v.j) * m[2], y + (z.j * m[1] + v.next) * m[2], y + (z.next * m[1] + v.j) * m[2], y + (z.next * m[1] + v.next) * m[2]};
      for (ptrdiff_t i = 0; i < m[2] * times[2]; i++) {
        const struct between h = between(i, times[2], m[2]);
        double along[4];
        for (int c = 0; c < 4; c++) along[c] = mix((double)row[c][h.j], (double)row[c][h.next], h.t);
        *x++ = (pri_real)mix(mix(along[0], along[1], v.t), mix(along[2], along[3], v.t), z.t);
      }
    }
  }
}

static void fill_finer(const pri_job *job, pri_array *x0, const pri_block *b) {
  const pri_setup *s = &job->set;
  ptrdiff_t m[3], times[3];
  for (int a = 0; a < 3; a++) {
    m[2 - a] = a < s->data.nd ? s->data.n[s->data.nd - 1 - a] : 1;
    times[2 - a] = times_finer(s, a);
  }
  for (ptrdiff_t i = 0; i < b->items; i++) interpolate(pri_array_item(x0, i), pri_array_item(&b->y, i), m, times);
}

pri_status pri_job_start(pri_job *job, pri_ctx *ctx, pri_array *x0, const pri_block *b) {
  pri_array file = {0};
  if (!job->o->init && !is_finer(job)) return PRI_OK;
  PRI_TRY(pri_array_create(ctx, x0, &job->set.image, b->items));
  if (!job->o->init) {
    fill_finer(job, x0, b);
    return PRI_OK;
  }
  PRI_TRY(pri_input_load(ctx, job->o->init, &file));
  pri_status st = fill(job, x0, b, &file);
  pri_array_destroy(&file);
  if (st == PRI_OK && !pri_finite(ctx, x0->data, pri_shape_size(&x0->shape) * x0->items))
    st = PRI_FAIL(job->ctx, PRI_EDATA, "--init %s: a value is not finite", job->o->init);
  return st;
}
