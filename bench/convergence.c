/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * convergence.c - how many passes a solver takes: COULE-like phantoms (ellipses:size=256), 60 fan views over 180 degrees (source 1800,
 * detector 2300 pixels away, 512 bins of 1), exact bin-averaged data, 1 % noise, least squares + tv:weight=L, box 0:1.25.
 *
 *   convergence-double -w FILE [-n 10] [-l 1,2,3]           minima P* and minimisers, by a long run in double, into FILE
 *   convergence[-double] -r FILE [-s STEPS] [-g] SOLVER...  medians over phantoms and weights: solver_passes to (P - P*) / P* <=
 *                                                           1e-1 ... 1e-5, distance to the minimiser after 5, 10, 20 passes;
 *                                                           -g: passes to a certified gap of 1e-2 ... 1e-4 (1e-6 in double) as well
 * Options: -j threads, -v one line a run. P is evaluated in double whatever the solver runs in.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "priori/priori.h"

enum { SIDE = 256, VIEWS = 60, BINS = 512, N = SIDE * SIDE, M = VIEWS * BINS, LEVELS = 5, GAPS = 5, RUNS = 400 };
static const double level[LEVELS] = {1e-1, 1e-2, 1e-3, 1e-4, 1e-5}, gap_level[GAPS] = {1e-2, 1e-3, 1e-4, 1e-5, 1e-6};
static const double near_at[3] = {5, 10, 20};
static const char ct[] = "ct:geometry=fan,sod=1800,sdd=2300,angles=60,arc=180,detector=512,bin=1,pixel=1,size=256";

struct world { /* one phantom and one weight */
  pri_ctx *ctx;
  pri_operator *A;
  pri_map *map;
  pri_array y;
  pri_fidelity *f;
  pri_prior *R;
  double lo, hi, *z;
  pri_problem problem;
};

struct truth {
  int phantom;
  double weight, minimum;
  float x[N];
};

struct result {
  double passes[LEVELS], near[3], gap[GAPS], worst_gap; /* NAN: not reached */
};

static void check(pri_ctx *ctx, pri_status s) {
  if (s == PRI_OK) return;
  fprintf(stderr, "convergence: %s\n", pri_ctx_message(ctx));
  exit(1);
}

static void print_log(void *cookie, pri_verbosity v, const char *line) {
  (void)cookie, (void)v;
  fprintf(stderr, "  %s\n", line);
}

static void make_operator(struct world *w, int threads) {
  const pri_ctx_opts opts = {.threads = threads, .verbosity = PRI_LOG_WARN, .log = print_log};
  if (pri_open(&w->ctx, &opts) != PRI_OK) exit(1);
  check(w->ctx, pri_operator_create(w->ctx, &w->A, ct, NULL, NULL, NULL));
  check(w->ctx, pri_map_of(w->ctx, &w->map, w->A));
  check(w->ctx, pri_array_create(w->ctx, &w->y, pri_operator_range(w->A), 1));
  w->z = pri_calloc(w->ctx, M, sizeof(double));
  if (!w->z) exit(1);
}

/* the data are rounded to float in both programs, so that they are the same */
static void make_data(struct world *w, int phantom) {
  pri_phantom *p;
  pri_noise *noise;
  const void *priv;
  const pri_operator_class *c = pri_operator_class_of(w->A, &priv);
  check(w->ctx, pri_phantom_create(w->ctx, &p, "ellipses:size=256"));
  check(w->ctx, pri_phantom_project(p, c->geometry(priv), 1, &w->y, phantom));
  check(w->ctx, pri_noise_create(w->ctx, &noise, "gaussian:relative=0.01"));
  check(w->ctx, pri_noise_add(noise, &w->y, phantom));
  for (int i = 0; i < M; i++) w->y.data[i] = (pri_real)(float)w->y.data[i];
  pri_noise_destroy(&noise);
  pri_phantom_destroy(&p);
}

static void make_problem(struct world *w, double weight) {
  char spec[64];
  snprintf(spec, sizeof spec, "tv:weight=%.17g", weight);
  check(w->ctx, pri_fidelity_create(w->ctx, &w->f, "ls", &w->y, NULL));
  check(w->ctx, pri_prior_create(w->ctx, &w->R, spec, NULL, pri_operator_domain(w->A)));
  w->lo = 0, w->hi = 1.25;
  w->problem = (pri_problem){.A = w->map, .f = w->f, .R = (const pri_prior *const *)&w->R, .nR = 1, .noise = NAN,
                             .gap_goal = sizeof(pri_real) == sizeof(float) ? 1e-4 : 1e-6, .lo = &w->lo, .hi = &w->hi};
}

static void unmake_problem(struct world *w) {
  pri_fidelity_destroy(&w->f);
  pri_prior_destroy(&w->R);
}

