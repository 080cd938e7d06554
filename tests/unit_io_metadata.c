/* SPDX-License-Identifier: GPL-3.0-or-later */
/* unit_io_metadata.c - what a TIFF carried is still there afterwards: tags, ImageJ lines, OME-XML, order of planes; and only what must change
   has changed. The corpus files were made with tifffile by a script of ours; xml texts are put into a copy of stack_f32.tif's kind. */
#include <math.h>
#include <tiffio.h>
#include "alloc.h"
#include "io_files.h"

enum { LIST = 4000 };

/* "NAME: BEFORE -> AFTER; ..." of all that has changed */
static void collect(void *arg, const char *item, const char *before, const char *after) {
  char *const list = arg;
  const size_t n = strlen(list);
  if (before && after && strcmp(before, after) == 0) return;
  snprintf(list + n, LIST - n, "%s: %.60s -> %.60s; ", item, before ? before : "absent", after ? after : "absent");
}

/* all items of `from`, or those of `source`, into `to`; pixels as they are */
static pri_status pass_on(pri_ctx *ctx, const char *from, const char *to, pri_item item, const ptrdiff_t *source, ptrdiff_t items,
    pri_output_opts opts) {
  pri_input *in = NULL;
  pri_output *o = NULL;
  pri_real x[4096];
  pri_status s = pri_input_open(ctx, &in, from);
  if (s == PRI_OK) s = pri_input_regroup(in, item);
  opts.like = in, opts.source = source, opts.overwrite = 1;
  if (s == PRI_OK && !opts.dtype) opts.dtype = pri_input_describe(in)->dtype;
  if (s == PRI_OK) s = pri_output_create(ctx, &o, to, &pri_input_describe(in)->item, items ? items : pri_input_describe(in)->items, &opts);
  for (ptrdiff_t i = 0; s == PRI_OK && i < (items ? items : pri_input_describe(in)->items); ++i) {
    s = pri_input_read(in, x, source ? source[i] : i, 1);
    if (s == PRI_OK) s = pri_output_write(o, x, i, 1);
  }
  if (s == PRI_OK) s = pri_output_finish(o, "{\"version\":\"0\"}");
  pri_output_destroy(&o);
  pri_input_close(&in);
  return s;
}

static void changes(pri_ctx *ctx, const char *from, const char *to, char list[LIST]) {
  pri_input *a, *b;
  list[0] = 0;
  assert_int_equal(pri_input_open(ctx, &a, from), PRI_OK);
  assert_int_equal(pri_input_open(ctx, &b, to), PRI_OK);
  assert_int_equal(pri_metadata_compare(a, b, collect, list), PRI_OK);
  pri_input_close(&a);
  pri_input_close(&b);
}

static void same_pixels(pri_ctx *ctx, const char *from, const char *to) {
  pri_array a, b;
  assert_int_equal(pri_input_load(ctx, from, &a), PRI_OK);
  assert_int_equal(pri_input_load(ctx, to, &b), PRI_OK);
  assert_int_equal(a.items, b.items);
  assert_memory_equal(a.data, b.data, (size_t)(pri_shape_size(&a.shape) * a.items) * sizeof(pri_real));
  pri_array_destroy(&a);
  pri_array_destroy(&b);
}

static void expect(const char *name, pri_output_opts opts, const char *want) {
  char to[PATH_ROOM], from[PATH_ROOM], list[LIST];
  pri_ctx *ctx = make_ctx(0);
  snprintf(from, sizeof from, "%s/%s", CORPUS, name);
  if (pass_on(ctx, from, in_scratch(to, "x.tif"), PRI_ITEM_PAGE, NULL, 0, opts) != PRI_OK) fail_msg("%s: %s", name, pri_ctx_message(ctx));
  same_pixels(ctx, from, to);
  changes(ctx, from, to, list);
  char *const uuid = strstr(list, "OME-XML OME UUID: ");   /* differs with the name and the provenance: that it does is enough */
  if (uuid) memmove(uuid, strstr(uuid, "; ") + 2, strlen(strstr(uuid, "; ") + 2) + 1);
  assert_true(!strstr(name, "ome") || uuid);
  if (strcmp(list, want)) fail_msg("%s: \"%s\" instead of \"%s\"", name, list, want);
  drop_ctx(&ctx);
}

