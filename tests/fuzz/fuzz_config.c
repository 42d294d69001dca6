// SPDX-License-Identifier: GPL-2.0-only
/*
 * libFuzzer target: the config loader, from the bytes of a file to the checked
 * instances.
 *
 * What must hold of every input: a refusal says where and why, and what is
 * accepted keeps every promise of spawn/config.h.
 */
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "../../spawn/config.h"
#include "../../spawn/json_scan.h"
#include "../../spawn/parse.h"

#define must(cond)						\
	do {							\
		if (!(cond)) {					\
			fprintf(stderr, "broken: %s\n", #cond);	\
			abort();				\
		}						\
	} while (0)

static void check_nodes(const struct mk_nodes *nodes)
{
	must(nodes->nr <= MK_CONFIG_NODES);
	for (size_t i = 0; i < nodes->nr; i++) {
		must(nodes->node[i] <= MK_CONFIG_NODE_MAX);
		for (size_t j = 0; j < i; j++)
			must(nodes->node[i] != nodes->node[j]);
	}
}

static void check_parts(const struct mk_config *c)
{
	struct mk_memory_part parts[MK_CONFIG_NODES];
	size_t nr = mk_config_memory_parts(c, parts);
	uint64_t bytes = 0;

	must(nr >= 1 && nr <= MK_CONFIG_NODES);
	for (size_t i = 0; i < nr; i++) {
		must(parts[i].bytes && parts[i].bytes % MK_MEMORY_ALIGN == 0);
		bytes += parts[i].bytes;
	}
	must(bytes == c->memory_bytes);
}

static void check_share(const struct mk_wanted_share *share)
{
	must(mk_name_valid(share->name));
	must(mk_name_valid(share->owner));
	must(share->bytes && share->bytes % MK_CONFIG_SHARE_ALIGN == 0);
	must(share->node <= MK_CONFIG_NODE_MAX || share->node == MK_NODE_ANY);
	must(share->nr_grants >= 1);
	must(share->nr_grants <= MK_CONFIG_GRANTEES);
	for (size_t i = 0; i < share->nr_grants; i++) {
		must(mk_name_valid(share->grants[i].peer));
		must(strcmp(share->grants[i].peer, share->owner));
		must(share->grants[i].rights & MK_RIGHT_READ);
		for (size_t j = 0; j < i; j++)
			must(strcmp(share->grants[i].peer,
				    share->grants[j].peer));
	}
}

static void check_peers(const struct mk_config *c)
{
	const struct mk_wanted_peers *peers = &c->peers;

	must(peers->nr_channels <= MK_ALLOWED_MAX);
	for (size_t i = 0; i < peers->nr_channels; i++) {
		must(mk_name_valid(peers->channels[i].name));
		must(strcmp(peers->channels[i].name, c->name));
		must(strcmp(peers->channels[i].name, MK_PEER_HOST));
		for (size_t j = 0; j < i; j++)
			must(strcmp(peers->channels[i].name,
				    peers->channels[j].name));
	}
	must(peers->nr_shares <= MK_CONFIG_SHARES);
	for (size_t i = 0; i < peers->nr_shares; i++) {
		check_share(&peers->shares[i]);
		for (size_t j = 0; j < i; j++)
			must(strcmp(peers->shares[i].name,
				    peers->shares[j].name));
	}
}

static void check_instance(const struct mk_config *c)
{
	must(mk_name_valid(c->name) && strcmp(c->name, MK_PEER_HOST));
	check_peers(c);
	must(c->kernel && *c->kernel);
	must(!c->initrd || *c->initrd);
	must(c->cmdline);
	must(c->nr_cpus >= 1 && c->nr_cpus <= MK_MAX_CPUS);
	for (size_t i = 0; c->cpus && i < c->nr_cpus; i++)
		must(c->cpus[i]);
	must(!c->cpus || !c->cpu_nodes.nr);
	check_nodes(&c->cpu_nodes);
	check_nodes(&c->memory_nodes);
	check_parts(c);
	must(c->memory_bytes >= MK_MEMORY_MIN);
	must(c->memory_bytes % MK_MEMORY_ALIGN == 0);
}

static void check_file(const struct mk_config_file *file)
{
	must(file->nr_instances >= 1);
	must(file->nr_instances <= MK_MAX_INSTANCES);
	for (size_t i = 0; i < file->nr_instances; i++) {
		check_instance(&file->instances[i]);
		for (size_t j = 0; j < i; j++)
			must(strcmp(file->instances[i].name,
				    file->instances[j].name));
	}
}

static void check_visible(const char *s)
{
	must(mk_json_utf8_end(s, strlen(s)) == strlen(s));
	for (; *s; s++)
		must(((unsigned char)*s >= 0x20 || *s == '\t') &&
		     *s != 0x7f);
}

static void check_error(const struct mk_error *err, int rc, const char *path)
{
	must(rc == -EINVAL || rc == -EFBIG);
	must(err->code == MK_ERR_CONFIG);
	must(!strncmp(err->object, path, strlen(path)));
	must(err->message[0]);
	check_visible(err->object);
	check_visible(err->message);
	check_visible(err->hint);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct mk_config_file *file = NULL;
	struct mk_error err = MK_ERROR_INIT;
	int fd = memfd_create("config", MFD_CLOEXEC);
	char path[64];
	int rc;

	must(fd >= 0);
	must(write(fd, data, size) == (ssize_t)size);
	must(!lseek(fd, 0, SEEK_SET));
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	rc = mk_config_load(path, &file, &err);
	close(fd);
	must(!rc == !!file);
	if (rc)
		check_error(&err, rc, path);
	else
		check_file(file);
	mk_config_file_free(file);
	return 0;
}
