# `make demo` shows Consort at work, `make test` runs every check and test, `make help` lists the rest.

# One step after the other: setup comes before what needs it. Cargo and the test runners use all cores themselves.
.NOTPARALLEL:
.DELETE_ON_ERROR:
.DEFAULT_GOAL := help
SHELL := /bin/bash

# Tools that scripts/setup.sh had to bring along.
export PATH := $(CURDIR)/.tools/bin:$(PATH)

TARGET := $(or $(CARGO_TARGET_DIR),target)
export CONSORT_BIN := $(abspath $(TARGET))/release/consort

UI_SOURCES := ui/index.html ui/package.json ui/tsconfig.json ui/vite.config.ts $(shell find ui/src ui/public -type f)

.PHONY: help demo test build ui fmt lint torture deny check clean setup-build setup-demo setup-test

help: ## this list
	@sed -n 's/^\([a-z][a-z-]*\):.*## \(.*\)/  make \1|\2/p' $(MAKEFILE_LIST) | column -t -s '|' 2>/dev/null \
	  || sed -n 's/^\([a-z][a-z-]*\):.*## \(.*\)/  make \1: \2/p' $(MAKEFILE_LIST)

demo: setup-demo build ## build all, run the loan example on twelve pay stubs, show the page
	python3 scripts/demo.py

test: setup-test ## every check and test; STEPS="rust ui-unit" runs some of them
	python3 scripts/test.py $(STEPS)

build: setup-build ui ## the release binary, with the page inside
	cargo build --release --locked -p consort-cli
	@ls -l "$(CONSORT_BIN)" | awk '{ printf "%s: %.1f MB\n", $$NF, $$5 / 1e6 }'

ui: setup-build ui/dist/index.html ## the page that the binary serves

ui/node_modules/.package-lock.json: ui/package.json ui/package-lock.json
	cd ui && npm ci --no-audit --no-fund
	@touch $@

ui/dist/index.html: ui/node_modules/.package-lock.json $(UI_SOURCES)
	cd ui && npm run build
	@touch $@

fmt: ## format the Rust sources
	cargo fmt --all

lint: ## format and lint checks, as `make test` runs them
	python3 scripts/test.py fmt clippy

torture: ## kill the server again and again and join what clients, services and the store say; CYCLES=300, SEED=…
	python3 -B tests/torture/torture.py --cycles $(or $(CYCLES),300) $(if $(SEED),--seed $(SEED))

deny: ## licences, bans and sources of the dependencies by cargo-deny, where it is installed
	@cargo deny --version >/dev/null 2>&1 || { echo "cargo-deny is missing: cargo install cargo-deny --locked (some minutes). The licences alone are checked by: cargo test -p consort-tidy"; exit 1; }
	cargo deny check licenses bans sources

check: ## does it compile? the quickest answer
	cargo check --workspace --all-targets --locked

clean: ## remove what was built; what setup installed into .tools stays
	cargo clean
	rm -rf ui/dist ui/node_modules

setup-build setup-demo setup-test: setup-%:
	@scripts/setup.sh $*
