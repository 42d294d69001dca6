// SPDX-License-Identifier: GPL-2.0-only
/*
 * Shares for programs: the ioctls, and the descriptor of an attachment.
 *
 * The descriptor is the attachment: mappings keep the file, and the last of
 * close and munmap detaches. Mappings are filled at fault time, by 2 MiB where
 * transparent huge pages are on and all of the 2 MiB lies in one piece. They
 * are PFN mappings: nothing can pin their pages (O_DIRECT, RDMA).
 */
#include <linux/anon_inodes.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/mm.h>
#include <linux/pfn_t.h>
#include <linux/poll.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "internal.h"
#include "share.h"

#define MK_FAULT_AROUND	16	/* pages */

/* Mapping */

static u64 mk_vma_offset(struct vm_area_struct *vma, unsigned long addr)
{
	return addr - vma->vm_start + ((u64)vma->vm_pgoff << PAGE_SHIFT);
}

static const struct mk_pages *mk_vma_pages(struct vm_area_struct *vma)
{
	return mk_attachment_pages(vma->vm_file->private_data);
}

/*
 * The page that is wanted, and those behind it, as they lie in one piece. Not
 * past the end of its 2 MiB: the next may be mapped by a large page, or be about
 * to.
 */
static vm_fault_t mk_share_fault(struct vm_fault *vmf)
{
	struct vm_area_struct *vma = vmf->vma;
	unsigned long at = vmf->address & PAGE_MASK;
	unsigned long end = min3(vma->vm_end, at + MK_FAULT_AROUND * PAGE_SIZE,
				 ALIGN(at + 1, PMD_SIZE));
	vm_fault_t ret;
	u64 addr, left;

	if (!mk_pages_at(mk_vma_pages(vma), mk_vma_offset(vma, at), &addr,
			 &left))
		return VM_FAULT_SIGBUS;
	ret = vmf_insert_pfn(vma, at, addr >> PAGE_SHIFT);
	while (ret == VM_FAULT_NOPAGE && left > PAGE_SIZE &&
	       at + PAGE_SIZE < end) {
		at += PAGE_SIZE;
		addr += PAGE_SIZE;
		left -= PAGE_SIZE;
		if (vmf_insert_pfn(vma, at, addr >> PAGE_SHIFT) !=
		    VM_FAULT_NOPAGE)
			break;	/* it has its own fault */
	}
	return ret;
}

#ifdef CONFIG_TRANSPARENT_HUGEPAGE
static vm_fault_t mk_share_huge_fault(struct vm_fault *vmf, unsigned int order)
{
	struct vm_area_struct *vma = vmf->vma;
	unsigned long at = vmf->address & PMD_MASK;
	u64 addr, left;

	if (order != PMD_ORDER || at < vma->vm_start ||
	    at + PMD_SIZE > vma->vm_end ||
	    !mk_pages_at(mk_vma_pages(vma), mk_vma_offset(vma, at), &addr,
			 &left) ||
	    addr % PMD_SIZE || left < PMD_SIZE)
		return VM_FAULT_FALLBACK;
	return vmf_insert_pfn_pmd(vmf, pfn_to_pfn_t(addr >> PAGE_SHIFT),
				  vmf->flags & FAULT_FLAG_WRITE);
}
#endif

static const struct vm_operations_struct mk_share_vm_ops = {
	.fault		= mk_share_fault,
#ifdef CONFIG_TRANSPARENT_HUGEPAGE
	.huge_fault	= mk_share_huge_fault,
#endif
};

static int mk_share_mmap(struct file *file, struct vm_area_struct *vma)
{
	struct mk_attachment *att = file->private_data;
	u64 pages = mk_attachment_bytes(att) >> PAGE_SHIFT;

	/* A file that is not open for writing has lost VM_SHARED by now. */
	if (!(vma->vm_flags & VM_MAYSHARE))
		return -EINVAL;
	if (vma->vm_pgoff > pages || vma_pages(vma) > pages - vma->vm_pgoff)
		return -EINVAL;
	if (vma->vm_flags & VM_EXEC)
		return -EPERM;
	if (!(mk_attachment_rights(att) & MK_RIGHT_WRITE)) {
		if (vma->vm_flags & VM_WRITE)
			return -EACCES;
		vm_flags_clear(vma, VM_MAYWRITE);
	}
	vm_flags_mod(vma, VM_PFNMAP | VM_DONTEXPAND | VM_DONTDUMP |
		     (IS_ENABLED(CONFIG_TRANSPARENT_HUGEPAGE) ? VM_HUGEPAGE : 0),
		     VM_MAYEXEC);
	vma->vm_ops = &mk_share_vm_ops;
	return 0;
}

/* Events */

