/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * prepare.c - the measurement of some slices: read, bad values refused or repaired, filters run, weights made.
 * What is bad, and what is done about it: prepare_bad.c.
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

/* Data that the operator does not see are nothing: 0, so that they add nothing to the objective, whatever the file holds there. */
static void drop_unknown(const pri_job *job, pri_array *y) {
  const pri_real *known = job->set.known.data;
  const ptrdiff_t n = pri_shape_size(&y->shape);
  if (!known || !pri_shape_equal(&job->set.known.shape, &y->shape)) return;
  for (ptrdiff_t i = 0; i < n * y->items; i++)
    if (known[i % n] == 0) y->data[i] = 0;
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

/* What the file says is not known of one item: 0, with weight 0. Items of several pages (volumes) are that many pages of the file */
static pri_status drop_item(pri_block *b, pri_array *y, ptrdiff_t i, pri_input *in, pri_real *m) {
  const pri_input_info *info = pri_input_describe(in);
  const ptrdiff_t n = pri_shape_size(&y->shape), page = pri_shape_size(&info->item), pages = n % page == 0 ? n / page : 0;
  const ptrdiff_t from = info->items == pages ? 0 : b->slice[i] * pages;
  if (pages < 1 || from + pages > info->items)
    return PRI_FAIL(b->ctx, PRI_ESHAPE, "known=%s: %td pages of %td pixels do not fit slice %td of the data, %td pixels", info->file, info->items, page, b->slice[i], n);
  PRI_TRY(pri_input_read(in, m, from, pages));
  for (ptrdiff_t j = 0; j < n; j++)
    if (m[j] == 0) pri_array_item(y, i)[j] = pri_array_item(&b->w, i)[j] = 0;
  return PRI_OK;
}

static pri_status drop_in_file(pri_block *b, pri_array *y, const char *name) {
  pri_input *in;
  if (!pri_shape_equal(&b->w.shape, &y->shape)) return PRI_FAIL(b->ctx, PRI_ESHAPE, "known=%s: a filter changes the shape of the data", name);
  PRI_TRY(pri_input_open(b->ctx, &in, name));
  pri_real *m = pri_calloc(b->ctx, (size_t)pri_shape_size(&y->shape), sizeof *m);
  pri_status s = m ? PRI_OK : pri_ctx_code(b->ctx);
  for (ptrdiff_t i = 0; i < b->items && s == PRI_OK; i++) s = drop_item(b, y, i, in, m);
  pri_free(b->ctx, m);
  pri_input_close(&in);
  return s;
}

/* known=FILE of the data term */
static pri_status drop_listed(pri_job *job, pri_block *b, pri_array *y) {
  char *name = NULL;
  if (!b->w.data) return PRI_OK;
  PRI_TRY(pri_job_known(job, &name));
  const pri_status s = name ? drop_in_file(b, y, name) : PRI_OK;
  pri_free(job->ctx, name);
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
  if (!blank) drop_unknown(job, y);
  if (!blank) PRI_TRY(drop_listed(job, b, y));
  if (!blank) PRI_TRY(pri_block_repair(job, b, y));
  PRI_TRY(run_filters(job, b, y, blank));
  return job->set.n_prepare && !blank ? pri_block_finite(job, b, y) : PRI_OK;
}
