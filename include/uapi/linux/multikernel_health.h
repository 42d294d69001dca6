/* SPDX-License-Identifier: GPL-2.0-only WITH Linux-syscall-note */
/*
 * The user ABI of the multikernel, continued: watchdog and dumps. Included by
 * linux/multikernel.h, which has what every request has in common.
 */
#ifndef _UAPI_LINUX_MULTIKERNEL_HEALTH_H
#define _UAPI_LINUX_MULTIKERNEL_HEALTH_H

#include <linux/multikernel.h>
#include <linux/types.h>

/**
 * struct mk_set_watchdog - MK_IOC_SET_WATCHDOG: when is it unresponsive?
 * @size: in: sizeof(struct mk_set_watchdog)
 * @id: in: instance, any state
 * @timeout_ms: in: a running instance of which a CPU has not beaten for so long
 *	is unresponsive, and running again when all beat; MK_WATCHDOG_MIN to
 *	MK_WATCHDOG_MAX, 0 to switch it off. MK_WATCHDOG_DEFAULT unless set.
 * @reserved: zero
 * @refusal: out
 *
 * Errors: -ENOENT, -EINVAL
 */
struct mk_set_watchdog {
	__u32 size;
	__u32 id;
	__u32 timeout_ms;
	__u32 reserved;
	struct mk_refusal refusal;
};

#define MK_WATCHDOG_MIN		1000	/* ms */
#define MK_WATCHDOG_MAX		600000
#define MK_WATCHDOG_DEFAULT	4000

#define MK_DUMP_NOTE_BYTES	512	/* room for one CPU's note */

/**
 * struct mk_dump - MK_IOC_DUMP: what a dump of an instance has to say
 * @size: in: sizeof(struct mk_dump)
 * @id: in: instance that has memory and was started
 * @vmcoreinfo: out: physical address of its vmcoreinfo note, 0 for none
 * @vmcoreinfo_bytes: out
 * @phys_base: out: of its kernel text: physical = virtual - __START_KERNEL_map
 *	+ this
 * @page_offset: out: virtual address of its direct map
 * @text: out: virtual address of _text
 * @text_phys: out: physical address of it
 * @text_bytes: out: _end - _text
 * @nr_notes: in: room at @notes; out: CPUs that there are
 * @nr_saved: out: of them those whose registers were stored
 * @notes: in: pointer to @nr_notes notes of MK_DUMP_NOTE_BYTES, or 0; out: ELF
 *	notes "CORE", NT_PRSTATUS, one a CPU in the instance's own numbering,
 *	zero where none was stored
 * @refusal: out
 *
 * Registers are stored when it is frozen, when it panics, and at its end, by
 * those CPUs that take the host's NMI. All was said by the instance: addresses
 * are checked to lie in its memory, else they are 0. Errors: -ENOENT, -ENODATA
 */
struct mk_dump {
	__u32 size;
	__u32 id;
	__aligned_u64 vmcoreinfo;
	__aligned_u64 vmcoreinfo_bytes;
	__aligned_u64 phys_base;
	__aligned_u64 page_offset;
	__aligned_u64 text;
	__aligned_u64 text_phys;
	__aligned_u64 text_bytes;
	__u32 nr_notes;
	__u32 nr_saved;
	__aligned_u64 notes;
	struct mk_refusal refusal;
};

#endif /* _UAPI_LINUX_MULTIKERNEL_HEALTH_H */
