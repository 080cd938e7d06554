/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * pipeline.h - one job: an input, a result. What the files of the pipeline share.
 *
 * Order of a job (pipeline.c): input header (exit 4), geometry (8, 2), plan of blocks and a trial with one slice, which lets
 * solver and priors object before data are read (2), output probed (6), budget (7), then computation: adjoint test, centre,
 * noise level, weights, blocks of slices one after the other, certificate and provenance.
 */
#ifndef PRI_PIPELINE_H
#define PRI_PIPELINE_H
#include "cmd.h"
#include "pipeline_config.h"
#include "log.h"
#include "spool.h"
#include "priori/filter.h"
#include "priori/io.h"
#include "priori/phantom.h"
#include "priori/solver.h"

enum { PRI_SAMPLES = 3 }; /* slices that automatic choices look at */

typedef struct pri_setup { /* what all blocks of a job share */
  pri_meta meta;           /* of the file, with pixel pitches of the geometry; NAN where unknown */
  pri_filter **prepare, **then;
  int n_prepare, n_then;
  pri_shape measured, data, image, result; /* one item: as in the file, as the solver sees it, the unknown, what is written */
  pri_box frame;           /* of image: what answers to the measured field and is written (blur:border=unknown solves for more) */
  pri_operator *A;         /* NULL: solver none */
  pri_map *map;
  char **priors;           /* specs with numbers for weights: [n_priors]; made of the options' by pri_job_weights */
  int n_priors;
  pri_range bound;
  double noise;            /* sd in the unit of data; NAN: unknown */
  double center;           /* found by center=auto; NAN: was not asked for */
  double mismatch;         /* of the adjoint test; NAN: not tested */
  int weighted;            /* the fidelity gets a weight array */
  pri_array known;         /* one item of the data: 0 where the operator sees nothing (mask); no data: it sees all */
  long roi[4];             /* x y w h of the result; w = 0: all */
} pri_setup;

typedef struct pri_plan {
  ptrdiff_t block;         /* slices at a time */
  size_t fixed, per_item;  /* bytes: process and shared objects; each slice of a block */
  size_t peak, allowed;    /* predicted, budget */
  double seconds;          /* rough */
  double step;             /* s of a solver's step on one slice, of a dry run; 0: not measured */
} pri_plan;

typedef struct pri_certified { /* figures of one slice, for the log and provenance; NAN: unknown */
  ptrdiff_t item;
  pri_verdict verdict;
  long k;
  double passes, solver_passes, objective, residual, gap, relative_gap, seconds, cpu_seconds, lo, hi;
  int met;                 /* every guarantee asked for */
} pri_certified;

typedef struct pri_job {
  pri_call *call;
  pri_ctx *ctx;
  const pri_options *o;
  pri_journal *log;
  const char *input_name;  /* as typed */
  char *output_name;
  pri_input *in;
  const pri_input_info *info;
  pri_output *out;
  pri_spool *spool;        /* integers without a scale: results wait here */
  ptrdiff_t *slice, items; /* which of the file, how many */
  int counts;              /* prepared by flat field and log */
  int seeks_center;        /* center=auto is not the user's: dropped when the job is done */
  pri_setup set;
  pri_plan plan;
  pri_certified *done;     /* [items] */
  ptrdiff_t n_done;
  double prelude;          /* s that went before the first block */
  int said_weights;        /* what stands for counts was said */
  ptrdiff_t base;          /* slices written before this pass (sweeps) */
  ptrdiff_t passes;        /* values of a sweep; 1 without */
  json_t *table;           /* of a sweep: what each value gave; NULL: none */
  ptrdiff_t bad;           /* values that --on-bad repaired */
  ptrdiff_t white;         /* saturated values of 8-bit pictures, taken as they are */
  json_t *weight_notes;    /* {prior: value} */
  json_t *weight_curves;   /* one object an automatic weight: method, prior, tested, chosen, noise, figure; NULL: none */
  const char *const *stack; /* --as-stack: the files; else NULL */
  int n_stack;
  int simulate;            /* the operator is applied instead of inverted; noise is added */
  pri_noise *noise;
  int status;              /* exit status: 0 or 3 */
  pri_item kind;           /* what an item is */
  struct { int any; double lo, hi; } moved; /* automatic boxes that were moved: the widest */
  struct pri_resume *resume; /* what is kept for --resume; NULL: nothing yet */
  int resuming;            /* an earlier run has left something, and the output is not there yet */
  struct pri_history *history; /* of the slice whose certificate is the worst so far; NULL: none yet */
} pri_job;

