#!/bin/sh
# Local SfM and the global map on generated scenes of growing size: time, memory,
# success. Usage: growth.sh LOCBENCH OUTDIR [SIZES]. Prints a table for
# docs/benchmarks.md; needs python3.
set -eu
locbench=$1 out=$2
for n in ${3:-100 300 1000}; do
	scene=$out/town_$n run=$out/run_$n
	"$locbench" scenes generate "$scene" --mapping "$n" --queries 100 --size 320x240 --seed 0 --quiet
	"$locbench" run --scene "$scene" --topk 20 --methods local-sfm,local-sfm+,global-map --out "$run" --force --quiet >/dev/null
	python3 - "$run" "$n" <<'PY'
import csv, json, sys
run, n = sys.argv[1:]
stages = json.load(open(run + "/manifest.json"))["stages"]
print(f"{n} mapping images:")
for s in stages:
    rate = f"{s['items'] / s['seconds']:.1f} {s['of']}/s" if s.get("items") and s["seconds"] else ""
    print(f"  {s['name']}: {s['seconds']:.2f} s {rate}, peak {s.get('peak_memory', 0) / 1e6:.0f} MB")
rows = list(csv.DictReader(open(run + "/results/queries.csv")))
for method in dict.fromkeys(r["method"] for r in rows):
    mine = [r for r in rows if r["method"] == method]
    ok = [r for r in mine if r["status"] == "localized"]
    good = lambda r: r["t_err_m"] and float(r["t_err_m"]) <= 0.25 and float(r["r_err_deg"]) <= 2
    errors = sorted(float(r["t_err_m"]) for r in ok)
    print(f"  {method}: {len(ok)} of {len(mine)} localized, {sum(map(good, mine))} within 0.25 m 2 deg, "
          f"median of the localized {errors[len(errors) // 2] if errors else float('nan'):.4f} m")
    for low, high in ((0, 15), (15, 30), (30, 60), (60, 10**9)):
        part = [r for r in ok if low <= int(r["inliers"]) < high]
        if part:
            print(f"    {low} to {high if high < 10**9 else 'more'} inliers: {sum(map(good, part))} of {len(part)} within 0.25 m 2 deg")
PY
done
