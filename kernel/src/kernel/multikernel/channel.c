// SPDX-License-Identifier: GPL-2.0-only
/*
 * Channels of programs: their ends, and what a peer says of them. See channel.h
 * for the life of an end.
 *
 * What a peer says is hostile until checked: an end is found by a number of
 * our own and belongs to this peer alone, the number of the other end has to be
 * the one that it came with, and every count is checked by mk_stream.h. What
 * fits nothing is counted (unknown, refused) and dropped.
 *
 * All of it runs in process context. Locks: chan->lock, and inside it those of
 * peer->ends, of the list of listeners, and of sending.
 */
#define pr_fmt(fmt) "multikernel: " fmt

#include <linux/slab.h>

#include "channel.h"

static atomic_t mk_nr_channels = ATOMIC_INIT(0);

static void mk_channel_work(struct work_struct *work);

/**
 * mk_channel_new() - an end that is nowhere yet
 * @name: of the peer, or empty
 * @port: of it
 * @own: not a program's
 *
 * Return: with a reference, or ERR_PTR: -ENOSPC or -ENOMEM.
 */
struct mk_channel *mk_channel_new(const char *name, u32 port, bool own)
{
	struct mk_channel *chan;

	if (!own && atomic_inc_return(&mk_nr_channels) > MK_CHANNELS_MAX) {
		atomic_dec(&mk_nr_channels);
		return ERR_PTR(-ENOSPC);
	}
	chan = kzalloc(sizeof(*chan), GFP_KERNEL);
	if (!chan) {
		if (!own)
			atomic_dec(&mk_nr_channels);
		return ERR_PTR(-ENOMEM);
	}
	kref_init(&chan->ref);
	INIT_LIST_HEAD(&chan->node);
	strscpy(chan->name, name, sizeof(chan->name));
	chan->port = port;
	chan->own = own;
	spin_lock_init(&chan->lock);
	INIT_LIST_HEAD(&chan->queue);
	init_waitqueue_head(&chan->wait);
	mutex_init(&chan->read_lock);
	INIT_DELAYED_WORK(&chan->work, mk_channel_work);
	return chan;
}

static void mk_channel_purge(struct mk_channel *chan)
{
	struct mk_packet *p, *next;

	list_for_each_entry_safe(p, next, &chan->queue, node)
		kfree(p);
	INIT_LIST_HEAD(&chan->queue);
}

static void mk_channel_free(struct kref *ref)
{
	struct mk_channel *chan = container_of(ref, struct mk_channel, ref);

	mk_channel_purge(chan);
	if (!chan->own)
		atomic_dec(&mk_nr_channels);
	else if (chan->peer)
		atomic_dec(&chan->peer->own_ends);
	if (chan->peer)
		mk_peer_put(chan->peer);
	mutex_destroy(&chan->read_lock);
	kfree(chan);
}

/** mk_channel_put() - drop a reference; without chan->lock if it may be the last */
void mk_channel_put(struct mk_channel *chan)
{
	kref_put(&chan->ref, mk_channel_free);
}

/**
 * mk_channel_join() - give an end a peer and a number
 * @chan: end that nobody else changes: new, or taken off the list of listeners
 * @peer: to hold a reference of
 *
 * Return: 0; -ENOSPC no number is left in the life of @peer; -ENOMEM.
 */
int mk_channel_join(struct mk_channel *chan, struct mk_peer *peer)
{
	int last = atomic_fetch_add_unless(&peer->last_end, 1, -1);
	int ret;

	if (last == -1)
		return -ENOSPC;
	chan->number = (u32)last + 1;
	chan->peer = mk_peer_hold(peer);
	kref_get(&chan->ref);
	chan->joined = true;
	ret = xa_insert(&peer->ends, chan->number, chan, GFP_KERNEL);
	if (!ret)
		return 0;
	chan->joined = false;
	chan->peer = NULL;
	mk_channel_put(chan);
	mk_peer_put(peer);
	return ret;
}

/**
 * mk_channel_retire() - its number is nobody's from now on
 * @chan: end; under its lock, the caller has a reference
 */
