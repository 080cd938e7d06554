/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * network_file.c - networks as safetensors: tensors "LAYER.weight", "LAYER.bias", ... with the shapes that PyTorch gives them; the card is the file's metadata, of
 * which `graph` is the text of net.h. Files without a graph need a recipe. PyTorch's counters "num_batches_tracked" are passed over.
 */
#include <math.h>
#include <stdio.h>
#include <string.h>
#include "network_private.h"
#include "safetensors.h"

const char *pri_network_card(const pri_network *net, const char *key) {
  for (int i = 0; i < net->cards; i++)
    if (!strcmp(net->card[2 * i], key)) return net->card[2 * i + 1];
  return NULL;
}

pri_status pri_network_set_card(pri_network *net, const char *key, const char *value) {
  char *copy = pri_strdup(net->ctx, value), **more;
  if (!copy) return pri_ctx_code(net->ctx);
  for (int i = 0; i < net->cards; i++)
    if (!strcmp(net->card[2 * i], key)) {
      pri_free(net->ctx, net->card[2 * i + 1]);
      net->card[2 * i + 1] = copy;
      return PRI_OK;
    }
  more = pri_calloc(net->ctx, 2 * (size_t)net->cards + 2, sizeof *more);
  char *name = more ? pri_strdup(net->ctx, key) : NULL;
  if (!name) {
    pri_free(net->ctx, more);
    pri_free(net->ctx, copy);
    return pri_ctx_code(net->ctx);
  }
  if (net->cards) memcpy(more, net->card, 2 * (size_t)net->cards * sizeof *more);
  more[2 * net->cards] = name, more[2 * net->cards + 1] = copy;
  pri_free(net->ctx, net->card);
  net->card = more, net->cards++;
  return PRI_OK;
}

/* ---- reading */

static void full_name(char *to, size_t n, const pri_net_layer *l, int t) { snprintf(to, n, "%s.%s", l->name, l->tensor[t].name); }

static pri_status check_shape(pri_ctx *ctx, const char *path, const char *name, const pri_net_tensor *k, const pri_tensor *t) {
  pri_shape want = {.nd = k->nd}, have = {.nd = t->nd};
  char a[96], b[96];
  memcpy(want.n, k->n, sizeof k->n);
  memcpy(have.n, t->n, sizeof have.n);
  if (pri_shape_equal(&want, &have)) return PRI_OK;
  return PRI_FAIL(ctx, PRI_EFORMAT, "%s: tensor %s is %s, and the graph needs %s", path, name, t->nd ? pri_shape_text(&have, a, sizeof a) : "a number", pri_shape_text(&want, b, sizeof b));
}

static int is_counter(const char *name) {
  static const char end[] = "num_batches_tracked";
  const size_t n = strlen(name), m = sizeof end - 1;
  return n >= m && !strcmp(name + n - m, end);
}

/* Every tensor of the graph is there, and every tensor of the file is the graph's. */
static pri_status check_tensors(const pri_network *net, const char *path, const pri_tensors *file) {
  int used = 0;
  char name[96];
  for (int i = 0; i < net->graph.n; i++)
    for (int t = 0; t < net->graph.layer[i].tensors; t++, used++) {
      full_name(name, sizeof name, &net->graph.layer[i], t);
      const pri_tensor *v = pri_tensors_find(file, name);
      if (!v) return PRI_FAIL(net->ctx, PRI_EFORMAT, "%s: it lacks the tensor %s of the graph", path, name);
      PRI_TRY(check_shape(net->ctx, path, name, &net->graph.layer[i].tensor[t], v));
    }
  for (int k = 0; k < pri_tensors_count(file); k++) used += is_counter(pri_tensors_at(file, k)->name);
  if (used == pri_tensors_count(file)) return PRI_OK;
  return PRI_FAIL(net->ctx, PRI_EFORMAT, "%s: %d of its tensors are not the graph's", path, pri_tensors_count(file) - used);
}

static pri_status copy_tensors(pri_network *net, const char *path, const pri_tensors *file) {
  char name[96];
  for (int i = 0; i < net->graph.n; i++)
    for (int t = 0; t < net->graph.layer[i].tensors; t++) {
      full_name(name, sizeof name, &net->graph.layer[i], t);
      const pri_tensor *v = pri_tensors_find(file, name);
      for (ptrdiff_t j = 0; j < v->size; j++) {
        const pri_real w = (pri_real)v->data[j];
        if (!isfinite(w)) return PRI_FAIL(net->ctx, PRI_EFORMAT, "%s: element %td of tensor %s is no finite number", path, j, name);
        net->weights[net->graph.layer[i].at[t] + (size_t)j] = w;
      }
    }
  return PRI_OK;
}

