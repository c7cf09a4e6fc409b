# Two commands matter: make demo, make test. Both set up what is missing.
# The set-up itself is scripts/setup; what a target installs is the list behind it.

SHELL := /bin/bash
.SHELLFLAGS := -o pipefail -c
.DEFAULT_GOAL := help
.NOTPARALLEL:
export PATH := $(PATH):/usr/local/go/bin

FUZZTIME ?= 10s
BENCH    ?= .

.PHONY: help demo test check unit alloc e2e bench fuzz build accept assets clean

help:
	@cat scripts/help.txt

demo: build
	@scripts/setup ffmpeg
	@exec bin/manifold demo $(if $(DURATION),--duration $(DURATION))

test:
	@scripts/timed "make test" $(MAKE) --no-print-directory setup-test check unit alloc fuzz e2e FUZZTIME=3s

check: setup-go
	@scripts/check

# The race detector needs a C compiler; nothing else does. Property tests draw
# the same each time here; `make accept` lets them draw anew.
unit: export RAPID_SEED ?= 1
unit: setup-test
	@echo "== unit and integration tests, race detector on"
	@packages=$$(go list ./...) && CGO_ENABLED=1 go test -race -timeout 20m $$(grep -v '/e2e\b' <<<"$$packages")

alloc: setup-go
	@echo "== allocation tests, plain binary"
	@scripts/alloc

# One package at a time, and none from the cache: they decode video and load the machine.
e2e: setup-e2e
	@echo "== browser tests: Chromium, six players; the program under load and change"
	@CGO_ENABLED=0 go test -count=1 -p 1 -timeout 20m ./e2e/...

bench: setup-go
	@mkdir -p build
	@packages=$$(scripts/with '^func Benchmark') && \
		CGO_ENABLED=0 go test -run '^$$' -bench '$(BENCH)' -benchmem -timeout 60m $$packages | tee build/bench.txt
	@CGO_ENABLED=0 go test ./manifest/benchmarks -v -table -timeout 60m | tee build/bench.md
	@CGO_ENABLED=0 go test ./proxy/benchmarks -v -table -timeout 60m | tee -a build/bench.md

fuzz: setup-go
	@echo "== fuzz targets, $(FUZZTIME) each"
	@scripts/fuzz $(FUZZTIME)

build: setup-go
	@CGO_ENABLED=0 go build -trimpath -o bin/manifold ./cmd/manifold

accept: setup-test
	@scripts/accept

assets:
	@scripts/setup assets

clean:
	@rm -rf bin build assets/test
	@find assets/web -mindepth 1 -maxdepth 1 -type d -exec rm -rf {} +

.PHONY: setup-go setup-e2e setup-test
setup-go:
	@scripts/setup go modules assets
setup-e2e:
	@scripts/setup go modules assets ffmpeg nginx mpv chromium
setup-test:
	@scripts/setup go modules assets ffmpeg nginx mpv chromium gcc
