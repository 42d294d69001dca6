/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The config file: JSON in, checked instances out.
 *
 * What the file may say is in configs/schema/mkctl-1.json. The loader checks
 * everything that can be checked without looking at the machine.
 */
#ifndef MK_SPAWN_CONFIG_H
#define MK_SPAWN_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <mk/spawn.h>

#define MK_CONFIG_SCHEMA	"mkctl/1"
#define MK_CONFIG_MAX		0x100000	/* bytes of a file: 1 MiB */
#define MK_CONFIG_NODES		MK_MAX_RANGES	/* that one key may name */
#define MK_CONFIG_NODE_MAX	1023		/* Linux has at most 1024 */
#define MK_CONFIG_SHARES	64		/* that one instance may name */
#define MK_CONFIG_GRANTEES	(MK_SHARE_HOLDERS_MAX - 1) /* of one share */
#define MK_CONFIG_SHARE_ALIGN	4096
#define MK_CONFIG_RESTARTS	1000000		/* in a row */
#define MK_CONFIG_SECONDS	1000000		/* of a policy */

/** struct mk_nodes - NUMA nodes, none twice; none at all: any node will do */
struct mk_nodes {
	uint32_t node[MK_CONFIG_NODES];
	size_t nr;
};

/**
 * struct mk_config - one instance as its file wants it
 * @name: valid by mk_name_valid()
 * @kernel: path, absolute or as the config file's folder makes it
 * @initrd: likewise; NULL for none
 * @cmdline: never NULL, and without mk_shared_memory=
 * @cpus: Linux CPU numbers, none twice, none 0; the first one boots. NULL: to
 *	be chosen (mk_choose_cpus())
 * @nr_cpus: at least 1, at most MK_MAX_CPUS
 * @cpu_nodes: where to choose them; none when @cpus names them
 * @allow_split_core: SMT siblings may stay with the host or with others
 * @memory_bytes: a multiple of MK_MEMORY_ALIGN, at least MK_MEMORY_MIN
 * @memory_nodes: where it is to be; see mk_config_memory_parts()
 * @peers: whom it may talk to, what it shares
 * @policy: what is done when it ends or hangs
 */
struct mk_config {
	char name[MK_NAME_MAX];
	char *kernel;
	char *initrd;
	char *cmdline;
	unsigned int *cpus;
	size_t nr_cpus;
	struct mk_nodes cpu_nodes;
	bool allow_split_core;
	uint64_t memory_bytes;
	struct mk_nodes memory_nodes;
	struct mk_wanted_peers peers;
	struct mk_policy policy;
};

/**
 * struct mk_config_file - a loaded file
 * @path: as given to mk_config_load()
 * @instances: in the order of the file, no name twice
 * @nr_instances: at least 1
 */
struct mk_config_file {
	char *path;
	struct mk_config *instances;
	size_t nr_instances;
};

/**
 * mk_config_load() - read and check a config file
 * @path: the file; paths in it are relative to its folder
 * @ret: the result, for mk_config_file_free(); written only on success
 * @err: filled on a refusal, or NULL
 *
 * A refusal has code MK_ERR_CONFIG and the object "FILE:LINE: /json/pointer"
 * of the value it is about, "FILE:LINE:COLUMN" for a syntax error, or "FILE"
 * when the file could not be read. Out of memory is MK_ERR_FAILED.
 *
 * Returns: 0, -EINVAL for a file that says something wrong, -EFBIG for one
 * beyond MK_CONFIG_MAX, -ENOMEM, or -errno of reading it.
 */
int mk_config_load(const char *path, struct mk_config_file **ret,
		   struct mk_error *err)
	__attribute__((warn_unused_result));

/** mk_config_file_free() - free what mk_config_load() gave; NULL is fine */
void mk_config_file_free(struct mk_config_file *file);

/**
 * mk_config_memory_parts() - the memory of an instance, node by node
 *
 * Returns: how many parts were written, at least 1. Each is a multiple of
 * MK_MEMORY_ALIGN and not 0.
 */
size_t mk_config_memory_parts(const struct mk_config *config,
			      struct mk_memory_part parts[MK_CONFIG_NODES]);

/**
 * mk_config_nodes_text() - " on node 0", " on nodes 0,1", "" for any
 * mk_config_cpus_text() - what was asked for: "2-3,6", "2 on node 0"
 * mk_config_memory_text() - likewise: "256M on nodes 0,1"
 *
 * For people. The caller frees; NULL when out of memory.
 */
char *mk_config_nodes_text(const struct mk_nodes *nodes);
char *mk_config_cpus_text(const struct mk_config *config);
char *mk_config_memory_text(const struct mk_config *config);

/**
 * struct mk_config_key - a key that an object of the file may have
 * @types: what its value may be: bits by enum json_type
 */
struct mk_config_key {
	const char *name;
	bool required;
	unsigned int types;
};

/**
 * mk_config_key() - the keys that an object may have
 * @object: "instance", "cpus", "memory", "share", "grantee", "policy",
 *	"restart" or "watchdog"
 * @i: counts from 0
 *
 * Returns: 0, or -ENOENT beyond the last. For comparing the loader with the
 * JSON Schema.
 */
int mk_config_key(const char *object, size_t i, struct mk_config_key *ret);

#endif /* MK_SPAWN_CONFIG_H */
