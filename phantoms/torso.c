/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * torso.c - random cuts through a trunk, as computed tomography sees them: value = (HU + 1000) / 2000, clipped to [0, 1]. The body is an ellipse of
 * fat around one of muscle; chests have lungs with vessels, a heart, great vessels and airways, bellies have liver, spleen, kidneys and bowel
 * with gas; both have a spine, ribs, faint muscle layers, a skin and, mostly, a couch below. The back is down.
 *
 * Sizes are those of an adult in a field of view of 40 cm (half: 1), greys those of the tissues (air 0, lung 0.05 to 0.15, fat 0.45, muscle
 * 0.53, contrast 0.55 to 0.75, marrow 0.6, bone 0.65 to 0.95). All proportions are our own: no data set is behind them.
 * Object k is a pure function of (seed, k, keys).
 */
#include "figures.h"

#include <math.h>
#include <stddef.h>

#include "priori/rng.h"

static const double pi = 3.14159265358979323846;
enum { REACH = 8 * PRI_FIGURES_MAX, ANYWHERE = 0, CHEST, BELLY }; /* random numbers of one object; parts */
static const double AIR = 0, FAT = 0.45, MUSCLE = 0.53;
struct torso { long size; int part; };

struct painter {
  uint64_t seed, at;
  pri_figures *out;
};

static double roll(struct painter *p, double lo, double hi) { return lo + (hi - lo) * pri_rng_uniform_at(p->seed, "phantom/torso", p->at++); }
static long amount(struct painter *p, long lo, long hi) { return lo + (long)floor(roll(p, 0, (double)(hi - lo) + 1 - 1e-9)); }

static void paint(struct painter *p, pri_outline outline, double value, double x, double y, double a, double b, double phi) {
  if (p->out->n < PRI_FIGURES_MAX) p->out->f[p->out->n++] = (pri_figure){outline, value, a, b, x, y, phi};
}

static void oval(struct painter *p, double value, double x, double y, double a, double b, double phi) { paint(p, PRI_ELLIPSE, value, x, y, a, b, phi); }

struct body { double x, y, a, b, fat; }; /* the outline; how thick the fat is */

static struct body paint_body(struct painter *p) {
  struct body t = {roll(p, -0.04, 0.04), roll(p, -0.02, 0.08), roll(p, 0.70, 0.88), 0, roll(p, 0.02, 0.09)};
  t.b = t.a * roll(p, 0.64, 0.80);
  oval(p, MUSCLE, t.x, t.y, t.a, t.b, 0); /* skin */
  oval(p, FAT + roll(p, -0.01, 0.01), t.x, t.y, t.a - 0.008, t.b - 0.008, 0);
  oval(p, MUSCLE, t.x, t.y, t.a - t.fat, t.b - t.fat, 0);
  const long layers = amount(p, 6, 14); /* fat between muscles */
  for (long i = 0; i < layers; i++) {
    const double w = roll(p, 0, 2 * pi), r = roll(p, 0.80, 0.93);
    oval(p, roll(p, 0.46, 0.55), t.x + r * (t.a - t.fat) * cos(w), t.y + r * (t.b - t.fat) * sin(w), roll(p, 0.03, 0.12), roll(p, 0.006, 0.02), atan2(t.b * cos(w), -t.a * sin(w)));
  }
  return t;
}

static void paint_couch(struct painter *p, const struct body *t) {
  if (roll(p, 0, 1) < 0.2) return;
  const double y = fmax(t->y - t->b - roll(p, 0.02, 0.06), -0.80), slope = roll(p, -0.02, 0.02), wide = roll(p, 0.33, 0.42);
  for (int i = 0; i < 2; i++) paint(p, PRI_BOX, roll(p, 0.10, 0.30), t->x, y - 0.07 * i * roll(p, 0.5, 1), wide, roll(p, 0.004, 0.009), slope);
}

static void paint_spine(struct painter *p, const struct body *t) {
  const double y = t->y - t->b * roll(p, 0.50, 0.58), r = roll(p, 0.075, 0.10), bone = roll(p, 0.68, 0.85);
  for (int side = -1; side <= 1; side += 2) {
    paint(p, PRI_BOX, bone, t->x + side * 0.09, y - 0.9 * r, 0.06, 0.016, side * roll(p, -0.5, -0.1)); /* transverse processes */
    paint(p, PRI_BOX, bone, t->x + side * 0.045, y - 1.05 * r, 0.018, 0.03, 0);                        /* pedicles */
  }
  paint(p, PRI_BOX, bone, t->x, y - 2.1 * r, 0.014, 0.055, 0); /* spinous process */
  oval(p, bone, t->x, y, 1.15 * r, r, 0);
  oval(p, roll(p, 0.57, 0.64), t->x, y, 1.05 * r, 0.88 * r, 0);
  oval(p, 0.51, t->x, y - 1.25 * r, 0.38 * r, 0.33 * r, 0); /* canal */
}

