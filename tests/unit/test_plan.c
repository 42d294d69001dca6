// SPDX-License-Identifier: GPL-2.0-only
/*
 * The plans, on a pretended kernel: what a spawn does, and that a fault at
 * each step undoes exactly what was done. The kernel's journal is compared, so
 * a missing, additional or misplaced request fails.
 */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <mk/spawn.h>

#include "../../spawn/config.h"
#include "fake_kernel.h"
#include "fake_machine.h"

static unsigned int two_cpus[] = { 3, 2 };
static struct mk_config config;
static struct mk_run_options options;
static struct mk_run_result result;
static struct mk_ctx *ctx;
static struct mk_error err;

static int setup(void **state)
{
	(void)state;
	fake_machine_make();
	config = (struct mk_config){
		.name = "web",
		.kernel = fake_kernel_path,
		.cmdline = (char *)"quiet",
		.cpus = two_cpus,
		.nr_cpus = 2,
		.memory_bytes = 256 << 20,
	};
	options = (struct mk_run_options){ .timeout_ms = 1000 };
	err = (struct mk_error)MK_ERROR_INIT;
	fake_reset();
	assert_int_equal(mk_ctx_new(fake_machine, &ctx, NULL), 0);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	unsetenv("MKCTL_FAIL_STEP");
	unsetenv("MKCTL_FAIL_UNDO");
	mk_run_result_clear(&result);
	mk_ctx_free(ctx);
	return fake_machine_remove();
}

static int spawn(void)
{
	mk_run_result_clear(&result);
	return mk_spawn(ctx, &config, "web.json", &options, &result, &err);
}

static bool facts_exist(void)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/run/mkctl/web.json", fake_machine);
	return access(path, F_OK) == 0;
}

static void begin_and_end_change(void)
{
	struct mk_change change = MK_CHANGE_NONE;

	assert_int_equal(mk_change_begin(ctx, &change, &err), 0);
	mk_change_end(&change);
}

static void test_spawn(void **state)
{
	struct mk_facts *facts;

	(void)state;
	assert_int_equal(spawn(), 0);
	assert_string_equal(fake->journal, "create cpus memory load start");
	assert_string_equal(fake->instances[1].cmdline,
			    "mk_shared_memory=0x400000@0x100000000 quiet");
	assert_int_equal(fake->instances[1].cpus[0], 3);
	assert_int_equal(result.inst->get.state, MK_STATE_RUNNING);
	assert_int_equal(result.stages.nr_items, 11);
	assert_string_equal(result.stages.items[10].name, "boot");
	assert_int_equal(mk_facts_find(ctx, &result.inst->get, &facts), 0);
	assert_false(facts->pending);
	assert_string_equal(facts->kernel, fake_kernel_path);
	assert_null(facts->initrd);
	assert_int_equal(facts->nr_cpus, 2);
	assert_int_equal(facts->cpus[0], 3);
	mk_facts_free(facts);
}

/* What each fault must leave behind in the kernel's journal. */
static const struct {
	const char *step;
	const char *journal;
} faults[] = {
	{ "check", "" },
	{ "create", "" },
	{ "channels", "create destroy" },
	{ "policy", "create destroy" },
	{ "tasks", "create destroy" },
	{ "cpus", "create destroy" },
	{ "memory", "create cpus cpus-back destroy" },
	{ "load", "create cpus memory memory-back cpus-back destroy" },
	{ "shares", "create cpus memory load cpus-back destroy" },
	{ "start", "create cpus memory load cpus-back destroy" },
	{ "boot", "create cpus memory load start kill cpus-back destroy" },
};

static void test_fault_at_each_step(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < MK_ARRAY_SIZE(faults); i++) {
		fake_reset();
		setenv("MKCTL_FAIL_STEP", faults[i].step, 1);
		assert_int_equal(spawn(), -ECANCELED);
		assert_int_equal(err.code, MK_ERR_FAILED);
		assert_string_equal(err.object, "web");
		assert_string_equal(fake->journal, faults[i].journal);
		assert_false(fake->instances[1].used);
		assert_false(facts_exist());
		assert_int_equal(result.stages.nr_items, i);
	}
}

