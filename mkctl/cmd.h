/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A command of mkctl: its descriptor, what main() hands to it, and what it
 * hands back.
 */
#ifndef MKCTL_CMD_H
#define MKCTL_CMD_H

#include <json-c/json.h>
#include <stdbool.h>
#include <stdio.h>

#include <mk/spawn.h>

#define EXIT_PARTIAL	64	/* some of several objects failed */

#define LIST_MAX	64	/* of one option that may be repeated */

/** struct list - what an option was given, as often as it stood there */
struct list {
	const char *items[LIST_MAX];
	size_t nr;
};

/** struct size_given - a size, and whether it was given */
struct size_given {
	bool given;
	uint64_t bytes;
};

/**
 * struct options - all options of all commands; each takes what it lists
 */
struct options {
	bool json;
	bool all;
	bool dry_run;
	bool keep;
	bool kill;
	bool follow;
	bool quiet;
	bool help;
	bool list_options;
	unsigned int timeout_s;
	unsigned int lines;
	bool lines_given;
	const char *dtb;
	const char *since;
	const char *level;
	const char *boot;
	unsigned int boot_timeout_s;
	unsigned int count;
	bool raw;
	bool ro;
	bool pfns;
	struct size_given size;
	struct size_given offset;
	struct size_given length;
	const char *from;
	const char *owner;
	struct list to;
	const char *output;
	bool force;
	bool dmesg;
	bool zstd;
	bool live;
	const char *states;
	bool ended;
};

/**
 * struct option_desc - one option, for the parser, --help and completion
 * @letter: short form, or 0
 * @arg: what it takes, as help names it; NULL for none
 * @offset: of its member in struct options, whose type goes with @type
 */
struct option_desc {
	const char *name;
	char letter;
	const char *arg;
	const char *help;
	enum { OPT_BOOL, OPT_SECONDS, OPT_COUNT, OPT_STRING, OPT_SIZE,
	       OPT_LIST } type;
	size_t offset;
};

/**
 * struct app_error - what went wrong with one object
 * @log_tail: last lines of its log, or NULL
 */
struct app_error {
	struct mk_error err;
	char *log_tail;
};

struct command;

/**
 * struct app - one run of mkctl
 * @cmd: what runs; NULL before it is known
 * @verb: its name, for messages: "spawn", "pfn share"
 * @opts: of the command
 * @errors: to be printed by main(), in order
 * @log_tail: of what is under way, for its error; NULL for none
 * @nr_done: objects that the command dealt with
 */
struct app {
	struct mk_ctx *ctx;
	const struct command *cmd;
	const char *verb;
	struct options opts;
	struct app_error *errors;
	size_t nr_errors;
	char *log_tail;
	size_t nr_done;
};

/**
 * struct command - one verb
 * @name: of a command of another one ("pfn share") both words
 * @args: as usage names them
 * @subs: commands of this one, ended by NULL; it has nothing else then
 * @options: ends with an entry without name
 * @min_args: positional arguments; @max_args -1 for any number
 * @timeout_s: default of --timeout; @boot_timeout_s of --boot-timeout
 * @run: 0 or -errno with @err, which main() prints; errors about single
 *	objects go to app_add_error()
 */
struct command {
	const char *name;
	const char *args;
	const char *summary;
	const char *details;
	const struct command *const *subs;
	const struct option_desc *options;
	int min_args;
	int max_args;
	unsigned int timeout_s;
	unsigned int boot_timeout_s;
	int (*run)(struct app *app, int argc, char **argv,
		   struct mk_error *err);
};

