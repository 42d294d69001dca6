/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * State files: what the kernel cannot say of an instance.
 */
#ifndef MK_SPAWN_FACTS_H
#define MK_SPAWN_FACTS_H

#include <mk/spawn.h>

/*
 * These two may fail unheard where something worse is reported already: the
 * next change repairs what is left.
 */

/** mk_facts_write() - atomically: a reader sees the old or the new file */
int mk_facts_write(struct mk_ctx *ctx, const struct mk_facts *facts,
		   struct mk_error *err);
/** mk_facts_remove() - 0 also when there is no file */
int mk_facts_remove(struct mk_ctx *ctx, const char *name,
		    struct mk_error *err);
/** mk_facts_read() - of one name; -EINVAL when the file makes no sense */
int mk_facts_read(struct mk_ctx *ctx, const char *name,
		  struct mk_facts **ret_facts) MK_MUST_CHECK;
/** struct mk_facts_list - those of all instances that have some */
struct mk_facts_list {
	struct mk_facts **items;
	size_t nr_items;
};

/** mk_facts_list_get() - by ascending id of the instances */
int mk_facts_list_get(struct mk_ctx *ctx, struct mk_facts_list *ret_list,
		      struct mk_error *err) MK_MUST_CHECK;
void mk_facts_list_clear(struct mk_facts_list *list);

/** mk_facts_match() - do they speak of this instance, not of an older one */
bool mk_facts_match(const struct mk_facts *facts, const struct mk_get *get);
/**
 * mk_facts_repair() - make files and instances agree again
 *
 * Files without an instance go; an instance that a killed mkctl left before it
 * ran goes too. Only under the lock.
 */
int mk_facts_repair(struct mk_ctx *ctx, struct mk_error *err) MK_MUST_CHECK;

#endif /* MK_SPAWN_FACTS_H */
