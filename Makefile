# SPDX-License-Identifier: GPL-2.0-only
#
# The entry to everything: `make help`. Every target first sees to it that the
# packages it needs are there (tools/deps), then runs make again for the work,
# so that userland.mk may ask pkg-config and the like while it is read.
#
#   O=DIR      where all results go (default: out)
#   KSRC=PATH  kernel source: any 6.12.y tree, or linux-source-6.12.tar.xz
#   DEBUG=1    of kernel: with KASAN, lockdep, kmemleak and checks for sleeping
#   V=1        show the commands of the userland build

MAKEFLAGS += --no-print-directory
SHELL := /bin/bash

O ?= out
override O := $(abspath $(O))
export MK_T0 := $(or $(MK_T0),$(shell date +%s%6N))

PUBLIC := demo check check-long check-debug mutants shell kernel kernels userland \
	series install initramfs unit-tests fuzzers run-unit-tests lint

.DEFAULT_GOAL := help
.PHONY: $(PUBLIC) deps help clean distclean

ifndef MK_INNER

$(PUBLIC): deps
	+@$(MAKE) MK_INNER=1 O=$(O) $@

deps: ## install the Debian packages that are missing
	@tools/deps

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' \
		Makefile userland.mk | LC_ALL=C sort -u
	@echo
	@sed -n 's/^#   \([A-Z]*=.*\)/  \1/p' Makefile

clean: ## remove what was built; keep kernel objects and results of long runs
	rm -rf $(O)/bin $(O)/examples $(O)/lib $(O)/man $(O)/obj $(O)/tests $(O)/boot \
		$(O)/log $(O)/demo $(O)/shell $(O)/demo.json

distclean: ## remove everything that was built
	rm -rf $(O)

else # MK_INNER

-include userland.mk

STAGE := tools/stage -d $(O)/log
KMAKE := $(MAKE) -C kernel O=$(O) $(if $(KSRC),KSRC=$(KSRC))
# Kernels that tests start as instances, in all forms
FORMATS := formats-b formats-rt formats-kaslr formats-kasan

kernel: ## build the host's kernel (variant a; variant debug with DEBUG=1)
	+@$(KMAKE) $(if $(filter 1,$(DEBUG)),debug,a)

kernels: ## build both kernels of demo and tests, and the test modules
	+@$(KMAKE) modules-a modules-b

series: ## write the kernel work as a mailing list series, out/kernel/series
	+@$(KMAKE) series

# Files that the machine of demo and tests boots from, see spawn/guest/pack
initramfs: kernels ## kernels, userland, and the files that the machine boots from
	+@$(STAGE) "userland: build" userland $(MAKE) userland
	@spawn/guest/pack $(O)

tests-build: initramfs
	+@$(STAGE) "tests: build" unit-tests $(MAKE) unit-tests fuzzers

demo: initramfs ## boot a machine with two instances, break one, take it back
	@tools/demo -o $(O)

shell: initramfs ## a shell on such a machine, with mkctl and examples
	@tools/shell -o $(O)

check: tests-build ## all tests: lint, unit, command line, fuzzers, real kernels
	+@$(KMAKE) $(FORMATS) off
	@tests/run -o $(O)

check-long: tests-build ## check and what takes hours; goes on after a break (docs/long-runs.md)
	+@$(KMAKE) $(FORMATS) off
	+@tests/vm/other-source $(O)
	@tests/run -o $(O) -l

check-debug: tests-build ## tests on real kernels with KASAN, lockdep, kmemleak; goes on after a break
	+@$(KMAKE) modules-debug $(FORMATS)
	@spawn/guest/pack -d $(O)
	@tests/run -o $(O) -d

mutants: initramfs ## break the code in many ways, and see that tests find out
	@tests/mutants/run -o $(O)

lint: ## rules for files: licence lines, sizes, scripts
	@tests/lint $(O)

endif
