// SPDX-License-Identifier: GPL-2.0-only
/*
 * Unit tests of spawn/dump_info.c and spawn/dump_log.c: VMCOREINFO, and the
 * kernel log that it leads to, whole and damaged.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "dump_log.h"
#include "fake_dump.h"

static const struct mk_range range = { FAKE_MEM, FAKE_MEM_BYTES, 0, 0 };
static const struct dump_map map = {
	.page_offset = FAKE_OFFSET,
	.text = FAKE_TEXT,
	.text_phys = FAKE_TEXT_PHYS,
	.text_bytes = FAKE_TEXT_BYTES,
	.table = FAKE_TEXT_PHYS + 0x1000,
	.levels = 4,
};
static struct dump_memory mem = { .ranges = &range, .nr_ranges = 1 };
static char said[4096];

static int setup(void **state)
{
	(void)state;
	mem.fd = fake_memory();
	said[0] = '\0';
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	close(mem.fd);
	return 0;
}

static int say(void *arg, const struct mk_dump_line *line)
{
	size_t used = strlen(said);

	(void)arg;
	snprintf(said + used, sizeof(said) - used, "%llu/%llu:%s|",
		 (unsigned long long)line->seq,
		 (unsigned long long)line->time_us, line->text);
	return 0;
}

static int read_log(void)
{
	struct dump_info info;
	int r;

	said[0] = '\0';
	assert_int_equal(dump_info_read(&mem, FAKE_VMCOREINFO, 4120, &info), 0);
	r = dump_log_each(&mem, &map, &info, say, NULL);
	dump_info_clear(&info);
	return r;
}

/* --- the note ------------------------------------------------------------- */

static void test_info(void **state)
{
	struct dump_info info;
	uint64_t value = 7;

	(void)state;
	fake_put_vmcoreinfo(mem.fd, "A=1\nSYMBOL(x)=ffff8880\nNUMBER(y)=0x1f\n"
			    "NUMBER(z)=-4096\nOFFSET(w)=12z\nEMPTY=\nLAST=5");
	assert_int_equal(dump_info_read(&mem, FAKE_VMCOREINFO, 4120, &info), 0);
	assert_int_equal(info.note_bytes, 24 + (info.text_bytes + 3) / 4 * 4);
	assert_int_equal(dump_info_hex(&info, "SYMBOL(x)", &value), 0);
	assert_int_equal(value, 0xffff8880);
	assert_int_equal(dump_info_number(&info, "NUMBER(y)", &value), 0);
	assert_int_equal(value, 0x1f);
	assert_int_equal(dump_info_number(&info, "NUMBER(z)", &value), 0);
	assert_true(value == (uint64_t)-4096);
	assert_int_equal(dump_info_number(&info, "LAST", &value), 0);
	assert_int_equal(value, 5);
	value = 7;
	assert_int_equal(dump_info_number(&info, "OFFSET(w)", &value), -ENODATA);
	assert_int_equal(dump_info_number(&info, "EMPTY", &value), -ENODATA);
	assert_int_equal(dump_info_number(&info, "SYMBOL", &value), -ENODATA);
	assert_int_equal(dump_info_number(&info, "LAS", &value), -ENODATA);
	assert_int_equal(value, 7);
	dump_info_clear(&info);
}

static void check_no_info(uint64_t paddr, uint64_t bytes)
{
	struct dump_info info;

	assert_int_equal(dump_info_read(&mem, paddr, bytes, &info), -ENODATA);
	assert_null(info.note);
}

