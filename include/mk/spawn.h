/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * libspawn: policy. From an instance's config to a running kernel, and back,
 * always as a plan: steps that are undone in reverse when one fails.
 *
 * Never prints and never exits. Functions return 0 or -errno and fill @err.
 * Those that change something expect the caller to hold the lock of
 * mk_change_begin().
 */
#ifndef MK_SPAWN_H
#define MK_SPAWN_H

#include <signal.h>
#include <stdbool.h>

#include <mk/libmk.h>

struct mk_config;

/*
 * One change at a time.
 */

/**
 * struct mk_change - the right to change something
 * @lock_fd: of /run/mkctl/lock, -1 for none
 */
struct mk_change {
	int lock_fd;
};

#define MK_CHANGE_NONE		{ .lock_fd = -1 }
#define MK_LOCK_TIMEOUT_MS	10000

/**
 * mk_change_begin() - take the lock and repair what a killed mkctl left
 *
 * Waits up to MK_LOCK_TIMEOUT_MS, then gives -EBUSY naming the holder's pid.
 */
int mk_change_begin(struct mk_ctx *ctx, struct mk_change *ret_change,
		    struct mk_error *err) MK_MUST_CHECK;
void mk_change_end(struct mk_change *change);

/*
 * Whom an instance talks to and what it shares, as its config says.
 */

/** struct mk_wanted_grant - @rights are MK_RIGHT_* */
struct mk_wanted_grant {
	char peer[MK_NAME_MAX];
	uint32_t rights;
};

/**
 * struct mk_wanted_share - a share that is to be there while its owner runs
 * @owner: an instance, or MK_PEER_HOST; none of the grantees
 * @bytes: not 0, a multiple of 4096
 * @node: NUMA node or MK_NODE_ANY
 * @grants: @nr_grants, at least one; no peer twice
 */
struct mk_wanted_share {
	char name[MK_SHARE_NAME_MAX];
	char owner[MK_NAME_MAX];
	uint64_t bytes;
	uint32_t node;
	struct mk_wanted_grant *grants;
	size_t nr_grants;
};

/**
 * struct mk_peer_name - as an element of an array
 */
struct mk_peer_name {
	char name[MK_NAME_MAX];
};

/**
 * enum mk_references - what a start does while other kernels still have frames
 *	of the boot before
 * @MK_REFERENCES_MOVE: it takes other memory of the pool
 * @MK_REFERENCES_WAIT: it waits for their detach
 */
enum mk_references {
	MK_REFERENCES_MOVE,
	MK_REFERENCES_WAIT,
};

/**
 * struct mk_wanted_peers - the keys channels, shares and references
 * @channels: @nr_channels instances, at most MK_ALLOWED_MAX; not the host, with
 *	which there may always be one, and not this instance
 * @shares: @nr_shares, no name twice
 */
struct mk_wanted_peers {
	struct mk_peer_name *channels;
	size_t nr_channels;
	struct mk_wanted_share *shares;
	size_t nr_shares;
	enum mk_references references;
};

void mk_wanted_peers_clear(struct mk_wanted_peers *peers);

/** mk_references_name() - "move", "wait" */
const char *mk_references_name(enum mk_references references);
/** mk_references_parse() - 0, or -EINVAL */
int mk_references_parse(const char *name,
			enum mk_references *ret_references) MK_MUST_CHECK;

/*
 * What is to be done when an instance ends or hangs: its config says so, and
 * mkd does it.
 */

/** enum mk_restart - after which ends it is started again */
enum mk_restart {
	MK_RESTART_NEVER,
	MK_RESTART_ON_FAILURE,	/* panicked, failed, killed because it hung */
	MK_RESTART_ALWAYS,	/* also when it powered off by itself */
};

/** enum mk_on_hang - what is done about one that is unresponsive */
enum mk_on_hang {
	MK_ON_HANG_REPORT,
	MK_ON_HANG_KILL,
	MK_ON_HANG_DUMP,	/* kill, dump, start again */
};

#define MK_POLICY_MAX_DEFAULT		5
#define MK_POLICY_WINDOW_DEFAULT	600
#define MK_POLICY_BACKOFF_DEFAULT	1
#define MK_POLICY_BACKOFF_MAX_DEFAULT	300

/**
 * struct mk_policy - the key policy
 * @given: the config has one; else nothing is done
 * @restart: when
 * @max: so many starts in a row; 0 for no limit
 * @window_s: a boot that ran so long ends the row
 * @backoff_s: to wait before the first start of a row; then twice as long each
 *	time
 * @backoff_max_s: but never longer
 * @start_after_reboot: it is started again when it rebooted by itself
 * @watchdog_given: @watchdog_ms is said
 * @watchdog_ms: as in struct mk_set_watchdog
 * @on_hang: what the watchdog leads to
 *
 * A person's stop or kill is never followed by a start.
 */
