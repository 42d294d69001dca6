// SPDX-License-Identifier: GPL-2.0-only
/*
 * Unit tests of spawn/choose.c on machines of many shapes. A machine is a
 * string of cores, each "NODE[.PACKAGE]:CPUS": in CPUS a letter is what a CPU
 * is: f free, o offline, l lent to "other"; CPU numbers ascend. The first CPU
 * is CPU 0.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <mk/spawn.h>

#include "../../spawn/choose.h"

#define MAX_CPUS	64

static struct mk_machine_cpu cpus[MAX_CPUS];
static char nodes[16];

/* "0:ff 0:ff 1:ff": three cores of two. */
static struct mk_machine make_machine(const char *text)
{
	struct mk_machine machine = {
		.cpus = cpus, .known = true, .has_places = true,
		.nodes = nodes,
	};
	unsigned int node, package, core = 0, top = 0;
	int n;

	while (sscanf(text, "%u.%u:%n", &node, &package, &n) == 2 ||
	       (package = 0, sscanf(text, "%u:%n", &node, &n) == 1)) {
		for (text += n; *text && *text != ' '; text++) {
			assert_true(machine.nr_cpus < MAX_CPUS);
			cpus[machine.nr_cpus] = (struct mk_machine_cpu){
				.cpu = (unsigned int)machine.nr_cpus,
				.core = core, .node = node, .package = package,
				.online = *text == 'f',
			};
			if (*text == 'l')
				strcpy(cpus[machine.nr_cpus].owner, "other");
			machine.nr_cpus++;
		}
		text += *text == ' ';
		core++;
		top = node > top ? node : top;
	}
	assert_int_equal(*text, '\0');
	sprintf(nodes, "0-%u", top);
	return machine;
}

/* @want is a list of nodes like "1,0", or "" for any. */
static struct mk_config make_config(size_t count, const char *want, bool split)
{
	struct mk_config config = {
		.name = "web", .nr_cpus = count, .allow_split_core = split,
	};
	int n;

	while (sscanf(want, "%u%n", &config.cpu_nodes.node[config.cpu_nodes.nr],
		      &n) == 1) {
		config.cpu_nodes.nr++;
		want += n;
		want += *want == ',';
	}
	return config;
}

static void chosen(const char *shape, size_t count, const char *want,
		   bool split, const char *expected)
{
	struct mk_machine machine = make_machine(shape);
	struct mk_config config = make_config(count, want, split);
	mk_autofree unsigned int *got = NULL;
	mk_autofree char *list = NULL;
	struct mk_error err = MK_ERROR_INIT;

	if (mk_choose_cpus(&machine, &config, &got, &err) < 0)
		fail_msg("%s, %zu of '%s': %s", shape, count, want,
			 err.message);
	list = mk_cpulist_format(got, count);
	if (strcmp(list, expected))
		fail_msg("%s, %zu of '%s': %s, not %s", shape, count, want,
			 list, expected);
}

static void refused(const char *shape, size_t count, const char *want,
		    bool split, unsigned int reason, const char *message,
		    const char *hint)
{
	struct mk_machine machine = make_machine(shape);
	struct mk_config config = make_config(count, want, split);
	struct mk_error err = MK_ERROR_INIT;
	unsigned int *got = NULL;

	assert_true(mk_choose_cpus(&machine, &config, &got, &err) < 0);
	assert_null(got);
	assert_string_equal(err.message, message);
	assert_int_equal(err.reason, reason);
	if (!strstr(err.hint, hint))
		fail_msg("%s: hint '%s' lacks '%s'", shape, err.hint, hint);
	/* An error object is optional. */
	assert_true(mk_choose_cpus(&machine, &config, &got, NULL) < 0);
}

