// SPDX-License-Identifier: GPL-2.0-only
/*
 * The memory type of pages that another kernel owns: write-back, and known to
 * Linux as that, so that it is seen in debugfs (x86/pat_memtype_list), and so
 * that mappings that are made one page at a time get it.
 *
 * On the host the pool is untracked otherwise: write-back without an entry.
 */
#include <linux/mutex.h>
#include <linux/sched.h>
#include <asm/memtype.h>
#include <asm/processor.h>

#include "../../../kernel/multikernel/internal.h"

static DEFINE_MUTEX(mk_track_lock);
static struct task_struct *mk_tracker;

/** mk_arch_memtype_tracking() - is this an entry that is to be made, or undone? */
bool mk_arch_memtype_tracking(void)
{
	return READ_ONCE(mk_tracker) == current;
}

static bool mk_is_physical(u64 addr, u64 bytes)
{
	u64 end = BIT_ULL(boot_cpu_data.x86_phys_bits);

	return addr < end && bytes <= end - addr;
}

/**
 * mk_arch_memtype_hold() - this range is going to be mapped, write-back
 * @addr: page-aligned, not this kernel's RAM
 * @bytes: whole pages
 *
 * May be held several times. Return: 0, -EINVAL no such address, -EBUSY it is
 * mapped with another type, or the MTRRs do not let it be write-back; -ENOMEM.
 */
int mk_arch_memtype_hold(u64 addr, u64 bytes)
{
	enum page_cache_mode mode = _PAGE_CACHE_MODE_WB;
	int ret;

	if (!mk_is_physical(addr, bytes))
		return -EINVAL;
	guard(mutex)(&mk_track_lock);
	WRITE_ONCE(mk_tracker, current);
	ret = memtype_reserve(addr, addr + bytes, _PAGE_CACHE_MODE_WB, &mode);
	if (!ret && mode != _PAGE_CACHE_MODE_WB) {
		memtype_free(addr, addr + bytes);
		ret = -EBUSY;
	}
	WRITE_ONCE(mk_tracker, NULL);
	return ret;
}

/** mk_arch_memtype_drop() - undoes one mk_arch_memtype_hold() of the same range */
void mk_arch_memtype_drop(u64 addr, u64 bytes)
{
	guard(mutex)(&mk_track_lock);
	WRITE_ONCE(mk_tracker, current);
	memtype_free(addr, addr + bytes);
	WRITE_ONCE(mk_tracker, NULL);
}
