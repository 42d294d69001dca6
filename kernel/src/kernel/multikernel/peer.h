/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Peers: the other kernels that this one is connected to, by one ring in each
 * direction. What is here is the same on the host and in an instance.
 *
 *	peer.c		life of a peer; sending; the work that drains its ring
 *	control.c	what the multikernel's own parts say to each other:
 *			requests with replies, a table of who handles what
 *	handler.c	kernel code's messages, <linux/mk_message.h>: receiving
 *	request.c	the same: sending, requests and replies
 *	notify.c	who is told when peers come and go
 *	hooks.c		who has registered for what, and runs now
 *	ipi.c		the older interface, by CPU
 *	channel.c	programs' channels; also channel_call.c, channel_fd.c
 *	pair.c		the host: ring pairs between two instances
 *	sibling.c	an instance: its end of those
 *
 * A peer object is one start of a kernel. It is made up, goes down once, and is
 * freed with the last reference. Memory of its rings is not touched after
 * mk_peer_down() has returned.
 *
 * Received messages are dispatched by the peer's rx work, one work for each
 * peer, so that one that floods takes only its own turn. A dispatcher called
 * there may sleep for memory or a mutex that is held shortly, and must not wait
 * for a message: what does, goes on in a work of its own. Nobody ever leaves a
 * message in the ring: flow control is by credits (MK_WINDOW), so that control
 * messages always come through.
 *
 * Locks: peer->tx_lock is the innermost one, inside peer->user_lock.
 */
#ifndef _MULTIKERNEL_PEER_H
#define _MULTIKERNEL_PEER_H

#include <linux/kref.h>
#include <linux/list.h>
#include <linux/mk_message.h>
#include <linux/mk_wire.h>
#include <linux/spinlock.h>
#include <linux/wait.h>
#include <linux/workqueue.h>

struct mk_instance;
struct mk_peer;

/** struct mk_peer_counters - beside those of the rings */
struct mk_peer_counters {
	u64 polled;		/* turns that used up the budget */
	u64 muted;		/* pauses after many such turns */
	u64 unknown;		/* kind, type or end that nobody knows */
	u64 refused;		/* malformed */
	u64 late_replies;	/* to nobody who waits */
};

/*
 * Requests of one peer that may be unanswered at a time: more than the window,
 * as a handler may answer when it has returned.
 */
#define MK_ASKED_MAX	128

/** struct mk_asked - ids of such requests; 0 where there is none */
struct mk_asked {
	u32 ids[MK_ASKED_MAX];
};

/**
 * struct mk_peer - one start of another kernel
 */
struct mk_peer {
	struct kref ref;
	struct list_head node;		/* in the list of peers, while up */
	u32 id;				/* instance id, 0 for the host */
	u32 epoch;			/* its start; 0 for the host */
	u32 serial;			/* epoch of the rings */
	char name[MK_NAME_MAX];
	bool up;			/* tx_lock to change it */
	bool announced;			/* its kernel has come up as well */
	bool told_up, told_down;	/* the notifiers; tell_work's */
	struct work_struct tell_work;
	struct work_struct free_work;

	/* host: with a reference; in an instance NULL */
	struct mk_instance *inst;
	/* an instance, to another one: mapping of the rings, and whether the
	 * host is told when it is gone; else NULL
	 */
	void *rings;

	raw_spinlock_t tx_lock;
	struct mk_ring_tx tx;		/* under tx_lock */
	bool tx_starved;		/* somebody waits for space; tx_lock */
	wait_queue_head_t space;	/* for space, acks, or the end */
	struct mk_ring_rx rx;		/* the rx work's */
	struct delayed_work rx_work;
	unsigned int turns;		/* in a row that used up the budget */
	unsigned long busy_since;	/* jiffies at the first of them */
	struct delayed_work starve_work;
	/* see struct mk_peer_setup */
	int (*bell)(struct mk_peer *peer, u32 *ret_apicid, u32 *ret_vector);
	u32 bell_apicid, bell_vector;
	void (*look)(struct mk_peer *peer);
	bool (*has_news)(const struct mk_peer *peer);
	struct mk_peer_counters counters;

