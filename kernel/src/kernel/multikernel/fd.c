// SPDX-License-Identifier: GPL-2.0-only
/*
 * File descriptors on one instance: its kernel log. Those on its states are in
 * events.c, those on its memory in dump.c.
 *
 * They hold a reference to the object, not to its resources: after DESTROY
 * reads give -ENODEV and poll says EPOLLHUP.
 */
#include <linux/anon_inodes.h>
#include <linux/fs.h>
#include <linux/jiffies.h>
#include <linux/poll.h>
#include <linux/slab.h>
#include <linux/timer.h>
#include <linux/uaccess.h>

#include "internal.h"

#define MK_LOG_READ_MAX	SZ_64K

/**
 * struct mk_log_fd - who reads a log
 * @inst: with a reference
 * @lock: one read at a time
 * @reader: position
 * @dry_head: where the log ended when there was nothing to read
 * @epoch: of the log that @reader is in; a new start begins anew
 * @timer: looks for news while somebody polls: the writer rings no doorbell
 * @wait: pollers
 */
struct mk_log_fd {
	struct mk_instance *inst;
	struct mutex lock;
	struct mk_log_reader reader;
	u64 dry_head;
	u32 epoch;
	struct timer_list timer;
	wait_queue_head_t wait;
};

#define MK_LOG_POLL_JIFFIES (HZ / 20)

static void mk_log_tick(struct timer_list *timer)
{
	struct mk_log_fd *lfd = from_timer(lfd, timer, timer);

	wake_up_interruptible(&lfd->wait);
}

static ssize_t mk_log_fetch(struct mk_log_fd *lfd, char *buf, size_t len)
{
	struct mk_instance *inst = lfd->inst;
	ssize_t ret;
	u64 head;

	guard(mutex)(&inst->log_lock);
	if (inst->gone)
		return -ENODEV;
	if (!inst->epoch)
		return 0;
	if (lfd->epoch != inst->epoch) {
		lfd->epoch = inst->epoch;
		memset(&lfd->reader, 0, sizeof(lfd->reader));
	}
	head = READ_ONCE(inst->log->head);
	ret = mk_log_read(inst->log, MK_LOG_DATA_BYTES, &lfd->reader, buf,
			  len);
	if (!ret)
		lfd->dry_head = head;
	return ret;
}

static ssize_t mk_log_fd_read(struct file *file, char __user *ubuf,
			      size_t len, loff_t *pos)
{
	struct mk_log_fd *lfd = file->private_data;
	char *buf;
	ssize_t ret;

	if (!len)
		return 0;
	len = min_t(size_t, len, MK_LOG_READ_MAX);
	buf = kvmalloc(len, GFP_KERNEL);
	if (!buf)
		return -ENOMEM;
	mutex_lock(&lfd->lock);
	ret = mk_log_fetch(lfd, buf, len);
	mutex_unlock(&lfd->lock);
	if (ret > 0 && copy_to_user(ubuf, buf, ret))
		ret = -EFAULT;
	kvfree(buf);
	return ret;
}

/*
 * Is there text beyond what was read? Only a hint, so no snapshot. A head at
 * which there was nothing to read is no news: it may be nonsense.
 */
static bool mk_log_more(struct mk_log_fd *lfd)
{
	struct mk_instance *inst = lfd->inst;
	u64 head;

	guard(mutex)(&inst->log_lock);
	if (inst->gone)
		return true;
	if (!inst->epoch)
		return false;
	head = READ_ONCE(inst->log->head);
	return lfd->epoch != inst->epoch ||
	       (head != lfd->reader.pos && head != lfd->dry_head);
}

static __poll_t mk_log_poll(struct file *file, poll_table *wait)
{
	struct mk_log_fd *lfd = file->private_data;

	poll_wait(file, &lfd->wait, wait);
	if (READ_ONCE(lfd->inst->gone))
		return EPOLLHUP | EPOLLIN;
	if (mk_log_more(lfd))
		return EPOLLIN;
	mod_timer(&lfd->timer, jiffies + MK_LOG_POLL_JIFFIES);
	return 0;
}

static int mk_log_release(struct inode *inode, struct file *file)
{
	struct mk_log_fd *lfd = file->private_data;

	timer_shutdown_sync(&lfd->timer);
	mk_instance_put(lfd->inst);
	kfree(lfd);
	return 0;
}

static const struct file_operations mk_log_fops = {
	.read		= mk_log_fd_read,
	.poll		= mk_log_poll,
	.release	= mk_log_release,
	.llseek		= noop_llseek,
};

static int mk_open_log(struct mk_instance *inst)
{
	struct mk_log_fd *lfd = kzalloc(sizeof(*lfd), GFP_KERNEL);
	int fd;

	if (!lfd)
		return -ENOMEM;
	lfd->inst = inst;
	mutex_init(&lfd->lock);
	init_waitqueue_head(&lfd->wait);
	timer_setup(&lfd->timer, mk_log_tick, 0);
	fd = anon_inode_getfd("[multikernel-log]", &mk_log_fops, lfd,
			      O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		kfree(lfd);
	return fd;
}

/**
 * mk_fd_open() - open a descriptor on an instance
 * @inst: instance; the reference goes to the descriptor, or is dropped. NULL
 *	for all, of which there are only events
 * @kind: MK_OPEN_EVENTS, MK_OPEN_LOG or MK_OPEN_MEMORY
 *
 * Return: fd or -errno.
 */
int mk_fd_open(struct mk_instance *inst, u32 kind)
{
	int fd = -EINVAL;

	if (kind == MK_OPEN_EVENTS)
		fd = mk_open_events(inst);
	else if (kind == MK_OPEN_LOG && inst)
		fd = mk_open_log(inst);
	else if (kind == MK_OPEN_MEMORY && inst)
		fd = mk_open_memory(inst);
	if (fd < 0 && inst)
		mk_instance_put(inst);
	return fd;
}
