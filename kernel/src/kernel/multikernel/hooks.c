// SPDX-License-Identifier: GPL-2.0-only
/*
 * Who has registered to be called, and who is being called now: see hooks.h.
 */
#define pr_fmt(fmt) "multikernel: " fmt

#include <linux/init.h>
#include <linux/notifier.h>
#include <linux/preempt.h>
#include <linux/spinlock.h>
#include <linux/wait.h>

#include "hooks.h"

/* All tables and all calls. Taken in process context, for moments only. */
static DEFINE_SPINLOCK(hooks_lock);
static LIST_HEAD(tables);
static LIST_HEAD(runs);
static u64 last_serial;
static DECLARE_WAIT_QUEUE_HEAD(run_ended);

static bool is_taken(const struct mk_hooks *table, u32 first, u32 last)
{
	const struct mk_hook *other;

	list_for_each_entry(other, &table->list, node)
		if (first <= other->last && other->first <= last)
			return true;
	return false;
}

int mk_hooks_add(struct mk_hooks *table, struct mk_hook *hook)
{
	int err = 0;

	if (hook->first > hook->last)
		return -EINVAL;
	if (!try_module_get(hook->owner))
		return -ENODEV;
	spin_lock(&hooks_lock);
	if (table->exclusive && is_taken(table, hook->first, hook->last)) {
		err = -EBUSY;
	} else {
		hook->serial = ++last_serial;
		list_add_tail(&hook->node, &table->list);
	}
	spin_unlock(&hooks_lock);
	module_put(hook->owner);
	return err;
}

/* hooks_lock is held. A module on its way out is not called any more. */
static bool run_begin(struct mk_run *run, struct mk_hook *hook)
{
	if (!try_module_get(hook->owner))
		return false;
	run->hook = hook;
	run->task = current;
	list_add(&run->node, &runs);
	return true;
}

struct mk_hook *mk_hooks_find(struct mk_hooks *table, u32 type,
			      struct mk_run *run)
{
	struct mk_hook *hook, *found = NULL;

	spin_lock(&hooks_lock);
	list_for_each_entry(hook, &table->list, node) {
		if (type < hook->first || type > hook->last)
			continue;
		if (run_begin(run, hook)) {
			found = hook;
			break;
		}
	}
	spin_unlock(&hooks_lock);
	return found;
}

struct mk_hook *mk_hooks_next(struct mk_hooks *table, u64 serial,
			      struct mk_run *run)
{
	struct mk_hook *hook, *found = NULL;

	spin_lock(&hooks_lock);
	list_for_each_entry(hook, &table->list, node) {
		if (hook->serial > serial && run_begin(run, hook)) {
			found = hook;
			break;
		}
	}
	spin_unlock(&hooks_lock);
	return found;
}

void mk_run_end(struct mk_run *run)
{
	/* Not from the hook, which may be gone when the lock is. */
	struct module *owner = run->hook->owner;

	spin_lock(&hooks_lock);
	list_del(&run->node);
	spin_unlock(&hooks_lock);
	wake_up_all(&run_ended);
	module_put(owner);
}

static bool is_running(const struct mk_hook *hook)
{
	const struct mk_run *run;
	bool found = false;

	spin_lock(&hooks_lock);
	list_for_each_entry(run, &runs, node)
		found |= run->hook == hook;
	spin_unlock(&hooks_lock);
	return found;
}

/* Is the caller itself, or what it interrupted, a call? */
static bool is_within(void)
{
	const struct mk_run *run;
	bool found = false;

	if (!in_task())
		return true;
	spin_lock(&hooks_lock);
	list_for_each_entry(run, &runs, node)
		found |= READ_ONCE(run->task) == current;
	spin_unlock(&hooks_lock);
	return found;
}

static bool take_out(struct mk_hooks *table, const struct mk_hook *hook)
{
	struct mk_hook *other;
	bool found = false;

	spin_lock(&hooks_lock);
	list_for_each_entry(other, &table->list, node) {
		if (other == hook) {
			list_del(&other->node);
			found = true;
			break;
		}
	}
	spin_unlock(&hooks_lock);
	return found;
}

int mk_hooks_remove(struct mk_hooks *table, struct mk_hook *hook)
{
	if (is_within()) {
		pr_warn("a %s cannot be removed from within one: it stays; remove it from a work or a thread\n",
			table->what);
		return -EDEADLK;
	}
	if (!take_out(table, hook)) {
		pr_warn("a %s that is not registered (any more) was to be removed\n",
			table->what);
		return -ENOENT;
	}
	wait_event(run_ended, !is_running(hook));
	return 0;
}

void mk_hooks_register(struct mk_hooks *table)
{
	spin_lock(&hooks_lock);
	list_add_tail(&table->node, &tables);
	spin_unlock(&hooks_lock);
}

/* Take one hook of a module out of its table. */
static struct mk_hook *forgotten(const struct module *module,
				 struct mk_hooks **ret_table)
{
	struct mk_hooks *table;
	struct mk_hook *hook, *found = NULL;

	spin_lock(&hooks_lock);
	list_for_each_entry(table, &tables, node) {
		list_for_each_entry(hook, &table->list, node) {
			if (hook->owner != module)
				continue;
			found = hook;
			*ret_table = table;
			list_del(&hook->node);
			goto out;
		}
	}
out:
	spin_unlock(&hooks_lock);
	return found;
}

/* Its exit function has run, and its memory goes next. */
static int on_module(struct notifier_block *nb, unsigned long state,
		     void *data)
{
	struct module *module = data;
	struct mk_hooks *table;
	struct mk_hook *hook;

	if (state != MODULE_STATE_GOING)
		return NOTIFY_DONE;
	while ((hook = forgotten(module, &table)) != NULL) {
		pr_warn("module %s is gone without removing its %s: removed\n",
			module->name, table->what);
		wait_event(run_ended, !is_running(hook));
		table->free(hook);
	}
	return NOTIFY_DONE;
}

static struct notifier_block module_nb = { .notifier_call = on_module };

static int __init mk_hooks_init(void)
{
	return register_module_notifier(&module_nb);
}
core_initcall(mk_hooks_init);
