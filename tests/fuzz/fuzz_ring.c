// SPDX-License-Identifier: GPL-2.0-only
/*
 * libFuzzer target: both ends of the message ring (mk_ring.h) with a hostile
 * peer at the other end, see peer.h.
 *
 * What must hold whatever the peer does: no access out of bounds (the ring has
 * its exact size on the heap), an end writes only its own fields, private
 * indices stay within the ring of each other, each index passed is counted as
 * exactly one of received, lost and bad, no call loops, and once the peer keeps
 * still both ends come to rest.
 *
 * seconds: 60
 */
#include "peer.h"

#include <linux/mk_ring.h>

#include "../unit/msg_head.h"

#define EPOCH		1
#define ACCESSES_MAX	12	/* of one call: none loops */

enum side { NOBODY, PRODUCER, CONSUMER };

static struct {
	enum side side;		/* whose call is running */
	struct mk_ring *sh;
	struct mk_ring_tx tx;
	struct mk_ring_rx rx;
	u32 start;
	u64 rx_calls_bad;	/* that used up no message */
} f;

static void put32(u32 *field, u64 value)
{
	u32 v = (u32)value;

	(memcpy)(field, &v, sizeof(v));
}

/* A message that is as it should be but for, perhaps, its length. */
static void put_message(void)
{
	u32 index = f.rx.tail + (u32)peer_take(1) % MK_RING_SLOTS;
	struct mk_ring_slot *slot = &f.sh->slots[index % MK_RING_SLOTS];

	put32(&slot->seq, index + 1);
	put32(&slot->len, peer_take(2) % (MK_MSG_MAX + 8));
	put32(&f.sh->head, index + 1);
}

static void peer_act(uint8_t op)
{
	switch (op % 8) {
	case 0:
		return peer_poke();
	case 1:
		return put32(&f.sh->head, f.rx.tail + peer_take(1));
	case 2:
		return put32(&f.sh->tail, f.tx.tail + peer_take(1));
	case 3:
		return put32(&f.sh->head, peer_take(4));
	case 4:
		return put32(&f.sh->tail, peer_take(4));
	case 5:
		return put32(&f.sh->want_head, f.tx.head + peer_take(1));
	case 6:
		return put32(&f.sh->want_tail, f.rx.tail + peer_take(1));
	case 7:
		return put_message();
	}
}

/* Offset in its slot, for what lies in the slots. */
static size_t in_slot(size_t offset)
{
	must(offset >= offsetof(struct mk_ring, slots));
	return (offset - offsetof(struct mk_ring, slots)) %
	       sizeof(struct mk_ring_slot);
}

static void peer_check_store(size_t offset, size_t size, uint64_t value)
{
	must(size == sizeof(u32));
	if (f.side == CONSUMER) {
		must(offset == offsetof(struct mk_ring, tail) ||
		     offset == offsetof(struct mk_ring, want_head));
		must(value == f.rx.tail);
		return;
	}
	must(f.side == PRODUCER);
	if (offset == offsetof(struct mk_ring, head))
		must(value == f.tx.head);
	else if (offset != offsetof(struct mk_ring, want_tail))
		must(in_slot(offset) < offsetof(struct mk_ring_slot, payload));
}

static void peer_check_copy(const void *dst, const void *src, size_t n)
{
	const u8 *shared = f.side == PRODUCER ? dst : src;

	size_t offset;

	must(peer_shares(shared));
	offset = in_slot((size_t)(shared - peer.bytes));
	if (offset == offsetof(struct mk_ring_slot, head))
		must(n == sizeof(struct mk_msg_head));
	else
		must(offset == offsetof(struct mk_ring_slot, payload) &&
		     n <= MK_MSG_MAX);
}

static void begin(enum side side)
{
	f.side = side;
	peer_begin(ACCESSES_MAX);
}

static void check_rx(void)
{
	const struct mk_ring_counters *c = &f.rx.counters;

	must(f.rx.head - f.rx.tail <= MK_RING_SLOTS);
	must((u32)(c->received + c->lost + c->bad_len) == f.rx.tail - f.start);
	must(c->bad_index == f.rx_calls_bad);
	must(!c->sent && !c->full);
}

static int receive(void)
{
	/* Its exact size on the heap */
	struct mk_msg *msg = malloc(sizeof(*msg));
	u32 tail = f.rx.tail;
	int ret;

	must(msg);
	begin(CONSUMER);
	ret = mk_ring_recv(&f.rx, msg);
	must(ret == 1 || ret == 0 || ret == -EBADMSG);
	must(f.rx.tail - tail <= 1);
	if (ret == 1) {
		must(f.rx.tail == tail + 1);
		must(msg->seq == f.rx.tail);
		must(msg->len <= MK_MSG_MAX);
	} else if (ret == 0) {
		must(f.rx.tail == tail);
	} else if (f.rx.tail == tail) {
		f.rx_calls_bad++;
	}
	free(msg);
	check_rx();
	return ret;
}

