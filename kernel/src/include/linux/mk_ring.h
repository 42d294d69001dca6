/* SPDX-License-Identifier: GPL-2.0-only OR LGPL-2.1-or-later */
/*
 * Messages from one kernel to one other: a ring in shared memory with a single
 * producer and a single consumer.
 *
 * Life cycle: the host formats the ring for an epoch, while neither end runs.
 * Each end checks it (mk_ring_check()) and initialises its private state,
 * struct mk_ring_tx or struct mk_ring_rx, once in that epoch. Indices start at
 * 0, run freely and wrap at 2^32. Each end keeps its own index privately and
 * only publishes it; what stands in shared memory never comes back to it.
 *
 * The other kernel may be mad. So what it writes is read once, into a local,
 * and range-checked before use; an index out of range is never acted on, and
 * as each end publishes its index anew with its next step, the ring heals when
 * a stray store hit an index. The slot of message i carries the sequence number
 * i + 1: each index that the consumer passes gave exactly its message, or was
 * counted as lost. What does not heal is a wrong head within the range: the
 * consumer passes slots that were never filled, and when the producer's ring is
 * full both count bad indices until the next epoch.
 *
 * Doorbells are hints and suppressed by event indices: "ring when you step
 * over this index". The two pairs of full barriers that make this safe:
 *
 *	mk_ring_send()		mk_ring_rx_arm()
 *	  store head		  store want_head
 *	  smp_mb()		  smp_mb()
 *	  load want_head	  load head
 *
 *	mk_ring_rx_kick()	mk_ring_tx_arm()
 *	  tail was stored	  store want_tail
 *	  smp_mb()		  smp_mb()
 *	  load want_tail	  load tail
 *
 * At least one of the two sees the other's store: either the doorbell rings or
 * the sleeper finds out by itself. Any value of an event index is legal; a bad
 * one costs its writer doorbells, nothing else.
 *
 * The consumer's loop:
 *
 *	do {
 *		while (budget-- && (ret = mk_ring_recv(rx, &msg)) != 0)
 *			if (ret > 0)
 *				handle(&msg);
 *		if (mk_ring_rx_kick(rx))
 *			ring the producer's doorbell;
 *		if (budget is used up)
 *			poll later, leave the ring unarmed;
 *	} while (mk_ring_rx_arm(rx));
 *
 * Inside one kernel the callers of one end exclude each other; a state may be
 * used in any context. No function here waits or loops.
 */
#ifndef _LINUX_MK_RING_H
#define _LINUX_MK_RING_H

#include <linux/mk_shared.h>

#define MK_RING_MAGIC		0x0000676e69726b6dULL	/* "mkring" */
#define MK_RING_VERSION		2
#define MK_RING_SLOTS		64	/* a power of two */
#define MK_RING_BYTES		24576	/* of struct mk_ring: 6 pages */
#define MK_MSG_MAX		256	/* bytes of payload */

/* A producer that found the ring full is woken when this many are free. */
#define MK_RING_WAKE_SLOTS	(MK_RING_SLOTS / 4)

/**
 * struct mk_msg_head - what a message is, beside its payload
 * @type: what the message is, for the dispatcher of its kind
 * @id: pairs a reply with its request
 * @kind: which dispatcher (enum mk_kind)
 * @from: who in the sender's kernel, as the kind says
 * @to: who in the receiver's kernel
 * @nr: number of the message in its stream
 * @ack: messages that the sender has consumed of the stream's other direction
 *
 * The ring carries it and looks at nothing of it.
 */
struct mk_msg_head {
	u32 type;
	u32 id;
	u32 kind;
	u32 from;
	u32 to;
	u32 nr;
	u32 ack;
};

/**
 * struct mk_ring_slot - one message in shared memory
 * @seq: index of the message + 1
 * @len: bytes of @payload in use
 * @head: what it is
 * @pad: the payload begins a cache line, and neighbours do not share one
 * @payload: the message
 */
struct mk_ring_slot {
	u32 seq;
	u32 len;
	struct mk_msg_head head;
	u8 pad[28];
	u8 payload[MK_MSG_MAX];
};

