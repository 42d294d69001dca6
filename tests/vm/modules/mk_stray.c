// SPDX-License-Identifier: GPL-2.0-only
/*
 * An accident on purpose: writes one byte to each physical address that it is
 * given, through this kernel's direct map, as a stray pointer would.
 *
 * Each line says what became of it: "ADDRESS faults" or "ADDRESS WRITTEN". A
 * write to a page of its own comes first: "control WRITTEN" shows that this way
 * of writing works at all. With store=1 nothing catches the fault, and the
 * kernel oopses at the first address.
 */
#define pr_fmt(fmt) "mk_stray: " fmt

#include <linux/io.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/uaccess.h>

#define MAX_ADDRESSES	32

static unsigned long phys[MAX_ADDRESSES];
static int nr_phys;
module_param_array(phys, ulong, &nr_phys, 0444);
MODULE_PARM_DESC(phys, "physical addresses, separated by commas");

static bool store;
module_param(store, bool, 0444);
MODULE_PARM_DESC(store, "do not catch the fault");

static bool write_caught(u8 *to)
{
	u8 byte = 0x5a;

	pagefault_disable();
	__put_kernel_nofault(to, &byte, u8, fault);
	pagefault_enable();
	return true;
fault:
	pagefault_enable();
	return false;
}

static int write_control(void)
{
	u8 *page = (u8 *)get_zeroed_page(GFP_KERNEL);
	bool done;

	if (!page)
		return -ENOMEM;
	done = write_caught(__va(__pa(page))) && READ_ONCE(*page) == 0x5a;
	pr_info("control %s\n", done ? "WRITTEN" : "faults");
	free_page((unsigned long)page);
	return 0;
}

static int __init mk_stray_init(void)
{
	int i, ret = write_control();

	for (i = 0; i < nr_phys && !ret; i++) {
		if (store)
			WRITE_ONCE(*(u8 *)__va(phys[i]), 0x5a);
		pr_info("%#lx %s\n", phys[i],
			store || write_caught(__va(phys[i])) ? "WRITTEN" :
							       "faults");
	}
	return ret;
}
module_init(mk_stray_init);

static void __exit mk_stray_exit(void)
{
}
module_exit(mk_stray_exit);

MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Stray writes through the direct map");
