// SPDX-License-Identifier: GPL-2.0-only
/*
 * Two peers in one kernel, each the other end of the other one's rings: sending,
 * the doorbell, full rings, control requests, floods, and the end.
 *
 * The doorbell is a call instead of an IPI; all else is what runs between two
 * kernels.
 */
#include <kunit/test.h>
#include <linux/delay.h>
#include <linux/kthread.h>
#include <linux/slab.h>

#include "../internal.h"
#include "../peer.h"

#define ID_A		1000	/* above all instances */
#define ID_B		1001
#define SERIAL		77

/* Control messages that only this test knows */
#define TEST_NOTE	0x7e570001
#define TEST_ADD	0x7e570002	/* reply: the number sent + 1 */
#define TEST_REFUSE	0x7e570003
#define TEST_SILENT	0x7e570004	/* no reply */
#define TEST_SLOW	0x7e570005	/* reply after a while */
#define TEST_FLOOD	0x7e570006	/* each one makes another one */
#define TEST_UNKNOWN	0x7e570007
#define TEST_LATER	0x7e570008	/* TEST_NOTE, deferred */
#define TEST_ERRNO	0x7e570009	/* reply: the error sent */

/**
 * struct pair - two ends
 * @a: what kernel B is to kernel A
 * @b: what kernel A is to kernel B
 * @ab: ring from A to B
 * @ba: ring from B to A
 */
struct pair {
	struct mk_peer *a, *b;
	struct mk_ring *ab, *ba;
};

static atomic_t notes;		/* TEST_NOTE received */
static atomic_t note_errors;	/* of those, not the expected one */
static atomic_t rings;		/* doorbells */
static bool deaf;		/* doorbells are lost */
static u32 silent_id;		/* of the last TEST_SILENT */
static struct mk_peer *flooder;	/* who sends TEST_FLOOD, NULL: no more */

static int loop_bell(struct mk_peer *peer, u32 *ret_apicid, u32 *ret_vector)
{
	atomic_inc(&rings);
	if (!READ_ONCE(deaf))
		mk_peers_doorbell();
	return -EAGAIN;		/* no IPI */
}

static void on_note(struct mk_peer *peer, const struct mk_msg *msg)
{
	u32 nr = atomic_inc_return(&notes) - 1;

	if (*(const u32 *)msg->payload != nr)
		atomic_inc(&note_errors);
}

static void on_add(struct mk_peer *peer, const struct mk_msg *msg)
{
	u64 sum = *(const u64 *)msg->payload + 1;

	mk_peer_answer(peer, msg, 0, NULL, &sum, sizeof(sum));
}

static void on_refuse(struct mk_peer *peer, const struct mk_msg *msg)
{
	struct mk_refusal r;

	mk_refuse(&r, MK_REASON_SHARE_UNKNOWN, 5, 6, "thing");
	mk_peer_answer(peer, msg, -ENOENT, &r, NULL, 0);
}

static void on_errno(struct mk_peer *peer, const struct mk_msg *msg)
{
	mk_peer_answer(peer, msg, *(const int *)msg->payload, NULL, NULL, 0);
}

static void on_silent(struct mk_peer *peer, const struct mk_msg *msg)
{
	WRITE_ONCE(silent_id, msg->head.id);
}

static void on_slow(struct mk_peer *peer, const struct mk_msg *msg)
{
	msleep(500);
	mk_peer_answer(peer, msg, 0, NULL, NULL, 0);
}

static int send_flood(struct mk_peer *peer)
{
	struct mk_msg_head head = { .type = TEST_FLOOD };

	return mk_peer_send(peer, &head, NULL, 0);
}

static void on_flood(struct mk_peer *peer, const struct mk_msg *msg)
{
	struct mk_peer *from = READ_ONCE(flooder);

	if (from && send_flood(from))
		atomic_inc(&note_errors);
}

static const struct mk_control controls[] = {
	{ .type = TEST_NOTE, .bytes = 4, .fn = on_note },
	{ .type = TEST_ADD, .bytes = 8, .request = true, .deferred = true,
	  .fn = on_add },
	{ .type = TEST_REFUSE, .request = true, .deferred = true,
	  .fn = on_refuse },
	{ .type = TEST_ERRNO, .bytes = 4, .request = true, .deferred = true,
	  .fn = on_errno },
	{ .type = TEST_SILENT, .request = true, .deferred = true,
	  .fn = on_silent },
	{ .type = TEST_SLOW, .request = true, .deferred = true,
	  .fn = on_slow },
	{ .type = TEST_FLOOD, .fn = on_flood },
	{ .type = TEST_LATER, .bytes = 4, .deferred = true, .fn = on_note },
	{ }
};

