// SPDX-License-Identifier: GPL-2.0-only
/*
 * Off CPUs that are about to be lent, and back.
 *
 * Each thing is written down before it is touched. What is to be done with it
 * later follows from the record, from the CPUs that are lent and from where it
 * is then, so it does not matter where mkctl was killed, or in which order
 * instances end.
 *
 * Cpusets come first: their tasks follow them, both ways, and keep what they
 * asked for themselves. Only tasks of the root cpuset are moved one by one.
 */
#include <stdio.h>
#include <string.h>

#include "cpusets.h"
#include "moved.h"
#include "tasks.h"
#include "vacate.h"

#define ONLINE_PATH	"/sys/devices/system/cpu/online"
#define ONLINE_MAX	32768	/* bytes */
#define ROUNDS_MAX	10	/* a task may fork while it is looked for */

struct vacate {
	struct mk_ctx *ctx;
	struct mk_error *err;
	struct mk_leaving leaving;
	struct mk_cpusets sets;
	struct mk_moved *moved;
	size_t nr_noted;		/* written down and not moved yet */
	bool dirty;		/* the record is ahead of its file */
};

static void add_lent(struct mk_cpumask *mask,
		     const struct mk_instance_list *list)
{
	const struct mk_instance *inst;
	size_t i, j;

	for (i = 0; i < list->nr_items; i++) {
		inst = list->items[i];
		if (!(inst->get.flags & MK_GET_CPUS_LENT))
			continue;
		for (j = 0; j < inst->get.nr_cpus; j++)
			mk_cpumask_add(mask, inst->cpus[j].cpu);
	}
}

static int read_online(struct mk_ctx *ctx, struct mk_cpumask *ret_online,
		       struct mk_error *err)
{
	mk_autofree char *text = NULL;
	int r;

	r = mk_ctx_read_text(ctx, ONLINE_PATH, ONLINE_MAX, &text);
	if (r == 0)
		r = mk_cpumask_from_list(text, ret_online);
	if (r < 0)
		mk_error_set(err, MK_ERR_FAILED, ONLINE_PATH,
			     "does not say which CPUs are online: %s",
			     strerror(-r));
	return r;
}

/* @extra are about to be lent. */
static int look_at_cpus(struct vacate *v, const struct mk_cpumask *extra)
{
	struct mk_leaving *leaving = &v->leaving;
	struct mk_instance_list list;
	int r;

	r = read_online(v->ctx, &leaving->online, v->err);
	if (r < 0)
		return r;
	r = mk_instance_list_get(v->ctx, &list, v->err);
	if (r < 0)
		return r;
	leaving->away = *extra;
	add_lent(&leaving->away, &list);
	mk_instance_list_clear(&list);
	leaving->stay = mk_cpumask_without(&leaving->online, extra);
	return 0;
}

enum mk_vacate_verdict mk_vacate_judge(const struct mk_leaving *leaving,
				       const struct mk_cpumask *old,
				       const struct mk_cpumask *given,
				       const struct mk_cpumask *present)
{
	bool can_be_home = mk_cpumask_meet(old, &leaving->stay);
	bool is_lent = mk_cpumask_meet(old, &leaving->away);

	if (mk_cpumask_equal(present, old))
		return can_be_home || !is_lent ? MK_VACATE_FORGET :
						 MK_VACATE_MOVE;
	if (!mk_cpumask_equal(present, given) &&
	    !mk_cpumask_subset(present, old))
		return MK_VACATE_FORGET;
	if (can_be_home)
		return MK_VACATE_RESTORE;
	if (!is_lent)
		return MK_VACATE_FORGET;
	return mk_cpumask_meet(present, &leaving->stay) ? MK_VACATE_KEEP :
							  MK_VACATE_MOVE;
}

static int save(struct vacate *v)
{
	int r = mk_moved_save(v->ctx, v->moved, v->err);

	if (r == 0)
		v->dirty = false;
	return r;
}

