/* SPDX-License-Identifier: GPL-3.0-or-later */
/* io_ome.h - OME-XML in the description of a TIFF: what it says of planes and pixels, and the edits that a result takes. */
#ifndef PRI_IO_OME_H
#define PRI_IO_OME_H
#include "io_private.h"

typedef struct pri_ome {
  int images;                  /* Image elements with Pixels */
  int same;                    /* all have the sizes of the first, of which the rest speaks */
  ptrdiff_t size[5];           /* x y z c t */
  ptrdiff_t samples;           /* of a pixel; size[3] counts them */
  char order[8];               /* "XYCZT": fastest first */
  double pixel[3];             /* x y z; 0: unknown */
  char unit[3][24];
  char uuid[64];               /* of the file; "" where it has none */
  char other[256];             /* another file that planes are in; "" */
  int shuffled;                /* planes do not lie in the order that `order` tells */
} pri_ome;
int pri_ome_is(const char *text);                                        /* OME-XML by its root element */
/* EFORMAT: no XML, a document type (entities), no sizes */
pri_status pri_ome_parse(pri_ctx *ctx, const char *name, const char *xml, pri_ome *out);

typedef struct pri_ome_edit {
  const char *type;            /* of pixels: "uint16" "float" ...; NULL: as it is */
  int bits;                    /* significant ones, with a new type; 0: the attribute goes */
  ptrdiff_t size[5];           /* 0: as it is */
  double pitch[3];             /* factors of PhysicalSize; 1: as they are */
  int planes;                  /* which planes there are has changed: TiffData and Plane go */
  const char *order;           /* of dimensions; NULL: as it is */
  int channels;                /* Channel elements that stay, of one sample a pixel; 0: all */
  char uuid[64];
  const char *file;            /* name of the result without its folder */
} pri_ome_edit;
pri_status pri_ome_flatten(pri_ctx *ctx, const char *name, const char *xml, char **out);   /* a line "Element Attribute=value" each; by pri_calloc */
pri_status pri_ome_rewrite(pri_ctx *ctx, const char *name, const char *xml, const pri_ome_edit *e, char **out);   /* by pri_calloc */
#endif
