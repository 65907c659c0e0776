#!/usr/bin/env bash
# Builds the wasm halves with the compiler that scripts/setup.sh chose.
#
#   scripts/build-wasm.sh runtime   target/runtime.wasm, which `pack` links models into (build.rs embeds it)
#   scripts/build-wasm.sh js        pkg/runtime/, the compile side for the page (wasm-bindgen, by wasm-pack)
#
# Wasm builds have a target folder of their own: the compiler may be another one than for native builds, and
# switching in one folder would rebuild everything.
set -euo pipefail
cd "$(dirname "$0")/.."
root=$PWD
# shellcheck disable=SC1091
. .toolchain/wasm.env
export PATH="$root/node_modules/.bin:$PATH"
export CARGO_TARGET_DIR="${CARGO_TARGET_DIR:-$root/target}/wasm"

case ${1-} in
  runtime)
    # build.rs cannot watch a file that is not there yet.
    [ -e target/runtime.wasm ] || touch build.rs
    # The kernels' frames are small; the default stack would make every package ask for a megabyte more. SIMD is in
    # every engine since 2023 (Chrome 91, Firefox 89, Safari 16.4, Node 16.4); a second build for older ones would
    # double what is published for visitors who are not there, so index.js tells those what they lack.
    export RUSTFLAGS="${RUSTFLAGS-} -C target-feature=+simd128 -C llvm-args=-disable-lsr -C link-arg=-zstack-size=32768"
    # By these scripts/tables.mjs tells which function reads which table of constants.
    RUSTFLAGS="$RUSTFLAGS -C link-arg=--emit-relocs"
    cargo build --profile runtime --no-default-features --lib --target wasm32-unknown-unknown
    built=$CARGO_TARGET_DIR/wasm32-unknown-unknown/runtime/carryout.wasm
    mkdir -p target
    # A compilation that changed nothing leaves target/runtime.wasm, and so the native crate, as it is.
    if cmp -s "$built" target/runtime.in.wasm && [ target/runtime.wasm -nt scripts/build-wasm.sh ] &&
      [ target/runtime.wasm -nt scripts/tables.mjs ] && [ target/runtime.wasm -nt package-lock.json ]; then exit; fi
    # -g keeps the function names: the packager finds kernels by them, and drops them from what it writes. The
    # features allowed are those that rustc recorded in the module. Kernels that were inlined into their dispatcher
    # could not be pruned, and tables that one long call makes stay in code that engines have not optimized. -Oz makes
    # the module 0.4% smaller, and packages not: gzip does better with what -Os writes.
    node scripts/tables.mjs "$built" target/runtime.tables.wasm
    wasm-opt --no-inline='kernel_*' --no-inline='check_*' --no-inline='*7runtime5lines*' \
      --no-inline='*7runtime6groups*' --no-inline='*6sliced6sliced*' -Os -g --strip-producers target/runtime.tables.wasm -o target/runtime.out.wasm
    rm target/runtime.tables.wasm
    mv target/runtime.out.wasm target/runtime.wasm
    cp "$built" target/runtime.in.wasm
    ;;
  js)
    wasm-pack build --target web --release --out-dir pkg/runtime --no-pack . -- --no-default-features --features js
    # Its `*` would hide the build from npm.
    rm -f pkg/runtime/.gitignore
    ;;
  *)
    sed -n '2,6s/^# \{0,1\}//p' "$0" >&2
    exit 2
    ;;
esac
