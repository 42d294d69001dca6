// SPDX-License-Identifier: GPL-2.0-only
/*
 * The machine's CPUs: which there are, from sysfs; who has them, from the
 * kernel; where they are, from hwloc.
 *
 * hwloc sees only what is online. A CPU that is lent is put to its siblings by
 * the core number that the kernel has for it. Places are looked up only when a
 * check needs them, because that takes a while.
 */
#include <stdio.h>
#include <string.h>

#include "cpuinfo.h"
#include "machine.h"
#include "parse.h"
#include "refuse.h"
#include "topology.h"

#define SYS_CPU		"/sys/devices/system/cpu"
#define CPU_LIST_MAX	8192	/* bytes of a list in sysfs */
#define CPU_MAX		8192	/* NR_CPUS is never more on x86 */
/* Numbers for cores that hwloc does not see: beyond its own. */
#define CORE_UNSEEN	0x80000000U
#define CORE_LENT	0x40000000U

static int out_of_memory(struct mk_error *err)
{
	mk_error_set(err, MK_ERR_FAILED, NULL, "out of memory");
	return -ENOMEM;
}

/* A list of sysfs; NULL where there is none. */
static int read_list(struct mk_ctx *ctx, const char *path, char **ret_text,
		     struct mk_error *err)
{
	mk_autofree char *text = NULL;
	int r = mk_ctx_read_text(ctx, path, CPU_LIST_MAX, &text);

	if (r == -ENOENT)
		return 0;
	if (r < 0) {
		mk_error_set(err, MK_ERR_FAILED, path, "cannot read: %s",
			     strerror(-r));
		return r;
	}
	if (mk_cpulist_has(text, CPU_MAX) < 0) {
		mk_error_set(err, MK_ERR_FAILED, path, "not a list of CPUs");
		return -EINVAL;
	}
	*ret_text = TAKE_PTR(text);
	return 0;
}

struct mk_machine_cpu *mk_machine_find(const struct mk_machine *machine,
				       unsigned int cpu)
{
	for (size_t i = 0; i < machine->nr_cpus; i++)
		if (machine->cpus[i].cpu == cpu)
			return &machine->cpus[i];
	return NULL;
}

/* Keeps the order. */
static struct mk_machine_cpu *add_cpu(struct mk_machine *machine,
				      unsigned int cpu)
{
	struct mk_machine_cpu *grown;
	size_t at = machine->nr_cpus;

	grown = realloc(machine->cpus, (at + 1) * sizeof(*grown));
	if (!grown)
		return NULL;
	machine->cpus = grown;
	machine->nr_cpus++;
	for (; at > 0 && grown[at - 1].cpu > cpu; at--)
		grown[at] = grown[at - 1];
	grown[at] = (struct mk_machine_cpu){
		.cpu = cpu,
		.core = CORE_UNSEEN | cpu,
	};
	return &grown[at];
}

static int add_present(struct mk_machine *machine, const char *present,
		       const char *online, struct mk_error *err)
{
	struct mk_machine_cpu *c;

	for (unsigned int cpu = 0; cpu < CPU_MAX; cpu++) {
		if (mk_cpulist_has(present, cpu) != 1)
			continue;
		c = add_cpu(machine, cpu);
		if (!c)
			return out_of_memory(err);
		c->online = !online || mk_cpulist_has(online, cpu) == 1;
	}
	machine->known = true;
	return 0;
}

static int load_present(struct mk_machine *machine, struct mk_error *err)
{
	mk_autofree char *present = NULL;
	mk_autofree char *online = NULL;
	int r;

	r = read_list(machine->ctx, SYS_CPU "/present", &present, err);
	if (r == 0)
		r = read_list(machine->ctx, SYS_CPU "/online", &online, err);
	/* Without sysfs the kernel decides alone. */
	if (r == 0 && present)
		r = add_present(machine, present, online, err);
	if (r == 0)
		r = read_list(machine->ctx, "/sys/devices/system/node/possible",
			      &machine->nodes, err);
	return r;
}

