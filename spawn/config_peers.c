// SPDX-License-Identifier: GPL-2.0-only
/*
 * The config's keys about other kernels: channels, shares, references.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <mk/spawn.h>

#include "config_loader.h"
#include "parse.h"

#define SHARE_FORM	"{\"name\": ..., \"size\": ..., \"grantees\": [...]}"

void mk_wanted_peers_clear(struct mk_wanted_peers *peers)
{
	for (size_t i = 0; i < peers->nr_shares; i++)
		free(peers->shares[i].grants);
	free(peers->shares);
	free(peers->channels);
	*peers = (struct mk_wanted_peers){ 0 };
}

static const char *const references_names[] = {
	[MK_REFERENCES_MOVE] = "move",
	[MK_REFERENCES_WAIT] = "wait",
};

const char *mk_references_name(enum mk_references references)
{
	return references_names[references];
}

int mk_references_parse(const char *name, enum mk_references *ret_references)
{
	for (size_t i = 0; i < MK_ARRAY_SIZE(references_names); i++) {
		if (strcmp(name, references_names[i]))
			continue;
		*ret_references = (enum mk_references)i;
		return 0;
	}
	return -EINVAL;
}

/* An instance or the host; @dst has room for MK_NAME_MAX. */
static int get_peer(struct mk_loader *l, const char *key,
		    struct json_object *v, char *dst)
{
	const char *name;
	int rc;

	if (!json_object_is_type(v, json_type_string))
		return mk_loader_refuse_type(l, key, MK_JSON_STRING, v);
	name = json_object_get_string(v);
	if (!mk_name_valid(name)) {
		rc = mk_loader_refuse(l, key,
				      "expected the name of an instance, found \"%s\"",
				      name);
		mk_error_hint(l->err,
			      "a name, or \"%s\": 1 to %d of a-z 0-9 _ . - with a letter or digit first",
			      MK_PEER_HOST, MK_NAME_MAX - 1);
		return rc;
	}
	strcpy(dst, name);
	return 0;
}

/* Refuses an array that is too long; makes room for its elements. */
static int make_room(struct mk_loader *l, const char *key,
		     struct json_object *v, size_t most, const char *what,
		     size_t size, void *ret_room)
{
	size_t n = json_object_array_length(v);
	void *room;

	if (n > most)
		return mk_loader_refuse(l, key,
					"expected at most %zu %ss, found %zu",
					most, what, n);
	room = calloc(n ? n : 1, size);
	if (!room)
		return mk_loader_out_of_memory(l);
	*(void **)ret_room = room;
	return 0;
}

static int add_channel(struct mk_loader *l, const char *key,
		       struct json_object *v, struct mk_config *c,
		       bool *host_named)
{
	struct mk_wanted_peers *peers = &c->peers;
	struct mk_peer_name peer;
	bool twice = false;
	int rc;

	rc = get_peer(l, key, v, peer.name);
	if (rc)
		return rc;
	if (!strcmp(peer.name, c->name))
		return mk_loader_refuse(l, key,
					"\"%s\" is this instance itself",
					peer.name);
	if (!strcmp(peer.name, MK_PEER_HOST)) {
		twice = *host_named;
		*host_named = true;
	}
	for (size_t i = 0; i < peers->nr_channels; i++)
		twice |= !strcmp(peers->channels[i].name, peer.name);
	if (twice)
		return mk_loader_refuse(l, key, "\"%s\" is twice", peer.name);
	/* With the host every instance may have channels. */
	if (strcmp(peer.name, MK_PEER_HOST))
		peers->channels[peers->nr_channels++] = peer;
	return 0;
}

int mk_loader_set_channels(struct mk_loader *l, const char *key,
			   struct json_object *v, void *dst)
{
	struct mk_config *c = dst;
	bool host_named = false;
	char index[24];
	size_t mark;
	int rc;

	/* One more, should "host" be among them: it is not counted. */
	rc = make_room(l, key, v, MK_ALLOWED_MAX + 1, "name",
		       sizeof(*c->peers.channels), &c->peers.channels);
	if (rc)
		return rc;
	mark = mk_loader_enter(l, key);
	for (size_t i = 0; !rc && i < json_object_array_length(v); i++) {
		snprintf(index, sizeof(index), "%zu", i);
		rc = add_channel(l, index, json_object_array_get_idx(v, i), c,
				 &host_named);
	}
	mk_loader_leave(l, mark);
	if (!rc && c->peers.nr_channels > MK_ALLOWED_MAX)
		rc = mk_loader_refuse(l, key,
				      "expected at most %d instances, found %zu",
				      MK_ALLOWED_MAX, c->peers.nr_channels);
	return rc;
}

