# The two commands of the README are `up` and `test`. Everything that is built or fetched is cached outside the
# checkout, so that a second clone is as quick as a second run.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DELETE_ON_ERROR:

export FAIRLEAD_CACHE ?= $(HOME)/.cache/fairlead
export CARGO_TARGET_DIR ?= $(FAIRLEAD_CACHE)/target

# Real exchanges, and what LiteLLM sends and answers, recorded: tests compare with them where they lie beside the checkout.
CORPUS := $(wildcard $(CURDIR)/../shared/corpus)
ifneq ($(CORPUS),)
export FAIRLEAD_CORPUS ?= $(CORPUS)
endif
GOLDEN := $(wildcard $(CURDIR)/../shared/reference/litellm/golden)
ifneq ($(GOLDEN),)
export FAIRLEAD_LITELLM_GOLDEN ?= $(GOLDEN)
endif

DIR ?= examples/quickstart

.PHONY: help
help: ## Show this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 22

.PHONY: up
up: packages ## Serve DIR (default examples/quickstart) on this machine
	cargo run --quiet --bin fairlead -- up $(DIR)

.PHONY: test
test: check e2e ## Everything: check, then the end-to-end tests on a real cluster

.PHONY: check
check: format lint unit fuzz-build clients chart ## Format, lints, tests, fuzz targets, real clients, the chart

.PHONY: packages
packages:
	@scripts/packages

# PostgreSQL and Redis on loopback, for tests; they stay up for the next run.
.PHONY: services
services: packages
	@scripts/services up

.PHONY: format
format: packages
	cargo fmt --all --check

.PHONY: lint
lint: packages
	cargo clippy --workspace --all-targets --locked -- -D warnings

# The end-to-end tests of crate e2e need the cluster that target e2e brings.
.PHONY: unit
unit: packages services
	cargo test --workspace --exclude e2e --locked

# About a minute; from a cold cache it first fetches the clients, 700 MB of them.
.PHONY: clients
clients: packages ## Real SDKs and Claude Code before every provider's language, on loopback
	e2e/clients/run

# Cold it takes two and a half minutes, 15 seconds where nothing has changed.
.PHONY: fuzz-build
fuzz-build: packages ## Build the fuzz targets of the translation core and run their regressions
	gateway/protocol/fuzz/build

.PHONY: fuzz
fuzz: packages ## Look for inputs that break the core (FUZZ_SECONDS for each target, default 30; TARGET)
	gateway/protocol/fuzz/run

.PHONY: chart
chart: tools
	charts/tests/run
	charts/generate --check

# The cluster's binaries and helm, from Go modules: 11 minutes from a cold cache, nothing from a warm one.
.PHONY: tools
tools:
	e2e/cluster/build

.PHONY: e2e
e2e: packages tools ## End-to-end tests; on the cluster of KUBECONFIG, else on one of our own
	e2e/run

.PHONY: cluster
cluster: tools ## Bring up a real cluster for development and keep it
	e2e/cluster/up

.PHONY: cluster-down
cluster-down: ## Take it down
	e2e/cluster/down

.PHONY: images
images: packages ## Build the container images (IMAGE_PREFIX, BASE_IMAGE)
	scripts/images

.PHONY: generate
generate: packages ## Write what is generated: CRDs, tables, chart docs and goldens
	FAIRLEAD_GENERATE=1 cargo test --quiet -p crds --test generated
	FAIRLEAD_GENERATE=1 cargo test --quiet -p protocol --test dialects coverage
	FAIRLEAD_GENERATE=1 cargo test --quiet -p protocol --test oracle report
	charts/generate
	charts/tests/run --update

# The wheel that the table was made from also lets the tests compute every cost a second time, straight from it.
.PHONY: prices
prices: packages ## Write the table of prices from LiteLLM's wheel, and compare every cost with it
	scripts/prices
	FAIRLEAD_PRICES="$$(scripts/prices --wheel)" cargo test --quiet -p gateway --lib cost::

.PHONY: bench-protocol
bench-protocol: packages ## What the translation core costs, into docs/protocol-benchmarks.md
	gateway/protocol/benches/report

.PHONY: bench-limits
bench-limits: services ## What budgets and rate limits cost a request, into docs/limits-benchmarks.md
	gateway/benches/report

.PHONY: soak
soak: services ## The ledger tests at full size: more money, longer outages
	FAIRLEAD_SOAK=1 cargo test --locked -p gateway --test it ledger -- --nocapture
	FAIRLEAD_SOAK=1 cargo test --locked -p fairlead --test up ledger -- --nocapture

.PHONY: bench-propagation
bench-propagation: packages tools ## From kubectl apply to the answer, at 100 and 1,000 models
	e2e/bench/propagation
