# SPDX-License-Identifier: GPL-3.0-or-later
# test_sources: one cmocka group a file, run in float and in double; scripts end with "N passed, N failed, N skipped"
test_sources = tests/unit_core.c
test_scripts =
long_scripts =
test_data =
