/* SPDX-License-Identifier: GPL-3.0-or-later */
/* cmd_report.c - priori report: one page about a result, complete in itself: no script, no address outside. Sections: report.h. */
#define _GNU_SOURCE
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "json.h"
#include "report.h"

static const struct { const char *name; pri_section write; } sections[] = {
    {"Pictures", pri_report_pictures},
    {"What was learned", pri_report_learned},
    {"Filters", pri_report_filters},
    {"What is certain", pri_report_certificate},
    {"How it went", pri_report_curves},
    {"What the model leaves", pri_report_residual},
    {"Point-spread function", pri_report_psf},
    {"Geometry", pri_report_geometry},
    {"Pixel values", pri_report_histogram},
    {"Where it comes from", pri_report_origin}};

static const char style[] =
    ":root{color-scheme:light dark;--ink:#1c2024;--soft:#5b6570;--paper:#fff;--rule:#d9dee3;--fill:#f4f6f8;"
    "--k0:#0b62a4;--k1:#c2410c;--k2:#15803d;--k3:#7e22ce;--k4:#b45309;--k5:#be185d;--k6:#0f766e;--k7:#57534e;--k8:#1d4ed8;--k9:#a16207}"
    "@media(prefers-color-scheme:dark){:root{--ink:#e6e9ec;--soft:#9aa5b0;--paper:#14171a;--rule:#343b42;--fill:#1d2226;"
    "--k0:#6cb4ee;--k1:#fb923c;--k2:#4ade80;--k3:#c084fc;--k4:#fbbf24;--k5:#f472b6;--k6:#2dd4bf;--k7:#d6d3d1;--k8:#93c5fd;--k9:#fde047}}"
    "@media print{:root{color-scheme:light;--ink:#000;--soft:#444;--paper:#fff;--rule:#ccc;--fill:#f4f6f8;"
    "--k0:#0b62a4;--k1:#c2410c;--k2:#15803d;--k3:#7e22ce;--k4:#b45309;--k5:#be185d;--k6:#0f766e;--k7:#57534e;--k8:#1d4ed8;--k9:#a16207}}"
    "body{font:15px/1.5 system-ui,-apple-system,'Segoe UI',sans-serif;color:var(--ink);background:var(--paper);max-width:64rem;margin:2.5rem auto;padding:0 1.5rem}"
    "h1{font-size:1.6rem;margin:0;overflow-wrap:anywhere}h2{font-size:1.1rem;margin:2.2rem 0 .7rem;padding-bottom:.3rem;border-bottom:1px solid var(--rule);break-after:avoid}"
    "header p,figcaption,section>p,.row>p{color:var(--soft)}section>p b{color:var(--ink)}header p{margin:.2rem 0 0}figcaption{font-size:.85rem;margin-top:.4rem}"
    ".row{display:flex;flex-wrap:wrap;gap:1.2rem;margin-bottom:1rem}figure{margin:0;flex:0 1 calc(50% - .6rem);min-width:min(20rem,100%);box-sizing:border-box;break-inside:avoid}"
    ".side{flex:1 1 22rem}.side table{font-size:.85rem}.small{flex:0 0 4.6rem;min-width:0}.small figcaption{font-size:.7rem;margin:.1rem 0 0;text-align:center;font-variant-numeric:tabular-nums}"
    ".img{position:relative}.img img{display:block;width:100%;image-rendering:pixelated}"
    ".bar{position:absolute;right:4%;bottom:4%;border-bottom:3px solid #fff;color:#fff;text-align:center;font-size:.75rem;text-shadow:0 0 3px #000,0 0 3px #000;white-space:nowrap}.dark{border-color:#000;color:#000;text-shadow:0 0 3px #fff,0 0 3px #fff}"
    ".legend{display:flex;gap:.5rem;align-items:center;font-size:.8rem;color:var(--soft);margin-top:.35rem}.legend span{white-space:nowrap}.legend svg{flex:1;width:auto;min-width:3rem;height:.6rem}"
    "sup{line-height:0}svg{width:100%;height:auto;display:block}svg text{font-size:11px;fill:var(--soft)}svg .t{font-size:13px;font-weight:600;fill:var(--ink)}"
    ".g{stroke:var(--rule);stroke-width:.7}.f{fill:none;stroke:var(--soft);stroke-width:.8}.c{fill:none;stroke:currentColor;stroke-width:1.8;stroke-linejoin:round}"
    ".d{fill:currentColor}.b{fill:var(--k0)}.a{fill:var(--k0);opacity:.25}.l{stroke:var(--soft);stroke-dasharray:5 4;fill:none}"
    ".k0{color:var(--k0)}.k1{color:var(--k1)}.k2{color:var(--k2)}.k3{color:var(--k3)}.k4{color:var(--k4)}.k5{color:var(--k5)}.k6{color:var(--k6)}.k7{color:var(--k7)}.k8{color:var(--k8)}.k9{color:var(--k9)}"
    "table{border-collapse:collapse;width:100%;font-size:.9rem}th,td{text-align:left;vertical-align:top;padding:.3rem .8rem .3rem 0;border-bottom:1px solid var(--rule)}tr{break-inside:avoid}"
    "th{font-weight:600;white-space:nowrap}td:nth-child(2){font-variant-numeric:tabular-nums;overflow-wrap:anywhere}td.n{white-space:nowrap;overflow-wrap:normal}"
    "pre,code{font:.82rem/1.5 ui-monospace,Menlo,Consolas,monospace}code{overflow-wrap:anywhere}pre{background:var(--fill);padding:.8rem 1rem;border-radius:6px;white-space:pre-wrap;overflow-wrap:anywhere}"
    /* on paper: rows are blocks, so that a page may end between figures, not inside of one, and no heading stands alone at its foot */
    "@media print{body{margin:0;max-width:none;font-size:10.5pt}.row{display:block}figure{display:inline-block;width:48%;min-width:0;margin:0 1.5% .8rem 0;vertical-align:top}"
    "figure.small{width:auto;max-width:4.6rem}.side{width:48%;display:inline-block}h2{margin-top:1.2rem}h2,h3{break-after:avoid-page}figure,tr,.legend,svg,.img{break-inside:avoid-page}"
    "pre{border:1px solid var(--rule);break-inside:auto;orphans:4;widows:4}thead{display:table-header-group}.img,.b,.a,.d,.bar{print-color-adjust:exact;-webkit-print-color-adjust:exact}"
    "@page{margin:16mm}}";