static void rx_kick(void)
{
	u64 before = f.rx.counters.kicks;
	bool kick;

	begin(CONSUMER);
	kick = mk_ring_rx_kick(&f.rx);
	must(f.rx.counters.kicks - before == kick);
	must(f.rx.kick_tail == f.rx.tail);
}

static bool rx_arm(void)
{
	bool more;

	begin(CONSUMER);
	more = mk_ring_rx_arm(&f.rx);
	check_rx();
	return more;
}

static void check_tx(void)
{
	const struct mk_ring_counters *c = &f.tx.counters;

	must(f.tx.head - f.tx.tail <= MK_RING_SLOTS);
	must((u32)c->sent == f.tx.head - f.start);
	must(c->kicks + c->kicks_suppressed == c->sent);
	must(!c->received && !c->lost && !c->bad_len);
}

static int transmit(u32 len)
{
	u8 *text = malloc(len ? len : 1);
	u32 head = f.tx.head;
	bool kick = false;
	int ret;

	must(text);
	memset(text, 0x5a, len ? len : 1);
	begin(PRODUCER);
	ret = mk_ring_send(&f.tx, HEAD(1, 2), text, len, &kick);
	must(ret == 0 || ret == -EMSGSIZE || ret == -EAGAIN ||
	     ret == -EBADMSG);
	must((ret == -EMSGSIZE) == (len > MK_MSG_MAX));
	must(f.tx.head == head + (ret == 0));
	must(ret == 0 || !kick);
	free(text);
	check_tx();
	return ret;
}

static bool tx_arm(void)
{
	bool space;

	begin(PRODUCER);
	space = mk_ring_tx_arm(&f.tx);
	must(!space || f.tx.head - f.tx.tail < MK_RING_SLOTS);
	check_tx();
	return space;
}

static void one_call(u8 op)
{
	switch (op % 8) {
	case 0:
	case 1:
		receive();
		return;
	case 2:
		return rx_kick();
	case 3:
		rx_arm();
		return;
	case 4:
		transmit((u32)peer_take(1));
		return;
	case 5:
		transmit((u32)peer_take(2));
		return;
	case 6:
		tx_arm();
		return;
	case 7:
		f.side = NOBODY;
		return peer_act((u8)peer_take(1));
	}
}

/*
 * The peer keeps still: the consumer's loop at the top of mk_ring.h ends, and
 * the producer finds the ring full. Each end may go as far as what it knows,
 * and once around from what it finds then.
 */
static void come_to_rest(void)
{
	unsigned int n = 0;

	peer.frozen = true;
	do {
		while (receive())
			must(++n <= 2 * MK_RING_SLOTS + 2);
		rx_kick();
	} while (rx_arm());
	must(!receive());
	for (n = 0; !transmit(1); n++)
		must(n < 2 * MK_RING_SLOTS);
	must(!tx_arm());
	must(transmit(1) < 0);
}

static void setup(const u8 *data, size_t size)
{
	memset(&f, 0, sizeof(f));
	f.sh = aligned_alloc(4096, sizeof(*f.sh));
	must(f.sh);
	memset(&peer, 0, sizeof(peer));
	mk_ring_format(f.sh, EPOCH);
	must(!mk_ring_check(f.sh, EPOCH));
	mk_ring_tx_init(&f.tx, f.sh);
	mk_ring_rx_init(&f.rx, f.sh);
	peer.bytes = (u8 *)f.sh;
	peer.size = sizeof(*f.sh);
	peer.in = data;
	peer.end = data + size;
	/* As if so many messages had come and gone; -1 is close to the wrap. */
	f.start = (u32)(int8_t)peer_take(1);
	f.tx.head = f.tx.tail = f.start;
	f.rx.head = f.rx.tail = f.rx.kick_tail = f.start;
	put32(&f.sh->head, f.start);
	put32(&f.sh->tail, f.start);
}

/* Any header is either refused or good. */
static void check_header(void)
{
	int ret;

	peer.frozen = false;
	begin(NOBODY);
	ret = mk_ring_check(f.sh, EPOCH);
	must(ret == 0 || ret == -ENXIO || ret == -EPROTONOSUPPORT ||
	     ret == -ERANGE || ret == -EMSGSIZE || ret == -ESTALE);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	setup(data, size);
	while (peer_input_left())
		one_call((u8)peer_take(1));
	come_to_rest();
	check_header();
	free(f.sh);
	return 0;
}
