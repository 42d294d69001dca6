// SPDX-License-Identifier: GPL-2.0-only
/*
 * Instances as objects of the host: create, find, give memory, destroy.
 *
 * An instance lives from CREATE to DESTROY, whatever happens to the kernel
 * that runs in it, to mkctl or to any file descriptor. Who may still hold a
 * reference after DESTROY (an open fd) finds @gone set.
 */
#define pr_fmt(fmt) "multikernel: " fmt

#include <linux/ctype.h>
#include <linux/poll.h>
#include <linux/ioport.h>
#include <linux/ktime.h>
#include <linux/nodemask.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/timekeeping.h>

#include "internal.h"
#include "share.h"

/* Both are described in internal.h. */
DEFINE_MUTEX(mk_lock);
LIST_HEAD(mk_instances);

void mk_refuse(struct mk_refusal *r, u32 reason, u64 a, u64 b,
	       const char *object)
{
	if (!r)
		return;
	memset(r, 0, sizeof(*r));
	r->reason = reason;
	r->a = a;
	r->b = b;
	if (object)
		strscpy(r->object, object, sizeof(r->object));
}

static void mk_instance_free(struct kref *ref)
{
	struct mk_instance *inst = container_of(ref, struct mk_instance, ref);

	kfree(inst->cpus);
	kfree(inst->allowed);
	mk_watch_remove(inst);
	kfree(inst);
}

void mk_instance_put(struct mk_instance *inst)
{
	kref_put(&inst->ref, mk_instance_free);
}

/** mk_instance_find() - by id; the caller holds mk_lock as long as it uses it */
struct mk_instance *mk_instance_find(u32 id)
{
	struct mk_instance *inst;

	lockdep_assert_held(&mk_lock);
	list_for_each_entry(inst, &mk_instances, node)
		if (inst->id == id)
			return inst;
	return NULL;
}

/**
 * mk_instance_lookup() - the instance that a request is about
 * @id: from user space
 * @r: refusal to fill
 *
 * The caller holds mk_lock. Return: instance, or NULL with @r filled; then
 * mk_lookup_errno() is what to return.
 */
struct mk_instance *mk_instance_lookup(u32 id, struct mk_refusal *r)
{
	struct mk_instance *inst = mk_instance_find(id);

	if (!inst) {
		mk_refuse(r, MK_REASON_NO_INSTANCE, id, 0, NULL);
		return NULL;
	}
	if (inst->busy) {
		mk_refuse(r, MK_REASON_BUSY, 0, 0, inst->name);
		return NULL;
	}
	return inst;
}

int mk_lookup_errno(const struct mk_refusal *r)
{
	return r->reason == MK_REASON_BUSY ? -EBUSY : -ENOENT;
}

/**
 * mk_instance_busy() - let go of mk_lock for work that takes long
 * @inst: instance; other requests about it are refused meanwhile
 *
 * So the end of one instance never waits for the memory of another.
 */
void mk_instance_busy(struct mk_instance *inst)
{
	lockdep_assert_held(&mk_lock);
	inst->busy = true;
	mutex_unlock(&mk_lock);
}

void mk_instance_idle(struct mk_instance *inst)
{
	mutex_lock(&mk_lock);
	inst->busy = false;
}

/** mk_instance_get() - by id, with a reference */
struct mk_instance *mk_instance_get(u32 id)
{
	struct mk_instance *inst;

	mutex_lock(&mk_lock);
	inst = mk_instance_find(id);
	if (inst)
		kref_get(&inst->ref);
	mutex_unlock(&mk_lock);
	return inst;
}

/** mk_instance_by_name() - the caller holds mk_lock */
struct mk_instance *mk_instance_by_name(const char *name)
{
	struct mk_instance *inst;

	lockdep_assert_held(&mk_lock);
	list_for_each_entry(inst, &mk_instances, node)
		if (!strcmp(inst->name, name))
			return inst;
	return NULL;
}

/** mk_instance_after() - the one with the next larger id; under mk_lock */
struct mk_instance *mk_instance_after(u32 id)
{
	struct mk_instance *inst;

