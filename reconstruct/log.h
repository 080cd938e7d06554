/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * log.h - the journal of a run: --log (text for people), --log-json (one object a line, cli contract section 6) and the
 * progress line on stderr. One a command; jobs share it. It taps the lines of the context's log while it lives.
 */
#ifndef PRI_LOG_H
#define PRI_LOG_H
#include "cmd.h"

typedef struct pri_journal pri_journal;
typedef struct pri_progress { /* what the progress line says; NAN: unknown */
  const char *what;           /* "slice 16 of 512" is made of these: stage name, or NULL while solving */
  const char *word;           /* what an item is called; NULL: a slice */
  ptrdiff_t item, items;      /* done so far, in all */
  long k;
  double objective, relative_gap;
  double share;               /* done of the whole run, 0 to 1, for the time left; NAN: unknown */
} pri_progress;

/* Opens the files named by the options (EWRITE). *out NULL on failure. */
PRI_MUST_CHECK pri_status pri_journal_create(pri_call *call, pri_journal **out);
void pri_journal_destroy(pri_journal **j);
/* Takes the reference of fields (an object, or NULL: none); adds "event" and "t" in front. Failures of writing come out in pri_journal_close. */
void pri_journal_event(pri_journal *j, const char *event, json_t *fields);
void pri_journal_start(pri_journal *j, const char *config); /* the event that comes first */
/* What events say from now on is also appended to the array (borrowed), as [event, fields]; NULL: no longer */
void pri_journal_record(pri_journal *j, json_t *array);
int pri_journal_wants_events(const pri_journal *j); /* is there a --log-json? spares the making of objects */
void pri_journal_progress(pri_journal *j, const pri_progress *p); /* cheap: prints at most 10 times a second, or every 10 s in plain */
void pri_journal_clear(pri_journal *j);             /* takes an unfinished progress line off the terminal */
PRI_MUST_CHECK pri_status pri_journal_close(pri_journal *j); /* flushes the files; EWRITE */
double pri_journal_seconds(const pri_journal *j);   /* since create */
double pri_cpu_seconds(void);                       /* of the process, all threads */
double pri_wall_seconds(void);                      /* monotonic, origin undefined */
size_t pri_peak_bytes(void);                        /* largest resident memory of the process so far */
size_t pri_resident_bytes(void);                    /* resident memory now */
#endif
