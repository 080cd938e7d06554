# SPDX-License-Identifier: GPL-3.0-or-later
# one line an operator: this list is the registry; operator_support: files that they share
operator_sources = operators/ct.c operators/identity.c operators/mask.c
operator_sources += operators/blur.c
operator_support =
operator_support += operators/blur_grid.c operators/blur_norm.c
private_headers += operators/blur.h