	lockdep_assert_held(&mk_lock);
	list_for_each_entry(inst, &mk_instances, node)
		if (inst->id > id)
			return inst;
	return NULL;
}

/**
 * mk_instance_need_state() - refuse unless the state is one of a set
 * @inst: instance
 * @states: bits of enum mk_state
 * @r: refusal to fill
 *
 * Return: 0 or -EBUSY.
 */
int mk_instance_need_state(struct mk_instance *inst, u32 states,
			   struct mk_refusal *r)
{
	enum mk_state state = mk_get_state(inst);

	if (BIT(state) & states)
		return 0;
	mk_refuse(r, MK_REASON_BAD_STATE, state, 0, inst->name);
	return -EBUSY;
}

/**
 * mk_instance_need_quiet() - refuse while a CPU may execute an ended instance
 * @inst: instance that is in no state with CPUs
 * @r: refusal to fill
 *
 * Return: 0 or -EIO.
 */
int mk_instance_need_quiet(struct mk_instance *inst, struct mk_refusal *r)
{
	if (!inst->cpu_stuck)
		return 0;
	mk_refuse(r, MK_REASON_CPU_NOT_BACK, inst->cpus[0].cpu, 0, inst->name);
	return -EIO;
}

/** mk_name_valid() - is it one that an instance may have? */
bool mk_name_valid(const char *name)
{
	if (!strcmp(name, MK_PEER_HOST))
		return false;
	if (!islower(*name) && !isdigit(*name))
		return false;
	for (; *name; name++)
		if (!islower(*name) && !isdigit(*name) &&
		    !strchr("_.-", *name))
			return false;
	return true;
}

/* Smallest free id, and the place in the list that keeps it sorted. */
static u32 mk_free_id(struct list_head **ret_before)
{
	struct mk_instance *inst;
	u32 id = 1;

	list_for_each_entry(inst, &mk_instances, node) {
		if (inst->id != id)
			break;
		id++;
	}
	*ret_before = &inst->node;
	return id;
}

/* The first and the last event of an instance */
static void mk_instance_tell(struct mk_instance *inst)
{
	unsigned long flags;

	spin_lock_irqsave(&inst->lock, flags);
	mk_event_add(inst);
	spin_unlock_irqrestore(&inst->lock, flags);
	mk_events_wake();
}

static struct mk_instance *mk_instance_new(const char *name, u32 id)
{
	struct mk_instance *inst = kzalloc(sizeof(*inst), GFP_KERNEL);

	if (!inst)
		return NULL;
	if (mk_watch_add(inst)) {
		kfree(inst);
		return NULL;
	}
	kref_init(&inst->ref);
	inst->id = id;
	strscpy(inst->name, name, sizeof(inst->name));
	spin_lock_init(&inst->lock);
	mutex_init(&inst->log_lock);
	mutex_init(&inst->mem_lock);
	init_waitqueue_head(&inst->changed);
	INIT_WORK(&inst->end_work, mk_end_work);
	inst->state = MK_STATE_CREATED;
	inst->change_seq = 1;
	inst->created_ns = ktime_get_boottime_ns();
	inst->change_ns = inst->created_ns;
	inst->change_realtime_ns = ktime_get_real_ns();
	return inst;
}

/**
 * mk_instance_create() - make an instance
 * @name: NUL-terminated
 * @ret_id: its id
 * @r: why not, on failure
 *
 * Return: 0, -EINVAL, -EEXIST, -ENOSPC, -ENXIO or -ENOMEM.
 */
int mk_instance_create(const char *name, u32 *ret_id, struct mk_refusal *r)
{
	struct mk_instance *inst, *other;
	struct list_head *before;
	u32 id;
	int ret;

	if (!mk_name_valid(name)) {
		mk_refuse(r, MK_REASON_BAD_NAME, 0, 0, name);
		return -EINVAL;
	}
	guard(mutex)(&mk_lock);
	other = mk_instance_by_name(name);
	if (other) {
		mk_refuse(r, MK_REASON_NAME_TAKEN, other->id, 0, name);
		return -EEXIST;
	}
	id = mk_free_id(&before);
	if (id > MK_MAX_INSTANCES) {
		mk_refuse(r, MK_REASON_TOO_MANY, MK_MAX_INSTANCES, 0, name);
		return -ENOSPC;
	}
	inst = mk_instance_new(name, id);
	if (!inst)
		return -ENOMEM;
	ret = mk_region_add_instance(inst, r);
	if (ret) {
		mk_instance_put(inst);
		return ret;
	}
	list_add_tail(&inst->node, before);
	mk_show_add(inst);
	mk_instance_tell(inst);
	*ret_id = id;
	return 0;
}

