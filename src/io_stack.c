/* SPDX-License-Identifier: GPL-3.0-or-later */
/* io_stack.c - several files, or a folder in natural numeric order, as one stack. Headers are all read by open, so that a page of another
   shape is found before anything is computed; afterwards one file is open at a time. */
#include "config.h"
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include "io_private.h"

struct stack {
  char **name;
  int n, current;          /* file that is open; -1: none */
  ptrdiff_t *first;        /* [n + 1]: first item of each file */
  pri_input *open;
  size_t memory;
};

/* ---- names in natural order */

/* runs of digits compare as numbers: longer without leading zeros is larger */
static int compare_numbers(const char **a, const char **b) {
  while (**a == '0' && isdigit((unsigned char)(*a)[1])) ++*a;
  while (**b == '0' && isdigit((unsigned char)(*b)[1])) ++*b;
  size_t na = 0, nb = 0;
  while (isdigit((unsigned char)(*a)[na])) ++na;
  while (isdigit((unsigned char)(*b)[nb])) ++nb;
  const int order = na != nb ? (na < nb ? -1 : 1) : memcmp(*a, *b, na);
  *a += na, *b += nb;
  return order;
}

int pri_natural_compare(const char *a, const char *b) {
  const char *const a0 = a, *const b0 = b;
  while (*a && *b) {
    if (isdigit((unsigned char)*a) && isdigit((unsigned char)*b)) {
      const int order = compare_numbers(&a, &b);
      if (order) return order;
    } else if (*a != *b) {
      return (unsigned char)*a < (unsigned char)*b ? -1 : 1;
    } else {
      ++a, ++b;
    }
  }
  return *a ? 1 : *b ? -1 : strcmp(a0, b0);
}

static int compare_names(const void *a, const void *b) { return pri_natural_compare(*(char *const *)a, *(char *const *)b); }

/* regular, not hidden, and of a format that can be read; others (angles.txt, notes) are passed over */
static int wanted(pri_ctx *ctx, const char *path, const char *base) {
  struct stat st;
  pri_source s = {.fd = -1};
  if (base[0] == '.' || stat(path, &st) < 0 || !S_ISREG(st.st_mode)) return 0;
  const int yes = pri_source_open(ctx, &s, path) == PRI_OK && pri_reader_find(&s);
  pri_source_close(ctx, &s);
  if (!yes) pri_log(ctx, PRI_LOG_INFO, "%s: is no image, passed over", path);
  return yes;
}

static pri_status add_name(pri_ctx *ctx, char ***names, int *n, int *room, char *path) {
  if (*n == *room) {
    char **const more = pri_calloc(ctx, (size_t)(*room = *room ? 2 * *room : 64), sizeof *more);
    if (!more) return pri_free(ctx, path), pri_ctx_code(ctx);
    if (*n) memcpy(more, *names, (size_t)*n * sizeof *more);
    pri_free(ctx, *names);
    *names = more;
  }
  (*names)[(*n)++] = path;
  return PRI_OK;
}

static pri_status list_all(pri_ctx *ctx, DIR *dir, const char *folder, char ***names, int *n) {
  int room = 0;
  for (struct dirent *e; (e = readdir(dir));) {
    const size_t length = strlen(folder) + strlen(e->d_name) + 2;
    char *const path = pri_calloc(ctx, length, 1);
    if (!path) return pri_ctx_code(ctx);
    snprintf(path, length, "%s%s%s", folder, folder[strlen(folder) - 1] == '/' ? "" : "/", e->d_name);
    if (!wanted(ctx, path, e->d_name)) pri_free(ctx, path);
    else PRI_TRY(add_name(ctx, names, n, &room, path));
  }
  return PRI_OK;
}

int pri_folder_is(const char *name) {
  struct stat st;
  if (strcmp(name, "-") == 0) return 0;
  return stat(name, &st) == 0 ? S_ISDIR(st.st_mode) : strpbrk(name, "*?[") != NULL;
}

/* what stands before a pattern's last slash is taken as it is: only names of one folder are compared */
static pri_status list_matches(pri_ctx *ctx, const char *pattern, char ***names, int *n) {
  glob_t found;
  int room = 0;
  pri_status s = PRI_OK;
  const int code = glob(pattern, 0, NULL, &found);
  if (code == GLOB_NOMATCH) return PRI_FAIL(ctx, PRI_EREAD, "%s: there is no such file, and none that fits this pattern", pattern);
  if (code) return PRI_FAIL(ctx, PRI_EREAD, "%s: its folder cannot be read", pattern);
  for (size_t i = 0; i < found.gl_pathc && s == PRI_OK; ++i) {
    const char *const slash = strrchr(found.gl_pathv[i], '/');
    char *const path = wanted(ctx, found.gl_pathv[i], slash ? slash + 1 : found.gl_pathv[i]) ? pri_strdup(ctx, found.gl_pathv[i]) : NULL;
    if (path) s = add_name(ctx, names, n, &room, path);
  }
  globfree(&found);
  return s;
}

