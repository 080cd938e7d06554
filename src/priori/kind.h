/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * priori/kind.h - what registry, parser, help, manual and provenance know of any plug-in.
 *
 * A plug-in is asked for by a spec, "name:key=value,key=value" ("tv:0.02": the value goes to the first key). One row of a
 * parameter table is the only place where a key is described.
 */
#ifndef PRIORI_KIND_H
#define PRIORI_KIND_H
#include <stddef.h>
#include "priori/context.h"
#ifdef __cplusplus
extern "C" {
#endif
typedef enum pri_type {          /* field in the private struct */
  PRI_REAL, PRI_INT, PRI_BOOL,   /* double, long, int */
  PRI_CHOICE, PRI_TEXT,          /* int (index), char * (owned by the object) */
  PRI_QUANTITY,                  /* double, a bare number in `unit`, kept in its base unit: "0.65um" -> 0.00065 mm, 30 deg -> 0.52 rad */
  PRI_QUANTITIES,                /* double[3]: "0.65um", "0.65umx2um"; the last one given is repeated */
  PRI_SIZES,                     /* ptrdiff_t[3]: "512", "512x400", "64x64x32"; not given: 0 */
  PRI_FILE                       /* char *; the file is hashed into provenance */
} pri_type;
enum {
  PRI_P_AUTO = 1u,       /* takes "auto", which arrives in init as NAN, 0 or NULL; who resolves it says so in the help text */
  PRI_P_FROM_META = 2u,  /* filled from the input file where not given: arrives as NAN, 0 or NULL */
  PRI_P_REQUIRED = 4u,   /* no default: EPARAM where missing */
  PRI_P_WEIGHT = 8u      /* a prior's weight: the pipeline also takes rel:V, spread:V, auto:METHOD, FILE (see priori/prior.h) */
}; /* init stores what it chose, so that the effective value can be printed */
typedef struct pri_param {
  const char *name, *unit, *help;
  pri_type type;
  unsigned flags;
  size_t offset;
  double min, max, def;         /* in `unit`; def NAN: none (AUTO, FROM_META) */
  const char *const *choices;   /* PRI_CHOICE: NULL-ended; def is the index */
  const char *def_text;         /* PRI_TEXT, PRI_FILE, PRI_SIZES, PRI_QUANTITIES: default as text; NULL: none */
} pri_param;
typedef struct pri_kind {
  const char *name, *brief, *cite; /* "tv", one line, "Author Year, eq. (n)" */
  size_t size;                     /* of the private struct: zeroed, filled from params, then init() */
  const pri_param *params;         /* NULL-name ended */
  const char *const *examples;     /* key strings, NULL-ended; the conformance tests run every one */
} pri_kind;

/*
 * pri_kind_parse - fill a zeroed private struct from the keys of a spec ("factor=2,kernel=box"; NULL or "": defaults).
 * Errors  EPARAM: unknown key (the nearest one is named), bad or trailing text, out of range (range and unit are named),
 *         missing required key, a key given twice. Owned texts are released by pri_kind_release.
 */
PRI_API PRI_MUST_CHECK pri_status pri_kind_parse(pri_ctx *ctx, const pri_kind *kind, void *priv, const char *keys);
PRI_API void pri_kind_release(pri_ctx *ctx, const pri_kind *kind, void *priv);
/* Deep copy of the parameters of src into a zeroed dst (parts of operators and fidelities). */
PRI_API PRI_MUST_CHECK pri_status pri_kind_copy(pri_ctx *ctx, const pri_kind *kind, void *dst, const void *src);
/* Effective spec, every default spelled out in units that parse back to the same bits: "tv:weight=0.02". By pri_calloc; *out NULL on failure. */
PRI_API PRI_MUST_CHECK pri_status pri_kind_print(pri_ctx *ctx, const pri_kind *kind, const void *priv, char **out);
/* One value of a row by itself, the parser of options shares it: EPARAM as above. `who` begins the message. */
PRI_API PRI_MUST_CHECK pri_status pri_param_parse(pri_ctx *ctx, const char *who, const pri_param *row, void *priv, const char *text);

/* Specs as text. Each *out is by pri_calloc and NULL on failure or where the key is absent. */
PRI_API PRI_MUST_CHECK pri_status pri_spec_name(pri_ctx *ctx, const char *spec, char **out);
PRI_API const char *pri_spec_keys(const char *spec);   /* what stands behind the first ':'; "" where nothing does; borrowed */
/* first: name of the key that a value without '=' belongs to, or NULL. set: value NULL takes the key out */
PRI_API PRI_MUST_CHECK pri_status pri_spec_get(pri_ctx *ctx, const char *spec, const char *key, const char *first, char **out);
PRI_API PRI_MUST_CHECK pri_status pri_spec_set(pri_ctx *ctx, const char *spec, const char *key, const char *first, const char *value, char **out);
/* "0.65um" with base 'mm' -> 0.00065. unit: what a bare number means. Units: nm um mm cm m; deg rad; s ms min m(inute) h; 1 px bins; Hz; K M G T (bytes). */
PRI_API PRI_MUST_CHECK pri_status pri_quantity_parse(pri_ctx *ctx, const char *who, const char *text, const char *unit, double *out);
/* Edit distance suggestion: index of the nearest of n names, -1 where none is near. */
PRI_API int pri_nearest(const char *name, const char *const *names, int n);
#ifdef __cplusplus
}
#endif
#endif
