/* SPDX-License-Identifier: GPL-3.0-or-later */
/* filterbank.c - tiles, strips and their scratch; see filterbank.h. */
#include "filterbank.h"
#include <string.h>
#include "par.h"

enum { HEIGHT = 128, ALONE = 96, LINE = 64 }; /* rows of two strips; of a plane that is one strip; bytes */

/* What a worker has while it works on a strip; counts are elements. */
struct desk {
  const pri_filterbank_pass *p;
  size_t line, sums;             /* of a row of pixels; of one of sums */
  char *image[2], *sum, *r[2];   /* [side] rows, by row % side; [side][side] rows; [count][pitch] */
  ptrdiff_t plane, strip, y0, y1; /* output rows */
};

static size_t up(size_t n, size_t to) { return (n + to - 1) / to * to; }
static size_t pitch(const pri_filterbank *b) { return (size_t)(PRI_BANK_VECTORS * b->k->lanes); }
static size_t padded(const pri_filterbank *b) { return up((size_t)b->count, (size_t)b->k->filters); }
static size_t line(const pri_filterbank *b) { return up((size_t)b->tiles * pitch(b) + (size_t)b->side, LINE); }
static size_t margin(const pri_filterbank *b) { return up((size_t)b->side - 1, (size_t)b->k->lanes); } /* of a row of sums, on its left */
static size_t sums(const pri_filterbank *b) { return up(margin(b) + (size_t)b->tiles * pitch(b) + (size_t)b->side, LINE); }
static int pieces(const pri_filterbank *b) { return (b->side + b->k->width - 1) / b->k->width; }
static int piece_at(const pri_filterbank *b, int i) { return b->side * i / pieces(b); } /* of nearly equal widths */

pri_status pri_filterbank_init(pri_ctx *ctx, pri_filterbank *b, int count, int side, ptrdiff_t planes, ptrdiff_t ny, ptrdiff_t nx, int mirror, int wide) {
  *b = (pri_filterbank){.count = count, .side = side, .mirror = mirror, .wide = wide, .workers = pri_par_workers(ctx), .planes = planes, .ny = ny, .nx = nx, .k = pri_bank_kernels_best(wide)};
  if (count < 1 || side < 1 || side > PRI_BANK_SIDE)
    return PRI_FAIL(ctx, PRI_EPARAM, "%d filters of %d x %d taps: at least 1, of 1 to %d", count, side, side, PRI_BANK_SIDE);
  b->before = mirror ? (side - 1) / 2 : 0, b->ey = ny + (mirror ? side - 1 : 0), b->ex = nx + (mirror ? side - 1 : 0);
  b->rows = b->ey >= side ? b->ey - side + 1 : 0, b->cols = b->ex >= side ? b->ex - side + 1 : 0;
  b->tiles = (b->cols + (ptrdiff_t)pitch(b) - 1) / (ptrdiff_t)pitch(b);
  const size_t taps = (size_t)(side * side);
  b->forward = pri_calloc(ctx, padded(b) * taps, b->k->size);
  b->backward = b->forward ? pri_calloc(ctx, (size_t)count * taps, b->k->size) : NULL;
  return b->backward ? PRI_OK : pri_ctx_code(ctx);
}

void pri_filterbank_fini(pri_ctx *ctx, pri_filterbank *b) {
  pri_free(ctx, b->forward);
  pri_free(ctx, b->backward);
  b->forward = b->backward = NULL;
}

static void put(const pri_filterbank *b, void *to, size_t at, double value) {
  if (b->k->size == sizeof(float)) ((float *)to)[at] = (float)value;
  else ((double *)to)[at] = value;
}

void pri_filterbank_set(pri_filterbank *b, const double *taps) {
  const int side = b->side, F = b->k->filters;
  for (int k = 0; k < b->count; k++)
    for (int u = 0; u < side * side; u++)
      put(b, b->forward, ((size_t)(k / F) * (size_t)(side * side) + (size_t)u) * (size_t)F + (size_t)(k % F), taps[k * side * side + u]);
  size_t at = 0;
  for (int v = 0; v < side; v++) /* [side][pieces][count][width] */
    for (int i = 0; i < pieces(b); i++)
      for (int k = 0; k < b->count; k++)
        for (int u = piece_at(b, i); u < piece_at(b, i + 1); u++) put(b, b->backward, at++, taps[(k * side + v) * side + u]);
}

