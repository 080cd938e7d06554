/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * filterbank.h (k) - K filters of side x side taps on planes of ny x nx pixels: responses, and the adjoint, without the responses ever being in
 * memory as images.
 *
 *   (C_k x)[j, i] = sum_{v,u} c_k[v, u] x[j + v - h, i + u - h],  0 <= j < rows, 0 <= i < cols;   y = sum_k C_k'r_k
 *   mirror: h = (side - 1) / 2 rounded down, rows = ny, cols = nx, the image goes on as in a mirror: x[-1] = x[0], x[-2] = x[1], x[ny] = x[ny - 1]
 *   else:   h = 0, rows = ny - side + 1, cols = nx - side + 1: where the filter lies inside
 *
 * A pass goes over tiles of 3 vectors of responses of all filters: forward, then `fn` (a nonlinearity, a product, a sum: what the pass is
 * for), then the adjoint. Rows of the adjoint collect in `side` rows of sums per tap column, which are shifted and added last. Planes are cut into
 * strips of rows, the same for any number of threads; a strip makes the responses that it reads again itself.
 * Every element of y: sums over filters, then rows, then columns of taps, whatever tile it is in.
 */
#ifndef PRI_FILTERBANK_H
#define PRI_FILTERBANK_H
#include "filterbank_steps.h"
#include "priori/context.h"
typedef struct pri_filterbank {
  int count, side, mirror, wide, workers; /* mirror: borders; wide: elements are double, whatever pri_real is; workers: that scratch has room for */
  ptrdiff_t planes, ny, nx, rows, cols, tiles; /* rows, cols: of responses, >= 0; tiles of a row */
  ptrdiff_t before, ey, ex;        /* h; of the image and what it goes on with */
  const pri_bank_kernels *k;
  void *forward, *backward;        /* taps in the kernels' orders */
} pri_filterbank;
typedef struct pri_filterbank_tile {
  ptrdiff_t strip, plane, row, col; /* row, col: of the first response */
  int n, pitch;                     /* responses that count; from one filter to the next */
  size_t at;                        /* the tile's place in a cache laid out by tiles: [count][pitch] elements */
  int vectors;                      /* that hold responses */
  const void *rows[2][PRI_BANK_SIDE]; /* pixels that the tile reads, of x and x2 */
} pri_filterbank_tile;
/* r, r2: [count][pitch] elements, of the two banks; whole vectors may be written, what is beyond n does not count. arg is the pass's.
   With y, rows that two strips need are given to both: what fn writes elsewhere must be the strip's own. */
typedef void (*pri_filterbank_fn)(const void *arg, const pri_filterbank_tile *t, void *r, void *r2);
typedef struct pri_filterbank_pass {
  const pri_filterbank *bank, *second; /* second: of the same size; NULL: none */
  const pri_real *x, *x2;          /* images, [planes][ny][nx], of bank and second; x NULL: fn fills r. x2 NULL: x */
  void *y;                         /* [planes][ny][nx] elements; NULL: no adjoint. Both banks' adjoints add up in it */
  int add, keep2;                  /* y += ; keep2: r2 has no part in y */
  pri_filterbank_fn fn;
  const void *arg;
  void *scratch;                   /* pri_filterbank_scratch bytes, 64-byte aligned */
} pri_filterbank_pass;
/* EPARAM: count < 1 or side outside [1, PRI_BANK_SIDE]; ENOMEM, EBUDGET. fini takes what init left, always */
PRI_MUST_CHECK pri_status pri_filterbank_init(pri_ctx *ctx, pri_filterbank *b, int count, int side, ptrdiff_t planes, ptrdiff_t ny, ptrdiff_t nx, int mirror, int wide);
void pri_filterbank_fini(pri_ctx *ctx, pri_filterbank *b);
void pri_filterbank_set(pri_filterbank *b, const double *taps);               /* [count][side][side] */
ptrdiff_t pri_filterbank_mirror(ptrdiff_t i, ptrdiff_t n);                   /* 0 <= index < n of what stands at i, any i */
ptrdiff_t pri_filterbank_strips(const pri_filterbank *b, int adjoint);       /* of all planes; adjoint: of passes with a y */
size_t pri_filterbank_scratch(const pri_filterbank *b);                       /* bytes of any pass: a share a worker */
size_t pri_filterbank_share(const pri_filterbank *b);                         /* bytes of one worker, a multiple of 64 */
ptrdiff_t pri_filterbank_grain(const pri_ctx *ctx, const pri_filterbank *b, int adjoint); /* strips of a chunk, so that no more workers come than have room */
size_t pri_filterbank_taps(const pri_filterbank *b);                          /* bytes of another set of taps, a multiple of 64 */
pri_filterbank pri_filterbank_alike(const pri_filterbank *b, void *taps);     /* the same but for its taps, kept in `taps`; needs no fini */
size_t pri_filterbank_cache(const pri_filterbank *b);                         /* elements of a cache laid out by tiles */
void pri_filterbank_run(pri_ctx *ctx, const pri_filterbank_pass *p);
void pri_filterbank_strip(const pri_filterbank_pass *p, ptrdiff_t strip, void *share);  /* one of pri_filterbank_strips; share: of the worker */
/* r of filter k: r = gain phi', gain phi''; scale = 1 / nu (filterbank_steps.h) */
void pri_filterbank_map(const pri_filterbank *b, pri_bank_map map, void *r, const pri_filterbank_tile *t, int k, double scale, double gain);
#endif