static int set_peer(struct mk_loader *l, const char *key, struct json_object *v,
		    void *dst)
{
	return get_peer(l, key, v, ((struct mk_wanted_grant *)dst)->peer);
}

static int set_rights(struct mk_loader *l, const char *key,
		      struct json_object *v, void *dst)
{
	const char *rights = json_object_get_string(v);
	struct mk_wanted_grant *grant = dst;
	int rc;

	if (!strcmp(rights, "ro"))
		grant->rights = MK_RIGHT_READ;
	else if (!strcmp(rights, "rw"))
		grant->rights = MK_RIGHT_READ | MK_RIGHT_WRITE;
	else {
		rc = mk_loader_refuse(l, key,
				      "expected \"ro\" or \"rw\", found \"%s\"",
				      rights);
		mk_error_hint(l->err, "\"ro\" to read only, \"rw\" to read and write");
		return rc;
	}
	return 0;
}

static const struct mk_loader_key grantee_keys[] = {
	{ "peer",	true,	MK_JSON_STRING,	set_peer },
	{ "rights",	true,	MK_JSON_STRING,	set_rights },
};

const struct mk_loader_keys mk_loader_grantee_keys = {
	grantee_keys, MK_ARRAY_SIZE(grantee_keys)
};

static int read_grantee(struct mk_loader *l, const char *index,
			struct json_object *v, struct mk_wanted_share *share)
{
	struct mk_wanted_grant *grant = &share->grants[share->nr_grants];
	size_t mark;
	int rc;

	if (!json_object_is_type(v, json_type_object))
		return mk_loader_refuse_type(l, index, MK_JSON_OBJECT, v);
	mark = mk_loader_enter(l, index);
	rc = mk_loader_read_object(l, &mk_loader_grantee_keys, v, grant);
	for (size_t i = 0; !rc && i < share->nr_grants; i++)
		if (!strcmp(share->grants[i].peer, grant->peer))
			rc = mk_loader_refuse(l, "peer", "\"%s\" is twice",
					      grant->peer);
	mk_loader_leave(l, mark);
	share->nr_grants++;
	return rc;
}

static int set_grantees(struct mk_loader *l, const char *key,
			struct json_object *v, void *dst)
{
	struct mk_wanted_share *share = dst;
	size_t n = json_object_array_length(v);
	char index[24];
	size_t mark;
	int rc;

	if (!n)
		return mk_loader_refuse(l, key,
					"expected at least one grantee");
	rc = make_room(l, key, v, MK_CONFIG_GRANTEES, "grantee",
		       sizeof(*share->grants), &share->grants);
	mark = mk_loader_enter(l, key);
	for (size_t i = 0; !rc && i < n; i++) {
		snprintf(index, sizeof(index), "%zu", i);
		rc = read_grantee(l, index, json_object_array_get_idx(v, i),
				  share);
	}
	mk_loader_leave(l, mark);
	return rc;
}

static int set_share_name(struct mk_loader *l, const char *key,
			  struct json_object *v, void *dst)
{
	const char *name = json_object_get_string(v);
	struct mk_wanted_share *share = dst;
	int rc;

	_Static_assert(MK_SHARE_NAME_MAX == MK_NAME_MAX, "one rule for both");
	if (!mk_name_valid(name)) {
		rc = mk_loader_refuse(l, key,
				      "expected a name for the share, found \"%s\"",
				      name);
		mk_error_hint(l->err,
			      "1 to %d of a-z 0-9 _ . - with a letter or digit first",
			      MK_SHARE_NAME_MAX - 1);
		return rc;
	}
	strcpy(share->name, name);
	return 0;
}

static int set_share_size(struct mk_loader *l, const char *key,
			  struct json_object *v, void *dst)
{
	const char *text = json_object_get_string(v);
	struct mk_error why = MK_ERROR_INIT;
	struct mk_wanted_share *share = dst;
	int rc;

