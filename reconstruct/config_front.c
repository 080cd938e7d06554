/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * config_front.c - what the front doors for images stand for. All of them: total variation (upscale: and the Hessian-Schatten norm, which makes no steps
 * where pixels are to be smaller), the automatic box of the data, PDHG, a relative gap of 1e-3. Each adds its operator, and where the weight comes from:
 *   denoise           from the noise that is estimated, by SURE
 *   deblur            from the noise that is estimated, by the discrepancy: it stands a PSF that is not quite right, where SURE and GCV take
 *                     what the model does not explain for signal
 *   inpaint           rel:1e-4, or spread:5e-4 of priors that have no such scale: the data are kept to about 1e-3 of the range of the image, and then put
 *                     back (--then known) where they are said to be free of noise, or nothing is said of it
 *   upscale           spread:5e-3 of both: on six pictures of Set12 without noise 29.8 dB in the mean (means x2; hessian-schatten alone 29.4, tv 28.7, bicubic
 *                     interpolation 28.4) and 27.1 (bicubic x3; 26.8, 26.9, 25.6), in half the steps of hessian-schatten. From the noise, by SURE, where a
 *                     level is given. A weight of a tenth gains 0.1 dB where there is no noise and loses up to 0.9 where there is some that nobody mentioned
 *
 * A prior that the user names without a weight gets that weight too. A solver named by the user takes what of this it can (config_probe.c): a prior where it takes one, photon counts (kl) where it takes
 * nothing else. The box goes with a prior.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include "pipeline_config.h"
#include "priori/io.h"
#include "priori/prior.h"
#include "psf.h"

typedef struct pri_door {
  const char *prior, *weight; /* of the priors that are given without one; NULL: rel:1e-4 where the prior offers it, else spread:5e-4 */
  int noisy;
  const char *also;           /* a second prior, where the solver takes sums (pdhg); NULL: none */
} pri_door;
static const pri_door denoising = {"tv", "auto:sure", 1, NULL}, from_noise = {"tv", "auto:discrepancy", 1, NULL}, exact = {"tv", NULL, 0, NULL},
                      finer = {"hessian-schatten", "spread:5e-3", 0, "tv"}, finer_noisy = {"hessian-schatten", "auto:sure", 1, "tv"};

/* Does this solver take that prior, whatever its weight? */
static pri_status takes(pri_ctx *ctx, const char *solver, const char *probe, const char *fidelity, const char *prior, int *yes) {
  char *held, *plain;
  PRI_TRY(pri_config_weight(ctx, prior, &held, &plain));
  const pri_status s = pri_config_takes(ctx, solver, probe, fidelity, plain, yes);
  pri_free(ctx, held);
  pri_free(ctx, plain);
  return s;
}

/* One prox where that is the whole problem (masked pixels would need weights); fista where a prior has no saddle form (not of exact data: it rests long
   before a weight so small has filled anything in); else pdhg. */
static pri_status choose_solver(pri_ctx *ctx, pri_options *o, const char *probe, const char *fidelity, const char *prior, int noisy) {
  int one = 0, saddle = 1, prox = noisy;
  const pri_texts *t = &o->priors;
  if (t->n < 2 && o->on_bad != PRI_BAD_MASK) PRI_TRY(takes(ctx, "prox", probe, fidelity, t->n ? t->v[0] : prior, &one));
  for (int i = 0; i < t->n && saddle && !one; i++) PRI_TRY(takes(ctx, "pdhg", probe, fidelity, t->v[i], &saddle));
  for (int i = 0; i < t->n && prox && !saddle; i++) PRI_TRY(takes(ctx, "fista", probe, fidelity, t->v[i], &prox));
  return pri_options_set(ctx, o, "solver", one ? "prox" : saddle || !prox ? "pdhg" : "fista");
}