/* ---- where it comes from */

static void entry(FILE *f, const char *what, const char *text, const char *more) {
  fprintf(f, "<tr><th>%s</th><td>", what);
  pri_report_text(f, text);
  fputs("</td><td><code>", f);
  pri_report_text(f, more);
  fputs("</code></td></tr>\n", f);
}

static void entries(FILE *f, const char *what, const json_t *list) {
  size_t i;
  json_t *o;
  json_array_foreach(list, i, o) entry(f, what, json_string_value(json_object_get(o, "file")), json_string_value(json_object_get(o, "sha256")));
}

pri_status pri_report_origin(pri_page *page) {
  const json_t *p = page->provenance;
  const char *config = json_string_value(json_object_get(p, "config"));
  json_t *weight;
  const char *prior;
  char buf[64];
  fputs("<section><h2>Where it comes from</h2><table>", page->f);
  entry(page->f, "program", json_string_value(json_object_get(p, "version")), json_string_value(json_object_get(p, "build")));
  entries(page->f, "input", json_object_get(p, "inputs"));
  entries(page->f, "file", json_object_get(p, "files"));
  snprintf(buf, sizeof buf, "%lld", (long long)json_integer_value(json_object_get(p, "seed")));
  entry(page->f, "seed", buf, "");
  json_object_foreach((json_t *)(void *)json_object_get(p, "weights"), prior, weight) {
    snprintf(buf, sizeof buf, "%.8g", json_number_value(weight));
    entry(page->f, "weight", buf, prior);
  }
  if (json_is_number(json_object_get(p, "center"))) snprintf(buf, sizeof buf, "%.6g", json_number_value(json_object_get(p, "center"))), entry(page->f, "centre", buf, "bins, found from the data");
  fputs("</table></section>\n", page->f);
  if (!config) return PRI_OK;
  fputs("<section><h2>Configuration</h2><p>", page->f);
  fputs(page->learned ? "What was asked for.</p><pre>" : "Complete, every default spelled out; as a pipeline file it gives the same pixels.</p><pre>", page->f);
  pri_report_text(page->f, config);
  fputs("</pre></section>\n", page->f);
  if (page->learned) return PRI_OK;
  fputs("<section><h2>Again</h2><p>This makes the result from its own provenance once more, checks the hashes of the inputs, and compares bit for bit:</p><pre>priori replay ", page->f);
  pri_report_text(page->f, page->name);
  fputs("</pre></section>\n", page->f);
  return PRI_OK;
}

