/* SPDX-License-Identifier: GPL-3.0-or-later */
/* learn_state.c - after every step the state of a run goes into ".NAME.learn-state" beside the output; it is of that run only. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "learn_job.h"
#include "walk.h"

pri_status pri_learn_state_name(pri_learn_job *g) {
  const char *slash = strrchr(g->o->output, '/'), *base = slash ? slash + 1 : g->o->output;
  const int n = snprintf(g->state, sizeof g->state, "%.*s.%s.learn-state", (int)(base - g->o->output), g->o->output, base);
  if (n < (int)sizeof g->state - 40) return PRI_OK;
  return PRI_FAIL(g->ctx, PRI_EPARAM, "--output: the name is too long");
}

/* Past the number of steps in a configuration: a run may go on for more of them, or end earlier. */
static const char *past_steps(const char *c) {
  static const char key[] = "stop = steps:";
  if (strncmp(c, key, strlen(key))) return c;
  c += strlen(key);
  return c + strspn(c, "0123456789");
}

/* FNV-1a of what the run is of: a state of another run is refused. */
static uint64_t identity(const pri_learn_job *g) {
  char *text = json_dumps(g->origin, JSON_COMPACT | JSON_SORT_KEYS);
  uint64_t h = 14695981039346656037u;
  for (const char *c = past_steps(text ? text : ""); *c; c = past_steps(c + 1)) h = (h ^ (unsigned char)*c) * 1099511628211u;
  free(text);
  return h;
}

static pri_status walk_history(pri_learn_job *g, pri_walk *w) {
  char *text = json_dumps(g->history, JSON_COMPACT | JSON_REAL_PRECISION(17));
  size_t n = text ? strlen(text) : 0;
  PRI_TRY(pri_walk_bytes(w, "history size", &n, sizeof n));
  if (n > (size_t)1 << 30) return free(text), PRI_FAIL(g->ctx, PRI_EFORMAT, "%s: its history cannot be read", g->state);
  char *kept = pri_calloc(g->ctx, n + 1, 1);
  if (!kept) return free(text), pri_ctx_code(g->ctx);
  if (text && !pri_walk_loading(w)) memcpy(kept, text, n);
  free(text);
  pri_status s = pri_walk_bytes(w, "history", kept, n);
  if (s == PRI_OK && pri_walk_loading(w)) {
    json_decref(g->history);
    g->history = pri_json_parse(kept);
    if (!json_is_array(g->history)) s = PRI_FAIL(g->ctx, PRI_EFORMAT, "%s: its history cannot be read", g->state);
  }
  pri_free(g->ctx, kept);
  return s;
}

static pri_status walk_all(pri_learn_job *g, pri_walk *w, uint64_t *id) {
  PRI_TRY(pri_walk_bytes(w, "identity", id, sizeof *id));
  if (pri_walk_loading(w) && *id != identity(g))
    return PRI_FAIL(g->ctx, PRI_EPARAM, "%s belongs to a run with other data or options: delete it to start over", g->state);
  PRI_TRY(walk_history(g, w));
  PRI_TRY(pri_method_walk(g->m, w));
  if (!g->judge) return PRI_OK;
  return pri_walk_bytes(w, "judged", g->x_judge, (size_t)(pri_lower_samples(g->judge) * pri_lower_size(g->judge)) * sizeof *g->x_judge);
}

static pri_status walk(pri_learn_job *g, pri_walk_mode what) {
  pri_walk *w;
  uint64_t id = identity(g);
  PRI_TRY(pri_walk_begin(g->ctx, &w, what, g->state));
  const pri_status s = walk_all(g, w, &id), ended = pri_walk_end(&w, s != PRI_OK);
  return s == PRI_OK ? ended : s;
}

void pri_learn_state_save(pri_learn_job *g) {
  if (walk(g, PRI_WALK_SAVE) != PRI_OK) pri_log(g->ctx, PRI_LOG_WARN, "what --resume needs cannot be kept: %s", pri_ctx_message(g->ctx));
}

pri_status pri_learn_state_load(pri_learn_job *g) {
  if (!g->o->resume || access(g->state, F_OK)) return PRI_OK;
  PRI_TRY(walk(g, PRI_WALK_LOAD));
  pri_log(g->ctx, PRI_LOG_INFO, "goes on after step %zu", json_array_size(g->history));
  return PRI_OK;
}
