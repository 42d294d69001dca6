// SPDX-License-Identifier: GPL-2.0-only
/*
 * Tests of kernel code's messages against a peer that may be mad: each message
 * of it is made by hand and given to mk_handler_message(), and what it is sent
 * is read from the ring. No rx work, no doorbell.
 */
#include <kunit/test.h>
#include <linux/delay.h>
#include <linux/slab.h>

#include "../internal.h"
#include "../peer.h"

#define ID		1000	/* above all instances */
#define SERIAL		77
#define TYPE		0x7e570001	/* handled, in this test only */
#define TYPE_UNKNOWN	0x7e570002

/**
 * struct far - a peer, and its kernel's end of the rings
 * @peer: what is tested
 * @to: ring to the peer
 * @from: ring from the peer, not used
 * @rx: the peer's end of @to
 * @nr: of the next message of the peer's stream
 * @handler: of TYPE
 * @handled: messages that it got
 * @last: of those, the last one's request
 * @block: the handler waits for this
 */
struct far {
	struct mk_peer *peer;
	struct mk_ring *to, *from;
	struct mk_ring_rx rx;
	u32 nr;
	struct mk_handler *handler;
	u32 handled;
	u32 last;
	struct completion block;
	bool blocking;
};

static int no_bell(struct mk_peer *peer, u32 *ret_apicid, u32 *ret_vector)
{
	return -EAGAIN;
}

static void on_message(const struct mk_message *message, void *context)
{
	struct far *far = context;

	far->handled++;
	far->last = message->request;
	if (READ_ONCE(far->blocking))
		wait_for_completion(&far->block);
}

static int far_init(struct kunit *test)
{
	struct mk_peer_setup setup = { .id = ID, .serial = SERIAL,
				       .name = "kunit-far", .bell = no_bell };
	struct far *far = kunit_kzalloc(test, sizeof(*far), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, far);
	far->to = kunit_kzalloc(test, MK_RING_BYTES, GFP_KERNEL);
	far->from = kunit_kzalloc(test, MK_RING_BYTES, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, far->to);
	KUNIT_ASSERT_NOT_NULL(test, far->from);
	mk_ring_format(far->to, SERIAL);
	mk_ring_format(far->from, SERIAL);
	mk_ring_rx_init(&far->rx, far->to);
	setup.tx = far->to;
	setup.rx = far->from;
	far->peer = mk_peer_new(&setup);
	KUNIT_ASSERT_NOT_NULL(test, far->peer);
	far->peer->up = true;
	init_completion(&far->block);
	far->handler = mk_handler_add(TYPE, TYPE, on_message, far, 0);
	KUNIT_ASSERT_FALSE(test, IS_ERR(far->handler));
	test->priv = far;
	return 0;
}

static void far_exit(struct kunit *test)
{
	struct far *far = test->priv;

	if (!far)
		return;
	far->peer->up = false;
	cancel_delayed_work_sync(&far->peer->starve_work);
	mk_handler_peer_down(far->peer);
	flush_work(&far->peer->user_work);
	KUNIT_EXPECT_EQ(test, mk_handler_remove(far->handler), 0);
	mk_peer_put(far->peer);
}

/* What the far kernel says, without waiting for the handler. */
static void say(struct far *far, struct mk_msg_head head, const void *data,
		u32 len)
{
	struct mk_msg msg = { .head = head, .len = len };

	if (len)
		memcpy(msg.payload, data, len);
	mk_handler_message(far->peer, &msg);
}

/* The next message of its stream, and wait until it is handled. */
static void say_next(struct far *far, u32 type, u32 id)
{
	say(far, (struct mk_msg_head){ .kind = MK_KIND_USER, .type = type,
				       .id = id, .nr = far->nr++,
				       .ack = far->peer->user.acked },
	    NULL, 0);
	flush_work(&far->peer->user_work);
}

/* What it hears: the next message of @kind; false when there is none. */
static bool hear(struct far *far, u32 kind, struct mk_msg *msg)
{
	int ret;

	while ((ret = mk_ring_recv(&far->rx, msg)) != 0)
		if (ret > 0 && msg->head.kind == kind)
			return true;
	return false;
}