static int list_error(struct vacate *v, int r)
{
	if (r == -E2BIG)
		mk_error_set(v->err, MK_ERR_BUSY, NULL,
			     "more than %d tasks are bound to CPUs that leave",
			     MK_MOVED_MAX);
	else
		mk_error_set(v->err, MK_ERR_FAILED, "/proc",
			     "cannot look for tasks bound to CPUs that leave: %s",
			     strerror(-r));
	return r;
}

/*
 * Finding what has to go. Where a task of another cpuset runs, its cpuset
 * decides; the kernel moves it with that.
 */

static int note_task(void *arg, const struct mk_task *task)
{
	struct vacate *v = arg;
	struct mk_moved_task item = {
		.pid = task->pid,
		.tid = task->tid,
		.start = task->start,
		.noted = true,
		.old = task->mask,
		.given = v->leaving.stay,
	};
	struct mk_moved_task *known;

	if (!mk_cpumask_meet(&task->mask, &v->leaving.away) ||
	    (v->sets.kind != MK_CPUSETS_NONE &&
	     !mk_task_in_root(v->ctx, task)))
		return 0;
	known = mk_moved_find_task(v->moved, task->tid, task->start);
	v->nr_noted++;
	if (!known)
		return mk_moved_add_task(v->moved, &item);
	/* Moved before, to CPUs that now leave too */
	if (!known->kept)
		item.old = known->old;
	*known = item;
	return 0;
}

static int note_irq(void *arg, unsigned int irq, const struct mk_cpumask *mask)
{
	struct vacate *v = arg;
	struct mk_moved_irq item = {
		.irq = irq,
		.noted = true,
		.old = *mask,
		.given = v->leaving.stay,
	};

	if (!mk_cpumask_meet(mask, &v->leaving.away) ||
	    mk_cpumask_meet(mask, &v->leaving.stay) ||
	    mk_moved_find_irq(v->moved, irq))
		return 0;
	v->nr_noted++;
	return mk_moved_add_irq(v->moved, &item);
}

/* Binding that our partition would make the kernel forget; see settle. */
static int note_kept(void *arg, const struct mk_task *task)
{
	struct vacate *v = arg;
	struct mk_moved_task item = {
		.pid = task->pid,
		.tid = task->tid,
		.start = task->start,
		.kept = true,
		.old = task->mask,
	};

	if (!mk_cpumask_meet(&task->mask, &v->leaving.stay) ||
	    mk_moved_find_task(v->moved, task->tid, task->start) ||
	    !mk_task_in_root(v->ctx, task))
		return 0;
	return mk_moved_add_task(v->moved, &item);
}

/*
 * Moving it.
 */

static int refuse_task(struct vacate *v, const struct mk_moved_task *item,
		       int r)
{
	mk_autofree char *list = mk_cpumask_list(&item->old);
	struct mk_task task = { 0 };
	char object[128];

	if (mk_task_read(v->ctx, item->pid, item->tid, &task) < 0)
		snprintf(task.comm, sizeof(task.comm), "?");
	snprintf(object, sizeof(object), "task %d (%s)", item->tid, task.comm);
	mk_error_set(v->err, r == -EPERM || r == -EACCES ?
		     MK_ERR_NOT_PERMITTED : MK_ERR_BUSY, object,
		     "is bound to CPUs %s, which leave, and cannot be moved: %s",
		     list ? list : "?", strerror(-r));
	if (r == -EBUSY)
		mk_error_hint(v->err, "it runs under SCHED_DEADLINE: end it or give it another policy ('chrt -o -p 0 %d'), or take other CPUs",
			      item->tid);
	else
		mk_error_hint(v->err, "end it or bind it elsewhere ('taskset -pc 0 %d'), or take other CPUs",
			      item->tid);
	return r;
}