/* What is not given and the solver can take; probe: a small operator of this kind. */
static pri_status fill(pri_ctx *ctx, pri_options *o, const char *probe, const char *prior, int noisy) {
  int yes = 0, counts = 0;
  if (!o->solver) PRI_TRY(choose_solver(ctx, o, probe, o->fidelity ? o->fidelity : "ls", prior, noisy));
  if (!o->fidelity && !o->priors.n) {
    PRI_TRY(pri_config_takes(ctx, o->solver, probe, "ls", NULL, &yes));
    if (!yes) PRI_TRY(pri_config_takes(ctx, o->solver, probe, "kl", NULL, &counts));
    if (counts) PRI_TRY(pri_options_set(ctx, o, "fidelity", "kl"));
  }
  const char *f = o->fidelity ? o->fidelity : "ls";
  if (!o->priors.n) {
    PRI_TRY(takes(ctx, o->solver, probe, f, prior, &yes));
    if (yes) PRI_TRY(pri_options_set(ctx, o, "prior", prior));
  }
  if (o->bound || !o->priors.n) return PRI_OK;
  PRI_TRY(takes(ctx, o->solver, probe, f, o->priors.v[0], &yes));
  return yes ? pri_options_set(ctx, o, "bound", strncmp(f, "kl", 2) ? "auto" : "0:auto") : PRI_OK;
}

/* *spec becomes *spec with key=value, where there is a value */
static pri_status with(pri_ctx *ctx, char **spec, const char *key, const char *value) {
  char *out = NULL;
  if (!value) return PRI_OK;
  PRI_TRY(pri_spec_set(ctx, *spec, key, NULL, value, &out));
  pri_free(ctx, *spec);
  *spec = out;
  return PRI_OK;
}

/* The operator "name:first=value,second=other" of a door, unless a pipeline file brought one. */
static pri_status add_operator(pri_ctx *ctx, pri_options *o, const char *name, const char *const keys[4]) {
  char *spec = pri_strdup(ctx, name);
  pri_status s = spec ? PRI_OK : pri_ctx_code(ctx);
  for (int i = 0; i < 4 && s == PRI_OK; i += 2) s = with(ctx, &spec, keys[i], keys[i + 1]);
  if (s == PRI_OK) s = pri_options_set(ctx, o, "operator", spec);
  pri_free(ctx, spec);
  return s;
}

/* Options that have become keys: the configuration is that of `reconstruct`. */
static pri_status forget(pri_ctx *ctx, pri_options *o) {
  static const char *const names[] = {"psf", "border", "mask", "factor", "kernel"};
  for (size_t i = 0; i < sizeof names / sizeof *names; i++)
    if (pri_options_given(o, names[i])) PRI_TRY(pri_options_clear(ctx, o, names[i]));
  return PRI_OK;
}

static pri_status begin(pri_call *call, int *needed) {
  PRI_TRY(pri_config_defaults(call));
  *needed = call->opts->operators.n == 0;
  return PRI_OK;
}

/* Does a spec leave open what its prior's factor is? One that was learned (file=), or has a default that means something, does not. */
static pri_status lacks_weight(pri_ctx *ctx, const char *spec, const pri_kind *kind, int *yes) {
  const char *key = pri_kind_weight_key(kind), *first = pri_kind_first_key(kind);
  const pri_param *row = kind->params;
  char *value = NULL, *file = NULL;
  int learned = 0; /* a default that is the factor of what a file holds */
  *yes = 0;
  if (!key) return PRI_OK;
  for (const pri_param *p = kind->params; p->name; p++) learned |= !strcmp(p->name, "file");
  while (!(row->flags & PRI_P_WEIGHT)) row++;
  if (!learned && !(row->flags & PRI_P_REQUIRED) && !isnan(row->def)) return PRI_OK;
  PRI_TRY(pri_spec_get(ctx, spec, key, first, &value));
  const pri_status s = pri_spec_get(ctx, spec, "file", first, &file);
  *yes = s == PRI_OK && !value && !file;
  pri_free(ctx, value);
  pri_free(ctx, file);
  return s;
}

