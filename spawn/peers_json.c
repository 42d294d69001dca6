// SPDX-License-Identifier: GPL-2.0-only
/*
 * Channels and shares in state files: written as the config says them, but in
 * bytes and with every owner. What is read is checked like a config, because a
 * start makes shares of it.
 */
#include <string.h>

#include "config.h"
#include "parse.h"
#include "peers_json.h"

static struct json_object *grant_to_json(const struct mk_wanted_grant *grant)
{
	struct json_object *obj = json_object_new_object();

	json_object_object_add(obj, "peer",
			       json_object_new_string(grant->peer));
	json_object_object_add(obj, "rights", json_object_new_string(
				       mk_rights_name(grant->rights)));
	return obj;
}

static struct json_object *share_to_json(const struct mk_wanted_share *share)
{
	struct json_object *obj = json_object_new_object();
	struct json_object *grants = json_object_new_array();

	json_object_object_add(obj, "name",
			       json_object_new_string(share->name));
	json_object_object_add(obj, "owner",
			       json_object_new_string(share->owner));
	json_object_object_add(obj, "bytes",
			       json_object_new_uint64(share->bytes));
	json_object_object_add(obj, "node", share->node == MK_NODE_ANY ? NULL :
			       json_object_new_int64(share->node));
	for (size_t i = 0; i < share->nr_grants; i++)
		json_object_array_add(grants, grant_to_json(&share->grants[i]));
	json_object_object_add(obj, "grantees", grants);
	return obj;
}

void mk_wanted_peers_to_json(const struct mk_wanted_peers *peers,
			     struct json_object *doc)
{
	struct json_object *channels = json_object_new_array();
	struct json_object *shares = json_object_new_array();

	for (size_t i = 0; i < peers->nr_channels; i++)
		json_object_array_add(channels, json_object_new_string(
					      peers->channels[i].name));
	for (size_t i = 0; i < peers->nr_shares; i++)
		json_object_array_add(shares, share_to_json(&peers->shares[i]));
	json_object_object_add(doc, "channels", channels);
	json_object_object_add(doc, "shares", shares);
	json_object_object_add(doc, "references", json_object_new_string(
				       mk_references_name(peers->references)));
}

/* A name into a field of MK_NAME_MAX bytes */
static int read_name(struct json_object *v, char *dst)
{
	const char *name;

	if (!json_object_is_type(v, json_type_string))
		return -EINVAL;
	name = json_object_get_string(v);
	if (!mk_name_valid(name))
		return -EINVAL;
	strcpy(dst, name);
	return 0;
}

/* The elements of an array, and zeroed room for them; none when it is missing */
static int read_array(struct json_object *doc, const char *key, size_t most,
		      size_t size, struct json_object **ret_array,
		      void *ret_room)
{
	struct json_object *array = json_object_object_get(doc, key);
	void *room;

	*ret_array = array;
	if (!array)
		return 0;
	if (!json_object_is_type(array, json_type_array) ||
	    json_object_array_length(array) > most)
		return -EINVAL;
	room = calloc(json_object_array_length(array) + 1, size);
	if (!room)
		return -ENOMEM;
	*(void **)ret_room = room;
	return (int)json_object_array_length(array);
}

static int read_grant(struct json_object *v, struct mk_wanted_grant *grant)
{
	const char *rights =
		json_object_get_string(json_object_object_get(v, "rights"));
	int r = read_name(json_object_object_get(v, "peer"), grant->peer);

	if (r < 0 || !rights)
		return -EINVAL;
	grant->rights = MK_RIGHT_READ;
	if (!strcmp(rights, "rw"))
		grant->rights |= MK_RIGHT_WRITE;
	else if (strcmp(rights, "ro"))
		return -EINVAL;
	return 0;
}

static int read_numbers(struct json_object *v, struct mk_wanted_share *share)
{
	struct json_object *node = json_object_object_get(v, "node");
	int64_t number = node ? json_object_get_int64(node) : -1;

	share->bytes = json_object_get_uint64(json_object_object_get(v,
								"bytes"));
	share->node = MK_NODE_ANY;
	if (node && (number < 0 || number > MK_CONFIG_NODE_MAX))
		return -EINVAL;
	if (node)
		share->node = (uint32_t)number;
	return share->bytes && share->bytes % MK_CONFIG_SHARE_ALIGN == 0 ?
	       0 : -EINVAL;
}

static int read_share(struct json_object *v, struct mk_wanted_share *share)
{
	struct json_object *grants;
	int n, r;

	if (!json_object_is_type(v, json_type_object))
		return -EINVAL;
	r = read_name(json_object_object_get(v, "name"), share->name);
	if (r == 0)
		r = read_name(json_object_object_get(v, "owner"),
			      share->owner);
	if (r == 0)
		r = read_numbers(v, share);
	if (r < 0)
		return r;
	n = read_array(v, "grantees", MK_CONFIG_GRANTEES,
		       sizeof(*share->grants), &grants, &share->grants);
	for (int i = 0; i < n && r == 0; i++) {
		r = read_grant(json_object_array_get_idx(grants, (size_t)i),
			       &share->grants[i]);
		share->nr_grants++;
	}
	return n < 0 ? n : r;
}

static int read_channels(struct json_object *doc, struct mk_wanted_peers *peers)
{
	struct json_object *channels;
	int r = 0, n = read_array(doc, "channels", MK_ALLOWED_MAX,
				  sizeof(*peers->channels), &channels,
				  &peers->channels);

	for (int i = 0; i < n && r == 0; i++) {
		r = read_name(json_object_array_get_idx(channels, (size_t)i),
			      peers->channels[i].name);
		peers->nr_channels++;
	}
	return n < 0 ? n : r;
}

static int read_shares(struct json_object *doc, struct mk_wanted_peers *peers)
{
	struct json_object *shares;
	int r = 0, n = read_array(doc, "shares", MK_CONFIG_SHARES,
				  sizeof(*peers->shares), &shares,
				  &peers->shares);

	for (int i = 0; i < n && r == 0; i++) {
		r = read_share(json_object_array_get_idx(shares, (size_t)i),
			       &peers->shares[i]);
		peers->nr_shares++;
	}
	return n < 0 ? n : r;
}

int mk_wanted_peers_from_json(struct json_object *doc,
			      struct mk_wanted_peers *ret_peers)
{
	struct json_object *references =
		json_object_object_get(doc, "references");
	int r = read_channels(doc, ret_peers);

	if (r == 0)
		r = read_shares(doc, ret_peers);
	if (r < 0 || !references)
		return r;
	return mk_references_parse(json_object_get_string(references),
				   &ret_peers->references);
}
