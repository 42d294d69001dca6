/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * libmk: mechanism over /dev/multikernel. One wrapper per ioctl, the names of
 * the ABI's numbers, and the text of every refusal.
 *
 * It runs on the host and inside an instance, never prints and never exits.
 * Functions return 0 or -errno and fill @err (which may be NULL); see
 * mk/error.h. What a ret_ parameter receives belongs to the caller.
 */
#ifndef MK_LIBMK_H
#define MK_LIBMK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include <linux/multikernel.h>

#include <mk/error.h>
#include <mk/util.h>

/*
 * Context: everything is reached through it.
 */

struct mk_ctx;

/**
 * mk_ctx_new() - make a context
 * @root: folder in front of /dev, /proc, /sys and /run, so that tests can
 *	point it at a recorded tree; NULL or "" for the real ones
 *
 * Opens only @root. The device is opened when it is first needed.
 */
int mk_ctx_new(const char *root, struct mk_ctx **ret_ctx,
	       struct mk_error *err) MK_MUST_CHECK;
void mk_ctx_free(struct mk_ctx *ctx);

/** mk_ctx_dirfd() - descriptor of the root; the context keeps it */
int mk_ctx_dirfd(const struct mk_ctx *ctx);

/** mk_ctx_device() - open the device unless it is open; -errno and @err */
int mk_ctx_device(struct mk_ctx *ctx, struct mk_error *err) MK_MUST_CHECK;

/** mk_ctx_relative() - a path below the root for the *at() calls */
const char *mk_ctx_relative(const char *path);

/** mk_ctx_open() - open an absolute path below the root, close-on-exec */
int mk_ctx_open(const struct mk_ctx *ctx, const char *path, int flags,
		mode_t mode) MK_MUST_CHECK;

/**
 * mk_ctx_read_text() - read a small file (sysfs, procfs)
 *
 * At most @limit bytes; without the newline at the end; NUL-terminated.
 */
int mk_ctx_read_text(const struct mk_ctx *ctx, const char *path,
		     size_t limit, char **ret_text) MK_MUST_CHECK;

/*
 * This kernel and this machine.
 */

/** mk_info_get() - MK_IOC_INFO */
int mk_info_get(struct mk_ctx *ctx, struct mk_info *ret_info,
		struct mk_error *err) MK_MUST_CHECK;

/** mk_info_get_host() - as above; refused unless it is a host with a pool */
int mk_info_get_host(struct mk_ctx *ctx, struct mk_info *ret_info,
		     struct mk_error *err) MK_MUST_CHECK;

/**
 * struct mk_pool_pieces - the pool as one look saw it
 * @ranges: all of it, by address; no piece spans two nodes
 * @free: what of it is free
 */
struct mk_pool_pieces {
	struct mk_range *ranges;
	size_t nr_ranges;
	struct mk_range *free;
	size_t nr_free;
};

/** mk_pool_get() - MK_IOC_POOL; to be cleared by mk_pool_clear() */
int mk_pool_get(struct mk_ctx *ctx, struct mk_pool_pieces *ret_pool,
		struct mk_error *err) MK_MUST_CHECK;
void mk_pool_clear(struct mk_pool_pieces *pool);

/** mk_notify_ready() - MK_IOC_NOTIFY: inside an instance, user space is up */
int mk_notify_ready(struct mk_ctx *ctx, struct mk_error *err) MK_MUST_CHECK;

/*
 * Instances.
 */

/**
 * struct mk_instance - one look at one instance
 * @get: what MK_IOC_GET said; nr_cpus and nr_ranges count the arrays
 * @cpus: in the order of the instance
 * @ranges: its memory
 */
struct mk_instance {
	struct mk_get get;
	struct mk_cpu *cpus;
	struct mk_range *ranges;
};

void mk_instance_free(struct mk_instance *inst);

/** mk_instance_get() - MK_IOC_GET by id */
int mk_instance_get(struct mk_ctx *ctx, uint32_t id,
		    struct mk_instance **ret_inst,
		    struct mk_error *err) MK_MUST_CHECK;
