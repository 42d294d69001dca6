// SPDX-License-Identifier: GPL-2.0-only
/*
 * The memory of shares, on the host: out of the pool, and back when a share is
 * over; and memory of an ended instance of which others still have frames.
 *
 * What is over is reaped by a work, as scrubbing takes time and mk_lock, which
 * who detached may hold or not.
 */
#define pr_fmt(fmt) "multikernel: " fmt

#include <linux/ioport.h>
#include <linux/nodemask.h>
#include <linux/slab.h>

#include "internal.h"
#include "peer.h"
#include "share.h"

/**
 * struct mk_kept - memory that nobody owns, until the last frame is detached
 * @node: in mk_kept; mk_lock
 * @range: the memory
 * @res: its entry in /proc/iomem
 * @name: of that
 */
struct mk_kept {
	struct list_head node;
	struct mk_range range;
	struct resource res;
	char name[MK_NAME_MAX + 16];
};

static LIST_HEAD(mk_kept);

static void mk_reap(struct work_struct *work);
static DECLARE_DELAYED_WORK(mk_reap_work, mk_reap);

/* Taking */

static void mk_share_iomem_add(struct mk_share *share)
{
	struct resource *res;
	u32 i;

	share->resources = kcalloc(share->nr_ranges, sizeof(*res), GFP_KERNEL);
	for (i = 0; share->resources && i < share->nr_ranges; i++) {
		res = &share->resources[i];
		res->name = share->name;
		res->start = share->ranges[i].addr;
		res->end = res->start + share->ranges[i].bytes - 1;
		res->flags = IORESOURCE_MEM | IORESOURCE_BUSY |
			     IORESOURCE_EXCLUSIVE;
		if (insert_resource(&iomem_resource, res))
			pr_warn("share '%s' is not in /proc/iomem\n",
				share->name);
	}
}

static void mk_share_iomem_remove(struct mk_share *share)
{
	u32 i;

	for (i = 0; share->resources && i < share->nr_ranges; i++)
		if (share->resources[i].parent)
			remove_resource(&share->resources[i]);
	kfree(share->resources);
	share->resources = NULL;
}

static void mk_pool_give_all(const struct mk_range *ranges, u32 nr, bool clean)
{
	u32 i;

	mutex_lock(&mk_lock);
	for (i = 0; i < nr; i++)
		mk_pool_give(&ranges[i], clean);
	mutex_unlock(&mk_lock);
}

/* In the words of shares */
static int mk_share_refuse_take(int err, const char *name, u64 bytes,
				struct mk_refusal *r)
{
	if (r->reason == MK_REASON_MEM_NO_SPACE)
		mk_refuse(r, MK_REASON_SHARE_NO_SPACE, bytes, r->a, name);
	else if (r->reason == MK_REASON_MEM_PIECES)
		mk_refuse(r, MK_REASON_SHARE_PIECES, bytes, MK_SHARE_EXTENTS,
			  name);
	return err;
}

/* Zeros, and pieces that an extent can tell */
static int mk_share_prepare(const struct mk_share *share,
			    const struct mk_range *ranges, u32 nr, bool clean,
			    struct mk_refusal *r)
{
	int ret = 0;
	u32 i;

	for (i = 0; i < nr && !ret; i++) {
		if (ranges[i].bytes >> 12 > MK_EXTENT_PAGES_MAX) {
			mk_refuse(r, MK_REASON_SHARE_PIECES, share->bytes,
				  MK_SHARE_EXTENTS, share->name);
			return -ENOMEM;
		}
		if (!clean)
			ret = mk_scrub(ranges[i].addr, ranges[i].bytes);
	}
	return ret;
}

/**
 * mk_share_take() - get the memory of a share that is being made
 * @share: in the books, making
 * @bytes: how much
 * @node: NUMA node or MK_NODE_ANY
 * @r: refusal to fill
 *
 * The caller holds no lock. Return: 0 or -ENOMEM, and nothing taken.
 */
int mk_share_take(struct mk_share *share, u64 bytes, u32 node,
		  struct mk_refusal *r)
{
	struct mk_memory_part part = {
		.bytes = ALIGN(bytes, MK_MEMORY_ALIGN),
		.node = node,
	};
	struct mk_range ranges[MK_SHARE_EXTENTS];
	bool clean;
	u32 nr;
	int ret;

	mk_shares_reap_now();
	mutex_lock(&mk_lock);
	ret = mk_pool_take(&part, 1, ranges, MK_SHARE_EXTENTS, &nr, &clean, r);
	mutex_unlock(&mk_lock);
	if (ret)
		return mk_share_refuse_take(ret, share->name, bytes, r);
	ret = mk_share_prepare(share, ranges, nr, clean, r);
	if (ret) {
		mk_pool_give_all(ranges, nr, clean);
		return ret;
	}
	mutex_lock(&mk_share_lock);
	memcpy(share->ranges, ranges, nr * sizeof(*ranges));
	share->nr_ranges = nr;
	share->charged_bytes = part.bytes;
	mk_share_iomem_add(share);
	mk_show_add_share(share);
	mutex_unlock(&mk_share_lock);
	return 0;
}

/* Giving back */

static bool mk_scrub_all(const struct mk_range *ranges, u32 nr)
{
	u32 i;

	for (i = 0; i < nr; i++)
		if (mk_scrub(ranges[i].addr, ranges[i].bytes))
			return false;	/* by whoever takes it, then */
	return true;
}

static int mk_pool_share_release(struct mk_share *share)
{
	bool clean = mk_scrub_all(share->ranges, share->nr_ranges);

	mk_share_iomem_remove(share);
	mk_pool_give_all(share->ranges, share->nr_ranges, clean);
	return 0;
}

