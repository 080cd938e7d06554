/* SPDX-License-Identifier: GPL-3.0-or-later */
/* info_network.c - what a network file is: its card, numbers of layers and weights, memory of a pass. For priori info. */
#include <string.h>
#include "info_network.h"
#include "json.h"
#include "priori/network.h"

/* bytes of the plan at one shape; null where the network takes no such image */
static json_t *memory(const pri_network *net, ptrdiff_t channels, ptrdiff_t side, int training) {
  const pri_shape in = channels == 1 ? pri_shape_2d(side, side) : (pri_shape){3, {channels, side, side}};
  pri_plan *plan;
  if (pri_plan_create(net, &plan, &in, training) != PRI_OK) return json_null();
  json_t *v = json_integer((json_int_t)pri_plan_bytes(plan));
  pri_plan_destroy(&plan);
  return v;
}

static json_t *card_of(const pri_tensors *t) {
  json_t *card = json_object();
  const char *key;
  for (int i = 0; (key = pri_tensors_card_at(t, i)) != NULL; i++)
    if (strcmp(key, "provenance")) json_object_set_new(card, key, pri_json_text(pri_tensors_card(t, key)));
  return card;
}

static int count_lines(const char *text) {
  int n = 0, begun = 0;
  for (; *text; text++) {
    if (*text == '\n') begun = 0;
    else if (!begun) n++, begun = 1;
  }
  return n;
}

pri_status pri_info_network(pri_ctx *ctx, const char *name, const pri_tensors *t, json_t **out) {
  pri_network *net;
  PRI_TRY(pri_network_load(ctx, &net, name, NULL));
  json_t *card = card_of(t);
  const ptrdiff_t channels = pri_network_channels(net);
  json_object_set_new(card, "layers", json_integer(count_lines(pri_network_graph(net))));
  json_object_set_new(card, "weights", json_integer((json_int_t)pri_network_weights(net, NULL)));
  json_object_set_new(card, "takes_noise_level", json_boolean(pri_network_needs_noise(net)));
  json_object_set_new(card, "channels", json_integer((json_int_t)channels));
  json_object_set_new(card, "memory", json_pack("{so so}", "image 256 x 256", memory(net, channels, 256, 0), "training 64 x 64", memory(net, channels, 64, 1)));
  pri_network_destroy(&net);
  *out = json_pack("{so ss ss s[] ss s{} so so}", "file", pri_json_text(name), "format", "network", "dtype", sizeof(pri_real) == 4 ? "f32" : "f64", "shape", "axes", "", "pixel", "metadata", card, "provenance",
                   pri_json_parse(pri_tensors_card(t, "provenance")));
  return PRI_OK;
}
