// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Flow control of a stream: windows, acknowledgements, loss, the wrap of the
 * counts at 2^32, and another end that says every kind of nonsense.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <linux/mk_stream.h>

/* Both ends, each as if @start messages had come and gone. */
struct fixture {
	struct mk_stream a, b;
};

static void start_at(struct mk_stream *s, u32 start)
{
	memset(s, 0, sizeof(*s));
	s->sent = start;
	s->acked = start;
	s->received = start;
	s->consumed = start;
	s->told = start;
}

static struct fixture fixture_at(u32 start)
{
	struct fixture f;

	start_at(&f.a, start);
	start_at(&f.b, start);
	return f;
}

/* Across the wrap. */
static const u32 starts[] = { 0, 1, 1000, (u32)-64, (u32)-63, (u32)-1,
			      0x7fffffff, 0x80000000 };
#define NR(array)	(sizeof(array) / sizeof((array)[0]))

static void check_invariants(const struct mk_stream *s)
{
	assert_true(s->sent - s->acked <= MK_WINDOW);
	assert_true(s->received - s->told <= MK_WINDOW);
	assert_true(s->consumed - s->told <= s->received - s->told);
}

/* One message; false when there is no credit. */
static bool pass(struct mk_stream *from, struct mk_stream *to)
{
	u32 nr = from->sent, ack = from->consumed;

	if (!mk_stream_may_send(from))
		return false;
	mk_stream_sent(from);
	mk_stream_take_ack(to, ack);
	assert_true(mk_stream_take(to, nr));
	check_invariants(from);
	check_invariants(to);
	return true;
}

static bool ack(struct mk_stream *from, struct mk_stream *to)
{
	u32 nr = from->sent, count = from->consumed;

	mk_stream_told(from);
	mk_stream_take_gap(to, nr);
	return mk_stream_take_ack(to, count);
}

static void test_window(void **state)
{
	struct fixture f;
	size_t i;
	u32 n;

	(void)state;
	for (i = 0; i < NR(starts); i++) {
		f = fixture_at(starts[i]);
		for (n = 0; n < MK_WINDOW; n++)
			assert_true(pass(&f.a, &f.b));
		assert_false(pass(&f.a, &f.b));
		assert_int_equal(mk_stream_unread(&f.b), MK_WINDOW);
		mk_stream_consume(&f.b);
		assert_true(ack(&f.b, &f.a));
		assert_true(pass(&f.a, &f.b));
		assert_false(pass(&f.a, &f.b));
		assert_int_equal(f.a.sent, starts[i] + MK_WINDOW + 1);
		assert_int_equal(f.b.lost + f.b.bad + f.a.lost + f.a.bad, 0);
	}
}

/* Messages of the other direction acknowledge by the way. */
static void test_ack_by_message(void **state)
{
	struct fixture f = fixture_at((u32)-7);
	u32 n;

	(void)state;
	for (n = 0; n < 1000; n++) {
		assert_true(pass(&f.a, &f.b));
		mk_stream_consume(&f.b);
		assert_true(pass(&f.b, &f.a));
		assert_int_equal(f.a.sent, f.a.acked);
		mk_stream_consume(&f.a);
	}
	assert_int_equal(f.a.bad + f.b.bad, 0);
}

static void test_ack_due_at_half(void **state)
{
	struct fixture f = fixture_at((u32)-20);
	u32 n;

	(void)state;
	for (n = 0; n < MK_WINDOW - 1; n++)
		assert_true(pass(&f.a, &f.b));
	for (n = 0; n < MK_WINDOW / 2; n++) {
		assert_false(mk_stream_ack_due(&f.b));
		mk_stream_consume(&f.b);
	}
	assert_true(mk_stream_ack_due(&f.b));
	mk_stream_told(&f.b);
	assert_false(mk_stream_ack_due(&f.b));
}

/* A full window: the other end may wait, so the first room is told at once. */
static void test_ack_due_when_blocked(void **state)
{
	struct fixture f = fixture_at((u32)-20);

	(void)state;
	while (pass(&f.a, &f.b))
		;
	assert_false(mk_stream_ack_due(&f.b));
	mk_stream_consume(&f.b);
	assert_true(mk_stream_ack_due(&f.b));
	assert_true(ack(&f.b, &f.a));
	assert_false(mk_stream_ack_due(&f.b));
	mk_stream_consume(&f.b);
	assert_false(mk_stream_ack_due(&f.b));	/* it has not used that one */
	assert_true(pass(&f.a, &f.b));
	assert_true(mk_stream_ack_due(&f.b));
}

static void test_consume_is_bounded(void **state)
{
	struct fixture f = fixture_at(5);

	(void)state;
	mk_stream_consume(&f.b);
	assert_int_equal(f.b.consumed, 5);
	assert_true(pass(&f.a, &f.b));
	mk_stream_consume(&f.b);
	mk_stream_consume(&f.b);
	assert_int_equal(f.b.consumed, 6);
}