/** mk_instance_find() - MK_IOC_GET by name; -ENOENT when there is none */
int mk_instance_find(struct mk_ctx *ctx, const char *name,
		     struct mk_instance **ret_inst,
		     struct mk_error *err) MK_MUST_CHECK;

struct mk_instance_list {
	struct mk_instance **items;
	size_t nr_items;
};

/** mk_instance_list_get() - all instances by ascending id */
int mk_instance_list_get(struct mk_ctx *ctx, struct mk_instance_list *ret_list,
			 struct mk_error *err) MK_MUST_CHECK;
void mk_instance_list_clear(struct mk_instance_list *list);

/** mk_instance_create() - MK_IOC_CREATE */
int mk_instance_create(struct mk_ctx *ctx, const char *name, uint32_t *ret_id,
		       struct mk_error *err) MK_MUST_CHECK;
/** mk_instance_destroy() - MK_IOC_DESTROY */
int mk_instance_destroy(struct mk_ctx *ctx, uint32_t id,
			struct mk_error *err) MK_MUST_CHECK;
/**
 * mk_instance_set_cpus() - MK_IOC_SET_CPUS; @nr_cpus 0 gives all back
 * @flags: MK_CPUS_SPLIT_CORES
 */
int mk_instance_set_cpus(struct mk_ctx *ctx, uint32_t id,
			 const unsigned int *cpus, size_t nr_cpus,
			 uint32_t flags, struct mk_error *err) MK_MUST_CHECK;
/** mk_instance_set_memory() - MK_IOC_SET_MEMORY; @nr_parts 0 takes back */
int mk_instance_set_memory(struct mk_ctx *ctx, uint32_t id,
			   const struct mk_memory_part *parts,
			   size_t nr_parts,
			   struct mk_error *err) MK_MUST_CHECK;
/**
 * mk_instance_load() - kexec_file_load(2) for an instance
 * @initrd_fd: -1 for none
 *
 * When it fails, the kernel's own reason is fetched and put into @err.
 */
int mk_instance_load(struct mk_ctx *ctx, uint32_t id, int kernel_fd,
		     int initrd_fd, const char *cmdline,
		     struct mk_error *err) MK_MUST_CHECK;
/** mk_instance_start() - MK_IOC_START; returns in state starting */
int mk_instance_start(struct mk_ctx *ctx, uint32_t id, const void *dtb,
		      size_t dtb_bytes, uint32_t *ret_epoch,
		      struct mk_error *err) MK_MUST_CHECK;
/** mk_instance_stop() - MK_IOC_STOP; asks and returns */
int mk_instance_stop(struct mk_ctx *ctx, uint32_t id,
		     struct mk_error *err) MK_MUST_CHECK;
/** mk_instance_kill() - MK_IOC_KILL; returns when the CPUs are back */
int mk_instance_kill(struct mk_ctx *ctx, uint32_t id, enum mk_cause cause,
		     struct mk_error *err) MK_MUST_CHECK;

/**
 * mk_instance_set_watchdog() - MK_IOC_SET_WATCHDOG
 * @timeout_ms: MK_WATCHDOG_MIN to MK_WATCHDOG_MAX, or 0 to switch it off
 */
int mk_instance_set_watchdog(struct mk_ctx *ctx, uint32_t id,
			     unsigned int timeout_ms,
			     struct mk_error *err) MK_MUST_CHECK;
/**
 * mk_instance_freeze() - MK_IOC_FREEZE: its CPUs store their registers and wait
 *
 * -EBUSY it does not run, -EOPNOTSUPP its kernel cannot, -ETIMEDOUT a CPU does
 * not answer; then nothing is frozen.
 */
int mk_instance_freeze(struct mk_ctx *ctx, uint32_t id,
		       struct mk_error *err) MK_MUST_CHECK;
/** mk_instance_thaw() - MK_IOC_THAW */
int mk_instance_thaw(struct mk_ctx *ctx, uint32_t id,
		     struct mk_error *err) MK_MUST_CHECK;

/** mk_instance_set_channels() - MK_IOC_SET_CHANNELS; replaces what was set */
int mk_instance_set_channels(struct mk_ctx *ctx, uint32_t id,
			     const char *const *peers, size_t nr_peers,
			     struct mk_error *err) MK_MUST_CHECK;

