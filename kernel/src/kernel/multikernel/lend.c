// SPDX-License-Identifier: GPL-2.0-only
/*
 * Lending CPUs: the host offlines a CPU, marks it lent, and refuses to online
 * it until it is back.
 *
 * The mark is set before the CPU leaves and cleared before it returns, so that
 * there is no moment in which the host's own hotplug (sysfs, SMT control,
 * thaw) could send INIT to a CPU that runs another kernel.
 */
#define pr_fmt(fmt) "multikernel: " fmt

#include <linux/cpu.h>
#include <linux/cpuhotplug.h>
#include <linux/ktime.h>
#include <linux/rcupdate.h>
#include <linux/slab.h>

#include "internal.h"

bool multikernel_shorthand_unsafe;

/* mk_lent_to[cpu]: borrower, or NULL; written under mk_lock */
static struct mk_instance **mk_lent_to;

/* Runs on the CPU that controls the bring-up, before @cpu is kicked. */
static int mk_refuse_online(unsigned int cpu)
{
	struct mk_instance *inst = READ_ONCE(mk_lent_to[cpu]);

	if (!inst)
		return 0;
	pr_warn("CPU %u stays offline: it is lent to instance '%s'\n", cpu,
		inst->name);
	return -EBUSY;
}

static int __init mk_lend_init(void)
{
	int ret;

	if (!multikernel_is_host())
		return 0;
	mk_lent_to = kcalloc(nr_cpu_ids, sizeof(*mk_lent_to), GFP_KERNEL);
	if (!mk_lent_to)
		return -ENOMEM;
	ret = cpuhp_setup_state_nocalls(CPUHP_BP_PREPARE_DYN,
					"multikernel:lent", mk_refuse_online,
					NULL);
	return ret < 0 ? ret : 0;
}
subsys_initcall(mk_lend_init);

static int mk_cpu_check(struct mk_instance *inst, u32 cpu,
			struct mk_refusal *r)
{
	struct mk_instance *owner;

	if (cpu == 0) {
		mk_refuse(r, MK_REASON_CPU_ZERO, 0, 0, NULL);
		return -EINVAL;
	}
	if (cpu >= nr_cpu_ids || !cpu_present(cpu)) {
		mk_refuse(r, MK_REASON_CPU_UNKNOWN, cpu, 0, NULL);
		return -ENODEV;
	}
	owner = mk_lent_to[cpu];
	if (owner && owner != inst) {
		mk_refuse(r, MK_REASON_CPU_LENT, cpu, 0, owner->name);
		return -EBUSY;
	}
	if (!owner && !cpu_online(cpu)) {
		mk_refuse(r, MK_REASON_CPU_OFFLINE, cpu, 0, NULL);
		return -EBUSY;
	}
	return 0;
}

/* CPUs that somebody else has: what @inst has itself is replaced. */
static u32 mk_lent_to_others(const struct mk_instance *inst)
{
	u32 cpu, n = 0;

	for (cpu = 0; cpu < nr_cpu_ids; cpu++)
		n += mk_lent_to[cpu] && mk_lent_to[cpu] != inst;
	return n;
}

/** mk_lend_has() - has it a CPU, or is it just getting one? Under mk_lock */
bool mk_lend_has(const struct mk_instance *inst)
{
	u32 cpu;

	for (cpu = 0; cpu < nr_cpu_ids; cpu++)
		if (mk_lent_to[cpu] == inst)
			return true;
	return false;
}

static bool mk_has(const u32 *cpus, u32 nr, u32 cpu)
{
	while (nr--)
		if (cpus[nr] == cpu)
			return true;
	return false;
}

/*
 * Who else is on the core of @cpu? A sibling that is offline and not lent runs
 * nothing and splits nothing. One that @inst has now and that is not on the new
 * list goes back to the host.
 */
