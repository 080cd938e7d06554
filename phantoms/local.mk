# SPDX-License-Identifier: GPL-3.0-or-later
# one line a phantom, one a noise model: these lists are the registry
phantom_sources = phantoms/bars.c phantoms/ellipses.c phantoms/shepp_logan.c phantoms/siemens.c phantoms/torso.c phantoms/wires.c
noise_sources = phantoms/noise_gaussian.c phantoms/noise_poisson.c
phantom_support = phantoms/figures.c phantoms/figures_project.c
private_headers += phantoms/figures.h
