// SPDX-License-Identifier: BSD-3-Clause
// A VTEP that has a port to itself: how it finds next hops and answers for itself. Time
// is made up.
#include "tests/unit/port_end.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>

#define REACHABLE_MS 5000 // between two questions to a next hop

// ---- next hops ----

static void test_waits_until_known(void **state)
{
	add_remote(2, false);
	sent_question(2, true);
	for (unsigned i = 0; i < WAITING + 3; i++)
		send_to(2, i, 100);
	dropped(&tx_cnt, DP_DROP_TUNNEL_DOWN, 3);
	nothing_more();
	says(2, 2);
	for (unsigned i = 0; i < WAITING; i++)
		sent_to(2, 2, i, 100);
	nothing_more();
	send_to(2, 9, 60);
	sent_to(2, 2, 9, 60);
	nothing_more();
	assert_int_equal(tx_cnt.tx_packets, 1);
	assert_int_equal(tx_cnt.tx_bytes, 60);
}

static void test_one_does_not_wait_for_another(void **state)
{
	add_remote(2, false);
	sent_question(2, true);
	add_remote(3, false);
	sent_question(3, true);
	send_to(2, 1, 100);
	send_to(3, 2, 100);
	says(3, 3);
	sent_to(3, 3, 2, 100);
	nothing_more();
	says(2, 2);
	sent_to(2, 2, 1, 100);
	nothing_more();
}

static void test_retries_then_fails(void **state)
{
	add_remote(2, false);
	sent_question(2, true);
	send_to(2, 1, 100);
	at_ms(999);
	nothing_more();
	for (unsigned i = 1; i <= 2; i++) {
		at_ms(1000 * i);
		sent_question(2, true);
		at_ms(1000 * i + 900);
		nothing_more();
	}
	// What waits is given up, and nothing waits any more.
	at_ms(3000);
	nothing_more();
	send_to(2, 2, 100);
	dropped(&tx_cnt, DP_DROP_TUNNEL_DOWN, 1);
	// It is asked now and then, and may answer.
	at_ms(13000);
	at_ms(13100);
	sent_question(2, true);
	nothing_more();
	at_ms(23100);
	sent_question(2, true);
	says(2, 2);
	nothing_more();
	send_to(2, 3, 100);
	sent_to(2, 2, 3, 100);
	nothing_more();
}

static void test_refreshed_before_it_expires(void **state)
{
	add_known(2, false);
	at_ms(10000);
	for (unsigned ms = 10100; ms < 10000 + REACHABLE_MS; ms += 100)
		at_ms(ms);
	nothing_more();
	at_ms(10000 + REACHABLE_MS);
	sent_question(2, false);
	says(2, 2);
	at_ms(20000);
	at_ms(19900 + REACHABLE_MS);
	nothing_more();
	// No answer this time: it is used until the last question is old, then all are asked.
	for (unsigned i = 0; i < 3; i++) {
		at_ms(20000 + REACHABLE_MS + 1000 * i);
		sent_question(2, false);
		send_to(2, i, 100);
		sent_to(2, 2, i, 100);
		nothing_more();
	}
	at_ms(23000 + REACHABLE_MS);
	sent_question(2, true);
	send_to(2, 7, 100);
	nothing_more();
	says(2, 22);
	sent_to(2, 22, 7, 100);
	nothing_more();
}

static void test_mac_changes(void **state)
{
	add_known(2, false);
	send_to(2, 1, 100);
	sent_to(2, 2, 1, 100);
	says(2, 55);
	send_to(2, 2, 100);
	sent_to(2, 55, 2, 100);
	nothing_more();
}

// An advertisement that does not override, with or without an address.
static void advertises(unsigned host, unsigned mac, bool has_mac)
{
	struct rte_mbuf *m = rte_pktmbuf_alloc(pool);
	struct ip_addr own = ip_of(1), ip = ip_of(host);
	struct mac at = mac_of(mac);
	struct dp_resolve r;
	uint8_t *l4;
	unsigned len = has_mac ? 32 : 24;

	assert_int_equal(dp_resolve_ask(m, &own_mac, &own, &ip, NULL), 0);
	dp_resolve_parse(m, &r);
	assert_int_equal(dp_resolve_answer(m, &r, &at), 0);
	l4 = rte_pktmbuf_mtod_offset(m, uint8_t *, 54);
	l4[4] = 0x40; // solicited
	put16(l4 - 36, len);
	put16(l4 + 2, 0);
	put16(l4 + 2, ~slow_sum(l4, len, slow_sum(l4 - 32, 32, len + 58)));
	rte_pktmbuf_trim(m, 32 - len);
	put_in(m);
	poll_end();
	assert_int_equal(nb_got, 0);
}

