# SPDX-License-Identifier: GPL-3.0-or-later
# one line a prior, one a fidelity: these lists are the registry
prior_sources =
fidelity_sources =
prior_support =