#define SOFTWARE "Software: made -> priori " PACKAGE_VERSION "; "
#include "config.h"

static void only_what_must_change_changes(void **state) {
  static const char *const compressions[] = {"none", "deflate", "lzw", "zstd"};
  (void)state;
  for (int big = 0; big < 2; ++big)
    for (size_t i = 0; i < sizeof compressions / sizeof *compressions; ++i) {
      const pri_output_opts opts = {.compression = compressions[i], .bigtiff = big};
      if (strcmp(compressions[i], "zstd") == 0 && !TIFFIsCODECConfigured(COMPRESSION_ZSTD)) continue;
      expect("stack_hyper_be.tif", opts, SOFTWARE "ImageDescription max: 400.0 -> 123; ");
      expect("stack_ome.tif", opts, SOFTWARE);
      expect("stack_tags.tif", opts, "MinSampleValue: 0 -> 100; MaxSampleValue: 999 -> 23; " SOFTWARE "tag 65002: 8 -> absent; ");
    }
  expect("stack_hyper_be.tif", (pri_output_opts){.dtype = "f32"}, "sample type: u16 -> f32; " SOFTWARE "ImageDescription max: 400.0 -> 123; ");
  expect("stack_ome.tif", (pri_output_opts){.dtype = "f64"}, "sample type: u16 -> f64; " SOFTWARE "OME-XML Pixels Type: uint16 -> double; ");
  expect("stack_tags.tif", (pri_output_opts){.dtype = "f32"},
      "sample type: u16 -> f32; MinSampleValue: 0 -> absent; MaxSampleValue: 999 -> absent; " SOFTWARE
      "tag 65002: 8 -> absent; SMinSampleValue: absent -> 0; SMaxSampleValue: absent -> 23; ");
}

/* pixels of half the size: as many again, and half the length each */
static void sizes_follow(void **state) {
  char path[PATH_ROOM], list[LIST];
  pri_real x[2 * 48] = {0};
  const pri_shape twice = pri_shape_2d(6, 8);
  static const char *const names[] = {CORPUS "/stack_hyper_be.tif", CORPUS "/stack_ome.tif", CORPUS "/stack_tags.tif"};
  static const char *const want[] = {
    "XResolution: 100/13 -> 200/13; YResolution: 100/7 -> 200/7; ",
    ("OME-XML Pixels SizeX: 4 -> 8; OME-XML Pixels SizeY: 3 -> 6; OME-XML Pixels PhysicalSizeX: 0.13 -> 0.065; "
     "OME-XML Pixels PhysicalSizeY: 0.07 -> 0.035; "),
    "XResolution: 509/2 -> 509/1; YResolution: 509/4 -> 509/2; "};
  (void)state;
  for (int i = 0; i < 3; ++i) {
    pri_ctx *ctx = make_ctx(0);
    pri_input *in;
    pri_output *o;
    assert_int_equal(pri_input_open(ctx, &in, names[i]), PRI_OK);
    assert_int_equal(pri_output_create(ctx, &o, in_scratch(path, "x.tif"), &twice, 2,
        &(pri_output_opts){.dtype = "u16", .like = in, .pitch = {0.5, 0.5, 1}, .overwrite = 1}), PRI_OK);
    assert_int_equal(pri_output_write(o, x, 0, 2), PRI_OK);
    assert_int_equal(pri_output_finish(o, NULL), PRI_OK);
    pri_output_destroy(&o);
    pri_input_close(&in);
    changes(ctx, names[i], path, list);
    for (const char *p = want[i]; *p; p = strstr(p, "; ") + 2) {
      char one[200];
      snprintf(one, sizeof one, "%.*s", (int)(strstr(p, "; ") - p), p);
      if (!strstr(list, one)) fail_msg("%s: no \"%s\" in \"%s\"", names[i], one, list);
    }
    drop_ctx(&ctx);
  }
}