/* *full: the spec with the weight of the door where it has none; NULL: it has one. In the context of the options. */
static pri_status weighted(pri_ctx *ctx, pri_ctx *owner, const char *spec, const pri_door *door, char **full) {
  const pri_kind *kind;
  char *name;
  int yes;
  *full = NULL;
  PRI_TRY(pri_spec_name(ctx, spec, &name));
  pri_status s = pri_registry_find(ctx, PRI_PRIORS, name, &kind);
  pri_free(ctx, name);
  if (s == PRI_OK) s = lacks_weight(ctx, spec, kind, &yes);
  if (s != PRI_OK || !yes) return s;
  const char *kept = ((const pri_prior_class *)(const void *)kind)->constant_weight ? "rel:1e-4" : "spread:5e-4";
  return pri_spec_set(owner, spec, pri_kind_weight_key(kind), pri_kind_first_key(kind), door->weight ? door->weight : kept, full);
}

/* "--prior tgv" has the weight that the door's own prior would have */
static pri_status give_weights(pri_ctx *ctx, pri_options *o, const pri_door *door) {
  for (int i = 0; i < o->priors.n; i++) {
    char *full;
    PRI_TRY(weighted(ctx, o->owner, o->priors.v[i], door, &full));
    if (!full) continue;
    pri_free(o->owner, o->priors.v[i]);
    o->priors.v[i] = full;
  }
  return PRI_OK;
}

/* the door's second prior beside its first */
static pri_status add_prior(pri_ctx *ctx, pri_options *o, const pri_door *door) {
  char *prior;
  if (!door->also || !o->priors.n || strncmp(o->solver, "pdhg", 4)) return PRI_OK;
  PRI_TRY(weighted(ctx, ctx, door->also, door, &prior));
  const pri_status s = pri_options_set(ctx, o, "prior", prior);
  pri_free(ctx, prior);
  return s;
}

static pri_status finish(pri_call *call, const char *probe, const pri_door *door) {
  char *prior;
  const int named = call->opts->priors.n > 0;
  PRI_TRY(forget(call->ctx, call->opts));
  PRI_TRY(give_weights(call->ctx, call->opts, door));
  PRI_TRY(weighted(call->ctx, call->ctx, door->prior, door, &prior));
  const pri_status s = fill(call->ctx, call->opts, probe, prior, door->noisy);
  pri_free(call->ctx, prior);
  PRI_TRY(s);
  if (!named) PRI_TRY(add_prior(call->ctx, call->opts, door));
  return pri_config_complete(call->ctx, call->opts);
}

/* "random:0.5" -> random; "bars:..." -> bars; else a file */
static const char *key_of_mask(const char **value) {
  static const char *const drawn[] = {"random", "bars"};
  for (int i = 0; i < 2; i++) {
    const size_t n = strlen(drawn[i]);
    if (strncmp(*value, drawn[i], n) || (*value)[n] != ':') continue;
    *value += n + 1;
    return drawn[i];
  }
  return "file";
}

pri_status pri_config_denoise(pri_call *call) {
  int needed;
  PRI_TRY(begin(call, &needed));
  if (needed) PRI_TRY(pri_options_set(call->ctx, call->opts, "operator", "identity"));
  return finish(call, "identity", &denoising);
}

/* A file with several pages is a mask for each slice: no operator knows which slice it sees, so that it goes into the data term */
static int is_stack(pri_ctx *ctx, const char *file) {
  pri_input *in;
  if (pri_input_open(ctx, &in, file) != PRI_OK) return 0; /* the operator will say so */
  const int stack = pri_input_describe(in)->items > 1;
  pri_input_close(&in);
  return stack;
}

static pri_status mask_each(pri_ctx *ctx, pri_options *o, const char *file) {
  char *spec = pri_strdup(ctx, o->fidelity ? o->fidelity : "ls");
  pri_status s = spec ? with(ctx, &spec, "known", file) : pri_ctx_code(ctx);
  if (s == PRI_OK) s = pri_options_set(ctx, o, "fidelity", spec);
  pri_free(ctx, spec);
  return s == PRI_OK ? pri_options_set(ctx, o, "operator", "identity") : s;
}

/* No level, or sd:0, relative:0 */
static int is_exact(const pri_options *o) {
  const char *colon = o->noise_level ? strchr(o->noise_level, ':') : NULL;
  char *end = NULL;
  if (!o->noise_level) return 1;
  return colon && (!strncmp(o->noise_level, "sd:", 3) || !strncmp(o->noise_level, "relative:", 9)) && strtod(colon + 1, &end) == 0 && end != colon + 1 && !*end;
}

