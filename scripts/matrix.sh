#!/usr/bin/env bash
# Builds and runs an app with every tool of tests/matrix around the packages that `cargo test --test package` leaves
# behind, and writes docs/matrix.md. `ONLY=Vite scripts/matrix.sh` runs the lines with that in their name.
set -euo pipefail
cd "$(dirname "$0")/.."
scripts/setup.sh wasm npm chromium firefox matrix-more
scripts/build-wasm.sh runtime
cargo test --quiet --test package written
MATRIX=all node --test --test-reporter=spec tests/matrix/*.test.mjs