/* The owner may use its page for something else. -EAGAIN: it could not be told. */
static int mk_reference_release(struct mk_share *share)
{
	struct mk_msg_head head = {
		.kind = MK_KIND_CONTROL,
		.type = MK_MSG_FRAME_FREE,
	};
	struct mk_wire_frame frame = {
		.pfn = share->ranges[0].addr >> 12,
		.share = share->id,
		.generation = share->generation,
	};
	struct mk_peer *peer;
	int ret = 0;

	if (!share->nr_ranges)
		return 0;
	if (!share->owner_id) {
		mk_frame_unpin(frame.pfn);
		return 0;
	}
	peer = mk_peer_find(share->owner_id);
	if (!peer)
		return 0;
	if (mk_peer_epoch(peer) == share->owner_epoch)
		ret = mk_peer_send(peer, &head, &frame, sizeof(frame));
	mk_peer_put(peer);
	return ret == -EAGAIN ? ret : 0;
}

static int mk_share_release(struct mk_share *share)
{
	return share->kind == MK_SHARE_POOL ? mk_pool_share_release(share) :
					      mk_reference_release(share);
}

/* Memory that no frame is lent of any more; mk_lock is held */
static struct mk_kept *mk_kept_next(void)
{
	struct mk_kept *kept;
	u32 lent;

	list_for_each_entry(kept, &mk_kept, node) {
		mutex_lock(&mk_share_lock);
		lent = mk_share_frames_in(&mk_books, kept->range.addr,
					  kept->range.bytes);
		mutex_unlock(&mk_share_lock);
		if (!lent)
			return kept;
	}
	return NULL;
}

static void mk_kept_reap(void)
{
	struct mk_kept *kept;

	for (;;) {
		mutex_lock(&mk_lock);
		kept = mk_kept_next();
		if (kept)
			list_del(&kept->node);
		mutex_unlock(&mk_lock);
		if (!kept)
			return;
		if (kept->res.parent)
			remove_resource(&kept->res);
		mk_pool_give_all(&kept->range, 1, mk_scrub_all(&kept->range, 1));
		kfree(kept);
	}
}

static void mk_reap(struct work_struct *work)
{
	struct mk_share *share, *next;
	LIST_HEAD(over);

	mutex_lock(&mk_share_lock);
	list_splice_init(&mk_books.over, &over);
	mutex_unlock(&mk_share_lock);
	list_for_each_entry_safe(share, next, &over, node) {
		if (mk_share_release(share))
			continue;
		list_del(&share->node);
		mk_show_remove_share(share);
		mk_share_free(share);
	}
	mk_kept_reap();
	if (list_empty(&over))
		return;
	mutex_lock(&mk_share_lock);
	list_splice(&over, &mk_books.over);
	mutex_unlock(&mk_share_lock);
	queue_delayed_work(mk_wq, &mk_reap_work, 1);
}

/** mk_shares_reap() - soon; the caller may hold any of our locks */
void mk_shares_reap(void)
{
	mod_delayed_work(mk_wq, &mk_reap_work, 0);
}

/** mk_shares_reap_now() - what is over has been given back; without locks */
void mk_shares_reap_now(void)
{
	flush_delayed_work(&mk_reap_work);
}

/* Frames of ended instances */

/**
 * mk_shares_lent() - frames of an instance that others have attached
 * @inst: that does not run; the caller holds mk_lock
 */
u32 mk_shares_lent(const struct mk_instance *inst)
{
	u32 i, nr = 0;

	guard(mutex)(&mk_share_lock);
	for (i = 0; i < inst->nr_ranges; i++)
		nr += mk_share_frames_in(&mk_books, inst->ranges[i].addr,
					 inst->ranges[i].bytes);
	return nr;
}

static bool mk_keep_range(const struct mk_instance *inst,
			  const struct mk_range *range)
{
	struct mk_kept *kept;
	u32 lent;

	mutex_lock(&mk_share_lock);
	lent = mk_share_frames_in(&mk_books, range->addr, range->bytes);
	mutex_unlock(&mk_share_lock);
	if (!lent)
		return false;
	pr_info("'%s': memory at %#llx stays apart, %u frames of it are lent\n",
		inst->name, range->addr, lent);
	kept = kzalloc(sizeof(*kept), GFP_KERNEL | __GFP_NOFAIL);
	kept->range = *range;
	snprintf(kept->name, sizeof(kept->name), "%s (lent frames)",
		 inst->name);
	kept->res.name = kept->name;
	kept->res.start = range->addr;
	kept->res.end = range->addr + range->bytes - 1;
	kept->res.flags = IORESOURCE_MEM | IORESOURCE_BUSY |
			  IORESOURCE_EXCLUSIVE;
	if (insert_resource(&iomem_resource, &kept->res))
		pr_warn("'%s' is not in /proc/iomem\n", kept->name);
	list_add_tail(&kept->node, &mk_kept);
	return true;
}

/**
 * mk_shares_keep() - take memory of which frames are lent away from an instance
 * @inst: that does not run, and is about to give its memory back; its entries
 *	in /proc/iomem are gone
 *
 * It goes back to the pool when the last of the frames has been detached. The
 * caller holds mk_lock.
 */
void mk_shares_keep(struct mk_instance *inst)
{
	u32 i, nr = 0;

	for (i = 0; i < inst->nr_ranges; i++) {
		if (mk_keep_range(inst, &inst->ranges[i]))
			inst->memory_bytes -= inst->ranges[i].bytes;
		else
			inst->ranges[nr++] = inst->ranges[i];
	}
	inst->nr_ranges = nr;
	/* A frame may have been detached in between. */
	mk_shares_reap();
}
