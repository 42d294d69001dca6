// SPDX-License-Identifier: GPL-2.0-only
/*
 * Descriptors of channels: opening, reading, writing, poll, and what can be
 * asked of them.
 *
 * A descriptor outlives its peer. Reads first give what had arrived; then they
 * and all writes fail with -EPIPE, and with -ESTALE once the peer runs again.
 */
#define pr_fmt(fmt) "multikernel: " fmt

#include <linux/anon_inodes.h>
#include <linux/cleanup.h>
#include <linux/fs.h>
#include <linux/poll.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "channel.h"

/* Why can nothing more be read or written? 0: because of nothing. */
static int mk_end_error(const struct mk_channel *chan)
{
	return chan->state == MK_CHANNEL_DEAD ? mk_peer_gone(chan->peer) : 0;
}

/* Notes why a read or write failed, for MK_IOC_CHANNEL_GET; under the lock. */
static int mk_failed(struct mk_channel *chan, int error, u32 reason, u64 a,
		     u64 b)
{
	if (error == -EPIPE && chan->state != MK_CHANNEL_CLOSED)
		reason = MK_REASON_PEER_DIED;
	else if (error == -EPIPE)
		reason = MK_REASON_CHANNEL_CLOSED;
	else if (error == -ESTALE)
		reason = MK_REASON_PEER_RESTARTED;
	mk_refuse(&chan->last, reason, a, b, chan->name);
	return error;
}

/* Reading */

static struct mk_packet *mk_first_packet(struct mk_channel *chan)
{
	return list_first_entry_or_null(&chan->queue, struct mk_packet, node);
}

/*
 * What a read finds: the first message in *@ret_packet, which stays where it
 * is, as the caller holds read_lock; 0 for closed; or why there is none.
 */
static int mk_read_look(struct mk_channel *chan, size_t room,
			struct mk_packet **ret_packet)
{
	struct mk_packet *p;
	int error;

	guard(spinlock)(&chan->lock);
	p = mk_first_packet(chan);
	if (p && p->len > room)
		return mk_failed(chan, -EMSGSIZE, MK_REASON_MSG_TOO_LARGE,
				 p->len, room);
	if (p) {
		*ret_packet = p;
		return p->len;
	}
	error = mk_end_error(chan);
	if (error)
		return mk_failed(chan, error, MK_REASON_NONE, 0, 0);
	if (chan->state == MK_CHANNEL_CLOSED)
		return 0;
	return mk_failed(chan, -EAGAIN, MK_REASON_CHANNEL_EMPTY, 0, 0);
}

static void mk_read_done(struct mk_channel *chan, struct mk_packet *p)
{
	spin_lock(&chan->lock);
	list_del(&p->node);
	mk_channel_consumed(chan);
	spin_unlock(&chan->lock);
	kfree(p);
}

static ssize_t mk_read_once(struct mk_channel *chan, char __user *buf,
			    size_t room)
{
	struct mk_packet *p = NULL;
	ssize_t ret;

	if (mutex_lock_interruptible(&chan->read_lock))
		return -ERESTARTSYS;
	ret = mk_read_look(chan, room, &p);
	if (p && copy_to_user(buf, p->data, p->len))
		ret = -EFAULT;
	else if (p)
		mk_read_done(chan, p);
	mutex_unlock(&chan->read_lock);
	return ret;
}

static bool mk_readable(struct mk_channel *chan)
{
	guard(spinlock)(&chan->lock);
	return mk_first_packet(chan) || chan->state == MK_CHANNEL_CLOSED ||
	       chan->state == MK_CHANNEL_DEAD;
}

static ssize_t mk_channel_read(struct file *file, char __user *buf, size_t len,
			       loff_t *pos)
{
	struct mk_channel *chan = file->private_data;
	ssize_t ret;

	for (;;) {
		ret = mk_read_once(chan, buf, len);
		if (ret != -EAGAIN || file->f_flags & O_NONBLOCK)
			return ret;
		ret = wait_event_interruptible(chan->wait, mk_readable(chan));
		if (ret)
			return ret;
	}
}

/* Writing */

