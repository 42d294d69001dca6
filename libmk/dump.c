// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * What a dump of an instance is made of: what the kernel knows of it, and its
 * memory. Also freezing it meanwhile.
 */
#include "internal.h"

void mk_dump_info_free(struct mk_dump_info *info)
{
	if (!info)
		return;
	free(info->notes);
	free(info);
}

int mk_dump_info_get(struct mk_ctx *ctx, uint32_t id,
		     struct mk_dump_info **ret_info, struct mk_error *err)
{
	struct mk_dump_info *info = calloc(1, sizeof(*info));
	struct mk_dump *dump;
	int r;

	if (!info)
		return mk_no_memory(err);
	info->notes = calloc(MK_MAX_CPUS, MK_DUMP_NOTE_BYTES);
	if (!info->notes) {
		mk_dump_info_free(info);
		return mk_no_memory(err);
	}
	dump = &info->dump;
	dump->size = sizeof(*dump);
	dump->id = id;
	dump->nr_notes = MK_MAX_CPUS;
	dump->notes = (uintptr_t)info->notes;
	r = mk_ctx_ioctl(ctx, MK_IOC_DUMP, dump, &dump->refusal, NULL, err);
	if (r < 0) {
		mk_dump_info_free(info);
		return r;
	}
	if (dump->nr_notes > MK_MAX_CPUS)
		dump->nr_notes = MK_MAX_CPUS;
	*ret_info = info;
	return 0;
}

int mk_memory_open(struct mk_ctx *ctx, uint32_t id, int *ret_fd,
		   struct mk_error *err)
{
	return mk_ctx_open_kind(ctx, id, MK_OPEN_MEMORY, ret_fd, err);
}

/* A read ends where a piece does, and the next piece may follow there. */
int mk_memory_read(int fd, uint64_t addr, void *buf, size_t bytes)
{
	char *to = buf;
	ssize_t n;

	while (bytes) {
		n = pread(fd, to, bytes, (off_t)addr);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			return -ENXIO;
		to += n;
		addr += (uint64_t)n;
		bytes -= (size_t)n;
	}
	return 0;
}