struct mk_policy {
	bool given;
	bool start_after_reboot;
	bool watchdog_given;
	enum mk_restart restart;
	enum mk_on_hang on_hang;
	unsigned int max;
	unsigned int window_s;
	unsigned int backoff_s;
	unsigned int backoff_max_s;
	unsigned int watchdog_ms;
};

/** mk_restart_name() - "never", "on-failure", "always" */
const char *mk_restart_name(enum mk_restart restart);
/** mk_on_hang_name() - "report", "kill", "dump-and-restart" */
const char *mk_on_hang_name(enum mk_on_hang on_hang);
/** mk_policy_text() - for people; the caller frees, NULL when out of memory */
char *mk_policy_text(const struct mk_policy *policy);

/*
 * What the kernel does not know about an instance: /run/mkctl/NAME.json.
 */

/**
 * struct mk_facts - how an instance was made
 * @pending: its spawn is under way, or was killed half-way
 * @id: 0 before the kernel gave one
 * @created_ns: as in struct mk_get; with @id it says which instance is meant
 * @allow_split_core: as its config says
 * @cpus_asked: what the config says: "2-3", "2 on node 0"
 * @memory_asked: likewise: "256M on nodes 0,1"
 * @cpus: that were taken
 * @memory_nodes: that its memory is to be on; none for any
 * @peers: as its config says
 * @policy: likewise
 * @held_epoch: somebody stopped or killed it when this boot had ended already:
 *	it is not to be started again for that end; 0 for none
 */
struct mk_facts {
	bool pending;
	bool allow_split_core;
	uint32_t id;
	uint64_t created_ns;
	uint64_t memory_bytes;
	char name[MK_NAME_MAX];
	char *config;
	char *kernel;
	char *initrd;
	char *cmdline;
	char *created_by;
	char *cpus_asked;
	char *memory_asked;
	unsigned int *cpus;
	size_t nr_cpus;
	uint32_t memory_nodes[MK_MAX_RANGES];
	size_t nr_memory_nodes;
	struct mk_wanted_peers peers;
	struct mk_policy policy;
	uint32_t held_epoch;
};

/** mk_facts_find() - those of an instance; -ENOENT when there are none */
int mk_facts_find(struct mk_ctx *ctx, const struct mk_get *get,
		  struct mk_facts **ret_facts) MK_MUST_CHECK;
void mk_facts_free(struct mk_facts *facts);

/*
 * Logs of earlier boots. A start empties the kernel's log of the instance, so
 * it keeps that first, as /run/mkctl/NAME.boot-EPOCH.log. A start that was not
 * made through this library keeps nothing.
 */

#define MK_BOOT_LOGS_KEPT	8	/* of an instance */

/**
 * struct mk_boot_log - what was kept of one boot
 * @epoch: of that boot
 * @zero_ns: mk_log_zero_ns() of that boot
 * @text: for mk_log_each(), @bytes long
 */
struct mk_boot_log {
	uint32_t epoch;
	uint64_t zero_ns;
	char *file;
	const char *text;
	size_t bytes;
};

/**
 * mk_boot_log_read() - the kept log of an earlier boot
 *
 * -ENOENT, with @err, when there is none of this very instance.
 */
int mk_boot_log_read(struct mk_ctx *ctx, const struct mk_get *get,
		     uint32_t epoch, struct mk_boot_log *ret_log,
		     struct mk_error *err) MK_MUST_CHECK;
void mk_boot_log_clear(struct mk_boot_log *log);

/*
 * Plans.
 */

#define MK_STAGES_MAX	16

/** struct mk_stages - how long each step took, in the order of the steps */
struct mk_stages {
	struct {
		const char *name;
		uint64_t ns;
	} items[MK_STAGES_MAX];
	size_t nr_items;
	uint64_t total_ns;
};

/**
 * struct mk_run_options - how a plan runs
 * @timeout_ms: for the boot
 * @no_wait: a start returns in state starting; nobody waits for the boot
 * @keep: leave everything as it is when a step fails
 * @cancel: NULL, or set by a signal handler: stop at the next occasion, undo
 * @stage: NULL, or called as each step is done
 * @stage_arg: for @stage
 * @note: NULL, or called with what a person may want to know and is no error
 * @note_arg: for @note
 */
struct mk_run_options {
	unsigned int timeout_ms;
	bool no_wait;
	bool keep;
	const volatile sig_atomic_t *cancel;
	void (*stage)(void *arg, const char *name, uint64_t ns);
	void *stage_arg;
	void (*note)(void *arg, const char *text);
	void *note_arg;
};

/**
 * struct mk_run_result - what a plan gave
 * @stages: of the steps that were done
 * @inst: the running instance; NULL after a failure
 * @log_tail: after a failed boot, the last lines of its log, else NULL
 * @log_lost: its code is not 0 when the log of the boot before could not be
 *	kept, which is no reason not to start
 */