/* ---- the page */

/* A section is written to memory first: where it fails, the page goes on and says so. */
static pri_status write_section(pri_page *page, size_t which) {
  FILE *f = page->f;
  char *text = NULL;
  size_t n = 0;
  page->f = open_memstream(&text, &n);
  if (!page->f) return page->f = f, PRI_FAIL(page->ctx, PRI_ENOMEM, "%s: no memory for its page", page->name);
  pri_status s = sections[which].write(page);
  const int bad = fclose(page->f);
  page->f = f;
  if (s == PRI_OK && bad) s = PRI_FAIL(page->ctx, PRI_ENOMEM, "%s: no memory for its page", page->name);
  if (s == PRI_OK) fwrite(text, 1, n, f);
  free(text);
  if (s == PRI_OK || s == PRI_ECANCEL) return s;
  char *why = pri_message_plain(page->ctx);
  pri_log(page->ctx, PRI_LOG_WARN, "%s: the section \"%s\" is left out: %s", page->name, sections[which].name, why ? why : "no memory");
  fprintf(f, "<section><h2>%s</h2><p>Left out: ", sections[which].name);
  pri_report_text(f, why ? why : "no memory");
  fputs(".</p></section>\n", f);
  pri_free(page->ctx, why);
  return PRI_OK;
}

static void subtitle(pri_page *page) {
  char text[96];
  if (page->learned) fprintf(page->f, "a learned prior: %s", pri_tensors_card(page->learned, "kind") ? pri_tensors_card(page->learned, "kind") : "of an unknown kind");
  else
    fprintf(page->f, "%td %s%s of %s, %s, %s", page->items, page->word, page->items == 1 ? "" : "s", pri_shape_text(&page->shape, text, sizeof text), page->info->dtype, page->info->format);
}

static pri_status write_page(pri_page *page) {
  fputs("<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width,initial-scale=1\"><title>", page->f);
  pri_report_text(page->f, page->name);
  fprintf(page->f, "</title><style>%s</style></head><body><header><h1>", style);
  pri_report_text(page->f, page->name);
  fputs("</h1><p>", page->f);
  subtitle(page);
  fputs("</p></header>\n", page->f);
  for (size_t i = 0; i < sizeof sections / sizeof *sections; i++) PRI_TRY(write_section(page, i));
  fputs("</body></html>\n", page->f);
  return PRI_OK;
}

/* ---- what it is about */

static int is_learned(const char *name) {
  const size_t n = strlen(name);
  return (n > 6 && !strcmp(name + n - 6, ".prior")) || (n > 12 && !strcmp(name + n - 12, ".safetensors"));
}

/* The job that it came from. What that said once is not said again. */
static pri_status rebuild(pri_page *page, pri_call *call) {
  const int quiet = call->opts->quiet;
  call->opts->quiet = 1;
  const pri_status s = pri_rebuild(page->ctx, &page->job, page->name, page->provenance, call->inputs + 1, call->n_inputs - 1);
  call->opts->quiet = quiet;
  if (s == PRI_ECANCEL || s == PRI_EPARAM) return s;
  if (s != PRI_OK && s != PRI_ENOTSUP) page->missing = pri_message_plain(page->ctx);
  return PRI_OK;
}

/* Files hold pages; an item of a job may be several. */
static pri_status choose_item(pri_page *page) {
  static const char *const words[] = {"slice", "volume", "plane"};
  ptrdiff_t pages = 1;
  page->word = words[0];
  if (page->job) {
    const pri_job *job = &page->job->job;
    const pri_shape whole = pri_job_written(job);
    page->word = pri_job_word(job, 0);
    if (job->kind != PRI_ITEM_PAGE && pri_input_regroup(page->result, job->kind) != PRI_OK) pages = 0;
    const ptrdiff_t have = pri_shape_size(&page->info->item), want = pri_shape_size(&whole);
    pages = want % have == 0 ? want / have : 1;
    if (pages > 1 && page->info->items % pages == 0) page->shape = whole, page->word = words[1];
    else pages = 1;
  }
  if (pages <= 1) pages = 1, page->shape = page->info->item;
  page->items = page->info->items / pages;
  page->item = page->items / 2;
  PRI_ALLOC(page->ctx, page->x, pri_shape_size(&page->shape));
  return pri_input_read(page->result, page->x, page->item * pages, pages);
}

