/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * psf.h (k) - point-spread functions: drawn from a formula, or read from a file and made fit for use.
 *
 * A drawn PSF is what a pixel sees: the formula integrated over the pixel (gaussian, disk, box, airy), or, for motion, over the path of an
 * image that is linear between its pixels. Sums are 1, sizes odd, the centre in the middle. Axes: z, y, x; keys with several numbers: x first.
 */
#ifndef PRI_PSF_H
#define PRI_PSF_H
#include <math.h>
#include "priori/array.h"
#include "priori/geometry.h"
#include "priori/kind.h"

typedef struct pri_psf {
  double *h;               /* [k0][k1][k2], by pri_calloc */
  ptrdiff_t k[3], c[3];    /* extents and place of the centre */
  int separable;           /* a product of h_z(z) h_y(y) h_x(x) by construction */
} pri_psf;

typedef struct pri_psf_keys { /* the rows PRI_PSF_ROWS of a parameter table */
  char *psf, *sigma, *radius, *length, *width, *background;
  double angle, na, wavelength, index, pixel[3], psf_pixel[3];
  ptrdiff_t size[3];
  int center, negative, normalise;
  ptrdiff_t page;              /* no row: 0, or 1 + the page of the file that is taken as a plane (a channel's) */
} pri_psf_keys;

extern const char *const pri_psf_centers[], *const pri_psf_negatives[];

#define PRI_PSF_ROW(s, m, key, kind_, unit_, help_, ...) \
  {.name = key, .type = kind_, .unit = unit_, .help = help_, .offset = offsetof(s, m), __VA_ARGS__}
/* s: the private struct, k: its member of type pri_psf_keys */
#define PRI_PSF_ROWS(s, k)                                                                                                                       \
  PRI_PSF_ROW(s, k.psf, "psf", PRI_FILE, "-", "point-spread function: a file, or gaussian, disk, motion, box, airy, born-wolf (3-D)", .flags = PRI_P_REQUIRED),         \
  PRI_PSF_ROW(s, k.sigma, "sigma", PRI_TEXT, "px", "gaussian: standard deviation, V or VxVxV (x first), in px or a length (0.3um): 0.05 to 500 px, default 1; drawn to 4 sigma", .flags = 0), \
  PRI_PSF_ROW(s, k.radius, "radius", PRI_TEXT, "px", "disk: radius, in px or a length: 0.1 to 1000 px, default 2", .flags = 0),                   \
  PRI_PSF_ROW(s, k.length, "length", PRI_TEXT, "px", "motion: length of the path, in px or a length: up to 2000 px, default 5", .flags = 0),      \
  PRI_PSF_ROW(s, k.angle, "angle", PRI_QUANTITY, "deg", "motion: direction of the path, from x towards y up", .min = -360, .max = 360),           \
  PRI_PSF_ROW(s, k.width, "width", PRI_TEXT, "px", "box: sides, V or VxVxV (x first), in px or a length: 0.1 to 2000 px, default 3", .flags = 0), \
  PRI_PSF_ROW(s, k.na, "na", PRI_REAL, "1", "airy, born-wolf: numerical aperture", .flags = PRI_P_FROM_META, .min = 0.01, .max = 1.7, .def = NAN),     \
  PRI_PSF_ROW(s, k.wavelength, "wavelength", PRI_QUANTITY, "nm", "airy, born-wolf: of the emitted light, in vacuum", .flags = PRI_P_FROM_META, .min = 1, .max = 1e6, .def = NAN), \
  PRI_PSF_ROW(s, k.index, "index", PRI_REAL, "1", "airy, born-wolf: refractive index before the lens (air 1, water 1.33, oil 1.515)", .min = 1, .max = 3, .def = 1), \
  PRI_PSF_ROW(s, k.pixel, "pixel", PRI_QUANTITIES, "um", "pitch of the image's pixels, in-plane x axial; default: from the input file", .flags = PRI_P_FROM_META, .min = 1e-6, .max = 1e9, .def = NAN), \
  PRI_PSF_ROW(s, k.psf_pixel, "psf-pixel", PRI_QUANTITIES, "um", "file: pitch of its pixels, in-plane x axial; resampled to pixel= where they differ by more than 1 %; default: what the file says of itself", .flags = PRI_P_FROM_META, .min = 1e-6, .max = 1e9, .def = NAN), \
  PRI_PSF_ROW(s, k.size, "size", PRI_SIZES, "px", "extents that a PSF is drawn to (odd, x first; one number: both sides in the plane); default: as far as it reaches", .min = 1, .max = 4096), \
  PRI_PSF_ROW(s, k.center, "psf-center", PRI_CHOICE, "-", "file: where its centre lies; auto: the middle, or its largest value where that lies elsewhere", .choices = pri_psf_centers), \
  PRI_PSF_ROW(s, k.background, "background", PRI_TEXT, "-", "file: value that is taken off it, or auto: the median of its border; default: none", .flags = 0), \
  PRI_PSF_ROW(s, k.negative, "negative", PRI_CHOICE, "-", "file: negative values become 0, or are kept", .choices = pri_psf_negatives),            \
  PRI_PSF_ROW(s, k.normalise, "normalise", PRI_BOOL, "-", "file: divided by its sum", .def = 1)

