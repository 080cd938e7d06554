/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * check_learn.c - priori check --learn: the derivatives that learning uses (learn_check.c), of this prior behind this operator, at a drawn image or the
 * one that is given: h(x) = 1/2 |A x - y|^2 + R_theta(x) + floor/2 |x|^2, y = A x0 with noise of a twentieth, x = x0 with noise of a tenth of its size.
 */
#include <math.h>
#include <stdio.h>
#include <string.h>
#include "check.h"
#include "json.h"
#include "learn_tgv.h"
#include "learn.h"
#include "pipeline.h"
#include "priori/phantom.h"
#include "priori/rng.h"
#include "vec.h"

enum { SIDE = 32 };
static const double BEND = 0.05, FLOOR = 1e-3; /* of tgv's fields, as in learning; where A'A alone leaves no curvature: times |A|^2 */

struct learn_check {
  pri_ctx *ctx;
  const pri_call *call;
  pri_input *in;
  pri_meta meta;
  pri_operator *A;
  pri_prior *R;
  pri_learn_tgv tgv;
  int is_tgv;
  char *prior;
  pri_array truth, y, x;
  pri_lower *l;
  pri_derivative found[PRI_DERIVATIVES];
  int n;
};

static int is(const char *spec, const char *name) {
  const size_t n = strlen(name);
  return !strncmp(spec, name, n) && (spec[n] == 0 || spec[n] == ':');
}

static void add_noise(struct learn_check *k, pri_real *v, ptrdiff_t n, const char *stream, double share) {
  const double rms = sqrt(pri_norm2sq(k->ctx, v, n) / (double)n), sd = share * (rms > 0 ? rms : 1);
  for (ptrdiff_t i = 0; i < n; i++) v[i] += (pri_real)(sd * pri_rng_normal_at(pri_ctx_seed(k->ctx), stream, (uint64_t)i));
}

/* The first image of the input, or a drawn one */
static pri_status make_truth(struct learn_check *k) {
  const pri_shape side = pri_shape_2d(SIDE, SIDE);
  pri_phantom *p;
  char spec[40];
  if (k->call->n_inputs) {
    PRI_TRY(pri_input_open(k->ctx, &k->in, k->call->inputs[0]));
    const pri_input_info *info = pri_input_describe(k->in);
    k->meta = info->meta;
    PRI_TRY(pri_array_create(k->ctx, &k->truth, &info->item, 1));
    return pri_input_read(k->in, k->truth.data, 0, 1);
  }
  snprintf(spec, sizeof spec, "ellipses:size=%d", (int)SIDE);
  PRI_TRY(pri_array_create(k->ctx, &k->truth, &side, 1));
  PRI_TRY(pri_phantom_create(k->ctx, &p, spec));
  const pri_status s = pri_phantom_draw(p, &k->truth, 0);
  pri_phantom_destroy(&p);
  return s;
}

static pri_status make_data(struct learn_check *k) {
  static char identity[] = "identity";
  static char *alone[] = {identity};
  const pri_texts *asked = &k->call->opts->operators, one = {alone, 1};
  const pri_shape none = {0};
  PRI_TRY(pri_operators_create(k->ctx, &k->A, asked->n ? asked : &one, NAN, &k->meta, &k->truth.shape, &none));
  PRI_TRY(pri_array_create(k->ctx, &k->y, pri_operator_range(k->A), 1));
  PRI_TRY(pri_operator_apply(k->A, &k->y, &k->truth));
  add_noise(k, k->y.data, pri_shape_size(&k->y.shape), "check noise", 0.05);
  return PRI_OK;
}

/* ---- the prior: tv and tgv in their smooth forms, a weight of a tenth of the image where none is given */

static pri_status with_weight(struct learn_check *k) {
  const pri_kind *kind;
  char *value = NULL, *out = NULL, *name, buf[32];
  PRI_TRY(pri_spec_name(k->ctx, k->prior, &name));
  pri_status s = pri_registry_find(k->ctx, PRI_PRIORS, name, &kind);
  pri_free(k->ctx, name);
  PRI_TRY(s);
  const char *key = pri_kind_weight_key(kind), *first = pri_kind_first_key(kind);
  if (!key) return PRI_OK;
  PRI_TRY(pri_spec_get(k->ctx, k->prior, key, first, &value));
  const double n = (double)pri_shape_size(&k->truth.shape), rms = sqrt(pri_norm2sq(k->ctx, k->truth.data, (ptrdiff_t)n) / n);
  if (!value) s = pri_spec_set(k->ctx, k->prior, key, first, pri_shortest(buf, 0.1 * (rms > 0 ? rms : 1)), &out);
  pri_free(k->ctx, value);
  if (out) pri_free(k->ctx, k->prior), k->prior = out;
  return s;
}

static pri_status number(struct learn_check *k, const char *key, double *value) {
  char *text = NULL;
  PRI_TRY(pri_spec_get(k->ctx, k->prior, key, "weight", &text));
  const pri_status s = text ? pri_quantity_parse(k->ctx, k->prior, text, "1", value) : PRI_OK;
  pri_free(k->ctx, text);
  return s;
}