	/* control.c */
	spinlock_t calls_lock;
	struct list_head calls;		/* who waits for a reply */
	u32 next_call;
	struct list_head control_queue;
	unsigned int requests_queued, notes_queued;
	struct work_struct control_work;

	/* handler.c; under user_lock, which any context takes */
	raw_spinlock_t user_lock;
	struct mk_stream user;
	struct list_head user_queue;	/* received, not yet handled */
	struct work_struct user_work;
	bool user_ack_due;
	struct list_head user_calls;	/* who waits for a reply */
	u32 next_user_call;
	struct mk_asked asked;		/* by the peer, not yet answered */

	struct list_head notify_node;	/* notify.c's: while it is told to be up */

	/* channel.c */
	struct xarray ends;		/* of channels, by our number */
	atomic_t last_end;		/* number that was given last */
	atomic_t own_ends;		/* that no program has */

	/* show.c */
	struct kobject *shown;
};

/**
 * struct mk_peer_setup - what makes a peer
 * @bell: where to ring it, asked at each doorbell, under tx_lock; NULL: at
 *	@bell_apicid
 * @look: called at the end of each turn of the rx work, or NULL
 * @has_news: hard interrupt: is there anything to @look at?
 */
struct mk_peer_setup {
	u32 id;
	u32 epoch;
	u32 serial;
	const char *name;
	struct mk_ring *tx, *rx;	/* both passed mk_ring_check() */
	struct mk_instance *inst;
	void *rings;
	int (*bell)(struct mk_peer *peer, u32 *ret_apicid, u32 *ret_vector);
	u32 bell_apicid, bell_vector;
	void (*look)(struct mk_peer *peer);
	bool (*has_news)(const struct mk_peer *peer);
};

/* peer.c */

/** mk_peer_new() - a peer that is not up yet; NULL without memory */
struct mk_peer *mk_peer_new(const struct mk_peer_setup *setup);
/** mk_peer_up() - it may be sent to and is listened to; process context */
void mk_peer_up(struct mk_peer *peer);
/** mk_peer_announce() - its kernel has come up: tell the notifiers, soon */
void mk_peer_announce(struct mk_peer *peer);
/**
 * mk_peer_down() - its kernel has ended, or this connection has
 *
 * Returns when nobody touches its rings any more and all who waited have been
 * woken. Notifiers are called by a work of their own. The caller may hold
 * mk_lock, not tx_lock or any lock of a dispatcher. Does nothing twice. The
 * caller's own reference stays.
 */
void mk_peer_down(struct mk_peer *peer);
struct mk_peer *mk_peer_find(u32 id);			/* with a reference */
struct mk_peer *mk_peer_find_name(const char *name);	/* with a reference */
/** mk_peer_next() - with the next larger id, or NULL; takes @prev's reference */
struct mk_peer *mk_peer_next(struct mk_peer *prev);
/** mk_peer_gone() - why sending fails: -ESTALE when it runs again, or -EPIPE */
int mk_peer_gone(struct mk_peer *peer);

/**
 * mk_peer_send() - put one message into the ring; any context, never sleeps
 *
 * Return: 0, -EAGAIN full (a wake-up of peer->space follows), -EMSGSIZE,
 * -EPIPE or -ESTALE it is down.
 */
int mk_peer_send(struct mk_peer *peer, const struct mk_msg_head *head,
		 const void *payload, u32 len);
/** mk_peer_send_wait() - wait for space, at most @timeout jiffies; -ETIMEDOUT */
int mk_peer_send_wait(struct mk_peer *peer, const struct mk_msg_head *head,
		      const void *payload, u32 len, unsigned long timeout);
/** mk_peer_ring() - ring its doorbell whatever its event index says */
void mk_peer_ring(struct mk_peer *peer);
/** mk_peers_doorbell() - somebody rang; hard interrupt */
void mk_peers_doorbell(void);
ssize_t mk_peer_counters_show(struct mk_peer *peer, char *buf);

/* control.c */

/**
 * struct mk_control - who handles a type of control message
 * @type: enum mk_control_type
 * @bytes: of payload at least
 * @request: it has an id and wants mk_peer_answer()
 * @deferred: runs in a work of the peer, in order, and may wait (for mk_lock);
 *	else in the rx work
 * @fn: handler; for a request its return value is not used
 */
