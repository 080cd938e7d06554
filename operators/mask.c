/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * mask.c - y = m x, pixel by pixel, m in {0, 1}: what is known of an image (inpainting).
 *   m  one mask for all items, [shape of the image]: from a file (not 0: known; one plane serves all planes of a volume), or drawn: each pixel is
 *      known with probability `random`, a pure function of the seed and the pixel's index; or bars: of every PERIOD columns WIDTH are not known.
 *      A mask of its own for each slice is no operator (an operator does not know which slice it sees): it goes in as weights of the data term.
 * m is its own adjoint and a projection: A'A = A, norm 1, (A'A + rho)^-1 b = b / (m + rho), and m b for rho = 0 (pseudo-inverse).
 */
#include "priori/operator.h"
#include <math.h>
#include <stddef.h>
#include "priori/io.h"
#include "priori/rng.h"

struct mask {
  double random;
  char *file;
  ptrdiff_t bars[3]; /* width, period; 0: none */
  pri_array m;
};

static const pri_param params[] = {
    {.name = "random", .unit = "1", .help = "share of the pixels that are known, drawn from the seed", .type = PRI_REAL, .offset = offsetof(struct mask, random), .min = 0, .max = 1, .def = 1},
    {.name = "file", .unit = "-", .help = "image of the known pixels (not 0), instead of drawing", .type = PRI_FILE, .offset = offsetof(struct mask, file)},
    {.name = "bars", .unit = "px", .help = "hides bars: WIDTH columns of every PERIOD, WIDTHxPERIOD; period 4 times the width where not given", .type = PRI_SIZES, .offset = offsetof(struct mask, bars), .min = 1, .max = 1e6},
    {0}};
static const char *const examples[] = {"random=0.5", "random=0", "random=1", "bars=2", "bars=1x3,random=0.8", NULL};

static pri_status misfit(pri_ctx *ctx, const struct mask *k, const pri_array *a) {
  char got[96], want[96];
  const char *const more = a->items > 1 && pri_shape_size(&a->shape) == pri_shape_size(&k->m.shape)
      ? "; a mask of its own for each slice goes in as weights: --operator identity --fidelity ls:known=FILE" : "";
  return PRI_FAIL(ctx, PRI_ESHAPE, "mask: file=%s holds %td of %s, the image is %s%s", k->file, a->items, pri_shape_text(&a->shape, got, sizeof got),
                  pri_shape_text(&k->m.shape, want, sizeof want), more);
}

static pri_status load(pri_ctx *ctx, struct mask *k, const pri_shape *dom) {
  pri_array a;
  PRI_TRY(pri_input_load(ctx, k->file, &a));
  const ptrdiff_t n = pri_shape_size(dom), have = a.items * pri_shape_size(&a.shape);
  const ptrdiff_t plane = dom->nd > 2 ? dom->n[dom->nd - 2] * dom->n[dom->nd - 1] : n;
  const int fits = (have == n || have == plane) && a.shape.n[a.shape.nd - 1] == dom->n[dom->nd - 1];
  for (ptrdiff_t i = 0; fits && i < n; i++) k->m.data[i] = a.data[i % have] != 0;
  const pri_status s = fits ? PRI_OK : misfit(ctx, k, &a);
  pri_array_destroy(&a);
  return s;
}

/* columns first ... first + width - 1 of every period are hidden; the first bar stands half a gap in */
static pri_status hide_bars(pri_ctx *ctx, struct mask *k) {
  const ptrdiff_t cols = k->m.shape.n[k->m.shape.nd - 1], width = k->bars[0], period = k->bars[1] ? k->bars[1] : 4 * width;
  if (width > period) return PRI_FAIL(ctx, PRI_EPARAM, "mask: bars=%tdx%td: bars wider than their period leave nothing", width, period);
  for (ptrdiff_t i = 0; width && i < pri_shape_size(&k->m.shape); i++) {
    const ptrdiff_t at = i % cols % period - (period - width) / 2;
    if (at >= 0 && at < width) k->m.data[i] = 0;
  }
  return PRI_OK;
}