static pri_status make_tgv(struct learn_check *k) {
  double weight = 0.1, ratio = 2;
  PRI_TRY(number(k, "weight", &weight));
  PRI_TRY(number(k, "ratio", &ratio));
  k->is_tgv = 1;
  k->tgv = (pri_learn_tgv){.a = {weight, ratio * weight}, .nu = weight / 10, .bend = BEND};
  return pri_stencil_init(k->ctx, "check", &k->tgv.s, &k->meta, &k->truth.shape);
}

static pri_status make_prior(struct learn_check *k) {
  const pri_texts *t = &k->call->opts->priors;
  if (t->n != 1) return PRI_FAIL(k->ctx, PRI_EPARAM, "check --learn: the derivatives of which prior? --prior smooth-tv, tikhonov, tgv, foe ...");
  const int tv = is(t->v[0], "tv");
  const size_t room = strlen(t->v[0]) + 16;
  PRI_ALLOC(k->ctx, k->prior, (ptrdiff_t)room);
  snprintf(k->prior, room, "%s%s", tv ? "smooth-tv" : t->v[0], tv ? t->v[0] + 2 : "");
  PRI_TRY(with_weight(k));
  return is(k->prior, "tgv") ? make_tgv(k) : pri_prior_create(k->ctx, &k->R, k->prior, &k->meta, &k->truth.shape);
}

/* ---- the check */

static pri_status look(struct learn_check *k) {
  double *theta;
  const void *priv = &k->tgv;
  const pri_learnable *face = k->is_tgv ? &pri_learn_tgv_face : pri_prior_class_of(k->R, &priv)->learnable;
  const double norm = pri_operator_norm(k->A).value;
  const pri_lower_problem p = {.A = k->A, .R = k->R, .tgv = k->is_tgv ? &k->tgv : NULL, .y = &k->y, .truth = &k->truth, .floor = pri_operator_flags(k->A) & PRI_OP_IDENTITY ? 0 : FLOOR * norm * norm};
  PRI_TRY(pri_lower_images(k->ctx, &k->l, &p));
  const ptrdiff_t n = pri_shape_size(&k->truth.shape), all = pri_lower_size(k->l);
  PRI_TRY(pri_array_create(k->ctx, &k->x, &(pri_shape){1, {all}}, 1));
  pri_copy(k->ctx, k->x.data, k->truth.data, n);
  add_noise(k, k->x.data, n, "check x", 0.1);
  for (ptrdiff_t i = n; i < all; i += n) add_noise(k, k->x.data + i, n, "check fields", 0.1);
  PRI_ALLOC(k->ctx, theta, (ptrdiff_t)pri_lower_ntheta(k->l));
  face->get_theta(priv, theta);
  const pri_status s = pri_lower_check(k->l, theta, 0, k->x.data, k->found, &k->n);
  pri_free(k->ctx, theta);
  return s;
}

static pri_status print_json(const struct learn_check *k) {
  json_t *list = json_array();
  for (int i = 0; i < k->n; i++) {
    const pri_derivative *d = &k->found[i];
    json_array_append_new(list, json_pack("{s:s, s:o, s:o, s:o, s:b}", "what", d->what, "error", pri_json_number(d->error), "order", pri_json_number(d->order), "limit",
                                          pri_json_number(d->limit), "good", d->good));
  }
  return pri_print_json(k->ctx, json_pack("{s:s, s:I, s:I, s:o}", "prior", k->prior, "parameters", (json_int_t)pri_lower_ntheta(k->l), "unknowns", (json_int_t)pri_lower_size(k->l), "learn", list));
}

static void print_text(const struct learn_check *k) {
  pri_print("prior      %s: %zu parameters, %td unknowns\n%-48s %9s %6s %7s\n", k->prior, pri_lower_ntheta(k->l), pri_lower_size(k->l), "check", "error", "order", "limit");
  for (int i = 0; i < k->n; i++) {
    const pri_derivative *d = &k->found[i];
    char order[16] = "-", limit[16] = "-";
    if (!isnan(d->order)) snprintf(order, sizeof order, "%.2f", d->order);
    if (isfinite(d->limit)) snprintf(limit, sizeof limit, "%.0e", d->limit);
    pri_print("%-48s %9.1e %6s %7s  %s\n", d->what, d->error, order, limit, d->good ? "ok" : "WRONG");
  }
}

static pri_status judge(struct learn_check *k, pri_call *call) {
  int wrong = 0;
  PRI_TRY(make_truth(k));
  PRI_TRY(make_data(k));
  PRI_TRY(make_prior(k));
  PRI_TRY(look(k));
  for (int i = 0; i < k->n; i++) wrong += !k->found[i].good;
  if (wrong) pri_call_worst(call, 1);
  if (call->opts->json) return print_json(k);
  print_text(k);
  return PRI_OK;
}

pri_status pri_check_learn(pri_call *call) {
  struct learn_check k = {.ctx = call->ctx, .call = call, .meta = {.pixel = {NAN, NAN, NAN}, .bin = {NAN, NAN}, .sod = NAN, .sdd = NAN, .center = NAN}};
  const pri_status s = judge(&k, call);
  pri_lower_destroy(&k.l);
  pri_prior_destroy(&k.R);
  pri_operator_destroy(&k.A);
  pri_array_destroy(&k.truth), pri_array_destroy(&k.y), pri_array_destroy(&k.x);
  pri_free(k.ctx, k.prior);
  pri_input_close(&k.in);
  return s;
}
