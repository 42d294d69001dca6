// SPDX-License-Identifier: GPL-2.0-only
/*
 * Loses a piece of memory, for kmemleak to find.
 */
#define pr_fmt(fmt) "mk_leak: " fmt

#include <linux/module.h>
#include <linux/slab.h>

#define LOST_BYTES	200

static void *held;

static int __init mk_leak_init(void)
{
	held = kzalloc(LOST_BYTES, GFP_KERNEL);
	if (!held)
		return -ENOMEM;
	WRITE_ONCE(held, NULL);
	pr_info("%d bytes are lost\n", LOST_BYTES);
	return 0;
}
module_init(mk_leak_init);

static void __exit mk_leak_exit(void)
{
}
module_exit(mk_leak_exit);

MODULE_DESCRIPTION("mkctl tests: a leak");
MODULE_LICENSE("GPL");
