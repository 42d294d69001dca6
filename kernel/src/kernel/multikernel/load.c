// SPDX-License-Identifier: GPL-2.0-only
/*
 * LOAD: the multikernel branch of kexec_file_load(2).
 *
 * The files are read through the same doors as for kexec (LSM, IMA, lockdown,
 * signature), but become an image object of ours: no purgatory, no control
 * pages, no host memory for the bss. The pristine image stays with the
 * instance, so that a later start needs no file; instances that loaded the
 * same kernel share one copy.
 */
#define pr_fmt(fmt) "multikernel: " fmt

#include <linux/kernel_read_file.h>
#include <linux/kexec.h>
#include <linux/kref.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/syscalls.h>
#include <linux/vmalloc.h>
#include <asm/setup.h>

#include "../kexec_internal.h"
#include "internal.h"

static_assert(MK_CMDLINE_MAX == COMMAND_LINE_SIZE);
#define MK_LOAD_FLAGS	(KEXEC_FILE_MULTIKERNEL | KEXEC_FILE_NO_INITRAMFS | \
			 KEXEC_FILE_DEBUG)

/** struct mk_shared_image - a kernel image and the instances that loaded it */
struct mk_shared_image {
	struct kref ref;
	struct list_head node;
	struct mk_image image;
};

/**
 * struct mk_loaded - a load under way
 * @payload: what the instance will get
 * @image: its kernel, until it is shared
 */
struct mk_loaded {
	struct mk_payload payload;
	struct mk_image image;
};

static LIST_HEAD(mk_images);		/* under mk_lock */

const struct mk_image *mk_payload_image(const struct mk_payload *payload)
{
	return &payload->kernel->image;
}

static void mk_shared_image_free(struct kref *ref)
{
	struct mk_shared_image *shared =
		container_of(ref, struct mk_shared_image, ref);

	list_del(&shared->node);
	mk_image_free(&shared->image);
	kfree(shared);
}

/** mk_payload_free() - drop what was loaded; the caller holds mk_lock */
void mk_payload_free(struct mk_payload *payload)
{
	if (payload->kernel)
		kref_put(&payload->kernel->ref, mk_shared_image_free);
	vfree(payload->initrd);
	kfree(payload->cmdline);
	memset(payload, 0, sizeof(*payload));
}

#ifdef CONFIG_KEXEC_SIG
/* kexec's own policy, on a kimage that only carries the file. */
static int mk_check_signature(void *buf, size_t len)
{
	struct kimage *image __free(kfree) = NULL;

	image = kzalloc(sizeof(*image), GFP_KERNEL);
	if (!image)
		return -ENOMEM;
	image->kernel_buf = buf;
	image->kernel_buf_len = len;
	/* A vmlinux has no loader, hence no signature; the policy decides. */
	kexec_image_probe_default(image, buf, len);
	return kimage_validate_signature(image);
}
#else
static int mk_check_signature(void *buf, size_t len)
{
	return 0;
}
#endif

/* Two files are the same image if their unpacked ELF files are. */
static bool mk_same_image(const struct mk_image *a, const struct mk_image *b)
{
	return a->len == b->len && !memcmp(a->buf, b->buf, a->len);
}

static struct mk_shared_image *mk_image_known(const struct mk_loaded *loaded)
{
	struct mk_shared_image *shared;

	list_for_each_entry(shared, &mk_images, node)
		if (mk_same_image(&shared->image, &loaded->image))
			return shared;
	return NULL;
}

/* Gives the image to the payload, as a copy that others may have too. */
static int mk_image_share(struct mk_loaded *loaded)
{
	struct mk_shared_image *shared = mk_image_known(loaded);

	if (shared) {
		mk_image_free(&loaded->image);
		kref_get(&shared->ref);
		loaded->payload.kernel = shared;
		return 0;
	}
	shared = kzalloc(sizeof(*shared), GFP_KERNEL);
	if (!shared) {
		mk_image_free(&loaded->image);
		return -ENOMEM;
	}
	kref_init(&shared->ref);
	shared->image = loaded->image;
	list_add(&shared->node, &mk_images);
	loaded->payload.kernel = shared;
	return 0;
}

static int mk_load_kernel(int fd, struct mk_loaded *loaded,
			  struct mk_refusal *r)
{
	void *buf = NULL;
	ssize_t len;
	int ret;

	len = kernel_read_file_from_fd(fd, 0, &buf, INT_MAX, NULL,
				       READING_KEXEC_IMAGE);
	if (len < 0) {
		mk_refuse(r, MK_REASON_IMAGE_READ, 0, -len, NULL);
		return len;
	}
	ret = mk_check_signature(buf, len);
	if (ret) {
		mk_refuse(r, MK_REASON_IMAGE_SIGNATURE, 0, -ret, NULL);
		goto free_buf;
	}
	ret = mk_image_parse(buf, len, &loaded->image, r);
	if (!ret)
		return 0;

free_buf:
	vfree(buf);
	return ret;
}

static int mk_load_initrd(int fd, struct mk_payload *payload,
			  struct mk_refusal *r)
{
	ssize_t len;