/* The kernel refuses, rather than the plan. */
static const struct {
	const char *request;
	const char *journal;
} refused[] = {
	{ "create", "create" },
	{ "cpus", "create cpus destroy" },
	{ "memory", "create cpus memory cpus-back destroy" },
	{ "load", "create cpus memory load memory-back cpus-back destroy" },
	{ "start", "create cpus memory load start cpus-back destroy" },
};

static void test_refusal_of_each_request(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < MK_ARRAY_SIZE(refused); i++) {
		fake_reset();
		snprintf(fake->refuse, sizeof(fake->refuse), "%s",
			 refused[i].request);
		fake->refuse_reason = MK_REASON_BUSY;
		assert_int_equal(spawn(), -EIO);
		assert_int_equal(err.code, MK_ERR_BUSY);
		assert_int_equal(err.reason, MK_REASON_BUSY);
		assert_string_equal(fake->journal, refused[i].journal);
		assert_false(facts_exist());
	}
}

static void test_load_names_the_file(void **state)
{
	(void)state;
	snprintf(fake->refuse, sizeof(fake->refuse), "load");
	fake->refuse_reason = MK_REASON_IMAGE_NO_NOTE;
	assert_int_equal(spawn(), -EIO);
	assert_int_equal(err.code, MK_ERR_CONFIG);
	assert_string_equal(err.object, fake_kernel_path);
	fake->refuse_reason = MK_REASON_CMDLINE_TOO_LONG;
	assert_int_equal(spawn(), -EIO);
	assert_string_equal(err.object, "cmdline");
}

static void test_undo_incomplete(void **state)
{
	(void)state;
	setenv("MKCTL_FAIL_STEP", "load", 1);
	setenv("MKCTL_FAIL_UNDO", "cpus", 1);
	assert_int_equal(spawn(), -ECANCELED);
	assert_int_equal(err.code, MK_ERR_UNDO);
	assert_non_null(strstr(err.message, "undo of 'cpus' failed"));
	/* The others are undone nevertheless. */
	assert_string_equal(fake->journal,
			    "create cpus memory memory-back destroy");
}

static void test_keep(void **state)
{
	(void)state;
	options.keep = true;
	fake->boot = FAKE_PANIC;
	assert_int_equal(spawn(), -EIO);
	assert_string_equal(fake->journal, "create cpus memory load start");
	assert_int_equal(fake->instances[1].get.state, MK_STATE_PANICKED);
	assert_true(facts_exist());
	begin_and_end_change();
	assert_true(fake->instances[1].used);
}

static void test_boot_timeout(void **state)
{
	(void)state;
	options.timeout_ms = 100;
	fake->boot = FAKE_HANG;
	assert_int_equal(spawn(), -ETIMEDOUT);
	assert_int_equal(err.code, MK_ERR_TIMEOUT);
	assert_non_null(strstr(result.log_tail, "last words"));
	assert_string_equal(fake->journal, "create cpus memory load start kill-timeout kill cpus-back destroy");
}

static void test_boot_panic(void **state)
{
	(void)state;
	fake->boot = FAKE_PANIC;
	assert_int_equal(spawn(), -EIO);
	assert_int_equal(err.code, MK_ERR_FAILED);
	assert_non_null(strstr(err.message, "panicked (panic)"));
	assert_non_null(result.log_tail);
	assert_false(fake->instances[1].used);
}

static void test_cancel(void **state)
{
	static volatile sig_atomic_t cancel = 2;

	(void)state;
	options.cancel = &cancel;
	assert_int_equal(spawn(), -EINTR);
	assert_string_equal(fake->journal, "");
}

static void check_refused(int code, const char *part)
{
	assert_true(spawn() < 0);
	assert_int_equal(err.code, code);
	if (!strstr(err.message, part))
		fail_msg("'%s' lacks '%s'", err.message, part);
	assert_string_equal(fake->journal, "");
	assert_false(facts_exist());
}