extern const struct command cmd_spawn;
extern const struct command cmd_check;
extern const struct command cmd_ls;
extern const struct command cmd_show;
extern const struct command cmd_logs;
extern const struct command cmd_dump;
extern const struct command cmd_stop;
extern const struct command cmd_kill;
extern const struct command cmd_start;
extern const struct command cmd_restart;
extern const struct command cmd_rm;
extern const struct command cmd_freeze;
extern const struct command cmd_thaw;
extern const struct command cmd_wait;
extern const struct command cmd_events;
extern const struct command cmd_pool;
extern const struct command cmd_msg;
extern const struct command cmd_msg_ping;
extern const struct command cmd_msg_send;
extern const struct command cmd_msg_recv;
extern const struct command cmd_pfn;
extern const struct command cmd_pfn_share;
extern const struct command cmd_pfn_give;
extern const struct command cmd_pfn_attach;
extern const struct command cmd_pfn_detach;
extern const struct command cmd_pfn_revoke;
extern const struct command cmd_pfn_cat;
extern const struct command cmd_pfn_fill;
extern const struct command cmd_pfn_ls;
extern const struct command cmd_version;
extern const struct command cmd_ready;
extern const struct command cmd_help;

/* mkctl.c */
extern const struct command *const commands[];
const struct command *command_find(const char *name);
/** command_find_sub() - by its own word: "share" */
const struct command *command_find_sub(const struct command *cmd,
				       const char *name);
void print_usage(FILE *out);
/** app_add_error() - one object failed; takes its log_tail, too */
void app_add_error(struct app *app, const struct mk_error *err);
/** interrupted - set to the signal's number by SIGINT, SIGTERM, SIGHUP */
extern volatile sig_atomic_t interrupted;
/** app_catch_signals() - from now on SIGINT, SIGTERM, SIGHUP only set it */
void app_catch_signals(void);
/** app_begin_change() - mk_change_begin(); from then on signals undo */
int app_begin_change(struct app *app, struct mk_change *ret_change,
		     struct mk_error *err) MK_MUST_CHECK;

/* opt.c */
#define OPTION_JSON							\
	{ "json", 'j', NULL, "print JSON", OPT_BOOL,			\
	  offsetof(struct options, json) }
#define OPTION_ALL							\
	{ "all", 'a', NULL, "all instances", OPT_BOOL,			\
	  offsetof(struct options, all) }
#define OPTION_TIMEOUT(text)						\
	{ "timeout", 't', "S", text, OPT_SECONDS,			\
	  offsetof(struct options, timeout_s) }
#define OPTION_FROM(text)						\
	{ "from", 'f', "FILE", text, OPT_STRING,			\
	  offsetof(struct options, from) }
#define OPTION_OFFSET							\
	{ "offset", 'o', "B", "begin there (0)", OPT_SIZE,		\
	  offsetof(struct options, offset) }
#define OPTION_LENGTH							\
	{ "length", 'l', "B", "so much of it (all)", OPT_SIZE,		\
	  offsetof(struct options, length) }
#define OPTION_END	{ .name = NULL }

/**
 * options_parse() - parse what stands behind the verb
 * @ret_first: index in @argv of the first positional argument; getopt has
 *	sorted them to the end
 */
int options_parse(const struct command *cmd, int argc, char **argv,
		  struct options *opts, int *ret_first,
		  struct mk_error *err) MK_MUST_CHECK;