static pri_status init(pri_ctx *ctx, void *priv, const pri_meta *meta, pri_shape *dom, pri_shape *ran) {
  struct mask *k = priv;
  (void)meta;
  if (dom->nd == 0) *dom = *ran;
  if (ran->nd == 0) *ran = *dom;
  if (dom->nd == 0) return PRI_FAIL(ctx, PRI_ESHAPE, "mask: the size of the image is not known");
  if (!pri_shape_equal(dom, ran)) return PRI_FAIL(ctx, PRI_ESHAPE, "mask: image and data do not have one shape");
  PRI_TRY(pri_array_create(ctx, &k->m, dom, 1));
  if (k->file) PRI_TRY(load(ctx, k, dom));
  else
    for (ptrdiff_t i = 0; i < pri_shape_size(dom); i++) k->m.data[i] = pri_rng_uniform_at(pri_ctx_seed(ctx), "mask", (uint64_t)i) < k->random;
  return hide_bars(ctx, k);
}

static pri_status apply(pri_ctx *ctx, const void *priv, pri_real *y, const pri_real *x, ptrdiff_t items, void *scratch) {
  const struct mask *k = priv;
  const ptrdiff_t n = pri_shape_size(&k->m.shape);
  (void)ctx, (void)scratch;
  for (ptrdiff_t j = 0; j < items; j++)
    for (ptrdiff_t i = 0; i < n; i++) y[j * n + i] = k->m.data[i] != 0 ? x[j * n + i] : 0; /* y = m x; what is not known may be NaN */
  return PRI_OK;
}

static pri_status apply_wide(pri_ctx *ctx, const void *priv, double *y, const double *x, ptrdiff_t items, void *scratch) {
  const struct mask *k = priv;
  const ptrdiff_t n = pri_shape_size(&k->m.shape);
  (void)ctx, (void)scratch;
  for (ptrdiff_t j = 0; j < items; j++)
    for (ptrdiff_t i = 0; i < n; i++) y[j * n + i] = k->m.data[i] != 0 ? x[j * n + i] : 0;
  return PRI_OK;
}

static pri_status resolvent(pri_ctx *ctx, const void *priv, pri_real *x, const pri_real *b, double rho, ptrdiff_t items, void *scratch) {
  const struct mask *k = priv;
  const ptrdiff_t n = pri_shape_size(&k->m.shape);
  (void)ctx, (void)scratch;
  for (ptrdiff_t j = 0; j < items; j++)
    for (ptrdiff_t i = 0; i < n; i++) { /* x = b / (m + rho); rho = 0: m b */
      const double d = (double)k->m.data[i] + rho;
      x[j * n + i] = d > 0 ? (pri_real)((double)b[j * n + i] / d) : 0;
    }
  return PRI_OK;
}

static unsigned flags(const void *priv) {
  (void)priv;
  return PRI_OP_SELFADJOINT | PRI_OP_DIAGONAL | PRI_OP_PROJECTION | PRI_OP_NONNEGATIVE;
}

static pri_bound norm(const void *priv) {
  const struct mask *k = priv;
  for (ptrdiff_t i = 0; i < pri_shape_size(&k->m.shape); i++)
    if (k->m.data[i] != 0) return (pri_bound){1, PRI_EXACT};
  return (pri_bound){0, PRI_EXACT};
}

static pri_status part(pri_ctx *ctx, const void *priv, void *sub, const pri_box *ran, pri_box *dom) {
  const struct mask *k = priv;
  struct mask *s = sub;
  const pri_shape shape = pri_box_shape(ran, k->m.shape.nd);
  *dom = *ran;
  PRI_TRY(pri_array_create(ctx, &s->m, &shape, 1));
  return pri_array_take(ctx, &s->m, &k->m, ran);
}

static void fini(pri_ctx *ctx, void *priv) {
  struct mask *k = priv;
  (void)ctx;
  pri_array_destroy(&k->m);
}

const pri_operator_class pri_operator_mask = {
    .kind = {"mask", "keeps the known pixels, sets the others to 0", "", sizeof(struct mask), params, examples},
    .init = init, .apply = apply, .adjoint = apply, .fini = fini, .flags = flags, .norm = norm, .normal = apply, .resolvent = resolvent,
    .apply_wide = apply_wide, .adjoint_wide = apply_wide, .part = part};