static int mk_write_check(struct mk_channel *chan, size_t len)
{
	guard(spinlock)(&chan->lock);
	if (!len)
		return mk_failed(chan, -EINVAL, MK_REASON_MSG_EMPTY, 0, 0);
	if (len > MK_MESSAGE_MAX)
		return mk_failed(chan, -EMSGSIZE, MK_REASON_MSG_TOO_LARGE, len,
				 MK_MESSAGE_MAX);
	return 0;
}

static int mk_write_once(struct mk_channel *chan, const void *data, u32 len)
{
	u32 under_way;
	int ret;

	guard(spinlock)(&chan->lock);
	if (chan->state == MK_CHANNEL_LISTENING)
		return mk_failed(chan, -ENOTCONN, MK_REASON_CHANNEL_NO_CALLER,
				 chan->port, 0);
	if (chan->state == MK_CHANNEL_CLOSED)
		return mk_failed(chan, -EPIPE, MK_REASON_NONE, 0, 0);
	ret = mk_end_error(chan);
	if (!ret)
		ret = mk_channel_send(chan, data, len);
	if (ret == -EAGAIN)
		mk_channel_watch(chan);
	under_way = chan->stream.sent - chan->stream.acked;
	return ret ? mk_failed(chan, ret, MK_REASON_CHANNEL_FULL, under_way,
			       0) : 0;
}

/* Does the next write not have to wait? Also because there is no point. */
static bool mk_writable_locked(struct mk_channel *chan)
{
	return chan->state != MK_CHANNEL_CONNECTED ||
	       (!chan->starved && mk_stream_may_send(&chan->stream));
}

static bool mk_writable(struct mk_channel *chan)
{
	guard(spinlock)(&chan->lock);
	return mk_writable_locked(chan);
}

static ssize_t mk_channel_write(struct file *file, const char __user *buf,
				size_t len, loff_t *pos)
{
	struct mk_channel *chan = file->private_data;
	u8 data[MK_MESSAGE_MAX];
	int ret;

	ret = mk_write_check(chan, len);
	if (ret)
		return ret;
	if (copy_from_user(data, buf, len))
		return -EFAULT;
	for (;;) {
		ret = mk_write_once(chan, data, len);
		if (!ret)
			return len;
		if (ret != -EAGAIN || file->f_flags & O_NONBLOCK)
			return ret;
		ret = wait_event_interruptible(chan->wait, mk_writable(chan));
		if (ret)
			return ret;
	}
}

static __poll_t mk_channel_poll(struct file *file, poll_table *wait)
{
	struct mk_channel *chan = file->private_data;
	__poll_t mask = 0;

	poll_wait(file, &chan->wait, wait);
	guard(spinlock)(&chan->lock);
	if (mk_first_packet(chan))
		mask |= EPOLLIN | EPOLLRDNORM;
	switch (chan->state) {
	case MK_CHANNEL_CONNECTED:
		if (mk_writable_locked(chan))
			mask |= EPOLLOUT | EPOLLWRNORM;
		else
			mk_channel_watch(chan);
		break;
	case MK_CHANNEL_CLOSED:
		mask |= EPOLLIN | EPOLLOUT | EPOLLRDHUP;
		break;
	case MK_CHANNEL_DEAD:
		mask |= EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLHUP;
		break;
	default:
		break;
	}
	return mask;
}

/* Asking */

static void mk_channel_fill(struct mk_channel *chan, struct mk_channel_get *g)
{
	guard(spinlock)(&chan->lock);
	g->state = chan->state;
	g->port = chan->port;
	if (chan->state != MK_CHANNEL_LISTENING) {
		g->peer_id = chan->peer->id;
		g->peer_epoch = chan->peer->epoch;
	}
	strscpy(g->peer, chan->name, sizeof(g->peer));
	g->sent = chan->sent;
	g->received = chan->received;
	g->lost = chan->stream.lost;
	g->last = chan->last;
}

static long mk_channel_ioctl(struct file *file, unsigned int cmd,
			     unsigned long uarg)
{
	struct mk_channel_get g = { }, __user *user = (void __user *)uarg;
	u32 size;
	int ret;

	if (cmd != MK_IOC_CHANNEL_GET)
		return -ENOTTY;
	if (get_user(size, &user->size))
		return -EFAULT;
	if (size < sizeof(g) || size > PAGE_SIZE)
		return -EINVAL;
	ret = copy_struct_from_user(&g, sizeof(g), user, size);
	if (ret)
		return ret;
	memset(&g, 0, sizeof(g));
	g.size = size;
	mk_channel_fill(file->private_data, &g);
	return copy_to_user(user, &g, sizeof(g)) ? -EFAULT : 0;
}

