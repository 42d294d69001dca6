// SPDX-License-Identifier: GPL-2.0-only
/*
 * mk_send_pfn() and its receiving side: one page of a kernel's own RAM, lent to
 * another kernel.
 *
 * The sender pins the page and asks the host for a reference, a share of that
 * one frame; the host checks that the frame is the sender's. The message says
 * which reference it is. The receiver attaches it, which the host refuses to
 * anybody else, and maps it. With the unmap, or the end of either kernel, the
 * reference is over and the pin is dropped.
 */
#define pr_fmt(fmt) "multikernel: " fmt

#include <linux/export.h>
#include <linux/ioport.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/spinlock.h>

#include "internal.h"
#include "peer.h"
#include "share.h"

/**
 * struct mk_pin - a page of this kernel that is lent
 * @node: in mk_pins
 * @pfn: the frame
 */
struct mk_pin {
	struct list_head node;
	u64 pfn;
};

/**
 * struct mk_borrowed - a page of another kernel that is mapped here
 * @node: in mk_borrowed_pages
 * @att: its attachment
 * @p: where it is
 */
struct mk_borrowed {
	struct list_head node;
	struct mk_attachment *att;
	void *p;
};

static DEFINE_SPINLOCK(mk_frames_lock);
static LIST_HEAD(mk_pins);
static LIST_HEAD(mk_borrowed_pages);
static unsigned int mk_nr_pins;

/* Sending */

/* NULL for a frame that is no page of this kernel: the host refuses that. */
static struct page *mk_frame_page(unsigned long pfn)
{
	struct page *page = pfn_to_online_page(pfn);

	return page && get_page_unless_zero(page) ? page : NULL;
}

/* Before the host is asked: a FRAME_FREE may come before its answer. */
static int mk_frame_pin(unsigned long pfn, struct page **ret_page)
{
	struct mk_pin *pin = kzalloc(sizeof(*pin), GFP_KERNEL);
	struct page *page;

	if (!pin)
		return -ENOMEM;
	page = mk_frame_page(pfn);
	pin->pfn = pfn;
	spin_lock(&mk_frames_lock);
	if (mk_nr_pins < 2 * MK_FRAMES_MAX && page) {
		list_add(&pin->node, &mk_pins);
		mk_nr_pins++;
		pin = NULL;
	}
	spin_unlock(&mk_frames_lock);
	*ret_page = page;
	if (!pin)
		return 0;
	kfree(pin);
	if (!page)
		return 0;
	put_page(page);
	return -ENOSPC;
}

/** mk_frame_unpin() - a frame is not lent any more, once */
void mk_frame_unpin(u64 pfn)
{
	struct mk_pin *pin, *found = NULL;

	spin_lock(&mk_frames_lock);
	list_for_each_entry(pin, &mk_pins, node)
		if (pin->pfn == pfn)
			found = pin;
	if (found) {
		list_del(&found->node);
		mk_nr_pins--;
	}
	spin_unlock(&mk_frames_lock);
	if (!found) {
		pr_warn_ratelimited("frame %#llx comes back that was not lent\n",
				    pfn);
		return;
	}
	put_page(pfn_to_page(pfn));
	kfree(found);
}

static bool mk_is_refusal(int err)
{
	return err != -ETIMEDOUT && err != -EINTR && err != -ERESTARTSYS &&
	       err != -EPROTO;
}

static void mk_frame_revoke(u32 id, u64 generation)
{
	struct mk_wire_share_op op = { .id = id, .generation = generation };
	struct mk_refusal r = { };

	mk_share_revoke_wait(&op, &r);
}

/* A reference to a frame, in the books of the host; it is pinned. */
static int mk_frame_lend(unsigned long pfn, u32 peer, struct mk_wire_pfn *ret)
{
	struct mk_wire_frame frame = { .pfn = pfn, .peer_id = peer };
	struct mk_answer answer;
	struct mk_refusal r = { };
	int err;

	err = mk_share_call(MK_MSG_FRAME_SEND, &frame, sizeof(frame), &answer,
			    &r);
	if (err)
		return err;
	*ret = (struct mk_wire_pfn){
		.pfn = pfn,
		.share = answer.share.id,
		.generation = answer.share.generation,
	};
	return 0;
}