/*
 * Memory of an instance, to be dumped.
 */

/**
 * struct mk_dump_info - what MK_IOC_DUMP said
 * @dump: nr_notes counts the notes
 * @notes: MK_DUMP_NOTE_BYTES for each CPU, written by the instance: not checked
 */
struct mk_dump_info {
	struct mk_dump dump;
	unsigned char *notes;
};

/** mk_dump_info_get() - MK_IOC_DUMP; -ENODATA when no kernel ran in it yet */
int mk_dump_info_get(struct mk_ctx *ctx, uint32_t id,
		     struct mk_dump_info **ret_info,
		     struct mk_error *err) MK_MUST_CHECK;
void mk_dump_info_free(struct mk_dump_info *info);
/** mk_memory_open() - MK_OPEN_MEMORY, for mk_memory_read() */
int mk_memory_open(struct mk_ctx *ctx, uint32_t id, int *ret_fd,
		   struct mk_error *err) MK_MUST_CHECK;
/**
 * mk_memory_read() - what is at a physical address
 *
 * All of it or an error: -ENXIO not in its memory, -ENODEV it was removed.
 */
int mk_memory_read(int fd, uint64_t addr, void *buf,
		   size_t bytes) MK_MUST_CHECK;

/*
 * Channels: messages of up to MK_MESSAGE_MAX bytes between a program here and
 * one in another kernel. An end is a descriptor, close-on-exec and not
 * blocking; the functions wait where they are given time for it. It belongs to
 * whoever opened it, and needs no context any more.
 *
 * @timeout_ms, everywhere: at most this long; 0 does not wait, -1 waits for
 * ever. What arrives between two messages of one side is never joined or cut.
 */

/**
 * mk_channel_open() - call a program that listens
 * @peer: its kernel: name of an instance, or MK_PEER_HOST
 * @port: where it listens, or MK_PORT_ECHO
 * @timeout_ms: for its answer; here 0 means 5 s and -1 is not possible
 *
 * -ENOENT no such peer, -EHOSTDOWN it does not run, -EACCES not allowed by the
 * configs, -ECONNREFUSED nobody listens, -ETIMEDOUT; -EINVAL bad port.
 */
int mk_channel_open(struct mk_ctx *ctx, const char *peer, uint32_t port,
		    unsigned int timeout_ms, int *ret_fd,
		    struct mk_error *err) MK_MUST_CHECK;

/**
 * mk_channel_listen() - be there for one caller
 * @peer: that may call; NULL for anybody
 *
 * Returns at once. mk_channel_wait() waits for the caller. To serve several,
 * open several ends of the same port.
 */
int mk_channel_listen(struct mk_ctx *ctx, const char *peer, uint32_t port,
		      int *ret_fd, struct mk_error *err) MK_MUST_CHECK;

/**
 * mk_channel_wait() - until a listening end has its caller
 *
 * 0, also when the caller has closed again meanwhile; -ETIMEDOUT; -EAGAIN when
 * @timeout_ms is 0; -EINTR on a signal.
 */
int mk_channel_wait(int fd, int timeout_ms, struct mk_error *err)
	MK_MUST_CHECK;

/**
 * mk_channel_send() - send one message
 * @len: 1 to MK_MESSAGE_MAX
 *
 * 0; -EAGAIN no room and @timeout_ms is 0; -ETIMEDOUT; -EMSGSIZE; -ENOTCONN
 * nobody has called yet; -EPIPE the other end has closed, or its kernel ended;
 * -ESTALE that ended and runs again; -EINTR on a signal.
 */
int mk_channel_send(int fd, const void *data, size_t len, int timeout_ms,
		    struct mk_error *err) MK_MUST_CHECK;

/**
 * mk_channel_recv() - receive one message
 * @size: bytes at @buf; MK_MESSAGE_MAX holds each
 *
 * Its size; 0 when the other end has closed and all was read; or a negative
 * error: -EAGAIN none and @timeout_ms is 0; -ETIMEDOUT; -EMSGSIZE it is larger
 * than @size and still there; -EPIPE its kernel ended and all was read; -ESTALE
 * that ended and runs again; -EINTR on a signal.
 */