static int mk_channel_close(struct inode *inode, struct file *file)
{
	mk_channel_release(file->private_data);
	return 0;
}

static const struct file_operations mk_channel_fops = {
	.read		= mk_channel_read,
	.write		= mk_channel_write,
	.poll		= mk_channel_poll,
	.unlocked_ioctl	= mk_channel_ioctl,
	.compat_ioctl	= compat_ptr_ioctl,
	.release	= mk_channel_close,
	.llseek		= noop_llseek,
};

/* Opening */

static int mk_open_check(const struct mk_channel_open *open,
			 struct mk_refusal *r)
{
	bool listen = open->flags & MK_CHANNEL_LISTEN;

	if (open->flags & ~(MK_CHANNEL_LISTEN | MK_CHANNEL_NONBLOCK) ||
	    open->reserved) {
		mk_refuse(r, MK_REASON_RESERVED_NOT_ZERO, 0, 0, NULL);
		return -EINVAL;
	}
	if (open->port > MK_PORT_MAX ||
	    (listen && open->port == MK_PORT_ECHO)) {
		mk_refuse(r, MK_REASON_PORT_BAD, open->port, MK_PORT_MAX, NULL);
		return -EINVAL;
	}
	if (strnlen(open->peer, sizeof(open->peer)) == sizeof(open->peer) ||
	    (!listen && !open->peer[0])) {
		mk_refuse(r, MK_REASON_PEER_UNKNOWN, 0, 0, NULL);
		return -ENOENT;
	}
	return 0;
}

static int mk_open_call(struct mk_channel *chan,
			const struct mk_channel_open *open,
			struct mk_refusal *r)
{
	struct mk_peer *peer = mk_peer_connect(open->peer, r);
	int ret;

	if (IS_ERR(peer))
		return PTR_ERR(peer);
	chan->state = MK_CHANNEL_CALLING;
	ret = mk_channel_join(chan, peer);
	mk_peer_put(peer);
	if (ret == -ENOSPC)
		mk_refuse(r, MK_REASON_CHANNEL_TOO_MANY, U32_MAX, 0, open->peer);
	return ret ?: mk_channel_call(chan, open->timeout_ms ?:
				      MK_CALL_TIMEOUT_MS, r);
}

static struct mk_channel *mk_open_new(const struct mk_channel_open *open,
				      struct mk_refusal *r)
{
	struct mk_channel *chan = mk_channel_new(open->peer, open->port, false);
	int ret = 0;

	if (chan == ERR_PTR(-ENOSPC))
		mk_refuse(r, MK_REASON_CHANNEL_TOO_MANY, MK_CHANNELS_MAX, 0,
			  NULL);
	if (IS_ERR(chan))
		return chan;
	if (open->flags & MK_CHANNEL_LISTEN)
		mk_channel_listen(chan);
	else
		ret = mk_open_call(chan, open, r);
	if (!ret)
		return chan;
	mk_channel_release(chan);
	return ERR_PTR(ret);
}

/**
 * mk_channel_open() - MK_IOC_CHANNEL_OPEN
 * @open: from user space; its fd is set on success
 * @r: why not, on failure
 */
int mk_channel_open(struct mk_channel_open *open, struct mk_refusal *r)
{
	int flags = O_RDWR | O_CLOEXEC;
	struct mk_channel *chan;
	int ret;

	open->fd = -1;
	ret = mk_open_check(open, r);
	if (ret)
		return ret;
	chan = mk_open_new(open, r);
	if (IS_ERR(chan))
		return PTR_ERR(chan);
	if (open->flags & MK_CHANNEL_NONBLOCK)
		flags |= O_NONBLOCK;
	ret = anon_inode_getfd("[multikernel-channel]", &mk_channel_fops, chan,
			       flags);
	if (ret < 0) {
		mk_channel_release(chan);
		return ret;
	}
	open->fd = ret;
	return 0;
}
