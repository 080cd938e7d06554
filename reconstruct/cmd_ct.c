/* SPDX-License-Identifier: GPL-3.0-or-later */
/* cmd_ct.c - the front door of tomography: reconstruct with the operator, units and defaults of CT (config_ct.c). */
#include "pipeline.h"

static const char *const options[] = {"geometry", "operator", "fidelity",     "prior",   "bound",   "noise-level", "solver",
                                      "stop",     "init",     "precision",    "sweep",   "prepare", "then",        "slices",
                                      "roi",      "on-bad",   "as-stack",     "output",  "force",   "dtype",
                                      "scale", "compression", "bigtiff", "item", "verify-metadata",
                                      "dry-run",  "json",     "print-config", "threads", "mem",     "scratch", "resume",     "seed",
                                      "progress", "log",      "log-json",     NULL};
static const char *const examples[] = {
    "a parallel scan of 180 degrees, angles equidistant: total variation, weight from the noise, certified to 1e-3",
    "ct --geometry angles=60 sino.tif -o image.tif",
    "fan beam with a flat detector, angles in a text file, lengths with units",
    "ct --geometry geometry=fan,angles=angles.txt,sod=410.66mm,sdd=553.74mm,bin=0.2mm sino.tif -o image.tif",
    "a quick look",
    "ct --solver fbp:window=hann scan.h5 -o look.tif",
    "what stands behind it: a pipeline file for `priori reconstruct`",
    "ct --geometry angles=60 --print-config sino.tif",
    NULL};

const pri_command pri_command_ct = {
    .name = "ct",
    .brief = "reconstructs slices from sinograms",
    .synopsis = "[OPTIONS] SINOGRAM... -o IMAGE",
    .options = options,
    .examples = examples,
    .more = "Without more, the image minimises half the squared residual plus total variation, with the weight at which the "
            "residual is what the noise "
            "leaves, between 0 and 1.25 times the largest pixel of an early iterate; OS-FISTA runs for 10 passes, then PDHG "
            "until a relative duality gap "
            "of 1e-3 is proved for every slice. Raw counts (Data Exchange) are flat-fielded, -log is taken, and the "
            "centre of rotation of a parallel scan is found where neither the file nor center= says it.",
    .min_inputs = 1,
    .max_inputs = -1,
    .run = pri_pipeline_run,
    .defaults = pri_config_ct};
