/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * recipe_ssnet.c - the shallow network of Evangelista 2023 ("Ambiguity"): three hidden layers, conv 9x9, 5x5, 3x3 of `width` channels, each with batch norm and relu, then 1x1.
 * skip: x + tanh(.) comes out. 568,705 weights at width=128.
 */
#include <stddef.h>
#include "priori/network.h"

struct ssnet { long width; int skip, rectify, activation; };
static const char *const activations[] = {"relu", "silu", NULL};

static pri_status graph(pri_ctx *ctx, const void *priv, pri_graph_text *t) {
  static const int kernels[] = {9, 5, 3};
  const struct ssnet *p = priv;
  (void)ctx;
  pri_graph_line(t, "x input:channels=1");
  for (int i = 0; i < 3; i++) {
    pri_graph_line(t, "conv%d conv:out=%ld,kernel=%d", i + 1, p->width, kernels[i]);
    pri_graph_line(t, "bn%d batchnorm", i + 1);
    pri_graph_line(t, "act%d %s", i + 1, activations[p->activation]);
  }
  pri_graph_line(t, "head conv:out=1,kernel=1");
  if (p->skip) pri_graph_line(t, "change tanh");
  if (p->skip) pri_graph_line(t, "out add change x");
  if (p->rectify) pri_graph_line(t, "positive relu");
  return PRI_OK;
}

static const pri_param params[] = {
    {.name = "width", .unit = "1", .help = "channels of a hidden layer", .type = PRI_INT, .offset = offsetof(struct ssnet, width), .min = 1, .max = 4096, .def = 128},
    {.name = "skip", .unit = "1", .help = "x + tanh(.) comes out", .type = PRI_BOOL, .offset = offsetof(struct ssnet, skip), .max = 1},
    {.name = "rectify", .unit = "1", .help = "nothing below 0 comes out", .type = PRI_BOOL, .offset = offsetof(struct ssnet, rectify), .max = 1},
    {.name = "activation", .unit = "1", .help = "of hidden layers", .type = PRI_CHOICE, .offset = offsetof(struct ssnet, activation), .choices = activations},
    {0}};
static const char *const examples[] = {"width=3,skip=on,activation=silu", "width=2", "width=2,rectify=on,activation=silu", NULL};
const pri_recipe_class pri_recipe_ssnet = {.kind = {"ssnet", "shallow network of three hidden layers", "Evangelista 2023", sizeof(struct ssnet), params, examples}, .graph = graph};
