/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * priori/io.h - files in, files out. Formats: TIFF, HDF5 (Data Exchange, dataset by path), NPY, MAT v5 (HTC2022), PNG.
 * Reading is by items (slices) so that stacks stream; every sample type arrives as pri_real. Writing goes to a temporary
 * name beside the target and is renamed by finish: what looks finished is finished.
 */
#ifndef PRIORI_IO_H
#define PRIORI_IO_H
#include "priori/array.h"
#include "priori/geometry.h"
#ifdef __cplusplus
extern "C" {
#endif
typedef struct pri_input pri_input;
typedef struct pri_output pri_output;
typedef struct pri_input_info {
  const char *file;            /* as given */
  const char *format;          /* "tiff" "hdf5" "npy" "mat" "png" */
  const char *dtype;           /* "u8" "i16" "f32" ... as stored */
  int nd;                      /* as stored, slowest first; axes: one letter an axis, "zyx" */
  ptrdiff_t shape[PRI_MAXDIM];
  const char *axes;
  ptrdiff_t items;             /* slices */
  pri_shape item;              /* of one slice: (view,bin) of a sinogram, (y,x) of an image */
  pri_meta meta;               /* what the file says of its geometry */
  int counts;                  /* raw detector counts with flat and dark fields beside them (Data Exchange) */
  const char *flat, *dark;     /* names that pri_input_open takes, for flatfield:flat=,dark=; NULL: none */
  const char *pixel;           /* JSON object: {"x":..,"y":..,"unit":..}, "{}" where the file is silent */
  const char *metadata;        /* JSON object: everything else the file says */
  const char *provenance;      /* JSON object, or NULL */
} pri_input_info;

/* name: a file; "file.h5:/path"; a folder, or a pattern "s*.tif" that fits names of files (one stack in
   natural order); "-" (standard input, NPY or TIFF).
   EREAD: missing or unreadable; EFORMAT: truncated, hostile or not supported; ENOMEM, EBUDGET. */
PRI_API PRI_MUST_CHECK pri_status pri_input_open(pri_ctx *ctx, pri_input **out, const char *name);
/* Several files as one stack, in natural order ("s2" before "s10"; missing numbers are logged); all must have one item shape (ESHAPE).
   Files of several planes with the same axes are time points (t, or q where they have some themselves). */
PRI_API PRI_MUST_CHECK pri_status pri_input_open_stack(pri_ctx *ctx, pri_input **out, const char *const *names, int n);
PRI_API const pri_input_info *pri_input_describe(const pri_input *in);   /* borrowed, as long as it is open */
/*
 * pri_input_regroup - what one item is. PRI_ITEM_PAGE: one plane (y,x), as opened. PRI_ITEM_VOLUME: one z stack (z,y,x) of one time point and
 *   channel. PRI_ITEM_CHANNELS: the channels (c,y,x) of one plane. Items keep the order of the file in the other axes; shape and axes of the
 *   description stay, item and items change. An output that is made `like` the input puts planes where they came from.
 * Errors  PRI_ESHAPE: there is no such axis, or it is not one of planes.
 */
typedef enum pri_item { PRI_ITEM_PAGE, PRI_ITEM_VOLUME, PRI_ITEM_CHANNELS } pri_item;
PRI_API PRI_MUST_CHECK pri_status pri_input_regroup(pri_input *in, pri_item item);
/* dst: [items][item]. EREAD, EFORMAT (truncated behind the header): dst undefined */
PRI_API PRI_MUST_CHECK pri_status pri_input_read(pri_input *in, pri_real *dst, ptrdiff_t first, ptrdiff_t items);
/* The whole file as one array, for small side files (flats, angles, weights). */
PRI_API PRI_MUST_CHECK pri_status pri_input_load(pri_ctx *ctx, const char *name, pri_array *out);
/* Numbers from text (one a line, '#' comments), NPY or HDF5: angles. By pri_calloc. EFORMAT names the line. */
PRI_API PRI_MUST_CHECK pri_status pri_input_numbers(pri_ctx *ctx, const char *name, double **values, ptrdiff_t *n);
/* SHA-256 of what is open, as pri_hash_file; the only way for standard input. EREAD */
PRI_API PRI_MUST_CHECK pri_status pri_input_hash(const pri_input *in, char hex[65]);
PRI_API size_t pri_input_memory(const pri_input *in);                    /* bytes that reading takes beside dst */
PRI_API void pri_input_close(pri_input **in);

typedef struct pri_output_opts {
  const char *dtype;           /* NULL, "f32": float32; "u8" "u16" "f16" "f64" "same" (as like) */
  double scale_lo, scale_hi;   /* integers: these map to 0 and the largest value; logged */
  int overwrite;               /* -f */
  const pri_input *like;       /* metadata to keep (resolution, descriptions); NULL: none */
  double pixel[3];             /* mm, x first; 0: unknown */
  const ptrdiff_t *source;     /* [items] item of like that each one comes from; NULL: the same where there are as many, else none */
  double pitch[3];             /* pixel size over that of like, x first; 0: 1 */
  const char *compression;     /* of TIFF: NULL "none" "deflate" "lzw" "zstd"; outlives the output */
  int bigtiff;                 /* 0: where a classic TIFF could not hold it; 1: always; -1: never (EWRITE where it is needed) */
} pri_output_opts;

/* name: suffix .tif .tiff .h5 .hdf5 .npy .png, "file.h5:/path", "-" or "npy:-" "tif:-" (standard output).
   EWRITE before any computation: exists without overwrite, folder missing or not writable; EPARAM: unknown suffix. */
PRI_API PRI_MUST_CHECK pri_status pri_output_create(pri_ctx *ctx, pri_output **out, const char *name, const pri_shape *item, ptrdiff_t items,
                                                    const pri_output_opts *opts);
PRI_API PRI_MUST_CHECK pri_status pri_output_write(pri_output *o, const pri_real *src, ptrdiff_t first, ptrdiff_t items); /* in order */
/* provenance: JSON object or NULL, embedded (TIFF private tag, HDF5 attribute, NPY side file NAME.json). Flushes, syncs, renames. */
PRI_API PRI_MUST_CHECK pri_status pri_output_finish(pri_output *o, const char *provenance);
PRI_API const char *pri_output_temporary(const pri_output *o);           /* its name until it is finished; NULL: none (standard output) */
PRI_API size_t pri_output_memory(const pri_output *o);
PRI_API void pri_output_destroy(pri_output **o);   /* unfinished: the temporary file is removed */

/*
 * pri_metadata_compare - what an output kept of an input: one call of `fn` for each item of metadata (a tag, a line of an ImageJ description, an
 *   attribute of OME-XML, a key of `metadata`). before, after: NULL where absent; equal texts: kept. Planes are compared where `out` has as many.
 */
typedef void (*pri_metadata_fn)(void *arg, const char *item, const char *before, const char *after);
PRI_API PRI_MUST_CHECK pri_status pri_metadata_compare(pri_input *in, pri_input *out, pri_metadata_fn fn, void *arg);

/* 64 lower-case hex digits and a NUL. A folder: the hash of its files' hashes in natural order; "file.h5:/path": of the file. EREAD */
PRI_API PRI_MUST_CHECK pri_status pri_hash_file(pri_ctx *ctx, const char *name, char hex[65]);
#ifdef __cplusplus
}
#endif
#endif
