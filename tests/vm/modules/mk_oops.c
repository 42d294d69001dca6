// SPDX-License-Identifier: GPL-2.0-only
/*
 * An accident on purpose: loading this module reads through a null pointer. Only
 * for instances that a test wants to see die of it.
 */
#include <linux/module.h>

static noinline int mk_oops_here(int *volatile nothing)
{
	return *nothing;
}

static int __init mk_oops_init(void)
{
	return mk_oops_here(NULL);
}
module_init(mk_oops_init);

MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Read through a null pointer");
