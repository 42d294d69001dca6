// SPDX-License-Identifier: GPL-2.0-only
/*
 * Channels and shares of configs in the plans, on a pretended kernel: what is
 * made, when, and that a fault at each step takes back exactly that. Then
 * starts while others still have frames of the boot before.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "../../spawn/check.h"
#include "fake_kernel.h"
#include "fake_machine.h"

#define RW     (MK_RIGHT_READ | MK_RIGHT_WRITE)
#define MADE   "create channels cpus memory load share grant grant share grant"
#define LOADED "create channels cpus memory load"

static unsigned int web_cpus[] = { 2, 3 };
static unsigned int db_cpus[] = { 4 };
static struct mk_peer_name channels[2];
static struct mk_wanted_grant buf_grants[2], board_grants[1];
static struct mk_wanted_share shares[2];
static struct mk_config web, db;
static struct mk_run_options options;
static struct mk_run_result result;
static struct mk_ctx *ctx;
static struct mk_error err;
static char notes[512];

static void take_note(void *arg, const char *text)
{
	size_t used = strlen(notes);

	(void)arg;
	snprintf(notes + used, sizeof(notes) - used, "%s\n", text);
}

static void fill_configs(void)
{
	channels[0] = (struct mk_peer_name){ "db" };
	channels[1] = (struct mk_peer_name){ "later" };
	buf_grants[0] = (struct mk_wanted_grant){ "db", MK_RIGHT_READ };
	buf_grants[1] = (struct mk_wanted_grant){ "host", RW };
	board_grants[0] = (struct mk_wanted_grant){ "web", RW };
	shares[0] = (struct mk_wanted_share){ "buf",	   "web",      64 << 20,
					      MK_NODE_ANY, buf_grants, 2 };
	shares[1] = (struct mk_wanted_share){ "board",	   "host",	 4096,
					      MK_NODE_ANY, board_grants, 1 };
	web = (struct mk_config){
		.name = "web",
		.kernel = fake_kernel_path,
		.cmdline = (char *)"quiet",
		.cpus = web_cpus,
		.nr_cpus = 2,
		.memory_bytes = 256 << 20,
		.peers = { channels, 2, shares, 2, MK_REFERENCES_MOVE },
	};
	db = (struct mk_config){
		.name = "db",
		.kernel = fake_kernel_path,
		.cmdline = (char *)"quiet",
		.cpus = db_cpus,
		.nr_cpus = 1,
		.memory_bytes = 64 << 20,
	};
}

static int setup(void **state)
{
	(void)state;
	fake_machine_make();
	fill_configs();
	options = (struct mk_run_options){
		.timeout_ms = 1000,
		.note = take_note,
	};
	err = (struct mk_error)MK_ERROR_INIT;
	notes[0] = '\0';
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

static int spawn(const struct mk_config *config)
{
	char path[48];

	snprintf(path, sizeof(path), "%s.json", config->name);
	mk_run_result_clear(&result);
	return mk_spawn(ctx, config, path, &options, &result, &err);
}

static struct mk_instance *find(const char *name)
{
	struct mk_instance *inst;

	assert_int_equal(mk_instance_find(ctx, name, &inst, NULL), 0);
	return inst;
}

static int with(const char *name,
		int (*fn)(struct mk_ctx *c, const struct mk_instance *inst,
			  struct mk_error *e))
{
	struct mk_instance *inst = find(name);
	int r = fn(ctx, inst, &err);

	mk_instance_free(inst);
	return r;
}

static int start(const char *name)
{
	struct mk_instance *inst = find(name);
	int r;

	mk_run_result_clear(&result);
	r = mk_start(ctx, inst, &options, &result, &err);
	mk_instance_free(inst);
	return r;
}

/* "board@host buf@web", or "" */
static const char *there(void)
{
	static char text[256];
	struct mk_share_list list;
	size_t n = 0;

	text[0] = '\0';
	assert_int_equal(mk_share_list_get(ctx, &list, NULL), 0);
	for (size_t i = 0; i < list.nr_items; i++)
		n += (size_t)snprintf(text + n, sizeof(text) - n, "%s%s@%s",
				      n ? " " : "", list.items[i]->get.name,
				      list.items[i]->holders[0].name);
	mk_share_list_clear(&list);
	return text;
}

