/* SPDX-License-Identifier: GPL-3.0-or-later */
/* weight_curve.c - tested weights as a curve over log w: its least by Brent's minimisation, its crossing of a level by Brent's
   root finding (GSL). */
#include "weight_path.h"
#include <gsl/gsl_errno.h>
#include <gsl/gsl_interp.h>
#include <gsl/gsl_min.h>
#include <gsl/gsl_roots.h>
#include <gsl/gsl_sort.h>
#include <gsl/gsl_spline.h>
#include <math.h>

double pri_weight_deviation(const pri_weight_path *p) { return sqrt(2 * (double)p->data->items / (double)p->seen); }

int pri_weight_least(const pri_weight_path *p) {
  int least = 0;
  for (int i = 1; i < p->n; i++)
    if (p->at[i].value < p->at[least].value) least = i;
  return least;
}

int pri_weight_sorted(const pri_weight_path *p, double *log_weight, double *value) {
  double w[PRI_WEIGHT_TESTS];
  size_t order[PRI_WEIGHT_TESTS];
  int n = 0;
  for (int i = 0; i < p->n; i++) w[i] = log(p->at[i].weight);
  gsl_sort_index(order, w, 1, (size_t)p->n);
  for (int i = 0; i < p->n; i++) {
    if (n && w[order[i]] - log_weight[n - 1] < 1e-6) continue;
    log_weight[n] = w[order[i]], value[n++] = p->at[order[i]].value;
  }
  return n;
}

/* ---- least */

struct bracket {
  double x[3], v[3];
}; /* the least and its tested neighbours; x[0], x[2] NAN: there is none */

static struct bracket bracket_of(const pri_weight_path *p) {
  double x[PRI_WEIGHT_TESTS], v[PRI_WEIGHT_TESTS];
  const int n = pri_weight_sorted(p, x, v);
  int least = 0;
  for (int i = 1; i < n; i++)
    if (v[i] < v[least]) least = i;
  struct bracket b = {{NAN, x[least], NAN}, {NAN, v[least], NAN}};
  if (least > 0) b.x[0] = x[least - 1], b.v[0] = v[least - 1];
  if (least + 1 < n) b.x[2] = x[least + 1], b.v[2] = v[least + 1];
  return b;
}

static double value_at(double log_weight, void *arg) {
  pri_weight_path *p = arg;
  if (p->status == PRI_OK) p->status = pri_weight_path_test(p, exp(log_weight));
  return p->status == PRI_OK ? p->at[p->n - 1].value : INFINITY;
}

/* The three values are known: GSL solves at one more to begin with, then at one an iteration */
pri_status pri_weight_refine(pri_weight_path *p, int iterations) {
  const struct bracket b = bracket_of(p);
  gsl_function f = {value_at, p};
  if (!(b.v[1] < b.v[0] && b.v[1] < b.v[2])) return PRI_OK;
  gsl_min_fminimizer *m = gsl_min_fminimizer_alloc(gsl_min_fminimizer_brent);
  if (!m) return PRI_FAIL(p->ctx, PRI_ENOMEM, "weight=auto:%s: no memory for the search", p->rule->name);
  int ok = gsl_min_fminimizer_set_with_values(m, &f, b.x[1], b.v[1], b.x[0], b.v[0], b.x[2], b.v[2]);
  for (int k = 0; k < iterations && ok == GSL_SUCCESS && p->status == PRI_OK; k++) ok = gsl_min_fminimizer_iterate(m);
  gsl_min_fminimizer_free(m);
  return p->status;
}

double pri_weight_vertex(pri_weight_path *p) {
  const struct bracket b = bracket_of(p);
  const double low = b.x[1] - b.x[0], high = b.x[2] - b.x[1], down = (b.v[0] - b.v[1]) / low, up = (b.v[2] - b.v[1]) / high;
  p->out->plain = isfinite(down) && isfinite(up);
  if (!(down > 0 && up > 0)) return exp(b.x[1]);
  return exp(b.x[1] + (down * high - up * low) / (2 * (up + down))); /* between the halves of the two intervals */
}

/* ---- crossing of a level */

struct curve {
  gsl_spline *spline;
  gsl_interp_accel *at;
  double level;
};

static double above_level(double x, void *arg) {
  const struct curve *c = arg;
  return gsl_spline_eval(c->spline, x, c->at) - c->level;
}

static double crossing(struct curve *c, double low, double high) {
  gsl_function f = {above_level, c};
  gsl_root_fsolver *r = gsl_root_fsolver_alloc(gsl_root_fsolver_brent);
  double x = low;
  if (r && gsl_root_fsolver_set(r, &f, low, high) == GSL_SUCCESS)
    for (int k = 0; k < 60; k++) {
      if (gsl_root_fsolver_iterate(r) != GSL_SUCCESS) break;
      x = gsl_root_fsolver_root(r);
    }
  if (r) gsl_root_fsolver_free(r);
  return x;
}

/* counted from the least one upwards */
double pri_weight_largest_within(const pri_weight_path *p, double level) {
  double x[PRI_WEIGHT_TESTS], q[PRI_WEIGHT_TESTS];
  const int n = pri_weight_sorted(p, x, q);
  int least = 0;
  for (int i = 1; i < n; i++)
    if (q[i] < q[least]) least = i;
  int next = least;
  while (next < n && q[next] <= level) next++;
  if (next == n || n < 3) return exp(x[next == n ? n - 1 : least]);
  struct curve c = {gsl_spline_alloc(gsl_interp_steffen, (size_t)n), gsl_interp_accel_alloc(), level};
  double found = x[next - 1];
  if (c.spline && c.at && gsl_spline_init(c.spline, x, q, (size_t)n) == GSL_SUCCESS) found = crossing(&c, x[next - 1], x[next]);
  if (c.spline) gsl_spline_free(c.spline);
  if (c.at) gsl_interp_accel_free(c.at);
  return exp(found);
}
