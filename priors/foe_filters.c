/* SPDX-License-Identifier: GPL-3.0-or-later */
/* foe_filters.c - see foe_filters.h. */
#include "foe_filters.h"
#include <math.h>
#include <string.h>
#include "par.h"
#include "safetensors.h"

static const double PI = 3.14159265358979323846, MOST_LOG = 50;

ptrdiff_t pri_foe_ntheta(const foe_filters *f) { return 1 + (ptrdiff_t)f->count * (2 + f->side * f->side); }
const double *pri_foe_taps(const foe_filters *f, int filter) { return f->theta + 1 + 2 * f->count + (ptrdiff_t)filter * f->side * f->side; }
double pri_foe_weight(const foe_filters *f, int filter) { return exp(f->theta[0] + f->theta[1 + filter]); }
double pri_foe_smoothing(const foe_filters *f, int filter) { return exp(f->theta[1 + f->count + filter]); }

/* ---- file */

static pri_status check_card(pri_ctx *ctx, const char *file, const pri_tensors *t) {
  const char *kind = pri_tensors_card(t, "kind"), *potential = pri_tensors_card(t, "potential");
  if (!kind || strcmp(kind, "foe") != 0)
    return PRI_FAIL(ctx, PRI_EFORMAT, "foe: file=%s is no field of experts: its card says kind=%.40s", file, kind ? kind : "(nothing)");
  if (!potential || strcmp(potential, "smoothed-l1") != 0)
    return PRI_FAIL(ctx, PRI_EFORMAT, "foe: file=%s has the potential %.40s; smoothed-l1 is what this version evaluates", file, potential ? potential : "(nothing)");
  return PRI_OK;
}

static pri_status check_values(pri_ctx *ctx, const char *file, const foe_filters *f) {
  const ptrdiff_t logs = 1 + 2 * f->count, all = pri_foe_ntheta(f);
  for (ptrdiff_t i = 0; i < all; i++) {
    const double v = f->theta[i], most = i < logs ? MOST_LOG : 1e15;
    if (!(fabs(v) <= most)) return PRI_FAIL(ctx, PRI_EDATA, "foe: file=%s: parameter %td is %g, outside [-%g, %g]", file, i, v, most, most);
  }
  return PRI_OK;
}

static pri_status copy_theta(pri_ctx *ctx, foe_filters *f, const char *file, const pri_tensors *t) {
  static const char *const names[] = {"log_scale", "log_weights", "log_smoothings", "filters"};
  const pri_tensor *part[4];
  for (int k = 0; k < 4; k++)
    if (!(part[k] = pri_tensors_find(t, names[k]))) return PRI_FAIL(ctx, PRI_EFORMAT, "foe: file=%s has no tensor %s", file, names[k]);
  const pri_tensor *c = part[3];
  if (c->nd != 3 || c->n[0] > PRI_FOE_FILTERS || c->n[1] != c->n[2] || c->n[1] > PRI_FOE_SIDE)
    return PRI_FAIL(ctx, PRI_EFORMAT, "foe: file=%s: filters are [count, side, side], at most %d of %d x %d", file, PRI_FOE_FILTERS, PRI_FOE_SIDE, PRI_FOE_SIDE);
  if (part[0]->size != 1 || part[1]->size != c->n[0] || part[2]->size != c->n[0])
    return PRI_FAIL(ctx, PRI_EFORMAT, "foe: file=%s: %td filters need 1 log_scale, as many log_weights and log_smoothings", file, c->n[0]);
  f->count = (int)c->n[0], f->side = (int)c->n[1];
  PRI_ALLOC(ctx, f->theta, pri_foe_ntheta(f));
  double *to = f->theta;
  for (int k = 0; k < 4; to += part[k]->size, k++) memcpy(to, part[k]->data, (size_t)part[k]->size * sizeof *to);
  return check_values(ctx, file, f);
}

pri_status pri_foe_load(pri_ctx *ctx, foe_filters *f, const char *file) {
  pri_tensors *t;
  PRI_TRY(pri_tensors_load(ctx, &t, file));
  pri_status s = check_card(ctx, file, t);
  if (s == PRI_OK) s = copy_theta(ctx, f, file, t);
  pri_tensors_destroy(ctx, &t);
  return s;
}

pri_status pri_foe_cosines(pri_ctx *ctx, foe_filters *f, double smoothing) {
  f->count = 8, f->side = 3;
  PRI_ALLOC(ctx, f->theta, pri_foe_ntheta(f));
  double *to = f->theta + 1;
  for (int k = 0; k < 8; k++) *to++ = 0;
  for (int k = 0; k < 8; k++) *to++ = log(smoothing);
  for (int k = 1; k < 9; k++)
    for (int u = 0; u < 9; u++) {
      const double y = cos(PI * (u / 3 + 0.5) * (k / 3) / 3), x = cos(PI * (u % 3 + 0.5) * (k % 3) / 3); /* DCT-II, orthonormal */
      *to++ = y * x * (k / 3 ? sqrt(2.0 / 3) : sqrt(1.0 / 3)) * (k % 3 ? sqrt(2.0 / 3) : sqrt(1.0 / 3));
    }
  return PRI_OK;
}

/* ---- bounds */

