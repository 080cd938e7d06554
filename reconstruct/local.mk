# SPDX-License-Identifier: GPL-3.0-or-later
# one line a solver, stop rule, filter, command: these lists are the registry
solver_sources =
monitor_sources =
filter_sources =
recipe_sources =
# in the order in which help shows them
command_sources = reconstruct/cmd_reconstruct.c reconstruct/cmd_ct.c reconstruct/cmd_deblur.c reconstruct/cmd_denoise.c reconstruct/cmd_inpaint.c reconstruct/cmd_upscale.c reconstruct/cmd_simulate.c \
  reconstruct/cmd_phantom.c reconstruct/cmd_psf.c reconstruct/cmd_score.c reconstruct/cmd_check.c reconstruct/cmd_info.c reconstruct/cmd_list.c
program_support = reconstruct/cmd.c reconstruct/completion.c reconstruct/help.c reconstruct/json.c reconstruct/man.c \
  reconstruct/options.c reconstruct/options_table.c reconstruct/version.c
pipeline_support = reconstruct/bound.c reconstruct/config.c reconstruct/config_ct.c reconstruct/config_file.c reconstruct/config_front.c reconstruct/config_probe.c reconstruct/log.c reconstruct/pipeline.c \
  reconstruct/pipeline_auto.c reconstruct/pipeline_metadata.c reconstruct/pipeline_setup.c reconstruct/pipeline_sweep.c reconstruct/pipeline_weight.c reconstruct/plan.c reconstruct/prepare.c reconstruct/prepare_bad.c reconstruct/provenance.c reconstruct/solve.c reconstruct/spool.c \
  reconstruct/start.c reconstruct/stream.c reconstruct/sweep.c reconstruct/watch.c
reconstruct_support = reconstruct/open.c
program_sources = reconstruct/main.c $(program_support) $(pipeline_support) $(command_sources)
private_headers += reconstruct/cmd.h reconstruct/options.h reconstruct/json.h reconstruct/version.h
solver_sources += reconstruct/fbp.c
reconstruct_support += reconstruct/fbp_plan.c reconstruct/fbp_ramp.c reconstruct/fbp_sum.c reconstruct/fbp_weight.c
private_headers += reconstruct/fbp.h
private_headers += reconstruct/pipeline_config.h reconstruct/log.h reconstruct/pipeline.h reconstruct/provenance.h reconstruct/spool.h reconstruct/sweep.h reconstruct/watch.h
reconstruct_support += reconstruct/center.c reconstruct/center_opposite.c reconstruct/center_picture.c
private_headers += reconstruct/center.h
solver_sources += reconstruct/cgls.c reconstruct/sirt.c reconstruct/os_sart.c reconstruct/fista.c reconstruct/os_fista.c reconstruct/pdhg.c \
  reconstruct/prox.c reconstruct/spdhg.c reconstruct/sgp.c
monitor_sources += reconstruct/stop_steps.c reconstruct/stop_gap.c reconstruct/stop_change.c reconstruct/stop_discrepancy.c \
  reconstruct/stop_time.c reconstruct/stop_stall.c
filter_sources += reconstruct/filter_air.c reconstruct/filter_flatfield.c reconstruct/filter_hu.c reconstruct/filter_known.c reconstruct/filter_log.c reconstruct/filter_pad.c
solver_sources += reconstruct/landweber.c
reconstruct_support += reconstruct/split.c reconstruct/subsets.c reconstruct/sums.c reconstruct/saddle.c reconstruct/proximal.c reconstruct/warm.c
private_headers += reconstruct/split.h reconstruct/subsets.h reconstruct/sums.h reconstruct/saddle.h reconstruct/proximal.h reconstruct/warm.h
reconstruct_support += reconstruct/weight.c reconstruct/weight_constant.c reconstruct/weight_curve.c reconstruct/weight_discrepancy.c \
  reconstruct/weight_gcv.c reconstruct/weight_lcurve.c reconstruct/weight_path.c reconstruct/weight_sure.c
private_headers += reconstruct/weight.h reconstruct/weight_path.h
pipeline_support += reconstruct/pipeline_noise.c
solver_sources += reconstruct/rl.c
reconstruct_support += reconstruct/rl_pass.c reconstruct/rl_tv.c
private_headers += reconstruct/rl_pass.h reconstruct/rl_tv.h
solver_sources += reconstruct/wiener.c
private_headers += reconstruct/history.h reconstruct/resume.h
pipeline_support += reconstruct/history.c reconstruct/pipeline_provenance.c reconstruct/resume.c reconstruct/resume_identity.c reconstruct/resume_record.c
command_sources += reconstruct/cmd_replay.c
solver_sources += reconstruct/admm.c
command_sources += reconstruct/cmd_report.c
program_support += reconstruct/report_curves.c reconstruct/report_filters.c reconstruct/report_geometry.c reconstruct/report_learned.c reconstruct/report_picture.c \
  reconstruct/report_pictures.c reconstruct/report_plot.c reconstruct/report_psf.c reconstruct/report_residual.c reconstruct/report_spectrum.c
private_headers += reconstruct/rebuild.h reconstruct/report.h
pipeline_support += reconstruct/rebuild.c
reconstruct_support += reconstruct/learn_file.c reconstruct/learn_hyper.c reconstruct/learn_images.c reconstruct/learn_logistic.c reconstruct/learn_lower.c reconstruct/learn_dfo.c reconstruct/learn_fixed.c reconstruct/learn_hoag.c reconstruct/learn_maid.c reconstruct/learn_maid_method.c reconstruct/learn_method.c reconstruct/learn_metric.c reconstruct/learn_look.c reconstruct/learn_search.c reconstruct/learn_secant.c reconstruct/learn_tangent.c reconstruct/learn_tgv.c reconstruct/learn_upper.c
reconstruct_support += reconstruct/learn_adam.c
private_headers += reconstruct/learn.h reconstruct/learn_data.h reconstruct/learn_job.h reconstruct/learn_level.h reconstruct/learn_logistic.h reconstruct/learn_method.h reconstruct/learn_private.h reconstruct/learn_tgv.h
program_support += reconstruct/learn_card.c reconstruct/learn_data.c reconstruct/learn_state.c
reconstruct_support += reconstruct/learn_check.c
private_headers += reconstruct/check.h
program_support += reconstruct/check_learn.c
command_sources += reconstruct/cmd_learn.c
filter_sources += reconstruct/filter_stripes.c reconstruct/filter_zingers.c
reconstruct_support += reconstruct/stripes_sort.c reconstruct/stripes_wavelet.c
private_headers += reconstruct/stripes.h
reconstruct_support += reconstruct/prox_smooth.c reconstruct/prox_smooth.h
filter_sources += reconstruct/filter_network.c
# architectures of networks
recipe_sources += reconstruct/recipe_bf_unet.c reconstruct/recipe_drunet.c reconstruct/recipe_resunet.c reconstruct/recipe_rising_unet.c reconstruct/recipe_ssnet.c reconstruct/recipe_ssnet_3l.c
program_support += reconstruct/info_network.c
private_headers += reconstruct/info_network.h
