# The commands that people and .ci/run use. `make` alone builds.

VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null)
LDFLAGS := -s -w -X github.com/spdk-community-ci/dispatcher/internal/app.linkedVersion=$(VERSION)
TAGS    := e2e,bench
FUZZTIME ?= 30s

.PHONY: build test lint fuzz bench e2e image tools

build:
	CGO_ENABLED=0 go build -trimpath -ldflags "$(LDFLAGS)" -o bin/dispatcher .

test:
	go test ./...

lint:
	scripts/lint.sh

# Every fuzz target for FUZZTIME each.
fuzz:
	scripts/fuzz.sh $(FUZZTIME)

# The figures of docs/performance.md, measured anew.
bench:
	go test -run '^$$' -bench . ./internal/plan ./internal/gitwire ./internal/relay
	go test -tags bench -count=1 -timeout 60m -v -run TestPerformance ./bench -write

# The whole loop against a real Gerrit and C git behind nginx.
e2e:
	go test -tags e2e -count=1 -timeout 40m -v ./e2e/...

image:
	docker build --build-arg VERSION=$(VERSION) -t dispatcher:dev .

# What lint, e2e and bench need beside Go, a JDK, Maven and git.
tools:
	scripts/install-tools.sh
