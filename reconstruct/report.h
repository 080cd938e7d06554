/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * report.h - the page of `priori report`. A section is a function in a file report_*.c and a line in the table of cmd_report.c; it writes
 * HTML to page->f, or nothing where it has nothing to say. Nothing in the page points outside of it.
 */
#ifndef PRI_REPORT_H
#define PRI_REPORT_H
#include <jansson.h>
#include <stdio.h>
#include "cmd.h"
#include "priori/io.h"

typedef struct pri_page {
  pri_ctx *ctx;
  FILE *f;
  const char *name;              /* of the result */
  const json_t *provenance;      /* an object; empty where the file says nothing */
  pri_input *result;
  const pri_input_info *info;
  ptrdiff_t slice;               /* the one that is shown */
  pri_real *x;                   /* its pixels */
} pri_page;
typedef pri_status (*pri_section)(pri_page *page);
pri_status pri_report_pictures(pri_page *page), pri_report_certificate(pri_page *page), pri_report_curves(pri_page *page),
    pri_report_histogram(pri_page *page), pri_report_origin(pri_page *page);

void pri_report_text(FILE *f, const char *text);             /* with & < > " as entities */

typedef struct pri_plot {        /* one curve; points that are not finite (on log axes: not positive) are left out */
  const char *title, *x_label, *y_label;
  const double *x, *y;
  ptrdiff_t n;
  int log_x, log_y, bars;        /* bars: from 0, x in equal steps */
  double line, mark;             /* dashed at this y; at this x; NAN: none */
} pri_plot;
void pri_report_plot(FILE *f, const pri_plot *p);
#endif
