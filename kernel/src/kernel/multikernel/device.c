// SPDX-License-Identifier: GPL-2.0-only
/*
 * /dev/multikernel: the ioctls, through a table.
 *
 * Each op gets a private copy of its struct (copy_struct_from_user() takes
 * older and newer callers) and fills the refusal in it, which goes back to the
 * caller whether the op succeeded or not.
 */
#define pr_fmt(fmt) "multikernel: " fmt

#include <linux/capability.h>
#include <linux/cleanup.h>
#include <linux/fs.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/timekeeping.h>
#include <linux/uaccess.h>

#include "internal.h"
#include "peer.h"
#include "share.h"

static int mk_op_info(void *arg, struct mk_refusal *r)
{
	struct mk_info *info = arg;
	struct mk_instance *inst;
	u32 ranges;

	info->role = multikernel_role;
	info->abi_version = MK_ABI_VERSION;
	info->tsc_khz = mk_arch_tsc_khz();
	info->lapic_khz = mk_arch_lapic_khz();
	info->core_shift = mk_arch_core_shift();
	preempt_disable();
	info->realtime_ns = ktime_get_real_ns();
	info->tsc = mk_arch_tsc();
	preempt_enable();
	if (multikernel_is_instance()) {
		info->instance_id = mk_guest.id;
		strscpy(info->name, mk_guest.name, sizeof(info->name));
		info->region_addr = mk_guest.region_addr;
		info->region_bytes = mk_guest.region_bytes;
		return 0;
	}
	guard(mutex)(&mk_lock);
	info->region_addr = mk_region_addr;
	info->region_bytes = mk_region_bytes;
	info->start_page = mk_arch_start_page();
	info->pool_bytes = mk_pool_bytes;
	mk_pool_stat(&info->pool_free_bytes, &info->pool_largest_bytes,
		     &ranges);
	info->nr_pool_ranges = ranges;
	info->nr_instances = 0;
	list_for_each_entry(inst, &mk_instances, node)
		info->nr_instances++;
	return 0;
}

static int mk_op_create(void *arg, struct mk_refusal *r)
{
	struct mk_create *c = arg;

	if (strnlen(c->name, sizeof(c->name)) == sizeof(c->name)) {
		mk_refuse(r, MK_REASON_BAD_NAME, 0, 0, NULL);
		return -EINVAL;
	}
	return mk_instance_create(c->name, &c->id, r);
}

static int mk_op_destroy(void *arg, struct mk_refusal *r)
{
	struct mk_by_id *b = arg;

	if (b->flags || b->cause) {
		mk_refuse(r, MK_REASON_RESERVED_NOT_ZERO, 0, 0, NULL);
		return -EINVAL;
	}
	return mk_instance_destroy(b->id, r);
}

static int mk_op_set_cpus(void *arg, struct mk_refusal *r)
{
	struct mk_set_cpus *s = arg;
	u32 *cpus __free(kfree) = NULL;

	if (s->flags & ~MK_CPUS_SPLIT_CORES) {
		mk_refuse(r, MK_REASON_RESERVED_NOT_ZERO, 0, 0, NULL);
		return -EINVAL;
	}
	if (s->nr_cpus > MK_MAX_CPUS) {
		mk_refuse(r, MK_REASON_CPU_TOO_MANY, s->nr_cpus, MK_MAX_CPUS,
			  NULL);
		return -EINVAL;
	}
	cpus = kmalloc_array(s->nr_cpus + 1, sizeof(*cpus), GFP_KERNEL);
	if (!cpus)
		return -ENOMEM;
	if (copy_from_user(cpus, u64_to_user_ptr(s->cpus),
			   s->nr_cpus * sizeof(*cpus)))
		return -EFAULT;
	return mk_instance_set_cpus(s->id, cpus, s->nr_cpus, s->flags, r);
}

static int mk_op_set_memory(void *arg, struct mk_refusal *r)
{
	struct mk_memory_part parts[MK_MAX_RANGES];
	struct mk_set_memory *s = arg;
	u32 i, reserved = s->reserved;

	if (s->nr_parts > MK_MAX_RANGES) {
		mk_refuse(r, MK_REASON_BAD_STRUCT, s->nr_parts * sizeof(*parts),
			  sizeof(parts), NULL);
		return -EINVAL;
	}
	if (copy_from_user(parts, u64_to_user_ptr(s->parts),
			   s->nr_parts * sizeof(*parts)))
		return -EFAULT;
	for (i = 0; i < s->nr_parts; i++)
		reserved |= parts[i].reserved;
	if (reserved) {
		mk_refuse(r, MK_REASON_RESERVED_NOT_ZERO, 0, 0, NULL);
		return -EINVAL;
	}
	return mk_instance_set_memory(s->id, parts, s->nr_parts, r);
}