ssize_t mk_channel_recv(int fd, void *buf, size_t size, int timeout_ms,
			struct mk_error *err) MK_MUST_CHECK;

/**
 * mk_channel_poll() - wait for one end
 * @events: of poll(2): POLLIN a message, POLLOUT room (and a caller)
 * @ret_events: what is true of it; also POLLRDHUP closed by the other end,
 *	POLLHUP its kernel ended
 *
 * 0, -ETIMEDOUT, -EINTR. To wait for several use poll(2) on the descriptors.
 */
int mk_channel_poll(int fd, short events, int timeout_ms,
		    short *ret_events) MK_MUST_CHECK;

/** mk_channel_get() - MK_IOC_CHANNEL_GET: state, peer, counters */
int mk_channel_get(int fd, struct mk_channel_get *ret_get,
		   struct mk_error *err) MK_MUST_CHECK;

/** mk_channel_close() - what was sent still arrives; -1 is fine */
void mk_channel_close(int fd);

/*
 * Shares: memory that several kernels have. A share is meant by its name, and
 * where @generation is not 0 by that, too: then -ESTALE says that it is not
 * what the caller saw. Requests of an instance go to the host and may take
 * some seconds when that is busy. Errors as in the header of the ABI.
 */

/**
 * mk_share_create() - MK_IOC_SHARE_CREATE: all zeros, nobody may attach yet
 * @bytes: a multiple of 4096, not 0
 * @owner: an instance, on the host only; NULL for this kernel
 * @node: NUMA node of the host, or MK_NODE_ANY
 * @ret_generation: may be NULL
 */
int mk_share_create(struct mk_ctx *ctx, const char *name, uint64_t bytes,
		    const char *owner, uint32_t node, uint64_t *ret_generation,
		    struct mk_error *err) MK_MUST_CHECK;

/**
 * mk_share_grant() - MK_IOC_SHARE_GRANT: let a peer attach it
 * @rights: MK_RIGHT_READ, perhaps with MK_RIGHT_WRITE
 * @flags: MK_SHARE_LATER (host): it need not exist yet
 */
int mk_share_grant(struct mk_ctx *ctx, const char *name, uint64_t generation,
		   const char *peer, uint32_t rights, uint32_t flags,
		   struct mk_error *err) MK_MUST_CHECK;

/** mk_share_give() - MK_IOC_SHARE_GIVE: make a peer the owner */
int mk_share_give(struct mk_ctx *ctx, const char *name, uint64_t generation,
		  const char *peer, struct mk_error *err) MK_MUST_CHECK;

/**
 * mk_share_revoke() - MK_IOC_SHARE_REVOKE: take a grant back
 * @peer: from whom; NULL from everybody, and the share ends
 * @timeout_ms: how long to wait until they have detached; 0 not at all
 *
 * 0 when none of them has it attached any more. -ETIMEDOUT, or -EBUSY without
 * a time: it is revoked, and they still have it.
 */
int mk_share_revoke(struct mk_ctx *ctx, const char *name, uint64_t generation,
		    const char *peer, unsigned int timeout_ms,
		    struct mk_error *err) MK_MUST_CHECK;

/**
 * struct mk_share_end - a share that this program has attached
 * @fd: to be closed by mk_share_close(); readable: an event. It detaches when
 *	it is closed and all mappings are gone
 */
struct mk_share_end {
	int fd;
	uint32_t id;
	uint32_t rights;
	uint64_t generation;
	uint64_t bytes;
};

#define MK_SHARE_END_NONE	{ .fd = -1 }

/**
 * mk_share_attach() - MK_IOC_SHARE_ATTACH: use a share
 * @rights: wanted; more than granted is -EACCES
 */
int mk_share_attach(struct mk_ctx *ctx, const char *name, uint64_t generation,
		    uint32_t rights, struct mk_share_end *ret_end,
		    struct mk_error *err) MK_MUST_CHECK;

/**
 * mk_share_map() - map all of it
 * @ret_addr: as long as mk_share_unmap() is not called, the close of the
 *	descriptor changes nothing for it. Without MK_RIGHT_WRITE a write to it
 *	ends the program with SIGSEGV
 */
int mk_share_map(const struct mk_share_end *end, void **ret_addr,
		 struct mk_error *err) MK_MUST_CHECK;
