/* SPDX-License-Identifier: GPL-3.0-or-later */
/* priori/real.h - the element type. One set of sources, two builds: libpriori (float) and libpriori-double
   (compile with -DPRI_DOUBLE, as `pkg-config --cflags priori-double` says). */
#ifndef PRIORI_REAL_H
#define PRIORI_REAL_H
#ifdef PRI_DOUBLE
typedef double pri_real;
#else
typedef float pri_real;
#endif
#if defined(__GNUC__) || defined(__clang__)
#define PRI_API __attribute__((visibility("default")))
#define PRI_MUST_CHECK __attribute__((warn_unused_result))
#define PRI_PRINTF(fmt, args) __attribute__((format(printf, fmt, args)))
#else
#define PRI_API
#define PRI_MUST_CHECK
#define PRI_PRINTF(fmt, args)
#endif
#endif
