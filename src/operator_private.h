/* SPDX-License-Identifier: GPL-3.0-or-later */
/* operator_private.h - how algebra.c makes operators that no registry knows. */
#ifndef PRI_OPERATOR_PRIVATE_H
#define PRI_OPERATOR_PRIVATE_H
#include "priori/operator.h"
/* Takes priv (by pri_calloc, its init done) in any case: on failure it is finished and released. */
pri_status pri_operator_wrap(pri_ctx *ctx, pri_operator **out, const pri_operator_class *cls, void *priv, const pri_shape *dom, const pri_shape *ran);
/* Calls of members that bring their own scratch, of pri_operator_scratch_bytes: re-entrant. Dense items one behind the other. */
size_t pri_operator_scratch_bytes(const pri_operator *A);
pri_status pri_operator_apply_with(pri_ctx *ctx, const pri_operator *A, pri_real *y, const pri_real *x, ptrdiff_t items, void *scratch);
pri_status pri_operator_adjoint_with(pri_ctx *ctx, const pri_operator *A, pri_real *x, const pri_real *y, ptrdiff_t items, void *scratch);
static inline size_t pri_operator_room(size_t bytes) { return (bytes + 63) / 64 * 64; } /* so that what follows begins at a 64-byte boundary */
#endif
