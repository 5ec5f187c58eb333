// SPDX-License-Identifier: BSD-3-Clause
// Records and keys of the store: what is written is read again, what is wrong is refused with the
// reason, what is unknown is passed over.
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/util.h"
#include "netd/record/record.h"
#include "tests/unit/addresses.h"

#define ID  "0123456789abcdef0123456789abcdef"
#define ID2 "fedcba9876543210fedcba9876543210"
#define EP  "v1/nets/" ID "/ep/10.1.0.2"
#define NET "v1/networks/web"

// ---- keys ----

static void test_keys(void **state)
{
	struct cidr block = cidr("10.1.0.16/28");
	struct ip_addr v6 = ip("fd00::2");
	char buf[RECORD_KEY_BYTES];
	struct record_key key;

	assert_string_equal(record_key_host(buf, "h1"), "v1/hosts/h1");
	record_key_parse(buf, &key);
	assert_int_equal(key.kind, RECORD_HOST);
	assert_string_equal(key.name, "h1");

	assert_string_equal(record_key_network(buf, "web"), NET);
	record_key_parse(buf, &key);
	assert_int_equal(key.kind, RECORD_NETWORK);
	assert_string_equal(key.name, "web");

	assert_string_equal(
		record_key_block(buf, ID, &block), "v1/nets/" ID "/blocks/10.1.0.16_28");
	record_key_parse(buf, &key);
	assert_int_equal(key.kind, RECORD_BLOCK);
	assert_string_equal(key.net, ID);
	assert_true(cidr_equal(&key.cidr, &block));

	assert_string_equal(record_key_endpoint(buf, ID, &v6), "v1/nets/" ID "/ep/fd00::2");
	record_key_parse(buf, &key);
	assert_int_equal(key.kind, RECORD_ENDPOINT);
	assert_string_equal(key.net, ID);
	assert_true(ip_equal(&key.cidr.ip, &v6));

	record_key_parse("v1/cluster", &key);
	assert_int_equal(key.kind, RECORD_CLUSTER);
	record_key_parse("v1/allocation", &key);
	assert_int_equal(key.kind, RECORD_ALLOCATION);
}

static void test_names(void **state)
{
	char name[NAME_BYTES + 1];

	memset(name, 'a', sizeof(name));
	name[NAME_BYTES - 1] = '\0';
	assert_true(record_name_is_valid(name));
	name[NAME_BYTES - 1] = 'a';
	name[NAME_BYTES] = '\0';
	assert_false(record_name_is_valid(name));
	assert_true(record_name_is_valid("_A.b-9"));
	assert_false(record_name_is_valid(""));
	assert_false(record_name_is_valid(".a"));
	assert_true(record_name_is_valid("a.b"));
	assert_false(record_name_is_valid("a..b"));
	assert_false(record_name_is_valid("x."));
	assert_false(record_name_is_valid("web@1"));
	assert_true(record_name_same("Web", "wEB"));
	assert_false(record_name_same("web", "web1"));
	assert_false(record_name_same("[", "{")); // as far from each other as letters
	assert_true(record_name_hash(1, "Web", 3) == record_name_hash(1, "web", 3));
	assert_false(record_name_hash(1, "Web", 3) == record_name_hash(1, "wex", 3));
}

static void test_unknown_keys(void **state)
{
	static const char *const keys[] = {
		"",
		"v1/",
		"v2/hosts/h1",
		"hosts/h1",
		"v1/hosts/",
		"v1/hosts/a/b",
		"v1/hosts/-a",
		"v1/hosts/.",
		"v1/hosts/a b",
		"v1/hosts/"
		"a123456789a123456789a123456789a123456789a123456789a123456789a123",
		"v1/networks/\xc3\xa4",
		"v1/clusters",
		"v1/nets/" ID,
		"v1/nets/" ID "/ep/",
		"v1/nets/" ID "/ep/10.1.0.02",
		"v1/nets/" ID "/ep/fd00::0002",
		"v1/nets/" ID "/ep/FD00::2",
		"v1/nets/" ID "/ep/10.1.0.2/24",
		"v1/nets/" ID "/blocks/10.1.0.1_28",
		"v1/nets/" ID "/blocks/10.1.0.16_028",
		"v1/nets/" ID "/blocks/10.1.0.16_33",
		"v1/nets/" ID "/blocks/10.1.0.16",
		"v1/nets/" ID "0/ep/10.1.0.2",
		"v1/nets/0123456789ABCDEF0123456789abcdef/ep/10.1.0.2",
		"v1/nets/short/ep/10.1.0.2",
	};
	struct record_key key;

	for (unsigned i = 0; i < ARRAY_SIZE(keys); i++) {
		record_key_parse(keys[i], &key);
		if (key.kind != RECORD_UNKNOWN)
			fail_msg("taken as %d: %s", key.kind, keys[i]);
	}
}

