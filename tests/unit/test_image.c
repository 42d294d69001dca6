// SPDX-License-Identifier: GPL-2.0-only
/*
 * Unit tests of spawn/image.c: which kernel files pass a first look, and what
 * is said of the others.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#include <cmocka.h>

#include "../../spawn/image.h"
#include "kernel_file.h"

static struct mk_error err;
static uint64_t span;

static int check(const void *data, size_t bytes)
{
	mk_autoclose int fd = memfd_create("kernel", MFD_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, data, bytes), bytes);
	err = (struct mk_error)MK_ERROR_INIT;
	return mk_image_check(fd, bytes, "vmlinux", &span, &err);
}

static void refused(const void *data, size_t bytes, unsigned int reason,
		    const char *message)
{
	assert_int_equal(check(data, bytes), -ENOEXEC);
	assert_string_equal(err.message, message);
	assert_int_equal(err.reason, reason);
	assert_string_equal(err.object, "vmlinux");
	assert_int_equal(err.code, MK_ERR_CONFIG);
}

static void test_elf_good(void **state)
{
	struct kernel_file k = kernel_file();

	(void)state;
	assert_int_equal(check(&k, sizeof(k)), 0);
	k.ehdr.e_type = ET_DYN;
	k.nhdr.n_descsz = 12;	/* a later version may say more */
	assert_int_equal(check(&k, sizeof(k)), 0);
	k.note.p_align = 8;
	k.nhdr.n_descsz = 8;
	k.abi_version = 0;
	k.more[0] = MK_ABI_VERSION;
	assert_int_equal(check(&k, sizeof(k)), 0);
}

static void test_span(void **state)
{
	struct kernel_file k = kernel_file();
	unsigned char bz[1024] = { 0 };

	(void)state;
	assert_int_equal(check(&k, sizeof(k)), 0);
	assert_int_equal(span, 0x200000);
	/* From a multiple of 2 MiB to the end of a page */
	k.load.p_paddr += 0x1000;
	k.ehdr.e_entry += 0x1000;
	k.load.p_memsz = 0x200001;
	assert_int_equal(check(&k, sizeof(k)), 0);
	assert_int_equal(span, 0x202000);
	assert_int_equal(check(bz, sizeof(bz)), -ENOEXEC);
	assert_int_equal(span, 0);
}

static void test_elf_header(void **state)
{
	struct kernel_file k = kernel_file();

	(void)state;
	refused(&k, 10, MK_REASON_IMAGE_TRUNCATED,
		"the kernel image is cut short: it needs 64 bytes and has 10");
	k.ehdr.e_machine = EM_AARCH64;
	refused(&k, sizeof(k), MK_REASON_IMAGE_MACHINE,
		"the kernel image is for another machine (ELF e_machine 183), not x86-64");
	k = kernel_file();
	k.ehdr.e_ident[EI_CLASS] = ELFCLASS32;
	refused(&k, sizeof(k), MK_REASON_IMAGE_MACHINE,
		"the kernel image is for another machine (ELF e_machine 62), not x86-64");
	k = kernel_file();
	k.ehdr.e_type = ET_REL;
	refused(&k, sizeof(k), MK_REASON_IMAGE_FORMAT,
		"neither an ELF vmlinux nor a bzImage");
	k = kernel_file();
	k.ehdr.e_phentsize = 32;
	refused(&k, sizeof(k), MK_REASON_IMAGE_FORMAT,
		"neither an ELF vmlinux nor a bzImage");
}

static void test_elf_tables(void **state)
{
	struct kernel_file k = kernel_file();

	(void)state;
	k.ehdr.e_phnum = 100;
	refused(&k, sizeof(k), MK_REASON_IMAGE_TRUNCATED,
		"the kernel image is cut short: it needs 5664 bytes and has 208");
	k = kernel_file();
	k.ehdr.e_phoff = UINT64_MAX;
	refused(&k, sizeof(k), MK_REASON_IMAGE_SEGMENT,
		"the kernel image has a bad segment at 0xffffffffffffffff of 0x70 bytes");
	k = kernel_file();
	k.ehdr.e_shoff = 1000;
	k.ehdr.e_shnum = 2;
	k.ehdr.e_shentsize = 64;
	refused(&k, sizeof(k), MK_REASON_IMAGE_TRUNCATED,
		"the kernel image is cut short: it needs 1128 bytes and has 208");
}

static void test_elf_segments(void **state)
{
	struct kernel_file k = kernel_file();

	(void)state;
	k.load.p_filesz = k.load.p_memsz + 1;
	refused(&k, sizeof(k), MK_REASON_IMAGE_SEGMENT,
		"the kernel image has a bad segment at 0x1000000 of 0x200000 bytes");
	k = kernel_file();
	k.load.p_paddr = UINT64_MAX;
	refused(&k, sizeof(k), MK_REASON_IMAGE_SEGMENT,
		"the kernel image has a bad segment at 0xffffffffffffffff of 0x200000 bytes");
	k = kernel_file();
	k.load.p_filesz++;
	refused(&k, sizeof(k), MK_REASON_IMAGE_TRUNCATED,
		"the kernel image is cut short: it needs 209 bytes and has 208");
	k = kernel_file();
	k.load.p_type = PT_NULL;
	refused(&k, sizeof(k), MK_REASON_IMAGE_SEGMENT,
		"the kernel image has a bad segment at 0x0 of 0x0 bytes");
	k = kernel_file();
	k.load.p_flags = PF_R;
	refused(&k, sizeof(k), MK_REASON_IMAGE_ENTRY,
		"the entry point 0x1000000 is outside the kernel image, or not where its code begins");
	k = kernel_file();
	k.ehdr.e_entry = KERNEL_ADDR + sizeof(k);
	refused(&k, sizeof(k), MK_REASON_IMAGE_ENTRY,
		"the entry point 0x10000d0 is outside the kernel image, or not where its code begins");
}

