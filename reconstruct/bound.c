/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * bound.c - the automatic boxes of the front doors (spec rising_ct 4.9). Each slice has its own; a slice alone gets the one that it
 * has in a stack.
 *   lo:auto  hi = lo + 1.25 (max x - lo) of an early iterate.
 *   auto     the range of the data, widened by a quarter on each side; of an integer file never outside the range of its type, and never
 *            below 0 where no datum is: light, counts and attenuation are not negative. Followed once the image has settled (watch.c).
 * A side is moved out whenever an iterate comes within 10 % of it: the problem is convex, so a minimiser that does not touch the
 * box is one of the problem without it (with integers: in the range of the type).
 */
#include <math.h>
#include <string.h>
#include "vec.h"
#include "watch.h"

double pri_box_from(double lo, double largest) {
  return largest > lo ? lo + 1.25 * (largest - lo) : lo + 1; /* nothing there: any box will do */
}

int pri_box_near(double lo, double hi, double largest) { return largest > lo + 0.9 * (hi - lo); }

/* Range of the type of an integer image; infinite where the data are not what the file holds. */
static void type_range(const pri_job *job, double *lo, double *hi) {
  static const struct { const char *name; double lo, hi; } types[] = {
      {"u8", 0, 255}, {"u16", 0, 65535}, {"u32", 0, 4294967295.0}, {"i8", -128, 127}, {"i16", -32768, 32767}, {"i32", -2147483648.0, 2147483647}};
  *lo = -INFINITY;
  *hi = INFINITY;
  if (job->set.n_prepare || !job->info->dtype) return;
  for (size_t i = 0; i < sizeof types / sizeof *types; i++)
    if (!strcmp(job->info->dtype, types[i].name)) *lo = types[i].lo, *hi = types[i].hi;
}

void pri_box_of_data(const pri_job *job, const pri_real *y, ptrdiff_t n, double *lo, double *hi) {
  const pri_real *known = job->set.known.data;
  double least = INFINITY, largest = -INFINITY;
  for (ptrdiff_t i = 0; i < n; i++) {
    if (known && known[i] == 0) continue;
    least = fmin(least, (double)y[i]);
    largest = fmax(largest, (double)y[i]);
  }
  if (!(largest >= least)) least = largest = 0; /* nothing is known */
  const double quarter = largest > least ? 0.25 * (largest - least) : 1;
  type_range(job, lo, hi);
  *lo = fmax(*lo, least >= 0 ? fmax(0, least - quarter) : least - quarter);
  *hi = fmin(*hi, largest + quarter);
}

/* Each move with -v; what became of all of them is said in the end (pri_box_said). */
static void say(pri_watch *w, ptrdiff_t i, const char *side, double from, double to) {
  pri_job *job = w->job;
  const char *what = pri_job_word(job, 0);
  if (isinf(from)) {
    pri_log(job->ctx, PRI_LOG_DEBUG, "%s %td: box %g to %g", what, w->slice[i], w->s->lo[i], to);
    return;
  }
  pri_log(job->ctx, PRI_LOG_DEBUG, "%s %td: the image came near the %s bound %g, which is now %g", what, w->slice[i], side, from, to);
  job->moved.lo = job->moved.any ? fmin(job->moved.lo, w->s->lo[i]) : w->s->lo[i];
  job->moved.hi = job->moved.any ? fmax(job->moved.hi, w->s->hi[i]) : w->s->hi[i];
  job->moved.any = 1;
}

void pri_box_said(const pri_job *job) {
  if (!job->moved.any) return;
  pri_log(job->ctx, PRI_LOG_INFO, "the image came near the automatic bounds, which were moved: to %g:%g%s (-v says when)", job->moved.lo, job->moved.hi,
          job->items > 1 ? " at the widest" : "");
}

/* --bound auto: both sides, as far as the type goes */
static int follow_both(pri_watch *w, ptrdiff_t i, const pri_real *x, ptrdiff_t n) {
  const double lo = w->s->lo[i], hi = w->s->hi[i], least = pri_vmin(x, n), largest = pri_vmax(x, n);
  double low, high;
  if (!isfinite(least) || !isfinite(largest)) return 0;
  type_range(w->job, &low, &high);
  if (lo >= 0) low = fmax(low, 0); /* no datum is negative */
  if (hi < high && pri_box_near(lo, hi, largest)) w->s->hi[i] = fmin(high, pri_box_from(lo, largest));
  if (lo > low && pri_box_near(-hi, -lo, -least)) w->s->lo[i] = fmax(low, -pri_box_from(-hi, -least));
  if (w->s->hi[i] > hi) say(w, i, "upper", hi, w->s->hi[i]);
  if (w->s->lo[i] < lo) say(w, i, "lower", lo, w->s->lo[i]);
  return w->s->hi[i] > hi || w->s->lo[i] < lo;
}

int pri_box_follow(pri_watch *w, ptrdiff_t i, long k, const pri_real *x, ptrdiff_t n, int now) {
  const double lo = w->s->lo[i], hi = w->s->hi[i];
  if (!w->job->set.bound.automatic) return 0;
  if (w->job->set.bound.automatic == PRI_RANGE_BOTH) return k < PRI_BOX_AFTER && !now ? 0 : follow_both(w, i, x, n);
  if (isinf(hi) && k < PRI_BOX_AFTER && !now) return 0;
  const double largest = pri_vmax(x, n);
  if (!isfinite(largest) || (isfinite(hi) && !pri_box_near(lo, hi, largest))) return 0;
  w->s->hi[i] = pri_box_from(lo, largest);
  say(w, i, "upper", hi, w->s->hi[i]);
  return 1;
}
