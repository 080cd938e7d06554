/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * crop.c - y = the rectangle x0 <= x < x0 + w, y0 <= y < y0 + h of the last two axes (the field of view in a larger scene).
 * A' puts it back into zeros; A A' = I, norm 1; (A'A + rho)^-1 b = b / (1 + rho) inside and b / rho outside (0 for rho = 0).
 */
#include "priori/operator.h"
#include <stddef.h>
#include <string.h>

struct crop {
  long x, y, w, h;
  ptrdiff_t size[3];           /* of the image: x, y; 0: known from elsewhere */
  ptrdiff_t planes, rows, cols; /* of the image */
};

static const pri_param params[] = {
    {.name = "x", .unit = "px", .help = "first column that is kept", .type = PRI_INT, .offset = offsetof(struct crop, x), .min = 0, .max = 1e9, .def = 0},
    {.name = "y", .unit = "px", .help = "first row that is kept", .type = PRI_INT, .offset = offsetof(struct crop, y), .min = 0, .max = 1e9, .def = 0},
    {.name = "w", .unit = "px", .help = "columns that are kept; 0: all that follow", .type = PRI_INT, .offset = offsetof(struct crop, w), .min = 0, .max = 1e9, .def = 0},
    {.name = "h", .unit = "px", .help = "rows that are kept; 0: all that follow", .type = PRI_INT, .offset = offsetof(struct crop, h), .min = 0, .max = 1e9, .def = 0},
    {.name = "size", .unit = "px", .help = "size of the whole image, WxH, where no other operator tells", .type = PRI_SIZES, .offset = offsetof(struct crop, size), .min = 1, .max = 1e9},
    {0}};
static const char *const examples[] = {"", "x=3,y=2,w=5,h=7", "x=15,y=11", "w=1", NULL};

static pri_status fit(pri_ctx *ctx, struct crop *c, const pri_shape *dom) {
  char text[96];
  if (dom->nd < 2) return PRI_FAIL(ctx, PRI_ESHAPE, "crop: images of %s have no plane to cut from", pri_shape_text(dom, text, sizeof text));
  c->rows = dom->n[dom->nd - 2], c->cols = dom->n[dom->nd - 1];
  if (c->w == 0) c->w = (long)c->cols - c->x;
  if (c->h == 0) c->h = (long)c->rows - c->y;
  if (c->w < 1 || c->h < 1 || c->x + c->w > c->cols || c->y + c->h > c->rows)
    return PRI_FAIL(ctx, PRI_ESHAPE, "crop: x=%ld,y=%ld,w=%ld,h=%ld does not lie in an image of %s", c->x, c->y, c->w, c->h, pri_shape_text(dom, text, sizeof text));
  c->planes = pri_shape_size(dom) / (c->rows * c->cols);
  return PRI_OK;
}

static pri_status init(pri_ctx *ctx, void *priv, const pri_meta *meta, pri_shape *dom, pri_shape *ran) {
  struct crop *c = priv;
  char a[96], b[96];
  (void)meta;
  if (dom->nd == 0 && c->size[0]) {
    *dom = ran->nd ? *ran : pri_shape_2d(1, 1);
    if (dom->nd < 2) *dom = pri_shape_2d(1, 1);
    dom->n[dom->nd - 1] = c->size[0], dom->n[dom->nd - 2] = c->size[1] ? c->size[1] : c->size[0];
  }
  if (dom->nd == 0) return PRI_FAIL(ctx, PRI_ESHAPE, "crop: the size of the whole image is not known; give size=WxH");
  PRI_TRY(fit(ctx, c, dom));
  pri_shape want = *dom;
  want.n[dom->nd - 2] = c->h, want.n[dom->nd - 1] = c->w;
  if (ran->nd == 0) *ran = want;
  if (pri_shape_equal(ran, &want)) return PRI_OK;
  return PRI_FAIL(ctx, PRI_ESHAPE, "crop: it gives %s, the data are %s", pri_shape_text(&want, a, sizeof a), pri_shape_text(ran, b, sizeof b));
}

static pri_status part(pri_ctx *ctx, const void *priv, void *sub, const pri_box *ran, pri_box *dom) {
  const struct crop *c = priv;
  struct crop *s = sub;
  const pri_box whole = *dom;
  int nd = PRI_MAXDIM;
  while (nd > 2 && whole.n[nd - 1] == 0) nd--; /* dom arrives whole: axes beyond nd are 0 */
  *dom = *ran;
  dom->first[nd - 2] += c->y, dom->first[nd - 1] += c->x;
  s->x = s->y = 0, s->rows = s->h = (long)ran->n[nd - 2], s->cols = s->w = (long)ran->n[nd - 1];
  (void)ctx;
  s->planes = 1;
  for (int a = 0; a + 2 < nd; a++) s->planes *= ran->n[a];
  return PRI_OK;
}

#define DEFINE(suffix, real)                                                                                                       \
  static pri_status apply##suffix(pri_ctx *ctx, const void *priv, real *y, const real *x, ptrdiff_t items, void *scratch) {        \
    const struct crop *c = priv;                                                                                                   \
    (void)ctx, (void)scratch;                                                                                                      \
    for (ptrdiff_t r = 0; r < items * c->planes * c->h; r++)                                                                       \
      memcpy(y + r * c->w, x + (r / c->h * c->rows + c->y + r % c->h) * c->cols + c->x, (size_t)c->w * sizeof *y);                 \
    return PRI_OK;                                                                                                                 \
  }                                                                                                                                \
  static pri_status adjoint##suffix(pri_ctx *ctx, const void *priv, real *x, const real *y, ptrdiff_t items, void *scratch) {      \
    const struct crop *c = priv;                                                                                                   \
    (void)ctx, (void)scratch;                                                                                                      \
    memset(x, 0, (size_t)(items * c->planes * c->rows * c->cols) * sizeof *x);                                                     \
    for (ptrdiff_t r = 0; r < items * c->planes * c->h; r++)                                                                       \
      memcpy(x + (r / c->h * c->rows + c->y + r % c->h) * c->cols + c->x, y + r * c->w, (size_t)c->w * sizeof *y);                 \
    return PRI_OK;                                                                                                                 \
  }
DEFINE(, pri_real)
DEFINE(_wide, double)

static int inside(const struct crop *c, ptrdiff_t i) {
  const ptrdiff_t col = i % c->cols - c->x, row = i / c->cols % c->rows - c->y;
  return col >= 0 && col < c->w && row >= 0 && row < c->h;
}

static pri_status resolvent(pri_ctx *ctx, const void *priv, pri_real *x, const pri_real *b, double rho, ptrdiff_t items, void *scratch) {
  const struct crop *c = priv;
  const ptrdiff_t n = items * c->planes * c->rows * c->cols;
  (void)ctx, (void)scratch;
  for (ptrdiff_t i = 0; i < n; i++) {
    const double d = inside(c, i) ? 1 + rho : rho;
    x[i] = d > 0 ? (pri_real)((double)b[i] / d) : 0;
  }
  return PRI_OK;
}

static unsigned flags(const void *priv) {
  (void)priv;
  return PRI_OP_NONNEGATIVE;
}

static pri_bound norm(const void *priv) {
  (void)priv;
  return (pri_bound){1, PRI_EXACT};
}

const pri_operator_class pri_operator_crop = {
    .kind = {"crop", "a rectangle of the image: the field of view in a larger scene", "", sizeof(struct crop), params, examples},
    .init = init, .apply = apply, .adjoint = adjoint, .flags = flags, .norm = norm, .resolvent = resolvent, .apply_wide = apply_wide,
    .adjoint_wide = adjoint_wide, .part = part};
