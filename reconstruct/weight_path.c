/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * weight_path.c - solutions at one weight after the other, and what each follows of the noise.
 *
 *   y_i = (A x)_i + e_i,  e_i of variance s^2 / w_i  (ls: w = 1; kl: w = 1 / mean, what its quadratic approximation has)
 *   misfit   = 2 f(A x; y) / (m s^2): |W^1/2 (y - A x)|^2 / (m s^2), and for kl the deviance
 *   df       = tr d(A x)/dy, by one probe b of +-1 (Hutchinson 1990; Ramani, Blu, Unser 2008, eq. 11):
 *              sum_i b_i ((A x(y + h b / W^1/2))_i - (A x(y))_i) W^1/2_i / h,   h = s / 10
 *
 * The probed data are further items of the same solve: both run with the same steps from the same start, along the same
 * weights, so that the difference is that of the algorithm as it runs, converged or not. The probe is the same for each
 * weight, which makes the curve smooth, and for each item, which gives a slice alone its own result. kl: data that the
 * probe would make negative take a smaller step.
 *
 * Solvers. os-fista for scans, 5 passes a weight (10: the weight differs by 4 %, and it takes twice as long); with many
 * dual elements a pixel (wavelets), where its prox is dear, spdhg. Denoising: FISTA, where A'A = I makes a step one prox,
 * so that 3 steps of 60 inner ones do (smooth priors, which it takes by their gradient, need more). Else pdhg, 60 steps: deblurring with wavelets as exact as 200 steps of FISTA in a
 * fiftieth of the time. pdhg and spdhg are kept from weight to weight with their dual variables, the others are made anew.
 */
#include "weight_path.h"
#include "priori/registry.h"
#include "priori/rng.h"
#include "vec.h"
#include <math.h>
#include <string.h>

enum { FIRST = 2 /* times as many steps for the first weight */, USUAL = 10 /* weights of a search, about */ };
static const double PROBE = 0.1; /* of the noise */

struct way {
  const char *spec;
  long steps;
};
static const struct way scan = {"os-fista", 5}, heavy_scan = {"spdhg", 10}, direct = {"fista:inner=60", 3},
                        general = {"pdhg", 60}, fallback = {"fista", 60};

/* ---- which solver */

static int takes(pri_ctx *ctx, const pri_problem *p, const char *name) {
  const pri_kind *kind;
  if (pri_registry_find(ctx, PRI_SOLVERS, name, &kind) != PRI_OK) return 0;
  const pri_solver_class *c = (const pri_solver_class *)(const void *)kind;
  return !c->misfit || !c->misfit(p);
}

/* Is an iterative prox dear: are there more than 4 dual elements a pixel? */
static int is_heavy(const pri_problem *p) {
  const ptrdiff_t n = pri_shape_size(pri_map_domain(p->A));
  ptrdiff_t most = 0;
  for (int r = 0; r < p->nR; r++) {
    const void *priv;
    const pri_prior_class *c = pri_prior_class_of(p->R[r], &priv);
    pri_shape aux = {0}, dual = {0};
    pri_bound norm;
    if (!c->saddle || c->saddle->shapes(priv, &aux, &dual, &norm) != PRI_OK) continue;
    if (pri_shape_size(&dual) > most) most = pri_shape_size(&dual);
  }
  return most > 4 * n;
}

static int is_direct(const pri_operator *A) { /* identity, or a mask */
  const unsigned flat = PRI_OP_DIAGONAL | PRI_OP_PROJECTION;
  return (pri_operator_flags(A) & flat) == flat && pri_shape_equal(pri_operator_domain(A), pri_operator_range(A));
}

int pri_weight_sees_image(const pri_weight_path *p) { return is_direct(pri_map_linear(p->o->problem->A)); }

static int by_gradient(const pri_problem *p) { /* fista's step is no prox of some prior */
  int smooth = 0;
  for (int r = 0; r < p->nR; r++) {
    const pri_prior_class *c = pri_prior_class_of(p->R[r], NULL);
    smooth |= c->variational && c->variational->grad && c->variational->lipschitz;
  }
  return smooth;
}

static const struct way *way_of(pri_ctx *ctx, const pri_problem *p) {
  const pri_operator *A = pri_map_linear(p->A);
  const int heavy = is_heavy(p);
  if (pri_operator_geometry(A) && takes(ctx, p, heavy ? "spdhg" : "os-fista")) return heavy ? &heavy_scan : &scan;
  if (is_direct(A) && !heavy && !by_gradient(p) && takes(ctx, p, "fista")) return &direct;
  return takes(ctx, p, "pdhg") ? &general : &fallback;
}