static pri_status list_folder(pri_ctx *ctx, const char *path, char ***names, int *n) {
  DIR *const dir = opendir(path);
  if (!dir) return PRI_FAIL(ctx, PRI_EREAD, "%s: %s", path, strerror(errno));
  const pri_status s = list_all(ctx, dir, path, names, n);
  closedir(dir);
  return s;
}

pri_status pri_folder_list(pri_ctx *ctx, const char *path, char ***names, int *n) {
  struct stat st;
  *names = NULL, *n = 0;
  const pri_status s = (stat(path, &st) == 0 ? list_folder : list_matches)(ctx, path, names, n);
  if (s != PRI_OK) pri_folder_free(ctx, *names, *n), *names = NULL, *n = 0;
  else if (*n) qsort(*names, (size_t)*n, sizeof **names, compare_names);
  return s;
}

/* the last number in a file name; -1: none, or too long to be a count */
static long long last_number(const char *path) {
  const char *end = path + strlen(path);
  long long v = 0, unit = 1;
  while (end > path && !isdigit((unsigned char)end[-1]) && end[-1] != '/') --end;
  if (end == path || end[-1] == '/') return -1;
  for (; end > path && isdigit((unsigned char)end[-1]); --end, unit *= 10) {
    if (unit > 100000000) return -1;
    v += unit * (end[-1] - '0');
  }
  return v;
}

/* a slice that was not written, or not copied, is worth a word */
void pri_folder_gaps(pri_ctx *ctx, char **names, int n) {
  long long missing = 0;
  int where = 0;
  for (int i = 1; i < n; ++i) {
    const long long step = last_number(names[i]) - last_number(names[i - 1]);
    if (step > 1 && last_number(names[i - 1]) >= 0) missing += step - 1, where = where ? where : i;
  }
  if (missing)
    pri_log(ctx, PRI_LOG_WARN, "%s follows %s: %lld numbers are missing", names[where], names[where - 1], missing);
}

void pri_folder_free(pri_ctx *ctx, char **names, int n) {
  for (int i = 0; names && i < n; ++i) pri_free(ctx, names[i]);
  pri_free(ctx, names);
}

/* ---- the stack */

static pri_status select_file(pri_input *in, int i) {
  struct stack *const s = in->priv;
  if (s->current == i) return PRI_OK;
  pri_input_close(&s->open);
  s->current = -1;
  PRI_TRY(pri_input_open(in->ctx, &s->open, s->name[i]));
  s->current = i;
  return PRI_OK;
}

static pri_status count_file(pri_input *in, int i) {
  struct stack *const s = in->priv;
  char a[128], b[128];
  PRI_TRY(select_file(in, i));
  const pri_input_info *const info = &s->open->info;
  if (i == 0) in->info.item = info->item;
  if (!pri_shape_equal(&info->item, &in->info.item))
    return PRI_FAIL(in->ctx, PRI_ESHAPE, "%s: is %s, but %s is %s: pages of one stack have one shape", s->name[i],
                    pri_shape_text(&info->item, a, sizeof a), s->name[0], pri_shape_text(&in->info.item, b, sizeof b));
  s->first[i + 1] = s->first[i] + info->items;
  if (pri_input_memory(s->open) > s->memory) s->memory = pri_input_memory(s->open);
  return PRI_OK;
}

/* files of one plane are slices; files that have axes of their own, and all the same number of planes, are time points */
static pri_status set_shape(pri_input *in, const pri_input_info *from) {
  const struct stack *const s = in->priv;
  ptrdiff_t shape[PRI_MAXDIM] = {s->first[s->n], from->item.n[0], from->item.n[1]};
  char axes[PRI_MAXDIM + 1] = "zyx";
  int nd = 3;
  if (from->items > 1 && s->first[s->n] == s->n * from->items && from->nd < PRI_MAXDIM) {
    nd = from->nd + 1;
    shape[0] = s->n;
    axes[0] = strchr(from->axes, 't') ? 'q' : 't';
    for (int k = 0; k < from->nd; ++k) shape[k + 1] = from->shape[k], axes[k + 1] = from->axes[k];
    axes[nd] = 0;
  }
  return pri_info_shape(in, nd, shape, axes);
}

