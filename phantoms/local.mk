# SPDX-License-Identifier: GPL-3.0-or-later
# one line a phantom, one a noise model: these lists are the registry
phantom_sources =
noise_sources =
phantom_support =