static struct mk_peer *end_new(u32 id, const char *name, struct mk_ring *tx,
			       struct mk_ring *rx)
{
	struct mk_peer_setup setup = {
		.id = id,
		.serial = SERIAL,
		.name = name,
		.tx = tx,
		.rx = rx,
		.bell = loop_bell,
	};

	return mk_peer_new(&setup);
}

static int pair_init(struct kunit *test)
{
	struct pair *p = kunit_kzalloc(test, sizeof(*p), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, p);
	p->ab = kunit_kzalloc(test, MK_RING_BYTES, GFP_KERNEL);
	p->ba = kunit_kzalloc(test, MK_RING_BYTES, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, p->ab);
	KUNIT_ASSERT_NOT_NULL(test, p->ba);
	mk_ring_format(p->ab, SERIAL);
	mk_ring_format(p->ba, SERIAL);
	p->a = end_new(ID_B, "kunit-b", p->ab, p->ba);
	p->b = end_new(ID_A, "kunit-a", p->ba, p->ab);
	KUNIT_ASSERT_NOT_NULL(test, p->a);
	KUNIT_ASSERT_NOT_NULL(test, p->b);
	atomic_set(&notes, 0);
	atomic_set(&note_errors, 0);
	atomic_set(&rings, 0);
	deaf = false;
	silent_id = 0;
	mk_peer_up(p->a);
	mk_peer_up(p->b);
	test->priv = p;
	return 0;
}

static void pair_exit(struct kunit *test)
{
	struct pair *p = test->priv;

	if (!p)
		return;
	mk_peer_down(p->a);
	mk_peer_down(p->b);
	mk_peer_put(p->a);
	mk_peer_put(p->b);
	flush_workqueue(mk_wq);
}

static int send_note(struct mk_peer *peer, u32 nr)
{
	struct mk_msg_head head = { .type = TEST_NOTE };

	return mk_peer_send(peer, &head, &nr, sizeof(nr));
}

/* Waits up to two seconds for so many notes. */
static int notes_become(int wanted)
{
	int ms;

	for (ms = 0; ms < 2000 && atomic_read(&notes) < wanted; ms += 5)
		msleep(5);
	return atomic_read(&notes);
}

static void finds(struct kunit *test)
{
	struct pair *p = test->priv;
	struct mk_peer *found = mk_peer_find(ID_B);

	KUNIT_EXPECT_PTR_EQ(test, found, p->a);
	mk_peer_put(found);
	found = mk_peer_find_name("kunit-a");
	KUNIT_EXPECT_PTR_EQ(test, found, p->b);
	found = mk_peer_next(found);
	KUNIT_EXPECT_PTR_EQ(test, found, p->a);
	found = mk_peer_next(found);
	KUNIT_EXPECT_NULL(test, found);
	mk_peer_down(p->a);
	KUNIT_EXPECT_NULL(test, mk_peer_find(ID_B));
	KUNIT_EXPECT_NULL(test, mk_peer_find_name("kunit-b"));
}

/* Whoever receives nothing is rung, and gets all, in order, once. */
static void in_order(struct kunit *test)
{
	struct pair *p = test->priv;
	struct mk_msg_head head = { .type = TEST_NOTE };
	u32 nr;

	for (nr = 0; nr < 1000; nr++)
		KUNIT_ASSERT_EQ(test, mk_peer_send_wait(p->a, &head, &nr,
							sizeof(nr), HZ), 0);
	KUNIT_EXPECT_EQ(test, notes_become(1000), 1000);
	KUNIT_EXPECT_EQ(test, atomic_read(&note_errors), 0);
	KUNIT_EXPECT_EQ(test, p->b->rx.counters.lost, 0ULL);
	KUNIT_EXPECT_EQ(test, p->b->rx.counters.received, 1000ULL);
	KUNIT_EXPECT_EQ(test, p->a->tx.counters.sent, 1000ULL);
}

