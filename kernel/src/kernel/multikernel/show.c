// SPDX-License-Identifier: GPL-2.0-only
/*
 * The multikernel seen from outside: /proc/multikernel, a table for people, and
 * /sys/kernel/multikernel, single values for programs:
 *
 *	role			none, host or instance
 *	pool			"TOTAL FREE LARGEST" in bytes
 *	region			"ADDR BYTES"
 *	instances/NAME/id, state (pollable), cause, boot_id, epoch, memory,
 *			watchdog_ms, stuck, counters (host)
 *	shares/: see show_share.c (host)
 *	peers/NAME/id, epoch, counters (instance: whom it is connected to)
 */
#include <linux/init.h>
#include <linux/kobject.h>
#include <linux/proc_fs.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/sysfs.h>

#include "internal.h"
#include "peer.h"
#include "share.h"

static const char *const mk_role_names[] = {
	[MK_ROLE_NONE] = "none",
	[MK_ROLE_HOST] = "host",
	[MK_ROLE_INSTANCE] = "instance",
};

static struct kobject *mk_kobj;
static struct kobject *mk_instances_kobj;
static struct kobject *mk_peers_kobj;

/* /proc/multikernel */

static void mk_proc_cpus(struct seq_file *m, const struct mk_instance *inst)
{
	u32 i;

	for (i = 0; i < inst->nr_cpus; i++)
		seq_printf(m, "%s%u", i ? "," : "", inst->cpus[i].cpu);
	if (!inst->nr_cpus)
		seq_putc(m, '-');
}

static void mk_proc_instance(struct seq_file *m, struct mk_instance *inst)
{
	seq_printf(m, "%-4u %-20s %-12s %-12s %6u %8llu ", inst->id,
		   inst->name, mk_state_name(inst->state),
		   mk_cause_name(inst->cause), inst->epoch,
		   inst->memory_bytes >> 20);
	mk_proc_cpus(m, inst);
	seq_putc(m, '\n');
}

static int mk_proc_show(struct seq_file *m, void *v)
{
	struct mk_instance *inst;

	seq_printf(m, "role: %s\n", mk_role_names[multikernel_role]);
	if (multikernel_is_instance())
		seq_printf(m, "instance: %u %s\n", mk_guest.id, mk_guest.name);
	if (!multikernel_is_host())
		return 0;
	seq_printf(m, "%-4s %-20s %-12s %-12s %6s %8s %s\n", "ID", "NAME",
		   "STATE", "CAUSE", "STARTS", "MEM-MIB", "CPUS");
	guard(mutex)(&mk_lock);
	list_for_each_entry(inst, &mk_instances, node)
		mk_proc_instance(m, inst);
	return 0;
}

/* /sys/kernel/multikernel */

static ssize_t role_show(struct kobject *kobj, struct kobj_attribute *attr,
			 char *buf)
{
	return sysfs_emit(buf, "%s\n", mk_role_names[multikernel_role]);
}

static ssize_t pool_show(struct kobject *kobj, struct kobj_attribute *attr,
			 char *buf)
{
	u64 free, largest;
	u32 ranges;

	guard(mutex)(&mk_lock);
	mk_pool_stat(&free, &largest, &ranges);
	return sysfs_emit(buf, "%llu %llu %llu\n", mk_pool_bytes, free,
			  largest);
}

static ssize_t region_show(struct kobject *kobj, struct kobj_attribute *attr,
			   char *buf)
{
	if (multikernel_is_instance())
		return sysfs_emit(buf, "%#llx %llu\n", mk_guest.region_addr,
				  mk_guest.region_bytes);
	return sysfs_emit(buf, "%#llx %llu\n", mk_region_addr,
			  mk_region_bytes);
}

static struct kobj_attribute mk_role_attr = __ATTR_RO(role);
static struct kobj_attribute mk_pool_attr = __ATTR_RO_MODE(pool, 0400);
static struct kobj_attribute mk_region_attr = __ATTR_RO_MODE(region, 0400);

static struct attribute *mk_attrs[] = {
	&mk_role_attr.attr,
	&mk_pool_attr.attr,
	&mk_region_attr.attr,
	NULL
};
ATTRIBUTE_GROUPS(mk);

/**
 * struct mk_shown - an instance's folder in sysfs
 * @kobj: the folder
 * @inst: the instance, until DESTROY
 */
struct mk_shown {
	struct kobject kobj;
	struct mk_instance *inst;
};