static void journal_is(const char *journal)
{
	assert_string_equal(fake->journal, journal);
	fake->journal[0] = '\0';
}

static void refused(int r, int code, const char *part)
{
	assert_true(r < 0);
	if (err.code != code || !strstr(err.message, part))
		fail_msg("%d '%s' instead of %d '%s'", err.code, err.message,
			 code, part);
	err = (struct mk_error)MK_ERROR_INIT;
}

static void test_spawn(void **state)
{
	const struct fake_share *buf = &fake->shares[1];
	struct mk_facts *facts;

	(void)state;
	assert_int_equal(spawn(&web), 0);
	journal_is(MADE " start");
	assert_int_equal(fake->nr_allowed, 2);
	assert_string_equal(fake->allowed[1], "later");
	assert_string_equal(there(), "buf@web board@host");
	assert_int_equal(buf->get.bytes, 64 << 20);
	assert_int_equal(buf->get.nr_holders, 3);
	assert_string_equal(buf->holders[1].name, "db");
	assert_int_equal(buf->holders[1].rights, MK_RIGHT_READ);
	assert_string_equal(buf->holders[2].name, "host");
	assert_int_equal(buf->holders[2].rights, RW);
	assert_string_equal(notes,
			    "channels: there is no instance 'db' so far\n"
			    "channels: there is no instance 'later' so far\n"
			    "share 'buf': there is no instance 'db' so far\n");

	assert_int_equal(mk_facts_find(ctx, &fake->instances[1].get, &facts),
			 0);
	assert_int_equal(facts->peers.nr_channels, 2);
	assert_string_equal(facts->peers.channels[0].name, "db");
	assert_int_equal(facts->peers.nr_shares, 2);
	assert_true(mk_wanted_share_same(&facts->peers.shares[0], &shares[0]));
	assert_true(mk_wanted_share_same(&facts->peers.shares[1], &shares[1]));
	assert_int_equal(facts->peers.references, MK_REFERENCES_MOVE);
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
	{ "policy", "create channels destroy" },
	{ "tasks", "create channels destroy" },
	{ "cpus", "create channels destroy" },
	{ "memory", "create channels cpus cpus-back destroy" },
	{ "load", "create channels cpus memory memory-back cpus-back destroy" },
	{ "shares", LOADED " cpus-back destroy" },
	{ "start", MADE " revoke revoke cpus-back destroy" },
	/* Its own share has ended with it. */
	{ "boot", MADE " start kill revoke revoke cpus-back destroy" },
};

static void test_fault_at_each_step(void **state)
{
	(void)state;
	for (size_t i = 0; i < MK_ARRAY_SIZE(faults); i++) {
		fake_reset();
		setenv("MKCTL_FAIL_STEP", faults[i].step, 1);
		assert_int_equal(spawn(&web), -ECANCELED);
		assert_int_equal(err.code, MK_ERR_FAILED);
		journal_is(faults[i].journal);
		assert_string_equal(there(), "");
		assert_false(fake->instances[1].used);
		assert_int_equal(result.stages.nr_items, i);
	}
}

static void test_refusal_of_each_request(void **state)
{
	static const struct {
		const char *request;
		const char *journal;
	} cases[] = {
		{ "channels", "create channels destroy" },
		{ "share", LOADED " share cpus-back destroy" },
		{ "grant", LOADED " share grant revoke cpus-back destroy" },
		{ "start", MADE " start revoke revoke cpus-back destroy" },
	};

	(void)state;
	for (size_t i = 0; i < MK_ARRAY_SIZE(cases); i++) {
		fake_reset();
		snprintf(fake->refuse, sizeof(fake->refuse), "%s",
			 cases[i].request);
		fake->refuse_reason = MK_REASON_BUSY;
		assert_int_equal(spawn(&web), -EIO);
		assert_int_equal(err.reason, MK_REASON_BUSY);
		journal_is(cases[i].journal);
		assert_string_equal(there(), "");
	}
}

