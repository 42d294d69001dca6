/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Who has registered to be called, and who is being called now. Both interfaces
 * for kernel code stand on it: handlers of types (handler.c) and callbacks of
 * the older one (ipi.c).
 *
 * A hook is found and its call begins under one lock; so a hook that was taken
 * out of its table gets no further call, and who took it out waits for those
 * that had begun. A call pins the module that it goes to. What a module forgot
 * to remove is removed when the module goes.
 */
#ifndef _MULTIKERNEL_HOOKS_H
#define _MULTIKERNEL_HOOKS_H

#include <linux/list.h>
#include <linux/module.h>
#include <linux/sched.h>
#include <linux/types.h>

/**
 * struct mk_hook - one registration
 * @node: in its table
 * @serial: never given twice; the order of registration
 * @owner: module, NULL for the kernel itself
 * @first: lowest type
 * @last: highest type
 */
struct mk_hook {
	struct list_head node;
	u64 serial;
	struct module *owner;
	u32 first;
	u32 last;
};

/**
 * struct mk_hooks - a table of hooks
 * @list: by serial
 * @node: among all tables
 * @what: a word for the log
 * @exclusive: no type has two hooks
 * @free: frees what a module forgot
 */
struct mk_hooks {
	struct list_head list;
	struct list_head node;
	const char *what;
	bool exclusive;
	void (*free)(struct mk_hook *hook);
};

#define MK_HOOKS_INIT(name, word, excl, free_fn) {	\
	.list = LIST_HEAD_INIT((name).list),		\
	.node = LIST_HEAD_INIT((name).node),		\
	.what = (word),					\
	.exclusive = (excl),				\
	.free = (free_fn),				\
}

/**
 * struct mk_run - a call that runs now; on the caller's stack
 * @node: in the list of all
 * @hook: what is called
 * @task: in which task; another one than the caller's sets it itself
 */
struct mk_run {
	struct list_head node;
	struct mk_hook *hook;
	struct task_struct *task;
};

/**
 * mk_hooks_add() - put a hook with first, last and owner into a table
 *
 * Return: 0, -EINVAL the types are in the wrong order, -EBUSY one is taken,
 * -ENODEV its module is going away.
 */
int mk_hooks_add(struct mk_hooks *table, struct mk_hook *hook);
/**
 * mk_hooks_find() - begin a call of the hook of a type
 *
 * Return: the hook, in @run until mk_run_end(), or NULL.
 */
struct mk_hook *mk_hooks_find(struct mk_hooks *table, u32 type,
			      struct mk_run *run);
/** mk_hooks_next() - the same of the first hook with a serial above @serial */
struct mk_hook *mk_hooks_next(struct mk_hooks *table, u64 serial,
			      struct mk_run *run);
void mk_run_end(struct mk_run *run);
/**
 * mk_hooks_remove() - take a hook out and wait until no call of it runs
 * @hook: compared only, and not looked into, unless it is in the table
 *
 * The wait has no end of its own: memory and code of a call that runs cannot be
 * given up. Return: 0: it may be freed; -ENOENT; -EDEADLK called from within a
 * call of any hook: two that wait for each other would never end. It stays.
 */
int mk_hooks_remove(struct mk_hooks *table, struct mk_hook *hook);
/** mk_hooks_register() - from now on forgotten hooks of @table are removed */
void mk_hooks_register(struct mk_hooks *table);

#endif /* _MULTIKERNEL_HOOKS_H */
