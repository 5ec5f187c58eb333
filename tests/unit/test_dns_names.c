// SPDX-License-Identifier: BSD-3-Clause
// What names mean to whom. `test_dns_names big [COUNT]` fills in that many endpoints (100000) and
// prints what they take.
#include <malloc.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "base/util.h"
#include "netd/dns/names.h"

#define NET_A "0000000000000000000000000000000a"
#define NET_B "0000000000000000000000000000000b"
#define NET_C "0000000000000000000000000000000c"

static const struct names_scope scope_a = {{NET_A}, 1}, scope_b = {{NET_B}, 1};
static const struct names_scope scope_ab = {{NET_A, NET_B}, 2}, scope_ba = {{NET_B, NET_A}, 2};

// An endpoint in few words; addresses and aliases with spaces between them.
struct row {
	const char *net, *name, *ips, *aliases;
	uint64_t epoch, seq;
};

static void fill(const struct row *row, struct endpoint_record *rec, char (*aliases)[NAME_BYTES])
{
	char words[512], *save, *word;

	*rec = (struct endpoint_record){.epoch = row->epoch, .seq = row->seq, .aliases = aliases};
	snprintf(rec->id, sizeof(rec->id), "%032d", (int)row->seq);
	strcpy(rec->name, row->name);
	strcpy(rec->host, "h1");
	strcpy(words, row->ips);
	for (word = strtok_r(words, " ", &save); word; word = strtok_r(NULL, " ", &save))
		assert_int_equal(ip_parse(word, &rec->ips[rec->nb_ips++].ip), 0);
	strcpy(words, row->aliases ? row->aliases : "");
	for (word = strtok_r(words, " ", &save); word; word = strtok_r(NULL, " ", &save))
		strcpy(aliases[rec->nb_aliases++], word);
}

static void set(struct names *names, const void *owner, const struct row *row)
{
	char aliases[RECORD_ALIASES_MAX][NAME_BYTES];
	struct endpoint_record rec;

	fill(row, &rec, aliases);
	assert_int_equal(names_endpoint_set(names, owner, row->net, &rec), 0);
}

static struct names *make(void)
{
	struct names *names = names_new();

	assert_non_null(names);
	assert_int_equal(names_net_set(names, NET_A, "neta"), 0);
	assert_int_equal(names_net_set(names, NET_B, "netb"), 0);
	return names;
}

static int compare_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

// "KIND FQDN ZONE ADDRESS..", addresses sorted.
static const char *print(const struct names_answer *answer)
{
	static const char *const kinds[] = {"unknown", "no such", "found"};
	static char text[8192];
	char ips[NAMES_IPS_MAX][IP_TEXT_BYTES];
	char *sorted[NAMES_IPS_MAX];
	int len = snprintf(text, sizeof(text), "%s", kinds[answer->kind]);

	if (answer->kind == NAMES_FOUND)
		len += snprintf(text + len, sizeof(text) - len, " %s", answer->fqdn);
	if (answer->kind != NAMES_UNKNOWN)
		len += snprintf(text + len, sizeof(text) - len, " /%s", answer->zone);
	for (unsigned i = 0; i < answer->nb_ips; i++)
		sorted[i] = (char *)ip_format(&answer->ips[i], ips[i]);
	qsort(sorted, answer->nb_ips, sizeof(sorted[0]), compare_text);
	for (unsigned i = 0; i < answer->nb_ips; i++)
		len += snprintf(text + len, sizeof(text) - len, " %s", sorted[i]);
	return text;
}

static void expect(
	struct names *names, const struct names_scope *scope, const char *name, const char *text)
{
	struct names_answer answer;

	names_find(names, scope, name, &answer);
	assert_string_equal(print(&answer), text);
}

static void expect_ip(
	struct names *names, const struct names_scope *scope, const char *ip, const char *text)
{
	struct names_answer answer;
	struct ip_addr addr;

	assert_int_equal(ip_parse(ip, &addr), 0);
	names_find_ip(names, scope, &addr, &answer);
	assert_string_equal(print(&answer), text);
}