/**
 * struct mk_ring - the shared memory of one ring
 * @magic: MK_RING_MAGIC, written last by mk_ring_format()
 * @version: MK_RING_VERSION
 * @slot_count: MK_RING_SLOTS
 * @slot_bytes: sizeof(struct mk_ring_slot)
 * @epoch: of the instance that is the younger end
 * @head: producer: index of the next message that it will write
 * @want_tail: producer: ring my doorbell when tail steps over this index
 * @tail: consumer: index of the next message that it will read
 * @want_head: consumer: ring my doorbell when head steps over this index
 * @slots: message i is in slot i modulo MK_RING_SLOTS
 *
 * The writers' fields are 128 bytes apart: the CPU fetches lines in pairs.
 */
struct mk_ring {
	u64 magic;
	u32 version;
	u32 slot_count;
	u32 slot_bytes;
	u32 epoch;
	u8 pad_host[104];

	u32 head;
	u32 want_tail;
	u8 pad_producer[120];

	u32 tail;
	u32 want_head;
	u8 pad_consumer[3832];

	struct mk_ring_slot slots[MK_RING_SLOTS];
};

static_assert((MK_RING_SLOTS & (MK_RING_SLOTS - 1)) == 0, "power of two");
MK_ASSERT_OFFSET(struct mk_ring_slot, seq, 0);
MK_ASSERT_OFFSET(struct mk_ring_slot, len, 4);
MK_ASSERT_OFFSET(struct mk_ring_slot, head, 8);
MK_ASSERT_OFFSET(struct mk_msg_head, id, 4);
MK_ASSERT_OFFSET(struct mk_msg_head, kind, 8);
MK_ASSERT_OFFSET(struct mk_msg_head, from, 12);
MK_ASSERT_OFFSET(struct mk_msg_head, to, 16);
MK_ASSERT_OFFSET(struct mk_msg_head, nr, 20);
MK_ASSERT_OFFSET(struct mk_msg_head, ack, 24);
MK_ASSERT_OFFSET(struct mk_ring_slot, payload, 64);
static_assert(sizeof(struct mk_ring_slot) == 320, "slot size");
MK_ASSERT_OFFSET(struct mk_ring, magic, 0);
MK_ASSERT_OFFSET(struct mk_ring, version, 8);
MK_ASSERT_OFFSET(struct mk_ring, slot_count, 12);
MK_ASSERT_OFFSET(struct mk_ring, slot_bytes, 16);
MK_ASSERT_OFFSET(struct mk_ring, epoch, 20);
MK_ASSERT_OFFSET(struct mk_ring, head, 128);
MK_ASSERT_OFFSET(struct mk_ring, want_tail, 132);
MK_ASSERT_OFFSET(struct mk_ring, tail, 256);
MK_ASSERT_OFFSET(struct mk_ring, want_head, 260);
MK_ASSERT_OFFSET(struct mk_ring, slots, 4096);
static_assert(sizeof(struct mk_ring) == MK_RING_BYTES, "ring size");
static_assert(MK_RING_BYTES % 4096 == 0, "whole pages");

/**
 * struct mk_ring_counters - what one end has seen since its init
 * @sent: messages sent
 * @received: messages received
 * @full: sends refused with -EAGAIN
 * @kicks: doorbells that the caller was told to ring
 * @kicks_suppressed: steps after which the other end wanted none
 * @bad_len: messages skipped because of their length
 * @bad_index: indices of the other end refused as out of range
 * @lost: indices passed at which the message expected was not
 *
 * Written by the owner of the state only; others read with READ_ONCE().
 */
struct mk_ring_counters {
	u64 sent;
	u64 received;
	u64 full;
	u64 kicks;
	u64 kicks_suppressed;
	u64 bad_len;
	u64 bad_index;
	u64 lost;
};

/**
 * struct mk_ring_tx - the producer's private state
 * @sh: the ring
 * @head: index of the next message; shared memory has a copy
 * @tail: last good index got from the consumer; head - tail <= MK_RING_SLOTS
 * @counters: for sysfs
 */
struct mk_ring_tx {
	struct mk_ring *sh;
	u32 head;
	u32 tail;
	struct mk_ring_counters counters;
};

/**
 * struct mk_ring_rx - the consumer's private state
 * @sh: the ring
 * @tail: index of the next message; shared memory has a copy
 * @head: last good index got from the producer; head - tail <= MK_RING_SLOTS
 * @kick_tail: @tail at the last mk_ring_rx_kick()
 * @bad_head: the bad index that was reported last, while @bad
 * @bad: the index last got from the producer was bad
 * @counters: for sysfs
 */