static ssize_t mk_share_read(struct file *file, char __user *buf, size_t len,
			     loff_t *pos)
{
	struct mk_attachment *att = file->private_data;
	struct mk_share_event event;
	int ret;

	if (len < sizeof(event))
		return -EINVAL;
	while (!mk_attachment_next_event(att, &event)) {
		if (file->f_flags & O_NONBLOCK)
			return -EAGAIN;
		ret = wait_event_interruptible(*mk_attachment_wait(att),
					       mk_attachment_has_event(att));
		if (ret)
			return ret;
	}
	return copy_to_user(buf, &event, sizeof(event)) ? -EFAULT :
							  sizeof(event);
}

static __poll_t mk_share_poll(struct file *file, poll_table *wait)
{
	struct mk_attachment *att = file->private_data;

	poll_wait(file, mk_attachment_wait(att), wait);
	return mk_attachment_has_event(att) ? EPOLLPRI | EPOLLIN : 0;
}

static int mk_share_close(struct inode *inode, struct file *file)
{
	mk_share_detach(file->private_data);
	return 0;
}

static const struct file_operations mk_share_fops = {
	.read			= mk_share_read,
	.poll			= mk_share_poll,
	.mmap			= mk_share_mmap,
	.get_unmapped_area	= thp_get_unmapped_area,
	.release		= mk_share_close,
	.llseek			= noop_llseek,
};

/* The ioctls */

static int mk_names_check(const char *name, const char *peer,
			  struct mk_refusal *r)
{
	if (strnlen(name, MK_SHARE_NAME_MAX) == MK_SHARE_NAME_MAX) {
		mk_refuse(r, MK_REASON_SHARE_NAME_BAD, 0, 0, NULL);
		return -EINVAL;
	}
	if (peer && strnlen(peer, MK_NAME_MAX) == MK_NAME_MAX) {
		mk_refuse(r, MK_REASON_BAD_NAME, 0, 0, NULL);
		return -EINVAL;
	}
	return 0;
}

static int mk_refuse_reserved(struct mk_refusal *r)
{
	mk_refuse(r, MK_REASON_RESERVED_NOT_ZERO, 0, 0, NULL);
	return -EINVAL;
}

static int mk_create_call(const struct mk_share_create *c,
			  struct mk_answer *answer, struct mk_refusal *r)
{
	struct mk_wire_share_create wire = {
		.bytes = c->bytes,
		.node = c->node,
	};

	memcpy(wire.name, c->name, sizeof(wire.name));
	if (!*c->owner)
		return mk_share_call(MK_MSG_SHARE_CREATE, &wire, sizeof(wire),
				     answer, r);
	if (!multikernel_is_host()) {
		mk_refuse(r, MK_REASON_NOT_HOST, multikernel_role, 0, NULL);
		return -EOPNOTSUPP;
	}
	return mk_share_create_for(c->owner, &wire, answer, r);
}

int mk_op_share_create(void *arg, struct mk_refusal *r)
{
	struct mk_share_create *c = arg;
	struct mk_answer answer = { };
	int ret;

	if (c->flags)
		return mk_refuse_reserved(r);
	ret = mk_names_check(c->name, c->owner, r) ?:
	      mk_create_call(c, &answer, r);
	if (ret)
		return ret;
	c->id = answer.share.id;
	c->generation = answer.share.generation;
	return 0;
}

static int mk_op_wire(const struct mk_share_op *op, u32 flags,
		      struct mk_wire_share_op *ret, struct mk_refusal *r)
{
	int err = mk_names_check(op->name, op->peer, r);

	if (err)
		return err;
	if (op->reserved || op->flags & ~flags || op->id & MK_GET_NEXT)
		return mk_refuse_reserved(r);
	*ret = (struct mk_wire_share_op){
		.id = op->id,
		.generation = op->generation,
		.rights = op->rights,
		.flags = op->flags,
		.timeout_ms = op->timeout_ms,
	};
	memcpy(ret->name, op->name, sizeof(ret->name));
	memcpy(ret->peer, op->peer, sizeof(ret->peer));
	return 0;
}

static int mk_op_simple(u32 type, const struct mk_share_op *op, u32 flags,
			struct mk_refusal *r)
{
	struct mk_wire_share_op wire;
	struct mk_answer answer;

	return mk_op_wire(op, flags, &wire, r) ?:
	       mk_share_call(type, &wire, sizeof(wire), &answer, r);
}

int mk_op_share_grant(void *arg, struct mk_refusal *r)
{
	return mk_op_simple(MK_MSG_SHARE_GRANT, arg,
			    multikernel_is_host() ? MK_SHARE_LATER : 0, r);
}

int mk_op_share_give(void *arg, struct mk_refusal *r)
{
	return mk_op_simple(MK_MSG_SHARE_GIVE, arg, 0, r);
}

int mk_op_share_revoke(void *arg, struct mk_refusal *r)
{
	struct mk_wire_share_op wire;

	return mk_op_wire(arg, 0, &wire, r) ?: mk_share_revoke_wait(&wire, r);
}

