/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * recipe_rising_unet.c - the UNet of the committed RISING code (spec rising_ct 1.4):
 *   ConvBlock(b)  conv 3x3 to b, batch norm, relu, twice          ResBlock(b)  conv 3x3 to b of [x, ConvBlock(b)(x)]
 *   stem ConvBlock(w); down ResBlock(2 w, 4 w, 8 w), kept, max pool; body ResBlock(8 w); up: transposed 2x2 of stride 2, joined, ResBlock(4 w, 2 w, w); head 1x1 and relu.
 * No input is added. 27.9 M weights at width=64. form=deep: that of Deep Guess: ResBlock(w .. 16 w), up by nearest neighbour and conv 3x3, and a linear head: 62.8 M.
 */
#include <stddef.h>
#include <stdio.h>
#include "priori/network.h"

struct unet { long width, scales; int form, activation, pool, head; };
static const char *const activations[] = {"relu", "silu", NULL}, *const pools[] = {"max", "average", NULL}, *const forms[] = {"rising", "deep", NULL},
                  *const heads[] = {"relu", "none", "sigmoid", NULL};

static void conv_block(const struct unet *p, pri_graph_text *t, const char *name, long s, long out, const char *from) {
  for (int i = 1; i <= 2; i++) {
    pri_graph_line(t, "%s%ld.conv%d conv:out=%ld %s", name, s, i, out, i == 1 ? from : "");
    pri_graph_line(t, "%s%ld.bn%d batchnorm", name, s, i);
    pri_graph_line(t, "%s%ld.act%d %s", name, s, i, activations[p->activation]);
  }
}

/* of the line `from`, or `from` and the number `of` */
static void res_block(const struct unet *p, pri_graph_text *t, const char *name, long s, long out, const char *from, long of) {
  char line[32];
  if (of < 0) snprintf(line, sizeof line, "%s", from);
  else snprintf(line, sizeof line, "%s%ld", from, of);
  conv_block(p, t, name, s, out, line);
  pri_graph_line(t, "%s%ld.both concat %s %s%ld.act2", name, s, line, name, s);
  pri_graph_line(t, "%s%ld conv:out=%ld", name, s, out);
}

static void up(const struct unet *p, pri_graph_text *t, long s, long out) {
  if (p->form) {
    pri_graph_line(t, "larger%ld upsample", s);
    pri_graph_line(t, "half%ld.conv conv:out=%ld", s, out);
    pri_graph_line(t, "half%ld.bn batchnorm", s);
    pri_graph_line(t, "wide%ld %s", s, activations[p->activation]);
  } else {
    pri_graph_line(t, "wide%ld deconv:out=%ld,kernel=2", s, out);
  }
  pri_graph_line(t, "join%ld concat wide%ld down%ld", s, s, s);
}

static pri_status graph(pri_ctx *ctx, const void *priv, pri_graph_text *t) {
  const struct unet *p = priv;
  const long n = p->form ? p->scales + 1 : p->scales, first = p->form ? p->width : 2 * p->width;
  (void)ctx;
  pri_graph_line(t, "x input:channels=1");
  if (!p->form) conv_block(p, t, "stem", 0, p->width, "");
  for (long s = 0; s < n; s++) {
    if (s == 0) res_block(p, t, "down", 0, first, p->form ? "x" : "stem0.act2", -1);
    else res_block(p, t, "down", s, first << s, "pool", s - 1);
    pri_graph_line(t, "pool%ld %s", s, p->pool ? "avgpool" : "maxpool");
  }
  res_block(p, t, "body", n, p->form ? p->width << n : first << (n - 1), "pool", n - 1);
  for (long s = n - 1; s >= 0; s--) {
    up(p, t, s, first << s);
    res_block(p, t, "up", s, p->form ? first << s : p->width << s, "join", s);
  }
  pri_graph_line(t, "head conv:out=1,kernel=1");
  if (p->head != 1) pri_graph_line(t, "out %s", heads[p->head]);
  return PRI_OK;
}

static const pri_param params[] = {
    {.name = "width", .unit = "1", .help = "channels of the stem", .type = PRI_INT, .offset = offsetof(struct unet, width), .min = 1, .max = 512, .def = 64},
    {.name = "scales", .unit = "1", .help = "halvings; form=deep has one more", .type = PRI_INT, .offset = offsetof(struct unet, scales), .min = 1, .max = 6, .def = 3},
    {.name = "form", .unit = "1", .help = "rising, or deep as in Deep Guess", .type = PRI_CHOICE, .offset = offsetof(struct unet, form), .choices = forms},
    {.name = "activation", .unit = "1", .help = "behind batch norms", .type = PRI_CHOICE, .offset = offsetof(struct unet, activation), .choices = activations},
    {.name = "pool", .unit = "1", .help = "how it halves", .type = PRI_CHOICE, .offset = offsetof(struct unet, pool), .choices = pools},
    {.name = "head", .unit = "1", .help = "what comes last", .type = PRI_CHOICE, .offset = offsetof(struct unet, head), .choices = heads},
    {0}};
static const char *const examples[] = {"width=1,scales=1,activation=silu,pool=average,head=none", "width=1,scales=1,form=deep,activation=silu,pool=average,head=sigmoid", "width=1,scales=2", NULL};
const pri_recipe_class pri_recipe_rising_unet = {.kind = {"rising-unet", "UNet of residual blocks by concatenation", "Morotti 2023 (RISING)", sizeof(struct unet), params, examples}, .graph = graph};
