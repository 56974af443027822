# Every target sets up what it needs on a bare machine with Go, git and a Docker engine, or root on Debian or Ubuntu.
SHELL := /bin/bash
.DELETE_ON_ERROR:

tool := go tool -modfile=tools/go.mod
lint := go tool -modfile=tools/lint/go.mod

.PHONY: demo test check bench release-dry-run clean engine

demo: engine ## the whole pipeline on this machine, from the example's source to a page that answers
	scripts/tools curl git
	scripts/demo

test: engine ## all tests, on real engines of both kinds
	scripts/tools aws curl git python3 unzip zip
	scripts/base-images
	scripts/engine-containerd
	go test -timeout 30m $$(go list ./... | grep -v /e2e$$)
	go test -timeout 30m ./e2e # alone: the builder that act uses fails where an image goes while it looks for cached ones

check: ## format, vet, linters
	scripts/check-format
	go vet ./...
	$(lint) golangci-lint run
	go test ./infra
	$(tool) actionlint
	cd examples/fullstack && go tool -modfile=../../tools/go.mod actionlint .github/workflows/*.yml

bench: engine ## figures against the peers; WHAT=test for one action's
	scripts/base-images
	scripts/engine-containerd
	go run ./bench $(WHAT)

release-dry-run: engine ## a release of the working tree on this machine alone, and a workflow that uses it
	scripts/tools git
	scripts/base-images
	scripts/engine-containerd
	scripts/release-dry-run

clean: ## takes down whatever the others left up
	scripts/demo clean
	scripts/engine-containerd stop

engine:
	scripts/engine
