/* SPDX-License-Identifier: GPL-3.0-or-later */
/* counts_check.h - photon counts are finite and >= 0. */
#ifndef PRI_COUNTS_CHECK_H
#define PRI_COUNTS_CHECK_H
#include "priori/array.h"
/* EDATA with count and first place where y (with weight > 0, or weight NULL) is negative or not finite; who begins the message. */
PRI_MUST_CHECK pri_status pri_counts_check(pri_ctx *ctx, const char *who, const pri_array *y, const pri_array *weight);
#endif
