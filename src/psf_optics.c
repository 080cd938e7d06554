/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * psf_optics.c - point-spread functions of a microscope: lambda wavelength in vacuum, NA, n refractive index, r off the axis, z from focus.
 *
 *   airy       h(r) = [2 J1(v) / v]^2, v = 2 pi NA r / lambda; first zero at r = 0.61 lambda / NA        Born, Wolf 1999, 8.5.2 (14)
 *   born-wolf  h(r, z) = |2 int_0^1 J0(v rho) exp(-i u rho^2 / 2) rho drho|^2, u = 2 pi NA^2 z / (n lambda)  8.8.1 (7), (8)
 *              on the axis [sin(u/4) / (u/4)]^2: first zero at z = 2 n lambda / NA^2; in focus it is airy
 *
 * Scalar, paraxial, without aberrations. Averaged over the area of a pixel in the plane (6 x 6 Gauss-Legendre points), sampled along z.
 * The integral is Gauss-Legendre too, with enough points for its fastest oscillation; a table over r is interpolated by a cubic spline.
 * Extent where size= says nothing: 4 lambda / NA in the plane, 4 n lambda / NA^2 along z (second zero), odd.
 */
#include <gsl/gsl_errno.h>
#include <gsl/gsl_integration.h>
#include <gsl/gsl_sf_bessel.h>
#include <gsl/gsl_spline.h>
#include <string.h>
#include "psf.h"

enum { Z, Y, X };
enum { NODES = 6, FINEST = 16384 }; /* points across a pixel; of the radial table */

struct optics {
  pri_ctx *ctx;
  double v, u;               /* per pixel: of r, of z */
  ptrdiff_t n, q;            /* radial samples, points of the integral */
  double step;               /* px between samples */
  double *bessel, *rho, *weight, *r, *h; /* [n][q], [q], [q], [n], [n] */
  gsl_spline *spline;
  double at[NODES], w[NODES]; /* across a pixel */
};

static void release(struct optics *o) {
  double *const all[] = {o->bessel, o->rho, o->weight, o->r, o->h};
  for (int i = 0; i < 5; i++) pri_free(o->ctx, all[i]);
  if (o->spline) gsl_spline_free(o->spline);
}

static int points(ptrdiff_t n, double lo, double hi, double *at, double *w) {
  gsl_integration_glfixed_table *t = gsl_integration_glfixed_table_alloc((size_t)n);
  for (ptrdiff_t i = 0; t && i < n; i++) gsl_integration_glfixed_point(lo, hi, (size_t)i, &at[i], &w[i], t);
  if (t) gsl_integration_glfixed_table_free(t);
  return t != NULL;
}

/* reach: px in the plane; depth: px along z */
static pri_status prepare(struct optics *o, double reach, double depth) {
  const double most = o->v * reach + o->u * depth; /* the fastest phase */
  o->step = fmin(0.25, 0.3 / o->v);
  o->n = (ptrdiff_t)ceil(reach / o->step) + 4;
  if (o->n > FINEST) o->n = FINEST, o->step = reach / (double)(FINEST - 4);
  o->q = 24 + (ptrdiff_t)ceil(0.6 * most);
  PRI_ALLOC(o->ctx, o->rho, o->q);
  PRI_ALLOC(o->ctx, o->weight, o->q);
  PRI_ALLOC(o->ctx, o->r, o->n);
  PRI_ALLOC(o->ctx, o->h, o->n);
  PRI_ALLOC(o->ctx, o->bessel, o->n * o->q);
  o->spline = gsl_spline_alloc(gsl_interp_cspline, (size_t)o->n);
  if (!o->spline || !points(o->q, 0, 1, o->rho, o->weight) || !points(NODES, -0.5, 0.5, o->at, o->w)) return PRI_FAIL(o->ctx, PRI_ENOMEM, "psf: no memory");
  for (ptrdiff_t i = 0; i < o->n; i++) {
    o->r[i] = (double)i * o->step;
    for (ptrdiff_t k = 0; k < o->q; k++) o->bessel[i * o->q + k] = gsl_sf_bessel_J0(o->v * o->r[i] * o->rho[k]);
  }
  return PRI_OK;
}

static double airy(double v) { return v < 1e-6 ? 1 : pow(2 * gsl_sf_bessel_J1(v) / v, 2); }

