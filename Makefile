# The commands that people and .ci/run use. `make` alone builds.

VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null)
LDFLAGS := -s -w -X github.com/spdk-community-ci/dispatcher/internal/app.linkedVersion=$(VERSION)
TAGS    := e2e,bench
FUZZTIME ?= 30s

.PHONY: build test lint fuzz soak bench e2e e2e-gerrit e2e-guest e2e-images e2e-act e2e-servers e2e-release e2e-spokes spdk image tools

build:
	CGO_ENABLED=0 go build -trimpath -ldflags "$(LDFLAGS)" -o bin/dispatcher .

test:
	go test ./...

lint:
	scripts/lint.sh

# Every fuzz target for FUZZTIME each.
fuzz:
	scripts/fuzz.sh $(FUZZTIME)

# Random histories against the oracle of internal/soak: SOAK_HISTORIES of them,
# from the seed SOAK_SEED on, for SOAK_SECONDS at most.
SOAK_HISTORIES ?= 2000
SOAK_SEED      ?= 1
SOAK_SECONDS   ?= 3600
soak: SHELL := /bin/bash
soak: .SHELLFLAGS := -o pipefail -c
soak:
	SOAK_HISTORIES=$(SOAK_HISTORIES) SOAK_SEED=$(SOAK_SEED) SOAK_SECONDS=$(SOAK_SECONDS) \
		go test -count=1 -timeout 3h -v -run 'Test(Soak|Seeds|Histories)$$' ./internal/soak | grep -v '^ *\(=== \|--- PASS: Test[A-Za-z]*/\)'

# The figures of docs/performance.md, measured anew.
bench:
	go test -run '^$$' -bench . ./internal/plan ./internal/gitwire ./internal/relay
	go test -tags bench -count=1 -timeout 60m -v -run TestPerformance ./bench -write

# The whole loop against real servers, in parts that can be run alone: a real Gerrit
# and C git behind nginx, a QEMU guest, images, workflows in Docker, mirrors on Gitea
# and soft-serve, and a release. On a quiet machine with two cores they take about 8,
# 2, 5, 8, 2 and 4 minutes.
E2E := go test -tags e2e -count=1 -v
e2e: e2e-gerrit e2e-guest e2e-images e2e-act e2e-servers e2e-release
e2e-gerrit:
	$(E2E) -timeout 30m -skip '^Test(Act|Guest|Image|SPDK)' ./e2e ./e2e/rig
e2e-guest:
	$(E2E) -timeout 15m -run '^TestGuest' ./e2e
e2e-images:
	$(E2E) -timeout 20m -run '^TestImage' ./e2e
e2e-act:
	$(E2E) -timeout 30m -run '^TestAct' ./e2e
e2e-servers:
	$(E2E) -timeout 20m ./e2e/servers
e2e-release:
	$(E2E) -timeout 20m ./e2e/release

# The same with GitHub's own receive-pack; SPOKES is a checkout of
# github.com/github/spokes-receive-pack, which no registry has.
e2e-spokes:
	E2E_SPOKES=$(abspath $(or $(SPOKES),$(error give SPOKES=FOLDER))) $(E2E) -timeout 20m -run '/^spokes$$' ./e2e/servers

# SPDK itself, from its tree to votes on a real Gerrit: FOLDER has bare repositories
# OWNER+NAME/repo of it, its submodules, fio, liburing and FlameGraph. It takes less
# than an hour of two quiet cores, and 20 GB.
spdk:
	SPDK=$(abspath $(or $(SPDK),$(error give SPDK=FOLDER))) go test -count=1 -v -run '^TestRecipes' .
	E2E_SPDK=$(abspath $(SPDK)) $(E2E) -timeout 12h -run '^TestSPDK$$' ./e2e

image:
	docker build --build-arg VERSION=$(VERSION) -t dispatcher:dev .

# What lint, e2e and bench need beside Go, a JDK, Maven and git.
tools:
	scripts/install-tools.sh
