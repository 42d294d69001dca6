// SPDX-License-Identifier: GPL-2.0-only
/*
 * mkctl pool: the memory that instances get theirs from.
 */
#include <string.h>

#include "cmd.h"

static const struct option_desc options[] = {
	OPTION_JSON,
	OPTION_END
};

/* What one NUMA node has of the pool */
struct node_sum {
	uint32_t node;
	uint64_t bytes;
	uint64_t free_bytes;
	uint64_t largest_bytes;
	size_t nr_free;
};

static int compare_nodes(const void *a, const void *b)
{
	const struct node_sum *x = a;
	const struct node_sum *y = b;

	return (x->node > y->node) - (x->node < y->node);
}

static struct node_sum *sum_of(struct node_sum *sums, size_t *nr,
			       uint32_t node)
{
	size_t i;

	for (i = 0; i < *nr; i++)
		if (sums[i].node == node)
			return &sums[i];
	sums[*nr] = (struct node_sum){ .node = node };
	return &sums[(*nr)++];
}

/* One for each node that has a part of the pool, ascending; NULL: no memory. */
static struct node_sum *sum_up(const struct mk_pool_pieces *pool,
			       size_t *ret_nr)
{
	struct node_sum *sums, *sum;
	size_t i, nr = 0;

	sums = calloc(pool->nr_ranges + pool->nr_free + 1, sizeof(*sums));
	if (!sums)
		return NULL;
	for (i = 0; i < pool->nr_ranges; i++)
		sum_of(sums, &nr, pool->ranges[i].node)->bytes +=
			pool->ranges[i].bytes;
	for (i = 0; i < pool->nr_free; i++) {
		sum = sum_of(sums, &nr, pool->free[i].node);
		sum->free_bytes += pool->free[i].bytes;
		sum->nr_free++;
		if (pool->free[i].bytes > sum->largest_bytes)
			sum->largest_bytes = pool->free[i].bytes;
	}
	qsort(sums, nr, sizeof(*sums), compare_nodes);
	*ret_nr = nr;
	return sums;
}

static struct json_object *pieces_to_json(const struct mk_range *ranges,
					  size_t nr)
{
	struct json_object *array = json_object_new_array();
	struct json_object *obj;
	size_t i;

	for (i = 0; i < nr; i++) {
		obj = json_object_new_object();
		json_add_u64(obj, "node", ranges[i].node);
		json_add_u64(obj, "addr", ranges[i].addr);
		json_add_u64(obj, "bytes", ranges[i].bytes);
		json_object_array_add(array, obj);
	}
	return array;
}

static struct json_object *nodes_to_json(const struct node_sum *sums,
					 size_t nr)
{
	struct json_object *array = json_object_new_array();
	struct json_object *obj;
	size_t i;

	for (i = 0; i < nr; i++) {
		obj = json_object_new_object();
		json_add_u64(obj, "node", sums[i].node);
		json_add_u64(obj, "bytes", sums[i].bytes);
		json_add_u64(obj, "free_bytes", sums[i].free_bytes);
		json_add_u64(obj, "largest_free_bytes", sums[i].largest_bytes);
		json_add_u64(obj, "free_pieces", sums[i].nr_free);
		json_object_array_add(array, obj);
	}
	return array;
}

static void print_json(const struct app *app, const struct mk_info *info,
		       const struct mk_pool_pieces *pool,
		       const struct node_sum *sums, size_t nr)
{
	struct json_object *doc = json_document(app->verb);

	json_add_u64(doc, "pool_bytes", info->pool_bytes);
	json_add_u64(doc, "free_bytes", info->pool_free_bytes);
	json_add_u64(doc, "largest_free_bytes", info->pool_largest_bytes);
	json_add_u64(doc, "region_addr", info->region_addr);
	json_add_u64(doc, "region_bytes", info->region_bytes);
	json_add_u64(doc, "start_page", info->start_page);
	json_add_u64(doc, "instances", info->nr_instances);
	json_object_object_add(doc, "nodes", nodes_to_json(sums, nr));
	json_object_object_add(doc, "ranges",
			       pieces_to_json(pool->ranges, pool->nr_ranges));
	json_object_object_add(doc, "free",
			       pieces_to_json(pool->free, pool->nr_free));
	json_print(doc);
}