double pri_weight_passes(const pri_operator *A) {
  const long steps = pri_operator_geometry(A) ? scan.steps : is_direct(A) ? direct.steps : general.steps;
  return 2.0 * (USUAL + FIRST - 1) * (double)steps; /* the probed data are solved for as well */
}

/* Solvers whose steps know |A| and |K| only go on at the next weight: its ball takes q in at the next dual_prox. */
static int is_kept(const pri_weight_path *p) { return !strncmp(p->spec, "pdhg", 4) || !strncmp(p->spec, "spdhg", 5); }

/* ---- making: twice the items, the second half probed */

static int is_counting(const pri_weight_path *p) {
  const void *priv;
  return !strcmp(pri_fidelity_class_of(p->o->problem->f, &priv)->kind.name, "kl");
}

/* W^1/2 at the data */
static pri_status find_roots(pri_weight_path *p) {
  const ptrdiff_t k = p->data->items, m = pri_shape_size(&p->data->shape);
  const void *priv;
  const pri_fidelity_class *c = pri_fidelity_class_of(p->o->problem->f, &priv);
  PRI_TRY(pri_array_create(p->ctx, &p->root, &p->data->shape, k));
  if (!is_counting(p) && c->curvature) PRI_TRY(c->curvature(p->ctx, priv, p->root.data, p->data->data, 0, k));
  for (ptrdiff_t i = 0; i < k * m; i++) {
    const double w = is_counting(p) ? 1 / fmax((double)p->data->data[i], 1) : c->curvature ? (double)p->root.data[i] : 1;
    p->root.data[i] = (pri_real)sqrt(w);
  }
  return PRI_OK;
}

static pri_status draw_probes(pri_weight_path *p) {
  const ptrdiff_t k = p->data->items, m = pri_shape_size(&p->data->shape);
  PRI_TRY(pri_array_create(p->ctx, &p->b, &p->data->shape, k));
  for (ptrdiff_t j = 0; j < k; j++) {
    pri_real *b = pri_array_item(&p->b, j);
    pri_rng_uniform(pri_ctx_seed(p->ctx), "weight probe", 0, b, (size_t)m);
    for (ptrdiff_t i = 0; i < m; i++) b[i] = b[i] < (pri_real)0.5 ? -1 : 1;
  }
  return PRI_OK;
}

/* What noise is in the gradient, A'W^1/2 b, gives the scale s |A'W^1/2 b| / sqrt(n) (E|A'b|^2 = |A|_F^2); where A of it is 0, A
   sees nothing */
static pri_status look(pri_weight_path *p) {
  const ptrdiff_t k = p->data->items, m = pri_shape_size(&p->data->shape), n = pri_shape_size(&p->x.shape);
  pri_array g = pri_array_items(&p->x, 0, k), z = pri_array_items(&p->z, 0, k);
  double sd = 0;
  for (ptrdiff_t i = 0; i < k * m; i++) z.data[i] = p->root.data[i] * p->b.data[i];
  PRI_TRY(pri_operator_adjoint(pri_map_linear(p->o->problem->A), &g, &z));
  PRI_TRY(pri_operator_apply(pri_map_linear(p->o->problem->A), &z, &g));
  for (ptrdiff_t j = 0; j < k; j++) sd += p->o->sd[j] / (double)k;
  p->scale = sd * sqrt(pri_norm2sq(p->ctx, g.data, k * n) / (double)(k * n));
  for (ptrdiff_t i = 0; i < k * m; i++) {
    if (z.data[i] == 0) p->root.data[i] = 0;
    p->seen += p->root.data[i] > 0;
  }
  pri_fill(p->ctx, p->x.data, 0, 2 * k * n);
  p->out->applies += (double)k, p->out->adjoints += (double)k;
  if (p->scale > 0 && p->seen > 0) return PRI_OK;
  return PRI_FAIL(p->ctx, PRI_EPARAM, "weight=auto:%s: the operator sees nothing of the image; give a weight", p->rule->name);
}

static pri_status move_data(pri_weight_path *p) {
  const ptrdiff_t k = p->data->items, m = pri_shape_size(&p->data->shape);
  PRI_TRY(pri_array_create(p->ctx, &p->y, &p->data->shape, 2 * k));
  pri_copy(p->ctx, p->y.data, p->data->data, k * m);
  for (ptrdiff_t j = 0; j < k; j++) {
    const pri_real *y = pri_array_item(p->data, j), *root = pri_array_item(&p->root, j), *b = pri_array_item(&p->b, j);
    pri_real *to = pri_array_item(&p->y, k + j);
    for (ptrdiff_t i = 0; i < m; i++) {
      double h = root[i] > 0 ? PROBE * p->o->sd[j] / (double)root[i] : 0; /* 0: masked, or not seen */
      if (is_counting(p)) h = fmin(h, fmax((double)y[i], 0));
      to[i] = y[i] + (pri_real)h * b[i];
    }
  }
  return PRI_OK;
}

