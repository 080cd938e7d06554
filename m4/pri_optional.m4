# SPDX-License-Identifier: GPL-3.0-or-later
# PRI_OPTIONAL(NAME, name, pkg-config modules to try in turn, what for) - --with-name=yes|no|auto; sets NAME_CFLAGS, NAME_LIBS,
# pri_with_name, the conditional HAVE_NAME and the macro HAVE_NAME. Callers never see #ifdef: whole files are chosen.
AC_DEFUN([PRI_OPTIONAL], [
  AC_ARG_WITH([$2], [AS_HELP_STRING([--with-$2], [$4 (default: where found)])], [], [with_$2=auto])
  pri_with_$2=no
  AS_IF([test "x$with_$2" != xno], [
    m4_foreach_w([pri_module], [$3], [
      AS_IF([test "x$pri_with_$2" = xno], [
        PKG_CHECK_EXISTS(pri_module, [PKG_CHECK_MODULES([$1], pri_module, [pri_with_$2=yes], [:])], [:])])])
    AS_IF([test "x$pri_with_$2$with_$2" = xnoyes], [AC_MSG_ERROR([--with-$2 was given but $2 was not found])])
  ])
  AS_IF([test "x$pri_with_$2" = xyes], [AC_DEFINE([HAVE_$1], [1], [$4])])
  AC_SUBST([$1_CFLAGS]) AC_SUBST([$1_LIBS])
  AM_CONDITIONAL([HAVE_$1], [test "x$pri_with_$2" = xyes])
])
