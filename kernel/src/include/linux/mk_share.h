/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Shares for kernel code: pool memory that several kernels of one machine map.
 * Works alike on the host and in an instance; the host keeps the books.
 *
 *	err = mk_share_create("frames", 64 << 20, NUMA_NO_NODE);
 *	err = mk_share_grant("frames", "b", MK_RIGHT_READ);
 *	att = mk_share_attach("frames", MK_RIGHT_READ | MK_RIGHT_WRITE);
 *	p = mk_attachment_map(att);
 *	...
 *	mk_share_detach(att);
 *	err = mk_share_revoke("frames", NULL, 1000);
 *
 * Everything here may sleep, and waits at most 5 seconds for the host beside
 * the time limit that it was given; mk_share_create() 30, as memory may have to
 * be scrubbed. There are no struct pages behind a share.
 * For single pages of a kernel's own RAM see mk_send_pfn().
 */
#ifndef _LINUX_MK_SHARE_H
#define _LINUX_MK_SHARE_H

#include <linux/notifier.h>
#include <linux/types.h>
#include <uapi/linux/multikernel.h>

struct mk_attachment;

/**
 * mk_share_create() - make a share, owned by this kernel, all zeros
 * @name: unique among the shares that live
 * @bytes: size, not 0, a multiple of 4096
 * @node: NUMA node of the host, or NUMA_NO_NODE
 *
 * Return: 0, or a negative error as of MK_IOC_SHARE_CREATE. All functions here:
 * -ENXIO in a kernel that is no part of a multikernel, -ETIMEDOUT the host does
 * not answer.
 */
int mk_share_create(const char *name, u64 bytes, int node);

/** mk_share_grant() - let a peer attach; @rights: MK_RIGHT_* */
int mk_share_grant(const char *name, const char *peer, u32 rights);

/** mk_share_give() - make a peer the owner; the contents stay */
int mk_share_give(const char *name, const char *peer);

/**
 * mk_share_revoke() - take a grant back
 * @name: of the share
 * @peer: from whom; NULL: from everybody, and free the share
 * @timeout_ms: how long to wait for the detach; 0: not at all
 *
 * Return: 0 when nobody of them has it attached; -ETIMEDOUT or (without a time
 * limit) -EBUSY: revoked, but still attached; other errors: not revoked.
 */
int mk_share_revoke(const char *name, const char *peer,
		    unsigned int timeout_ms);

/**
 * mk_share_attach() - use a share
 * @name: of the share
 * @rights: MK_RIGHT_*, wanted
 *
 * Return: attachment for mk_share_detach(), or ERR_PTR as of
 * MK_IOC_SHARE_ATTACH.
 */
struct mk_attachment *mk_share_attach(const char *name, u32 rights);
void mk_share_detach(struct mk_attachment *att);

/**
 * mk_attachment_map() - where it is in this kernel's address space
 *
 * Mapped when first asked for, write-back; read-only without MK_RIGHT_WRITE.
 * Return: address, valid until the detach, or NULL without memory for it.
 */
void *mk_attachment_map(struct mk_attachment *att);
u64 mk_attachment_bytes(const struct mk_attachment *att);
u64 mk_attachment_generation(const struct mk_attachment *att);

/**
 * mk_attachment_notifier_register() - be told of revoke, orphaning, giving
 *
 * Called in process context with enum mk_share_event_type and the struct
 * mk_share_event. Must not detach from within.
 */
int mk_attachment_notifier_register(struct mk_attachment *att,
				    struct notifier_block *nb);
int mk_attachment_notifier_unregister(struct mk_attachment *att,
				      struct notifier_block *nb);

#endif /* _LINUX_MK_SHARE_H */