/* The error of the next reply to request @id, 1 when there is none. */
static int hear_error(struct far *far, u32 id)
{
	struct mk_wire_answer answer;
	struct mk_msg msg;

	if (!hear(far, MK_KIND_USER_REPLY, &msg) || msg.head.id != id ||
	    msg.len < sizeof(answer))
		return 1;
	memcpy(&answer, msg.payload, sizeof(answer));
	return -(int)answer.error;
}

static void asked(struct kunit *test)
{
	struct mk_asked *asked = kunit_kzalloc(test, sizeof(*asked),
					       GFP_KERNEL);
	u32 i;

	KUNIT_ASSERT_NOT_NULL(test, asked);
	KUNIT_EXPECT_FALSE(test, mk_asked_has(asked, 0));
	mk_asked_del(asked, 0);
	mk_asked_del(asked, 5);
	for (i = 0; i < MK_ASKED_MAX; i++)
		KUNIT_ASSERT_EQ(test, mk_asked_add(asked, U32_MAX - i), 0);
	KUNIT_EXPECT_EQ(test, mk_asked_add(asked, U32_MAX), -EEXIST);
	KUNIT_EXPECT_EQ(test, mk_asked_add(asked, 7), -ENOSPC);
	KUNIT_EXPECT_FALSE(test, mk_asked_has(asked, 0));
	mk_asked_del(asked, U32_MAX - 9);
	KUNIT_EXPECT_FALSE(test, mk_asked_has(asked, U32_MAX - 9));
	KUNIT_EXPECT_EQ(test, mk_asked_add(asked, 7), 0);
	KUNIT_EXPECT_TRUE(test, mk_asked_has(asked, 7));
	KUNIT_EXPECT_TRUE(test, mk_asked_has(asked, U32_MAX));
}

/* Repeated numbers and those beyond the window are dropped and counted. */
static void bad_numbers(struct kunit *test)
{
	struct far *far = test->priv;
	struct mk_stream *s = &far->peer->user;

	say_next(far, TYPE, 0);
	KUNIT_EXPECT_EQ(test, far->handled, 1);
	far->nr = 0;
	say_next(far, TYPE, 0);
	far->nr = 1 + MK_WINDOW;
	say_next(far, TYPE, 0);
	far->nr = U32_MAX;
	say_next(far, TYPE, 0);
	KUNIT_EXPECT_EQ(test, far->handled, 1);
	KUNIT_EXPECT_EQ(test, s->bad, 3ULL);
	far->nr = 4;
	say_next(far, TYPE, 0);
	KUNIT_EXPECT_EQ(test, far->handled, 2);
	KUNIT_EXPECT_EQ(test, s->lost, 3ULL);
	say(far, (struct mk_msg_head){ .kind = MK_KIND_USER_ACK, .nr = 5,
				       .ack = 1 }, NULL, 0);
	KUNIT_EXPECT_EQ(test, s->bad, 4ULL);
	KUNIT_EXPECT_EQ(test, s->acked, 0);
}

/* A peer that ignores the window fills no more memory than the window. */
static void flood(struct kunit *test)
{
	struct far *far = test->priv;
	struct mk_msg_head head = { .kind = MK_KIND_USER, .type = TYPE };
	u32 i;

	WRITE_ONCE(far->blocking, true);
	for (i = 0; i < 1000; i++) {
		head.nr = i;
		say(far, head, NULL, 0);
	}
	KUNIT_EXPECT_EQ(test, far->peer->user.received, MK_WINDOW);
	KUNIT_EXPECT_EQ(test, far->peer->user.bad, 1000ULL - MK_WINDOW);
	WRITE_ONCE(far->blocking, false);
	complete_all(&far->block);
	flush_work(&far->peer->user_work);
	KUNIT_EXPECT_EQ(test, far->handled, MK_WINDOW);
}