// ---- round trips ----

static void test_host(void **state)
{
	struct host_record rec = {.name = "h1",
				   .id = ID,
				   .vtep = ip("192.0.2.1"),
				   .udp_port = 4789,
				   .mtu = 1500,
				   .epoch = INT64_MAX},
			   back;
	char *text = host_record_print(&rec);
	struct err err = {0};

	assert_non_null(strstr(text, "\"v\":1"));
	assert_int_equal(host_record_parse("v1/hosts/h1", text, strlen(text), &back, &err), 0);
	assert_string_equal(back.name, rec.name);
	assert_string_equal(back.id, rec.id);
	assert_true(ip_equal(&back.vtep, &rec.vtep));
	assert_int_equal(back.udp_port, 4789);
	assert_int_equal(back.mtu, 1500);
	assert_int_equal(back.epoch, INT64_MAX);
	assert_int_equal(
		host_record_parse("v1/hosts/h2", text, strlen(text), &back, &err), -EBADMSG);
	assert_string_equal(err.path, "v1/hosts/h2");
	assert_non_null(strstr(err.reason, "h1"));
	free(text);
}

static void test_block(void **state)
{
	struct block_record rec = {.cidr = cidr("10.1.0.16/28"), .owner = "h1", .epoch = 7}, back;
	const char *key = "v1/nets/" ID "/blocks/10.1.0.16_28";
	char *text = block_record_print(&rec);
	struct err err = {0};

	assert_int_equal(block_record_parse(key, text, strlen(text), &back, &err), 0);
	assert_true(cidr_equal(&back.cidr, &rec.cidr));
	assert_string_equal(back.owner, "h1");
	assert_int_equal(back.epoch, 7);
	free(text);

	rec.owner[0] = '\0';
	text = block_record_print(&rec);
	assert_int_equal(block_record_parse(key, text, strlen(text), &back, &err), 0);
	assert_string_equal(back.owner, "");
	assert_int_equal(block_record_parse("v1/nets/" ID "/blocks/10.1.0.32_28", text,
				 strlen(text), &back, &err),
		-EBADMSG);
	free(text);
}

static void test_cluster(void **state)
{
	struct cluster_record rec = {.id = ID}, back;
	char *text = cluster_record_print(&rec), *counter = allocation_record_print(3);
	struct err err = {0};

	assert_int_equal(cluster_record_parse("v1/cluster", text, strlen(text), &back, &err), 0);
	assert_string_equal(back.id, ID);
	assert_string_equal(counter, "{\"v\":1,\"seq\":3}");
	free(text);
	free(counter);
}

static const char full_network[] =
	"{\"v\":1,\"name\":\"web\",\"id\":\"" ID "\",\"driver\":\"overlay\",\"vni\":4097,"
	"\"ipv6\":true,\"internal\":true,\"subnets\":[{\"subnet\":\"10.1.0.0/16\","
	"\"range\":\"10.1.2.0/24\",\"gateway\":\"10.1.0.1\",\"aux\":{\"r1\":\"10.1.0.5\","
	"\"a2\":\"10.1.0.6\"}},{\"subnet\":\"fd00::/64\",\"block_prefix\":112}],"
	"\"dns\":[\"10.9.0.1\",\"[fd09::1]:5353\"],\"labels\":{\"k\":\"v\"},"
	"\"options\":{\"mtu\":\"1400\"},\"created\":\"2024-01-01T00:00:00Z\"}";

