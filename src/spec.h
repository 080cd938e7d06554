/* SPDX-License-Identifier: GPL-3.0-or-later */
/* spec.h (k) - walking over the items of a spec; the public calls are in priori/kind.h. */
#ifndef PRI_SPEC_H
#define PRI_SPEC_H
#include "priori/kind.h"
typedef struct pri_spec_item {
  const char *key;
  size_t key_n;      /* 0: a value without '=' */
  const char *value; /* with its quotes */
  size_t value_n;
} pri_spec_item;
int pri_spec_next(const char **at, pri_spec_item *item);        /* 1: got one; 0: the end; -1: a quote is not closed */
int pri_spec_item_is(const pri_spec_item *item, const char *key);
char *pri_spec_value(pri_ctx *ctx, const pri_spec_item *item);  /* without quotes, by pri_calloc; NULL: no memory */
/* value as it stands in a spec, in quotes where it needs them ("a"'"'"b" where it holds one itself); out NULL: its length only */
size_t pri_spec_quoted(char *out, const char *value);
#endif