/* ---- order of planes */

enum { T = 2, Z = 3, C = 2, PLANES = T * Z * C, SIDE = 4, PLANE = SIDE * SIDE };
static const char hyper[] = "ImageJ=1.53t\nimages=12\nchannels=2\nslices=3\nframes=2\nhyperstack=true\nunit=um\nspacing=2\nloop=false\n";

/* a file of 12 planes with the value 10 plane + pixel / 16, with that description */
static void put_planes(const char *path, const char *text, int pages, int samples) {
  TIFF *const tif = TIFFOpen(path, "w");
  assert_non_null(tif);
  for (int p = 0; p < pages; ++p) {
    float x[3 * PLANE];
    TIFFSetField(tif, TIFFTAG_IMAGEWIDTH, SIDE);
    TIFFSetField(tif, TIFFTAG_IMAGELENGTH, SIDE);
    TIFFSetField(tif, TIFFTAG_BITSPERSAMPLE, 32);
    TIFFSetField(tif, TIFFTAG_SAMPLEFORMAT, SAMPLEFORMAT_IEEEFP);
    TIFFSetField(tif, TIFFTAG_SAMPLESPERPIXEL, samples);
    TIFFSetField(tif, TIFFTAG_PHOTOMETRIC, samples == 3 ? PHOTOMETRIC_RGB : PHOTOMETRIC_MINISBLACK);
    TIFFSetField(tif, TIFFTAG_PLANARCONFIG, PLANARCONFIG_CONTIG);
    if (p == 0 && text) TIFFSetField(tif, TIFFTAG_IMAGEDESCRIPTION, text);
    for (int i = 0; i < samples * PLANE; ++i) x[i] = (float)(10 * (p * samples + i % samples)) + (float)(i / samples) / 16;
    assert_true(TIFFWriteEncodedStrip(tif, 0, x, (tmsize_t)(samples * PLANE * 4)) > 0);
    assert_true(TIFFWriteDirectory(tif));
  }
  TIFFClose(tif);
}

/* first pixel of each plane, in tens */
static void expect_planes(const char *path, const char *axes, const int *want, ptrdiff_t n) {
  pri_ctx *ctx = make_ctx(0);
  pri_input *in;
  pri_real x[64 * PLANE];
  if (pri_input_open(ctx, &in, path) != PRI_OK) fail_msg("%s", pri_ctx_message(ctx));
  assert_string_equal(pri_input_describe(in)->axes, axes);
  assert_int_equal(pri_input_describe(in)->items, n);
  assert_int_equal(pri_input_read(in, x, 0, n), PRI_OK);
  for (ptrdiff_t k = 0; k < n; ++k)
    if (x[k * PLANE] != (pri_real)(10 * want[k]) || x[k * PLANE + 8] != (pri_real)(10 * want[k]) + (pri_real)0.5)
      fail_msg("%s: plane %td has %g", path, k, (double)x[k * PLANE]);
  pri_input_close(&in);
  drop_ctx(&ctx);
}

static const char ome_head[] = "<?xml version=\"1.0\"?>\n<OME xmlns=\"http://www.openmicroscopy.org/Schemas/OME/2016-06\" UUID=\"urn:uuid:1\">"
  "<!-- kept --><Image ID=\"Image:0\"><Pixels DimensionOrder=\"%s\" Type=\"float\" SizeX=\"4\" SizeY=\"4\" SizeZ=\"3\" SizeC=\"2\" SizeT=\"2\">"
  "<Channel ID=\"c:0\" Name=\"\xc2\xb5\"/><Channel ID='c:1' Name='b'/>%s</Pixels></Image></OME>";

