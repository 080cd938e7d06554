/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * recipe_ssnet_3l.c - 3L-SSNet of Morotti 2021 (green post-processing): conv 9x9 to 2 w channels, relu; 3x3 to w, relu; 5x5 to one. 85,889 weights at width w = 64. No
 * normalisation, no skip: synthesis, sparsifier, analysis.
 */
#include <stddef.h>
#include "priori/network.h"

struct ssnet { long width; int activation; };
static const char *const activations[] = {"relu", "silu", NULL};

static pri_status graph(pri_ctx *ctx, const void *priv, pri_graph_text *t) {
  const struct ssnet *p = priv;
  (void)ctx;
  pri_graph_line(t, "x input:channels=1");
  pri_graph_line(t, "synthesis conv:out=%ld,kernel=9", 2 * p->width);
  pri_graph_line(t, "act1 %s", activations[p->activation]);
  pri_graph_line(t, "sparsifier conv:out=%ld", p->width);
  pri_graph_line(t, "act2 %s", activations[p->activation]);
  pri_graph_line(t, "analysis conv:out=1,kernel=5");
  return PRI_OK;
}

static const pri_param params[] = {
    {.name = "width", .unit = "1", .help = "channels of the second layer; twice as many of the first", .type = PRI_INT, .offset = offsetof(struct ssnet, width), .min = 1, .max = 4096, .def = 64},
    {.name = "activation", .unit = "1", .help = "between convolutions", .type = PRI_CHOICE, .offset = offsetof(struct ssnet, activation), .choices = activations},
    {0}};
static const char *const examples[] = {"width=2,activation=silu", "width=3", NULL};
const pri_recipe_class pri_recipe_ssnet_3l = {.kind = {"ssnet-3l", "green post-processing: three layers", "Morotti 2021", sizeof(struct ssnet), params, examples}, .graph = graph};