static void paint_ribs(struct painter *p, const struct body *t, double share) { /* on an ellipse of that share of the muscle's */
  const long ribs = amount(p, 5, 9);
  for (int side = -1; side <= 1; side += 2)
    for (long i = 0; i < ribs; i++) {
      const double w = pi / 2 + side * pi * ((double)i + roll(p, 0.2, 0.8)) / (double)ribs * 0.92, s = sin(w), c = cos(w);
      const double x = t->x + share * (t->a - t->fat) * c, y = t->y + share * (t->b - t->fat) * s, phi = atan2(t->b * c, -t->a * s) + roll(p, -0.15, 0.15);
      const double a = roll(p, 0.02, 0.085), b = roll(p, 0.013, 0.02);
      oval(p, roll(p, 0.66, 0.88), x, y, a, b, phi);
      oval(p, roll(p, 0.56, 0.64), x, y, a - 0.008, b - 0.007, phi);
    }
}

/* Vessels run from the hilum outwards and get thinner. */
static void paint_vessels(struct painter *p, double hx, double hy, double x, double y, double a, double b) {
  const long vessels = amount(p, 14, 40);
  for (long i = 0; i < vessels; i++) {
    const double w = roll(p, 0, 2 * pi), r = sqrt(roll(p, 0.02, 0.85)), vx = x + r * a * cos(w), vy = y + r * b * sin(w);
    const double away = hypot(vx - hx, vy - hy), thick = roll(p, 0.4, 1) * 0.020 / (1 + 4 * away), along = thick * exp(roll(p, 0, 2));
    oval(p, roll(p, 0.35, 0.54), vx, vy, along, thick, atan2(vy - hy, vx - hx) + roll(p, -0.3, 0.3));
  }
}

static void paint_lung(struct painter *p, const struct body *t, int side) {
  const double a = t->a * roll(p, 0.30, 0.36), b = (t->b - t->fat) * roll(p, 0.66, 0.78), x = t->x + side * t->a * roll(p, 0.43, 0.47), y = t->y + t->b * roll(p, -0.06, 0.08);
  const double tilt = -side * roll(p, 0.02, 0.22);
  oval(p, roll(p, 0.04, 0.15), x, y, a, b, tilt);
  const long patches = amount(p, 0, 5); /* not all of a lung is as full of air */
  for (long i = 0; i < patches; i++) oval(p, roll(p, 0.05, 0.22), x + roll(p, -0.5, 0.5) * a, y + roll(p, -0.6, 0.6) * b, roll(p, 0.2, 0.5) * a, roll(p, 0.1, 0.35) * b, roll(p, 0, pi));
  paint_vessels(p, t->x + side * 0.12, t->y, x, y, 0.9 * a, 0.9 * b);
  if (roll(p, 0, 1) < 0.25) { /* a nodule */
    const double r = roll(p, 0.015, 0.07);
    oval(p, roll(p, 0.45, 0.55), x + roll(p, -0.5, 0.5) * a, y + roll(p, -0.5, 0.5) * b, r, r * roll(p, 0.7, 1), roll(p, 0, pi));
  }
}

static void paint_chest(struct painter *p, const struct body *t) {
  const double blood = roll(p, 0, 1) < 0.5 ? roll(p, 0.53, 0.56) : roll(p, 0.58, 0.75); /* contrast medium, or none */
  paint_lung(p, t, -1);
  paint_lung(p, t, 1);
  const double hx = t->x + roll(p, 0.0, 0.16), hy = t->y + t->b * roll(p, 0.0, 0.25), size = roll(p, 0.12, 0.27);
  oval(p, 0.47, hx, hy, size + 0.03, 0.9 * size + 0.03, 0.3); /* fat around it */
  oval(p, MUSCLE, hx, hy, size, 0.85 * size, roll(p, -0.4, 0.6));
  const long rooms = amount(p, 2, 5);
  for (long i = 0; i < rooms; i++) oval(p, blood + roll(p, -0.03, 0.03), hx + roll(p, -0.6, 0.6) * size, hy + roll(p, -0.5, 0.5) * size, roll(p, 0.03, 0.09), roll(p, 0.03, 0.07), roll(p, 0, pi));
  const double aorta = roll(p, 0.035, 0.055);
  oval(p, blood, t->x + roll(p, 0.06, 0.14), t->y - t->b * roll(p, 0.25, 0.38), aorta, aorta, 0);
  const long airways = amount(p, 1, 2);
  for (long i = 0; i < airways; i++) {
    const double r = roll(p, 0.018, 0.034), x = t->x + (airways == 1 ? 0 : i ? 0.1 : -0.1), y = t->y - t->b * roll(p, 0.02, 0.12);
    oval(p, MUSCLE, x, y, r + 0.008, r + 0.008, 0);
    oval(p, AIR, x, y, r, r, 0);
  }
  oval(p, roll(p, 0.62, 0.8), t->x, t->y + (t->b - t->fat) * 0.90, roll(p, 0.05, 0.09), 0.018, 0); /* sternum */
  paint_ribs(p, t, 0.88);
}

