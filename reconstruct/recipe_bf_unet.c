/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * recipe_bf_unet.c - the bias-free UNet denoiser of Mohan 2020 (repository bias_free_denoising, UNet), with the names of its published weights. Blind: scaling the
 * input scales the output. Layers: 5x5 and 3x3 at full size, five at half size of which two are dilated, transposed back, joined, 3x3 and 5x5.
 */
#include <stddef.h>
#include "priori/network.h"

struct bf_unet { long width; int activation; };
static const char *const activations[] = {"relu", "silu", NULL};

static pri_status graph(pri_ctx *ctx, const void *priv, pri_graph_text *t) {
  static const struct { const char *kind, *keys, *from; int wide; } rows[] = {
      {"conv", "kernel=5", "", 1}, {"conv", "kernel=3", "", 1}, {"conv", "kernel=3,stride=2", "", 2}, {"conv", "kernel=3", "", 2}, {"conv", "kernel=3,dilation=2", "", 2},
      {"conv", "kernel=3,dilation=4", "", 2}, {"deconv", "kernel=4,stride=2,pad=1", "", 2}, {"conv", "kernel=3", "join", 1}};
  const struct bf_unet *p = priv;
  const int last = sizeof rows / sizeof *rows;
  (void)ctx;
  pri_graph_line(t, "x input:channels=1");
  for (int i = 0; i < last; i++) {
    pri_graph_line(t, "conv%d %s:out=%ld,%s,bias=off %s", i + 1, rows[i].kind, rows[i].wide * p->width, rows[i].keys, rows[i].from);
    pri_graph_line(t, "act%d %s", i + 1, activations[p->activation]);
    if (i == 6) pri_graph_line(t, "join concat act7 act2");
  }
  pri_graph_line(t, "conv9 conv:out=1,kernel=5,bias=off");
  return PRI_OK;
}

static const pri_param params[] = {
    {.name = "width", .unit = "1", .help = "channels at full size; twice as many at half size", .type = PRI_INT, .offset = offsetof(struct bf_unet, width), .min = 1, .max = 1024, .def = 32},
    {.name = "activation", .unit = "1", .help = "between convolutions", .type = PRI_CHOICE, .offset = offsetof(struct bf_unet, activation), .choices = activations},
    {0}};
static const char *const examples[] = {"width=2,activation=silu", "width=3", NULL};
const pri_recipe_class pri_recipe_bf_unet = {.kind = {"bf-unet", "bias-free UNet denoiser, blind", "Mohan 2020", sizeof(struct bf_unet), params, examples}, .graph = graph};
