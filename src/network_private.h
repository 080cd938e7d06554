/* SPDX-License-Identifier: GPL-3.0-or-later */
/* network_private.h - what network.c and network_file.c share. */
#ifndef PRI_NETWORK_PRIVATE_H
#define PRI_NETWORK_PRIVATE_H
#include "net.h"
struct pri_network {
  pri_ctx *ctx;
  const pri_recipe_class *cls;        /* NULL: the graph came from a file */
  void *priv;
  pri_graph graph;                    /* n = 0: the recipe computes itself */
  pri_real *weights;
  size_t n;                           /* trained; statistics lie behind */
  char **card;                        /* key, value, key, value, ... */
  int cards;
};
pri_status pri_network_from_recipe(pri_network *net, const char *recipe);   /* class and graph, no weights */
pri_status pri_network_allocate(pri_network *net);
#endif