/* What one undo leaves, that of create ends. */
static void test_undo_incomplete(void **state)
{
	(void)state;
	setenv("MKCTL_FAIL_STEP", "start", 1);
	setenv("MKCTL_FAIL_UNDO", "shares", 1);
	assert_int_equal(spawn(&web), -ECANCELED);
	assert_int_equal(err.code, MK_ERR_UNDO);
	assert_non_null(strstr(err.message, "undo of 'shares' failed"));
	assert_string_equal(there(), "");
}

/* Somebody is quick enough to attach it before it is taken back. */
static void attach_buf(void *arg, const char *name, uint64_t ns)
{
	(void)arg;
	(void)ns;
	if (!strcmp(name, "shares"))
		fake->shares[1].holders[2].attached = 1;
}

static void test_undo_attached(void **state)
{
	(void)state;
	setenv("MKCTL_FAIL_STEP", "start", 1);
	options.stage = attach_buf;
	assert_int_equal(spawn(&web), -ECANCELED);
	assert_int_equal(err.code, MK_ERR_FAILED);
	assert_int_equal(fake->shares[1].get.state, MK_SHARE_ORPHANED);
	assert_false(fake->shares[2].used);
}

static void count_steps(void *arg, const struct mk_step_text *step)
{
	char *text = arg;

	sprintf(text + strlen(text), "%s: %s%s%s\n", step->name, step->what,
		step->undo ? "; undo: " : "", step->undo ? step->undo : "");
}

static void test_preview(void **state)
{
	char text[8192] = "";

	(void)state;
	assert_int_equal(mk_spawn_preview(ctx, &web, "web.json", &options,
					  count_steps, text, &err),
			 0);
	if (!strstr(text,
		    "channels: allow it channels to the host, db, later\n"))
		fail_msg("%s", text);
	if (!strstr(text,
		    "shares: make share 'buf': 64M of 'web' for db:ro, host:rw; 'board': 4K of 'host' for web:rw; undo: revoke what was made\n"))
		fail_msg("%s", text);
	assert_int_equal(strncmp(notes, "channels: there is no", 21), 0);
	journal_is("");
	assert_string_equal(there(), "");
}

static void test_life(void **state)
{
	(void)state;
	assert_int_equal(spawn(&web), 0);
	fake->journal[0] = '\0';
	/* Its own ends with it; that of the host lasts until it is removed. */
	assert_int_equal(with("web", mk_kill), 0);
	assert_string_equal(there(), "board@host");
	assert_int_equal(start("web"), 0);
	assert_string_equal(there(), "buf@web board@host");
	journal_is("kill cpus share grant grant start");
	assert_int_equal(with("web", mk_kill), 0);
	assert_int_equal(with("web", mk_remove), 0);
	journal_is("kill destroy revoke");
	assert_string_equal(there(), "");
}

static void test_start_faults(void **state)
{
	static const char *const cases[][2] = {
		{ "check", "" },
		{ "tasks", "" },
		{ "cpus", "" },
		{ "log", "cpus cpus-back" },
		{ "shares", "cpus cpus-back" },
		{ "start", "cpus share grant grant revoke cpus-back" },
		{ "boot", "cpus share grant grant start kill revoke" },
	};

	(void)state;
	assert_int_equal(spawn(&web), 0);
	assert_int_equal(with("web", mk_kill), 0);
	for (size_t i = 0; i < MK_ARRAY_SIZE(cases); i++) {
		fake->journal[0] = '\0';
		setenv("MKCTL_FAIL_STEP", cases[i][0], 1);
		assert_int_equal(start("web"), -ECANCELED);
		journal_is(cases[i][1]);
		assert_string_equal(there(), "board@host");
		assert_true(mk_state_is_end(fake->instances[1].get.state));
	}
	unsetenv("MKCTL_FAIL_STEP");
	assert_int_equal(start("web"), 0);
	assert_string_equal(there(), "buf@web board@host");
}

