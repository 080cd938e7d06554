/* SPDX-License-Identifier: GPL-3.0-or-later */
/* filter_hu.c - Hounsfield units from attenuation: 1000 (x - water) / (water - air). For --then. */
#include <stddef.h>

#include "par.h"
#include "priori/filter.h"
#include "vec.h"

struct hu { double water, air; ptrdiff_t size; };
struct run { const struct hu *p; pri_real *out; const pri_real *in; };

static pri_status init(pri_ctx *ctx, void *priv, const pri_meta *meta, const pri_shape *in, pri_shape *out) {
  struct hu *p = priv;
  (void)meta;
  p->size = pri_shape_size(in);
  *out = *in;
  return p->water > p->air ? PRI_OK : PRI_FAIL(ctx, PRI_EPARAM, "hu: water=%g is not above air=%g (attenuation per mm)", p->water, p->air);
}

static pri_status some(void *arg, int worker, ptrdiff_t first, ptrdiff_t last) {
  const struct run *r = arg;
  (void)worker;
  for (ptrdiff_t i = first; i < last; i++) r->out[i] = (pri_real)(1000 * ((double)r->in[i] - r->p->water) / (r->p->water - r->p->air));
  return PRI_OK;
}

static pri_status run(pri_ctx *ctx, const void *priv, pri_real *out, const pri_real *in, const ptrdiff_t *slice, ptrdiff_t items, void *scratch) {
  const struct hu *p = priv;
  struct run r = {p, out, in};
  (void)slice, (void)scratch;
  return pri_par_for(ctx, items * p->size, PRI_VEC_BLOCK, some, &r);
}

static const pri_param params[] = {
    {.name = "water", .unit = "1", .help = "attenuation of water, per mm",
     .type = PRI_REAL, .flags = PRI_P_REQUIRED, .offset = offsetof(struct hu, water), .min = 1e-12, .max = 1e12, .def = 0.02},
    {.name = "air", .unit = "1", .help = "attenuation of air, per mm",
     .type = PRI_REAL, .offset = offsetof(struct hu, air), .min = -1e12, .max = 1e12, .def = 0},
    {0}};
static const char *const examples[] = {"water=0.02", "water=0.5,air=0.1", NULL};
const pri_filter_class pri_filter_hu = {.kind = {"hu", "Hounsfield units from attenuation", "", sizeof(struct hu), params, examples}, .init = init, .run = run};
