// SPDX-License-Identifier: GPL-2.0-only
/*
 * Unit tests of spawn/dump.c and its head, sink, file and hold: dumps of a
 * pretended instance.
 */
#include <elf.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/procfs.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <cmocka.h>
#include <zstd.h>

#include "dump_elf.h"
#include "dump_hold.h"
#include "dump_sink.h"
#include "fake_dump.h"

static char folder[] = "/tmp/test_dump.XXXXXX";
static char path[64], partial[80];

/* The instance "web" in this state, with 32 MiB */
static struct mk_instance *web(struct mk_ctx *ctx, uint32_t state)
{
	struct fake_instance *inst = &fake->instances[1];
	struct mk_instance *seen;

	*inst = (struct fake_instance){
		.used = true,
		.get = {
			.id = 1,
			.name = "web",
			.state = state,
			.epoch = state > MK_STATE_LOADED,
			.created_ns = 5,
			.memory_bytes = FAKE_MEM_BYTES,
			.nr_ranges = 1,
		},
	};
	assert_int_equal(mk_instance_find(ctx, "web", &seen, NULL), 0);
	return seen;
}

static int setup(void **state)
{
	unlink(path);
	unlink(partial);
	return fake_setup(state);
}

static void *read_file(size_t *ret_bytes)
{
	struct stat st;
	int fd = open(path, O_RDONLY);
	char *data;

	assert_true(fd >= 0);
	assert_int_equal(fstat(fd, &st), 0);
	data = malloc((size_t)st.st_size);
	assert_non_null(data);
	assert_int_equal(read(fd, data, (size_t)st.st_size), st.st_size);
	close(fd);
	*ret_bytes = (size_t)st.st_size;
	return data;
}

static void assert_no_files(void)
{
	assert_int_equal(access(path, F_OK), -1);
	assert_int_equal(access(partial, F_OK), -1);
}

/* --- the file -------------------------------------------------------------- */

static const Elf64_Phdr *phdr_at(const unsigned char *file, size_t i)
{
	const Elf64_Ehdr *ehdr = (const void *)file;

	assert_true(i < ehdr->e_phnum);
	return (const Elf64_Phdr *)(file + ehdr->e_phoff) + i;
}

static void check_load(const unsigned char *file, size_t i, uint64_t vaddr,
		       uint64_t paddr, uint64_t bytes, const char *text)
{
	const Elf64_Phdr *phdr = phdr_at(file, i);

	assert_int_equal(phdr->p_type, PT_LOAD);
	assert_int_equal(phdr->p_vaddr, vaddr);
	assert_int_equal(phdr->p_paddr, paddr);
	assert_int_equal(phdr->p_filesz, bytes);
	assert_int_equal(phdr->p_memsz, bytes);
	assert_int_equal(phdr->p_offset % phdr->p_align, 0);
	assert_memory_equal(file + phdr->p_offset, text, strlen(text));
}

static void check_core_note(const unsigned char *note, int pid)
{
	struct elf_prstatus status;

	memcpy(&status, note + sizeof(Elf64_Nhdr) + 8, sizeof(status));
	assert_int_equal(status.pr_pid, pid);
}

static void check_notes(const unsigned char *file)
{
	const size_t core = sizeof(Elf64_Nhdr) + 8 + sizeof(struct elf_prstatus);
	const Elf64_Phdr *phdr = phdr_at(file, 0);
	const unsigned char *notes = file + phdr->p_offset;
	const Elf64_Nhdr *info;

	assert_int_equal(phdr->p_type, PT_NOTE);
	check_core_note(notes, 1);
	check_core_note(notes + core, 3);
	info = (const void *)(notes + 2 * core);
	assert_int_equal(info->n_descsz, strlen(fake_vmcoreinfo()));
	assert_string_equal((const char *)(info + 1), "VMCOREINFO");
	assert_memory_equal((const char *)(info + 1) + 12, fake_vmcoreinfo(),
			    info->n_descsz);
	assert_int_equal(phdr->p_filesz, 2 * core + sizeof(*info) + 12 +
					 (info->n_descsz + 3) / 4 * 4);
}

