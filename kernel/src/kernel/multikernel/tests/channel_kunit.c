// SPDX-License-Identifier: GPL-2.0-only
/*
 * Tests of the ends of channels, against a peer that may be mad: each message
 * of it is made by hand and given to mk_channel_message(), and what it is sent
 * is read from the ring. No rx work, no doorbell, no descriptor.
 */
#include <kunit/test.h>
#include <linux/slab.h>

#include "../channel.h"

#define ID	1000	/* above all instances */
#define SERIAL	77
#define PORT	0x7e57
#define THEIRS	5	/* number of the far end */

/**
 * struct far - a peer, its kernel's end of the rings, and an end of ours
 * @peer: what is tested
 * @to: ring to the peer
 * @from: ring from the peer, not used
 * @rx: the peer's end of @to
 * @chan: listens at PORT; the test's reference, NULL: it was released
 * @nr: of the next message of the far end
 */
struct far {
	struct mk_peer *peer;
	struct mk_ring *to, *from;
	struct mk_ring_rx rx;
	struct mk_channel *chan;
	u32 nr;
};

static int no_bell(struct mk_peer *peer, u32 *ret_apicid, u32 *ret_vector)
{
	return -EAGAIN;
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
	far->chan = mk_channel_new("", PORT, false);
	KUNIT_ASSERT_FALSE(test, IS_ERR(far->chan));
	mk_channel_listen(far->chan);
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
	mk_channel_peer_down(far->peer);
	KUNIT_EXPECT_TRUE(test, xa_empty(&far->peer->ends));
	if (far->chan)
		mk_channel_release(far->chan);
	mk_peer_put(far->peer);
}

/* What the far kernel says of its end @from to ours. */
static void say(struct far *far, u32 type, u32 from, u32 to, const void *data,
		u32 len)
{
	struct mk_msg msg = {
		.head = { .kind = MK_KIND_CHANNEL, .type = type, .from = from,
			  .to = to, .nr = far->nr },
		.len = len,
	};

	if (len)
		memcpy(msg.payload, data, len);
	mk_channel_message(far->peer, &msg);
}

static void say_data(struct far *far, u32 from)
{
	say(far, MK_CHANNEL_DATA, from, far->chan->number, "x", 1);
	far->nr++;
}

/* What it hears next: a type, or -1 for nothing. */
static int hear(struct far *far, struct mk_msg *msg)
{
	int ret;

	while ((ret = mk_ring_recv(&far->rx, msg)) != 0)
		if (ret > 0 && msg->head.kind == MK_KIND_CHANNEL)
			return msg->head.type;
	return -1;
}

static int hear_any(struct far *far)
{
	struct mk_msg msg;

	return hear(far, &msg);
}

static void call_port(struct far *far, u32 from, u32 port)
{
	struct mk_wire_channel wire = { .port = port };

	say(far, MK_CHANNEL_OPEN, from, 0, &wire, sizeof(wire));
}

static void connect(struct kunit *test, struct far *far)
{
	struct mk_msg msg;

	call_port(far, THEIRS, PORT);
	KUNIT_ASSERT_EQ(test, hear(far, &msg), MK_CHANNEL_ACCEPT);
	KUNIT_ASSERT_EQ(test, msg.head.to, THEIRS);
	KUNIT_ASSERT_EQ(test, msg.head.from, far->chan->number);
	KUNIT_ASSERT_EQ(test, far->chan->state, MK_CHANNEL_CONNECTED);
}

static void fill_ring(struct far *far)
{
	struct mk_msg_head head = { .kind = MK_KIND_CONTROL };

	while (mk_peer_send(far->peer, &head, NULL, 0) == 0)
		;
}

static int send(struct mk_channel *chan)
{
	int ret;

	spin_lock(&chan->lock);
	ret = mk_channel_send(chan, "y", 1);
	spin_unlock(&chan->lock);
	return ret;
}

/* One that listens is called once; who finds nobody is told so. */
static void calls(struct kunit *test)
{
	struct far *far = test->priv;
	struct mk_wire_answer answer;
	struct mk_msg msg;

	connect(test, far);
	call_port(far, THEIRS + 1, PORT);
	KUNIT_ASSERT_EQ(test, hear(far, &msg), MK_CHANNEL_REFUSE);
	KUNIT_EXPECT_EQ(test, msg.head.to, THEIRS + 1);
	memcpy(&answer, msg.payload, sizeof(answer));
	KUNIT_EXPECT_EQ(test, answer.error, (u32)ECONNREFUSED);
	/* A number that is in use, none, no port, a port that cannot be */
	call_port(far, THEIRS, PORT);
	call_port(far, 0, PORT);
	say(far, MK_CHANNEL_OPEN, THEIRS + 2, 0, NULL, 0);
	call_port(far, THEIRS + 2, MK_PORT_MAX + 1);
	KUNIT_EXPECT_EQ(test, hear_any(far), -1);
	KUNIT_EXPECT_EQ(test, far->peer->counters.refused, 4ULL);
	/* A refusal leaves nothing behind. */
	KUNIT_EXPECT_EQ(test, atomic_read(&far->peer->own_ends), 0);
}

