// SPDX-License-Identifier: GPL-2.0-only
/*
 * What is bound to lent CPUs, on a pretended kernel with pretended tasks: what
 * is moved and what is not, and that all of it comes back, whoever was killed
 * or changed something in between.
 */
#include <fcntl.h>
#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "../../spawn/vacate.h"
#include "fake_kernel.h"
#include "fake_tasks.h"

static char root[64];
static struct mk_ctx *ctx;
static struct mk_error err;

static void make_dir(const char *path)
{
	char full[256];

	snprintf(full, sizeof(full), "%s/%s", root, path);
	assert_int_equal(mkdir(full, 0755), 0);
}

static void write_text(const char *path, const char *text)
{
	char full[256];
	FILE *f;

	snprintf(full, sizeof(full), "%s/%s", root, path);
	f = fopen(full, "w");
	assert_non_null(f);
	fputs(text, f);
	fclose(f);
}

static void expect_file(const char *path, const char *text)
{
	mk_autofree char *there = NULL;

	assert_int_equal(mk_ctx_read_text(ctx, path, 4096, &there), 0);
	assert_string_equal(there, text);
}

static bool exists(const char *path)
{
	return faccessat(mk_ctx_dirfd(ctx), path, F_OK, 0) == 0;
}

static int setup(void **state)
{
	static const char *const dirs[] = {
		"dev", "run", "proc", "proc/self", "proc/sys",
		"proc/sys/kernel", "proc/sys/kernel/random", "sys",
		"sys/devices", "sys/devices/system", "sys/devices/system/cpu",
	};
	size_t i;

	(void)state;
	snprintf(root, sizeof(root), "/tmp/mk-test-vacate.XXXXXX");
	assert_non_null(mkdtemp(root));
	for (i = 0; i < MK_ARRAY_SIZE(dirs); i++)
		make_dir(dirs[i]);
	write_text("dev/multikernel", "");
	write_text("proc/sys/kernel/random/boot_id", "boot-1\n");
	write_text("sys/devices/system/cpu/online", "0-7\n");
	err = (struct mk_error)MK_ERROR_INIT;
	fake_reset();
	fake_tasks_root(root);
	assert_int_equal(mk_ctx_new(root, &ctx, NULL), 0);
	return 0;
}

static int remove_one(const char *path, const struct stat *st, int flag,
		      struct FTW *ftw)
{
	(void)st;
	(void)flag;
	(void)ftw;
	return remove(path);
}