static void check_file(size_t bytes, const unsigned char *file)
{
	const Elf64_Ehdr *ehdr = (const void *)file;

	assert_memory_equal(ehdr->e_ident, ELFMAG, SELFMAG);
	assert_int_equal(ehdr->e_type, ET_CORE);
	assert_int_equal(ehdr->e_machine, EM_X86_64);
	assert_int_equal(ehdr->e_phnum, 7);
	check_notes(file);
	check_load(file, 1, FAKE_TEXT, FAKE_TEXT_PHYS, FAKE_TEXT_BYTES,
		   "this is the text");
	check_load(file, 2, FAKE_OFFSET + FAKE_MEM, FAKE_MEM, FAKE_MEM_BYTES,
		   "");
	assert_memory_equal(file + phdr_at(file, 2)->p_offset +
			    (FAKE_TEXT_PHYS - FAKE_MEM), "this is the text", 16);
	check_load(file, 6, FAKE_STACK + 0x3000, UINT64_MAX, 0x1000,
		   "top of the stack");
	assert_int_equal(bytes, phdr_at(file, 2)->p_offset + FAKE_MEM_BYTES);
}

static void check_result(const struct mk_dump_result *result)
{
	assert_true(result->vmcoreinfo);
	assert_true(result->mapped_complete);
	assert_int_equal(result->memory_bytes, FAKE_MEM_BYTES);
	assert_int_equal(result->nr_cpus, 3);
	assert_int_equal(result->nr_saved, 2);
	assert_true(result->cpus[0].saved);
	assert_int_equal(result->cpus[0].rip, FAKE_TEXT + 0x100);
	assert_int_equal(result->cpus[0].rsp, FAKE_STACK + 0x3f00);
	assert_false(result->cpus[1].saved);
	assert_int_equal(result->cpus[2].pid, 77);
}

static void test_file(void **state)
{
	struct mk_instance *inst = web(*state, MK_STATE_PANICKED);
	const struct mk_dump_options options = { 0 };
	struct mk_dump_result result;
	struct stat st;
	size_t bytes;
	void *file;

	assert_int_equal(mk_dump_file(*state, inst, path, &options, &result,
				      NULL), 0);
	check_result(&result);
	assert_false(result.frozen);
	file = read_file(&bytes);
	check_file(bytes, file);
	assert_int_equal(result.file_bytes, bytes);
	assert_int_equal(result.data_bytes + result.hole_bytes, bytes);
	assert_true(result.data_bytes < 128 << 10);
	/* Sparse, and nobody else's business */
	assert_int_equal(stat(path, &st), 0);
	assert_true(st.st_blocks * 512 <= 256 << 10);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_equal(access(partial, F_OK), -1);
	assert_string_equal(fake->journal, "dump");
	mk_dump_result_clear(&result);
	mk_instance_free(inst);
	free(file);
}

static void test_zstd(void **state)
{
	struct mk_instance *inst = web(*state, MK_STATE_KILLED);
	const struct mk_dump_options options = { .zstd = true };
	struct mk_dump_result result;
	size_t bytes, packed_bytes;
	void *packed, *file;

	assert_int_equal(mk_dump_file(*state, inst, path, &options, &result,
				      NULL), 0);
	packed = read_file(&packed_bytes);
	assert_int_equal(result.file_bytes, packed_bytes);
	assert_int_equal(result.hole_bytes, 0);
	file = malloc(2 * FAKE_MEM_BYTES);
	bytes = ZSTD_decompress(file, 2 * FAKE_MEM_BYTES, packed, packed_bytes);
	assert_false(ZSTD_isError(bytes));
	check_file(bytes, file);
	mk_dump_result_clear(&result);
	mk_instance_free(inst);
	free(packed);
	free(file);
}

static void fails(void **state, struct mk_instance *inst,
		  const struct mk_dump_options *options, int error,
		  const char *message)
{
	struct mk_dump_result result;
	struct mk_error err = MK_ERROR_INIT;

	assert_int_equal(mk_dump_file(*state, inst, path, options, &result,
				      &err), error);
	assert_non_null(strstr(err.message, message));
	assert_true(err.object[0]);
	assert_int_equal(access(partial, F_OK), -1);
}

