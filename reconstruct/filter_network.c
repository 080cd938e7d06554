/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * filter_network.c - a trained network after the solver (RISING: few steps, then this): out = s N((in - o) / s; w) + o, with s = scale and o = offset, every item by itself.
 * Items are pages, or channels of one image where the network takes as many.
 */
#include <math.h>
#include <stddef.h>
#include <string.h>
#include "priori/filter.h"
#include "priori/network.h"
#include "vec.h"

struct network {
  char *file, *graph;
  double noise, scale, offset;
  pri_network *net;
  pri_plan *plan;
  pri_real *work;      /* an item, scaled */
  ptrdiff_t n, m;
};

static pri_status init(pri_ctx *ctx, void *priv, const pri_meta *meta, const pri_shape *in, pri_shape *out) {
  struct network *p = priv;
  (void)meta;
  PRI_TRY(pri_network_load(ctx, &p->net, p->file, p->graph));
  if (isnan(p->noise) && pri_network_needs_noise(p->net)) return PRI_FAIL(ctx, PRI_EPARAM, "network: %s takes the level of the noise; give noise=SD, in units of the image", p->file);
  PRI_TRY(pri_plan_create(p->net, &p->plan, in, 0));
  *out = *pri_plan_range(p->plan);
  p->n = pri_shape_size(in), p->m = pri_shape_size(out);
  PRI_ALLOC(ctx, p->work, p->n > p->m ? p->n : p->m);
  return PRI_OK;
}

static pri_status run(pri_ctx *ctx, const void *priv, pri_real *out, const pri_real *in, const ptrdiff_t *slice, ptrdiff_t items, void *scratch) {
  const struct network *p = priv;
  const double level = p->noise / p->scale;
  (void)slice, (void)scratch;
  for (ptrdiff_t i = 0; i < items; i++) {
    pri_real *to = out + i * p->m;
    for (ptrdiff_t k = 0; k < p->n; k++) p->work[k] = (pri_real)(((double)in[i * p->n + k] - p->offset) / p->scale);
    PRI_TRY(pri_plan_forward(p->plan, to, p->work, isnan(level) ? NULL : &level));
    for (ptrdiff_t k = 0; k < p->m; k++) to[k] = (pri_real)((double)to[k] * p->scale + p->offset);
  }
  return pri_finite(ctx, out, items * p->m) ? PRI_OK : PRI_FAIL(ctx, PRI_EDATA, "network: what %s gives is not finite", p->file);
}

static void halo(const void *priv, ptrdiff_t h[PRI_MAXDIM]) {
  (void)priv;
  for (int a = 0; a < PRI_MAXDIM; a++) h[a] = -1;
}

static void fini(pri_ctx *ctx, void *priv) {
  struct network *p = priv;
  pri_plan_destroy(&p->plan);
  pri_network_destroy(&p->net);
  pri_free(ctx, p->work);
}

#define OF(field) .offset = offsetof(struct network, field)
static const pri_param params[] = {
    {.name = "file", .unit = "1", .help = "weights (.safetensors) and, on its card, graph", .type = PRI_FILE, .flags = PRI_P_REQUIRED, OF(file)},
    {.name = "graph", .unit = "1", .help = "architecture of weights from elsewhere, e.g. bf-unet; see `priori list recipes`", .type = PRI_TEXT, OF(graph)},
    {.name = "noise", .unit = "1", .help = "standard deviation of the noise, for networks that take it", .type = PRI_REAL, OF(noise), .min = 0, .max = 1e12, .def = NAN},
    {.name = "scale", .unit = "1", .help = "what the network sees as 1 above the offset", .type = PRI_REAL, OF(scale), .min = 1e-12, .max = 1e12, .def = 1},
    {.name = "offset", .unit = "1", .help = "what the network sees as 0", .type = PRI_REAL, OF(offset), .min = -1e12, .max = 1e12, .def = 0},
    {0}};
static const char *const examples[] = {NULL};
const pri_filter_class pri_filter_network = {.kind = {"network", "a trained network, behind the solver", "Morotti 2023 (RISING)", sizeof(struct network), params, examples},
                                             .init = init, .run = run, .halo = halo, .fini = fini};
