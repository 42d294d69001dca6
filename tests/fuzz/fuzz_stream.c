// SPDX-License-Identifier: GPL-2.0-only
/*
 * libFuzzer target: both ends of a stream (mk_stream.h), with an other end that
 * says what it likes, and with a ring between them that loses what it likes.
 *
 * What must hold whatever is said: the windows keep their bounds, each number
 * passed is counted as exactly one of accepted and lost, and nothing refused
 * changes anything. When the ring loses nothing any more, two honest ends come
 * to an order in which all credit is back.
 *
 * seconds: 60
 */
#include <stdio.h>
#include <stdlib.h>

#include <linux/mk_stream.h>

#define must(cond)							\
	do {								\
		if (!(cond)) {						\
			fprintf(stderr, "%s:%d: broken: %s\n",		\
				__FILE__, __LINE__, #cond);		\
			abort();					\
		}							\
	} while (0)

#define UNDER_WAY	256		/* in one direction of the ring */

/* What a message carries besides its text. */
struct message {
	u32 nr, ack;
	bool data;		/* else it only acknowledges */
	bool answer;		/* or asks for that */
};

struct end {
	struct mk_stream s;
	u32 start;
	u64 accepted;
	struct message in[UNDER_WAY];	/* sent to it */
	u32 first, last;
};

static struct {
	const uint8_t *in, *end;
	struct end ends[2];
} f;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static u32 take(unsigned int bytes)
{
	u32 value = 0;

	while (bytes--)
		value = value << 8 | (f.in < f.end ? *f.in++ : 0);
	return value;
}

static void check(const struct end *e)
{
	const struct mk_stream *s = &e->s;

	must(s->sent - s->acked <= MK_WINDOW);
	must(s->received - s->told <= MK_WINDOW);
	must(s->consumed - s->told <= s->received - s->told);
	must(mk_stream_unread(s) <= MK_WINDOW);
	must((u32)(e->accepted + s->lost) == s->received - e->start);
}

static void start_at(struct end *e, u32 start)
{
	memset(e, 0, sizeof(*e));
	e->start = start;
	e->s.sent = start;
	e->s.acked = start;
	e->s.received = start;
	e->s.consumed = start;
	e->s.told = start;
}

/* Near what would be right, or anywhere */
static u32 nasty(u32 base)
{
	u32 how = take(1);

	return how == 255 ? take(4) : base + how - 80;
}

static void hear_nr(struct end *e, u32 nr, bool data)
{
	struct mk_stream was = e->s;

	if (data ? mk_stream_take(&e->s, nr) : mk_stream_take_gap(&e->s, nr)) {
		e->accepted += data;
		must(e->s.received == nr + data);
	} else {
		must(e->s.received == was.received);
	}
	must(e->s.bad - was.bad <= 1);
	check(e);
}

static void hear_ack(struct end *e, u32 ack)
{
	struct mk_stream was = e->s;
	bool room = mk_stream_take_ack(&e->s, ack);

	must(room == (e->s.acked != was.acked));
	must(e->s.acked == was.acked || e->s.acked == ack);
	check(e);
}

/* An end alone with a liar */
static void lie(struct end *e, u32 op)
{
	switch (op % 7) {
	case 0:
		if (mk_stream_may_send(&e->s))
			mk_stream_sent(&e->s);
		break;
	case 1:
		return hear_ack(e, nasty(e->s.acked));
	case 2:
		return hear_nr(e, nasty(e->s.received), true);
	case 3:
		return hear_nr(e, nasty(e->s.received), false);
	case 4:
		mk_stream_consume(&e->s);
		break;
	case 5:
		if (mk_stream_ack_due(&e->s))
			mk_stream_told(&e->s);
		break;
	case 6:
		mk_stream_told(&e->s);
		break;
	}
	check(e);
}

/* Two honest ends */

static void put(struct end *from, struct end *to, struct message m, bool lost)
{
	if (to->last - to->first == UNDER_WAY)
		return;
	m.nr = from->s.sent;
	m.ack = from->s.consumed;
	if (!lost)
		to->in[to->last++ % UNDER_WAY] = m;
	if (m.data)
		mk_stream_sent(&from->s);
	else
		mk_stream_told(&from->s);
}

static bool speak(struct end *from, struct end *to, bool lost)
{
	if (!mk_stream_may_send(&from->s))
		return false;
	put(from, to, (struct message){ .data = true }, lost);
	return true;
}

static void tell(struct end *from, struct end *to, bool lost)
{
	if (mk_stream_ack_due(&from->s))
		put(from, to, (struct message){ }, lost);
}

static void listen(struct end *e, struct end *from, bool lost)
{
	struct message m;

	if (e->first == e->last)
		return;
	m = e->in[e->first++ % UNDER_WAY];
	hear_ack(e, m.ack);
	hear_nr(e, m.nr, m.data);
	must(!e->s.bad);
	if (m.answer)
		put(e, from, (struct message){ }, lost);
}

static void honest(u32 op)
{
	struct end *e = &f.ends[op & 1], *o = &f.ends[!(op & 1)];
	bool lost = op & 2;

	switch (op >> 2 & 7) {
	case 0:
	case 1:
		speak(e, o, lost);
		break;
	case 2:
	case 3:
		listen(e, o, lost);
		break;
	case 4:
		mk_stream_consume(&e->s);
		break;
	case 5:
		tell(e, o, lost);
		break;
	case 6:			/* it wants room and waits long */
		if (!mk_stream_may_send(&e->s))
			put(e, o, (struct message){ .answer = true }, lost);
		break;
	case 7:
		e->first += e->first != e->last;	/* lost in the ring */
		break;
	}
	check(e);
	check(o);
}

static void come_to_rest(void)
{
	struct end *a = &f.ends[0], *b = &f.ends[1];
	int i, k;

	for (k = 0; k < 2; k++) {
		for (i = 0; i < 2 * UNDER_WAY; i++) {
			listen(a, b, false);
			listen(b, a, false);
			mk_stream_consume(&a->s);
			mk_stream_consume(&b->s);
		}
		/* Each asks once: all that was lost is known now. */
		put(a, b, (struct message){ .answer = true }, false);
		put(b, a, (struct message){ .answer = true }, false);
	}
	for (i = 0; i < 2 * UNDER_WAY; i++) {
		listen(a, b, false);
		listen(b, a, false);
	}
	must(a->s.acked == a->s.sent && b->s.acked == b->s.sent);
	must(!mk_stream_unread(&a->s) && !mk_stream_unread(&b->s));
	for (i = 0; i < MK_WINDOW; i++)
		must(speak(a, b, false));
	must(!speak(a, b, false));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	bool liar;

	f.in = data;
	f.end = data + size;
	liar = take(1) & 1;
	start_at(&f.ends[0], take(1) - 128);
	start_at(&f.ends[1], f.ends[0].start);
	while (f.in < f.end) {
		if (liar)
			lie(&f.ends[0], take(1));
		else
			honest(take(1));
	}
	if (!liar)
		come_to_rest();
	return 0;
}