static void test_exists(void **state)
{
	struct mk_instance *inst = web(*state, MK_STATE_PANICKED);
	struct mk_dump_options options = { 0 };
	struct mk_dump_result result;
	struct stat st;
	int fd;

	fd = open(path, O_CREAT | O_WRONLY, 0644);
	assert_int_equal(write(fd, "mine", 4), 4);
	close(fd);
	fails(state, inst, &options, -EEXIST, "it exists");
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_size, 4);
	assert_string_equal(fake->journal, "");
	options.force = true;
	assert_int_equal(mk_dump_file(*state, inst, path, &options, &result,
				      NULL), 0);
	assert_int_equal(stat(path, &st), 0);
	assert_true(st.st_size > 4);
	mk_dump_result_clear(&result);
	unlink(path);
	assert_int_equal(mkfifo(path, 0600), 0);
	fails(state, inst, &options, -EINVAL, "it is no file");
	mk_instance_free(inst);
}

/* What a killed mkctl left is taken away; what one writes at is not. */
static void test_partial(void **state)
{
	struct mk_instance *inst = web(*state, MK_STATE_PANICKED);
	const struct mk_dump_options options = { 0 };
	struct mk_dump_result result;
	struct mk_error err = MK_ERROR_INIT;
	struct stat st;
	char away[] = "/nowhere/at/all";

	close(open(partial, O_CREAT | O_WRONLY, 0666));
	assert_int_equal(mk_dump_file(*state, inst, path, &options, &result,
				      NULL), 0);
	mk_dump_result_clear(&result);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	unlink(path);
	/* A link is not followed, wherever it leads. */
	assert_int_equal(symlink(path, partial), 0);
	assert_int_equal(mk_dump_file(*state, inst, path, &options, &result,
				      &err), -ELOOP);
	assert_int_equal(unlink(partial), 0);
	assert_int_equal(mk_dump_file(*state, inst, away, &options, &result,
				      &err), -ENOENT);
	assert_non_null(strstr(err.message, "cannot create"));
	mk_instance_free(inst);
}

static void test_disk_full(void **state)
{
	struct mk_instance *inst = web(*state, MK_STATE_PANICKED);
	const struct mk_dump_options options = { 0 };
	struct mk_dump_result result;
	struct mk_error err = MK_ERROR_INIT;
	int fd = open("/dev/full", O_WRONLY);

	assert_int_equal(mk_dump_fd(*state, inst, fd, &options, &result, &err),
			 -ENOSPC);
	assert_non_null(strstr(err.message, "No space left"));
	assert_non_null(strstr(err.hint, "32M"));
	close(fd);
	mk_instance_free(inst);
}

static void test_never_started(void **state)
{
	struct mk_instance *inst = web(*state, MK_STATE_LOADED);
	const struct mk_dump_options options = { 0 };

	fails(state, inst, &options, -ENODATA, "no kernel has run");
	assert_no_files();
	mk_instance_free(inst);
}

static void restart(void *arg, uint64_t done_bytes, uint64_t all_bytes)
{
	(void)arg;
	if (done_bytes == all_bytes)
		fake->instances[1].get.epoch++;
}

static void test_started_meanwhile(void **state)
{
	struct mk_instance *inst = web(*state, MK_STATE_PANICKED);
	const struct mk_dump_options options = { .progress = restart };

	fails(state, inst, &options, -ESTALE, "started again meanwhile");
	assert_no_files();
	mk_instance_free(inst);
}

/* --- one that runs ---------------------------------------------------------- */

static void test_freeze(void **state)
{
	struct mk_instance *inst = web(*state, MK_STATE_RUNNING);
	struct mk_dump_options options = { 0 };
	struct mk_dump_result result;

	assert_int_equal(mk_dump_file(*state, inst, path, &options, &result,
				      NULL), 0);
	assert_true(result.frozen);
	assert_true(result.frozen_ns && result.frozen_ns <= result.total_ns);
	assert_string_equal(fake->journal, "freeze dump thaw");
	assert_int_equal(fake->instances[1].get.state, MK_STATE_RUNNING);
	mk_dump_result_clear(&result);
	fake->journal[0] = '\0';
	options.live = options.force = true;
	assert_int_equal(mk_dump_file(*state, inst, path, &options, &result,
				      NULL), 0);
	assert_false(result.frozen);
	assert_string_equal(fake->journal, "dump");
	mk_dump_result_clear(&result);
	mk_instance_free(inst);
}