static int teardown(void **state)
{
	(void)state;
	fake_tasks_root(NULL);
	mk_ctx_free(ctx);
	return nftw(root, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

/* Instances of one CPU each, as SET_CPUS and an end would do it. */

static void set_online(void)
{
	unsigned int cpus[8];
	char *list;
	size_t n = 0;
	uint32_t cpu, id;
	bool lent;

	for (cpu = 0; cpu < 8; cpu++) {
		lent = false;
		for (id = 1; id <= FAKE_INSTANCES; id++)
			lent |= fake->instances[id].get.nr_cpus &&
				fake->instances[id].cpus[0] == cpu;
		if (!lent)
			cpus[n++] = cpu;
	}
	list = mk_cpulist_format(cpus, n);
	write_text("sys/devices/system/cpu/online", list);
	free(list);
}

static uint32_t lend(const char *name, unsigned int cpu)
{
	uint32_t id;

	assert_int_equal(mk_instance_create(ctx, name, &id, &err), 0);
	assert_int_equal(mk_vacate(ctx, name, &cpu, 1, &err), 0);
	assert_int_equal(mk_instance_set_cpus(ctx, id, &cpu, 1, 0, &err), 0);
	set_online();
	assert_int_equal(mk_vacate_settle(ctx, &err), 0);
	return id;
}

static void end(uint32_t id)
{
	assert_int_equal(mk_instance_set_cpus(ctx, id, NULL, 0, 0, &err), 0);
	set_online();
	assert_int_equal(mk_vacate_settle(ctx, &err), 0);
}

static struct mk_cpumask mask_of(uint32_t bits)
{
	return (struct mk_cpumask){ .words = { bits } };
}

static void test_judge(void **state)
{
	/* CPUs 2 and 3 are lent, 5 is offline, 4 is about to be lent. */
	const struct mk_leaving leaving = {
		.away = mask_of(0x1c),
		.online = mask_of(0xd3),
		.stay = mask_of(0xc3),
	};
	static const struct {
		uint32_t old, given, present;
		enum mk_vacate_verdict verdict;
	} cases[] = {
		{ 0x04, 0xc3, 0xc3, MK_VACATE_KEEP },
		{ 0x04, 0xd3, 0xd3, MK_VACATE_KEEP },	/* some of it stays */
		{ 0x04, 0x10, 0x10, MK_VACATE_MOVE },	/* given leaves too */
		{ 0x10, 0xc3, 0x10, MK_VACATE_MOVE },	/* not done yet */
		{ 0x0c, 0xc3, 0x04, MK_VACATE_MOVE },	/* part of the old */
		{ 0x41, 0xc3, 0xc3, MK_VACATE_RESTORE },
		{ 0x05, 0xc2, 0xc2, MK_VACATE_RESTORE },	/* one is back */
		{ 0x41, 0xc3, 0x40, MK_VACATE_RESTORE },
		{ 0x41, 0xc3, 0x41, MK_VACATE_FORGET },	/* is there */
		{ 0x04, 0xc3, 0x02, MK_VACATE_FORGET },	/* somebody's */
		{ 0x41, 0xc3, 0x42, MK_VACATE_FORGET },
		{ 0x41, 0xc3, 0xff, MK_VACATE_FORGET },
		{ 0x20, 0xc3, 0xc3, MK_VACATE_FORGET },	/* not our loan */
	};
	struct mk_cpumask old, given, present;
	size_t i;

	(void)state;
	for (i = 0; i < MK_ARRAY_SIZE(cases); i++) {
		old = mask_of(cases[i].old);
		given = mask_of(cases[i].given);
		present = mask_of(cases[i].present);
		if (mk_vacate_judge(&leaving, &old, &given, &present) !=
		    cases[i].verdict)
			fail_msg("case %zu is judged otherwise", i);
	}
}

static void test_there_and_back(void **state)
{
	uint32_t id;

	(void)state;
	fake_task(10, 10, 1, 0, "/", 0x04);
	fake_task(10, 11, 2, 0, "/", 0x0c);
	fake_task(10, 12, 3, 0, "/", 0xff);
	fake_task(20, 20, 4, 0x04000000, "/", 0x04);	/* a per-CPU kthread */
	fake_irq(30, 0x04);
	fake_irq(31, 0x05);
	id = lend("web", 2);
	assert_int_equal(fake_task_mask(10), 0xfb);
	assert_int_equal(fake_task_mask(11), 0x0c);
	assert_int_equal(fake_task_mask(12), 0xff);
	assert_int_equal(fake_task_mask(20), 0x04);
	assert_int_equal(fake_irq_mask(30), 0xfb);
	assert_int_equal(fake_irq_mask(31), 0x05);
	assert_int_equal(fake_tasks_changes, 1);
	assert_true(exists("run/mkctl/moved"));
	end(id);
	assert_int_equal(fake_task_mask(10), 0x04);
	assert_int_equal(fake_irq_mask(30), 0x04);
	assert_int_equal(fake_tasks_changes, 2);
	assert_false(exists("run/mkctl/moved"));
}

static void test_nothing_to_do(void **state)
{
	(void)state;
	fake_task(10, 10, 1, 0, "/", 0x0c);
	end(lend("web", 2));
	assert_int_equal(fake_tasks_changes, 0);
	assert_false(exists("run/mkctl"));
}

/* One task of two CPUs, lent one after the other, ending in each order. */
static void test_overlap(void **state)
{
	uint32_t web, db;
	int first;

	(void)state;
	fake_task(10, 10, 1, 0, "/", 0x0c);
	fake_task(11, 11, 1, 0, "/", 0x04);
	for (first = 0; first < 2; first++) {
		fake_reset();
		web = lend("web", 2);
		assert_int_equal(fake_task_mask(10), 0x0c);
		assert_int_equal(fake_task_mask(11), 0xfb);
		db = lend("db", 3);
		assert_int_equal(fake_task_mask(10), 0xf3);
		assert_int_equal(fake_task_mask(11), 0xfb);
		end(first ? db : web);
		assert_int_equal(fake_task_mask(10), 0x0c);
		assert_int_equal(fake_task_mask(11), first ? 0xfb : 0x04);
		end(first ? web : db);
		assert_int_equal(fake_task_mask(10), 0x0c);
		assert_int_equal(fake_task_mask(11), 0x04);
		assert_false(exists("run/mkctl/moved"));
	}
}

static void test_others_are_right(void **state)
{
	uint32_t id;

	(void)state;
	fake_task(10, 10, 1, 0, "/", 0x04);
	fake_task(11, 11, 1, 0, "/", 0x04);
	fake_task(12, 12, 1, 0, "/", 0x04);
	fake_irq(30, 0x04);
	id = lend("web", 2);
	fake_task(10, 10, 1, 0, "/", 0x20);	/* moved by somebody */
	fake_task(11, 11, 9, 0, "/", 0xfb);	/* another task */
	fake_task_end(12, 12);
	fake_irq(30, 0x10);
	end(id);
	assert_int_equal(fake_task_mask(10), 0x20);
	assert_int_equal(fake_task_mask(11), 0xfb);
	assert_int_equal(fake_irq_mask(30), 0x10);
	assert_int_equal(fake_tasks_changes, 3);
	assert_false(exists("run/mkctl/moved"));
}

static void test_refused(void **state)
{
	const unsigned int cpu = 2;

	(void)state;
	fake_task(10, 10, 1, 0, "/", 0x04);
	fake_irq(30, 0x04);
	fake_tasks_refuse = EBUSY;
	assert_int_equal(mk_vacate(ctx, "web", &cpu, 1, &err), -EBUSY);
	assert_int_equal(err.code, MK_ERR_BUSY);
	assert_string_equal(err.object, "task 10 (a) (b)");
	assert_non_null(strstr(err.message, "is bound to CPUs 2, which leave"));
	assert_non_null(strstr(err.hint, "SCHED_DEADLINE"));
	assert_int_equal(fake_irq_mask(30), 0x04);
	assert_false(exists("run/mkctl/moved"));
	fake_tasks_refuse = EPERM;
	assert_int_equal(mk_vacate(ctx, "web", &cpu, 1, &err), -EPERM);
	assert_int_equal(err.code, MK_ERR_NOT_PERMITTED);
}

/* Killed before the CPUs were lent, and before anything was moved. */
static void test_killed(void **state)
{
	const unsigned int cpu = 2;
	struct mk_moved_task item = {
		.pid = 10, .tid = 10, .start = 1,
		.old = mask_of(0x04), .given = mask_of(0xfb),
	};
	struct mk_moved *moved;

	(void)state;
	fake_task(10, 10, 1, 0, "/", 0x04);
	assert_int_equal(mk_vacate(ctx, "web", &cpu, 1, &err), 0);
	assert_int_equal(fake_task_mask(10), 0xfb);
	assert_int_equal(mk_vacate_settle(ctx, &err), 0);
	assert_int_equal(fake_task_mask(10), 0x04);
	assert_int_equal(mk_moved_new(ctx, &moved, &err), 0);
	assert_int_equal(mk_moved_add_task(moved, &item), 0);
	assert_int_equal(mk_moved_save(ctx, moved, &err), 0);
	mk_moved_free(moved);
	assert_int_equal(mk_vacate_settle(ctx, &err), 0);
	assert_int_equal(fake_task_mask(10), 0x04);
	assert_false(exists("run/mkctl/moved"));
}

/* What cannot be brought back is told once. */
static void test_cannot_return(void **state)
{
	uint32_t id;

	(void)state;
	fake_task(10, 10, 1, 0, "/", 0x04);
	fake_task(11, 11, 1, 0, "/", 0x04);
	id = lend("web", 2);
	assert_int_equal(mk_instance_set_cpus(ctx, id, NULL, 0, 0, &err), 0);
	set_online();
	fake_tasks_refuse = EINVAL;
	assert_int_equal(mk_vacate_settle(ctx, &err), -EINVAL);
	assert_non_null(strstr(err.message, "cannot be bound to CPUs 2 again"));
	assert_int_equal(fake_tasks_changes, 4);
	assert_int_equal(mk_vacate_settle(ctx, &err), 0);
}

static void test_bad_record(void **state)
{
	(void)state;
	make_dir("run/mkctl");
	write_text("run/mkctl/moved", "{}");
	assert_int_equal(mk_vacate_settle(ctx, &err), -EINVAL);
	assert_non_null(strstr(err.message, "/run/mkctl/moved.bad"));
	assert_false(exists("run/mkctl/moved"));
	assert_int_equal(mk_vacate_settle(ctx, &err), 0);
}

/* Process numbers of another boot are others' processes. */
static void test_other_boot(void **state)
{
	uint32_t id;

	(void)state;
	fake_task(10, 10, 1, 0, "/", 0x04);
	id = lend("web", 2);
	write_text("proc/sys/kernel/random/boot_id", "boot-2\n");
	end(id);
	assert_int_equal(fake_task_mask(10), 0xfb);
	assert_false(exists("run/mkctl/moved"));
}

static void make_cpuset(const char *path, const char *cpus,
			const char *exclusive, const char *tasks)
{
	char file[128];

	make_dir(path);
	snprintf(file, sizeof(file), "%s/cpuset.cpus", path);
	write_text(file, cpus);
	snprintf(file, sizeof(file), "%s/cpuset.cpu_exclusive", path);
	write_text(file, exclusive);
	snprintf(file, sizeof(file), "%s/tasks", path);
	write_text(file, tasks);
}

static void mount_v1(void)
{
	write_text("proc/self/mounts",
		   "none /proc proc rw 0 0\nnone /c\\040g cgroup rw,cpuset,noise 0 0\nnone /cg2 cgroup2 rw 0 0\n");
	make_dir("c g");
}

static void test_cpusets(void **state)
{
	uint32_t web, db;

	(void)state;
	mount_v1();
	make_cpuset("c g/wide", "1-3\n", "0\n", "");
	make_cpuset("c g/wide/in", "2\n", "0\n", "5\n");
	make_cpuset("c g/mine", "4-5\n", "1\n", "6\n");
	make_cpuset("c g/two", "2-3\n", "0\n", "7\n");
	fake_task(10, 10, 1, 0, "/two", 0x0c);	/* its cpuset's business */
	web = lend("web", 2);
	expect_file("/c g/wide/cpuset.cpus", "1,3");
	expect_file("/c g/wide/in/cpuset.cpus", "1,3");
	expect_file("/c g/two/cpuset.cpus", "3");
	db = lend("db", 3);
	expect_file("/c g/wide/cpuset.cpus", "1");
	expect_file("/c g/wide/in/cpuset.cpus", "1");
	expect_file("/c g/two/cpuset.cpus", "0-1,6-7");
	expect_file("/c g/mine/cpuset.cpus", "4-5");
	end(web);
	expect_file("/c g/wide/cpuset.cpus", "1-2");
	expect_file("/c g/wide/in/cpuset.cpus", "2");
	expect_file("/c g/two/cpuset.cpus", "2");
	end(db);
	expect_file("/c g/wide/cpuset.cpus", "1-3");
	expect_file("/c g/two/cpuset.cpus", "2-3");
	assert_int_equal(fake_tasks_changes, 0);
	assert_false(exists("run/mkctl/moved"));
}

static void test_cpuset_of_others(void **state)
{
	uint32_t id;

	(void)state;
	mount_v1();
	make_cpuset("c g/a", "1-2\n", "0\n", "");
	make_cpuset("c g/b", "1-2\n", "0\n", "");
	id = lend("web", 2);
	write_text("c g/a/cpuset.cpus", "1,4\n");
	end(id);
	expect_file("/c g/a/cpuset.cpus", "1,4");
	expect_file("/c g/b/cpuset.cpus", "1-2");
}

static void test_cpuset_refused(void **state)
{
	const unsigned int cpu = 2;

	(void)state;
	mount_v1();
	make_cpuset("c g/all", "0-1,3-7\n", "1\n", "6\n");
	make_cpuset("c g/one", "2\n", "0\n", "");
	make_cpuset("c g/two", "2\n", "0\n", "5\n");
	assert_int_equal(mk_vacate(ctx, "web", &cpu, 1, &err), -EBUSY);
	assert_int_equal(err.code, MK_ERR_BUSY);
	assert_string_equal(err.object, "/two");
	assert_non_null(strstr(err.message, "has only CPUs that leave (2)"));
	expect_file("/c g/one/cpuset.cpus", "2");
	expect_file("/c g/two/cpuset.cpus", "2");
	assert_false(exists("run/mkctl/moved"));
}

/* Without tasks it may be left with no CPU. */
static void test_cpuset_emptied(void **state)
{
	uint32_t id;

	(void)state;
	mount_v1();
	make_cpuset("c g/all", "0-1,3-7\n", "1\n", "6\n");
	make_cpuset("c g/one", "2\n", "0\n", "");
	id = lend("web", 2);
	expect_file("/c g/one/cpuset.cpus", "");
	end(id);
	expect_file("/c g/one/cpuset.cpus", "2");
}

/* The record is ahead of the cpusets, or half of it was done. */
static void test_cpuset_killed(void **state)
{
	static const char *const half_way[] = {
		"2-3\n", "2-3,6\n", "0-1,2-7\n", "0-1,3-7\n",
	};
	struct mk_moved_cpuset item = {
		.path = (char *)"/two", .old = mask_of(0x0c),
		.was = mask_of(0x4c), .given = mask_of(0xfb),
	};
	struct mk_moved *moved;
	size_t i;

	(void)state;
	mount_v1();
	make_cpuset("c g/two", "2-3\n", "0\n", "5\n");
	for (i = 0; i < MK_ARRAY_SIZE(half_way); i++) {
		write_text("c g/two/cpuset.cpus", half_way[i]);
		assert_int_equal(mk_moved_new(ctx, &moved, &err), 0);
		assert_int_equal(mk_moved_add_cpuset(moved, &item), 0);
		assert_int_equal(mk_moved_save(ctx, moved, &err), 0);
		mk_moved_free(moved);
		assert_int_equal(mk_vacate_settle(ctx, &err), 0);
		expect_file("/c g/two/cpuset.cpus", "2-3");
		assert_false(exists("run/mkctl/moved"));
	}
}

static void mount_v2(void)
{
	write_text("proc/self/mounts", "none /cg2 cgroup2 rw 0 0\n");
	make_dir("cg2");
	write_text("cg2/cgroup.subtree_control", "cpu cpuset\n");
}

/* No partition can be made in this folder: tasks are moved without. */
static void test_v2_without_partition(void **state)
{
	uint32_t id;

	(void)state;
	mount_v2();
	fake_task(10, 10, 1, 0, "/", 0x04);
	fake_task(11, 11, 1, 0, "/user", 0x04);	/* the kernel's business */
	id = lend("web", 2);
	assert_int_equal(fake_task_mask(10), 0xfb);
	assert_int_equal(fake_task_mask(11), 0x04);
	assert_false(exists("cg2/mkctl.web"));
	end(id);
	assert_int_equal(fake_task_mask(10), 0x04);
}

/* Killed while the partition was there, which let go of a kernel thread. */
static void test_v2_killed(void **state)
{
	struct mk_moved_task item = {
		.pid = 10, .tid = 10, .start = 1, .kept = true,
		.old = mask_of(0x0f),
	};
	struct mk_moved *moved;

	(void)state;
	mount_v2();
	make_dir("cg2/mkctl.web");
	fake_task(10, 10, 1, 0, "/", 0xff);
	assert_int_equal(mk_moved_new(ctx, &moved, &err), 0);
	strcpy(moved->partition, "mkctl.web");
	assert_int_equal(mk_moved_add_task(moved, &item), 0);
	assert_int_equal(mk_moved_save(ctx, moved, &err), 0);
	mk_moved_free(moved);
	assert_int_equal(mk_vacate_settle(ctx, &err), 0);
	assert_int_equal(fake_task_mask(10), 0x0f);
	assert_false(exists("cg2/mkctl.web"));
	assert_false(exists("run/mkctl/moved"));
}

static void test_describe(void **state)
{
	const unsigned int cpus[] = { 2, 3 };
	char text[256];

	(void)state;
	mount_v1();
	make_cpuset("c g/two", "2-3\n", "0\n", "5\n");
	fake_task(10, 10, 1, 0, "/", 0x04);
	fake_task(11, 11, 1, 0, "/", 0x06);
	fake_irq(30, 0x08);
	mk_vacate_describe(ctx, cpus, 2, text, sizeof(text));
	assert_string_equal(text, "move what is bound to CPUs 2-3 elsewhere: 1 tasks, 1 interrupts, 1 cpusets");
	assert_int_equal(fake_tasks_changes, 0);
	expect_file("/c g/two/cpuset.cpus", "2-3");
	assert_false(exists("run/mkctl"));
}

#define TEST(t)	cmocka_unit_test_setup_teardown(t, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_judge),
		TEST(test_there_and_back),
		TEST(test_nothing_to_do),
		TEST(test_overlap),
		TEST(test_others_are_right),
		TEST(test_refused),
		TEST(test_killed),
		TEST(test_cannot_return),
		TEST(test_bad_record),
		TEST(test_other_boot),
		TEST(test_cpusets),
		TEST(test_cpuset_of_others),
		TEST(test_cpuset_refused),
		TEST(test_cpuset_emptied),
		TEST(test_cpuset_killed),
		TEST(test_v2_without_partition),
		TEST(test_v2_killed),
		TEST(test_describe),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