static int mk_op_start(void *arg, struct mk_refusal *r)
{
	struct mk_start *s = arg;
	void *dtb;
	int ret;

	if (s->dtb_bytes > MK_DTB_MAX) {
		mk_refuse(r, MK_REASON_DTB_TOO_LARGE, s->dtb_bytes, MK_DTB_MAX,
			  NULL);
		return -EINVAL;
	}
	dtb = memdup_user(u64_to_user_ptr(s->dtb), s->dtb_bytes);
	if (IS_ERR(dtb))
		return PTR_ERR(dtb);
	ret = mk_instance_start(s->id, dtb, s->dtb_bytes, &s->epoch, r);
	kfree_sensitive(dtb);		/* it carries the random seed */
	return ret;
}

static int mk_op_stop(void *arg, struct mk_refusal *r)
{
	struct mk_by_id *b = arg;

	if (b->flags || b->cause) {
		mk_refuse(r, MK_REASON_RESERVED_NOT_ZERO, 0, 0, NULL);
		return -EINVAL;
	}
	return mk_instance_stop(b->id, r);
}

static int mk_op_kill(void *arg, struct mk_refusal *r)
{
	struct mk_by_id *b = arg;
	u32 cause = b->cause ?: MK_CAUSE_KILL;

	if (b->flags ||
	    (cause != MK_CAUSE_KILL && cause != MK_CAUSE_HANG &&
	     cause != MK_CAUSE_BOOT_TIMEOUT)) {
		mk_refuse(r, MK_REASON_RESERVED_NOT_ZERO, 0, 0, NULL);
		return -EINVAL;
	}
	return mk_instance_kill(b->id, cause, r);
}

static int mk_op_freeze(void *arg, struct mk_refusal *r)
{
	struct mk_by_id *b = arg;

	if (b->flags || b->cause) {
		mk_refuse(r, MK_REASON_RESERVED_NOT_ZERO, 0, 0, NULL);
		return -EINVAL;
	}
	return mk_instance_freeze(b->id, r);
}

static int mk_op_thaw(void *arg, struct mk_refusal *r)
{
	struct mk_by_id *b = arg;

	if (b->flags || b->cause) {
		mk_refuse(r, MK_REASON_RESERVED_NOT_ZERO, 0, 0, NULL);
		return -EINVAL;
	}
	return mk_instance_thaw(b->id, r);
}

static int mk_op_set_watchdog(void *arg, struct mk_refusal *r)
{
	struct mk_set_watchdog *s = arg;

	if (s->reserved) {
		mk_refuse(r, MK_REASON_RESERVED_NOT_ZERO, 0, 0, NULL);
		return -EINVAL;
	}
	return mk_instance_set_watchdog(s->id, s->timeout_ms, r);
}

static struct mk_instance *mk_get_target(const struct mk_get *g)
{
	if (g->id & MK_GET_NEXT)
		return mk_instance_after(g->id & ~MK_GET_NEXT);
	if (g->id)
		return mk_instance_find(g->id);
	if (strnlen(g->name, sizeof(g->name)) == sizeof(g->name))
		return NULL;
	return mk_instance_by_name(g->name);
}

static u64 mk_beats(const struct mk_instance *inst)
{
	u64 sum = 0;
	u32 i;

	for (i = 0; i < MK_SLOT_CPUS; i++)
		sum += READ_ONCE(inst->slot->cpus[i].irq_beats);
	return sum;
}

static void mk_get_times(struct mk_instance *inst, struct mk_get *g)
{
	unsigned long flags;

	spin_lock_irqsave(&inst->lock, flags);
	g->state = inst->state;
	g->cause = inst->cause;
	memcpy(g->boot_id, inst->boot_id, sizeof(g->boot_id));
	g->change_seq = inst->change_seq;
	g->created_ns = inst->created_ns;
	g->loaded_ns = inst->loaded_ns;
	g->started_ns = inst->started_ns;
	g->sipi_ns = inst->sipi_ns;
	g->alive_ns = inst->alive_ns;
	g->log_zero_ns = inst->log_zero_ns;
	g->ready_ns = inst->ready_ns;
	g->ended_ns = inst->ended_ns;
	g->cpus_back_ns = inst->cpus_back_ns;
	g->ended_realtime_ns = inst->ended_realtime_ns;
	g->last_state = inst->last_state;
	g->last_cause = inst->last_cause;
	g->last_ended_realtime_ns = inst->last_ended_realtime_ns;
	if (inst->state == MK_STATE_UNRESPONSIVE) {
		g->nr_stuck = inst->nr_stuck;
		g->stuck_cpu = inst->stuck_cpu;
	}
	spin_unlock_irqrestore(&inst->lock, flags);
}