/* Whoever froze it has his reasons. */
static void test_frozen_before(void **state)
{
	struct mk_instance *inst = web(*state, MK_STATE_FROZEN);
	const struct mk_dump_options options = { 0 };
	struct mk_dump_result result;

	assert_int_equal(mk_dump_file(*state, inst, path, &options, &result,
				      NULL), 0);
	assert_string_equal(fake->journal, "dump");
	assert_int_equal(fake->instances[1].get.state, MK_STATE_FROZEN);
	mk_dump_result_clear(&result);
	mk_instance_free(inst);
}

static volatile sig_atomic_t cancelled;

static void cancel(void *arg, uint64_t done_bytes, uint64_t all_bytes)
{
	(void)arg;
	cancelled = done_bytes < all_bytes;
}

static void test_cancel(void **state)
{
	struct mk_instance *inst = web(*state, MK_STATE_RUNNING);
	const struct mk_dump_options options = {
		.cancel = &cancelled,
		.progress = cancel,
	};

	fails(state, inst, &options, -EINTR, "interrupted");
	cancelled = 0;
	assert_no_files();
	assert_string_equal(fake->journal, "freeze dump thaw");
	mk_instance_free(inst);
}

static void test_failure_thaws(void **state)
{
	struct mk_instance *inst = web(*state, MK_STATE_RUNNING);
	const struct mk_dump_options options = { 0 };

	strcpy(fake->refuse, "dump");
	fake->refuse_reason = MK_REASON_NOTHING_TO_DUMP;
	fails(state, inst, &options, -EIO, "no kernel has run");
	assert_string_equal(fake->journal, "freeze dump thaw");
	assert_no_files();
	mk_instance_free(inst);
}

static void test_thaw_fails(void **state)
{
	struct mk_instance *inst = web(*state, MK_STATE_RUNNING);
	const struct mk_dump_options options = { 0 };
	struct mk_dump_result result;
	struct mk_error err = MK_ERROR_INIT;

	strcpy(fake->refuse, "thaw");
	fake->refuse_reason = MK_REASON_BUSY;
	assert_int_equal(mk_dump_file(*state, inst, path, &options, &result,
				      &err), -EIO);
	assert_int_equal(err.code, MK_ERR_UNDO);
	assert_non_null(strstr(err.hint, "mkctl thaw web"));
	mk_instance_free(inst);
}

static void remember_note(void *arg, const char *text)
{
	snprintf(arg, 128, "%s", text);
}

static void test_freeze_refused(void **state)
{
	struct mk_instance *inst = web(*state, MK_STATE_RUNNING);
	char text[128] = "";
	struct mk_dump_options options = {
		.note = remember_note,
		.note_arg = text,
	};
	struct mk_dump_result result;

	strcpy(fake->refuse, "freeze");
	fake->refuse_reason = MK_REASON_CPU_NO_ANSWER;
	fails(state, inst, &options, -EIO, "CPU 1 does not answer");
	assert_string_equal(fake->journal, "freeze");
	mk_instance_free(inst);
	/* One that hangs is dumped all the same, and it is said. */
	inst = web(*state, MK_STATE_UNRESPONSIVE);
	assert_int_equal(mk_dump_file(*state, inst, path, &options, &result,
				      NULL), 0);
	assert_non_null(strstr(text, "not frozen (CPU 1 does not answer)"));
	mk_dump_result_clear(&result);
	mk_instance_free(inst);
}

/* So that processes share it, as they share a kernel */
static struct fake_kernel *share_fake(void)
{
	struct fake_kernel *own = fake;