/* One that sleeps is rung for the first message and not for those behind it. */
static void doorbells_suppressed(struct kunit *test)
{
	struct pair *p = test->priv;
	u32 nr;

	flush_delayed_work(&p->b->rx_work);
	WRITE_ONCE(deaf, true);
	for (nr = 0; nr < 10; nr++)
		KUNIT_ASSERT_EQ(test, send_note(p->a, nr), 0);
	KUNIT_EXPECT_EQ(test, atomic_read(&rings), 1);
	KUNIT_EXPECT_EQ(test, atomic_read(&notes), 0);
	WRITE_ONCE(deaf, false);
	mk_peers_doorbell();
	KUNIT_EXPECT_EQ(test, notes_become(10), 10);
	KUNIT_EXPECT_EQ(test, p->a->tx.counters.kicks, 1ULL);
	KUNIT_EXPECT_EQ(test, p->a->tx.counters.kicks_suppressed, 9ULL);
}

/* A turn of B's, though nobody rang, and the one that it may ask for. */
static void turn_of_b(struct pair *p)
{
	queue_delayed_work(mk_wq, &p->b->rx_work, 0);
	flush_delayed_work(&p->b->rx_work);
	flush_delayed_work(&p->b->rx_work);
}

/* One that has read all it got and sleeps again is rung again. */
static void doorbells_again(struct kunit *test)
{
	struct pair *p = test->priv;
	u32 nr;

	for (nr = 0; nr < 5; nr++) {
		flush_delayed_work(&p->b->rx_work);
		KUNIT_EXPECT_EQ(test, atomic_read(&rings), (int)nr);
		KUNIT_ASSERT_EQ(test, send_note(p->a, nr), 0);
		KUNIT_EXPECT_EQ(test, atomic_read(&rings), (int)nr + 1);
		KUNIT_ASSERT_EQ(test, notes_become(nr + 1), (int)nr + 1);
	}
}

/* Who has used up its budget looks again, or is rung for what comes then. */
static void polled(struct kunit *test)
{
	struct pair *p = test->priv;
	u32 nr;

	flush_delayed_work(&p->b->rx_work);
	WRITE_ONCE(deaf, true);
	for (nr = 0; nr < MK_RING_SLOTS; nr++)
		KUNIT_ASSERT_EQ(test, send_note(p->a, nr), 0);
	WRITE_ONCE(deaf, false);
	turn_of_b(p);
	KUNIT_EXPECT_EQ(test, p->b->counters.polled, 1ULL);
	KUNIT_ASSERT_EQ(test, send_note(p->a, nr), 0);
	KUNIT_EXPECT_EQ(test, notes_become(nr + 1), (int)nr + 1);
	KUNIT_EXPECT_EQ(test, atomic_read(&note_errors), 0);
}

/* Who waits for room is rung when there is some, and only then. */
static void space_rings(struct kunit *test)
{
	struct pair *p = test->priv;
	u32 nr;

	flush_delayed_work(&p->b->rx_work);
	WRITE_ONCE(deaf, true);
	for (nr = 0; nr < MK_RING_SLOTS; nr++)
		KUNIT_ASSERT_EQ(test, send_note(p->a, nr), 0);
	turn_of_b(p);
	KUNIT_EXPECT_EQ(test, p->b->rx.counters.kicks, 0ULL);
	for (; nr < 2 * MK_RING_SLOTS; nr++)
		KUNIT_ASSERT_EQ(test, send_note(p->a, nr), 0);
	KUNIT_EXPECT_EQ(test, send_note(p->a, nr), -EAGAIN);
	atomic_set(&rings, 0);
	WRITE_ONCE(deaf, false);
	turn_of_b(p);
	KUNIT_EXPECT_EQ(test, p->b->rx.counters.kicks, 1ULL);
	KUNIT_EXPECT_EQ(test, atomic_read(&rings), 1);
	/* Long before anybody looks unasked */
	flush_delayed_work(&p->a->rx_work);
	KUNIT_EXPECT_FALSE(test, READ_ONCE(p->a->tx_starved));
	KUNIT_EXPECT_EQ(test, send_note(p->a, nr), 0);
}

static void full_then_room(struct kunit *test)
{
	struct pair *p = test->priv;
	struct mk_msg_head head = { .type = TEST_NOTE };
	unsigned long before = jiffies;
	u32 nr;

	flush_delayed_work(&p->b->rx_work);
	WRITE_ONCE(deaf, true);
	for (nr = 0; nr < MK_RING_SLOTS; nr++)
		KUNIT_ASSERT_EQ(test, send_note(p->a, nr), 0);
	KUNIT_EXPECT_EQ(test, send_note(p->a, nr), -EAGAIN);
	KUNIT_EXPECT_EQ(test, p->a->tx.counters.full, 1ULL);
	KUNIT_EXPECT_TRUE(test, p->a->tx_starved);
	KUNIT_EXPECT_EQ(test, mk_peer_send_wait(p->a, &head, &nr, sizeof(nr),
						HZ / 10), -ETIMEDOUT);
	KUNIT_EXPECT_GE(test, jiffies - before, (unsigned long)HZ / 10);
	WRITE_ONCE(deaf, false);
	mk_peers_doorbell();
	KUNIT_EXPECT_EQ(test, mk_peer_send_wait(p->a, &head, &nr, sizeof(nr),
						HZ), 0);
	KUNIT_EXPECT_EQ(test, notes_become(nr + 1), (int)nr + 1);
	KUNIT_EXPECT_EQ(test, atomic_read(&note_errors), 0);
}