static void paint_bowel(struct painter *p, const struct body *t) {
  const long loops = amount(p, 5, 12);
  for (long i = 0; i < loops; i++) {
    const double x = t->x + roll(p, -0.35, 0.5) * t->a, y = t->y + roll(p, -0.05, 0.55) * t->b, a = roll(p, 0.03, 0.10), b = a * roll(p, 0.5, 1), phi = roll(p, 0, pi);
    oval(p, 0.53, x, y, a, b, phi);
    oval(p, roll(p, 0, 1) < 0.4 ? AIR : roll(p, 0.49, 0.62), x, y, a - 0.012, b - 0.012, phi);
  }
}

static void paint_belly(struct painter *p, const struct body *t) {
  const double wall = t->fat + roll(p, 0.05, 0.08), blood = roll(p, 0, 1) < 0.5 ? 0.54 : roll(p, 0.58, 0.66);
  oval(p, FAT, t->x, t->y, t->a - wall, t->b - wall, 0); /* fat that the organs lie in */
  oval(p, roll(p, 0.54, 0.57), t->x - 0.42 * t->a, t->y + 0.15 * t->b, t->a * roll(p, 0.30, 0.40), t->b * roll(p, 0.45, 0.60), roll(p, 0.0, 0.4));
  oval(p, roll(p, 0.54, 0.57), t->x + 0.58 * t->a, t->y - 0.05 * t->b, t->a * roll(p, 0.13, 0.2), t->b * roll(p, 0.25, 0.36), roll(p, -0.3, 0.3));
  for (int side = -1; side <= 1; side += 2) {
    const double x = t->x + side * t->a * roll(p, 0.28, 0.38), y = t->y - t->b * roll(p, 0.32, 0.45), a = roll(p, 0.06, 0.08), b = roll(p, 0.08, 0.11), phi = side * roll(p, 0.1, 0.6);
    oval(p, blood + 0.02, x, y, a, b, phi);
    oval(p, 0.49, x - side * 0.02, y, 0.4 * a, 0.5 * b, phi);
    oval(p, MUSCLE, t->x + side * roll(p, 0.16, 0.2), t->y - t->b * 0.52, 0.06, 0.06, 0); /* psoas */
  }
  paint_bowel(p, t);
  oval(p, blood, t->x + roll(p, 0.02, 0.07), t->y - t->b * 0.33, 0.042, 0.042, 0);
  oval(p, blood, t->x - roll(p, 0.05, 0.1), t->y - t->b * 0.30, 0.045, 0.035, 0);
  paint_ribs(p, t, 0.92);
}

static void figures(const void *priv, uint64_t seed, ptrdiff_t object, pri_figures *out) {
  const struct torso *t = priv;
  struct painter p = {seed, (uint64_t)object * REACH, out};
  out->n = 0;
  const int chest = roll(&p, 0, 1) < 0.7;
  const struct body body = paint_body(&p);
  if (t->part == CHEST || (t->part == ANYWHERE && chest)) paint_chest(&p, &body);
  else paint_belly(&p, &body);
  paint_spine(&p, &body);
  paint_couch(&p, &body);
}
static pri_status init(pri_ctx *ctx, void *priv) {
  (void)ctx, (void)priv;
  return PRI_OK;
}

static pri_status shape(const void *priv, pri_shape *s) {
  const struct torso *p = priv;
  *s = pri_shape_2d(p->size, p->size);
  return PRI_OK;
}

static pri_status draw(pri_ctx *ctx, const void *priv, pri_array *x, ptrdiff_t first) { return pri_figures_draw_each(ctx, figures, priv, x, first); }

static pri_status project(pri_ctx *ctx, const void *priv, const pri_geometry *g, int bin_average, pri_array *y, ptrdiff_t first) {
  return pri_figures_project_each(ctx, figures, priv, g, bin_average, y, first);
}

static const char *const parts[] = {"any", "chest", "belly", NULL};
static const pri_param params[] = {
    {.name = "size", .unit = "pixels", .help = "side of the image", .type = PRI_INT, .offset = offsetof(struct torso, size), .min = 1, .max = 65536, .def = 256},
    {.name = "part", .unit = "-", .help = "chest, belly, or any of them (seven chests in ten)", .type = PRI_CHOICE, .choices = parts, .offset = offsetof(struct torso, part), .def = 0},
    {0}};
static const char *const examples[] = {"size=64", "size=65,part=chest", "size=48,part=belly", NULL};
const pri_phantom_class pri_phantom_torso = {.kind = {"torso", "random cuts through chests and bellies, with the greys of CT", "", sizeof(struct torso), params, examples},
                                             .init = init, .shape = shape, .draw = draw, .project = project};