struct mk_control {
	u32 type;
	u32 bytes;
	bool request;
	bool deferred;
	void (*fn)(struct mk_peer *peer, const struct mk_msg *msg);
};

/** mk_control_add() - an array that stays for ever, ended by type 0 */
void mk_control_add(const struct mk_control *table);
/**
 * mk_peer_call() - a control request and its reply; sleeps
 * @timeout_ms: for all of it
 * @ret_bytes: of the reply, may be NULL
 * @r: refusal of the peer, may be NULL
 *
 * A reply shorter than @reply_bytes is -EPROTO. Return: 0, the negative error of
 * the peer's answer, or -ETIMEDOUT (the peer may act on it later all the same),
 * -EPIPE, -ESTALE, -EINTR.
 */
int mk_peer_call(struct mk_peer *peer, u32 type, const void *payload, u32 len,
		 void *reply, u32 reply_bytes, unsigned int timeout_ms,
		 struct mk_refusal *r);
/**
 * mk_peer_answer() - reply to a request
 * @error: 0 or negative errno; then @r goes with it and @payload is not used
 */
void mk_peer_answer(struct mk_peer *peer, const struct mk_msg *request,
		    int error, const struct mk_refusal *r, const void *payload,
		    u32 len);
void mk_control_init_peer(struct mk_peer *peer);
void mk_control_message(struct mk_peer *peer, const struct mk_msg *msg);
void mk_control_reply(struct mk_peer *peer, const struct mk_msg *msg);
void mk_control_peer_down(struct mk_peer *peer);

#define MK_CALL_TIMEOUT_MS	5000

/* handler.c */
void mk_handler_init_peer(struct mk_peer *peer);
void mk_handler_message(struct mk_peer *peer, const struct mk_msg *msg);
void mk_handler_space(struct mk_peer *peer);	/* the ring has space again */
void mk_handler_free_peer(struct mk_peer *peer);

/* request.c */
void mk_handler_peer_down(struct mk_peer *peer);
int mk_user_send_ipi(struct mk_peer *peer, u32 type, u32 from, u32 to,
		     const void *data, size_t len);
void mk_user_reply(struct mk_peer *peer, const struct mk_msg *msg);
/* caller holds user_lock */
void mk_user_send_ack(struct mk_peer *peer, enum mk_user_ack type);
void mk_user_answer_error(struct mk_peer *peer, u32 id, int error);
int mk_asked_add(struct mk_asked *asked, u32 id);	/* -EEXIST, -ENOSPC */
bool mk_asked_has(const struct mk_asked *asked, u32 id);
void mk_asked_del(struct mk_asked *asked, u32 id);

/* notify.c */
/** mk_peer_notify() - for each peer UP, then DOWN; process context, no locks held */
void mk_peer_notify(struct mk_peer *peer, enum mk_peer_event event);

/* ipi.c: called by handler.c, in order, in its work */
void mk_ipi_message(struct mk_peer *peer, const struct mk_msg *msg);

/* channel.c */
void mk_channel_init_peer(struct mk_peer *peer);
void mk_channel_message(struct mk_peer *peer, const struct mk_msg *msg);
void mk_channel_space(struct mk_peer *peer);
void mk_channel_peer_down(struct mk_peer *peer);
int mk_channel_open(struct mk_channel_open *open, struct mk_refusal *r);

/* sibling.c, pair.c */

/**
 * mk_peer_connect() - a peer by name; an instance asks the host when necessary
 * @r: why not, may be NULL
 *
 * Sleeps, up to MK_CALL_TIMEOUT_MS. Return: with a reference, or ERR_PTR as
 * mk_peer_get().
 */
struct mk_peer *mk_peer_connect(const char *name, struct mk_refusal *r);
struct mk_peer *mk_host_connect(const char *name, struct mk_refusal *r);
void mk_pairs_instance_gone(struct mk_instance *inst);
int mk_instance_set_channels(u32 id, char (*names)[MK_NAME_MAX], u32 nr,
			     struct mk_refusal *r);

/* cpumap.c: which kernel has a CPU */

/** mk_cpu_owner() - instance id, 0 for the host, MK_CPU_NOBODY; any kernel */
u32 mk_cpu_owner(u32 apicid);

#endif /* _MULTIKERNEL_PEER_H */
