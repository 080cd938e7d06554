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
  char message[256];           /* first error of libtiff since message[0] was last set to 0 */
} pri_tiff_handle;
/* mode: "r", "w" (classic), "w8" (BigTIFF). most: largest single allocation of libtiff; 0: any. The first directory is not read yet */
pri_status pri_tiff_open(pri_ctx *ctx, pri_tiff_handle *h, const char *name, const char *mode, int64_t most);
void pri_tiff_know_provenance(TIFF *tif);
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
  unsigned char *buffer;
  size_t buffer_bytes, raw_bytes;
};
pri_status pri_tiff_describe(pri_input *in);                                       /* io_tiff_info.c: all of the first directory but the layout */
pri_status pri_tiff_select(pri_input *in, ptrdiff_t page);
pri_status pri_tiff_read(pri_input *in, pri_real *dst, ptrdiff_t first, ptrdiff_t items);  /* io_tiff_pixels.c */
pri_status pri_tiff_fail(pri_input *in, const char *what);                         /* EFORMAT with libtiff's own words */
enum { PRI_TIFF_CHUNK = 1 << 18 };                                                 /* uncompressed pages are read in pieces of about this */
#endif