#define PLAIN	"0:f 0:f 0:f 0:f 0:f 0:f"
#define SMT	"0:ff 0:ff 0:ff 0:ff"
#define NUMA	"0:f 0:f 0:f 0:f 1:f 1:f 1:f 1:f"
#define NUMA_SMT "0:ff 0:ff 0:ff 1:ff 1:ff 1:ff"

static void test_plain(void **state)
{
	(void)state;
	chosen(PLAIN, 1, "", false, "1");
	chosen(PLAIN, 5, "", false, "1-5");
	chosen("0:f 0:l 0:f 0:o 0:f", 2, "", false, "2,4");
	chosen(PLAIN, 2, "0", false, "1-2");
}

static void test_whole_cores(void **state)
{
	(void)state;
	chosen(SMT, 2, "", false, "2-3");
	chosen(SMT, 6, "", false, "2-7");
	/* A sibling that is lent splits the core, an offline one does not. */
	chosen("0:ff 0:fl 0:ff", 2, "", false, "4-5");
	chosen("0:ff 0:fo 0:ff", 2, "", false, "4-5");
	chosen("0:ff 0:fo 0:ff", 3, "", false, "2,4-5");
	/* Cores of one beside cores of two: the big ones first. */
	chosen("0:ff 0:f 0:ff 0:f", 3, "", false, "2-4");
	chosen("0:ff 0:f 0:ff 0:ff", 4, "", false, "3-6");
	chosen("0:ff 0:f 0:f 0:ff", 4, "", false, "2-5");
}

static void test_split(void **state)
{
	(void)state;
	/* Whole cores as long as they fit, then the sibling of CPU 0. */
	chosen(SMT, 3, "", true, "1-3");
	chosen(SMT, 1, "", true, "1");
	chosen(SMT, 7, "", true, "1-7");
	chosen("0:ff 0:fl 0:lf", 3, "", true, "1-2,5");
}

static void test_places(void **state)
{
	(void)state;
	/* The first node that has enough, never a bit of each. */
	chosen(NUMA, 3, "", false, "1-3");
	chosen(NUMA, 4, "", false, "4-7");
	chosen(NUMA, 5, "", false, "1,4-7");
	chosen(NUMA, 7, "", false, "1-7");
	chosen("0:f 0:f 1:f 1:f 2:f 2:f 2:f", 4, "", false, "2,4-6");
	/* Two sockets on one node count as two places. */
	chosen("0.0:f 0.0:f 0.1:f 0.1:f", 2, "", false, "2-3");
	chosen(NUMA_SMT, 4, "", false, "2-5");
	chosen(NUMA_SMT, 6, "", false, "6-11");
}

static void test_nodes(void **state)
{
	(void)state;
	chosen(NUMA, 2, "1", false, "4-5");
	chosen(NUMA, 3, "0", false, "1-3");
	chosen(NUMA, 2, "0,1", false, "1,4");
	chosen(NUMA, 3, "0,1", false, "1-2,4");
	chosen(NUMA, 3, "1,0", false, "1,4-5");
	chosen(NUMA, 6, "0,1", false, "1-6");
	chosen(NUMA, 1, "1,0", false, "4");
	chosen(NUMA_SMT, 4, "0,1", false, "2-3,6-7");
	chosen(NUMA_SMT, 2, "1,0", false, "6-7");
	chosen(NUMA_SMT, 3, "1,0", true, "1,6-7");
}

