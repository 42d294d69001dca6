// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the multikernel's own parts say to each other across kernels: control
 * messages by type, and requests with replies.
 *
 * Between the host and an instance only: what a sibling sends of this kind is
 * counted and dropped. A request waits in a queue of its peer for a work of its
 * own, so that it may take its time while the ring is drained; the queue is
 * short, and who fills it is told so. Messages that want no reply have a limit
 * of their own.
 */
#define pr_fmt(fmt) "multikernel: " fmt

#include <linux/completion.h>
#include <linux/jiffies.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "internal.h"
#include "peer.h"

#define MK_CONTROL_TABLES	8
#define MK_CONTROL_QUEUE	32	/* requests of one peer that wait */
/*
 * Messages of one peer that want no reply, and wait. Nobody says these again:
 * an UNLINKED that is lost keeps its rings for ever. So there is room for all
 * that a sane peer may have to say of all others at a time.
 */
#define MK_CONTROL_NOTES	(4 * MK_MAX_INSTANCES)
#define MK_ANSWER_JIFFIES	HZ	/* for space in the ring */

static const struct mk_control *mk_controls[MK_CONTROL_TABLES];

/**
 * struct mk_control_item - a message that waits for its turn
 * @node: in mk_peer.control_queue
 * @control: who handles it
 * @msg: private copy
 */
struct mk_control_item {
	struct list_head node;
	const struct mk_control *control;
	struct mk_msg msg;
};

/**
 * struct mk_call - who waits for a reply; on the stack of mk_peer_call()
 * @node: in mk_peer.calls
 * @done: the reply is there, or the peer is gone
 * @type: of the request
 * @id: of the request
 * @reply: for what comes behind the answer's head
 * @reply_bytes: of it
 * @error: negative errno, or 0
 * @refusal: of the peer, when it gave one
 */
struct mk_call {
	struct list_head node;
	struct completion done;
	u32 type;
	u32 id;
	void *reply;
	u32 reply_bytes;
	int error;
	struct mk_refusal refusal;
};

void mk_control_add(const struct mk_control *table)
{
	int i = 0;

	while (i < MK_CONTROL_TABLES && mk_controls[i])
		i++;
	if (WARN_ON(i == MK_CONTROL_TABLES))
		return;
	mk_controls[i] = table;
}

static const struct mk_control *mk_control_find(u32 type)
{
	const struct mk_control *c;
	int i;

	for (i = 0; i < MK_CONTROL_TABLES && mk_controls[i]; i++)
		for (c = mk_controls[i]; c->type; c++)
			if (c->type == type)
				return c;
	return NULL;
}

/* Between two instances: neither of them is the host. */
static bool mk_peer_is_sibling(const struct mk_peer *peer)
{
	return peer->id && multikernel_is_instance();
}

static void mk_answer(struct mk_peer *peer, const struct mk_msg *request,
		      int error, const void *payload, u32 len,
		      unsigned long timeout)
{
	struct mk_msg_head head = {
		.kind = MK_KIND_REPLY,
		.type = request->head.type,
		.id = request->head.id,
	};
	struct {
		struct mk_wire_answer answer;
		u8 more[MK_ANSWER_MAX];
	} reply = { .answer.error = -error };
	int ret;

	if (WARN_ON(len > sizeof(reply.more)))
		return;
	if (len)
		memcpy(reply.more, payload, len);
	ret = mk_peer_send_wait(peer, &head, &reply,
				sizeof(reply.answer) + len, timeout);
	if (ret == -ETIMEDOUT)
		pr_warn_ratelimited("'%s' does not take the reply to its request %u\n",
				    peer->name, request->head.id);
}

/* In the rx work, which must not wait */
static void mk_control_refuse(struct mk_peer *peer, const struct mk_msg *msg)
{
	struct mk_refusal r;

	mk_refuse(&r, MK_REASON_BUSY, 0, 0, NULL);
	mk_answer(peer, msg, -EBUSY, &r, sizeof(r), 0);
}