/* Entries in /proc/iomem for the pieces of an instance's memory. */
static void mk_iomem_remove(struct mk_instance *inst)
{
	u32 i;

	for (i = 0; inst->resources && i < inst->nr_ranges; i++)
		if (inst->resources[i].parent)
			remove_resource(&inst->resources[i]);
	kfree(inst->resources);
	inst->resources = NULL;
}

static void mk_iomem_add(struct mk_instance *inst)
{
	struct resource *res;
	u32 i;

	inst->resources = kcalloc(inst->nr_ranges, sizeof(*res), GFP_KERNEL);
	if (!inst->resources)
		return;
	for (i = 0; i < inst->nr_ranges; i++) {
		res = &inst->resources[i];
		res->name = inst->name;
		res->start = inst->ranges[i].addr;
		res->end = res->start + inst->ranges[i].bytes - 1;
		res->flags = IORESOURCE_MEM | IORESOURCE_BUSY |
			     IORESOURCE_EXCLUSIVE;
		if (insert_resource(&iomem_resource, res))
			pr_warn("'%s': memory is not in /proc/iomem\n",
				inst->name);
	}
}

/**
 * mk_instance_scrub() - overwrite all memory of an instance with zeros
 * @inst: busy, so that nobody else touches its memory
 */
int mk_instance_scrub(struct mk_instance *inst)
{
	u32 i;
	int ret;

	if (inst->memory_clean)
		return 0;
	for (i = 0; i < inst->nr_ranges; i++) {
		ret = mk_scrub(inst->ranges[i].addr, inst->ranges[i].bytes);
		if (ret)
			return ret;
	}
	inst->memory_clean = true;
	return 0;
}

static void mk_memory_give(struct mk_instance *inst)
{
	u32 i, nr = inst->nr_ranges;

	mk_iomem_remove(inst);
	/* When nobody can read it any more it may become another's. */
	mutex_lock(&inst->mem_lock);
	inst->memory_used = false;
	inst->nr_ranges = 0;
	inst->memory_bytes = 0;
	mutex_unlock(&inst->mem_lock);
	for (i = 0; i < nr; i++)
		mk_pool_give(&inst->ranges[i], inst->memory_clean);
}

static int mk_memory_scrub(struct mk_instance *inst)
{
	int ret;

	mk_instance_busy(inst);
	ret = mk_instance_scrub(inst);
	mk_instance_idle(inst);
	return ret;
}

/*
 * Scrubs and gives all memory back to the pool, but for pieces of which others
 * have frames attached: those follow later.
 */
static int mk_memory_release(struct mk_instance *inst)
{
	int ret;

	mk_iomem_remove(inst);
	mutex_lock(&inst->mem_lock);
	mk_shares_keep(inst);
	mutex_unlock(&inst->mem_lock);
	mk_iomem_add(inst);
	ret = mk_memory_scrub(inst);
	if (!ret)
		mk_memory_give(inst);
	return ret;
}

static int mk_memory_part_check(const struct mk_memory_part *part,
				struct mk_refusal *r)
{
	if (!part->bytes || part->bytes % MK_MEMORY_ALIGN) {
		mk_refuse(r, MK_REASON_MEM_ALIGN, part->bytes, MK_MEMORY_ALIGN,
			  NULL);
		return -EINVAL;
	}
	if (part->node != MK_NODE_ANY && (part->node >= MAX_NUMNODES ||
					  !node_possible(part->node))) {
		mk_refuse(r, MK_REASON_MEM_NODE, part->node, 0, NULL);
		return -EINVAL;
	}
	return 0;
}

