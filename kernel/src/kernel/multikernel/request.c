// SPDX-License-Identifier: GPL-2.0-only
/*
 * Messages between kernel code of different kernels, <linux/mk_message.h>:
 * sending them, requests and replies. See handler.c for the other half.
 *
 * Messages of one peer are a stream (mk_stream.h); user_lock is held from the
 * number to the ring, so that they enter it in order. Who waits for room, waits
 * on peer->space, and asks for an ack now and then.
 *
 * mk_request() waits in user_calls. A request of the peer is noted in
 * peer->asked until it is answered. Replies are no part of the stream: each has
 * a waiter, and takes no room here. The end of a peer completes all who wait.
 */
#include <linux/completion.h>
#include <linux/jiffies.h>
#include <linux/string.h>

#include "peer.h"

/* How long to wait for room before the peer is asked for an ack. */
#define ASK_JIFFIES	max(HZ / 10, 1)
/* How long an error that the kernel itself answers may wait for the ring. */
#define ANSWER_JIFFIES	HZ

/* A request that waits for its reply; on the stack of who waits */
struct user_call {
	struct list_head node;		/* in user_calls, until it is answered */
	struct completion done;
	u32 id;
	void *reply;
	size_t size;
	ssize_t result;
};

struct mk_peer *mk_peer_get(const char *name)
{
	if (!name || !*name || strnlen(name, MK_NAME_MAX) == MK_NAME_MAX)
		return ERR_PTR(-EINVAL);
	return mk_peer_connect(name, NULL);
}
EXPORT_SYMBOL_GPL(mk_peer_get);

/* --- requests of a peer that are not answered -------------------------- */

static u32 *asked_find(struct mk_asked *asked, u32 id)
{
	u32 i;

	for (i = 0; i < MK_ASKED_MAX; i++)
		if (asked->ids[i] == id)
			return &asked->ids[i];
	return NULL;
}

bool mk_asked_has(const struct mk_asked *asked, u32 id)
{
	return id && asked_find((struct mk_asked *)asked, id);
}

int mk_asked_add(struct mk_asked *asked, u32 id)
{
	u32 *free;

	if (mk_asked_has(asked, id))
		return -EEXIST;
	free = asked_find(asked, 0);
	if (!free)
		return -ENOSPC;
	*free = id;
	return 0;
}

void mk_asked_del(struct mk_asked *asked, u32 id)
{
	u32 *entry = id ? asked_find(asked, id) : NULL;

	if (entry)
		*entry = 0;
}

/* --- sending ----------------------------------------------------------- */

/* user_lock is held. */
static bool call_id_in_use(struct mk_peer *peer, u32 id)
{
	struct user_call *call;

	list_for_each_entry(call, &peer->user_calls, node)
		if (call->id == id)
			return true;
	return false;
}

/* user_lock is held. 0 is no request. */
static u32 new_call_id(struct mk_peer *peer)
{
	do {
		peer->next_user_call++;
	} while (!peer->next_user_call ||
		 call_id_in_use(peer, peer->next_user_call));
	return peer->next_user_call;
}

/* One try, in any context. @call is in the list when this has given 0. */
static int user_try(struct mk_peer *peer, struct mk_msg_head *head,
		    const void *data, u32 len, struct user_call *call)
{
	unsigned long flags;
	int err = -EAGAIN;

	raw_spin_lock_irqsave(&peer->user_lock, flags);
	if (mk_stream_may_send(&peer->user)) {
		head->nr = peer->user.sent;
		head->ack = peer->user.consumed;
		if (call)
			head->id = call->id = new_call_id(peer);
		err = mk_peer_send(peer, head, data, len);
		if (!err) {
			mk_stream_sent(&peer->user);
			peer->user_ack_due = false;
			if (call)
				list_add_tail(&call->node, &peer->user_calls);
		}
	}
	raw_spin_unlock_irqrestore(&peer->user_lock, flags);
	if (err == -EAGAIN && !READ_ONCE(peer->up))
		err = mk_peer_gone(peer);
	return err;
}