/* The kernel may give less: CPUs of somebody's partition are not for all. */
static int move_task(struct vacate *v, struct mk_moved_task *item)
{
	struct mk_task task;
	int r;

	r = mk_task_read(v->ctx, item->pid, item->tid, &task);
	if (r == 0 && task.start == item->start)
		r = mk_task_bind(item->tid, &item->given);
	if (r == 0)
		r = mk_task_read(v->ctx, item->pid, item->tid, &task);
	if (r == -ESRCH)
		return 0;
	if (r < 0)
		return refuse_task(v, item, r);
	if (task.start == item->start &&
	    !mk_cpumask_equal(&task.mask, &item->given)) {
		item->given = task.mask;
		v->dirty = true;
	}
	return 0;
}

/* Those that the kernel keeps to itself it moves itself. */
static int move_irq(struct vacate *v, const struct mk_moved_irq *item)
{
	char object[32];
	int r = mk_irq_bind(v->ctx, item->irq, &item->given);

	if (r == 0 || r == -EIO || r == -ENOENT)
		return 0;
	snprintf(object, sizeof(object), "IRQ %u", item->irq);
	mk_error_set(v->err, MK_ERR_FAILED, object,
		     "is bound to CPUs that leave and cannot be moved: %s",
		     strerror(-r));
	mk_error_hint(v->err, "see /proc/irq/%u/smp_affinity", item->irq);
	return r;
}

static int move_noted(struct vacate *v)
{
	struct mk_moved *moved = v->moved;
	size_t i;
	int r = 0;

	for (i = 0; i < moved->nr_tasks && r == 0; i++) {
		if (moved->tasks[i].noted)
			r = move_task(v, &moved->tasks[i]);
		moved->tasks[i].noted = false;
	}
	for (i = 0; i < moved->nr_irqs && r == 0; i++) {
		if (moved->irqs[i].noted)
			r = move_irq(v, &moved->irqs[i]);
		moved->irqs[i].noted = false;
	}
	v->nr_noted = 0;
	return r;
}

/* Forgets what mk_partition_make() could not make. */
static void no_partition(struct vacate *v)
{
	v->moved->partition[0] = '\0';
	v->dirty = true;
}

/*
 * A partition is worth its time only where there is something to move. It keeps
 * tasks from coming back, and whoever cannot have one is moved without.
 */
static int note_partition(struct vacate *v, const char *name)
{
	int r;

	if (v->sets.kind != MK_CPUSETS_V2 || !v->moved->nr_tasks)
		return 0;
	r = mk_tasks_scan(v->ctx, MK_TASKS_RESTRICTED, &v->leaving.online,
			  note_kept, v);
	if (r < 0)
		return list_error(v, r);
	snprintf(v->moved->partition, sizeof(v->moved->partition), "mkctl.%s",
		 name);
	return 0;
}

static int look_for_tasks(struct vacate *v)
{
	int r = mk_tasks_scan(v->ctx, MK_TASKS_BOUND, &v->leaving.stay,
			      note_task, v);

	return r < 0 ? list_error(v, r) : 0;
}

static int vacate_tasks(struct vacate *v, const char *name,
			const struct mk_cpumask *extra)
{
	unsigned int round;
	int r;

	for (round = 0; round < ROUNDS_MAX; round++) {
		r = look_for_tasks(v);
		if (r < 0)
			return r;
		if (!v->nr_noted)
			return 0;
		if (round == 0)
			r = note_partition(v, name);
		if (r == 0)
			r = save(v);
		if (r == 0 && round == 0 && v->moved->partition[0] &&
		    mk_partition_make(&v->sets, v->moved->partition, extra) < 0)
			no_partition(v);
		if (r == 0)
			r = move_noted(v);
		if (r < 0)
			return r;
	}
	mk_error_set(v->err, MK_ERR_BUSY, NULL,
		     "new tasks keep appearing that are bound to CPUs that leave");
	mk_error_hint(v->err, "stop what starts them, or take other CPUs");
	return -EBUSY;
}

