# SPDX-License-Identifier: GPL-3.0-or-later
# learned priors that are installed; models/make makes them
models =
modelsdir = $(pkgdatadir)/models
dist_models_DATA = $(models)
EXTRA_DIST = models/README.md models/make
