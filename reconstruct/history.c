/* SPDX-License-Identifier: GPL-3.0-or-later */
/* history.c - see history.h. */
#include "history.h"
#include <math.h>
#include "json.h"

static const double RATIO = 1.07; /* 1 to 30,000 steps in about 160 points */

void pri_history_init(pri_history *h, ptrdiff_t item) { *h = (pri_history){.item = item, .next = 1, .ratio = RATIO}; }

/* Full: every other point goes, and the rest comes twice as sparse. */
static void thin(pri_history *h) {
  long kept = 0;
  for (long i = 0; i < h->n; i += 2) h->p[kept++] = h->p[i];
  h->n = kept;
  h->ratio *= h->ratio;
}

static void append(pri_history *h, const pri_history_point *p) {
  if (h->n == PRI_HISTORY) thin(h);
  h->p[h->n++] = *p;
}

void pri_history_add(pri_history *h, const pri_report *r) {
  const int proven = r->gap.trust >= PRI_PROVEN && isfinite(r->gap.value);
  const pri_history_point p = {.k = r->k,
                               .passes = (r->applies + r->adjoints + r->certifying) / 2,
                               .objective = r->objective,
                               .relative_gap = proven ? pri_report_relative_gap(r) : NAN,
                               .residual = r->residual,
                               .change = r->change};
  if (!proven && r->k < h->next) return;
  if (!isfinite(p.objective) && !proven && !isfinite(p.residual) && !isfinite(p.change)) return;
  append(h, &p);
  h->next = (long)fmax((double)r->k + 1, ceil((double)r->k * h->ratio));
}

void pri_history_end(pri_history *h, const pri_history_point *last) {
  if (h->n && h->p[h->n - 1].k >= last->k) {
    pri_history_point *p = &h->p[h->n - 1];
    const double change = p->change;
    *p = *last;
    p->change = change;
    return;
  }
  append(h, last);
}

static void add_column(json_t *o, const char *key, const pri_history *h, size_t offset) {
  json_t *a = json_array();
  int known = 0;
  for (long i = 0; i < h->n; i++) {
    const double v = *(const double *)(const void *)((const char *)&h->p[i] + offset);
    known |= isfinite(v);
    json_array_append_new(a, pri_json_number(v));
  }
  if (known)
    json_object_set_new(o, key, a);
  else
    json_decref(a);
}

json_t *pri_history_json(const pri_history *h) {
  if (h->n == 0) return NULL;
  json_t *o = json_pack("{s:I, s:[]}", "item", (json_int_t)h->item, "k");
  for (long i = 0; i < h->n && o; i++) json_array_append_new(json_object_get(o, "k"), json_integer(h->p[i].k));
  if (!o) return NULL;
  add_column(o, "passes", h, offsetof(pri_history_point, passes));
  add_column(o, "objective", h, offsetof(pri_history_point, objective));
  add_column(o, "relative_gap", h, offsetof(pri_history_point, relative_gap));
  add_column(o, "residual", h, offsetof(pri_history_point, residual));
  add_column(o, "change", h, offsetof(pri_history_point, change));
  return o;
}