struct mk_ring_rx {
	struct mk_ring *sh;
	u32 tail;
	u32 head;
	u32 kick_tail;
	u32 bad_head;
	bool bad;
	struct mk_ring_counters counters;
};

/**
 * struct mk_msg - a received message, private memory
 * @seq: index of the message + 1
 * @len: bytes of @payload, checked; what follows them is undefined
 * @head: as sent
 * @payload: as sent
 */
struct mk_msg {
	u32 seq;
	u32 len;
	struct mk_msg_head head;
	u8 payload[MK_MSG_MAX] __aligned(8);
};

static inline void mk_ring_count(u64 *counter)
{
	/* WRITE_ONCE() for sysfs, which reads without a lock. */
	WRITE_ONCE(*counter, *counter + 1);
}

/*
 * Does @want lie in [old, new)? Modulo 2^32, as all indices. An event index
 * left behind stays out of the window until the indices wrap; the doorbell that
 * it then causes is spurious and harmless.
 */
static inline bool mk_ring_stepped_over(u32 want, u32 new, u32 old)
{
	return new - want - 1 < new - old;
}

static inline bool mk_ring_count_kick(struct mk_ring_counters *counters,
				      bool kick)
{
	mk_ring_count(kick ? &counters->kicks : &counters->kicks_suppressed);
	return kick;
}

/**
 * mk_ring_format() - make an empty ring; the host only, with both ends stopped
 * @sh: MK_RING_BYTES bytes, page-aligned
 * @epoch: what the joiner's mk_ring_check() must find
 *
 * Slots are cleared: sequence number 0 is no message's in the first lap, so
 * nothing of an older epoch can be received. want_head 0 means that the first
 * message rings the doorbell; want_tail -1 that no space is waited for.
 */
static inline void mk_ring_format(struct mk_ring *sh, u32 epoch)
{
	WRITE_ONCE(sh->magic, 0);
	smp_wmb();	/* no joiner sees the magic with half a header */
	memset((u8 *)sh + sizeof(sh->magic), 0,
	       sizeof(*sh) - sizeof(sh->magic));
	WRITE_ONCE(sh->version, MK_RING_VERSION);
	WRITE_ONCE(sh->slot_count, MK_RING_SLOTS);
	WRITE_ONCE(sh->slot_bytes, sizeof(struct mk_ring_slot));
	WRITE_ONCE(sh->epoch, epoch);
	WRITE_ONCE(sh->want_tail, (u32)-1);
	/* Pairs with the acquire in mk_ring_check(). */
	smp_store_release(&sh->magic, MK_RING_MAGIC);
}

/**
 * mk_ring_check() - may this end join?
 * @sh: the ring
 * @epoch: the epoch that this end was told
 *
 * The layout is fixed: nothing in the header is used after this.
 *
 * Return: 0, -ENXIO not formatted, -EPROTONOSUPPORT another version, -ERANGE
 * another number of slots, -EMSGSIZE another size of a slot, -ESTALE another
 * epoch.
 */
static inline int __must_check mk_ring_check(const struct mk_ring *sh,
					     u32 epoch)
{
	/* Pairs with the release in mk_ring_format(). */
	if (smp_load_acquire(&sh->magic) != MK_RING_MAGIC)
		return -ENXIO;
	if (READ_ONCE(sh->version) != MK_RING_VERSION)
		return -EPROTONOSUPPORT;
	if (READ_ONCE(sh->slot_count) != MK_RING_SLOTS)
		return -ERANGE;
	if (READ_ONCE(sh->slot_bytes) != sizeof(struct mk_ring_slot))
		return -EMSGSIZE;
	if (READ_ONCE(sh->epoch) != epoch)
		return -ESTALE;
	return 0;
}

/**
 * mk_ring_tx_init() - become the producer of a ring; once in an epoch
 * @tx: state to fill
 * @sh: a ring that passed mk_ring_check()
 */
static inline void mk_ring_tx_init(struct mk_ring_tx *tx, struct mk_ring *sh)
{
	memset(tx, 0, sizeof(*tx));
	tx->sh = sh;
}

/**
 * mk_ring_rx_init() - become the consumer of a ring; once in an epoch
 * @rx: state to fill
 * @sh: a ring that passed mk_ring_check()
 *
 * Doorbells of messages sent before may have gone nowhere: drain, then arm.
 */
static inline void mk_ring_rx_init(struct mk_ring_rx *rx, struct mk_ring *sh)
{
	memset(rx, 0, sizeof(*rx));
	rx->sh = sh;
}

