/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * filter_air.c - the beam changes from view to view: bins at the edge of the detector that see nothing but air must have line integrals
 * of 0. From each view the mean (fit=constant) or the least-squares line (fit=linear) of its edge bins is taken off (spec rising_ct 7).
 * The least-squares functionals are the same for all views: LAPACK makes them once, by solving for unit vectors.
 */
#include <math.h>
#include <stddef.h>

#include "linalg.h"
#include "par.h"
#include "priori/filter.h"

enum { CONSTANT, LINEAR };
enum { BOTH, LOW, HIGH };
struct air {
  long edge;
  int fit, side;
  ptrdiff_t views, bins, m, n;    /* bins used, unknowns */
  double *solve;                  /* [n][m]: unknowns from the edge bins */
};
struct run { const struct air *p; pri_real *out; const pri_real *in; };

static ptrdiff_t bin_of(const struct air *p, ptrdiff_t i) {
  if (p->side == LOW) return i;
  if (p->side == HIGH) return p->bins - p->edge + i;
  return i < p->edge ? i : p->bins - 2 * p->edge + i;
}

static double place(const struct air *p, ptrdiff_t bin) { return 2 * (double)bin / (double)(p->bins - 1) - 1; } /* -1 to 1 */

static pri_status functionals(pri_ctx *ctx, struct air *p, double *A, double *b) {
  double x[2];
  for (ptrdiff_t i = 0; i < p->m; i++) {
    A[i * p->n] = 1;
    if (p->n == 2) A[i * 2 + 1] = place(p, bin_of(p, i));
  }
  for (ptrdiff_t i = 0; i < p->m; i++) {
    for (ptrdiff_t k = 0; k < p->m; k++) b[k] = k == i;
    PRI_TRY(pri_linalg_lstsq(ctx, x, A, b, p->m, p->n, NULL));
    for (ptrdiff_t k = 0; k < p->n; k++) p->solve[k * p->m + i] = x[k];
  }
  return PRI_OK;
}

static pri_status init(pri_ctx *ctx, void *priv, const pri_meta *meta, const pri_shape *in, pri_shape *out) {
  struct air *p = priv;
  double *work;
  (void)meta;
  if (in->nd != 2) return PRI_FAIL(ctx, PRI_ESHAPE, "air: data have %d axes instead of view and bin", in->nd);
  p->views = in->n[0], p->bins = in->n[1];
  *out = *in;
  if (2 * p->edge > p->bins) return PRI_FAIL(ctx, PRI_EPARAM, "air: edge=%ld is outside [1, %td] bins, half of the detector", p->edge, p->bins / 2);
  p->m = p->side == BOTH ? 2 * p->edge : p->edge, p->n = p->fit == LINEAR && p->m > 1 ? 2 : 1;
  PRI_ALLOC(ctx, p->solve, p->n * p->m);
  PRI_ALLOC(ctx, work, p->m * p->n + p->m);
  const pri_status s = functionals(ctx, p, work, work + p->m * p->n);
  pri_free(ctx, work);
  return s;
}

static pri_status views(void *arg, int worker, ptrdiff_t first, ptrdiff_t last) {
  const struct run *r = arg;
  const struct air *p = r->p;
  (void)worker;
  for (ptrdiff_t v = first; v < last; v++) {
    const pri_real *in = r->in + v * p->bins;
    double c[2] = {0, 0};
    for (ptrdiff_t k = 0; k < p->n; k++)
      for (ptrdiff_t i = 0; i < p->m; i++) c[k] += p->solve[k * p->m + i] * (double)in[bin_of(p, i)];
    for (ptrdiff_t j = 0; j < p->bins; j++) r->out[v * p->bins + j] = (pri_real)((double)in[j] - c[0] - c[1] * place(p, j));
  }
  return PRI_OK;
}

static pri_status run(pri_ctx *ctx, const void *priv, pri_real *out, const pri_real *in, const ptrdiff_t *slice, ptrdiff_t items, void *scratch) {
  const struct air *p = priv;
  struct run r = {.p = p, .out = out, .in = in};
  (void)slice, (void)scratch;
  return pri_par_for(ctx, items * p->views, 16, views, &r);
}

static void fini(pri_ctx *ctx, void *priv) { pri_free(ctx, ((struct air *)priv)->solve); }

static const char *const fits[] = {"constant", "linear", NULL}, *const sides[] = {"both", "low", "high", NULL};
static const pri_param params[] = {
    {.name = "edge", .unit = "bins", .help = "bins at the edge that see air",
     .type = PRI_INT, .offset = offsetof(struct air, edge), .min = 1, .max = 1000, .def = 8},
    {.name = "fit", .unit = "", .help = "what is taken off each view: the mean of these bins, or a line through them",
     .type = PRI_CHOICE, .offset = offsetof(struct air, fit), .choices = fits, .def = CONSTANT},
    {.name = "side", .unit = "", .help = "which edges see air",
     .type = PRI_CHOICE, .offset = offsetof(struct air, side), .choices = sides, .def = BOTH},
    {0}};
static const char *const examples[] = {"edge=3", "edge=2,fit=linear", "edge=1,side=low", NULL};
const pri_filter_class pri_filter_air = {.kind = {"air", "per-view air normalisation of line integrals", "", sizeof(struct air), params, examples}, .init = init, .run = run, .fini = fini};
