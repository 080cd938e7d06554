/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * cmd_replay.c - priori replay: makes a result again from its own provenance and compares the pixels bit for bit.
 * The inputs must have the hashes that they had. The run itself is this program, started on the configuration as a pipeline file,
 * with a temporary output of the same format: what is tried is what a user would do.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <math.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include "json.h"
#include "cmd.h"
#include "priori/io.h"
#include "version.h"

struct replay {
  pri_call *call;
  pri_ctx *ctx;
  const char *name;              /* of the result */
  json_t *provenance;
  char folder[3000], config[3100], output[3100]; /* temporary */
  int status;                    /* of the run */
};

struct difference {
  ptrdiff_t pixels;              /* that differ */
  double largest;
  ptrdiff_t item, at;            /* where that is */
  pri_shape shape;
  ptrdiff_t items;
};

static const char *text_of(const json_t *o, const char *key) {
  const char *s = json_string_value(json_object_get(o, key));
  return s ? s : "";
}

/* ---- what is to be run, and on what */

static pri_status read_provenance(struct replay *r) {
  pri_input *in;
  PRI_TRY(pri_input_open(r->ctx, &in, r->name));
  r->provenance = pri_json_parse(pri_input_describe(in)->provenance);
  pri_input_close(&in);
  const char *config = text_of(r->provenance, "config");
  if (!*config) return PRI_FAIL(r->ctx, PRI_EFORMAT, "%s: says nothing of where it comes from, so that it cannot be made again", r->name);
  if (!strncmp(config, "command = ", 10))
    return PRI_FAIL(r->ctx, PRI_ENOTSUP, "%s: replay is for results of reconstruct, simulate and the front doors; this is of %.*s", r->name,
                    (int)strcspn(config + 10, "\n"), config + 10);
  if (strcmp(text_of(r->provenance, "version"), pri_version()) || strcmp(text_of(r->provenance, "build"), pri_build()))
    pri_log(r->ctx, PRI_LOG_WARN, "%s: made by version %s (%s), this is %s (%s)", r->name, text_of(r->provenance, "version"),
            text_of(r->provenance, "build"), pri_version(), pri_build());
  if (strstr(config, "stop = time")) pri_log(r->ctx, PRI_LOG_WARN, "%s: a limit of time ended it, perhaps: another run may come further", r->name);
  return PRI_OK;
}

static pri_status check_hash(struct replay *r, const char *name, const json_t *recorded) {
  char hex[65];
  const char *was = json_string_value(json_object_get(recorded, "sha256"));
  if (pri_hash_file(r->ctx, name, hex) != PRI_OK) {
    char *why = pri_message_plain(r->ctx);
    const pri_status s = PRI_FAIL(r->ctx, PRI_EREAD, "%s; it is an input of %s (others can be named: priori replay OUT INPUT...)", why ? why : name, r->name);
    pri_free(r->ctx, why);
    return s;
  }
  if (was && strcmp(was, hex)) return PRI_FAIL(r->ctx, PRI_EREAD, "%s: is not the file that %s was made from: its hash differs", name, r->name);
  return PRI_OK;
}

static const char *input_name(const struct replay *r, size_t i) {
  const json_t *inputs = json_object_get(r->provenance, "inputs");
  return r->call->n_inputs > 1 ? r->call->inputs[1 + i] : text_of(json_array_get(inputs, i), "file");
}

static pri_status check_inputs(struct replay *r) {
  const json_t *inputs = json_object_get(r->provenance, "inputs"), *files = json_object_get(r->provenance, "files");
  const size_t n = json_array_size(inputs);
  if (r->call->n_inputs > 1 && (size_t)r->call->n_inputs - 1 != n)
    return PRI_FAIL(r->ctx, PRI_EPARAM, "%s: was made from %zu inputs, %d are given", r->name, n, r->call->n_inputs - 1);
  for (size_t i = 0; i < n; i++) PRI_TRY(check_hash(r, input_name(r, i), json_array_get(inputs, i)));
  for (size_t i = 0; i < json_array_size(files); i++)
    PRI_TRY(check_hash(r, text_of(json_array_get(files, i), "file"), json_array_get(files, i)));
  return PRI_OK;
}

/* ---- the run */

/* "x.tif" -> ".tif", "x.h5:/a/b" -> ".h5:/a/b" */
static const char *suffix_of(const char *name) {
  const char *inside = strstr(name, ":/"), *dot = inside ? inside : name + strlen(name);
  while (dot > name && *dot != '.' && dot[-1] != '/') dot--;
  return *dot == '.' ? dot : ".tif";
}