/* A full ring calls mk_handler_space() when it has space again. */
void mk_user_send_ack(struct mk_peer *peer, enum mk_user_ack type)
{
	struct mk_msg_head head = {
		.kind = MK_KIND_USER_ACK,
		.type = type,
		.nr = peer->user.sent,
		.ack = peer->user.consumed,
	};
	int err = mk_peer_send(peer, &head, NULL, 0);

	if (!err)
		mk_stream_told(&peer->user);
	peer->user_ack_due = err == -EAGAIN;
}

static void ask_for_ack(struct mk_peer *peer)
{
	unsigned long flags;

	raw_spin_lock_irqsave(&peer->user_lock, flags);
	mk_user_send_ack(peer, MK_USER_ACK_ASK);
	raw_spin_unlock_irqrestore(&peer->user_lock, flags);
}

static unsigned long jiffies_left(unsigned long end)
{
	unsigned long now = jiffies;

	return time_before(now, end) ? end - now : 0;
}

static int user_send_wait(struct mk_peer *peer, struct mk_msg_head *head,
			  const void *data, u32 len, struct user_call *call,
			  unsigned long end)
{
	unsigned long left;
	long ret;
	int err;

	might_sleep();
	while ((left = jiffies_left(end)) != 0) {
		ret = wait_event_interruptible_timeout(peer->space,
			(err = user_try(peer, head, data, len, call)) != -EAGAIN,
			min_t(unsigned long, left, ASK_JIFFIES));
		if (err != -EAGAIN)
			return err;
		if (ret < 0)
			return -EINTR;
		ask_for_ack(peer);
	}
	return -ETIMEDOUT;
}

static int check_payload(const void *data, size_t len)
{
	if (len > MK_MESSAGE_MAX)
		return -EMSGSIZE;
	return len && !data ? -EINVAL : 0;
}

static int user_send(struct mk_peer *peer, struct mk_msg_head *head,
		     const void *data, size_t len, unsigned int timeout_ms)
{
	int err = check_payload(data, len);

	if (err)
		return err;
	if (!timeout_ms)
		return user_try(peer, head, data, len, NULL);
	return user_send_wait(peer, head, data, len, NULL,
			      jiffies + msecs_to_jiffies(timeout_ms));
}

int mk_send(struct mk_peer *peer, u32 type, const void *data, size_t len,
	    unsigned int timeout_ms)
{
	struct mk_msg_head head = { .kind = MK_KIND_USER, .type = type };

	return user_send(peer, &head, data, len, timeout_ms);
}
EXPORT_SYMBOL_GPL(mk_send);

/** mk_user_send_ipi() - a message of the older interface; any context */
int mk_user_send_ipi(struct mk_peer *peer, u32 type, u32 from, u32 to,
		     const void *data, size_t len)
{
	struct mk_msg_head head = {
		.kind = MK_KIND_IPI,
		.type = type,
		.from = from,
		.to = to,
	};

	return user_send(peer, &head, data, len, 0);
}

/* Has the reply arrived? If not, it is not waited for any more. */
static ssize_t call_result(struct mk_peer *peer, struct user_call *call,
			   long waited)
{
	unsigned long flags;

	raw_spin_lock_irqsave(&peer->user_lock, flags);
	if (!list_empty(&call->node)) {
		list_del(&call->node);
		call->result = waited < 0 ? -EINTR : -ETIMEDOUT;
	}
	raw_spin_unlock_irqrestore(&peer->user_lock, flags);
	return call->result;
}

ssize_t mk_request(struct mk_peer *peer, u32 type, const void *data,
		   size_t len, void *reply, size_t size,
		   unsigned int timeout_ms)
{
	struct mk_msg_head head = { .kind = MK_KIND_USER, .type = type };
	struct user_call call = { .reply = reply, .size = size };
	unsigned long end = jiffies + msecs_to_jiffies(timeout_ms);
	long waited;
	int err;

	err = check_payload(data, len);
	if (err)
		return err;
	if (!timeout_ms || (size && !reply))
		return -EINVAL;
	init_completion(&call.done);
	err = user_send_wait(peer, &head, data, len, &call, end);
	if (err)
		return err;
	waited = wait_for_completion_interruptible_timeout(&call.done,
							   jiffies_left(end));
	return call_result(peer, &call, waited);
}
EXPORT_SYMBOL_GPL(mk_request);

/* --- replies ----------------------------------------------------------- */

