// SPDX-License-Identifier: GPL-2.0-only
/*
 * A CPU that never starts: for the host, while it starts an instance.
 *
 * Without apicid= the code of the start page is replaced as long as this module
 * is loaded: a CPU that is started halts there for good. With apicid= the slot
 * of that CPU is emptied as soon as it is written, so that of several CPUs only
 * this one does not start.
 */
#define pr_fmt(fmt) "mk_nostart: " fmt

#include <linux/delay.h>
#include <linux/io.h>
#include <linux/kthread.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/vmalloc.h>

#define SLOTS_OFFSET (4 * PAGE_SIZE) /* startpage.c: SP_SLOTS */
#define SLOTS_NR     (4 * PAGE_SIZE / sizeof(struct slot))

/* startpage.h */
struct slot {
	u32 apicid, kind;
	u64 cr3, rip, arg;
};

static ulong page;
module_param(page, ulong, 0444);
MODULE_PARM_DESC(page, "physical address of the start page");

static int apicid = -1;
module_param(apicid, int, 0444);
MODULE_PARM_DESC(apicid, "only this CPU");

/* cli; again: hlt; jmp again */
static const u8 stand_still[] = { 0xfa, 0xf4, 0xeb, 0xfd };
static u8 before[sizeof(stand_still)];
static u8 *code;
static struct task_struct *task;

static int watch(void *unused)
{
	struct slot *slots = __va(page + SLOTS_OFFSET);
	unsigned int i;

	while (!kthread_should_stop()) {
		for (i = 0; i < SLOTS_NR; i++)
			if (slots[i].apicid == apicid)
				WRITE_ONCE(slots[i].kind, 0);
		usleep_range(500, 1000);
	}
	return 0;
}

/* The page is read-only in the direct map. */
static int replace_code(void)
{
	struct page *p = pfn_to_page(page >> PAGE_SHIFT);

	code = vmap(&p, 1, VM_MAP, PAGE_KERNEL);
	if (!code)
		return -ENOMEM;
	memcpy(before, code, sizeof(before));
	memcpy(code, stand_still, sizeof(stand_still));
	return 0;
}

static int __init mk_nostart_init(void)
{
	if (!page || !PAGE_ALIGNED(page))
		return -EINVAL;
	if (apicid < 0)
		return replace_code();
	task = kthread_run(watch, NULL, "mk_nostart");
	return PTR_ERR_OR_ZERO(task);
}
module_init(mk_nostart_init);

static void __exit mk_nostart_exit(void)
{
	if (task)
		kthread_stop(task);
	if (!code)
		return;
	memcpy(code, before, sizeof(before));
	vunmap(code);
}
module_exit(mk_nostart_exit);

MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("A CPU that never starts");
