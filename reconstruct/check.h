/* SPDX-License-Identifier: GPL-3.0-or-later */
/* check.h - what cmd_check.c hands on. */
#ifndef PRI_CHECK_H
#define PRI_CHECK_H
#include "cmd.h"
/* check --learn: prints the table (or JSON); exit status 1 where a derivative is wrong. EPARAM: no prior, or nothing of it can be learned; EREAD, EFORMAT ... */
PRI_MUST_CHECK pri_status pri_check_learn(pri_call *call);
#endif
