/* SPDX-License-Identifier: GPL-3.0-or-later */
/* filter_pad.c - rows with `bins` more samples on each side: zeros, the last value, or that with a cosine roll-off. For solvers that
   would otherwise explain a truncated object by its edge. A centre that is given counts the new bins: add `bins` to it. */
#include <math.h>
#include <stddef.h>

#include "par.h"
#include "priori/filter.h"

enum { ZERO, EDGE, COSINE };
struct pad { long bins; int how; ptrdiff_t views, from; };
struct run { const struct pad *p; pri_real *out; const pri_real *in; };

static pri_status init(pri_ctx *ctx, void *priv, const pri_meta *meta, const pri_shape *in, pri_shape *out) {
  struct pad *p = priv;
  (void)meta;
  if (in->nd != 2) return PRI_FAIL(ctx, PRI_ESHAPE, "pad: data have %d axes instead of view and bin", in->nd);
  p->views = in->n[0], p->from = in->n[1];
  *out = pri_shape_2d(p->views, p->from + 2 * p->bins);
  return PRI_OK;
}

static pri_status views(void *arg, int worker, ptrdiff_t first, ptrdiff_t last) {
  const struct run *r = arg;
  const struct pad *p = r->p;
  (void)worker;
  for (ptrdiff_t v = first; v < last; v++) {
    const pri_real *in = r->in + v * p->from;
    pri_real *out = r->out + v * (p->from + 2 * p->bins) + p->bins;
    for (ptrdiff_t j = 0; j < p->from; j++) out[j] = in[j];
    for (ptrdiff_t k = 1; k <= p->bins; k++) {
      const double fall = p->how == ZERO ? 0 : p->how == EDGE ? 1 : 0.5 * (1 + cos(3.14159265358979323846 * (double)k / (double)(p->bins + 1)));
      out[-k] = (pri_real)(fall * (double)in[0]);
      out[p->from - 1 + k] = (pri_real)(fall * (double)in[p->from - 1]);
    }
  }
  return PRI_OK;
}

static pri_status run(pri_ctx *ctx, const void *priv, pri_real *out, const pri_real *in, const ptrdiff_t *slice, ptrdiff_t items, void *scratch) {
  const struct pad *p = priv;
  struct run r = {p, out, in};
  (void)slice, (void)scratch;
  return pri_par_for(ctx, items * p->views, 16, views, &r);
}

static const char *const hows[] = {"zero", "edge", "cosine", NULL};
static const pri_param params[] = {
    {.name = "bins", .unit = "bins", .help = "samples on each side; a center that is given must count them",
     .type = PRI_INT, .flags = PRI_P_REQUIRED, .offset = offsetof(struct pad, bins), .min = 1, .max = 65536, .def = 1},
    {.name = "how", .unit = "", .help = "nothing, the last value, or that with a cosine roll-off",
     .type = PRI_CHOICE, .offset = offsetof(struct pad, how), .choices = hows, .def = COSINE},
    {0}};
static const char *const examples[] = {"bins=3", "bins=2,how=edge", "bins=5,how=zero", NULL};
const pri_filter_class pri_filter_pad = {.kind = {"pad", "longer rows, against truncation", "Ohnesorge et al. 2000", sizeof(struct pad), params, examples}, .init = init, .run = run};