static void test_name(void **state)
{
	struct names *names = make();
	int one, two;

	set(names, &one, &(struct row){NET_A, "Web", "10.0.0.1 fd00::1", NULL, 1, 1});
	set(names, &two, &(struct row){NET_A, "db.main", "10.0.0.2", NULL, 1, 2});
	expect(names, &scope_a, "web", "found Web.neta /neta 10.0.0.1 fd00::1");
	expect(names, &scope_a, "WEB.NetA", "found Web.neta /neta 10.0.0.1 fd00::1");
	expect(names, &scope_a, "db.main", "found db.main.neta /neta 10.0.0.2");
	expect(names, &scope_a, "db.main.neta", "found db.main.neta /neta 10.0.0.2");
	expect(names, &scope_a, "we", "unknown");
	expect(names, &scope_a, "webs", "unknown");
	expect(names, &scope_a, "web.example", "unknown");
	expect(names, &scope_a, "neta", "unknown");
	expect(names, &scope_a, ".neta", "unknown");
	expect(names, &scope_a, "", "unknown");
	expect(names, &scope_a, "xneta", "unknown");
	expect(names, &scope_a, "webxneta", "unknown");
	expect(names, &scope_a, "other.neta", "no such /neta");
	expect(names, &scope_a, "a.web.neta", "no such /neta");
	expect(names, &scope_a, "web.netb", "unknown");
	expect(names, &scope_b, "web", "unknown");
	expect(names, &scope_b, "web.neta", "unknown");
	names_endpoint_del(names, &one);
	expect(names, &scope_a, "web", "unknown");
	expect(names, &scope_a, "web.neta", "no such /neta");
	names_endpoint_del(names, &one);
	names_free(names);
}

static void test_ip(void **state)
{
	struct names *names = make();
	int one, two;

	set(names, &one, &(struct row){NET_A, "web", "10.0.0.1 fd00::1", NULL, 1, 1});
	set(names, &two, &(struct row){NET_B, "other", "10.0.0.1", NULL, 1, 2});
	expect_ip(names, &scope_a, "10.0.0.1", "found web.neta /neta");
	expect_ip(names, &scope_a, "fd00::1", "found web.neta /neta");
	expect_ip(names, &scope_ba, "10.0.0.1", "found other.netb /netb");
	expect_ip(names, &scope_ba, "fd00::1", "found web.neta /neta");
	expect_ip(names, &scope_a, "10.0.0.2", "unknown");
	names_endpoint_del(names, &two);
	expect_ip(names, &scope_ba, "10.0.0.1", "found web.neta /neta");
	names_free(names);
}

static void test_alias(void **state)
{
	struct names *names = make();
	int one, two, three, four;

	set(names, &one, &(struct row){NET_A, "web1", "10.0.0.1", "Www www web1", 1, 1});
	set(names, &two, &(struct row){NET_A, "web2", "10.0.0.2 fd00::2", "www", 1, 2});
	set(names, &three, &(struct row){NET_B, "web3", "10.1.0.3", "www", 1, 3});
	expect(names, &scope_a, "www", "found Www.neta /neta 10.0.0.1 10.0.0.2 fd00::2");
	expect(names, &scope_a, "www.neta", "found Www.neta /neta 10.0.0.1 10.0.0.2 fd00::2");
	expect(names, &scope_a, "web1", "found web1.neta /neta 10.0.0.1");
	expect(names, &scope_b, "www", "found www.netb /netb 10.1.0.3");
	expect(names, &scope_b, "web1", "unknown");
	// One whose name it is stands beside them.
	set(names, &four, &(struct row){NET_A, "WWW", "10.0.0.4", NULL, 1, 4});
	expect(names, &scope_a, "www", "found Www.neta /neta 10.0.0.1 10.0.0.2 10.0.0.4 fd00::2");
	names_endpoint_del(names, &two);
	names_endpoint_del(names, &one);
	expect(names, &scope_a, "www", "found Www.neta /neta 10.0.0.4");
	// Aliases change with the record.
	set(names, &four, &(struct row){NET_A, "x", "10.0.0.4", "y", 1, 4});
	expect(names, &scope_a, "www", "unknown");
	expect(names, &scope_a, "y", "found y.neta /neta 10.0.0.4");
	names_free(names);
}