/* format, geometry and pixel sizes are the first file's */
static pri_status describe(pri_input *in) {
  struct stack *const s = in->priv;
  PRI_TRY(select_file(in, 0));
  const pri_input_info *const from = &s->open->info;
  in->info.format = from->format;
  in->info.dtype = from->dtype;
  PRI_TRY(set_shape(in, from));
  PRI_TRY(pri_info_text(in, &in->info.pixel, from->pixel));
  in->info.meta = from->meta;
  in->info.meta.angles = NULL, in->info.meta.nangles = 0, in->info.meta.source = NULL;
  if (from->meta.nangles) {
    double *angles;
    PRI_ALLOC(in->ctx, angles, from->meta.nangles);
    memcpy(angles, from->meta.angles, (size_t)from->meta.nangles * sizeof *angles);
    in->info.meta.angles = angles, in->info.meta.nangles = from->meta.nangles;
  }
  json_t *const said = json_loads(from->metadata, 0, NULL), *const software = json_object_get(said, "software");
  json_t *const o = json_pack("{s:i,s:o}", "files", s->n, "first", pri_text_json(in->ctx, s->name[0], strlen(s->name[0])));
  if (o && software) json_object_set(o, "software", software);
  json_decref(said);
  return pri_info_json(in, &in->info.metadata, o);
}

static pri_status open_all(pri_input *in, const char *const *names, int n) {
  struct stack *s;
  PRI_ALLOC(in->ctx, s, 1);
  in->priv = s;
  in->reader = &pri_reader_stack;
  s->current = -1;
  PRI_ALLOC(in->ctx, s->first, n + 1);
  PRI_ALLOC(in->ctx, s->name, n);
  for (s->n = 0; s->n < n; ++s->n)
    if (!(s->name[s->n] = pri_strdup(in->ctx, names[s->n]))) return pri_ctx_code(in->ctx);
  qsort(s->name, (size_t)n, sizeof *s->name, compare_names);
  pri_folder_gaps(in->ctx, s->name, n);
  for (int i = 0; i < n; ++i) PRI_TRY(count_file(in, i));
  PRI_TRY(describe(in));
  return pri_info_text(in, &in->info.meta.source, names[0]);
}

pri_status pri_input_open_stack(pri_ctx *ctx, pri_input **out, const char *const *names, int n) {
  *out = NULL;
  if (n < 1) return PRI_FAIL(ctx, PRI_EPARAM, "a stack of no files was asked for");
  pri_status s = pri_input_new(ctx, out, names[0]);
  if (s == PRI_OK) s = open_all(*out, names, n);
  if (s != PRI_OK) pri_input_close(out);
  return s;
}

static pri_status read_items(pri_input *in, pri_real *dst, ptrdiff_t first, ptrdiff_t items) {
  struct stack *const s = in->priv;
  const ptrdiff_t size = in->plane.n[0] * in->plane.n[1];
  for (int i = 0; i < s->n && items > 0; ++i) {
    if (first >= s->first[i + 1]) continue;
    const ptrdiff_t n = s->first[i + 1] - first < items ? s->first[i + 1] - first : items;
    PRI_TRY(select_file(in, i));
    if (!pri_shape_equal(&s->open->info.item, &in->plane))
      return PRI_FAIL(in->ctx, PRI_EFORMAT, "%s: has changed while it was in use", s->name[i]);
    PRI_TRY(pri_input_read(s->open, dst, first - s->first[i], n));
    dst += n * size, first += n, items -= n;
  }
  return PRI_OK;
}

pri_status pri_stack_member(pri_input *in, ptrdiff_t plane, pri_input **file, ptrdiff_t *item) {
  struct stack *const s = in->priv;
  *file = in, *item = plane;
  if (in->reader != &pri_reader_stack) return PRI_OK;
  int i = 0;
  while (i + 1 < s->n && plane >= s->first[i + 1]) ++i;
  PRI_TRY(select_file(in, i));
  *file = s->open, *item = plane - s->first[i];
  return PRI_OK;
}

static size_t memory(const pri_input *in) { return ((const struct stack *)in->priv)->memory; }

static void close_all(pri_input *in) {
  struct stack *const s = in->priv;
  if (!s) return;
  pri_input_close(&s->open);
  pri_folder_free(in->ctx, s->name, s->n);
  pri_free(in->ctx, s->first);
  pri_free(in->ctx, s);
}

static pri_status hash_all(const pri_input *in, char hex[65]) {
  const struct stack *const s = in->priv;
  return pri_hash_names(in->ctx, (const char *const *)s->name, s->n, hex);
}

pri_status pri_input_hash(const pri_input *in, char hex[65]) {
  hex[0] = 0;
  return in->reader == &pri_reader_stack ? hash_all(in, hex) : pri_hash_fd(in->ctx, &in->source, hex);
}

static int knows(const unsigned char *head, size_t n) { return (void)head, (void)n, 0; }
static pri_status open_none(pri_input *in, const char *inside) {
  return (void)inside, PRI_FAIL(in->ctx, PRI_ENOTSUP, "stack: has no bytes of its own");
}

const pri_reader pri_reader_stack = {"stack", knows, open_none, read_items, memory, close_all, NULL};
