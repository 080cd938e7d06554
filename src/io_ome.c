/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * io_ome.c - OME-XML by expat. Two passes over the same text: parse collects sizes, order of planes and files; rewrite splices new
 * attribute values and texts into the bytes, so that all that need not change is there as it was (comments, foreign annotations,
 * the micro sign). A document type, and with it every entity, is refused.
 * Source: Open Microscopy Environment, OME-TIFF specification and schema 2016-06.
 */
#include "config.h"
#include "io_ome.h"
#include <expat.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "number.h"

enum { DEEPEST = 256, LARGEST_XML = 1 << 28, MOST_PLANES = 1 << 30 };

static const char *local(const char *name) {
  const char *const colon = strrchr(name, ':');
  return colon ? colon + 1 : name;
}

static const char *attribute(const char **list, const char *name) {
  for (; *list; list += 2)
    if (strcmp(local(list[0]), name) == 0) return list[1];
  return NULL;
}

static ptrdiff_t whole_number(const char *text, ptrdiff_t missing) {
  char *end;
  if (!text) return missing;
  const long long v = strtoll(text, &end, 10);
  return end == text || *end || v < 0 || v > MOST_PLANES ? -1 : (ptrdiff_t)v;
}

static void set_text(char *to, size_t room, const char *from) { snprintf(to, room, "%s", from ? from : ""); }

int pri_ome_is(const char *text) {
  const char *p = strncmp(text, "\xef\xbb\xbf", 3) ? text : text + 3;
  for (;;) {
    p += strspn(p, " \t\r\n");
    const int comment = strncmp(p, "<!--", 4) == 0;
    if (!comment && strncmp(p, "<?", 2)) break;
    const char *const end = strstr(p, comment ? "-->" : "?>");
    if (!end) return 0;
    p = end + (comment ? 3 : 2);
  }
  if (*p != '<') return 0;
  const char *const name = p + 1;
  const size_t n = strcspn(name, " \t\r\n/>");
  return (n == 3 && memcmp(name, "OME", 3) == 0) || (n > 4 && memcmp(name + n - 4, ":OME", 4) == 0);
}

/* ---- parse */

typedef struct parser {
  XML_Parser xml;
  pri_ome *ome;
  int depth, bad;              /* bad: a document type, or sizes that are none */
  int channels;                /* of this image, so far */
  char name[256];              /* FileName of the UUID element that is open */
  char text[64];               /* of it */
  size_t length;
  int in_uuid;
} parser;

static ptrdiff_t channel_planes(const pri_ome *o) { return o->samples > 0 && o->size[3] % o->samples == 0 ? o->size[3] / o->samples : o->size[3]; }

static ptrdiff_t planes_of(const pri_ome *o) { return o->size[2] * channel_planes(o) * o->size[4]; }

static void take_pixel(pri_ome *o, const char **a) {
  static const char *const sizes[] = {"PhysicalSizeX", "PhysicalSizeY", "PhysicalSizeZ"};
  static const char *const units[] = {"PhysicalSizeXUnit", "PhysicalSizeYUnit", "PhysicalSizeZUnit"};
  for (int k = 0; k < 3; ++k) {
    char *end;
    const char *const v = attribute(a, sizes[k]), *const unit = attribute(a, units[k]);
    const double size = v ? pri_number_parse(v, &end) : 0;
    o->pixel[k] = size > 0 && isfinite(size) ? size : 0;
    set_text(o->unit[k], sizeof o->unit[k], unit ? unit : "\xc2\xb5m");
  }
}

static void take_pixels(parser *p, const char **a) {
  static const char *const names[] = {"SizeX", "SizeY", "SizeZ", "SizeC", "SizeT"};
  pri_ome *const o = p->ome;
  ptrdiff_t size[5];
  for (int k = 0; k < 5; ++k)
    if ((size[k] = whole_number(attribute(a, names[k]), -1)) < 1) p->bad = 1;
  p->channels = 0;
  if (p->bad) return;
  if (o->images++ > 0) {
    o->same &= memcmp(size, o->size, sizeof size) == 0;
    return;
  }
  memcpy(o->size, size, sizeof size);
  set_text(o->order, sizeof o->order, attribute(a, "DimensionOrder"));
  take_pixel(o, a);
}