/* A message has used up its credit until its handler has returned. */
static void credit(struct kunit *test)
{
	struct far *far = test->priv;
	struct mk_msg_head head = { .kind = MK_KIND_USER, .type = TYPE };
	int ms;

	WRITE_ONCE(far->blocking, true);
	say(far, head, NULL, 0);
	for (ms = 0; ms < 2000 && !READ_ONCE(far->handled); ms++)
		msleep(1);
	KUNIT_EXPECT_EQ(test, READ_ONCE(far->handled), 1);
	KUNIT_EXPECT_EQ(test, READ_ONCE(far->peer->user.consumed), 0);
	WRITE_ONCE(far->blocking, false);
	complete_all(&far->block);
	flush_work(&far->peer->user_work);
	KUNIT_EXPECT_EQ(test, far->peer->user.consumed, 1);
}

/* The ring is full, not the window: that is told, and then there is room. */
static void full_ring(struct kunit *test)
{
	struct far *far = test->priv;
	struct mk_msg_head head = { .kind = MK_KIND_CONTROL };
	struct mk_msg msg;
	u32 i;

	for (i = 0; i < MK_RING_SLOTS; i++)
		KUNIT_ASSERT_EQ(test, mk_peer_send(far->peer, &head, NULL, 0),
				0);
	KUNIT_EXPECT_EQ(test, mk_send(far->peer, TYPE, &i, 4, 0), -EAGAIN);
	KUNIT_EXPECT_EQ(test, mk_send(far->peer, TYPE, &i, 4, 50), -ETIMEDOUT);
	KUNIT_EXPECT_EQ(test, far->peer->user.sent, 0);
	KUNIT_EXPECT_FALSE(test, hear(far, MK_KIND_USER, &msg));
	KUNIT_EXPECT_EQ(test, mk_send(far->peer, TYPE, &i, 4, 0), 0);
	KUNIT_ASSERT_TRUE(test, hear(far, MK_KIND_USER, &msg));
	KUNIT_EXPECT_EQ(test, msg.head.nr, 0);
}

/* All messages lost, or the ack of them: asking gives the room back. */
static void ack_asked(struct kunit *test)
{
	struct far *far = test->priv;
	struct mk_msg_head head = { .kind = MK_KIND_USER_ACK, .nr = 10,
				    .type = MK_USER_ACK_ASK };
	struct mk_msg msg;

	say(far, head, NULL, 0);
	KUNIT_ASSERT_TRUE(test, hear(far, MK_KIND_USER_ACK, &msg));
	KUNIT_EXPECT_EQ(test, msg.head.type, (u32)MK_USER_ACK_TELL);
	KUNIT_EXPECT_EQ(test, msg.head.ack, 10);
	KUNIT_EXPECT_EQ(test, far->peer->user.lost, 10ULL);
	say(far, head, NULL, 0);
	KUNIT_EXPECT_TRUE(test, hear(far, MK_KIND_USER_ACK, &msg));
	head.type = MK_USER_ACK_TELL;
	say(far, head, NULL, 0);
	KUNIT_EXPECT_FALSE(test, hear(far, MK_KIND_USER_ACK, &msg));
}

/* Half a window of messages is acknowledged without being asked. */
static void ack_told(struct kunit *test)
{
	struct far *far = test->priv;
	struct mk_msg msg;
	u32 i;

	for (i = 0; i < MK_WINDOW / 2 - 1; i++)
		say_next(far, TYPE, 0);
	KUNIT_EXPECT_FALSE(test, hear(far, MK_KIND_USER_ACK, &msg));
	say_next(far, TYPE, 0);
	KUNIT_ASSERT_TRUE(test, hear(far, MK_KIND_USER_ACK, &msg));
	KUNIT_EXPECT_EQ(test, msg.head.ack, MK_WINDOW / 2);
}