	len = kernel_read_file_from_fd(fd, 0, &payload->initrd, INT_MAX, NULL,
				       READING_KEXEC_INITRAMFS);
	if (len < 0) {
		mk_refuse(r, MK_REASON_INITRD_READ, 0, -len, NULL);
		return len;
	}
	payload->initrd_bytes = len;
	return 0;
}

/* The command line has to name this host's region, or none. */
static int mk_check_region(const char *cmdline, struct mk_refusal *r)
{
	static const char key[] = "mk_shared_memory=";
	const char *at = cmdline;
	u64 addr, bytes;

	while ((at = strstr(at, key))) {
		if (at == cmdline || (u8)at[-1] <= ' ') {
			at += strlen(key);
			if (!mk_region_param_parse(at, &addr, &bytes) &&
			    addr == mk_region_addr && bytes == mk_region_bytes)
				continue;
			mk_refuse(r, MK_REASON_CMDLINE_REGION, mk_region_addr,
				  mk_region_bytes, NULL);
			return -EINVAL;
		}
		at += strlen(key);
	}
	return 0;
}

static int mk_load_cmdline(const char __user *cmdline, unsigned long len,
			   struct mk_payload *payload, struct mk_refusal *r)
{
	char *copy;

	if (len > MK_CMDLINE_MAX) {
		mk_refuse(r, MK_REASON_CMDLINE_TOO_LONG, len, MK_CMDLINE_MAX,
			  NULL);
		return -EINVAL;
	}
	copy = len ? memdup_user(cmdline, len) : kzalloc(1, GFP_KERNEL);
	if (IS_ERR_OR_NULL(copy))
		return copy ? PTR_ERR(copy) : -ENOMEM;
	payload->cmdline = copy;
	if (len && copy[len - 1])
		return -EINVAL;
	return mk_check_region(copy, r);
}

/* May this instance be given an image? The caller holds mk_lock. */
static int mk_load_check(struct mk_instance *inst, struct mk_refusal *r)
{
	int ret;

	ret = mk_instance_need_state(inst, BIT(MK_STATE_CREATED) |
				     BIT(MK_STATE_LOADED), r);
	if (ret)
		return ret;
	if (inst->nr_ranges)
		return 0;
	mk_refuse(r, MK_REASON_MEM_NONE, 0, 0, inst->name);
	return -ENXIO;
}

/* Reads and unpacks; the instance is busy, mk_lock is free. */
static int mk_load_files(const struct mk_instance *inst, int kernel_fd,
			 int initrd_fd, unsigned long flags,
			 struct mk_loaded *loaded, struct mk_refusal *r)
{
	int ret;

	ret = mk_load_kernel(kernel_fd, loaded, r);
	if (ret)
		return ret;
	if (!(flags & KEXEC_FILE_NO_INITRAMFS))
		ret = mk_load_initrd(initrd_fd, &loaded->payload, r);
	if (!ret)
		ret = mk_boot_room(inst, loaded->image.span,
				   loaded->payload.initrd_bytes, r);
	if (ret)
		mk_image_free(&loaded->image);
	return ret;
}

static int mk_load(struct mk_instance *inst, int kernel_fd, int initrd_fd,
		   unsigned long cmdline_len, const char __user *cmdline,
		   unsigned long flags, struct mk_refusal *r)
{
	struct mk_loaded loaded = { };
	int ret;

	ret = mk_load_check(inst, r);
	if (ret)
		return ret;
	mk_instance_busy(inst);
	ret = mk_load_cmdline(cmdline, cmdline_len, &loaded.payload, r);
	if (!ret)
		ret = mk_load_files(inst, kernel_fd, initrd_fd, flags, &loaded,
				    r);
	mk_instance_idle(inst);
	if (!ret)
		ret = mk_image_share(&loaded);
	if (ret) {
		mk_payload_free(&loaded.payload);
		return ret;
	}
	mk_payload_free(&inst->payload);
	inst->payload = loaded.payload;
	mk_set_state(inst, MK_STATE_LOADED, MK_CAUSE_NONE);
	return 0;
}

/**
 * multikernel_kexec_file_load() - load an image for an instance
 * @kernel_fd: ELF vmlinux or bzImage
 * @initrd_fd: initramfs, unless KEXEC_FILE_NO_INITRAMFS
 * @cmdline_len: with the NUL, 0 for none
 * @cmdline: user pointer
 * @flags: KEXEC_FILE_MULTIKERNEL, the id in the upper half
 *
 * The caller has checked that this user may load kernels. Why a load was
 * refused is kept for MK_IOC_GET, because the syscall has no room for it.
 */
long multikernel_kexec_file_load(int kernel_fd, int initrd_fd,
				 unsigned long cmdline_len,
				 const char __user *cmdline,
				 unsigned long flags)
{
	struct mk_refusal refusal = { };
	struct mk_instance *inst;
	int ret;

	if ((flags & 0xffff) & ~MK_LOAD_FLAGS || flags >> 32)
		return -EINVAL;
	guard(mutex)(&mk_lock);
	inst = mk_instance_lookup(flags >> 16, &refusal);
	if (!inst)
		return mk_lookup_errno(&refusal);
	ret = mk_load(inst, kernel_fd, initrd_fd, cmdline_len, cmdline, flags,
		      &refusal);
	inst->load_refusal = refusal;
	return ret;
}
