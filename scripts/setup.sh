#!/usr/bin/env bash
# Brings in what the build and the tests need and this machine lacks.
#
#   scripts/setup.sh [PIECE...]      all pieces when none is named
#     wasm       the wasm32 standard library, a linker for it, and wasm-opt
#     wasm-pack  builds the JavaScript binding and runs its tests in browsers
#     npm        the packages of every lockfile here (npm ci), but for those of matrix and bench
#     matrix, matrix-more   the tools of tests/matrix: those that install in seconds, and all of them
#     chromium   Chromium or Chrome, with its driver
#     firefox    Firefox, with geckodriver
#     bench      what make bench measures against, from PyPI and npm (1.2 GB); not among "all"
#
# What is present is left alone, so a second run takes a second and downloads nothing. The ordinary sources come
# first (rustup, the browsers on PATH); Debian's packages and crates.io serve where those cannot be reached. What
# was chosen is recorded in .toolchain/*.env, which the other scripts source.
set -euo pipefail
cd "$(dirname "$0")/.."

wasm_pack=0.15.1
geckodriver=0.37.1
target=wasm32-unknown-unknown

say() { echo "setup: $*"; }
die() { echo "setup: $*" >&2; exit 1; }
have() { command -v "$1" >/dev/null; }

# The first of the named commands that is on PATH, as a full path.
first_of() { local c; for c in "$@"; do command -v "$c" && return; done; return 1; }

# Runs a command; its output is shown only when it fails.
quietly() {
  local log status=0; log=$(mktemp)
  ("$@") >"$log" 2>&1 || status=$?
  if [ $status != 0 ]; then tail -n 40 "$log" >&2; fi
  rm -f "$log"
  return $status
}

# Runs a line of shell as root, or says what to run.
as_root() {
  if [ "$(id -u)" = 0 ]; then sh -c "$1"
  elif have sudo && { sudo -n true 2>/dev/null || [ -t 0 ]; }; then sudo sh -c "$1"
  else die "this needs root; run it yourself, then start again: $1"; fi
}

apt_install() {
  as_root "apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $*"
}

# record PIECE [NAME=VALUE...]
record() {
  local file=.toolchain/$1.env; shift
  mkdir -p .toolchain
  : >"$file"
  local pair; for pair in "$@"; do printf 'export %s=%q\n' "${pair%%=*}" "${pair#*=}" >>"$file"; done
}

# Whether the compiler (with the environment given before its name) has the wasm32 standard library.
has_std() { compgen -G "$("$@" --print target-libdir --target $target 2>/dev/null)/libstd-*.rlib" >/dev/null; }

piece_wasm() {
  have cargo || die "no cargo on PATH: install Rust (rustup), then start again"
  if has_std rustc; then record wasm
  elif has_std /usr/bin/rustc && [ -n "$(debian_linker)" ]; then use_debian
  elif have rustup && say "adding the $target standard library with rustup (30 MB, under a minute)" &&
    quietly rustup target add $target; then record wasm
  elif have apt-get; then debian_std; use_debian
  else die "no $target standard library: install it (rustup target add $target), then start again"; fi
  have npm || have wasm-opt || die "no wasm-opt: install Node 20 or later (or binaryen), then start again"
  if have npm; then npm_ci .; fi
}

# The wasm linker of the LLVM that Debian's rustc was built with: an older one cannot read its objects.
debian_linker() { first_of "wasm-ld-$(debian_llvm)" || true; }
debian_llvm() { /usr/bin/rustc -vV | sed -n 's/^LLVM version: \([0-9]*\).*/\1/p'; }

# Debian's rustc-web has no wasm32 standard library, but rust-web-src is its exact source: build that once.
debian_std() {
  if ! /usr/bin/rustc -vV >/dev/null 2>&1 || [ ! -x /usr/bin/cargo ] ||
    [ ! -e "$(/usr/bin/rustc --print sysroot)/lib/rustlib/src/rust/library/Cargo.lock" ]; then
    say "rustup has no $target here: installing Debian's Rust and its source (400 MB, about 1 min)"
    quietly apt_install rustc-web cargo-web rust-web-src
  fi
  if [ -z "$(debian_linker)" ]; then
    say "installing Debian's wasm linker, lld-$(debian_llvm) (half a minute)"
    quietly apt_install "lld-$(debian_llvm)"
  fi
  if has_std /usr/bin/rustc; then return; fi
  say "building the $target standard library from Debian's source (about 1 min)"
  local dir; dir=$(mktemp -d)
  mkdir "$dir/src"
  : >"$dir/src/lib.rs"
  printf '[package]\nname = "nothing"\nversion = "0.0.0"\nedition = "2021"\n' >"$dir/Cargo.toml"
  # The release profile as it is: with LTO the libraries would hold bitcode alone, which plain builds cannot link.
  (cd "$dir" && quietly env -u RUSTFLAGS -u RUSTUP_TOOLCHAIN RUSTC=/usr/bin/rustc RUSTC_BOOTSTRAP=1 \
    CARGO_TARGET_DIR="$dir/target" CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER="$(debian_linker)" \
    /usr/bin/cargo build --release --target $target -Zbuild-std=std,panic_abort,test)
  rm -f "$dir"/target/$target/release/deps/libnothing*
  local lib; lib=$(/usr/bin/rustc --print sysroot)/lib/rustlib/$target/lib
  as_root "mkdir -p $lib && cp $dir/target/$target/release/deps/*.rlib $lib/"
  rm -rf "$dir"
}

