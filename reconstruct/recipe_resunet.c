/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * recipe_resunet.c - the residual UNet of Evangelista 2023: `scales` halvings, two convolutions with batch norm a scale, channels doubling; up: transposed convolution of stride 1 to half
 * the channels, nearest neighbour, joined with the skip, two convolutions. Head 1x1, tanh, and the input is added. 34.5 M weights at width=64, scales=4 (spec rising_ct 1.4).
 */
#include <stddef.h>
#include "priori/network.h"

struct resunet { long width, scales; int rectify, activation, pool; };
static const char *const activations[] = {"relu", "silu", NULL}, *const pools[] = {"max", "average", NULL};

/* two of conv, batch norm, activation; names begin with `name` */
static void block(const struct resunet *p, pri_graph_text *t, const char *name, long scale, long out) {
  for (int i = 1; i <= 2; i++) {
    pri_graph_line(t, "%s%ld.conv%d conv:out=%ld", name, scale, i, out);
    pri_graph_line(t, "%s%ld.bn%d batchnorm", name, scale, i);
    pri_graph_line(t, "%s%ld.act%d %s", name, scale, i, activations[p->activation]);
  }
}

static pri_status graph(pri_ctx *ctx, const void *priv, pri_graph_text *t) {
  const struct resunet *p = priv;
  (void)ctx;
  pri_graph_line(t, "x input:channels=1");
  for (long s = 0; s < p->scales; s++) {
    block(p, t, "down", s, p->width << s);
    pri_graph_line(t, "pool%ld %s", s, p->pool ? "avgpool" : "maxpool");
  }
  block(p, t, "body", p->scales, p->width << p->scales);
  for (long s = p->scales - 1; s >= 0; s--) {
    pri_graph_line(t, "up%ld.deconv deconv:out=%ld,kernel=3,stride=1,pad=1", s, p->width << s);
    pri_graph_line(t, "up%ld.larger upsample", s);
    pri_graph_line(t, "up%ld.join concat up%ld.larger down%ld.act2", s, s, s);
    block(p, t, "up", s, p->width << s);
  }
  pri_graph_line(t, "head conv:out=1,kernel=1");
  pri_graph_line(t, "change tanh");
  pri_graph_line(t, "out add change x");
  if (p->rectify) pri_graph_line(t, "positive relu");
  return PRI_OK;
}

static const pri_param params[] = {
    {.name = "width", .unit = "1", .help = "channels at full size; twice as many at each smaller one", .type = PRI_INT, .offset = offsetof(struct resunet, width), .min = 1, .max = 1024, .def = 64},
    {.name = "scales", .unit = "1", .help = "halvings", .type = PRI_INT, .offset = offsetof(struct resunet, scales), .min = 1, .max = 6, .def = 4},
    {.name = "rectify", .unit = "1", .help = "nothing below 0 comes out", .type = PRI_BOOL, .offset = offsetof(struct resunet, rectify), .max = 1},
    {.name = "activation", .unit = "1", .help = "behind batch norms", .type = PRI_CHOICE, .offset = offsetof(struct resunet, activation), .choices = activations},
    {.name = "pool", .unit = "1", .help = "how it halves", .type = PRI_CHOICE, .offset = offsetof(struct resunet, pool), .choices = pools},
    {0}};
static const char *const examples[] = {"width=2,scales=1,activation=silu,pool=average", "width=1,scales=2,rectify=on", NULL};
const pri_recipe_class pri_recipe_resunet = {.kind = {"resunet", "residual UNet", "Evangelista 2023; Ronneberger 2015", sizeof(struct resunet), params, examples}, .graph = graph};