/* the plane that an IFD is said to hold against the one that the order of dimensions tells */
static void take_planes(parser *p, const char **a) {
  pri_ome *const o = p->ome;
  ptrdiff_t at = 0, step = 1;
  const ptrdiff_t first[3] = {whole_number(attribute(a, "FirstZ"), 0), whole_number(attribute(a, "FirstC"), 0), whole_number(attribute(a, "FirstT"), 0)};
  const ptrdiff_t extent[3] = {o->size[2], channel_planes(o), o->size[4]}, samples = o->samples > 0 ? o->samples : 1;
  for (int k = 2; o->order[0] && o->order[k]; ++k) {
    const int axis = o->order[k] == 'Z' ? 0 : o->order[k] == 'C' ? 1 : 2;
    at += step * (axis == 1 ? first[1] / samples : first[axis]), step *= extent[axis];
    if (first[axis] < 0 || first[axis] >= extent[axis] * (axis == 1 ? samples : 1)) o->shuffled = 1;
  }
  const ptrdiff_t ifd = whole_number(attribute(a, "IFD"), 0);
  if (o->same && ifd != at + (o->images - 1) * planes_of(o)) o->shuffled = 1;
}

static void XMLCALL on_start(void *user, const char *name, const char **a) {
  parser *const p = user;
  const char *const what = local(name);
  pri_ome *const o = p->ome;
  if (++p->depth > DEEPEST) p->bad = 1;
  if (p->depth == 1) set_text(o->uuid, sizeof o->uuid, attribute(a, "UUID"));
  if (strcmp(what, "BinaryOnly") == 0) set_text(o->other, sizeof o->other, attribute(a, "MetadataFile") ? attribute(a, "MetadataFile") : "a companion file");
  if (strcmp(what, "Pixels") == 0) take_pixels(p, a);
  if (strcmp(what, "Channel") == 0 && o->images == 1 && p->channels++ == 0) o->samples = whole_number(attribute(a, "SamplesPerPixel"), 1);
  if (strcmp(what, "TiffData") == 0 && o->images > 0) take_planes(p, a);
  if (strcmp(what, "UUID") == 0) {
    p->in_uuid = 1, p->length = 0, p->text[0] = 0;
    set_text(p->name, sizeof p->name, attribute(a, "FileName"));
  }
  if (p->bad) XML_StopParser(p->xml, XML_FALSE);
}

/* the first file that planes are said to be in is this one, where the root has no UUID */
static void end_of_uuid(parser *p) {
  pri_ome *const o = p->ome;
  p->in_uuid = 0;
  p->text[p->length] = 0;
  if (!o->uuid[0]) set_text(o->uuid, sizeof o->uuid, p->text);
  if (strcmp(p->text, o->uuid) && !o->other[0]) set_text(o->other, sizeof o->other, p->name[0] ? p->name : p->text);
}

static void XMLCALL on_end(void *user, const char *name) {
  parser *const p = user;
  --p->depth;
  if (p->in_uuid && strcmp(local(name), "UUID") == 0) end_of_uuid(p);
}

static void XMLCALL on_text(void *user, const char *s, int n) {
  parser *const p = user;
  for (int i = 0; p->in_uuid && i < n && p->length + 1 < sizeof p->text; ++i)
    if (!strchr(" \t\r\n", s[i])) p->text[p->length++] = s[i];
}

static void XMLCALL on_doctype(void *user, const char *name, const char *sysid, const char *pubid, int internal) {
  parser *const p = user;
  (void)name, (void)sysid, (void)pubid, (void)internal;
  p->bad = 1;
  XML_StopParser(p->xml, XML_FALSE);
}

