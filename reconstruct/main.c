/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * main.c - the program: argv to a command, signals, exit status. The only file that writes to stderr; commands speak through
 * the log of their context. Data go to stdout (pri_print) and are checked when it is closed.
 */
#include "config.h"
#include <dlfcn.h>
#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "cmd.h"
#include "version.h"

#ifdef PRI_DOUBLE
static const int built = PRI_PRECISION_DOUBLE;
#else
static const int built = PRI_PRECISION_FLOAT;
#endif
static const char *const programs[] = {"priori", "priori-double"};

static volatile sig_atomic_t cancelled; /* the signal that asked for an end */

static void on_signal(int signal_number) {
  if (cancelled) { /* the second one does not wait */
    signal(signal_number, SIG_DFL);
    raise(signal_number);
  }
  cancelled = signal_number;
}

static void set_signals(void) {
  struct sigaction act = {0};
  act.sa_handler = on_signal;
  act.sa_flags = SA_RESTART | SA_NODEFER;
  sigaction(SIGINT, &act, NULL);
  sigaction(SIGTERM, &act, NULL);
  signal(SIGPIPE, SIG_IGN); /* a closed pipe or a size limit is a failed write: status 6, nothing half-written left */
  signal(SIGXFSZ, SIG_IGN);
}

/*
 * Idle OpenMP threads spin for milliseconds by default, which on a machine that others use too makes a run several times slower
 * (measured: 3 times at a load of 8 on 2 cores). The run-time library reads its environment before main, hence the second start.
 */
static void limit_spinning(char **argv) {
  char path[PATH_MAX];
  for (char **a = argv + 1; *a && strcmp(*a, "--"); a++) /* one thread waits for nobody */
    if (!strcmp(*a, "-j1") || !strcmp(*a, "--threads=1") || ((!strcmp(*a, "-j") || !strcmp(*a, "--threads")) && a[1] && !strcmp(a[1], "1"))) return;
  if (getenv("GOMP_SPINCOUNT") || getenv("OMP_WAIT_POLICY") || getenv("KMP_BLOCKTIME")) return;
  const ssize_t n = readlink("/proc/self/exe", path, sizeof path - 1);
  if (n <= 0 || setenv("GOMP_SPINCOUNT", "5000", 1) || setenv("KMP_BLOCKTIME", "1", 1)) return;
  path[n] = 0;
  execv(path, argv); /* where that fails we go on as we are */
}

/* Threads go over items and planes; a BLAS of several threads would change bits with their number. FFTW starts with one. */
static void set_blas_threads(void) {
  static const char *const names[] = {"openblas_set_num_threads", "bli_thread_set_num_threads", "MKL_Set_Num_Threads"};
  for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
    union { void *object; void (*set)(int); } symbol = {dlsym(RTLD_DEFAULT, names[i])};
    if (symbol.object) symbol.set(1);
  }
}

/* ---- what is said */

static void say(const pri_call *call, const char *line) {
  fprintf(stderr, "priori: %s%s%s\n", call->command ? call->command->name : "", call->command ? ": " : "", line);
}

static pri_verbosity wanted(const pri_options *o) {
  if (o->quiet) return PRI_LOG_WARN;
  return o->verbose ? PRI_LOG_DEBUG : PRI_LOG_INFO;
}

static void sink(void *cookie, pri_verbosity v, const char *line) {
  pri_call *call = cookie;
  if (call->tap) call->tap(call->tap_arg, v, line);
  if (v <= wanted(call->opts)) say(call, line);
}

static void say_failure(pri_call *call, pri_ctx *ctx, pri_status s) {
  const pri_verbosity level = PRI_LOG_ERROR;
  char *plain = call->opts->verbose ? NULL : pri_message_plain(ctx);
  const char *text = plain ? plain : pri_ctx_message(ctx);
  sink(call, level, *text ? text : pri_status_text(s));
  pri_free(ctx, plain);
}

/* ---- the other precision is another program in the same folder */

static pri_status exec_twin(pri_ctx *ctx, int precision, char **argv) {
  char path[PATH_MAX];
  const ssize_t n = readlink("/proc/self/exe", path, sizeof path - 20);
  if (n > 0) path[n] = 0;
  else snprintf(path, sizeof path - 20, "%s", argv[0]);
  char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
  snprintf(name, 20, "%s", programs[precision]);
  fflush(NULL);
  if (slash) execv(path, argv);
  else execvp(path, argv);
  return PRI_FAIL(ctx, PRI_ENOTSUP, "--precision %s runs the program %s, which cannot be started: %s",
                  precision == PRI_PRECISION_DOUBLE ? "double" : "float", path, strerror(errno));
}

/* ---- one command */

static pri_status check_inputs(pri_ctx *ctx, const pri_call *call) {
  const pri_command *c = call->command;
  if (call->n_inputs < c->min_inputs)
    return PRI_FAIL(ctx, PRI_EPARAM, "too few inputs: priori %s %s (--help says more)", c->name, c->synopsis);
  if (c->max_inputs >= 0 && call->n_inputs > c->max_inputs)
    return PRI_FAIL(ctx, PRI_EPARAM, "too many inputs, '%s' for one: priori %s %s (--help says more)",
                    call->inputs[c->max_inputs], c->name, c->synopsis);
  return PRI_OK;
}

