// SPDX-License-Identifier: GPL-2.0-only
/*
 * Tests of the host's part in connections between instances: who gets rings,
 * who is told, and when their memory may be used again. The instances are the
 * host's real objects, without a kernel; what they would say is given to
 * mk_control_message(), and what they are told is read from their rings. Their
 * doorbell is this kernel's own.
 */
#include <kunit/test.h>
#include <linux/slab.h>

#include "../internal.h"
#include "../peer.h"

#define PAIR_PAGES	(2 * MK_RING_BYTES / MK_REGION_PAGE)
#define ENDS		3

/**
 * struct end - an instance
 * @id: of it
 * @name: of it
 * @inst: the object; this test is the only one that destroys it
 * @peer: what the host says to it, with a reference
 * @rx: its end of that
 */
struct end {
	u32 id;
	const char *name;
	struct mk_instance *inst;
	struct mk_peer *peer;
	struct mk_ring_rx rx;
};

struct fixture {
	struct end end[ENDS];
};

/* It runs, as far as the host knows. */
static int end_start(struct end *e)
{
	struct mk_cpu *cpu = kzalloc(sizeof(*cpu), GFP_KERNEL);
	int ret;

	if (!cpu)
		return -ENOMEM;
	cpu->apicid = mk_arch_apicid(0);
	guard(mutex)(&mk_lock);
	e->inst = mk_instance_find(e->id);
	e->inst->cpus = cpu;
	e->inst->nr_cpus = 1;
	e->inst->epoch = 1;
	ret = mk_region_start_epoch(e->inst) ?: mk_message_connect(e->inst);
	if (ret)
		return ret;
	e->inst->slot->doorbell_apicid = cpu->apicid;
	e->inst->slot->doorbell_vector = mk_arch_vector();
	e->inst->slot->epoch = 1;
	e->inst->state = MK_STATE_RUNNING;
	e->peer = mk_peer_hold(e->inst->peer);
	mk_ring_rx_init(&e->rx, e->inst->ring_in);
	return 0;
}

/* Its CPUs have stopped. */
static void end_stop(struct end *e)
{
	guard(mutex)(&mk_lock);
	e->inst->state = MK_STATE_KILLED;
	mk_message_end(e->inst);
	mk_pairs_instance_gone(e->inst);
}

static int allow(struct end *e, const char *name)
{
	char (*names)[MK_NAME_MAX] = kzalloc(sizeof(*names), GFP_KERNEL);
	struct mk_refusal r;
	int ret;

	if (!names)
		return -ENOMEM;
	strscpy(names[0], name ?: "", sizeof(names[0]));
	ret = mk_instance_set_channels(e->id, names, !!name, &r);
	if (ret)
		kfree(names);
	return ret;
}

static int pair_init(struct kunit *test)
{
	static const char *const names[ENDS] = { "kunit-a", "kunit-b",
						 "kunit-c" };
	struct fixture *f = kunit_kzalloc(test, sizeof(*f), GFP_KERNEL);
	struct mk_refusal r;
	struct end *e;
	u32 i;

	KUNIT_ASSERT_NOT_NULL(test, f);
	if (!multikernel_is_host())
		kunit_skip(test, "there are instances only on a host");
	test->priv = f;
	for (i = 0; i < ENDS; i++) {
		e = &f->end[i];
		e->name = names[i];
		KUNIT_ASSERT_EQ(test, mk_instance_create(e->name, &e->id, &r),
				0);
		KUNIT_ASSERT_EQ(test, end_start(e), 0);
	}
	KUNIT_ASSERT_EQ(test, allow(&f->end[0], "kunit-b"), 0);
	return 0;
}

static void pair_exit(struct kunit *test)
{
	struct fixture *f = test->priv;
	struct mk_refusal r;
	u32 i;

	for (i = 0; f && i < ENDS && f->end[i].peer; i++) {
		end_stop(&f->end[i]);
		mk_peer_put(f->end[i].peer);
		KUNIT_EXPECT_EQ(test, mk_instance_destroy(f->end[i].id, &r),
				0);
	}
}

/* What an instance says; the host has acted on it when this returns. */
static void say(struct end *e, u32 type, u32 id, const void *data, u32 len)
{
	struct mk_msg msg = {
		.head = { .kind = MK_KIND_CONTROL, .type = type, .id = id },
		.len = len,
	};

	memcpy(msg.payload, data, len);
	mk_control_message(e->peer, &msg);
	flush_work(&e->peer->control_work);
}

/* What it is told next; false: nothing of that kind and type. */
static bool hear(struct end *e, u32 kind, u32 type, struct mk_msg *msg)
{
	int ret;

	while ((ret = mk_ring_recv(&e->rx, msg)) != 0)
		if (ret > 0 && msg->head.kind == kind &&
		    msg->head.type == type)
			return true;
	return false;
}