static const char *put_ome(char path[PATH_ROOM], const char *order, const char *inside) {
  char text[2000];
  snprintf(text, sizeof text, ome_head, order, inside);
  put_planes(in_scratch(path, "ome.tif"), text, PLANES, 1);
  return path;
}

static void volumes_come_and_go_in_order(void **state) {
  static const int all[] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11};
  char from[PATH_ROOM], to[PATH_ROOM];
  (void)state;
  put_planes(in_scratch(from, "hyper.tif"), hyper, PLANES, 1);
  expect_planes(from, "tzcyx", all, PLANES);
  pri_ctx *ctx = make_ctx(0);
  pri_input *in;
  pri_real x[Z * PLANE];
  assert_int_equal(pri_input_open(ctx, &in, from), PRI_OK);
  assert_int_equal(pri_input_regroup(in, PRI_ITEM_VOLUME), PRI_OK);
  assert_int_equal(pri_input_describe(in)->items, T * C);
  assert_int_equal(pri_input_describe(in)->item.nd, 3);
  assert_int_equal(pri_input_describe(in)->item.n[0], Z);
  assert_int_equal(pri_input_read(in, x, 3, 1), PRI_OK);          /* time 1, channel 1: planes 7, 9, 11 */
  assert_true(x[0] == 70 && x[PLANE] == 90 && x[2 * PLANE] == 110);
  assert_int_equal(pri_input_regroup(in, PRI_ITEM_CHANNELS), PRI_OK);
  assert_int_equal(pri_input_describe(in)->items, T * Z);
  assert_int_equal(pri_input_read(in, x, 4, 1), PRI_OK);
  assert_true(x[0] == 80 && x[PLANE] == 90);
  assert_int_equal(pri_input_regroup(in, PRI_ITEM_PAGE), PRI_OK);
  assert_int_equal(pri_input_describe(in)->items, PLANES);
  pri_input_close(&in);
  assert_int_equal(pri_input_open(ctx, &in, CORPUS "/slice_u8.png"), PRI_OK);
  assert_int_equal(pri_input_regroup(in, PRI_ITEM_VOLUME), PRI_ESHAPE);
  pri_input_close(&in);
  for (pri_item item = PRI_ITEM_PAGE; item <= PRI_ITEM_CHANNELS; ++item) {
    assert_int_equal(pass_on(ctx, from, in_scratch(to, "x.tif"), item, NULL, 0, (pri_output_opts){.compression = item ? "lzw" : "none"}), PRI_OK);
    expect_planes(to, "tzcyx", all, PLANES);
  }
  drop_ctx(&ctx);
}

static void every_order_of_dimensions(void **state) {
  static const char *const orders[] = {"XYCZT", "XYZCT", "XYTZC"}, *const axes[] = {"tzcyx", "tczyx", "cztyx"};
  static const int all[] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11};
  char from[PATH_ROOM], to[PATH_ROOM];
  (void)state;
  pri_ctx *ctx = make_ctx(0);
  for (int i = 0; i < 3; ++i) {
    expect_planes(put_ome(from, orders[i], "<TiffData/>"), axes[i], all, PLANES);
    assert_int_equal(pass_on(ctx, from, in_scratch(to, "x.tif"), PRI_ITEM_VOLUME, NULL, 0, (pri_output_opts){0}), PRI_OK);
    expect_planes(to, axes[i], all, PLANES);
  }
  drop_ctx(&ctx);
}