typedef struct pri_block { /* the measurement of some slices, as the solver takes it */
  pri_ctx *ctx;
  ptrdiff_t items;
  const ptrdiff_t *slice;  /* [items] in the file; borrowed */
  pri_array y, w;          /* prepared data; weight (zeroed struct: none) */
  ptrdiff_t bad, white;    /* values that were repaired; saturated ones that were not */
} pri_block;

typedef struct pri_solve { /* solver and what it needs, for one block */
  pri_problem problem;
  pri_fidelity *f;
  pri_prior **R;
  pri_solver *solver;
  pri_monitor **monitors;
  int n_monitors;
  double *lo, *hi;
  pri_report *last;
  pri_verdict *why;
  struct pri_watch *watch;
} pri_solve;

/* ---- pipeline.c */
PRI_MUST_CHECK pri_status pri_pipeline_run(pri_call *call); /* body of reconstruct, ct */
PRI_MUST_CHECK pri_status pri_simulation_run(pri_call *call); /* body of simulate */
/* What can be known from headers alone, into a job with call, ctx, o and input_name (or stack), the rest zero, set.noise, center and mismatch
   NAN or found before: input opened, geometry, priors, items. No data are read. close takes a job at any stage. */
PRI_MUST_CHECK pri_status pri_job_prepare(pri_job *job);
void pri_job_close(pri_job *job);
/* opts->scale_lo, scale_hi: of integers that are no plain values; both 0: values as they are. known 0: the range of the result, known in the end */
PRI_MUST_CHECK pri_status pri_job_scale(const pri_job *job, pri_output_opts *opts, int *known);
pri_shape pri_job_written(const pri_job *job);           /* one item as it is written */
int pri_job_asks(const pri_job *job, const char *stop, double *value); /* is there such a stop? value of its first key */

const char *pri_job_word(const pri_job *job, int many);  /* what people call the items: "slice", "slices", "volume", ... */

PRI_MUST_CHECK pri_status pri_job_certify(pri_job *job);   /* adjoint test, centre, weights: what stands before the blocks */
PRI_MUST_CHECK pri_status pri_job_sweep(pri_job *job);     /* pipeline_sweep.c: all values of --sweep, one pass each */
PRI_MUST_CHECK pri_status pri_job_setup(pri_job *job);     /* geometry and priors from job->o */
void pri_job_unset(pri_job *job);                          /* what setup made */

/* ---- setup.c: shapes, filters, operators */
PRI_MUST_CHECK pri_status pri_job_slices(pri_job *job);    /* --slices over info->items; EPARAM */
PRI_MUST_CHECK pri_status pri_job_geometry(pri_job *job);  /* filters and operator chain; center: NAN or a number instead of auto */
void pri_job_geometry_fini(pri_job *job);                   /* filters too */
PRI_MUST_CHECK pri_status pri_job_adjoint(pri_job *job);   /* mismatch into set and log; ENUMERIC above the tolerance */
const pri_geometry *pri_job_ct(const pri_job *job);        /* of the last operator; NULL: it has none */
PRI_MUST_CHECK pri_status pri_operators_create(pri_ctx *ctx, pri_operator **out, const pri_texts *specs, double center, const pri_meta *meta,
                                               const pri_shape *dom, const pri_shape *ran); /* the chain, from its range or its domain */
int pri_operators_auto_center(pri_ctx *ctx, const pri_texts *specs); /* is there a center=auto? */

/* ---- prepare.c: from the file to the solver */
/* Reads items slices (blank: ones stand in for the file, for plans), repairs or refuses bad values (EDATA), runs the filters. */
PRI_MUST_CHECK pri_status pri_block_read(pri_job *job, pri_ctx *ctx, pri_block *b, const ptrdiff_t *slice, ptrdiff_t items, int blank);
void pri_block_destroy(pri_block *b);
/* prepare_bad.c: --on-bad on what the file holds, b->bad counted (EDATA); what the filters made is finite (EDATA). */
PRI_MUST_CHECK pri_status pri_block_repair(pri_job *job, pri_block *b, pri_array *raw);
PRI_MUST_CHECK pri_status pri_block_finite(pri_job *job, const pri_block *b, const pri_array *y);