/* A reply without its numbers; returns the length of @payload. */
static u32 make_reply(struct mk_msg_head *head, u8 *payload, u32 id, int error,
		      const void *data, size_t len)
{
	struct mk_wire_answer answer = { .error = -error };

	*head = (struct mk_msg_head){ .kind = MK_KIND_USER_REPLY, .id = id };
	memcpy(payload, &answer, sizeof(answer));
	if (error || !len)
		return sizeof(answer);
	memcpy(payload + sizeof(answer), data, len);
	return sizeof(answer) + len;
}

int mk_reply(struct mk_peer *peer, u32 request, int error, const void *data,
	     size_t len)
{
	u8 payload[MK_MESSAGE_MAX] __aligned(8);
	struct mk_msg_head head;
	unsigned long flags;
	int err = -ENOENT;
	u32 bytes;

	if (error > 0 || error < -MAX_ERRNO || (!error && len && !data))
		return -EINVAL;
	if (!error && len > MK_REPLY_MAX)
		return -EMSGSIZE;
	bytes = make_reply(&head, payload, request, error, data, len);
	raw_spin_lock_irqsave(&peer->user_lock, flags);
	if (mk_asked_has(&peer->asked, request)) {
		head.ack = peer->user.consumed;
		err = mk_peer_send(peer, &head, payload, bytes);
		if (!err)
			mk_stream_told(&peer->user);
		if (err != -EAGAIN)
			mk_asked_del(&peer->asked, request);
	}
	raw_spin_unlock_irqrestore(&peer->user_lock, flags);
	return err;
}
EXPORT_SYMBOL_GPL(mk_reply);

/*
 * The kernel's own answer to a request that reaches no handler. When the peer
 * leaves its ring full, it is the peer's request that runs out of time.
 */
void mk_user_answer_error(struct mk_peer *peer, u32 id, int error)
{
	u8 payload[sizeof(struct mk_wire_answer)];
	struct mk_msg_head head;
	unsigned long flags;
	u32 bytes;

	bytes = make_reply(&head, payload, id, error, NULL, 0);
	raw_spin_lock_irqsave(&peer->user_lock, flags);
	head.ack = peer->user.consumed;
	raw_spin_unlock_irqrestore(&peer->user_lock, flags);
	mk_peer_send_wait(peer, &head, payload, bytes, ANSWER_JIFFIES);
}

static ssize_t reply_result(const struct user_call *call,
			    const struct mk_msg *msg)
{
	const struct mk_wire_answer *answer = (const void *)msg->payload;
	u32 bytes = msg->len - sizeof(*answer);

	if (answer->error > MAX_ERRNO)
		return -EPROTO;
	if (answer->error)
		return -(int)answer->error;
	if (bytes > call->size)
		return -EMSGSIZE;
	if (bytes)
		memcpy(call->reply, msg->payload + sizeof(*answer), bytes);
	return bytes;
}

/* Copied under the lock: who waits is gone when it is not in the list. */
void mk_user_reply(struct mk_peer *peer, const struct mk_msg *msg)
{
	struct user_call *call;
	unsigned long flags;
	bool late = true;

	if (msg->len < sizeof(struct mk_wire_answer)) {
		mk_ring_count(&peer->counters.refused);
		return;
	}
	raw_spin_lock_irqsave(&peer->user_lock, flags);
	list_for_each_entry(call, &peer->user_calls, node) {
		if (call->id != msg->head.id)
			continue;
		list_del_init(&call->node);
		call->result = reply_result(call, msg);
		complete(&call->done);
		late = false;
		break;
	}
	raw_spin_unlock_irqrestore(&peer->user_lock, flags);
	if (late)
		mk_ring_count(&peer->counters.late_replies);
}

/** mk_handler_peer_down() - it takes no more messages: nobody waits any longer */
void mk_handler_peer_down(struct mk_peer *peer)
{
	struct user_call *call, *next;
	int error = mk_peer_gone(peer);
	unsigned long flags;

	raw_spin_lock_irqsave(&peer->user_lock, flags);
	list_for_each_entry_safe(call, next, &peer->user_calls, node) {
		list_del_init(&call->node);
		call->result = error;
		complete(&call->done);
	}
	raw_spin_unlock_irqrestore(&peer->user_lock, flags);
	wake_up_all(&peer->space);
}
