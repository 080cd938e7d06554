/* SPDX-License-Identifier: GPL-3.0-or-later */
/* number.h (k) - numbers as text, with a decimal point whatever the locale of the process. */
#ifndef PRI_NUMBER_H
#define PRI_NUMBER_H
#include <stddef.h>
double pri_number_parse(const char *s, char **end);         /* as strtod; *end = s where nothing was read */
const char *pri_number_text(char *buf, size_t n, double v); /* shortest text that parses back to the same bits; returns buf */
/* Factor of a unit to the base unit of its dimension (mm, rad, s, 1, bytes); 0: unknown. *dimension: 'l' 'a' 't' '1' 'b' */
double pri_unit_factor(const char *unit, size_t n, char *dimension);
#endif
