/* SPDX-License-Identifier: GPL-3.0-or-later */
/* options_table.c - every option of every command, once: see options.h. Which commands take it stands in their cmd_*.c. */
#include <math.h>
#include <stddef.h>
#include "options.h"

static const char *const bad[] = {"error", "mask", "inpaint", "keep", NULL};
static const char *const precisions[] = {"float", "double", NULL};
static const char *const dtypes[] = {"same", "u8", "u16", "f16", "f32", "f64", NULL};
static const char *const items[] = {"auto", "page", "volume", "channels", NULL};
static const char *const compressions[] = {"none", "deflate", "lzw", "zstd", NULL};
static const char *const bigtiffs[] = {"auto", "yes", "no", NULL};
static const char *const ssims[] = {"gaussian", "uniform7", NULL};
static const char *const progresses[] = {"auto", "bar", "plain", "json", "none", NULL};
static const char *const shells[] = {"bash", NULL};
static const char *const unsupervised[] = {"sure", "whiteness", NULL};
#define AT(field) .offset = offsetof(pri_options, field)
#define TEXT(field) .type = PRI_TEXT, AT(field)
#define SWITCH(field) .type = PRI_BOOL, AT(field)
#define CHOICE(field, list) .type = PRI_CHOICE, AT(field), .choices = list