static int vacate_cpusets(struct vacate *v)
{
	size_t before = v->moved->nr_cpusets;
	int r = 0;

	if (mk_cpusets_is_v1(&v->sets)) {
		r = mk_cpusets_plan(&v->sets, v->moved, &v->leaving, v->err);
		if (r > 0)
			r = save(v);
		if (r == 0 && v->moved->nr_cpusets)
			r = mk_cpusets_apply(&v->sets, v->moved, v->err);
	} else if (v->sets.kind == MK_CPUSETS_V2) {
		r = mk_partitions_add(&v->sets, v->moved, &v->leaving.away);
		if (r < 0)
			list_error(v, r);
		v->dirty |= v->moved->nr_cpusets != before;
	}
	return r;
}

static int open_record(struct vacate *v)
{
	int r = mk_moved_read(v->ctx, &v->moved, v->err);

	return r == -ENOENT ? mk_moved_new(v->ctx, &v->moved, v->err) : r;
}

static int vacate(struct vacate *v, const char *name,
		  const struct mk_cpumask *extra)
{
	int r;

	r = open_record(v);
	if (r == 0)
		r = look_at_cpus(v, extra);
	if (r == 0)
		r = mk_cpusets_find(v->ctx, &v->sets, v->err);
	if (r == 0)
		r = vacate_cpusets(v);
	if (r == 0) {
		r = mk_irqs_scan(v->ctx, note_irq, v);
		if (r < 0)
			list_error(v, r);
	}
	if (r == 0)
		r = vacate_tasks(v, name, extra);
	if (r == 0 && v->dirty)
		r = save(v);
	return r;
}

int mk_vacate(struct mk_ctx *ctx, const char *name, const unsigned int *cpus,
	      size_t nr_cpus, struct mk_error *err)
{
	const struct mk_cpumask extra = mk_cpumask_of(cpus, nr_cpus);
	struct vacate v = { .ctx = ctx, .err = err };
	int r;

	r = vacate(&v, name, &extra);
	mk_moved_free(v.moved);
	/* The first error is what the user is told. */
	if (r < 0)
		(void)mk_vacate_settle(ctx, NULL);
	return r;
}

/*
 * Back.
 */

static int refuse_return(struct vacate *v, const struct mk_moved_task *item,
			 int r)
{
	mk_autofree char *list = mk_cpumask_list(&item->old);
	char object[32];

	snprintf(object, sizeof(object), "task %d", item->tid);
	mk_error_set(v->err, MK_ERR_FAILED, object,
		     "cannot be bound to CPUs %s again: %s", list ? list : "?",
		     strerror(-r));
	mk_error_hint(v->err, "'taskset -pc %s %d' does it by hand",
		      list ? list : "CPUS", item->tid);
	return r;
}

/* The kernel has let it go everywhere when the partition went. */
static bool lost_its_binding(const struct mk_moved_task *item,
			     const struct mk_cpumask *present)
{
	return mk_cpumask_subset(&item->old, present) &&
	       !mk_cpumask_equal(&item->old, present);
}

static enum mk_vacate_verdict judge_task(const struct vacate *v,
					 const struct mk_moved_task *item,
					 const struct mk_cpumask *present)
{
	if (!item->kept)
		return mk_vacate_judge(&v->leaving, &item->old, &item->given,
				       present);
	return lost_its_binding(item, present) ? MK_VACATE_RESTORE :
						 MK_VACATE_FORGET;
}

/* 1 when it stays in the record, 0 when not, or -errno, when not either. */
static int settle_task(struct vacate *v, struct mk_moved_task *item)
{
	enum mk_vacate_verdict verdict;
	struct mk_task task;
	int r;

	r = mk_task_read(v->ctx, item->pid, item->tid, &task);
	if (r < 0 || task.start != item->start)
		return 0;
	verdict = judge_task(v, item, &task.mask);
	if (verdict == MK_VACATE_KEEP || verdict == MK_VACATE_FORGET)
		return verdict == MK_VACATE_KEEP;
	if (verdict == MK_VACATE_MOVE)
		item->given = v->leaving.stay;
	r = mk_task_bind(item->tid, verdict == MK_VACATE_MOVE ? &item->given :
								&item->old);
	if (r < 0 && r != -ESRCH)
		return refuse_return(v, item, r);
	return r == 0 && verdict == MK_VACATE_MOVE;
}

