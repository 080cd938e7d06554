# SPDX-License-Identifier: GPL-3.0-or-later
# one line a solver, stop rule, filter, command: these lists are the registry
solver_sources =
monitor_sources =
filter_sources =
command_sources =
reconstruct_support = reconstruct/open.c
program_sources = reconstruct/main.c $(command_sources)
private_headers += reconstruct/cmd.h reconstruct/options.h reconstruct/json.h
