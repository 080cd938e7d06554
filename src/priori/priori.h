/* SPDX-License-Identifier: GPL-3.0-or-later */
/* priori.h - all of the public headers. */
#ifndef PRIORI_PRIORI_H
#define PRIORI_PRIORI_H
#include "priori/real.h"
#include "priori/status.h"
#include "priori/context.h"
#include "priori/array.h"
#include "priori/bound.h"
#include "priori/kind.h"
#include "priori/registry.h"
#include "priori/geometry.h"
#include "priori/operator.h"
#include "priori/map.h"
#include "priori/fidelity.h"
#include "priori/schedule.h"
#include "priori/prior.h"
#include "priori/network.h"
#include "priori/state.h"
#include "priori/solver.h"
#include "priori/filter.h"
#include "priori/phantom.h"
#include "priori/rng.h"
#include "priori/io.h"
#include "priori/metrics.h"
#endif