/* Requests and notes are counted apart; under calls_lock */
static unsigned int *mk_control_queued(struct mk_peer *peer,
				       const struct mk_control *c)
{
	return c->request ? &peer->requests_queued : &peer->notes_queued;
}

static bool mk_control_room(struct mk_peer *peer, const struct mk_control *c)
{
	return *mk_control_queued(peer, c) <
	       (c->request ? MK_CONTROL_QUEUE : MK_CONTROL_NOTES);
}

static bool mk_control_queue(struct mk_peer *peer, const struct mk_control *c,
			     const struct mk_msg *msg)
{
	struct mk_control_item *item;

	item = kmalloc(sizeof(*item), GFP_KERNEL);
	if (!item)
		return false;
	item->control = c;
	memcpy(&item->msg, msg, offsetof(struct mk_msg, payload) + msg->len);
	memset(item->msg.payload + msg->len, 0, MK_MSG_MAX - msg->len);
	spin_lock(&peer->calls_lock);
	if (!mk_control_room(peer, c)) {
		spin_unlock(&peer->calls_lock);
		kfree(item);
		return false;
	}
	(*mk_control_queued(peer, c))++;
	list_add_tail(&item->node, &peer->control_queue);
	spin_unlock(&peer->calls_lock);
	if (queue_work(mk_wq, &peer->control_work))
		mk_peer_hold(peer);
	return true;
}

static struct mk_control_item *mk_control_pop(struct mk_peer *peer)
{
	struct mk_control_item *item;

	spin_lock(&peer->calls_lock);
	item = list_first_entry_or_null(&peer->control_queue,
					struct mk_control_item, node);
	if (item) {
		list_del(&item->node);
		(*mk_control_queued(peer, item->control))--;
	}
	spin_unlock(&peer->calls_lock);
	return item;
}

/* Handlers look themselves whether the peer is still up, under their locks. */
static void mk_control_work(struct work_struct *work)
{
	struct mk_peer *peer = container_of(work, struct mk_peer,
					    control_work);
	struct mk_control_item *item;

	while ((item = mk_control_pop(peer))) {
		if (READ_ONCE(peer->up))
			item->control->fn(peer, &item->msg);
		kfree(item);
	}
	mk_peer_put(peer);
}

/* In the rx work */
void mk_control_message(struct mk_peer *peer, const struct mk_msg *msg)
{
	const struct mk_control *c = mk_control_find(msg->head.type);

	if (!c) {
		WRITE_ONCE(peer->counters.unknown, peer->counters.unknown + 1);
		pr_warn_ratelimited("'%s' sent a message of unknown type %u\n",
				    peer->name, msg->head.type);
		return;
	}
	if (mk_peer_is_sibling(peer) || msg->len < c->bytes ||
	    c->request != !!msg->head.id) {
		WRITE_ONCE(peer->counters.refused, peer->counters.refused + 1);
		return;
	}
	if (!c->deferred) {
		c->fn(peer, msg);
	} else if (!mk_control_queue(peer, c, msg)) {
		if (c->request)
			mk_control_refuse(peer, msg);
		else
			mk_ring_count(&peer->counters.refused);
	}
}

void mk_peer_answer(struct mk_peer *peer, const struct mk_msg *request,
		    int error, const struct mk_refusal *r, const void *payload,
		    u32 len)
{
	if (error) {
		payload = r;
		len = r ? sizeof(*r) : 0;
	}
	mk_answer(peer, request, error, payload, len, MK_ANSWER_JIFFIES);
}

/* Takes the call out of the list: from then on it is nobody else's. */
static struct mk_call *mk_call_take(struct mk_peer *peer, u32 id, u32 type)
{
	struct mk_call *call;

	list_for_each_entry(call, &peer->calls, node) {
		if (call->id == id && call->type == type) {
			list_del_init(&call->node);
			return call;
		}
	}
	return NULL;
}

