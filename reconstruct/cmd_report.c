/* SPDX-License-Identifier: GPL-3.0-or-later */
/* cmd_report.c - priori report: one page about a result, complete in itself: no script, no address outside. Sections: report.h. */
#define _GNU_SOURCE
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "json.h"
#include "report.h"

static const pri_section sections[] = {pri_report_pictures, pri_report_certificate, pri_report_curves, pri_report_histogram, pri_report_origin};

static const char style[] =
    ":root{color-scheme:light dark;--ink:#1c2024;--soft:#5b6570;--paper:#fff;--rule:#d9dee3;--fill:#f4f6f8;--accent:#0b62a4}"
    "@media(prefers-color-scheme:dark){:root{--ink:#e6e9ec;--soft:#9aa5b0;--paper:#14171a;--rule:#343b42;--fill:#1d2226;--accent:#6cb4ee}}"
    "body{font:15px/1.5 system-ui,-apple-system,'Segoe UI',sans-serif;color:var(--ink);background:var(--paper);max-width:64rem;margin:2.5rem auto;padding:0 1.5rem}"
    "h1{font-size:1.6rem;margin:0}h2{font-size:1.1rem;margin:2.2rem 0 .7rem;padding-bottom:.3rem;border-bottom:1px solid var(--rule)}"
    "header p,figcaption,section>p{color:var(--soft)}header p{margin:.2rem 0 0}figcaption{font-size:.85rem;margin-top:.4rem}"
    ".row{display:flex;flex-wrap:wrap;gap:1.2rem}figure{margin:0;flex:1 1 18rem;max-width:calc(50% - .6rem);break-inside:avoid}"
    ".img{position:relative;background:#000}.img img{display:block;width:100%;image-rendering:pixelated}"
    ".bar{position:absolute;right:4%;bottom:4%;border-bottom:3px solid #fff;color:#fff;text-align:center;font-size:.75rem;text-shadow:0 0 3px #000,0 0 3px #000;white-space:nowrap}"
    "svg{width:100%;height:auto;display:block}svg text{font-size:11px;fill:var(--soft)}svg .t{font-size:13px;font-weight:600;fill:var(--ink)}"
    ".g{stroke:var(--rule);stroke-width:.7}.f{fill:none;stroke:var(--soft);stroke-width:.8}.c{fill:none;stroke:var(--accent);stroke-width:1.8;stroke-linejoin:round}"
    ".d,.b{fill:var(--accent)}.l{stroke:var(--soft);stroke-dasharray:5 4;fill:none}"
    "table{border-collapse:collapse;width:100%;font-size:.9rem}th,td{text-align:left;vertical-align:top;padding:.3rem .8rem .3rem 0;border-bottom:1px solid var(--rule)}"
    "th{font-weight:600;white-space:nowrap}td:nth-child(2){font-variant-numeric:tabular-nums;overflow-wrap:anywhere}"
    "pre,code{font:.82rem/1.5 ui-monospace,Menlo,Consolas,monospace}pre{background:var(--fill);padding:.8rem 1rem;border-radius:6px;white-space:pre-wrap;overflow-wrap:anywhere}"
    "@media print{body{margin:0;max-width:none}section{break-inside:avoid}}";

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
  fputs("<section><h2>Configuration</h2><p>Complete, every default spelled out; as a pipeline file it gives the same pixels.</p><pre>", page->f);
  pri_report_text(page->f, config);
  fputs("</pre></section><section><h2>Again</h2><p>This makes the result from its own provenance once more, checks the hashes of the inputs, and compares bit for bit:</p><pre>priori replay ", page->f);
  pri_report_text(page->f, page->name);
  fputs("</pre></section>\n", page->f);
  return PRI_OK;
}

/* ---- the page */

static pri_status write_page(pri_page *page) {
  char text[96];
  fputs("<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width,initial-scale=1\"><title>", page->f);
  pri_report_text(page->f, page->name);
  fprintf(page->f, "</title><style>%s</style></head><body><header><h1>", style);
  pri_report_text(page->f, page->name);
  fprintf(page->f, "</h1><p>%td slices of %s, %s, %s</p></header>\n", page->info->items, pri_shape_text(&page->info->item, text, sizeof text), page->info->dtype, page->info->format);
  for (size_t i = 0; i < sizeof sections / sizeof *sections; i++) PRI_TRY(sections[i](page));
  fputs("</body></html>\n", page->f);
  return PRI_OK;
}

static pri_status load(pri_page *page) {
  PRI_TRY(pri_input_open(page->ctx, &page->result, page->name));
  page->info = pri_input_describe(page->result);
  page->slice = page->info->items / 2;
  PRI_ALLOC(page->ctx, page->x, pri_shape_size(&page->info->item));
  return pri_input_read(page->result, page->x, page->slice, 1);
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
  if (!o->output) return PRI_FAIL(call->ctx, PRI_EPARAM, "where does the page go? -o FILE.html");
  if (stat(o->output, &st) == 0 && !o->force) return PRI_FAIL(call->ctx, PRI_EWRITE, "%s: exists (-f overwrites)", o->output);
  pri_status s = load(&page);
  json_t *p = s == PRI_OK ? pri_json_parse(page.info->provenance) : NULL;
  if (s == PRI_OK && !json_is_object(p)) pri_log(call->ctx, PRI_LOG_WARN, "%s: says nothing of where it comes from", page.name);
  page.provenance = p;
  if (s == PRI_OK) s = to_file(&page, o->output);
  if (s == PRI_OK) pri_say_wrote(call->ctx, o->output);
  json_decref(p);
  pri_free(call->ctx, page.x);
  pri_input_close(&page.result);
  return s;
}

static const char *const options[] = {"output", "force", NULL};
static const char *const examples[] = {"a page to keep beside the result", "report image.tif -o image.html",
                                       "again, over an older page", "report -f volume.h5:/image -o volume.html", NULL};
const pri_command pri_command_report = {
    .name = "report",
    .brief = "writes one self-contained page about a result",
    .synopsis = "[OPTIONS] RESULT -o PAGE.html",
    .options = options,
    .examples = examples,
    .more = "Previews of result and input, what the certificate says, curves of the iteration and of tried weights, histogram, configuration, "
            "hashes of the inputs. The page needs no script and no other file.",
    .min_inputs = 1,
    .max_inputs = 1,
    .run = run};