// RFC 4861, 7.2.5: what is known stays, and is known to be there if it is the same.
static void test_advertisement_does_not_override(void **state)
{
	if (!v6)
		return;
	add_remote(2, false);
	sent_question(2, true);
	advertises(2, 2, false); // says nothing yet
	send_to(2, 1, 100);
	nothing_more();
	advertises(2, 2, true);
	sent_to(2, 2, 1, 100);
	at_ms(1000);
	at_ms(900 + REACHABLE_MS);
	advertises(2, 55, true);
	send_to(2, 2, 100);
	sent_to(2, 2, 2, 100);
	at_ms(1000 + REACHABLE_MS); // that was no sign of life
	sent_question(2, false);
	advertises(2, 2, false);
	at_ms(10000);
	at_ms(9900 + REACHABLE_MS);
	nothing_more();
	send_to(2, 3, 100);
	sent_to(2, 2, 3, 100);
	nothing_more();
}

// Unasked, to all: gratuitous ARP; an advertisement that overrides, and one that does not.
static void test_mac_is_announced(void **state)
{
	struct rte_mbuf *m = rte_pktmbuf_alloc(pool);
	struct ip_addr ip = ip_of(2);
	struct mac mac = mac_of(66);
	struct dp_resolve r;
	uint8_t bytes[128];
	unsigned len;

	add_known(2, false);
	assert_int_equal(dp_resolve_ask(m, &mac, &ip, &ip, NULL), 0);
	if (v6) {
		// As the answer to the detection of a duplicate.
		memset(rte_pktmbuf_mtod_offset(m, void *, 22), 0, 16);
		put16(rte_pktmbuf_mtod_offset(m, uint8_t *, 18), 24);
		len = hex(bytes, "3333ff00000202000000006686dd6000000000183aff");
		memset(bytes + len, 0, 128 - len);
		hex(bytes + 38, "ff0200000000000000000001ff000002870000000000000000");
		memcpy(bytes + 62, ip.byte, 16);
		put16(bytes + 56, ~slow_sum(bytes + 54, 24, slow_sum(bytes + 22, 32, 24 + 58)));
		rte_pktmbuf_free(m);
		m = chain_of(bytes, 78, 78);
		assert_int_equal(dp_resolve_parse(m, &r), DP_RESOLVE_PROBE);
		assert_int_equal(dp_resolve_answer(m, &r, &mac), 0);
	}
	put_in(m);
	poll_end();
	send_to(2, 2, 100);
	sent_to(2, 66, 2, 100);
	nothing_more();
}

// ---- two threads ----

#define RACE_PACKETS 20000

static atomic_bool race_over;
static uint64_t race_sent;

static void count_tx(
	struct dp_port *port, uint16_t queue, struct rte_mbuf **pkts, uint16_t n, struct dp_site *c)
{
	for (uint16_t i = 0; i < n; i++) // not the questions
		race_sent += pkts[i]->pkt_len > outer_bytes() + 60;
	rte_pktmbuf_free_bulk(pkts, n);
}

static uint64_t given_up(void)
{
	json_t *obj = json_object();
	uint64_t count;

	vtep_describe(vtep, obj);
	count = json_integer_value(json_object_get(obj, "unresolved_dropped"));
	json_decref(obj);
	return count;
}

static void *keep_sending(void *arg)
{
	const uint16_t number = *(uint16_t *)arg;

	for (unsigned i = 0; i < RACE_PACKETS; i++) {
		struct rte_mbuf *m = rte_pktmbuf_alloc(pool);

		memset(rte_pktmbuf_append(m, 64), 7, 64);
		dp_set_remote(m, number);
		vni_port(vni)->tx(vni_port(vni), 0, &m, 1, &tx_cnt);
	}
	atomic_store(&race_over, true);
	return NULL;
}