static void test_alias_of_many(void **state)
{
	struct names *names = make();
	struct names_answer answer;
	char ip[32], name[32];
	int owners[NAMES_IPS_MAX + 40];

	for (unsigned i = 0; i < ARRAY_SIZE(owners); i++) {
		sprintf(ip, "10.0.%u.%u", i / 256, i % 256);
		sprintf(name, "n%u", i);
		set(names, &owners[i], &(struct row){NET_A, name, ip, "all", 1, i});
	}
	names_find(names, &scope_a, "all", &answer);
	assert_int_equal(answer.kind, NAMES_FOUND);
	assert_int_equal(answer.nb_ips, NAMES_IPS_MAX);
	names_free(names);
}

static void test_scope_order(void **state)
{
	struct names *names = make();
	struct names_scope scope = {{NET_C, NET_A, NET_B}, 3}; // the first one is not there
	int one, two;

	set(names, &one, &(struct row){NET_A, "web", "10.0.0.1", NULL, 1, 1});
	set(names, &two, &(struct row){NET_B, "web", "10.1.0.1", NULL, 1, 2});
	expect(names, &scope_ab, "web", "found web.neta /neta 10.0.0.1");
	expect(names, &scope_ba, "web", "found web.netb /netb 10.1.0.1");
	expect(names, &scope_ba, "web.neta", "found web.neta /neta 10.0.0.1");
	expect(names, &scope, "web", "found web.neta /neta 10.0.0.1");
	names_endpoint_del(names, &two);
	expect(names, &scope_ba, "web", "found web.neta /neta 10.0.0.1");
	names_free(names);
}

static void test_networks_with_dots(void **state)
{
	struct names *names = make();
	int one, two, three;

	// "a.b.c" may be "a" in "b.c", "a.b" in "c", or "a.b.c" of any network.
	assert_int_equal(names_net_set(names, NET_A, "c"), 0);
	assert_int_equal(names_net_set(names, NET_B, "b.c"), 0);
	set(names, &one, &(struct row){NET_A, "a.b", "10.0.0.1", NULL, 1, 1});
	expect(names, &scope_ab, "a.b.c", "found a.b.c /c 10.0.0.1");
	set(names, &two, &(struct row){NET_B, "a", "10.0.0.2", NULL, 1, 2});
	expect(names, &scope_ab, "a.b.c", "found a.b.c /b.c 10.0.0.2");
	expect(names, &scope_a, "a.b.c", "found a.b.c /c 10.0.0.1");
	set(names, &three, &(struct row){NET_A, "a.b.c", "10.0.0.3", NULL, 1, 3});
	expect(names, &scope_ab, "a.b.c", "found a.b.c.c /c 10.0.0.3");
	expect(names, &scope_ab, "x.b.c", "no such /b.c");
	expect(names, &scope_ab, "x.c", "no such /c");
	// Two of one name: the first of the scope that has it.
	assert_int_equal(names_net_set(names, NET_B, "c"), 0);
	expect(names, &scope_ab, "a.c", "found a.c /c 10.0.0.2");
	names_free(names);
}

static void test_rename(void **state)
{
	struct names *names = make();
	int one;

	set(names, &one, &(struct row){NET_A, "web", "10.0.0.1", NULL, 1, 1});
	assert_int_equal(names_net_set(names, NET_A, "newnet"), 0);
	expect(names, &scope_a, "web.neta", "unknown");
	expect(names, &scope_a, "web.newnet", "found web.newnet /newnet 10.0.0.1");
	set(names, &one, &(struct row){NET_A, "app", "10.0.0.9", NULL, 1, 1});
	expect(names, &scope_a, "web", "unknown");
	expect(names, &scope_a, "app", "found app.newnet /newnet 10.0.0.9");
	expect_ip(names, &scope_a, "10.0.0.1", "unknown");
	// To another network, and to one that is not there.
	set(names, &one, &(struct row){NET_B, "app", "10.0.0.9", NULL, 1, 1});
	expect(names, &scope_ab, "app", "found app.netb /netb 10.0.0.9");
	set(names, &one, &(struct row){NET_C, "app", "10.0.0.9", NULL, 1, 1});
	expect(names, &scope_ab, "app", "unknown");
	names_free(names);
}