use_debian() {
  local pairs=("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER=$(debian_linker)")
  if have rustup; then
    rustup toolchain list | grep -q '^debian\b' || quietly rustup toolchain link debian /usr
    pairs+=(RUSTUP_TOOLCHAIN=debian)
  fi
  record wasm "${pairs[@]}"
}

# cargo_install CRATE VERSION SECONDS
cargo_install() {
  if [ "$("$1" --version 2>/dev/null | sed -n '1s/^[^ ]* \([^ ]*\).*/\1/p')" = "$2" ]; then return; fi
  say "installing $1 $2 with cargo (about $3 s on two cores)"
  quietly env -u CARGO_TARGET_DIR cargo install --locked "$1" --version "$2"
  have "$1" || die "cargo installed $1 in a folder that is not on PATH: add ~/.cargo/bin, then start again"
}

piece_wasm_pack() { cargo_install wasm-pack $wasm_pack 130; }

# npm_ci FOLDER [COMMAND SECONDS]: what its lockfile says, unless that is installed.
npm_ci() {
  if cmp -s "$1/package-lock.json" "$1/node_modules/.carryout-lock"; then return; fi
  have npm || die "no npm on PATH: install Node 20 or later, then start again"
  local command=${2-ci}
  say "npm $command in $1 (about ${3-5} s)"
  # shellcheck disable=SC2086
  (cd "$1" && quietly npm $command --no-audit --no-fund)
  cp "$1/package-lock.json" "$1/node_modules/.carryout-lock"
}

piece_npm() {
  local lock; while read -r lock; do npm_ci "$(dirname "$lock")"; done \
    < <(find . -name package-lock.json -not -path '*/node_modules/*' -not -path './target*' -not -path './.toolchain/*' \
      -not -path './tests/matrix/*' -not -path './benches/*')
}

# Python packages in .toolchain/bench, npm's in benches/. A line of requirements.txt is installed at once; the lines of
# peers may fail, and then stand in .toolchain/bench/failed with the reason, for the report to name.
piece_bench() {
  local bench=.toolchain/bench
  (npm_ci benches "install --no-save" 20) || say "without the peers in JavaScript"
  if cmp -s benches/requirements.txt $bench/requirements.txt; then return; fi
  have python3 || die "no python3 on PATH: install Python 3.11 or later, with venv, then start again"
  say "installing the benchmark's Python packages in $bench (900 MB, 1 to 3 min)"
  rm -rf $bench
  quietly python3 -m venv $bench
  local line own=() peers=0 log; log=$(mktemp)
  : >$bench/failed
  while read -r line; do
    case $line in
      "# Peers"*) peers=1; quietly $bench/bin/pip install "${own[@]}" ;;
      "#"*) ;;
      *)
        if [ $peers = 0 ]; then own+=("$line"); continue; fi
        # shellcheck disable=SC2086
        $bench/bin/pip install $line >"$log" 2>&1 ||
          printf '%s\t%s\n' "${line%% *}" "$(grep -m1 '^ERROR' "$log" || tail -n1 "$log")" >>$bench/failed
        ;;
    esac
  done <benches/requirements.txt
  rm -f "$log"
  cp benches/requirements.txt $bench/
}

# The tools of tests/matrix are for that test alone. Not `npm ci`: some have binaries for systems that a registry may
# lack, and it takes no lockfile without these.
piece_matrix() { npm_ci tests/matrix "install --no-save" 20; }
piece_matrix_more() { piece_matrix; npm_ci tests/matrix/more "install --no-save" 40; }

# Debian's browsers, or word of what to install.
browser_packages() {
  have apt-get || die "no $1 found: install it, then start again"
  say "installing ${*:2} from Debian's packages (about 1 min)"
  quietly apt_install "${@:2}"
}

mac_chrome="/Applications/Google Chrome.app/Contents/MacOS/Google Chrome"
mac_firefox="/Applications/Firefox.app/Contents/MacOS/firefox"

piece_chromium() {
  find_chromium() { first_of chromium google-chrome google-chrome-stable chromium-browser "$mac_chrome"; }
  local browser driver
  browser=$(find_chromium) || { browser_packages Chromium chromium chromium-driver; browser=$(find_chromium); }
  # Only wasm-pack uses the driver, and it downloads one where there is none.
  driver=$(first_of chromedriver) || driver=
  if [ -z "$driver" ] && [ "$browser" = /usr/bin/chromium ]; then
    browser_packages chromedriver chromium-driver
    driver=$(first_of chromedriver)
  fi
  record chromium "CHROMIUM=$browser" "CHROMEDRIVER=$driver"
}

piece_firefox() {
  find_firefox() { first_of firefox firefox-esr "$mac_firefox"; }
  local browser
  browser=$(find_firefox) || { browser_packages Firefox firefox-esr; browser=$(find_firefox); }
  # Any geckodriver drives any recent Firefox; the version counts only where this script brings one in.
  have geckodriver || cargo_install geckodriver $geckodriver 150
  record firefox "FIREFOX=$browser" "GECKODRIVER=$(first_of geckodriver)"
}

pieces=("$@")
if [ $# = 0 ]; then pieces=(wasm wasm-pack npm chromium firefox); fi
for piece in "${pieces[@]}"; do
  case $piece in
    wasm | wasm-pack | npm | chromium | firefox | matrix | matrix-more | bench) "piece_${piece//-/_}" ;;
    *) die "unknown piece '$piece'; the pieces are wasm, wasm-pack, npm, chromium, firefox, matrix, matrix-more, bench" ;;
  esac
done
