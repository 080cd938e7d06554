# SPDX-License-Identifier: GPL-3.0-or-later
# PRI_OPENMP - --without-openmp builds a serial program; otherwise the compiler must know OpenMP.
AC_DEFUN([PRI_OPENMP], [
  AC_ARG_WITH([openmp], [AS_HELP_STRING([--without-openmp], [serial build])], [], [with_openmp=yes])
  pri_openmp=no
  AS_IF([test "x$with_openmp" != xno], [
    AC_OPENMP
    AS_IF([test "x$ac_cv_prog_c_openmp" = xunsupported], [AC_MSG_ERROR([the compiler $CC has no OpenMP; install it or give --without-openmp])])
    pri_openmp="yes $OPENMP_CFLAGS"
  ])
])
