#!/usr/bin/env bash
# Makes the packages of examples/:
#
#   scripts/examples.sh CARRYOUT OUT [NAME...]
#
# CARRYOUT is the command to use. An example with a README is trained and packed by the commands that stand in it, in
# a copy of its folder; the others are packed from their model.joblib. OUT/NAME is the package, OUT/NAME.csv the rows
# that the page shows with it, OUT/NAME.html the report of a training run.
set -euo pipefail
carryout=$(realpath "$1")
mkdir -p "$2"
out=$(realpath "$2")
shift 2
cd "$(dirname "$0")/../examples"

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir "$work/bin"
ln -s "$carryout" "$work/bin/carryout"
export PATH="$work/bin:$PATH"

names=("$@")
[ $# != 0 ] || for folder in */; do names+=("${folder%/}"); done
for name in "${names[@]}"; do
  # Only what an earlier run made.
  if [ -e "$out/$name/model.wasm" ]; then rm -r "${out:?}/$name"; fi
  if [ -e "$name/README.md" ]; then
    cp -r "$name" "$work/$name"
    # The first block: train and pack.
    awk '/^```sh$/ { on = 1; next } /^```$/ && on { exit } on' "$name/README.md" >"$work/commands.sh"
    (cd "$work/$name" && sh -eu "$work/commands.sh")
    mv "$work/$name/$name" "$out/$name"
    mv "$work/$name/$name.html" "$out/$name.html"
  else
    carryout pack "$name/model.joblib" -o "$out/$name" --samples "$name/rows.csv" --expected "$name/expected.json"
  fi
  cp "$name/rows.csv" "$out/$name.csv"
done