static int good_order(const char *order) {
  return strlen(order) == 5 && order[0] == 'X' && order[1] == 'Y' && strchr(order, 'Z') && strchr(order, 'C') && strchr(order, 'T');
}

static pri_status check(pri_ctx *ctx, const char *name, const pri_ome *o) {
  if (!o->images) return PRI_OK;
  if (!good_order(o->order))
    return PRI_FAIL(ctx, PRI_EFORMAT, "%s: its OME-XML has the order of dimensions \"%s\", not one of XYZCT to XYTCZ", name, o->order);
  if ((double)o->size[2] * (double)o->size[3] * (double)o->size[4] > MOST_PLANES)
    return PRI_FAIL(ctx, PRI_EFORMAT, "%s: its OME-XML declares more planes than can be", name);
  return PRI_OK;
}

static int run(parser *p, const char *xml) {
  const size_t n = strlen(xml);
  XML_SetUserData(p->xml, p);
  XML_SetDoctypeDeclHandler(p->xml, on_doctype, NULL);
  return n <= LARGEST_XML && XML_Parse(p->xml, xml, (int)n, 1) == XML_STATUS_OK && !p->bad;
}

static pri_status refuse(pri_ctx *ctx, const char *name, XML_Parser xml, int bad) {
  return PRI_FAIL(ctx, PRI_EFORMAT, "%s: its OME-XML is damaged or refused in line %lu: %s", name, (unsigned long)XML_GetCurrentLineNumber(xml),
      bad ? "sizes that are none, or a document type" : XML_ErrorString(XML_GetErrorCode(xml)));
}

pri_status pri_ome_parse(pri_ctx *ctx, const char *name, const char *xml, pri_ome *out) {
  parser p = {.xml = XML_ParserCreate(NULL), .ome = out};
  *out = (pri_ome){.same = 1, .samples = 1};
  if (!p.xml) return PRI_FAIL(ctx, PRI_ENOMEM, "%s: out of memory in expat", name);
  XML_SetElementHandler(p.xml, on_start, on_end);
  XML_SetCharacterDataHandler(p.xml, on_text);
  const pri_status s = run(&p, xml) ? check(ctx, name, out) : refuse(ctx, name, p.xml, p.bad);
  XML_ParserFree(p.xml);
  return s;
}

/* ---- rewrite */

typedef struct rewriter {
  XML_Parser xml;
  pri_ctx *ctx;
  const char *old;
  const pri_ome_edit *e;
  FILE *out;
  size_t done;                 /* bytes of old that are written or dropped */
  int depth, bad;
  int drop;                    /* depth of the element that is dropped; 0: none */
  int channels, in_uuid;
  double pixel[3];             /* of the Pixels element that is open */
} rewriter;

static void copy_until(rewriter *r, size_t end) {
  if (end > r->done) fwrite(r->old + r->done, 1, end - r->done, r->out);
  r->done = end > r->done ? end : r->done;
}

static void put_escaped(FILE *f, const char *s) {
  for (; *s; ++s) {
    if (*s == '&') fputs("&amp;", f);
    else if (*s == '<') fputs("&lt;", f);
    else if (*s == '>') fputs("&gt;", f);
    else if (*s == '"') fputs("&quot;", f);
    else if ((unsigned char)*s < ' ') fprintf(f, "&#%d;", *s == '\n' || *s == '\t' || *s == '\r' ? *s : ' ');
    else fputc(*s, f);
  }
}

