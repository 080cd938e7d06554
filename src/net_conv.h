/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * net_conv.h (k) - convolution between a fine image (ci channels, h x w) and a coarse one (co channels, ho x wo):
 *
 *   down     y[co][Y][X] = sum_{ci,u,v} w[co][ci][u][v] x~[ci][Y s + u d][X s + v d],   x~: x with a border of `pad`
 *   up       its adjoint in x, the border folded back; a transposed convolution
 *   weights  its gradient in w
 *
 * How: x~ is taken apart into s^2 phases of stride 1, each a plane of rows of one pitch, so that a tap is one offset of the whole plane and a tile of outputs is
 * a run of the plane, whatever the width of the image; what falls between rows is dropped. Planes are packed band by band, into memory of the thread's own.
 */
#ifndef PRI_NET_CONV_H
#define PRI_NET_CONV_H
#include "net.h"
enum { PRI_NET_ZERO, PRI_NET_REFLECT, PRI_NET_PERIODIC, PRI_NET_KERNEL = 15, PRI_NET_STRIDE = 4 };
typedef struct pri_conv_geometry {
  ptrdiff_t items, groups, ci, co, h, w, ho, wo;
  int kernel, stride, dilation, pad, border;
  /* by pri_conv_prepare */
  ptrdiff_t rows, pitch;              /* of a phase */
  int phases, reach, shared;          /* s^2; largest row (column) offset of a tap; shared: what is between rows and items, where zeros on the right serve as the
                                         left of what follows: pad, else 0 */
  int taps[PRI_NET_STRIDE * PRI_NET_STRIDE];                          /* of each phase */
  short tap[PRI_NET_STRIDE * PRI_NET_STRIDE][PRI_NET_KERNEL * PRI_NET_KERNEL]; /* which: u kernel + v */
} pri_conv_geometry;
typedef struct pri_conv_band {        /* items [item, item + items), rows [row, row + rows) of each */
  ptrdiff_t item, items, row, rows, height;   /* height: rows of an item as packed */
} pri_conv_band;
typedef struct pri_conv_out { /* what is done to sums: y = max(0, sum + shift), or y += */
  pri_real *y;
  const pri_real *shift;              /* [channels] or NULL */
  int relu, add;
} pri_conv_out;

void pri_conv_prepare(pri_conv_geometry *g);
/* bytes of scratch that any of the three needs */
size_t pri_conv_scratch(pri_ctx *ctx, const pri_conv_geometry *g);
/* gain: [channels of what comes out] or NULL, multiplies the weights */
pri_status pri_conv_down(pri_ctx *ctx, const pri_conv_geometry *g, const pri_conv_out *out, const pri_real *x, const pri_real *w, const pri_real *gain, void *scratch);
pri_status pri_conv_up(pri_ctx *ctx, const pri_conv_geometry *g, const pri_conv_out *out, const pri_real *y, const pri_real *w, const pri_real *gain, void *scratch);
/* gw += */
pri_status pri_conv_weights(pri_ctx *ctx, const pri_conv_geometry *g, pri_real *gw, const pri_real *x, const pri_real *y, void *scratch);
/* gb[c] += sum of v over items and pixels; [items][channels][size] */
pri_status pri_conv_sums(pri_ctx *ctx, pri_real *gb, const pri_real *v, ptrdiff_t items, ptrdiff_t channels, ptrdiff_t size);

/* ---- shared by the files of it */
enum { PRI_CONV_LEAD = 64 };          /* zeros in front of packed coarse planes: more than `reach` */
ptrdiff_t pri_conv_round(ptrdiff_t n, ptrdiff_t to);
ptrdiff_t pri_conv_source(int border, ptrdiff_t i, ptrdiff_t n);       /* index that border position i stands for; -1: zero */
/* elements of a band of a phase; and with what tiles read behind it */
ptrdiff_t pri_conv_flat(const pri_conv_geometry *g, const pri_conv_band *b);
ptrdiff_t pri_conv_plane(const pri_conv_geometry *g, const pri_conv_band *b);
/* channels [first, first + count) of x into count * phases planes: rows + reach phase rows of an item */
void pri_conv_pack_fine(const pri_conv_geometry *g, const pri_conv_band *b, pri_real *to, const pri_real *x, ptrdiff_t first, ptrdiff_t count);
/* the same of y: coarse rows from row - above on; to: behind PRI_CONV_LEAD elements that are zeroed too */
void pri_conv_pack_coarse(const pri_conv_geometry *g, const pri_conv_band *b, pri_real *to, const pri_real *y, ptrdiff_t first, ptrdiff_t count, int above);
/* bands of at most `budget` elements for `planes` planes, over `rows` rows: their common size; their number; the k-th */
pri_conv_band pri_conv_bands(const pri_conv_geometry *g, ptrdiff_t rows, ptrdiff_t planes, ptrdiff_t budget, int want);
ptrdiff_t pri_conv_band_count(const pri_conv_geometry *g, const pri_conv_band *size, ptrdiff_t rows);
pri_conv_band pri_conv_band_at(const pri_conv_geometry *g, const pri_conv_band *size, ptrdiff_t rows, ptrdiff_t k);
size_t pri_conv_weights_scratch(pri_ctx *ctx, const pri_conv_geometry *g);
#endif
