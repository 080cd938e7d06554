# SPDX-License-Identifier: GPL-3.0-or-later
# PRI_BLAS - BLAS_LIBS: LAPACK with its C interface, by pkg-config (openblas, else lapacke) or -llapacke.
AC_DEFUN([PRI_BLAS], [
  PKG_CHECK_MODULES([BLAS], [lapacke lapack blas], [], [
    AC_CHECK_LIB([lapacke], [LAPACKE_dgels], [BLAS_LIBS="-llapacke -llapack -lblas"],
      [AC_MSG_ERROR([LAPACKE not found; on Debian: apt-get install liblapacke-dev])], [-llapack -lblas])
    AC_SUBST([BLAS_LIBS])])
])
