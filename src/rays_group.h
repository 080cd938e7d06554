/* SPDX-License-Identifier: GPL-3.0-or-later */
/* rays_group.h (k) - up to 16 slices at once through the stack kernels of a plan; of src/rays_plan.c only. */
#ifndef PRI_RAYS_GROUP_H
#define PRI_RAYS_GROUP_H
#include "rays_plan.h"
size_t pri_ray_group_scratch(const pri_ray_plan *p); /* bytes; 0: the image is too large for stacks */
pri_status pri_ray_group_forward(pri_ctx *ctx, const pri_ray_plan *p, pri_real *y, const pri_real *x, ptrdiff_t slices, void *scratch);
pri_status pri_ray_group_back(pri_ctx *ctx, const pri_ray_plan *p, pri_real *x, const pri_real *y, ptrdiff_t slices, void *scratch);
#endif
