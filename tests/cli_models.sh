# SPDX-License-Identifier: GPL-3.0-or-later
# cli_models - the learned priors that come with the program: they load, are found by name alone, and a field of experts beats total variation on
# a drawn picture with soft edges.
. "${top_srcdir:-.}/tests/cli.sh"
models=$(cd "$OLDPWD" && cd "${top_srcdir:-.}/models" && pwd) || exit 1
"$priori" phantom ellipses:size=96 -q -o sharp.npy && "$priori" simulate --operator blur:psf=gaussian,sigma=2 sharp.npy -q -o clean.npy || exit 1
psnr() { "$priori" score --reference clean.npy "$1" --json | sed -n 's/^ *"psnr": \([0-9][0-9.e-]*\),*/\1/p' | tail -n 1; }
known=0
for file in "$models"/*.prior; do
  name=${file##*/} kind=$("$priori" info --json "$file" | sed -n 's/^ *"kind": "\(.*\)",*/\1/p' | head -n 1) sigma=${file%.prior}
  sigma=${sigma##*-}
  case $kind in foe | tgv | smooth-tv) known=$((known + 1)) ;; esac
  says '"sha256"' "$name: its card says what it was learned from" info --json "$file"
  check "$name is small" test "$(wc -c <"$file")" -le 200000
  check "$name has no path of the machine that made it" sh -c "! grep -aqE '\"/(home|tmp|root|work|usr|mnt)/' '$file'"
  case $sigma in ct*) continue ;; esac # below
  [ -e "n$sigma.npy" ] || "$priori" simulate --operator identity --noise "gaussian:sd=$(awk "BEGIN {printf \"%.9g\", $sigma / 255}")" clean.npy -q -o "n$sigma.npy" || exit 1
  ok "$name denoises" denoise --prior "$kind:file=$file" "n$sigma.npy" -o "$name.npy"
  check "$name: by 8 dB at least" awk -v x="$(psnr "$name.npy")" -v n="$(psnr "n$sigma.npy")" 'BEGIN {exit !(n > 0 && x > n + 8)}'
done
check 'every file is of a kind that denoise knows' test "$known" -eq "$(ls "$models"/*.prior | wc -l)"
for name in foe-25 foe-log-25; do
  check "$name beats tv by 1 dB" awk -v f="$(psnr $name.prior.npy)" -v t="$(psnr tv-25.prior.npy)" 'BEGIN {exit !(t > 0 && f > t + 1)}'
done
# computed tomography: trunks that were not learned from, by the prior and by the weight that the noise of the stack gives
"$priori" phantom torso:size=128 --count 6 --seed 99 -q --sinogram ct:angles=60,detector=128,bin=2,pixel=2,average=bin --sinogram-output scan.npy \
  --noise gaussian:relative=0.01 -o trunk.npy || exit 1
of_trunk() { "$priori" score --reference trunk.npy "$1" --json | sed -n 's/^ *"psnr": \([0-9][0-9.e-]*\),*/\1/p' | tail -n 1; }
set -- ct --geometry angles=60,bin=2,pixel=2,size=128 --bound 0:1.25 -q scan.npy
ok 'tv-ct60 reconstructs' "$@" --prior tv:file="$models/tv-ct60.prior" -o learned.npy
ok 'and so does the weight of the discrepancy' "$@" --prior tv:auto:discrepancy -o auto.npy
check 'tv-ct60 beats it by half a dB' awk -v f="$(of_trunk learned.npy)" -v t="$(of_trunk auto.npy)" 'BEGIN {exit !(t > 20 && f > t + 0.5)}'
status 4 'not by name where it is not installed' denoise --prior foe:file=foe-25.prior n25.npy -o named.npy
PRIORI_MODELS=$models
export PRIORI_MODELS
ok 'by name in $PRIORI_MODELS' denoise --prior foe:file=foe-25.prior n25.npy -o named.npy
same 'as by its path' named.npy foe-25.prior.npy
says '"foe-25|foe-25.prior"' 'its hash is in the provenance' info --json named.npy
: >foe-25.prior
status 4 'a file here comes first' denoise --prior foe:file=foe-25.prior n25.npy -f -o named.npy
finish
