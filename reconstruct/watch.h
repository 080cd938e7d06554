/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * watch.h - the pipeline's own observer of a block: events of the log, progress, the automatic box.
 * It stands behind the stop rules, so that it sees what they decided.
 */
#ifndef PRI_WATCH_H
#define PRI_WATCH_H
#include "history.h"
#include "pipeline.h"

typedef struct pri_watch {
  pri_job *job;
  pri_solve *s;
  const ptrdiff_t *slice;
  ptrdiff_t items;
  double goal, steps;        /* of stop gap and steps; NAN: not asked for */
  double began, cpu;         /* s, at the start of the block */
  struct pri_watched {       /* [items] */
    double first_gap;        /* first finite relative gap; NAN: none yet */
    double share;            /* how far it is, roughly: 0 to 1 */
    long raised_at;          /* step at which the box was last raised; -1: never */
    double wall, cpu;        /* s spent until it ended */
    int over;
  } *item;
  pri_history *history;      /* [items] */
} pri_watch;

extern const pri_monitor_class pri_watch_class;
PRI_MUST_CHECK pri_status pri_watch_create(pri_job *job, pri_ctx *ctx, pri_solve *s, const pri_block *b, pri_watch **out);
void pri_watch_destroy(pri_ctx *ctx, pri_watch **w);
double pri_proven_gap(const pri_report *r); /* relative; NAN where nothing is proven: an estimate is not told under this name */

/* bound.c: the box that follows the iterate (spec rising_ct 4.9): 1.25 times the largest pixel above the lower bound, or the
   range of the data widened by a quarter on each side */
enum { PRI_BOX_AFTER = 10 };   /* steps: the early iterate that the first box is taken from */
double pri_box_from(double lo, double largest);
int pri_box_near(double lo, double hi, double largest); /* within 10 % of the box */
/* The first box of an image of n values, for --bound auto; never outside the range of an integer file's type. */
void pri_box_of_data(const pri_job *job, const pri_real *y, ptrdiff_t n, double *lo, double *hi);
/* Sets or raises the box of item i where it is automatic; 1: it changed. `now`: set it whatever the step. */
void pri_box_said(const pri_job *job); /* once: where boxes of a job were moved to */
int pri_box_follow(pri_watch *w, ptrdiff_t i, long k, const pri_real *x, ptrdiff_t n, int now);
#endif
