#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# convergence.sh - the table of passes, from a build folder: ../bench/convergence.sh [-n PHANTOMS] [-l WEIGHTS] [-j THREADS]
# Minima by long runs in double (kept in convergence.ref), then every solver in float, then the certified gaps in double.
set -eu
make bench/convergence bench/convergence-double
[ -s convergence.ref ] || bench/convergence-double -w convergence.ref "$@"
echo; echo "single precision"
bench/convergence -r convergence.ref -s 500 -g pdhg:warm=10 pdhg spdhg spdhg:warm=10 fista
bench/convergence -r convergence.ref -s 400 spdhg:subsets=20,gamma=0.0726,balance=0.0022,every=1 # the parameters of spec rising_ct 4.8
bench/convergence -r convergence.ref -s 20 os-fista
bench/convergence -r convergence.ref -s 200 sgp
echo; echo "double precision"
bench/convergence-double -r convergence.ref -s 500 -g spdhg pdhg:warm=10
