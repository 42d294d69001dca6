// SPDX-License-Identifier: GPL-2.0-only
/*
 * Who calls whom: ends that listen, calls to a peer, calls of a peer, and the
 * echo that answers at port 0 of every kernel.
 *
 * A caller that finds nobody is refused by an end of this kernel's own, which
 * lives until the refusal is in the ring. The echo is such an end, too. A peer
 * has a limited number of both.
 */
#define pr_fmt(fmt) "multikernel: " fmt

#include <linux/jiffies.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>

#include "channel.h"

static LIST_HEAD(mk_listeners);		/* the oldest one first */
static DEFINE_SPINLOCK(mk_listeners_lock);

/** mk_channel_listen() - be called from now on */
void mk_channel_listen(struct mk_channel *chan)
{
	spin_lock(&mk_listeners_lock);
	list_add_tail(&chan->node, &mk_listeners);
	chan->listed = true;
	spin_unlock(&mk_listeners_lock);
}

/** mk_channel_unlisten() - unless it was called already */
void mk_channel_unlisten(struct mk_channel *chan)
{
	spin_lock(&mk_listeners_lock);
	if (chan->listed)
		list_del(&chan->node);
	chan->listed = false;
	spin_unlock(&mk_listeners_lock);
}

static bool mk_listens_for(const struct mk_channel *chan, u32 port,
			   const struct mk_peer *peer)
{
	return chan->port == port &&
	       (!chan->name[0] || !strcmp(chan->name, peer->name));
}

/* Whoever takes it off the list connects it, or is too late for its close. */
static struct mk_channel *mk_listener_take(u32 port, const struct mk_peer *peer)
{
	struct mk_channel *chan, *found = NULL;

	spin_lock(&mk_listeners_lock);
	list_for_each_entry(chan, &mk_listeners, node) {
		if (!mk_listens_for(chan, port, peer))
			continue;
		list_del(&chan->node);
		chan->listed = false;
		kref_get(&chan->ref);
		found = chan;
		break;
	}
	spin_unlock(&mk_listeners_lock);
	return found;
}

/* 0; -ECONNREFUSED its descriptor was closed meanwhile; or no memory, no number */
static int mk_connect(struct mk_channel *chan, struct mk_peer *peer, u32 remote)
{
	int ret = mk_channel_join(chan, peer);

	if (ret)
		return ret;
	spin_lock(&chan->lock);
	if (chan->released) {
		mk_channel_retire(chan);
		ret = -ECONNREFUSED;
	} else {
		strscpy(chan->name, peer->name, sizeof(chan->name));
		WRITE_ONCE(chan->remote, remote);
		chan->state = MK_CHANNEL_CONNECTED;
		chan->due |= MK_DUE_ACCEPT;
		mk_channel_flush(chan);
		wake_up_interruptible(&chan->wait);
	}
	spin_unlock(&chan->lock);
	return ret;
}

/* Back, unless its descriptor was closed: then nobody would take it off. */
static void mk_listen_again(struct mk_channel *chan)
{
	spin_lock(&chan->lock);
	if (!chan->released)
		mk_channel_listen(chan);
	spin_unlock(&chan->lock);
}

static int mk_connect_listener(struct mk_peer *peer, u32 port, u32 remote)
{
	struct mk_channel *chan;
	int ret = -ECONNREFUSED;

	while (ret == -ECONNREFUSED && (chan = mk_listener_take(port, peer))) {
		ret = mk_connect(chan, peer, remote);
		if (ret && ret != -ECONNREFUSED)
			mk_listen_again(chan);
		mk_channel_put(chan);
	}
	return ret;
}

/* Ends of this kernel's own */

static struct mk_channel *mk_own_new(struct mk_peer *peer, u32 port, int limit)
{
	struct mk_channel *chan;
	int ret;

	if (atomic_read(&peer->own_ends) >= limit)
		return ERR_PTR(-ENOSPC);
	chan = mk_channel_new(peer->name, port, true);
	if (IS_ERR(chan))
		return chan;
	ret = mk_channel_join(chan, peer);
	if (ret) {
		mk_channel_put(chan);
		return ERR_PTR(ret);
	}
	atomic_inc(&peer->own_ends);
	return chan;
}

static int mk_connect_echo(struct mk_peer *peer, u32 remote)
{
	struct mk_channel *chan = mk_own_new(peer, MK_PORT_ECHO, MK_ECHOES_MAX);

	if (IS_ERR(chan))
		return PTR_ERR(chan);
	spin_lock(&chan->lock);
	WRITE_ONCE(chan->remote, remote);
	chan->state = MK_CHANNEL_CONNECTED;
	chan->due = MK_DUE_ACCEPT;
	mk_channel_flush(chan);
	spin_unlock(&chan->lock);
	mk_channel_put(chan);
	return 0;
}

/**
 * mk_echo_pump() - send back what there is room for
 * @chan: an echo; under its lock
 *
 * A message is done with when it is on its way back. So who sends and does not
 * read runs out of credit.
 */