static void test_checks(void **state)
{
	unsigned int cpu = 7;

	(void)state;
	config.cpus = &cpu;
	config.nr_cpus = 1;
	check_refused(MK_ERR_BUSY, "CPU 7 is offline");
	cpu = 8;
	check_refused(MK_ERR_CONFIG, "CPU 8 does not exist");
	cpu = 0;
	check_refused(MK_ERR_CONFIG, "CPU 0");
	cpu = 1;
	config.memory_bytes = 2ULL << 30;
	check_refused(MK_ERR_BUSY, "1G free, largest piece 1G");
	config.memory_bytes = 256 << 20;
	config.initrd = (char *)"/no/such/initrd";
	check_refused(MK_ERR_CONFIG, "cannot open the initrd");
	config.initrd = NULL;
	fake_machine_write("kernel", "");
	check_refused(MK_ERR_CONFIG, "the kernel is empty");
	config.kernel = fake_machine;
	check_refused(MK_ERR_CONFIG, "not a regular file");
	fake->role = MK_ROLE_NONE;
	check_refused(MK_ERR_NOT_PERMITTED, "no pool");
}

/* More CPUs than one instance can have; a list of sysfs that is none. */
static void test_large_machine(void **state)
{
	(void)state;
	fake_machine_write("sys/devices/system/cpu/present", "0-4095\n");
	fake_machine_write("sys/devices/system/cpu/online", "0-1,oops\n");
	check_refused(MK_ERR_FAILED, "not a list of CPUs");
	fake_machine_write("sys/devices/system/cpu/online", "0-1,3-4095,2\n");
	assert_int_equal(spawn(), 0);
}

static void test_taken(void **state)
{
	(void)state;
	assert_int_equal(spawn(), 0);
	fake->journal[0] = '\0';
	assert_true(spawn() < 0);
	assert_int_equal(err.reason, MK_REASON_NAME_TAKEN);
	snprintf(config.name, sizeof(config.name), "db");
	assert_true(spawn() < 0);
	assert_int_equal(err.reason, MK_REASON_CPU_LENT);
	assert_non_null(strstr(err.message, "CPU 3 is lent to instance 'web'"));
	assert_string_equal(fake->journal, "");
}

static void count_step(void *arg, const struct mk_step_text *step)
{
	unsigned int *count = arg;

	assert_true(step->what[0]);
	(*count)++;
}

static void test_preview(void **state)
{
	unsigned int count = 0;

	(void)state;
	assert_int_equal(mk_spawn_preview(ctx, &config, "web.json", &options,
					  count_step, &count, &err), 0);
	assert_int_equal(count, 11);
	assert_string_equal(fake->journal, "");
	assert_false(facts_exist());
}

static void test_life(void **state)
{
	struct mk_instance *inst;

	(void)state;
	assert_int_equal(spawn(), 0);
	fake->journal[0] = '\0';
	assert_int_equal(mk_instance_find(ctx, "web", &inst, &err), 0);
	assert_int_equal(mk_remove(ctx, inst, &err), -EBUSY);
	assert_non_null(strstr(err.message, "running"));
	assert_int_equal(mk_stop(ctx, inst, false, &options, &err), 0);
	mk_instance_free(inst);
	assert_int_equal(mk_instance_find(ctx, "web", &inst, &err), 0);
	assert_int_equal(inst->get.state, MK_STATE_STOPPED);
	assert_int_equal(mk_stop(ctx, inst, false, &options, &err), 0);
	mk_run_result_clear(&result);
	assert_int_equal(mk_start(ctx, inst, &options, &result, &err), 0);
	assert_int_equal(result.inst->get.epoch, 2);
	assert_int_equal(mk_kill(ctx, result.inst, &err), 0);
	assert_int_equal(mk_remove(ctx, inst, &err), 0);
	mk_instance_free(inst);
	assert_string_equal(fake->journal,
			    "destroy stop cpus start kill destroy");
	assert_false(facts_exist());
}

static void test_stop_timeout(void **state)
{
	(void)state;
	assert_int_equal(spawn(), 0);
	fake->stop = FAKE_HANG;
	options.timeout_ms = 50;
	assert_int_equal(mk_stop(ctx, result.inst, false, &options, &err),
			 -ETIMEDOUT);
	assert_int_equal(err.code, MK_ERR_TIMEOUT);
	assert_int_equal(mk_stop(ctx, result.inst, true, &options, &err), 0);
	assert_int_equal(fake->instances[1].get.state, MK_STATE_KILLED);
}