static int mk_memory_check(const struct mk_memory_part *parts, u32 nr,
			   struct mk_refusal *r)
{
	u64 sum = 0;
	u32 i;
	int ret;

	for (i = 0; i < nr; i++) {
		ret = mk_memory_part_check(&parts[i], r);
		if (ret)
			return ret;
		if (check_add_overflow(sum, parts[i].bytes, &sum))
			sum = U64_MAX;
	}
	if (nr && sum < MK_MEMORY_MIN) {
		mk_refuse(r, MK_REASON_MEM_TOO_SMALL, sum, MK_MEMORY_MIN,
			  NULL);
		return -EINVAL;
	}
	return 0;
}

static int mk_memory_take(struct mk_instance *inst,
			  const struct mk_memory_part *parts, u32 nr,
			  struct mk_refusal *r)
{
	u32 i;
	int ret;

	inst->busy = true;	/* mk_pool_take() may let go of the lock */
	ret = mk_pool_take(parts, nr, inst->ranges, MK_MAX_RANGES,
			   &inst->nr_ranges, &inst->memory_clean, r);
	inst->busy = false;
	if (ret)
		return ret;
	for (i = 0; i < nr; i++)
		inst->memory_bytes += parts[i].bytes;
	mk_iomem_add(inst);
	ret = mk_memory_scrub(inst);
	if (ret)
		mk_memory_give(inst);
	return ret;
}

/**
 * mk_instance_set_memory() - give an instance memory, or take it back
 * @id: instance
 * @parts: how much of which node
 * @nr: parts; 0 to take all back
 * @r: why not, on failure
 *
 * Not between load and the first end: an image is placed with the memory in
 * mind. After an end the image stays, and START says if it does not fit.
 */
int mk_instance_set_memory(u32 id, const struct mk_memory_part *parts, u32 nr,
			   struct mk_refusal *r)
{
	const u32 may = BIT(MK_STATE_CREATED) | BIT(MK_STATE_STOPPED) |
			BIT(MK_STATE_PANICKED) | BIT(MK_STATE_KILLED) |
			BIT(MK_STATE_FAILED);
	struct mk_instance *inst;
	int ret;

	ret = mk_memory_check(parts, nr, r);
	if (ret)
		return ret;
	guard(mutex)(&mk_lock);
	inst = mk_instance_lookup(id, r);
	if (!inst)
		return mk_lookup_errno(r);
	ret = mk_instance_need_state(inst, may, r);
	if (ret)
		return ret;
	ret = mk_instance_need_quiet(inst, r);
	if (ret)
		return ret;
	if (!nr)
		return mk_memory_release(inst);
	if (inst->nr_ranges) {
		mk_refuse(r, MK_REASON_MEM_THERE, inst->memory_bytes, 0,
			  inst->name);
		return -EBUSY;
	}
	return mk_memory_take(inst, parts, nr, r);
}

/**
 * mk_instance_destroy() - give everything back and forget the instance
 * @id: instance
 * @r: why not, on failure
 *
 * Return: 0, -ENOENT or -EBUSY.
 */
int mk_instance_destroy(u32 id, struct mk_refusal *r)
{
	struct mk_instance *inst;
	int ret;

	guard(mutex)(&mk_lock);
	inst = mk_instance_lookup(id, r);
	if (!inst)
		return mk_lookup_errno(r);
	if (mk_state_has_cpus(mk_get_state(inst)))
		return mk_instance_need_state(inst, 0, r);
	ret = mk_instance_need_quiet(inst, r);
	if (ret)
		return ret;
	ret = mk_lend_return(inst, r) ?: mk_memory_release(inst);
	if (ret)
		return ret;
	mk_shares_instance_gone(inst);
	list_del(&inst->node);
	mk_show_remove(inst);
	mk_message_disconnect(inst);
	mutex_lock(&inst->log_lock);
	mk_region_remove_instance(inst);
	inst->gone = true;
	mutex_unlock(&inst->log_lock);
	mk_instance_tell(inst);
	mk_payload_free(&inst->payload);
	wake_up_interruptible_poll(&inst->changed, EPOLLIN | EPOLLHUP);
	mk_instance_put(inst);
	return 0;
}