static int mk_call_fill(struct mk_call *call, const struct mk_msg *msg)
{
	const struct mk_wire_answer *answer = (const void *)msg->payload;
	u32 bytes = msg->len - sizeof(*answer);

	if (msg->len < sizeof(*answer) ||
	    answer->error > MK_WIRE_ERRNO_MAX)
		return -EPROTO;
	if (answer->error) {
		if (bytes >= sizeof(call->refusal))
			memcpy(&call->refusal, answer + 1,
			       sizeof(call->refusal));
		call->refusal.object[sizeof(call->refusal.object) - 1] = '\0';
		return -(int)answer->error;
	}
	if (bytes < call->reply_bytes)
		return -EPROTO;
	memcpy(call->reply, answer + 1, call->reply_bytes);
	return 0;
}

void mk_control_reply(struct mk_peer *peer, const struct mk_msg *msg)
{
	struct mk_call *call;

	spin_lock(&peer->calls_lock);
	call = mk_call_take(peer, msg->head.id, msg->head.type);
	if (call) {
		call->error = mk_call_fill(call, msg);
		complete(&call->done);
	} else {
		peer->counters.late_replies++;
	}
	spin_unlock(&peer->calls_lock);
}

static void mk_call_begin(struct mk_peer *peer, struct mk_call *call)
{
	init_completion(&call->done);
	spin_lock(&peer->calls_lock);
	if (!++peer->next_call)
		peer->next_call = 1;
	call->id = peer->next_call;
	list_add_tail(&call->node, &peer->calls);
	spin_unlock(&peer->calls_lock);
}

/* Was it completed, after all? Then its error counts, else @error. */
static int mk_call_end(struct mk_peer *peer, struct mk_call *call, int error)
{
	spin_lock(&peer->calls_lock);
	if (!list_empty(&call->node)) {
		list_del(&call->node);
		call->error = error;
	}
	spin_unlock(&peer->calls_lock);
	return call->error;
}

static int mk_call_wait(struct mk_peer *peer, struct mk_call *call,
			unsigned long timeout)
{
	long ret;

	/* It may have gone down before the call was in the list. */
	if (!READ_ONCE(peer->up))
		return mk_peer_gone(peer);
	ret = wait_for_completion_killable_timeout(&call->done, timeout);
	return ret < 0 ? -EINTR : -ETIMEDOUT;
}

int mk_peer_call(struct mk_peer *peer, u32 type, const void *payload, u32 len,
		 void *reply, u32 reply_bytes, unsigned int timeout_ms,
		 struct mk_refusal *r)
{
	struct mk_call call = {
		.type = type,
		.reply = reply,
		.reply_bytes = reply_bytes,
	};
	unsigned long end = jiffies + msecs_to_jiffies(timeout_ms);
	struct mk_msg_head head = { .kind = MK_KIND_CONTROL, .type = type };
	int ret;

	mk_call_begin(peer, &call);
	head.id = call.id;
	ret = mk_peer_send_wait(peer, &head, payload, len, end - jiffies);
	if (!ret)
		ret = mk_call_wait(peer, &call,
				   max_t(long, end - jiffies, 1));
	ret = mk_call_end(peer, &call, ret);
	if (ret == -ETIMEDOUT && !call.refusal.reason)
		mk_refuse(&call.refusal, MK_REASON_TIMEOUT, timeout_ms, 0,
			  peer->name);
	if (ret && r)
		*r = call.refusal;
	return ret;
}

void mk_control_init_peer(struct mk_peer *peer)
{
	spin_lock_init(&peer->calls_lock);
	INIT_LIST_HEAD(&peer->calls);
	INIT_LIST_HEAD(&peer->control_queue);
	INIT_WORK(&peer->control_work, mk_control_work);
}

/* What waits in the queue is dropped by its work, which sees the peer down. */
void mk_control_peer_down(struct mk_peer *peer)
{
	struct mk_call *call, *next;
	int error = mk_peer_gone(peer);

	spin_lock(&peer->calls_lock);
	list_for_each_entry_safe(call, next, &peer->calls, node) {
		list_del_init(&call->node);
		call->error = error;
		mk_refuse(&call->refusal, error == -ESTALE ?
			  MK_REASON_PEER_RESTARTED : MK_REASON_PEER_DIED, 0, 0,
			  peer->name);
		complete(&call->done);
	}
	spin_unlock(&peer->calls_lock);
}
