/* SPDX-License-Identifier: GPL-3.0-or-later */
/* priori/prior.h - R(x), its weight included. Four faces; a prior points to those it has. */
#ifndef PRIORI_PRIOR_H
#define PRIORI_PRIOR_H
#include "priori/array.h"
#include "priori/bound.h"
#include "priori/kind.h"
#include "priori/geometry.h"
#include "priori/schedule.h"
#ifdef __cplusplus
extern "C" {
#endif
typedef struct pri_prox_req {
  double tau, tol;  /* tol: on the relative duality gap; 0: max_inner steps whatever it is */
  long max_inner;
  long done;        /* > 0: p, q and w are what a call with the same z and tau made in so many steps: it goes on from there (or begins anew) */
} pri_prox_req;
typedef struct pri_prox_cert { pri_bound gap; long inner; } pri_prox_cert;

/* value, gradient, prox: FISTA, SGP, gradient descent, ADMM */
typedef struct pri_variational {
  pri_status (*value)(pri_ctx *ctx, const void *priv, double *per_item, const pri_real *x, ptrdiff_t items, void *scratch);
  pri_status (*grad)(pri_ctx *ctx, const void *priv, pri_real *g, const pri_real *x, ptrdiff_t items, void *scratch);          /* NULL: not smooth */
  pri_status (*prox)(pri_ctx *ctx, const void *priv, pri_real *p, const pri_real *z, const double *lo, const double *hi,
                     const pri_prox_req *req, pri_prox_cert *per_item, pri_real *q, pri_real *w, ptrdiff_t items, void *scratch);
                     /* NULL: none. lo, hi: [items], the box of each. q, w: those of the saddle face, in and out: warm start and certificate; NULL: start cold */
  int quadratic;                                /* grad is linear and grad(0) = 0: R(x) = <x, grad x> / 2. CGLS takes those */
  pri_bound (*lipschitz)(const void *priv);     /* of grad */
  pri_bound (*convexity)(const void *priv);     /* strong convexity modulus; 0 EXACT: convex; UNKNOWN: perhaps not convex */
} pri_variational;

/* R(x) = min_w max_q <K(x,w),q> - F*(q): PDHG, SPDHG and every certificate. w is auxiliary (TGV); most priors have none */
typedef struct pri_saddle {
  pri_status (*shapes)(const void *priv, pri_shape *aux, pri_shape *dual, pri_bound *norm_k);      /* aux->nd == 0: none */
  pri_status (*k)(pri_ctx *ctx, const void *priv, pri_real *q, const pri_real *x, const pri_real *w, ptrdiff_t items);
  pri_status (*kt)(pri_ctx *ctx, const void *priv, pri_real *x, pri_real *w, const pri_real *q, ptrdiff_t items);   /* adds to x and w */
  pri_status (*kt_wide)(pri_ctx *ctx, const void *priv, double *x, double *w, const pri_real *q, ptrdiff_t items);  /* the same in double, for
                                                                                       certificates; NULL: through pri_real */
  pri_status (*dual_prox)(pri_ctx *ctx, const void *priv, pri_real *q, double sigma, const pri_real *each, ptrdiff_t items);
  pri_status (*conjugate)(pri_ctx *ctx, const void *priv, double *per_item, const pri_real *q, ptrdiff_t items);         /* F*(q); INFINITY outside */
  pri_status (*value)(pri_ctx *ctx, const void *priv, double *per_item, const pri_real *kxw, ptrdiff_t items);      /* F(K(x,w)) >= R(x) */
  pri_status (*repair)(pri_ctx *ctx, const void *priv, pri_real *q, ptrdiff_t items);
                                                /* to a near q with F*(q) finite and no pull on w (K'q = 0 there, up to rounding); NULL: dual_prox at sigma = 0 */
  pri_status (*value_wide)(pri_ctx *ctx, const void *priv, double *per_item, const pri_real *x, const pri_real *w, ptrdiff_t items);
                                                /* F(K(x,w)) with K in double, for certificates; w NULL: 0. NULL: variational value, or through k */
  double (*aux_bound)(const void *priv, double span, double most);
                                                /* sum |w_j| of a minimiser of F(K(x,.)) is not above this, for any x of largest minus smallest pixel <= span
                                                   and R(x) <= most: what is left of a pull on w counts by it. NULL: no gap with w is proven */
} pri_saddle;

/* theta: a flat double vector; H = d2R/dx2, J = d(grad R)/dtheta; one work unit = one of the products */
typedef struct pri_learnable {
  size_t (*ntheta)(const void *priv);
  void (*get_theta)(const void *priv, double *theta);
  pri_status (*set_theta)(pri_ctx *ctx, void *priv, const double *theta);
  void (*stored)(const void *priv, double *theta); /* what a file holds of it, as many numbers; NULL: theta itself */
  pri_status (*constants)(const void *priv, pri_bound *mu, pri_bound *lip, pri_bound *lip_hess, pri_bound *lip_mixed, pri_bound *norm_mixed);
  size_t (*cache)(const void *priv);            /* elements an item of what the three products share at one x, e.g. phi''(C x) */
  pri_status (*prepare)(pri_ctx *ctx, const void *priv, const pri_real *x, pri_real *cache, ptrdiff_t items);
  pri_status (*hessvec)(pri_ctx *ctx, const void *priv, pri_real *hv, const pri_real *v, const pri_real *cache, ptrdiff_t items, void *scratch);
  pri_status (*mixed)(pri_ctx *ctx, const void *priv, pri_real *out, const double *dtheta, const pri_real *cache, ptrdiff_t items, void *scratch);
  pri_status (*mixed_t)(pri_ctx *ctx, const void *priv, double *out, const pri_real *v, const pri_real *cache, ptrdiff_t items, void *scratch);
                                                /* out: [items][ntheta] */
  pri_status (*near)(pri_ctx *ctx, const void *priv, const pri_real *x, double radius, pri_bound *lip_mixed, pri_bound *norm_mixed, void *scratch);
                                                /* of one image: |J(x)|, and the Lipschitz constant of J within that distance of x, where J grows with
                                                   x, so that constants can say INFINITY only. NULL: it says all there is */
} pri_learnable;

/* a denoiser or velocity network, a Gaussian, a mixture */
typedef struct pri_generative {
  pri_predicts (*predicts)(const void *priv);
  void (*range)(const void *priv, double *sigma_min, double *sigma_max, double *lo, double *hi);   /* where it was trained */
  pri_status (*predict)(pri_ctx *ctx, const void *priv, pri_real *out, const pri_real *xt, const pri_level *lev, ptrdiff_t items, void *scratch);
  pri_status (*vjp)(pri_ctx *ctx, const void *priv, pri_real *gx, const pri_real *xt, const pri_level *lev, const pri_real *g, ptrdiff_t items, void *scratch);
                                                /* NULL: none */
} pri_generative;

typedef struct pri_prior_class {
  pri_kind kind;
  pri_status (*init)(pri_ctx *ctx, void *priv, const pri_meta *meta, const pri_shape *dom);        /* meta: pixel pitches */
  void (*fini)(pri_ctx *ctx, void *priv);       /* must accept a half-built priv */
  const struct pri_prior_class *(*faces)(const void *priv); /* what pri_prior_class_of gives for this object: the same but for faces that its keys
                                                rule out (a potential that is not convex has no saddle form). NULL: all of them */
  size_t (*scratch)(const void *priv);          /* bytes one call needs, whatever the items */
  void (*halo)(const void *priv, ptrdiff_t h[PRI_MAXDIM]);    /* pixels it looks beyond a block; -1: everything; NULL: none */
  pri_status (*scale)(pri_ctx *ctx, void *priv, double factor); /* multiplies the weight: automatic weights, paths */
  pri_status (*constant_weight)(pri_ctx *ctx, const void *priv, const pri_real *g, double *per_item, ptrdiff_t items, void *scratch);
                                                /* smallest weight for which a constant image minimises <g, x> + R(x), to within 5 %, from above:
                                                   `weight=rel:V` is V times this; g sums to 0. NULL: rel is not offered */
  double (*weight)(const void *priv);           /* the weight now; NAN: one a pixel */
  const pri_variational *variational;
  const pri_saddle *saddle;
  const pri_learnable *learnable;
  const pri_generative *generative;
} pri_prior_class;
typedef struct pri_prior pri_prior;

/*
 * pri_prior_create - a prior from its spec, "tv:weight=0.02".
 *   meta  pixel pitches (mm, x first), borrowed for the call; NULL: the pitches are equal.
 *   dom   shape of one image.
 * Errors  PRI_EPARAM  unknown name or key (the nearest is named), value out of its range; PRI_ESHAPE  it takes no images of that shape, or a map
 *         of weights has another; PRI_EREAD, PRI_EFORMAT, PRI_EDATA  a file that a key names; PRI_ENOMEM, PRI_EBUDGET. *out NULL then.
 */
PRI_API PRI_MUST_CHECK pri_status pri_prior_create(pri_ctx *ctx, pri_prior **out, const char *spec, const pri_meta *meta, const pri_shape *dom);
/* The class, and its private struct in *priv (priv may be NULL); borrowed. Calls that bring their own scratch are re-entrant. */
PRI_API const pri_prior_class *pri_prior_class_of(const pri_prior *R, const void **priv);
PRI_API void *pri_prior_scratch(const pri_prior *R);     /* of the handle, class->scratch bytes; NULL: it needs none. One thread at a time */
PRI_API PRI_MUST_CHECK pri_status pri_prior_print(const pri_prior *R, char **spec);      /* effective spec, by pri_calloc; *spec NULL on failure */
/* Multiplies the weight by factor >= 0. Not while a solver works with R: its steps are made for the old one. EPARAM; ENOTSUP: it has no weight. */
PRI_API PRI_MUST_CHECK pri_status pri_prior_scale(pri_prior *R, double factor);
/* theta: [learnable->ntheta], copied; its meaning is the class's. Not while a solver works with R. ENOTSUP: nothing to learn. EPARAM */
PRI_API PRI_MUST_CHECK pri_status pri_prior_set_theta(pri_prior *R, const double *theta);
PRI_API void pri_prior_destroy(pri_prior **R);           /* NULL and pointer to NULL are fine; sets it to NULL */
/*
 * pri_prior_denoise - x0 = E[x | xt], xt = alpha x + sigma noise: the prediction of a generative prior, whatever it predicts.
 *   x0   out, xt in: same number of items, shape of the image; may not overlap.
 *   lev  alpha, sigma and, for velocities, their derivatives.
 * Errors  PRI_ENOTSUP  not generative; PRI_ESHAPE  shapes or items do not agree: x0 untouched.
 * Source  Tweedie's formula; conversions: src/schedule.c.
 */
PRI_API PRI_MUST_CHECK pri_status pri_prior_denoise(const pri_prior *R, pri_array *x0, const pri_array *xt, const pri_level *lev);
#ifdef __cplusplus
}
#endif
#endif