static void test_elf_note(void **state)
{
	static const char none[] =
		"the kernel image was not built as an instance (it has no multikernel note)";
	struct kernel_file k = kernel_file();

	(void)state;
	k.nhdr.n_type++;
	refused(&k, sizeof(k), MK_REASON_IMAGE_NO_NOTE, none);
	k = kernel_file();
	k.name[0] = 'l';
	refused(&k, sizeof(k), MK_REASON_IMAGE_NO_NOTE, none);
	k = kernel_file();
	k.nhdr.n_descsz = 2;
	refused(&k, sizeof(k), MK_REASON_IMAGE_NO_NOTE, none);
	k = kernel_file();
	k.nhdr.n_namesz = UINT32_MAX;
	refused(&k, sizeof(k), MK_REASON_IMAGE_NO_NOTE, none);
	k = kernel_file();
	k.note.p_filesz = 20;
	refused(&k, sizeof(k), MK_REASON_IMAGE_NO_NOTE, none);
	k = kernel_file();
	k.note.p_offset = UINT64_MAX;
	refused(&k, sizeof(k), MK_REASON_IMAGE_SEGMENT,
		"the kernel image has a bad segment at 0xffffffffffffffff of 0x20 bytes");
	k = kernel_file();
	k.abi_version = 9;
	assert_int_equal(check(&k, sizeof(k)), -ENOEXEC);
	assert_int_equal(err.reason, MK_REASON_IMAGE_ABI);
	assert_non_null(strstr(err.message, "speaks version 9 of"));
}

/* A bzImage of two sectors of setup and @body_bytes behind it. */
static void make_bzimage(unsigned char *h, size_t bytes, uint32_t body_bytes)
{
	memset(h, 0, bytes);
	h[0x1f1] = 1;
	memcpy(h + 0x1f4, &(uint32_t){ body_bytes / 16 }, 4);
	memcpy(h + 0x1fe, "\x55\xaa", 2);
	memcpy(h + 0x202, "HdrS\x0f\x02", 6);
	h[0x236] = 1;
}

static void test_bzimage(void **state)
{
	static const char format[] = "neither an ELF vmlinux nor a bzImage";
	unsigned char h[2048];

	(void)state;
	make_bzimage(h, sizeof(h), 1024);
	assert_int_equal(check(h, sizeof(h)), 0);
	refused(h, sizeof(h) - 1, MK_REASON_IMAGE_TRUNCATED,
		"the kernel image is cut short: it needs 2048 bytes and has 2047");
	refused(h, 600, MK_REASON_IMAGE_FORMAT, format);
	refused("text\n", 5, MK_REASON_IMAGE_FORMAT, format);
	refused("x", 1, MK_REASON_IMAGE_FORMAT, format);
	h[0x236] = 0;
	refused(h, sizeof(h), MK_REASON_IMAGE_MACHINE,
		"the kernel image is for another machine (ELF e_machine 3), not x86-64");
	make_bzimage(h, sizeof(h), 1024);
	h[0x206] = 0x0b;
	refused(h, sizeof(h), MK_REASON_IMAGE_FORMAT, format);
	make_bzimage(h, sizeof(h), 0);
	refused(h, sizeof(h), MK_REASON_IMAGE_FORMAT, format);
	make_bzimage(h, sizeof(h), 1024);
	h[0x202] = 'h';
	refused(h, sizeof(h), MK_REASON_IMAGE_FORMAT, format);
	/* The largest size there is does not overflow. */
	make_bzimage(h, sizeof(h), 0);
	memset(h + 0x1f4, 0xff, 4);
	assert_int_equal(check(h, sizeof(h)), -ENOEXEC);
	assert_int_equal(err.reason, MK_REASON_IMAGE_TRUNCATED);
}

/* A good file with one byte changed: a verdict, never a crash. */
static void test_mutated(void **state)
{
	static const unsigned char values[] = { 0, 1, 0x7f, 0x80, 0xff };
	size_t nr_good = 0;

	(void)state;
	for (size_t at = 0; at < sizeof(struct kernel_file); at++) {
		for (size_t i = 0; i < sizeof(values); i++) {
			struct kernel_file k = kernel_file();
			int r;

			((unsigned char *)&k)[at] = values[i];
			r = check(&k, sizeof(k));
			assert_true(r == 0 || err.reason);
			nr_good += r == 0;
		}
	}
	assert_true(nr_good > 100);
}

/* The file has become shorter than it was when its size was asked for. */
static void test_shrunk(void **state)
{
	struct kernel_file k = kernel_file();
	mk_autoclose int fd = memfd_create("kernel", MFD_CLOEXEC);

	(void)state;
	assert_int_equal(write(fd, &k, 100), 100);
	err = (struct mk_error)MK_ERROR_INIT;
	assert_int_equal(mk_image_check(fd, sizeof(k), "vmlinux", &span, &err),
			 -ENOEXEC);
	assert_int_equal(err.reason, MK_REASON_IMAGE_TRUNCATED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_elf_good),
		cmocka_unit_test(test_span),
		cmocka_unit_test(test_elf_header),
		cmocka_unit_test(test_elf_tables),
		cmocka_unit_test(test_elf_segments),
		cmocka_unit_test(test_elf_note),
		cmocka_unit_test(test_bzimage),
		cmocka_unit_test(test_mutated),
		cmocka_unit_test(test_shrunk),
	};

	return cmocka_run_group_tests_name("image", tests, NULL, NULL);
}
