# SPDX-License-Identifier: GPL-3.0-or-later
# PRI_SANITIZE - --enable-sanitize=address,undefined | thread
AC_DEFUN([PRI_SANITIZE], [
  AC_ARG_ENABLE([sanitize], [AS_HELP_STRING([--enable-sanitize=LIST], [build with these sanitizers (address,undefined or thread)])], [], [enable_sanitize=no])
  SAN_CFLAGS=
  AS_IF([test "x$enable_sanitize" != xno], [SAN_CFLAGS="-fsanitize=$enable_sanitize -fno-sanitize-recover=all -fno-omit-frame-pointer -g"])
  AC_SUBST([SAN_CFLAGS])
  AM_CONDITIONAL([SANITIZE], [test "x$enable_sanitize" != xno])
])