static void test_net_del(void **state)
{
	struct names *names = make();
	int one, two;

	set(names, &one, &(struct row){NET_A, "web", "10.0.0.1", "www", 1, 1});
	set(names, &two, &(struct row){NET_B, "web", "10.1.0.1", NULL, 1, 2});
	names_net_del(names, NET_A);
	expect(names, &scope_ab, "web", "found web.netb /netb 10.1.0.1");
	expect(names, &scope_ab, "www", "unknown");
	expect(names, &scope_a, "x.neta", "unknown");
	names_endpoint_del(names, &one);
	names_net_del(names, NET_A);
	assert_int_equal(names_net_set(names, NET_A, "neta"), 0);
	expect(names, &scope_a, "web", "unknown");
	set(names, &one, &(struct row){NET_A, "web", "10.0.0.1", NULL, 1, 1});
	expect(names, &scope_ab, "web", "found web.neta /neta 10.0.0.1");
	names_free(names);
}

static void test_losers(void **state)
{
	struct names *names = make();
	int one, two, three;

	// By address: the smaller one is not answered for at all, in any order of arrival.
	set(names, &one, &(struct row){NET_A, "one", "10.0.0.1", "www", 1, 1});
	set(names, &two, &(struct row){NET_A, "two", "10.0.0.7 10.0.0.1", "www", 2, 1});
	expect(names, &scope_a, "one", "unknown");
	expect(names, &scope_a, "one.neta", "no such /neta");
	expect(names, &scope_a, "www", "found www.neta /neta 10.0.0.1 10.0.0.7");
	expect_ip(names, &scope_a, "10.0.0.1", "found two.neta /neta");
	names_endpoint_del(names, &two);
	expect(names, &scope_a, "one", "found one.neta /neta 10.0.0.1");
	set(names, &two, &(struct row){NET_A, "two", "10.0.0.1", NULL, 1, 0});
	expect(names, &scope_a, "two", "unknown");
	// The same address in another network is no matter.
	set(names, &three, &(struct row){NET_B, "three", "10.0.0.1", NULL, 9, 9});
	expect(names, &scope_ab, "one", "found one.neta /neta 10.0.0.1");
	names_endpoint_del(names, &three);
	// By name; who has lost its address does not have the name either.
	set(names, &two, &(struct row){NET_A, "ONE", "10.0.0.2", NULL, 1, 2});
	expect(names, &scope_a, "one", "found one.neta /neta 10.0.0.2");
	expect_ip(names, &scope_a, "10.0.0.1", "found one.neta /neta");
	set(names, &three, &(struct row){NET_A, "three", "10.0.0.2", NULL, 1, 3});
	expect(names, &scope_a, "one", "found one.neta /neta 10.0.0.1");
	names_free(names);
}

// Two records of one endpoint: one of them.
static void test_twice(void **state)
{
	struct names *names = make();
	int one, two;

	set(names, &one, &(struct row){NET_A, "web", "10.0.0.2", NULL, 1, 1});
	set(names, &two, &(struct row){NET_A, "web", "10.0.0.1", NULL, 1, 1});
	expect(names, &scope_a, "web", "found web.neta /neta 10.0.0.1");
	names_endpoint_del(names, &two);
	expect(names, &scope_a, "web", "found web.neta /neta 10.0.0.2");
	names_free(names);
}

static void set_host(struct names *names, const char *host, const char *ip, bool suspended)
{
	struct ip_addr ips[2];

	assert_int_equal(ip_parse(ip, &ips[0]), 0);
	ips[1] = ips[0];
	assert_int_equal(names_host_set(names, host, ips, ARRAY_SIZE(ips), suspended), 0);
}

static void test_hosts(void **state)
{
	struct names *names = make();
	int one;

	set_host(names, "h1", "192.0.2.1", false);
	set_host(names, "H2.neta", "192.0.2.2", false);
	expect(names, &scope_a, "H1", "found h1 / 192.0.2.1");
	expect(names, &scope_a, "h2.neta", "found H2.neta / 192.0.2.2");
	expect(names, &scope_a, "h1.neta", "no such /neta");
	expect_ip(names, &scope_a, "192.0.2.1", "found h1 /");
	set(names, &one, &(struct row){NET_A, "h1", "10.0.0.1", NULL, 1, 1});
	expect(names, &scope_a, "h1", "found h1.neta /neta 10.0.0.1");
	expect(names, &scope_b, "h1", "found h1 / 192.0.2.1");
	// Silent, it and what is on it stay.
	set_host(names, "h1", "192.0.2.9", true);
	expect(names, &scope_b, "h1", "found h1 / 192.0.2.9");
	expect(names, &scope_a, "h1", "found h1.neta /neta 10.0.0.1");
	names_host_del(names, "h1");
	names_host_del(names, "h1");
	expect(names, &scope_b, "h1", "unknown");
	expect_ip(names, &scope_b, "192.0.2.9", "unknown");
	assert_int_equal(names_host_set(names, "h1", NULL, 0, false), 0);
	expect(names, &scope_b, "h1", "found h1 /");
	names_free(names);
}