static u32 mk_own_id(void)
{
	return multikernel_is_instance() ? mk_guest.id : 0;
}

static int mk_frame_target(int cpu, u32 *ret_peer)
{
	if (cpu < 0)
		return -EINVAL;
	if (multikernel_role == MK_ROLE_NONE)
		return -ENODEV;
	*ret_peer = mk_cpu_owner(cpu);
	if (*ret_peer == MK_CPU_NOBODY)
		return -ENODEV;
	return *ret_peer == mk_own_id() ? -EINVAL : 0;
}

/**
 * mk_send_pfn() - lend a page to the kernel of a CPU
 * @target_cpu: APIC id of a CPU of another kernel
 * @pfn: page of this kernel's RAM, from alloc_page(); it stays pinned until the
 *	other kernel unmaps it, or ends
 *
 * The message goes to the other kernel's handlers, as one of type
 * MK_PFN_IPI_TYPE; see mk_receive_map_page(). Process context.
 *
 * Return: 0; -EINVAL the CPU is this kernel's own; -ENODEV of no kernel that
 * runs; -EPERM the frame is not this kernel's RAM; -ENOSPC too many are lent;
 * -ENOMEM; or as multikernel_send_ipi_data().
 */
int mk_send_pfn(int target_cpu, unsigned long pfn)
{
	struct mk_wire_pfn message;
	struct page *page;
	u32 peer;
	int ret;

	ret = mk_frame_target(target_cpu, &peer) ?: mk_frame_pin(pfn, &page);
	if (ret)
		return ret;
	ret = mk_frame_lend(pfn, peer, &message);
	if (!ret && !page) {
		mk_frame_revoke(message.share, message.generation);
		return -EPERM;
	}
	if (ret && page && mk_is_refusal(ret))
		mk_frame_unpin(pfn);
	if (ret)
		return ret;
	ret = multikernel_send_ipi_data(target_cpu, &message, sizeof(message),
					MK_PFN_IPI_TYPE);
	if (ret)
		mk_frame_revoke(message.share, message.generation);
	return ret;
}
EXPORT_SYMBOL_GPL(mk_send_pfn);

static void mk_frame_free_message(struct mk_peer *peer,
				  const struct mk_msg *msg)
{
	mk_frame_unpin(((const struct mk_wire_frame *)msg->payload)->pfn);
}

/* Receiving */

static bool mk_frame_is_own(u64 pfn)
{
	return pfn >= BIT_ULL(MK_EXTENT_PFN_BITS) ||
	       region_intersects(pfn << 12, 4096, IORESOURCE_SYSTEM_RAM,
				 IORES_DESC_NONE) != REGION_DISJOINT;
}

static int mk_frame_parse(const struct mk_ipi_data *data,
			  struct mk_wire_pfn *ret)
{
	if (!data || data->type != MK_PFN_IPI_TYPE ||
	    data->data_size != sizeof(*ret))
		return -EINVAL;
	memcpy(ret, data->buffer, sizeof(*ret));
	return 0;
}

/**
 * mk_receive_pfn() - which frame a message is about
 * @data: as the callback got it
 * @out_pfn: the frame
 *
 * Return: 0, or -EINVAL: not a message of mk_send_pfn().
 */
int mk_receive_pfn(struct mk_ipi_data *data, unsigned long *out_pfn)
{
	struct mk_wire_pfn message;
	int ret = mk_frame_parse(data, &message);

	if (!ret)
		*out_pfn = message.pfn;
	return ret;
}
EXPORT_SYMBOL_GPL(mk_receive_pfn);

