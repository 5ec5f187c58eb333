// SPDX-License-Identifier: BSD-3-Clause
// Reading and changing.
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "tests/kv/suite.h"

static void test_simple(void)
{
	uint64_t first, second;
	struct result r;

	demand(holds(in("a"), NULL));
	first = put_ok(in("a"), "1");
	second = put_ok(in("a"), "2");
	demand(second > first);
	r = get(in("a"));
	demand(r.rc == 0 && r.count == 1);
	demand(strcmp(r.pairs[0].key, in("a")) == 0);
	demand(strcmp(r.pairs[0].value, "2") == 0);
	demand(r.pairs[0].revision == second);
	demand(r.revision >= second);
	result_free(&r);
	r = drop(in("a"));
	demand(r.rc == 0);
	demand(holds(in("a"), NULL));
	demand(drop(in("a")).rc == 0); // what is not there
	demand(put_ok(in("a"), "") > second);
	demand(holds(in("a"), ""));
	demand(kv_is_up(kv));
}

static void test_guards(void)
{
	uint64_t first, second;
	struct result r;

	r = create(in("a"), "1");
	demand(r.rc == 0);
	first = r.revision;
	demand(create(in("a"), "x").rc == -ESTALE);
	demand(holds(in("a"), "1"));
	r = swap(in("a"), first, "2");
	demand(r.rc == 0 && r.revision > first);
	second = r.revision;
	demand(swap(in("a"), first, "x").rc == -ESTALE);
	demand(swap(in("b"), first, "x").rc == -ESTALE);
	demand(holds(in("a"), "2"));
	demand(holds(in("b"), NULL));
	r = txn(&(struct kv_op){.action = KV_DELETE,
			.guard = KV_REVISION,
			.key = in("a"),
			.revision = first},
		1);
	demand(r.rc == -ESTALE);
	r = txn(&(struct kv_op){.action = KV_DELETE,
			.guard = KV_REVISION,
			.key = in("a"),
			.revision = second},
		1);
	demand(r.rc == 0);
	demand(holds(in("a"), NULL));
	demand(create(in("a"), "3").rc == 0);
}

static void test_txn(void)
{
	uint64_t a = put_ok(in("a"), "1"), b = put_ok(in("b"), "1");
	const struct kv_op ops[] = {
		{.action = KV_PUT,
			.guard = KV_REVISION,
			.key = in("a"),
			.value = "2",
			.len_bytes = 1,
			.revision = a},
		{.action = KV_DELETE, .key = in("b")},
		{.action = KV_PUT,
			.guard = KV_ABSENT,
			.key = in("c"),
			.value = "2",
			.len_bytes = 1},
		{.action = KV_CHECK, .guard = KV_REVISION, .key = in("d"), .revision = b},
	};
	struct result r;

	demand(txn(ops, 4).rc == -ESTALE); // no d
	demand(holds(in("a"), "1") && holds(in("b"), "1") && holds(in("c"), NULL));
	r = txn(ops, 3);
	demand(r.rc == 0 && r.revision > b);
	demand(holds(in("a"), "2") && holds(in("b"), NULL) && holds(in("c"), "2"));
	r = get(in("c"));
	demand(r.rc == 0);
	a = r.pairs[0].revision;
	result_free(&r);
	r = txn(
		(struct kv_op[]){
			{.action = KV_CHECK, .guard = KV_REVISION, .key = in("c"), .revision = a},
			{.action = KV_CHECK, .guard = KV_ABSENT, .key = in("d")},
			{.action = KV_PUT, .key = in("e"), .value = "5", .len_bytes = 1},
		},
		3);
	demand(r.rc == 0);
	demand(holds(in("e"), "5"));
	r = txn(&(struct kv_op){.action = KV_CHECK, .guard = KV_ABSENT, .key = in("c")}, 1);
	demand(r.rc == -ESTALE);
	r = txn(
		&(struct kv_op){
			.action = KV_CHECK, .guard = KV_REVISION, .key = in("c"), .revision = a},
		1);
	demand(r.rc == 0);
}

static void test_txn_many(void)
{
	struct kv_op ops[KV_TXN_OPS_MAX];
	char keys[KV_TXN_OPS_MAX][128];
	struct result r;

	for (unsigned i = 0; i < KV_TXN_OPS_MAX; i++) {
		snprintf(keys[i], sizeof(keys[i]), "%s%02u", in("many/"), i);
		ops[i] = (struct kv_op){.action = KV_PUT,
			.guard = KV_ABSENT,
			.key = keys[i],
			.value = "v",
			.len_bytes = 1};
	}
	demand(txn(ops, KV_TXN_OPS_MAX).rc == 0);
	r = list(in("many/"));
	demand(r.rc == 0 && r.count == KV_TXN_OPS_MAX);
	// One change has one revision for all of it.
	for (size_t i = 1; i < r.count && !store_is("zookeeper"); i++)
		demand(r.pairs[i].revision == r.pairs[0].revision);
	result_free(&r);
}

static void test_refused(void)
{
	static char big[KV_VALUE_MAX_BYTES + 1];
	char key[KV_KEY_MAX_BYTES + 2];
	struct result r = {0};

	memset(key, 'k', sizeof(key) - 1);
	key[sizeof(key) - 1] = '\0';
	demand(get(key).rc == -E2BIG);
	demand(get("").rc == -EINVAL);
	demand(get("/a").rc == -EINVAL);
	demand(list("a").rc == -EINVAL);
	kv_put(kv, in("a"), big, sizeof(big), NULL, on_write, &r);
	demand(await(&r).rc == -E2BIG);
	demand(txn(NULL, 0).rc == -EINVAL);
	demand(txn((struct kv_op[]){{.action = KV_DELETE, .key = "x"},
			   {.action = KV_DELETE, .key = "x"}},
		       2)
			.rc == -EINVAL);
	demand(kv_watch(kv, "a", 0, NULL, NULL) == NULL);
}