/** usage_error() - what was written cannot be meant; -EINVAL */
int usage_error(struct mk_error *err, const char *object, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
void print_command_help(const struct command *cmd, FILE *out);
void print_option_names(const struct command *cmd, FILE *out);

/* since.c */
/** struct since - from when on a log is wanted, as the user said it */
struct since {
	enum { SINCE_START, SINCE_UPTIME, SINCE_HOST } kind;
	uint64_t us;	/* SINCE_UPTIME: on the instance's own clock */
	uint64_t host_ns;	/* SINCE_HOST: on the host's CLOCK_BOOTTIME */
};
/**
 * since_parse() - what stands behind --since
 * @text: NULL for no such option
 *
 * "12.5", "-90s", "HH:MM[:SS]" or "YYYY-MM-DD HH:MM[:SS]"; see the manual.
 */
int since_parse(const char *text, struct since *ret_since,
		struct mk_error *err) MK_MUST_CHECK;
/**
 * since_us() - the same on the clock of one boot of an instance
 * @zero_ns: mk_log_zero_ns() of it
 */
uint64_t since_us(const struct since *since, uint64_t zero_ns);

/* names.c */
/**
 * each_fn - what a verb does to one instance
 * @arg: "instances" of the JSON document; NULL in text mode
 */
typedef int (*each_fn)(struct app *app, const struct mk_instance *inst,
		       void *arg, struct mk_error *err);
/**
 * look_at_named() - look up the NAMEs, or --all, and call @fn for each
 *
 * Goes on after a failure; the failures end in app->errors.
 */
int look_at_named(struct app *app, int argc, char **argv, each_fn fn,
		  struct mk_error *err) MK_MUST_CHECK;
/** change_named() - the same for verbs that change something: with the lock */
int change_named(struct app *app, int argc, char **argv, each_fn fn,
		 struct mk_error *err) MK_MUST_CHECK;
/** never_started() - nothing that stop or kill --all is about */
bool never_started(const struct mk_instance *inst);

/* out.c */
/** put_visible() - text that is not ours, so that it cannot act on a terminal */
void put_visible(FILE *out, const char *text);
struct json_object *json_document(const char *verb);
void json_add_string(struct json_object *obj, const char *key,
		     const char *value);
void json_add_u64(struct json_object *obj, const char *key, uint64_t value);
void json_add_bool(struct json_object *obj, const char *key, bool value);
/** json_add_ns() - a time, null for 0, which means not yet */
void json_add_ns(struct json_object *obj, const char *key, uint64_t ns);
/** json_print() - print and free */
void json_print(struct json_object *doc);
/** json_error() - as on stderr and in the documents of check */
struct json_object *json_error(const struct mk_error *err);
/** ms_text() - "12.3" */
const char *ms_text(uint64_t ns, char buf[32]);
#define BOOT_ID_TEXT_MAX	37
/** boot_id_text() - as a UUID; "" while it is zero */
const char *boot_id_text(const struct mk_get *get,
			 char buf[BOOT_ID_TEXT_MAX]);
/** instance_cpulist() - in Linux numbers; the caller frees */
char *instance_cpulist(const struct mk_instance *inst);
/** instance_apicids() - likewise */
char *instance_apicids(const struct mk_instance *inst);
#define END_TEXT_MAX	48
/** cause_text() - "panic"; of one that is unresponsive also which CPU */
const char *cause_text(const struct mk_get *get, char buf[END_TEXT_MAX]);
/** last_end_text() - "panicked (panic)", "" before the first end */
const char *last_end_text(const struct mk_get *get, char buf[END_TEXT_MAX]);
/** json_add_brief() - what every verb says about an instance */
void json_add_brief(struct json_object *obj, const struct mk_instance *inst);
/** json_add_stages() - "stages_ms" */
void json_add_stages(struct json_object *obj,
		     const struct mk_run_result *result);
/** stage_boot_ns() - START to alive, as the kernel saw it */
uint64_t stage_boot_ns(const struct mk_instance *inst);
/** print_stage() - for struct mk_run_options.stage */
void print_stage(void *arg, const char *name, uint64_t ns);
/** print_running() - last line of a spawn or start */
void print_running(const struct mk_run_result *result);
/**
 * struct noting - what may be an oversight, said while a plan runs
 * @name: of the instance
 * @list: with -j what was said, for json_add_notes(); else it goes to stderr
 */
struct noting {
	const struct app *app;
	const char *name;
	struct json_object *list;
};
void noting_begin(struct noting *noting, const struct app *app,
		  const char *name);
void noting_end(struct noting *noting);
/** print_note() - for struct mk_run_options.note; @arg is a struct noting */
void print_note(void *arg, const char *text);
void json_add_notes(struct json_object *obj, const struct noting *noting);
/**
 * finish_started() - print what a start or restart gave, and clear it
 * @r: of it; after a failure the log's tail goes to @app, for main()
 * @list: "instances" of the JSON document; NULL prints text
 */
void finish_started(struct app *app, struct mk_run_result *result, int r,
		    const struct noting *noting, struct json_object *list);
/**
 * print_changed() - an instance after a change: its new state
 * @id: looked up again
 * @list: "instances" of the JSON document; NULL prints a line of text
 */
int print_changed(struct app *app, uint32_t id, struct json_object *list,
		  struct mk_error *err) MK_MUST_CHECK;

#endif /* MKCTL_CMD_H */
