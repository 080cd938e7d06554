# SPDX-License-Identifier: GPL-3.0-or-later
# learned priors that are installed; models/make makes them
models = models/foe-15.prior models/foe-25.prior models/foe-50.prior models/foe-log-25.prior models/tgv-15.prior models/tgv-25.prior models/tgv-50.prior \
  models/tv-15.prior models/tv-25.prior models/tv-50.prior models/tv-ct60.prior
modelsdir = $(pkgdatadir)/models
dist_models_DATA = $(models)
EXTRA_DIST = models/README.md models/make
