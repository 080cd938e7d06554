/* SPDX-License-Identifier: GPL-3.0-or-later */
/* info_network.h - a network file as the object that priori info prints. */
#ifndef PRI_INFO_NETWORK_H
#define PRI_INFO_NETWORK_H
#include <jansson.h>
#include "safetensors.h"
/* t: the file's tensors and card, which has a graph. Errors of pri_network_load; *out then unchanged */
PRI_MUST_CHECK pri_status pri_info_network(pri_ctx *ctx, const char *name, const pri_tensors *t, json_t **out);
#endif
