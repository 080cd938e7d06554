/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * bound.c - the automatic box of the front doors (spec rising_ct 4.9). hi = lo + 1.25 (max x - lo) of an early iterate, raised
 * whenever an iterate comes within 10 % of it: the problem is convex, so a minimiser that does not touch the box is one of the
 * problem without it. Each slice has its own box; a slice alone gets the one that it has in a stack.
 */
#include <math.h>
#include "vec.h"
#include "watch.h"

double pri_box_from(double lo, double largest) {
  return largest > lo ? lo + 1.25 * (largest - lo) : lo + 1; /* nothing there: any box will do */
}

int pri_box_near(double lo, double hi, double largest) { return largest > lo + 0.9 * (hi - lo); }

static void say(pri_watch *w, ptrdiff_t i, double from, double to) {
  if (isinf(from)) {
    pri_log(w->job->ctx, PRI_LOG_DEBUG, "slice %td: box %g to %g", w->slice[i], w->s->lo[i], to);
    return;
  }
  pri_log(w->job->ctx, PRI_LOG_INFO, "slice %td: the image came near the upper bound %g, which is now %g", w->slice[i], from, to);
}

int pri_box_follow(pri_watch *w, ptrdiff_t i, long k, const pri_real *x, ptrdiff_t n, int now) {
  const double lo = w->s->lo[i], hi = w->s->hi[i];
  if (!w->job->set.bound.automatic) return 0;
  if (isinf(hi) && k < PRI_BOX_AFTER && !now) return 0;
  const double largest = pri_vmax(x, n);
  if (!isfinite(largest) || (isfinite(hi) && !pri_box_near(lo, hi, largest))) return 0;
  w->s->hi[i] = pri_box_from(lo, largest);
  say(w, i, hi, w->s->hi[i]);
  return 1;
}
