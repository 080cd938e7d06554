/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * io_private.h - what the format files share: a source of bytes (any file, or standard input spooled), a sink that only ever
 * appears finished, conversion of sample types, and the two tables of slots (reader, writer) that a format fills.
 */
#ifndef PRI_IO_PRIVATE_H
#define PRI_IO_PRIVATE_H
#include <jansson.h>
#include <stdint.h>
#include "folder.h"
#include "priori/io.h"

/* ---- sample types as stored */
typedef enum pri_dtype { PRI_U8, PRI_U16, PRI_U32, PRI_U64, PRI_I8, PRI_I16, PRI_I32, PRI_I64, PRI_F16, PRI_F32, PRI_F64, PRI_DTYPES } pri_dtype;
const char *pri_dtype_name(pri_dtype t);                       /* "u8" ... "f64" */
int pri_dtype_find(const char *name);                          /* -1: none */
size_t pri_dtype_bytes(pri_dtype t);
pri_dtype pri_dtype_of(char kind, size_t bytes, int *found);   /* kind u, i, f */
/* n samples at src, `stride` samples apart; swap: the other byte order. src needs no alignment */
void pri_samples_decode(pri_real *dst, const void *src, pri_dtype t, int swap, ptrdiff_t n, ptrdiff_t stride);
void pri_samples_double(double *dst, const void *src, pri_dtype t, int swap, ptrdiff_t n);
/* the way back, native order: integers are lo -> 0, hi -> largest, or values as they are where hi = lo; rounded to nearest, clipped.
   Returns how many were clipped or not finite (integers only) */
ptrdiff_t pri_samples_encode(void *dst, const pri_real *src, pri_dtype t, ptrdiff_t n, double lo, double hi);
int pri_big_endian(void);

/* ---- bytes in: only positioned reads, so that nothing shares a file offset */
typedef struct pri_source {
  int fd;                      /* -1: closed */
  int64_t size;
  char *name;                  /* for messages */
} pri_source;
pri_status pri_source_open(pri_ctx *ctx, pri_source *s, const char *path);   /* "-": standard input is copied to an unlinked file */
pri_status pri_source_read(pri_ctx *ctx, const pri_source *s, void *buf, size_t n, int64_t at); /* all of it: EREAD, or EFORMAT where the file ends */
ptrdiff_t pri_source_some(const pri_source *s, void *buf, size_t n, int64_t at);                /* what is there; -1: error in errno */
void pri_source_close(pri_ctx *ctx, pri_source *s);

/* ---- bytes out: a temporary name beside the target until commit */
typedef struct pri_sink {
  pri_ctx *ctx;
  char *target, *folder, *temp;  /* folder: with its slash, or ""; temp NULL: nothing to remove */
  int fd;                      /* read and write; -1: closed */
  int64_t at;                  /* end of what pri_sink_write wrote */
  int overwrite;
  int pipe;                    /* target is standard output or no regular file: copied there by commit */
} pri_sink;
pri_status pri_sink_open(pri_ctx *ctx, pri_sink *s, const char *target, int overwrite);  /* EWRITE */
pri_status pri_sink_write(pri_sink *s, const void *buf, size_t n);                       /* appends; EWRITE */
pri_status pri_sink_put(pri_sink *s, const void *buf, size_t n, int64_t at);             /* anywhere; EWRITE */
pri_status pri_sink_flush(pri_sink *s);                        /* checked fsync: what a full disk hides until then; EWRITE */
pri_status pri_sink_commit(pri_sink *s);                       /* flush, close (checked), rename, fsync of the folder; or copy to the pipe */
void pri_sink_discard(pri_sink *s);                            /* removes the temporary file; any state is fine */
pri_status pri_sink_fail(pri_sink *s, int error);              /* words an EWRITE; error: an errno, 0: unknown */
int pri_scratch_file(void);                                    /* unlinked file in $TMPDIR or /tmp; -1: errno says why */

/* ---- readers */
struct pri_input {
  pri_ctx *ctx;
  pri_input_info info;         /* its texts and angles are owned: pri_calloc */
  const struct pri_reader *reader;
  pri_source source;
  void *priv;                  /* the reader's; released by its close */
  ptrdiff_t planes;            /* that the reader knows as its items */
  pri_shape plane;
  char axis;                   /* that items are made along: 'z' 'c'; 0: none */
  ptrdiff_t group, stride;     /* planes of an item and how far apart they are; group 0: an item is a plane */
  int colours;                 /* 3: every three planes are red, green, blue of one picture; 0: not known to be */
};
ptrdiff_t pri_input_plane(const pri_input *in, ptrdiff_t item, ptrdiff_t k);   /* where plane k of the item stands in the file */
typedef struct pri_reader {
  const char *name;
  int (*knows)(const unsigned char *head, size_t n);           /* by the first bytes of the file */
  /* fills priv, format, dtype, nd, shape, items, item, meta, ...; inside: path in the file, or NULL. May leave half-built: close follows */
  pri_status (*open)(pri_input *in, const char *inside);
  pri_status (*read)(pri_input *in, pri_real *dst, ptrdiff_t first, ptrdiff_t items);    /* range is checked already */
  size_t (*memory)(const pri_input *in);
  void (*close)(pri_input *in);                                /* releases priv only */
  /* OPTIONAL: the same in double, for lists of numbers */
  pri_status (*read_double)(pri_input *in, double *dst, ptrdiff_t first, ptrdiff_t items);
} pri_reader;
extern const pri_reader pri_reader_tiff, pri_reader_npy, pri_reader_png, pri_reader_mat, pri_reader_hdf5, pri_reader_stack;
enum { PRI_IO_HEAD = 16 };     /* bytes that knows() sees at most; HDF5 may also begin at 512, 1024, ... */