/* A share that is named by one and owned by another */
static void test_owner_elsewhere(void **state)
{
	(void)state;
	strcpy(shares[1].owner, "db");
	refused(spawn(&web), MK_ERR_CONFIG,
		"share 'board': its owner 'db' does not exist");
	journal_is("");
	assert_int_equal(spawn(&db), 0);
	assert_int_equal(spawn(&web), 0);
	assert_string_equal(there(), "buf@web board@db");
	/* Whichever starts last makes it. */
	assert_int_equal(with("db", mk_kill), 0);
	assert_string_equal(there(), "buf@web");
	assert_int_equal(with("web", mk_kill), 0);
	assert_int_equal(start("web"), 0);
	assert_string_equal(there(), "buf@web");
	assert_int_equal(start("db"), 0);
	assert_string_equal(there(), "buf@web board@db");
	/* The owner may be made anew. */
	assert_int_equal(with("db", mk_kill), 0);
	assert_int_equal(with("db", mk_remove), 0);
	assert_int_equal(with("web", mk_kill), 0);
	assert_int_equal(start("web"), 0);
	assert_int_equal(spawn(&db), 0);
	assert_string_equal(there(), "buf@web board@db");
	assert_int_equal(with("web", mk_kill), 0);
	assert_int_equal(with("web", mk_remove), 0);
	assert_string_equal(there(), "");
}

/* Two configs may name one share, if they say the same of it. */
static void test_named_twice(void **state)
{
	struct mk_wanted_share same = shares[1], other = shares[1];

	(void)state;
	db.peers = (struct mk_wanted_peers){ .shares = &same, .nr_shares = 1 };
	assert_int_equal(spawn(&web), 0);
	assert_int_equal(spawn(&db), 0);
	assert_string_equal(there(), "buf@web board@host");
	assert_int_equal(with("db", mk_kill), 0);
	assert_int_equal(with("db", mk_remove), 0);
	/* The other still wants it. */
	assert_string_equal(there(), "buf@web board@host");

	other.bytes = 8192;
	db.peers.shares = &other;
	fake->journal[0] = '\0';
	refused(spawn(&db), MK_ERR_CONFIG,
		"share 'board' is 8K of 'host' for web:rw, and 4K of 'host' for web:rw as instance 'web' of web.json has it");
	journal_is("");
}

static void test_already_there(void **state)
{
	(void)state;
	assert_int_equal(mk_share_create(ctx, "board", 8192, NULL, MK_NODE_ANY,
					 NULL, NULL),
			 0);
	fake->journal[0] = '\0';
	refused(spawn(&web), MK_ERR_BUSY,
		"there is a share 'board' (id 1) that is not the same: 8K of 'host'; wanted is 4K of 'host' for web:rw");
	journal_is("");
	assert_int_equal(mk_share_revoke(ctx, "board", 0, NULL, 0, NULL), 0);
	/* The right one is left as it is, by a fault, too. */
	assert_int_equal(mk_share_create(ctx, "board", 4096, NULL, MK_NODE_ANY,
					 NULL, NULL),
			 0);
	assert_int_equal(mk_share_grant(ctx, "board", 0, "web", RW,
					MK_SHARE_LATER, NULL),
			 0);
	setenv("MKCTL_FAIL_STEP", "start", 1);
	assert_int_equal(spawn(&web), -ECANCELED);
	assert_string_equal(there(), "board@host");
}

/* What was given away is not web's any more: not to be ended with it. */
static void test_given_away(void **state)
{
	(void)state;
	assert_int_equal(spawn(&web), 0);
	assert_int_equal(spawn(&db), 0);
	assert_int_equal(mk_share_give(ctx, "buf", 0, "db", NULL), 0);
	assert_int_equal(with("web", mk_kill), 0);
	refused(start("web"), MK_ERR_BUSY,
		"there is a share 'buf' (id 1) that is not the same: 64M of 'db'");
	assert_int_equal(with("web", mk_remove), 0);
	assert_string_equal(there(), "buf@db");
}

