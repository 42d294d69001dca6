# SPDX-License-Identifier: GPL-2.0-only
#
# The userland: libmk, libspawn, mkctl and their unit tests. Included by the
# top Makefile; also works alone: make -f userland.mk userland
#
# Every object is compiled twice: plain for what is installed, and with the
# sanitizers for the unit tests.

O ?= out
MK_VERSION_BASE := 0.1.0
MK_GIT_VERSION := $(shell git describe --always --dirty 2>/dev/null)
MK_VERSION := $(MK_VERSION_BASE)$(addprefix -,$(MK_GIT_VERSION))

UL_CC ?= $(CC)
UL_CFLAGS := -std=gnu11 -O2 -g -D_GNU_SOURCE -D_FILE_OFFSET_BITS=64 \
	-Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes \
	-Werror -MMD -MP -Iinclude -Iinclude/uapi
UL_SANITIZE := -fsanitize=address,undefined -fno-sanitize-recover=all \
	-fno-omit-frame-pointer
UL_LIBS := -ljson-c -lfdt

UL_LIBMK_SRC := $(wildcard libmk/*.c)
UL_SPAWN_SRC := $(wildcard spawn/*.c)
UL_MKCTL_SRC := $(wildcard mkctl/*.c)
UL_TEST_SRC := $(wildcard tests/unit/test_*.c)
# What several tests need: tests/unit/*.c that are no tests themselves.
UL_TESTLIB_SRC := $(filter-out $(UL_TEST_SRC),$(wildcard tests/unit/*.c))
# Behind include/uapi: the rings are tested as the kernel compiles them, and
# both folders have a linux/multikernel.h.
UL_TEST_CFLAGS := -idirafter kernel/src/include -pthread
UL_TEST_WRAP := -Wl,--wrap=ioctl,--wrap=syscall

# One short line for each command, or with V=1 the command itself.
UL_Q := $(if $(V),,@)
ul_say = $(if $(V),,@echo '  $(1)  $@')

ul_obj = $(patsubst %.c,$(O)/obj/%.o,$(1))
ul_asan = $(patsubst %.c,$(O)/obj/asan/%.o,$(1))

UL_LIBMK_ASAN := $(call ul_asan,$(UL_LIBMK_SRC))
UL_SPAWN_ASAN := $(call ul_asan,$(UL_SPAWN_SRC))
UL_TESTLIB_ASAN := $(call ul_asan,$(UL_TESTLIB_SRC))
UL_TESTS := $(patsubst tests/unit/%.c,$(O)/tests/unit/%,$(UL_TEST_SRC))

# Objects of tests are no intermediate files to be removed.
.SECONDARY:

.PHONY: userland unit-tests run-unit-tests run-cli-tests userland-clean

userland: $(O)/lib/libmk.a $(O)/lib/libspawn.a $(O)/bin/mkctl

$(O)/lib/libmk.a: $(call ul_obj,$(UL_LIBMK_SRC))
$(O)/lib/libspawn.a: $(call ul_obj,$(UL_SPAWN_SRC))
$(O)/lib/%.a:
	@mkdir -p $(@D)
	$(call ul_say,AR)
	$(UL_Q)rm -f $@
	$(UL_Q)$(AR) rcsD $@ $^

# Static: it goes into initramfs images that have no libc.
$(O)/bin/mkctl: $(call ul_obj,$(UL_MKCTL_SRC)) $(O)/lib/libspawn.a \
		$(O)/lib/libmk.a
	@mkdir -p $(@D)
	$(call ul_say,LINK)
	$(UL_Q)$(UL_CC) -static $(LDFLAGS) -o $@ $^ $(UL_LIBS)

$(O)/obj/%.o: %.c
	@mkdir -p $(@D)
	$(call ul_say,CC)
	$(UL_Q)$(UL_CC) $(UL_CFLAGS) $(CFLAGS) -c -o $@ $<

$(O)/obj/asan/%.o: %.c
	@mkdir -p $(@D)
	$(call ul_say,CC)
	$(UL_Q)$(UL_CC) $(UL_CFLAGS) -Ispawn $(UL_SANITIZE) -c -o $@ $<

$(O)/obj/asan/tests/unit/%.o: UL_CFLAGS += $(UL_TEST_CFLAGS)

# The version is in one object each; they are made again when it changes.
$(O)/obj/spawn/version.o $(O)/obj/asan/spawn/version.o: \
	UL_CFLAGS += -DMK_VERSION='"$(MK_VERSION)"'
$(O)/obj/spawn/version.o $(O)/obj/asan/spawn/version.o: $(O)/obj/version.txt
$(O)/obj/version.txt: FORCE
	@mkdir -p $(@D)
	@echo '$(MK_VERSION)' | cmp -s - $@ || echo '$(MK_VERSION)' > $@
.PHONY: FORCE
FORCE:

# mkctl on a pretended kernel, for tests/cli: see tests/unit/fake_kernel.h.
$(O)/tests/bin/mkctl-fake: $(call ul_asan,$(UL_MKCTL_SRC)) \
		$(UL_TESTLIB_ASAN) $(UL_SPAWN_ASAN) $(UL_LIBMK_ASAN)
	@mkdir -p $(@D)
	$(call ul_say,LINK)
	$(UL_Q)$(UL_CC) $(UL_SANITIZE) $(UL_TEST_WRAP) -o $@ $^ $(UL_LIBS)

$(O)/tests/unit/%: $(O)/obj/asan/tests/unit/%.o $(UL_TESTLIB_ASAN) \
		$(UL_SPAWN_ASAN) $(UL_LIBMK_ASAN)
	@mkdir -p $(@D)
	$(call ul_say,LINK)
	$(UL_Q)$(UL_CC) $(UL_SANITIZE) $(UL_TEST_WRAP) -pthread -o $@ $^ -lcmocka $(UL_LIBS)

unit-tests: $(UL_TESTS) $(O)/tests/bin/mkctl-fake

run-unit-tests: unit-tests
	@set -e; for t in $(UL_TESTS); do \
		echo "== $$t"; $$t; \
	done

run-cli-tests: userland unit-tests
	MKCTL=$(abspath $(O)/bin/mkctl) \
	MKCTL_FAKE=$(abspath $(O)/tests/bin/mkctl-fake) \
		bats tests/cli

userland-clean:
	rm -rf $(O)/obj/libmk $(O)/obj/spawn $(O)/obj/mkctl $(O)/obj/asan \
		$(O)/lib $(O)/bin/mkctl $(O)/tests/unit $(O)/tests/bin

-include $(wildcard $(O)/obj/*/*.d $(O)/obj/asan/*/*.d \
	$(O)/obj/asan/tests/unit/*.d)
