/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * tv - isotropic total variation: R(x) = weight sum_i m_i |(D x)_i|_2, D: forward differences, zero past the last row and column
 * (src/stencil.h), m: one factor a pixel from `map`, 1 without (spatially weighted TV, spec 2.4). coupled: of vectors (tv_faces.h).
 * Saddle: K = D, F* = indicator of |q_i| <= weight m_i (Chambolle, Pock 2011, section 6.2).
 */
#include <math.h>
#include <stddef.h>
#include <string.h>
#include "tv_faces.h"
#include "weight_file.h"

struct tv {
  tv_faces f; /* first: the shared slots */
  char *file;
  pri_array map;
};

static pri_shape pixels_of(const tv_faces *f) { /* without the channels */
  pri_shape s = f->dom;
  if (f->coupled) memmove(s.n, s.n + 1, (size_t)--s.nd * sizeof *s.n);
  return s;
}

static pri_status load_map(pri_ctx *ctx, struct tv *v) {
  char got[64], want[64];
  const pri_shape pixels = pixels_of(&v->f);
  PRI_TRY(pri_weight_file_load(ctx, "tv", "map", v->file, &v->map));
  if (v->map.items * pri_shape_size(&v->map.shape) != v->f.t.s.pixels)
    return PRI_FAIL(ctx, PRI_ESHAPE, "tv: map=%s has the shape %s; give one value for each of %s pixels", v->file,
                    pri_shape_text(&v->map.shape, got, sizeof got), pri_shape_text(&pixels, want, sizeof want));
  v->f.t.map = v->map.data;
  if (isnan(v->f.t.weight)) v->f.t.weight = 1; /* weight=FILE */
  return PRI_OK;
}

static pri_status init(pri_ctx *ctx, void *priv, const pri_meta *meta, const pri_shape *dom) {
  struct tv *v = priv;
  PRI_TRY(pri_tv_faces_init(ctx, &v->f, "tv", meta, dom));
  return v->file ? load_map(ctx, v) : PRI_OK;
}

static void fini(pri_ctx *ctx, void *priv) {
  struct tv *v = priv;
  (void)ctx;
  pri_array_destroy(&v->map);
}

static double weight(const void *priv) {
  const tv_term *t = &((const struct tv *)priv)->f.t;
  return t->map ? NAN : t->weight;
}

static pri_status constant_weight(pri_ctx *ctx, const void *priv, const pri_real *g, double *per_item, ptrdiff_t items, void *scratch) {
  const tv_term *t = &((const struct tv *)priv)->f.t;
  (void)scratch;
  for (ptrdiff_t i = 0; i < items; i++) PRI_TRY(pri_tv_constant_weight(ctx, t, g + i * t->s.n, per_item + i));
  return PRI_OK;
}

static pri_bound lipschitz(const void *priv) {
  (void)priv;
  return (pri_bound){NAN, PRI_UNKNOWN}; /* not smooth */
}

static const pri_param params[] = {
    {.name = "weight", .unit = "1", .help = "factor of the total variation; or auto:discrepancy, auto:gcv, auto:sure, auto:lcurve (chosen from the data), rel:V (share of the smallest weight that makes the image constant), a file with one factor a pixel", .type = PRI_REAL, .flags = PRI_P_REQUIRED | PRI_P_WEIGHT,
     .offset = offsetof(struct tv, f.t.weight), .min = 0, .max = 1e30, .def = 1},
    {.name = "map", .unit = "1", .help = "file with one factor a pixel; weight=FILE stands for weight=1,map=FILE", .type = PRI_FILE,
     .offset = offsetof(struct tv, file)},
    PRI_TV_COUPLED(struct tv, f.coupled),
    {0}};
static const char *const examples[] = {"weight=0.1", "0.5", "0.1,coupled=yes", NULL};
static const pri_variational variational = {.value = pri_tv_faces_value, .prox = pri_tv_faces_prox, .lipschitz = lipschitz, .convexity = pri_tv_faces_convexity};
const pri_prior_class pri_prior_tv = {
    .kind = {"tv", "isotropic total variation: weight times the sum of norm2 of the forward differences",
             "Rudin, Osher, Fatemi 1992; prox: Beck, Teboulle 2009", sizeof(struct tv), params, examples},
    .init = init, .fini = fini, .scratch = pri_tv_faces_scratch, .halo = pri_tv_faces_halo, .scale = pri_tv_faces_scale, .weight = weight,
    .constant_weight = constant_weight, .variational = &variational, .saddle = &pri_tv_saddle};
