// SPDX-License-Identifier: BSD-3-Clause
// The copy of the store: what is applied is there and linked, observers are told of each change, a
// full reading deletes what was not in it.
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
#include "netd/replica/replica.h"
#include "tests/unit/addresses.h"

#define NET1 "11111111111111111111111111111111"
#define NET2 "22222222222222222222222222222222"

// What the observers were told, a word each.
static struct log {
	char text[4096];
	struct replica *replica;
	struct replica_endpoint *winner; // of `watched` when an endpoint was told of
	const char *watched;
} told;

static void note(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

static void note(const char *fmt, ...)
{
	size_t len = strlen(told.text);
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(told.text + len, sizeof(told.text) - len, fmt, ap);
	va_end(ap);
}

static void on_host(void *arg, struct replica_host *host, const struct host_record *old)
{
	note("host:%s%s%s ", host->rec.name, host->present ? "+" : "-", old ? "old" : "");
}

static void on_net(void *arg, struct replica_net *net, bool gone)
{
	note("net:%s%s ", net->rec.name, gone ? "-" : "+");
	assert_int_equal(net->known, !gone);
}

static void on_block(void *arg, struct replica_block *block, bool gone)
{
	note("block:%s%s ", block->rec.owner, gone ? "-" : "+");
}

static void on_endpoint(
	void *arg, struct replica_endpoint *ep, const struct endpoint_record *old, bool gone)
{
	struct ip_addr a;

	assert_ptr_equal(arg, &told);
	note("ep:%s%s%s ", ep->rec.name, gone ? "-" : "+", old && !gone ? old->name : "");
	assert_non_null(ep->host);
	if (!told.watched)
		return;
	a = ip(told.watched);
	told.winner = replica_by_ip(told.replica, ep->net->id, &a);
}

static void start(struct replica *r)
{
	struct replica_observer observer = {.host = on_host,
		.net = on_net,
		.block = on_block,
		.endpoint = on_endpoint,
		.arg = &told};

	told = (struct log){.replica = r};
	assert_int_equal(replica_init(r, &observer), 0);
}

static void assert_told(const char *text)
{
	assert_string_equal(told.text, text);
	told.text[0] = '\0';
}

static int put(struct replica *r, const char *key, const char *value, uint64_t revision)
{
	return replica_apply(r, key, value, value ? strlen(value) : 0, revision, 1000);
}

static void put_host(struct replica *r, const char *name, const char *vtep, uint64_t revision)
{
	struct host_record rec = {.id = NET1, .vtep = ip(vtep), .udp_port = 4789};
	char key[RECORD_KEY_BYTES], *text;

	strcpy(rec.name, name);
	text = host_record_print(&rec);
	assert_int_equal(put(r, record_key_host(key, name), text, revision), 0);
	free(text);
}

static int put_net(struct replica *r, const char *name, const char *id, uint64_t revision)
{
	struct network_record rec = {.driver = "overlay"};
	char key[RECORD_KEY_BYTES], *text;
	int rc;

	strcpy(rec.name, name);
	strcpy(rec.id, id);
	text = network_record_print(&rec);
	rc = put(r, record_key_network(key, name), text, revision);
	free(text);
	return rc;
}

struct ep {
	const char *net, *ip, *ip2, *name, *host;
	uint64_t epoch, seq, revision;
};

static char *ep_text(const struct ep *ep)
{
	struct endpoint_record rec = {.nb_ips = ep->ip2 ? 2 : 1,
		.mac = {{2, 0, 0, 0, 0, 1}},
		.epoch = ep->epoch,
		.seq = ep->seq};

	rec.ips[0] = (struct cidr){ip(ep->ip), 16};
	if (ep->ip2)
		rec.ips[1] = (struct cidr){ip(ep->ip2), 16};
	// Of its name, so that both can be told apart.
	snprintf(rec.id, sizeof(rec.id), "%02x%030x", (unsigned char)ep->name[0], 0);
	strcpy(rec.name, ep->name);
	strcpy(rec.host, ep->host);
	return endpoint_record_print(&rec);
}

static const char *ep_key(char *key, const struct ep *ep)
{
	struct ip_addr a = ip(ep->ip);

	return record_key_endpoint(key, ep->net, &a);
}

static void put_ep(struct replica *r, const struct ep *ep)
{
	char key[RECORD_KEY_BYTES], *text = ep_text(ep);

	assert_int_equal(put(r, ep_key(key, ep), text, ep->revision), 0);
	free(text);
}

static void del_ep(struct replica *r, const struct ep *ep)
{
	char key[RECORD_KEY_BYTES];

	assert_int_equal(put(r, ep_key(key, ep), NULL, 0), 0);
}

static void put_block(
	struct replica *r, const char *net, const char *text, const char *owner, uint64_t epoch)
{
	struct block_record rec = {.epoch = epoch};
	char key[RECORD_KEY_BYTES], *value;

	assert_int_equal(cidr_parse(text, &rec.cidr), 0);
	strcpy(rec.owner, owner);
	value = block_record_print(&rec);
	assert_int_equal(put(r, record_key_block(key, net, &rec.cidr), value, epoch), 0);
	free(value);
}

static const struct ep a = {NET1, "10.0.0.2", NULL, "a", "h1", 1, 1, 11};
static const struct ep b = {NET1, "10.0.0.3", "10.0.0.2", "b", "h2", 1, 2, 12};

static struct replica_endpoint *by_ip(struct replica *r, const char *net, const char *text)
{
	struct ip_addr at = ip(text);

	return replica_by_ip(r, net, &at);
}

static void test_hosts(void **state)
{
	struct replica_host *host;
	struct replica r;

	start(&r);
	put_host(&r, "h1", "192.0.2.1", 3);
	assert_told("host:h1+ ");
	host = replica_host(&r, "h1");
	assert_true(host->known && host->present);
	assert_int_equal(host->revision, 3);
	put_host(&r, "h1", "192.0.2.2", 4);
	assert_told("host:h1+old ");
	put_ep(&r, &a);
	assert_told("ep:a+ ");
	assert_int_equal(host->nb_endpoints, 1);

	// Gone, but its endpoint still needs to know where it was.
	assert_int_equal(put(&r, "v1/hosts/h1", NULL, 0), 0);
	assert_told("host:h1-old ");
	assert_ptr_equal(replica_host(&r, "h1"), host);
	assert_false(host->present);
	assert_int_equal(host->absent_since_us, 1000);
	assert_int_equal(host->rec.vtep.byte[3], 2);
	put(&r, "v1/hosts/h1", NULL, 0);
	assert_told("");
	del_ep(&r, &a);
	assert_told("ep:a- ");
	assert_null(replica_host(&r, "h1"));
	replica_fini(&r);
}

// A host whose record is of a newer version is not gone.
static void test_host_of_newer_version(void **state)
{
	struct replica_host *host;
	struct replica r;

	start(&r);
	put_ep(&r, &a);
	host = replica_host(&r, "h1");
	assert_false(host->present);
	assert_int_equal(put(&r, "v1/hosts/h1", "{\"v\":2}", 5), -EBADMSG);
	assert_true(host->present);
	assert_false(host->known);
	assert_told("ep:a+ host:h1+ ");
	put(&r, "v1/hosts/h1", NULL, 6);
	assert_false(host->present);
	assert_int_equal(HASH_COUNT(r.skipped), 0);
	replica_fini(&r);
}

static void test_networks(void **state)
{
	struct replica_net *net;
	struct replica r;

	start(&r);
	// Endpoints and blocks come before their network.
	put_ep(&r, &a);
	put_block(&r, NET1, "10.0.0.0/28", "h1", 1);
	net = replica_net_by_id(&r, NET1);
	assert_false(net->known);
	assert_null(replica_net(&r, NET1));
	assert_int_equal(put_net(&r, "web", NET1, 7), 0);
	assert_told("ep:a+ block:h1+ net:web+ ");
	assert_ptr_equal(replica_net(&r, "web"), net);
	assert_ptr_equal(replica_net(&r, NET1), net);
	assert_ptr_equal(replica_net(&r, "111"), net);
	assert_null(replica_net(&r, "112"));
	assert_null(replica_net(&r, ""));
	assert_int_equal(put_net(&r, "db", "11100000000000000000000000000000", 8), 0);
	assert_null(replica_net(&r, "111")); // which one?
	assert_ptr_equal(replica_net(&r, "1111"), net);

	put(&r, "v1/networks/web", NULL, 0);
	put(&r, "v1/networks/db", NULL, 0);
	assert_told("net:db+ net:web- net:db- ");
	assert_null(replica_net_by_id(&r, "11100000000000000000000000000000"));
	assert_ptr_equal(replica_net_by_id(&r, NET1), net);
	assert_null(replica_net(&r, "web"));
	del_ep(&r, &a);
	assert_ptr_equal(replica_net_by_id(&r, NET1), net);
	put(&r, "v1/nets/" NET1 "/blocks/10.0.0.0_28", NULL, 0);
	assert_null(replica_net_by_id(&r, NET1));
	replica_fini(&r);
}

static void test_network_made_again(void **state)
{
	struct replica r;

	start(&r);
	put_net(&r, "web", NET1, 1);
	put_net(&r, "web", NET2, 2);
	assert_told("net:web+ net:web- net:web+ ");
	assert_null(replica_net_by_id(&r, NET1));
	assert_string_equal(replica_net(&r, "web")->id, NET2);
	// Two of one id cannot be.
	assert_int_equal(put_net(&r, "other", NET2, 3), -EBADMSG);
	assert_int_equal(HASH_COUNT(r.skipped), 1);
	assert_null(replica_net(&r, "other"));
	replica_fini(&r);
}

static void test_local_networks(void **state)
{
	struct network_record rec = {.name = "web", .id = NET2, .driver = "bridge"};
	struct network_record same = rec;
	struct replica_net *net;
	struct replica r;

	start(&r);
	put_net(&r, "web", NET1, 1);
	assert_int_equal(replica_net_set(&r, &rec, true, 0), 0);
	net = replica_net(&r, "web");
	assert_string_equal(net->id, NET2);
	assert_true(net->local);
	strcpy(same.id, NET1);
	assert_int_equal(replica_net_set(&r, &same, true, 0), -EEXIST);
	strcpy(same.id, "33333333333333333333333333333333");
	assert_int_equal(replica_net_set(&r, &same, true, 0), -EEXIST);
	// The store says nothing about it.
	replica_begin(&r);
	replica_end(&r, REPLICA_KEEP_NONE, 0);
	assert_ptr_equal(replica_net(&r, "web"), net);
	assert_null(replica_net_by_id(&r, NET1));

	// The agent still has something of it when it goes.
	net->agent = (void *)&r;
	replica_net_remove(&r, net);
	assert_ptr_equal(replica_net_by_id(&r, NET2), net);
	assert_null(replica_net(&r, "web"));
	net->agent = NULL;
	replica_net_tidy(&r, net);
	assert_null(replica_net_by_id(&r, NET2));
	replica_fini(&r);
}

static void test_blocks(void **state)
{
	struct replica_host *h1;
	struct replica_block *block;
	struct replica r;

	start(&r);
	put_block(&r, NET1, "10.0.0.0/28", "h1", 1);
	h1 = replica_host(&r, "h1");
	block = LIST_FIRST(&h1->blocks);
	assert_ptr_equal(block->host, h1);
	assert_ptr_equal(block->net, replica_net_by_id(&r, NET1));
	put_block(&r, NET1, "10.0.0.0/28", "h2", 2);
	assert_null(replica_host(&r, "h1"));
	assert_string_equal(block->host->rec.name, "h2");
	put_block(&r, NET1, "10.0.0.0/28", "", 2);
	assert_null(block->host);
	assert_null(replica_host(&r, "h2"));
	put(&r, block->key, NULL, 0);
	assert_null(r.blocks);
	assert_told("block:h1+ block:h2+ block:+ block:- ");
	replica_fini(&r);
}

static void test_claims(void **state)
{
	struct ep stronger = a;
	struct replica r;

	start(&r);
	told.watched = "10.0.0.2";
	put_ep(&r, &a);
	assert_string_equal(told.winner->rec.name, "a");
	put_ep(&r, &b); // claims the address of `a` with a greater sequence
	assert_string_equal(told.winner->rec.name, "b");
	assert_string_equal(by_ip(&r, NET1, "10.0.0.3")->rec.name, "b");
	assert_null(by_ip(&r, NET1, "10.0.0.4"));
	assert_null(by_ip(&r, NET2, "10.0.0.2"));
	stronger.epoch = 2;
	put_ep(&r, &stronger);
	assert_string_equal(told.winner->rec.name, "a");
	// When the winner goes, the loser has it before anybody is told.
	del_ep(&r, &stronger);
	assert_string_equal(told.winner->rec.name, "b");
	del_ep(&r, &b);
	assert_null(told.winner);
	replica_fini(&r);
}

static void test_names(void **state)
{
	struct ep twin = b;
	struct replica_net *net;
	struct replica r;

	start(&r);
	put_ep(&r, &a);
	put_ep(&r, &b);
	net = replica_net_by_id(&r, NET1);
	assert_string_equal(replica_by_name(net, "b")->rec.name, "b");
	assert_null(replica_by_name(net, "c"));
	assert_string_equal(replica_by_name(net, "61000")->rec.name, "a"); // 'a' is 0x61
	assert_null(replica_by_name(net, "6"));
	assert_null(replica_by_name(net, ""));
	twin.name = "a";
	twin.revision = 13;
	put_ep(&r, &twin);
	assert_string_equal(replica_by_name(net, "a")->rec.host, "h2");
	assert_null(replica_by_name(net, "b"));
	replica_fini(&r);
}

static void test_endpoint_moves(void **state)
{
	struct ep moved = a;
	struct replica r;

	start(&r);
	put_ep(&r, &a);
	moved.host = "h2";
	moved.name = "c";
	moved.revision = 20;
	put_ep(&r, &moved);
	assert_told("ep:a+ ep:c+a ");
	assert_null(replica_host(&r, "h1"));
	assert_int_equal(replica_host(&r, "h2")->nb_endpoints, 1);
	assert_int_equal(replica_net_by_id(&r, NET1)->nb_endpoints, 1);
	replica_fini(&r);
}

static void test_skipped(void **state)
{
	char key[RECORD_KEY_BYTES];
	struct replica r;

	start(&r);
	put_ep(&r, &a);
	ep_key(key, &a);
	assert_int_equal(put(&r, key, "{\"v\":1}", 20), -EBADMSG);
	assert_int_equal(HASH_COUNT(r.skipped), 1);
	assert_non_null(strstr(r.skipped->reason, "missing"));
	assert_string_equal(by_ip(&r, NET1, "10.0.0.2")->rec.name, "a"); // as it was
	assert_told("ep:a+ ");

	// Still there in a full reading that has it only so.
	replica_begin(&r);
	put(&r, key, "{\"v\":1}", 20);
	replica_end(&r, REPLICA_KEEP_NONE, 0);
	assert_non_null(by_ip(&r, NET1, "10.0.0.2"));
	assert_int_equal(HASH_COUNT(r.skipped), 1);
	replica_begin(&r);
	replica_end(&r, REPLICA_KEEP_NONE, 0);
	assert_null(by_ip(&r, NET1, "10.0.0.2"));
	assert_int_equal(HASH_COUNT(r.skipped), 0);

	put(&r, key, "x", 21);
	assert_int_equal(HASH_COUNT(r.skipped), 1);
	put_ep(&r, &a);
	assert_int_equal(HASH_COUNT(r.skipped), 0);
	assert_int_equal(put(&r, "v1/nets/x/ep/y", "x", 22), 0); // not ours
	assert_int_equal(HASH_COUNT(r.skipped), 0);
	replica_fini(&r);
}

static void fill(struct replica *r)
{
	put(r, "v1/cluster", "{\"v\":1,\"id\":\"" NET1 "\"}", 1);
	put(r, "v1/allocation", "{\"v\":1,\"seq\":1}", 2);
	put_host(r, "h1", "192.0.2.1", 3);
	put_host(r, "h2", "192.0.2.2", 4);
	put_ep(r, &a);
	put_ep(r, &b);
	put_block(r, NET1, "10.0.0.0/28", "h1", 5);
	put_net(r, "web", NET1, 6);
	told.text[0] = '\0';
}

static void test_reading_again(void **state)
{
	struct replica r;

	start(&r);
	fill(&r);
	assert_string_equal(r.cluster.id, NET1);
	assert_int_equal(r.allocation_revision, 2);
	replica_begin(&r);
	put_host(&r, "h2", "192.0.2.2", 4);
	put_ep(&r, &b);
	replica_end(&r, REPLICA_KEEP_NONE, 2000);
	// `b` is as it was: nobody hears of it.
	assert_told("host:h2+old ep:a- block:h1- net:web- host:h1-old ");
	assert_null(by_ip(&r, NET1, "10.0.0.9"));
	assert_string_equal(by_ip(&r, NET1, "10.0.0.2")->rec.name, "b");
	assert_null(replica_host(&r, "h1"));
	assert_string_equal(r.cluster.id, "");
	assert_int_equal(r.allocation_revision, 0);
	replica_fini(&r);
}

// The same revision says nothing when the store is another one.
static void test_same_revision(void **state)
{
	struct ep other = a;
	struct replica r;

	start(&r);
	put_ep(&r, &a);
	other.name = "c";
	put_ep(&r, &other);
	assert_told("ep:a+ ep:c+a ");
	put_ep(&r, &other);
	assert_told("");
	other.revision++;
	put_ep(&r, &other);
	assert_int_equal(by_ip(&r, NET1, "10.0.0.2")->revision, other.revision);
	replica_fini(&r);
}

static void test_lost_store(void **state)
{
	struct ep again = b;
	struct replica r;

	start(&r);
	fill(&r);
	replica_begin(&r);
	put_host(&r, "h2", "192.0.2.2", 1);
	replica_end(&r, REPLICA_KEEP_ALL, 2000);
	assert_told("host:h2+old host:h1-old ");
	assert_int_equal(by_ip(&r, NET1, "10.0.0.2")->revision, 0);
	assert_int_equal(r.blocks->revision, 0);
	assert_int_equal(replica_net(&r, "web")->revision, 0);
	assert_string_equal(r.cluster.id, "");
	assert_int_equal(r.allocation_revision, 0);
	assert_int_equal(replica_host(&r, "h1")->absent_since_us, 2000);

	// The same store is read anew: what is not in it yet is not lost for that.
	replica_begin(&r);
	put_host(&r, "h2", "192.0.2.2", 1);
	told.text[0] = '\0';
	replica_end(&r, REPLICA_KEEP_LOST, 2500);
	assert_told("");
	assert_int_equal(replica_host(&r, "h1")->absent_since_us, 2000);

	// `h2` puts its own back; nobody does it for `h1`.
	again.revision = 2;
	put_ep(&r, &again);
	put_net(&r, "web", NET1, 3);
	told.text[0] = '\0';
	replica_end(&r, REPLICA_KEEP_NONE, 3000);
	assert_told("ep:a- block:h1- ");
	assert_int_equal(by_ip(&r, NET1, "10.0.0.3")->revision, 2);
	assert_non_null(replica_net(&r, "web"));
	assert_null(replica_host(&r, "h1"));
	replica_fini(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_hosts),
		cmocka_unit_test(test_host_of_newer_version),
		cmocka_unit_test(test_networks),
		cmocka_unit_test(test_network_made_again),
		cmocka_unit_test(test_local_networks),
		cmocka_unit_test(test_blocks),
		cmocka_unit_test(test_claims),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_endpoint_moves),
		cmocka_unit_test(test_skipped),
		cmocka_unit_test(test_reading_again),
		cmocka_unit_test(test_same_revision),
		cmocka_unit_test(test_lost_store),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