/* An ack that finds the ring full is sent when there is space. */
static void ack_later(struct kunit *test)
{
	struct far *far = test->priv;
	struct mk_msg_head head = { .kind = MK_KIND_CONTROL };
	struct mk_msg msg;
	u32 i;

	while (mk_peer_send(far->peer, &head, NULL, 0) == 0)
		;
	for (i = 0; i < MK_WINDOW / 2; i++)
		say_next(far, TYPE, 0);
	KUNIT_EXPECT_TRUE(test, far->peer->user_ack_due);
	KUNIT_EXPECT_FALSE(test, hear(far, MK_KIND_USER_ACK, &msg));
	mk_handler_space(far->peer);
	KUNIT_ASSERT_TRUE(test, hear(far, MK_KIND_USER_ACK, &msg));
	KUNIT_EXPECT_EQ(test, msg.head.ack, MK_WINDOW / 2);
	KUNIT_EXPECT_FALSE(test, far->peer->user_ack_due);
}

static void requests(struct kunit *test)
{
	struct far *far = test->priv;
	struct mk_peer_counters *c = &far->peer->counters;

	say_next(far, TYPE_UNKNOWN, 5);
	KUNIT_EXPECT_EQ(test, hear_error(far, 5), -ENOSYS);
	KUNIT_EXPECT_EQ(test, c->unknown, 1ULL);
	say_next(far, TYPE_UNKNOWN, 0);
	KUNIT_EXPECT_EQ(test, hear_error(far, 0), 1);
	KUNIT_EXPECT_EQ(test, c->unknown, 2ULL);

	say_next(far, TYPE, 6);
	KUNIT_EXPECT_EQ(test, far->last, 6);
	/* The same again, while it is not answered */
	say_next(far, TYPE, 6);
	KUNIT_EXPECT_EQ(test, far->handled, 1);
	KUNIT_EXPECT_EQ(test, c->refused, 1ULL);
	KUNIT_EXPECT_EQ(test, mk_reply(far->peer, 6, 5, NULL, 0), -EINVAL);
	KUNIT_EXPECT_EQ(test, mk_reply(far->peer, 6, -4096, NULL, 0), -EINVAL);
	KUNIT_EXPECT_EQ(test, mk_reply(far->peer, 6, 0, NULL, 1), -EINVAL);
	KUNIT_EXPECT_EQ(test, mk_reply(far->peer, 6, 0, far, MK_REPLY_MAX + 1),
			-EMSGSIZE);
	KUNIT_EXPECT_EQ(test, mk_reply(far->peer, 6, -EIO, NULL, 0), 0);
	KUNIT_EXPECT_EQ(test, hear_error(far, 6), -EIO);
	KUNIT_EXPECT_EQ(test, mk_reply(far->peer, 6, 0, NULL, 0), -ENOENT);
	KUNIT_EXPECT_EQ(test, mk_reply(far->peer, 0, 0, NULL, 0), -ENOENT);
	say_next(far, TYPE, 6);
	KUNIT_EXPECT_EQ(test, far->handled, 2);
}

/* Requests that nobody answers use up what one peer may have, no more. */
static void requests_bounded(struct kunit *test)
{
	struct far *far = test->priv;
	u32 i;

	for (i = 1; i <= MK_ASKED_MAX; i++)
		say_next(far, TYPE, i);
	KUNIT_EXPECT_EQ(test, far->handled, MK_ASKED_MAX);
	say_next(far, TYPE, i);
	KUNIT_EXPECT_EQ(test, far->handled, MK_ASKED_MAX);
	KUNIT_EXPECT_EQ(test, hear_error(far, i), -EBUSY);
	KUNIT_EXPECT_EQ(test, mk_reply(far->peer, 1, 0, NULL, 0), 0);
	say_next(far, TYPE, i);
	KUNIT_EXPECT_EQ(test, far->handled, MK_ASKED_MAX + 1);
}

/* A reply that cannot be sent can be sent later. */
static void reply_later(struct kunit *test)
{
	struct far *far = test->priv;
	struct mk_msg_head head = { .kind = MK_KIND_CONTROL };

	say_next(far, TYPE, 9);
	while (mk_peer_send(far->peer, &head, NULL, 0) == 0)
		;
	KUNIT_EXPECT_EQ(test, mk_reply(far->peer, 9, 0, "x", 1), -EAGAIN);
	KUNIT_EXPECT_EQ(test, hear_error(far, 9), 1);
	KUNIT_EXPECT_EQ(test, mk_reply(far->peer, 9, 0, "x", 1), 0);
	KUNIT_EXPECT_EQ(test, hear_error(far, 9), 0);
}

