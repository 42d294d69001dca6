/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * mkd: carries out the policies of instances.
 *
 * main.c waits for events and for time; look.c looks at all instances after
 * each; decide.c says what a policy wants; act.c does it; record.c keeps what
 * must outlive mkd; say.c tells of it. Nothing depends on having seen an event:
 * the state of an instance and the record are enough, so mkd may be killed at
 * any time, and what it missed is done when it is there again.
 */
#ifndef MKD_H
#define MKD_H

#include <signal.h>

#include "decide.h"

#define MKD_DUMPS	"/var/lib/mkctl/dumps"
#define MKD_BOOT_LIMIT_S	60
#define MKD_DUMPS_KEPT	3

/**
 * struct mkd_watched - an instance, as mkd knows it
 * @record: what is on disk
 * @saved: there is a file
 * @seen: still there, in the present round
 * @state: at the last look, for what is only reported
 * @not_before_ns: something failed: not again before that, on CLOCK_BOOTTIME
 * @settle_ns: when a spawn that seems to have failed is looked after
 * @busy_said: that the lock is held by somebody
 */
struct mkd_watched {
	struct mkd_record record;
	bool saved;
	bool seen;
	bool busy_said;
	uint32_t state;
	uint64_t not_before_ns;
	uint64_t settle_ns;
};

/**
 * struct mkd - the service
 * @dir_fd: of the records
 * @watched: @nr_watched
 * @dumps: folder for dumps
 * @dumps_kept: of an instance; 0 for all
 * @boot_limit_ns: for boots that mkd starts
 * @stop: set by a signal
 */
struct mkd {
	struct mk_ctx *ctx;
	int dir_fd;
	int lock_fd;
	struct mkd_watched **watched;
	size_t nr_watched;
	const char *dumps;
	unsigned int dumps_kept;
	uint64_t boot_limit_ns;
	const volatile sig_atomic_t *stop;
};

/* record.c: /run/mkctl/mkd */
/**
 * mkd_records_open() - take the lock of mkd and read all records
 *
 * -EBUSY, naming its pid, when there is another.
 */
int mkd_records_open(struct mkd *m, struct mk_error *err) MK_MUST_CHECK;
void mkd_records_close(struct mkd *m);
/** mkd_record_save() - a record that is lost is only said: the work goes on */
void mkd_record_save(struct mkd *m, struct mkd_watched *w);
/** mkd_watched_find() - by instance; NULL when there is none */
struct mkd_watched *mkd_watched_find(struct mkd *m, const struct mk_get *get);
/** mkd_watched_add() - a new one; NULL: no memory */
struct mkd_watched *mkd_watched_add(struct mkd *m, const struct mk_get *get);
/** mkd_watched_drop() - forget it, and its file */
void mkd_watched_drop(struct mkd *m, size_t i);

/* look.c */
/**
 * mkd_round() - look at all instances, do what is to be done
 * @ret_look_ns: when to look again, on CLOCK_BOOTTIME
 */
int mkd_round(struct mkd *m, uint64_t *ret_look_ns,
	      struct mk_error *err) MK_MUST_CHECK;
uint64_t mkd_now_ns(void);
void mkd_view_fill(const struct mkd *m, const struct mk_get *get,
		   const struct mk_facts *facts, struct mkd_view *ret_view);

/* act.c */
/**
 * mkd_act() - do what was decided
 *
 * What needs the lock is decided again under it: whoever had it may have
 * changed everything. What fails is said, and tried again later.
 */
void mkd_act(struct mkd *m, struct mkd_watched *w, enum mkd_action action,
	     const struct mk_instance *inst);

/* dump.c */
/** mkd_dump() - dump an instance that has ended; what fails is said */
void mkd_dump(struct mkd *m, struct mkd_watched *w,
	      const struct mk_instance *inst);

/* say.c */
/** mkd_say() - a line on stderr; @level as in syslog(3), @name may be NULL */
void mkd_say(int level, const char *name, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
/** mkd_say_error() - what failed and why */
void mkd_say_error(const char *name, const char *what,
		   const struct mk_error *err);
/** mkd_say_decided() - one of the first three actions */
void mkd_say_decided(enum mkd_action action, const struct mk_policy *policy,
		     const struct mkd_view *view,
		     const struct mkd_record *record);
#define MKD_STATE_TEXT_MAX	48
/** mkd_state_text() - "panicked (panic)" */
const char *mkd_state_text(uint32_t state, uint32_t cause,
			   char buf[MKD_STATE_TEXT_MAX]);
#define MKD_TRY_TEXT_MAX	32
/** mkd_try_text() - "try 2 of 5" */
const char *mkd_try_text(const struct mk_policy *policy,
			 const struct mkd_record *record,
			 char buf[MKD_TRY_TEXT_MAX]);

#endif /* MKD_H */