/* ---- strips: a plane is one, or an even number of about HEIGHT / 2 rows */

static ptrdiff_t strips_of(ptrdiff_t rows) { return rows <= ALONE ? 1 : 2 * ((rows + HEIGHT - 1) / HEIGHT); }
static ptrdiff_t extent(const pri_filterbank *b, int adjoint) { return adjoint ? b->ny : b->rows; }
ptrdiff_t pri_filterbank_strips(const pri_filterbank *b, int adjoint) { return b->planes * strips_of(extent(b, adjoint)); }
size_t pri_filterbank_cache(const pri_filterbank *b) { return (size_t)(b->planes * b->rows * b->tiles) * (size_t)b->count * pitch(b); }

size_t pri_filterbank_share(const pri_filterbank *b) {
  const size_t side = (size_t)b->side;
  return up((2 * side * line(b) + side * side * sums(b) + 2 * padded(b) * pitch(b)) * b->k->size, LINE);
}

size_t pri_filterbank_scratch(const pri_filterbank *b) {
  const ptrdiff_t strips = pri_filterbank_strips(b, 1);
  return pri_filterbank_share(b) * (size_t)(strips < b->workers ? strips : b->workers);
}

ptrdiff_t pri_filterbank_grain(const pri_ctx *ctx, const pri_filterbank *b, int adjoint) { /* more threads than it was made for: serial */
  return pri_par_workers(ctx) > b->workers ? pri_filterbank_strips(b, adjoint) : 1;
}

static size_t forward_taps(const pri_filterbank *b) { return up(padded(b) * (size_t)(b->side * b->side) * b->k->size, LINE); }
size_t pri_filterbank_taps(const pri_filterbank *b) { return 2 * forward_taps(b); }

pri_filterbank pri_filterbank_alike(const pri_filterbank *b, void *taps) {
  pri_filterbank c = *b;
  memset(taps, 0, pri_filterbank_taps(b));
  c.forward = taps, c.backward = (char *)taps + forward_taps(b);
  return c;
}

static void sit(struct desk *d, const pri_filterbank_pass *p, char *share) {
  const pri_filterbank *b = p->bank;
  const size_t side = (size_t)b->side, size = b->k->size, image = side * line(b) * size, r = padded(b) * pitch(b) * size;
  *d = (struct desk){.p = p, .line = line(b), .sums = sums(b), .image = {share, share + image}};
  share += 2 * image, d->r[0] = share, d->r[1] = share + r, d->sum = share + 2 * r;
}

/* ---- rows of pixels into the desk */

ptrdiff_t pri_filterbank_mirror(ptrdiff_t i, ptrdiff_t n) {
  const ptrdiff_t r = (i % (2 * n) + 2 * n) % (2 * n);
  return r < n ? r : 2 * n - 1 - r;
}

/* [before] pixels in the mirror, n, and so many more in the mirror; then zeros */
#define FETCH(name, type)                                                                                                  \
  static void name(void *to, const pri_real *restrict x, const pri_filterbank *b, size_t all) {                            \
    type *restrict t = to;                                                                                                 \
    for (ptrdiff_t i = 0; i < b->before; i++) t[i] = (type)x[pri_filterbank_mirror(i - b->before, b->nx)];                 \
    for (ptrdiff_t i = 0; i < b->nx; i++) t[b->before + i] = (type)x[i];                                                   \
    for (ptrdiff_t i = b->before + b->nx; i < b->ex; i++) t[i] = (type)x[pri_filterbank_mirror(i - b->before, b->nx)];     \
    memset(t + b->ex, 0, (all - (size_t)b->ex) * sizeof *t);                                                               \
  }
FETCH(fetch_float, float)
FETCH(fetch_double, double)

static void fetch(const struct desk *d, int which, const pri_real *x, ptrdiff_t e) {
  const pri_filterbank *b = d->p->bank;
  char *to = d->image[which] + (size_t)(e % b->side) * d->line * b->k->size;
  const pri_real *row = x + (d->plane * b->ny + pri_filterbank_mirror(e - b->before, b->ny)) * b->nx;
  (b->k->size == sizeof(float) ? fetch_float : fetch_double)(to, row, b, d->line);
}