void mk_channel_retire(struct mk_channel *chan)
{
	if (!chan->joined)
		return;
	chan->joined = false;
	chan->due = 0;
	xa_erase(&chan->peer->ends, chan->number);
	mk_channel_put(chan);
	if (cancel_delayed_work(&chan->work))
		mk_channel_put(chan);
}

static void mk_channel_later(struct mk_channel *chan, unsigned long delay)
{
	kref_get(&chan->ref);
	if (mod_delayed_work(system_wq, &chan->work, delay))
		mk_channel_put(chan);	/* it was under way, with a reference */
}

/* The ring takes it or not; this never waits. */
static int mk_channel_post(struct mk_channel *chan, u32 type, u32 id,
			   const void *data, u32 len)
{
	struct mk_msg_head head = {
		.type = type,
		.id = id,
		.kind = MK_KIND_CHANNEL,
		.from = chan->number,
		.to = chan->remote,
		.nr = chan->stream.sent,
		.ack = chan->stream.consumed,
	};
	int ret = mk_peer_send(chan->peer, &head, data, len);

	if (ret == -EAGAIN)
		chan->starved = true;
	return ret;
}

static int mk_channel_post_refusal(struct mk_channel *chan)
{
	struct {
		struct mk_wire_answer answer;
		struct mk_refusal refusal;
	} wire = {
		.answer.error = -chan->error,
		.refusal = chan->answer,
	};

	return mk_channel_post(chan, MK_CHANNEL_REFUSE, 0, &wire, sizeof(wire));
}

static int mk_channel_say(struct mk_channel *chan, u32 what)
{
	switch (what) {
	case MK_DUE_ACCEPT:
		return mk_channel_post(chan, MK_CHANNEL_ACCEPT, 0, NULL, 0);
	case MK_DUE_REFUSE:
		return mk_channel_post_refusal(chan);
	case MK_DUE_ACK:
		return mk_channel_post(chan, MK_CHANNEL_ACK,
				       MK_CHANNEL_ACK_TELL, NULL, 0);
	case MK_DUE_ASK:
		return mk_channel_post(chan, MK_CHANNEL_ACK,
				       MK_CHANNEL_ACK_ASK, NULL, 0);
	default:
		return mk_channel_post(chan, MK_CHANNEL_CLOSE, 0, NULL, 0);
	}
}

static void mk_channel_said(struct mk_channel *chan, u32 what)
{
	mk_stream_told(&chan->stream);
	chan->due &= ~what;
	if (what == MK_DUE_CLOSE)
		chan->close_sent = true;
	if (what == MK_DUE_REFUSE || (chan->close_sent && chan->close_seen))
		mk_channel_retire(chan);
}

/**
 * mk_channel_flush() - say what is due
 * @chan: end; under its lock, the caller has a reference
 *
 * Return: 0, -EAGAIN the rest stays due, -EPIPE or -ESTALE.
 */
int mk_channel_flush(struct mk_channel *chan)
{
	u32 what;
	int ret;

	while (chan->due) {
		what = BIT(__ffs(chan->due));
		ret = mk_channel_say(chan, what);
		if (ret)
			return ret;
		mk_channel_said(chan, what);
	}
	return 0;
}

/**
 * mk_channel_send() - send one message
 * @chan: end that is connected; under its lock
 * @data: of it
 * @len: 1 to MK_MESSAGE_MAX
 *
 * Return: 0; -EAGAIN the other end, or the ring, has no room: chan->wait is
 * woken when there is; -EPIPE or -ESTALE.
 */
int mk_channel_send(struct mk_channel *chan, const void *data, u32 len)
{
	int ret = mk_channel_flush(chan);

	if (ret)
		return ret;
	if (!mk_stream_may_send(&chan->stream))
		return -EAGAIN;
	ret = mk_channel_post(chan, MK_CHANNEL_DATA, 0, data, len);
	if (ret)
		return ret;
	mk_stream_sent(&chan->stream);
	chan->sent++;
	return 0;
}

