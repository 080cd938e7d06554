/* SPDX-License-Identifier: GPL-3.0-or-later */
/* json.h - jansson for this project: finite numbers only (null otherwise), texts always valid UTF-8, shapes as arrays. */
#ifndef PRI_JSON_H
#define PRI_JSON_H
#include <jansson.h>
#include "priori/array.h"
#include "priori/kind.h"

json_t *pri_json_number(double v);                  /* null for NAN and infinities; whole numbers below 2^53 without ".0" */
json_t *pri_json_text(const char *s);               /* NULL gives null; bytes that are not UTF-8 become U+FFFD */
json_t *pri_json_shape(const ptrdiff_t *n, int nd); /* [slowest, ..., fastest] */
json_t *pri_json_parse(const char *text);           /* NULL or bad text: null */
/* object[key] = value (reference taken, also on failure): NULL values and memory failures end in ENOMEM */
PRI_MUST_CHECK pri_status pri_json_set(pri_ctx *ctx, json_t *object, const char *key, json_t *value);
PRI_MUST_CHECK pri_status pri_json_append(pri_ctx *ctx, json_t *array, json_t *value);
/* Shortens the numbers of a dumped text in place ("0.29999999999999999" to "0.3"): they read back to the same bits. */
void pri_json_shorten(char *text);
json_t *pri_json_param(const pri_param *row);       /* name type unit min max default choices help */
json_t *pri_json_kind(const pri_kind *kind);        /* name brief cite parameters */
#endif
