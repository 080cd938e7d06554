/* SPDX-License-Identifier: GPL-3.0-or-later */
/* cmd_upscale.c - the front door of super-resolution: reconstruct with the operator `downsample` (config_front.c). */
#include "pipeline.h"

static const char *const options[] = {"factor", "kernel", "operator",  "fidelity", "prior",    "bound",  "noise-level", "solver",  "stop",         "init",
                                      "precision", "sweep",    "prepare",  "then",   "slices",      "roi",     "on-bad",       "as-stack",
                                      "output",    "force",    "dtype",    "scale",  "compression", "bigtiff", "item", "verify-metadata", "dry-run",     "json",    "print-config", "threads",
                                      "mem",       "scratch", "resume",  "seed",     "progress", "log",       "log-json", NULL};
static const char *const examples[] = {
    "twice the pixels along each axis",
    "upscale --factor 2 small.tif -o large.tif",
    "the small image was made by bicubic reduction",
    "upscale --factor 3 --kernel bicubic small.tif -o large.tif",
    NULL};

const pri_command pri_command_upscale = {
    .name = "upscale",
    .brief = "makes images larger",
    .synopsis = "[OPTIONS] IMAGE... -o RESULT",
    .options = options,
    .examples = examples,
    .more = "Without more, the small image is taken as nearly free of noise: the result is the image of least curvature and variation (priors hessian-schatten "
            "and tv together) that gives it, to about half a hundredth of its range, when it is reduced: by means over blocks, or as --kernel says. With --noise-level (auto: estimated) "
            "the weight is chosen from the noise. Weights are in the scale of the data: --prior hessian-schatten:weight=spread:5e-4 --prior tv:weight=spread:5e-4 keeps them ten times closer than the default. Pixel sizes in the metadata become smaller by the factor. PDHG runs until a relative duality gap of "
            "1e-3 is proved for every page.",
    .min_inputs = 1,
    .max_inputs = -1,
    .run = pri_pipeline_run,
    .defaults = pri_config_upscale};