/** mk_share_unmap() - @addr may be NULL */
void mk_share_unmap(const struct mk_share_end *end, void *addr);
/** mk_share_close() - and set @end to MK_SHARE_END_NONE */
void mk_share_close(struct mk_share_end *end);

/** mk_share_event_wait() - revoked, orphaned, given; as mk_events_wait() */
int mk_share_event_wait(int fd, int timeout_ms,
			struct mk_share_event *ret_event) MK_MUST_CHECK;

/**
 * mk_share_hold() - attach it for the kernel itself, under its name
 *
 * It lasts beyond this program, until mk_share_detach().
 */
int mk_share_hold(struct mk_ctx *ctx, const char *name, uint64_t generation,
		  uint32_t rights, struct mk_error *err) MK_MUST_CHECK;
/** mk_share_detach() - MK_IOC_SHARE_DETACH: end what mk_share_hold() began */
int mk_share_detach(struct mk_ctx *ctx, const char *name, uint64_t generation,
		    struct mk_error *err) MK_MUST_CHECK;

/**
 * struct mk_share - one look at one share
 * @get: what MK_IOC_SHARE_GET said; nr_extents and nr_holders count the arrays
 * @extents: its memory, in its order
 * @holders: the owner first
 */
struct mk_share {
	struct mk_share_get get;
	struct mk_range *extents;
	struct mk_share_holder *holders;
};

void mk_share_free(struct mk_share *share);

/** mk_share_find() - by name; -ENOENT when this kernel knows of none */
int mk_share_find(struct mk_ctx *ctx, const char *name,
		  struct mk_share **ret_share,
		  struct mk_error *err) MK_MUST_CHECK;

struct mk_share_list {
	struct mk_share **items;
	size_t nr_items;
};

/** mk_share_list_get() - all that this kernel may know of, by ascending id */
int mk_share_list_get(struct mk_ctx *ctx, struct mk_share_list *ret_list,
		      struct mk_error *err) MK_MUST_CHECK;
void mk_share_list_clear(struct mk_share_list *list);

/*
 * Events and log of one instance. The descriptors are close-on-exec and do
 * not block.
 */

/**
 * mk_events_open() - MK_IOC_OPEN of MK_OPEN_EVENTS
 * @id: an instance; 0 for all, from the oldest event that the kernel has kept
 */
int mk_events_open(struct mk_ctx *ctx, uint32_t id, int *ret_fd,
		   struct mk_error *err) MK_MUST_CHECK;
/**
 * mk_events_wait() - the next event, the present state first
 * @timeout_ms: at most this long; -1 for ever
 *
 * -ETIMEDOUT after @timeout_ms, -EINTR on a signal, -ENODEV when the instance
 * was destroyed. Fills no struct mk_error: the caller knows what it waits for.
 */
int mk_events_wait(int fd, int timeout_ms,
		   struct mk_event *ret_event) MK_MUST_CHECK;

int mk_log_open(struct mk_ctx *ctx, uint32_t id, int *ret_fd,
		struct mk_error *err) MK_MUST_CHECK;
/**
 * mk_log_wait() - wait for more log
 *
 * 0 when there may be more; else as mk_events_wait().
 */
int mk_log_wait(int fd, int timeout_ms) MK_MUST_CHECK;

/**
 * struct mk_log_line - one line of an instance's kernel log
 * @level: 0 (emergency) to 7 (debug)
 * @facility: 0 for the kernel
 * @text: valid UTF-8 that is safe on a terminal: control characters other than
 *	tab are written as \xNN
 */
struct mk_log_line {
	unsigned int level;
	unsigned int facility;
	uint64_t seq;
	uint64_t time_us;
	char text[2048];
};

/**
 * mk_log_zero_ns() - when time_us of the last boot's lines was 0
 *
 * On the host's CLOCK_BOOTTIME. As the instance's kernel said it when it became
 * alive; before, when its first CPU was started, which is a little earlier.
 */
uint64_t mk_log_zero_ns(const struct mk_get *get);

/** mk_log_parse() - -EINVAL when @line is not a record of /dev/kmsg's form */
int mk_log_parse(const char *line, size_t len,
		 struct mk_log_line *ret_line) MK_MUST_CHECK;

