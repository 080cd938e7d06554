/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * net_graph.c - the text of a graph (net.h) into layers. Sizes are inferred once at a large power of two, which gives the channels, so the shapes of all
 * weights, and by how much the graph shrinks an image at most: sides are padded to that multiple when it runs.
 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include "net.h"

enum { PROBE = 1 << 12, LONGEST_TEXT = 1 << 20, MOST_CHANNELS = 1 << 16, LARGEST = 1 << 20 };

const pri_layer_class *const pri_layer_classes[] = {
    &pri_layer_input, &pri_layer_conv, &pri_layer_deconv, &pri_layer_batchnorm, &pri_layer_groupnorm, &pri_layer_relu, &pri_layer_silu, &pri_layer_tanh, &pri_layer_sigmoid,
    &pri_layer_avgpool, &pri_layer_maxpool, &pri_layer_upsample, &pri_layer_concat, &pri_layer_add, &pri_layer_noise, &pri_layer_embed, &pri_layer_film, &pri_layer_attention, NULL};

size_t pri_net_tensor_size(const pri_net_tensor *t) {
  size_t n = 1;
  for (int a = 0; a < t->nd; a++) n *= (size_t)t->n[a];
  return n;
}

struct line { char *word[2 + PRI_NET_INPUTS + 1]; int n, number; };  /* NAME KIND INPUT..., and one more than there may be */

/* the next line that holds something; its words end in zeros now. 0: none is left */
static int next_line(char **text, struct line *l) {
  l->n = 0;
  while (**text && !l->n) {
    char *p = *text, *end = p + strcspn(p, "\n"), *comment = p + strcspn(p, "#\n");
    *text = *end ? end + 1 : end;
    *end = *comment = 0, l->number++;
    while (l->n < 2 + PRI_NET_INPUTS + 1 && *(p += strspn(p, " \t\r"))) {
      l->word[l->n++] = p;
      p += strcspn(p, " \t\r");
      if (*p) *p++ = 0;
    }
  }
  return l->n > 0;
}

static int find(const pri_graph *g, const char *name) {
  for (int i = g->n - 1; i >= 0; i--)
    if (!strcmp(g->layer[i].name, name)) return i;
  return -1;
}

static pri_status take_class(pri_ctx *ctx, pri_net_layer *l, const char *spec) {
  const char *names[64];
  char *name;
  int n = 0;
  PRI_TRY(pri_spec_name(ctx, spec, &name));
  for (; pri_layer_classes[n] && !l->cls; n++) {
    names[n] = pri_layer_classes[n]->kind.name;
    if (!strcmp(name, names[n])) l->cls = pri_layer_classes[n];
  }
  const int near = l->cls ? -1 : pri_nearest(name, names, n);
  const pri_status s = l->cls ? PRI_OK : PRI_FAIL(ctx, PRI_EPARAM, "no layer is called '%.40s'%s%s%s", name, near < 0 ? "" : "; did you mean '", near < 0 ? "" : names[near], near < 0 ? "" : "'?");
  pri_free(ctx, name);
  PRI_TRY(s);
  l->priv = pri_calloc(ctx, 1, l->cls->kind.size);
  return l->priv ? pri_kind_parse(ctx, &l->cls->kind, l->priv, pri_spec_keys(spec)) : pri_ctx_code(ctx);
}

static pri_status take_inputs(pri_ctx *ctx, const pri_graph *g, pri_net_layer *l, const struct line *line) {
  if ((l->cls == &pri_layer_input) != (g->n == 0)) return PRI_FAIL(ctx, PRI_EPARAM, "the first line, and no other, is an input");
  if (line->n > 2 + PRI_NET_INPUTS) return PRI_FAIL(ctx, PRI_EPARAM, "more than %d inputs", PRI_NET_INPUTS);
  for (int k = 2; k < line->n; k++) {
    const int from = find(g, line->word[k]);
    if (from < 0) return PRI_FAIL(ctx, PRI_EPARAM, "no line above is called '%.40s'", line->word[k]);
    l->in[l->inputs++] = from;
  }
  if (!l->inputs && l->cls->least && g->n) l->in[l->inputs++] = g->n - 1;
  if (l->inputs < l->cls->least || l->inputs > l->cls->most)
    return PRI_FAIL(ctx, PRI_EPARAM, "%s has %d inputs; it takes %d to %d", l->cls->kind.name, l->inputs, l->cls->least, l->cls->most);
  for (int k = 0; k < l->inputs; k++) g->layer[l->in[k]].uses++;
  return PRI_OK;
}