/* The graph: the recipe's, or what the file says. A graph of a file that makes no sense is the file's fault. */
static pri_status take_graph(pri_network *net, const char *path, const pri_tensors *file, const char *recipe) {
  const char *text = pri_tensors_card(file, "graph");
  if (recipe) {
    PRI_TRY(pri_network_from_recipe(net, recipe));
    return net->graph.n ? PRI_OK : PRI_FAIL(net->ctx, PRI_EPARAM, "network: the recipe %s has no graph for a file", recipe);
  }
  if (!text) return PRI_FAIL(net->ctx, PRI_EFORMAT, "%s: it does not say which network its weights are of; name it by graph=NAME", path);
  const pri_status s = pri_graph_parse(net->ctx, &net->graph, text);
  if (s != PRI_EPARAM && s != PRI_ESHAPE) return s;
  char why[400];
  pri_graph_reason(net->ctx, why, sizeof why);
  return PRI_FAIL(net->ctx, PRI_EFORMAT, "%s: %s", path, why);
}

static pri_status load(pri_network *net, const char *path, const pri_tensors *file, const char *recipe) {
  const char *key;
  PRI_TRY(take_graph(net, path, file, recipe));
  PRI_TRY(check_tensors(net, path, file));
  PRI_TRY(pri_network_allocate(net));
  PRI_TRY(copy_tensors(net, path, file));
  for (int i = 0; (key = pri_tensors_card_at(file, i)) != NULL; i++)
    if (strcmp(key, "graph")) PRI_TRY(pri_network_set_card(net, key, pri_tensors_card(file, key)));
  return PRI_OK;
}

pri_status pri_network_load(pri_ctx *ctx, pri_network **out, const char *path, const char *recipe) {
  pri_tensors *file = NULL;
  *out = NULL;
  PRI_TRY(pri_tensors_load(ctx, &file, path));
  *out = pri_calloc(ctx, 1, sizeof **out);
  if (*out) (*out)->ctx = ctx;
  const pri_status s = *out ? load(*out, path, file, recipe) : pri_ctx_code(ctx);
  pri_tensors_destroy(ctx, &file);
  if (s != PRI_OK) pri_network_destroy(out);
  return s;
}

/* ---- writing */

static int count_tensors(const pri_graph *g) {
  int n = 0;
  for (int i = 0; i < g->n; i++) n += g->layer[i].tensors;
  return n;
}

static void list_tensors(const pri_network *net, pri_tensor *t, char *names, double *data) {
  for (int i = 0; i < net->graph.n; i++)
    for (int k = 0; k < net->graph.layer[i].tensors; k++, t++, names += 96) {
      const pri_net_tensor *of = &net->graph.layer[i].tensor[k];
      full_name(names, 96, &net->graph.layer[i], k);
      *t = (pri_tensor){.name = names, .nd = of->nd, .size = (ptrdiff_t)pri_net_tensor_size(of), .data = data + net->graph.layer[i].at[k], .single = sizeof(pri_real) == 4};
      memcpy(t->n, of->n, sizeof of->n);
    }
}

static pri_status save(const pri_network *net, const char *path, int overwrite, double *data, pri_tensor *t, char *names, const char **card) {
  const size_t n = net->n + net->graph.statistics;
  for (size_t i = 0; i < n; i++) data[i] = (double)net->weights[i];
  for (int i = 0; i < 2 * net->cards; i++) card[i] = net->card[i];
  card[2 * net->cards] = "graph", card[2 * net->cards + 1] = net->graph.text;
  list_tensors(net, t, names, data);
  return pri_tensors_save(net->ctx, path, overwrite, card, t, count_tensors(&net->graph));
}

pri_status pri_network_save(const pri_network *net, const char *path, int overwrite) {
  pri_ctx *ctx = net->ctx;
  const size_t count = (size_t)count_tensors(&net->graph);
  if (!net->graph.n) return PRI_FAIL(ctx, PRI_ENOTSUP, "network: %s has no graph that a file could hold", net->cls->kind.name);
  double *data = pri_calloc(ctx, net->n + net->graph.statistics, sizeof *data);
  pri_tensor *t = data ? pri_calloc(ctx, count, sizeof *t) : NULL;
  char *names = t ? pri_calloc(ctx, count, 96) : NULL;
  const char **card = names ? pri_calloc(ctx, 2 * (size_t)net->cards + 3, sizeof *card) : NULL;
  const pri_status s = card ? save(net, path, overwrite, data, t, names, card) : pri_ctx_code(ctx);
  pri_free(ctx, (void *)card), pri_free(ctx, names), pri_free(ctx, t), pri_free(ctx, data);
  return s;
}