static void test_memory(void **state)
{
	(void)state;
	shares[0].bytes = 768 << 20;
	refused(spawn(&web), MK_ERR_BUSY,
		"the pool has 0 bytes free, the share needs 2M");
	shares[0].bytes += 4096;
	refused(spawn(&web), MK_ERR_BUSY,
		"the pool has 768M free, the share needs 770M");
	shares[0].bytes = 300 << 20;
	shares[0].node = 1;
	refused(spawn(&web), MK_ERR_BUSY,
		"not enough free memory on node1: 300M wanted, 256M free");
	shares[0].node = 7;
	refused(spawn(&web), MK_ERR_CONFIG,
		"the pool has no memory on NUMA node 7");
	shares[0].node = MK_NODE_ANY;
	shares[0].bytes = UINT64_MAX - 4095;
	refused(spawn(&web), MK_ERR_BUSY, "the pool has 768M free");
	journal_is("");
	/* A start finds the memory gone before it changes anything. */
	shares[0].bytes = 600 << 20;
	assert_int_equal(spawn(&web), 0);
	assert_int_equal(with("web", mk_kill), 0);
	db.memory_bytes = 400 << 20;
	assert_int_equal(spawn(&db), 0);
	fake->journal[0] = '\0';
	refused(start("web"), MK_ERR_BUSY, "the share needs 600M");
	journal_is("");
}

static void begin_and_end_change(void)
{
	struct mk_change change = MK_CHANGE_NONE;

	assert_int_equal(mk_change_begin(ctx, &change, &err), 0);
	mk_change_end(&change);
}

/* As if mkctl was killed between the steps, and somebody ends the instance. */
static void test_repair(void **state)
{
	(void)state;
	assert_int_equal(spawn(&web), 0);
	fake->instances[1].get.state = MK_STATE_KILLED;
	assert_int_equal(mk_instance_destroy(ctx, 1, NULL), 0);
	assert_string_equal(there(), "board@host");
	begin_and_end_change();
	assert_string_equal(there(), "");
}

static void test_bad_facts(void **state)
{
	static const char *const parts[] = {
		"\"channels\":[\"../x\"]",
		"\"channels\":\"db\"",
		"\"references\":\"stay\"",
		"\"memory_nodes\":7",
		"\"shares\":[7]",
		"\"shares\":[{\"name\":\"b\",\"owner\":\"web\",\"bytes\":0}]",
		"\"shares\":[{\"name\":\"b\",\"owner\":\"\",\"bytes\":4096}]",
		"\"shares\":[{\"name\":\"b\",\"owner\":\"web\",\"bytes\":4096,"
		"\"node\":-1}]",
		"\"shares\":[{\"name\":\"b\",\"owner\":\"web\",\"bytes\":4096,"
		"\"grantees\":[{\"peer\":\"db\",\"rights\":\"all\"}]}]",
		"\"shares\":[{\"name\":\"b\",\"owner\":\"web\",\"bytes\":4096,"
		"\"grantees\":[{\"rights\":\"ro\"}]}]",
	};
	char text[512];
	struct mk_facts *facts;

	(void)state;
	assert_int_equal(spawn(&web), 0);
	for (size_t i = 0; i < MK_ARRAY_SIZE(parts); i++) {
		snprintf(text, sizeof(text),
			 "{\"schema\":\"mkctl.state/1\",\"pending\":true,"
			 "\"cpus\":[],%s}",
			 parts[i]);
		fake_machine_write("run/mkctl/web.json", text);
		assert_int_equal(
			mk_facts_find(ctx, &fake->instances[1].get, &facts),
			-EINVAL);
	}
	fake_machine_write("run/mkctl/web.json",
			   "{\"schema\":\"mkctl.state/1\",\"pending\":true,"
			   "\"cpus\":[]}");
	assert_int_equal(mk_facts_find(ctx, &fake->instances[1].get, &facts),
			 0);
	mk_facts_free(facts);
}

