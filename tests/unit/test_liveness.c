// SPDX-License-Identifier: BSD-3-Clause
// Heartbeats of a VTEP that has a port to itself, up to its wire. The clock is made up.
#include "tests/unit/port_end.h"

#include "vxlan/path.h"

#define INTERVAL_MS 100
#define MANY	    5000 // more than wait for main

// Of a heartbeat's frame.
static unsigned beat_bytes(void)
{
	return 1500 - outer_bytes() + 14;
}

static void beat_at(uint64_t ms)
{
	vtep_heartbeat(vtep, ms * 1000);
}

// A request of `bytes` was sent to the host, in the network; zeros in the end.
static struct heartbeat_msg sent_sized(unsigned host, uint32_t number, unsigned bytes)
{
	struct rte_mbuf *m = next();
	const uint8_t *p = rte_pktmbuf_mtod(m, const uint8_t *), *frame = p + outer_bytes();
	const struct mac to = mac_of(host);
	struct heartbeat_msg msg;

	assert_int_equal(m->pkt_len, outer_bytes() + bytes);
	assert_memory_equal(p, &to, 6);
	assert_int_equal(
		p[outer_bytes() - 4] << 16 | p[outer_bytes() - 3] << 8 | p[outer_bytes() - 2],
		number);
	assert_memory_equal(frame, "\x01\x80\xc2\0\0\x01", 6);
	assert_int_equal(frame[6] & 3, 2);
	assert_true(heartbeat_read(frame, bytes, &msg));
	assert_false(msg.is_reply);
	for (unsigned i = HEARTBEAT_FRAME_BYTES; i < bytes; i++)
		assert_int_equal(frame[i], 0);
	rte_pktmbuf_free(m);
	return msg;
}

// One of the full size.
static struct heartbeat_msg sent_request(unsigned host, uint32_t number)
{
	return sent_sized(host, number, beat_bytes());
}

static bool takes(struct rte_mbuf *m)
{
	return vni_port(vni)->take_local(vni_port(vni), m, &rx_cnt);
}

static void receive_msg(unsigned host, const struct heartbeat_msg *msg, unsigned len)
{
	uint8_t frame[PACKET_BYTES] = {0}, pkt[PACKET_BYTES];
	const struct mac src = mac_of(host);
	const struct outer o = from_host(host);

	heartbeat_write(frame, &src, msg);
	receive(pkt, wrap(pkt, &o, frame, len));
	for (unsigned i = 0; i < nb_got; i++)
		assert_true(takes(got[i]));
}

static void answered_at(unsigned host, struct heartbeat_msg msg, uint64_t ms)
{
	msg.is_reply = true;
	receive_msg(host, &msg, beat_bytes());
	assert_true(atomic_load(&vtep_port(vtep)->calls_main));
	vtep_hear(vtep, ms * 1000);
	assert_false(atomic_load(&vtep_port(vtep)->calls_main));
}

static void expect_event(const char *name, unsigned host, const char *reason)
{
	struct ip_addr ip = ip_of(host);
	char want[sizeof(last_event)], text[IP_TEXT_BYTES];

	snprintf(want, sizeof(want), "%s {\"reason\":\"%s\",\"remote\":\"%s\",\"vtep\":\"t0\"}",
		name, reason, ip_format(&ip, text));
	assert_string_equal(last_event, want);
	last_event[0] = '\0';
}

static void with_heartbeats(void)
{
	conf.heartbeat_ms = INTERVAL_MS;
	reopen();
}

// ---- asking ----

static void test_up_and_down(void **state)
{
	char reason[64];

	with_heartbeats();
	add_known(2, false);
	beat_at(1000);
	answered_at(2, sent_request(2, VNI), 1000);
	expect_event("remote.up", 2, "a heartbeat was answered");
	for (unsigned i = 1; i <= HEARTBEAT_MISSES; i++) {
		beat_at(1000 + i * INTERVAL_MS);
		sent_request(2, VNI);
		if (i > 1) // whether it is there at all
			sent_sized(2, VNI, HEARTBEAT_FRAME_BYTES);
		assert_string_equal(last_event, "");
	}
	beat_at(1000 + 4 * INTERVAL_MS);
	snprintf(
		reason, sizeof(reason), "3 heartbeats of %u bytes were not answered", beat_bytes());
	expect_event("remote.down", 2, reason);
	answered_at(2, sent_request(2, VNI), 1500);
	expect_event("remote.up", 2, "a heartbeat was answered");
	sent_sized(2, VNI, HEARTBEAT_FRAME_BYTES);
	nothing_more();
}

