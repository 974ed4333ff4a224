# unpipc: "make help" lists the targets.
SHELL := /bin/bash
.DEFAULT_GOAL := help
export GOTOOLCHAIN := local

CC ?= cc
CFLAGS ?= -O2 -g
# What every C reference needs; CFLAGS is the caller's to change.
REF_FLAGS := -std=c11 -D_GNU_SOURCE -Wall -Wextra -pthread
REF_LIBS := -lm -lrt
# What the one in file $(1) needs besides: Sun RPC is no longer part of glibc.
ref_own = $(if $(findstring rpc,$(notdir $(realpath $(dir $(1))..))),$(shell pkg-config --cflags --libs libtirpc))

EXERCISES := $(notdir $(wildcard projects/p[0-9][0-9]*))
LECTURES := $(notdir $(wildcard projects/lectures/l[0-9][0-9]*))
# p02fifo -> p02
number = $(shell echo $(1) | cut -c1-3)

.PHONY: help build test check bench demo generate docker docker-test docker-run clean deps ref

help: ## this list
	@echo "usage: make TARGET"; echo
	@sed -nE 's/^([a-zA-Z_%N-]+):.*## (.*)/  \1\t\2/p' $(MAKEFILE_LIST) | expand -t 18
	@echo; echo "exercises: $(EXERCISES)"

# ---- building -----------------------------------------------------------------
build: go-programs c-references ## every program to bin/pNN/, its C reference to bin/pNN/ref/, the suite to bin/

.PHONY: go-programs c-references
go-programs:
	@mkdir -p bin
	@go build -o bin/ ./projects/ipc_suite
	@$(foreach e,$(EXERCISES),go build $(LINK_$(call number,$(e))) -o bin/$(call number,$(e))/ ./projects/$(e)/... &&) true
	@$(if $(LECTURES),go build -o bin/lectures/ ./projects/lectures/...)

# mypipe, submit_job and sysv_client are judged by how fast they start and end: linked
# statically, no loader runs before them. The tags leave out libc's resolver, which pflag
# would bring in by package net.
STATIC := -tags netgo,osusergo -ldflags=-extldflags=-static
LINK_p01 := $(STATIC)
LINK_p04 := $(STATIC)
LINK_p05 := $(STATIC)