static void mk_channel_ack_if_due(struct mk_channel *chan)
{
	if (!mk_stream_ack_due(&chan->stream) || chan->close_seen ||
	    chan->close_sent)
		return;
	chan->due |= MK_DUE_ACK;
	mk_channel_flush(chan);
}

/** mk_channel_consumed() - one message is done with; under chan->lock */
void mk_channel_consumed(struct mk_channel *chan)
{
	mk_stream_consume(&chan->stream);
	mk_channel_ack_if_due(chan);
}

/**
 * mk_channel_watch() - somebody wants to write, and there is no room
 * @chan: end; under its lock
 */
void mk_channel_watch(struct mk_channel *chan)
{
	if (chan->want_room || chan->state != MK_CHANNEL_CONNECTED)
		return;
	chan->want_room = true;
	mk_channel_later(chan, MK_CHANNEL_ASK);
}

/* Has nobody made room for so long? It may not know that it should. */
static void mk_channel_ask(struct mk_channel *chan)
{
	if (!chan->want_room || chan->state != MK_CHANNEL_CONNECTED)
		return;
	if (!mk_stream_may_send(&chan->stream))
		chan->due |= MK_DUE_ASK;
	mk_channel_flush(chan);
	mk_channel_later(chan, MK_CHANNEL_ASK);
}

static void mk_channel_work(struct work_struct *work)
{
	struct mk_channel *chan = container_of(to_delayed_work(work),
					       struct mk_channel, work);

	spin_lock(&chan->lock);
	if (!chan->released)
		mk_channel_ask(chan);
	else if (time_before(jiffies, chan->linger))
		mk_channel_later(chan, chan->linger - jiffies);
	else
		mk_channel_retire(chan);
	spin_unlock(&chan->lock);
	mk_channel_put(chan);
}

/**
 * mk_channel_release() - nobody uses this end any more
 * @chan: end; the caller's reference goes
 *
 * What was sent before still arrives: CLOSE comes behind it. The end stays until
 * the other one has said CLOSE too, as it may have messages under way.
 */
void mk_channel_release(struct mk_channel *chan)
{
	spin_lock(&chan->lock);
	chan->released = true;
	/* Not before that: who failed to connect it puts it back. */
	mk_channel_unlisten(chan);
	mk_channel_purge(chan);
	/* One that was just called is refused by who called it. */
	if (chan->joined && chan->state != MK_CHANNEL_LISTENING &&
	    !chan->close_sent) {
		chan->due &= ~(MK_DUE_ACK | MK_DUE_ASK);
		chan->due |= MK_DUE_CLOSE;
		mk_channel_flush(chan);
	}
	if (chan->joined && chan->state != MK_CHANNEL_LISTENING) {
		chan->linger = jiffies + MK_CHANNEL_LINGER;
		mk_channel_later(chan, MK_CHANNEL_LINGER);
	}
	spin_unlock(&chan->lock);
	mk_channel_put(chan);
}

/* With a reference */
static struct mk_channel *mk_end_get(struct mk_peer *peer, u32 number)
{
	struct mk_channel *chan;

	xa_lock(&peer->ends);
	chan = xa_load(&peer->ends, number);
	if (chan)
		kref_get(&chan->ref);
	xa_unlock(&peer->ends);
	return chan;
}

/* The first one from number *@number on, with a reference */
static struct mk_channel *mk_end_next(struct mk_peer *peer,
				      unsigned long *number)
{
	struct mk_channel *chan;

	xa_lock(&peer->ends);
	chan = xa_find(&peer->ends, number, U32_MAX, XA_PRESENT);
	if (chan)
		kref_get(&chan->ref);
	xa_unlock(&peer->ends);
	return chan;
}

#define for_each_end(peer, number, chan)				\
	for (number = 0; (chan = mk_end_next(peer, &number));		\
	     number++, mk_channel_put(chan))

/**
 * mk_channel_of() - the end whose other end has number @remote
 *
 * A walk: only for where our own number is not known. Return: with a reference,
 * or NULL.
 */
