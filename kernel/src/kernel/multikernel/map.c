// SPDX-License-Identifier: GPL-2.0-only
/*
 * Mapping physical memory that is no RAM of this kernel: write-back, read-only
 * where nothing may be written. memremap() knows no read-only.
 */
#include <linux/io.h>
#include <linux/mm.h>
#include <linux/vmalloc.h>

#include "internal.h"

/**
 * mk_map_phys() - map foreign memory
 * @addr: physical address, page-aligned
 * @bytes: whole pages
 * @write: or read-only
 *
 * May sleep. Return: address for mk_unmap_phys(), or NULL.
 */
void *mk_map_phys(u64 addr, u64 bytes, bool write)
{
	struct vm_struct *area = get_vm_area(bytes, VM_IOREMAP);
	unsigned long at;

	if (!area)
		return NULL;
	at = (unsigned long)area->addr;
	if (vmap_page_range(at, at + bytes, addr,
			    write ? PAGE_KERNEL : PAGE_KERNEL_RO)) {
		free_vm_area(area);
		return NULL;
	}
	return area->addr;
}

/** mk_unmap_phys() - undo mk_map_phys(); NULL is fine */
void mk_unmap_phys(const void *p)
{
	if (p)
		vunmap(p);
}
