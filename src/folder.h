/* SPDX-License-Identifier: GPL-3.0-or-later */
/* folder.h (k) - the files of a folder, or those that a pattern fits, in natural order: "s2" before "s10". */
#ifndef PRI_FOLDER_H
#define PRI_FOLDER_H
#include "priori/context.h"
int pri_folder_is(const char *name);                           /* a folder, or a pattern ("p*.tif") that no file has for a name */
/* Files that are images; others are passed over, and said. *names by pri_calloc, each too. EREAD */
PRI_MUST_CHECK pri_status pri_folder_list(pri_ctx *ctx, const char *path, char ***names, int *n);
void pri_folder_gaps(pri_ctx *ctx, char **names, int n);       /* logs numbers that are missing */
void pri_folder_free(pri_ctx *ctx, char **names, int n);
#endif
