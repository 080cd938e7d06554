/* SPDX-License-Identifier: GPL-3.0-or-later */
/* filterbank_steps_float.c - the kernels of filterbank_steps.c for float. */
#define PRI_BANK_FLOAT
#include "filterbank_steps.c"