struct mk_run_result {
	struct mk_stages stages;
	struct mk_instance *inst;
	char *log_tail;
	struct mk_error log_lost;
};

void mk_run_result_clear(struct mk_run_result *result);

/** struct mk_step_text - a step as a person reads it */
struct mk_step_text {
	const char *name;
	char what[1024];
	const char *undo;	/* NULL: nothing to undo */
};

/**
 * mk_spawn() - make, load and start an instance; returns when it is running
 * @config_path: of the file that @config is from
 * @ret_result: written always, also after a failure; see
 *	mk_run_result_clear()
 */
int mk_spawn(struct mk_ctx *ctx, const struct mk_config *config,
	     const char *config_path, const struct mk_run_options *options,
	     struct mk_run_result *ret_result,
	     struct mk_error *err) MK_MUST_CHECK;

/**
 * mk_spawn_preview() - check everything, change nothing, tell the steps
 * @fn: called once for each step, in order
 */
int mk_spawn_preview(struct mk_ctx *ctx, const struct mk_config *config,
		     const char *config_path,
		     const struct mk_run_options *options,
		     void (*fn)(void *arg, const struct mk_step_text *step),
		     void *arg, struct mk_error *err) MK_MUST_CHECK;

/**
 * mk_spawn_preview_dtb() - the device tree that a spawn would build
 *
 * What the kernel decides at the spawn (id, addresses of memory and of the
 * hand-over area) is 0 in it.
 */
int mk_spawn_preview_dtb(struct mk_ctx *ctx, const struct mk_config *config,
			 void **ret_dtb, size_t *ret_bytes,
			 struct mk_error *err) MK_MUST_CHECK;

/** mk_start() - start an instance that has ended (or is loaded) */
int mk_start(struct mk_ctx *ctx, const struct mk_instance *inst,
	     const struct mk_run_options *options,
	     struct mk_run_result *ret_result,
	     struct mk_error *err) MK_MUST_CHECK;

/**
 * mk_stop() - ask it to power off and wait for its end
 * @kill: kill it if it has not ended after options->timeout_ms
 *
 * Nothing to do and 0 when it has ended already; but then it stays ended,
 * whatever its policy is. -ETIMEDOUT.
 */
int mk_stop(struct mk_ctx *ctx, const struct mk_instance *inst, bool kill,
	    const struct mk_run_options *options,
	    struct mk_error *err) MK_MUST_CHECK;

/**
 * mk_restart() - mk_stop() and mk_start() as one plan
 * @stop_timeout_ms: how long to wait for the end; options->timeout_ms is for
 *	the boot
 *
 * One that does not run is only started. What does not come up again stays
 * ended.
 */
int mk_restart(struct mk_ctx *ctx, const struct mk_instance *inst, bool kill,
	       unsigned int stop_timeout_ms,
	       const struct mk_run_options *options,
	       struct mk_run_result *ret_result,
	       struct mk_error *err) MK_MUST_CHECK;

/** mk_kill() - end it at once; one that has ended stays so, as with mk_stop() */
int mk_kill(struct mk_ctx *ctx, const struct mk_instance *inst,
	    struct mk_error *err) MK_MUST_CHECK;

/**
 * mk_kill_hung() - end one that is unresponsive, because of that
 *
 * The caller has seen it unresponsive; it may have ended meanwhile.
 */
int mk_kill_hung(struct mk_ctx *ctx, const struct mk_instance *inst,
		 struct mk_error *err) MK_MUST_CHECK;
/** mk_kill_slow() - end one whose boot takes too long */
int mk_kill_slow(struct mk_ctx *ctx, const struct mk_instance *inst,
		 struct mk_error *err) MK_MUST_CHECK;

/** mk_remove() - destroy it, forget its facts and its kept logs */
int mk_remove(struct mk_ctx *ctx, const struct mk_instance *inst,
	      struct mk_error *err) MK_MUST_CHECK;

/**
 * mk_cpulist_format() - "2-3,6", in the order given
 *
 * The caller frees; NULL when out of memory.
 */
char *mk_cpulist_format(const unsigned int *cpus, size_t nr_cpus);

/** mk_version() - "0.1.0-12-gabcdef" */
const char *mk_version(void);

/**
 * mk_parse_size() - parse a number of bytes
 * @s: digits, then at most one of K M G T (binary, either case)
 * @ret_bytes: the size; written only on success
 * @err: filled on a refusal, or NULL
 *
 * Returns: 0, -EINVAL when @s is not a size, -ERANGE when it does not fit.
 */
int mk_parse_size(const char *s, uint64_t *ret_bytes, struct mk_error *err)
	MK_MUST_CHECK;

#endif /* MK_SPAWN_H */