static void test_network(void **state)
{
	struct network_record rec, copy;
	struct err err = {0};
	char *text;

	assert_int_equal(
		network_record_parse(NET, full_network, strlen(full_network), &rec, &err), 0);
	assert_int_equal(rec.vni, 4097);
	assert_int_equal(rec.nb_subnets, 2);
	assert_int_equal(rec.subnets[0].range.prefix, 24);
	assert_int_equal(rec.subnets[0].nb_aux, 2);
	assert_string_equal(rec.subnets[0].aux[1].name, "a2");
	assert_true(cidr_equal(&rec.subnets[1].range, &rec.subnets[1].cidr));
	assert_int_equal(rec.subnets[1].gateway.family, 0);
	assert_int_equal(rec.nb_dns, 2);
	assert_int_equal(rec.dns[0].port, 0);
	assert_int_equal(rec.dns[1].port, 5353);

	assert_int_equal(network_record_copy(&rec, &copy), 0);
	network_record_fini(&rec);
	text = network_record_print(&copy);
	assert_string_equal(text, full_network);
	network_record_fini(&copy);
	free(text);
}

static const char full_endpoint[] =
	"{\"v\":1,\"id\":\"" ID2 "\",\"name\":\"c1\",\"host\":\"h1\","
	"\"ips\":[\"10.1.0.2/16\",\"fd00::2/64\"],\"mac\":\"02:42:0a:01:00:02\","
	"\"aliases\":[\"db\",\"db.local\"],\"static\":true,\"epoch\":5,\"seq\":9,"
	"\"sandbox\":\"/var/run/netns/c1\",\"ifname\":\"eth0\",\"options\":{\"a\":\"b\"},"
	"\"created\":\"2024-01-01T00:00:00Z\"}";

static void test_endpoint(void **state)
{
	struct endpoint_record rec, copy;
	struct err err = {0};
	json_t *shown;
	char *text;

	assert_int_equal(
		endpoint_record_parse(EP, full_endpoint, strlen(full_endpoint), &rec, &err), 0);
	assert_int_equal(rec.nb_ips, 2);
	assert_int_equal(rec.ips[1].prefix, 64);
	assert_int_equal(rec.nb_aliases, 2);
	assert_true(rec.is_static);

	assert_int_equal(endpoint_record_copy(&rec, &copy), 0);
	endpoint_record_fini(&rec);
	text = endpoint_record_print(&copy);
	assert_string_equal(text, full_endpoint);
	free(text);
	// What is empty is not written, but shown.
	copy.nb_aliases = 0;
	copy.is_static = false;
	text = endpoint_record_print(&copy);
	assert_null(strstr(text, "aliases"));
	assert_null(strstr(text, "static"));
	shown = endpoint_record_json(&copy);
	assert_true(json_is_array(json_object_get(shown, "aliases")));
	assert_true(json_is_false(json_object_get(shown, "static")));
	assert_null(json_object_get(shown, "v"));
	json_decref(shown);
	free(text);
	endpoint_record_fini(&copy);
}

static void test_winner(void **state)
{
	struct endpoint_record a = {.id = "a", .epoch = 2, .seq = 1},
			       b = {.id = "b", .epoch = 1, .seq = 9};

	assert_true(endpoint_record_compare(&a, &b) > 0);
	assert_true(endpoint_record_compare(&b, &a) < 0);
	b.epoch = 2;
	assert_true(endpoint_record_compare(&b, &a) > 0);
	b.seq = 1;
	assert_true(endpoint_record_compare(&a, &b) > 0);
	assert_int_equal(endpoint_record_compare(&a, &a), 0);
}

// ---- what is refused ----

// The record with one member replaced (`value` NULL: left out); `value` is JSON.
static char *with_member(const char *record, const char *member, const char *value)
{
	json_t *root = json_loads(record, 0, NULL), *new = NULL;
	char *text;

	assert_non_null(root);
	if (value) {
		new = json_loads(value, JSON_DECODE_ANY, NULL);
		assert_non_null(new);
		json_object_set_new(root, member, new);
	} else {
		json_object_del(root, member);
	}
	text = json_dumps(root, JSON_COMPACT);
	json_decref(root);
	return text;
}

struct mistake {
	const char *member, *value;
};