static void a_selection_counts_itself(void **state) {
  static const ptrdiff_t planes[] = {1, 5, 7}, volumes[] = {1, 3};
  static const int second[] = {1, 3, 5, 7, 9, 11}, some[] = {1, 5, 7};
  char from[PATH_ROOM], to[PATH_ROOM], list[LIST];
  (void)state;
  pri_ctx *ctx = make_ctx(0);
  put_planes(in_scratch(from, "hyper.tif"), hyper, PLANES, 1);
  assert_int_equal(pass_on(ctx, from, in_scratch(to, "x.tif"), PRI_ITEM_PAGE, planes, 3, (pri_output_opts){0}), PRI_OK);
  expect_planes(to, "zyx", some, 3);
  changes(ctx, from, to, list);
  if (!strstr(list, "images: 12 -> 3; ")) fail_msg("%s", list);
  assert_non_null(strstr(list, "channels: 2 -> 1; "));
  assert_null(strstr(list, "spacing"));
  assert_int_equal(pass_on(ctx, from, to, PRI_ITEM_VOLUME, volumes, 2, (pri_output_opts){0}), PRI_OK);
  expect_planes(to, "tzyx", second, 6);                          /* the second channel of both times */
  put_ome(from, "XYCZT", "<TiffData IFD=\"0\" PlaneCount=\"12\"/><Plane TheZ=\"0\" TheC=\"0\" TheT=\"0\"/>");
  assert_int_equal(pass_on(ctx, from, to, PRI_ITEM_VOLUME, volumes, 2, (pri_output_opts){0}), PRI_OK);
  expect_planes(to, "tzyx", second, 6);
  drop_ctx(&ctx);
}

static void colours_stay_colours(void **state) {
  static const int all[] = {0, 1, 2, 3, 4, 5};
  char from[PATH_ROOM], to[PATH_ROOM], list[LIST];
  (void)state;
  pri_ctx *ctx = make_ctx(0);
  put_planes(in_scratch(from, "rgb.tif"), NULL, 2, 3);
  expect_planes(from, "zcyx", all, 6);
  for (pri_item item = PRI_ITEM_PAGE; item <= PRI_ITEM_CHANNELS; ++item) {
    assert_int_equal(pass_on(ctx, from, in_scratch(to, "x.tif"), item, NULL, 0, (pri_output_opts){.compression = item ? "deflate" : NULL}), PRI_OK);
    expect_planes(to, "zcyx", all, 6);
    changes(ctx, from, to, list);
    assert_string_equal(list, "Software: absent -> priori " PACKAGE_VERSION "; ");
  }
  drop_ctx(&ctx);
}

/* the preview of one picture in colours has them, stretched by one scale; more than one picture gives a grey page */
static void previews_have_colours(void **state) {
  char from[PATH_ROOM], to[PATH_ROOM];
  pri_array a, b;
  (void)state;
  for (int pictures = 1; pictures <= 2; ++pictures) {
    pri_ctx *ctx = make_ctx(0);
    put_planes(in_scratch(from, "rgb.tif"), NULL, pictures, 3);
    for (int k = 0; k < 2; ++k) {
      const pri_item item = k ? PRI_ITEM_CHANNELS : PRI_ITEM_PAGE;
      if (pass_on(ctx, from, in_scratch(to, "x.png"), item, NULL, 0, (pri_output_opts){.dtype = "u8", .overwrite = 1}) != PRI_OK) fail_msg("%s", pri_ctx_message(ctx));
      assert_int_equal(pri_input_load(ctx, from, &a), PRI_OK);
      assert_int_equal(pri_input_load(ctx, to, &b), PRI_OK);
      const ptrdiff_t n = pri_shape_size(&a.shape) * a.items, m = pri_shape_size(&b.shape) * b.items;
      assert_int_equal(m, pictures == 1 ? n : n / 6);
      double lo = INFINITY, hi = -INFINITY;
      for (ptrdiff_t i = 0; i < n; ++i) lo = fmin(lo, (double)a.data[i]), hi = fmax(hi, (double)a.data[i]);
      for (ptrdiff_t i = 0; i < m && pictures == 1; ++i) assert_true(fabs((double)b.data[i] - 255 * ((double)a.data[i] - lo) / (hi - lo)) <= 0.51);
      pri_array_destroy(&a), pri_array_destroy(&b);
    }
    drop_ctx(&ctx);
  }
}