static void test_no_info(void **state)
{
	(void)state;
	check_no_info(0, 4120);
	check_no_info(FAKE_VMCOREINFO, 24);
	check_no_info(FAKE_VMCOREINFO, UINT64_MAX);
	check_no_info(FAKE_VMCOREINFO, DUMP_INFO_MAX + 4);
	check_no_info(0xfee00000, 4120);
	check_no_info(FAKE_MEM + FAKE_MEM_BYTES - 4096, 4120);
	check_no_info(FAKE_VMCOREINFO, 512);	/* its size says more */
	fake_put64(mem.fd, FAKE_VMCOREINFO, 0xffffffff0000000bULL);
	check_no_info(FAKE_VMCOREINFO, 4120);
	fake_put64(mem.fd, FAKE_VMCOREINFO, 11);
	check_no_info(FAKE_VMCOREINFO, 4120);
	fake_put_vmcoreinfo(mem.fd, "A=1\n");
	fake_put(mem.fd, FAKE_VMCOREINFO + 12, "vmcoreinfo", 10);
	check_no_info(FAKE_VMCOREINFO, 4120);
}

/* --- the log --------------------------------------------------------------- */

static void test_log(void **state)
{
	(void)state;
	assert_int_equal(read_log(), 0);
	assert_string_equal(said, "0/0:Linux version 6.12.0-fake|"
			    "1/1000001:two|1/1000001:lines|"
			    "3/3000003:Kernel panic \\x1b[31m|");
}

/* One record begins where the ring begins anew, others are overwritten. */
static void test_wrap(void **state)
{
	uint64_t head = fake_text_phys(FAKE_RING) +
			offsetof(struct fake_ring, head_id);
	uint64_t tail = fake_text_phys(FAKE_RING) +
			offsetof(struct fake_ring, tail_id);
	const uint64_t end = 0x10000 + (1 << FAKE_LOG_BITS);
	uint64_t next;

	(void)state;
	next = fake_log_add(mem.fd, 0x108, end - 16, 2, "one that is wrapped");
	assert_int_equal(next, end + 32);
	next = fake_log_add(mem.fd, 0x109, next, 2, "");
	fake_put64(mem.fd, tail, 0x108);
	fake_put64(mem.fd, head, 0x109);
	assert_int_equal(read_log(), 0);
	assert_string_equal(said, "8/8000008:one that is wrapped|9/9000009:|");
	/* Ids wrap, too */
	fake_put64(mem.fd, tail, (1ULL << 62) - 1);
	fake_put64(mem.fd, head, 0);
	assert_int_equal(read_log(), 0);
	assert_string_equal(said, "");
}

/* What does not fit is left out, the rest is there. */
static void test_bad_records(void **state)
{
	struct fake_desc bad[] = {
		{ 2ULL << 62 | 0x101, UINT64_MAX - 1, UINT64_MAX - 9 },
		{ 2ULL << 62 | 0x101, 0x10020, 0x10024 },
		{ 2ULL << 62 | 0x101, 0x10020, 0x10010 },
		{ 2ULL << 62 | 0x101, 0x10000, 0x20000 },
		{ 2ULL << 62 | 0x101, 0x10000, 0x10100 },	/* another's */
		{ 2ULL << 62 | 0x101, 1, 1 },
		{ 3ULL << 62 | 0x101, 0x10020, 0x10038 },
		{ 2ULL << 62 | 0x109, 0x10020, 0x10038 },
	};
	size_t i;

	(void)state;
	for (i = 0; i < MK_ARRAY_SIZE(bad); i++) {
		fake_put(mem.fd, FAKE_DESCS + sizeof(bad[i]), &bad[i],
			 sizeof(bad[i]));
		assert_int_equal(read_log(), 0);
		assert_string_equal(said, "0/0:Linux version 6.12.0-fake|"
				    "3/3000003:Kernel panic \\x1b[31m|");
	}
	bad[0] = (struct fake_desc){ 2ULL << 62 | 0x101, 3, 3 };
	fake_put(mem.fd, FAKE_DESCS + sizeof(bad[0]), &bad[0], sizeof(bad[0]));
	assert_int_equal(read_log(), 0);
	assert_non_null(strstr(said, "|1/1000001:|"));
}