// An address that is held is an endpoint without a name, and without a namespace.
static void test_held_address(void **state)
{
	struct endpoint_record rec, again;
	struct err err = {0};
	char *bare = with_member(full_endpoint, "name", NULL), *text;
	char *held = with_member(bare, "sandbox", NULL);

	assert_int_equal(endpoint_record_parse(EP, held, strlen(held), &rec, &err), 0);
	assert_string_equal(rec.name, "");
	text = endpoint_record_print(&rec);
	assert_int_equal(endpoint_record_parse(EP, text, strlen(text), &again, &err), 0);
	assert_string_equal(again.name, "");
	assert_string_equal(again.id, rec.id);
	endpoint_record_fini(&rec);
	endpoint_record_fini(&again);
	free(text);
	free(held);
	free(bare);
}

static void test_endpoint_mistakes(void **state)
{
	static const struct mistake rows[] = {
		{"v", NULL},
		{"v", "0"},
		{"v", "\"1\""},
		{"id", NULL},
		{"id", "\"abc\""},
		{"name", NULL},
		{"name", "\"\""},
		{"name", "\"a/b\""},
		{"name", "7"},
		{"host", "\"h 1\""},
		{"ips", NULL},
		{"ips", "[]"},
		{"ips", "[\"10.1.0.3/16\"]"},
		{"ips", "[\"10.1.0.2\"]"},
		{"ips", "[\"10.1.0.2/7\"]"},
		{"ips", "[\"10.1.0.2/33\"]"},
		{"ips", "[\"10.1.0.2/16\",\"10.1.0.2/24\"]"},
		{"ips", "[\"10.1.0.2/16\",\"224.0.0.1/16\"]"},
		{"ips", "[\"10.1.0.2/16\",\"::/64\"]"},
		{"ips", "[\"10.1.0.2/16\",\"10.1.0.3/16\",\"10.1.0.4/16\",\"10.1.0.5/16\","
			"\"10.1.0.6/16\"]"},
		{"mac", NULL},
		{"mac", "\"00:00:00:00:00:00\""},
		{"mac", "\"01:00:5e:00:00:01\""},
		{"mac", "\"02:42:0a:01:00\""},
		{"aliases", "[\"\"]"},
		{"aliases", "[3]"},
		{"aliases", "{}"},
		{"static", "1"},
		{"epoch", NULL},
		{"epoch", "-1"},
		{"epoch", "1.5"},
		{"seq", "\"1\""},
		{"sandbox", "\"a\\nb\""},
		{"ifname", "\"0123456789abcdef\""},
		{"ifname", "\"a/b\""},
		{"ifname", "\"..\""},
		{"options", "{\"a\":1}"},
		{"options", "[]"},
	};

	for (unsigned i = 0; i < ARRAY_SIZE(rows); i++) {
		char *text = with_member(full_endpoint, rows[i].member, rows[i].value);
		struct endpoint_record rec;
		struct err err = {0};
		int rc = endpoint_record_parse(EP, text, strlen(text), &rec, &err);

		if (rc != -EBADMSG)
			fail_msg("%d for %s %s", rc, rows[i].member, rows[i].value);
		assert_string_equal(err.path, EP);
		assert_true(err.reason[0]);
		free(text);
	}
}

// As they were written before there were any `dns`.
static void test_network_without_dns(void **state)
{
	char *old = with_member(full_network, "dns", NULL), *text;
	struct network_record rec;

	assert_int_equal(network_record_parse(NET, old, strlen(old), &rec, NULL), 0);
	assert_int_equal(rec.nb_dns, 0);
	text = network_record_print(&rec);
	assert_string_equal(text, old);
	network_record_fini(&rec);
	free(text);
	free(old);
}