/* Kills web; others have frames of it. */
static void kill_with_lent(uint32_t lent)
{
	fake->lent = lent;
	assert_int_equal(with("web", mk_kill), 0);
	fake->journal[0] = '\0';
	notes[0] = '\0';
}

static void test_references_move(void **state)
{
	(void)state;
	web.memory_nodes = (struct mk_nodes){ .node = { 1 }, .nr = 1 };
	web.memory_bytes = 64 << 20;
	assert_int_equal(spawn(&web), 0);
	kill_with_lent(1000);
	assert_int_equal(start("web"), 0);
	journal_is("cpus share grant grant start memory-back memory start");
	assert_int_equal(fake->instances[1].get.memory_bytes, 64 << 20);
	assert_string_equal(
		notes,
		"other kernels still have frames of the boot before: it starts in other memory\n");
}

/* No other memory: the next start gets some. */
static void test_references_move_refused(void **state)
{
	(void)state;
	assert_int_equal(spawn(&web), 0);
	kill_with_lent(1);
	snprintf(fake->refuse, sizeof(fake->refuse), "memory");
	fake->refuse_reason = MK_REASON_MEM_NO_SPACE;
	refused(start("web"), MK_ERR_BUSY, "not enough free memory");
	journal_is(
		"cpus share grant grant start memory-back memory revoke cpus-back");
	assert_int_equal(fake->instances[1].get.memory_bytes, 0);
	fake->refuse[0] = '\0';
	assert_int_equal(start("web"), 0);
	journal_is("cpus share grant grant memory start");
	assert_int_equal(fake->instances[1].get.memory_bytes, 256 << 20);
}

static void test_references_wait(void **state)
{
	(void)state;
	web.peers.references = MK_REFERENCES_WAIT;
	assert_int_equal(spawn(&web), 0);
	kill_with_lent(2);
	assert_int_equal(start("web"), 0);
	journal_is("cpus share grant grant start start start");
	assert_string_equal(
		notes,
		"other kernels still have frames of the boot before: it waits for their detach\n");

	kill_with_lent(1000);
	options.timeout_ms = 250;
	assert_int_equal(start("web"), -ETIMEDOUT);
	refused(-1, MK_ERR_TIMEOUT,
		"pages of its memory are still used by other kernels");
	assert_string_equal(there(), "board@host");
	assert_int_equal(fake->instances[1].get.memory_bytes, 256 << 20);
}

static volatile sig_atomic_t cancel;

/* The signal comes while it waits. */
static void cancel_now(void *arg, const char *text)
{
	(void)arg;
	(void)text;
	cancel = SIGTERM;
}

static void test_references_wait_cancelled(void **state)
{
	(void)state;
	web.peers.references = MK_REFERENCES_WAIT;
	assert_int_equal(spawn(&web), 0);
	kill_with_lent(1000);
	options.timeout_ms = 60000;
	options.cancel = &cancel;
	options.note = cancel_now;
	refused(start("web"), MK_ERR_FAILED,
		"interrupted while it waited for a detach");
	assert_string_equal(there(), "board@host");
	cancel = 0;
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_spawn),
		TEST(test_fault_at_each_step),
		TEST(test_refusal_of_each_request),
		TEST(test_undo_incomplete),
		TEST(test_undo_attached),
		TEST(test_preview),
		TEST(test_life),
		TEST(test_start_faults),
		TEST(test_owner_elsewhere),
		TEST(test_named_twice),
		TEST(test_already_there),
		TEST(test_given_away),
		TEST(test_memory),
		TEST(test_repair),
		TEST(test_bad_facts),
		TEST(test_references_move),
		TEST(test_references_move_refused),
		TEST(test_references_wait),
		TEST(test_references_wait_cancelled),
	};

	return cmocka_run_group_tests_name("plan_shares", tests, NULL, NULL);
}