/**
 * mk_log_read() - call @fn for each line that there is now
 *
 * Lines that are no records (dictionary lines) are dropped. 0 at the end of
 * what there is, -ENODEV when the instance was destroyed, or what @fn returned
 * if that was not 0.
 */
int mk_log_read(int fd, int (*fn)(void *arg, const struct mk_log_line *line),
		void *arg) MK_MUST_CHECK;

/** mk_log_each() - the same for text that is in memory, whole lines */
int mk_log_each(const char *buf, size_t len,
		int (*fn)(void *arg, const struct mk_log_line *line),
		void *arg) MK_MUST_CHECK;

/**
 * mk_log_read_text() - the text itself, as it comes from @fd
 * @limit: bytes at most; what is longer is cut off
 * @ret_text: without a NUL; the caller frees
 *
 * Not safe to print; see mk_log_each(). -ENODEV, -ENOMEM.
 */
int mk_log_read_text(int fd, size_t limit, char **ret_text,
		     size_t *ret_bytes) MK_MUST_CHECK;

/*
 * Text from elsewhere.
 */

/** mk_utf8_char() - bytes of the UTF-8 character at @s, 0 when it is none */
size_t mk_utf8_char(const char *s, size_t len);

#define MK_TEXT_VISIBLE_MAX(len)	(4 * (len) + 1)
/**
 * mk_text_visible() - copy so that it is UTF-8 and nothing acts on a terminal
 * @size: of @dst, at least 1; MK_TEXT_VISIBLE_MAX() holds everything. What does
 *	not fit is left out, by whole characters
 *
 * Bytes that are not UTF-8 and control characters other than tab become \xNN.
 */
void mk_text_visible(char *dst, size_t size, const char *src, size_t len);

/**
 * mk_number_parse() - a whole decimal number, and nothing else
 * @s: digits; no sign, no blank, nothing behind them
 *
 * Returns 0 and @ret_number, from @least to @most; -EINVAL when @s is something
 * else, -ERANGE when it is a number beyond these.
 */
int mk_number_parse(const char *s, unsigned int least, unsigned int most,
		    unsigned int *ret_number) MK_MUST_CHECK;

/*
 * Names and refusals.
 */

/** mk_state_name() - "running"; "unknown" for a number that is none */
const char *mk_state_name(uint32_t state);
/** mk_state_parse() - a state of an instance, or "gone"; -EINVAL */
int mk_state_parse(const char *name, uint32_t *ret_state) MK_MUST_CHECK;
/** mk_cause_name() - "panic"; "" for MK_CAUSE_NONE */
const char *mk_cause_name(uint32_t cause);
const char *mk_role_name(uint32_t role);
/** mk_share_state_name() - "live", "revoked", "orphaned" */
const char *mk_share_state_name(uint32_t state);
/** mk_share_kind_name() - "pool", "reference" */
const char *mk_share_kind_name(uint32_t kind);
/** mk_rights_name() - "ro", "rw", "-" for none */
const char *mk_rights_name(uint32_t rights);
/** mk_channel_state_name() - "listening" */
const char *mk_channel_state_name(uint32_t state);
/** mk_feature_name() - "beats"; NULL for a bit that is no MK_FEATURE_* */
const char *mk_feature_name(uint32_t bit);

/** mk_reason_name() - "cpu-lent"; NULL for a number that has no text */
const char *mk_reason_name(uint32_t reason);
/** mk_state_is_end() - stopped, panicked, killed or failed */
bool mk_state_is_end(uint32_t state);

/**
 * mk_refusal_error() - turn a refusal into an error
 * @refusal: from the kernel
 * @error: the positive errno that came with it
 * @object: what the caller was about, used if the refusal names nothing better
 */
void mk_refusal_error(struct mk_error *err, const struct mk_refusal *refusal,
		      int error, const char *object);

#define MK_SIZE_TEXT_MAX	24
/** mk_size_format() - "256M", "1.5G", "300 bytes" */
const char *mk_size_format(uint64_t bytes, char buf[MK_SIZE_TEXT_MAX]);

#endif /* MK_LIBMK_H */