static void too_long(struct kunit *test)
{
	struct pair *p = test->priv;
	struct mk_msg_head head = { .type = TEST_NOTE };
	u8 bytes[MK_MSG_MAX + 1] = { };

	KUNIT_EXPECT_EQ(test, mk_peer_send(p->a, &head, bytes, sizeof(bytes)),
			-EMSGSIZE);
	KUNIT_EXPECT_EQ(test, mk_peer_send(p->a, &head, bytes, U32_MAX),
			-EMSGSIZE);
}

static void requests(struct kunit *test)
{
	struct pair *p = test->priv;
	struct mk_refusal r = { };
	u64 number = 41, sum = 0;

	KUNIT_EXPECT_EQ(test, mk_peer_call(p->a, TEST_ADD, &number,
					   sizeof(number), &sum, sizeof(sum),
					   1000, &r), 0);
	KUNIT_EXPECT_EQ(test, sum, 42ULL);
	KUNIT_EXPECT_EQ(test, mk_peer_call(p->b, TEST_REFUSE, NULL, 0, NULL, 0,
					   1000, &r), -ENOENT);
	KUNIT_EXPECT_EQ(test, r.reason, (u32)MK_REASON_SHARE_UNKNOWN);
	KUNIT_EXPECT_EQ(test, r.a, 5ULL);
	KUNIT_EXPECT_STREQ(test, r.object, "thing");
	/* Shorter than what was asked for */
	KUNIT_EXPECT_EQ(test, mk_peer_call(p->a, TEST_SLOW, NULL, 0, &sum,
					   sizeof(sum), 1000, &r), -EPROTO);
}

static int call_errno(struct pair *p, int error)
{
	return mk_peer_call(p->a, TEST_ERRNO, &error, sizeof(error), NULL, 0,
			    1000, NULL);
}

/* A peer does not choose errors that have a meaning in this kernel. */
static void strange_errors(struct kunit *test)
{
	struct pair *p = test->priv;

	KUNIT_EXPECT_EQ(test, call_errno(p, -511), -511);
	KUNIT_EXPECT_EQ(test, call_errno(p, -512), -EPROTO);
	KUNIT_EXPECT_EQ(test, call_errno(p, -4096), -EPROTO);
	KUNIT_EXPECT_EQ(test, call_errno(p, 1), -EPROTO);
}

static void late_reply(struct kunit *test)
{
	struct pair *p = test->priv;
	struct mk_refusal r = { };

	KUNIT_EXPECT_EQ(test, mk_peer_call(p->a, TEST_SLOW, NULL, 0, NULL, 0,
					   20, &r), -ETIMEDOUT);
	KUNIT_EXPECT_EQ(test, r.reason, (u32)MK_REASON_TIMEOUT);
	msleep(600);
	KUNIT_EXPECT_EQ(test, p->a->counters.late_replies, 1ULL);
	/* The next one is not confused by it. */
	KUNIT_EXPECT_EQ(test, mk_peer_call(p->a, TEST_SLOW, NULL, 0, NULL, 0,
					   1000, &r), 0);
}

/* Unknown types, too short, without the id of a request, with one too many */
static void malformed(struct kunit *test)
{
	struct pair *p = test->priv;
	struct mk_msg_head head = { .type = TEST_ADD };
	u64 number = 1;

	KUNIT_EXPECT_EQ(test, mk_peer_send(p->a, &head, &number, 8), 0);
	head.id = 9;
	KUNIT_EXPECT_EQ(test, mk_peer_send(p->a, &head, &number, 7), 0);
	head.type = TEST_NOTE;
	KUNIT_EXPECT_EQ(test, mk_peer_send(p->a, &head, &number, 8), 0);
	head.type = TEST_UNKNOWN;
	KUNIT_EXPECT_EQ(test, mk_peer_send(p->a, &head, NULL, 0), 0);
	head.kind = 0xffffffff;
	KUNIT_EXPECT_EQ(test, mk_peer_send(p->a, &head, NULL, 0), 0);
	head.kind = MK_KIND_REPLY;
	KUNIT_EXPECT_EQ(test, mk_peer_send(p->a, &head, NULL, 0), 0);
	flush_delayed_work(&p->b->rx_work);
	KUNIT_EXPECT_EQ(test, p->b->counters.refused, 3ULL);
	KUNIT_EXPECT_EQ(test, p->b->counters.unknown, 2ULL);
	KUNIT_EXPECT_EQ(test, p->b->counters.late_replies, 1ULL);
	KUNIT_EXPECT_EQ(test, atomic_read(&notes), 0);
}