int mk_op_share_detach(void *arg, struct mk_refusal *r)
{
	struct mk_wire_share_op wire;
	int ret = mk_op_wire(arg, 0, &wire, r);

	if (ret)
		return ret;
	ret = mk_attachment_release(wire.name, wire.id, wire.generation, r);
	if (!ret && multikernel_is_host())
		mk_shares_reap_now();
	return ret;
}

/* Takes the attachment over. */
static int mk_share_fd(struct mk_attachment *att)
{
	bool write = mk_attachment_rights(att) & MK_RIGHT_WRITE;
	int fd = anon_inode_getfd("[mk-share]", &mk_share_fops, att,
				  O_CLOEXEC | (write ? O_RDWR : O_RDONLY));

	if (fd < 0)
		mk_share_detach(att);
	return fd;
}

int mk_op_share_attach(void *arg, struct mk_refusal *r)
{
	struct mk_share_attach *a = arg;
	struct mk_wanted wanted = {
		.name = a->name,
		.id = a->id,
		.generation = a->generation,
		.rights = a->rights,
		.keep = a->flags & MK_SHARE_KEEP,
	};
	struct mk_attachment *att;
	int ret;

	a->fd = -1;
	if (a->flags & ~MK_SHARE_KEEP || a->reserved || a->id & MK_GET_NEXT)
		return mk_refuse_reserved(r);
	ret = mk_names_check(a->name, NULL, r);
	if (ret)
		return ret;
	att = mk_attach(&wanted, r);
	if (IS_ERR(att))
		return PTR_ERR(att);
	a->id = mk_attachment_id(att);
	a->generation = mk_attachment_generation(att);
	a->bytes = mk_attachment_bytes(att);
	strscpy_pad(a->name, mk_attachment_name(att), sizeof(a->name));
	if (wanted.keep) {
		mk_attachment_put(att);
		return 0;
	}
	a->fd = mk_share_fd(att);
	return min(a->fd, 0);
}

/* Looking */

static int mk_get_call(const struct mk_share_get *g, struct mk_wire_share *ret,
		       struct mk_refusal *r)
{
	struct mk_wire_share_op op = { .id = g->id };
	struct mk_answer answer;
	int err;

	memcpy(op.name, g->name, sizeof(op.name));
	err = mk_share_call(MK_MSG_SHARE_GET, &op, sizeof(op), &answer, r);
	if (!err)
		*ret = answer.share;
	return err;
}

static int mk_put_extents(struct mk_share_get *g,
			  const struct mk_wire_share *share)
{
	u32 i, nr = min_t(u32, share->nr_extents, MK_SHARE_EXTENTS);
	u32 fit = g->extents ? min(g->nr_extents, nr) : 0;
	struct mk_range range = { .node = MK_NODE_ANY };
	struct mk_range __user *to = u64_to_user_ptr(g->extents);

	g->nr_extents = nr;
	for (i = 0; i < fit; i++) {
		range.addr = MK_EXTENT_PFN(share->extents[i]) << 12;
		range.bytes = (u64)MK_EXTENT_PAGES(share->extents[i]) << 12;
		if (copy_to_user(&to[i], &range, sizeof(range)))
			return -EFAULT;
	}
	return 0;
}

/* One by one: all of them do not fit into a message. */
static int mk_put_holders(struct mk_share_get *g, struct mk_refusal *r)
{
	struct mk_share_holder __user *to = u64_to_user_ptr(g->holders);
	u32 room = g->holders ? g->nr_holders : 0;
	struct mk_wire_share_op op = {
		.id = g->id,
		.generation = g->generation,
	};
	struct mk_answer answer;
	int ret;

	for (; op.holder <= MK_SHARE_HOLDERS_MAX; op.holder++) {
		ret = mk_share_call(MK_MSG_SHARE_HOLDER, &op, sizeof(op),
				    &answer, r);
		if (ret == -ERANGE)
			break;
		if (ret)
			return ret;
		if (op.holder < room &&
		    copy_to_user(&to[op.holder], &answer.holder,
				 sizeof(answer.holder)))
			return -EFAULT;
	}
	g->nr_holders = op.holder;
	return 0;
}

int mk_op_share_get(void *arg, struct mk_refusal *r)
{
	struct mk_share_get *g = arg;
	struct mk_wire_share share;
	int ret;

	if (g->reserved)
		return mk_refuse_reserved(r);
	ret = mk_names_check(g->name, NULL, r) ?: mk_get_call(g, &share, r);
	if (ret)
		return ret;
	g->id = share.id;
	g->generation = share.generation;
	memcpy(g->name, share.name, sizeof(g->name));
	g->bytes = share.bytes;
	g->charged_bytes = share.charged_bytes;
	g->kind = share.kind;
	g->state = share.state;
	g->attaches = share.attaches;
	g->refused = share.refused;
	g->kept = mk_attachment_is_kept(share.id);
	return mk_put_extents(g, &share) ?: mk_put_holders(g, r);
}