static pri_status make_folder(struct replay *r) {
  const char *tmp = getenv("TMPDIR"), *scratch = r->call->opts->scratch;
  snprintf(r->folder, sizeof r->folder, "%s/priori-replay-XXXXXX", scratch ? scratch : tmp && *tmp ? tmp : "/tmp");
  if (!mkdtemp(r->folder)) {
    const int why = errno;
    r->folder[0] = 0;
    return PRI_FAIL(r->ctx, PRI_EWRITE, "a temporary folder cannot be made: %s (--scratch names another place)", strerror(why));
  }
  snprintf(r->config, sizeof r->config, "%s/run.ini", r->folder);
  snprintf(r->output, sizeof r->output, "%s/again%.80s", r->folder, suffix_of(r->name));
  FILE *f = fopen(r->config, "w");
  const int bad = !f || fputs(text_of(r->provenance, "config"), f) < 0;
  if ((f && fclose(f)) || bad) return PRI_FAIL(r->ctx, PRI_EWRITE, "%s: cannot be written: %s", r->config, strerror(errno));
  return PRI_OK;
}

static void remove_folder(struct replay *r) {
  char side[3200];
  char *inside = strstr(r->output, ":/");
  if (!r->folder[0]) return;
  if (inside) *inside = 0;
  snprintf(side, sizeof side, "%s.json", r->output);
  unlink(side);
  unlink(r->output);
  unlink(r->config);
  rmdir(r->folder);
}

/* A signal that came to us alone is passed on. */
static pri_status wait_for(struct replay *r, pid_t child) {
  int how = 0, told = 0;
  pid_t ended;
  while ((ended = waitpid(child, &how, WNOHANG)) == 0) {
    if (pri_ctx_cancelled(r->ctx) && !told++) kill(child, SIGTERM);
    (void)poll(NULL, 0, 20);
  }
  if (pri_ctx_cancelled(r->ctx)) return PRI_FAIL(r->ctx, PRI_ECANCEL, "interrupted");
  if (ended < 0 || !WIFEXITED(how)) return PRI_FAIL(r->ctx, PRI_EREAD, "%s: the run that makes it again has died", r->name);
  r->status = WEXITSTATUS(how);
  return PRI_OK;
}

static pri_status start(struct replay *r, const char **argv) {
  fflush(NULL);
  const pid_t child = fork();
  if (child < 0) return PRI_FAIL(r->ctx, PRI_ENOMEM, "%s: cannot start the run: %s", r->name, strerror(errno));
  if (child == 0) {
    execv("/proc/self/exe", (char *const *)argv);
    _exit(127);
  }
  return wait_for(r, child);
}

static pri_status run_again(struct replay *r) {
  const pri_options *o = r->call->opts;
  const size_t n = json_array_size(json_object_get(r->provenance, "inputs"));
  const int simulated = json_is_null(json_object_get(r->provenance, "certificate"));
  const char **argv;
  char threads[32], mem[32];
  size_t k = 0;
  PRI_ALLOC(r->ctx, argv, n + 20);
  argv[k++] = "priori";
  argv[k++] = simulated ? "simulate" : "reconstruct";
  if (!o->verbose) argv[k++] = "-q";
  if (n > 1) argv[k++] = "--as-stack";
  if (o->threads) snprintf(threads, sizeof threads, "%ld", o->threads), argv[k++] = "-j", argv[k++] = threads;
  if (o->mem > 0) snprintf(mem, sizeof mem, "%.0f", o->mem), argv[k++] = "--mem", argv[k++] = mem;
  if (o->scratch) argv[k++] = "--scratch", argv[k++] = o->scratch;
  argv[k++] = "-o", argv[k++] = r->output, argv[k++] = "--", argv[k++] = r->config;
  for (size_t i = 0; i < n; i++) argv[k++] = input_name(r, i);
  const pri_status s = start(r, argv);
  pri_free(r->ctx, argv);
  return s;
}

/* ---- pixels */

static void compare_item(struct difference *d, const pri_real *a, const pri_real *b, ptrdiff_t n, ptrdiff_t item) {
  for (ptrdiff_t i = 0; i < n; i++) {
    if (!memcmp(&a[i], &b[i], sizeof a[i])) continue;
    const double v = fabs((double)a[i] - (double)b[i]);
    if (d->pixels++ == 0 || v > d->largest || isnan(v)) d->largest = isnan(v) ? INFINITY : v, d->item = item, d->at = i;
  }
}