/* Each number of lost messages in front of one that arrives. */
static void test_loss(void **state)
{
	struct fixture f;
	u32 lost, n;
	size_t i;

	(void)state;
	for (i = 0; i < NR(starts); i++) {
		for (lost = 0; lost < MK_WINDOW; lost++) {
			f = fixture_at(starts[i]);
			for (n = 0; n < lost; n++)
				mk_stream_sent(&f.a);
			assert_true(pass(&f.a, &f.b));
			assert_int_equal(f.b.lost, lost);
			assert_int_equal(mk_stream_unread(&f.b), 1);
			mk_stream_consume(&f.b);
			ack(&f.b, &f.a);
			/* All credit is back. */
			assert_int_equal(f.a.acked, f.a.sent);
		}
	}
}

/* All that was under way is lost: a message without number tells. */
static void test_all_lost(void **state)
{
	struct fixture f;
	size_t i;

	(void)state;
	for (i = 0; i < NR(starts); i++) {
		f = fixture_at(starts[i]);
		while (mk_stream_may_send(&f.a))
			mk_stream_sent(&f.a);
		assert_true(mk_stream_take_gap(&f.b, f.a.sent));
		check_invariants(&f.b);
		assert_int_equal(f.b.lost, MK_WINDOW);
		assert_true(mk_stream_ack_due(&f.b));
		assert_true(ack(&f.b, &f.a));
		assert_true(mk_stream_may_send(&f.a));
		assert_false(mk_stream_take_gap(&f.b, f.a.sent));
		assert_int_equal(f.b.lost, MK_WINDOW);
		assert_int_equal(f.b.bad, 0);
	}
}

/* Every distance that an ack can have from the truth. */
static void test_hostile_ack(void **state)
{
	struct mk_stream s, before;
	u32 sent, off;
	size_t i;

	(void)state;
	for (i = 0; i < NR(starts); i++) {
		for (sent = 0; sent <= MK_WINDOW; sent++) {
			for (off = (u32)-200; off != 200; off++) {
				start_at(&s, starts[i]);
				s.sent += sent;
				before = s;
				mk_stream_take_ack(&s, starts[i] + off);
				check_invariants(&s);
				assert_int_equal(s.bad, off > sent);
				assert_int_equal(s.acked - before.acked,
						 off > sent ? 0 : off);
			}
		}
	}
}

static void check_take(struct mk_stream *s, u32 ahead, bool gap)
{
	u32 room = MK_WINDOW - (s->received - s->told);
	bool good = gap ? ahead <= room : ahead < room;
	struct mk_stream was = *s;

	if (gap)
		assert_int_equal(mk_stream_take_gap(s, s->received + ahead),
				 good && ahead);
	else
		assert_int_equal(mk_stream_take(s, s->received + ahead), good);
	check_invariants(s);
	assert_int_equal(s->bad, !good);
	assert_int_equal(s->lost, good ? ahead : 0);
	assert_int_equal(s->received - was.received,
			 good ? ahead + !gap : 0);
	assert_int_equal(mk_stream_unread(s),
			 mk_stream_unread(&was) + (good && !gap));
}

/* Every distance that a number can have, at every fill level. */
static void test_hostile_number(void **state)
{
	static const u32 far[] = { 0x7fffffff, 0x80000000, 0x80000001 };
	struct mk_stream s;
	u32 unread, ahead;
	size_t i, k;

	(void)state;
	for (i = 0; i < NR(starts); i++) {
		for (unread = 0; unread <= MK_WINDOW; unread++) {
			for (ahead = (u32)-130; ahead != 130; ahead++) {
				start_at(&s, starts[i]);
				s.received += unread;
				check_take(&s, ahead, false);
				start_at(&s, starts[i]);
				s.received += unread;
				check_take(&s, ahead, true);
			}
			for (k = 0; k < NR(far); k++) {
				start_at(&s, starts[i]);
				s.received += unread;
				check_take(&s, far[k], k & 1);
			}
		}
	}
}

/* An end that is told nothing but nonsense never leaves its bounds. */
static void test_hostile_random(void **state)
{
	struct mk_stream s;
	u32 n, accepted = 0;

	(void)state;
	srand(7);
	start_at(&s, (u32)-1000);
	for (n = 0; n < 1000000; n++) {
		u32 near = (u32)(rand() % 200) - 60;

		switch (rand() % 6) {
		case 0:
			if (mk_stream_may_send(&s))
				mk_stream_sent(&s);
			break;
		case 1:
			mk_stream_take_ack(&s, s.acked + near);
			break;
		case 2:
			accepted += mk_stream_take(&s, s.received + near);
			break;
		case 3:
			mk_stream_take_gap(&s, s.received + near);
			break;
		case 4:
			mk_stream_consume(&s);
			break;
		case 5:
			if (mk_stream_ack_due(&s))
				mk_stream_told(&s);
			break;
		}
		check_invariants(&s);
	}
	assert_true(s.bad > 1000);
	assert_true(s.lost > 1000);
	assert_true(accepted > 1000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_window),
		cmocka_unit_test(test_ack_by_message),
		cmocka_unit_test(test_ack_due_at_half),
		cmocka_unit_test(test_ack_due_when_blocked),
		cmocka_unit_test(test_consume_is_bounded),
		cmocka_unit_test(test_loss),
		cmocka_unit_test(test_all_lost),
		cmocka_unit_test(test_hostile_ack),
		cmocka_unit_test(test_hostile_number),
		cmocka_unit_test(test_hostile_random),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
