/* SPDX-License-Identifier: GPL-3.0-or-later */
/* walk.h (k) - who makes a pri_walk: saving, loading, hashing, counting the state of an iteration. */
#ifndef PRI_WALK_H
#define PRI_WALK_H
#include <stdint.h>
#include "priori/state.h"
typedef enum pri_walk_mode { PRI_WALK_SAVE, PRI_WALK_LOAD, PRI_WALK_HASH, PRI_WALK_COUNT } pri_walk_mode;
/* SAVE writes path under a temporary name; LOAD reads it; HASH and COUNT take path = NULL. EREAD, EWRITE, ENOMEM */
pri_status pri_walk_begin(pri_ctx *ctx, pri_walk **out, pri_walk_mode mode, const char *path);
/* SAVE: sync and rename; LOAD: checks the hash at the end (EFORMAT). Releases w in any case; drop = 1: give up, leave nothing. */
pri_status pri_walk_end(pri_walk **w, int drop);
uint64_t pri_walk_hash(const pri_walk *w);
size_t pri_walk_count(const pri_walk *w);   /* bytes of state */
int pri_walk_loading(const pri_walk *w);    /* 1: what a walk function names was just filled in */
#endif
