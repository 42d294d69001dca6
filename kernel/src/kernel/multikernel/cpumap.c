// SPDX-License-Identifier: GPL-2.0-only
/*
 * Which kernel has which CPU. The host writes it down for everybody: kernels
 * know each other's CPUs by nothing but their APIC ids, and no kernel can tell
 * by itself whose a CPU is.
 *
 * The list is made once, of the CPUs that are present when the host boots, and
 * only owners change.
 */
#include <linux/cpumask.h>
#include <linux/mutex.h>

#include "internal.h"
#include "peer.h"

static struct mk_region_cpu *mk_cpus;	/* in the region; read-only but for the host */
static u32 mk_cpus_nr;

/** mk_cpu_map_bytes() - size of the list that this host makes */
u32 __init mk_cpu_map_bytes(void)
{
	return num_present_cpus() * sizeof(struct mk_region_cpu);
}

/** mk_cpu_map_make() - the host: fill the list; all CPUs are its own */
void __init mk_cpu_map_make(struct mk_region_cpu *cpus)
{
	unsigned int cpu;
	u32 nr = 0;

	for_each_present_cpu(cpu)
		cpus[nr++] = (struct mk_region_cpu){
			.apicid = mk_arch_apicid(cpu),
		};
	mk_cpus = cpus;
	mk_cpus_nr = nr;
}

/** mk_cpu_map_join() - an instance: where the list is, mapped read-only */
void __init mk_cpu_map_join(const struct mk_region_cpu *cpus, u32 nr)
{
	mk_cpus = (struct mk_region_cpu *)cpus;
	mk_cpus_nr = nr;
}

static struct mk_region_cpu *mk_cpu_find(u32 apicid)
{
	u32 i;

	for (i = 0; i < mk_cpus_nr; i++)
		if (READ_ONCE(mk_cpus[i].apicid) == apicid)
			return &mk_cpus[i];
	return NULL;
}

/** mk_cpu_set_owner() - the host: a CPU changed hands; under mk_lock */
void mk_cpu_set_owner(u32 apicid, u32 owner)
{
	struct mk_region_cpu *cpu = mk_cpu_find(apicid);

	lockdep_assert_held(&mk_lock);
	if (cpu)
		WRITE_ONCE(cpu->owner, owner);
}

u32 mk_cpu_owner(u32 apicid)
{
	const struct mk_region_cpu *cpu = mk_cpu_find(apicid);

	return cpu ? READ_ONCE(cpu->owner) : MK_CPU_NOBODY;
}
