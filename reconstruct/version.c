/* SPDX-License-Identifier: GPL-3.0-or-later */
/* version.c - see version.h. Versions of libraries are those that the program was built with. */
#include "version.h"
#include "config.h"
#include <fftw3.h>
#include <gsl/gsl_version.h>
#include <jansson.h>
#include <expat.h>
#include <nettle/version.h>
#include <png.h>
#include <stdio.h>
#include <tiffvers.h>
#include <zlib.h>
#include "cmd.h"

#ifdef PRI_DOUBLE
#define PRECISION "double"
#else
#define PRECISION "float"
#endif
#ifdef _OPENMP
#define THREADS "OpenMP"
#else
#define THREADS "no threads"
#endif
#ifdef HAVE_HDF5
#define HDF5 "yes"
#else
#define HDF5 "no"
#endif
#if defined(__clang__)
#define COMPILER "clang " __clang_version__
#elif defined(__GNUC__)
#define COMPILER "gcc " __VERSION__
#else
#define COMPILER "another compiler"
#endif
#if defined(__x86_64__)
#define MACHINE "x86_64"
#elif defined(__aarch64__)
#define MACHINE "aarch64"
#else
#define MACHINE "another machine"
#endif

const char *pri_version(void) { return PACKAGE_VERSION; }

const char *pri_build(void) { return PRECISION ", " THREADS ", " COMPILER ", " MACHINE; }

void pri_version_print(int verbose) {
  pri_print("priori %s\n", pri_version());
  if (!verbose) return;
  pri_print("build: %s\nFFTW %s\nGSL %s\nlibtiff %d\nlibpng %s\nzlib %s\njansson %s\nnettle %d.%d\n%s\n", pri_build(),
            fftw_version, GSL_VERSION, TIFFLIB_VERSION, PNG_LIBPNG_VER_STRING, ZLIB_VERSION, JANSSON_VERSION,
            NETTLE_VERSION_MAJOR, NETTLE_VERSION_MINOR, XML_ExpatVersion());
  pri_print("HDF5 %s\n", HDF5);
  pri_print("Licence GPL-3.0-or-later; no warranty.\n");
}
