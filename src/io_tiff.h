/* SPDX-License-Identifier: GPL-3.0-or-later */
/* io_tiff.h - what the TIFF files of src share: a libtiff handle on a source or a sink, whose messages go to the context. */
#ifndef PRI_IO_TIFF_H
#define PRI_IO_TIFF_H
#include <tiffio.h>
#include "io_private.h"

/* ASCII, a JSON object, first directory only. From the range 65000 to 65535 that TIFF 6.0 leaves to private use within an organisation. */
enum { PRI_TIFFTAG_PROVENANCE = 65117 };

typedef struct pri_tiff_handle {
  TIFF *tif;
  const pri_source *source;    /* reading */
  pri_sink *sink;              /* writing */
  int64_t at;
  int warned, failed;          /* since they were last set to 0 */
  int mute;                    /* writing: what comes is forgotten */
  char message[256];           /* first error of libtiff since message[0] was last set to 0 */
} pri_tiff_handle;
/* mode: "r", "w" (classic), "w8" (BigTIFF), "l" or "b" behind it: byte order. most: largest single allocation of libtiff; 0: any. The first directory is not read yet */
pri_status pri_tiff_open(pri_ctx *ctx, pri_tiff_handle *h, const char *name, const char *mode, int64_t most);
const char *pri_tiff_provenance(TIFF *tif);      /* borrowed; NULL: none */

typedef struct pri_tiff_layout {   /* of a page */
  uint32_t width, height;
  uint16_t samples, bits, format, planar, compression, photometric;
} pri_tiff_layout;
struct pri_tiff {
  pri_tiff_handle h;
  pri_tiff_layout layout;      /* the same on every page */
  uint64_t *offset;            /* [pages] of their directories */
  ptrdiff_t pages, room;
  ptrdiff_t current;           /* page that libtiff stands on; -1: none */
  pri_dtype type;
  int swap;
  ptrdiff_t imagej[4];         /* frames, slices, channels, images that an ImageJ description promises; 1, and 0 images, without one */
  int64_t planes_at;           /* ImageJ beyond 4 GB: all planes contiguous from here, one directory; 0: no */
  struct pri_ome *ome;         /* what its OME-XML says; NULL: it has none */
  int pyramids;                /* reduced pages and SubIFDs that are passed over */
  unsigned char *buffer;
  size_t buffer_bytes, raw_bytes;
};
pri_status pri_tiff_describe(pri_input *in);                                       /* io_tiff_info.c: all of the first directory but the layout */
pri_status pri_tiff_select(pri_input *in, ptrdiff_t page);
pri_status pri_tiff_read(pri_input *in, pri_real *dst, ptrdiff_t first, ptrdiff_t items);  /* io_tiff_pixels.c */
pri_status pri_tiff_fail(pri_input *in, const char *what);                         /* EFORMAT with libtiff's own words */

/* ---- entries of a directory as they stand in the file: io_tiff_tags.c */
typedef struct pri_tag { uint16_t tag, type; uint64_t count; int64_t at; } pri_tag;   /* at: of its values, which lie in the file */
size_t pri_tag_bytes(uint16_t type);                                               /* of a value; 0: no such type */
size_t pri_tag_unit(uint16_t type);                                                /* bytes that change places with the byte order */
uint64_t pri_tiff_number(const unsigned char *p, int n, int big_endian);
pri_status pri_tiff_tags(pri_input *in, ptrdiff_t page, pri_tag **out, int *n);    /* by pri_calloc, also where it fails */
const pri_tag *pri_tag_find(const pri_tag *tags, int n, uint16_t tag);             /* NULL: none */
pri_status pri_tag_load(pri_input *in, const pri_tag *tag, char **out);            /* its bytes and a NUL; by pri_calloc, also where it fails */

pri_status pri_tiff_compare(pri_input *in, pri_input *out, pri_metadata_fn fn, void *arg);   /* io_tiff_compare.c: out is a TIFF file */

/* ---- writing: io_tiff_write.c has the pixels, io_tiff_directory.c what stands behind them */
typedef struct pri_tiff_writer {
  pri_tiff_handle h;           /* encoder of strips: tif is NULL where they are not compressed */
  int big, big_endian, swap;   /* BigTIFF; byte order of the file, and whether it is not the machine's */
  ptrdiff_t pages, samples;    /* directories; samples of a pixel, each of them a plane for the caller */
  int chunky;                  /* samples side by side; else one plane behind the other */
  uint16_t photometric, compression, predictor;
  ptrdiff_t strips, rows;      /* of a page (or of each of its planes); rows of a strip */
  int64_t data;                /* where uncompressed pages begin */
  double *range;               /* [pages][2]: smallest and largest value as written */
  unsigned char *page;         /* chunky: one page */
  struct pri_kept *kept;       /* values that pages share, written once */
} pri_tiff_writer;
pri_status pri_tiff_directories(pri_output *o, const char *provenance);
/* the TIFF file that holds a plane of the input, and its page there; *file NULL: the plane is of another format */
pri_status pri_tiff_origin(const pri_input *in, ptrdiff_t plane, pri_input **file, ptrdiff_t *page);
enum { PRI_TIFF_CHUNK = 1 << 18 };                                                 /* uncompressed pages are read in pieces of about this */
#endif
