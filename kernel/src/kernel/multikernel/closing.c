// SPDX-License-Identifier: GPL-2.0-only
/*
 * What becomes of the instances when the host goes down, goes to sleep, or is
 * replaced by kexec. Whatever it is, nothing is started any more from then on.
 *
 * down		reboot, poweroff, halt: all are killed, by a reboot notifier
 * sleep	refused while CPUs are lent: they would be powered down under
 *		their kernels
 * kexec	the next kernel takes all CPUs and all RAM, the pool too.
 *		mk_kexec=stop: all are killed before; mk_kexec=refuse: refused
 *		while CPUs are lent. Loading a kernel concerns nobody.
 * crash	nobody is told: the crash kernel keeps to its own memory and its
 *		one CPU, and instances run on until it resets the machine
 */
#define pr_fmt(fmt) "multikernel: " fmt

#include <linux/init.h>
#include <linux/notifier.h>
#include <linux/reboot.h>
#include <linux/string.h>
#include <linux/suspend.h>

#include "internal.h"

static bool mk_closing;		/* mk_lock */
static bool mk_kexec_refuse __ro_after_init;

static int __init mk_kexec_param(char *arg)
{
	mk_kexec_refuse = arg && !strcmp(arg, "refuse");
	if (!mk_kexec_refuse && (!arg || strcmp(arg, "stop")))
		pr_err("mk_kexec=%s is neither stop nor refuse: stop it is\n",
		       arg ?: "");
	return 0;
}
early_param("mk_kexec", mk_kexec_param);

/** mk_closing_check() - refuse what would start something now */
int mk_closing_check(struct mk_refusal *r)
{
	if (!mk_closing)
		return 0;
	mk_refuse(r, MK_REASON_BUSY, 0, 0, NULL);
	return -EBUSY;
}

/* Names all that have CPUs, or are just getting some. */
static bool mk_anybody_has_cpus(const char *what)
{
	struct mk_instance *inst;
	bool any = false;

	list_for_each_entry(inst, &mk_instances, node) {
		if (!mk_lend_has(inst))
			continue;
		pr_warn("no %s: CPUs are lent to instance '%s'\n", what,
			inst->name);
		any = true;
	}
	return any;
}

/**
 * multikernel_kexec_begin() - the host is about to become another kernel
 *
 * A CPU that cannot be taken back might go on writing to what is the next
 * kernel's memory: no kexec then, whatever the policy.
 *
 * Return: 0, or -EBUSY while CPUs are lent.
 */
int multikernel_kexec_begin(void)
{
	if (!multikernel_is_host())
		return 0;
	guard(mutex)(&mk_lock);
	if (!mk_kexec_refuse)
		mk_kill_all("the host is replaced by kexec");
	mk_closing = !mk_anybody_has_cpus("kexec");
	return mk_closing ? 0 : -EBUSY;
}

/** multikernel_kexec_end() - it did not happen, or control came back */
void multikernel_kexec_end(void)
{
	guard(mutex)(&mk_lock);
	mk_closing = false;
}

static int mk_reboot_notify(struct notifier_block *nb, unsigned long action,
			    void *data)
{
	guard(mutex)(&mk_lock);
	mk_closing = true;
	mk_kill_all("the host goes down");
	return NOTIFY_DONE;
}

static struct notifier_block mk_reboot_nb = {
	.notifier_call = mk_reboot_notify,
	.priority = INT_MAX,	/* while devices and hotplug still work */
};

#ifdef CONFIG_PM_SLEEP
static int mk_pm_notify(struct notifier_block *nb, unsigned long action,
			void *data)
{
	guard(mutex)(&mk_lock);
	switch (action) {
	case PM_POST_SUSPEND:
	case PM_POST_HIBERNATION:
	case PM_POST_RESTORE:
		mk_closing = false;
		return NOTIFY_DONE;
	case PM_SUSPEND_PREPARE:
	case PM_HIBERNATION_PREPARE:
	case PM_RESTORE_PREPARE:
		mk_closing = !mk_anybody_has_cpus("suspend");
		return mk_closing ? NOTIFY_DONE : notifier_from_errno(-EBUSY);
	}
	return NOTIFY_DONE;
}

static struct notifier_block mk_pm_nb = { .notifier_call = mk_pm_notify };
#endif

static int __init mk_closing_init(void)
{
	if (!multikernel_is_host())
		return 0;
	register_reboot_notifier(&mk_reboot_nb);
#ifdef CONFIG_PM_SLEEP
	register_pm_notifier(&mk_pm_nb);
#endif
	return 0;
}
subsys_initcall(mk_closing_init);