/* Sizes at the probe; numbers of weights. */
static pri_status take_sizes(pri_ctx *ctx, pri_graph *g, pri_net_layer *l, pri_net_dims *size) {
  pri_net_dims in[PRI_NET_INPUTS], *out = &size[g->n];
  for (int k = 0; k < l->inputs; k++) in[k] = size[l->in[k]];
  if (l->cls == &pri_layer_input) in[0] = (pri_net_dims){0, PROBE, PROBE};
  PRI_TRY(l->cls->shape(ctx, l->priv, in, l->inputs, out));
  if (out->c < 1 || out->c > MOST_CHANNELS) return PRI_FAIL(ctx, PRI_EPARAM, "%td channels are outside [1, %d]", out->c, MOST_CHANNELS);
  if (out->h < 1 || out->w < 1 || out->h > LARGEST || out->w > LARGEST) return PRI_FAIL(ctx, PRI_EPARAM, "%d x %d pixels become %td x %td", PROBE, PROBE, out->h, out->w);
  l->channels = out->c;
  l->multiple = out->h > 1 && out->h < PROBE ? (int)((PROBE + out->h - 1) / out->h) : 1;
  if (l->multiple > g->multiple) g->multiple = l->multiple;
  g->needs_cond |= (l->cls->flags & PRI_NET_READS_COND) != 0;
  l->tensors = l->cls->tensors ? l->cls->tensors(l->priv, in, l->tensor) : 0;
  for (int t = 0; t < l->tensors; t++) {
    size_t *total = l->tensor[t].statistic ? &g->statistics : &g->weights, n = pri_net_tensor_size(&l->tensor[t]);
    if (n > (size_t)1 << 40 || *total + n > (size_t)1 << 40) return PRI_FAIL(ctx, PRI_EPARAM, "too many weights");
    l->at[t] = *total;
    *total += n;
  }
  return PRI_OK;
}

static pri_status take_line(pri_ctx *ctx, pri_graph *g, const struct line *line, pri_net_dims *size) {
  pri_net_layer *l = &g->layer[g->n];
  if (line->n < 2) return PRI_FAIL(ctx, PRI_EPARAM, "a line is NAME KIND[:key=value,...] [INPUT ...]");
  if (strlen(line->word[0]) > 63) return PRI_FAIL(ctx, PRI_EPARAM, "the name '%.20s...' is longer than 63 letters", line->word[0]);
  if (find(g, line->word[0]) >= 0) return PRI_FAIL(ctx, PRI_EPARAM, "two lines are called '%s'", line->word[0]);
  if (!(l->name = pri_strdup(ctx, line->word[0]))) return pri_ctx_code(ctx);
  PRI_TRY(take_class(ctx, l, line->word[1]));
  PRI_TRY(take_inputs(ctx, g, l, line));
  PRI_TRY(take_sizes(ctx, g, l, size));
  return PRI_OK;
}

void pri_graph_reason(const pri_ctx *ctx, char *why, size_t n) {
  snprintf(why, n, "%s", pri_ctx_message(ctx));
  char *end = strrchr(why, '(');
  if (end && end > why && end[-1] == ' ') end[-1] = 0;
}

static int is_memory(pri_status s) { return s == PRI_ENOMEM || s == PRI_EBUDGET; }

