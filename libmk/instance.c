// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Instances: look at one, look at all, and one wrapper per request that
 * changes one. The kernel checks everything; nothing is checked twice here.
 */
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>

#include "internal.h"

#ifndef KEXEC_FILE_NO_INITRAMFS
#define KEXEC_FILE_NO_INITRAMFS	0x00000004
#endif

void mk_instance_free(struct mk_instance *inst)
{
	if (!inst)
		return;
	free(inst->cpus);
	free(inst->ranges);
	free(inst);
}

/*
 * The arrays have room for the ABI's limits, so one request sees a consistent
 * picture; 8 KiB for CPUs is cheap.
 */
static int get_one(struct mk_ctx *ctx, uint32_t id, const char *name,
		   struct mk_instance **ret_inst, struct mk_error *err)
{
	struct mk_instance *inst = calloc(1, sizeof(*inst));
	struct mk_get *get;
	int r;

	if (!inst)
		return mk_no_memory(err);
	inst->cpus = calloc(MK_MAX_CPUS, sizeof(*inst->cpus));
	inst->ranges = calloc(MK_MAX_RANGES, sizeof(*inst->ranges));
	if (!inst->cpus || !inst->ranges) {
		mk_instance_free(inst);
		return mk_no_memory(err);
	}
	get = &inst->get;
	get->size = sizeof(*get);
	get->id = id;
	if (name)
		snprintf(get->name, sizeof(get->name), "%s", name);
	get->cpus = (uintptr_t)inst->cpus;
	get->nr_cpus = MK_MAX_CPUS;
	get->ranges = (uintptr_t)inst->ranges;
	get->nr_ranges = MK_MAX_RANGES;
	r = mk_ctx_ioctl(ctx, MK_IOC_GET, get, &get->refusal, name, err);
	if (r < 0) {
		mk_instance_free(inst);
		return r;
	}
	if (get->nr_cpus > MK_MAX_CPUS)
		get->nr_cpus = MK_MAX_CPUS;
	if (get->nr_ranges > MK_MAX_RANGES)
		get->nr_ranges = MK_MAX_RANGES;
	get->name[sizeof(get->name) - 1] = '\0';
	*ret_inst = inst;
	return 0;
}

int mk_instance_get(struct mk_ctx *ctx, uint32_t id,
		    struct mk_instance **ret_inst, struct mk_error *err)
{
	return get_one(ctx, id, NULL, ret_inst, err);
}

int mk_instance_find(struct mk_ctx *ctx, const char *name,
		     struct mk_instance **ret_inst, struct mk_error *err)
{
	char copy[MK_NAME_MAX];
	int r;

	r = mk_name_copy(copy, sizeof(copy), name, MK_REASON_NO_INSTANCE,
			 ENOENT, err);
	return r < 0 ? r : get_one(ctx, 0, copy, ret_inst, err);
}

int mk_instance_list_get(struct mk_ctx *ctx, struct mk_instance_list *ret_list,
			 struct mk_error *err)
{
	struct mk_instance_list list = { 0 };
	struct mk_instance **grown;
	struct mk_instance *inst;
	uint32_t id = 0;
	int r;

	for (;;) {
		r = get_one(ctx, MK_GET_NEXT | id, NULL, &inst, err);
		if (r == -ENOENT)
			break;
		if (r < 0)
			goto out_clear;
		grown = realloc(list.items,
				(list.nr_items + 1) * sizeof(*grown));
		if (!grown) {
			mk_instance_free(inst);
			r = mk_no_memory(err);
			goto out_clear;
		}
		list.items = grown;
		list.items[list.nr_items++] = inst;
		id = inst->get.id;
	}
	if (err)
		*err = (struct mk_error)MK_ERROR_INIT;
	*ret_list = list;
	return 0;

out_clear:
	mk_instance_list_clear(&list);
	return r;
}

void mk_instance_list_clear(struct mk_instance_list *list)
{
	size_t i;

	for (i = 0; i < list->nr_items; i++)
		mk_instance_free(list->items[i]);
	free(list->items);
	*list = (struct mk_instance_list){ 0 };
}

int mk_instance_create(struct mk_ctx *ctx, const char *name, uint32_t *ret_id,
		       struct mk_error *err)
{
	struct mk_create req = { .size = sizeof(req) };
	int r;

	snprintf(req.name, sizeof(req.name), "%s", name);
	r = mk_ctx_ioctl(ctx, MK_IOC_CREATE, &req, &req.refusal, name, err);
	if (r < 0)
		return r;
	*ret_id = req.id;
	return 0;
}

static int request_by_id(struct mk_ctx *ctx, unsigned long request,
			 uint32_t id, uint32_t cause, struct mk_error *err)
{
	struct mk_by_id req = {
		.size = sizeof(req),
		.id = id,
		.cause = cause,
	};

	return mk_ctx_ioctl(ctx, request, &req, &req.refusal, NULL, err);
}

int mk_instance_destroy(struct mk_ctx *ctx, uint32_t id, struct mk_error *err)
{
	return request_by_id(ctx, MK_IOC_DESTROY, id, 0, err);
}