static double objective(struct world *w, const pri_array *x) {
  const void *fp, *rp;
  const pri_fidelity_class *f = pri_fidelity_class_of(w->f, &fp);
  const pri_prior_class *r = pri_prior_class_of(w->R, &rp);
  double data, prior, *wide = malloc(sizeof(double) * N);
  if (!wide) exit(1);
  for (int i = 0; i < N; i++) wide[i] = (double)x->data[i];
#ifdef PRI_DOUBLE
  pri_array z = pri_array_borrow(w->z, pri_operator_range(w->A), 1);
  check(w->ctx, pri_operator_apply(w->A, &z, x));
  check(w->ctx, f->value(w->ctx, fp, &data, w->z, 0, 1));
#else
  check(w->ctx, pri_operator_apply_wide(w->A, w->z, wide, 1));
  check(w->ctx, f->value_wide(w->ctx, fp, &data, w->z, 0, 1));
#endif
  check(w->ctx, r->variational->value(w->ctx, rp, &prior, x->data, 1, pri_prior_scratch(w->R)));
  free(wide);
  return data + prior;
}

static double distance(const pri_array *x, const struct truth *t) {
  double d = 0, s = 0;
  for (int i = 0; i < N; i++) {
    const double e = (double)x->data[i] - (double)t->x[i];
    d += e * e;
    s += (double)t->x[i] * (double)t->x[i];
  }
  return sqrt(d / s);
}

static void note(struct result *r, const pri_report *rep, double excess, double away) {
  const double passes = (rep->applies + rep->adjoints) / 2;
  for (int i = 0; i < LEVELS; i++)
    if (isnan(r->passes[i]) && excess <= level[i]) r->passes[i] = passes;
  for (int i = 0; i < 3; i++)
    if (isnan(r->near[i]) && passes >= near_at[i]) r->near[i] = away;
}

static void note_gap(struct result *r, const pri_report *rep, double excess) {
  const double gap = rep->gap.value / rep->objective, passes = (rep->applies + rep->adjoints) / 2;
  if (excess / (1 + excess) > gap) fprintf(stderr, "  LIE: gap %.3g, objective %.3g above the minimum\n", gap, excess);
  if (gap < r->worst_gap) r->worst_gap = gap;
  for (int i = 0; i < GAPS; i++)
    if (isnan(r->gap[i]) && gap <= gap_level[i]) r->gap[i] = passes;
}

static struct result race(struct world *w, const struct truth *t, const char *spec, long steps, int gaps) {
  struct result r = {.worst_gap = INFINITY};
  pri_solver *s;
  pri_report rep;
  for (int i = 0; i < LEVELS; i++) r.passes[i] = NAN;
  for (int i = 0; i < GAPS; i++) r.gap[i] = NAN;
  for (int i = 0; i < 3; i++) r.near[i] = NAN;
  check(w->ctx, pri_solver_create(w->ctx, &s, spec, &w->problem, NULL));
  for (long k = 1; k <= steps; k++) {
    check(w->ctx, pri_solver_step(s, gaps && k % 20 == 0 ? PRI_WANT_GAP : 0, &rep));
    const double excess = (objective(w, pri_solver_iterate(s)) - t->minimum) / t->minimum;
    note(&r, &rep, excess, distance(pri_solver_iterate(s), t));
    if (gaps && k % 20 == 0) note_gap(&r, &rep, excess);
    const int goal = sizeof(pri_real) == sizeof(float) ? 2 : 4;
    if (!isnan(r.passes[LEVELS - 1]) && (!gaps || !isnan(r.gap[goal])) && !isnan(r.near[2])) break;
  }
  pri_solver_destroy(&s);
  return r;
}

static int by_value(const void *a, const void *b) {
  const double x = *(const double *)a, y = *(const double *)b;
  return x < y ? -1 : x > y;
}

/* median; runs that did not get there count as infinite */
static double median(const double *v, int n) {
  double s[RUNS];
  for (int i = 0; i < n; i++) s[i] = isnan(v[i]) ? INFINITY : v[i];
  qsort(s, (size_t)n, sizeof *s, by_value);
  return n % 2 ? s[n / 2] : (s[n / 2 - 1] + s[n / 2]) / 2;
}

static void cell(double v, const char *fmt) {
  if (isfinite(v)) printf(fmt, v);
  else printf("%8s", "-");
}

