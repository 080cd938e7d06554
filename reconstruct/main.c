/* SPDX-License-Identifier: GPL-3.0-or-later */
/* main.c - argv to commands. */
#include <stdio.h>
#include "priori/priori.h"

int main(void) {
  pri_ctx *ctx;
  if (pri_open(&ctx, NULL) != PRI_OK) return 1;
  puts("priori");
  pri_ctx_destroy(&ctx);
  return 0;
}
