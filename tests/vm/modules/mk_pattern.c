// SPDX-License-Identifier: GPL-2.0-only
/*
 * Memory that is watched: loading this module fills a page with a pattern and
 * prints its physical address, unloading it says whether a byte has changed.
 * "echo 1 > /sys/module/mk_pattern/parameters/low" starts to watch this
 * kernel's memory below 640 KiB too.
 */
#define pr_fmt(fmt) "mk_pattern: " fmt

#include <linux/io.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/vmalloc.h>

#define LOW_START	0x1000
#define LOW_BYTES	(0x9f000 - LOW_START)

static u8 *page;
static void *low_copy;

static u8 pattern(unsigned int i)
{
	return 0xa5 ^ i ^ (i >> 8);
}

static int low_set(const char *val, const struct kernel_param *kp)
{
	void *copy = vmalloc(LOW_BYTES);

	if (!copy)
		return -ENOMEM;
	memcpy(copy, __va(LOW_START), LOW_BYTES);
	vfree(low_copy);
	low_copy = copy;
	pr_info("low memory is watched\n");
	return 0;
}

static const struct kernel_param_ops low_ops = { .set = low_set };
module_param_cb(low, &low_ops, NULL, 0200);
MODULE_PARM_DESC(low, "written: watch memory below 640 KiB from now on");

static int __init mk_pattern_init(void)
{
	unsigned int i;

	page = (u8 *)__get_free_page(GFP_KERNEL);
	if (!page)
		return -ENOMEM;
	for (i = 0; i < PAGE_SIZE; i++)
		page[i] = pattern(i);
	pr_info("page at %#llx\n", (u64)__pa(page));
	return 0;
}
module_init(mk_pattern_init);

static void __exit mk_pattern_exit(void)
{
	unsigned int i;

	for (i = 0; i < PAGE_SIZE && page[i] == pattern(i); i++)
		;
	pr_info("page %s\n", i == PAGE_SIZE ? "intact" : "CHANGED");
	if (low_copy)
		pr_info("low memory %s\n",
			memcmp(low_copy, __va(LOW_START), LOW_BYTES) ?
			"CHANGED" : "intact");
	free_page((unsigned long)page);
	vfree(low_copy);
}
module_exit(mk_pattern_exit);

MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Watch memory for stray writes");