static void line(const char *name, const struct result *r, int n, int gaps) {
  double v[RUNS];
  printf("%-28s", name);
  for (int j = 0; j < LEVELS; j++) {
    for (int i = 0; i < n; i++) v[i] = r[i].passes[j];
    cell(median(v, n), "%8.1f");
  }
  for (int j = 0; j < 3; j++) {
    for (int i = 0; i < n; i++) v[i] = r[i].near[j];
    cell(median(v, n), "%8.4f");
  }
  for (int j = 0; gaps && j < GAPS; j++) {
    for (int i = 0; i < n; i++) v[i] = r[i].gap[j];
    cell(median(v, n), "%8.1f");
  }
  printf("\n");
  fflush(stdout);
}

static void write_truth(struct world *w, const char *path, int phantoms, const double *weights, int nw) {
  FILE *f = fopen(path, "wb");
  struct truth *t = malloc(sizeof *t);
  if (!f || !t) exit(1);
  for (int i = 0; i < phantoms * nw; i++) {
    pri_solver *s;
    pri_monitor *m[2];
    pri_report rep;
    t->phantom = i / nw, t->weight = weights[i % nw];
    make_data(w, t->phantom);
    make_problem(w, t->weight);
    check(w->ctx, pri_solver_create(w->ctx, &s, "spdhg", &w->problem, NULL));
    check(w->ctx, pri_monitor_create(w->ctx, &m[0], "gap:5e-6", &w->problem, 1));
    check(w->ctx, pri_monitor_create(w->ctx, &m[1], "steps:1500", &w->problem, 1));
    check(w->ctx, pri_solver_run(s, m, 2, &rep, NULL));
    t->minimum = objective(w, pri_solver_iterate(s));
    for (int k = 0; k < N; k++) t->x[k] = (float)pri_solver_iterate(s)->data[k];
    printf("phantom %d, weight %g: P* = %.10g, gap %.1e after %ld steps\n", t->phantom, t->weight, t->minimum, rep.gap.value / rep.objective, rep.k);
    fflush(stdout);
    if (fwrite(t, sizeof *t, 1, f) != 1) exit(1);
    pri_monitor_destroy(&m[0]), pri_monitor_destroy(&m[1]);
    pri_solver_destroy(&s);
    unmake_problem(w);
  }
  free(t);
  if (fclose(f)) exit(1);
}

static void table(struct world *w, const char *path, long steps, int gaps, int verbose, char **specs, int n) {
  struct truth *t = malloc(sizeof *t);
  struct result *r = calloc(RUNS, sizeof *r);
  if (!t || !r) exit(1);
  printf("%-28s%8s%8s%8s%8s%8s%8s%8s%8s%s\n", "passes to (P-P*)/P*", "1e-1", "1e-2", "1e-3", "1e-4", "1e-5", "d(5)", "d(10)", "d(20)",
         gaps ? "  gap 1e-2    1e-3    1e-4    1e-5    1e-6" : "");
  for (int j = 0; j < n; j++) {
    FILE *f = fopen(path, "rb");
    int runs = 0;
    if (!f) exit(1);
    for (; runs < RUNS && fread(t, sizeof *t, 1, f) == 1; runs++) {
      char name[64];
      make_data(w, t->phantom);
      make_problem(w, t->weight);
      r[runs] = race(w, t, specs[j], steps, gaps);
      snprintf(name, sizeof name, "  %d %g", t->phantom, t->weight);
      if (verbose) line(name, &r[runs], 1, gaps);
      unmake_problem(w);
    }
    fclose(f);
    line(specs[j], r, runs, gaps);
  }
  free(r);
  free(t);
}

int main(int argc, char **argv) {
  struct world w = {0};
  const char *read = NULL, *write = NULL;
  double weights[8] = {1, 2, 3};
  int phantoms = 10, nw = 3, gaps = 0, verbose = 0, threads = 0, i = 1;
  long steps = 600;
  for (; i < argc && argv[i][0] == '-'; i++) {
    const char o = argv[i][1];
    if (o == 'g') gaps = 1;
    else if (o == 'v') verbose = 1;
    else if (++i >= argc) return 2;
    else if (o == 'w') write = argv[i];
    else if (o == 'r') read = argv[i];
    else if (o == 'n') phantoms = atoi(argv[i]);
    else if (o == 's') steps = atol(argv[i]);
    else if (o == 'j') threads = atoi(argv[i]);
    else if (o == 'l') {
      nw = 0;
      for (char *p = argv[i]; *p && nw < 8; p += *p == ',') weights[nw++] = strtod(p, &p);
    } else return 2;
  }
  make_operator(&w, threads);
  if (write) write_truth(&w, write, phantoms, weights, nw);
  if (read) table(&w, read, steps, gaps, verbose, argv + i, argc - i);
  pri_map_destroy(&w.map);
  pri_operator_destroy(&w.A);
  pri_array_destroy(&w.y);
  pri_free(w.ctx, w.z);
  pri_ctx_destroy(&w.ctx);
  return 0;
}