# ref_rule SOURCE OUTPUT
define ref_rule
c-references: $(2)
$(2): $(1) $(wildcard $(dir $(1))*.h projects/internal/*/ref/*.h \
	$(if $(findstring rpc,$(1)),projects/p*rpc*/ref/*.h projects/p*rpc*/ref/rpcgen/*))
	@mkdir -p $$(@D)
	@$$(CC) $$(REF_FLAGS) $$(CFLAGS) -o $$@ $$< $$(REF_LIBS) $(call ref_own,$(1))
endef
$(foreach e,$(EXERCISES),$(foreach c,$(wildcard projects/$(e)/ref/*.c),\
	$(eval $(call ref_rule,$(c),bin/$(call number,$(e))/ref/$(basename $(notdir $(c)))))))
$(foreach c,$(wildcard projects/lectures/*/ref/*.c),\
	$(eval $(call ref_rule,$(c),bin/lectures/ref/$(basename $(notdir $(c))))))
$(foreach c,$(wildcard projects/internal/*/ref/*.c),\
	$(eval $(call ref_rule,$(c),bin/ref/$(basename $(notdir $(c))))))

# What benchmarks are compared with, each where its library is: a source in an exercise's
# ref/peers, and the package of pkg-config's, or the header, that it needs.
PEERS := p09reclock/tdb.c:tdb p09reclock/sqlite.c:sqlite3 \
	p13shmimage/vips.c:vips p13shmimage/opencv.cpp:opencv4/opencv2/imgcodecs.hpp \
	p14mmapdb/lmdb.c:lmdb p14mmapdb/sqlite.c:sqlite3 p14mmapdb/reference.c:linux/fs.h \
	p15spsc/boost_spsc.cpp:boost/lockfree/spsc_queue.hpp
# Debian's packages of OpenCV's parts have no file for pkg-config.
PEER_FLAGS_opencv := -I/usr/include/opencv4 -lopencv_imgcodecs -lopencv_imgproc -lopencv_core
PEER.c = $(CC) $(REF_FLAGS) $(CFLAGS)
PEER.cpp = $(CXX) -std=c++17 -pthread $(CFLAGS)

# peer_rule EXERCISE SOURCE NEEDED
define peer_rule
peers: $(or $(OUT),bin)/$(call number,$(1))/peers/$(basename $(2))
$(or $(OUT),bin)/$(call number,$(1))/peers/$(basename $(2)): projects/$(1)/ref/peers/$(2) $(wildcard projects/$(1)/ref/peers/*.h projects/$(1)/ref/*.h projects/internal/*/ref/*.h)
	@mkdir -p $$(@D)
	@$$(PEER$(suffix $(2))) -o $$@ $$< $(if $(findstring /,$(3)),,$$(shell pkg-config --cflags --libs $(3))) $(PEER_FLAGS_$(basename $(2)))
endef
has = $(if $(findstring /,$(1)),$(wildcard /usr/include/$(1)),$(shell pkg-config --exists $(1) 2>/dev/null && echo y))
has_compiler = $(if $(filter %.cpp,$(1)),$(shell command -v $(CXX)),y)
$(foreach e,$(EXERCISES),$(foreach p,$(filter $(e)/%,$(PEERS)),$(foreach source,$(notdir $(firstword $(subst :, ,$(p)))),\
	$(foreach needed,$(lastword $(subst :, ,$(p))),$(if $(and $(call has,$(needed)),$(call has_compiler,$(source))),\
	$(eval $(call peer_rule,$(e),$(source),$(needed))))))))

.PHONY: peers
c-references: peers
peers: # only those: make peers EXERCISES=p15spsc OUT=folder (the tests use it)

ref: # one C reference: make ref REF=source.c OUT=program (the tests use it)
	@$(CC) $(REF_FLAGS) $(CFLAGS) -o $(OUT) $(REF) $(REF_LIBS) $(call ref_own,$(REF))

generate: go-programs ## the tables in the READMEs from the exercises' own descriptions
	@for f in README.md projects/README.md; do \
		bin/ipc_suite list --markdown | sed "s#](p#]($$(test $$f = README.md && echo projects/)p#" >bin/table.md; \
		sed -i -e '/<!-- exercises -->/,/<!-- end -->/{//!d}' -e '/<!-- exercises -->/r bin/table.md' $$f; \
	done; rm bin/table.md

.PHONY: pictures
pictures: build ## the README's pictures and projects/RESULTS.md, from a run of some minutes on this machine
	bin/ipc_suite benchmark --only '^(transfer|lock)' --within 3m --format json -o bin/results.json
	bin/ipc_suite report bin/results.json --md -o projects/RESULTS.md
	UNPIPC_RESULTS=$(CURDIR)/bin/results.json UNPIPC_PICTURES=$(CURDIR)/projects/pictures \
		go test -count=1 -run TestPicturesOfARun ./projects/internal/htmlreport

# ---- checking -----------------------------------------------------------------
test: deps ## all tests, on a machine with nothing but Go, gcc and make
	go vet ./...
	go test -timeout 20m ./...

SANITIZE := -O1 -g -fsanitize=address,undefined -fno-sanitize-recover=all
UBSAN := -fsanitize=undefined -fno-sanitize-recover=all

.PHONY: lint werror race sanitize
check: deps lint werror test race sanitize ## test, race detector, sanitizers over shims and references, linters

lint:
	@test -z "$$(gofmt -l .)" || { gofmt -d .; exit 1; }
	go vet ./...
	go tool staticcheck ./...

werror: # cgo shows warnings on a cache miss only, so they are errors here
	@for c in csrc/*/*.c $(wildcard projects/*/ref/*.c projects/lectures/*/ref/*.c projects/internal/*/ref/*.c); do \
		$(CC) $(REF_FLAGS) -Wshadow -Wstrict-prototypes -Wmissing-declarations -Werror -O2 -Icapi \
			$(shell pkg-config --cflags libtirpc) -c -o /dev/null $$c || exit 1; \
	done

race:
	go test -race -timeout 20m ./...

sanitize:
	go test -asan -timeout 20m ./gobind/...
	CGO_CFLAGS="-O1 -g $(UBSAN)" CGO_LDFLAGS="$(UBSAN)" go test -timeout 20m ./gobind/...
	CFLAGS="$(SANITIZE)" go test -timeout 20m $(addprefix ./projects/,$(addsuffix /...,$(EXERCISES) lectures)) ./projects/internal/...

# ---- using --------------------------------------------------------------------
demo: deps build ## install what is missing, build, measure every mechanism, show the table
	bin/ipc_suite benchmark --all --quick

bench: build ## the benchmark in full: five alternating runs of every row
	bin/ipc_suite benchmark --all

project-%: build
	@bin/ipc_suite run $*

compare-%: build
	@bin/ipc_suite compare $*

lecture-%: build
	@bin/ipc_suite run $@

# Shown by help; the pattern rules above do the work.
project-N: ## play exercise N as a terminal session (make project-1)
	@echo "Which one? make project-1"; exit 2
compare-N: ## exercise N in Go and in C side by side (make compare-1)
	@echo "Which one? make compare-1"; exit 2
lecture-N: ## play program N of the lecture (make lecture-4)
	@echo "Which one? make lecture-4"; exit 2

deps: # what the tests need and a bare machine may lack
	@.ci/deps

# ---- Docker -------------------------------------------------------------------
IMAGE ?= unpipc
# More and larger messages than a container allows by itself, and room in /dev/shm.
DOCKER_RUN := docker run --init --rm $(shell test -t 0 && echo -it) --shm-size 256m \
	--sysctl fs.mqueue.msg_max=1000 --sysctl fs.mqueue.msgsize_max=65536 \
	--sysctl kernel.msgmax=65536 --sysctl kernel.msgmnb=1048576 $(IMAGE)

.PHONY: docker-image
docker-image:
	docker build -t $(IMAGE) .
docker: docker-image ## make demo in the image
	$(DOCKER_RUN) make demo
docker-test: docker-image ## make test in the image
	$(DOCKER_RUN) make test
docker-run: docker-image ## a shell in the image, or CMD="make project-1"
	$(DOCKER_RUN) $(or $(CMD),bash)

clean: ## remove what make built
	rm -rf bin