/*
 * pri_psf_create - the PSF that the keys describe.
 *   who   begins messages.
 *   nd    axes of the image, 2 or 3; 0: as many as the file has, or as the keys give extents for.
 *   meta  pixel pitch of the image; NULL or NAN where unknown.
 *   keys  pixel[] is filled from meta where it is not given.
 * What was done to a file is said by pri_log.
 * Errors  EPARAM: a key out of range, a length without a pixel pitch; ESHAPE: more axes than the image; EREAD, EFORMAT; EDATA: not
 *         finite, or without a positive sum.
 */
PRI_MUST_CHECK pri_status pri_psf_create(pri_ctx *ctx, pri_psf *out, const char *who, pri_psf_keys *keys, int nd, const pri_meta *meta);
int pri_psf_drawn(const char *spec);             /* does "gaussian" or "gaussian:sigma=1" name a formula? */
/* Pages of the file (planes of a volume), 1 for a formula. EREAD, EFORMAT */
PRI_MUST_CHECK pri_status pri_psf_pages(pri_ctx *ctx, const pri_psf_keys *keys, ptrdiff_t *pages);
void pri_psf_destroy(pri_ctx *ctx, pri_psf *p);  /* a zeroed one is fine */
int pri_psf_nonnegative(const pri_psf *p);
int pri_psf_symmetric(const pri_psf *p);         /* h(c + j) = h(c - j) */
int pri_psf_mirrored(const pri_psf *p);          /* so along each axis alone */

/* between psf.c and psf_*.c */
enum { PRI_PSF_LARGEST = 1 << 28 };              /* elements */
PRI_MUST_CHECK pri_status pri_psf_alloc(pri_ctx *ctx, pri_psf *p, const char *who, const ptrdiff_t k[3]); /* zero, centre in the middle */
PRI_MUST_CHECK pri_status pri_psf_draw_optics(pri_ctx *ctx, pri_psf *p, const char *who, const pri_psf_keys *keys, int nd);
PRI_MUST_CHECK pri_status pri_psf_load(pri_ctx *ctx, pri_psf *p, const char *who, pri_psf_keys *keys, int nd); /* keys: psf_pixel from the file */
PRI_MUST_CHECK pri_status pri_psf_resample(pri_ctx *ctx, pri_psf *p, const char *who, const double s[3]); /* s: new pitch / old, z, y, x */
PRI_MUST_CHECK pri_status pri_psf_unit_sum(pri_ctx *ctx, pri_psf *p, const char *who);
#endif
