# unpipc: "make help" lists the targets.
SHELL := /bin/bash
.DEFAULT_GOAL := help
export GOTOOLCHAIN := local

CC ?= cc
CFLAGS ?= -O2 -g
# What every C reference needs; CFLAGS is the caller's to change.
REF_FLAGS := -std=c11 -D_GNU_SOURCE -Wall -Wextra -pthread
REF_LIBS := -lm -lrt

EXERCISES := $(notdir $(wildcard projects/p[0-9][0-9]*))
# p02fifo -> p02
number = $(shell echo $(1) | cut -c1-3)
folder_of = $(firstword $(wildcard projects/p$(shell printf %02d $(1))*))

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
	go build -o bin/ ./projects/ipc_suite
	@set -e; for e in $(EXERCISES); do go build -o bin/$${e:0:3}/ ./projects/$$e/...; done

# ref_rule SOURCE OUTPUT
define ref_rule
c-references: $(2)
$(2): $(1) $(wildcard $(dir $(1))*.h)
	@mkdir -p $$(@D)
	$$(CC) $$(REF_FLAGS) $$(CFLAGS) -o $$@ $$< $$(REF_LIBS)
endef
$(foreach e,$(EXERCISES),$(foreach c,$(wildcard projects/$(e)/ref/*.c),\
	$(eval $(call ref_rule,$(c),bin/$(call number,$(e))/ref/$(basename $(notdir $(c)))))))
$(foreach c,$(wildcard projects/internal/*/ref/*.c),\
	$(eval $(call ref_rule,$(c),bin/ref/$(basename $(notdir $(c))))))

ref: # one C reference: make ref REF=source.c OUT=program (the tests use it)
	@$(CC) $(REF_FLAGS) $(CFLAGS) -o $(OUT) $(REF) $(REF_LIBS)
