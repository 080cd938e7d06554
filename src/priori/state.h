/* SPDX-License-Identifier: GPL-3.0-or-later */
/* priori/state.h - one visitor names every array and scalar of an iteration: saves, loads, hashes and counts it. */
#ifndef PRIORI_STATE_H
#define PRIORI_STATE_H
#include <stddef.h>
#include "priori/array.h"
#ifdef __cplusplus
extern "C" {
#endif
typedef struct pri_walk pri_walk;
/* Called by a class's walk function for everything that the next step depends on, always in the same order. What the walk does with it
   (save, load, hash, count) is its maker's business. name: at most 63 bytes. EREAD, EWRITE, EFORMAT: pass them on. */
PRI_API PRI_MUST_CHECK pri_status pri_walk_array(pri_walk *w, const char *name, pri_array *a);
PRI_API PRI_MUST_CHECK pri_status pri_walk_bytes(pri_walk *w, const char *name, void *data, size_t bytes);
#ifdef __cplusplus
}
#endif
#endif
