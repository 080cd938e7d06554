/* SPDX-License-Identifier: GPL-3.0-or-later */
/* cmd_simulate.c - applies operators and a noise model to images. */
#include "pipeline.h"

static const char *const options[] = {"operator", "noise",   "precision", "slices",   "on-bad", "as-stack",     "output",
                                      "force",    "dtype",
                                      "scale", "compression", "bigtiff", "item", "verify-metadata", "dry-run",  "json",   "print-config", "threads",
                                      "mem",      "scratch", "resume", "seed",      "progress", "log",    "log-json",     NULL};
static const char *const examples[] = {
    "a sinogram of 60 views with 1 % of noise",
    "simulate --operator ct:angles=60,detector=400 --noise gaussian:relative=0.01 --seed 1 image.tif -o sino.tif",
    "Poisson counts of a stack, the angles in a text file (degrees)",
    "simulate --operator ct:angles=angles.txt --noise poisson:photons=1e5 stack.tif -o counts.tif", NULL};

const pri_command pri_command_simulate = {
    .name = "simulate",
    .brief = "applies operators and a noise model to images",
    .synopsis = "[OPTIONS] IMAGE... -o MEASUREMENT",
    .options = options,
    .examples = examples,
    .more = "The noise of a slice is a function of the seed and the slice's place in the file: the same alone and in a stack.",
    .min_inputs = 1,
    .max_inputs = -1,
    .run = pri_simulation_run,
    .defaults = pri_config_simulate};