/* The far kernel's answers to a request, in a work while the test waits */
struct answers {
	struct delayed_work work;
	struct far *far;
	u32 error;
	u32 len;
	bool end;
	bool heard;
};

static void answer_work(struct work_struct *work)
{
	struct answers *a = container_of(to_delayed_work(work), struct answers,
					 work);
	struct mk_msg_head head = { .kind = MK_KIND_USER_REPLY };
	u32 payload[MK_MESSAGE_MAX / 4] = { a->error };
	struct mk_msg msg;

	a->heard = hear(a->far, MK_KIND_USER, &msg);
	if (!a->heard)
		return;
	if (a->end) {
		WRITE_ONCE(a->far->peer->up, false);
		mk_handler_peer_down(a->far->peer);
		return;
	}
	head.ack = msg.head.nr + 1;
	/* To nobody, too short, and then the one that counts */
	head.id = msg.head.id + 1;
	say(a->far, head, payload, sizeof(struct mk_wire_answer));
	head.id = msg.head.id;
	say(a->far, head, payload, sizeof(struct mk_wire_answer) - 1);
	say(a->far, head, payload, a->len);
	say(a->far, head, payload, a->len);
}

static ssize_t ask(struct kunit *test, struct answers *a, size_t size,
		   unsigned int timeout_ms)
{
	u8 reply[MK_REPLY_MAX];
	ssize_t ret;

	a->far = test->priv;
	INIT_DELAYED_WORK_ONSTACK(&a->work, answer_work);
	queue_delayed_work(system_unbound_wq, &a->work,
			   msecs_to_jiffies(50));
	ret = mk_request(a->far->peer, TYPE, "?", 1, reply, size, timeout_ms);
	flush_delayed_work(&a->work);
	destroy_delayed_work_on_stack(&a->work);
	return ret;
}

static void replies(struct kunit *test)
{
	static const struct {
		u32 error, len;
		size_t size;
		ssize_t ret;
	} cases[] = {
		{ 0, 8, 0, 0 },
		{ 0, 8 + 100, 100, 100 },
		{ 0, MK_MESSAGE_MAX, MK_REPLY_MAX, MK_REPLY_MAX },
		{ 0, 8 + 101, 100, -EMSGSIZE },
		{ ENXIO, 8 + 100, 0, -ENXIO },
		{ MAX_ERRNO, 8, 0, -MAX_ERRNO },
		{ MAX_ERRNO + 1, 8, 0, -EPROTO },
		{ 0x80000000, 8, 0, -EPROTO },
		{ U32_MAX, 8, 0, -EPROTO },
	};
	struct far *far = test->priv;
	u32 i;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		struct answers a = { .error = cases[i].error,
				     .len = cases[i].len };

		KUNIT_EXPECT_EQ_MSG(test, ask(test, &a, cases[i].size, 60000),
				    cases[i].ret, "case %u", i);
	}
	KUNIT_EXPECT_EQ(test, far->peer->counters.late_replies, 2ULL * i);
	KUNIT_EXPECT_EQ(test, far->peer->counters.refused, (u64)i);
	KUNIT_EXPECT_EQ(test, far->peer->user.acked, i);
	KUNIT_EXPECT_TRUE(test, list_empty(&far->peer->user_calls));
}

static void request_ends(struct kunit *test)
{
	struct far *far = test->priv;
	struct answers late = { .len = 8 };
	struct answers end = { .end = true };

	/* The reply comes when nobody waits for it any more. */
	KUNIT_EXPECT_EQ(test, ask(test, &late, 0, 5), -ETIMEDOUT);
	KUNIT_EXPECT_TRUE(test, late.heard);
	KUNIT_EXPECT_EQ(test, far->peer->counters.late_replies, 3ULL);
	KUNIT_EXPECT_EQ(test, ask(test, &end, 0, 60000), -EPIPE);
	KUNIT_EXPECT_TRUE(test, list_empty(&far->peer->user_calls));
	KUNIT_EXPECT_LT(test, mk_send(far->peer, TYPE, NULL, 0, 1000), 0);
}