/* As above; what the kernel keeps to itself never was moved. */
static int settle_irq(struct vacate *v, struct mk_moved_irq *item)
{
	enum mk_vacate_verdict verdict;
	struct mk_cpumask present;
	char object[32];
	int r;

	if (mk_irq_read(v->ctx, item->irq, &present) < 0)
		return 0;
	verdict = mk_vacate_judge(&v->leaving, &item->old, &item->given,
				  &present);
	if (verdict == MK_VACATE_KEEP || verdict == MK_VACATE_FORGET)
		return verdict == MK_VACATE_KEEP;
	if (verdict == MK_VACATE_MOVE)
		item->given = v->leaving.stay;
	r = mk_irq_bind(v->ctx, item->irq, verdict == MK_VACATE_MOVE ?
					   &item->given : &item->old);
	if (r == 0 || r == -EIO || r == -ENOENT)
		return r == 0 && verdict == MK_VACATE_MOVE;
	snprintf(object, sizeof(object), "IRQ %u", item->irq);
	mk_error_set(v->err, MK_ERR_FAILED, object,
		     "cannot get its old affinity back: %s", strerror(-r));
	mk_error_hint(v->err, "write it into /proc/irq/%u/smp_affinity",
		      item->irq);
	return r;
}

/* Keeps the first error: later ones would write over it. */
static void add_result(struct vacate *v, int *result, int r)
{
	if (r >= 0 || *result < 0)
		return;
	*result = r;
	v->err = NULL;
}

static void settle_items(struct vacate *v, int *result)
{
	struct mk_moved *moved = v->moved;
	size_t i, n;
	int r;

	for (i = n = 0; i < moved->nr_tasks; i++) {
		r = settle_task(v, &moved->tasks[i]);
		add_result(v, result, r);
		if (r > 0)
			moved->tasks[n++] = moved->tasks[i];
	}
	moved->nr_tasks = n;
	for (i = n = 0; i < moved->nr_irqs; i++) {
		r = settle_irq(v, &moved->irqs[i]);
		add_result(v, result, r);
		if (r > 0)
			moved->irqs[n++] = moved->irqs[i];
	}
	moved->nr_irqs = n;
}

static int settle_partition(struct vacate *v)
{
	int r;

	if (!v->moved->partition[0])
		return 0;
	r = mk_partition_remove(&v->sets, v->moved->partition);
	if (r < 0) {
		mk_error_set(v->err, MK_ERR_FAILED, v->moved->partition,
			     "cannot remove this cgroup: %s", strerror(-r));
		mk_error_hint(v->err, "'rmdir %s/%s' does it by hand",
			      v->sets.mount, v->moved->partition);
	}
	v->moved->partition[0] = '\0';
	return r;
}

static int settle_cpusets(struct vacate *v)
{
	int r = 0;

	if (mk_cpusets_is_v1(&v->sets) && v->moved->nr_cpusets) {
		r = mk_cpusets_plan(&v->sets, v->moved, &v->leaving, v->err);
		if (r > 0)
			r = save(v);
		if (r == 0)
			r = mk_cpusets_apply(&v->sets, v->moved, v->err);
	} else if (v->sets.kind == MK_CPUSETS_V2) {
		r = mk_partitions_mend(&v->sets, v->moved, &v->leaving.away,
				       v->err);
	}
	mk_cpusets_forget(v->moved, &v->leaving.away);
	return r;
}

static int settle(struct vacate *v)
{
	const struct mk_cpumask none = { 0 };
	int result = 0;
	int r;

	r = look_at_cpus(v, &none);
	if (r == 0)
		r = mk_cpusets_find(v->ctx, &v->sets, v->err);
	if (r < 0)
		return r;
	add_result(v, &result, settle_partition(v));
	add_result(v, &result, settle_cpusets(v));
	settle_items(v, &result);
	add_result(v, &result, save(v));
	return result;
}

