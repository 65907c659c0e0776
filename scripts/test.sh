#!/usr/bin/env bash
# Runs the tests, or the named stages of them:
#
#   scripts/test.sh [fmt|clippy|imports|runtime|rust|size|web-chromium|web-firefox|node|chromium|firefox|matrix|page]...
#
# A stage counts the tests that its runner reports. One that fails with no failed test of its own counts as one
# failure, and so does a test runner that ran nothing. The last line is the sum.
set -uo pipefail
cd "$(dirname "$0")/.."

log=$(mktemp)
trap 'rm -f "$log"' EXIT
passed=0 failed=0 skipped=0

stage_fmt() { # Formatting
  cargo fmt --check
}

stage_clippy() { # Lints, whole and as the runtime alone
  cargo clippy --quiet --all-features --all-targets -- -D warnings
  cargo clippy --quiet --no-default-features --lib -- -D warnings
}

stage_imports() { # The runtime names nothing of the compile side
  local named
  named=$(grep -rn 'crate::' src/runtime src/image.rs | grep -vE '^[^:]*:[0-9]+: *//' |
    sed -E 's/crate::(image|runtime)([:; ]|$)//g' | grep 'crate::' || true)
  if [ -n "$named" ]; then
    echo "$named"
    echo "src/runtime/ and src/image.rs may name crate::image and crate::runtime, each by its full path"
    return 1
  fi
}

stage_runtime() { # The runtime built alone, for wasm
  scripts/setup.sh wasm
  scripts/build-wasm.sh runtime
  wc -c target/runtime.wasm
  # Panics and formatting would cost every package 13 KB, and there is nothing in the runtime that may panic.
  local machinery
  machinery=$(node_modules/.bin/wasm-dis target/runtime.wasm | grep -oE '^ \(func \$[^ ]*(panic|core3fmt|alloc)[^ ]*' || true)
  if [ -n "$machinery" ]; then
    echo "the runtime holds panic or formatting machinery:"
    echo "$machinery"
    return 1
  fi
}

stage_rust() { # cargo test
  cargo test --quiet
}

stage_size() { # What packages weigh, as a report
  scripts/setup.sh wasm
  scripts/build-wasm.sh runtime
  cargo build --quiet
  node scripts/size.mjs "${CARGO_TARGET_DIR:-target}/debug/carryout"
}

web_test() {
  # shellcheck disable=SC1091
  . .toolchain/wasm.env
  PATH="$PWD/node_modules/.bin:$PATH" CARGO_TARGET_DIR="${CARGO_TARGET_DIR:-$PWD/target}/wasm" \
    wasm-pack test --headless "$@" -- --no-default-features --features js --test web
}

stage_web_chromium() { # The JavaScript binding in Chromium
  scripts/setup.sh wasm wasm-pack chromium
  . .toolchain/chromium.env
  web_test --chrome ${CHROMEDRIVER:+--chromedriver "$CHROMEDRIVER"}
}

stage_web_firefox() { # The JavaScript binding in Firefox
  scripts/setup.sh wasm wasm-pack firefox
  . .toolchain/firefox.env
  web_test --firefox --geckodriver "$GECKODRIVER"
}

stage_node() { # Packages, and the binding on hostile files, in Node
  scripts/setup.sh npm wasm wasm-pack
  scripts/build-wasm.sh js
  node --test --test-reporter=spec tests/node/*.test.mjs
}

stage_chromium() { # Packages in Chromium
  scripts/setup.sh npm chromium
  BROWSER=chromium node --test --test-reporter=spec tests/browser/*.test.mjs
}

stage_firefox() { # Packages in Firefox
  scripts/setup.sh npm firefox
  BROWSER=firefox node --test --test-reporter=spec tests/browser/*.test.mjs
}

stage_matrix() { # The bundlers, workerd and Vitest around a package; `make matrix` has all of them
  scripts/setup.sh npm chromium firefox matrix
  node --test --test-reporter=spec tests/matrix/*.test.mjs
}

stage_page() { # The page: types, build, unit tests, and in Chromium as a person uses it
  scripts/setup.sh npm chromium
  . .toolchain/chromium.env
  export CHROMIUM
  npm --prefix www run --silent build
  npm --prefix www run --silent test
  npm --prefix www run --silent e2e
}

# The lines by which cargo's, wasm-pack's and Node's runners end.
count() {
  awk '
    /^test result: / { for (i = 1; i < NF; i++) { if ($(i+1) == "passed;") p += $i; if ($(i+1) == "failed;") f += $i
                                                  if ($(i+1) == "ignored;") s += $i } }
    $1 == "ℹ" && $2 == "pass" { p += $3 }
    $1 == "ℹ" && ($2 == "fail" || $2 == "cancelled") { f += $3 }
    $1 == "ℹ" && ($2 == "skipped" || $2 == "todo") { s += $3 }
    END { print p + 0, f + 0, s + 0 }' "$log"
}

run() {
  local name=$1 start=$SECONDS status p f s
  echo "== $name: $(sed -n "s/^stage_${name//-/_}() { # //p" "$0")"
  (set -e; "stage_${name//-/_}") </dev/null 2>&1 | tee "$log"
  status=${PIPESTATUS[0]}
  read -r p f s < <(count)
  case $name in
    fmt | clippy | imports | runtime | size) ;;
    *) if [ "$status" = 0 ] && [ "$p" = 0 ]; then echo "$name: no test ran"; status=1; fi ;;
  esac
  if [ "$status" != 0 ] && [ "$f" = 0 ]; then f=1; fi
  passed=$((passed + p)) failed=$((failed + f)) skipped=$((skipped + s))
  echo "-- $name: $([ "$f" = 0 ] && echo ok || echo FAILED), $p passed, $f failed in $((SECONDS - start)) s"
}

# The runtime comes before cargo test, which packs with it.
stages=("$@")
[ $# != 0 ] || stages=(fmt clippy imports runtime rust size web-chromium web-firefox node chromium firefox matrix page)
for name in "${stages[@]}"; do
  declare -F "stage_${name//-/_}" >/dev/null || { echo "no stage '$name'" >&2; exit 2; }
done
for name in "${stages[@]}"; do run "$name"; done

echo
if [ $skipped = 0 ]; then echo "$passed passed, $failed failed"
else echo "$passed passed, $failed failed, $skipped skipped"; fi
[ $failed = 0 ]
