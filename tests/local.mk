# SPDX-License-Identifier: GPL-3.0-or-later
# test_sources: one cmocka group a file, run in float and in double; one line each, in the order of the alphabet
test_sources =
test_sources += tests/claim_phantom_project.c
test_sources += tests/conf_map.c
test_sources += tests/conf_network.c
test_sources += tests/conf_operator.c
test_sources += tests/conf_registry.c
test_sources += tests/conf_schedule.c
test_sources += tests/unit_algebra.c
test_sources += tests/unit_core.c
test_sources += tests/unit_io_damage.c
test_sources += tests/unit_io_names.c
test_sources += tests/unit_io_read.c
test_sources += tests/unit_io_write.c
test_sources += tests/unit_metrics.c
test_sources += tests/unit_state.c
test_headers = tests/alloc.h tests/dense.h tests/io_files.h

# scripts end with "N passed, N failed, N skipped"; long_scripts: make check-long only
test_scripts =
test_scripts += tests/cli_basics.sh
test_scripts += tests/cli_help.sh
test_scripts += tests/cli_info.sh
test_scripts += tests/cli_list.sh
test_scripts += tests/cli_phantom.sh
test_scripts += tests/cli_readme.sh
test_scripts += tests/cli_score.sh
test_scripts += tests/guard_code.sh
test_scripts += tests/guard_headers.sh
test_scripts += tests/guard_layers.sh
test_scripts += tests/guard_symbols.sh
long_scripts =
long_scripts += tests/long_tsan.sh
long_scripts += tests/long_asan.sh
long_scripts += tests/long_clang.sh
long_scripts += tests/long_dist.sh
long_scripts += tests/long_gcc.sh
long_scripts += tests/long_simd.sh
long_scripts += tests/long_without_hdf5.sh
long_scripts += tests/long_without_openmp.sh
long_scripts += tests/long_without_simd.sh
test_data = tests/cli.sh tests/data/corpus
test_sources += tests/unit_stencil.c tests/claim_tv_taut_string.c
test_sources += tests/claim_fbp_disc.c
test_sources += tests/unit_geometry.c
test_sources += tests/unit_rays.c
test_sources += tests/unit_certificate.c
test_sources += tests/unit_center.c
test_sources += tests/conf_filter.c
test_scripts += tests/cli_bad.sh tests/cli_ct.sh tests/cli_reconstruct.sh tests/cli_simulate.sh
test_sources += tests/claim_fbp_operator.c
test_sources += tests/unit_fft.c tests/unit_linalg.c
test_sources += tests/conf_phantom.c tests/claim_phantom_halving.c
test_sources += tests/conf_monitor.c tests/conf_solver.c tests/unit_solver.c tests/claim_solver_minimum.c
test_headers += tests/small.h
test_sources += tests/unit_fbp_edges.c
# readers on any bytes: `make tests/fuzz-input` replays files; with clang and libFuzzer:
#   ../configure CC=clang CFLAGS='-g -O1 -fsanitize=fuzzer-no-link,address,undefined' && make tests/fuzz-input fuzz_flags='-DPRI_FUZZ -fsanitize=fuzzer'
EXTRA_PROGRAMS = tests/fuzz-input
tests_fuzz_input_SOURCES = tests/fuzz_input.c
tests_fuzz_input_CPPFLAGS = $(lib_cppflags)
tests_fuzz_input_CFLAGS = $(AM_CFLAGS) $(fuzz_flags)
tests_fuzz_input_LDADD = libcore.la
fuzz_flags =
test_sources += tests/unit_noise_level.c tests/unit_weight.c
test_sources += tests/conf_fidelity.c
test_sources += tests/conf_prior.c
