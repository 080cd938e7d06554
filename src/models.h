/* SPDX-License-Identifier: GPL-3.0-or-later */
/* models.h (k) - learned priors that come with the program: file=NAME finds them by name alone. */
#ifndef PRI_MODELS_H
#define PRI_MODELS_H
#include <stddef.h>
/*
 * pri_models_find - the path of a file that a key names: the name itself where there is such a file or the name has a folder; else the first that
 * exists of $PRIORI_MODELS/NAME and the installed models/NAME; else the name.
 *   path  [size] room for what is found; the result is `path` or `name`.
 */
const char *pri_models_find(const char *name, char *path, size_t size);
enum { PRI_MODELS_PATH = 4096 };
#endif
