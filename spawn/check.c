// SPDX-License-Identifier: GPL-2.0-only
/*
 * The checks of a spawn. The kernel repeats those that matter; here they come
 * before the first change, so that a dry run finds the same faults.
 *
 * Several instances are checked as if they were spawned one after the other:
 * name, CPUs and memory of one are gone for the next.
 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "check.h"
#include "choose.h"
#include "image.h"
#include "refuse.h"

int mk_check_begin(struct mk_ctx *ctx, bool must, struct mk_check *ret,
		   struct mk_error *err)
{
	struct mk_check check = { .ctx = ctx };
	int r;

	r = mk_info_get_host(ctx, &check.info, &check.why);
	if (r < 0 && must) {
		if (err)
			*err = check.why;
		return r;
	}
	check.on_host = r == 0;
	if (check.on_host)
		r = mk_machine_load(ctx, &check.info, &check.machine, err);
	else
		r = 0;
	if (r == 0)
		*ret = check;
	return r;
}

void mk_check_end(struct mk_check *check)
{
	mk_machine_clear(&check->machine);
	free(check->names);
	free(check->expected);
	free(check->shares);
	free(check->promised);
	*check = (struct mk_check){ 0 };
}

static int check_name_here(struct mk_ctx *ctx, const char *name,
			   struct mk_error *err)
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
	return mk_refuse(err, &(struct mk_refused){
		.error = EEXIST, .reason = MK_REASON_NAME_TAKEN, .a = id,
		.who = name,
	}, name);
}

static int check_name(const struct mk_check *check, const char *name,
		      struct mk_error *err)
{
	for (size_t i = 0; i < check->nr_names; i++) {
		if (strcmp(check->names[i].name, name))
			continue;
		mk_error_set(err, MK_ERR_CONFIG, name,
			     "%s has an instance of this name too",
			     check->names[i].path);
		mk_error_hint(err, "choose another name in one of them");
		return -EEXIST;
	}
	return check->on_host ? check_name_here(check->ctx, name, err) : 0;
}

static int copy_cpus(const struct mk_config *config, unsigned int **ret_cpus,
		     struct mk_error *err)
{
	unsigned int *cpus = calloc(config->nr_cpus, sizeof(*cpus));

	if (!cpus) {
		mk_error_set(err, MK_ERR_FAILED, NULL, "out of memory");
		return -ENOMEM;
	}
	memcpy(cpus, config->cpus, config->nr_cpus * sizeof(*cpus));
	*ret_cpus = cpus;
	return 0;
}

static int choose_cpus(struct mk_check *check, const struct mk_config *config,
		       unsigned int **ret_cpus, struct mk_error *err)
{
	int r;

	/* Which CPUs a machine has that is not looked at, nobody knows. */
	if (!check->on_host)
		return 0;
	r = mk_machine_places(&check->machine, err);
	if (r < 0)
		return r;
	return mk_choose_cpus(&check->machine, config, ret_cpus, err);
}

static int check_cpus(struct mk_check *check, const struct mk_config *config,
		      unsigned int **ret_cpus, struct mk_error *err)
{
	int r;

	if (!config->cpus)
		return choose_cpus(check, config, ret_cpus, err);
	r = mk_machine_check(&check->machine, config->cpus, config->nr_cpus,
			     config->allow_split_core, err);
	return r < 0 ? r : copy_cpus(config, ret_cpus, err);
}

/* Opens a kernel or initrd; @key of the config names it. */
static int check_file(const char *path, const char *key, int *ret_fd,
		      uint64_t *ret_bytes, struct mk_error *err)
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
	*ret_bytes = (uint64_t)st.st_size;
	return 0;
}

/*
 * Does the kernel fit, and the initrd beside it? Were all the memory one piece:
 * which pieces it gets, the kernel knows when it has them.
 */
static int check_room(const struct mk_config *config, uint64_t span,
		      uint64_t initrd_bytes, struct mk_error *err)
{
	uint64_t room = config->memory_bytes - MK_KERNEL_OFFSET;

	if (span > room)
		return mk_refuse(err, &(struct mk_refused){
			.error = ENOSPC, .reason = MK_REASON_IMAGE_TOO_LARGE,
			.a = span, .b = room,
		}, config->kernel);
	room -= span;
	if (span && initrd_bytes > room)
		return mk_refuse(err, &(struct mk_refused){
			.error = ENOSPC, .reason = MK_REASON_INITRD_TOO_LARGE,
			.a = initrd_bytes, .b = room,
		}, config->initrd);
	return 0;
}

static int check_files(const struct mk_config *config,
		       struct mk_checked *checked, struct mk_error *err)
{
	uint64_t bytes = 0, span = 0, initrd_bytes = 0;
	int r;

	r = check_file(config->kernel, "kernel", &checked->kernel_fd, &bytes,
		       err);
	if (r == 0)
		r = mk_image_check(checked->kernel_fd, bytes, config->kernel,
				   &span, err);
	if (r == 0 && config->initrd)
		r = check_file(config->initrd, "initrd", &checked->initrd_fd,
			       &initrd_bytes, err);
	return r == 0 ? check_room(config, span, initrd_bytes, err) : r;
}