static pri_status pose(pri_weight_path *p) {
  const pri_problem *q = p->o->problem;
  const ptrdiff_t k = p->data->items, m = pri_shape_size(&p->data->shape);
  char *spec;
  if (p->weight) {
    PRI_TRY(pri_array_create(p->ctx, &p->w, &p->data->shape, 2 * k));
    for (ptrdiff_t j = 0; j < 2 * k; j++) pri_copy(p->ctx, pri_array_item(&p->w, j), pri_array_item(p->weight, j % k), m);
  }
  PRI_ALLOC(p->ctx, p->lo, 2 * k);
  PRI_ALLOC(p->ctx, p->hi, 2 * k);
  PRI_ALLOC(p->ctx, p->rep, 2 * k);
  for (ptrdiff_t j = 0; j < 2 * k; j++) p->lo[j] = q->lo ? q->lo[j % k] : -INFINITY, p->hi[j] = q->hi ? q->hi[j % k] : INFINITY;
  PRI_TRY(pri_fidelity_print(q->f, &spec));
  const pri_status made = pri_fidelity_create(p->ctx, &p->f, spec, &p->y, p->weight ? &p->w : NULL);
  pri_free(p->ctx, spec);
  p->p = (pri_problem){q->A, p->f, q->R, q->nR, q->noise, 0, p->lo, p->hi};
  return made;
}

pri_status pri_weight_path_init(pri_weight_path *p) {
  const ptrdiff_t k = p->data->items;
  PRI_TRY(find_roots(p));
  PRI_TRY(draw_probes(p));
  PRI_TRY(pri_array_create(p->ctx, &p->z, &p->data->shape, 2 * k));
  PRI_TRY(pri_array_create(p->ctx, &p->x, pri_map_domain(p->o->problem->A), 2 * k));
  PRI_TRY(look(p));
  PRI_TRY(move_data(p));
  PRI_TRY(pose(p));
  const struct way *way = way_of(p->ctx, &p->p);
  p->spec = p->o->solver ? p->o->solver : way->spec;
  p->steps = p->o->steps > 0 ? p->o->steps : p->o->solver ? scan.steps : way->steps;
  return PRI_OK;
}

void pri_weight_path_fini(pri_weight_path *p) {
  pri_array *const arrays[] = {&p->y, &p->w, &p->x, &p->z, &p->b, &p->root};
  pri_solver_destroy(&p->solver);
  pri_fidelity_destroy(&p->f);
  for (size_t i = 0; i < sizeof arrays / sizeof *arrays; i++) pri_array_destroy(arrays[i]);
  pri_free(p->ctx, p->lo), pri_free(p->ctx, p->hi), pri_free(p->ctx, p->rep);
}

/* ---- one weight */

pri_status pri_weight_path_set(pri_weight_path *p, double w) {
  for (int i = 0; i < p->o->n_scaled; i++) PRI_TRY(pri_prior_scale(p->o->scaled[i], w / p->now));
  p->now = w;
  return PRI_OK;
}

static pri_status solve(pri_weight_path *p) {
  const long steps = p->steps * (p->n ? 1 : FIRST);
  if (!p->solver) PRI_TRY(pri_solver_create(p->ctx, &p->solver, p->spec, &p->p, &p->x));
  const double applies = p->n && is_kept(p) ? p->rep[0].applies : 0, adjoints = applies > 0 ? p->rep[0].adjoints : 0;
  for (long k = 0; k < steps; k++) {
    if (pri_ctx_cancelled(p->ctx)) return PRI_FAIL(p->ctx, PRI_ECANCEL, "weight=auto:%s: cancelled", p->rule->name);
    PRI_TRY(pri_solver_step(p->solver, p->rule->wants_prior && k == steps - 1 ? PRI_WANT_OBJECTIVE : 0, p->rep));
  }
  pri_copy(p->ctx, p->x.data, pri_solver_iterate(p->solver)->data, p->x.items * pri_shape_size(&p->x.shape));
  p->out->applies += (double)p->x.items * (p->rep[0].applies - applies);
  p->out->adjoints += (double)p->x.items * (p->rep[0].adjoints - adjoints);
  if (!is_kept(p)) pri_solver_destroy(&p->solver);
  return PRI_OK;
}

struct fit {
  const pri_real *y, *probed_y, *z, *probed_z, *root;
};