static pri_status compare_open(struct replay *r, pri_input *was, pri_input *now, struct difference *d) {
  const pri_input_info *a = pri_input_describe(was), *b = pri_input_describe(now);
  pri_real *x = NULL, *y = NULL;
  if (a->items != b->items || !pri_shape_equal(&a->item, &b->item))
    return PRI_FAIL(r->ctx, PRI_ESHAPE, "%s: has another size than what its provenance gives now", r->name);
  const ptrdiff_t n = pri_shape_size(&a->item);
  d->shape = a->item;
  d->items = a->items;
  PRI_ALLOC(r->ctx, x, n);
  y = pri_calloc(r->ctx, (size_t)n, sizeof *y);
  pri_status s = y ? PRI_OK : pri_ctx_code(r->ctx);
  for (ptrdiff_t i = 0; i < a->items && s == PRI_OK; i++) {
    s = pri_input_read(was, x, i, 1);
    if (s == PRI_OK) s = pri_input_read(now, y, i, 1);
    if (s == PRI_OK) compare_item(d, x, y, n, i);
  }
  pri_free(r->ctx, x);
  pri_free(r->ctx, y);
  return s;
}

static pri_status compare(struct replay *r, struct difference *d) {
  pri_input *was, *now = NULL;
  PRI_TRY(pri_input_open(r->ctx, &was, r->name));
  pri_status s = pri_input_open(r->ctx, &now, r->output);
  if (s == PRI_OK) s = compare_open(r, was, now, d);
  pri_input_close(&was);
  pri_input_close(&now);
  return s;
}

static pri_status tell(struct replay *r, const struct difference *d) {
  char text[96];
  const ptrdiff_t fast = d->shape.n[d->shape.nd - 1];
  if (d->pixels) pri_call_worst(r->call, 3);
  if (r->call->opts->json)
    return pri_print_json(r->ctx, json_pack("{s:s, s:b, s:I, s:o, s:I, s:I, s:I}", "file", r->name, "same", d->pixels == 0, "differing_pixels",
                                            (json_int_t)d->pixels, "largest_difference", pri_json_number(d->largest), "slice", (json_int_t)d->item,
                                            "y", (json_int_t)(d->at / fast), "x", (json_int_t)(d->at % fast)));
  if (!d->pixels)
    pri_print("%s: the same, bit for bit: %td x (%s)\n", r->name, d->items, pri_shape_text(&d->shape, text, sizeof text));
  else
    pri_print("%s: %td of %td pixels differ, by %.6g at most: slice %td, y %td, x %td\n", r->name, d->pixels, d->items * pri_shape_size(&d->shape),
              d->largest, d->item, d->at / fast, d->at % fast);
  return PRI_OK;
}

static pri_status replay(struct replay *r) {
  struct difference d = {0};
  PRI_TRY(read_provenance(r));
  PRI_TRY(check_inputs(r));
  PRI_TRY(make_folder(r));
  PRI_TRY(run_again(r));
  if (r->status != 0 && r->status != 3) {
    pri_call_worst(r->call, r->status);
    pri_log(r->ctx, PRI_LOG_ERROR, "%s: the run that makes it again ended with status %d", r->name, r->status);
    return PRI_OK;
  }
  PRI_TRY(compare(r, &d));
  return tell(r, &d);
}

static pri_status run(pri_call *call) {
  struct replay r = {.call = call, .ctx = call->ctx, .name = call->inputs[0]};
  const pri_status s = replay(&r);
  remove_folder(&r);
  json_decref(r.provenance);
  return s;
}

static const char *const options[] = {"json", "threads", "mem", "scratch", NULL};
static const char *const examples[] = {"is this picture what its provenance says?", "replay image.tif", "the measurement lies elsewhere now",
                                       "replay image.tif /archive/sino.tif", NULL};
const pri_command pri_command_replay = {
    .name = "replay",
    .brief = "makes a result again from its own provenance and compares",
    .synopsis = "[OPTIONS] RESULT [INPUT...]",
    .options = options,
    .examples = examples,
    .more = "Status 0: the pixels agree bit for bit; 3: they do not, and how much and where is said; 4: an input is missing or is not the file "
            "that it was. Inputs are looked for under the names in the provenance, or where INPUT says, in the order in which they were given.",
    .min_inputs = 1,
    .max_inputs = -1,
    .run = run};