struct mk_channel *mk_channel_of(struct mk_peer *peer, u32 remote)
{
	struct mk_channel *chan;
	unsigned long number;

	for_each_end(peer, number, chan)
		if (READ_ONCE(chan->remote) == remote)
			return chan;
	return NULL;
}

static void mk_channel_wake(struct mk_channel *chan)
{
	wake_up_interruptible(&chan->wait);
}

/* The counts that are in every message but those that open a channel */
static void mk_channel_counts(struct mk_channel *chan, const struct mk_msg *msg)
{
	if (mk_stream_take_ack(&chan->stream, msg->head.ack)) {
		chan->want_room = false;
		mk_channel_wake(chan);
	}
	if (msg->head.type == MK_CHANNEL_DATA)
		return;
	if (mk_stream_take_gap(&chan->stream, msg->head.nr))
		mk_channel_ack_if_due(chan);
}

static bool mk_on_accept(struct mk_channel *chan, const struct mk_msg *msg)
{
	if (chan->state != MK_CHANNEL_CALLING || chan->remote ||
	    !msg->head.from)
		return false;
	WRITE_ONCE(chan->remote, msg->head.from);
	chan->state = MK_CHANNEL_CONNECTED;
	mk_channel_wake(chan);
	return true;
}

static bool mk_on_refuse(struct mk_channel *chan, const struct mk_msg *msg)
{
	const struct mk_wire_answer *answer = (const void *)msg->payload;

	if (chan->state != MK_CHANNEL_CALLING || chan->remote ||
	    msg->len < sizeof(*answer) || !answer->error ||
	    answer->error > MK_WIRE_ERRNO_MAX)
		return false;
	chan->error = -(int)answer->error;
	if (msg->len >= sizeof(*answer) + sizeof(chan->answer))
		memcpy(&chan->answer, answer + 1, sizeof(chan->answer));
	chan->answer.reserved = 0;
	chan->answer.object[sizeof(chan->answer.object) - 1] = 0;
	chan->state = MK_CHANNEL_CLOSED;
	mk_channel_retire(chan);
	mk_channel_wake(chan);
	return true;
}

/* Does this come from the other end of a channel that is there? */
static bool mk_from_other_end(const struct mk_channel *chan,
			      const struct mk_msg *msg)
{
	return chan->remote && chan->remote == msg->head.from &&
	       !chan->close_seen;
}

static bool mk_on_data(struct mk_channel *chan, const struct mk_msg *msg,
		       struct mk_packet **packet)
{
	if (!mk_from_other_end(chan, msg) || !msg->len)
		return false;
	mk_channel_counts(chan, msg);
	if (!mk_stream_take(&chan->stream, msg->head.nr))
		return false;
	chan->received++;
	if (chan->released) {
		mk_stream_consume(&chan->stream);
		return true;
	}
	list_add_tail(&(*packet)->node, &chan->queue);
	*packet = NULL;
	mk_channel_wake(chan);
	if (chan->own)
		mk_echo_pump(chan);
	mk_channel_ack_if_due(chan);	/* it may have no room from now on */
	return true;
}

static bool mk_on_ack(struct mk_channel *chan, const struct mk_msg *msg)
{
	if (!mk_from_other_end(chan, msg))
		return false;
	mk_channel_counts(chan, msg);
	if (msg->head.id == MK_CHANNEL_ACK_ASK && !chan->close_sent) {
		chan->due |= MK_DUE_ACK;
		mk_channel_flush(chan);
	}
	if (chan->own)
		mk_echo_pump(chan);
	return true;
}

static bool mk_on_close(struct mk_channel *chan, const struct mk_msg *msg)
{
	if (!mk_from_other_end(chan, msg))
		return false;
	mk_channel_counts(chan, msg);
	chan->close_seen = true;
	chan->due &= ~(MK_DUE_ACK | MK_DUE_ASK);
	if (chan->state == MK_CHANNEL_CONNECTED)
		chan->state = MK_CHANNEL_CLOSED;
	if (!chan->close_sent)
		chan->due |= MK_DUE_CLOSE;
	else
		mk_channel_retire(chan);
	mk_channel_flush(chan);
	mk_channel_wake(chan);
	return true;
}

