/* SPDX-License-Identifier: GPL-3.0-or-later */
/* cmd_inpaint.c - the front door of inpainting: reconstruct with the operator `mask` (config_front.c). */
#include "pipeline.h"

static const char *const options[] = {"mask", "operator",  "fidelity", "prior",    "bound",  "noise-level", "solver",  "stop",         "init",
                                      "precision", "sweep",    "prepare",  "then",   "slices",      "roi",     "on-bad",       "as-stack",
                                      "output",    "force",    "dtype",    "scale",  "compression", "bigtiff", "item", "verify-metadata", "dry-run",     "json",    "print-config", "threads",
                                      "mem",       "scratch", "resume",  "seed",     "progress", "log",       "log-json", NULL};
static const char *const examples[] = {
    "what is not finite is missing",
    "inpaint damaged.tif -o whole.tif",
    "a file says which pixels are known (not 0)",
    "inpaint --mask known.tif damaged.tif -o whole.tif",
    "a test: half of the pixels, drawn from the seed",
    "inpaint --mask random:0.5 image.tif -o filled.tif",
    "the known pixels are noisy: the weight is chosen from the noise",
    "inpaint --mask known.tif --noise-level sd:10 noisy.tif -o clean.tif",
    NULL};

const pri_command pri_command_inpaint = {
    .name = "inpaint",
    .brief = "fills in pixels that are missing",
    .synopsis = "[OPTIONS] IMAGE... -o RESULT",
    .options = options,
    .examples = examples,
    .more = "Without more, the known pixels are taken as free of noise and stay what they are; the others are filled so that the total variation is least. "
            "(The problem that is solved and certified keeps them to about 1e-3 of the range of the image; --then known puts them back, --then none does not.) With --noise-level (auto: estimated) the known pixels are smoothed as well, with a weight "
            "chosen from the noise. PDHG runs until a relative duality gap of 1e-3 is proved for every page.\n\n"
            "Whatever the file holds where the mask is 0, NaN too, is not looked at. Without --mask the pixels that are not finite are the "
            "missing ones (of integer images: those at the largest number of the type); where there are none, --mask is asked for.",
    .min_inputs = 1,
    .max_inputs = -1,
    .run = pri_pipeline_run,
    .defaults = pri_config_inpaint};