// A worker sends while the next hop is found, lost and given up: no packet is left behind.
static void test_race(void **state)
{
	uint64_t now_ms = 0;
	uint16_t number;
	pthread_t thread;

	add_known(2, false);
	number = number_of(2);
	lower.tx = count_tx;
	race_sent = 0;
	atomic_store(&race_over, false);
	assert_int_equal(pthread_create(&thread, NULL, keep_sending, &number), 0);
	for (unsigned round = 0; !atomic_load(&race_over); round++, sched_yield()) {
		says(2, 2 + round % 100);
		now_ms += 1000;
		at_ms(now_ms);
		// It is silent, until it is asked all round or even given up.
		now_ms += REACHABLE_MS;
		for (unsigned s = 0; s < 4 + round % 5; s++, now_ms += 1000)
			at_ms(now_ms);
	}
	pthread_join(thread, NULL);
	says(2, 2);
	assert_int_equal(race_sent + tx_cnt.drop[DP_DROP_TUNNEL_DOWN] + given_up(), RACE_PACKETS);
	tx_cnt.drop[DP_DROP_TUNNEL_DOWN] = 0;
	nothing_more();
}

static void test_gateway(void **state)
{
	add_remote(FAR, false);
	sent_question(GATEWAY, true);
	add_remote(FAR + 1, false);
	send_to(FAR, 1, 100);
	send_to(FAR + 1, 2, 100);
	nothing_more();
	says(GATEWAY, GATEWAY);
	sent_to(FAR, GATEWAY, 1, 100);
	sent_to(FAR + 1, GATEWAY, 2, 100);
	nothing_more();
}

// Where nobody would answer for it, its address is configured: it is not asked for, and whoever
// claims another one is not believed.
static void test_gateway_that_is_not_asked(void **state)
{
	conf.has_gateway_mac = true;
	conf.gateway_mac = mac_of(GATEWAY);
	reopen();
	add_remote(FAR, false);
	nothing_more();
	send_to(FAR, 1, 100);
	sent_to(FAR, GATEWAY, 1, 100);
	says(GATEWAY, 7);
	at_ms(1000000);
	send_to(FAR, 2, 100);
	sent_to(FAR, GATEWAY, 2, 100);
	nothing_more();
}

// As long as it is asked: frames for nobody here.
static uint16_t endless_rx(
	struct dp_port *port, uint16_t queue, struct rte_mbuf **pkts, uint16_t n, struct dp_site *c)
{
	assert_int_equal(rte_pktmbuf_alloc_bulk(pool, pkts, n), 0);
	for (uint16_t i = 0; i < n; i++)
		memset(rte_pktmbuf_append(pkts[i], 64), 7, 64);
	return n;
}

// A worker that gets nothing but rubbish still comes back to its other queues.
static void test_endless_rubbish(void **state)
{
	struct dp_port *port = vtep_port(vtep);

	lower.rx = endless_rx;
	assert_int_equal(port->rx(port, 0, got, DP_BURST, &rx_cnt), 0);
	assert_true(rx_cnt.drop[DP_DROP_TUNNEL_OTHER] >= DP_BURST);
	rx_cnt.drop[DP_DROP_TUNNEL_OTHER] = 0;
}

static void test_no_gateway(void **state)
{
	conf.gateway = (struct ip_addr){0};
	reopen();
	add_remote(FAR, false);
	send_to(FAR, 1, 100);
	dropped(&tx_cnt, DP_DROP_TUNNEL_DOWN, 1);
	nothing_more();
}

static void test_remote_goes(void **state)
{
	uint16_t number;
	struct rte_mbuf *m;

	add_known(2, false);
	add_remote(3, false);
	sent_question(3, true);
	send_to(3, 1, 100); // waits, and goes with it
	m = frame_to(3, 2, 100);
	number = number_of(3);
	del_remote(3, false);
	transmit(&m, 1);
	dropped(&tx_cnt, DP_DROP_TUNNEL_NO_REMOTE, 1);
	m = frame_to(2, 2, 100);
	dp_set_remote(m, number + 1000);
	transmit(&m, 1);
	dropped(&tx_cnt, DP_DROP_TUNNEL_NO_REMOTE, 1);
	// The other next hop is as it was.
	send_to(2, 3, 100);
	sent_to(2, 2, 3, 100);
	nothing_more();
}

// ---- answering for itself ----

static void test_answers_questions(void **state)
{
	struct rte_mbuf *m = rte_pktmbuf_alloc(pool), *want = rte_pktmbuf_alloc(pool);
	struct ip_addr own = ip_of(1), other = ip_of(7), asker = ip_of(5);
	struct mac mac = mac_of(5);
	struct dp_resolve r;

	assert_int_equal(dp_resolve_ask(m, &mac, &asker, &own, NULL), 0);
	assert_int_equal(dp_resolve_ask(want, &mac, &asker, &own, NULL), 0);
	dp_resolve_parse(want, &r);
	assert_int_equal(dp_resolve_answer(want, &r, &own_mac), 0);
	put_in(m);
	poll_end();
	assert_int_equal(nb_got, 0);
	sent_bytes(rte_pktmbuf_mtod(want, uint8_t *), want->pkt_len);
	nothing_more();
	rte_pktmbuf_free(want);
	assert_int_equal(rx_cnt.rx_packets, 1);
	// For somebody else.
	m = rte_pktmbuf_alloc(pool);
	assert_int_equal(dp_resolve_ask(m, &mac, &asker, &other, NULL), 0);
	put_in(m);
	poll_end();
	got_nothing(DP_DROP_TUNNEL_OTHER);
}

