// SPDX-License-Identifier: GPL-2.0-only
/*
 * Distances between the NUMA nodes of an instance, from the host's sysfs:
 * /sys/devices/system/node/nodeN/distance has one number for each node that is
 * online, in the order of "online". Linux in the instance refuses all nodes if
 * one distance makes no sense, so each is checked here.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "distance.h"
#include "parse.h"

#define NODES		"/sys/devices/system/node"
#define TEXT_MAX	16384	/* bytes: 1024 nodes */
#define DISTANCE_MAX	254	/* 255 means unreachable */

static int compare(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a;
	uint32_t y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

/* All nodes of the instance, sorted, each once; room for one more is given. */
static size_t collect(const struct mk_instance *inst, uint32_t *nodes)
{
	size_t i, n = 0, nr = 0;

	for (i = 0; i < inst->get.nr_cpus; i++)
		nodes[n++] = inst->cpus[i].node;
	for (i = 0; i < inst->get.nr_ranges; i++)
		nodes[n++] = inst->ranges[i].node;
	qsort(nodes, n, sizeof(*nodes), compare);
	for (i = 0; i < n; i++)
		if (!nr || nodes[i] != nodes[nr - 1])
			nodes[nr++] = nodes[i];
	return nr;
}

static void fill_defaults(struct mk_distances *d)
{
	size_t from, to;

	for (from = 0; from < d->nr_nodes; from++)
		for (to = 0; to < d->nr_nodes; to++)
			d->table[from * d->nr_nodes + to] = from == to ?
				MK_DISTANCE_LOCAL : MK_DISTANCE_REMOTE;
}

static void set(struct mk_distances *d, size_t from, uint32_t node,
		unsigned int distance)
{
	const uint32_t *at = bsearch(&node, d->nodes, d->nr_nodes,
				     sizeof(node), compare);

	if (at && d->nodes[from] != node && distance > MK_DISTANCE_LOCAL &&
	    distance <= DISTANCE_MAX)
		d->table[from * d->nr_nodes + (size_t)(at - d->nodes)] =
			distance;
}

/* One row of the table out of one file of sysfs, if there is one */
static void read_row(struct mk_ctx *ctx, struct mk_distances *d, size_t from,
		     const unsigned int *online, size_t nr_online)
{
	mk_autofree char *text = NULL;
	unsigned int distance;
	char path[64];
	const char *s;
	size_t i;
	int len;

	snprintf(path, sizeof(path), NODES "/node%u/distance",
		 d->nodes[from]);
	if (mk_ctx_read_text(ctx, path, TEXT_MAX, &text) < 0)
		return;
	for (s = text, i = 0; i < nr_online; s += len, i++) {
		if (sscanf(s, "%u%n", &distance, &len) != 1)
			return;
		set(d, from, online[i], distance);
	}
}

static void read_table(struct mk_ctx *ctx, struct mk_distances *d)
{
	mk_autofree unsigned int *online = NULL;
	mk_autofree char *text = NULL;
	size_t from, nr_online;

	if (mk_ctx_read_text(ctx, NODES "/online", TEXT_MAX, &text) < 0 ||
	    mk_parse_cpulist(text, &online, &nr_online, NULL) < 0)
		return;
	for (from = 0; from < d->nr_nodes; from++)
		read_row(ctx, d, from, online, nr_online);
}

void mk_distances_clear(struct mk_distances *distances)
{
	free(distances->nodes);
	free(distances->table);
	*distances = (struct mk_distances){ 0 };
}

int mk_distances_get(struct mk_ctx *ctx, const struct mk_instance *inst,
		     struct mk_distances *ret, struct mk_error *err)
{
	struct mk_distances d = { 0 };

	d.nodes = calloc(inst->get.nr_cpus + inst->get.nr_ranges + 1,
			 sizeof(*d.nodes));
	if (d.nodes) {
		d.nr_nodes = collect(inst, d.nodes);
		d.table = calloc(d.nr_nodes * d.nr_nodes + 1,
				 sizeof(*d.table));
	}
	if (!d.table) {
		mk_distances_clear(&d);
		mk_error_set(err, MK_ERR_FAILED, NULL, "out of memory");
		return -ENOMEM;
	}
	fill_defaults(&d);
	read_table(ctx, &d);
	*ret = d;
	return 0;
}