/* Copies of the lists: a copy to user space may take as long as it likes. */
struct mk_lists {
	struct mk_cpu *cpus;
	struct mk_range *ranges;
	u32 nr_cpus;
	u32 nr_ranges;
};

static int mk_get_lists(const struct mk_instance *inst, struct mk_get *g,
			struct mk_lists *lists)
{
	lists->nr_cpus = g->cpus ? min(g->nr_cpus, inst->nr_cpus) : 0;
	lists->nr_ranges = g->ranges ? min(g->nr_ranges, inst->nr_ranges) : 0;
	g->nr_cpus = inst->nr_cpus;
	g->nr_ranges = inst->nr_ranges;
	lists->cpus = kmemdup(inst->cpus, lists->nr_cpus *
			      sizeof(*lists->cpus), GFP_KERNEL);
	lists->ranges = kmemdup(inst->ranges, lists->nr_ranges *
				sizeof(*lists->ranges), GFP_KERNEL);
	return lists->cpus && lists->ranges ? 0 : -ENOMEM;
}

static int mk_put_lists(const struct mk_get *g, const struct mk_lists *lists)
{
	if (copy_to_user(u64_to_user_ptr(g->cpus), lists->cpus,
			 lists->nr_cpus * sizeof(*lists->cpus)) ||
	    copy_to_user(u64_to_user_ptr(g->ranges), lists->ranges,
			 lists->nr_ranges * sizeof(*lists->ranges)))
		return -EFAULT;
	return 0;
}

static int mk_get_locked(struct mk_get *g, struct mk_lists *lists,
			 struct mk_refusal *r)
{
	struct mk_instance *inst;

	guard(mutex)(&mk_lock);
	inst = mk_get_target(g);
	if (!inst) {
		g->name[MK_NAME_MAX - 1] = 0;
		mk_refuse(r, MK_REASON_NO_INSTANCE, g->id & ~MK_GET_NEXT, 0,
			  g->name);
		return -ENOENT;
	}
	g->id = inst->id;
	memcpy(g->name, inst->name, sizeof(g->name));
	g->epoch = inst->epoch;
	g->features = READ_ONCE(inst->slot->features) & MK_FEATURES;
	g->flags = inst->cpus_lent ? MK_GET_CPUS_LENT : 0;
	g->memory_bytes = inst->memory_bytes;
	g->handoff_addr = mk_boot_handoff(inst);
	g->handoff_bytes = g->handoff_addr ? MK_HANDOFF_BYTES : 0;
	g->beats = mk_beats(inst);
	g->watchdog_ms = inst->watchdog_ms;
	g->nr_stuck = 0;
	g->stuck_cpu = 0;
	g->image_bytes = inst->payload.kernel ?
			 mk_payload_image(&inst->payload)->span : 0;
	g->initrd_bytes = inst->payload.initrd_bytes;
	g->load_refusal = inst->load_refusal;
	mk_get_times(inst, g);
	return mk_get_lists(inst, g, lists);
}

static int mk_op_get(void *arg, struct mk_refusal *r)
{
	struct mk_lists lists = { };
	struct mk_get *g = arg;
	int ret;

	ret = mk_get_locked(g, &lists, r);
	if (!ret)
		ret = mk_put_lists(g, &lists);
	kfree(lists.cpus);
	kfree(lists.ranges);
	return ret;
}

static int mk_op_open(void *arg, struct mk_refusal *r)
{
	struct mk_open *o = arg;
	struct mk_instance *inst = NULL;

	if (o->id || o->kind != MK_OPEN_EVENTS)
		inst = mk_instance_get(o->id);
	if (!inst && (o->id || o->kind != MK_OPEN_EVENTS)) {
		mk_refuse(r, MK_REASON_NO_INSTANCE, o->id, 0, NULL);
		return -ENOENT;
	}
	o->fd = mk_fd_open(inst, o->kind);	/* takes over the reference */
	return min(o->fd, 0);
}