/* files of one layout have their texts at the same places: each page has its own all the same */
static void pages_of_a_folder_keep_their_own(void **state) {
  char path[PATH_ROOM], to[PATH_ROOM], text[40];
  (void)state;
  pri_ctx *ctx = make_ctx(0);
  for (int i = 0; i < 3; ++i) {
    snprintf(text, sizeof text, "f%d.tif", 9 + i);
    in_scratch(path, text);
    snprintf(text, sizeof text, "a page of its own, %d", i);
    put_planes(path, text, 1, 1);
  }
  in_scratch(path, "f*.tif");
  assert_int_equal(pass_on(ctx, path, in_scratch(to, "x.tif"), PRI_ITEM_PAGE, NULL, 0, (pri_output_opts){0}), PRI_OK);
  TIFF *const tif = TIFFOpen(to, "r");
  assert_non_null(tif);
  for (int i = 0; i < 3; ++i) {
    char *said = NULL;
    snprintf(text, sizeof text, "a page of its own, %d", i);
    assert_true(TIFFSetDirectory(tif, (tdir_t)i) && TIFFGetField(tif, TIFFTAG_IMAGEDESCRIPTION, &said));
    assert_string_equal(said, text);
  }
  TIFFClose(tif);
  empty_folder(scratch);
  drop_ctx(&ctx);
}

/* ---- what is refused */

static void refuse(const char *path, const char *word) {
  pri_ctx *ctx = make_ctx(0);
  pri_input *in;
  assert_int_equal(pri_input_open(ctx, &in, path), PRI_EFORMAT);
  if (!strstr(pri_ctx_message(ctx), word)) fail_msg("\"%s\" does not say \"%s\"", pri_ctx_message(ctx), word);
  drop_ctx(&ctx);
}

static void sets_entities_and_shuffles_are_refused(void **state) {
  static const char *const bad[] = {"<OME><Image><Pixels", "<OME><Image><Pixels SizeX='1'/></Image></OME>",
    "<!DOCTYPE a [<!ENTITY b \"c\">]><OME>&b;</OME>", "<OME><Image></Pixels></Image></OME>"};
  char path[PATH_ROOM];
  (void)state;
  refuse(put_ome(path, "XYCZT", "<TiffData IFD='0'><UUID FileName='other.ome.tif'>urn:uuid:2</UUID></TiffData>"), "other.ome.tif");
  refuse(put_ome(path, "XYCZT", "<TiffData IFD='0' FirstT='1'/>"), "another order");
  refuse(put_ome(path, "XYZ", ""), "order of dimensions");
  put_planes(in_scratch(path, "x.tif"), "<OME><BinaryOnly MetadataFile='set.companion.ome'/></OME>", 2, 1);
  refuse(path, "set.companion.ome");
  for (size_t i = 0; i < 2; ++i) put_planes(path, bad[i], 2, 1), refuse(path, "OME-XML");
  put_planes(path, bad[3], 2, 1), refuse(path, "OME-XML");
  static const int two[] = {0, 1};
  put_planes(path, bad[2], 2, 1), expect_planes(path, "zyx", two, 2);   /* begins with a document type: a text like any other */
  put_planes(path, "<?xml version='1.0'?><x>", 2, 1), expect_planes(path, "zyx", two, 2);
  put_ome(path, "XYCZT", "<TiffData IFD='0'><UUID FileName='renamed since.tif'>urn:uuid:1</UUID></TiffData>");
  static const int all[] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11};
  expect_planes(path, "tzcyx", all, PLANES);
}

