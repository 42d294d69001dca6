// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Dumps of instances.
 *
 * 1. Hold it still (dump_hold.c), unless it has ended.
 * 2. Ask the kernel what it knows (DUMP): registers, where VMCOREINFO is, how
 *    its kernel is mapped. Check all of it (dump_elf.c, dump_info.c,
 *    dump_stacks.c, dump_memory.c): its kernel said so, and that may be mad.
 * 3. Write the head (dump_elf.c), then its memory, piece after piece
 *    (dump_sink.c).
 * 4. Let it go on; look whether it is still the same boot.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "dump_elf.h"
#include "dump_hold.h"
#include "dump_log.h"
#include "dump_sink.h"
#include "dump_stacks.h"

#define CHUNK	(1u << 20)	/* bytes */

/**
 * struct job - one dump
 */
struct job {
	struct mk_ctx *ctx;
	const struct mk_instance *inst;
	const struct mk_dump_options *options;
	struct mk_dump_result result;
	struct dump_hold hold;
	struct mk_range *ranges;
	struct dump_memory mem;
	struct dump_map map;
	struct dump_info info;
	struct dump_pieces mapped;
	struct dump_notes notes;
};

void mk_dump_result_clear(struct mk_dump_result *result)
{
	free(result->cpus);
	*result = (struct mk_dump_result){ 0 };
}

static int no_memory(struct mk_error *err)
{
	mk_error_set(err, MK_ERR_FAILED, NULL, "out of memory");
	return -ENOMEM;
}

static int check_cancel(const struct job *job, struct mk_error *err)
{
	if (!job->options->cancel || !*job->options->cancel)
		return 0;
	mk_error_set(err, MK_ERR_FAILED, job->inst->get.name, "interrupted");
	return -EINTR;
}

static int by_address(const void *a, const void *b)
{
	const struct mk_range *x = a, *y = b;

	return x->addr < y->addr ? -1 : x->addr > y->addr;
}

static int take_ranges(struct job *job, struct mk_error *err)
{
	size_t nr = job->inst->get.nr_ranges;
	size_t i;

	job->ranges = calloc(nr + 1, sizeof(*job->ranges));
	if (!job->ranges)
		return no_memory(err);
	if (nr)
		memcpy(job->ranges, job->inst->ranges,
		       nr * sizeof(*job->ranges));
	qsort(job->ranges, nr, sizeof(*job->ranges), by_address);
	job->mem.ranges = job->ranges;
	job->mem.nr_ranges = nr;
	for (i = 0; i < nr; i++)
		job->result.memory_bytes += job->ranges[i].bytes;
	return 0;
}

static int read_error(const struct job *job, int r, uint64_t addr,
		      struct mk_error *err)
{
	if (r == -ENOMEM)
		return no_memory(err);
	if (r == -ENODEV)
		mk_error_set(err, MK_ERR_NOT_FOUND, job->inst->get.name,
			     "it was removed meanwhile");
	else
		mk_error_set(err, MK_ERR_FAILED, job->inst->get.name,
			     "cannot read its memory at %#" PRIx64 ": %s",
			     addr, strerror(-r));
	return r;
}

/* What its kernel left for those who read its memory */
static int look_inside(struct job *job, const struct mk_dump_info *said,
		       struct mk_error *err)
{
	const struct mk_dump *dump = &said->dump;
	int r;

	r = dump_info_read(&job->mem, dump->vmcoreinfo,
			   dump->vmcoreinfo_bytes, &job->info);
	if (r == -ENODATA)
		r = 0;
	if (r < 0)
		return read_error(job, r, dump->vmcoreinfo, err);
	job->result.vmcoreinfo = job->info.note;
	dump_map_make(&job->mem, dump, &job->info, &job->map);
	r = dump_notes_make(said, &job->result, &job->notes);
	if (r < 0)
		return no_memory(err);
	r = dump_mapped_find(&job->mem, &job->map, &job->info, &job->result,
			     &job->mapped);
	if (r < 0)
		return read_error(job, r, job->map.table, err);
	job->result.mapped_complete = job->mapped.complete;
	return 0;
}

