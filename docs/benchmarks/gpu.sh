#!/usr/bin/env bash
# Checks and times locbench beside PyTorch on a machine with a GPU, in one call:
#
#   bash docs/benchmarks/gpu.sh OUT.json
#
# Builds nothing: bin/locbench must be there (make build, elsewhere if need be).
# Needs python3 with torch and torchvision, and a PJRT plugin: JAX's CUDA wheel
# holds one and is found by itself, or set BACKEND=xla:/path/to/plugin.so.
# Smaller, or without a GPU: BACKEND=go DEVICE=cpu ARCH=resnet18 SIZE=160x120 IMAGES=8.
set -euo pipefail
cd "$(dirname "$0")/../.."
out=${1:?usage: gpu.sh OUT.json}
out=$(realpath -m "$out")
arch=${ARCH:-resnet101} size=${SIZE:-1024x768} images=${IMAGES:-256} device=${DEVICE:-cuda} batch=${BATCH:-32}
locbench=$PWD/bin/locbench
here=$PWD/docs/benchmarks
[ -x "$locbench" ] || { echo "gpu.sh: $locbench is missing: run make build first" >&2; exit 1; }

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
  --descriptors "$work/batched.npy" --times "$work/locbench.txt" --version "$work/version.txt" --backend "$BACKEND" --batch "$batch" --out "$out"
cat "$out"