static void test_network_mistakes(void **state)
{
	static const struct mistake rows[] = {
		{"name", "\"other\""},
		{"driver", NULL},
		{"driver", "\"a driver\""},
		{"driver", "\"0123456789abcdef\""},
		{"vni", "16777216"},
		{"subnets", NULL},
		{"subnets", "[1]"},
		{"subnets", "[{}]"},
		{"subnets", "[{\"subnet\":\"10.1.0.1/16\"}]"},
		{"subnets", "[{\"subnet\":\"10.0.0.0/7\"}]"},
		{"subnets", "[{\"subnet\":\"224.0.0.0/24\"}]"},
		{"subnets", "[{\"subnet\":\"10.1.0.0/16\",\"range\":\"10.2.0.0/24\"}]"},
		{"subnets", "[{\"subnet\":\"10.1.0.0/16\",\"range\":\"10.0.0.0/8\"}]"},
		{"subnets", "[{\"subnet\":\"10.1.0.0/16\",\"gateway\":\"10.2.0.1\"}]"},
		{"subnets", "[{\"subnet\":\"10.1.0.0/16\",\"gateway\":\"fd00::1\"}]"},
		{"subnets", "[{\"subnet\":\"10.1.0.0/16\",\"aux\":{\"a\":\"10.2.0.1\"}}]"},
		{"subnets", "[{\"subnet\":\"10.1.0.0/16\",\"aux\":{\"a b\":\"10.1.0.1\"}}]"},
		{"subnets", "[{\"subnet\":\"10.1.0.0/16\",\"aux\":[]}]"},
		{"subnets", "[{\"subnet\":\"10.1.0.0/16\"},{\"subnet\":\"10.1.2.0/24\"}]"},
		{"dns", "\"10.9.0.1\""},
		{"dns", "[5]"},
		{"dns", "[\"ns.example\"]"},
		{"dns", "[\"0.0.0.0\"]"},
		{"dns", "[\"1.1.1.1\",\"1.1.1.1\",\"1.1.1.1\",\"1.1.1.1\",\"1.1.1.1\","
			"\"1.1.1.1\",\"1.1.1.1\",\"1.1.1.1\",\"1.1.1.1\"]"},
		{"labels", "{\"a\":null}"},
		{"options", "\"x\""},
		{"created", "\"a text that is longer than a time can be\""},
	};

	for (unsigned i = 0; i < ARRAY_SIZE(rows); i++) {
		char *text = with_member(full_network, rows[i].member, rows[i].value);
		struct network_record rec;
		struct err err = {0};
		int rc = network_record_parse(NET, text, strlen(text), &rec, &err);

		if (rc != -EBADMSG)
			fail_msg("%d for %s %s", rc, rows[i].member, rows[i].value);
		assert_true(err.reason[0]);
		free(text);
	}
}

static void test_host_mistakes(void **state)
{
	static const char host[] = "{\"v\":1,\"name\":\"h1\",\"id\":\"" ID
				   "\",\"vtep\":\"192.0.2.1\",\"port\":4789,\"epoch\":1}";
	static const struct mistake rows[] = {
		{"vtep", "\"0.0.0.0\""},
		{"vtep", "\"ff02::1\""},
		{"vtep", "\"192.0.2.1/24\""},
		{"port", "0"},
		{"port", "65536"},
		{"port", NULL},
		{"mtu", "65536"},
		{"epoch", NULL},
	};

	for (unsigned i = 0; i < ARRAY_SIZE(rows); i++) {
		char *text = with_member(host, rows[i].member, rows[i].value);
		struct host_record rec;
		struct err err = {0};
		int rc = host_record_parse("v1/hosts/h1", text, strlen(text), &rec, &err);

		if (rc != -EBADMSG)
			fail_msg("%d for %s %s", rc, rows[i].member, rows[i].value);
		free(text);
	}
}

static void test_versions(void **state)
{
	char *newer = with_member(full_endpoint, "v", "7");
	char *more = with_member(full_endpoint, "colour", "{\"a\":[1,2]}");
	struct endpoint_record rec;
	struct err err = {0};

	assert_int_equal(
		endpoint_record_parse(EP, newer, strlen(newer), &rec, &err), -EPROTONOSUPPORT);
	assert_string_equal(err.path, EP);
	assert_non_null(strstr(err.reason, "version 7"));
	assert_non_null(strstr(err.reason, "up to 1"));
	assert_non_null(strstr(err.reason, "upgrade"));
	assert_int_equal(endpoint_record_parse(EP, more, strlen(more), &rec, NULL), 0);
	endpoint_record_fini(&rec);
	free(newer);
	free(more);
}