int mk_vacate_settle(struct mk_ctx *ctx, struct mk_error *err)
{
	struct vacate v = { .ctx = ctx, .err = err };
	int r;

	r = mk_moved_read(ctx, &v.moved, err);
	if (r < 0)
		return r == -ENOENT ? 0 : r;
	r = settle(&v);
	mk_moved_free(v.moved);
	return r;
}

/* Takes our partition away and leaves the tasks where they are. */
static bool drop_partition(struct mk_ctx *ctx)
{
	struct vacate v = { .ctx = ctx };
	bool dropped = false;

	if (mk_moved_read(ctx, &v.moved, NULL) < 0)
		return false;
	if (v.moved->partition[0] && mk_cpusets_find(ctx, &v.sets, NULL) == 0 &&
	    settle_partition(&v) == 0)
		dropped = save(&v) == 0;
	mk_moved_free(v.moved);
	return dropped;
}

/*
 * The kernel accounts deadline bandwidth for each domain of the scheduler, and
 * may refuse to take the last CPU of our partition offline. Then without it.
 */
int mk_vacate_lend(struct mk_ctx *ctx, uint32_t id, const unsigned int *cpus,
		   size_t nr_cpus, uint32_t flags, struct mk_error *err)
{
	int r;

	r = mk_instance_set_cpus(ctx, id, cpus, nr_cpus, flags, err);
	if (r == -EBUSY && drop_partition(ctx)) {
		if (err)
			*err = (struct mk_error)MK_ERROR_INIT;
		r = mk_instance_set_cpus(ctx, id, cpus, nr_cpus, flags, err);
	}
	if (r < 0)
		return r;
	r = mk_vacate_settle(ctx, err);
	if (r < 0 && mk_instance_set_cpus(ctx, id, NULL, 0, 0, NULL) < 0)
		mk_error_hint(err, "the instance has kept its CPUs: 'mkctl ls'");
	return r;
}

/*
 * Telling.
 */

struct counts {
	const struct mk_leaving *leaving;
	unsigned int tasks;
	unsigned int irqs;
};

static int count_task(void *arg, const struct mk_task *task)
{
	struct counts *counts = arg;

	counts->tasks += mk_cpumask_meet(&task->mask, &counts->leaving->away);
	return 0;
}

static int count_irq(void *arg, unsigned int irq,
		     const struct mk_cpumask *mask)
{
	struct counts *counts = arg;

	(void)irq;
	counts->irqs += mk_cpumask_meet(mask, &counts->leaving->away) &&
			!mk_cpumask_meet(mask, &counts->leaving->stay);
	return 0;
}

/* In a record of its own, which is then thrown away. */
static size_t count_cpusets(struct vacate *v)
{
	if (mk_moved_new(v->ctx, &v->moved, NULL) < 0 ||
	    mk_cpusets_find(v->ctx, &v->sets, NULL) < 0 ||
	    !mk_cpusets_is_v1(&v->sets) ||
	    mk_cpusets_plan(&v->sets, v->moved, &v->leaving, NULL) < 0)
		return 0;
	return v->moved->nr_cpusets;
}

void mk_vacate_describe(struct mk_ctx *ctx, const unsigned int *cpus,
			size_t nr_cpus, char *buf, size_t size)
{
	const struct mk_cpumask extra = mk_cpumask_of(cpus, nr_cpus);
	struct vacate v = { .ctx = ctx };
	struct counts counts = { .leaving = &v.leaving };
	mk_autofree char *list = mk_cpumask_list(&extra);
	size_t cpusets = 0;

	if (look_at_cpus(&v, &extra) == 0 &&
	    mk_tasks_scan(ctx, MK_TASKS_BOUND, &v.leaving.stay, count_task,
			  &counts) == 0 &&
	    mk_irqs_scan(ctx, count_irq, &counts) == 0)
		cpusets = count_cpusets(&v);
	mk_moved_free(v.moved);
	snprintf(buf, size,
		 "move what is bound to CPUs %s elsewhere: %u tasks, %u interrupts, %zu cpusets",
		 list ? list : "?", counts.tasks, counts.irqs, cpusets);
}
