# make run and make test are all a fresh machine needs; both fetch what they lack.

.DEFAULT_GOAL := help

GO ?= go
LINT := $(GO) tool -modfile=.tools/go.mod golangci-lint
WITH_POSTGRES := $(GO) run ./tenants/testdb/with
# Everything is watched by the race detector but what computes alone and would take three times as long (argon2, and the libraries that
# go through long texts letter by letter) and the browser journeys: the program they talk to is watched in the tests of server, and
# watched it would keep their browser waiting.
UNWATCHED := golang.org/x/crypto/argon2 regexp regexp/syntax strings unicode unicode/utf8
JOURNEYS := github.com/pehchan/pehchan/e2e
# Nor is it vetted package by package: make lint does that for all of them at once.
TEST := $(GO) test -vet=off -timeout 15m
WATCHED_TEST := $(TEST) -race $(UNWATCHED:%=-gcflags=%=-race=false)

# What a run or a test is given besides: make run ARGS=--no-demo, make test PKG=./server/...
ARGS ?=
PKG ?= ./...
FUZZTIME ?= 1m

.PHONY: help
help: ## print these targets
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "  make %-18s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: run
run: build ## build and run it all, with a demo, on a PostgreSQL of its own
	./bin/pehchan run $(ARGS)

.PHONY: build
build: ## build bin/pehchan, static
	CGO_ENABLED=0 $(GO) build -buildvcs=false -trimpath -ldflags='-s -w' -tags netgo -o bin/pehchan ./server/cmd/pehchan

.PHONY: test
test: install-test-deps fresh ## run every test, with the race detector and a real PostgreSQL
	$(WITH_POSTGRES) -- $(MAKE) --no-print-directory --keep-going watched journeys

# What go list says of PKG, each on a line; the journeys come last, as they take the whole machine by themselves.
.PHONY: watched
watched:
	@all=$$($(GO) list $(PKG)) && some=$$(echo "$$all" | sed '\,^$(JOURNEYS)$$,d') && { [ -z "$$some" ] || $(WATCHED_TEST) $$some; }

.PHONY: journeys
journeys:
	@all=$$($(GO) list $(PKG)) && { ! echo "$$all" | grep -qx '$(JOURNEYS)' || $(TEST) $(JOURNEYS); }

.PHONY: e2e
e2e: install-test-deps ## run the browser journeys only
	$(WITH_POSTGRES) -- $(TEST) -count 1 -v $(JOURNEYS)

.PHONY: fuzz
fuzz: ## look for what breaks the parser and the resolver, each for FUZZTIME (FUZZTIME=1m)
	$(GO) test ./tenants/whatsapp -run '^$$' -fuzz '^FuzzSplitAndParse$$' -fuzztime $(FUZZTIME)
	$(GO) test ./tenants/whatsapp -run '^$$' -fuzz '^FuzzNeighbours$$' -fuzztime $(FUZZTIME)
	$(WITH_POSTGRES) -- $(GO) test ./tenants/identity -run '^$$' -fuzz '^FuzzResolve$$' -fuzztime $(FUZZTIME)
	$(WITH_POSTGRES) -- $(GO) test ./tenants/identity -run ComeTo -rapid.checks 2000 -rapid.seed 0 -timeout 1h

.PHONY: bench
bench: ## measure, on a PostgreSQL that syncs to disk, and print one table (SCALE=0.1; the goals are for 1)
	$(GO) run ./e2e/bench $(ARGS)

.PHONY: accuracy
accuracy: ## run made-up worlds against the whole product and count how often it is right (ARGS=-quick)
	$(GO) run ./e2e/accuracy $(ARGS)

.PHONY: replies
replies: ## have agents answer at random moments in made-up towns, and count what went to anybody else (ARGS="-replies 1000000")
	$(GO) test ./tenants/outbox -count=1 -run '^TestNoReply' -v -timeout 0 $(if $(ARGS),-args $(ARGS))

.PHONY: lint
lint: ## look for mistakes (.golangci.yml)
	$(LINT) run $(PKG)

.PHONY: fmt
fmt: ## format Go and templ
	$(GO) tool templ fmt views
	$(LINT) fmt

.PHONY: generate
generate: ## write *_templ.go from *.templ
	$(GO) tool templ generate -path views

.PHONY: css
css: ## build static/dist; needs Node
	.ci/npm-install static
	cd static && npm run build

.PHONY: fresh
fresh: ## fail when *_templ.go or static/dist is not what its source gives
	@GO=$(GO) .ci/fresh

.PHONY: ci
ci: ## what CI runs
	.ci/run

.PHONY: install-test-deps
install-test-deps: ## install the browser and the font the journeys need, where missing
	@GO=$(GO) .ci/test-deps

.PHONY: vuln
vuln: ## look for known vulnerabilities; needs the database's site
	@$(GO) run golang.org/x/vuln/cmd/govulncheck@v1.8.0 ./... || \
		{ echo "vulnerabilities were found, or their database could not be reached: see above" >&2; exit 1; }

.PHONY: docker
docker: ## build the container image pehchan
	docker build -t pehchan .

.PHONY: clean
clean: ## remove what was built; the data of make run stays
	rm -rf bin static/node_modules
