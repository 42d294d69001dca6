// SPDX-License-Identifier: GPL-2.0-only
/*
 * Unit tests of spawn/config_peers.c: channels, shares and references, what is
 * accepted and every refusal with its place, message and hint.
 */
#include <stdlib.h>

#include "config_text.h"

#define WEB	"{\"name\":\"web\"," REST ",\n"

static struct mk_config_file *load_web(const char *rest)
{
	struct mk_config_file *file = NULL;
	struct mk_error err = MK_ERROR_INIT;
	char text[8192], path[64];

	snprintf(text, sizeof(text), WEB "%s}", rest);
	if (load_text(text, strlen(text), path, &file, &err))
		fail_msg("%s: %s: %s", text, err.object, err.message);
	return file;
}

static void refused_web(const char *rest, const char *where,
			const char *message, const char *hint)
{
	char text[16384], full[128];
	int n = snprintf(text, sizeof(text), WEB "%s}", rest);

	snprintf(full, sizeof(full), ":2: %s", where);
	refused_bytes(text, (size_t)n, full, message, hint);
}

static void test_left_out(void **state)
{
	autoconfig struct mk_config_file *none = load_web("\"cmdline\":\"\"");
	autoconfig struct mk_config_file *empty =
		load_web("\"channels\":[],\"shares\":[]");
	const struct mk_wanted_peers *peers = &none->instances->peers;

	(void)state;
	assert_int_equal(peers->nr_channels + peers->nr_shares, 0);
	assert_int_equal(peers->references, MK_REFERENCES_MOVE);
	peers = &empty->instances->peers;
	assert_int_equal(peers->nr_channels + peers->nr_shares, 0);
}

static void test_channels(void **state)
{
	autoconfig struct mk_config_file *file =
		load_web("\"channels\":[\"db\",\"host\",\"a.b-c_0\"]");
	const struct mk_wanted_peers *peers = &file->instances->peers;

	(void)state;
	assert_int_equal(peers->nr_channels, 2);
	assert_string_equal(peers->channels[0].name, "db");
	assert_string_equal(peers->channels[1].name, "a.b-c_0");
}

/* "p0", "p1", ...: @nr names, perhaps with that of the host. */
static void many_channels(char *dst, unsigned int nr, bool host)
{
	int n = sprintf(dst, "\"channels\":[%s", host ? "\"host\"" : "");

	for (unsigned int i = 0; i < nr; i++)
		n += sprintf(dst + n, "%s\"p%u\"", i || host ? "," : "", i);
	sprintf(dst + n, "]");
}

static void test_channels_limit(void **state)
{
	autoconfig struct mk_config_file *file = NULL;
	char text[4096];

	(void)state;
	many_channels(text, MK_ALLOWED_MAX, true);
	file = load_web(text);
	assert_int_equal(file->instances->peers.nr_channels, MK_ALLOWED_MAX);
	many_channels(text, MK_ALLOWED_MAX + 1, false);
	refused_web(text, "/channels",
		    "expected at most 64 instances, found 65", NULL);
	many_channels(text, MK_ALLOWED_MAX + 1, true);
	refused_web(text, "/channels", "expected at most 65 names, found 66",
		    NULL);
}

static void test_channels_refused(void **state)
{
	static const char *const cases[][4] = {
		{ "[\"db\",\"web\"]", "/channels/1",
		  "\"web\" is this instance itself", "" },
		{ "[\"db\",\"db\"]", "/channels/1", "\"db\" is twice", "" },
		{ "[\"host\",\"db\",\"host\"]", "/channels/2",
		  "\"host\" is twice", "" },
		{ "[\"Host\"]", "/channels/0",
		  "expected the name of an instance, found \"Host\"",
		  "a name, or \"host\": 1 to 31 of a-z 0-9" },
		{ "[\"\"]", "/channels/0",
		  "expected the name of an instance, found \"\"", "1 to 31" },
		{ "[\"../db\"]", "/channels/0", "expected the name of an instance",
		  "" },
		{ "[\"aaaaaaaaaabbbbbbbbbbccccccccccdd\"]", "/channels/0",
		  "expected the name of an instance", "1 to 31" },
		{ "[7]", "/channels/0", "expected a string, found a number",
		  "" },
		{ "[[\"db\"]]", "/channels/0",
		  "expected a string, found an array", "" },
		{ "[null]", "/channels/0", "expected a string, found null",
		  "" },
		{ "\"db\"", "/channels", "expected an array, found a string",
		  "" },
	};
	char rest[256];

	(void)state;
	for (size_t i = 0; i < MK_ARRAY_SIZE(cases); i++) {
		sprintf(rest, "\"channels\":%s", cases[i][0]);
		refused_web(rest, cases[i][1], cases[i][2], cases[i][3]);
	}
}