static int mark_lent(struct mk_machine *machine,
		     const struct mk_instance *inst, struct mk_error *err)
{
	const struct mk_cpu *lent;
	struct mk_machine_cpu *c;

	if (!(inst->get.flags & MK_GET_CPUS_LENT))
		return 0;
	for (uint32_t i = 0; i < inst->get.nr_cpus; i++) {
		lent = &inst->cpus[i];
		c = mk_machine_find(machine, lent->cpu);
		if (!c)
			c = add_cpu(machine, lent->cpu);
		if (!c)
			return out_of_memory(err);
		c->online = false;
		c->node = lent->node;
		c->core = CORE_LENT | lent->core;
		snprintf(c->owner, sizeof(c->owner), "%s", inst->get.name);
	}
	return 0;
}

static int load_lent(struct mk_machine *machine, struct mk_error *err)
{
	struct mk_instance_list list;
	int r;

	r = mk_instance_list_get(machine->ctx, &list, err);
	if (r < 0)
		return r;
	for (size_t i = 0; i < list.nr_items && r == 0; i++)
		r = mark_lent(machine, list.items[i], err);
	mk_instance_list_clear(&list);
	return r;
}

int mk_machine_load(struct mk_ctx *ctx, const struct mk_info *info,
		    struct mk_machine *ret, struct mk_error *err)
{
	struct mk_machine machine = { .ctx = ctx };
	int r;

	r = load_present(&machine, err);
	if (r == 0 && info) {
		machine.core_shift = info->core_shift;
		r = load_lent(&machine, err);
	}
	if (r < 0) {
		mk_machine_clear(&machine);
		return r;
	}
	*ret = machine;
	return 0;
}

void mk_machine_clear(struct mk_machine *machine)
{
	free(machine->cpus);
	free(machine->nodes);
	*machine = (struct mk_machine){ 0 };
}

static bool is_lent(const struct mk_machine_cpu *c)
{
	return c->owner[0] && !c->path;
}

static bool any_lent(const struct mk_machine *machine)
{
	for (size_t i = 0; i < machine->nr_cpus; i++)
		if (is_lent(&machine->cpus[i]))
			return true;
	return false;
}

/* Gives @core, that of an online CPU, to its siblings that are lent. */
static void join_core(struct mk_machine *machine, uint32_t kernel_core,
		      const struct mk_machine_cpu *online)
{
	struct mk_machine_cpu *c;

	for (size_t i = 0; i < machine->nr_cpus; i++) {
		c = &machine->cpus[i];
		if (!is_lent(c) || c->core != (CORE_LENT | kernel_core))
			continue;
		c->core = online->core;
		c->package = online->package;
	}
}

static int join_lent(struct mk_machine *machine, struct mk_error *err)
{
	mk_autofree char *cpuinfo = NULL;
	uint32_t apicid;
	int r = mk_cpuinfo_read(machine->ctx, &cpuinfo);

	for (size_t i = 0; i < machine->nr_cpus && r == 0; i++) {
		const struct mk_machine_cpu *c = &machine->cpus[i];

		if (!c->online)
			continue;
		r = mk_cpuinfo_apicid(cpuinfo, c->cpu, &apicid);
		if (r == 0)
			join_core(machine, apicid >> machine->core_shift, c);
	}
	if (r < 0)
		mk_error_set(err, MK_ERR_FAILED, "/proc/cpuinfo",
			     "does not tell the APIC ids: %s", strerror(-r));
	return r;
}

static void place_online(struct mk_machine *machine,
			 const struct mk_topology *topology)
{
	struct mk_machine_cpu *c;
	struct mk_place place;

	for (size_t i = 0; i < machine->nr_cpus; i++) {
		c = &machine->cpus[i];
		if (!c->online ||
		    mk_topology_find(topology, c->cpu, &place) < 0)
			continue;
		c->package = place.package;
		c->node = place.node;
		if (place.core != MK_TOPOLOGY_NO_CORE)
			c->core = place.core;
	}
}

int mk_machine_places(struct mk_machine *machine, struct mk_error *err)
{
	struct mk_topology *topology;
	int r;

	if (machine->has_places)
		return 0;
	r = mk_topology_load(machine->ctx, &topology, err);
	if (r < 0)
		return r;
	place_online(machine, topology);
	mk_topology_free(topology);
	if (any_lent(machine))
		r = join_lent(machine, err);
	machine->has_places = r == 0;
	return r;
}