void mk_echo_pump(struct mk_channel *chan)
{
	struct mk_packet *p;

	while (chan->state == MK_CHANNEL_CONNECTED) {
		p = list_first_entry_or_null(&chan->queue, struct mk_packet,
					     node);
		if (!p)
			return;
		if (mk_channel_send(chan, p->data, p->len)) {
			mk_channel_watch(chan);
			return;
		}
		list_del(&p->node);
		kfree(p);
		mk_channel_consumed(chan);
	}
}

/* Without memory for it the caller's time runs out. */
static void mk_refuse_call(struct mk_peer *peer, u32 port, u32 remote,
			   int error)
{
	struct mk_channel *chan = mk_own_new(peer, port, MK_ENDS_OWN_MAX);

	if (IS_ERR(chan))
		return;
	spin_lock(&chan->lock);
	if (error == -ECONNREFUSED)
		mk_refuse(&chan->answer, MK_REASON_PORT_NOBODY, port, 0, NULL);
	else if (error == -ENOSPC)
		mk_refuse(&chan->answer, MK_REASON_CHANNEL_TOO_MANY,
			  MK_ECHOES_MAX, 0, NULL);
	WRITE_ONCE(chan->remote, remote);
	chan->state = MK_CHANNEL_CLOSED;
	chan->close_seen = true;
	chan->error = error;
	chan->due = MK_DUE_REFUSE;
	mk_channel_flush(chan);
	spin_unlock(&chan->lock);
	mk_channel_put(chan);
}

/** mk_channel_on_open() - a peer calls; false: it makes no sense */
bool mk_channel_on_open(struct mk_peer *peer, const struct mk_msg *msg)
{
	const struct mk_wire_channel *wire = (const void *)msg->payload;
	struct mk_channel *chan;
	u32 from = msg->head.from;
	int ret;

	if (!from || msg->len < sizeof(*wire) || wire->port > MK_PORT_MAX ||
	    wire->reserved)
		return false;
	chan = mk_channel_of(peer, from);
	if (chan) {
		mk_channel_put(chan);
		return false;
	}
	if (wire->port == MK_PORT_ECHO)
		ret = mk_connect_echo(peer, from);
	else
		ret = mk_connect_listener(peer, wire->port, from);
	if (ret)
		mk_refuse_call(peer, wire->port, from, ret);
	return true;
}

/* Calls of our own */

static int mk_send_open(struct mk_channel *chan, unsigned long timeout)
{
	struct mk_wire_channel wire = { .port = chan->port };
	struct mk_msg_head head = {
		.kind = MK_KIND_CHANNEL,
		.type = MK_CHANNEL_OPEN,
		.from = chan->number,
	};

	return mk_peer_send_wait(chan->peer, &head, &wire, sizeof(wire),
				 timeout);
}

/* Has the peer answered? Then with what? */
static int mk_call_answer(struct mk_channel *chan, struct mk_refusal *r)
{
	int ret;

	spin_lock(&chan->lock);
	switch (chan->state) {
	case MK_CHANNEL_CALLING:
		ret = -EINPROGRESS;
		break;
	case MK_CHANNEL_DEAD:
		ret = mk_peer_gone(chan->peer);
		break;
	default:
		/* CLOSED without an error: accepted, and closed at once. */
		ret = chan->error;
		if (ret)
			*r = chan->answer;
	}
	spin_unlock(&chan->lock);
	return ret;
}

static int mk_call_wait(struct mk_channel *chan, unsigned long end,
			struct mk_refusal *r)
{
	long left = max_t(long, end - jiffies, 1);
	int ret;

	left = wait_event_interruptible_timeout(chan->wait,
				mk_call_answer(chan, r) != -EINPROGRESS, left);
	ret = mk_call_answer(chan, r);
	if (ret != -EINPROGRESS)
		return ret;
	return left < 0 ? -EINTR : -ETIMEDOUT;
}

/**
 * mk_channel_call() - call a peer and wait for its answer
 * @chan: new, with a peer
 * @timeout_ms: for all of it
 * @r: why not, on failure
 *
 * Return: 0; -ECONNREFUSED nobody listens; -ENOSPC the peer has too many;
 * -ETIMEDOUT, -EINTR: the end may be connected all the same; -EPIPE, -ESTALE.
 */
int mk_channel_call(struct mk_channel *chan, unsigned int timeout_ms,
		    struct mk_refusal *r)
{
	unsigned long timeout = msecs_to_jiffies(timeout_ms);
	unsigned long end = jiffies + timeout;
	int ret = mk_send_open(chan, timeout);

	if (ret) {
		/* The peer does not know of it: there is nothing to close. */
		spin_lock(&chan->lock);
		mk_channel_retire(chan);
		spin_unlock(&chan->lock);
	} else {
		ret = mk_call_wait(chan, end, r);
	}
	if (ret == -ETIMEDOUT && !r->reason)
		mk_refuse(r, MK_REASON_TIMEOUT, timeout_ms, 0, chan->name);
	else if (ret == -EPIPE)
		mk_refuse(r, MK_REASON_PEER_DIED, 0, 0, chan->name);
	else if (ret == -ESTALE)
		mk_refuse(r, MK_REASON_PEER_RESTARTED, 0, 0, chan->name);
	else if (ret && r->reason && !r->object[0])
		strscpy(r->object, chan->name, sizeof(r->object));
	return ret;
}
