/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * One end of a channel, as channel.c (ends, and what peers say of them),
 * channel_call.c (who calls whom, and the echo at port 0) and channel_fd.c
 * (descriptors) share it.
 *
 * Life of an end:
 *
 *	LISTENING  in the list of listeners, no peer yet
 *	CALLING    has a peer and a number, OPEN is sent, no answer yet
 *	CONNECTED  messages go both ways
 *	CLOSED     the other end has closed: what arrived can be read
 *	DEAD       the peer has ended: likewise
 *
 * An end with a number is found by it in peer->ends until both ends have said
 * CLOSE, the peer has ended, or, should no answer come to our own CLOSE, for
 * MK_CHANNEL_LINGER. Numbers are never given twice, so a message that comes
 * later than that finds nobody.
 *
 * What has to be said and finds the ring full stays due. mk_channel_space()
 * says it when there is space, ACCEPT first and CLOSE last. Nobody is ever
 * forgotten: who found the ring full is marked, and under the same lock.
 */
#ifndef _MULTIKERNEL_CHANNEL_H
#define _MULTIKERNEL_CHANNEL_H

#include <linux/kref.h>
#include <linux/list.h>
#include <linux/mk_stream.h>
#include <linux/mutex.h>
#include <linux/spinlock.h>
#include <linux/wait.h>
#include <linux/workqueue.h>

#include "internal.h"
#include "peer.h"

#define MK_CHANNEL_LINGER	(10 * HZ)
/* Without room for so long: ask whether messages or acks were lost. */
#define MK_CHANNEL_ASK		HZ
/* Ends of this kernel's own for one peer: echoes, and refusals under way. */
#define MK_ECHOES_MAX	64
#define MK_ENDS_OWN_MAX	128

/* What has to be said, in this order. */
#define MK_DUE_ACCEPT	0x1
#define MK_DUE_REFUSE	0x2
#define MK_DUE_ACK	0x4
#define MK_DUE_ASK	0x8
#define MK_DUE_CLOSE	0x10

/** struct mk_packet - a message that waits to be read */
struct mk_packet {
	struct list_head node;
	u32 len;
	u8 data[];
};

/**
 * struct mk_channel - one end
 * @ref: of the descriptor, of peer->ends, of @work
 * @node: in the list of listeners
 * @listed: it is in that list; under its lock
 * @peer: with a reference; NULL while it listens
 * @name: of the peer; while it listens, who may call, empty for anybody
 * @port: where it listens, or what it called
 * @own: no program has it: an echo, or a refusal under way
 * @number: in peer->ends
 * @lock: of all below, to @last
 * @joined: it is in peer->ends
 * @remote: number of the other end, 0 while it is not known
 * @due: MK_DUE_*
 * @released: its descriptor is closed
 * @linger: until when the other end's CLOSE is waited for, in jiffies
 * @close_sent: CLOSE is in the ring
 * @close_seen: the other end's has come
 * @starved: it found the ring full, and has not been told of space yet
 * @want_room: somebody wants to write and cannot
 * @sent: messages
 * @received: messages
 * @queue: of struct mk_packet: received and not read
 * @error: answer to the call, if it was refused
 * @answer: the reason of that; or what REFUSE will carry
 * @last: why the last read or write failed
 * @wait: for messages, room, a caller, the end
 * @read_lock: one reader at a time; outside @lock
 * @work: asks for news when there is no room; gives up lingering
 */
struct mk_channel {
	struct kref ref;
	struct list_head node;
	bool listed;
	struct mk_peer *peer;
	char name[MK_NAME_MAX];
	u32 port;
	bool own;
	u32 number;

	spinlock_t lock;
	enum mk_channel_state state;
	bool joined;
	u32 remote;
	u32 due;
	bool released;
	unsigned long linger;
	bool close_sent, close_seen;
	bool starved;
	bool want_room;
	struct mk_stream stream;
	u64 sent, received;
	struct list_head queue;
	int error;
	struct mk_refusal answer;
	struct mk_refusal last;

	wait_queue_head_t wait;
	struct mutex read_lock;
	struct delayed_work work;
};

/* channel.c */
struct mk_channel *mk_channel_new(const char *name, u32 port, bool own);
void mk_channel_put(struct mk_channel *chan);
int mk_channel_join(struct mk_channel *chan, struct mk_peer *peer);
void mk_channel_retire(struct mk_channel *chan);
void mk_channel_release(struct mk_channel *chan);
int mk_channel_send(struct mk_channel *chan, const void *data, u32 len);
int mk_channel_flush(struct mk_channel *chan);
void mk_channel_consumed(struct mk_channel *chan);
void mk_channel_watch(struct mk_channel *chan);
struct mk_channel *mk_channel_of(struct mk_peer *peer, u32 remote);

/* channel_call.c */
void mk_channel_listen(struct mk_channel *chan);
void mk_channel_unlisten(struct mk_channel *chan);
bool mk_channel_on_open(struct mk_peer *peer, const struct mk_msg *msg);
int mk_channel_call(struct mk_channel *chan, unsigned int timeout_ms,
		    struct mk_refusal *r);
void mk_echo_pump(struct mk_channel *chan);

#endif /* _MULTIKERNEL_CHANNEL_H */