/* Off a host the region is not known, and its word shorter than it will be. */
static int make_cmdline(const struct mk_info *info,
			const struct mk_config *config, char **ret_cmdline,
			struct mk_error *err)
{
	const char *own = config->cmdline;
	int n;

	/* In front: what comes after a "--" is for init */
	n = asprintf(ret_cmdline, "mk_shared_memory=0x%llx@0x%llx%s%s",
		     (unsigned long long)info->region_bytes,
		     (unsigned long long)info->region_addr,
		     own[0] ? " " : "", own);
	if (n < 0) {
		*ret_cmdline = NULL;
		mk_error_set(err, MK_ERR_FAILED, NULL, "out of memory");
		return -ENOMEM;
	}
	if (n < MK_CMDLINE_MAX)
		return 0;
	return mk_refuse(err, &(struct mk_refused){
		.error = EINVAL, .reason = MK_REASON_CMDLINE_TOO_LONG,
		.a = (uint64_t)n + 1, .b = MK_CMDLINE_MAX,
	}, "cmdline");
}

static int add_name(struct mk_check_name **names, size_t *nr_names,
		    const char *name, const char *path)
{
	struct mk_check_name *grown;

	grown = realloc(*names, (*nr_names + 1) * sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	*names = grown;
	grown += (*nr_names)++;
	*grown = (struct mk_check_name){ .path = path };
	snprintf(grown->name, sizeof(grown->name), "%s", name);
	return 0;
}

int mk_check_expect(struct mk_check *check, const char *name, const char *path,
		    struct mk_error *err)
{
	int r = add_name(&check->expected, &check->nr_expected, name, path);

	if (r < 0)
		mk_error_set(err, MK_ERR_FAILED, NULL, "out of memory");
	return r;
}

/* Its turn has come: who says something of it later knows how it went. */
static void see(struct mk_check *check, const char *name, const char *path)
{
	struct mk_check_name *expected = check->expected;

	for (size_t i = 0; i < check->nr_expected; i++)
		if (expected[i].path == path && !strcmp(expected[i].name, name))
			expected[i].seen = true;
}

static int remember_memory(struct mk_check *check,
			   const struct mk_memory_part *parts, size_t nr_parts)
{
	size_t nr = check->nr_promised + nr_parts;
	struct mk_memory_part *grown;

	if (!nr_parts)
		return 0;
	grown = realloc(check->promised, nr * sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	memcpy(grown + check->nr_promised, parts, nr_parts * sizeof(*grown));
	check->promised = grown;
	check->nr_promised = nr;
	return 0;
}

/* For the instances that are checked after this one. */
static int promise(struct mk_check *check, const struct mk_config *config,
		   const char *path, const struct mk_checked *checked,
		   struct mk_error *err)
{
	int r = add_name(&check->names, &check->nr_names, config->name, path);

	if (r == 0)
		r = remember_memory(check, checked->parts, checked->nr_parts);
	if (r == 0)
		r = remember_memory(check, checked->share_parts,
				    checked->nr_share_parts);
	if (r == 0)
		r = mk_check_remember_shares(check, config, path);
	if (r == 0 && checked->cpus)
		r = mk_machine_claim(&check->machine, checked->cpus,
				     config->nr_cpus, config->name, path);
	if (r < 0)
		mk_error_set(err, MK_ERR_FAILED, NULL, "out of memory");
	return r;
}

int mk_check_instance(struct mk_check *check, const struct mk_config *config,
		      const char *path, struct mk_checked *ret,
		      struct mk_error *err)
{
	struct mk_checked checked = MK_CHECKED_NONE;
	int r;

	see(check, config->name, path);
	checked.nr_parts = mk_config_memory_parts(config, checked.parts);
	r = check_name(check, config->name, err);
	if (r == 0)
		r = check_cpus(check, config, &checked.cpus, err);
	if (r == 0)
		r = mk_check_memory(check, config, &checked, err);
	if (r == 0)
		r = mk_check_peers(check, config, path, &checked, err);
	if (r == 0)
		r = check_files(config, &checked, err);
	if (r == 0)
		r = make_cmdline(&check->info, config, &checked.cmdline, err);
	if (r == 0)
		r = promise(check, config, path, &checked, err);
	if (r < 0) {
		mk_checked_clear(&checked);
		mk_error_object(err, "%s", config->name);
		return r;
	}
	*ret = checked;
	return 0;
}

void mk_checked_clear(struct mk_checked *checked)
{
	free(checked->cpus);
	free(checked->cmdline);
	free(checked->share_parts);
	mk_cleanup_close(&checked->kernel_fd);
	mk_cleanup_close(&checked->initrd_fd);
	*checked = (struct mk_checked)MK_CHECKED_NONE;
}

int mk_check_cpus(struct mk_ctx *ctx, const unsigned int *cpus, size_t nr_cpus,
		  bool split, struct mk_error *err)
{
	struct mk_check check;
	int r;

	r = mk_check_begin(ctx, true, &check, err);
	if (r < 0)
		return r;
	r = mk_machine_check(&check.machine, cpus, nr_cpus, split, err);
	mk_check_end(&check);
	return r;
}
