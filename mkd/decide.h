/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a policy says about an instance as it is now: a pure function, and all
 * that it goes by.
 *
 * It is asked again whenever something has happened or time has passed; what
 * it has to remember is in the record, which outlives mkd. An end is decided
 * once: the record says of which boot.
 */
#ifndef MKD_DECIDE_H
#define MKD_DECIDE_H

#include <mk/spawn.h>

#define MKD_NEVER	UINT64_MAX

/** enum mkd_verdict - what was decided about the end of a boot */
enum mkd_verdict {
	MKD_VERDICT_NONE,
	MKD_VERDICT_START,	/* it is to be started at @due_ns */
	MKD_VERDICT_LEFT,	/* it stays ended */
	MKD_VERDICT_GAVE_UP,	/* it stays ended: too many starts in a row */
};

/**
 * struct mkd_record - what mkd remembers of an instance
 * @id: of it
 * @created_ns: of it; tells it from a later one with that id
 * @epoch: the boot whose end was decided about, 0 for none
 * @verdict: on that
 * @tries: starts in a row, with the one that is to come
 * @due_ns: when, on CLOCK_BOOTTIME
 * @started_epoch: the boot that mkd started last, or was about to
 * @dumped_epoch: the boot whose end was dumped last
 */
struct mkd_record {
	char name[MK_NAME_MAX];
	uint32_t id;
	uint64_t created_ns;
	uint32_t epoch;
	enum mkd_verdict verdict;
	unsigned int tries;
	uint64_t due_ns;
	uint32_t started_epoch;
	uint32_t dumped_epoch;
};

/**
 * struct mkd_view - an instance as it is now
 * @pending: its spawn is under way, or was killed half-way
 * @held_epoch: as in struct mk_facts
 * @now_ns: on CLOCK_BOOTTIME, as the others
 * @boot_limit_ns: a boot that mkd started may take so long
 */
struct mkd_view {
	uint32_t state;
	uint32_t cause;
	uint32_t epoch;
	uint32_t held_epoch;
	bool pending;
	uint64_t started_ns;
	uint64_t alive_ns;
	uint64_t ended_ns;
	uint64_t now_ns;
	uint64_t boot_limit_ns;
};

/**
 * enum mkd_action - what is to be done now
 *
 * After the first three the record has changed; it is to be kept and said, and
 * the question asked again.
 */
enum mkd_action {
	MKD_PLAN,		/* decided: it is to be started */
	MKD_LEAVE,		/* decided: it stays ended */
	MKD_GIVE_UP,		/* decided: it stays ended */
	MKD_NOTHING,
	MKD_WAIT,		/* for its time */
	MKD_SETTLE,		/* have its spawn repaired, if that was killed */
	MKD_KILL_HUNG,
	MKD_KILL_SLOW,		/* its boot takes too long */
	MKD_DUMP,
	MKD_START,
};

/**
 * mkd_decide() - what to do
 * @record: changed by the first three actions
 * @ret_look_ns: when to ask again at the latest; MKD_NEVER when only an event
 *	can change the answer
 */
enum mkd_action mkd_decide(const struct mk_policy *policy,
			   const struct mkd_view *view,
			   struct mkd_record *record, uint64_t *ret_look_ns);

/** mkd_start_failed() - a start changed nothing: MKD_PLAN or MKD_GIVE_UP */
enum mkd_action mkd_start_failed(const struct mk_policy *policy,
				 uint64_t now_ns, struct mkd_record *record);

#endif /* MKD_DECIDE_H */
