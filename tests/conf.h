/* SPDX-License-Identifier: GPL-3.0-or-later */
/* conf.h - the driver of conformance tests whose classes need nothing but a spec: maps, networks, schedules. */
#ifndef PRI_TEST_CONF_H
#define PRI_TEST_CONF_H
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <cmocka.h>
#include "priori/kind.h"
static char said[512];                 /* why the last check did not hold */
#define NOT(...) (snprintf(said, sizeof said, __VA_ARGS__), 0)
typedef int (*test_conforms)(char *spec); /* 1: it does */

/* every example of every kind */
static inline void test_examples(const pri_kind *const *kinds, test_conforms conforms) {
  for (int k = 0; kinds[k]; k++)
    for (const char *const *e = kinds[k]->examples; e && *e; e++) {
      char spec[256];
      snprintf(spec, sizeof spec, "%s:%s", kinds[k]->name, *e);
      if (!conforms(spec)) fail_msg("%s: %s", spec, said);
    }
}

/* "NAME:lie=..." must not conform */
static inline void test_lie(const char *name, const char *lie, test_conforms conforms) {
  char spec[64];
  snprintf(spec, sizeof spec, "%s:lie=%s", name, lie);
  if (conforms(spec)) fail_msg("%s is not found", spec);
}
#endif
