// SPDX-License-Identifier: GPL-2.0-only
/*
 * Unit tests of spawn/dtb.c: the tree is read back property by property, and
 * nothing is in it that docs/device-tree.md does not have.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include <libfdt.h>
#include <mk/util.h>

#include "../../spawn/dtb.h"

static const struct mk_cpu cpus[] = {
	{ .cpu = 5, .apicid = 0xa, .node = 1 },
	{ .cpu = 2, .apicid = 4, .node = 0 },
	{ .cpu = 3, .apicid = 0x1f00, .node = 2 },
};

static const struct mk_range ranges[] = {
	{ .addr = 0x140000000, .bytes = 0x10000000, .node = 0 },
	{ .addr = 0x2080200000, .bytes = 0x200000000, .node = 1 },
};

static const uint8_t seed[MK_DTB_RNG_SEED_SIZE] = {
	0xde, 0xad, 0, 0, 1, 2, 3, [62] = 0xbe, [63] = 0xef,
};

static uint32_t nodes[] = { 0, 1, 2 };
static uint32_t table[] = { 10, 21, 30, 21, 10, 25, 31, 25, 10 };
static const struct mk_distances distances = {
	.nodes = nodes,
	.nr_nodes = 3,
	.table = table,
};

static struct mk_dtb_params params(void)
{
	return (struct mk_dtb_params){
		.name = "web",
		.id = 7,
		.abi_version = MK_ABI_VERSION,
		.cpus = cpus,
		.nr_cpus = MK_ARRAY_SIZE(cpus),
		.ranges = ranges,
		.nr_ranges = MK_ARRAY_SIZE(ranges),
		.distances = &distances,
		.region_addr = 0x13fe00000,
		.region_bytes = 0x200000,
		.start_page = 0x9a000,
		.handoff_addr = 0x140001000,
		.handoff_bytes = 0x5000,
		.tsc_khz = 2400000,
		.lapic_khz = 1000000,
		.wall_ns = 1790000000123456789ULL,
		.wall_tsc = 0xfedcba9876543210ULL,
		.rng_seed = seed,
	};
}

/* Builds, and cuts the buffer to the size given, so that ASan watches it. */
static void *build(const struct mk_dtb_params *p, size_t *ret_bytes)
{
	struct mk_error err = MK_ERROR_INIT;
	void *dtb = NULL;

	if (mk_dtb_build(p, &dtb, ret_bytes, &err))
		fail_msg("%s", err.message);
	assert_int_equal(err.code, MK_ERR_NONE);
	dtb = realloc(dtb, *ret_bytes);
	assert_non_null(dtb);
	assert_int_equal(fdt_check_full(dtb, *ret_bytes), 0);
	assert_int_equal(fdt_totalsize(dtb), *ret_bytes);
	assert_int_equal(fdt_num_mem_rsv(dtb), 0);
	return dtb;
}

static int node(const void *dtb, const char *path)
{
	int at = fdt_path_offset(dtb, path);

	if (at < 0)
		fail_msg("%s: %s", path, fdt_strerror(at));
	return at;
}

static void check_bytes(const void *dtb, const char *path, const char *name,
			const void *want, size_t bytes)
{
	int len;
	const void *got = fdt_getprop(dtb, node(dtb, path), name, &len);

	if (!got || (size_t)len != bytes || memcmp(got, want, bytes))
		fail_msg("%s/%s: differs, length %d", path, name, len);
}

static void check_string(const void *dtb, const char *path, const char *name,
			 const char *want)
{
	check_bytes(dtb, path, name, want, strlen(want) + 1);
}

static void check_u32(const void *dtb, const char *path, const char *name,
		      uint32_t want)
{
	const uint8_t cell[] = {
		(uint8_t)(want >> 24), (uint8_t)(want >> 16),
		(uint8_t)(want >> 8), (uint8_t)want,
	};

	check_bytes(dtb, path, name, cell, sizeof(cell));
}

static void check_u64s(const void *dtb, const char *path, const char *name,
		       const uint64_t *want, size_t n)
{
	uint8_t cells[16];

	for (size_t i = 0; i < n * 8; i++)
		cells[i] = (uint8_t)(want[i / 8] >> (56 - i % 8 * 8));
	check_bytes(dtb, path, name, cells, n * 8);
}