static void test_shares(void **state)
{
	autoconfig struct mk_config_file *file = load_web(
		"\"shares\":[{\"name\":\"buf\",\"size\":\"64M\",\"grantees\":["
		"{\"peer\":\"db\",\"rights\":\"ro\"},"
		"{\"rights\":\"rw\",\"peer\":\"host\"}]},"
		"{\"grantees\":[{\"peer\":\"web\",\"rights\":\"rw\"}],"
		"\"numa\":1,\"owner\":\"host\",\"size\":\"4096\","
		"\"name\":\"web\"}]");
	const struct mk_wanted_share *share = file->instances->peers.shares;

	(void)state;
	assert_int_equal(file->instances->peers.nr_shares, 2);
	assert_string_equal(share->name, "buf");
	assert_string_equal(share->owner, "web");
	assert_int_equal(share->bytes, 64 << 20);
	assert_int_equal(share->node, MK_NODE_ANY);
	assert_int_equal(share->nr_grants, 2);
	assert_string_equal(share->grants[0].peer, "db");
	assert_int_equal(share->grants[0].rights, MK_RIGHT_READ);
	assert_string_equal(share->grants[1].peer, "host");
	assert_int_equal(share->grants[1].rights,
			 MK_RIGHT_READ | MK_RIGHT_WRITE);
	share++;
	assert_string_equal(share->name, "web");
	assert_string_equal(share->owner, "host");
	assert_int_equal(share->bytes, 4096);
	assert_int_equal(share->node, 1);
	assert_string_equal(share->grants[0].peer, "web");
}

#define TO_DB	"\"grantees\":[{\"peer\":\"db\",\"rights\":\"ro\"}]"
#define BUF	"\"name\":\"buf\",\"size\":\"4M\""

static void test_shares_refused(void **state)
{
	static const char *const cases[][4] = {
		{ "{}", "/shares/0", "required key \"name\" is missing", "" },
		{ "{\"name\":\"b\"," TO_DB "}", "/shares/0",
		  "required key \"size\" is missing", "" },
		{ "{" BUF "}", "/shares/0",
		  "required key \"grantees\" is missing", "" },
		{ "\"buf\"", "/shares/0", "expected an object, found a string",
		  "{\"name\": ..., \"size\": ..., \"grantees\": [...]}" },
		{ "{" BUF "," TO_DB ",\"node\":1}", "/shares/0/node",
		  "unknown key \"node\"",
		  "did you mean \"name\"?" },
		{ "{" BUF "," TO_DB ",\"grantee\":1}", "/shares/0/grantee",
		  "unknown key \"grantee\"", "did you mean \"grantees\"?" },
		{ "{\"name\":\"\",\"size\":\"4M\"," TO_DB "}",
		  "/shares/0/name", "expected a name for the share, found \"\"",
		  "1 to 31 of a-z 0-9" },
		{ "{\"name\":\"a/b\",\"size\":\"4M\"," TO_DB "}",
		  "/shares/0/name", "expected a name for the share", "a-z" },
		{ "{\"name\":\"b\",\"size\":\"0\"," TO_DB "}", "/shares/0/size",
		  "expected a multiple of 4K that is not 0, found \"0\"",
		  "a share takes whole pieces of 2M of the pool" },
		{ "{\"name\":\"b\",\"size\":\"4097\"," TO_DB "}",
		  "/shares/0/size", "a multiple of 4K that is not 0, found "
		  "\"4097\"", "" },
		{ "{\"name\":\"b\",\"size\":\"2K\"," TO_DB "}",
		  "/shares/0/size", "found \"2K\"", "" },
		{ "{\"name\":\"b\",\"size\":\"4MB\"," TO_DB "}",
		  "/shares/0/size", "expected a size, found \"4MB\"", "256M" },
		{ "{\"name\":\"b\",\"size\":\"16777216T\"," TO_DB "}",
		  "/shares/0/size", "does not fit in 64 bits", "" },
		{ "{" BUF "," TO_DB ",\"owner\":\"Web\"}", "/shares/0/owner",
		  "expected the name of an instance, found \"Web\"", "" },
		{ "{" BUF "," TO_DB ",\"owner\":\"db\"}",
		  "/shares/0/grantees/0/peer",
		  "\"db\" is the owner, who needs no grant", "" },
		{ "{" BUF "," TO_DB ",\"numa\":1024}", "/shares/0/numa",
		  "expected a number from 0 to 1023, found 1024", "" },
		{ "{" BUF "," TO_DB ",\"numa\":[0]}", "/shares/0/numa",
		  "expected a whole number, found an array", "" },
		{ "{" BUF "," TO_DB "},{" BUF "," TO_DB "}", "/shares/1/name",
		  "\"buf\" is already the name of share 0 of this instance",
		  "" },
		{ "{" BUF ",\"grantees\":[]}", "/shares/0/grantees",
		  "expected at least one grantee", "" },
		{ "{" BUF ",\"grantees\":[\"db\"]}", "/shares/0/grantees/0",
		  "expected an object, found a string", "" },
		{ "{" BUF ",\"grantees\":[{\"peer\":\"db\"}]}",
		  "/shares/0/grantees/0", "required key \"rights\" is missing",
		  "" },
		{ "{" BUF ",\"grantees\":[{\"rights\":\"ro\"}]}",
		  "/shares/0/grantees/0", "required key \"peer\" is missing",
		  "" },
		{ "{" BUF ",\"grantees\":[{\"peer\":\"db\",\"rights\":\"wo\"}]}",
		  "/shares/0/grantees/0/rights",
		  "expected \"ro\" or \"rw\", found \"wo\"",
		  "\"ro\" to read only, \"rw\" to read and write" },
		{ "{" BUF ",\"grantees\":[{\"peer\":\"db \",\"rights\":\"ro\"}]}",
		  "/shares/0/grantees/0/peer",
		  "expected the name of an instance, found \"db \"", "" },
		{ "{" BUF ",\"grantees\":[{\"peer\":\"web\",\"rights\":\"ro\"}]}",
		  "/shares/0/grantees/0/peer",
		  "\"web\" is the owner, who needs no grant", "" },
		{ "{" BUF ",\"grantees\":[{\"peer\":\"db\",\"rights\":\"ro\"},"
		  "{\"peer\":\"db\",\"rights\":\"rw\"}]}",
		  "/shares/0/grantees/1/peer", "\"db\" is twice", "" },
	};
	char rest[512];

	(void)state;
	for (size_t i = 0; i < MK_ARRAY_SIZE(cases); i++) {
		sprintf(rest, "\"shares\":[%s]", cases[i][0]);
		refused_web(rest, cases[i][1], cases[i][2], cases[i][3]);
	}
}