static pri_status run_in_context(pri_call *call, pri_ctx *parser) {
  const pri_options *o = call->opts;
  pri_ctx_opts opts = {.threads = (int)o->threads, .memory = (size_t)o->mem, .seed = (uint64_t)o->seed,
                       .verbosity = wanted(o), .log = sink, .cookie = call, .cancel = &cancelled,
                       .scratch_directory = o->scratch};
  if ((o->log || o->log_json) && opts.verbosity < PRI_LOG_INFO) opts.verbosity = PRI_LOG_INFO;
  const pri_status opened = pri_open(&call->ctx, &opts);
  if (opened != PRI_OK) return PRI_FAIL(parser, opened, "no memory to begin with");
  const pri_status s = call->command->run(call);
  if (s != PRI_OK) say_failure(call, call->ctx, s);
  pri_ctx_destroy(&call->ctx);
  call->tap = NULL;
  if (s != PRI_OK) pri_call_worst(call, pri_status_exit(s));
  return PRI_OK;
}

/* All that is found wrong here is the parser's context's message. */
static pri_status run_command(pri_ctx *ctx, pri_call *call, int argc, char **argv) {
  pri_options *o = call->opts;
  const char **inputs;
  PRI_ALLOC(ctx, inputs, argc);
  call->inputs = inputs;
  pri_status s = pri_options_parse(ctx, o, call->command->options, argc - 2, argv + 2, inputs, &call->n_inputs);
  if (s == PRI_OK && o->help) s = pri_help_print(ctx, call->command);
  else if (s == PRI_OK && o->version) pri_version_print(o->verbose != 0);
  else if (s == PRI_OK && pri_options_given(o, "precision") && o->precision != built) s = exec_twin(ctx, o->precision, argv);
  else if (s == PRI_OK) {
    o->precision = built;
    call->ctx = ctx;
    if (call->command->defaults) s = call->command->defaults(call);
    if (s == PRI_OK && o->precision != built) s = exec_twin(ctx, o->precision, argv); /* a pipeline file asks for it */
    call->ctx = NULL;
    if (s == PRI_OK) s = check_inputs(ctx, call);
    if (s == PRI_OK) s = run_in_context(call, ctx);
  }
  pri_free(ctx, inputs);
  return s;
}

/* ---- without a command */

static pri_status unknown_command(pri_ctx *ctx, const char *name) {
  const char *names[64];
  int n = 0;
  for (; pri_commands[n] && n < 64; n++) names[n] = pri_commands[n]->name;
  const int near = pri_nearest(name, names, n);
  return PRI_FAIL(ctx, PRI_EPARAM, "unknown command '%s'%s%s%s (`priori --help` lists them)", name,
                  near < 0 ? "" : "; did you mean '", near < 0 ? "" : names[near], near < 0 ? "" : "'?");
}

static pri_status help_on(pri_ctx *ctx, const char *name) {
  const pri_command *command = name ? pri_command_find(name) : NULL;
  return name && !command ? unknown_command(ctx, name) : pri_help_print(ctx, command);
}

static pri_status dispatch(pri_ctx *ctx, pri_call *call, int argc, char **argv) {
  if (argc < 2) return PRI_FAIL(ctx, PRI_EPARAM, "which command? priori COMMAND [OPTIONS] INPUT... -o OUTPUT (`priori --help` lists them)");
  if (!strcmp(argv[1], "help")) return help_on(ctx, argc > 2 ? argv[2] : NULL);
  call->command = pri_command_find(argv[1]);
  if (call->command) return run_command(ctx, call, argc, argv);
  if (argv[1][0] != '-') return unknown_command(ctx, argv[1]);
  const char **inputs;
  int n = 0;
  PRI_ALLOC(ctx, inputs, argc);
  pri_status s = pri_options_parse(ctx, call->opts, NULL, argc - 1, argv + 1, inputs, &n);
  const char *first = n ? inputs[0] : NULL;
  pri_free(ctx, inputs);
  PRI_TRY(s);
  if (call->opts->version) return pri_version_print(call->opts->verbose != 0), PRI_OK;
  if (call->opts->help) return help_on(ctx, first);
  return PRI_FAIL(ctx, PRI_EPARAM, "the command comes first: priori COMMAND [OPTIONS] INPUT... (`priori --help` lists them)");
}

/* A reader that has gone needs no message. */
static int reader_left(void) {
  struct pollfd out = {STDOUT_FILENO, POLLOUT, 0};
  return poll(&out, 1, 0) == 1 && (out.revents & POLLERR);
}

/* stdout is closed here, so that a full disk is noticed. */
static void close_stdout(pri_call *call) {
  const int failed = ferror(stdout) | (fflush(stdout) != 0), left = failed && reader_left();
  if (!failed && (close(STDOUT_FILENO) == 0 || errno == EBADF)) return;
  if (!left) say(call, "standard output: cannot write (is the disk full?)");
  pri_call_worst(call, pri_status_exit(PRI_EWRITE));
}

int main(int argc, char **argv) {
  pri_options options;
  pri_call call = {.opts = &options};
  pri_ctx *ctx;
  limit_spinning(argv);
  set_signals();
  set_blas_threads();
  if (pri_open(&ctx, &(pri_ctx_opts){.verbosity = PRI_LOG_INFO, .log = sink, .cookie = &call}) != PRI_OK) return 1;
  pri_status s = pri_options_init(ctx, &options);
  if (s == PRI_OK) s = dispatch(ctx, &call, argc, argv);
  if (s != PRI_OK) {
    say_failure(&call, ctx, s);
    pri_call_worst(&call, pri_status_exit(s));
  }
  close_stdout(&call);
  pri_options_fini(&options);
  pri_ctx_destroy(&ctx);
  return call.exit_status == 130 && cancelled ? 128 + (int)cancelled : call.exit_status;
}
