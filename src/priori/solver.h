/* SPDX-License-Identifier: GPL-3.0-or-later */
/* priori/solver.h - min_x f(A x; y) + sum_i R_i(x) over lo <= x <= hi, or a sampler of it; the caller owns the loop. */
#ifndef PRIORI_SOLVER_H
#define PRIORI_SOLVER_H
#include "priori/fidelity.h"
#include "priori/map.h"
#include "priori/prior.h"
#include "priori/state.h"
#ifdef __cplusplus
extern "C" {
#endif
typedef struct pri_problem {        /* everything borrowed until the solver is destroyed */
  const pri_map *A;
  const pri_fidelity *f;
  const pri_prior *const *R;
  int nR;
  double noise;                     /* sd in the unit of y; NAN: unknown */
  double gap_goal;                  /* relative gap that will be asked for; 0: not known. Certificates save work far from it */
  const double *lo, *hi;            /* [items] box of each item, never NULL; -INFINITY, INFINITY: none. The owner may widen it between steps */
} pri_problem;                      /* y and the number of items are the fidelity's: pri_fidelity_data(f) */
enum { PRI_WANT_OBJECTIVE = 1u, PRI_WANT_GAP = 2u, PRI_WANT_RESIDUAL = 4u };   /* what costs extra is computed when asked for */
typedef struct pri_report {         /* of one item; NAN / UNKNOWN where not computed: a monitor never guesses */
  long k;
  double objective, data, prior, residual, change, step, seconds;
  pri_bound gap, error;             /* objective - minimum; |x_k - x*| */
  double floor;                     /* what the gap is relative to where the objective is nothing but rounding; 0: it is not */
  double applies, adjoints;         /* since the start; a subset counts as its share */
  double certifying;                /* applications and adjoints of the certificates, not among those */
  long denoises, proxes, inner;
  int finished;                     /* set by a direct method: no further step changes anything */
} pri_report;
typedef enum pri_verdict { PRI_GO, PRI_CONVERGED, PRI_STOPPED_EARLY, PRI_OUT_OF_STEPS, PRI_OUT_OF_TIME, PRI_DIVERGED, PRI_INTERRUPTED,
  PRI_DIRECT /* a direct method is done */ } pri_verdict;
PRI_API const char *pri_verdict_name(pri_verdict v);   /* "converged", "out-of-steps", ... */
typedef struct pri_duals {          /* what the certificate needs beside x */
  const pri_array *p;               /* NULL: the gradient of f at A x */
  const pri_array *q, *aux;         /* [nR] each; data NULL: 0, as good as none (a prior that was taken by its gradient) */
} pri_duals;
typedef struct pri_solver_class {
  pri_kind kind;
  /* REQUIRED */
  pri_status (*init)(pri_ctx *ctx, void *priv, const pri_problem *p, const pri_array *x0);
  pri_status (*step)(pri_ctx *ctx, void *priv, ptrdiff_t first, ptrdiff_t items, unsigned want, pri_report *per_item);
                                    /* these items only; want: what any of them wants. per_item arrives with k set and the counts as they stood; figures
                                       that are wanted and left NAN are filled in from iterate and duals. Never allocates, prints or reads a clock */
  const pri_array *(*iterate)(const void *priv);                                      /* borrowed until the next step */
  pri_status (*walk)(pri_ctx *ctx, void *priv, pri_walk *w);
  void (*fini)(pri_ctx *ctx, void *priv);
  /* OPTIONAL; none: every problem is taken; no certificate; PRI_ENOTSUP */
  const char *(*misfit)(const pri_problem *p);                                        /* why this problem cannot be taken; NULL: it can */
  pri_status (*duals)(const void *priv, pri_duals *d);                                /* borrowed until the next step */
  pri_status (*retarget)(pri_ctx *ctx, void *priv, double tol);                       /* inexact inner solves, warm start */
} pri_solver_class;
typedef struct pri_monitor_class {  /* stop rules and observers */
  pri_kind kind;
  pri_status (*init)(pri_ctx *ctx, void *priv, const pri_problem *p, ptrdiff_t items);
  unsigned (*wants)(const void *priv, ptrdiff_t item, long k);   /* PRI_WANT_... of that item in its step k. NULL: nothing */
  pri_status (*observe)(pri_ctx *ctx, void *priv, const pri_report *per_item, const pri_array *x, pri_verdict *v);   /* v[items]: turn a PRI_GO, touch no other */
  pri_status (*walk)(pri_ctx *ctx, void *priv, pri_walk *w);
  void (*fini)(pri_ctx *ctx, void *priv);
} pri_monitor_class;
typedef struct pri_solver pri_solver;
typedef struct pri_monitor pri_monitor;

/*
 * pri_solver_create - a method from its spec, "pdhg:relax=1.8", for one problem.
 *   p   copied; what it points to is borrowed until the solver is destroyed.
 *   x0  starting image of every item, borrowed for the call; NULL: zero (moved into the box).
 * Errors  PRI_EPARAM  unknown name or key, or the method cannot take the problem (the message says why); PRI_ESHAPE; PRI_ENOMEM, PRI_EBUDGET.
 */
PRI_API PRI_MUST_CHECK pri_status pri_solver_create(pri_ctx *ctx, pri_solver **out, const char *spec, const pri_problem *p, const pri_array *x0);
/*
 * pri_solver_step - one step of every item that moves: write your own loop with this.
 *   want      PRI_WANT_...: figures that the reports must hold.
 *   per_item  [items] out, or NULL.
 * An iterate that is not finite is thrown away: the item is frozen as PRI_DIVERGED at its last finite iterate. No allocation.
 */
PRI_API PRI_MUST_CHECK pri_status pri_solver_step(pri_solver *s, unsigned want, pri_report *per_item);
/*
 * pri_solver_run - steps until every item is frozen by a monitor, by divergence, by being done (direct methods), or by the cancel flag.
 *   m     stop rules and observers, asked in this order after every step. Without one that stops, an iterative method runs on.
 *   last, why  [items] out, or NULL.
 * Items that were out of steps or time, or interrupted, go on: run(a) then run(b) gives the bits of run(a + b).
 */
PRI_API PRI_MUST_CHECK pri_status pri_solver_run(pri_solver *s, pri_monitor *const *m, int nm, pri_report *last, pri_verdict *why);
PRI_API void pri_solver_freeze(pri_solver *s, ptrdiff_t item, pri_verdict why);       /* that item no longer changes; PRI_GO: it does again */
PRI_API const pri_array *pri_solver_iterate(const pri_solver *s);                     /* last finite one; borrowed until the next step */
PRI_API PRI_MUST_CHECK pri_status pri_solver_duals(const pri_solver *s, pri_duals *d);/* borrowed likewise; ENOTSUP where it has none */
PRI_API long pri_solver_items_active(const pri_solver *s);
PRI_API PRI_MUST_CHECK pri_status pri_solver_print(const pri_solver *s, char **spec); /* effective spec, by pri_calloc */
/* State of solver and monitors to and from a file, for a problem and specs that are the same: EFORMAT where they are not, or the file is
   damaged; EREAD, EWRITE. After load the run goes on with the bits of an undisturbed one. */
PRI_API PRI_MUST_CHECK pri_status pri_solver_save(pri_solver *s, pri_monitor *const *m, int nm, const char *path);
PRI_API PRI_MUST_CHECK pri_status pri_solver_load(pri_solver *s, pri_monitor *const *m, int nm, const char *path);
PRI_API void pri_solver_destroy(pri_solver **s);

/* A stop rule or observer from its spec, "gap:1e-4"; p is borrowed until it is destroyed. */
PRI_API PRI_MUST_CHECK pri_status pri_monitor_create(pri_ctx *ctx, pri_monitor **out, const char *spec, const pri_problem *p, ptrdiff_t items);
PRI_API PRI_MUST_CHECK pri_status pri_monitor_print(const pri_monitor *m, char **spec);
/* An observer of the caller's own, in no registry: class and private struct are borrowed, neither init nor fini is called. */
PRI_API PRI_MUST_CHECK pri_status pri_monitor_wrap(pri_ctx *ctx, pri_monitor **out, const pri_monitor_class *cls, void *priv);
PRI_API void pri_monitor_destroy(pri_monitor **m);

/*
 * pri_certificate - primal value and duality gap of every item, in double, with the repair for a box and an allowance for rounding.
 *   x       the iterate; d its duals (p may be NULL: the gradient of f at A x).
 *   primal, gap  [items] out. gap bounds objective - minimum from above where its trust is PROVEN; INFINITY, UNKNOWN: no finite dual value.
 * It allocates; solvers keep a workspace instead.
 * Errors  PRI_ENOTSUP  a prior without saddle face, or a map that is not linear.
 * Source  Fenchel duality; box and polish as derived in src/certificate.c.
 */
PRI_API PRI_MUST_CHECK pri_status pri_certificate(pri_ctx *ctx, const pri_problem *p, const pri_array *x, const pri_duals *d, double *primal, pri_bound *gap);
/*
 * pri_report_relative_gap - gap / max(|objective|, floor), which every rule and record means by "relative gap"; NAN, INFINITY where the gap is.
 * The certificate sets the floor where the minimum is 0 as far as pixels can say (a blank page); no share of that can be reached.
 */
PRI_API double pri_report_relative_gap(const pri_report *r);
#ifdef __cplusplus
}
#endif
#endif