static void test_list(void)
{
	static const char *const names[] = {"n/b", "n/a", "n/a/x", "nets", "na/b", "n/c", "m"};
	struct result r;
	uint64_t last = 0;

	r = list(in("n/"));
	demand(r.rc == 0 && r.count == 0);
	for (unsigned i = 0; i < ARRAY_SIZE(names); i++) {
		if (!store_is("zookeeper") || strcmp(names[i], "n/a/x") != 0)
			last = put_ok(in(names[i]), names[i]);
	}
	r = list(in("n/"));
	demand(r.rc == 0);
	demand(store_is("consul") || r.revision >= last); // of these keys only
	demand(r.count == (store_is("zookeeper") ? 3 : 4));
	for (size_t i = 0; i < r.count; i++) {
		demand(i == 0 || strcmp(r.pairs[i - 1].key, r.pairs[i].key) < 0);
		demand(strcmp(in(r.pairs[i].value), r.pairs[i].key) == 0);
		demand(r.pairs[i].revision > 0 && r.pairs[i].revision <= last);
	}
	result_free(&r);
	r = list("");
	demand(r.rc == 0 && r.count >= ARRAY_SIZE(names) - 1);
	result_free(&r);
}

static void test_odd_keys(void)
{
	static const char *const names[] = {"sp ace", "pl+us", "per%41cent", "q?x=1&y#z", "ümlaut",
		"quo\"te\\", "d.o.t", "co:lon;semi,comma", "~tilde'", "10.0.0.1", "fd00::1"};
	struct result r;

	for (unsigned i = 0; i < ARRAY_SIZE(names); i++) {
		demand(create(in(names[i]), names[i]).rc == 0);
		demand(holds(in(names[i]), names[i]));
	}
	r = list(in(""));
	demand(r.rc == 0 && r.count == ARRAY_SIZE(names));
	for (size_t i = 0; i < r.count; i++)
		demand(strcmp(in(r.pairs[i].value), r.pairs[i].key) == 0);
	result_free(&r);
	for (unsigned i = 0; i < ARRAY_SIZE(names); i++)
		demand(drop(in(names[i])).rc == 0);
	r = list(in(""));
	demand(r.rc == 0 && r.count == 0);
	result_free(&r);
}

static void check_value(const char *value, size_t len_bytes)
{
	struct result r = {0};

	kv_put(kv, in("v"), value, len_bytes, NULL, on_write, &r);
	demand(await(&r).rc == 0);
	r = get(in("v"));
	demand(r.rc == 0 && r.pairs[0].len_bytes == len_bytes);
	demand(memcmp(r.pairs[0].value, value, len_bytes) == 0);
	result_free(&r);
}

static void test_values(void)
{
	char *big = malloc(KV_VALUE_MAX_BYTES);
	uint32_t random = 1;

	for (size_t i = 0; i < KV_VALUE_MAX_BYTES; i++) {
		random = random * 1664525 + 1013904223;
		big[i] = random >> 24;
	}
	big[0] = '\0';
	for (size_t len = 0; len < 9; len++)
		check_value(big, len);
	check_value("\xff\xfe\0\n\"{}", 8);
	check_value(big, 64 << 10);
	// Consul takes transactions up to that size, as base64 with its key.
	check_value(big, store_is("consul") ? 380 << 10 : KV_VALUE_MAX_BYTES);
	free(big);
}

// Many at once: none is forgotten, and a list has all.
static void test_thousands(void)
{
	enum { COUNT = 5000, LISTS_MAX = 10 };
	unsigned lists = 0;
	struct result *writes = calloc(COUNT, sizeof(*writes)), r;
	char key[128];

	for (unsigned i = 0; i < COUNT; i++) {
		snprintf(key, sizeof(key), "%s%05u", in("k/"), i);
		kv_put(kv, key, key, strlen(key), NULL, on_write, &writes[i]);
		if (i % 100 == 99)
			await(&writes[i]);
	}
	for (unsigned i = 0; i < COUNT; i++) {
		demand(run_until(&writes[i].done, 20000));
		demand(writes[i].rc == 0 && writes[i].calls == 1);
	}
	free(writes);
	// A busy machine may take longer than a request may.
	do
		r = list(in("k/"));
	while (r.rc == -ETIMEDOUT && ++lists < LISTS_MAX);
	demand(r.rc == 0 && r.count == COUNT);
	for (unsigned i = 0; i < COUNT; i++) {
		snprintf(key, sizeof(key), "%s%05u", in("k/"), i);
		demand(strcmp(r.pairs[i].key, key) == 0 && strcmp(r.pairs[i].value, key) == 0);
	}
	result_free(&r);
}

// Of many that create a key one succeeds.
static void test_race(void)
{
	struct result r[32] = {0};
	unsigned won = 0;

	for (unsigned i = 0; i < ARRAY_SIZE(r); i++)
		kv_create(kv, in("one"), "x", 1, NULL, on_write, &r[i]);
	for (unsigned i = 0; i < ARRAY_SIZE(r); i++) {
		demand(run_until(&r[i].done, 20000));
		demand(r[i].rc == 0 || r[i].rc == -ESTALE);
		won += r[i].rc == 0;
	}
	demand(won == 1);
}

const struct suite_case cases_data[] = {
	{"simple", test_simple},
	{"guards", test_guards},
	{"txn", test_txn},
	{"txn-many", test_txn_many},
	{"refused", test_refused},
	{"list", test_list},
	{"odd-keys", test_odd_keys},
	{"values", test_values},
	{"thousands", test_thousands},
	{"race", test_race},
	{NULL},
};
