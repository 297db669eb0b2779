#!/usr/bin/env bash
# Checks and times locbench beside PyTorch on a machine with a GPU, in one call:
#
#   bash docs/benchmarks/gpu.sh OUTDIR [descriptors] [same] [memory] [files] [matching]     (default: all parts)
#
# descriptors: extraction and its agreement with PyTorch; same: a small training on
# the processor and on the device; memory, files: training steps on images in
# memory, and from files with augmentation; matching: local descriptors.
#
# Builds nothing: bin/locbench, bin/nets.test and bin/backend.test must be there (make gpu-build,
# elsewhere if need be).
# Needs python3 with torch and torchvision, and a PJRT plugin: JAX's CUDA wheel
# holds one and is found by itself, or set BACKEND=xla:/path/to/plugin.so.
# Smaller, or without a GPU: BACKEND=go DEVICE=cpu ARCH=resnet18 SIZE=160x120 IMAGES=8.
set -euo pipefail
cd "$(dirname "$0")/../.."
out=${1:?usage: gpu.sh OUTDIR [PART]...}
out=$(realpath -m "$out")
shift
parts=${*:-descriptors same memory files matching}
mkdir -p "$out"
arch=${ARCH:-resnet101} size=${SIZE:-1024x768} images=${IMAGES:-256} device=${DEVICE:-cuda} batch=${BATCH:-32}
locbench=$PWD/bin/locbench
here=$PWD/docs/benchmarks
[ -x "$locbench" ] || { echo "gpu.sh: $locbench is missing: run make gpu-build first" >&2; exit 1; }

plugin() {
  python3 - <<'PY'
import glob, site, sys
for folder in site.getsitepackages() + [site.getusersitepackages()] + sys.path:
    for path in sorted(glob.glob(folder + "/jax_plugins/xla_cuda*/xla_cuda_plugin.so")):
        print(path)
        sys.exit()
PY
}
if [ -z "${BACKEND:-}" ]; then
  path=$(plugin)
  [ -n "$path" ] || { echo 'gpu.sh: no PJRT plugin found: set BACKEND=xla:/path/to/plugin.so' >&2; exit 1; }
  BACKEND=xla:$path
fi

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"$locbench" version >"$work/version.txt"

descriptors() {
  "$locbench" scenes generate "$work/scene" --mapping "$images" --queries 1 --size "$size" --local-features 0 --quiet
  find "$work/scene/mapping" -name '*.jpg' | sort >"$work/list.txt"
  python3 "$here/torch_gpu.py" weights --arch "$arch" --out "$work/net.pt"

  # Twice: the first call compiles for the image size, the second is the figure;
  # and once with one image at a time.
  extract() { # NAME BATCH
    local start end
    rm -rf "$work/$1".npy*
    start=$(date +%s.%N)
    "$locbench" extract --backend "$BACKEND" --model "$work/net.pt" --images "$work/list.txt" --batch "$2" --out "$work/$1.npy" --quiet
    end=$(date +%s.%N)
    echo "$1 $2 $(echo "$end $start" | awk '{print $1 - $2}')" >>"$work/locbench.txt"
  }
  extract first "$batch"
  extract batched "$batch"
  extract single 1

  python3 "$here/torch_gpu.py" compare --arch "$arch" --device "$device" --weights "$work/net.pt" --list "$work/list.txt" \
    --descriptors "$work/batched.npy" --times "$work/locbench.txt" --version "$work/version.txt" --backend "$BACKEND" --batch "$batch" --out "$out/descriptors.json"
  cat "$out/descriptors.json"
}

# The training log's images/s of each step; the first ones compile.
trained() { # NAME BACKEND SETTINGS…
  local name=$1 backend=$2 sets=()
  shift 2
  for s in "$@"; do sets+=(--set "$s"); done
  "$locbench" train --quiet --backend "$backend" --out "$work/$name" "${sets[@]}" --set whitening.set= --set checkpoint=1000 >/dev/null
  awk -F, -v name="$name" 'NR > 2 {loss = loss sep $3; rate = rate sep $6; sep = ", "} END {printf "{\"run\": \"%s\", \"images_per_s\": [%s], \"loss\": [%s]}\n", name, rate, loss}' \
    "$work/$name/log.csv" | tee -a "$out/training.jsonl"
}

sizes=${SIZES:-224 512} train_arch=${TRAIN_ARCH:-resnet50} n=${TRAIN_BATCH:-1024} steps=${STEPS:-6}

# The same steps on both backends, to see that they learn the same.
same() {
  "$locbench" scenes generate "$work/small" --kind landmarks --classes 20 --views 8 --size 72 --quiet
  for run in "same-embedded go" "same-device $BACKEND"; do
    trained $run data.path="$work/small/train" model.arch=resnet18 augment.size=64 sampler.batch=64 sampler.per_class=4 steps=4 \
      optimizer.learning_rate=1e-3 model.learn_norms=true
  done
}

peer() { # SOURCE SIZE MIXED
  local flag=
  [ "$3" = false ] || flag=--bf16
  python3 "$here/torch_train.py" "$1" --data "$work/lm$2/train" --arch "$train_arch" --size "$2" --batch "$n" --steps "$steps" --device "$device" $flag |
    tee -a "$out/training.jsonl"
}

memory() {
  LOCBENCH_BACKEND=$BACKEND bin/nets.test -test.run '^$' -test.bench DeviceLearner -test.benchtime 5x | tee -a "$out/training.txt"
  for size in $sizes; do
    for mixed in ${MIXED:-false true}; do peer memory "$size" "$mixed"; done
  done
}

files() {
  for size in $sizes; do
    "$locbench" scenes generate "$work/lm$size" --kind landmarks --classes $((n / 8 * 5 / 4 + 8)) --views 8 --size $((size * 6 / 5)) --quiet
    for mixed in ${MIXED:-false true}; do
      trained "locbench-$train_arch-$size-mixed-$mixed" "$BACKEND" data.path="$work/lm$size/train" model.arch="$train_arch" model.out_dim=2048 \
        augment.size="$size" sampler.batch="$n" sampler.per_class=8 steps="$steps" mixed_precision="$mixed"
      peer folder "$size" "$mixed"
    done
  done
}

# Mutual nearest neighbours of local descriptors.
matching() {
  LOCBENCH_BACKEND=$BACKEND bin/backend.test -test.run '^$' -test.bench DeviceNearest -test.benchtime 20x | tee -a "$out/matching.txt"
  python3 "$here/torch_match.py" --device "$device" | tee -a "$out/matching.txt"
}

head -n 1 "$work/version.txt" | tee "$out/training.txt" >"$out/matching.txt"
rm -f "$out/training.jsonl"
for part in $parts; do
  echo "gpu.sh: $part, after $SECONDS s"
  "$part"
done