static void test_too_few(void **state)
{
	static const unsigned int reason = MK_REASON_CPU_TOO_FEW;

	(void)state;
	refused(PLAIN, 6, "", false, reason,
		"6 CPUs are wanted and 5 can be had", "end an instance");
	refused("0:f", 1, "", true, reason,
		"1 CPUs are wanted and 0 can be had", "end an instance");
	refused("", 1, "", false, reason,
		"1 CPUs are wanted and 0 can be had", "end an instance");
	refused(NUMA, 5, "1", false, reason,
		"5 CPUs are wanted and 4 can be had on node 1",
		"end an instance");
	/* Node 0 has three, and a fourth round would be uneven. */
	refused(NUMA, 7, "0,1", true, reason,
		"7 CPUs are wanted and 6 can be had on nodes 0-1", "");
	/* Cores, not CPUs, are what is missing. */
	refused(SMT, 3, "", false, reason,
		"3 CPUs are wanted and 2 can be had", "only whole cores");
	refused(SMT, 7, "", false, reason,
		"7 CPUs are wanted and 6 can be had", "7 are free, but");
	refused("0:ff 0:fl", 2, "", false, reason,
		"2 CPUs are wanted and 0 can be had",
		"\"allow_split_core\": true");
	refused(SMT, 8, "", true, reason,
		"8 CPUs are wanted and 7 can be had", "end an instance");
}

static void test_no_node(void **state)
{
	(void)state;
	refused(NUMA, 1, "2", false, MK_REASON_CPU_NODE,
		"there is no NUMA node 2", "lscpu");
	refused(NUMA, 2, "0,7", false, MK_REASON_CPU_NODE,
		"there is no NUMA node 7", "lscpu");
	refused(PLAIN, 1, "1", false, MK_REASON_CPU_NODE,
		"there is no NUMA node 1", "lscpu");
	/* A node that is there, and has no CPUs. */
	refused("0:f 0:f 2:f", 1, "1", false, MK_REASON_CPU_TOO_FEW,
		"1 CPUs are wanted and 0 can be had on node 1", "");
}

/* Whatever is asked of whatever machine: what comes back keeps the rules. */
static void check_rules(const struct mk_machine *machine,
			const struct mk_config *config,
			const unsigned int *got)
{
	const struct mk_machine_cpu *c;

	for (size_t i = 0; i < config->nr_cpus; i++) {
		c = &machine->cpus[got[i]];
		assert_true(i == 0 || got[i] > got[i - 1]);
		assert_true(c->online && !c->owner[0] && c->cpu != 0);
		if (config->cpu_nodes.nr)
			assert_true(c->node == config->cpu_nodes.node[0] ||
				    (config->cpu_nodes.nr > 1 &&
				     c->node == config->cpu_nodes.node[1]));
	}
}

static void test_random(void **state)
{
	static const char *const wants[] = { "", "0", "1", "0,1", "1,0" };
	unsigned int seed = 1, nr_done = 0;
	char shape[256];

	(void)state;
	for (int round = 0; round < 2000; round++) {
		mk_autofree unsigned int *got = NULL;
		struct mk_machine machine;
		struct mk_config config;
		char *p = shape;
		int nr_cores = 2 + rand_r(&seed) % 8;
		bool split = rand_r(&seed) % 2;

		for (int core = 0; core < nr_cores; core++)
			p += sprintf(p, "%s%d.%d:%c%c", core ? " " : "",
				     core >= nr_cores / 2, core % 2,
				     core ? "ffflo"[rand_r(&seed) % 5] : 'f',
				     "ffflo"[rand_r(&seed) % 5]);
		machine = make_machine(shape);
		config = make_config(1 + (size_t)rand_r(&seed) % 8,
				     wants[rand_r(&seed) % 5], split);
		if (mk_choose_cpus(&machine, &config, &got, NULL) < 0)
			continue;
		check_rules(&machine, &config, got);
		/* It passes for a list that somebody wrote, too. */
		assert_int_equal(mk_machine_check(&machine, got,
						  config.nr_cpus, split, NULL),
				 0);
		nr_done++;
	}
	assert_true(nr_done > 500);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_plain),
		cmocka_unit_test(test_whole_cores),
		cmocka_unit_test(test_split),
		cmocka_unit_test(test_places),
		cmocka_unit_test(test_nodes),
		cmocka_unit_test(test_too_few),
		cmocka_unit_test(test_no_node),
		cmocka_unit_test(test_random),
	};

	return cmocka_run_group_tests_name("choose", tests, NULL, NULL);
}