/* It asks for a connection: the error, or 0 and what it gets. */
static int ask(struct end *e, const char *name, struct mk_wire_link *ret)
{
	struct mk_wire_name wire = { };
	struct mk_wire_answer answer;
	struct mk_msg msg;

	strscpy(wire.name, name, sizeof(wire.name));
	say(e, MK_MSG_CONNECT, 9, &wire, sizeof(wire));
	if (!hear(e, MK_KIND_REPLY, MK_MSG_CONNECT, &msg) || msg.head.id != 9)
		return 1;
	memcpy(&answer, msg.payload, sizeof(answer));
	memcpy(ret, msg.payload + sizeof(answer), sizeof(*ret));
	return -(int)answer.error;
}

static void say_unlinked(struct end *e, u32 serial)
{
	struct mk_wire_unlink wire = { .serial = serial };

	say(e, MK_MSG_UNLINKED, 0, &wire, sizeof(wire));
}

static bool hears_unlink(struct end *e, u32 serial)
{
	const struct mk_wire_unlink *wire;
	struct mk_msg msg;

	if (!hear(e, MK_KIND_CONTROL, MK_MSG_UNLINK, &msg))
		return false;
	wire = (const void *)msg.payload;
	return wire->serial == serial;
}

/* Where the next pair would lie */
static u64 next_place(void)
{
	u64 offset;

	guard(mutex)(&mk_lock);
	offset = mk_region_take_pages(PAIR_PAGES, NULL);
	if (offset)
		mk_region_give_pages(offset, PAIR_PAGES);
	return offset;
}

static void pair_made(struct kunit *test)
{
	struct end *a = ((struct fixture *)test->priv)->end, *b = a + 1;
	struct mk_wire_link mine, theirs, again;
	struct mk_msg msg;
	u64 place = next_place();

	KUNIT_ASSERT_EQ(test, ask(a, "kunit-b", &mine), 0);
	KUNIT_EXPECT_EQ(test, mine.peer_id, b->id);
	KUNIT_EXPECT_EQ(test, mine.peer_epoch, 1U);
	KUNIT_EXPECT_EQ(test, mine.bell_apicid, mk_arch_apicid(0));
	KUNIT_EXPECT_STREQ(test, mine.name, "kunit-b");
	KUNIT_EXPECT_EQ(test, mine.tx_offset, place);
	KUNIT_ASSERT_TRUE(test, hear(b, MK_KIND_CONTROL, MK_MSG_LINK, &msg));
	memcpy(&theirs, msg.payload, sizeof(theirs));
	KUNIT_EXPECT_EQ(test, theirs.serial, mine.serial);
	KUNIT_EXPECT_EQ(test, theirs.peer_id, a->id);
	KUNIT_EXPECT_EQ(test, theirs.tx_offset, mine.rx_offset);
	KUNIT_EXPECT_EQ(test, theirs.rx_offset, mine.tx_offset);
	KUNIT_EXPECT_EQ(test, mk_ring_check((void *)mk_region + mine.tx_offset,
					    mine.serial), 0);
	KUNIT_EXPECT_EQ(test, mk_ring_check((void *)mk_region + mine.rx_offset,
					    mine.serial), 0);
	/* The other end asks for the same pair; allowed by one is enough. */
	KUNIT_EXPECT_EQ(test, ask(b, "kunit-a", &again), 0);
	KUNIT_EXPECT_EQ(test, again.serial, mine.serial);
	KUNIT_EXPECT_EQ(test, again.tx_offset, theirs.tx_offset);
	KUNIT_EXPECT_FALSE(test, hear(a, MK_KIND_CONTROL, MK_MSG_LINK, &msg));
}

static void pair_refused(struct kunit *test)
{
	struct end *a = ((struct fixture *)test->priv)->end, *c = a + 2;
	struct mk_wire_link link;
	struct mk_msg msg;
	u64 place = next_place();

	KUNIT_EXPECT_EQ(test, ask(a, "kunit-c", &link), -EACCES);
	KUNIT_EXPECT_EQ(test, ask(c, "kunit-a", &link), -EACCES);
	KUNIT_EXPECT_EQ(test, ask(a, "kunit-a", &link), -EINVAL);
	KUNIT_EXPECT_EQ(test, ask(a, "kunit-d", &link), -ENOENT);
	KUNIT_EXPECT_EQ(test, allow(c, "kunit-a"), 0);
	c->inst->state = MK_STATE_STARTING;
	KUNIT_EXPECT_EQ(test, ask(a, "kunit-c", &link), -EHOSTDOWN);
	KUNIT_EXPECT_FALSE(test, hear(c, MK_KIND_CONTROL, MK_MSG_LINK, &msg));
	KUNIT_EXPECT_EQ(test, next_place(), place);
}