#define check_u64(dtb, path, name, ...)					\
	check_u64s(dtb, path, name, (const uint64_t[]){ __VA_ARGS__ },	\
		   sizeof((const uint64_t[]){ __VA_ARGS__ }) / 8)

/* The subnodes of a node, by name and in this order; NULL ends them. */
static void check_children(const void *dtb, const char *path,
			   const char *const *want)
{
	int child;

	fdt_for_each_subnode(child, dtb, node(dtb, path)) {
		assert_non_null(*want);
		assert_string_equal(fdt_get_name(dtb, child, NULL), *want);
		want++;
	}
	assert_null(*want);
}

static void check_nr_props(const void *dtb, const char *path, int want)
{
	int prop, n = 0;

	fdt_for_each_property_offset(prop, dtb, node(dtb, path))
		n++;
	if (n != want)
		fail_msg("%s: %d properties instead of %d", path, n, want);
}

static void test_nodes(void **state)
{
	static const char *const top[] = {
		"chosen", "cpus", "memory@140000000", "memory@2080200000",
		"distance-map", "multikernel", NULL
	};
	static const char *const in_cpus[] = {
		"cpu@a", "cpu@4", "cpu@1f00", NULL
	};
	static const char *const none[] = { NULL };
	struct mk_dtb_params p = params();
	mk_autofree void *dtb = NULL;
	size_t bytes;

	(void)state;
	dtb = build(&p, &bytes);
	check_children(dtb, "/", top);
	check_children(dtb, "/cpus", in_cpus);
	check_children(dtb, "/chosen", none);
	check_children(dtb, "/multikernel", none);
	check_children(dtb, "/cpus/cpu@a", none);
	check_children(dtb, "/memory@140000000", none);
}

static void test_root(void **state)
{
	struct mk_dtb_params p = params();
	mk_autofree void *dtb = NULL;
	size_t bytes;

	(void)state;
	dtb = build(&p, &bytes);
	check_nr_props(dtb, "/", 4);
	check_string(dtb, "/", "compatible", "multikernel,instance");
	check_string(dtb, "/", "model", "web");
	check_u32(dtb, "/", "#address-cells", 2);
	check_u32(dtb, "/", "#size-cells", 2);
	check_nr_props(dtb, "/chosen", 1);
	check_bytes(dtb, "/chosen", "rng-seed", seed, sizeof(seed));
	assert_int_equal(sizeof(seed), 64);
}

static void test_cpus(void **state)
{
	static const struct {
		const char *path;
		uint32_t apicid, node;
	} want[] = {
		{ "/cpus/cpu@a", 0xa, 1 },
		{ "/cpus/cpu@4", 4, 0 },
		{ "/cpus/cpu@1f00", 0x1f00, 2 },
	};
	struct mk_dtb_params p = params();
	mk_autofree void *dtb = NULL;
	size_t bytes;

	(void)state;
	dtb = build(&p, &bytes);
	check_nr_props(dtb, "/cpus", 2);
	check_u32(dtb, "/cpus", "#address-cells", 1);
	check_u32(dtb, "/cpus", "#size-cells", 0);
	for (size_t i = 0; i < MK_ARRAY_SIZE(want); i++) {
		check_nr_props(dtb, want[i].path, 3);
		check_string(dtb, want[i].path, "device_type", "cpu");
		check_u32(dtb, want[i].path, "reg", want[i].apicid);
		check_u32(dtb, want[i].path, "numa-node-id", want[i].node);
	}
}

static void test_memory(void **state)
{
	struct mk_dtb_params p = params();
	mk_autofree void *dtb = NULL;
	size_t bytes;

	(void)state;
	dtb = build(&p, &bytes);
	check_nr_props(dtb, "/memory@140000000", 3);
	check_string(dtb, "/memory@140000000", "device_type", "memory");
	check_u64(dtb, "/memory@140000000", "reg", 0x140000000, 0x10000000);
	check_u32(dtb, "/memory@140000000", "numa-node-id", 0);
	check_nr_props(dtb, "/memory@2080200000", 3);
	check_string(dtb, "/memory@2080200000", "device_type", "memory");
	check_u64(dtb, "/memory@2080200000", "reg", 0x2080200000, 0x200000000);
	check_u32(dtb, "/memory@2080200000", "numa-node-id", 1);
}

