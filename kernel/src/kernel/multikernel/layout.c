// SPDX-License-Identifier: GPL-2.0-only
/*
 * Where kernel and initrd lie in an instance's memory.
 *
 * The memory may be in several pieces. The hand-over area and the kernel behind
 * it, with its bss, need one piece; the initrd needs one, the same or another.
 * Each goes into the first piece that leaves the other a place; mk_pool_take()
 * puts large pieces first. So an image is refused only if there is no way to
 * place it at all.
 */
#include <linux/align.h>
#include <linux/minmax.h>
#include <linux/mm.h>

#include "internal.h"

/* What a piece has for a kernel; pieces are 2 MiB or larger. */
static u64 kernel_room(const struct mk_range *range)
{
	return range->bytes - MK_KERNEL_OFFSET;
}

/* What it has for an initrd, with the kernel in it or elsewhere. */
static u64 initrd_room(const struct mk_range *range, bool with_kernel,
		       u64 span)
{
	u64 room = range->bytes;

	if (with_kernel)
		room = kernel_room(range) - span;
	return ALIGN_DOWN(room, PAGE_SIZE);
}

/* The piece for the initrd when the kernel is in piece @kernel, or -1. */
static int initrd_piece(const struct mk_range *ranges, u32 nr, u32 kernel,
			u64 span, u64 initrd_bytes, u64 *largest)
{
	u32 i, piece;
	u64 room;

	for (i = 0; i < nr; i++) {
		/* Beside the kernel first, then in order */
		piece = i ? i - (i <= kernel) : kernel;
		room = initrd_room(&ranges[piece], piece == kernel, span);
		*largest = max(*largest, room);
		if (initrd_bytes <= room)
			return piece;
	}
	return -1;
}

static void fill(struct mk_layout *layout, const struct mk_range *kernel,
		 const struct mk_range *initrd, u64 initrd_bytes)
{
	layout->handoff_addr = kernel->addr;
	layout->kernel_addr = kernel->addr + MK_KERNEL_OFFSET;
	layout->initrd_addr = initrd_bytes ?
		ALIGN_DOWN(initrd->addr + initrd->bytes - initrd_bytes,
			   PAGE_SIZE) : 0;
}

/**
 * mk_layout_find() - place a kernel and an initrd
 * @ranges: memory of the instance
 * @nr: pieces in it
 * @span: size of the kernel from its base to the end of its bss, bytes
 * @initrd_bytes: size of the initrd, 0 for none
 * @ret: where they go
 * @r: refusal to fill, or NULL
 *
 * Return: 0 or -ENOSPC.
 */
int mk_layout_find(const struct mk_range *ranges, u32 nr, u64 span,
		   u64 initrd_bytes, struct mk_layout *ret,
		   struct mk_refusal *r)
{
	u64 room = 0, for_initrd = 0;
	bool fits = false;
	int initrd;
	u32 i;

	for (i = 0; i < nr; i++) {
		room = max(room, kernel_room(&ranges[i]));
		if (span > kernel_room(&ranges[i]))
			continue;
		fits = true;
		initrd = initrd_piece(ranges, nr, i, span, initrd_bytes,
				      &for_initrd);
		if (initrd < 0)
			continue;
		fill(ret, &ranges[i], &ranges[initrd], initrd_bytes);
		return 0;
	}
	if (fits)
		mk_refuse(r, MK_REASON_INITRD_TOO_LARGE, initrd_bytes,
			  for_initrd, NULL);
	else
		mk_refuse(r, MK_REASON_IMAGE_TOO_LARGE, span, room, NULL);
	return -ENOSPC;
}
