// SPDX-License-Identifier: GPL-2.0-only
/*
 * Changes of state as events: of one instance (the present state, then each
 * newer one that the reader is quick enough for), and of all (a ring of the
 * last MK_EVENTS_KEPT, so that a reader misses none that he is not very late
 * for, and knows how many he missed if he was).
 */
#include <linux/anon_inodes.h>
#include <linux/fs.h>
#include <linux/ktime.h>
#include <linux/poll.h>
#include <linux/slab.h>
#include <linux/timekeeping.h>
#include <linux/uaccess.h>

#include "internal.h"

/*
 * The ring: event number n, counted from 1, is at n % MK_EVENTS_KEPT. The lock
 * is the last of all to be taken.
 */
static DEFINE_SPINLOCK(mk_events_lock);
static DECLARE_WAIT_QUEUE_HEAD(mk_events_wait);
static struct mk_event mk_events[MK_EVENTS_KEPT];
static u64 mk_events_made;

/* The present state of @inst; under its lock */
static void mk_event_fill(const struct mk_instance *inst, struct mk_event *e)
{
	memset(e, 0, sizeof(*e));
	e->change_seq = inst->change_seq;
	e->time_ns = inst->change_ns;
	e->realtime_ns = inst->change_realtime_ns;
	e->id = inst->id;
	e->state = inst->state;
	e->cause = inst->cause;
	e->epoch = READ_ONCE(inst->epoch);
	e->stuck_cpu = inst->state == MK_STATE_UNRESPONSIVE ?
		       inst->stuck_cpu : 0;
	memcpy(e->name, inst->name, sizeof(e->name));
}

/**
 * mk_event_add() - an instance has changed
 * @inst: under inst->lock, which gives the events of one their order
 *
 * The caller wakes the readers by mk_events_wake() when it has let go.
 */
void mk_event_add(const struct mk_instance *inst)
{
	struct mk_event *e;

	lockdep_assert_held(&inst->lock);
	spin_lock(&mk_events_lock);
	e = &mk_events[++mk_events_made % MK_EVENTS_KEPT];
	mk_event_fill(inst, e);
	if (inst->gone)
		e->state = MK_STATE_GONE;
	e->change_seq = mk_events_made;
	spin_unlock(&mk_events_lock);
}

void mk_events_wake(void)
{
	wake_up_interruptible_poll(&mk_events_wait, EPOLLIN);
}

/**
 * mk_event_next() - the next event of all instances
 * @seen: number of the last one that was read; 0 for none yet
 * @ret: the next one
 *
 * Return: false if there is none.
 */
bool mk_event_next(u64 seen, struct mk_event *ret)
{
	unsigned long flags;
	u64 oldest, want;
	bool there;

	spin_lock_irqsave(&mk_events_lock, flags);
	oldest = mk_events_made < MK_EVENTS_KEPT ?
		 1 : mk_events_made - MK_EVENTS_KEPT + 1;
	want = max(seen + 1, oldest);
	there = want <= mk_events_made;
	if (there) {
		*ret = mk_events[want % MK_EVENTS_KEPT];
		ret->lost = seen ? want - seen - 1 : 0;
	}
	spin_unlock_irqrestore(&mk_events_lock, flags);
	return there;
}

/**
 * struct mk_event_fd - who reads states
 * @inst: with a reference; NULL for all instances
 * @seen: change_seq of the last event read, 0 for none
 */
struct mk_event_fd {
	struct mk_instance *inst;
	u64 seen;
};

static bool mk_event_get(struct mk_event_fd *efd, struct mk_event *ret)
{
	struct mk_instance *inst = efd->inst;
	unsigned long flags;

	if (!inst)
		return mk_event_next(efd->seen, ret);
	spin_lock_irqsave(&inst->lock, flags);
	mk_event_fill(inst, ret);
	spin_unlock_irqrestore(&inst->lock, flags);
	return ret->change_seq != efd->seen;
}

static bool mk_event_gone(const struct mk_event_fd *efd)
{
	return efd->inst && READ_ONCE(efd->inst->gone);
}

static wait_queue_head_t *mk_event_queue(const struct mk_event_fd *efd)
{
	return efd->inst ? &efd->inst->changed : &mk_events_wait;
}

static ssize_t mk_event_read(struct file *file, char __user *buf, size_t len,
			     loff_t *pos)
{
	struct mk_event_fd *efd = file->private_data;
	struct mk_event event = { };
	int ret;

	if (len < sizeof(event))
		return -EINVAL;
	while (!mk_event_gone(efd) && !mk_event_get(efd, &event)) {
		if (file->f_flags & O_NONBLOCK)
			return -EAGAIN;
		ret = wait_event_interruptible(*mk_event_queue(efd),
			mk_event_gone(efd) || mk_event_get(efd, &event));
		if (ret)
			return ret;
	}
	if (mk_event_gone(efd))
		return -ENODEV;
	if (copy_to_user(buf, &event, sizeof(event)))
		return -EFAULT;
	efd->seen = event.change_seq;
	return sizeof(event);
}

static __poll_t mk_event_poll(struct file *file, poll_table *wait)
{
	struct mk_event_fd *efd = file->private_data;
	struct mk_event event;

	poll_wait(file, mk_event_queue(efd), wait);
	if (mk_event_gone(efd))
		return EPOLLHUP | EPOLLIN;
	return mk_event_get(efd, &event) ? EPOLLIN : 0;
}

static int mk_event_release(struct inode *inode, struct file *file)
{
	struct mk_event_fd *efd = file->private_data;

	if (efd->inst)
		mk_instance_put(efd->inst);
	kfree(efd);
	return 0;
}

static const struct file_operations mk_event_fops = {
	.read		= mk_event_read,
	.poll		= mk_event_poll,
	.release	= mk_event_release,
	.llseek		= noop_llseek,
};

/**
 * mk_open_events() - a descriptor on the states of one instance, or of all
 * @inst: instance, or NULL; the reference is taken over on success
 *
 * Return: fd or -errno.
 */
int mk_open_events(struct mk_instance *inst)
{
	struct mk_event_fd *efd = kzalloc(sizeof(*efd), GFP_KERNEL);
	int fd;

	if (!efd)
		return -ENOMEM;
	efd->inst = inst;
	fd = anon_inode_getfd("[multikernel-events]", &mk_event_fops, efd,
			      O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		kfree(efd);
	return fd;
}
