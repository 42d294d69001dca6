// SPDX-License-Identifier: GPL-2.0-only
/*
 * Shares in /sys/kernel/multikernel/shares, on the host:
 *
 *	NAME.GENERATION/id, state, owner, bytes, counters
 *
 * The name alone is not enough: a share whose owner ended may stand beside the
 * new one of that name. The generation is the one that it was made with.
 */
#include <linux/init.h>
#include <linux/kobject.h>
#include <linux/slab.h>
#include <linux/sysfs.h>

#include "internal.h"
#include "share.h"

static struct kobject *mk_shares_kobj;

static const char *const mk_share_states[] = {
	[MK_SHARE_LIVE] = "live",
	[MK_SHARE_REVOKED] = "revoked",
	[MK_SHARE_ORPHANED] = "orphaned",
};

/**
 * struct mk_shown_share - a share's folder
 * @kobj: the folder
 * @share: the share; the folder is removed before it is freed
 */
struct mk_shown_share {
	struct kobject kobj;
	struct mk_share *share;
};

static struct mk_share *to_share(struct kobject *kobj)
{
	return container_of(kobj, struct mk_shown_share, kobj)->share;
}

static ssize_t id_show(struct kobject *kobj, struct kobj_attribute *attr,
		       char *buf)
{
	return sysfs_emit(buf, "%u\n", to_share(kobj)->id);
}

static ssize_t state_show(struct kobject *kobj, struct kobj_attribute *attr,
			  char *buf)
{
	return sysfs_emit(buf, "%s\n",
			  mk_share_states[READ_ONCE(to_share(kobj)->state)]);
}

/* Instance id, 0 for the host */
static ssize_t owner_show(struct kobject *kobj, struct kobj_attribute *attr,
			  char *buf)
{
	return sysfs_emit(buf, "%u\n", READ_ONCE(to_share(kobj)->owner_id));
}

static ssize_t bytes_show(struct kobject *kobj, struct kobj_attribute *attr,
			  char *buf)
{
	return sysfs_emit(buf, "%llu\n", to_share(kobj)->bytes);
}

static ssize_t counters_show(struct kobject *kobj, struct kobj_attribute *attr,
			     char *buf)
{
	const struct mk_share *share = to_share(kobj);

	return sysfs_emit(buf, "attached %u\nattaches %llu\nrefused %llu\n",
			  READ_ONCE(share->attached),
			  READ_ONCE(share->attaches),
			  READ_ONCE(share->refused));
}

static struct kobj_attribute mk_id_attr = __ATTR_RO(id);
static struct kobj_attribute mk_state_attr = __ATTR_RO(state);
static struct kobj_attribute mk_owner_attr = __ATTR_RO(owner);
static struct kobj_attribute mk_bytes_attr = __ATTR_RO(bytes);
static struct kobj_attribute mk_counters_attr = __ATTR_RO(counters);

static struct attribute *mk_share_attrs[] = {
	&mk_id_attr.attr,
	&mk_state_attr.attr,
	&mk_owner_attr.attr,
	&mk_bytes_attr.attr,
	&mk_counters_attr.attr,
	NULL
};
ATTRIBUTE_GROUPS(mk_share);

static void mk_shown_share_release(struct kobject *kobj)
{
	kfree(container_of(kobj, struct mk_shown_share, kobj));
}

static const struct kobj_type mk_shown_share_type = {
	.release	= mk_shown_share_release,
	.sysfs_ops	= &kobj_sysfs_ops,
	.default_groups	= mk_share_groups,
};

/** mk_show_add_share() - a folder for a share; it is no failure to have none */
void mk_show_add_share(struct mk_share *share)
{
	struct mk_shown_share *shown;

	if (!mk_shares_kobj || share->shown)
		return;
	shown = kzalloc(sizeof(*shown), GFP_KERNEL);
	if (!shown)
		return;
	shown->share = share;
	if (kobject_init_and_add(&shown->kobj, &mk_shown_share_type,
				 mk_shares_kobj, "%s.%llu", share->name,
				 share->generation)) {
		kobject_put(&shown->kobj);
		return;
	}
	share->shown = &shown->kobj;
}

/** mk_show_remove_share() - waits for readers of the folder's files */
void mk_show_remove_share(struct mk_share *share)
{
	if (!share->shown)
		return;
	kobject_del(share->shown);
	kobject_put(share->shown);
	share->shown = NULL;
}

/** mk_show_shares() - the folder of all of them, in @parent */
void __init mk_show_shares(struct kobject *parent)
{
	mk_shares_kobj = kobject_create_and_add("shares", parent);
}