/* Who waits for room asks for it, gets it, and the peer's end wakes. */
static void window(struct kunit *test)
{
	struct far *far = test->priv;
	struct mk_msg_head ack = { .kind = MK_KIND_USER_ACK };
	struct mk_msg msg;
	u32 i;

	for (i = 0; i < MK_WINDOW; i++) {
		KUNIT_ASSERT_EQ(test, mk_send(far->peer, TYPE, &i, 4, 0), 0);
		KUNIT_ASSERT_TRUE(test, hear(far, MK_KIND_USER, &msg));
		KUNIT_EXPECT_EQ(test, msg.head.nr, i);
	}
	KUNIT_EXPECT_EQ(test, mk_send(far->peer, TYPE, &i, 4, 0), -EAGAIN);
	KUNIT_EXPECT_EQ(test, mk_send(far->peer, TYPE, &i, 4, 300),
			-ETIMEDOUT);
	KUNIT_ASSERT_TRUE(test, hear(far, MK_KIND_USER_ACK, &msg));
	KUNIT_EXPECT_EQ(test, msg.head.type, (u32)MK_USER_ACK_ASK);
	KUNIT_EXPECT_EQ(test, msg.head.nr, MK_WINDOW);
	ack.ack = 1;
	say(far, ack, NULL, 0);
	KUNIT_EXPECT_EQ(test, mk_send(far->peer, TYPE, &i, 4, 0), 0);
	KUNIT_EXPECT_EQ(test, mk_send(far->peer, TYPE, &i, 4, 0), -EAGAIN);
	/* More than was sent */
	ack.ack = MK_WINDOW + 2;
	say(far, ack, NULL, 0);
	KUNIT_EXPECT_EQ(test, mk_send(far->peer, TYPE, &i, 4, 0), -EAGAIN);
	far->peer->up = false;
	KUNIT_EXPECT_EQ(test, mk_send(far->peer, TYPE, &i, 4, 0),
			mk_peer_gone(far->peer));
}

/* A CPU that is not the sender's, or not ours: no callback hears of it. */
static u32 heard;

static void on_ipi(struct mk_ipi_data *data, void *ctx)
{
	heard++;
}

static void ipi_forged(struct kunit *test)
{
	struct far *far = test->priv;
	struct mk_msg_head head = { .kind = MK_KIND_IPI, .type = TYPE };
	struct mk_ipi_handler *handler;

	handler = multikernel_register_handler(on_ipi, NULL);
	KUNIT_ASSERT_NOT_NULL(test, handler);
	heard = 0;
	head.from = head.to = mk_arch_apicid(raw_smp_processor_id());
	say(far, head, NULL, 0);
	head.nr++;
	head.from = 0x80000000;
	say(far, head, NULL, 0);
	head.nr++;
	head.from = head.to = 0x7fffffff;
	say(far, head, NULL, 0);
	flush_work(&far->peer->user_work);
	KUNIT_EXPECT_EQ(test, far->peer->counters.refused, 3ULL);
	KUNIT_EXPECT_EQ(test, heard, 0);
	multikernel_unregister_handler(handler);
}

static struct kunit_case handler_cases[] = {
	KUNIT_CASE(asked),
	KUNIT_CASE(bad_numbers),
	KUNIT_CASE(flood),
	KUNIT_CASE(credit),
	KUNIT_CASE(full_ring),
	KUNIT_CASE(ack_asked),
	KUNIT_CASE(ack_told),
	KUNIT_CASE(ack_later),
	KUNIT_CASE(requests),
	KUNIT_CASE(requests_bounded),
	KUNIT_CASE(reply_later),
	KUNIT_CASE(replies),
	KUNIT_CASE(request_ends),
	KUNIT_CASE(window),
	KUNIT_CASE(ipi_forged),
	{}
};

static struct kunit_suite handler_suite = {
	.name = "multikernel_handler",
	.init = far_init,
	.exit = far_exit,
	.test_cases = handler_cases,
};
kunit_test_suites(&handler_suite);

MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Tests of kernel code's messages, with a peer that may be mad");