// The remote answers what gets through: it stays up, and the MTU follows, but not below 1280.
static void narrow_path(unsigned carries, unsigned mtu)
{
	unsigned full = beat_bytes() - 14, bytes;
	char reason[80] = "";

	with_heartbeats();
	add_known(2, false);
	for (unsigned i = 0; i < 100 && !reason[0]; i++) {
		beat_at(1000 + i * INTERVAL_MS);
		while ((bytes = bytes_of_next())) {
			struct heartbeat_msg msg = sent_sized(2, VNI, bytes -= outer_bytes());

			msg.is_reply = true;
			if (bytes - 14 <= (i < 3 ? full : carries))
				receive_msg(2, &msg, bytes);
		}
		nothing_more();
		vtep_hear(vtep, (1000 + i * INTERVAL_MS) * 1000);
		if (!strncmp(last_event, "remote.mtu", 10))
			snprintf(reason, sizeof(reason),
				"heartbeats of more than %u bytes are not answered", carries + 14);
		else
			assert_null(strstr(last_event, "remote.down"));
	}
	expect_event("remote.mtu", 2, reason);
	at_ms(20000);
	assert_int_equal(vtep_mtu(vtep), mtu);
	assert_int_equal(vni_port(vni)->mtu, mtu);
	last_event[0] = '\0';
	while (bytes_of_next()) // whether the next hop is still there
		rte_pktmbuf_free(next());
	nothing_more();
}

static void test_narrow_path(void **state)
{
	narrow_path(1350, 1350);
}

static void test_path_too_narrow_for_ip6(void **state)
{
	narrow_path(600, 1280);
}

// What is configured stays.
static void test_narrow_path_with_mtu(void **state)
{
	conf.mtu = 1500;
	narrow_path(1350, beat_bytes() - 14);
}

static void test_never_answered(void **state)
{
	with_heartbeats();
	add_known(2, false);
	for (unsigned i = 0; i < 20; i++) {
		beat_at(1000 + i * INTERVAL_MS);
		sent_request(2, VNI);
		if (i && i % PATH_UNKNOWN == 0)
			sent_sized(2, VNI, HEARTBEAT_FRAME_BYTES);
	}
	assert_string_equal(last_event, "");
	nothing_more();
}

static void test_without(void **state)
{
	add_known(2, false);
	assert_int_equal(vtep_heartbeat(vtep, 1000), 0);
	nothing_more();
}

// Each once an interval, one after the other.
static void test_paced(void **state)
{
	unsigned asked[12] = {0}, count = 0;

	with_heartbeats();
	for (unsigned host = 2; host < 12; host++)
		add_known(host, false);
	beat_at(1000);
	sent_request(2, VNI);
	for (uint64_t ms = 1001; ms < 1000 + 10 * INTERVAL_MS; ms++) {
		beat_at(ms);
		if (ms % (INTERVAL_MS / 10) == 0) {
			uint32_t seq = sent_request(2 + ++count % 10, VNI).seq;

			asked[seq]++;
			if (seq == PATH_UNKNOWN)
				sent_sized(2 + count % 10, VNI, HEARTBEAT_FRAME_BYTES);
		}
		nothing_more();
	}
	assert_int_equal(count, 99);
	for (unsigned seq = 1; seq < 10; seq++)
		assert_int_equal(asked[seq], 10);
	// After a long sleep it does not catch up.
	beat_at(100000);
	sent_request(2 + ++count % 10, VNI);
	nothing_more();
}