/* More requests at once than may wait: those above it are told so. */
static void too_many_requests(struct kunit *test)
{
	struct pair *p = test->priv;
	struct mk_msg_head head = { .type = TEST_SLOW, .id = 1000000 };
	u32 i;

	KUNIT_ASSERT_EQ(test, mk_peer_send(p->a, &head, NULL, 0), 0);
	/* It is being handled when the queue is empty again. */
	flush_delayed_work(&p->b->rx_work);
	for (i = 0; i < 200 && READ_ONCE(p->b->requests_queued); i++)
		msleep(1);
	for (i = 0; i < 49; i++) {
		head.id++;
		KUNIT_ASSERT_EQ(test, mk_peer_send(p->a, &head, NULL, 0), 0);
	}
	for (i = 0; i < 200 && p->a->counters.late_replies < 17; i++)
		msleep(1);
	/* One is being handled, 32 wait, the others were answered. */
	KUNIT_EXPECT_EQ(test, p->b->requests_queued, 32U);
	KUNIT_EXPECT_EQ(test, p->a->counters.late_replies, 17ULL);
}

/* What wants no reply is not lost because the requests take long. */
static void notes_beside_requests(struct kunit *test)
{
	struct pair *p = test->priv;
	struct mk_msg_head slow = { .type = TEST_SLOW, .id = 1000000 };
	struct mk_msg_head note = { .type = TEST_LATER };
	u32 nr;

	KUNIT_ASSERT_EQ(test, mk_peer_send(p->a, &slow, NULL, 0), 0);
	for (nr = 0; nr < 50; nr++)
		KUNIT_ASSERT_EQ(test, mk_peer_send_wait(p->a, &note, &nr,
							sizeof(nr), HZ), 0);
	KUNIT_EXPECT_EQ(test, notes_become(50), 50);
	KUNIT_EXPECT_EQ(test, atomic_read(&note_errors), 0);
	KUNIT_EXPECT_EQ(test, p->b->counters.refused, 0ULL);
	KUNIT_EXPECT_EQ(test, p->b->notes_queued, 0U);
}

/* One that always has more gets pauses, and takes no more than its turns. */
static void flood(struct kunit *test)
{
	struct pair *p = test->priv;
	const struct mk_peer_counters *c = &p->b->counters;
	int i;

	WRITE_ONCE(flooder, p->a);
	for (i = 0; i < MK_RING_SLOTS / 2; i++)
		KUNIT_EXPECT_EQ(test, send_flood(p->a), 0);
	msleep(200);
	WRITE_ONCE(flooder, NULL);
	flush_delayed_work(&p->b->rx_work);
	KUNIT_EXPECT_GT(test, c->muted, 2ULL);
	KUNIT_EXPECT_GE(test, c->polled, 16 * c->muted);
	KUNIT_EXPECT_EQ(test, atomic_read(&note_errors), 0);
	KUNIT_EXPECT_EQ(test, p->b->rx.counters.received,
			p->a->tx.counters.sent);
}

struct caller {
	struct mk_peer *peer;
	struct completion done;
	int ret;
};

static int call_silent(void *arg)
{
	struct caller *c = arg;

	c->ret = mk_peer_call(c->peer, TEST_SILENT, NULL, 0, NULL, 0, 10000,
			      NULL);
	complete(&c->done);
	return 0;
}

/* B answers a request of A, and A has seen it. */
static void forge_reply(struct kunit *test, u32 type, u32 id)
{
	struct pair *p = test->priv;
	struct mk_msg_head head = { .kind = MK_KIND_REPLY, .type = type,
				    .id = id };
	struct mk_wire_answer answer = { };

	KUNIT_EXPECT_EQ(test, mk_peer_send(p->b, &head, &answer,
					   sizeof(answer)), 0);
	flush_delayed_work(&p->a->rx_work);
}