// Who asks for the VTEP says where it is itself.
static void test_learns_from_questions(void **state)
{
	struct rte_mbuf *m = rte_pktmbuf_alloc(pool);
	struct ip_addr own = ip_of(1), asker = ip_of(2);
	struct mac mac = mac_of(44);

	add_remote(2, false);
	sent_question(2, true);
	send_to(2, 1, 100);
	assert_int_equal(dp_resolve_ask(m, &mac, &asker, &own, NULL), 0);
	put_in(m);
	poll_end();
	sent_to(2, 44, 1, 100);
	rte_pktmbuf_free(next()); // the answer
	nothing_more();
}

static void test_answers_echo(void **state)
{
	uint8_t pkt[256], want[256];
	struct outer o = from_host(5),
		     back = {.to = mac_of(5), .from = own_mac, .dst = 5, .src = 1};
	unsigned off = 14 + ip_bytes(), len, l4 = 64;

	for (unsigned reply = 0; reply < 2; reply++) {
		uint8_t *p = reply ? want : pkt, *ip = p + 14, *icmp = p + off;

		len = off + l4;
		wrap(p, reply ? &back : &o, payload, l4 - 16);
		ip[v6 ? 6 : 9] = v6 ? 58 : 1;
		put32(put32(icmp, (v6 ? 128 + reply : 8 - 8 * reply) << 24), 0x00070001);
		memcpy(icmp + 8, payload, l4 - 8);
		put16(icmp + 2, ~slow_sum(icmp, l4, v6 ? slow_sum(ip + 8, 32, l4 + 58) : 0));
		if (!v6) {
			put16(ip + 10, 0);
			put16(ip + 10, ~slow_sum(ip, 20, 0));
		}
	}
	receive(pkt, len);
	assert_int_equal(nb_got, 0);
	sent_bytes(want, len);
	nothing_more();
	// To another host's address, with the VTEP's MAC.
	o.dst = 6;
	memcpy(pkt + (v6 ? 38 : 30), ip_of(6).byte, v6 ? 16 : 4);
	receive(pkt, len);
	got_nothing(DP_DROP_TUNNEL_OTHER);
}

// ---- opening ----

static void refused_conf(const struct conf_vtep *bad, const char *reason)
{
	const struct vxlan_env env = {
		.dp = dp, .pool = pool, .big_pool = big_pool, .nb_workers = 1};
	struct err err = {0};
	struct vtep *none;

	assert_int_not_equal(vtep_open(bad, &env, &lower, &none, &err), 0);
	assert_non_null(strstr(err.reason, reason));
	assert_string_equal(err.path, "VTEP t0");
}

static void test_configuration(void **state)
{
	struct conf_vtep bad = conf;

	memset(bad.address.byte, 0, 16);
	refused_conf(&bad, "address of a host");
	bad = conf;
	bad.prefix = 0;
	refused_conf(&bad, "prefix");
	bad.prefix = v6 ? 129 : 33;
	refused_conf(&bad, "prefix");
	bad = conf;
	bad.gateway = ip_of(FAR);
	refused_conf(&bad, "gateway");
	bad.gateway.family = v6 ? 4 : 6;
	refused_conf(&bad, "gateway");
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		BOTH(test_waits_until_known),
		BOTH(test_one_does_not_wait_for_another),
		BOTH(test_retries_then_fails),
		BOTH(test_refreshed_before_it_expires),
		BOTH(test_mac_changes),
		BOTH(test_advertisement_does_not_override),
		BOTH(test_mac_is_announced),
		BOTH(test_race),
		BOTH(test_gateway),
		BOTH(test_gateway_that_is_not_asked),
		BOTH(test_endless_rubbish),
		BOTH(test_no_gateway),
		BOTH(test_remote_goes),
		BOTH(test_answers_questions),
		BOTH(test_learns_from_questions),
		BOTH(test_answers_echo),
		BOTH(test_configuration),
	};

	if (packets_init(argc, argv) < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
