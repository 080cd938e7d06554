/* SPDX-License-Identifier: GPL-3.0-or-later */
/* filter_log.c - line integrals from transmission: p = -ln(max(T, clamp)), T = value / open (spec rising_ct 7). What is clamped - dead,
   starved or negative - is counted and said; what is not finite stays so, for --on-bad to judge. */
#include <math.h>
#include <stddef.h>

#include "par.h"
#include "priori/filter.h"
#include "vec.h"

struct minus_log { double clamp, open; ptrdiff_t size; };
struct run { const struct minus_log *p; pri_real *out; const pri_real *in; };

static pri_status init(pri_ctx *ctx, void *priv, const pri_meta *meta, const pri_shape *in, pri_shape *out) {
  (void)ctx, (void)meta;
  ((struct minus_log *)priv)->size = pri_shape_size(in);
  *out = *in;
  return PRI_OK;
}

static double clamped(const void *arg, ptrdiff_t first, ptrdiff_t last) {
  const struct run *r = arg;
  double sum = 0;
  for (ptrdiff_t i = first; i < last; i++) sum += (double)r->in[i] / r->p->open < r->p->clamp;
  return sum;
}

static double negative(const void *arg, ptrdiff_t first, ptrdiff_t last) {
  const struct run *r = arg;
  double sum = 0;
  for (ptrdiff_t i = first; i < last; i++) sum += r->in[i] <= 0;
  return sum;
}

static double bright(const void *arg, ptrdiff_t first, ptrdiff_t last) {
  const struct run *r = arg;
  double sum = 0;
  for (ptrdiff_t i = first; i < last; i++) sum += (double)r->in[i] > 2 * r->p->open;
  return sum;
}

static pri_status some(void *arg, int worker, ptrdiff_t first, ptrdiff_t last) {
  const struct run *r = arg;
  (void)worker;
  for (ptrdiff_t i = first; i < last; i++) {
    const double T = (double)r->in[i] / r->p->open;
    r->out[i] = (pri_real)-log(T < r->p->clamp ? r->p->clamp : T);
  }
  return PRI_OK;
}

static pri_status run(pri_ctx *ctx, const void *priv, pri_real *out, const pri_real *in, const ptrdiff_t *slice, ptrdiff_t items, void *scratch) {
  const struct minus_log *p = priv;
  struct run r = {p, out, in};
  (void)slice, (void)scratch;
  const ptrdiff_t n = items * p->size;
  const double low = pri_sum(ctx, n, clamped, &r), none = low > 0 ? pri_sum(ctx, n, negative, &r) : 0;
  if (low > 0)
    pri_log(ctx, PRI_LOG_WARN, "log: %.0f of %td values are below clamp=%g and were raised to it, %.0f of them zero or negative", low, n, p->clamp, none);
  if (low == (double)n) return PRI_FAIL(ctx, PRI_EDATA, "log: all %td values are below clamp=%g: are these counts, and is the flat field right?", n, p->clamp);
  if (pri_sum(ctx, n, bright, &r) > (double)n / 2)
    pri_log(ctx, PRI_LOG_WARN, "log: most values are above twice the open beam (open=%g): are these counts? Divide by a flat field first, or give open=", p->open);
  return pri_par_for(ctx, n, PRI_VEC_BLOCK, some, &r);
}

static const pri_param params[] = {
    {.name = "clamp", .unit = "1", .help = "least transmission",
     .type = PRI_REAL, .offset = offsetof(struct minus_log, clamp), .min = 1e-30, .max = 1, .def = 1e-4},
    {.name = "open", .unit = "1", .help = "value of the open beam, where no flat field has been divided out",
     .type = PRI_REAL, .offset = offsetof(struct minus_log, open), .min = 1e-30, .max = 1e30, .def = 1},
    {0}};
static const char *const examples[] = {"clamp=1e-06", "clamp=0.01,open=2", NULL};
const pri_filter_class pri_filter_log = {.kind = {"log", "line integrals from transmission, -ln", "", sizeof(struct minus_log), params, examples}, .init = init, .run = run};
