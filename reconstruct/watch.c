/* SPDX-License-Identifier: GPL-3.0-or-later */
/* watch.c - see watch.h. */
#include "watch.h"
#include <math.h>
#include "json.h"
#include "resume.h"
#include "walk.h"

double pri_proven_gap(const pri_report *r) { return r->gap.trust >= PRI_PROVEN ? pri_report_relative_gap(r) : NAN; }

static void iteration_event(pri_watch *w, ptrdiff_t i, const pri_report *r) {
  if (!pri_journal_wants_events(w->job->log)) return;
  const double all = (r->applies + r->adjoints + r->certifying) / 2, own = (r->applies + r->adjoints) / 2;
  json_t *e = json_pack("{s:I, s:I, s:o, s:o, s:o, s:o, s:o}", "item", (json_int_t)w->slice[i], "k", (json_int_t)r->k, "passes",
                        pri_json_number(all), "objective", pri_json_number(r->objective), "data", pri_json_number(r->data),
                        "prior", pri_json_number(r->prior), "residual", pri_json_number(r->residual));
  if (e) {
    json_object_set_new(e, "gap", pri_json_number(r->gap.trust >= PRI_PROVEN ? r->gap.value : NAN));
    json_object_set_new(e, "relative_gap", pri_json_number(pri_proven_gap(r)));
    json_object_set_new(e, "solver_passes", pri_json_number(own));
    json_object_set_new(e, "change", pri_json_number(r->change));
  }
  pri_journal_event(w->job->log, "iteration", e);
}

/* Share of the way: steps of a budget, or decades of gap, whichever is further. */
static double share_of(const pri_watch *w, struct pri_watched *t, const pri_report *r) {
  const double relative = pri_report_relative_gap(r);
  double share = isfinite(w->steps) ? (double)r->k / w->steps : 0;
  if (isnan(t->first_gap) && isfinite(relative)) t->first_gap = relative;
  if (w->goal > 0 && isfinite(relative) && t->first_gap > w->goal)
    share = fmax(share, log(t->first_gap / relative) / log(t->first_gap / w->goal));
  return fmin(1, fmax(t->share, share));
}

/* Relative change of the image a step above which it is still on its way: what it overshoots then says nothing of where it will end.
   Deblurring a picture (gaussian 1.5): 593 steps to a gap of 1e-3 instead of 722; filling one in: 390 instead of 435. */
static const double SETTLED = 0.01;

/* Items whose box was raised at this very step go on: what was decided was about the smaller box. */
static void one_item(pri_watch *w, ptrdiff_t i, const pri_report *r, const pri_array *x, pri_verdict *v) {
  struct pri_watched *t = &w->item[i];
  iteration_event(w, i, r);
  pri_history_add(&w->history[i], r);
  t->share = share_of(w, t, r);
  const int both = w->job->set.bound.automatic == PRI_RANGE_BOTH, last = both && *v != PRI_GO;
  const int moving = both && !last && r->change > SETTLED;
  if (*v != PRI_DIVERGED && !moving && pri_box_follow(w, i, r->k, pri_array_item(x, i), pri_shape_size(&x->shape), last)) {
    t->raised_at = r->k;
    if (*v == PRI_CONVERGED || *v == PRI_STOPPED_EARLY) *v = PRI_GO;
  }
  if (*v == PRI_GO) return;
  t->over = 1;
  t->wall = pri_wall_seconds() - w->began;
  t->cpu = pri_cpu_seconds() - w->cpu;
}