/* The reference that a message names, if it is what the message says */
static struct mk_attachment *mk_frame_attach(const struct mk_wire_pfn *message,
					     struct mk_refusal *r)
{
	const struct mk_wanted wanted = {
		.id = message->share,
		.generation = message->generation,
		.rights = MK_RIGHTS,
	};
	const struct mk_pages *pages;
	struct mk_attachment *att;

	if (mk_frame_is_own(message->pfn)) {
		mk_refuse(r, MK_REASON_FRAME_OWN_RAM, message->pfn, 0, NULL);
		return ERR_PTR(-EPERM);
	}
	if (!message->share || !message->generation ||
	    message->share & MK_GET_NEXT) {
		mk_refuse(r, MK_REASON_SHARE_UNKNOWN, message->share, 0, NULL);
		return ERR_PTR(-ENOENT);
	}
	att = mk_attach(&wanted, r);
	if (IS_ERR(att))
		return att;
	pages = mk_attachment_pages(att);
	if (pages->bytes == 4096 &&
	    pages->range[0].addr == message->pfn << 12)
		return att;
	mk_share_detach(att);
	mk_refuse(r, MK_REASON_SHARE_BAD_PAGES, message->pfn, 0, NULL);
	return ERR_PTR(-EPROTO);
}

/**
 * mk_receive_map_page() - map the page that a message is about
 * @data: as the callback got it
 *
 * Works in a callback, as those run in process context. Return: address of the
 * page, for mk_receive_unmap_page(); or NULL, with the reason in the log: no
 * message of mk_send_pfn(), not lent to this kernel, no longer lent, a page of
 * this kernel's own RAM.
 */
void *mk_receive_map_page(struct mk_ipi_data *data)
{
	struct mk_borrowed *borrowed = NULL;
	struct mk_wire_pfn message = { };
	struct mk_attachment *att;
	struct mk_refusal r = { };
	int ret;

	ret = mk_frame_parse(data, &message);
	att = ret ? ERR_PTR(ret) : mk_frame_attach(&message, &r);
	if (IS_ERR(att)) {
		pr_info_ratelimited("frame %#llx is not mapped: error %ld, reason %u\n",
				    message.pfn, PTR_ERR(att), r.reason);
		return NULL;
	}
	borrowed = kzalloc(sizeof(*borrowed), GFP_KERNEL);
	if (borrowed)
		borrowed->p = mk_attachment_map(att);
	if (!borrowed || !borrowed->p) {
		mk_share_detach(att);
		kfree(borrowed);
		return NULL;
	}
	borrowed->att = att;
	spin_lock(&mk_frames_lock);
	list_add(&borrowed->node, &mk_borrowed_pages);
	spin_unlock(&mk_frames_lock);
	return borrowed->p;
}
EXPORT_SYMBOL_GPL(mk_receive_map_page);

/**
 * mk_receive_unmap_page() - give a page back to the kernel that lent it
 * @p: from mk_receive_map_page(), or NULL
 */
void mk_receive_unmap_page(void *p)
{
	struct mk_borrowed *borrowed, *found = NULL;

	if (!p)
		return;
	spin_lock(&mk_frames_lock);
	list_for_each_entry(borrowed, &mk_borrowed_pages, node)
		if (borrowed->p == p)
			found = borrowed;
	if (found)
		list_del(&found->node);
	spin_unlock(&mk_frames_lock);
	if (WARN_ONCE(!found, "no page was mapped there"))
		return;
	mk_share_detach(found->att);
	kfree(found);
}
EXPORT_SYMBOL_GPL(mk_receive_unmap_page);

static const struct mk_control mk_frame_control[] = {
	{
		.type = MK_MSG_FRAME_FREE,
		.bytes = sizeof(struct mk_wire_frame),
		.fn = mk_frame_free_message,
	},
	{ }
};

static int __init mk_frame_init(void)
{
	if (multikernel_is_instance())
		mk_control_add(mk_frame_control);
	return 0;
}
subsys_initcall(mk_frame_init);
