// SPDX-License-Identifier: GPL-2.0-only
/*
 * A CPU that does not come back: while this module is loaded, the host's
 * hotplug refuses to online CPU "cpu". To the multikernel that is a CPU that may
 * still be executing its instance.
 */
#include <linux/cpuhotplug.h>
#include <linux/module.h>

static unsigned int cpu;
module_param(cpu, uint, 0444);
MODULE_PARM_DESC(cpu, "Linux number of the CPU that stays offline");

static int mk_noonline_state;

static int mk_noonline_prepare(unsigned int which)
{
	return which == cpu ? -EIO : 0;
}

static int __init mk_noonline_init(void)
{
	int ret = cpuhp_setup_state_nocalls(CPUHP_BP_PREPARE_DYN,
					    "test:noonline",
					    mk_noonline_prepare, NULL);

	if (ret < 0)
		return ret;
	mk_noonline_state = ret;
	return 0;
}
module_init(mk_noonline_init);

static void __exit mk_noonline_exit(void)
{
	cpuhp_remove_state_nocalls(mk_noonline_state);
}
module_exit(mk_noonline_exit);

MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Keep a CPU from coming online");
