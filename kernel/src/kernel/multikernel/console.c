// SPDX-License-Identifier: GPL-2.0-only
/*
 * The console of an instance: an nbcon printk console that writes into the log
 * ring, where the host reads it, also after the instance has died.
 *
 * Two consoles share one writer: a boot console on an early mapping, from the
 * first lines on, and the real one on the final mapping, which takes over
 * where the first one was. Records have the extended form of /dev/kmsg, so
 * that level, sequence number and time reach the host. Writing never waits and
 * takes no lock: nbcon ownership is all the exclusion there is, and a takeover
 * in a panic finds a ring that is whole (mk_logring.h).
 */
#define pr_fmt(fmt) "multikernel: " fmt

#include <linux/console.h>
#include <linux/init.h>
#include <linux/spinlock.h>

#include "internal.h"

static struct mk_log_writer mk_log_writer;
static DEFINE_RAW_SPINLOCK(mk_log_device_lock);
static bool mk_early __initdata;	/* the boot console was registered */
static bool mk_wrote;			/* and was used */

static void mk_console_write(struct console *con,
			     struct nbcon_write_context *wctxt)
{
	if (!nbcon_enter_unsafe(wctxt))
		return;
	mk_log_write(&mk_log_writer, wctxt->outbuf, wctxt->len);
	mk_wrote = true;
	nbcon_exit_unsafe(wctxt);
}

/* Between the printer thread and whoever flushes; not for write_atomic. */
static void mk_console_lock(struct console *con, unsigned long *flags)
{
	raw_spin_lock_irqsave(&mk_log_device_lock, *flags);
}

static void mk_console_unlock(struct console *con, unsigned long flags)
{
	raw_spin_unlock_irqrestore(&mk_log_device_lock, flags);
}

#define MK_CONSOLE(_name, _flags)					\
	{								\
		.name		= _name,				\
		.flags		= CON_NBCON | CON_EXTENDED |		\
				  CON_ENABLED | (_flags),		\
		.index		= -1,					\
		.write_atomic	= mk_console_write,			\
		.write_thread	= mk_console_write,			\
		.device_lock	= mk_console_lock,			\
		.device_unlock	= mk_console_unlock,			\
	}

static struct console mk_boot_console =
	MK_CONSOLE("mkboot", CON_BOOT | CON_PRINTBUFFER);
static struct console mk_console = MK_CONSOLE("mklog", 0);

/**
 * mk_console_early() - start logging
 * @log: log ring through an early mapping
 * @bytes: mapped
 * @epoch: of this start
 */
void __init mk_console_early(struct mk_logring *log, size_t bytes, u32 epoch)
{
	if (mk_log_writer_init(&mk_log_writer, log, bytes, epoch)) {
		pr_err("the log ring is not of this start\n");
		return;
	}
	register_console(&mk_boot_console);
	mk_early = true;
}

/**
 * mk_console_switch() - go on logging through the final mapping
 * @log: log ring
 * @bytes: mapped
 * @epoch: of this start
 */
void __init mk_console_switch(struct mk_logring *log, size_t bytes, u32 epoch)
{
	struct mk_log_writer writer;

	if (mk_log_writer_init(&writer, log, bytes, epoch))
		return;
	/*
	 * Same ring, same position: only the address changes. The only CPU is
	 * this one, and it is not inside the console.
	 */
	mk_log_writer = writer;
	/* In this order, or both would write what is printed in between. */
	if (mk_early)
		unregister_console(&mk_boot_console);
	/*
	 * PREEMPT_RT leaves boot consoles to a thread, which does not run yet:
	 * it prints nothing to them short of a panic. Then all is still to come.
	 */
	if (!mk_wrote)
		mk_console.flags |= CON_PRINTBUFFER;
	register_console(&mk_console);
}

/** mk_console_stop_early() - the early mapping goes, and there is no other */
void __init mk_console_stop_early(void)
{
	if (mk_early)
		unregister_console(&mk_boot_console);
}
