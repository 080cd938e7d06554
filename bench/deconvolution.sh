#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# deconvolution.sh - from a build folder: Richardson-Lucy in 3-D against four FFTs of its size, and scikit-image where python3 (or $PYTHON) has it:
# ../bench/deconvolution.sh [-n ITERATIONS] [-j THREADS] [-s]
set -eu
make bench/deconvolution
data=$(mktemp)
trap 'rm -f "$data"' EXIT
bench/deconvolution "$@" -o "$data"
"${PYTHON:-python3}" - "$data" <<'PY' || echo 'scikit-image: not there'
import sys, time
try:
    import numpy as np
    from skimage.restoration import richardson_lucy
except ImportError:
    sys.exit(1)
y = np.fromfile(sys.argv[1], np.uint16).reshape(40, 201, 101).astype(np.float32)
axes = [np.exp(-((np.arange(n) - n // 2) / s) ** 2 / 2) for n, s in ((79, 9), (91, 4), (91, 4))]
psf = np.einsum('i,j,k->ijk', *axes)
psf = (psf / psf.sum()).astype(np.float32)
begin = time.process_time()
richardson_lucy(y, psf, num_iter=5, clip=False)
print(f'scikit-image {(time.process_time() - begin) / 5:.3f} s an iteration (processor time; 40 x 201 x 101 only: no border model, no acceleration)')
PY