static int job_begin(struct job *job, struct mk_error *err)
{
	const uint32_t id = job->inst->get.id;
	struct mk_dump_info *said;
	int r;

	r = dump_hold_begin(job->ctx, job->inst, job->options, &job->hold,
			    err);
	if (r < 0)
		return r;
	job->result.frozen = job->hold.frozen;
	r = take_ranges(job, err);
	if (r == 0)
		r = mk_memory_open(job->ctx, id, &job->mem.fd, err);
	if (r < 0)
		return r;
	r = mk_dump_info_get(job->ctx, id, &said, err);
	if (r < 0)
		return r;
	r = look_inside(job, said, err);
	mk_dump_info_free(said);
	return r;
}

/* That it stays frozen is worse than anything that was said before. */
static int job_end(struct job *job, int r, struct mk_error *err)
{
	int thawed = dump_hold_end(&job->hold, &job->result.frozen_ns, err);

	if (job->mem.fd >= 0)
		close(job->mem.fd);
	free(job->ranges);
	free(job->notes.data);
	dump_info_clear(&job->info);
	dump_pieces_clear(&job->mapped);
	return thawed < 0 ? thawed : r;
}

static int write_error(int r, const struct job *job, struct mk_error *err)
{
	char size[MK_SIZE_TEXT_MAX];

	if (r == -EINTR)
		return check_cancel(job, err);
	mk_error_set(err, MK_ERR_FAILED, NULL, "cannot write: %s",
		     strerror(-r));
	if (r == -ENOSPC || r == -EFBIG || r == -EDQUOT)
		mk_error_hint(err, "it takes up to %s; --zstd makes it smaller",
			      mk_size_format(job->result.memory_bytes, size));
	return r;
}

static int write_head(struct job *job, struct dump_sink *sink,
		      struct mk_error *err)
{
	mk_autofree unsigned char *head = NULL;
	size_t bytes;
	int r;

	r = dump_elf_make(&job->mem, &job->map, &job->mapped, &job->notes,
			  &job->info, &head, &bytes);
	if (r < 0)
		return no_memory(err);
	r = dump_sink_write(sink, head, bytes);
	return r < 0 ? write_error(r, job, err) : 0;
}

static int write_range(struct job *job, const struct mk_range *range,
		       uint64_t done, char *buf, struct dump_sink *sink,
		       struct mk_error *err)
{
	const struct mk_dump_options *options = job->options;
	uint64_t at;
	size_t n;
	int r;

	for (at = 0; at < range->bytes; at += n) {
		r = check_cancel(job, err);
		if (r < 0)
			return r;
		n = range->bytes - at < CHUNK ? (size_t)(range->bytes - at) :
						CHUNK;
		r = dump_read(&job->mem, range->addr + at, buf, n);
		if (r < 0)
			return read_error(job, r, range->addr + at, err);
		r = dump_sink_write(sink, buf, n);
		if (r < 0)
			return write_error(r, job, err);
		if (options->progress)
			options->progress(options->progress_arg, done + at + n,
					  job->result.memory_bytes);
	}
	return 0;
}

static int write_memory(struct job *job, struct dump_sink *sink,
			struct mk_error *err)
{
	mk_autofree char *buf = malloc(CHUNK);
	uint64_t done = 0;
	size_t i;
	int r = 0;

	if (!buf)
		return no_memory(err);
	for (i = 0; i < job->mem.nr_ranges && r == 0; i++) {
		r = write_range(job, &job->ranges[i], done, buf, sink, err);
		done += job->ranges[i].bytes;
	}
	return r;
}

/* Its memory is scrubbed by a start: then this is a dump of two boots. */
static int check_same_boot(const struct job *job, struct mk_error *err)
{
	const struct mk_get *then = &job->inst->get;
	struct mk_instance *now;
	bool same;
	int r;

	r = mk_instance_get(job->ctx, then->id, &now, err);
	if (r < 0)
		return r;
	same = now->get.created_ns == then->created_ns &&
	       now->get.epoch == then->epoch;
	mk_instance_free(now);
	if (same)
		return 0;
	mk_error_set(err, MK_ERR_BUSY, then->name,
		     "it was started again meanwhile, its memory is another");
	return -ESTALE;
}

