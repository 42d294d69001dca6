/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the rest of the kernel needs to know of the multikernel: the role that
 * this kernel plays, and the few places where its platform code differs.
 *
 * With CONFIG_MULTIKERNEL off everything here is an empty inline function.
 */
#ifndef _LINUX_MULTIKERNEL_H
#define _LINUX_MULTIKERNEL_H

#include <linux/irq_work.h>
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

/*
 * The older interface, by CPU: a CPU is a physical (APIC) id, the only number
 * that two kernels agree on, and names where the callback runs. Own CPUs too.
 * Newer code uses <linux/mk_message.h>.
 */

#define MK_MAX_DATA_SIZE	256

/**
 * struct mk_ipi_data - a message, as a callback gets it
 * @sender_cpu: APIC id of the sending CPU; belongs to the sending kernel
 * @type: as sent
 * @data_size: bytes at @buffer
 * @buffer: private copy, valid until the callback returns
 */
struct mk_ipi_data {
	int sender_cpu;
	unsigned int type;
	size_t data_size;
	char buffer[MK_MAX_DATA_SIZE];
};

typedef void (*mk_ipi_callback_t)(struct mk_ipi_data *data, void *ctx);

/**
 * struct mk_ipi_handler - who gets every message of this interface
 * @callback: called on the CPU that was addressed, for one message at a time
 * @context: for @callback
 * @saved_data: the message that is being handled, or NULL
 * @work: what runs @callback when it is to run in interrupt context
 *
 * To be read only. The fields are as they have always been called.
 */
struct mk_ipi_handler {
	mk_ipi_callback_t callback;
	void *context;
	struct mk_ipi_data *saved_data;
	struct irq_work work;
};

struct mk_ipi_handler *multikernel_register_handler(mk_ipi_callback_t callback,
						    void *ctx);
struct mk_ipi_handler *
multikernel_register_irq_handler(mk_ipi_callback_t callback, void *ctx);
void multikernel_unregister_handler(struct mk_ipi_handler *handler);
int multikernel_send_ipi_data(int cpu, void *data, size_t data_size,
			      unsigned long type);

#define MK_PFN_IPI_TYPE		0x80000001U

int mk_send_pfn(int target_cpu, unsigned long pfn);
int mk_receive_pfn(struct mk_ipi_data *data, unsigned long *out_pfn);
void *mk_receive_map_page(struct mk_ipi_data *data);
void mk_receive_unmap_page(void *p);

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
