# carryout's tasks. `make` alone lists them.
CARGO ?= cargo
RELEASE = $(or $(CARGO_TARGET_DIR),target)/release

.DEFAULT_GOAL = help
.PHONY: help setup build web page demo test matrix bench size fmt lint clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-7s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: ## bring in everything that building and testing need (make does so by itself where it must)
	@scripts/setup.sh

build: ## target/release/carryout, with the runtime that packages carry inside
	@scripts/setup.sh wasm
	@scripts/build-wasm.sh runtime
	$(CARGO) build --release

web: ## pkg/runtime/, the compile side for web pages
	@scripts/setup.sh wasm wasm-pack
	@scripts/build-wasm.sh js

page: ## www/dist/, the page that `carryout demo` serves
	@scripts/setup.sh npm
	@[ -e www/dist ] || touch build.rs # it watches only what it has once seen
	npm --prefix www run build

demo: page build ## train and pack the examples and serve the page on them
	@scripts/examples.sh $(RELEASE)/carryout pkg
	$(RELEASE)/carryout demo pkg

test: ## every test: Rust, wasm in Chromium and Firefox, packages in Node, both browsers and bundlers, the page
	@scripts/test.sh

matrix: ## all bundlers, frameworks and engines around a package (minutes); writes docs/matrix.md
	@scripts/matrix.sh

bench: build ## time T1 to T5 beside their peers (CASE=T1 for some, QUICK=1 for a look); writes docs/performance.md
	@scripts/setup.sh npm chromium bench
	.toolchain/bench/bin/python benches/bench.py $(RELEASE)/carryout target/bench $(addprefix --case ,$(CASE)) $(if $(QUICK),--quick)

size: ## raw, gzip and brotli sizes of packages
	@scripts/test.sh size

fmt: ## format the Rust sources
	$(CARGO) fmt

lint: ## formatting, lints and the import rule
	@scripts/test.sh fmt clippy imports

clean: ## remove what was built (what setup brought in stays)
	$(CARGO) clean
	rm -rf pkg/runtime www/dist