/* ---- solve.c: one block */
PRI_MUST_CHECK pri_status pri_solve_create(pri_job *job, pri_ctx *ctx, pri_solve *s, const pri_block *b);
PRI_MUST_CHECK pri_status pri_solve_problem(pri_job *job, pri_ctx *ctx, pri_solve *s, const pri_block *b); /* fidelity, priors, box; no solver */
PRI_MUST_CHECK pri_status pri_solve_run(pri_job *job, pri_ctx *ctx, pri_solve *s, pri_certified *out); /* out: [items] */
PRI_MUST_CHECK pri_status pri_job_known(pri_job *job, char **file); /* of the data term: by pri_calloc; NULL: none */
PRI_MUST_CHECK pri_status pri_job_weighted(pri_job *job);  /* set.weighted: wls, or --on-bad mask and a solver that takes weights */
void pri_solve_destroy(pri_ctx *ctx, pri_solve *s);

/* ---- start.c: --init into x0 (shape of the unknown, items of the block); nothing where it is not given. ESHAPE, EDATA, EREAD */
PRI_MUST_CHECK pri_status pri_job_start(pri_job *job, pri_ctx *ctx, pri_array *x0, const pri_block *b);

/* ---- pipeline_auto.c: what is found from the data, on sampled slices */
PRI_MUST_CHECK pri_status pri_job_priors(pri_job *job);    /* set.priors, weights that are not numbers at 1 */
PRI_MUST_CHECK pri_status pri_job_center(pri_job *job);    /* center=auto */
PRI_MUST_CHECK pri_status pri_job_samples(pri_job *job, pri_block *b, ptrdiff_t slice[PRI_SAMPLES]); /* some slices, spread; slice must outlive b */
/* ---- pipeline_noise.c */
/* Noise level into set.noise (median of the block's slices), and said; sd: [items] of each, in the unit of the weights' search (kl: its
   square is the gain). */
PRI_MUST_CHECK pri_status pri_job_noise(pri_job *job, const pri_block *b, double sd[PRI_SAMPLES]);
/* ---- pipeline_weight.c */
PRI_MUST_CHECK pri_status pri_job_weights(pri_job *job);   /* noise level, automatic and relative weights into set.priors */
PRI_MUST_CHECK pri_status pri_job_center(pri_job *job);    /* center=auto */

/* ---- pipeline_metadata.c */
PRI_MUST_CHECK pri_status pri_job_verify(pri_job *job);    /* --verify-metadata, of the finished result; EREAD */

/* ---- plan.c, stream.c, provenance.c */
PRI_MUST_CHECK pri_status pri_job_plan(pri_job *job);      /* no failure where the budget is too small: peak > allowed says so */
PRI_MUST_CHECK pri_status pri_plan_print(pri_job *job, int exit_status);
PRI_MUST_CHECK pri_status pri_job_stream(pri_job *job);
/* rows of the result, as written, to the file or the spool; the first is number n_done + at of this pass */
PRI_MUST_CHECK pri_status pri_job_write(pri_job *job, const pri_array *rows, ptrdiff_t at);


json_t *pri_certified_json(const pri_certified *c, double mismatch); /* of stream.c */
int pri_certified_worse(const pri_certified *c, const pri_certified *than); /* a guarantee missed, then the larger gap */

/* ---- pipeline_provenance.c */
PRI_MUST_CHECK pri_status pri_job_config(pri_job *job, char **text);        /* the effective configuration; by pri_calloc */
/* {"version","build","config","inputs","seed","files"}: what the bytes of the output depend on. EREAD */
PRI_MUST_CHECK pri_status pri_job_origin(pri_job *job, json_t **out);
PRI_MUST_CHECK pri_status pri_job_provenance(pri_job *job, char **text);    /* JSON, by malloc */
PRI_MUST_CHECK pri_status pri_job_use_center(pri_job *job);                 /* pipeline_auto.c: operators again, with set.center */
#endif