const pri_reader *pri_reader_find(const pri_source *s);        /* NULL: nobody knows it */
pri_status pri_input_new(pri_ctx *ctx, pri_input **out, const char *name);               /* describes nothing yet; pri_input_close releases it */

/* nd, shape -> item (last two axes), items, default axes ("zyx"). EFORMAT: extent < 1, too many axes or too large to address */
pri_status pri_info_shape(pri_input *in, int nd, const ptrdiff_t *shape, const char *axes);
pri_status pri_info_text(pri_input *in, const char **field, const char *text);           /* owned copy */
pri_status pri_info_json(pri_input *in, const char **field, json_t *object);             /* owned text of it; steals object */
pri_status pri_info_pixel(pri_input *in, double x, double y, double z, const char *unit, int trusted); /* JSON and, where trusted, meta.pixel in mm */
double pri_unit_mm(const char *unit);                          /* mm a unit of length has; NAN: no such unit */
/* `bytes` of samples cannot come out of `have` bytes of file by any compression: EFORMAT. most: largest ratio */
pri_status pri_declared_size(pri_input *in, double bytes, double have, double most);
json_t *pri_number_json(double v);                             /* an integer where it is one; null where it is not finite */
json_t *pri_text_json(pri_ctx *ctx, const char *text, size_t n);             /* UTF-8 string whatever the bytes are (Latin-1 assumed otherwise) */
pri_status pri_input_side(pri_input *in, const char *path);    /* provenance from NAME.json, where there is one */
pri_status pri_side_name(pri_ctx *ctx, const char *name, char **out);

int pri_natural_compare(const char *a, const char *b);
/* the file of a stack that holds an item, and which of its own it is. Whatever else is no stack is its own */
pri_status pri_stack_member(pri_input *in, ptrdiff_t plane, pri_input **file, ptrdiff_t *item);
pri_status pri_hash_names(pri_ctx *ctx, const char *const *names, int n, char hex[65]);
pri_status pri_hash_fd(pri_ctx *ctx, const pri_source *s, char hex[65]);
/* "file.h5:/path" -> "file.h5" and "/path" (NULL: none). Both by pri_calloc */
pri_status pri_name_split(pri_ctx *ctx, const char *name, char **file, char **inside);

/* ---- writers */
struct pri_output {
  pri_ctx *ctx;
  const struct pri_writer *writer;
  pri_sink sink, side;         /* side: NAME.json, for formats that cannot carry provenance */
  char *inside;                /* path in the file, or NULL */
  pri_shape item;
  ptrdiff_t items, next;       /* next: first one that is not written yet */
  ptrdiff_t pages, height, width;  /* of one item */
  pri_dtype dtype;
  double lo, hi, pixel[3];
  ptrdiff_t clipped;
  double least, most;          /* smallest and largest finite value, as it is written */
  const pri_input *like;
  ptrdiff_t *source;           /* [items] item of like; NULL: none */
  int whole;                   /* all items of like, in order */
  int same_planes;             /* and as many planes as there */
  ptrdiff_t stride;            /* planes of an item are so far apart in the file */
  ptrdiff_t counts[3];         /* time points, slices, channels; 1 1 items without like */
  double pitch[3];             /* of the result over that of like, x first */
  const char *compression;     /* borrowed */
  int bigtiff;
  void *buffer;                /* encoded rows: at least one */
  ptrdiff_t buffer_rows;       /* rows it holds */
  void *priv;
};
typedef struct pri_writer {
  const char *name;
  const char *const *suffixes; /* ".tif", NULL-ended; without its dot also the FORMAT of "FORMAT:-" */
  int sidecar;                 /* provenance goes to NAME.json */
  pri_status (*open)(pri_output *o);
  pri_status (*write)(pri_output *o, const pri_real *src, ptrdiff_t first, ptrdiff_t items);
  pri_status (*finish)(pri_output *o, const char *provenance); /* everything but commit */
  size_t (*memory)(const pri_output *o);
  void (*close)(pri_output *o);                                /* releases priv only */
} pri_writer;
extern const pri_writer pri_writer_tiff, pri_writer_npy, pri_writer_png, pri_writer_hdf5;
pri_status pri_output_buffer(pri_output *o);                   /* rows of about 256 KiB */
double pri_output_value(const pri_output *o, double x);        /* as the file will say it: scaled, rounded, clipped */
ptrdiff_t pri_output_plane(const pri_output *o, ptrdiff_t item, ptrdiff_t k);  /* where plane k of the item goes */
ptrdiff_t pri_output_origin(const pri_output *o, ptrdiff_t plane);             /* plane of like that it comes from */

/* ---- texts that describe planes (TIFF ImageDescription): io_description.c. *out NULL: nothing of it is true any more. By pri_calloc */
pri_status pri_description_compare(pri_ctx *ctx, const char *old, const char *now, pri_metadata_fn fn, void *arg);
int pri_description_is_of_all(const char *text);               /* of all planes of the file, not of a page: ImageJ, OME */
pri_status pri_description_edit(pri_output *o, const char *old, const char *provenance, char **out);
#endif
