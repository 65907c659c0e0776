#!/usr/bin/env bash
# Fuzzes the readers, each for SECONDS (600 unless said), starting from the committed seeds:
#
#   scripts/fuzz.sh [SECONDS] [pickle|sklearn|xgboost|lightgbm|catboost|onnx]...
#
# It needs a nightly toolchain and `cargo install cargo-fuzz`. New inputs stay in fuzz/corpus, an input that
# breaks a target in fuzz/artifacts; the exit code is then 1.
set -euo pipefail
cd "$(dirname "$0")/../fuzz"

seconds=600
if [[ ${1:-} =~ ^[0-9]+$ ]]; then
  seconds=$1
  shift
fi
[ $# -gt 0 ] || set -- pickle sklearn xgboost lightgbm catboost onnx

for target in "$@"; do
  seeds=seeds/$target
  [ -d "$seeds" ] || seeds=../tests/fixtures/${target/%sklearn/sklearn-meta}
  mkdir -p "corpus/$target" "artifacts/$target"
  echo "== $target, $seconds s"
  cargo +nightly fuzz run "$target" "corpus/$target" "$seeds" -- \
    -max_total_time="$seconds" -rss_limit_mb=2048 -print_final_stats=1 2>&1 |
    { grep -E 'number_of_executed|^Done|ERROR|SUMMARY|panicked|Test unit written' || true; }
done
