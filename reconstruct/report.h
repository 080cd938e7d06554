/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * report.h - the page of `priori report`. A section is a function in a file report_*.c and a line in the table of cmd_report.c; it writes
 * HTML to page->f, or nothing where it has nothing to say. One that fails is left out, and the page says why. Nothing in the page points
 * outside of it.
 */
#ifndef PRI_REPORT_H
#define PRI_REPORT_H
#include <jansson.h>
#include <stdio.h>
#include "cmd.h"
#include "rebuild.h"
#include "safetensors.h"
#include "priori/io.h"

typedef struct pri_page {
  pri_ctx *ctx;
  FILE *f;
  const char *name;              /* of the result */
  const json_t *provenance;      /* an object; empty where the file says nothing */
  pri_rebuilt *job;              /* that it came from; NULL: could not be made again */
  pri_options asked;             /* its configuration; all defaults where there is none */
  char *missing;                 /* why not; NULL: it is no result of a reconstruction */
  pri_input *result;
  const pri_input_info *info;
  ptrdiff_t item, items;         /* the one that is shown, of how many: pages, volumes, ... */
  const char *word;              /* what they are called */
  pri_shape shape;               /* of one */
  pri_real *x;                   /* its pixels */
  pri_tensors *learned;          /* of a .prior file, which has no pixels: only card and provenance; else NULL */
} pri_page;
typedef pri_status (*pri_section)(pri_page *page);
pri_status pri_report_pictures(pri_page *page), pri_report_certificate(pri_page *page), pri_report_curves(pri_page *page),
    pri_report_histogram(pri_page *page), pri_report_residual(pri_page *page), pri_report_psf(pri_page *page), pri_report_geometry(pri_page *page),
    pri_report_learned(pri_page *page), pri_report_filters(pri_page *page), pri_report_origin(pri_page *page);

void pri_report_text(FILE *f, const char *text);             /* with & < > " as entities */
void pri_report_number(FILE *f, double v, int digits);       /* 12.5, 1.25 x 10^-7 with a superscript; a dash where not finite */
void pri_report_row(FILE *f, const char *what, double v, const char *unit, const char *explained); /* of a table; nothing where not finite */
/* "12 nm", "0.65 um", "3 mm", in buf */
const char *pri_report_length(double mm, char *buf, size_t n);

enum { PRI_PLOT_MORE = 9 };      /* curves beside the first */
typedef struct pri_plot {        /* points that are not finite (on log axes: not positive) are left out */
  const char *title, *x_label, *y_label;
  const double *x, *y;
  ptrdiff_t n;
  int log_x, log_y, bars;        /* bars: from 0, x in equal steps */
  double line, mark;             /* dashed at this y; at this x; NAN: none */
  const double *more[PRI_PLOT_MORE]; /* over the same x, up to the first NULL */
  const char *names[PRI_PLOT_MORE + 1]; /* of the curves; NULL: one curve, which the title names */
  int band;                      /* what lies between y and more[0] is filled */
} pri_plot;
void pri_report_plot(FILE *f, const pri_plot *p);

int pri_report_assumed(const pri_page *page);                /* are the lengths of a scan in bins, for want of a size? */
double pri_report_pitch(const pri_page *page);               /* of the result's pixels, mm; NAN: unknown */
/* The plane of an item that is shown: the middle one. Returns its first element, *w and *h */
const pri_real *pri_report_plane(const pri_shape *s, const pri_real *x, ptrdiff_t *w, ptrdiff_t *h);
enum { PRI_GREYS, PRI_SIGNED };  /* black to white; blue, white at 0, red */
typedef struct pri_picture {
  const char *title, *across, *down, *unit; /* axes of what is no image, and unit of its values; NULL: none */
  const char *note;              /* ends the caption; NULL: nothing */
  const pri_real *x;             /* [h][w] */
  ptrdiff_t w, h;
  int colours, decades;          /* decades: x are logarithms to base 10 */
  double lo, hi;                 /* NAN: chosen, half a per cent beyond each end */
  double mm;                     /* pitch, for the scale bar; NAN: none */
  int small;                     /* a thumbnail: no legend */
} pri_picture;
PRI_MUST_CHECK pri_status pri_report_picture(pri_page *page, const pri_picture *p);
/* Two figures of a plane [h][w]: its power spectrum as a picture, and its mean over directions (lines 0) or along rows (lines 1: sinograms).
   variance: power of white noise of the same strength, the 1 of both. */
PRI_MUST_CHECK pri_status pri_report_spectrum(pri_page *page, const pri_real *r, ptrdiff_t w, ptrdiff_t h, double variance, int lines);
#endif