/* It need not wait for the disk. */
static int let_go(struct job *job, struct mk_error *err)
{
	int r = check_same_boot(job, err);

	return r < 0 ? r : dump_hold_end(&job->hold, &job->result.frozen_ns,
					 err);
}

static int job_write(struct job *job, int fd, struct mk_error *err)
{
	struct dump_sink sink;
	int r;

	r = dump_sink_open(fd, job->options->zstd, &sink);
	if (r < 0)
		return write_error(r, job, err);
	sink.cancel = job->options->cancel;
	r = write_head(job, &sink, err);
	if (r == 0)
		r = write_memory(job, &sink, err);
	if (r == 0)
		r = let_go(job, err);
	if (r == 0) {
		r = dump_sink_finish(&sink);
		if (r < 0)
			write_error(r, job, err);
	}
	job->result.file_bytes = sink.zstd ? sink.data_bytes : sink.bytes;
	job->result.data_bytes = sink.data_bytes;
	job->result.hole_bytes = sink.hole_bytes;
	dump_sink_close(&sink);
	return r;
}

static struct job new_job(struct mk_ctx *ctx, const struct mk_instance *inst,
			  const struct mk_dump_options *options)
{
	return (struct job){
		.ctx = ctx,
		.inst = inst,
		.options = options,
		.hold = DUMP_HOLD_NONE,
		.mem = { .fd = -1 },
	};
}

int mk_dump_fd(struct mk_ctx *ctx, const struct mk_instance *inst, int fd,
	       const struct mk_dump_options *options,
	       struct mk_dump_result *ret_result, struct mk_error *err)
{
	struct job job = new_job(ctx, inst, options);
	uint64_t begin_ns = mk_now_ns();
	int r;

	r = job_begin(&job, err);
	if (r < 0)
		mk_error_object(err, "%s", inst->get.name);
	else
		r = job_write(&job, fd, err);
	r = job_end(&job, r, err);
	job.result.total_ns = mk_now_ns() - begin_ns;
	if (r == 0)
		*ret_result = job.result;
	else
		mk_dump_result_clear(&job.result);
	return r;
}

static int log_error(const struct job *job, int r, struct mk_error *err)
{
	const char *name = job->inst->get.name;

	if (r == -ENODATA)
		mk_error_set(err, MK_ERR_FAILED, name,
			     "nothing in its memory says where its log is");
	else if (r == -EFAULT)
		mk_error_set(err, MK_ERR_FAILED, name,
			     "its log was overwritten: what leads to it cannot be");
	else if (r < 0)
		return read_error(job, r, job->map.text_phys, err);
	if (r < 0)
		mk_error_hint(err, "'mkctl logs %s' has what it said to the host",
			      name);
	return r;
}

/**
 * struct log_call - between dump_log_each() and the caller's function
 * @r: what that gave, which is its own affair
 */
struct log_call {
	int (*fn)(void *arg, const struct mk_dump_line *line);
	void *arg;
	int r;
};

static int pass_line(void *arg, const struct mk_dump_line *line)
{
	struct log_call *call = arg;

	call->r = call->fn(call->arg, line);
	return call->r ? 1 : 0;
}

int mk_dump_log(struct mk_ctx *ctx, const struct mk_instance *inst,
		const struct mk_dump_options *options,
		int (*fn)(void *arg, const struct mk_dump_line *line),
		void *arg, struct mk_error *err)
{
	struct job job = new_job(ctx, inst, options);
	struct log_call call = { .fn = fn, .arg = arg };
	int r;

	r = job_begin(&job, err);
	if (r < 0) {
		mk_error_object(err, "%s", inst->get.name);
	} else {
		r = dump_log_each(&job.mem, &job.map, &job.info, pass_line,
				  &call);
		r = r < 0 ? log_error(&job, r, err) : call.r;
	}
	r = job_end(&job, r, err);
	mk_dump_result_clear(&job.result);
	return r;
}