/* An end hears its other end, and nobody else. */
static void strangers(struct kunit *test)
{
	struct far *far = test->priv;
	u32 number;

	connect(test, far);
	number = far->chan->number;
	say_data(far, THEIRS);
	KUNIT_EXPECT_EQ(test, far->chan->received, 1ULL);
	far->nr = 1;
	say_data(far, THEIRS + 1);
	far->nr = 1;
	say(far, MK_CHANNEL_ACK, THEIRS + 1, number, NULL, 0);
	say(far, MK_CHANNEL_CLOSE, THEIRS + 1, number, NULL, 0);
	say(far, MK_CHANNEL_ACCEPT, THEIRS + 1, number, NULL, 0);
	KUNIT_EXPECT_EQ(test, far->peer->counters.refused, 4ULL);
	KUNIT_EXPECT_EQ(test, far->chan->received, 1ULL);
	KUNIT_EXPECT_EQ(test, far->chan->state, MK_CHANNEL_CONNECTED);
	say(far, MK_CHANNEL_ACK, THEIRS, number + 1, NULL, 0);
	KUNIT_EXPECT_EQ(test, far->peer->counters.unknown, 1ULL);
}

/* A peer that ignores the window fills no more memory than the window. */
static void flood(struct kunit *test)
{
	struct far *far = test->priv;
	u32 i;

	connect(test, far);
	for (i = 0; i < 1000; i++)
		say_data(far, THEIRS);
	KUNIT_EXPECT_EQ(test, far->chan->received, (u64)MK_WINDOW);
	KUNIT_EXPECT_EQ(test, list_count_nodes(&far->chan->queue),
			(size_t)MK_WINDOW);
	KUNIT_EXPECT_EQ(test, far->chan->stream.bad, 1000ULL - MK_WINDOW);
}

/* The ring is full, not the window: that is told, and so is the room. */
static void full_ring(struct kunit *test)
{
	struct far *far = test->priv;
	struct mk_channel *chan = far->chan;
	struct mk_msg msg;

	connect(test, far);
	fill_ring(far);
	KUNIT_EXPECT_TRUE(test, mk_stream_may_send(&chan->stream));
	KUNIT_EXPECT_EQ(test, send(chan), -EAGAIN);
	KUNIT_EXPECT_TRUE(test, chan->starved);
	KUNIT_EXPECT_EQ(test, chan->sent, 0ULL);
	KUNIT_EXPECT_EQ(test, hear_any(far), -1);
	mk_channel_space(far->peer);
	KUNIT_EXPECT_FALSE(test, chan->starved);
	KUNIT_EXPECT_EQ(test, send(chan), 0);
	KUNIT_ASSERT_EQ(test, hear(far, &msg), MK_CHANNEL_DATA);
	KUNIT_EXPECT_EQ(test, msg.head.nr, 0);
	KUNIT_EXPECT_EQ(test, chan->sent, 1ULL);
}

/* What has to be said and finds the ring full is said when there is space. */
static void said_later(struct kunit *test)
{
	struct far *far = test->priv;

	fill_ring(far);
	call_port(far, THEIRS, PORT);
	KUNIT_EXPECT_EQ(test, far->chan->state, MK_CHANNEL_CONNECTED);
	KUNIT_EXPECT_EQ(test, hear_any(far), -1);
	mk_channel_space(far->peer);
	KUNIT_EXPECT_EQ(test, hear_any(far), MK_CHANNEL_ACCEPT);
	fill_ring(far);
	mk_channel_release(far->chan);
	far->chan = NULL;
	KUNIT_EXPECT_EQ(test, hear_any(far), -1);
	mk_channel_space(far->peer);
	KUNIT_EXPECT_EQ(test, hear_any(far), MK_CHANNEL_CLOSE);
}

