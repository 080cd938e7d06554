/* SPDX-License-Identifier: GPL-3.0-or-later */
/* number.c - numbers and quantities as text. */
#define _GNU_SOURCE
#include "number.h"
#include <ctype.h>
#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "priori/kind.h"

/* Switch this thread to the C locale; the argument of leave(). */
static locale_t enter(locale_t *c) {
  *c = newlocale(LC_ALL_MASK, "C", (locale_t)0);
  return *c ? uselocale(*c) : (locale_t)0;
}

static void leave(locale_t c, locale_t old) {
  if (!c) return;
  uselocale(old);
  freelocale(c);
}

double pri_number_parse(const char *s, char **end) {
  locale_t c, old = enter(&c);
  const double v = strtod(s, end);
  leave(c, old);
  return v;
}

const char *pri_number_text(char *buf, size_t n, double v) {
  locale_t c, old = enter(&c);
  for (int digits = 6; digits <= 17; digits++) {
    snprintf(buf, n, "%.*g", digits, v);
    if (isnan(v) || strtod(buf, NULL) == v) break;
  }
  leave(c, old);
  return buf;
}

static const struct unit {
  const char *name;
  char dimension;
  double factor;
} units[] = {
    {"mm", 'l', 1}, {"um", 'l', 1e-3}, {"\xc2\xb5m", 'l', 1e-3}, {"nm", 'l', 1e-6}, {"cm", 'l', 10}, {"m", 'l', 1000},
    {"rad", 'a', 1}, {"deg", 'a', 0.017453292519943295769},
    {"s", 't', 1}, {"ms", 't', 1e-3}, {"min", 't', 60}, {"h", 't', 3600},
    {"1", '1', 1}, {"", '1', 1}, {"-", '1', 1}, {"px", '1', 1}, {"pixels", '1', 1}, {"bins", '1', 1}, {"rows", '1', 1},
    {"bytes", 'b', 1}, {"K", 'b', 1024}, {"M", 'b', 1048576}, {"G", 'b', 1073741824}, {"T", 'b', 1099511627776.0},
};

double pri_unit_factor(const char *unit, size_t n, char *dimension) {
  for (size_t i = 0; i < sizeof units / sizeof *units; i++)
    if (strlen(units[i].name) == n && memcmp(units[i].name, unit, n) == 0) {
      *dimension = units[i].dimension;
      return units[i].factor;
    }
  return 0;
}

/* "10m" is ten minutes where seconds are meant, ten metres where millimetres are. */
static double factor_for(const char *text, size_t n, const char *unit) {
  char dimension = 0, wanted = 0;
  const double base = pri_unit_factor(unit, strlen(unit), &wanted);
  if (n == 0) return base;
  if (wanted == 't' && n == 1 && *text == 'm') return 60;
  const double factor = pri_unit_factor(text, n, &dimension);
  return base == 0 || dimension == wanted ? factor : 0;
}

pri_status pri_quantity_parse(pri_ctx *ctx, const char *who, const char *text, const char *unit, double *out) {
  char *end;
  const double v = pri_number_parse(text, &end);
  if (end == text || !isfinite(v))
    return PRI_FAIL(ctx, PRI_EPARAM, "%s: '%s' is not a number%s%s", who, text, *unit ? " in " : "", unit);
  while (isspace((unsigned char)*end)) end++;
  const double factor = factor_for(end, strlen(end), unit);
  if (factor == 0) return PRI_FAIL(ctx, PRI_EPARAM, "%s: '%s' is not in %s or a unit that converts to it", who, text, *unit ? unit : "plain numbers");
  *out = v * factor;
  return PRI_OK;
}
