/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * filter_network.c - a trained network after the solver (RISING: few steps, then this): out = s N((in - o) / s; w) + o, with s = scale and o = offset, every item by itself.
 * Items are pages, or channels of one image where the network takes as many. The card may say in which range the network was trained ("range": "0:1") and on which noise
 * ("noise": "0:0.4", standard deviations, in its own units): what lies outside is said.
 */
#include <math.h>
#include <stddef.h>
#include "number.h"
#include "priori/filter.h"
#include "priori/network.h"
#include "vec.h"

struct network {
  char *file, *graph;
  double noise, scale, offset;
  double range[2], level[2]; /* of the card; NAN: it does not say */
  pri_network *net;
  pri_plan *plan;
  pri_real *work;      /* an item, scaled */
  ptrdiff_t n, m;
};

/* "lo:hi" of the card */
static void read_card(const pri_network *net, const char *key, double to[2]) {
  const char *text = pri_network_card(net, key);
  char *end;
  to[0] = to[1] = NAN;
  if (!text) return;
  const double lo = pri_number_parse(text, &end), hi = *end == ':' ? pri_number_parse(end + 1, &end) : NAN;
  if (!*end && lo < hi) to[0] = lo, to[1] = hi;
}

static pri_status init(pri_ctx *ctx, void *priv, const pri_meta *meta, const pri_shape *in, pri_shape *out) {
  struct network *p = priv;
  (void)meta;
  PRI_TRY(pri_network_load(ctx, &p->net, p->file, p->graph));
  if (isnan(p->noise) && pri_network_needs_noise(p->net)) return PRI_FAIL(ctx, PRI_EPARAM, "network: %s takes the level of the noise; give noise=SD, in units of the image", p->file);
  read_card(p->net, "range", p->range);
  read_card(p->net, "noise", p->level);
  const double level = p->noise / p->scale;
  if (level < p->level[0] || level > p->level[1])
    pri_log(ctx, PRI_LOG_WARN, "network: %s was trained on noise of %g to %g, and is given %g (noise= over scale=)", p->file, p->level[0], p->level[1], level);
  PRI_TRY(pri_plan_create(p->net, &p->plan, in, 0));
  *out = *pri_plan_range(p->plan);
  p->n = pri_shape_size(in), p->m = pri_shape_size(out);
  PRI_ALLOC(ctx, p->work, p->n > p->m ? p->n : p->m);
  return PRI_OK;
}

/* Values a tenth of the range beyond it are noise; more than one in a hundred is another unit. */
static void compare_range(pri_ctx *ctx, const struct network *p, const pri_real *in, ptrdiff_t n) {
  const double margin = 0.1 * (p->range[1] - p->range[0]);
  ptrdiff_t outside = 0;
  for (ptrdiff_t k = 0; k < n; k++) {
    const double v = ((double)in[k] - p->offset) / p->scale;
    outside += v < p->range[0] - margin || v > p->range[1] + margin;
  }
  if (outside * 100 > n)
    pri_log(ctx, PRI_LOG_WARN, "network: %td of %td values are outside of the range %g to %g that %s was trained in; give scale= and offset=", outside, n, p->range[0], p->range[1], p->file);
}

static pri_status run(pri_ctx *ctx, const void *priv, pri_real *out, const pri_real *in, const ptrdiff_t *slice, ptrdiff_t items, void *scratch) {
  const struct network *p = priv;
  const double level = p->noise / p->scale;
  (void)slice, (void)scratch;
  compare_range(ctx, p, in, items * p->n);
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
