# SPDX-License-Identifier: GPL-3.0-or-later
# one line an operator: this list is the registry; operator_support: files that they share
operator_sources = operators/crop.c operators/ct.c operators/downsample.c operators/fourier.c operators/identity.c operators/mask.c operators/scale.c
operator_sources += operators/blur.c
operator_support = operators/downsample_taps.c operators/downsample_taps.h
operator_support += operators/blur_cosine.c operators/blur_direct.c operators/blur_grid.c operators/blur_norm.c operators/blur_one.c
private_headers += operators/blur.h
