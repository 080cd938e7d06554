/* SPDX-License-Identifier: GPL-3.0-or-later */
/* priori/status.h - one list, four uses: enum, name, text, exit status of the program (cli contract, section 4). */
#ifndef PRIORI_STATUS_H
#define PRIORI_STATUS_H
#include "priori/real.h"
#ifdef __cplusplus
extern "C" {
#endif
/* X(name, value, exit status of the program, text) */
#define PRI_STATUS_LIST(X)                                                                 \
  X(OK, 0, 0, "success")                                                                   \
  X(ENOMEM, 1, 7, "out of memory")                                                         \
  X(ESHAPE, 2, 2, "shapes do not agree")                                                   \
  X(EPARAM, 3, 2, "bad parameter")                                                         \
  X(ENOTSUP, 4, 2, "operation not provided by this object")                                \
  X(EREAD, 5, 4, "cannot read")                                                            \
  X(EFORMAT, 6, 4, "not in the expected format")                                           \
  X(EDATA, 7, 5, "input not finite or saturated")                                          \
  X(EWRITE, 8, 6, "cannot write")                                                          \
  X(EBUDGET, 9, 7, "memory budget exceeded")                                               \
  X(EGEOMETRY, 10, 8, "geometry inconsistent")                                             \
  X(ENUMERIC, 11, 1, "a computed value is not finite")                                     \
  X(EEXTERN, 12, 1, "a third-party library failed")                                        \
  X(ECANCEL, 13, 130, "cancelled")
typedef enum pri_status {
#define X(name, value, exit_status, text) PRI_##name = value,
  PRI_STATUS_LIST(X)
#undef X
} pri_status;
/* Static strings and numbers; any value is accepted ("unknown status", 1). */
PRI_API const char *pri_status_name(pri_status s); /* "EPARAM" */
PRI_API const char *pri_status_text(pri_status s); /* "bad parameter" */
PRI_API int pri_status_exit(pri_status s);         /* exit status of the program */
#ifdef __cplusplus
}
#endif
#endif