static int mk_core_check(struct mk_instance *inst, const u32 *cpus, u32 nr,
			 u32 cpu, struct mk_refusal *r)
{
	struct mk_instance *owner;
	u32 other;

	for_each_present_cpu(other) {
		owner = mk_lent_to[other];
		if (mk_arch_core(other) != mk_arch_core(cpu) ||
		    mk_has(cpus, nr, other) ||
		    (!owner && !cpu_online(other)))
			continue;
		mk_refuse(r, MK_REASON_CPU_SPLITS_CORE, cpu, other,
			  owner && owner != inst ? owner->name : NULL);
		return -EBUSY;
	}
	return 0;
}

static int mk_cpus_check(struct mk_instance *inst, const u32 *cpus, u32 nr,
			 u32 flags, struct mk_refusal *r)
{
	u32 i, j;
	int ret;

	for (i = 0; i < nr; i++) {
		ret = mk_cpu_check(inst, cpus[i], r);
		if (ret)
			return ret;
		for (j = 0; j < i; j++) {
			if (cpus[j] != cpus[i])
				continue;
			mk_refuse(r, MK_REASON_CPU_TWICE, cpus[i], 0, NULL);
			return -EINVAL;
		}
		if (flags & MK_CPUS_SPLIT_CORES)
			continue;
		ret = mk_core_check(inst, cpus, nr, cpus[i], r);
		if (ret)
			return ret;
	}
	if (nr && mk_arch_confidential()) {
		mk_refuse(r, MK_REASON_CPU_CONFIDENTIAL, 0, 0, NULL);
		return -EPERM;
	}
	if (mk_lent_to_others(inst) + nr > mk_arch_max_lent()) {
		mk_refuse(r, MK_REASON_CPU_TOO_MANY, nr, mk_arch_max_lent(),
			  NULL);
		return -EINVAL;
	}
	if (nr && !mk_arch_start_page()) {
		mk_refuse(r, MK_REASON_NO_LOW_MEMORY, 0, 0, NULL);
		return -ENXIO;
	}
	return 0;
}

/*
 * From the first lending on, no broadcast may leave this kernel. A CPU that is
 * about to send one with interrupts off has done so once the grace period is
 * over.
 */
static void mk_shorthand_off(void)
{
	if (multikernel_shorthand_unsafe)
		return;
	multikernel_shorthand_unsafe = true;
	mk_arch_shorthand_off();
	synchronize_rcu_expedited();
}

/*
 * A CPU that does not come online may still be executing the instance: it
 * stays lent, and the instance keeps its memory, until a KILL gets it back.
 */
static int mk_cpu_return(struct mk_instance *inst, u32 cpu,
			 struct mk_refusal *r)
{
	int ret;

	WRITE_ONCE(mk_lent_to[cpu], NULL);
	ret = add_cpu(cpu);
	if (ret >= 0) {		/* 1: it is online already */
		mk_cpu_set_owner(mk_arch_apicid(cpu), 0);
		return 0;
	}
	WRITE_ONCE(mk_lent_to[cpu], inst);
	pr_err("CPU %u of '%s' does not come online: %d\n", cpu, inst->name,
	       ret);
	mk_refuse(r, MK_REASON_CPU_NOT_BACK, cpu, -ret, inst->name);
	return -EIO;
}

/* Only those that are still lent: a KILL must never reset the others. */
static void mk_keep_lent(struct mk_instance *inst)
{
	u32 i, kept = 0;

	for (i = 0; i < inst->nr_cpus; i++)
		if (mk_lent_to[inst->cpus[i].cpu] == inst)
			inst->cpus[kept++] = inst->cpus[i];
	inst->nr_cpus = kept;
}

/**
 * mk_lend_return() - the CPUs of an instance become the host's again
 * @inst: instance; its CPUs have been reset
 * @r: refusal to fill, or NULL
 *
 * Return: 0, or -EIO if a CPU did not come online; then the others are back,
 * and the instance's list has only those that are not.
 */
int mk_lend_return(struct mk_instance *inst, struct mk_refusal *r)
{
	int ret = 0;
	u32 i;

	if (!inst->cpus_lent)
		return 0;
	for (i = 0; i < inst->nr_cpus; i++)
		ret = mk_cpu_return(inst, inst->cpus[i].cpu, r) ?: ret;
	if (ret)
		mk_keep_lent(inst);
	inst->cpus_lent = ret;
	return ret;
}