/* A way back that is as long as the way there is not written down. */
static void test_distances(void **state)
{
	static const uint8_t want[] = {
		0, 0, 0, 0,  0, 0, 0, 0,  0, 0, 0, 10,
		0, 0, 0, 0,  0, 0, 0, 1,  0, 0, 0, 21,
		0, 0, 0, 0,  0, 0, 0, 2,  0, 0, 0, 30,
		0, 0, 0, 2,  0, 0, 0, 0,  0, 0, 0, 31,
		0, 0, 0, 1,  0, 0, 0, 1,  0, 0, 0, 10,
		0, 0, 0, 1,  0, 0, 0, 2,  0, 0, 0, 25,
		0, 0, 0, 2,  0, 0, 0, 2,  0, 0, 0, 10,
	};
	static const char path[] = "/distance-map";
	struct mk_dtb_params p = params();
	mk_autofree void *dtb = NULL;
	size_t bytes;

	(void)state;
	dtb = build(&p, &bytes);
	check_nr_props(dtb, path, 2);
	check_string(dtb, path, "compatible", "numa-distance-map-v1");
	check_bytes(dtb, path, "distance-matrix", want, sizeof(want));
}

static void test_multikernel(void **state)
{
	static const char path[] = "/multikernel";
	struct mk_dtb_params p = params();
	mk_autofree void *dtb = NULL;
	size_t bytes;

	(void)state;
	dtb = build(&p, &bytes);
	check_nr_props(dtb, path, 10);
	check_string(dtb, path, "compatible", "multikernel,instance-v1");
	check_u32(dtb, path, "abi-version", MK_ABI_VERSION);
	check_u32(dtb, path, "instance-id", 7);
	check_string(dtb, path, "instance-name", "web");
	check_u64(dtb, path, "shared-memory", 0x13fe00000, 0x200000);
	check_u64(dtb, path, "start-page", 0x9a000);
	check_u64(dtb, path, "hand-over", 0x140001000, 0x5000);
	check_u32(dtb, path, "tsc-khz", 2400000);
	check_u32(dtb, path, "lapic-khz", 1000000);
	check_u64(dtb, path, "wall-clock", 1790000000123456789ULL,
		  0xfedcba9876543210ULL);
}

static void test_deadline_timer(void **state)
{
	struct mk_dtb_params p = params();
	mk_autofree void *dtb = NULL;
	size_t bytes;

	(void)state;
	p.lapic_khz = 0;
	dtb = build(&p, &bytes);
	check_u32(dtb, "/multikernel", "lapic-khz", 0);
}

/* From the first buffer's size up to the limits of the ABI. */
static void test_sizes(void **state)
{
	static const size_t counts[] = { 1, 40, 41, 42, 100, 300, MK_MAX_CPUS };
	struct mk_cpu *many = calloc(MK_MAX_CPUS, sizeof(*many));
	struct mk_range pieces[MK_MAX_RANGES] = { 0 };
	struct mk_dtb_params p = params();

	(void)state;
	assert_non_null(many);
	for (unsigned int i = 0; i < MK_MAX_CPUS; i++)
		many[i] = (struct mk_cpu){ .cpu = i, .apicid = ~i, .node = i };
	for (unsigned int i = 0; i < MK_MAX_RANGES; i++)
		pieces[i].addr = (1ULL << 51) + i * 0x200000ULL;
	p.name = "aaaaaaaaaabbbbbbbbbbccccccccccd";
	p.cpus = many;
	p.ranges = pieces;
	p.nr_ranges = MK_MAX_RANGES;
	for (size_t i = 0; i < MK_ARRAY_SIZE(counts); i++) {
		mk_autofree void *dtb = NULL;
		size_t bytes;
		int child, n = 0;

		p.nr_cpus = counts[i];
		dtb = build(&p, &bytes);
		assert_true(bytes <= MK_DTB_MAX);
		fdt_for_each_subnode(child, dtb, node(dtb, "/cpus"))
			n++;
		assert_int_equal(n, counts[i]);
		check_u32(dtb, "/cpus/cpu@ffffffff", "reg", 0xffffffff);
		check_string(dtb, "/", "model", p.name);
	}
	free(many);
}