static pri_status observe(pri_ctx *ctx, void *priv, const pri_report *per_item, const pri_array *x, pri_verdict *v) {
  pri_watch *w = priv;
  pri_progress p = {.word = pri_job_word(w->job, 0), .item = w->job->n_done, .items = w->job->items, .objective = NAN, .relative_gap = NAN, .share = NAN};
  ptrdiff_t over = 0, shown = -1;
  double done = 0;
  (void)ctx;
  for (ptrdiff_t i = 0; i < w->items; i++) {
    if (!w->item[i].over) one_item(w, i, &per_item[i], x, &v[i]);
    over += w->item[i].over;
    done += w->item[i].over ? 1 : w->item[i].share;
    if (shown < 0 && !w->item[i].over) shown = i;
  }
  p.item += over;
  if (shown >= 0) {
    p.k = per_item[shown].k;
    p.objective = per_item[shown].objective;
    p.relative_gap = pri_report_relative_gap(&per_item[shown]);
  }
  p.share = (done + (double)w->job->n_done + (double)w->job->base) / ((double)p.items * (double)w->job->passes);
  pri_journal_progress(w->job->log, &p);
  pri_resume_tick(w->job, w->s);
  return PRI_OK;
}

static pri_status init(pri_ctx *ctx, void *priv, const pri_problem *p, ptrdiff_t items) {
  (void)ctx;
  (void)priv;
  (void)p;
  (void)items;
  return PRI_OK;
}

struct place { /* which block a state is of, and the clocks so far */
  int64_t base, first, items;
  double wall, cpu;
};

static pri_status walk(pri_ctx *ctx, void *priv, pri_walk *w) {
  pri_watch *h = priv;
  const size_t n = (size_t)h->items;
  const struct place here = {h->job->base, h->job->n_done, h->items, pri_wall_seconds() - h->began, pri_cpu_seconds() - h->cpu};
  struct place there = here;
  PRI_TRY(pri_walk_bytes(w, "place", &there, sizeof there));
  if (there.base != here.base || there.first != here.first || there.items != here.items)
    return PRI_FAIL(ctx, PRI_EFORMAT, "state: of slice %jd of pass %jd, not of this one", (intmax_t)there.first, (intmax_t)there.base);
  if (pri_walk_loading(w)) {
    h->began = pri_wall_seconds() - there.wall;
    h->cpu = pri_cpu_seconds() - there.cpu;
  }
  PRI_TRY(pri_walk_bytes(w, "lower bound", h->s->lo, n * sizeof *h->s->lo));
  PRI_TRY(pri_walk_bytes(w, "upper bound", h->s->hi, n * sizeof *h->s->hi));
  PRI_TRY(pri_walk_bytes(w, "watched", h->item, n * sizeof *h->item));
  return pri_walk_bytes(w, "history", h->history, n * sizeof *h->history);
}

const pri_monitor_class pri_watch_class = {
    .kind = {"watch", "log, progress, automatic box", "", 0, NULL, NULL}, .init = init, .observe = observe, .walk = walk};

pri_status pri_watch_create(pri_job *job, pri_ctx *ctx, pri_solve *s, const pri_block *b, pri_watch **out) {
  pri_watch *w;
  *out = NULL;
  PRI_ALLOC(ctx, w, 1);
  *out = w;
  *w = (pri_watch){.job = job,
                   .s = s,
                   .slice = b->slice,
                   .items = b->items,
                   .goal = NAN,
                   .steps = NAN,
                   .began = pri_wall_seconds(),
                   .cpu = pri_cpu_seconds()};
  (void)pri_job_asks(job, "gap", &w->goal);
  (void)pri_job_asks(job, "steps", &w->steps);
  PRI_ALLOC(ctx, w->item, b->items);
  for (ptrdiff_t i = 0; i < b->items; i++)
    w->item[i] = (struct pri_watched){.first_gap = NAN, .raised_at = -1, .wall = NAN, .cpu = NAN};
  PRI_ALLOC(ctx, w->history, b->items);
  for (ptrdiff_t i = 0; i < b->items; i++) pri_history_init(&w->history[i], b->slice[i]);
  return PRI_OK;
}

void pri_watch_destroy(pri_ctx *ctx, pri_watch **w) {
  if (!*w) return;
  pri_free(ctx, (*w)->item);
  pri_free(ctx, (*w)->history);
  pri_free(ctx, *w);
  *w = NULL;
}