static void fetch_both(const struct desk *d, ptrdiff_t y) {
  if (d->p->x) fetch(d, 0, d->p->x, y);
  if (d->p->x2) fetch(d, 1, d->p->x2, y);
}

/* ---- tiles */

static char *sum_row(const struct desk *d, ptrdiff_t y) { return d->sum + (size_t)(y % d->p->bank->side) * (size_t)d->p->bank->side * d->sums * d->p->bank->k->size; }

/* what lies beyond the last response of a row is 0 */
static void cut(const pri_filterbank *b, char *r, int n, int vectors) {
  const size_t size = b->k->size, from = (size_t)n * size, to = (size_t)(vectors * b->k->lanes) * size;
  for (int k = 0; k < b->count && from < to; k++) memset(r + (size_t)k * pitch(b) * size + from, 0, to - from);
}

/* into the first cache what the next row of taps adds to */
static void warm(const struct desk *d, const char *to, int vectors) {
  const pri_filterbank *b = d->p->bank;
  for (int u = 0; u < b->side; u++, to += d->sums * b->k->size)
    for (int v = 0; v < vectors; v++) PRI_BANK_WARM(to + (size_t)(v * b->k->lanes) * b->k->size);
}

static void add_back(const struct desk *d, const pri_filterbank *b, const char *r, const pri_filterbank_tile *t, int vectors) {
  const size_t size = b->k->size;
  const char *taps = b->backward;
  for (int v = 0; v < b->side; v++) {
    const ptrdiff_t y = t->row + v;
    char *to = sum_row(d, y) + (margin(b) + (size_t)t->col) * size;
    if (v + 1 < b->side) warm(d, sum_row(d, y + 1) + (margin(b) + (size_t)t->col) * size, vectors);
    for (int i = 0; i < pieces(b); i++) {
      const int at = piece_at(b, i), width = piece_at(b, i + 1) - at;
      if (y >= d->y0 && y < d->y1) b->k->backward(to + (size_t)at * d->sums * size, (ptrdiff_t)d->sums, taps, r, b->count, width, vectors);
      taps += (size_t)(b->count * width) * size;
    }
  }
}

static void work_tile(struct desk *d, pri_filterbank_tile *t, ptrdiff_t tile) {
  const pri_filterbank_pass *p = d->p;
  const pri_filterbank *b = p->bank, *banks[2] = {p->bank, p->second};
  const ptrdiff_t col = tile * (ptrdiff_t)pitch(b), left = b->cols - col;
  t->col = col, t->n = left < t->pitch ? (int)left : t->pitch;
  t->at = (size_t)((d->plane * b->rows + t->row) * b->tiles + tile) * (size_t)b->count * pitch(b);
  const int vectors = t->vectors = (t->n + b->k->lanes - 1) / b->k->lanes;
  for (int i = 0; i < 2; i++)
    for (int v = 0; v < b->side; v++) {
      const char *from = d->image[i && p->x2] + (size_t)((t->row + v) % b->side) * d->line * b->k->size;
      t->rows[i][v] = from + (size_t)col * b->k->size;
    }
  for (int i = 0; i < 2 && p->x; i++)
    if (banks[i]) b->k->forward(d->r[i], banks[i]->forward, t->rows[i], (int)(padded(b) / (size_t)b->k->filters), b->side, vectors);
  if (p->fn) p->fn(p->arg, t, d->r[0], d->r[1]);
  for (int i = 0; i < 2 && p->y; i++) {
    if (!banks[i] || (i && p->keep2)) continue;
    cut(b, d->r[i], t->n, vectors);
    add_back(d, banks[i], d->r[i], t, vectors);
  }
}

/* ---- y of one row: sums of the columns of taps, shifted; what stands in the mirror goes back to where it came from */

#define SHIFT(name, type)                                                                                                  \
  static void name(void *y, void *s, size_t pitch_, size_t first, const pri_filterbank *b) {                               \
    type *restrict to = y, *all = s;                                                                                       \
    type *restrict sum = all + first; /* of tap column 0, becomes that of all */                                           \
    for (int u = 1; u < b->side; u++) {                                                                                    \
      const type *restrict from = all + (size_t)u * pitch_ + first - (size_t)u;                                            \
      for (ptrdiff_t i = 0; i < b->ex; i++) sum[i] += from[i];                                                             \
    }                                                                                                                      \
    for (ptrdiff_t i = 0; i < b->before; i++) to[pri_filterbank_mirror(i - b->before, b->nx)] += sum[i];                   \
    for (ptrdiff_t i = 0; i < b->nx; i++) to[i] += sum[b->before + i];                                                     \
    for (ptrdiff_t i = b->before + b->nx; i < b->ex; i++) to[pri_filterbank_mirror(i - b->before, b->nx)] += sum[i];       \
  }
