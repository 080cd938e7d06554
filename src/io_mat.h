/* SPDX-License-Identifier: GPL-3.0-or-later */
/* io_mat.h - bounded views of the elements of a MAT v5 file that stands in memory; nothing here allocates. */
#ifndef PRI_IO_MAT_H
#define PRI_IO_MAT_H
#include "io_private.h"

enum { MAT_STRUCT = 2, MAT_CHAR = 4, MAT_DOUBLE = 6, MAT_UINT64 = 15 };          /* classes; 6 to 15 are numeric */
typedef struct mat_bytes { const unsigned char *p, *end; int swap; } mat_bytes;  /* what is left to parse */
typedef struct mat_array {
  int class, complex, nd;
  ptrdiff_t dim[PRI_MAXDIM], size;   /* size: product of dim */
  char name[64];
  mat_bytes rest;                    /* behind dimensions and name: the samples, or the fields */
} mat_array;
uint32_t pri_mat_u32(const unsigned char *p, int swap);
/* each returns 0 where the bytes are damaged or of another kind */
int pri_mat_array(mat_bytes *from, mat_array *a);                               /* next element, a matrix */
int pri_mat_field(const mat_array *a, const char *name, mat_array *field);      /* of a 1 x 1 struct */
int pri_mat_field_at(const mat_array *a, int i, char name[64], mat_array *field);
int pri_mat_samples(const mat_array *a, pri_dtype *type, const unsigned char **data);  /* all size of them; real and numeric */
int pri_mat_number(const mat_array *a, double *v);                              /* 1 x 1 */
size_t pri_mat_text(const mat_array *a, char *out, size_t room);                /* characters beyond ASCII become '?' */
#endif