/* Without a mask, the known pixels are those that are finite; without noise, they stay. */
pri_status pri_config_inpaint(pri_call *call) {
  pri_options *o = call->opts;
  int needed;
  PRI_TRY(begin(call, &needed));
  if (needed && is_exact(o) && !o->then.n) PRI_TRY(pri_options_set(call->ctx, o, "then", "known"));
  const char *value = o->mask, *key = value ? key_of_mask(&value) : NULL;
  const int each = needed && value && !strcmp(key, "file") && is_stack(call->ctx, value);
  if (each) PRI_TRY(mask_each(call->ctx, o, value));
  else if (needed && value) PRI_TRY(add_operator(call->ctx, o, "mask", (const char *const[4]){key, value, NULL, NULL}));
  if (needed && !value) PRI_TRY(pri_options_set(call->ctx, o, "operator", "identity"));
  if (needed && !value && !pri_options_given(o, "on-bad")) PRI_TRY(pri_options_set(call->ctx, o, "on-bad", "mask"));
  return finish(call, value ? "mask:random=0.5" : "identity", is_exact(o) ? &exact : &from_noise);
}

/* "psf.tif:background=auto": where keys of the file begin, at a ':' that an '=' follows; NULL: it is all a name. "f.h5:/psf" has none. */
static const char *keys_behind(const char *psf) {
  const char *colon = strrchr(psf, ':');
  struct stat st;
  if (!colon || colon == psf || colon[1] == '/' || !strchr(colon, '=') || stat(psf, &st) == 0) return NULL;
  return colon;
}

/* "gaussian:sigma=1.5" -> "blur:psf=gaussian,sigma=1.5"; anything else is a file, maybe with keys behind it */
static pri_status blur_of(pri_ctx *ctx, pri_options *o) {
  const char *colon = pri_psf_drawn(o->psf) ? strchr(o->psf, ':') : keys_behind(o->psf);
  const size_t n = colon ? (size_t)(colon - o->psf) : strlen(o->psf);
  char *name, *spec = NULL;
  PRI_ALLOC(ctx, name, n + 1);
  memcpy(name, o->psf, n);
  pri_status s = pri_spec_set(ctx, "blur", "psf", NULL, name, &spec);
  pri_free(ctx, name);
  if (s == PRI_OK && colon) {
    const size_t room = strlen(spec) + strlen(colon) + 1;
    char *all = pri_calloc(ctx, room, 1);
    if (all) snprintf(all, room, "%s,%s", spec, colon + 1);
    pri_free(ctx, spec);
    spec = all;
    if (!all) s = pri_ctx_code(ctx);
  }
  if (s == PRI_OK) s = add_operator(ctx, o, spec, (const char *const[4]){"border", o->border ? o->border : "replicate", NULL, NULL});
  pri_free(ctx, spec);
  return s;
}

pri_status pri_config_deblur(pri_call *call) {
  pri_options *o = call->opts;
  int needed;
  PRI_TRY(begin(call, &needed));
  if (needed && !o->psf)
    return PRI_FAIL(call->ctx, PRI_EPARAM, "what does a point look like? --psf FILE, or one that is drawn: --psf gaussian:sigma=1.5");
  if (needed) PRI_TRY(blur_of(call->ctx, o));
  return finish(call, "blur:psf=gaussian,sigma=0.5,border=periodic", &from_noise);
}

pri_status pri_config_upscale(pri_call *call) {
  pri_options *o = call->opts;
  int needed;
  PRI_TRY(begin(call, &needed));
  if (needed && !o->factor) return PRI_FAIL(call->ctx, PRI_EPARAM, "how many times larger? --factor N");
  if (needed) PRI_TRY(add_operator(call->ctx, o, "downsample", (const char *const[4]){"factor", o->factor, "kernel", o->kernel}));
  return finish(call, "downsample:factor=2", is_exact(o) ? &finer : &finer_noisy);
}