	if (mk_parse_size(text, &share->bytes, &why))
		return mk_loader_refuse_parsed(l, key, &why);
	if (share->bytes && share->bytes % MK_CONFIG_SHARE_ALIGN == 0)
		return 0;
	rc = mk_loader_refuse(l, key,
			      "expected a multiple of %dK that is not 0, found \"%s\"",
			      MK_CONFIG_SHARE_ALIGN >> 10, text);
	mk_error_hint(l->err, "a share takes whole pieces of %dM of the pool",
		      MK_MEMORY_ALIGN >> 20);
	return rc;
}

static int set_owner(struct mk_loader *l, const char *key,
		     struct json_object *v, void *dst)
{
	return get_peer(l, key, v, ((struct mk_wanted_share *)dst)->owner);
}

static int set_share_node(struct mk_loader *l, const char *key,
			  struct json_object *v, void *dst)
{
	return mk_loader_get_number(l, key, v, 0, MK_CONFIG_NODE_MAX,
				    &((struct mk_wanted_share *)dst)->node);
}

static const struct mk_loader_key share_keys[] = {
	{ "name",	true,	MK_JSON_STRING,	set_share_name },
	{ "size",	true,	MK_JSON_STRING,	set_share_size },
	{ "owner",	false,	MK_JSON_STRING,	set_owner },
	{ "numa",	false,	MK_JSON_INT,	set_share_node },
	{ "grantees",	true,	MK_JSON_ARRAY,	set_grantees },
};

const struct mk_loader_keys mk_loader_share_keys = {
	share_keys, MK_ARRAY_SIZE(share_keys)
};

/* What needs the whole share, or the others of this instance. */
static int check_share(struct mk_loader *l, const struct mk_config *c,
		       const struct mk_wanted_share *share)
{
	char key[48];

	for (size_t i = 0; i < share->nr_grants; i++) {
		if (strcmp(share->grants[i].peer, share->owner))
			continue;
		/* A pointer, and no key with slashes in it. */
		snprintf(key, sizeof(key), "%zu", i);
		mk_loader_enter(l, "grantees");
		mk_loader_enter(l, key);
		return mk_loader_refuse(l, "peer",
					"\"%s\" is the owner, who needs no grant",
					share->owner);
	}
	for (size_t i = 0; &c->peers.shares[i] < share; i++)
		if (!strcmp(c->peers.shares[i].name, share->name))
			return mk_loader_refuse(l, "name",
						"\"%s\" is already the name of share %zu of this instance",
						share->name, i);
	return 0;
}

static int read_share(struct mk_loader *l, const char *index,
		      struct json_object *v, struct mk_config *c)
{
	struct mk_wanted_share *share = &c->peers.shares[c->peers.nr_shares];
	size_t mark;
	int rc;

	if (!json_object_is_type(v, json_type_object)) {
		rc = mk_loader_refuse_type(l, index, MK_JSON_OBJECT, v);
		mk_error_hint(l->err, SHARE_FORM);
		return rc;
	}
	c->peers.nr_shares++;
	share->node = MK_NODE_ANY;
	strcpy(share->owner, c->name);
	mark = mk_loader_enter(l, index);
	rc = mk_loader_read_object(l, &mk_loader_share_keys, v, share);
	if (!rc)
		rc = check_share(l, c, share);
	mk_loader_leave(l, mark);
	return rc;
}

int mk_loader_set_shares(struct mk_loader *l, const char *key,
			 struct json_object *v, void *dst)
{
	struct mk_config *c = dst;
	char index[24];
	size_t mark;
	int rc;

	rc = make_room(l, key, v, MK_CONFIG_SHARES, "share",
		       sizeof(*c->peers.shares), &c->peers.shares);
	mark = mk_loader_enter(l, key);
	for (size_t i = 0; !rc && i < json_object_array_length(v); i++) {
		snprintf(index, sizeof(index), "%zu", i);
		rc = read_share(l, index, json_object_array_get_idx(v, i), c);
	}
	mk_loader_leave(l, mark);
	return rc;
}

int mk_loader_set_references(struct mk_loader *l, const char *key,
			     struct json_object *v, void *dst)
{
	const char *text = json_object_get_string(v);
	struct mk_config *c = dst;
	int rc;

	if (!mk_references_parse(text, &c->peers.references))
		return 0;
	rc = mk_loader_refuse(l, key,
			      "expected \"move\" or \"wait\", found \"%s\"",
			      text);
	mk_error_hint(l->err, "\"move\": started again in other memory while frames of the boot before are attached elsewhere; \"wait\": not before they are detached");
	return rc;
}
