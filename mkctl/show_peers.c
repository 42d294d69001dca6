// SPDX-License-Identifier: GPL-2.0-only
/*
 * The part of show about other kernels: whom an instance may have channels
 * with, the counters of its rings, the shares that it owns or may attach.
 *
 * The kernel's counters are passed on as they come: a newer kernel may have
 * more of them.
 */
#include <string.h>

#include "pfn.h"
#include "show.h"

#define COUNTERS_MAX 4096 /* a page of sysfs */

void show_peers_get(struct app *app, const char *name,
		    struct show_peers *ret_peers)
{
	char path[64 + MK_NAME_MAX];

	*ret_peers = (struct show_peers){ 0 };
	snprintf(path, sizeof(path),
		 "/sys/kernel/multikernel/instances/%s/counters", name);
	if (mk_ctx_read_text(app->ctx, path, COUNTERS_MAX,
			     &ret_peers->counters) < 0)
		ret_peers->counters = NULL;
	if (mk_share_list_get(app->ctx, &ret_peers->shares, NULL) < 0)
		ret_peers->shares = (struct mk_share_list){ 0 };
}

void show_peers_clear(struct show_peers *peers)
{
	free(peers->counters);
	mk_share_list_clear(&peers->shares);
}

/* Cuts one "NAME VALUE" line off @text; false at its end. */
static bool next_counter(const char **text, char name[64], uint64_t *ret_value)
{
	unsigned long long value;
	const char *line = *text;

	while (*line) {
		*text = line + strcspn(line, "\n");
		*text += **text == '\n';
		if (sscanf(line, "%63[a-z0-9_] %llu", name, &value) == 2) {
			*ret_value = value;
			return true;
		}
		line = *text;
	}
	return false;
}

static const struct mk_share_holder *holder_of(const struct mk_share *share,
					       const char *name)
{
	for (uint32_t i = 0; i < share->get.nr_holders; i++)
		if (!strcmp(share->holders[i].name, name))
			return &share->holders[i];
	return NULL;
}

static struct json_object *channels_to_json(const struct mk_facts *facts)
{
	struct json_object *array = json_object_new_array();

	json_object_array_add(array, json_object_new_string(MK_PEER_HOST));
	for (size_t i = 0; i < facts->peers.nr_channels; i++)
		json_object_array_add(
			array,
			json_object_new_string(facts->peers.channels[i].name));
	return array;
}

static struct json_object *counters_to_json(const char *text)
{
	struct json_object *obj = json_object_new_object();
	uint64_t value;
	char name[64];

	while (next_counter(&text, name, &value))
		json_add_u64(obj, name, value);
	return obj;
}

void show_peers_to_json(const struct show_peers *peers, const char *name,
			const struct mk_facts *facts, struct json_object *obj)
{
	struct json_object *shares = json_object_new_array();

	for (size_t i = 0; i < peers->shares.nr_items; i++)
		if (holder_of(peers->shares.items[i], name))
			json_object_array_add(
				shares,
				pfn_to_json(peers->shares.items[i], false));
	json_object_object_add(obj, "channels",
			       facts ? channels_to_json(facts) : NULL);
	json_add_string(obj, "references",
			facts ? mk_references_name(facts->peers.references)
			      : NULL);
	json_object_object_add(obj, "shares", shares);
	json_object_object_add(
		obj, "counters",
		peers->counters ? counters_to_json(peers->counters) : NULL);
}

static void print_channels(const struct mk_facts *facts)
{
	printf("  channels:   %s", MK_PEER_HOST);
	for (size_t i = 0; i < facts->peers.nr_channels; i++)
		printf(", %s", facts->peers.channels[i].name);
	printf("\n");
}

static void print_share(const struct mk_share *share,
			const struct mk_share_holder *holder)
{
	char size[MK_SIZE_TEXT_MAX];

	printf("    ");
	put_visible(stdout, share->get.name[0] ? share->get.name : "-");
	printf("  %s, ", mk_size_format(share->get.bytes, size));
	if (holder->flags & MK_HOLDER_OWNER)
		printf("its own");
	else
		printf("%s%s, of %s",
		       holder->flags & MK_HOLDER_REVOKED ? "revoked " : "",
		       mk_rights_name(holder->rights), share->holders[0].name);
	printf(", attached %u times", holder->attached);
	if (share->get.kind != MK_SHARE_POOL)
		printf(", %s", mk_share_kind_name(share->get.kind));
	if (share->get.state != MK_SHARE_LIVE)
		printf(", %s", mk_share_state_name(share->get.state));
	printf("\n");
}

static void print_shares(const struct mk_share_list *list, const char *name)
{
	const struct mk_share_holder *holder;
	bool first = true;

	for (size_t i = 0; i < list->nr_items; i++) {
		holder = holder_of(list->items[i], name);
		if (!holder)
			continue;
		if (first)
			printf("  shares:\n");
		first = false;
		print_share(list->items[i], holder);
	}
	if (first)
		printf("  shares:     none\n");
}

static void print_counters(const char *text)
{
	uint64_t value;
	char name[64];

	printf("  counters:   of its rings with the host, as the host counts\n");
	while (next_counter(&text, name, &value))
		printf("    %-22s %llu\n", name, (unsigned long long)value);
}

void show_peers_print(const struct show_peers *peers, const char *name,
		      const struct mk_facts *facts)
{
	if (facts)
		print_channels(facts);
	print_shares(&peers->shares, name);
	/* One that never ran has none. */
	if (peers->counters && peers->counters[0])
		print_counters(peers->counters);
}