static void print_info(const struct mk_info *info)
{
	char text[MK_SIZE_TEXT_MAX];

	printf("pool:          %s", mk_size_format(info->pool_bytes, text));
	printf(" in %u piece%s\n", info->nr_pool_ranges,
	       info->nr_pool_ranges == 1 ? "" : "s");
	printf("free:          %s\n",
	       mk_size_format(info->pool_free_bytes, text));
	printf("largest piece: %s\n",
	       mk_size_format(info->pool_largest_bytes, text));
	printf("shared region: %s at %#llx\n",
	       mk_size_format(info->region_bytes, text),
	       (unsigned long long)info->region_addr);
	printf("start page:    %#llx\n", (unsigned long long)info->start_page);
	printf("instances:     %u\n", info->nr_instances);
}

static void print_node(const struct node_sum *sum)
{
	char size[MK_SIZE_TEXT_MAX];
	char free_size[MK_SIZE_TEXT_MAX];
	char largest[MK_SIZE_TEXT_MAX];

	printf("%-5u %8s %8s %8s %7zu\n", sum->node,
	       mk_size_format(sum->bytes, size),
	       mk_size_format(sum->free_bytes, free_size),
	       mk_size_format(sum->largest_bytes, largest), sum->nr_free);
}

static void print_free(const struct mk_range *range)
{
	char size[MK_SIZE_TEXT_MAX];

	printf("%-5u %8s  %#llx-%#llx\n", range->node,
	       mk_size_format(range->bytes, size),
	       (unsigned long long)range->addr,
	       (unsigned long long)(range->addr + range->bytes - 1));
}

static void print_text(const struct mk_info *info,
		       const struct mk_pool_pieces *pool,
		       const struct node_sum *sums, size_t nr)
{
	size_t i, j;

	print_info(info);
	printf("\n%-5s %8s %8s %8s %7s\n", "NODE", "POOL", "FREE", "LARGEST",
	       "PIECES");
	for (i = 0; i < nr; i++)
		print_node(&sums[i]);
	printf("\n%-5s %8s  %s\n", "NODE", "FREE", "ADDRESS");
	for (i = 0; i < nr; i++)
		for (j = 0; j < pool->nr_free; j++)
			if (pool->free[j].node == sums[i].node)
				print_free(&pool->free[j]);
}

static int show(struct app *app, struct mk_error *err)
{
	mk_autofree struct node_sum *sums = NULL;
	struct mk_pool_pieces pool;
	struct mk_info info;
	size_t nr;
	int r;

	r = mk_info_get_host(app->ctx, &info, err);
	if (r < 0)
		return r;
	r = mk_pool_get(app->ctx, &pool, err);
	if (r < 0)
		return r;
	sums = sum_up(&pool, &nr);
	if (!sums) {
		mk_error_set(err, MK_ERR_FAILED, NULL, "out of memory");
		r = -ENOMEM;
	} else if (app->opts.json) {
		print_json(app, &info, &pool, sums, nr);
	} else {
		print_text(&info, &pool, sums, nr);
	}
	mk_pool_clear(&pool);
	return r;
}

static int run(struct app *app, int argc, char **argv, struct mk_error *err)
{
	(void)argc;
	if (!strcmp(argv[0], "show"))
		return show(app, err);
	mk_error_set(err, MK_ERR_USAGE, NULL, "unknown command '%s'", argv[0]);
	return -EINVAL;
}

const struct command cmd_pool = {
	.name = "pool",
	.args = "show",
	.summary = "Show the memory that instances get theirs from",
	.options = options,
	.min_args = 1,
	.max_args = 1,
	.run = run,
};
