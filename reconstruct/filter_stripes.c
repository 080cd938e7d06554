/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * filter_stripes.c - stripes of a sinogram (rings of the image): bins that read too much or too little in all views, or in most of them.
 *   method=sorting          stripes_sort.c: partial and full stripes, also of changing strength; nothing else to choose than a width
 *   method=wavelet-fourier  stripes_wavelet.c: many faint stripes at once
 * What of an object is itself the same in all views (a disc about the axis) cannot be told from a stripe, and loses its sharpest parts.
 */
#include <stddef.h>
#include "priori/filter.h"
#include "stripes.h"

enum { SORTING, WAVELET };
struct stripes {
  int method;
  long width, levels;
  double sigma;
  char *family;
  ptrdiff_t views, bins;
  pri_stripes_wavelet w;
};

static pri_status init(pri_ctx *ctx, void *priv, const pri_meta *meta, const pri_shape *in, pri_shape *out) {
  struct stripes *p = priv;
  (void)meta;
  if (in->nd != 2) return PRI_FAIL(ctx, PRI_ESHAPE, "stripes: data have %d axes instead of view and bin", in->nd);
  if (p->width % 2 == 0) return PRI_FAIL(ctx, PRI_EPARAM, "stripes: width=%ld bins is even; a median has a middle where it is odd", p->width);
  p->views = in->n[0], p->bins = in->n[1];
  *out = *in;
  return p->method == WAVELET ? pri_stripes_wavelet_init(ctx, &p->w, p->family, (int)p->levels, p->sigma, in) : PRI_OK;
}

static size_t scratch(const void *priv) {
  const struct stripes *p = priv;
  return p->method == WAVELET ? pri_stripes_wavelet_scratch(&p->w) : pri_stripes_sort_scratch(p->views, p->bins);
}

static pri_status run(pri_ctx *ctx, const void *priv, pri_real *out, const pri_real *in, const ptrdiff_t *slice, ptrdiff_t items, void *work) {
  const struct stripes *p = priv;
  const ptrdiff_t n = p->views * p->bins;
  (void)slice;
  for (ptrdiff_t i = 0; i < items; i++)
    PRI_TRY(p->method == WAVELET ? pri_stripes_wavelet_run(ctx, &p->w, out + i * n, in + i * n, work)
                                 : pri_stripes_sort_run(ctx, out + i * n, in + i * n, p->views, p->bins, p->width, work));
  return PRI_OK;
}

static void fini(pri_ctx *ctx, void *priv) { pri_stripes_wavelet_fini(ctx, &((struct stripes *)priv)->w); }

static const char *const methods[] = {"sorting", "wavelet-fourier", NULL};
static const pri_param params[] = {
    {.name = "method", .unit = "", .help = "sorting (Vo et al. 2018) or wavelet-fourier (Muench et al. 2009)",
     .type = PRI_CHOICE, .offset = offsetof(struct stripes, method), .choices = methods, .def = SORTING},
    {.name = "width", .unit = "bins", .help = "sorting: bins of the median, odd; three to five times the width of the widest stripe",
     .type = PRI_INT, .offset = offsetof(struct stripes, width), .min = 3, .max = PRI_STRIPES_WIDEST, .def = 9},
    {.name = "levels", .unit = "1", .help = "wavelet-fourier: stripes up to about 2^levels bins wide",
     .type = PRI_INT, .offset = offsetof(struct stripes, levels), .min = 1, .max = 8, .def = 3},
    {.name = "sigma", .unit = "1/views", .help = "wavelet-fourier: frequencies along the views that are damped; larger: shorter stripes go too",
     .type = PRI_REAL, .offset = offsetof(struct stripes, sigma), .min = 0.1, .max = 100, .def = 2},
    {.name = "family", .unit = "", .help = "wavelet-fourier: wavelet, haar or db2 to db10 and others",
     .type = PRI_TEXT, .offset = offsetof(struct stripes, family), .def_text = "db4"},
    {0}};
static const char *const examples[] = {"width=5", "method=wavelet-fourier", "method=wavelet-fourier,levels=2,sigma=1,family=haar", NULL};
const pri_filter_class pri_filter_stripes = {
    .kind = {"stripes", "takes stripes off sinograms: no rings in the image", "Vo et al. 2018, Muench et al. 2009", sizeof(struct stripes), params, examples},
    .init = init, .run = run, .scratch = scratch, .fini = fini};