/* within a start tag that expat has found well-formed: from the blank before the name to behind the closing quote */
static int find_attribute(const char *tag, size_t n, const char *name, size_t *from, size_t *value, size_t *end) {
  size_t i = strcspn(tag, " \t\r\n/>");
  while (i < n) {
    const size_t blank = i;
    i += strspn(tag + i, " \t\r\n");
    const size_t word = i, length = strcspn(tag + i, " \t\r\n=/>");
    i += length;
    i += strspn(tag + i, " \t\r\n");
    if (!length || i >= n || tag[i] != '=') return 0;
    i += 1 + strspn(tag + i + 1, " \t\r\n");
    const char *const close = i < n ? memchr(tag + i + 1, tag[i], n - i - 1) : NULL;
    if (!close) return 0;
    *from = blank, *value = i + 1, *end = (size_t)(close - tag) + 1;
    if (length == strlen(name) && memcmp(tag + word, name, length) == 0) return 1;
    i = *end;
  }
  return 0;
}

typedef struct change { const char *name, *value; } change;   /* value NULL: the attribute goes */

/* the start tag at the parser's place with some attributes changed; those that are absent stay absent */
static void edit_tag(rewriter *r, const change *c, int n) {
  const size_t at = (size_t)XML_GetCurrentByteIndex(r->xml), length = (size_t)XML_GetCurrentByteCount(r->xml);
  const char *const tag = r->old + at;
  for (;;) {                   /* in the order that they have in the tag */
    size_t from = length, value = 0, end = 0;
    int which = -1;
    for (int k = 0; k < n; ++k) {
      size_t f, v, e;
      if (!find_attribute(tag, length, c[k].name, &f, &v, &e) || at + f < r->done || f >= from) continue;
      from = f, value = v, end = e, which = k;
    }
    if (which < 0) break;
    copy_until(r, at + (c[which].value ? value : from));
    r->done = at + end;
    if (!c[which].value) continue;
    put_escaped(r->out, c[which].value);
    fputc(tag[end - 1], r->out);
  }
  copy_until(r, at + length);
}

static void edit_pixels(rewriter *r, const char **a) {
  static const char *const sizes[] = {"SizeX", "SizeY", "SizeZ", "SizeC", "SizeT"};
  static const char *const lengths[] = {"PhysicalSizeX", "PhysicalSizeY", "PhysicalSizeZ"};
  char size[5][24], length[3][32], bits[8];
  change c[11];
  int n = 0;
  pri_ome now = {0};
  take_pixel(&now, a);
  if (r->e->order) c[n++] = (change){"DimensionOrder", r->e->order};
  if (r->e->type) c[n++] = (change){"Type", r->e->type};
  snprintf(bits, sizeof bits, "%d", r->e->bits);
  if (r->e->type) c[n++] = (change){"SignificantBits", r->e->bits ? bits : NULL};
  for (int k = 0; k < 5; ++k) {
    if (!r->e->size[k]) continue;
    snprintf(size[k], sizeof size[k], "%td", r->e->size[k]);
    c[n++] = (change){sizes[k], size[k]};
  }
  for (int k = 0; k < 3; ++k)
    if (r->e->pitch[k] != 1 && now.pixel[k] > 0)
      c[n++] = (change){lengths[k], pri_number_text(length[k], sizeof length[k], now.pixel[k] * r->e->pitch[k])};
  edit_tag(r, c, n);
}

static int is_dropped(rewriter *r, const char *what) {
  if (strcmp(what, "Channel") == 0) return r->channels++ >= (r->e->channels ? r->e->channels : MOST_PLANES);
  return r->e->planes && (strcmp(what, "TiffData") == 0 || strcmp(what, "Plane") == 0);
}