static int mk_op_dump(void *arg, struct mk_refusal *r)
{
	return mk_instance_dump(arg, r);
}

static int mk_op_notify(void *arg, struct mk_refusal *r)
{
	struct mk_notify *n = arg;

	if (n->what != MK_NOTIFY_READY)
		return -EINVAL;
	return mk_guest_notify_ready();
}

/* One of the two lists; @nr is room before and pieces after. */
static int mk_put_ranges(u64 user, u32 *nr, const struct mk_range *ranges,
			 u32 there)
{
	u32 fit = user ? min(*nr, there) : 0;

	*nr = there;
	return copy_to_user(u64_to_user_ptr(user), ranges,
			    fit * sizeof(*ranges)) ? -EFAULT : 0;
}

static int mk_op_pool(void *arg, struct mk_refusal *r)
{
	struct mk_range *ranges, *free;
	struct mk_pool *p = arg;
	u32 nr_ranges, nr_free;
	int ret;

	if (p->reserved) {
		mk_refuse(r, MK_REASON_RESERVED_NOT_ZERO, 0, 0, NULL);
		return -EINVAL;
	}
	mutex_lock(&mk_lock);
	ret = mk_pool_list(&ranges, &nr_ranges, &free, &nr_free);
	mutex_unlock(&mk_lock);
	if (ret)
		return ret;
	ret = mk_put_ranges(p->ranges, &p->nr_ranges, ranges, nr_ranges) ?:
	      mk_put_ranges(p->free, &p->nr_free, free, nr_free);
	kvfree(ranges);
	kvfree(free);
	return ret;
}

static int mk_op_set_channels(void *arg, struct mk_refusal *r)
{
	char (*names)[MK_NAME_MAX] __free(kfree) = NULL;
	struct mk_set_channels *s = arg;
	int ret;

	if (s->reserved) {
		mk_refuse(r, MK_REASON_RESERVED_NOT_ZERO, 0, 0, NULL);
		return -EINVAL;
	}
	if (s->nr_peers > MK_ALLOWED_MAX) {
		mk_refuse(r, MK_REASON_CHANNEL_TOO_MANY, MK_ALLOWED_MAX, 0,
			  NULL);
		return -EINVAL;
	}
	names = kmalloc_array(s->nr_peers + 1, sizeof(*names), GFP_KERNEL);
	if (!names)
		return -ENOMEM;
	if (copy_from_user(names, u64_to_user_ptr(s->peers),
			   s->nr_peers * sizeof(*names)))
		return -EFAULT;
	ret = mk_instance_set_channels(s->id, names, s->nr_peers, r);
	if (!ret)
		names = NULL;	/* the instance has it */
	return ret;
}

static int mk_op_channel_open(void *arg, struct mk_refusal *r)
{
	return mk_channel_open(arg, r);
}

/* Who may call an op: the bits of enum mk_role. */
#define ANYWHERE	(BIT(MK_ROLE_NONE) | BIT(MK_ROLE_HOST) | \
			 BIT(MK_ROLE_INSTANCE))
#define HOST		BIT(MK_ROLE_HOST)
#define INSTANCE	BIT(MK_ROLE_INSTANCE)
#define MEMBERS		(HOST | INSTANCE)

struct mk_op {
	u32 size;
	u32 min_size;
	u32 refusal;			/* offset of the struct mk_refusal */
	u32 cmd;
	u32 roles;
	int (*run)(void *arg, struct mk_refusal *r);
};

#define OP(_cmd, _struct, _roles, _run)					\
	[_IOC_NR(_cmd) - _IOC_NR(MK_IOC_INFO)] = {			\
		.size = sizeof(struct _struct),				\
		.min_size = offsetofend(struct _struct, refusal),	\
		.refusal = offsetof(struct _struct, refusal),		\
		.cmd = _cmd,						\
		.roles = _roles,					\
		.run = _run,						\
	}

