# SPDX-License-Identifier: GPL-2.0-only
#
# The userland: libmk, libspawn, mkctl, their unit tests and fuzzers. Included
# by the top Makefile; also works alone: make -f userland.mk userland
#
# Every object is compiled twice: plain for what is installed, and with the
# sanitizers for the unit tests; what is fuzzed once more, by clang.

O ?= out
MK_VERSION_BASE := 0.1.0
MK_GIT_VERSION := $(shell git describe --always --dirty 2>/dev/null)
MK_VERSION := $(MK_VERSION_BASE)$(addprefix -,$(MK_GIT_VERSION))

UL_CC ?= $(CC)
# -MD, not -MMD: the headers of kernel/src are searched as if they were the system's
UL_CFLAGS := -std=gnu11 -O2 -g -D_GNU_SOURCE -D_FILE_OFFSET_BITS=64 \
	-Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes \
	-Werror -MD -MP -Iinclude -Iinclude/uapi
UL_SANITIZE := -fsanitize=address,undefined -fno-sanitize-recover=all \
	-fno-omit-frame-pointer
UL_LIBS := -ljson-c -lfdt -lhwloc -lcpuset -lbitmask -lzstd
# A static hwloc: see spawn/static/hwloc.c
UL_STATIC_SRC := $(wildcard spawn/static/*.c)
UL_STATIC_WRAP := -Wl,--wrap=dlopen,--wrap=dlsym,--wrap=dlclose,--wrap=dlerror
UL_FUZZ_CC ?= clang
UL_FUZZ_SANITIZE := -fsanitize=address,undefined -fno-sanitize-recover=all

UL_LIBMK_SRC := $(wildcard libmk/*.c)
UL_SPAWN_SRC := $(wildcard spawn/*.c)
UL_MKCTL_SRC := $(wildcard mkctl/*.c)
UL_TEST_SRC := $(wildcard tests/unit/test_*.c)
# What several tests need: tests/unit/*.c that are no tests themselves.
UL_TESTLIB_SRC := $(filter-out $(UL_TEST_SRC),$(wildcard tests/unit/*.c))
# Behind include/uapi: the rings are tested as the kernel compiles them, and
# both folders have a linux/multikernel.h.
UL_TEST_CFLAGS := -idirafter kernel/src/include -pthread
UL_TEST_WRAP := -Wl,--wrap=ioctl,--wrap=syscall \
	-Wl,--wrap=sched_getaffinity,--wrap=sched_setaffinity

# Of the headers that kernels share: these tests and fuzzers need no library of
# ours, and are built from their own source alone.
UL_ALONE := $(wildcard $(foreach t,logring logring_takeover ring ring_sim \
	ring_threads stream stream_sim,tests/unit/test_$(t).c))
UL_FUZZ_ALONE := $(wildcard $(foreach t,logring ring stream,tests/fuzz/fuzz_$(t).c))

# Unit tests that also run under ThreadSanitizer, as NAME-tsan.
UL_TSAN_TESTS := $(O)/tests/unit/test_ring_threads-tsan
# Unit tests that also run with counted lines: `tests/run coverage`
UL_COV_TESTS := $(patsubst tests/unit/%.c,$(O)/tests/coverage/%, \
	$(filter %/test_ring.c %/test_stream.c,$(UL_ALONE)))

UL_FUZZERS := $(patsubst tests/fuzz/%.c,$(O)/tests/fuzz/%,$(wildcard tests/fuzz/fuzz_*.c))

# Programs of the examples, one from each source file: OUT/examples/NAME/PROGRAM
UL_EXAMPLES := $(patsubst examples/%.c,$(O)/examples/%,\
	$(wildcard $(addprefix examples/,$(addsuffix /*.c,ping zero-copy tunnel))))

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

.PHONY: userland unit-tests fuzzers run-unit-tests run-cli-tests \
	userland-clean install

userland: $(O)/lib/libmk.a $(O)/lib/libspawn.a $(O)/bin/mkctl $(UL_EXAMPLES) ## build mkctl and the libraries

$(O)/lib/libmk.a: $(call ul_obj,$(UL_LIBMK_SRC))
$(O)/lib/libspawn.a: $(call ul_obj,$(UL_SPAWN_SRC))
$(O)/lib/%.a:
	@mkdir -p $(@D)
	$(call ul_say,AR)
	$(UL_Q)rm -f $@
	$(UL_Q)$(AR) rcsD $@ $^

# Static: it goes into initramfs images that have no libc.
$(O)/bin/mkctl: $(call ul_obj,$(UL_MKCTL_SRC) $(UL_STATIC_SRC)) \
		$(O)/lib/libspawn.a $(O)/lib/libmk.a
	@mkdir -p $(@D)
	$(call ul_say,LINK)
	$(UL_Q)$(UL_CC) -static $(LDFLAGS) $(UL_STATIC_WRAP) -o $@ $^ \
		$(UL_LIBS) -lm

# Static as well: they run in instances
$(O)/examples/%: $(O)/obj/examples/%.o $(O)/lib/libmk.a
	@mkdir -p $(@D)
	$(call ul_say,LINK)
	$(UL_Q)$(UL_CC) -static -s $(LDFLAGS) -o $@ $^

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
UL_VERSION_OBJ := $(foreach d,obj obj/asan obj/fuzz,$(O)/$(d)/spawn/version.o)
$(UL_VERSION_OBJ): UL_CFLAGS += -DMK_VERSION='"$(MK_VERSION)"'
$(UL_VERSION_OBJ): $(O)/obj/version.txt
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

$(patsubst tests/unit/%.c,$(O)/tests/unit/%,$(UL_ALONE)): \
		$(O)/tests/unit/%: $(O)/obj/asan/tests/unit/%.o
	@mkdir -p $(@D)
	$(call ul_say,LINK)
	$(UL_Q)$(UL_CC) $(UL_SANITIZE) -pthread -o $@ $^ -lcmocka

# Functions that nobody calls count too
$(O)/tests/coverage/%: tests/unit/%.c
	@mkdir -p $(@D) $(O)/obj/coverage
	$(call ul_say,LINK)
	$(UL_Q)rm -f $@*
	$(UL_Q)$(UL_CC) $(UL_CFLAGS) $(UL_TEST_CFLAGS) -MF $(O)/obj/coverage/$*.d \
		-O0 --coverage -fkeep-inline-functions -fkeep-static-functions \
		-o $@ $< -lcmocka

$(O)/tests/unit/%-tsan: tests/unit/%.c
	@mkdir -p $(@D) $(O)/obj/tsan
	$(call ul_say,LINK)
	$(UL_Q)$(UL_CC) $(UL_CFLAGS) $(UL_TEST_CFLAGS) -MF $(O)/obj/tsan/$*.d \
		-fsanitize=thread -o $@ $< -lcmocka

# Fuzzers, by libFuzzer: `tests/run fuzz`
$(O)/obj/fuzz/%.o: %.c
	@mkdir -p $(@D)
	$(call ul_say,CC)
	$(UL_Q)$(UL_FUZZ_CC) $(UL_CFLAGS) -O1 -idirafter kernel/src/include \
		-fsanitize=fuzzer-no-link $(UL_FUZZ_SANITIZE) -c -o $@ $<

$(O)/obj/fuzz/libs.a: $(patsubst %.c,$(O)/obj/fuzz/%.o,$(UL_SPAWN_SRC) $(UL_LIBMK_SRC))
	$(call ul_say,AR)
	$(UL_Q)rm -f $@
	$(UL_Q)$(AR) rcsD $@ $^

$(O)/tests/fuzz/%: $(O)/obj/fuzz/tests/fuzz/%.o $(O)/obj/fuzz/libs.a
	@mkdir -p $(@D)
	$(call ul_say,LINK)
	$(UL_Q)$(UL_FUZZ_CC) -fsanitize=fuzzer $(UL_FUZZ_SANITIZE) -o $@ $^ \
		$(UL_LIBS)

$(patsubst tests/fuzz/%.c,$(O)/tests/fuzz/%,$(UL_FUZZ_ALONE)): \
		$(O)/tests/fuzz/%: $(O)/obj/fuzz/tests/fuzz/%.o
	@mkdir -p $(@D)
	$(call ul_say,LINK)
	$(UL_Q)$(UL_FUZZ_CC) -fsanitize=fuzzer $(UL_FUZZ_SANITIZE) -o $@ $^

unit-tests: $(UL_TESTS) $(UL_TSAN_TESTS) $(UL_COV_TESTS) $(O)/tests/bin/mkctl-fake

fuzzers: $(UL_FUZZERS)

run-unit-tests: unit-tests
	@set -e; for t in $(UL_TESTS) $(UL_TSAN_TESTS); do \
		echo "== $$t"; $$t; \
	done

run-cli-tests: userland unit-tests
	MKCTL=$(abspath $(O)/bin/mkctl) \
	MKCTL_FAKE=$(abspath $(O)/tests/bin/mkctl-fake) \
		bats tests/cli

userland-clean:
	rm -rf $(O)/examples $(O)/obj/examples \
		$(O)/obj/libmk $(O)/obj/spawn $(O)/obj/mkctl $(O)/obj/asan \
		$(O)/obj/tsan $(O)/obj/coverage $(O)/obj/fuzz $(O)/lib \
		$(O)/man $(O)/bin/mkctl $(O)/tests/unit $(O)/tests/coverage \
		$(O)/tests/bin $(O)/tests/fuzz/fuzz_*

# The manual page; needs no more than its source.
$(O)/man/%: man/%.scd
	@mkdir -p $(@D)
	$(call ul_say,MAN)
	$(UL_Q)scdoc < $< > $@.new
	$(UL_Q)mv $@.new $@

# Installed below PREFIX, in DESTDIR if that is set. The kernel's header goes
# into a folder of its own: include/linux belongs to the C library's package.
PREFIX ?= /usr/local
UL_DEST = $(DESTDIR)$(PREFIX)
UL_INSTALL := install -D -m 644
UL_INSTALL_HEADERS := error.h libmk.h util.h

install: userland $(O)/man/mkctl.1 ## mkctl, libmk, manual page, completion, examples; PREFIX=, DESTDIR=
	$(UL_Q)install -D -m 755 $(O)/bin/mkctl $(UL_DEST)/sbin/mkctl
	$(UL_Q)$(UL_INSTALL) $(O)/lib/libmk.a $(UL_DEST)/lib/libmk.a
	$(UL_Q)install -d $(UL_DEST)/lib/pkgconfig
	$(UL_Q)sed -e 's|@prefix@|$(PREFIX)|' -e 's|@version@|$(MK_VERSION_BASE)|' \
		libmk/libmk.pc.in > $(UL_DEST)/lib/pkgconfig/libmk.pc
	$(UL_Q)$(UL_INSTALL) -t $(UL_DEST)/include/mk \
		$(addprefix include/mk/,$(UL_INSTALL_HEADERS))
	$(UL_Q)$(UL_INSTALL) -t $(UL_DEST)/include/mk/uapi/linux \
		$(wildcard include/uapi/linux/multikernel*.h)
	$(UL_Q)$(UL_INSTALL) -t $(UL_DEST)/share/man/man1 $(O)/man/mkctl.1
	$(UL_Q)$(UL_INSTALL) completions/mkctl.bash \
		$(UL_DEST)/share/bash-completion/completions/mkctl
	$(UL_Q)$(UL_INSTALL) -t $(UL_DEST)/share/mkctl/examples configs/*.json
	$(UL_Q)$(UL_INSTALL) -t $(UL_DEST)/share/mkctl/schema configs/schema/*.json

-include $(wildcard $(O)/obj/*/*.d $(O)/obj/*/*/*.d $(O)/obj/asan/*/*.d $(O)/obj/fuzz/*/*.d \
	$(O)/obj/asan/tests/unit/*.d $(O)/obj/fuzz/tests/fuzz/*.d)