	fake = mmap(NULL, sizeof(*fake), PROT_READ | PROT_WRITE,
		    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	assert_ptr_not_equal(fake, MAP_FAILED);
	*fake = *own;
	return own;
}

/* kill -9 in between: somebody is left who thaws. */
static void test_guard(void **state)
{
	struct fake_kernel *own = share_fake();
	struct mk_instance *inst = web(*state, MK_STATE_RUNNING);
	const struct mk_dump_options options = { 0 };
	struct dump_hold hold;
	int fds[2];
	char byte;
	pid_t pid;

	assert_int_equal(pipe(fds), 0);
	pid = fork();
	if (pid == 0) {
		if (dump_hold_begin(*state, inst, &options, &hold, NULL) < 0)
			_exit(1);
		kill(getpid(), SIGKILL);
	}
	close(fds[1]);
	waitpid(pid, NULL, 0);
	/* The guard has the pipe's other end as long as it lives. */
	assert_int_equal(read(fds[0], &byte, 1), 0);
	close(fds[0]);
	assert_int_equal(fake->instances[1].get.state, MK_STATE_RUNNING);
	assert_string_equal(fake->journal, "freeze thaw");
	mk_instance_free(inst);
	munmap(fake, sizeof(*fake));
	fake = own;
}

/* --- parts ------------------------------------------------------------------ */

static void test_bad_notes(void **state)
{
	unsigned char notes[6 * MK_DUMP_NOTE_BYTES] = { 0 };
	const struct mk_dump_info said = {
		.dump = { .nr_notes = 6 },
		.notes = notes,
	};
	struct mk_dump_result result = { 0 };
	struct dump_notes made;
	Elf64_Nhdr *head;
	size_t i;

	(void)state;
	for (i = 1; i < 6; i++)
		fake_note(notes + i * MK_DUMP_NOTE_BYTES, 7, 1, 2);
	head = (Elf64_Nhdr *)(notes + 1 * MK_DUMP_NOTE_BYTES);
	head->n_descsz = 0xfffffff0;
	head = (Elf64_Nhdr *)(notes + 2 * MK_DUMP_NOTE_BYTES);
	head->n_namesz = 4;
	head = (Elf64_Nhdr *)(notes + 3 * MK_DUMP_NOTE_BYTES);
	head->n_type = NT_PRPSINFO;
	notes[4 * MK_DUMP_NOTE_BYTES + 12] = 'X';
	assert_int_equal(dump_notes_make(&said, &result, &made), 0);
	assert_int_equal(result.nr_cpus, 6);
	assert_int_equal(result.nr_saved, 1);
	assert_true(result.cpus[5].saved);
	assert_int_equal(made.bytes, 20 + sizeof(struct elf_prstatus));
	free(made.data);
	mk_dump_result_clear(&result);
}

/* A file that is not empty: no holes, or old bytes would shine through. */
static void test_sink(void **state)
{
	static const char zeros[8192];
	struct dump_sink sink;
	struct stat st;
	int fd;

	(void)state;
	fd = open(path, O_CREAT | O_RDWR, 0600);
	assert_int_equal(dump_sink_open(fd, false, &sink), 0);
	assert_true(sink.holes);
	assert_int_equal(dump_sink_write(&sink, "a", 1), 0);
	assert_int_equal(dump_sink_write(&sink, zeros, sizeof(zeros)), 0);
	assert_int_equal(dump_sink_finish(&sink), 0);
	dump_sink_close(&sink);
	assert_int_equal(fstat(fd, &st), 0);
	assert_int_equal(st.st_size, 8193);
	assert_int_equal(sink.hole_bytes, 8192);
	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	assert_int_equal(dump_sink_open(fd, false, &sink), 0);
	assert_false(sink.holes);
	dump_sink_close(&sink);
	close(fd);
}

static int count_lines(void *arg, const struct mk_dump_line *line)
{
	(void)line;
	return ++*(int *)arg == 3 ? 9 : 0;
}

static void test_log(void **state)
{
	struct mk_instance *inst = web(*state, MK_STATE_RUNNING);
	const struct mk_dump_options options = { 0 };
	int lines = 0;

	/* What the function gives is handed on; it is thawed nevertheless. */
	assert_int_equal(mk_dump_log(*state, inst, &options, count_lines,
				     &lines, NULL), 9);
	assert_int_equal(lines, 3);
	assert_string_equal(fake->journal, "freeze dump thaw");
	mk_instance_free(inst);
}

#define TEST(name)	cmocka_unit_test_setup_teardown(name, setup, fake_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_file), TEST(test_zstd), TEST(test_exists),
		TEST(test_partial), TEST(test_disk_full),
		TEST(test_never_started), TEST(test_started_meanwhile),
		TEST(test_freeze), TEST(test_frozen_before), TEST(test_cancel),
		TEST(test_failure_thaws), TEST(test_thaw_fails),
		TEST(test_freeze_refused), TEST(test_guard),
		TEST(test_bad_notes), TEST(test_sink), TEST(test_log),
	};
	int r;

	if (!mkdtemp(folder))
		return 1;
	snprintf(path, sizeof(path), "%s/core", folder);
	snprintf(partial, sizeof(partial), "%s.partial", path);
	r = cmocka_run_group_tests_name("dump", tests, NULL, NULL);
	unlink(path);
	unlink(partial);
	rmdir(folder);
	return r;
}
