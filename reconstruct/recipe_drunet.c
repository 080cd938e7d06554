/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * recipe_drunet.c - a denoiser like DRUNet (Zhang 2021), small enough for a CPU (spec reddiff_flair 7.1): head 3x3 of [image, noise map], a scale has `blocks` of x + conv(relu(conv(x))),
 * 2x2 convolution of stride 2 down, its transpose up, skips are added, tail 3x3. No bias: with the map it is the only thing that is not homogeneous. blind=on leaves the map out.
 * S0 is width=16 (1.06 M weights), S1 width=24 (2.39 M), DRUNet width=64,blocks=4 (32.6 M).
 */
#include <stddef.h>
#include <stdio.h>
#include "priori/network.h"

struct drunet { long width, scales, blocks; int blind, activation; };
static const char *const activations[] = {"relu", "silu", NULL};

/* of the line `from`, or `from` and the number `at` */
static void residuals(const struct drunet *p, pri_graph_text *t, const char *name, long s, const char *from, long at) {
  for (long b = 0; b < p->blocks; b++) {
    char line[40];
    if (at < 0) snprintf(line, sizeof line, "%s", from);
    else snprintf(line, sizeof line, "%s%ld", from, at);
    pri_graph_line(t, "%s%ld.%ld.conv1 conv:out=%ld,bias=off", name, s, b, p->width << s);
    pri_graph_line(t, "%s%ld.%ld.act %s", name, s, b, activations[p->activation]);
    pri_graph_line(t, "%s%ld.%ld.conv2 conv:out=%ld,bias=off", name, s, b, p->width << s);
    if (b == 0) pri_graph_line(t, "%s%ld.%ld add %s%ld.%ld.conv2 %s", name, s, b, name, s, b, line);
    else pri_graph_line(t, "%s%ld.%ld add %s%ld.%ld.conv2 %s%ld.%ld", name, s, b, name, s, b, name, s, b - 1);
  }
}

static pri_status graph(pri_ctx *ctx, const void *priv, pri_graph_text *t) {
  const struct drunet *p = priv;
  const long n = p->scales, b = p->blocks - 1;
  (void)ctx;
  pri_graph_line(t, "x input:channels=1");
  if (!p->blind) pri_graph_line(t, "level noise");
  if (!p->blind) pri_graph_line(t, "both concat x level");
  pri_graph_line(t, "head conv:out=%ld,bias=off", p->width);
  for (long s = 0; s < n; s++) {
    residuals(p, t, "down", s, s ? "half" : "head", s ? s : -1);
    pri_graph_line(t, "half%ld conv:out=%ld,kernel=2,stride=2,pad=0,bias=off", s + 1, p->width << (s + 1));
  }
  residuals(p, t, "body", n, "half", n);
  pri_graph_line(t, "sum%ld add body%ld.%ld half%ld", n, n, b, n);
  for (long s = n - 1; s >= 0; s--) {
    pri_graph_line(t, "twice%ld deconv:out=%ld,kernel=2,bias=off", s, p->width << s);
    residuals(p, t, "up", s, "twice", s);
    if (s) pri_graph_line(t, "sum%ld add up%ld.%ld half%ld", s, s, b, s);
    else pri_graph_line(t, "sum0 add up0.%ld head", b);
  }
  pri_graph_line(t, "tail conv:out=1,bias=off");
  return PRI_OK;
}

static const pri_param params[] = {
    {.name = "width", .unit = "1", .help = "channels at full size; twice as many at each smaller one", .type = PRI_INT, .offset = offsetof(struct drunet, width), .min = 1, .max = 1024, .def = 16},
    {.name = "scales", .unit = "1", .help = "halvings", .type = PRI_INT, .offset = offsetof(struct drunet, scales), .min = 1, .max = 6, .def = 3},
    {.name = "blocks", .unit = "1", .help = "residual blocks a scale", .type = PRI_INT, .offset = offsetof(struct drunet, blocks), .min = 1, .max = 16, .def = 2},
    {.name = "blind", .unit = "1", .help = "no map of the noise level", .type = PRI_BOOL, .offset = offsetof(struct drunet, blind), .max = 1},
    {.name = "activation", .unit = "1", .help = "inside of a block", .type = PRI_CHOICE, .offset = offsetof(struct drunet, activation), .choices = activations},
    {0}};
static const char *const examples[] = {"width=2,scales=2,blocks=1,activation=silu", "width=1,scales=3,blocks=2,blind=on,activation=silu", "width=2,scales=1", NULL};
const pri_recipe_class pri_recipe_drunet = {.kind = {"drunet", "residual UNet denoiser with a map of the noise level", "Zhang 2021", sizeof(struct drunet), params, examples}, .graph = graph};
