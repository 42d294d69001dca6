// SPDX-License-Identifier: GPL-2.0-only
/*
 * Pages of a share in this kernel: are they what they may be, their memory
 * type, and a mapping of them.
 *
 * No kernel has struct pages for them. What is mapped here is unmapped, TLB
 * entries included, before the host is told of the detach: after that the
 * memory may be anybody's.
 */
#define pr_fmt(fmt) "multikernel: " fmt

#include <linux/io.h>
#include <linux/ioport.h>
#include <linux/mm.h>
#include <linux/overflow.h>
#include <linux/vmalloc.h>

#include "internal.h"
#include "share.h"

static bool mk_overlaps(u64 addr, u64 bytes, u64 other, u64 other_bytes)
{
	return addr < other + other_bytes && other < addr + bytes;
}

/* Own RAM would be mapped twice, and be somebody's already. */
static int mk_range_check(const struct mk_range *range, const char *name,
			  struct mk_refusal *r)
{
	if (region_intersects(range->addr, range->bytes, IORESOURCE_SYSTEM_RAM,
			      IORES_DESC_NONE) != REGION_DISJOINT) {
		mk_refuse(r, MK_REASON_FRAME_OWN_RAM, range->addr >> 12, 0,
			  name);
		return -EPERM;
	}
	if (!range->addr || !range->bytes ||
	    mk_overlaps(range->addr, range->bytes, mk_guest.region_addr,
			mk_guest.region_bytes)) {
		mk_refuse(r, MK_REASON_SHARE_BAD_PAGES, range->addr >> 12, 0,
			  name);
		return -EPROTO;
	}
	return 0;
}

static int mk_pages_sum(const struct mk_pages *pages, const char *name,
			struct mk_refusal *r)
{
	u64 sum = 0;
	u32 i;

	/* 16 times 2^24 pages cannot overflow. */
	for (i = 0; i < pages->nr; i++)
		sum += pages->range[i].bytes;
	if (sum && sum == pages->bytes)
		return 0;
	mk_refuse(r, MK_REASON_SHARE_BAD_PAGES, 0, sum, name);
	return -EPROTO;
}

/**
 * mk_pages_parse() - the pages of a share, as the host told them, checked
 * @share: private copy
 * @ret: the pages
 * @r: refusal to fill
 *
 * Return: 0, -EPERM own RAM, -EPROTO cannot be.
 */
int mk_pages_parse(const struct mk_wire_share *share, struct mk_pages *ret,
		   struct mk_refusal *r)
{
	u64 extent;
	u32 i;
	int err;

	if (share->nr_extents > MK_SHARE_EXTENTS) {
		mk_refuse(r, MK_REASON_SHARE_BAD_PAGES, 0, share->nr_extents,
			  share->name);
		return -EPROTO;
	}
	memset(ret, 0, sizeof(*ret));
	ret->bytes = share->bytes;
	ret->nr = share->nr_extents;
	for (i = 0; i < ret->nr; i++) {
		extent = share->extents[i];
		ret->range[i].addr = MK_EXTENT_PFN(extent) << 12;
		ret->range[i].bytes = (u64)MK_EXTENT_PAGES(extent) << 12;
		ret->range[i].node = MK_NODE_ANY;
		err = mk_range_check(&ret->range[i], share->name, r);
		if (err)
			return err;
	}
	return mk_pages_sum(ret, share->name, r);
}

/**
 * mk_pages_at() - what is at an offset
 * @pages: of a share
 * @offset: in bytes
 * @ret_addr: physical address
 * @ret_bytes: that follow from there on in one piece
 *
 * Return: false past the end.
 */
bool mk_pages_at(const struct mk_pages *pages, u64 offset, u64 *ret_addr,
		 u64 *ret_bytes)
{
	u32 i;

	for (i = 0; i < pages->nr; i++) {
		if (offset < pages->range[i].bytes) {
			*ret_addr = pages->range[i].addr + offset;
			*ret_bytes = pages->range[i].bytes - offset;
			return true;
		}
		offset -= pages->range[i].bytes;
	}
	return false;
}

static void mk_pages_drop_first(const struct mk_pages *pages, u32 nr)
{
	while (nr--)
		mk_arch_memtype_drop(pages->range[nr].addr,
				     pages->range[nr].bytes);
}

/**
 * mk_pages_hold() - they are going to be mapped, write-back
 *
 * Once for each attachment; the same pages may be held several times. Return: 0
 * or a negative error: somebody has them mapped with another memory type.
 */
int mk_pages_hold(const struct mk_pages *pages)
{
	u32 i;
	int ret;

	for (i = 0; i < pages->nr; i++) {
		ret = mk_arch_memtype_hold(pages->range[i].addr,
					   pages->range[i].bytes);
		if (ret) {
			mk_pages_drop_first(pages, i);
			return ret;
		}
	}
	return 0;
}

void mk_pages_drop(const struct mk_pages *pages)
{
	mk_pages_drop_first(pages, pages->nr);
}

/**
 * mk_pages_map() - a mapping of them, in one piece
 * @pages: held
 * @write: may be written
 *
 * Return: area for mk_pages_unmap(), or NULL.
 */
struct vm_struct *mk_pages_map(const struct mk_pages *pages, bool write)
{
	pgprot_t prot = write ? PAGE_KERNEL : PAGE_KERNEL_RO;
	/* Its alignment lets it be mapped by large pages. */
	struct vm_struct *area = get_vm_area(pages->bytes, VM_IOREMAP);
	unsigned long at;
	u32 i;

	if (!area)
		return NULL;
	at = (unsigned long)area->addr;
	for (i = 0; i < pages->nr; i++) {
		if (vmap_page_range(at, at + pages->range[i].bytes,
				    pages->range[i].addr, prot)) {
			mk_pages_unmap(area);
			return NULL;
		}
		at += pages->range[i].bytes;
	}
	return area;
}

void mk_pages_unmap(struct vm_struct *area)
{
	if (!area)
		return;
	free_vm_area(area);
	/* Linux flushes the TLB of such mappings some time later. */
	vm_unmap_aliases();
}
