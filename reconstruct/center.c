/* SPDX-License-Identifier: GPL-3.0-or-later */
/* center.c - both methods, and whether they agree. See center.h. */
#include "center.h"

#include <math.h>

#include "vec.h"

static const double together = 0.75; /* bins: the spec's own scans agree within 0.5 */

static pri_status check(pri_ctx *ctx, const pri_geometry *g, const pri_array *y) {
  if (g->beam != PRI_PARALLEL && g->beam != PRI_FAN_FLAT && g->beam != PRI_FAN_CURVED)
    return PRI_FAIL(ctx, PRI_ENOTSUP, "center=auto is for parallel, fan and fancurved; give center=BIN");
  if (g->bins < 8) return PRI_FAIL(ctx, PRI_EDATA, "center=auto: %td bins are too few; give center=BIN", g->bins);
  const double sum = pri_norm2sq(ctx, y->data, y->items * g->views * g->bins);
  return sum > 0 && isfinite(sum) ? PRI_OK : PRI_FAIL(ctx, PRI_EDATA, "center=auto: the data are all zero or not finite");
}

static void say(pri_ctx *ctx, const pri_center *c) {
  if (isnan(c->opposite) && isnan(c->picture))
    pri_log(ctx, PRI_LOG_WARN, "center: not found, there is no opposite ray and less than half a turn; the middle, %.1f, is used: give center=BIN if you know better", c->center);
  else if (isnan(c->opposite))
    pri_log(ctx, PRI_LOG_WARN, "center: %.2f by the picture alone: no opposite rays were measured that could confirm it", c->picture);
  else if (isnan(c->picture))
    pri_log(ctx, PRI_LOG_WARN, "center: %.2f by opposite rays alone: the picture does not confirm it", c->opposite);
  else if (c->agree)
    pri_log(ctx, PRI_LOG_INFO, "center: %.2f by opposite rays, %.2f by the picture: they agree", c->opposite, c->picture);
  else
    pri_log(ctx, PRI_LOG_WARN, "center: %.2f by opposite rays but %.2f by the picture: look at both (--sweep ct.center=%.2f,%.2f); the first is used",
            c->opposite, c->picture, c->opposite, c->picture);
}

pri_status pri_center_find(pri_ctx *ctx, pri_center *out, const pri_geometry *g, const pri_array *y) {
  *out = (pri_center){NAN, NAN, NAN, 0};
  PRI_TRY(check(ctx, g, y));
  PRI_TRY(pri_center_opposite(ctx, &out->opposite, g, y));
  PRI_TRY(pri_center_picture(ctx, &out->picture, g, y));
  out->center = !isnan(out->opposite) ? out->opposite : !isnan(out->picture) ? out->picture : (double)(g->bins - 1) / 2;
  out->agree = fabs(out->opposite - out->picture) <= together;
  say(ctx, out);
  return PRI_OK;
}
