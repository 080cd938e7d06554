# SPDX-License-Identifier: GPL-3.0-or-later
# PRI_WARNINGS - WARN_CFLAGS: what gcc and clang must both be silent about, --enable-werror makes that errors (CI does); and the flags
# that fix the meaning of the code: no fused operations but those that are written, and only PRI_API is exported.
AC_DEFUN([PRI_WARNINGS], [
  AC_ARG_ENABLE([werror], [AS_HELP_STRING([--enable-werror], [warnings are errors])], [], [enable_werror=no])
  WARN_CFLAGS=
  for pri_flag in -Wall -Wextra -Wpedantic -Wconversion -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wvla -fno-math-errno -ffp-contract=off -fvisibility=hidden -ftree-vectorize -fvect-cost-model=dynamic; do
    AC_MSG_CHECKING([whether $CC takes $pri_flag])
    pri_save=$CFLAGS
    CFLAGS="$CFLAGS -Werror $pri_flag"
    AC_COMPILE_IFELSE([AC_LANG_PROGRAM([], [])], [WARN_CFLAGS="$WARN_CFLAGS $pri_flag"; AC_MSG_RESULT([yes])], [AC_MSG_RESULT([no])])
    CFLAGS=$pri_save
  done
  AS_IF([test "x$enable_werror" = xyes], [WARN_CFLAGS="$WARN_CFLAGS -Werror"])
  AC_SUBST([WARN_CFLAGS])
])
