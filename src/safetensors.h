/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * safetensors.h (k) - named arrays with a card in one file: learned priors (.prior), networks (.safetensors).
 *
 *   8 bytes  N, little endian
 *   N bytes  JSON: {"name": {"dtype": "F64", "shape": [..], "data_offsets": [begin, end]}, ..., "__metadata__": {"key": "text", ...}}, blanks behind
 *   data     little endian, C order; the ranges cover all of it, without holes or overlaps
 *
 * Read: F64 F32 F16 and integers, as doubles. Everything is checked before anything is allocated by what the file says: N, names, types,
 * shapes, products, ranges against the size of the file. Source: huggingface/safetensors, format description.
 */
#ifndef PRI_SAFETENSORS_H
#define PRI_SAFETENSORS_H
#include "priori/array.h"
typedef struct pri_tensor {
  const char *name;
  int nd;
  ptrdiff_t n[PRI_MAXDIM], size; /* size: elements */
  double *data;
  int single; /* written as F32 */
} pri_tensor;
typedef struct pri_tensors pri_tensors;
/* EREAD; EFORMAT: not such a file, damaged, or a type or more axes than are read here; ENOMEM, EBUDGET. *out NULL then. */
PRI_MUST_CHECK pri_status pri_tensors_load(pri_ctx *ctx, pri_tensors **out, const char *path);
void pri_tensors_destroy(pri_ctx *ctx, pri_tensors **t);                 /* NULL is fine */
const char *pri_tensors_card(const pri_tensors *t, const char *key);     /* NULL: not on the card; borrowed */
const char *pri_tensors_card_at(const pri_tensors *t, int k);            /* its k-th key with a text; NULL: there are not so many; borrowed */
const pri_tensor *pri_tensors_find(const pri_tensors *t, const char *name);  /* NULL: none; borrowed */
int pri_tensors_count(const pri_tensors *t);
const pri_tensor *pri_tensors_at(const pri_tensors *t, int k);               /* 0 <= k < count; borrowed */
/* F64, or F32 where they are single; the order given; card: key, text, key, text, ..., NULL. EWRITE; ENOMEM, EBUDGET */
PRI_MUST_CHECK pri_status pri_tensors_save(pri_ctx *ctx, const char *path, int overwrite, const char *const *card, const pri_tensor *t, int count);
#endif
