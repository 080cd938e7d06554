/* SPDX-License-Identifier: GPL-3.0-or-later */
/* cmd_reconstruct.c - the pipeline runner: any operator chain, any sum of priors, any solver. */
#include "pipeline.h"

static const char *const options[] = {"operator", "fidelity",     "prior",   "bound",   "noise-level", "solver", "stop",
                                      "init",     "precision",    "sweep",   "prepare", "then",        "slices", "roi",
                                      "on-bad",   "as-stack",     "output",  "force",   "dtype",
                                      "scale", "compression", "bigtiff", "item", "verify-metadata", "dry-run",
                                      "json",     "print-config", "threads", "mem",     "scratch", "resume",     "seed",   "progress",
                                      "log",      "log-json",     NULL};
static const char *const examples[] = {
    "total variation in a box, certified to 1e-4",
    "reconstruct --operator ct:angles=60 --prior tv:0.02 --bound 0:2 --solver pdhg --stop gap:1e-4 sino.tif -o image.tif",
    "a pipeline from a file; options override it", "reconstruct pipeline.ini --stop gap:1e-5 sino.tif -o image.tif", NULL};

const pri_command pri_command_reconstruct = {
    .name = "reconstruct",
    .brief = "solves an inverse problem: any operators, priors and solver",
    .synopsis = "[OPTIONS] [PIPELINE.ini] INPUT... -o OUTPUT",
    .options = options,
    .examples = examples,
    .more = "A pipeline file has lines `key = value` with the names of the long options; `priori ct --print-config` writes one.",
    .min_inputs = 1,
    .max_inputs = -1,
    .run = pri_pipeline_run,
    .defaults = pri_config_reconstruct};