static void XMLCALL start_again(void *user, const char *name, const char **a) {
  rewriter *const r = user;
  const char *const what = local(name);
  if (++r->depth > DEEPEST) r->bad = 1, XML_StopParser(r->xml, XML_FALSE);
  if (r->drop || r->bad) return;
  if (is_dropped(r, what)) {
    copy_until(r, (size_t)XML_GetCurrentByteIndex(r->xml));
    r->drop = r->depth;
  } else if (r->e->channels && strcmp(what, "Channel") == 0) {
    edit_tag(r, &(change){"SamplesPerPixel", "1"}, 1);
  } else if (r->depth == 1) {
    edit_tag(r, &(change){"UUID", r->e->uuid}, 1);
  } else if (strcmp(what, "Pixels") == 0) {
    r->channels = 0;
    edit_pixels(r, a);
  } else if (strcmp(what, "UUID") == 0) {
    edit_tag(r, &(change){"FileName", r->e->file}, 1);
    if (r->old[r->done - 2] == '/') return;
    fputs(r->e->uuid, r->out);
    r->in_uuid = 1;
  }
}

static void XMLCALL end_again(void *user, const char *name) {
  rewriter *const r = user;
  const size_t at = (size_t)XML_GetCurrentByteIndex(r->xml), length = (size_t)XML_GetCurrentByteCount(r->xml);
  if (r->drop == r->depth) {   /* length 0: behind <Plane/>, which has no end tag */
    r->done = at + length > r->done ? at + length : r->done;
    r->drop = 0;
  } else if (!r->drop && r->in_uuid && strcmp(local(name), "UUID") == 0) {
    r->done = at > r->done ? at : r->done;   /* the old text is passed over */
    r->in_uuid = 0;
  } else if (!r->drop && r->e->planes && strcmp(local(name), "Pixels") == 0 && length > 0) {
    copy_until(r, at);
    fputs("<TiffData/>", r->out);
  }
  --r->depth;
}

pri_status pri_ome_rewrite(pri_ctx *ctx, const char *name, const char *xml, const pri_ome_edit *e, char **out) {
  char *text = NULL;
  size_t n = 0;
  rewriter r = {.xml = XML_ParserCreate(NULL), .ctx = ctx, .old = xml, .e = e, .out = open_memstream(&text, &n)};
  *out = NULL;
  int good = r.xml && r.out && strlen(xml) <= LARGEST_XML;
  if (good) {
    XML_SetUserData(r.xml, &r);
    XML_SetElementHandler(r.xml, start_again, end_again);
    good = XML_Parse(r.xml, xml, (int)strlen(xml), 1) == XML_STATUS_OK && !r.bad;
    copy_until(&r, strlen(xml));
  }
  if (r.out && fclose(r.out) != 0) good = 0;
  if (r.xml) XML_ParserFree(r.xml);
  if (good) *out = pri_strdup(ctx, text);
  free(text);
  if (good) return *out ? PRI_OK : pri_ctx_code(ctx);
  return PRI_FAIL(ctx, PRI_EFORMAT, "%s: its OME-XML cannot be rewritten", name);
}

/* ---- one line an attribute */

static void put_line(FILE *f, const char *element, const char *name, const char *value) {
  fprintf(f, "%s %s=", local(element), name);
  for (; *value; ++value) fputc(*value == '\n' ? ' ' : *value, f);
  fputc('\n', f);
}

static void XMLCALL flatten(void *user, const char *name, const char **a) {
  for (; *a; a += 2) put_line(user, name, local(a[0]), a[1]);
}

pri_status pri_ome_flatten(pri_ctx *ctx, const char *name, const char *xml, char **out) {
  char *text = NULL;
  size_t n = 0;
  FILE *const f = open_memstream(&text, &n);
  XML_Parser p = XML_ParserCreate(NULL);
  int good = f && p && strlen(xml) <= LARGEST_XML;
  *out = NULL;
  if (good) {
    XML_SetUserData(p, f);
    XML_SetElementHandler(p, flatten, NULL);
    good = XML_Parse(p, xml, (int)strlen(xml), 1) == XML_STATUS_OK;
  }
  if (p) XML_ParserFree(p);
  if (f && fclose(f) != 0) good = 0;
  if (good) *out = pri_strdup(ctx, text);
  free(text);
  return *out ? PRI_OK : PRI_FAIL(ctx, PRI_EFORMAT, "%s: its OME-XML cannot be read", name);
}
