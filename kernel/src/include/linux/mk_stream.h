/* SPDX-License-Identifier: GPL-2.0-only OR LGPL-2.1-or-later */
/*
 * Flow control of messages that share a ring with others.
 *
 * A stream is two-way; each kernel keeps a struct mk_stream for its end. Every
 * message of the stream carries two absolute counts: @nr, the messages sent
 * before it, and @ack, the messages of the other direction that its sender has
 * consumed. So a message that got lost costs no credit, and its loss is seen
 * when the next count arrives. At most MK_WINDOW messages of one direction are
 * under way or unread; the receiver has room for so many and always takes them
 * out of the ring.
 *
 *	sending					receiving
 *	  mk_stream_may_send()			  mk_stream_take_ack()
 *	  put nr and ack into the head		  mk_stream_take()
 *	  send it				  ... whoever gets it ...
 *	  mk_stream_sent()			  mk_stream_consume()
 *						  mk_stream_ack_due(): send an ack
 *						  mk_stream_told()
 *
 * mk_stream_ack_due() is also asked when a message or a gap has arrived: from
 * then on the other end may have no room.
 *
 * A message that only acknowledges carries both counts too, and is no message
 * of the stream: mk_stream_take_gap() is for its @nr. One that waits long for
 * room sends such a message now and then: if all that was under way got lost,
 * this is how the other end learns of it.
 *
 * Counts come from another kernel. One that cannot be is dropped and counted,
 * so whatever the other end says
 *	sent - acked <= MK_WINDOW, consumed - told <= received - told <= MK_WINDOW.
 *
 * All under the lock of whoever has the stream; the lock is also held from
 * mk_stream_may_send() to mk_stream_sent(), so that messages enter the ring in
 * the order of their numbers. Nothing here waits or loops.
 */
#ifndef _LINUX_MK_STREAM_H
#define _LINUX_MK_STREAM_H

#include <linux/mk_shared.h>

/* Messages of one direction that may be under way and not consumed. */
#define MK_WINDOW	64

/**
 * struct mk_stream - one end of a stream; all zeros to begin with
 * @sent: messages sent; the next one has this number
 * @acked: of those, the ones that the other end has consumed
 * @received: messages received or lost; the next one has this number
 * @consumed: of those, the ones that are done with
 * @told: what the other end was last told of @consumed
 * @lost: messages of which only the gap in the numbers arrived
 * @bad: numbers that cannot be, and were dropped
 *
 * The first five run freely and wrap at 2^32.
 */
struct mk_stream {
	u32 sent;
	u32 acked;
	u32 received;
	u32 consumed;
	u32 told;
	u64 lost;
	u64 bad;
};

/** mk_stream_may_send() - does the other end have room for one more? */
static inline bool mk_stream_may_send(const struct mk_stream *s)
{
	return s->sent - s->acked < MK_WINDOW;
}

/** mk_stream_told() - a message with ack = @consumed is in the ring */
static inline void mk_stream_told(struct mk_stream *s)
{
	s->told = s->consumed;
}

/** mk_stream_sent() - a message with nr = @sent and ack = @consumed is in the ring */
static inline void mk_stream_sent(struct mk_stream *s)
{
	s->sent++;
	mk_stream_told(s);
}

/**
 * mk_stream_take_ack() - the other end says how much it has consumed
 * @s: the stream
 * @ack: from a message of the other end
 *
 * Return: true when there is more room than before.
 */
static inline bool mk_stream_take_ack(struct mk_stream *s, u32 ack)
{
	u32 step = ack - s->acked;

	if (step > s->sent - s->acked) {
		s->bad++;
		return false;
	}
	s->acked = ack;
	return step != 0;
}

/* How many messages before number @nr are missing? -1: it cannot have @nr. */
static inline int mk_stream_missing(const struct mk_stream *s, u32 nr,
				    u32 limit)
{
	u32 ahead = nr - s->received;

	/* It may only send so far beyond what it was told. */
	if (ahead > limit - (s->received - s->told))
		return -1;
	return (int)ahead;
}

/* Lost messages are done with: their credit goes back. */
static inline void mk_stream_skip(struct mk_stream *s, u32 missing)
{
	s->lost += missing;
	s->received += missing;
	s->consumed += missing;
}

/**
 * mk_stream_take() - a message has arrived
 * @s: the stream
 * @nr: its number
 *
 * Messages missing before it are counted as lost. Return: true: accept it, and
 * call mk_stream_consume() when it is done with; false: drop it, it repeats a
 * number or is further ahead than the other end may be.
 */
static inline bool mk_stream_take(struct mk_stream *s, u32 nr)
{
	int missing = -1;

	/* With nothing left of the window there is no number to expect. */
	if (s->received - s->told < MK_WINDOW)
		missing = mk_stream_missing(s, nr, MK_WINDOW - 1);
	if (missing < 0) {
		s->bad++;
		return false;
	}
	mk_stream_skip(s, missing);
	s->received++;
	return true;
}

/**
 * mk_stream_take_gap() - all messages before number @nr had been sent
 * @s: the stream
 * @nr: from a message that is not one of the stream
 *
 * Return: true when some of them are missing: they are counted as lost, and an
 * ack gives their credit back.
 */
static inline bool mk_stream_take_gap(struct mk_stream *s, u32 nr)
{
	int missing = mk_stream_missing(s, nr, MK_WINDOW);

	if (missing < 0) {
		s->bad++;
		return false;
	}
	mk_stream_skip(s, missing);
	return missing > 0;
}

/** mk_stream_unread() - accepted and not yet consumed */
static inline u32 mk_stream_unread(const struct mk_stream *s)
{
	return s->received - s->consumed;
}

/** mk_stream_consume() - one accepted message is done with */
static inline void mk_stream_consume(struct mk_stream *s)
{
	if (s->consumed != s->received)
		s->consumed++;
}

/**
 * mk_stream_ack_due() - should the other end be told how much was consumed?
 *
 * When that is half a window; or when the other end has, as far as is known
 * here, no room and may be waiting for some.
 */
static inline bool mk_stream_ack_due(const struct mk_stream *s)
{
	u32 news = s->consumed - s->told;

	return news >= MK_WINDOW / 2 ||
	       (news && s->received - s->told == MK_WINDOW);
}

#endif /* _LINUX_MK_STREAM_H */
