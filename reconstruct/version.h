/* SPDX-License-Identifier: GPL-3.0-or-later */
/* version.h - what program this is; provenance and --version say the same. */
#ifndef PRI_VERSION_H
#define PRI_VERSION_H
const char *pri_version(void);      /* "0.1.0" */
const char *pri_build(void);        /* "float, OpenMP, HDF5 1.10.8, gcc 12.2.0, x86_64": what could matter to the pixels */
void pri_version_print(int verbose); /* one line; verbose: libraries too */
#endif