static struct mk_instance *to_instance(struct kobject *kobj)
{
	return container_of(kobj, struct mk_shown, kobj)->inst;
}

static ssize_t id_show(struct kobject *kobj, struct kobj_attribute *attr,
		       char *buf)
{
	return sysfs_emit(buf, "%u\n", to_instance(kobj)->id);
}

static ssize_t state_show(struct kobject *kobj, struct kobj_attribute *attr,
			  char *buf)
{
	return sysfs_emit(buf, "%s\n",
			  mk_state_name(mk_get_state(to_instance(kobj))));
}

static ssize_t cause_show(struct kobject *kobj, struct kobj_attribute *attr,
			  char *buf)
{
	return sysfs_emit(buf, "%s\n",
			  mk_cause_name(READ_ONCE(to_instance(kobj)->cause)));
}

static ssize_t epoch_show(struct kobject *kobj, struct kobj_attribute *attr,
			  char *buf)
{
	return sysfs_emit(buf, "%u\n", READ_ONCE(to_instance(kobj)->epoch));
}

static ssize_t boot_id_show(struct kobject *kobj, struct kobj_attribute *attr,
			    char *buf)
{
	return sysfs_emit(buf, "%pU\n", to_instance(kobj)->boot_id);
}

static ssize_t memory_show(struct kobject *kobj, struct kobj_attribute *attr,
			   char *buf)
{
	return sysfs_emit(buf, "%llu\n", to_instance(kobj)->memory_bytes);
}

static ssize_t watchdog_ms_show(struct kobject *kobj,
				struct kobj_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%u\n",
			  READ_ONCE(to_instance(kobj)->watchdog_ms));
}

/* How many of its CPUs do not beat, and the first of them */
static ssize_t stuck_show(struct kobject *kobj, struct kobj_attribute *attr,
			  char *buf)
{
	struct mk_instance *inst = to_instance(kobj);
	unsigned long flags;
	u32 nr = 0, cpu;

	spin_lock_irqsave(&inst->lock, flags);
	if (inst->state == MK_STATE_UNRESPONSIVE)
		nr = inst->nr_stuck;
	cpu = inst->stuck_cpu;
	spin_unlock_irqrestore(&inst->lock, flags);
	return nr ? sysfs_emit(buf, "%u %u\n", nr, cpu) :
		    sysfs_emit(buf, "0\n");
}

static ssize_t counters_show(struct kobject *kobj, struct kobj_attribute *attr,
			     char *buf)
{
	return mk_message_counters(to_instance(kobj), buf);
}

static struct kobj_attribute mk_id_attr = __ATTR_RO(id);
static struct kobj_attribute mk_state_attr = __ATTR_RO(state);
static struct kobj_attribute mk_cause_attr = __ATTR_RO(cause);
static struct kobj_attribute mk_epoch_attr = __ATTR_RO(epoch);
static struct kobj_attribute mk_boot_id_attr = __ATTR_RO(boot_id);
static struct kobj_attribute mk_memory_attr = __ATTR_RO(memory);
static struct kobj_attribute mk_watchdog_ms_attr = __ATTR_RO(watchdog_ms);
static struct kobj_attribute mk_stuck_attr = __ATTR_RO(stuck);
static struct kobj_attribute mk_counters_attr = __ATTR_RO(counters);

static struct attribute *mk_instance_attrs[] = {
	&mk_id_attr.attr,
	&mk_state_attr.attr,
	&mk_cause_attr.attr,
	&mk_epoch_attr.attr,
	&mk_boot_id_attr.attr,
	&mk_memory_attr.attr,
	&mk_watchdog_ms_attr.attr,
	&mk_stuck_attr.attr,
	&mk_counters_attr.attr,
	NULL
};
ATTRIBUTE_GROUPS(mk_instance);

static void mk_shown_release(struct kobject *kobj)
{
	kfree(container_of(kobj, struct mk_shown, kobj));
}

static const struct kobj_type mk_shown_type = {
	.release	= mk_shown_release,
	.sysfs_ops	= &kobj_sysfs_ops,
	.default_groups	= mk_instance_groups,
};

/** mk_show_add() - a folder for an instance; it is no failure to have none */
void mk_show_add(struct mk_instance *inst)
{
	struct mk_shown *shown = kzalloc(sizeof(*shown), GFP_KERNEL);

	if (!shown || !mk_instances_kobj) {
		kfree(shown);
		return;
	}
	shown->inst = inst;
	if (kobject_init_and_add(&shown->kobj, &mk_shown_type,
				 mk_instances_kobj, "%s", inst->name)) {
		kobject_put(&shown->kobj);
		return;
	}
	WRITE_ONCE(inst->shown, shown);
}