static void test_not_json(void **state)
{
	static const char *const texts[] = {"", "x", "[]", "null", "{\"v\":1", "{\"v\":1,\"v\":1}",
		"{\"v\":1} {}", "{\"v\":99999999999999999999}", "{\"v\":1,\"id\":\"a\\u0000b\"}"};
	struct cluster_record rec;

	for (unsigned i = 0; i < ARRAY_SIZE(texts); i++) {
		struct err err = {0};

		assert_int_equal(
			cluster_record_parse("v1/cluster", texts[i], strlen(texts[i]), &rec, &err),
			-EBADMSG);
		assert_true(err.reason[0]);
	}
}

// As large as the store takes them: deep, wide, long.
static void test_not_plain(void **state)
{
	const char *const texts[] = {"\xc2\x9b\x37m", "\u202e", "\x7f"};
	json_t *root = json_loads(full_endpoint, 0, NULL);
	for (size_t i = 0; i < 3; i++) {
		struct endpoint_record r;
		char *text;
		json_object_set_new(root, "sandbox", json_string(texts[i]));
		text = json_dumps(root, 0);
		assert_int_equal(endpoint_record_parse(EP, text, strlen(text), &r, NULL), -EBADMSG);
		free(text);
	}
	json_decref(root);
}

static void test_hostile(void **state)
{
	size_t len = RECORD_VALUE_MAX_BYTES;
	char *text = malloc(len + 1);
	struct endpoint_record rec;
	struct err err = {0};
	size_t at;

	memset(text, '[', len);
	assert_int_equal(endpoint_record_parse(EP, text, len, &rec, &err), -EBADMSG);
	for (at = 0; at + 6 <= len; at += 5)
		memcpy(text + at, "{\"a\":", 5);
	assert_int_equal(endpoint_record_parse(EP, text, at, &rec, NULL), -EBADMSG);
	at = sprintf(text, "{\"v\":1,\"ips\":[");
	while (at + 4 < len)
		at += sprintf(text + at, "1,");
	at += sprintf(text + at, "1]}");
	assert_int_equal(endpoint_record_parse(EP, text, at, &rec, NULL), -EBADMSG);
	// One that is right but for its size.
	memset(text, ' ', len + 1);
	memcpy(text, full_endpoint, strlen(full_endpoint));
	assert_int_equal(endpoint_record_parse(EP, text, len, &rec, NULL), 0);
	endpoint_record_fini(&rec);
	assert_int_equal(endpoint_record_parse(EP, text, len + 1, &rec, NULL), -EBADMSG);
	free(text);
}

static void test_too_many(void **state)
{
	json_t *root = json_loads(full_endpoint, 0, NULL), *options = json_object(),
	       *aliases = json_array();
	struct endpoint_record rec;
	char name[16], *text;

	for (int i = 0; i <= RECORD_TEXTS_MAX; i++) {
		snprintf(name, sizeof(name), "k%d", i);
		json_object_set_new(options, name, json_string("v"));
	}
	json_object_set_new(root, "options", options);
	text = json_dumps(root, 0);
	assert_int_equal(endpoint_record_parse(EP, text, strlen(text), &rec, NULL), -EBADMSG);
	free(text);
	json_object_del(root, "options");
	for (int i = 0; i <= RECORD_ALIASES_MAX; i++)
		json_array_append_new(aliases, json_string("a"));
	json_object_set_new(root, "aliases", aliases);
	text = json_dumps(root, 0);
	assert_int_equal(endpoint_record_parse(EP, text, strlen(text), &rec, NULL), -EBADMSG);
	free(text);
	json_decref(root);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_keys),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_unknown_keys),
		cmocka_unit_test(test_host),
		cmocka_unit_test(test_block),
		cmocka_unit_test(test_cluster),
		cmocka_unit_test(test_network),
		cmocka_unit_test(test_network_without_dns),
		cmocka_unit_test(test_endpoint),
		cmocka_unit_test(test_winner),
		cmocka_unit_test(test_held_address),
		cmocka_unit_test(test_endpoint_mistakes),
		cmocka_unit_test(test_network_mistakes),
		cmocka_unit_test(test_host_mistakes),
		cmocka_unit_test(test_versions),
		cmocka_unit_test(test_not_json),
		cmocka_unit_test(test_not_plain),
		cmocka_unit_test(test_hostile),
		cmocka_unit_test(test_too_many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