static bool contains(const unsigned int *cpus, size_t nr_cpus,
		     unsigned int cpu)
{
	for (size_t i = 0; i < nr_cpus; i++)
		if (cpus[i] == cpu)
			return true;
	return false;
}

static int refuse_claimed(const struct mk_machine_cpu *c, struct mk_error *err)
{
	mk_error_set(err, MK_ERR_CONFIG, NULL,
		     "CPU %u goes to instance '%s' of %s", c->cpu, c->owner,
		     c->path);
	mk_error_hint(err, "name another CPU in one of them");
	return -EINVAL;
}

static int refuse_cpu(struct mk_error *err, int error, uint32_t reason,
		      unsigned int cpu, const char *owner)
{
	return mk_refuse(err, &(struct mk_refused){
		.error = error, .reason = reason, .a = cpu, .who = owner,
	}, NULL);
}

static int check_one(const struct mk_machine *machine, unsigned int cpu,
		     struct mk_error *err)
{
	const struct mk_machine_cpu *c = mk_machine_find(machine, cpu);

	if (cpu == 0)
		return refuse_cpu(err, EPERM, MK_REASON_CPU_ZERO, 0, NULL);
	if (c && c->path)
		return refuse_claimed(c, err);
	/* A lent CPU is offline too; to whom it is lent says more. */
	if (c && c->owner[0])
		return refuse_cpu(err, EBUSY, MK_REASON_CPU_LENT, cpu,
				  c->owner);
	if (!machine->known)
		return 0;
	if (!c)
		return refuse_cpu(err, ENODEV, MK_REASON_CPU_UNKNOWN, cpu,
				  NULL);
	if (!c->online)
		return refuse_cpu(err, EBUSY, MK_REASON_CPU_OFFLINE, cpu,
				  NULL);
	return 0;
}

/* A sibling that is offline and not lent runs nothing and splits nothing. */
static int check_core(const struct mk_machine *machine,
		      const unsigned int *cpus, size_t nr_cpus,
		      const struct mk_machine_cpu *c, struct mk_error *err)
{
	const struct mk_machine_cpu *other;

	for (size_t i = 0; i < machine->nr_cpus; i++) {
		other = &machine->cpus[i];
		if (other->core != c->core ||
		    (!other->online && !other->owner[0]) ||
		    contains(cpus, nr_cpus, other->cpu))
			continue;
		return mk_refuse(err, &(struct mk_refused){
			.error = EBUSY, .reason = MK_REASON_CPU_SPLITS_CORE,
			.a = c->cpu, .b = other->cpu,
			.who = other->owner[0] ? other->owner : NULL,
		}, NULL);
	}
	return 0;
}

/* Where no core has two CPUs, none can be split. */
static bool has_siblings(const struct mk_machine *machine)
{
	mk_autofree char *control = NULL;

	return mk_ctx_read_text(machine->ctx, SYS_CPU "/smt/control", 64,
				&control) < 0 ||
	       strcmp(control, "notsupported");
}

int mk_machine_check(struct mk_machine *machine, const unsigned int *cpus,
		     size_t nr_cpus, bool split, struct mk_error *err)
{
	const struct mk_machine_cpu *c;
	size_t i;
	int r = 0;

	for (i = 0; i < nr_cpus && r == 0; i++)
		r = check_one(machine, cpus[i], err);
	if (r < 0 || split || !machine->known ||
	    (!machine->has_places && !has_siblings(machine)))
		return r;
	r = mk_machine_places(machine, err);
	for (i = 0; i < nr_cpus && r == 0; i++) {
		c = mk_machine_find(machine, cpus[i]);
		r = c ? check_core(machine, cpus, nr_cpus, c, err) : 0;
	}
	return r;
}

int mk_machine_claim(struct mk_machine *machine, const unsigned int *cpus,
		     size_t nr_cpus, const char *owner, const char *path)
{
	struct mk_machine_cpu *c;

	for (size_t i = 0; i < nr_cpus; i++) {
		c = mk_machine_find(machine, cpus[i]);
		if (!c)
			c = add_cpu(machine, cpus[i]);
		if (!c)
			return -ENOMEM;
		snprintf(c->owner, sizeof(c->owner), "%s", owner);
		c->path = path;
	}
	return 0;
}
