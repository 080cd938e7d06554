/* SPDX-License-Identifier: GPL-3.0-or-later */
/* models.c - see models.h. The installed folder is $(pkgdatadir)/models, by Makefile.am. */
#define _GNU_SOURCE
#include "models.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "models-folder.h"

static int in(const char *folder, const char *name, char *path, size_t size) {
  if (!folder || !*folder) return 0;
  const int n = snprintf(path, size, "%s/%s", folder, name);
  return n > 0 && (size_t)n < size && !access(path, R_OK);
}

const char *pri_models_find(const char *name, char *path, size_t size) {
  if (!*name || strchr(name, '/') || !access(name, F_OK)) return name;
  return in(getenv("PRIORI_MODELS"), name, path, size) || in(PRI_MODELS_FOLDER, name, path, size) ? path : name;
}