static double freedom_block(const void *arg, ptrdiff_t first, ptrdiff_t last) { /* df: b dz / |step of the probe| = dz / step */
  const struct fit *f = arg;
  double sum = 0;
  for (ptrdiff_t i = first; i < last; i++) {
    const double h = (double)f->probed_y[i] - (double)f->y[i];
    if (h != 0) sum += ((double)f->probed_z[i] - (double)f->z[i]) / h;
  }
  return sum;
}

static double moved_block(const void *arg, ptrdiff_t first, ptrdiff_t last) { /* how many data the probe moved */
  const struct fit *f = arg;
  double count = 0;
  for (ptrdiff_t i = first; i < last; i++) count += f->probed_y[i] != f->y[i];
  return count;
}

static double residual_block(const void *arg, ptrdiff_t first, ptrdiff_t last) { /* |r|^2 of what is seen */
  const struct fit *f = arg;
  double sum = 0;
  for (ptrdiff_t i = first; i < last; i++) {
    const double r = (double)f->root[i] * ((double)f->z[i] - (double)f->y[i]);
    sum += r * r;
  }
  return sum;
}

static pri_status misfit_of(pri_weight_path *p, const struct fit *f, ptrdiff_t j, double *sum) {
  const void *priv;
  const pri_fidelity_class *c = pri_fidelity_class_of(p->f, &priv);
  if (!is_counting(p)) {
    *sum = pri_sum(p->ctx, pri_shape_size(&p->data->shape), residual_block, f);
    return PRI_OK;
  }
  PRI_TRY(c->value(p->ctx, priv, sum, f->z, j, 1));
  *sum *= 2;
  return PRI_OK;
}

/* R at unit weight: the scaled priors' own value, or what the solver reports of all */
static pri_status prior_value(pri_weight_path *p, double *sum) {
  *sum = 0;
  for (ptrdiff_t j = 0; j < p->data->items; j++) {
    double all = 0;
    for (int i = 0; i < p->o->n_scaled; i++) {
      const void *priv;
      const pri_prior_class *c = pri_prior_class_of(p->o->scaled[i], &priv);
      double v = NAN;
      if (!c->variational || !c->variational->value) {
        all = p->rep[j].prior;
        break;
      }
      PRI_TRY(c->variational->value(p->ctx, priv, &v, pri_array_item(&p->x, j), 1, pri_prior_scratch(p->o->scaled[i])));
      all += v;
    }
    *sum += all / (p->now * p->o->sd[j] * (double)p->data->items);
  }
  return PRI_OK;
}

static pri_status judge(pri_weight_path *p, pri_weight_point *at) {
  const ptrdiff_t k = p->data->items, m = pri_shape_size(&p->data->shape);
  PRI_TRY(pri_map_apply(p->p.A, &p->z, &p->x));
  p->out->applies += (double)(2 * k);
  *at = (pri_weight_point){.weight = p->now, .prior = NAN, .value = NAN};
  for (ptrdiff_t j = 0; j < k; j++) {
    const struct fit f = {pri_array_item(&p->y, j), pri_array_item(&p->y, k + j), pri_array_item(&p->z, j),
                          pri_array_item(&p->z, k + j), pri_array_item(&p->root, j)};
    const double moved = pri_sum(p->ctx, m, moved_block, &f);
    double misfit = NAN;
    PRI_TRY(misfit_of(p, &f, j, &misfit));
    at->misfit += misfit / (p->o->sd[j] * p->o->sd[j]) / (double)p->seen;
    at->followed += moved > 0 ? pri_sum(p->ctx, m, freedom_block, &f) / moved / (double)k : 0;
  }
  if (p->rule->wants_prior) PRI_TRY(prior_value(p, &at->prior));
  if (isfinite(at->misfit) && isfinite(at->followed)) return PRI_OK;
  return PRI_FAIL(p->ctx, PRI_ENUMERIC, "weight=auto:%s: the solve at weight %g is not finite; give a weight", p->rule->name,
                  p->now);
}

pri_status pri_weight_path_test(pri_weight_path *p, double w) {
  if (p->n == PRI_WEIGHT_TESTS)
    return PRI_FAIL(p->ctx, PRI_ENUMERIC, "weight=auto:%s: no end was found; give a weight", p->rule->name);
  PRI_TRY(pri_weight_path_set(p, w));
  PRI_TRY(solve(p));
  PRI_TRY(judge(p, &p->at[p->n]));
  p->n++;
  p->rule->score(p);
  const pri_weight_point *at = &p->at[p->n - 1];
  pri_log(p->ctx, PRI_LOG_DEBUG, "weight %.4g: misfit %.4f, followed %.4f, %s %.5g", w, at->misfit, at->followed,
          p->rule->figure, at->value);
  if (p->o->progress) p->o->progress(p->o->arg, p->n);
  return PRI_OK;
}