SHIFT(shift_float, float)
SHIFT(shift_double, double)

static char *output(const struct desk *d, ptrdiff_t y) {
  const pri_filterbank *b = d->p->bank;
  return (char *)d->p->y + (size_t)((d->plane * b->ny + y) * b->nx) * b->k->size;
}

static void finish_row(const struct desk *d, ptrdiff_t e) {
  const pri_filterbank *b = d->p->bank;
  char *from = sum_row(d, e);
  (b->k->size == sizeof(float) ? shift_float : shift_double)(output(d, pri_filterbank_mirror(e - b->before, b->ny)), from, d->sums, margin(b), b);
  memset(from, 0, (size_t)b->side * d->sums * b->k->size);
}

/* ---- passes */

/* Rows of y that the strip makes become rows of the extended image, with those in the mirror. */
static void extend(struct desk *d, ptrdiff_t y0, ptrdiff_t y1) {
  const pri_filterbank *b = d->p->bank;
  for (ptrdiff_t y = y0; y < y1 && !d->p->add; y++) memset(output(d, y), 0, (size_t)b->nx * b->k->size);
  d->y0 = y0 > 0 ? y0 + b->before : 0, d->y1 = y1 < b->ny ? y1 + b->before : b->ey;
}

void pri_filterbank_strip(const pri_filterbank_pass *p, ptrdiff_t strip, void *share) {
  const pri_filterbank *b = p->bank;
  const ptrdiff_t rows = extent(b, p->y != NULL), many = strips_of(rows), nth = strip % many, reach = b->side - 1;
  struct desk d;
  sit(&d, p, share);
  d.strip = strip, d.plane = strip / many, d.y0 = rows * nth / many, d.y1 = rows * (nth + 1) / many; /* of nearly equal heights, more than any mirror reaches */
  if (p->y) {
    extend(&d, d.y0, d.y1);
    memset(d.sum, 0, (size_t)(b->side * b->side) * d.sums * b->k->size);
  }
  const ptrdiff_t first = p->y && d.y0 > reach ? d.y0 - reach : p->y ? 0 : d.y0, last = d.y1 < b->rows ? d.y1 : b->rows; /* responses */
  pri_filterbank_tile t = {.strip = strip, .plane = d.plane, .pitch = (int)pitch(b)};
  for (ptrdiff_t y = first; y < first + reach && first < last; y++) fetch_both(&d, y);
  for (t.row = first; t.row < last; t.row++) {
    fetch_both(&d, t.row + reach);
    for (ptrdiff_t i = 0; i < b->tiles; i++) work_tile(&d, &t, i);
    if (p->y && t.row >= d.y0) finish_row(&d, t.row);
  }
  for (ptrdiff_t y = last > d.y0 ? last : d.y0; y < d.y1 && p->y; y++) finish_row(&d, y);
}

static pri_status some_strips(void *arg, int worker, ptrdiff_t first, ptrdiff_t last) {
  const pri_filterbank_pass *p = arg;
  for (ptrdiff_t i = first; i < last; i++) pri_filterbank_strip(p, i, (char *)p->scratch + (size_t)worker * pri_filterbank_share(p->bank));
  return PRI_OK;
}

void pri_filterbank_run(pri_ctx *ctx, const pri_filterbank_pass *p) {
  pri_filterbank_pass mine = *p;
  (void)pri_par_for(ctx, pri_filterbank_strips(p->bank, p->y != NULL), pri_filterbank_grain(ctx, p->bank, p->y != NULL), some_strips, &mine); /* cannot fail */
}

void pri_filterbank_map(const pri_filterbank *b, pri_bank_map map, void *r, const pri_filterbank_tile *t, int k, double scale, double gain) {
  b->k->map[map]((char *)r + (size_t)k * pitch(b) * b->k->size, t->vectors * b->k->lanes, scale, gain);
}