/* Ask the consumer how far it is. 1: there is space, 0: full, -EBADMSG. */
static inline int mk_ring_tx_refresh(struct mk_ring_tx *tx)
{
	/*
	 * Pairs with the release in mk_ring_consume(): the consumer has copied
	 * what the next message overwrites.
	 */
	u32 tail = smp_load_acquire(&tx->sh->tail);

	if (tx->head - tail > MK_RING_SLOTS) {
		mk_ring_count(&tx->counters.bad_index);
		return -EBADMSG;
	}
	tx->tail = tail;
	return tx->head - tail < MK_RING_SLOTS;
}

static inline int mk_ring_tx_reserve(struct mk_ring_tx *tx)
{
	int ret;

	/* The consumer's cache line is left alone while there is space. */
	if (tx->head - tx->tail < MK_RING_SLOTS)
		return 0;
	ret = mk_ring_tx_refresh(tx);
	if (ret < 0)
		return ret;
	if (ret == 0) {
		mk_ring_count(&tx->counters.full);
		return -EAGAIN;
	}
	return 0;
}

/* Publish the slot at head, and find out whether the consumer sleeps. */
static inline bool mk_ring_publish(struct mk_ring_tx *tx)
{
	u32 old = tx->head++;

	/* Pairs with the acquire in mk_ring_rx_refresh(): slot before head. */
	smp_store_release(&tx->sh->head, tx->head);
	mk_ring_count(&tx->counters.sent);
	smp_mb();	/* head before want_head, pairs with mk_ring_rx_arm() */
	return mk_ring_stepped_over(READ_ONCE(tx->sh->want_head), tx->head,
				    old);
}

/**
 * mk_ring_send() - send one message
 * @tx: the producer
 * @head: what it is
 * @payload: the message, may be NULL when @len is 0
 * @len: bytes, up to MK_MSG_MAX
 * @ret_kick: the caller shall ring the consumer's doorbell now
 *
 * Return: 0; -EMSGSIZE @len too large; -EAGAIN the ring is full, see
 * mk_ring_tx_arm(); -EBADMSG the ring looks full and the consumer's index is
 * out of range. It was not believed, only counted. The consumer publishes its
 * index again when it is woken, so ringing its doorbell may repair the ring.
 */
static inline int __must_check mk_ring_send(struct mk_ring_tx *tx,
					    const struct mk_msg_head *head,
					    const void *payload, u32 len,
					    bool *ret_kick)
{
	struct mk_ring_slot *slot;
	int ret;

	if (len > MK_MSG_MAX)
		return -EMSGSIZE;
	ret = mk_ring_tx_reserve(tx);
	if (ret)
		return ret;

	slot = &tx->sh->slots[tx->head & (MK_RING_SLOTS - 1)];
	WRITE_ONCE(slot->seq, tx->head + 1);
	WRITE_ONCE(slot->len, len);
	mk_copy(&slot->head, head, sizeof(*head));
	if (len)
		mk_copy(slot->payload, payload, len);

	*ret_kick = mk_ring_count_kick(&tx->counters, mk_ring_publish(tx));
	return 0;
}

/**
 * mk_ring_tx_arm() - before the producer of a full ring sleeps
 * @tx: the producer, after -EAGAIN
 *
 * Asks for a doorbell when a quarter of the ring is free. Sleep with a time
 * limit: the consumer may have died. Ring its doorbell when the time is up: a
 * stray store may have hit its event index.
 *
 * Return: true when there is space by now: do not sleep, send again. A bad
 * index of the consumer is counted and gives false.
 */
static inline bool __must_check mk_ring_tx_arm(struct mk_ring_tx *tx)
{
	if (tx->head - tx->tail < MK_RING_SLOTS)
		return true;
	WRITE_ONCE(tx->sh->want_tail, tx->tail + MK_RING_WAKE_SLOTS - 1);
	smp_mb();	/* want_tail before tail, pairs with mk_ring_rx_kick() */
	return mk_ring_tx_refresh(tx) > 0;
}

/*
 * Ask the producer how far it is. 1: there are messages, 0: none, -EBADMSG: a
 * bad index. The same bad index again means none: an index that stands still
 * must not keep the consumer busy.
 */