/* the radial table at z px from focus */
static void at_depth(struct optics *o, double z) {
  for (ptrdiff_t i = 0; i < o->n; i++) {
    double re = 0, im = 0;
    for (ptrdiff_t k = 0; k < o->q; k++) {
      const double f = 2 * o->weight[k] * o->rho[k] * o->bessel[i * o->q + k], phase = 0.5 * o->u * z * o->rho[k] * o->rho[k];
      re += f * cos(phase);
      im -= f * sin(phase);
    }
    o->h[i] = z == 0 ? airy(o->v * o->r[i]) : re * re + im * im;
  }
  gsl_spline_init(o->spline, o->r, o->h, (size_t)o->n);
}

static double mean(const struct optics *o, double x, double y) { /* over the pixel at x, y */
  double sum = 0;
  for (int i = 0; i < NODES; i++)
    for (int j = 0; j < NODES; j++) sum += o->w[i] * o->w[j] * gsl_spline_eval(o->spline, hypot(x + o->at[j], y + o->at[i]), NULL);
  return fmax(0, sum);
}

/* One plane from its octant 0 <= y <= x: mirrored pixels have the same bits. */
static void draw(const struct optics *o, pri_psf *p, ptrdiff_t z) {
  double *plane = p->h + z * p->k[Y] * p->k[X];
  const ptrdiff_t cx = p->c[X], cy = p->c[Y], most = cx > cy ? cx : cy;
  for (ptrdiff_t x = 0; x <= most; x++)
    for (ptrdiff_t y = 0; y <= x; y++) {
      const double v = mean(o, (double)x, (double)y);
      for (int k = 0; k < 8; k++) {
        const ptrdiff_t a = (k & 4 ? y : x) * (k & 1 ? -1 : 1), b = (k & 4 ? x : y) * (k & 2 ? -1 : 1);
        if (a >= -cx && a <= cx && b >= -cy && b <= cy) plane[(cy + b) * p->k[X] + cx + a] = v;
      }
    }
}

static pri_status check(pri_ctx *ctx, const char *who, const pri_psf_keys *k, int deep) {
  if (!(k->na > 0) || !(k->wavelength > 0))
    return PRI_FAIL(ctx, PRI_EPARAM, "%s: psf=%s needs na= (numerical aperture) and wavelength= (525nm)", who, k->psf);
  if (k->na >= k->index) return PRI_FAIL(ctx, PRI_EPARAM, "%s: na=%g is not below index=%g, the refractive index before the lens (water 1.33, oil 1.515)", who, k->na, k->index);
  if (!(k->pixel[0] > 0) || (deep && !(k->pixel[1] > 0)))
    return PRI_FAIL(ctx, PRI_EPARAM, "%s: psf=%s needs pixel= (0.1um, or in-plane x axial 0.1umx0.3um): the image does not say how large its pixels are", who, k->psf);
  return PRI_OK;
}

/* asked: an extent from size=, x first; 0: none */
static ptrdiff_t odd(ptrdiff_t asked, double reach) { return asked ? asked : 2 * (ptrdiff_t)ceil(fmin(reach, 1000)) + 1; }

pri_status pri_psf_draw_optics(pri_ctx *ctx, pri_psf *p, const char *who, const pri_psf_keys *k, int nd) {
  const int deep = nd == 3 && !strcmp(k->psf, "born-wolf");
  const double pi = acos(-1.0);
  struct optics o = {.ctx = ctx};
  PRI_TRY(check(ctx, who, k, deep));
  const double plane = k->wavelength / k->na / k->pixel[0], axial = k->index * k->wavelength / (k->na * k->na) / k->pixel[deep ? 1 : 0];
  const ptrdiff_t size[3] = {deep ? odd(k->size[2], 4 * axial) : 1, odd(k->size[1] ? k->size[1] : k->size[0], 4 * plane), odd(k->size[0], 4 * plane)};
  for (int a = 0; a < 3; a++)
    if (size[a] % 2 == 0) return PRI_FAIL(ctx, PRI_EPARAM, "%s: size: %td is even; a point-spread function is drawn to odd extents", who, size[a]);
  o.v = 2 * pi / plane;
  o.u = deep ? 2 * pi / axial : 0;
  PRI_TRY(pri_psf_alloc(ctx, p, who, size));
  pri_status s = prepare(&o, sqrt(2.0) * ((double)(size[Y] > size[X] ? size[Y] : size[X]) / 2 + 1), (double)p->c[Z]);
  for (ptrdiff_t z = 0; s == PRI_OK && z <= p->c[Z]; z++) {
    at_depth(&o, (double)z);
    draw(&o, p, p->c[Z] + z);
    if (z > 0) memcpy(p->h + (p->c[Z] - z) * size[Y] * size[X], p->h + (p->c[Z] + z) * size[Y] * size[X], (size_t)(size[Y] * size[X]) * sizeof *p->h);
  }
  release(&o);
  return s;
}
