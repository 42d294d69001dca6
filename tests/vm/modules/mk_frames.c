// SPDX-License-Identifier: GPL-2.0-only
/*
 * Single pages between kernels, by the older interface. Written to the
 * parameter "do"; what comes of it is the result of the write, and in the log:
 *
 *	send CPU		lend a page, filled with a pattern
 *	foreign CPU PFN		lend a frame that is not ours
 *	forge CPU PFN SHARE GEN	a message as of mk_send_pfn(), made up
 *	again CPU		the last message that arrived, once more
 *	unmap			give back what is mapped
 *	check			is what the receiver wrote in our page? drop it
 *	share NAME ro|rw	attach a share, map it, log its sum
 *	detach			and detach it
 *
 * Every page that arrives is mapped, checked, and written to.
 */
#define pr_fmt(fmt) "mk_frames: " fmt

#include <linux/mk_share.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/multikernel.h>
#include <linux/string.h>
#include <linux/vmalloc.h>

#define WORDS		(4096 / sizeof(u64))
#define MAPPED_MAX	256

/* As in mk_wire.h, which modules do not see */
struct pfn_message {
	u64 pfn;
	u64 generation;
	u32 share;
	u32 reserved;
};

static struct page *page;
static void *mapped[MAPPED_MAX];
static unsigned int nr_mapped;
static struct pfn_message last;
static struct mk_ipi_handler *handler;
static struct mk_attachment *attached;
static DEFINE_MUTEX(lock);

static u64 pattern(unsigned int i)
{
	return (i + 1) * 0x9e3779b97f4a7c15ULL;
}

static bool is_pattern(const u64 *p)
{
	unsigned int i;

	for (i = 0; i < WORDS - 1; i++)
		if (p[i] != pattern(i))
			return false;
	return true;
}

static void on_message(struct mk_ipi_data *data, void *context)
{
	unsigned long pfn;
	u64 *p;

	if (mk_receive_pfn(data, &pfn))
		return;
	memcpy(&last, data->buffer, sizeof(last));
	p = mk_receive_map_page(data);
	pr_info("page %#lx from CPU %d: %s\n", pfn, data->sender_cpu,
		!p ? "not mapped" : is_pattern(p) ? "right" : "WRONG");
	if (!p)
		return;
	p[WORDS - 1] = 0xfeed;
	mutex_lock(&lock);
	if (nr_mapped < MAPPED_MAX)
		mapped[nr_mapped++] = p;
	mutex_unlock(&lock);
}

static int send(int cpu)
{
	unsigned int i;
	u64 *p;

	if (!page)
		page = alloc_page(GFP_KERNEL);
	if (!page)
		return -ENOMEM;
	p = page_address(page);
	for (i = 0; i < WORDS; i++)
		p[i] = pattern(i);
	return mk_send_pfn(cpu, page_to_pfn(page));
}

static int forge(int cpu, u64 pfn, u32 share, u64 generation)
{
	struct pfn_message message = {
		.pfn = pfn ?: page_to_pfn(virt_to_page(mapped)),
		.share = share,
		.generation = generation,
	};

	return multikernel_send_ipi_data(cpu, &message, sizeof(message),
					 MK_PFN_IPI_TYPE);
}

static void unmap(void)
{
	while (nr_mapped)
		mk_receive_unmap_page(mapped[--nr_mapped]);
}

static int check(void)
{
	u64 *p = page ? page_address(page) : NULL;
	bool right = p && is_pattern(p) && p[WORDS - 1] == 0xfeed;

	pr_info("own page: %s, %d references\n", right ? "written" : "WRONG",
		page ? page_ref_count(page) : 0);
	if (page)
		put_page(page);
	page = NULL;
	return right ? 0 : -EIO;
}

static int attach(const char *name, const char *how)
{
	u32 rights = MK_RIGHT_READ |
		     (strcmp(how, "rw") ? 0 : MK_RIGHT_WRITE);
	u64 sum = 0, i, *p;

	if (attached)
		return -EBUSY;
	attached = mk_share_attach(name, rights);
	if (IS_ERR(attached)) {
		int ret = PTR_ERR(attached);

		attached = NULL;
		return ret;
	}
	p = mk_attachment_map(attached);
	if (!p)
		return -ENOMEM;
	for (i = 0; i < mk_attachment_bytes(attached) / sizeof(*p); i++)
		sum = sum * 31 + p[i];
	pr_info("share %s: sum %x%08x\n", name, (u32)(sum >> 32), (u32)sum);
	return 0;
}

static int run(const char *val)
{
	unsigned long long pfn = 0, generation = 0;
	char name[32] = "", how[8] = "";
	unsigned int share = 0;
	int cpu = -1;

	if (sscanf(val, "send %d", &cpu) == 1)
		return send(cpu);
	if (sscanf(val, "foreign %d %lli", &cpu, &pfn) == 2)
		return mk_send_pfn(cpu, pfn);
	if (sscanf(val, "forge %d %lli %u %llu", &cpu, &pfn, &share,
		   &generation) == 4)
		return forge(cpu, pfn, share, generation);
	if (sscanf(val, "again %d", &cpu) == 1)
		return multikernel_send_ipi_data(cpu, &last, sizeof(last),
						 MK_PFN_IPI_TYPE);
	if (sscanf(val, "share %31s %7s", name, how) == 2)
		return attach(name, how);
	if (sysfs_streq(val, "unmap"))
		return unmap(), 0;
	if (sysfs_streq(val, "check"))
		return check();
	if (sysfs_streq(val, "detach"))
		return mk_share_detach(attached), attached = NULL, 0;
	return -EINVAL;
}

static int do_set(const char *val, const struct kernel_param *kp)
{
	int ret = run(val);

	if (ret)
		pr_info("'%s' gave %d\n", strim((char *)val), ret);
	return ret;
}

static const struct kernel_param_ops do_ops = { .set = do_set };
module_param_cb(do, &do_ops, NULL, 0200);
MODULE_PARM_DESC(do, "what to do, see the source");

static int __init mk_frames_init(void)
{
	handler = multikernel_register_handler(on_message, NULL);
	return IS_ERR_OR_NULL(handler) ? -ENODEV : 0;
}
module_init(mk_frames_init);

static void __exit mk_frames_exit(void)
{
	multikernel_unregister_handler(handler);
	unmap();
	mk_share_detach(attached);
	if (page)
		put_page(page);
}
module_exit(mk_frames_exit);

MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Lend single pages, attach shares in the kernel");