static inline int mk_ring_rx_refresh(struct mk_ring_rx *rx)
{
	/* Pairs with the release in mk_ring_publish(): head before slot. */
	u32 head = smp_load_acquire(&rx->sh->head);

	if (head - rx->tail <= MK_RING_SLOTS) {
		rx->bad = false;
		rx->head = head;
		return head != rx->tail;
	}
	if (rx->bad && rx->bad_head == head)
		return 0;
	rx->bad = true;
	rx->bad_head = head;
	return -EBADMSG;
}

/* Copy the message at tail once, then check the copy. */
static inline int mk_ring_copy(struct mk_ring_rx *rx, struct mk_msg *out)
{
	struct mk_ring_slot *slot =
		&rx->sh->slots[rx->tail & (MK_RING_SLOTS - 1)];

	out->seq = READ_ONCE(slot->seq);
	out->len = READ_ONCE(slot->len);
	if (out->seq != rx->tail + 1) {
		mk_ring_count(&rx->counters.lost);
		return -EBADMSG;
	}
	if (out->len > MK_MSG_MAX) {
		mk_ring_count(&rx->counters.bad_len);
		return -EBADMSG;
	}
	mk_copy(&out->head, &slot->head, sizeof(out->head));
	mk_copy(out->payload, slot->payload, out->len);
	barrier();	/* later reads of the copy must not go to the slot */
	return 1;
}

/* Done with the slot at tail, good or bad. */
static inline void mk_ring_consume(struct mk_ring_rx *rx)
{
	rx->tail++;
	/* Pairs with the acquire in mk_ring_tx_refresh(): copy before tail. */
	smp_store_release(&rx->sh->tail, rx->tail);
}

/**
 * mk_ring_recv() - receive one message
 * @rx: the consumer
 * @out: private memory; undefined unless 1 is returned
 *
 * Each call that does not return 0 used up a message, or found a bad index that
 * was not there before: both count against the caller's budget. After a bad
 * index poll a few times, as the doorbell may have been for a message behind
 * it. After a batch see mk_ring_rx_kick().
 *
 * Return: 1 a message, 0 none, -EBADMSG one was skipped because of its length
 * or sequence number, or the producer's index is out of range. Counted.
 */
static inline int __must_check mk_ring_recv(struct mk_ring_rx *rx,
					    struct mk_msg *out)
{
	int ret;

	if (rx->tail == rx->head) {
		ret = mk_ring_rx_refresh(rx);
		if (ret < 0)
			mk_ring_count(&rx->counters.bad_index);
		if (ret <= 0)
			return ret;
	}
	ret = mk_ring_copy(rx, out);
	if (ret > 0)
		mk_ring_count(&rx->counters.received);
	mk_ring_consume(rx);
	return ret;
}

/**
 * mk_ring_rx_kick() - does the producer wait for the space just made?
 * @rx: the consumer
 *
 * To be called after each batch of mk_ring_recv(), at the latest before the
 * consumer sleeps or turns to another ring. One barrier for the whole batch.
 *
 * Return: true when the caller shall ring the producer's doorbell.
 */
static inline bool __must_check mk_ring_rx_kick(struct mk_ring_rx *rx)
{
	u32 old = rx->kick_tail;
	u32 want;

	if (rx->tail == old)
		return false;
	rx->kick_tail = rx->tail;
	smp_mb();	/* tail before want_tail, pairs with mk_ring_tx_arm() */
	want = READ_ONCE(rx->sh->want_tail);
	return mk_ring_count_kick(&rx->counters,
				  mk_ring_stepped_over(want, rx->tail, old));
}

/**
 * mk_ring_rx_arm() - before the consumer sleeps
 * @rx: the consumer, after mk_ring_recv() returned 0
 *
 * Asks for a doorbell at the next message. The tail is published again, which
 * repairs it after a stray store.
 *
 * Return: true when there is more by now, a message or a bad index not yet
 * reported: do not sleep, receive again.
 */
static inline bool __must_check mk_ring_rx_arm(struct mk_ring_rx *rx)
{
	int ret;

	if (rx->tail != rx->head)
		return true;
	/* As in mk_ring_consume(), once more. */
	smp_store_release(&rx->sh->tail, rx->tail);
	WRITE_ONCE(rx->sh->want_head, rx->tail);
	smp_mb();	/* want_head before head, pairs with mk_ring_send() */
	ret = mk_ring_rx_refresh(rx);
	if (ret < 0)
		rx->bad = false;	/* so that mk_ring_recv() reports it */
	return ret != 0;
}

#endif /* _LINUX_MK_RING_H */
