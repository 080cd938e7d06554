# SPDX-License-Identifier: GPL-3.0-or-later
# one line a prior, one a fidelity: these lists are the registry
prior_sources = priors/foe.c priors/huber_tv.c priors/l1.c priors/smooth_tv.c priors/tgv.c priors/tikhonov.c priors/hessian_schatten.c priors/tpv.c priors/tv.c priors/wavelet.c
fidelity_sources = priors/fidelity_ls.c priors/fidelity_wls.c priors/fidelity_ball.c priors/fidelity_kl.c priors/fidelity_huber.c
prior_support = priors/foe.h priors/foe_filters.c priors/foe_filters.h priors/foe_learn.c priors/foe_basis.c priors/foe_near.c priors/foe_saddle.c priors/learned.c priors/learned.h priors/smooth_abs.h priors/smooth_tv.h priors/smooth_tv_learn.c priors/saddle_prox.c priors/saddle_prox.h priors/tv_constant.c priors/tv_faces.c priors/tv_faces.h priors/tv_term.c priors/tv_prox.c priors/tv_term.h priors/weight_file.c priors/weight_file.h priors/counts_check.c priors/counts_check.h
