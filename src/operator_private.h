/* SPDX-License-Identifier: GPL-3.0-or-later */
/* operator_private.h - how algebra.c makes operators that no registry knows. */
#ifndef PRI_OPERATOR_PRIVATE_H
#define PRI_OPERATOR_PRIVATE_H
#include "priori/operator.h"
/* Takes priv (by pri_calloc, its init done) in any case: on failure it is finished and released. */
pri_status pri_operator_wrap(pri_ctx *ctx, pri_operator **out, const pri_operator_class *cls, void *priv, const pri_shape *dom, const pri_shape *ran);
#endif