/* A start that fails gives the CPUs back, and the next one knows them. */
static void test_start_fault(void **state)
{
	struct mk_instance *inst;

	(void)state;
	assert_int_equal(spawn(), 0);
	assert_int_equal(mk_kill(ctx, result.inst, &err), 0);
	assert_int_equal(mk_instance_get(ctx, 1, &inst, &err), 0);
	fake->journal[0] = '\0';
	setenv("MKCTL_FAIL_STEP", "start", 1);
	mk_run_result_clear(&result);
	assert_true(mk_start(ctx, inst, &options, &result, &err) < 0);
	assert_string_equal(fake->journal, "cpus cpus-back");
	unsetenv("MKCTL_FAIL_STEP");
	mk_instance_free(inst);
	assert_int_equal(mk_instance_get(ctx, 1, &inst, &err), 0);
	assert_int_equal(inst->get.nr_cpus, 0);
	mk_run_result_clear(&result);
	assert_int_equal(mk_start(ctx, inst, &options, &result, &err), 0);
	assert_int_equal(result.inst->get.nr_cpus, 2);
	assert_int_equal(result.inst->cpus[0].cpu, 3);
	mk_instance_free(inst);
}

/* As if mkctl was killed in the middle: what the next one does about it. */
static void interrupt_spawn(uint32_t state)
{
	static const char text[] =
		"{\"schema\":\"mkctl.state/1\",\"pending\":true,\"cpus\":[]}";

	fake_reset();
	assert_int_equal(spawn(), 0);
	fake->instances[1].get.state = state;
	fake->journal[0] = '\0';
	fake_machine_write("run/mkctl/web.json", text);
}

static void test_repair(void **state)
{
	struct mk_facts *facts;

	(void)state;
	interrupt_spawn(MK_STATE_CREATED);
	begin_and_end_change();
	assert_string_equal(fake->journal, "destroy");
	assert_false(facts_exist());
	interrupt_spawn(MK_STATE_STARTING);
	begin_and_end_change();
	assert_string_equal(fake->journal, "kill destroy");
	interrupt_spawn(MK_STATE_RUNNING);
	begin_and_end_change();
	assert_string_equal(fake->journal, "");
	assert_int_equal(mk_facts_find(ctx, &fake->instances[1].get, &facts),
			 0);
	assert_false(facts->pending);
	mk_facts_free(facts);
}

static void test_stale_facts(void **state)
{
	struct mk_facts *facts;

	(void)state;
	assert_int_equal(spawn(), 0);
	fake->instances[1].get.created_ns++;
	assert_int_equal(mk_facts_find(ctx, &fake->instances[1].get, &facts),
			 -ENOENT);
	begin_and_end_change();
	assert_false(facts_exist());
	assert_true(fake->instances[1].used);
	fake_machine_write("run/mkctl/web.json", "{ broken");
	begin_and_end_change();
	assert_false(facts_exist());
}

static void check_list(const unsigned int *cpus, size_t n, const char *text)
{
	char *list = mk_cpulist_format(cpus, n);

	assert_string_equal(list, text);
	free(list);
}

static void test_cpulist(void **state)
{
	static const unsigned int cpus[] = { 2, 3, 4, 6, 5, 9, 10 };

	(void)state;
	check_list(cpus, 0, "");
	check_list(cpus, 1, "2");
	check_list(cpus, 7, "2-4,6,5,9-10");
}

#define TEST(f)	cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_spawn),
		TEST(test_fault_at_each_step),
		TEST(test_refusal_of_each_request),
		TEST(test_load_names_the_file),
		TEST(test_undo_incomplete),
		TEST(test_keep),
		TEST(test_boot_timeout),
		TEST(test_boot_panic),
		TEST(test_cancel),
		TEST(test_checks),
		TEST(test_large_machine),
		TEST(test_taken),
		TEST(test_preview),
		TEST(test_life),
		TEST(test_stop_timeout),
		TEST(test_start_fault),
		TEST(test_repair),
		TEST(test_stale_facts),
		cmocka_unit_test(test_cpulist),
	};

	return cmocka_run_group_tests_name("plan", tests, NULL, NULL);
}
