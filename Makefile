# axgate: make run and make test are all that is needed on a fresh machine
# with Go and apt-get. What else a target wants it installs itself.

SHELL := /bin/bash
.DEFAULT_GOAL := help
BIN := bin/axgate
SRC := $(shell find . -name '*.go' -not -path './bin/*') go.mod go.sum $(shell find . -name '*.sql' -o -name '*.lua' -o -name '*.wav' -o -name '*.yaml')
# Packages whose tests hold calls with peers on loopback, at the pace of speech.
REALTIME := cmd/axgate|phone|sip|sip/wire|media

# Those and the ones whose tests tell nodes apart by how long they are silent, or measure
# what they load: beside other work they get no more than a core. The longest first.
TIMED := $(REALTIME)|node|roster|bench/calls|bench/load|bench/relay
LONGEST := ./sip ./cmd/axgate ./node

# Packages whose tests mostly wait for the disk and the databases, the longest first.
WAITING := ./provision ./ledger ./lookup ./events ./journal ./sms ./api/binding

# The race detector watches our code and all libraries but the two packages that
# are SQLite and its C library translated to Go, and those of the Lua that the embedded
# Redis runs, which are many times slower when watched. No more than those: packages
# beside them instantiate generic code of the standard library, and it would go
# unwatched with them. What it watches is not vetted once more: make lint did.
RACE := -race -vet=off -gcflags=modernc.org/sqlite/lib=-race=false -gcflags=modernc.org/libc=-race=false -gcflags=github.com/yuin/gopher-lua/...=-race=false

# Debian packages the end-to-end tests need, as package:program.
PEERS := build-essential:gcc redis-server:redis-server sip-tester:sipp baresip-core:baresip linphone-cli:linphone-daemon tcpdump:tcpdump \
	postgresql:pg_ctlcluster python3:python3 php-cli:php nodejs:node default-jdk-headless:javac kamailio:kamailio \
	kamailio-tls-modules:/usr/lib/$(shell uname -m)-linux-gnu/kamailio/modules/tls.so sipsak:sipsak sipvicious:svmap

# Those that bench-peers needs.
RIVALS := redis-server:redis-server kamailio:kamailio kamailio-redis-modules:/usr/lib/$(shell uname -m)-linux-gnu/kamailio/modules/ndb_redis.so rtpengine-daemon:rtpengine

.PHONY: help
help: ## what there is to make
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*##/\t/' | expand -t 14

.PHONY: run
run: $(BIN) ## start the lab: one masked call is made and shown, then it serves softphones
	$(BIN) lab

.PHONY: build
build: $(BIN) ## build bin/axgate
$(BIN): $(SRC)
	@echo "building $@: the first time takes some minutes"
	go build -o $@ ./cmd/axgate

.PHONY: test
test: peers lint whole e2e ## everything: format, vet, staticcheck, all tests with -race, end-to-end tests

.PHONY: lint
lint: ## gofmt, go vet, staticcheck
	@out=$$(gofmt -l $$(git ls-files '*.go')); if [ -n "$$out" ]; then echo "not gofmt-ed:"; echo "$$out"; exit 1; fi
	go vet ./...
	go vet -tags e2e ./e2e/...
	go tool staticcheck ./...

.PHONY: unit
unit: ## the tests that need no Redis, PostgreSQL or peer that talks in real time, in seconds
	go test -short $$(go list ./... | grep -vE '/($(REALTIME))$$')

.PHONY: whole
whole: peers ## all tests but the end-to-end ones, with the race detector, a real redis-server and PostgreSQL
	go test $(RACE) -p 4 $(WAITING) $$(go list ./... | grep -vE '/($(TIMED))$$')
	go test $(RACE) -p 2 $(LONGEST) $$(go list ./... | grep -E '/($(TIMED))$$')

.PHONY: e2e
e2e: peers $(BIN) ## end-to-end tests with sipp, baresip, linphone and a real redis-server
	go test -tags e2e -vet=off -count=1 -timeout 20m ./e2e # alone: its calls are heard in real time
	go test -tags e2e -vet=off -count=1 -timeout 20m $$(go list -tags e2e ./e2e/... | grep -vE '/(e2e|survive|chaos)$$')
	go test -tags e2e -vet=off -count=1 -timeout 20m -p 1 ./e2e/survive ./e2e/chaos

.PHONY: soak
soak: peers ## a long call for SOAK_TALK (31m; off: none) and SOAK_CALLS (3000) short ones, then nothing may be left; ATTACK (1m) of strangers
	AXGATE_SOAK_TALK=$${SOAK_TALK:-31m} AXGATE_SOAK_CALLS=$${SOAK_CALLS:-3000} AXGATE_ATTACK=$${ATTACK:-1m} \
		go test -tags e2e -count=1 -v -timeout 24h -run '^(TestSoak.*|TestAttack)$$' ./e2e