static void a_set_of_one_names_the_result(void **state) {
  char from[PATH_ROOM], to[PATH_ROOM];
  (void)state;
  pri_ctx *ctx = make_ctx(0);
  put_ome(from, "XYCZT", "<TiffData IFD=\"0\" PlaneCount=\"12\"><UUID FileName=\"old.tif\">urn:uuid:1</UUID></TiffData>");
  assert_int_equal(pass_on(ctx, from, in_scratch(to, "a&b.tif"), PRI_ITEM_PAGE, NULL, 0, (pri_output_opts){0}), PRI_OK);
  pri_input *in;
  assert_int_equal(pri_input_open(ctx, &in, to), PRI_OK);
  const char *const said = pri_input_describe(in)->metadata;
  assert_non_null(strstr(said, "FileName=\\\"a&amp;b.tif\\\""));
  assert_non_null(strstr(said, "<!-- kept -->"));
  assert_non_null(strstr(said, "Name=\\\"\xc2\xb5\\\""));
  assert_null(strstr(said, "urn:uuid:1<"));
  pri_input_close(&in);
  drop_ctx(&ctx);
}

/* any status, but no crash and no leak, with one byte of the input wrong; and what was written can be read */
static void any_byte_may_be_wrong(void **state) {
  static const char *const names[] = {CORPUS "/stack_hyper_be.tif", CORPUS "/stack_ome.tif", CORPUS "/stack_tags.tif"};
  static const unsigned char values[] = {0, 0xff, 0x7f};
  char from[PATH_ROOM], to[PATH_ROOM], list[LIST];
  (void)state;
  for (size_t f = 0; f < 3; ++f) {
    size_t n;
    unsigned char *const bytes = get_bytes(names[f], &n);
    for (size_t at = f; at < n; at += 11) {
      const unsigned char old = bytes[at];
      pri_ctx *ctx = make_ctx(64 << 20);
      pri_input *in;
      bytes[at] = values[at % 3];
      put_bytes(in_scratch(from, "wrong"), bytes, n);
      bytes[at] = old;
      int small = pri_input_open(ctx, &in, from) == PRI_OK;
      if (small) small = pri_shape_size(&pri_input_describe(in)->item) <= 4096;
      pri_input_close(&in);
      if (small && pass_on(ctx, from, in_scratch(to, "x.tif"), PRI_ITEM_PAGE, NULL, 0, (pri_output_opts){0}) == PRI_OK) changes(ctx, from, to, list);
      drop_ctx(&ctx);
    }
    free(bytes);
  }
  empty_folder(scratch);
}

static pri_status copy_work(pri_ctx *ctx, void *from) {
  char to[PATH_ROOM];
  return pass_on(ctx, from, in_scratch(to, "y.tif"), PRI_ITEM_CHANNELS, NULL, 0, (pri_output_opts){0});
}

static void every_allocation_may_fail(void **state) {
  static char names[][PATH_ROOM] = {CORPUS "/stack_hyper_be.tif", CORPUS "/stack_ome.tif"};
  (void)state;
  for (int i = 0; i < 2; ++i) {
    const char *const wrong = test_every_allocation(NULL, copy_work, names[i]);
    if (wrong) fail_msg("%s: %s", names[i], wrong);
  }
  empty_folder(scratch);
}

int unit_io_metadata(void);
int unit_io_metadata(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(only_what_must_change_changes), cmocka_unit_test(sizes_follow),
    cmocka_unit_test(volumes_come_and_go_in_order), cmocka_unit_test(every_order_of_dimensions), cmocka_unit_test(a_selection_counts_itself),
    cmocka_unit_test(colours_stay_colours), cmocka_unit_test(previews_have_colours), cmocka_unit_test(pages_of_a_folder_keep_their_own), cmocka_unit_test(sets_entities_and_shuffles_are_refused),
    cmocka_unit_test(a_set_of_one_names_the_result), cmocka_unit_test(any_byte_may_be_wrong), cmocka_unit_test(every_allocation_may_fail)};
  return cmocka_run_group_tests(tests, make_scratch, remove_scratch);
}