/* Claims the CPUs: from here on nobody else gets them. */
static void mk_claim(struct mk_instance *inst, const u32 *cpus, u32 nr)
{
	while (nr--) {
		WRITE_ONCE(mk_lent_to[cpus[nr]], inst);
		mk_cpu_set_owner(mk_arch_apicid(cpus[nr]), MK_CPU_NOBODY);
	}
}

/* All of them offline, or none; the instance is busy. */
static int mk_lend_all(struct mk_instance *inst, const u32 *cpus, u32 nr,
		       struct mk_refusal *r)
{
	u32 i, gone;
	int ret = 0;

	for (gone = 0; gone < nr; gone++) {
		ret = remove_cpu(cpus[gone]);
		if (ret)
			break;
	}
	if (!ret)
		return 0;
	mk_refuse(r, MK_REASON_CPU_OFFLINE_FAILED, cpus[gone], -ret, NULL);
	/* None of them has run anything: they are the host's in any case. */
	for (i = 0; i < gone; i++)
		mk_cpu_return(inst, cpus[i], NULL);
	for (i = 0; i < nr; i++) {
		WRITE_ONCE(mk_lent_to[cpus[i]], NULL);
		mk_cpu_set_owner(mk_arch_apicid(cpus[i]), 0);
	}
	return -EBUSY;
}

/* Only of an instance that does not run: mk_message_bell() reads the list. */
static void mk_set_list(struct mk_instance *inst, struct mk_cpu **list, u32 nr)
{
	swap(inst->cpus, *list);
	inst->nr_cpus = nr;
	inst->cpus_lent = nr;
}

static void mk_fill_list(struct mk_cpu *list, const u32 *cpus, u32 nr)
{
	u32 i;

	for (i = 0; i < nr; i++) {
		list[i].cpu = cpus[i];
		list[i].apicid = mk_arch_apicid(cpus[i]);
		list[i].node = cpu_to_node(cpus[i]);
		list[i].core = mk_arch_core(cpus[i]);
	}
}

static int mk_replace_cpus(struct mk_instance *inst, const u32 *cpus, u32 nr,
			   struct mk_refusal *r)
{
	int ret;

	ret = mk_lend_return(inst, r);
	if (ret || !nr)
		return ret;
	mk_claim(inst, cpus, nr);
	mk_instance_busy(inst);
	mk_shorthand_off();
	ret = mk_lend_all(inst, cpus, nr, r);
	mk_instance_idle(inst);
	return ret;
}

/**
 * mk_instance_set_cpus() - lend CPUs to an instance
 * @id: instance
 * @cpus: Linux CPU numbers, the boot CPU first
 * @nr: how many; 0 gives all back
 * @flags: MK_CPUS_SPLIT_CORES
 * @r: why not, on failure
 *
 * Return: 0. A failed check changes nothing; after another error the instance
 * has no CPUs lent.
 */
int mk_instance_set_cpus(u32 id, const u32 *cpus, u32 nr, u32 flags,
			 struct mk_refusal *r)
{
	struct mk_cpu *list __free(kfree) = NULL;
	struct mk_instance *inst;
	int ret;

	list = kcalloc(max(nr, 1U), sizeof(*list), GFP_KERNEL);
	if (!list)
		return -ENOMEM;
	guard(mutex)(&mk_lock);
	inst = mk_instance_lookup(id, r);
	if (!inst)
		return mk_lookup_errno(r);
	if (mk_state_has_cpus(mk_get_state(inst)))
		return mk_instance_need_state(inst, 0, r);
	ret = mk_closing_check(r) ?: mk_instance_need_quiet(inst, r) ?:
	      mk_cpus_check(inst, cpus, nr, flags, r);
	if (ret)
		return ret;
	mk_fill_list(list, cpus, nr);
	ret = mk_replace_cpus(inst, cpus, nr, r);
	if (!inst->cpus_lent)
		mk_set_list(inst, &list, ret ? 0 : nr);
	return ret;
}