static pri_status take_lines(pri_ctx *ctx, pri_graph *g, char *text, pri_net_dims *size, int lines) {
  struct line l = {.n = 0};
  while (next_line(&text, &l)) {
    if (g->n == lines) return PRI_FAIL(ctx, PRI_EPARAM, "graph: more than %d lines", PRI_NET_LAYERS);
    const pri_status s = take_line(ctx, g, &l, size);
    if (s != PRI_OK) { /* the half-made layer is released too */
      char why[256];
      g->n++;
      if (is_memory(s)) return s;
      pri_graph_reason(ctx, why, sizeof why);
      return PRI_FAIL(ctx, PRI_EPARAM, "graph, line %d (%.40s): %s", l.number, l.word[0], why);
    }
    g->n++;
  }
  return PRI_OK;
}

/* The flat array has the weights first: statistics lie behind them. */
static pri_status finish(pri_ctx *ctx, pri_graph *g) {
  if (!g->n) return PRI_FAIL(ctx, PRI_EPARAM, "graph: it has no lines");
  for (int i = 0; i < g->n; i++) {
    if (!g->layer[i].uses && i < g->n - 1) return PRI_FAIL(ctx, PRI_EPARAM, "graph: nothing reads layer '%s'", g->layer[i].name);
    for (int t = 0; t < g->layer[i].tensors; t++)
      if (g->layer[i].tensor[t].statistic) g->layer[i].at[t] += g->weights;
  }
  return g->layer[g->n - 1].multiple == 1 ? PRI_OK : PRI_FAIL(ctx, PRI_EPARAM, "graph: what comes out is smaller than the image");
}

pri_status pri_graph_parse(pri_ctx *ctx, pri_graph *g, const char *text) {
  char *copy;
  pri_net_dims *size;
  int lines = 1;
  *g = (pri_graph){.multiple = 1};
  if (strlen(text) > LONGEST_TEXT) return PRI_FAIL(ctx, PRI_EPARAM, "graph: its text is longer than %d letters", LONGEST_TEXT);
  for (const char *p = text; *p && lines < PRI_NET_LAYERS; p++) lines += *p == '\n';
  if (!(g->text = pri_strdup(ctx, text))) return pri_ctx_code(ctx);
  PRI_ALLOC(ctx, g->layer, lines + 1);
  PRI_ALLOC(ctx, size, lines);
  copy = pri_strdup(ctx, text);
  pri_status s = copy ? take_lines(ctx, g, copy, size, lines) : pri_ctx_code(ctx);
  pri_free(ctx, copy);
  pri_free(ctx, size);
  return s == PRI_OK ? finish(ctx, g) : s;
}

void pri_graph_fini(pri_ctx *ctx, pri_graph *g) {
  for (int i = 0; g->layer && i < g->n; i++) {
    pri_net_layer *l = &g->layer[i];
    if (l->priv) pri_kind_release(ctx, &l->cls->kind, l->priv);
    pri_free(ctx, l->priv);
    pri_free(ctx, l->name);
  }
  pri_free(ctx, g->layer);
  pri_free(ctx, g->text);
  *g = (pri_graph){0};
}

/* ---- texts of recipes */

static void grow(pri_graph_text *t, size_t need) {
  if (t->n + need + 2 <= t->room) return;
  char *more = pri_calloc(t->ctx, 2 * t->room + need + 2, 1);
  if (!more) {
    t->failed = 1;
    return;
  }
  if (t->text) memcpy(more, t->text, t->n);
  pri_free(t->ctx, t->text);
  t->text = more, t->room = 2 * t->room + need + 2;
}

void pri_graph_line(pri_graph_text *t, const char *fmt, ...) {
  va_list args;
  char line[512];
  va_start(args, fmt);
  const int n = vsnprintf(line, sizeof line, fmt, args);
  va_end(args);
  if (n < 0 || (size_t)n >= sizeof line) t->failed = 1;
  if (!t->failed) grow(t, (size_t)n);
  if (t->failed) return;
  memcpy(t->text + t->n, line, (size_t)n);
  t->n += (size_t)n;
  t->text[t->n++] = '\n', t->text[t->n] = 0;
}