/* A reply is the one to its own request, by id and by type. */
static void replies_of_others(struct kunit *test)
{
	struct pair *p = test->priv;
	struct caller c = { .peer = p->a };
	int ms;

	init_completion(&c.done);
	KUNIT_ASSERT_FALSE(test, IS_ERR(kthread_run(call_silent, &c,
						    "mk_kunit")));
	for (ms = 0; ms < 5000 && !READ_ONCE(silent_id); ms++)
		msleep(1);
	KUNIT_EXPECT_NE(test, silent_id, 0);
	forge_reply(test, TEST_SILENT, silent_id + 1);
	forge_reply(test, TEST_SLOW, silent_id);
	KUNIT_EXPECT_EQ(test, p->a->counters.late_replies, 2ULL);
	KUNIT_EXPECT_FALSE(test, completion_done(&c.done));
	forge_reply(test, TEST_SILENT, silent_id);
	wait_for_completion(&c.done);
	KUNIT_EXPECT_EQ(test, c.ret, 0);
	KUNIT_EXPECT_EQ(test, p->a->counters.late_replies, 2ULL);
}

static void end_wakes_all(struct kunit *test)
{
	struct pair *p = test->priv;
	struct caller c = { .peer = p->a };
	unsigned long before = jiffies;

	init_completion(&c.done);
	KUNIT_ASSERT_FALSE(test, IS_ERR(kthread_run(call_silent, &c,
						    "mk_kunit")));
	msleep(50);
	mk_peer_down(p->a);
	wait_for_completion(&c.done);
	KUNIT_EXPECT_LT(test, jiffies - before, 5UL * HZ);
	KUNIT_EXPECT_EQ(test, c.ret, -EPIPE);
	KUNIT_EXPECT_EQ(test, send_note(p->a, 0), -EPIPE);
	KUNIT_EXPECT_EQ(test, mk_peer_call(p->a, TEST_SILENT, NULL, 0, NULL, 0,
					   100, NULL), -EPIPE);
	KUNIT_EXPECT_FALSE(test, mk_peer_is_up(p->a));
}

/* What was sent before the end still arrives. */
static void end_loses_nothing(struct kunit *test)
{
	struct pair *p = test->priv;
	u32 nr;

	flush_delayed_work(&p->b->rx_work);
	WRITE_ONCE(deaf, true);
	for (nr = 0; nr < 30; nr++)
		KUNIT_ASSERT_EQ(test, send_note(p->a, nr), 0);
	KUNIT_EXPECT_EQ(test, atomic_read(&notes), 0);
	mk_peer_down(p->b);
	KUNIT_EXPECT_EQ(test, atomic_read(&notes), 30);
	KUNIT_EXPECT_EQ(test, atomic_read(&note_errors), 0);
	/* And nothing after it. */
	KUNIT_ASSERT_EQ(test, send_note(p->a, nr), 0);
	mk_peers_doorbell();
	flush_workqueue(mk_wq);
	KUNIT_EXPECT_EQ(test, atomic_read(&notes), 30);
}

static struct kunit_case peer_cases[] = {
	KUNIT_CASE(finds),
	KUNIT_CASE(in_order),
	KUNIT_CASE(doorbells_suppressed),
	KUNIT_CASE(doorbells_again),
	KUNIT_CASE(polled),
	KUNIT_CASE(space_rings),
	KUNIT_CASE(full_then_room),
	KUNIT_CASE(too_long),
	KUNIT_CASE(requests),
	KUNIT_CASE(strange_errors),
	KUNIT_CASE(late_reply),
	KUNIT_CASE(malformed),
	KUNIT_CASE(too_many_requests),
	KUNIT_CASE(notes_beside_requests),
	KUNIT_CASE(flood),
	KUNIT_CASE(replies_of_others),
	KUNIT_CASE(end_wakes_all),
	KUNIT_CASE(end_loses_nothing),
	{}
};

static int peer_suite_init(struct kunit_suite *suite)
{
	static bool added;

	if (!added)
		mk_control_add(controls);
	added = true;
	return 0;
}

static struct kunit_suite peer_suite = {
	.name = "multikernel_peer",
	.suite_init = peer_suite_init,
	.init = pair_init,
	.exit = pair_exit,
	.test_cases = peer_cases,
};

kunit_test_suites(&peer_suite);

MODULE_DESCRIPTION("Tests of the connection between two kernels");
MODULE_LICENSE("GPL");