static void test_lowest_network(void **state)
{
	struct ip_addr ip = ip_of(2);
	struct vni *low, *lower_still;
	uint16_t number;

	with_heartbeats();
	add_known(2, false);
	assert_int_equal(vni_open(vtep, 8, 0, &low, NULL), 0);
	assert_int_equal(vni_open(vtep, 7, 0, &lower_still, NULL), 0); // is not in it
	assert_int_equal(vtep_remote_get(vtep, &ip, &number, NULL), 0);
	assert_int_equal(vni_remote_add(low, number, false), 0);
	assert_int_equal(vtep_publish(vtep), 0);
	beat_at(1000);
	sent_request(2, 8);
	vni_remote_del(low, number, false);
	assert_int_equal(vtep_publish(vtep), 0);
	beat_at(2000);
	sent_request(2, VNI);
	vni_remote_del(vni, number, false);
	assert_int_equal(vtep_publish(vtep), 0);
	beat_at(3000); // in no network
	nothing_more();
	vni_close(low);
	vni_close(lower_still);
	vtep_remote_put(vtep, number);
	assert_int_equal(vtep_publish(vtep), 0);
}

// ---- answering ----

static void sent_reply(unsigned host, const struct heartbeat_msg *request, unsigned len)
{
	struct rte_mbuf *m = next();
	const uint8_t *p = rte_pktmbuf_mtod(m, const uint8_t *);
	const struct mac to = mac_of(host);
	struct heartbeat_msg msg;

	assert_int_equal(m->pkt_len, outer_bytes() + len);
	assert_memory_equal(p, &to, 6);
	assert_true(heartbeat_read(p + outer_bytes(), len, &msg));
	assert_true(msg.is_reply && msg.seq == request->seq && msg.cookie == request->cookie);
	rte_pktmbuf_free(m);
}

// Without heartbeats of its own.
static void test_answers(void **state)
{
	const struct heartbeat_msg request = {.seq = 7, .cookie = 0x123456789a};

	add_known(2, false);
	for (unsigned len = HEARTBEAT_FRAME_BYTES; len <= beat_bytes(); len += 97) {
		receive_msg(2, &request, len);
		nothing_more(); // before main looks
		vtep_hear(vtep, 1000000 + len * 1000);
		sent_reply(2, &request, len);
		nothing_more();
	}
	receive_msg(2, &request, beat_bytes());
	// Its sender has gone meanwhile.
	del_remote(2, false);
	vtep_hear(vtep, 3000000);
	nothing_more();
}

static void test_answers_are_limited(void **state)
{
	const struct heartbeat_msg request = {.seq = 7};

	add_known(2, false);
	for (unsigned i = 0; i < MANY && !drops_of(&rx_cnt); i++)
		receive_msg(2, &request, 60);
	dropped(&rx_cnt, DP_DROP_TUNNEL_HEARTBEAT, 1);
	vtep_hear(vtep, 1000000);
	for (unsigned i = 0; i < 33; i++)
		sent_reply(2, &request, 60);
	nothing_more();
}

static void test_from_strangers(void **state)
{
	const struct heartbeat_msg request = {.seq = 7};

	receive_msg(3, &request, 60);
	got_nothing(DP_DROP_TUNNEL_SOURCE);
	assert_false(atomic_load(&vtep_port(vtep)->calls_main));
}

// To the same address, and something else: a frame like others.
static void not_taken(uint8_t *frame, unsigned len)
{
	const struct outer o = from_host(2);
	uint8_t pkt[PACKET_BYTES];

	receive(pkt, wrap(pkt, &o, frame, len));
	assert_int_equal(nb_got, 1);
	assert_false(takes(got[0]));
	got_frame(0, 2, frame, len);
}

static void test_no_heartbeat(void **state)
{
	const struct mac src = mac_of(2);
	uint8_t frame[100] = {0};

	add_known(2, false);
	heartbeat_write(frame, &src, &(struct heartbeat_msg){.seq = 1});
	not_taken(frame, HEARTBEAT_FRAME_BYTES - 1);
	frame[14] ^= 1;
	not_taken(frame, 100);
	frame[14] ^= 1;
	frame[5] = 2;
	not_taken(frame, 100);
	assert_false(atomic_load(&vtep_port(vtep)->calls_main));
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		BOTH(test_up_and_down),
		BOTH(test_narrow_path),
		BOTH(test_path_too_narrow_for_ip6),
		BOTH(test_narrow_path_with_mtu),
		BOTH(test_never_answered),
		BOTH(test_without),
		BOTH(test_paced),
		BOTH(test_lowest_network),
		BOTH(test_answers),
		BOTH(test_answers_are_limited),
		BOTH(test_from_strangers),
		BOTH(test_no_heartbeat),
	};

	if (packets_init(argc, argv) < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
