/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * start.c - --init: one starting image for all items, or one for each item of the job or of the file.
 * A file has the unknown's shape, or that of the field that is written (border=unknown solves for more): then it goes on beyond the field as
 * it ends there. Pages of a volume count together.
 */
#include <math.h>
#include "pipeline.h"
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

pri_status pri_job_start(pri_job *job, pri_ctx *ctx, pri_array *x0, const pri_block *b) {
  pri_array file = {0};
  if (!job->o->init) return PRI_OK;
  PRI_TRY(pri_input_load(ctx, job->o->init, &file));
  pri_status st = fill(job, x0, b, &file);
  pri_array_destroy(&file);
  if (st == PRI_OK && !pri_finite(ctx, x0->data, pri_shape_size(&x0->shape) * x0->items))
    st = PRI_FAIL(job->ctx, PRI_EDATA, "--init %s: a value is not finite", job->o->init);
  return st;
}
