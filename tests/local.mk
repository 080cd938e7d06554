# SPDX-License-Identifier: GPL-3.0-or-later
# test_sources: one cmocka group a file, run in float and in double; scripts end with "N passed, N failed, N skipped"
test_sources = tests/unit_algebra.c tests/unit_core.c tests/unit_state.c
test_headers =
test_scripts = tests/guard_layers.sh tests/guard_headers.sh tests/guard_code.sh tests/guard_symbols.sh
long_scripts =
test_data =
test_sources += tests/claim_phantom_project.c
test_scripts += tests/cli_basics.sh tests/cli_help.sh tests/cli_list.sh
test_data += tests/cli.sh
