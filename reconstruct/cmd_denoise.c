/* SPDX-License-Identifier: GPL-3.0-or-later */
/* cmd_denoise.c - the front door of denoising: reconstruct with the operator `identity` (config_front.c). */
#include "pipeline.h"

static const char *const options[] = {"operator",  "fidelity", "prior",    "bound",  "noise-level", "solver",  "stop",         "init",
                                      "precision", "sweep",    "prepare",  "then",   "slices",      "roi",     "on-bad",       "as-stack",
                                      "output",    "force",    "dtype",
                                      "scale", "compression", "bigtiff", "item", "verify-metadata", "dry-run",     "json",    "print-config", "threads",
                                      "mem",       "scratch", "resume",  "seed",     "progress", "log",       "log-json", NULL};
static const char *const examples[] = {
    "the noise is estimated, and the strength of the prior chosen from it",
    "denoise noisy.tif -o clean.tif",
    "a weight of your own, proved to a relative gap of 1e-4",
    "denoise --prior tv:weight=12 --stop gap:1e-4 noisy.tif -o clean.tif",
    "a noise level that is known, in the unit of the image; the result in the type of the input",
    "denoise --noise-level sd:25 --dtype same noisy.tif -o clean.tif",
    NULL};

const pri_command pri_command_denoise = {
    .name = "denoise",
    .brief = "takes noise off images and stacks",
    .synopsis = "[OPTIONS] IMAGE... -o RESULT",
    .options = options,
    .examples = examples,
    .more = "Without more, the result minimises half the squared distance to the image plus total variation. The noise level is "
            "estimated from the image and the weight of the prior chosen from it; both are said. The values stay in the range of "
            "the image, widened by a quarter on each side (of an integer image: never outside the range of its type), and the solver "
            "runs until a relative duality gap of 1e-3 is proved for every page.\n\n"
            "Pages of a stack are images of their own.",
    .min_inputs = 1,
    .max_inputs = -1,
    .run = pri_pipeline_run,
    .defaults = pri_config_denoise};
