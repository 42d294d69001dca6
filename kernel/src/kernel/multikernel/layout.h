/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Where kernel and initrd lie in an instance's memory.
 */
#ifndef _MULTIKERNEL_LAYOUT_H
#define _MULTIKERNEL_LAYOUT_H

#include <linux/types.h>
#include <uapi/linux/multikernel.h>

/**
 * struct mk_layout - addresses, physical
 * @handoff_addr: start of the piece that the kernel is in
 * @kernel_addr: base of the image
 * @initrd_addr: 0 without an initrd
 */
struct mk_layout {
	u64 handoff_addr;
	u64 kernel_addr;
	u64 initrd_addr;
};

int mk_layout_find(const struct mk_range *ranges, u32 nr, u64 span,
		   u64 initrd_bytes, struct mk_layout *ret,
		   struct mk_refusal *r);

#endif /* _MULTIKERNEL_LAYOUT_H */
