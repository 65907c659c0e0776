# carryout's tasks. `make` alone lists them.
CARGO ?= cargo
RELEASE = $(or $(CARGO_TARGET_DIR),target)/release

.DEFAULT_GOAL = help
.PHONY: help setup build web demo test fmt lint clean

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

test: ## every test: Rust, wasm in Chromium and Firefox, packages in Node and both browsers
	@scripts/test.sh

fmt: ## format the Rust sources
	$(CARGO) fmt

lint: ## formatting, lints and the import rule
	@scripts/test.sh fmt clippy imports

clean: ## remove what was built (what setup brought in stays)
	$(CARGO) clean
	rm -rf pkg/runtime www/dist