static void refused(const struct mk_dtb_params *p, int rc, const char *message)
{
	struct mk_error err = MK_ERROR_INIT;
	void *dtb = NULL;
	size_t bytes = 1;

	assert_int_equal(mk_dtb_build(p, &dtb, &bytes, &err), rc);
	assert_null(dtb);
	assert_int_equal(bytes, 1);
	assert_int_equal(err.code, MK_ERR_FAILED);
	assert_string_equal(err.message, message);
	assert_int_equal(mk_dtb_build(p, &dtb, &bytes, NULL), rc);
}

static void test_too_large(void **state)
{
	struct mk_cpu *many = calloc(4096, sizeof(*many));
	struct mk_dtb_params p = params();

	(void)state;
	assert_non_null(many);
	p.cpus = many;
	p.nr_cpus = 4096;
	refused(&p, -E2BIG, "the device tree would be larger than 64 KiB");
	free(many);
}

static void test_bad_params(void **state)
{
	struct mk_dtb_params p;

	(void)state;
	p = params();
	p.name = NULL;
	refused(&p, -EINVAL,
		"cannot build the device tree: the name is not valid");
	p.name = "Not a name";
	refused(&p, -EINVAL,
		"cannot build the device tree: the name is not valid");
	p = params();
	p.nr_cpus = 0;
	refused(&p, -EINVAL, "cannot build the device tree: there is no CPU");
	p = params();
	p.nr_ranges = 0;
	refused(&p, -EINVAL,
		"cannot build the device tree: there is no memory");
	p = params();
	p.rng_seed = NULL;
	refused(&p, -EINVAL,
		"cannot build the device tree: there is no rng-seed");
}

/* Two starts give the same bytes for the same facts. */
static void test_repeatable(void **state)
{
	struct mk_dtb_params p = params();
	mk_autofree void *a = NULL;
	mk_autofree void *b = NULL;
	size_t a_bytes, b_bytes;

	(void)state;
	a = build(&p, &a_bytes);
	b = build(&p, &b_bytes);
	assert_int_equal(a_bytes, b_bytes);
	assert_memory_equal(a, b, a_bytes);
}

static void write_dtb(const char *path)
{
	struct mk_dtb_params p = params();
	mk_autofree void *dtb = NULL;
	size_t bytes;
	FILE *f = fopen(path, "we");

	assert_non_null(f);
	dtb = build(&p, &bytes);
	assert_int_equal(fwrite(dtb, 1, bytes, f), bytes);
	assert_int_equal(fclose(f), 0);
}

static void check_source(FILE *f)
{
	static const char *const lines[] = {
		"compatible = \"multikernel,instance\";",
		"cpu@1f00 {",
		"memory@140000000 {",
		"reg = <0x01 0x40000000 0x00 0x10000000>;",
		"start-page = <0x00 0x9a000>;",
		"instance-name = \"web\";",
	};
	char source[8192];
	size_t n = fread(source, 1, sizeof(source) - 1, f);

	source[n] = '\0';
	assert_memory_equal(source, "/dts-v1/;", 9);
	for (size_t i = 0; i < MK_ARRAY_SIZE(lines); i++)
		if (!strstr(source, lines[i]))
			fail_msg("dtc's output lacks \"%s\"", lines[i]);
}

/* stderr is in the output, so a warning of its checks fails the first line. */
static void test_dtc(void **state)
{
	char path[] = "/tmp/test_dtb.XXXXXX";
	char command[128];
	int fd, status;
	FILE *f;

	(void)state;
	if (system("command -v dtc >/dev/null") != 0) {
		print_message("dtc is not installed\n");
		skip();
	}
	fd = mkstemp(path);
	assert_true(fd >= 0);
	close(fd);
	write_dtb(path);
	sprintf(command, "dtc -I dtb -O dts %s 2>&1", path);
	f = popen(command, "re");
	assert_non_null(f);
	check_source(f);
	status = pclose(f);
	unlink(path);
	assert_true(WIFEXITED(status) && !WEXITSTATUS(status));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_nodes),
		cmocka_unit_test(test_root),
		cmocka_unit_test(test_cpus),
		cmocka_unit_test(test_memory),
		cmocka_unit_test(test_distances),
		cmocka_unit_test(test_multikernel),
		cmocka_unit_test(test_deadline_timer),
		cmocka_unit_test(test_sizes),
		cmocka_unit_test(test_too_large),
		cmocka_unit_test(test_bad_params),
		cmocka_unit_test(test_repeatable),
		cmocka_unit_test(test_dtc),
	};

	return cmocka_run_group_tests_name("dtb", tests, NULL, NULL);
}
