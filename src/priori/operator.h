/* SPDX-License-Identifier: GPL-3.0-or-later */
/* priori/operator.h - y = A x, linear; fixed after creation. A acts on one item; calls take any number of them, one behind the
   other, as LAPACK takes right-hand sides: one operator serves whole blocks, the last short one, and a norm found on one item. */
#ifndef PRIORI_OPERATOR_H
#define PRIORI_OPERATOR_H
#include "priori/array.h"
#include "priori/bound.h"
#include "priori/geometry.h"
#include "priori/kind.h"
#ifdef __cplusplus
extern "C" {
#endif
enum { PRI_OP_SELFADJOINT = 1u, PRI_OP_DIAGONAL = 2u, PRI_OP_PROJECTION = 4u, PRI_OP_NONNEGATIVE = 8u, PRI_OP_IDENTITY = 16u };
typedef struct pri_operator_class {
  pri_kind kind;                    /* first: a kind pointer is a class pointer */
  /* REQUIRED. init: dom or ran may arrive with nd == 0 (unknown): init fills it, PRI_ESHAPE on conflict */
  pri_status (*init)(pri_ctx *ctx, void *priv, const pri_meta *meta, pri_shape *dom, pri_shape *ran);
  pri_status (*apply)(pri_ctx *ctx, const void *priv, pri_real *y, const pri_real *x, ptrdiff_t items, void *scratch);
  pri_status (*adjoint)(pri_ctx *ctx, const void *priv, pri_real *x, const pri_real *y, ptrdiff_t items, void *scratch);
  /* OPTIONAL; the generic stand-in: nothing; 0; 0; A'(A x); power iteration (an ESTIMATE); conjugate gradients */
  void (*fini)(pri_ctx *ctx, void *priv);                 /* must accept a half-built priv */
  unsigned (*flags)(const void *priv);
  size_t (*scratch)(const void *priv);                    /* bytes one call needs, whatever the items */
  pri_status (*normal)(pri_ctx *ctx, const void *priv, pri_real *z, const pri_real *x, ptrdiff_t items, void *scratch);
                              /* normal and resolvent may return PRI_ENOTSUP (no message) where these keys have none: then the stand-in */
  pri_bound (*norm)(const void *priv);
  /* y = A x and x = A' y in double whatever pri_real is: what certificates are made of. Stand-in: through pri_real, and then no
     certificate is PROVEN. The double build never calls them. Items as above */
  pri_status (*apply_wide)(pri_ctx *ctx, const void *priv, double *y, const double *x, ptrdiff_t items, void *scratch);
  pri_status (*adjoint_wide)(pri_ctx *ctx, const void *priv, double *x, const double *y, ptrdiff_t items, void *scratch);
  pri_status (*resolvent)(pri_ctx *ctx, const void *priv, pri_real *x, const pri_real *b, double rho, ptrdiff_t items, void *scratch);
                                                          /* (A'A + rho I)^-1 b; rho = 0: pseudo-inverse for b in range(A'). ENOTSUP, without
                                                             a message and for any items: this instance has none, so the stand-in */
  /* OPTIONAL; none: PRI_ENOTSUP */
  pri_status (*part)(pri_ctx *ctx, const void *priv, void *sub, const pri_box *ran, pri_box *dom);
                      /* the rows `ran` of A as an operator on the box `dom` that they read: view subsets (ordered subsets, SPDHG),
                         blocks with halo (streaming, out of core), slabs (MPI). sub: a private struct of this class, parameters copied,
                         the rest zero; part stands in for init */
  const pri_geometry *(*geometry)(const void *priv);      /* borrowed, as long as the operator lives */
  void (*frame)(const void *priv, pri_box *box);          /* box arrives as the whole domain; the class narrows it to what answers to the
                                                             measured field (an unknown border makes the domain larger). None: the whole */
} pri_operator_class;
typedef struct pri_operator pri_operator;

/*
 * pri_operator_create - an operator from its spec, "ct:angles=60,size=256".
 *   out   NULL on failure. One reference; destroy gives it back.
 *   meta  what the input file says of its geometry, borrowed for the call; NULL: nothing.
 *   dom   shape of one image, ran of one measurement; NULL or nd == 0: the operator's keys decide.
 * Errors  PRI_EPARAM     unknown name or key (the nearest is named), value out of its range.
 *         PRI_ESHAPE     dom or ran contradicts the keys, or stays unknown.
 *         PRI_EGEOMETRY  keys and file contradict each other, or describe no possible scan.
 *         PRI_EREAD, PRI_EFORMAT  a file that a key names; PRI_ENOMEM, PRI_EBUDGET.
 */
PRI_API PRI_MUST_CHECK pri_status pri_operator_create(pri_ctx *ctx, pri_operator **out, const char *spec, const pri_meta *meta, const pri_shape *dom,
                                                      const pri_shape *ran);
/* ops[n-1] ... ops[0]: ops[0] is applied first. Takes a reference to each. ESHAPE where a range is not the next domain; 1 <= n <= 16. */
PRI_API PRI_MUST_CHECK pri_status pri_operator_chain(pri_ctx *ctx, pri_operator **out, pri_operator *const *ops, int n);
/* ops[0] + ... + ops[n-1], of one domain and one range. Takes a reference to each. ESHAPE where they differ; 1 <= n <= 16. */
PRI_API PRI_MUST_CHECK pri_status pri_operator_sum(pri_ctx *ctx, pri_operator **out, pri_operator *const *ops, int n);
/*
 * pri_operator_part - the rows `ran` of A, as an operator on the box of the image that they read.
 *   ran  in,  box of the range: views first, first + step, ... make an ordered subset.
 *   dom  out, box of the domain: the part's image is A's image taken there (pri_array_take).
 * For chains the last operator's rows are taken first, then those of the one before that these read.
 * A part keeps a reference to A and uses its scratch: one thread at a time among A and its parts.
 * Errors  PRI_ENOTSUP  the class has no parts; PRI_ESHAPE the box does not lie in the range.
 */
PRI_API PRI_MUST_CHECK pri_status pri_operator_part(const pri_operator *A, pri_operator **out, const pri_box *ran, pri_box *dom);
PRI_API pri_operator *pri_operator_ref(pri_operator *A);    /* one more reference, counted atomically; returns A */
PRI_API void pri_operator_destroy(pri_operator **A);        /* gives a reference back, sets *A to NULL; NULL is fine */

PRI_API pri_ctx *pri_operator_ctx(const pri_operator *A);           /* the one that made it */
PRI_API const pri_shape *pri_operator_domain(const pri_operator *A);
PRI_API const pri_shape *pri_operator_range(const pri_operator *A);
PRI_API unsigned pri_operator_flags(const pri_operator *A);         /* PRI_OP_...: claims that conf_operator tries to break */
PRI_API const pri_geometry *pri_operator_geometry(const pri_operator *A);     /* borrowed; NULL: it has none */
PRI_API PRI_MUST_CHECK pri_status pri_operator_print(const pri_operator *A, char **spec);   /* effective spec, by pri_calloc */
/* The box of the domain that answers to the measured field: what the pipeline writes. The whole where the class has none; of a chain: ops[0]'s;
   of a sum: that of all, or the whole. */
PRI_API void pri_operator_frame(const pri_operator *A, pri_box *box);
/* The class and its private struct, for calls that bring their own scratch (re-entrant). */
PRI_API const pri_operator_class *pri_operator_class_of(const pri_operator *A, const void **priv);

/*
 * pri_operator_apply, adjoint, normal - y = A x, x = A'y, z = A'A x, for every item of the arrays.
 *   y, x, z  same number of items; shapes of range and domain. Out and in may not overlap.
 * One thread of control at a time (A's own scratch). No allocation but the first time that normal has to make do with its stand-in.
 * Errors  PRI_ESHAPE  items or shapes do not agree: the output is untouched.
 * Source  definition; adjoint mismatch |<Ax,u> - <x,A'u>| / (|Ax||u|) <= 1e-6 (float), 1e-12 (double): tests/conf_operator.c.
 */
PRI_API PRI_MUST_CHECK pri_status pri_operator_apply(const pri_operator *A, pri_array *y, const pri_array *x);
PRI_API PRI_MUST_CHECK pri_status pri_operator_adjoint(const pri_operator *A, pri_array *x, const pri_array *y);
PRI_API PRI_MUST_CHECK pri_status pri_operator_normal(const pri_operator *A, pri_array *z, const pri_array *x);
/* x = (A'A + rho I)^-1 b, rho >= 0 in units of |A|^2. Stand-in: conjugate gradients to a relative residual of 1e-6 (float), 1e-13 (double), at
   most 200 steps; it allocates. */
PRI_API int pri_operator_has_resolvent(const pri_operator *A);      /* 1: exact, no stand-in */
PRI_API PRI_MUST_CHECK pri_status pri_operator_resolvent(const pri_operator *A, pri_array *x, const pri_array *b, double rho);
/* y = A x, x = A'y in double whatever pri_real is, dense items one behind the other. is_wide = 0: through pri_real, so only as exact as that. */
PRI_API int pri_operator_is_wide(const pri_operator *A);
PRI_API PRI_MUST_CHECK pri_status pri_operator_apply_wide(const pri_operator *A, double *y, const double *x, ptrdiff_t items);
PRI_API PRI_MUST_CHECK pri_status pri_operator_adjoint_wide(const pri_operator *A, double *x, const double *y, ptrdiff_t items);
/* Largest singular value. PROVEN or EXACT where the class knows it; else 60 steps of the power method, an ESTIMATE from below (solvers
   multiply it by 1.01), found on first use. UNKNOWN, NAN: out of memory. */
PRI_API pri_bound pri_operator_norm(const pri_operator *A);
/* Worst |<Ax,u> - <x,A'u>| / max(|Ax||u|, |x||A'u|) over `probes` probes: in turn both random, one pixel, one datum. ENUMERIC: values not finite. */
PRI_API PRI_MUST_CHECK pri_status pri_operator_mismatch(const pri_operator *A, uint64_t seed, int probes, double *worst);
#ifdef __cplusplus
}
#endif
#endif