static void expect_json(struct names *names, const char *net, const char *text)
{
	json_t *list = names_json(names, net), *expected = json_loads(text, 0, NULL);

	assert_non_null(expected);
	if (!json_equal(list, expected))
		fail_msg("%s", json_dumps(list, 0));
	json_decref(list);
	json_decref(expected);
}

static void test_json(void **state)
{
	struct names *names = make();
	int one, two, three;

	set_host(names, "h1", "192.0.2.1", true);
	set(names, &one, &(struct row){NET_B, "web", "10.0.0.1 fd00::1", "www", 1, 1});
	set(names, &two, &(struct row){NET_A, "web", "10.1.0.1", NULL, 1, 2});
	set(names, &three, &(struct row){NET_A, "loser", "10.1.0.1", "lost", 1, 1});
	expect_json(names, "neta",
		"[{\"network\": \"neta\", \"name\": \"web\", \"alias_of\": null,"
		" \"addresses\": [\"10.1.0.1\"], \"host\": \"h1\", \"suspended\": true}]");
	expect_json(names, "netc", "[]");
	set_host(names, "h1", "192.0.2.1", false);
	expect_json(names, NULL,
		"[{\"network\": \"neta\", \"name\": \"web\", \"alias_of\": null,"
		" \"addresses\": [\"10.1.0.1\"], \"host\": \"h1\", \"suspended\": false},"
		"{\"network\": \"netb\", \"name\": \"web\", \"alias_of\": null,"
		" \"addresses\": [\"10.0.0.1\", \"fd00::1\"], \"host\": \"h1\","
		" \"suspended\": false},"
		"{\"network\": \"netb\", \"name\": \"www\", \"alias_of\": \"web\","
		" \"addresses\": [\"10.0.0.1\", \"fd00::1\"], \"host\": \"h1\","
		" \"suspended\": false},"
		"{\"network\": null, \"name\": \"h1\", \"alias_of\": null,"
		" \"addresses\": [\"192.0.2.1\"], \"host\": \"h1\", \"suspended\": false}]");
	names_free(names);
}

// ---- many ----

static void set_nth(struct names *names, char *owners, unsigned n, unsigned generation)
{
	char name[32], ip[32], alias[64];

	sprintf(name, "c%u-%u", n, generation);
	sprintf(ip, "10.%u.%u.%u", n >> 16, n >> 8 & 0xff, n & 0xff);
	sprintf(alias, "all group%u", n % 100);
	set(names, &owners[n], &(struct row){NET_A, name, ip, alias, generation, n});
}

static void expect_nth(struct names *names, unsigned n, unsigned generation, bool there)
{
	struct names_answer answer;
	char name[32], ip[IP_TEXT_BYTES], expected[32];

	sprintf(name, "C%u-%u", n, generation);
	sprintf(expected, "10.%u.%u.%u", n >> 16, n >> 8 & 0xff, n & 0xff);
	names_find(names, &scope_a, name, &answer);
	assert_int_equal(answer.kind, there ? NAMES_FOUND : NAMES_UNKNOWN);
	if (there) {
		assert_int_equal(answer.nb_ips, 1);
		assert_string_equal(ip_format(&answer.ips[0], ip), expected);
	}
}

// The table grows and all are found, through changes and deletions.
static void test_many(void **state)
{
	struct names *names = make();
	static char owners[5000];

	for (unsigned n = 0; n < 5000; n++)
		set_nth(names, owners, n, 1);
	for (unsigned n = 0; n < 5000; n += 2)
		set_nth(names, owners, n, 2);
	for (unsigned n = 0; n < 5000; n += 3)
		names_endpoint_del(names, &owners[n]);
	for (unsigned n = 0; n < 5000; n++) {
		expect_nth(names, n, 1, n % 2 && n % 3);
		expect_nth(names, n, 2, n % 2 == 0 && n % 3);
	}
	names_free(names);
}

