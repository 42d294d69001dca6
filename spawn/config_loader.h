/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the files of the config loader share: config.c walks the JSON values
 * along tables of keys, config_machine.c has the keys about CPUs and memory,
 * config_peers.c those about channels and shares, config_policy.c policy.
 */
#ifndef MK_SPAWN_CONFIG_LOADER_H
#define MK_SPAWN_CONFIG_LOADER_H

#include <json-c/json.h>

#include "config.h"
#include "json_file.h"

struct mk_loader {
	const char *path;
	struct mk_json_file json;
	char at[64];		/* JSON pointer of the object being read */
	struct mk_config_file *file;
	struct mk_error *err;
};

/* What a value may be: bits of enum json_type. */
#define MK_JSON_BOOLEAN	(1u << json_type_boolean)
#define MK_JSON_INT	(1u << json_type_int)
#define MK_JSON_STRING	(1u << json_type_string)
#define MK_JSON_ARRAY	(1u << json_type_array)
#define MK_JSON_OBJECT	(1u << json_type_object)

/**
 * struct mk_loader_key - a key that an object may have
 * @name: of the key
 * @required: whether it must be there
 * @types: what its value may be, MK_JSON_*
 * @set: checks the value and puts it into what the object describes
 */
struct mk_loader_key {
	const char *name;
	bool required;
	unsigned int types;
	int (*set)(struct mk_loader *l, const char *key, struct json_object *v,
		   void *dst);
};

struct mk_loader_keys {
	const struct mk_loader_key *key;
	size_t nr;
};

extern const struct mk_loader_keys mk_loader_cpus_keys;
extern const struct mk_loader_keys mk_loader_memory_keys;
extern const struct mk_loader_keys mk_loader_share_keys;
extern const struct mk_loader_keys mk_loader_grantee_keys;
extern const struct mk_loader_keys mk_loader_policy_keys;
extern const struct mk_loader_keys mk_loader_restart_keys;
extern const struct mk_loader_keys mk_loader_watchdog_keys;

int mk_loader_out_of_memory(struct mk_loader *l);
/** mk_loader_refuse() - the value of a key of the present object; NULL: that */
int mk_loader_refuse(struct mk_loader *l, const char *key, const char *fmt,
		     ...) __attribute__((format(printf, 3, 4)));
/** mk_loader_refuse_parsed() - passes on what a parser refused */
int mk_loader_refuse_parsed(struct mk_loader *l, const char *key,
			    const struct mk_error *why);
/** mk_loader_refuse_type() - the value of a key is not what it may be */
int mk_loader_refuse_type(struct mk_loader *l, const char *key,
			  unsigned int types, struct json_object *v);
/** mk_loader_enter() - go to a key's value; the result is for the leave */
size_t mk_loader_enter(struct mk_loader *l, const char *key);
void mk_loader_leave(struct mk_loader *l, size_t mark);
int mk_loader_read_object(struct mk_loader *l,
			  const struct mk_loader_keys *keys,
			  struct json_object *object, void *dst);

/* Setters of config_machine.c */
int mk_loader_set_cpus(struct mk_loader *l, const char *key,
		       struct json_object *v, void *dst);
int mk_loader_set_allow_split_core(struct mk_loader *l, const char *key,
				   struct json_object *v, void *dst);
int mk_loader_set_memory(struct mk_loader *l, const char *key,
			 struct json_object *v, void *dst);
/** mk_loader_get_number() - refuses what is not from @least to @most */
int mk_loader_get_number(struct mk_loader *l, const char *key,
			 struct json_object *v, unsigned int least,
			 unsigned int most, unsigned int *ret);

/* Setters of config_peers.c */
int mk_loader_set_channels(struct mk_loader *l, const char *key,
			   struct json_object *v, void *dst);
int mk_loader_set_shares(struct mk_loader *l, const char *key,
			 struct json_object *v, void *dst);
int mk_loader_set_references(struct mk_loader *l, const char *key,
			     struct json_object *v, void *dst);

/* Setter of config_policy.c */
int mk_loader_set_policy(struct mk_loader *l, const char *key,
			 struct json_object *v, void *dst);

#endif /* MK_SPAWN_CONFIG_LOADER_H */