static const struct mk_op mk_ops[] = {
	OP(MK_IOC_INFO, mk_info, ANYWHERE, mk_op_info),
	OP(MK_IOC_CREATE, mk_create, HOST, mk_op_create),
	OP(MK_IOC_DESTROY, mk_by_id, HOST, mk_op_destroy),
	OP(MK_IOC_SET_CPUS, mk_set_cpus, HOST, mk_op_set_cpus),
	OP(MK_IOC_SET_MEMORY, mk_set_memory, HOST, mk_op_set_memory),
	OP(MK_IOC_START, mk_start, HOST, mk_op_start),
	OP(MK_IOC_STOP, mk_by_id, HOST, mk_op_stop),
	OP(MK_IOC_KILL, mk_by_id, HOST, mk_op_kill),
	OP(MK_IOC_GET, mk_get, HOST, mk_op_get),
	OP(MK_IOC_OPEN, mk_open, HOST, mk_op_open),
	OP(MK_IOC_NOTIFY, mk_notify, INSTANCE, mk_op_notify),
	OP(MK_IOC_POOL, mk_pool, HOST, mk_op_pool),
	OP(MK_IOC_SET_CHANNELS, mk_set_channels, HOST, mk_op_set_channels),
	OP(MK_IOC_CHANNEL_OPEN, mk_channel_open, MEMBERS, mk_op_channel_open),
	OP(MK_IOC_SHARE_CREATE, mk_share_create, MEMBERS, mk_op_share_create),
	OP(MK_IOC_SHARE_GRANT, mk_share_op, MEMBERS, mk_op_share_grant),
	OP(MK_IOC_SHARE_GIVE, mk_share_op, MEMBERS, mk_op_share_give),
	OP(MK_IOC_SHARE_REVOKE, mk_share_op, MEMBERS, mk_op_share_revoke),
	OP(MK_IOC_SHARE_ATTACH, mk_share_attach, MEMBERS, mk_op_share_attach),
	OP(MK_IOC_SHARE_DETACH, mk_share_op, MEMBERS, mk_op_share_detach),
	OP(MK_IOC_SHARE_GET, mk_share_get, MEMBERS, mk_op_share_get),
	OP(MK_IOC_SET_WATCHDOG, mk_set_watchdog, HOST, mk_op_set_watchdog),
	OP(MK_IOC_FREEZE, mk_by_id, HOST, mk_op_freeze),
	OP(MK_IOC_THAW, mk_by_id, HOST, mk_op_thaw),
	OP(MK_IOC_DUMP, mk_dump, HOST, mk_op_dump),
};

static int mk_run_op(const struct mk_op *op, void *arg)
{
	struct mk_refusal *r = arg + op->refusal;

	memset(r, 0, sizeof(*r));
	if (!capable(CAP_SYS_BOOT)) {
		mk_refuse(r, MK_REASON_NOT_PERMITTED, 0, 0, NULL);
		return -EPERM;
	}
	if (!(op->roles & BIT(multikernel_role))) {
		mk_refuse(r, MK_REASON_NOT_HOST, multikernel_role, 0, NULL);
		return -EOPNOTSUPP;
	}
	return op->run(arg, r);
}

static long mk_ioctl(struct file *file, unsigned int cmd, unsigned long uarg)
{
	unsigned int nr = _IOC_NR(cmd) - _IOC_NR(MK_IOC_INFO);
	void __user *user = (void __user *)uarg;
	void *arg __free(kfree) = NULL;
	const struct mk_op *op;
	u32 size;
	int ret;

	if (_IOC_TYPE(cmd) != MK_IOC_MAGIC || nr >= ARRAY_SIZE(mk_ops))
		return -ENOTTY;
	op = &mk_ops[nr];
	if (op->cmd != cmd)
		return -ENOTTY;
	if (get_user(size, (u32 __user *)user))
		return -EFAULT;
	if (size < op->min_size || size > PAGE_SIZE)
		return -EINVAL;
	arg = kzalloc(op->size, GFP_KERNEL);
	if (!arg)
		return -ENOMEM;
	ret = copy_struct_from_user(arg, op->size, user, size);
	if (ret)
		return ret;
	ret = mk_run_op(op, arg);
	*(u32 *)arg = size;
	if (copy_to_user(user, arg, min(size, op->size)))
		return -EFAULT;
	return ret;
}

static const struct file_operations mk_device_fops = {
	.owner		= THIS_MODULE,
	.unlocked_ioctl	= mk_ioctl,
	.compat_ioctl	= compat_ptr_ioctl,
	.llseek		= noop_llseek,
};

static struct miscdevice mk_device = {
	.minor	= MISC_DYNAMIC_MINOR,
	.name	= "multikernel",
	.fops	= &mk_device_fops,
	.mode	= 0600,
};

static int __init mk_device_init(void)
{
	return misc_register(&mk_device);
}
device_initcall(mk_device_init);