// ---- two threads ----

struct reader {
	struct names *names;
	atomic_bool stop;
	atomic_uint asked, wrong;
};

// "web" is there all the time, with its old address or its new one.
static void *read_web(void *arg)
{
	struct reader *r = arg;
	struct names_answer answer;

	while (!r->stop) {
		names_find(r->names, &scope_ab, "web", &answer);
		r->wrong += answer.kind != NAMES_FOUND || answer.nb_ips != 1 ||
			    answer.ips[0].byte[3] > 2;
		names_find_ip(r->names, &scope_ab, &(struct ip_addr){4, {10, 0, 0, 1}}, &answer);
		names_find(r->names, &scope_ab, "all", &answer);
		r->asked++;
	}
	return NULL;
}

static void test_threads(void **state)
{
	struct reader r = {.names = make()};
	static char owners[500];
	pthread_t thread;
	int web;

	set(r.names, &web, &(struct row){NET_A, "web", "10.0.0.1", NULL, 1, 1});
	assert_int_equal(pthread_create(&thread, NULL, read_web, &r), 0);
	for (unsigned round = 0; round < 20 || r.asked < 100; round++) {
		for (unsigned n = 10; n < 500; n++) {
			set_nth(r.names, owners, n, round);
			set(r.names, &web,
				&(struct row){
					NET_A, "web", n % 2 ? "10.0.0.1" : "10.0.0.2", NULL, 1, n});
		}
		json_decref(names_json(r.names, NULL));
		for (unsigned n = 10; n < 500; n += 2)
			names_endpoint_del(r.names, &owners[n]);
		assert_int_equal(names_net_set(r.names, NET_B, round % 2 ? "netb" : "netx"), 0);
		names_net_del(r.names, NET_B);
	}
	r.stop = true;
	pthread_join(thread, NULL);
	assert_int_equal(r.wrong, 0);
	names_free(r.names);
}

static double now_s(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec + ts.tv_nsec / 1e9;
}

static int run_big(unsigned count)
{
	size_t before = mallinfo2().uordblks + mallinfo2().hblkhd;
	struct names *names = make();
	char *owners = malloc(count), name[32];
	struct names_answer answer;
	double start = now_s();

	for (unsigned n = 0; n < count; n++)
		set_nth(names, owners, n, 1);
	printf("set: %.2f us each\n", (now_s() - start) * 1e6 / count);
	printf("memory: %.0f bytes each\n",
		(double)(mallinfo2().uordblks + mallinfo2().hblkhd - before - count) / count);
	start = now_s();
	for (unsigned n = 0; n < count; n++) {
		sprintf(name, "c%u-1", n * 7919 % count);
		names_find(names, &scope_a, name, &answer);
	}
	printf("find: %.2f us each\n", (now_s() - start) * 1e6 / count);
	start = now_s();
	json_decref(names_json(names, NULL));
	printf("json: %.0f ms\n", (now_s() - start) * 1e3);
	start = now_s();
	for (unsigned n = 0; n < count; n++)
		names_endpoint_del(names, &owners[n]);
	printf("del: %.2f us each\n", (now_s() - start) * 1e6 / count);
	names_free(names);
	free(owners);
	return 0;
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_name),
		cmocka_unit_test(test_ip),
		cmocka_unit_test(test_alias),
		cmocka_unit_test(test_alias_of_many),
		cmocka_unit_test(test_scope_order),
		cmocka_unit_test(test_networks_with_dots),
		cmocka_unit_test(test_rename),
		cmocka_unit_test(test_net_del),
		cmocka_unit_test(test_losers),
		cmocka_unit_test(test_twice),
		cmocka_unit_test(test_hosts),
		cmocka_unit_test(test_json),
		cmocka_unit_test(test_many),
		cmocka_unit_test(test_threads),
	};

	if (argc > 1 && strcmp(argv[1], "big") == 0)
		return run_big(argc > 2 ? atoi(argv[2]) : 100000);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