static void test_bad_rings(void **state)
{
	static const struct {
		size_t member;
		uint64_t value;
	} bad[] = {
		{ offsetof(struct fake_ring, count_bits), 63 },
		{ offsetof(struct fake_ring, count_bits), 22 },	/* too large */
		{ offsetof(struct fake_ring, descs), 0 },
		{ offsetof(struct fake_ring, infos), UINT64_MAX - 8 },
		{ offsetof(struct fake_ring, size_bits), 0 },
		{ offsetof(struct fake_ring, size_bits), 0xffffffff },
		{ offsetof(struct fake_ring, size_bits), 31 },
		{ offsetof(struct fake_ring, data),
		  FAKE_OFFSET + FAKE_MEM + FAKE_MEM_BYTES - 8 },
	};
	uint64_t ring = fake_text_phys(FAKE_RING);
	size_t i;

	(void)state;
	for (i = 0; i < MK_ARRAY_SIZE(bad); i++) {
		fake_put64(mem.fd, ring + bad[i].member, bad[i].value);
		assert_int_equal(read_log(), -EFAULT);
		assert_string_equal(said, "");
		close(mem.fd);
		mem.fd = fake_memory();
	}
	fake_put64(mem.fd, fake_text_phys(FAKE_PRB), 0);
	assert_int_equal(read_log(), -EFAULT);
}

/* The head is behind the tail by more than there are: bounded */
static void test_bad_ids(void **state)
{
	uint64_t head = fake_text_phys(FAKE_RING) +
			offsetof(struct fake_ring, head_id);

	(void)state;
	fake_put64(mem.fd, head, 0x12345678);
	assert_int_equal(read_log(), 0);
	assert_non_null(strstr(said, "Kernel panic"));
}

static void replace(char *text, const char *from, const char *to)
{
	char *at = strstr(text, from);
	char rest[4096];

	assert_non_null(at);
	snprintf(rest, sizeof(rest), "%s%s", to, at + strlen(from));
	strcpy(at, rest);
}

static void test_bad_layout(void **state)
{
	static const struct {
		const char *from;
		const char *to;
		int r;
	} bad[] = {
		{ "SYMBOL(prb)", "SYMBOL(bar)", -ENODATA },
		{ "SIZE(prb_desc)=", "SIZE(prb_desc)=9999999", -EFAULT },
		{ "SIZE(prb_desc)=24", "SIZE(prb_desc)=23", -EFAULT },
		{ "SIZE(prb_desc)=24", "SIZE(prb_desc)=-8", -EFAULT },
		{ "OFFSET(printk_info.seq)=0", "OFFSET(printk_info.seq)=90", -EFAULT },
		{ "OFFSET(prb_data_ring.data)=8", "OFFSET(prb_data_ring.data)=4000", -EFAULT },
		{ "OFFSET(atomic_long_t.counter)", "OFFSET(counter)", -ENODATA },
	};
	char text[4096];
	size_t i;

	(void)state;
	for (i = 0; i < MK_ARRAY_SIZE(bad); i++) {
		snprintf(text, sizeof(text), "%s", fake_vmcoreinfo());
		replace(text, bad[i].from, bad[i].to);
		fake_put_vmcoreinfo(mem.fd, text);
		assert_int_equal(read_log(), bad[i].r);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_info, setup, teardown),
		cmocka_unit_test_setup_teardown(test_no_info, setup, teardown),
		cmocka_unit_test_setup_teardown(test_log, setup, teardown),
		cmocka_unit_test_setup_teardown(test_wrap, setup, teardown),
		cmocka_unit_test_setup_teardown(test_bad_records, setup, teardown),
		cmocka_unit_test_setup_teardown(test_bad_rings, setup, teardown),
		cmocka_unit_test_setup_teardown(test_bad_ids, setup, teardown),
		cmocka_unit_test_setup_teardown(test_bad_layout, setup, teardown),
	};

	return cmocka_run_group_tests_name("dump_log", tests, NULL, NULL);
}
