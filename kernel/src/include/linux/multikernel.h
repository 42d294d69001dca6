/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the rest of the kernel needs to know of the multikernel: the role that
 * this kernel plays, and the few places where its platform code differs.
 *
 * With CONFIG_MULTIKERNEL off everything here is an empty inline function.
 */
#ifndef _LINUX_MULTIKERNEL_H
#define _LINUX_MULTIKERNEL_H

#include <linux/types.h>
#include <uapi/linux/multikernel.h>

#ifdef CONFIG_MULTIKERNEL

extern enum mk_role multikernel_role;

/** multikernel_is_instance() - was this kernel started by another one? */
static inline bool multikernel_is_instance(void)
{
	return multikernel_role == MK_ROLE_INSTANCE;
}

/** multikernel_is_host() - may this kernel start others? */
static inline bool multikernel_is_host(void)
{
	return multikernel_role == MK_ROLE_HOST;
}

/*
 * IPI shorthands ("all but self") reach every CPU of the machine, those of
 * other kernels included: never in an instance, nor in a host that has ever
 * lent a CPU.
 */
extern bool multikernel_shorthand_unsafe;

void multikernel_alive(void);
void multikernel_instance_early_setup(void);
long multikernel_kexec_file_load(int kernel_fd, int initrd_fd,
				 unsigned long cmdline_len,
				 const char __user *cmdline,
				 unsigned long flags);
int multikernel_kexec_begin(void);
void multikernel_kexec_end(void);
void generic_multikernel_interrupt(void);

#else

#define multikernel_shorthand_unsafe false

static inline bool multikernel_is_instance(void) { return false; }
static inline bool multikernel_is_host(void) { return false; }
static inline void multikernel_alive(void) { }
static inline int multikernel_kexec_begin(void) { return 0; }
static inline void multikernel_kexec_end(void) { }
static inline void multikernel_instance_early_setup(void) { }

#endif /* CONFIG_MULTIKERNEL */

#endif /* _LINUX_MULTIKERNEL_H */