static void test_shares_limits(void **state)
{
	char rest[8192];
	int n = sprintf(rest, "\"shares\":[");

	(void)state;
	for (unsigned int i = 0; i <= MK_CONFIG_SHARES; i++)
		n += sprintf(rest + n, "%s{\"name\":\"s%u\",\"size\":\"4K\","
			     TO_DB "}", i ? "," : "", i);
	sprintf(rest + n, "]");
	refused_web(rest, "/shares", "expected at most 64 shares, found 65",
		    NULL);

	n = sprintf(rest, "\"shares\":[{" BUF ",\"grantees\":[");
	for (unsigned int i = 0; i <= MK_CONFIG_GRANTEES; i++)
		n += sprintf(rest + n, "%s{\"peer\":\"p%u\",\"rights\":\"ro\"}",
			     i ? "," : "", i);
	sprintf(rest + n, "]}]");
	refused_web(rest, "/shares/0/grantees",
		    "expected at most 63 grantees, found 64", NULL);
}

static void test_references(void **state)
{
	autoconfig struct mk_config_file *move =
		load_web("\"references\":\"move\"");
	autoconfig struct mk_config_file *wait =
		load_web("\"references\":\"wait\"");

	(void)state;
	assert_int_equal(move->instances->peers.references,
			 MK_REFERENCES_MOVE);
	assert_int_equal(wait->instances->peers.references,
			 MK_REFERENCES_WAIT);
	assert_string_equal(mk_references_name(MK_REFERENCES_WAIT), "wait");
	refused_web("\"references\":\"stay\"", "/references",
		    "expected \"move\" or \"wait\", found \"stay\"",
		    "started again in other memory");
	refused_web("\"references\":true", "/references",
		    "expected a string, found true or false", NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_left_out),
		cmocka_unit_test(test_channels),
		cmocka_unit_test(test_channels_limit),
		cmocka_unit_test(test_channels_refused),
		cmocka_unit_test(test_shares),
		cmocka_unit_test(test_shares_refused),
		cmocka_unit_test(test_shares_limits),
		cmocka_unit_test(test_references),
	};

	return cmocka_run_group_tests_name("config_peers", tests, NULL, NULL);
}
