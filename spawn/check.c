// SPDX-License-Identifier: GPL-2.0-only
/*
 * The checks of a spawn. The kernel repeats those that matter; here they come
 * before the first change, so that a dry run finds the same faults.
 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "check.h"
#include "parse.h"

#define CPU_LIST_MAX	8192	/* bytes of a list in sysfs */

static int refuse(struct mk_error *err, int error, uint32_t reason, uint64_t a,
		  uint64_t b, const char *refusal_object, const char *object)
{
	struct mk_refusal refusal = { .reason = reason, .a = a, .b = b };

	if (refusal_object)
		snprintf(refusal.object, sizeof(refusal.object), "%s",
			 refusal_object);
	mk_refusal_error(err, &refusal, error, object);
	return -error;
}

int mk_check_name(struct mk_ctx *ctx, const char *name, struct mk_error *err)
{
	struct mk_instance *inst;
	uint32_t id;
	int r;

	r = mk_instance_find(ctx, name, &inst, err);
	if (r == -ENOENT) {
		if (err)
			*err = (struct mk_error)MK_ERROR_INIT;
		return 0;
	}
	if (r < 0)
		return r;
	id = inst->get.id;
	mk_instance_free(inst);
	return refuse(err, EEXIST, MK_REASON_NAME_TAKEN, id, 0, name, name);
}

static bool contains(const unsigned int *cpus, size_t nr_cpus,
		     unsigned int cpu)
{
	size_t i;

	for (i = 0; i < nr_cpus; i++)
		if (cpus[i] == cpu)
			return true;
	return false;
}

/* The name of the instance that has @cpu on loan, or NULL. */
static const char *borrower_of(const struct mk_instance_list *list,
			       unsigned int cpu)
{
	const struct mk_instance *inst;
	size_t i, j;

	for (i = 0; i < list->nr_items; i++) {
		inst = list->items[i];
		if (!(inst->get.flags & MK_GET_CPUS_LENT))
			continue;
		for (j = 0; j < inst->get.nr_cpus; j++)
			if (inst->cpus[j].cpu == cpu)
				return inst->get.name;
	}
	return NULL;
}

/*
 * The first of @cpus that is not in a list of sysfs is refused with @reason.
 * Without sysfs there is nothing to look at, and the kernel decides alone.
 */
static int check_list(struct mk_ctx *ctx, const char *path, uint32_t reason,
		      int error, const unsigned int *cpus, size_t nr_cpus,
		      struct mk_error *err)
{
	mk_autofree char *text = NULL;
	size_t i;
	int r;

	r = mk_ctx_read_text(ctx, path, CPU_LIST_MAX, &text);
	if (r == -ENOENT)
		return 0;
	if (r < 0) {
		mk_error_set(err, MK_ERR_FAILED, path, "cannot read: %s",
			     strerror(-r));
		return r;
	}
	for (i = 0; i < nr_cpus; i++) {
		r = mk_cpulist_has(text, cpus[i]);
		if (r == 0)
			return refuse(err, error, reason, cpus[i], 0, NULL,
				      NULL);
		if (r < 0) {
			mk_error_set(err, MK_ERR_FAILED, path,
				     "not a list of CPUs");
			return r;
		}
	}
	return 0;
}

static int check_not_lent(struct mk_ctx *ctx, const unsigned int *cpus,
			  size_t nr_cpus, struct mk_error *err)
{
	struct mk_instance_list list;
	const char *borrower;
	size_t i;
	int r;

	r = mk_instance_list_get(ctx, &list, err);
	if (r < 0)
		return r;
	for (i = 0; i < nr_cpus && r == 0; i++) {
		borrower = borrower_of(&list, cpus[i]);
		if (borrower)
			r = refuse(err, EBUSY, MK_REASON_CPU_LENT, cpus[i], 0,
				   borrower, NULL);
	}
	mk_instance_list_clear(&list);
	return r;
}

int mk_check_cpus(struct mk_ctx *ctx, const unsigned int *cpus, size_t nr_cpus,
		  struct mk_error *err)
{
	int r;

	if (contains(cpus, nr_cpus, 0))
		return refuse(err, EPERM, MK_REASON_CPU_ZERO, 0, 0, NULL,
			      NULL);
	r = check_list(ctx, "/sys/devices/system/cpu/present",
		       MK_REASON_CPU_UNKNOWN, ENODEV, cpus, nr_cpus, err);
	if (r < 0)
		return r;
	/* A lent CPU is offline too; to whom it is lent says more. */
	r = check_not_lent(ctx, cpus, nr_cpus, err);
	if (r < 0)
		return r;
	return check_list(ctx, "/sys/devices/system/cpu/online",
			  MK_REASON_CPU_OFFLINE, EBUSY, cpus, nr_cpus, err);
}

int mk_check_memory(const struct mk_info *info, uint64_t bytes,
		    struct mk_error *err)
{
	if (bytes <= info->pool_free_bytes)
		return 0;
	return refuse(err, ENOMEM, MK_REASON_MEM_NO_SPACE,
		      info->pool_free_bytes, info->pool_largest_bytes, NULL,
		      NULL);
}

int mk_check_file(const char *path, const char *key, int *ret_fd,
		  struct mk_error *err)
{
	mk_autoclose int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct stat st;
	int error;

	if (fd < 0) {
		error = errno;
		mk_error_set(err, MK_ERR_CONFIG, path,
			     "cannot open the %s: %s", key, strerror(error));
		mk_error_hint(err, "\"%s\" in the config file names it; a relative path counts from the file's folder",
			      key);
		return -error;
	}
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode)) {
		mk_error_set(err, MK_ERR_CONFIG, path,
			     "the %s is not a regular file", key);
		return -EINVAL;
	}
	if (st.st_size == 0) {
		mk_error_set(err, MK_ERR_CONFIG, path, "the %s is empty", key);
		return -EINVAL;
	}
	*ret_fd = TAKE_FD(fd);
	return 0;
}