.PHONY: chaos
chaos: peers ## every fault of Redis, PostgreSQL, disk, clock, receiver and nodes under traffic, then the table; SEED=n repeats a row of random ones
	AXGATE_CHAOS=full AXGATE_CHAOS_SEED=$${SEED:-} go test -tags e2e -count=1 -v -timeout 60m -parallel $${PARALLEL:-3} ./e2e/chaos
	AXGATE_SURVIVE_CALLS=$${CALLS:-100} go test -tags e2e -count=1 -v -timeout 10m -run '^TestNode(Killed|Stopped)$$' ./e2e/survive

# Packages with benchmarks of what calls, texts and changes go through.
HOT := routing area media sip sms events journal ledger

.PHONY: bench
bench: peers $(BIN) ## Go benchmarks of the hot paths, then two minutes of calls through the running product, recorded and not: FOR=5s
	go test -run '^$$' -bench . -benchmem -timeout 30m $(HOT:%=./%/...)
	go run ./bench/calls --rows signal,media --modes AXB --calls 300 --build 100 --pairs 2000 --for $${FOR:-5s}

.PHONY: bench-api
bench-api: peers ## binds per second over HTTP with 1, 8 and 64 clients, on SQLite and PostgreSQL
	go run ./bench/api --for $${FOR:-5s}

.PHONY: bench-calls
bench-calls: peers $(BIN) ## what calls cost the running product: CPU, delays, speed, memory; ROWS=media,signal,speed,once,sets, on a quiet machine
	go run ./bench/calls $${ROWS:+--rows $$ROWS} --for $${FOR:-30s} --json $${JSON:-bin/bench-calls.json}

.PHONY: bench-decide
bench-decide: peers ## what the decision about a call costs by itself: CPU here and in Redis, decisions per second, bytes of a binding; SETS=1000,5000000 MODE=AXB
	go run ./bench/decide --cache-only --mode $${MODE:-AXB} --sets $${SETS:-1000,100000,1000000} --for $${FOR:-5s}

.PHONY: bench-peers
bench-peers: rivals $(BIN) ## what calls cost axgate, Kamailio + Redis + rtpengine, and a bare relay, in one run: ROUNDS=3 FOR=8s ROWS=media,signal,speed,once RATES=100,1000
	go run ./bench/calls --systems $${SYSTEMS:-axgate,kamailio,relay} --rounds $${ROUNDS:-3} --rows $${ROWS:-media,signal,speed,once} --modes AXB \
		--rates $${RATES:-100,1000} --fine 0.125 --speed 1000 --once 900 --build $${BUILD:-100} --for $${FOR:-8s} --json $${JSON:-bin/bench-peers.json}

.PHONY: fuzz
fuzz: ## each fuzz target for FUZZTIME (default 60s)
	@for pkg in $$(go list ./...); do for f in $$(go test -list '^Fuzz' $$pkg | grep '^Fuzz' || true); do \
		echo "== $$pkg $$f"; go test -run '^$$' -fuzz "^$$f$$" -fuzztime $${FUZZTIME:-60s} -fuzzminimizetime 5x $$pkg || exit 1; done; done

.PHONY: peers
peers: ## install the Debian packages that tests need, where missing
	@$(call install,$(PEERS))

.PHONY: rivals
rivals: ## install the Debian packages that bench-peers needs, where missing
	@$(call install,$(RIVALS))

# install installs those packages of a list, each as package:program or
# package:file, whose program or file is not there. A service that comes with one
# of them is neither started now nor at the next boot.
define install
missing=""; PATH="$$PATH:/usr/sbin"; for p in $(1); do [ -f "$${p#*:}" ] || command -v $${p#*:} >/dev/null 2>&1 || missing="$$missing $${p%%:*}"; done; \
	if [ -n "$$missing" ]; then \
		echo "installing:$$missing"; sudo=; [ $$(id -u) = 0 ] || sudo=sudo; policy=/usr/sbin/policy-rc.d; \
		if ! [ -e $$policy ]; then printf '#!/bin/sh\nexit 101\n' | $$sudo tee $$policy >/dev/null && $$sudo chmod 755 $$policy && trap "$$sudo rm -f $$policy" EXIT; fi; \
		$$sudo apt-get update -qq && DEBIAN_FRONTEND=noninteractive $$sudo apt-get install -y -qq --no-install-recommends $$missing >/dev/null || exit 1; \
		for s in $$missing; do ! command -v systemctl >/dev/null 2>&1 || $$sudo systemctl disable -q $$s 2>/dev/null || true; done; fi
endef

.PHONY: clean
clean: ## remove what was built and the lab's data
	rm -rf bin axgate-data e2e/out
