/* SPDX-License-Identifier: GPL-3.0-or-later */
/* cmd_deblur.c - the front door of deconvolution: reconstruct with the operator `blur` (config_front.c). */
#include "pipeline.h"

static const char *const options[] = {"psf", "border", "operator",  "fidelity", "prior",    "bound",  "noise-level", "solver",  "stop",         "init",
                                      "precision", "sweep",    "prepare",  "then",   "slices",      "roi",     "on-bad",       "as-stack",
                                      "output",    "force",    "dtype",    "scale",  "compression", "bigtiff", "item", "verify-metadata", "dry-run",     "json",    "print-config", "threads",
                                      "mem",       "scratch", "resume",  "seed",     "progress", "log",       "log-json", NULL};
static const char *const examples[] = {
    "a point-spread function that is drawn, sizes in pixels",
    "deblur --psf gaussian:sigma=1.5 blurred.tif -o sharp.tif",
    "one that was measured, in a file; a volume where it has three axes",
    "deblur --psf psf.tif blurred.tif -o sharp.tif",
    "lengths with a unit use the pixel size in the file",
    "deblur --psf gaussian:sigma=0.2umx0.2umx0.5um stack.tif -o sharp.tif",
    "out of focus, photon counts",
    "deblur --psf disk:radius=3 --fidelity kl photo.tif -o sharp.tif",
    NULL};

const pri_command pri_command_deblur = {
    .name = "deblur",
    .brief = "takes blur off images and stacks",
    .synopsis = "[OPTIONS] IMAGE... -o RESULT",
    .options = options,
    .examples = examples,
    .more = "Without more, the result minimises half the squared residual plus total variation. The noise level is estimated and the weight of "
            "the prior chosen from it; both are said. Past its edge the image is taken to go on as it ends (--border replicate); "
            "--border unknown solves for what lies there, which takes about four times as long and on natural images gains less than 0.1 dB. "
            "PDHG runs until a relative duality gap of 1e-3 is proved for every page.",
    .min_inputs = 1,
    .max_inputs = -1,
    .run = pri_pipeline_run,
    .defaults = pri_config_deblur};
