# SPDX-License-Identifier: GPL-3.0-or-later
bench_files = bench/run bench/projector bench/quality