int mk_instance_stop(struct mk_ctx *ctx, uint32_t id, struct mk_error *err)
{
	return request_by_id(ctx, MK_IOC_STOP, id, 0, err);
}

int mk_instance_kill(struct mk_ctx *ctx, uint32_t id, enum mk_cause cause,
		     struct mk_error *err)
{
	return request_by_id(ctx, MK_IOC_KILL, id, cause, err);
}

int mk_instance_freeze(struct mk_ctx *ctx, uint32_t id, struct mk_error *err)
{
	return request_by_id(ctx, MK_IOC_FREEZE, id, 0, err);
}

int mk_instance_thaw(struct mk_ctx *ctx, uint32_t id, struct mk_error *err)
{
	return request_by_id(ctx, MK_IOC_THAW, id, 0, err);
}

int mk_instance_set_cpus(struct mk_ctx *ctx, uint32_t id,
			 const unsigned int *cpus, size_t nr_cpus,
			 uint32_t flags, struct mk_error *err)
{
	struct mk_set_cpus req = {
		.size = sizeof(req),
		.id = id,
		.nr_cpus = (uint32_t)nr_cpus,
		.flags = flags,
		.cpus = (uintptr_t)cpus,
	};

	_Static_assert(sizeof(*cpus) == sizeof(__u32), "CPU lists are __u32");
	return mk_ctx_ioctl(ctx, MK_IOC_SET_CPUS, &req, &req.refusal, NULL,
			    err);
}

int mk_instance_set_memory(struct mk_ctx *ctx, uint32_t id,
			   const struct mk_memory_part *parts,
			   size_t nr_parts, struct mk_error *err)
{
	struct mk_set_memory req = {
		.size = sizeof(req),
		.id = id,
		.nr_parts = (uint32_t)nr_parts,
		.parts = (uintptr_t)parts,
	};

	return mk_ctx_ioctl(ctx, MK_IOC_SET_MEMORY, &req, &req.refusal, NULL,
			    err);
}

int mk_instance_set_channels(struct mk_ctx *ctx, uint32_t id,
			     const char *const *peers, size_t nr_peers,
			     struct mk_error *err)
{
	struct mk_set_channels req = {
		.size = sizeof(req),
		.id = id,
		.nr_peers = (uint32_t)nr_peers,
	};
	mk_autofree char (*names)[MK_NAME_MAX] = NULL;
	size_t i;
	int r;

	names = calloc(nr_peers + 1, sizeof(*names));
	if (!names)
		return mk_no_memory(err);
	for (i = 0; i < nr_peers; i++) {
		r = mk_name_copy(names[i], sizeof(names[i]), peers[i],
				 MK_REASON_BAD_NAME, EINVAL, err);
		if (r < 0)
			return r;
	}
	req.peers = (uintptr_t)names;
	return mk_ctx_ioctl(ctx, MK_IOC_SET_CHANNELS, &req, &req.refusal, NULL,
			    err);
}

int mk_instance_start(struct mk_ctx *ctx, uint32_t id, const void *dtb,
		      size_t dtb_bytes, uint32_t *ret_epoch,
		      struct mk_error *err)
{
	struct mk_start req = {
		.size = sizeof(req),
		.id = id,
		.dtb = (uintptr_t)dtb,
		.dtb_bytes = (uint32_t)dtb_bytes,
	};
	int r;

	r = mk_ctx_ioctl(ctx, MK_IOC_START, &req, &req.refusal, NULL, err);
	if (r < 0)
		return r;
	*ret_epoch = req.epoch;
	return 0;
}

static void load_error(struct mk_ctx *ctx, uint32_t id, int error,
		       struct mk_error *err)
{
	struct mk_instance *inst = NULL;
	struct mk_refusal refusal = { 0 };

	if (mk_instance_get(ctx, id, &inst, NULL) == 0)
		refusal = inst->get.load_refusal;
	mk_instance_free(inst);

	if (error == ENOSYS) {
		mk_error_set(err, MK_ERR_NOT_PERMITTED, NULL,
			     "this kernel has no kexec_file_load(2)");
		mk_error_hint(err, "boot a kernel with CONFIG_KEXEC_FILE=y");
	} else {
		mk_refusal_error(err, &refusal, error, NULL);
	}
}

int mk_instance_load(struct mk_ctx *ctx, uint32_t id, int kernel_fd,
		     int initrd_fd, const char *cmdline, struct mk_error *err)
{
	unsigned long flags = KEXEC_FILE_MULTIKERNEL |
			      KEXEC_FILE_MULTIKERNEL_ID(id);
	int error;

	if (initrd_fd < 0)
		flags |= KEXEC_FILE_NO_INITRAMFS;
	/* The length counts the NUL; glibc has no wrapper. */
	if (syscall(SYS_kexec_file_load, kernel_fd, initrd_fd,
		    strlen(cmdline) + 1, cmdline, flags) == 0)
		return 0;
	error = errno;
	load_error(ctx, id, error, err);
	return -error;
}
