/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Messages between kernel code of different kernels on one machine: peers,
 * typed messages, requests, handlers. Works alike on the host and in an
 * instance.
 *
 * A peer is one start of another kernel. It is up until that kernel ends; a
 * new start of the same kernel is another peer. So a message never reaches a
 * start that it was not meant for.
 *
 *	peer = mk_peer_get("b");	// connects when necessary; may sleep
 *	err = mk_send(peer, TYPE, data, len, 100);
 *	len = mk_request(peer, TYPE, data, len, reply, sizeof(reply), 1000);
 *	mk_peer_put(peer);
 *
 * Handlers run in process context, for one peer one after the other in the
 * order of sending, for several peers in parallel.
 *
 * See <linux/multikernel.h> for the older interface, by CPU instead of by peer.
 */
#ifndef _LINUX_MK_MESSAGE_H
#define _LINUX_MK_MESSAGE_H

#include <linux/module.h>
#include <linux/notifier.h>
#include <linux/types.h>
#include <uapi/linux/multikernel.h>

struct mk_peer;
struct mk_handler;

/**
 * struct mk_message - a message, as a handler gets it
 * @peer: who sent it; valid until the handler returns, or mk_peer_hold() it
 * @type: as sent
 * @len: bytes at @data, at most MK_MESSAGE_MAX
 * @data: private copy, valid until the handler returns; aligned for u64
 * @request: not 0: the sender waits for mk_reply()
 */
struct mk_message {
	struct mk_peer *peer;
	u32 type;
	u32 len;
	const void *data;
	u32 request;
};

/**
 * mk_peer_get() - a peer by the name of its instance
 * @name: "host", or of an instance
 *
 * In an instance, to another instance: asks the host for a pair of rings unless
 * there is one. May sleep, at most 5 seconds.
 *
 * Return: the peer, with a reference that mk_peer_put() drops; ERR_PTR:
 * -ENOENT no such instance, -EHOSTDOWN it does not run, -EACCES not allowed by
 * the configs, -ETIMEDOUT, -ENXIO this kernel is no part of a multikernel,
 * -EINVAL this kernel itself.
 */
struct mk_peer *mk_peer_get(const char *name);
/** mk_peer_hold() - one more reference; returns @peer */
struct mk_peer *mk_peer_hold(struct mk_peer *peer);
void mk_peer_put(struct mk_peer *peer);

/** mk_peer_id() - instance id, 0 for the host */
u32 mk_peer_id(const struct mk_peer *peer);
const char *mk_peer_name(const struct mk_peer *peer);
/** mk_peer_epoch() - number of the peer's start; 0 for the host */
u32 mk_peer_epoch(const struct mk_peer *peer);
/** mk_peer_is_up() - has it not ended yet, as far as this kernel knows? */
bool mk_peer_is_up(const struct mk_peer *peer);

/**
 * mk_send() - send a message to the handlers of a peer
 * @peer: to whom
 * @type: which handler
 * @data: message, may be NULL when @len is 0
 * @len: bytes, at most MK_MESSAGE_MAX
 * @timeout_ms: how long to wait for room; 0: do not sleep, any context
 *
 * Return: 0 sent; -EAGAIN no room (as many messages as the peer takes are
 * under way, or the ring is full) and @timeout_ms was 0; -ETIMEDOUT;
 * -EMSGSIZE; -EINVAL no @data; -EPIPE the peer ended; -ESTALE it ended and runs
 * again; -EINTR.
 * Room appears when the peer's handlers are done with earlier messages.
 */
int mk_send(struct mk_peer *peer, u32 type, const void *data, size_t len,
	    unsigned int timeout_ms);

/**
 * mk_request() - send a message and wait for the reply
 * @reply: for the reply; the caller's own memory
 * @size: bytes at @reply; a longer reply is -EMSGSIZE
 * @timeout_ms: for all of it, not 0
 *
 * The rest as mk_send(). Return: bytes of the reply; or a negative error: that
 * of mk_send(), or the one that the handler gave to mk_reply(); -ENOSYS the
 * peer has no handler of @type; -EBUSY it has too many unanswered requests of
 * this kernel; -EPROTO its reply makes no sense.
 */
ssize_t mk_request(struct mk_peer *peer, u32 type, const void *data,
		   size_t len, void *reply, size_t size,
		   unsigned int timeout_ms);

/**
 * mk_reply() - answer a request
 * @peer: who asked
 * @request: mk_message.request; once only
 * @error: 0, or a negative errno that mk_request() shall return
 * @data: reply, when @error is 0
 * @len: bytes, at most MK_REPLY_MAX
 *
 * From the handler or later, in any context. Return: 0; -ENOENT @peer does not
 * wait for this (any more); -EINVAL, -EMSGSIZE, -EPIPE, -ESTALE; -EAGAIN the
 * ring is full: it can be answered later.
 */
int mk_reply(struct mk_peer *peer, u32 request, int error, const void *data,
	     size_t len);

#define MK_REPLY_MAX	(MK_MESSAGE_MAX - 8)

typedef void (*mk_handler_fn)(const struct mk_message *message, void *context);

/* Run in hard interrupt context, on any CPU, by irq_work. */
#define MK_HANDLER_IRQ	0x1

/**
 * mk_handler_add() - handle messages of some types
 * @first: lowest type
 * @last: highest type; no type has two handlers
 * @fn: called for each message, in process context unless MK_HANDLER_IRQ
 * @context: for @fn
 * @flags: MK_HANDLER_*
 *
 * The caller's module cannot be unloaded while @fn runs. Its exit function
 * removes the handler; one that it forgets is removed with a message in the log
 * before the module's memory goes.
 *
 * Return: handle for mk_handler_remove(); ERR_PTR: -EBUSY a type is taken,
 * -EINVAL, -ENOMEM, -ENODEV the module is going away.
 */
#define mk_handler_add(first, last, fn, context, flags) \
	__mk_handler_add(THIS_MODULE, first, last, fn, context, flags)
struct mk_handler *__mk_handler_add(struct module *owner, u32 first, u32 last,
				    mk_handler_fn fn, void *context,
				    unsigned int flags);

/**
 * mk_handler_remove() - and wait until it runs no more
 * @handler: from mk_handler_add(), or NULL or ERR_PTR, which are 0
 *
 * Sleeps, as long as a call of it runs that had begun. Return: 0; -EDEADLK when
 * called from within a handler, also another one (with a message in the log): it
 * stays then; -ENOENT it is no handler (any more).
 */
int mk_handler_remove(struct mk_handler *handler);

/** enum mk_peer_event - for notifiers; the data is the struct mk_peer */
enum mk_peer_event {
	MK_PEER_UP	= 1,	/* it can be sent to */
	MK_PEER_DOWN	= 2,	/* it ended; all that waited has been woken */
};

/**
 * mk_peer_notifier_register() - be told of peers that come and go
 *
 * Called in process context, one event at a time: for each peer UP, then DOWN.
 * Peers that are up already are reported before this returns. Messages that had
 * arrived from a peer may still be handled after its DOWN.
 *
 * Return: 0; -EEXIST it is registered; -EDEADLK called from within a notifier.
 */
int mk_peer_notifier_register(struct notifier_block *nb);
/**
 * mk_peer_notifier_unregister() - it is not called any more
 *
 * Return: 0; -ENOENT it was not registered; -EDEADLK called from within a
 * notifier.
 */
int mk_peer_notifier_unregister(struct notifier_block *nb);

#endif /* _LINUX_MK_MESSAGE_H */