/* Rings are used again when both ends have let go, and not before. */
static void pair_over(struct kunit *test)
{
	struct end *a = ((struct fixture *)test->priv)->end, *b = a + 1;
	struct mk_wire_link link, next;
	u64 place = next_place();

	KUNIT_ASSERT_EQ(test, ask(a, "kunit-b", &link), 0);
	KUNIT_EXPECT_NE(test, next_place(), place);
	say_unlinked(a, link.serial);
	KUNIT_EXPECT_TRUE(test, hears_unlink(b, link.serial));
	KUNIT_EXPECT_NE(test, next_place(), place);
	KUNIT_EXPECT_EQ(test, ask(a, "kunit-b", &next), -EBUSY);
	KUNIT_EXPECT_EQ(test, ask(b, "kunit-a", &next), -EBUSY);
	/* A second time changes nothing. */
	say_unlinked(a, link.serial);
	KUNIT_EXPECT_NE(test, next_place(), place);
	say_unlinked(b, link.serial);
	KUNIT_EXPECT_EQ(test, next_place(), place);
	KUNIT_ASSERT_EQ(test, ask(b, "kunit-a", &next), 0);
	KUNIT_EXPECT_GT(test, next.serial, link.serial);
	/* What is late is not taken for something newer. */
	say_unlinked(a, link.serial);
	KUNIT_EXPECT_FALSE(test, hears_unlink(b, next.serial));
	KUNIT_EXPECT_NE(test, next_place(), place);
}

/* A third instance has no say in it. */
static void pair_of_others(struct kunit *test)
{
	struct end *a = ((struct fixture *)test->priv)->end, *b = a + 1;
	struct mk_wire_link link, again;
	u64 place = next_place();

	KUNIT_ASSERT_EQ(test, ask(a, "kunit-b", &link), 0);
	say_unlinked(a + 2, link.serial);
	KUNIT_EXPECT_FALSE(test, hears_unlink(a, link.serial));
	KUNIT_EXPECT_FALSE(test, hears_unlink(b, link.serial));
	KUNIT_EXPECT_NE(test, next_place(), place);
	KUNIT_EXPECT_EQ(test, ask(a, "kunit-b", &again), 0);
	KUNIT_EXPECT_EQ(test, again.serial, link.serial);
}

/* The end of an instance is its UNLINKED. */
static void pair_end_dies(struct kunit *test)
{
	struct end *a = ((struct fixture *)test->priv)->end, *b = a + 1;
	struct mk_wire_link link, next;
	u64 place = next_place();

	KUNIT_ASSERT_EQ(test, ask(a, "kunit-b", &link), 0);
	end_stop(a);
	KUNIT_EXPECT_TRUE(test, hears_unlink(b, link.serial));
	KUNIT_EXPECT_NE(test, next_place(), place);
	KUNIT_EXPECT_EQ(test, ask(b, "kunit-a", &next), -EHOSTDOWN);
	say_unlinked(b, link.serial);
	KUNIT_EXPECT_EQ(test, next_place(), place);
}

/* One with a CPU that may still write keeps its rings. */
static void pair_end_stuck(struct kunit *test)
{
	struct end *a = ((struct fixture *)test->priv)->end, *b = a + 1;
	struct mk_wire_link link;
	u64 place = next_place();

	KUNIT_ASSERT_EQ(test, ask(a, "kunit-b", &link), 0);
	a->inst->cpu_stuck = true;
	end_stop(a);
	say_unlinked(b, link.serial);
	KUNIT_EXPECT_NE(test, next_place(), place);
	a->inst->cpu_stuck = false;
	end_stop(a);
	KUNIT_EXPECT_EQ(test, next_place(), place);
}

/* No longer allowed: both are told. */
static void pair_forbidden(struct kunit *test)
{
	struct end *a = ((struct fixture *)test->priv)->end, *b = a + 1;
	struct mk_wire_link link, next;

	KUNIT_ASSERT_EQ(test, ask(a, "kunit-b", &link), 0);
	KUNIT_EXPECT_EQ(test, allow(a, NULL), 0);
	KUNIT_EXPECT_TRUE(test, hears_unlink(a, link.serial));
	KUNIT_EXPECT_TRUE(test, hears_unlink(b, link.serial));
	KUNIT_EXPECT_EQ(test, ask(a, "kunit-b", &next), -EACCES);
}

static struct kunit_case pair_cases[] = {
	KUNIT_CASE(pair_made),
	KUNIT_CASE(pair_refused),
	KUNIT_CASE(pair_over),
	KUNIT_CASE(pair_of_others),
	KUNIT_CASE(pair_end_dies),
	KUNIT_CASE(pair_end_stuck),
	KUNIT_CASE(pair_forbidden),
	{}
};

static struct kunit_suite pair_suite = {
	.name = "multikernel_pair",
	.init = pair_init,
	.exit = pair_exit,
	.test_cases = pair_cases,
};
kunit_test_suites(&pair_suite);

MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Tests of connections between instances");
