// SPDX-License-Identifier: GPL-2.0-only
/*
 * Overwrites a piece of the shared region while it is loaded, as a stray store
 * of the host would, and puts it right again when it is removed.
 */
#define pr_fmt(fmt) "mk_poke: " fmt

#include <linux/io.h>
#include <linux/module.h>
#include <linux/string.h>

static unsigned long addr;
module_param(addr, ulong, 0444);
MODULE_PARM_DESC(addr, "physical address");

static unsigned int bytes = 4;
module_param(bytes, uint, 0444);
MODULE_PARM_DESC(bytes, "how many, at most 8");

static unsigned long value;
module_param(value, ulong, 0444);
MODULE_PARM_DESC(value, "what to write there");

static void *where;
static unsigned long before;

static int __init mk_poke_init(void)
{
	if (!bytes || bytes > sizeof(value))
		return -EINVAL;
	where = memremap(addr, bytes, MEMREMAP_WB);
	if (!where)
		return -ENOMEM;
	memcpy(&before, where, bytes);
	memcpy(where, &value, bytes);
	return 0;
}
module_init(mk_poke_init);

static void __exit mk_poke_exit(void)
{
	memcpy(where, &before, bytes);
	memunmap(where);
}
module_exit(mk_poke_exit);

MODULE_DESCRIPTION("A stray store into the shared region");
MODULE_LICENSE("GPL");
