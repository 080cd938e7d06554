/* SPDX-License-Identifier: GPL-3.0-or-later */
/* status.c - the one list of priori/status.h as names, texts and exit statuses. */
#include "priori/status.h"

const char *pri_status_name(pri_status s) {
  switch (s) {
#define X(name, value, exit_status, text) case PRI_##name: return #name;
    PRI_STATUS_LIST(X)
#undef X
  }
  return "unknown";
}

const char *pri_status_text(pri_status s) {
  switch (s) {
#define X(name, value, exit_status, text) case PRI_##name: return text;
    PRI_STATUS_LIST(X)
#undef X
  }
  return "unknown status";
}

int pri_status_exit(pri_status s) {
  switch (s) {
#define X(name, value, exit_status, text) case PRI_##name: return exit_status;
    PRI_STATUS_LIST(X)
#undef X
  }
  return 1;
}