static struct mk_packet *mk_packet_new(const struct mk_msg *msg)
{
	struct mk_packet *p = kmalloc(struct_size(p, data, msg->len),
				      GFP_KERNEL);

	if (!p)
		return NULL;
	p->len = msg->len;
	memcpy(p->data, msg->payload, msg->len);
	return p;
}

static bool mk_channel_dispatch(struct mk_channel *chan,
				const struct mk_msg *msg,
				struct mk_packet **packet)
{
	switch (msg->head.type) {
	case MK_CHANNEL_ACCEPT:
		return mk_on_accept(chan, msg);
	case MK_CHANNEL_REFUSE:
		return mk_on_refuse(chan, msg);
	case MK_CHANNEL_DATA:
		return mk_on_data(chan, msg, packet);
	case MK_CHANNEL_ACK:
		return mk_on_ack(chan, msg);
	case MK_CHANNEL_CLOSE:
		return mk_on_close(chan, msg);
	default:
		return false;
	}
}

static bool mk_channel_on_message(struct mk_channel *chan,
				  const struct mk_msg *msg)
{
	struct mk_packet *packet = NULL;
	bool ok;

	/* Without memory it is lost, and the next message's number tells. */
	if (msg->head.type == MK_CHANNEL_DATA) {
		packet = mk_packet_new(msg);
		if (!packet)
			return true;
	}
	spin_lock(&chan->lock);
	ok = mk_channel_dispatch(chan, msg, &packet);
	spin_unlock(&chan->lock);
	kfree(packet);
	return ok;
}

static void mk_channel_count(u64 *counter)
{
	WRITE_ONCE(*counter, *counter + 1);
}

/** mk_channel_message() - a peer says something; its rx work */
void mk_channel_message(struct mk_peer *peer, const struct mk_msg *msg)
{
	struct mk_channel *chan;

	if (msg->head.type == MK_CHANNEL_OPEN) {
		if (!mk_channel_on_open(peer, msg))
			mk_channel_count(&peer->counters.refused);
		return;
	}
	if (!msg->head.to && msg->head.type == MK_CHANNEL_CLOSE)
		chan = mk_channel_of(peer, msg->head.from);
	else
		chan = mk_end_get(peer, msg->head.to);
	if (!chan) {
		/* Who gave up waiting may have been refused meanwhile. */
		if (msg->head.to || msg->head.type != MK_CHANNEL_CLOSE)
			mk_channel_count(&peer->counters.unknown);
		return;
	}
	if (!mk_channel_on_message(chan, msg))
		mk_channel_count(&peer->counters.refused);
	mk_channel_put(chan);
}

/** mk_channel_space() - the ring to @peer, which was full, has space again */
void mk_channel_space(struct mk_peer *peer)
{
	struct mk_channel *chan;
	unsigned long number;

	for_each_end(peer, number, chan) {
		spin_lock(&chan->lock);
		if (chan->starved) {
			chan->starved = false;
			mk_channel_flush(chan);
			if (chan->own)
				mk_echo_pump(chan);
			mk_channel_wake(chan);
		}
		spin_unlock(&chan->lock);
	}
}

/** mk_channel_peer_down() - nothing more comes from @peer, nothing goes there */
void mk_channel_peer_down(struct mk_peer *peer)
{
	struct mk_channel *chan;
	unsigned long number;

	for_each_end(peer, number, chan) {
		spin_lock(&chan->lock);
		if (chan->state == MK_CHANNEL_CALLING ||
		    chan->state == MK_CHANNEL_CONNECTED)
			chan->state = MK_CHANNEL_DEAD;
		mk_channel_retire(chan);
		mk_channel_wake(chan);
		spin_unlock(&chan->lock);
	}
}

void mk_channel_init_peer(struct mk_peer *peer)
{
	xa_init(&peer->ends);
	atomic_set(&peer->last_end, 0);
	atomic_set(&peer->own_ends, 0);
}
