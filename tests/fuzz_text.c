/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * fuzz_text.c - any bytes as a spec, or as a .prior file (where they begin as a safetensors file does: a length below 2^24, then '{').
 * A spec goes to the parser of every family, with and without the family's first name before it; a .prior to the reader, to the priors that take
 * one and to networks, which run where they are small. Compiled with PRI_FUZZ a libFuzzer entry point, else a main() that runs the files it is given: tests/local.mk.
 */
#define FUZZ_SUFFIX ".prior"
#include "fuzz.h"
#include "priori/priori.h"
#include "safetensors.h"

/* A file that a key names is not read: bytes could name any. */
static int names_a_file(const char *spec) { return strchr(spec, '/') || strstr(spec, ".") || strstr(spec, "file") || strstr(spec, "psf"); }

static void parse(pri_ctx *ctx, pri_family f, const char *spec) {
  const pri_kind *kind = NULL;
  void *priv = NULL;
  char *printed = NULL, *name = NULL, *again = NULL;
  if (pri_spec_name(ctx, spec, &name) == PRI_OK && pri_spec_get(ctx, spec, name, NULL, &again) == PRI_OK) pri_free(ctx, again);
  pri_free(ctx, name);
  if (pri_object_create(ctx, f, spec, &kind, &priv) != PRI_OK) {
    if (!pri_ctx_message(ctx)[0]) abort(); /* a failure without words */
    return;
  }
  if (pri_kind_print(ctx, kind, priv, &printed) == PRI_OK) { /* parses back, or (a key that only init fills in) is refused in words */
    const pri_kind *k2 = NULL;
    void *p2 = NULL;
    if (pri_object_create(ctx, f, printed, &k2, &p2) == PRI_OK ? k2 != kind : !pri_ctx_message(ctx)[0]) abort();
    pri_object_destroy(ctx, k2, &p2);
  }
  pri_free(ctx, printed);
  pri_object_destroy(ctx, kind, &priv);
}

static void specs(pri_ctx *ctx, const uint8_t *data, size_t size) {
  static char spec[4096], named[4200];
  if (size >= sizeof spec) return;
  memcpy(spec, data, size);
  spec[size] = 0;
  if (names_a_file(spec)) return;
  for (int f = 0; f < PRI_FAMILIES; f++) {
    parse(ctx, (pri_family)f, spec);
    for (const pri_kind *const *k = pri_ctx_registry(ctx)->family[f]; k && *k; k++) {
      snprintf(named, sizeof named, "%s:%s", (*k)->name, spec);
      parse(ctx, (pri_family)f, named);
    }
  }
}

static void network(pri_ctx *ctx, const char *recipe);
static void learned(pri_ctx *ctx, const uint8_t *data, size_t size) {
  static const char *const priors[] = {"foe", "smooth-tv"};
  const pri_shape dom = pri_shape_2d(8, 9);
  pri_tensors *t;
  if (!save(data, size)) return;
  if (pri_tensors_load(ctx, &t, scratch_file()) != PRI_OK && !pri_ctx_message(ctx)[0]) abort();
  pri_tensors_destroy(ctx, &t);
  for (int k = 0; k < 2; k++) {
    char spec[120];
    pri_prior *R;
    snprintf(spec, sizeof spec, "%s:file=%s", priors[k], scratch_file());
    if (pri_prior_create(ctx, &R, spec, NULL, &dom) != PRI_OK && !pri_ctx_message(ctx)[0]) abort();
    pri_prior_destroy(&R);
  }
  network(ctx, NULL);
  network(ctx, "bf-unet:width=1");
}

static void network(pri_ctx *ctx, const char *recipe) {
  pri_network *net;
  pri_plan *plan = NULL;
  const pri_shape in = pri_shape_2d(8, 9);
  static pri_real v[1 << 16];
  const double level = 0.1;
  if (pri_network_load(ctx, &net, scratch_file(), recipe) != PRI_OK) {
    if (!pri_ctx_message(ctx)[0] || net) abort();
    return;
  }
  if (pri_network_state(net) < 1 << 16 && pri_plan_create(net, &plan, &in, 2) != PRI_OK && !pri_ctx_message(ctx)[0]) abort();
  if (plan && pri_plan_bytes(plan) < 1 << 22 && pri_shape_size(pri_plan_range(plan)) <= 1 << 16) {
    if (pri_plan_forward(plan, v, v, &level) == PRI_OK && pri_plan_vjp(plan, v, v) != PRI_OK) abort();
  }
  pri_plan_destroy(&plan);
  pri_network_destroy(&net);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  pri_ctx *ctx;
  if (pri_open(&ctx, &(pri_ctx_opts){.threads = 1, .memory = 64 << 20}) != PRI_OK) return 0;
  if (size > 8 && data[3] == 0 && data[7] == 0 && data[8] == '{') learned(ctx, data, size);
  else specs(ctx, data, size);
  if (pri_ctx_memory_used(ctx)) abort(); /* a leak */
  pri_ctx_destroy(&ctx);
  return 0;
}
