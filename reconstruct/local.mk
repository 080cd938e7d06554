# SPDX-License-Identifier: GPL-3.0-or-later
# one line a solver, stop rule, filter, command: these lists are the registry
solver_sources =
monitor_sources =
filter_sources =
command_sources = reconstruct/cmd_list.c
program_support = reconstruct/cmd.c reconstruct/completion.c reconstruct/help.c reconstruct/json.c reconstruct/man.c \
  reconstruct/options.c reconstruct/options_table.c reconstruct/version.c
reconstruct_support = reconstruct/open.c
program_sources = reconstruct/main.c $(program_support) $(command_sources)
private_headers += reconstruct/cmd.h reconstruct/options.h reconstruct/json.h reconstruct/version.h
solver_sources += reconstruct/fbp.c
reconstruct_support += reconstruct/fbp_plan.c reconstruct/fbp_ramp.c reconstruct/fbp_sum.c reconstruct/fbp_weight.c
private_headers += reconstruct/fbp.h