const pri_option pri_option_table[] = {
    /* ---- the problem */
    {{.name = "operator", TEXT(operators), .help = "what the measurement is of the image, e.g. ct:angles=60; again: the next "
      "operator, applied to what the first gives"}, 0, 1, "SPEC", "Problem", PRI_OPERATORS + 1},
    {{.name = "geometry", TEXT(geometry), .help = "keys of the operator ct, e.g. geometry=fan,angles=60,sod=400,sdd=550; what "
      "the input file says need not be given"}, 0, 0, "KEYS", "Problem", 0},
    {{.name = "psf", TEXT(psf), .help = "point-spread function: a file (keys may follow: psf.tif:background=auto), or one that is drawn: gaussian:sigma=1.5, disk:radius=2, "
      "motion:length=9,angle=30deg ... (`priori list operator blur`)"}, 0, 0, "SPEC", "Problem", 0},
    {{.name = "border", TEXT(border), .help = "what lies past the edge of the image: unknown, reflect, replicate, periodic, zero"},
     0, 0, "MODEL", "Problem", 0},
    {{.name = "mask", TEXT(mask), .help = "which pixels are known: a file (not 0: known; one page for all, or one a slice), random:SHARE, or bars:KEYS; default: those "
      "that are finite"}, 0, 0, "SPEC", "Problem", 0},
    {{.name = "factor", TEXT(factor), .help = "how many times more pixels along each axis, a whole number"}, 0, 0, "N", "Problem", 0},
    {{.name = "kernel", TEXT(kernel), .help = "how the camera took the small image from the large one: box (default), bicubic, gaussian, "
      "lanczos"}, 0, 0, "NAME", "Problem", 0},
    {{.name = "fidelity", TEXT(fidelity), .help = "distance to the data (default ls: half the squared norm)"},
     0, 0, "SPEC", "Problem", PRI_FIDELITIES + 1},
    {{.name = "prior", TEXT(priors), .help = "what the image is like, e.g. tv:weight=0.02, tv:weight=auto:discrepancy, "
      "tv:weight=rel:0.1, tgv:weight=spread:0.01 (times the standard deviation of the data); again: the priors add up"}, 0, 1, "SPEC", "Problem", PRI_PRIORS + 1},
    {{.name = "bound", TEXT(bound), .help = "smallest and largest value of a pixel, e.g. 0:2; either side may be empty; "
      "0:auto, auto: found from the data and said"},
     0, 0, "LO:HI", "Problem", 0},
    {{.name = "noise-level", TEXT(noise_level), .help = "of the measurement: sd:V, relative:V (of its norm), file:F, or auto "
      "(estimated and said), poisson (growing with the signal; estimated)"}, 0, 0, "LEVEL", "Problem", 0},
    {{.name = "solver", TEXT(solver), .help = "method that finds the image, e.g. pdhg, os-fista, fbp; none passes the input on"},
     0, 0, "SPEC", "Solution", PRI_SOLVERS + 1},
    {{.name = "stop", TEXT(stops), .help = "when to end, e.g. gap:1e-4, discrepancy, steps:100, time:10m; again: whichever is "
      "first. gap and discrepancy are guarantees: status 3 where missed"}, 0, 1, "SPEC", "Solution", PRI_MONITORS + 1},
    {{.name = "init", .type = PRI_FILE, AT(init), .help = "starting image"}, 0, 0, "FILE", "Solution", 0},
    {{.name = "precision", CHOICE(precision, precisions), .help = "of arrays; sums are always double"},
     0, 0, "TYPE", "Solution", 0},
    {{.name = "sweep", TEXT(sweep), .help = "run all values of a key, e.g. ct.center=290:300:1 or tv.weight=0.1,0.3: a labelled "
      "stack and a table"}, 0, 1, "KEY=VALUES", "Solution", 0},
    /* ---- input */
    {{.name = "prepare", TEXT(prepare), .help = "filter of the measurement, e.g. flatfield:flat=F,dark=D, log; again: the next "
      "one, in this order"}, 0, 1, "SPEC", "Input", PRI_FILTERS + 1},
    {{.name = "then", TEXT(then), .help = "filter of the result, e.g. hu:water=0.02; again: the next one, in this order; none: not even that of a front door"},
     0, 1, "SPEC", "Solution", PRI_FILTERS + 1},
    {{.name = "slices", TEXT(slices), .help = "work on some slices: first:end:step, 0-based, end excluded"},
     0, 0, "A:B:C", "Input", 0},
    {{.name = "roi", TEXT(roi), .help = "work on a region, 0-based (score: also disk, the inscribed disc)"},
     0, 0, "X,Y,W,H", "Input", 0},
    {{.name = "on-bad", CHOICE(on_bad, bad), .help = "what to do with values that are not finite, or saturated (at the "
      "largest number of an integer type; in 8-bit pictures said only): refuse, weight zero, fill from neighbours, or keep the saturated"},
     0, 0, "POLICY", "Input", 0},
    {{.name = "item", CHOICE(item, items), .help = "what is restored by itself: a page (plane), a volume (the z stack of one "
      "channel and time point), or all channels of a plane; auto: a volume where the operator has three axes"},
     0, 0, "KIND", "Input", 0},
    {{.name = "as-stack", SWITCH(as_stack), .help = "the input files together are one stack, in natural order"},
     0, 0, NULL, "Input", 0},
    /* ---- simulate, phantom */
    {{.name = "noise", TEXT(noise), .help = "add noise: gaussian:relative=0.01 (its norm over the norm of the data), "
      "gaussian:sd=0.1, poisson:photons=1e4"}, 0, 0, "SPEC", "Data", PRI_NOISES + 1},
    {{.name = "count", .unit = "objects", .type = PRI_INT, AT(count), .min = 1, .max = 1e6, .def = 1,
      .help = "members of a random family, one slice each"}, 0, 0, "N", "Data", 0},
    {{.name = "beads", .type = PRI_FILE, AT(beads), .help = "image or stack of beads to measure a point-spread function on"}, 0, 0, "FILE", "Data", 0},
    {{.name = "size", TEXT(size), .help = "extents of the point-spread function, odd, x first; default: as far as it reaches, 31x31 for beads"},
     0, 0, "XxYxZ", "Data", 0},
    {{.name = "sinogram", TEXT(sinogram), .help = "write exact projections as well: ct:KEYS, and average=bin (mean over the "
      "bin, default) or average=ray (through its centre)"}, 0, 0, "ct:KEYS", "Data", 0},
    {{.name = "sinogram-output", TEXT(sinogram_output), .help = "where to write them"}, 0, 0, "FILE", "Data", 0},
    /* ---- score, info, list, check */
    {{.name = "truth", TEXT(truth), .help = "true images that go with the measurements, page by page: file, folder or pattern"}, 0, 0, "FILE", "Data", 0},
    {{.name = "simulate", TEXT(simulate), .help = "the inputs are true images: they are measured by this operator (again: the next one), and "
      "--noise is added"}, 0, 1, "SPEC", "Data", PRI_OPERATORS + 1},
    {{.name = "unsupervised", TEXT(unsupervised), .choices = unsupervised, .help = "there are no true images: sure estimates the error, of the noise level; "
      "whiteness asks that what is left over looks like noise"}, 0, 0, "LOSS", "Data", 0},
    {{.name = "loss", TEXT(loss), .help = "of an image against its true one: mse (default), smooth-l1:kappa=V"}, 0, 0, "SPEC", "Data", 0},
    {{.name = "patch", .unit = "pixels", .type = PRI_INT, AT(patch), .min = 0, .max = 65536, .def = 0, .help = "side of the square that is cut from the middle of "
      "each picture (0: none)"}, 0, 0, "N", "Data", 0},
    {{.name = "crops", .unit = "1", .type = PRI_INT, AT(crops), .min = 0, .max = 65536, .def = 0, .help = "so many squares of --patch from random places (--seed) of each "
      "picture, instead of its middle (0: its middle)"}, 0, 0, "N", "Data", 0},
    {{.name = "validate", .unit = "1", .type = PRI_REAL, AT(validate), .min = 0, .max = 0.5, .def = 0, .help = "share of the samples that is put aside: their loss "
      "is said and logged, and nothing is learned from them"}, 0, 0, "SHARE", "Data", 0},
    {{.name = "reference", TEXT(reference), .help = "image, stack or folder to compare with; one slice serves all"},
     0, 0, "FILE", "Comparison", 0},
    {{.name = "peak", .unit = "", .type = PRI_REAL, AT(peak), .min = 1e-30, .max = 1e30, .def = 1, .help = "of the PSNR"},
     0, 0, "V", "Comparison", 0},
    {{.name = "range", .unit = "", .type = PRI_REAL, AT(range), .min = 1e-30, .max = 1e30, .def = 1,
      .help = "of values, for the constants of SSIM"}, 0, 0, "V", "Comparison", 0},
    {{.name = "ssim", CHOICE(ssim, ssims), .help = "window of SSIM: 11x11 with sd 1.5, or 7x7 of equal weights"},
     0, 0, "WINDOW", "Comparison", 0},
    {{.name = "time", .unit = "s", .type = PRI_QUANTITY, AT(time), .min = 0, .max = 1e6, .def = 0,
      .help = "measure the operator for so long (0: do not)"}, 0, 0, "SECONDS", "Comparison", 0},
    {{.name = "learn", SWITCH(learn), .help = "the derivatives that learning uses, of --prior behind --operator (default identity), against differences; without an input at "
      "a drawn image"}, 0, 0, NULL, "Comparison", 0},
    {{.name = "json", SWITCH(json), .help = "print JSON for programs"}, 0, 0, NULL, "Output", 0},
    {{.name = "tsv", SWITCH(tsv), .help = "print a table with tabs"}, 0, 0, NULL, "Output", 0},
    {{.name = "man", SWITCH(man), .help = "print a manual page (troff): of the program, a command or a family"},
     0, 0, NULL, "Output", 0},
    {{.name = "completion", TEXT(completion), .choices = shells, .help = "print the completion script of a shell"},
     0, 0, "SHELL", "Output", 0},
    /* ---- output */
    {{.name = "output", TEXT(output), .help = "result: .tif .h5 .npy .png, FILE.h5:/PATH, FORMAT:- for a pipe; DIR/ or {stem} "
      "for several inputs"}, 'o', 0, "FILE", "Output", 0},
    {{.name = "force", SWITCH(force), .help = "overwrite what exists"}, 'f', 0, NULL, "Output", 0},
    {{.name = "dtype", TEXT(dtype), .choices = dtypes, .help = "sample type of the result (default f32); same: as the input"},
     0, 0, "TYPE", "Output", 0},
    {{.name = "scale", TEXT(scale), .help = "values that become 0 and the largest integer of --dtype u8 or u16 (default: the "
      "range of the result, one for all slices; none where the input is of the same type and its values keep their meaning)"}, 0, 0, "LO:HI", "Output", 0},
    {{.name = "compression", TEXT(compression), .choices = compressions, .help = "of a TIFF result (default none)"},
     0, 0, "NAME", "Output", 0},
    {{.name = "bigtiff", CHOICE(bigtiff, bigtiffs), .help = "TIFF with 64-bit offsets; auto: where the result would not fit into "
      "4 GB"}, 0, 0, "WHEN", "Output", 0},
    {{.name = "verify-metadata", SWITCH(verify_metadata), .help = "print how the result's metadata differ from the input's"},
     0, 0, NULL, "Output", 0},
    /* ---- running */
    {{.name = "dry-run", SWITCH(dry_run), .help = "read headers only, print the plan: shapes, memory, time"},
     'n', 0, NULL, "Running", 0},
    {{.name = "print-config", SWITCH(print_config), .help = "print the complete configuration, a pipeline file, and end"},
     0, 0, NULL, "Running", 0},
    {{.name = "threads", .unit = "threads", .type = PRI_INT, AT(threads), .min = 0, .max = 4096, .def = 0,
      .help = "0: all that the process may use; results do not depend on it"}, 'j', 0, "N", "Running", 0},
    {{.name = "mem", .unit = "bytes", .type = PRI_QUANTITY, AT(mem), .min = 0, .max = 1e18, .def = 0,
      .help = "memory budget, e.g. 4G (0: what the system allows)"}, 0, 0, "SIZE", "Running", 0},
    {{.name = "scratch", TEXT(scratch), .help = "folder for data that do not fit in memory (default $TMPDIR)"},
     0, 0, "DIR", "Running", 0},
    {{.name = "resume", SWITCH(resume), .help = "go on where an interrupted run ended"}, 0, 0, NULL, "Running", 0},
    {{.name = "seed", .unit = "", .type = PRI_INT, AT(seed), .min = 0, .max = 9007199254740992.0, .def = 0,
      .help = "of all random numbers"}, 0, 0, "N", "Running", 0},
    {{.name = "progress", CHOICE(progress, progresses), .help = "on stderr; auto: bar on a terminal, plain elsewhere"},
     0, 0, "KIND", "Running", 0},
    {{.name = "log", TEXT(log), .help = "write what is said to a file"}, 0, 0, "FILE", "Running", 0},
    {{.name = "log-json", TEXT(log_json), .help = "write events to a file, one JSON object a line"},
     0, 0, "FILE", "Running", 0},
    {{.name = "verbose", .type = PRI_INT, AT(verbose), .max = 9, .help = "say more"}, 'v', 0, NULL, "Running", 0},
    {{.name = "quiet", SWITCH(quiet), .help = "say warnings and errors only"}, 'q', 0, NULL, "Running", 0},
    {{.name = "help", SWITCH(help), .help = "print this and end"}, 'h', 0, NULL, "Running", 0},
    {{.name = "version", SWITCH(version), .help = "print the version and end; with -v what it was built with"},
     'V', 0, NULL, "Running", 0},
    {{0}, 0, 0, NULL, NULL, 0}};
