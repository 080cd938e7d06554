/* SPDX-License-Identifier: GPL-3.0-or-later */
/* io_mat_parse.c - elements of MAT version 5 ("MAT-File Format", MathWorks): a tag of type and length, small elements within their tag,
   padding to 8 bytes; a matrix is flags, dimensions, name, and samples or fields. Every length is held against what is left. */
#include "config.h"
#include <string.h>
#include "io_mat.h"

typedef struct { uint32_t type; const unsigned char *data; size_t n; } element;
enum { MI_INT8 = 1, MI_INT32 = 5, MI_UINT32 = 6, MI_MATRIX = 14, MOST_FIELDS = 4096 };

uint32_t pri_mat_u32(const unsigned char *p, int swap) {
  uint32_t v;
  unsigned char b[4];
  memcpy(b, p, 4);
  if (swap) b[0] = p[3], b[1] = p[2], b[2] = p[1], b[3] = p[0];
  memcpy(&v, b, 4);
  return v;
}

static int next(mat_bytes *from, element *e) {
  if (from->end - from->p < 8) return 0;
  const uint32_t word = pri_mat_u32(from->p, from->swap);
  if (word >> 16) {                        /* small: length and type share a word */
    *e = (element){word & 0xffff, from->p + 4, word >> 16};
    from->p += 8;
    return e->n <= 4;
  }
  *e = (element){word, from->p + 8, pri_mat_u32(from->p + 4, from->swap)};
  const size_t left = (size_t)(from->end - e->data), padded = (e->n + 7) / 8 * 8;
  if (e->n > left) return 0;
  from->p = e->data + (padded < left ? padded : left);
  return 1;
}

static int take_dimensions(mat_array *a, const element *e, int swap) {
  const size_t nd = e->n / 4;
  if (e->type != MI_INT32 || nd < 1 || nd > PRI_MAXDIM) return 0;
  a->nd = (int)nd;
  a->size = 1;
  for (int k = 0; k < a->nd; ++k) {
    const uint32_t v = pri_mat_u32(e->data + 4 * k, swap);
    if (v > INT32_MAX || (v && a->size > PTRDIFF_MAX / 32 / (ptrdiff_t)v)) return 0;
    a->size *= a->dim[k] = (ptrdiff_t)v;
  }
  return 1;
}

int pri_mat_array(mat_bytes *from, mat_array *a) {
  element e, flags, dims, name;
  *a = (mat_array){0};
  if (!next(from, &e) || e.type != MI_MATRIX) return 0;
  a->rest = (mat_bytes){e.data, e.data + e.n, from->swap};
  if (e.n == 0) return a->nd = 2, a->class = MAT_DOUBLE, 1;          /* an empty matrix */
  if (!next(&a->rest, &flags) || flags.type != MI_UINT32 || flags.n < 4) return 0;
  const uint32_t f = pri_mat_u32(flags.data, from->swap);
  a->class = (int)(f & 255), a->complex = (f & 0x800) != 0;
  if (!next(&a->rest, &dims) || !take_dimensions(a, &dims, from->swap) || !next(&a->rest, &name)) return 0;
  memcpy(a->name, name.data, name.n < sizeof a->name ? name.n : sizeof a->name - 1);
  return 1;
}

/* names are `length` bytes each, one behind the other; the fields follow in that order */
static int field_names(const mat_array *a, mat_bytes *rest, element *names, size_t *length) {
  element e;
  *rest = a->rest;
  if (a->class != MAT_STRUCT || a->size != 1 || !next(rest, &e) || e.type != MI_INT32 || e.n < 4) return 0;
  *length = pri_mat_u32(e.data, rest->swap);
  return next(rest, names) && names->type == MI_INT8 && *length > 0 && *length <= 64 && names->n / *length <= MOST_FIELDS;
}

int pri_mat_field_at(const mat_array *a, int i, char name[64], mat_array *field) {
  mat_bytes rest;
  element names;
  size_t length;
  if (!field_names(a, &rest, &names, &length) || (size_t)i >= names.n / length) return 0;
  memset(name, 0, 64);
  memcpy(name, names.data + (size_t)i * length, length < 64 ? length : 63);
  for (int k = 0; k <= i; ++k)
    if (!pri_mat_array(&rest, field)) return 0;
  return 1;
}

int pri_mat_field(const mat_array *a, const char *name, mat_array *field) {
  char found[64];
  for (int i = 0; pri_mat_field_at(a, i, found, field); ++i)
    if (strcmp(found, name) == 0) return 1;
  return 0;
}

int pri_mat_samples(const mat_array *a, pri_dtype *type, const unsigned char **data) {
  static const struct { uint32_t mi; pri_dtype type; } types[] = {{1, PRI_I8}, {2, PRI_U8}, {3, PRI_I16}, {4, PRI_U16}, {5, PRI_I32},
      {6, PRI_U32},
    {7, PRI_F32}, {9, PRI_F64}, {12, PRI_I64}, {13, PRI_U64}};
  mat_bytes rest = a->rest;
  element e;
  if (a->class < MAT_DOUBLE || a->class > MAT_UINT64 || a->complex || !next(&rest, &e)) return 0;
  for (size_t i = 0; i < sizeof types / sizeof *types; ++i)
    if (types[i].mi == e.type && e.n / pri_dtype_bytes(types[i].type) >= (size_t)a->size) return *type = types[i].type, *data = e.data, 1;
  return 0;
}

int pri_mat_number(const mat_array *a, double *v) {
  pri_dtype type;
  const unsigned char *data;
  if (a->size != 1 || !pri_mat_samples(a, &type, &data)) return 0;
  pri_samples_double(v, data, type, a->rest.swap, 1);
  return 1;
}

size_t pri_mat_text(const mat_array *a, char *out, size_t room) {
  mat_bytes rest = a->rest;
  element e;
  size_t n = 0;
  out[0] = 0;
  if (a->class != MAT_CHAR || !next(&rest, &e)) return 0;
  const size_t width = e.type == 4 || e.type == 17 ? 2 : 1, low = width == 2 && (pri_big_endian() ^ a->rest.swap) ? 1 : 0;
  for (size_t i = 0; i + width <= e.n && n + 1 < room; i += width) {
    const unsigned char c = e.data[i + low];
    out[n++] = c >= 32 && c < 127 && (width == 1 || e.data[i + 1 - low] == 0) ? (char)c : '?';
  }
  out[n] = 0;
  return n;
}
