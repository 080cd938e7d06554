/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * resume.h - what --resume needs: kept beside the output NAME in ".NAME.resume", records of what is done, and ".NAME.resume-state",
 * the solver in the block at hand. After a kill at any moment the next run goes on from both with the bits of an undisturbed one.
 *
 * Records, in the order of the run: identity (configuration and hashes of inputs), temporary (name of the unfinished output), for
 * each pass of a sweep what was found from the data, and each finished block: its rows as they go to the file, its certificates.
 * A torn tail is cut off by its check sum. With --resume the file is there from the start. Without, it has no name, until SIGINT
 * or SIGTERM gives it one; a job of one block keeps nothing until then. Both files go when the output has its name.
 * Whatever cannot be kept (disk full) is said once, and the run goes on without.
 */
#ifndef PRI_RESUME_H
#define PRI_RESUME_H
#include "pipeline.h"
#include "history.h"

/* ---- resume_record.c: a file of records with check sums */
typedef struct pri_records pri_records;
enum { PRI_RECORD_IDENTITY = 1, PRI_RECORD_TEMPORARY, PRI_RECORD_FOUND, PRI_RECORD_BLOCK };
/* nameless: no name until pri_records_show (where the file system has no nameless files it has its name at once).
   Else what is there is checked, and its torn tail cut off. EWRITE: cannot be made, or another run holds it */
PRI_MUST_CHECK pri_status pri_records_open(pri_ctx *ctx, pri_records **out, const char *path, int nameless);
void pri_records_close(pri_records **r);
int pri_records_next(pri_records *r, int *type, size_t *bytes);   /* the record at the reading place; 0: no more */
PRI_MUST_CHECK pri_status pri_records_read(pri_records *r, void *to, size_t n, size_t at); /* of its payload; EREAD, EFORMAT */
void pri_records_skip(pri_records *r);
void pri_records_rewind(pri_records *r);
/* Appends behind the last record: begin, put all of the bytes, end. After a failure (EWRITE) the file is as before begin. */
PRI_MUST_CHECK pri_status pri_records_begin(pri_records *r, int type, size_t bytes);
PRI_MUST_CHECK pri_status pri_records_put(pri_records *r, const void *data, size_t n);
PRI_MUST_CHECK pri_status pri_records_end(pri_records *r);
PRI_MUST_CHECK pri_status pri_records_clear(pri_records *r);      /* no records */
PRI_MUST_CHECK pri_status pri_records_show(pri_records *r);       /* flushed, and under its name */
double pri_records_room(const pri_records *r);                    /* bytes free on its file system; INFINITY: unknown */

/* ---- resume_identity.c */
/* identities are of pri_job_origin */
/* What differs, in words ("prior: 'tv:weight=1' there, 'tv:weight=2' here"), by malloc; NULL: nothing. build: versions count too */
char *pri_resume_difference(const json_t *there, const json_t *here, int build);
/* *same: the output is there and of this configuration and these inputs. EWRITE: it is there, another one, and there is no -f */
PRI_MUST_CHECK pri_status pri_resume_finished(pri_job *job, const json_t *identity, int *same);

/* ---- resume.c: the job's side; job->resume */
PRI_MUST_CHECK pri_status pri_resume_open(pri_job *job, int *finished);   /* before the output is opened */
void pri_resume_output(pri_job *job);                                     /* the output is open: its temporary name */
PRI_MUST_CHECK pri_status pri_resume_certify(pri_job *job);               /* pri_job_certify, or what an earlier run found */
/* the next finished block of this pass, written and counted as if it were computed; *more = 0: there is none */
PRI_MUST_CHECK pri_status pri_resume_restore(pri_job *job, int *more);
void pri_resume_keep(pri_job *job, const pri_array *rows, ptrdiff_t bad); /* the block behind n_done, before it is counted */
PRI_MUST_CHECK pri_status pri_resume_load(pri_job *job, pri_solve *s, const pri_block *b); /* s, just made, is taken to where it was */
void pri_resume_tick(pri_job *job, pri_solve *s);                         /* after a step: saves the solver now and then */
void pri_resume_save(pri_job *job, pri_solve *s);                         /* now */
pri_status pri_resume_leave(pri_job *job);                                /* a signal: keeps what there is, says so; ECANCEL */
double pri_resume_prelude(const pri_job *job);                            /* s of earlier runs before this pass; 0 */
void pri_resume_done(pri_job *job);                                       /* the output has its name: nothing is kept */
void pri_resume_close(pri_job *job);
#endif
