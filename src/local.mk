# SPDX-License-Identifier: GPL-3.0-or-later
# L0 ground, L1 abstract types
public_headers = src/priori/array.h src/priori/bound.h src/priori/context.h src/priori/fidelity.h src/priori/filter.h \
  src/priori/geometry.h src/priori/io.h src/priori/kind.h src/priori/map.h src/priori/metrics.h src/priori/network.h \
  src/priori/operator.h src/priori/phantom.h src/priori/prior.h src/priori/priori.h src/priori/real.h src/priori/registry.h \
  src/priori/rng.h src/priori/schedule.h src/priori/solver.h src/priori/state.h src/priori/status.h
private_headers = src/certificate.h src/certificate_private.h src/walk.h src/number.h src/operator_private.h src/par.h src/predict.h src/spec.h src/vec.h
src_sources = src/algebra.c src/algebra_sum.c src/array.c src/certificate.c src/certificate_box.c src/context.c src/fidelity.c src/filter.c src/kind.c src/kind_print.c src/map.c src/mismatch.c src/network.c src/number.c \
  src/operator.c src/par.c src/phantom.c src/prior.c src/registry.c src/rng.c src/schedule.c src/solver.c src/spec.c src/state.c src/status.c src/vec.c
# compiled once more in double for the float library's certificates
wide_sources =
avx2_sources =
avx512_sources =
src_sources += src/fft.c src/linalg.c
private_headers += src/fft.h src/folder.h src/linalg.h
# convolution, once more in double for certificates; point-spread functions
src_sources += src/convolve.c src/psf.c src/psf_beads.c src/psf_file.c src/psf_optics.c src/psf_resample.c
wide_sources += src/convolve.c
src_sources += src/separable.c src/separable_rows.c
avx2_sources += src/separable_rows.c
avx512_sources += src/separable_rows.c
private_headers += src/separable.h
private_headers += src/convolve.h src/psf.h src/psf_beads.h
# differences, certificates, noise level
private_headers += src/root.h src/stencil.h src/sym_fields.h src/stencil_steps.h src/noise_level.h src/noise_image.h
src_sources += src/stencil.c src/sym_fields.c src/stencil_steps.c src/noise_level.c src/noise_image.c
avx2_sources += src/stencil_steps.c
avx512_sources += src/stencil_steps.c
src_sources += src/metrics.c
# rays: geometry, projector kernels
private_headers += src/rays.h src/rays_group.h src/rays_lane.h src/rays_plan.h src/rays_window.h src/simd.h
src_sources += src/geometry.c src/rays.c src/rays_group.c src/rays_plan.c src/rays_strip.c src/simd.c
wide_sources += src/rays.c src/rays_one.c src/rays_stack.c src/rays_strip.c
avx2_sources += src/rays_one.c src/rays_stack.c
avx512_sources += src/rays_avx512.c src/rays_avx512_back.c src/rays_avx512_fan.c src/rays_avx512_stack.c src/rays_stack.c
# files in and out; HDF5 is a whole file or its stand-in
io_sources = src/hash.c src/io.c src/io_convert.c src/io_description.c src/io_info.c src/io_mat.c src/io_mat_parse.c src/io_metadata.c src/io_npy.c src/io_numbers.c src/io_ome.c src/io_output.c src/io_png.c src/io_sink.c src/io_source.c \
  src/io_stack.c src/io_tiff.c src/io_tiff_compare.c src/io_tiff_directory.c src/io_tiff_handle.c src/io_tiff_info.c src/io_tiff_pixels.c src/io_tiff_tags.c src/io_tiff_write.c $(hdf5_sources)
src_sources += $(io_sources)
private_headers += src/io_hdf5.h src/io_mat.h src/io_ome.h src/io_private.h src/io_tiff.h
if HAVE_HDF5
hdf5_sources = src/io_hdf5.c src/io_hdf5_child.c src/io_hdf5_info.c src/io_hdf5_write.c src/io_hdf5_write_child.c
else
hdf5_sources = src/io_hdf5_none.c
endif
# wavelets; the adjoint once more in double
private_headers += src/wavelet.h
src_sources += src/wavelet_abs.c src/wavelet_forward.c src/wavelet_adjoint.c
wide_sources += src/wavelet_adjoint.c
private_headers += src/models.h src/safetensors.h
src_sources += src/models.c src/safetensors.c
# banks of filters: kernels whose element type is in their names, so that both libraries hold the same objects for every instruction set
both_sources = src/filterbank_steps.c src/filterbank_steps_float.c
src_sources += src/filterbank.c $(both_sources)
private_headers += src/filterbank.h src/filterbank_steps.h
# networks: graph, plan, layers; inner loops of convolutions for every instruction set
src_sources += src/network_file.c src/net_attention.c src/net_conv.c src/net_conv_gather.c src/net_conv_pack.c src/net_conv_weights.c src/net_graph.c src/net_norm.c src/net_plan.c src/net_point.c src/net_pool.c src/net_steps.c
avx2_sources += src/net_steps.c
avx512_sources += src/net_steps.c
private_headers += src/net.h src/net_conv.h src/net_steps.h src/network_private.h