/* |c^|^2 at (a, b) / N turns; wave: [2 N] cosines, sines */
static double power_at(const double *tap, int side, const double *wave, int N, int a, int b) {
  double re = 0, im = 0;
  for (int y = 0; y < side; y++)
    for (int x = 0; x < side; x++) {
      const int turn = (a * y + b * x) % N;
      re += *tap * wave[turn], im += *tap++ * wave[N + turn];
    }
  return re * re + im * im;
}

pri_status pri_foe_bound(pri_ctx *ctx, const foe_filters *f, const double *v, double *bound) {
  const int d = f->side - 1, N = d ? 16 * d : 1;
  double most = 0, ones = 0, *wave;
  PRI_ALLOC(ctx, wave, 2 * N);
  for (int i = 0; i < N; i++) wave[i] = cos(2 * PI * i / N), wave[N + i] = sin(2 * PI * i / N);
  for (int a = 0; a <= N / 2; a++) /* the other half are conjugates */
    for (int b = 0; b < N; b++) {
      double sum = 0;
      for (int k = 0; k < f->count; k++) sum += v[k] * power_at(pri_foe_taps(f, k), f->side, wave, N, a, b);
      most = fmax(most, sum);
    }
  pri_free(ctx, wave);
  for (int k = 0; k < f->count; k++) {
    double one = 0;
    for (int u = 0; u < f->side * f->side; u++) one += fabs(pri_foe_taps(f, k)[u]);
    ones += v[k] * one * one;
  }
  const double c = d ? cos(PI / 16) : 1;
  *bound = fmin(most / (c * c), ones) * (1 + 1e-12); /* rounding of the sums */
  return PRI_OK;
}

/* ---- correlations, row by row */

int pri_foe_inside(const foe_filters *f, ptrdiff_t i) {
  const ptrdiff_t y = i / f->nx % f->ny, x = i % f->nx, h = (f->side - 1) / 2, after = f->side - 1 - h;
  return y >= h && y + after < f->ny && x >= h && x + after < f->nx;
}

struct job {
  const foe_filters *f;
  const double *taps;
  pri_real *to;
  double *wide;
  const pri_real *from;
};

static pri_status apply_rows(void *arg, int worker, ptrdiff_t first, ptrdiff_t last) {
  const struct job *j = arg;
  const foe_filters *f = j->f;
  const ptrdiff_t h = (f->side - 1) / 2, after = f->side - 1 - h, wide = f->nx - f->side + 1;
  (void)worker;
  for (ptrdiff_t row = first; row < last; row++) {
    const ptrdiff_t y = row % f->ny;
    pri_real *restrict to = j->to + row * f->nx;
    memset(to, 0, (size_t)f->nx * sizeof *to);
    if (y < h || y + after >= f->ny || wide < 1) continue;
    for (int u = 0; u < f->side * f->side; u++) {
      const pri_real c = (pri_real)j->taps[u], *restrict x = j->from + (row + u / f->side - h) * f->nx + u % f->side;
      for (ptrdiff_t i = 0; i < wide; i++) to[h + i] += c * x[i];
    }
  }
  return PRI_OK;
}

#define ADJOINT_ROW(name, type)                                                                                                \
  static void name(const struct job *j, type *restrict to, ptrdiff_t row) {                                                    \
    const foe_filters *f = j->f;                                                                                               \
    const ptrdiff_t h = (f->side - 1) / 2, after = f->side - 1 - h, wide = f->nx - f->side + 1, y = row % f->ny;               \
    for (int u = 0; u < f->side * f->side && wide > 0; u++) {                                                                  \
      const ptrdiff_t from = y - u / f->side + h; /* the row whose responses read this one with tap u */                       \
      if (from < h || from + after >= f->ny) continue;                                                                         \
      const type c = (type)j->taps[u];                                                                                         \
      const pri_real *restrict r = j->from + (row - u / f->side + h) * f->nx + h;                                              \
      for (ptrdiff_t i = 0; i < wide; i++) to[u % f->side + i] += c * (type)r[i];                                              \
    }                                                                                                                          \
  }
ADJOINT_ROW(adjoint_row, pri_real)
ADJOINT_ROW(adjoint_row_wide, double)

static pri_status adjoint_rows(void *arg, int worker, ptrdiff_t first, ptrdiff_t last) {
  const struct job *j = arg;
  (void)worker;
  for (ptrdiff_t row = first; row < last; row++)
    if (j->to) adjoint_row(j, j->to + row * j->f->nx, row);
    else adjoint_row_wide(j, j->wide + row * j->f->nx, row);
  return PRI_OK;
}

static void over_rows(pri_ctx *ctx, pri_par_fn fn, struct job j, int filter) {
  j.taps = pri_foe_taps(j.f, filter);
  (void)pri_par_for(ctx, j.f->planes * j.f->ny, 1 + 4096 / j.f->nx, fn, &j); /* cannot fail */
}

void pri_foe_apply(pri_ctx *ctx, const foe_filters *f, int filter, pri_real *r, const pri_real *x) {
  over_rows(ctx, apply_rows, (struct job){.f = f, .to = r, .from = x}, filter);
}

void pri_foe_adjoint(pri_ctx *ctx, const foe_filters *f, int filter, pri_real *x, const pri_real *r) {
  over_rows(ctx, adjoint_rows, (struct job){.f = f, .to = x, .from = r}, filter);
}

void pri_foe_adjoint_wide(pri_ctx *ctx, const foe_filters *f, int filter, double *x, const pri_real *r) {
  over_rows(ctx, adjoint_rows, (struct job){.f = f, .wide = x, .from = r}, filter);
}