static pri_status load_learned(pri_page *page, json_t **provenance) {
  PRI_TRY(pri_tensors_load(page->ctx, &page->learned, page->name));
  *provenance = pri_json_parse(pri_tensors_card(page->learned, "provenance"));
  page->provenance = *provenance;
  return PRI_OK;
}

static pri_status load(pri_page *page, pri_call *call, json_t **provenance) {
  if (is_learned(page->name)) return load_learned(page, provenance);
  PRI_TRY(pri_input_open(page->ctx, &page->result, page->name));
  page->info = pri_input_describe(page->result);
  *provenance = pri_json_parse(page->info->provenance);
  page->provenance = *provenance;
  if (!json_is_object(*provenance)) pri_log(call->ctx, PRI_LOG_WARN, "%s: says nothing of where it comes from", page->name);
  const char *config = json_string_value(json_object_get(*provenance, "config"));
  if (config && strncmp(config, "command = ", 10) && pri_config_parse(page->ctx, &page->asked, config, "its configuration") != PRI_OK)
    pri_log(page->ctx, PRI_LOG_WARN, "%s: %s", page->name, pri_ctx_message(page->ctx));
  PRI_TRY(rebuild(page, call));
  return choose_item(page);
}

/* Under a temporary name, flushed, then renamed. */
static pri_status to_file(pri_page *page, const char *name) {
  char temp[4096];
  snprintf(temp, sizeof temp, "%s.%ld.part", name, (long)getpid());
  page->f = fopen(temp, "wx");
  if (!page->f) return PRI_FAIL(page->ctx, PRI_EWRITE, "%s: cannot be written: %s", name, strerror(errno));
  pri_status s = write_page(page);
  const int bad = fflush(page->f) | ferror(page->f) | fsync(fileno(page->f)), shut = fclose(page->f);
  if (s == PRI_OK && (bad || shut || rename(temp, name))) s = PRI_FAIL(page->ctx, PRI_EWRITE, "%s: cannot be written: %s", name, strerror(errno));
  if (s != PRI_OK) unlink(temp);
  return s;
}

static pri_status run(pri_call *call) {
  const pri_options *o = call->opts;
  struct stat st;
  pri_page page = {.ctx = call->ctx, .name = call->inputs[0]};
  json_t *provenance = NULL;
  if (!o->output) return PRI_FAIL(call->ctx, PRI_EPARAM, "where does the page go? -o FILE.html");
  if (stat(o->output, &st) == 0 && !o->force) return PRI_FAIL(call->ctx, PRI_EWRITE, "%s: exists (-f overwrites)", o->output);
  pri_status s = pri_options_init(call->ctx, &page.asked);
  if (s == PRI_OK) s = load(&page, call, &provenance);
  if (s == PRI_OK) s = to_file(&page, o->output);
  if (s == PRI_OK) pri_say_wrote(call->ctx, o->output);
  pri_rebuild_destroy(&page.job);
  pri_options_fini(&page.asked);
  json_decref(provenance);
  pri_free(call->ctx, page.x);
  pri_free(call->ctx, page.missing);
  pri_tensors_destroy(call->ctx, &page.learned);
  pri_input_close(&page.result);
  return s;
}

static const char *const options[] = {"output", "force", NULL};
static const char *const examples[] = {"a page to keep beside the result", "report image.tif -o image.html",
                                       "again, over an older page", "report -f volume.h5:/image -o volume.html",
                                       "the measurement lies elsewhere now", "report image.tif /archive/sino.tif -o image.html",
                                       "what was learned, and how", "report tv.prior -o tv.html", NULL};
const pri_command pri_command_report = {
    .name = "report",
    .brief = "writes one self-contained page about a result",
    .synopsis = "[OPTIONS] RESULT [INPUT...] -o PAGE.html",
    .options = options,
    .examples = examples,
    .more = "Previews of result and input, what the certificate says, curves of the iteration and of tried weights, what the model leaves of the data "
            "(residual, its spectrum, is it white?), point-spread function, geometry of a scan, histogram, configuration, hashes of the inputs. Of a "
            "learned prior (NAME.prior): loss, accuracy and parameters against work, filters. The page needs no script and no other file.\n\n"
            "The residual needs the inputs, as they were. They are looked for under the names in the provenance, or where INPUT says. Without them "
            "the page says what is missing.",
    .min_inputs = 1,
    .max_inputs = -1,
    .run = run};