/* The number of an end is nobody's once both have closed. */
static void closing(struct kunit *test)
{
	struct far *far = test->priv;
	u32 number;

	connect(test, far);
	number = far->chan->number;
	say_data(far, THEIRS);
	say(far, MK_CHANNEL_CLOSE, THEIRS, number, NULL, 0);
	KUNIT_EXPECT_EQ(test, far->chan->state, MK_CHANNEL_CLOSED);
	/* What arrived before it can still be read. */
	KUNIT_EXPECT_EQ(test, list_count_nodes(&far->chan->queue), (size_t)1);
	KUNIT_EXPECT_EQ(test, hear_any(far), MK_CHANNEL_CLOSE);
	KUNIT_EXPECT_TRUE(test, xa_empty(&far->peer->ends));
	say(far, MK_CHANNEL_DATA, THEIRS, number, "x", 1);
	KUNIT_EXPECT_EQ(test, far->peer->counters.unknown, 1ULL);
	KUNIT_EXPECT_EQ(test, far->chan->received, 1ULL);
}

/* What comes for one whose descriptor is closed costs the sender no room. */
static void released(struct kunit *test)
{
	struct far *far = test->priv;
	struct mk_channel *chan = far->chan;
	u32 i;

	connect(test, far);
	kref_get(&chan->ref);
	mk_channel_release(chan);
	KUNIT_EXPECT_EQ(test, hear_any(far), MK_CHANNEL_CLOSE);
	for (i = 0; i < 10; i++)
		say_data(far, THEIRS);
	KUNIT_EXPECT_EQ(test, chan->received, 10ULL);
	KUNIT_EXPECT_EQ(test, chan->stream.consumed, 10U);
	KUNIT_EXPECT_TRUE(test, list_empty(&chan->queue));
	say(far, MK_CHANNEL_CLOSE, THEIRS, chan->number, NULL, 0);
	KUNIT_EXPECT_TRUE(test, xa_empty(&far->peer->ends));
	/* Nobody but this test has it now. */
	KUNIT_EXPECT_EQ(test, kref_read(&chan->ref), 1);
	mk_channel_put(chan);
	far->chan = NULL;
}

/* The end of a kernel is the end of its channels, not of what it said. */
static void peer_ends(struct kunit *test)
{
	struct far *far = test->priv;

	connect(test, far);
	say_data(far, THEIRS);
	mk_channel_peer_down(far->peer);
	KUNIT_EXPECT_EQ(test, far->chan->state, MK_CHANNEL_DEAD);
	KUNIT_EXPECT_EQ(test, list_count_nodes(&far->chan->queue), (size_t)1);
	KUNIT_EXPECT_TRUE(test, xa_empty(&far->peer->ends));
}

/* The echo sends all back; a peer has so many of them and no more. */
static void echoes(struct kunit *test)
{
	struct far *far = test->priv;
	struct mk_msg msg;
	u32 i, number;

	call_port(far, 1, MK_PORT_ECHO);
	KUNIT_ASSERT_EQ(test, hear(far, &msg), MK_CHANNEL_ACCEPT);
	number = msg.head.from;
	say(far, MK_CHANNEL_DATA, 1, number, "echo", 4);
	KUNIT_ASSERT_EQ(test, hear(far, &msg), MK_CHANNEL_DATA);
	KUNIT_EXPECT_EQ(test, msg.len, 4);
	KUNIT_EXPECT_EQ(test, memcmp(msg.payload, "echo", 4), 0);
	for (i = 2; i <= MK_ECHOES_MAX; i++) {
		call_port(far, i, MK_PORT_ECHO);
		KUNIT_ASSERT_EQ(test, hear_any(far), MK_CHANNEL_ACCEPT);
	}
	call_port(far, i, MK_PORT_ECHO);
	KUNIT_EXPECT_EQ(test, hear_any(far), MK_CHANNEL_REFUSE);
	far->nr = 1;
	say(far, MK_CHANNEL_CLOSE, 1, number, NULL, 0);
	KUNIT_EXPECT_EQ(test, hear_any(far), MK_CHANNEL_CLOSE);
	call_port(far, i, MK_PORT_ECHO);
	KUNIT_EXPECT_EQ(test, hear_any(far), MK_CHANNEL_ACCEPT);
}

static struct kunit_case channel_cases[] = {
	KUNIT_CASE(calls),
	KUNIT_CASE(strangers),
	KUNIT_CASE(flood),
	KUNIT_CASE(full_ring),
	KUNIT_CASE(said_later),
	KUNIT_CASE(closing),
	KUNIT_CASE(released),
	KUNIT_CASE(peer_ends),
	KUNIT_CASE(echoes),
	{}
};

static struct kunit_suite channel_suite = {
	.name = "multikernel_channel",
	.init = far_init,
	.exit = far_exit,
	.test_cases = channel_cases,
};
kunit_test_suites(&channel_suite);

MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Tests of channels, with a peer that may be mad");
