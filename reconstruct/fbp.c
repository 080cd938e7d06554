/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * fbp.c - filtered back projection as a solver: one step does it, no prior and no fidelity take part beyond the data y. Full turns and
 * short scans, any set of angles, parallel and fan beams: see fbp.h. Clipped where a bound is given, and only then.
 */
#include "fbp.h"

#include <math.h>
#include <stddef.h>

#include "priori/solver.h"

struct fbp {
  int window, doubled, extend, offset;
  double cutoff;
  pri_fbp *plan;
  const pri_problem *problem;
  pri_array x;
};

static const pri_geometry *geometry_of(const pri_problem *p) {
  const void *priv;
  const pri_operator *A = pri_map_linear(p->A);
  const pri_operator_class *c = A ? pri_operator_class_of(A, &priv) : NULL;
  return c && c->geometry ? c->geometry(priv) : NULL;
}

static const char *misfit(const pri_problem *p) {
  const pri_geometry *g = geometry_of(p);
  if (p->nR) return "fbp takes no prior; an iterative solver does";
  if (!g) return "fbp needs a ct operator, and nothing else in the chain";
  return g->beam == PRI_PARALLEL || g->beam == PRI_FAN_FLAT || g->beam == PRI_FAN_CURVED ? NULL : "fbp takes parallel, fan and fancurved geometries";
}

static void say(pri_ctx *ctx, const pri_fbp *f) {
  static const double degrees = 57.29577951308232;
  const pri_geometry *g = &f->g;
  const double u = fmax(g->center, (double)(g->bins - 1) - g->center) * g->bin;
  const double fan = g->beam == PRI_PARALLEL ? 0 : g->beam == PRI_FAN_FLAT ? atan(u / g->sdd) : u / g->sdd, needed = 180 + 2 * fan * degrees;
  const double arc = f->arc * degrees;
  if (f->partial && arc < needed - 0.5)
    pri_log(ctx, PRI_LOG_WARN, "fbp: only %.2f of the %.2f degrees that this geometry needs were measured: edges in the missing directions are lost", arc, needed);
  else if (f->partial && g->beam != PRI_PARALLEL)
    pri_log(ctx, PRI_LOG_INFO, "fbp: short scan over %.2f degrees, %s", arc, f->opts.doubled == PRI_SHORT_NONE ? "doubled rays are not weighted" : "Parker's weights for doubled rays");
  if (f->offset) pri_log(ctx, PRI_LOG_INFO, "fbp: detector offset, views from opposite sides are blended");
}

static pri_status init(pri_ctx *ctx, void *priv, const pri_problem *p, const pri_array *x0) {
  struct fbp *s = priv;
  const pri_array *y = pri_fidelity_data(p->f);
  (void)x0; /* a direct method needs no start */
  s->problem = p;
  PRI_TRY(pri_array_create(ctx, &s->x, pri_map_domain(p->A), y->items));
  const pri_fbp_opts o = {s->window, s->cutoff, s->doubled, s->extend, s->offset};
  PRI_TRY(pri_fbp_create(ctx, &s->plan, geometry_of(p), &o));
  say(ctx, s->plan);
  return PRI_OK;
}

static pri_status step(pri_ctx *ctx, void *priv, ptrdiff_t first, ptrdiff_t items, unsigned want, pri_report *per_item) {
  struct fbp *s = priv;
  const pri_problem *p = s->problem;
  (void)ctx, (void)want;
  for (ptrdiff_t i = first; i < first + items; i++) {
    const double lo = p->lo ? p->lo[i] : -INFINITY, hi = p->hi ? p->hi[i] : INFINITY;
    PRI_TRY(pri_fbp_run(s->plan, pri_array_item(&s->x, i), pri_array_item(pri_fidelity_data(p->f), i), lo, hi));
    per_item[i - first].adjoints += 1;
    per_item[i - first].finished = 1;
  }
  return PRI_OK;
}

static const pri_array *iterate(const void *priv) { return &((const struct fbp *)priv)->x; }

static pri_status walk(pri_ctx *ctx, void *priv, pri_walk *w) {
  (void)ctx;
  return pri_walk_array(w, "x", &((struct fbp *)priv)->x);
}

static void fini(pri_ctx *ctx, void *priv) {
  struct fbp *s = priv;
  (void)ctx;
  pri_fbp_destroy(&s->plan);
  pri_array_destroy(&s->x);
}

static const char *const windows[] = {"ram-lak", "shepp-logan", "cosine", "hamming", "hann", NULL};
static const char *const shorts[] = {"auto", "parker", "none", NULL}, *const extends[] = {"zero", "edge", "cosine", NULL}, *const offsets[] = {"auto", "on", "none", NULL};
static const pri_param params[] = {
    {.name = "window", .unit = "", .help = "multiplies the ramp",
     .type = PRI_CHOICE, .offset = offsetof(struct fbp, window), .choices = windows, .def = PRI_RAM_LAK},
    {.name = "cutoff", .unit = "1", .help = "highest frequency that passes, as a share of Nyquist's",
     .type = PRI_REAL, .offset = offsetof(struct fbp, cutoff), .min = 0.01, .max = 1, .def = 1},
    {.name = "short", .unit = "", .help = "fan: weights for rays that a partial turn measured twice (auto: parker)", .type = PRI_CHOICE,
     .offset = offsetof(struct fbp, doubled), .choices = shorts, .def = PRI_SHORT_AUTO},
    {.name = "extend", .unit = "", .help = "beyond the detector, for objects that are wider: nothing, the last value, or that with a roll-off",
     .type = PRI_CHOICE,
     .offset = offsetof(struct fbp, extend), .choices = extends, .def = PRI_EXTEND_ZERO},
    {.name = "offset", .unit = "", .help = "full turn with a shifted detector: blend opposite views (auto: where one side sees less than 0.8 of the other)",
     .type = PRI_CHOICE,
     .offset = offsetof(struct fbp, offset), .choices = offsets, .def = PRI_OFFSET_AUTO},
    {0}};
static const char *const examples[] = {"window=ram-lak", "window=hann,cutoff=0.8", "extend=cosine,short=none", NULL};
const pri_solver_class pri_solver_fbp = {
    .kind = {"fbp", "filtered back projection", "Kak, Slaney 1988; Parker 1982", sizeof(struct fbp), params, examples},
    .init = init, .step = step, .iterate = iterate, .walk = walk, .fini = fini, .misfit = misfit};