/** mk_show_remove() - waits for readers of the folder's files */
void mk_show_remove(struct mk_instance *inst)
{
	struct mk_shown *shown = inst->shown;

	if (!shown)
		return;
	WRITE_ONCE(inst->shown, NULL);
	kobject_del(&shown->kobj);
	kobject_put(&shown->kobj);
}

/** mk_show_changed() - wake who polls the state file; process context */
void mk_show_changed(struct mk_instance *inst)
{
	struct mk_shown *shown = READ_ONCE(inst->shown);

	if (shown)
		sysfs_notify(&shown->kobj, NULL, "state");
}

/* peers: the host shows its own among the instances */

struct mk_shown_peer {
	struct kobject kobj;
	struct mk_peer *peer;		/* until the folder is removed */
};

static struct mk_peer *to_peer(struct kobject *kobj)
{
	return container_of(kobj, struct mk_shown_peer, kobj)->peer;
}

static ssize_t peer_id_show(struct kobject *kobj, struct kobj_attribute *attr,
			    char *buf)
{
	return sysfs_emit(buf, "%u\n", to_peer(kobj)->id);
}

static ssize_t peer_epoch_show(struct kobject *kobj,
			       struct kobj_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%u\n", to_peer(kobj)->epoch);
}

static ssize_t peer_counters_show(struct kobject *kobj,
				  struct kobj_attribute *attr, char *buf)
{
	return mk_peer_counters_show(to_peer(kobj), buf);
}

static struct kobj_attribute mk_peer_id_attr =
	__ATTR(id, 0444, peer_id_show, NULL);
static struct kobj_attribute mk_peer_epoch_attr =
	__ATTR(epoch, 0444, peer_epoch_show, NULL);
static struct kobj_attribute mk_peer_counters_attr =
	__ATTR(counters, 0444, peer_counters_show, NULL);

static struct attribute *mk_peer_attrs[] = {
	&mk_peer_id_attr.attr,
	&mk_peer_epoch_attr.attr,
	&mk_peer_counters_attr.attr,
	NULL
};
ATTRIBUTE_GROUPS(mk_peer);

static void mk_shown_peer_release(struct kobject *kobj)
{
	kfree(container_of(kobj, struct mk_shown_peer, kobj));
}

static const struct kobj_type mk_shown_peer_type = {
	.release	= mk_shown_peer_release,
	.sysfs_ops	= &kobj_sysfs_ops,
	.default_groups	= mk_peer_groups,
};

/** mk_show_add_peer() - a folder for a peer; it is no failure to have none */
void mk_show_add_peer(struct mk_peer *peer)
{
	struct mk_shown_peer *shown;

	if (!mk_peers_kobj || peer->shown)
		return;
	shown = kzalloc(sizeof(*shown), GFP_KERNEL);
	if (!shown)
		return;
	shown->peer = peer;
	if (kobject_init_and_add(&shown->kobj, &mk_shown_peer_type,
				 mk_peers_kobj, "%s", peer->name)) {
		kobject_put(&shown->kobj);
		return;
	}
	peer->shown = &shown->kobj;
}

/** mk_show_remove_peer() - waits for readers of the folder's files */
void mk_show_remove_peer(struct mk_peer *peer)
{
	if (!peer->shown)
		return;
	kobject_del(peer->shown);
	kobject_put(peer->shown);
	peer->shown = NULL;
}

/* The host is connected before there is a place for folders. */
static void __init mk_show_host(void)
{
	struct mk_peer *host = mk_peer_find(0);

	if (!host)
		return;
	mk_show_add_peer(host);
	mk_peer_put(host);
}

static int __init mk_show_init(void)
{
	proc_create_single("multikernel", 0444, NULL, mk_proc_show);
	mk_kobj = kobject_create_and_add("multikernel", kernel_kobj);
	if (!mk_kobj)
		return -ENOMEM;
	if (multikernel_is_host()) {
		mk_instances_kobj = kobject_create_and_add("instances",
							   mk_kobj);
		mk_show_shares(mk_kobj);
	}
	if (multikernel_is_instance()) {
		mk_peers_kobj = kobject_create_and_add("peers", mk_kobj);
		mk_show_host();
	}
	return sysfs_create_groups(mk_kobj, mk_groups);
}
fs_initcall(mk_show_init);
