// SPDX-License-Identifier: BSD-3-Clause
// The forwarder against servers that err, on one loop with them: nothing happens that the test
// does not do or wait for.
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/file.h"
#include "base/loop.h"
#include "base/util.h"
#include "netd/dns/forward.h"

#define DEADLINE_US 20000000
#define SERVERS	    3
#define HELD_MAX    16
#define MANY	    1000
#define TYPE_A	    1
#define TYPE_TXT    16
#define SERVFAIL    2
#define NXDOMAIN    3
#define REFUSED	    5

enum mode {
	NORMAL,	      // 192.0.2.NUMBER of the server
	DEAD,	      // nothing
	HOLD,	      // nothing before release()
	LOSE_FIRST,   // nothing to the first question
	ERROR,	      // the rcode `error`
	NOTHING,      // no such name, with a SOA
	NOTHING_BARE, // the same without
	NO_EDNS,      // FORMERR to a question with EDNS
	BIG_UDP,      // more than was asked for over UDP, the truth over TCP
	CUT,	      // TC over UDP, much over TCP
	WRONG_ID,
	WRONG_QUESTION,
	WRONG_PORT,
	WRONG_NAME,
	NO_RESPONSE, // the question as it came
	GARBAGE,
	LOOP, // what it is asked comes in here again
};

struct held {
	uint8_t wire[512];
	size_t len;
	struct sockaddr_in from;
};

struct fake {
	int udp, tcp, conn; // conn -1: none
	struct loop_handle *udp_handle, *tcp_handle, *conn_handle;
	struct dns_server addr;
	uint8_t number;
	enum mode mode;
	int error;
	uint32_t ttl_s;
	unsigned asked, asked_tcp, probes; // `asked` without probes
	uint16_t last_flags;
	bool last_edns, last_do;
	struct held held[HELD_MAX];
	unsigned nb_held;
};

struct told {
	unsigned count, refused, failed;
	int rcode, source;
	uint8_t number; // last byte of the first address
	struct ip_addr server;
	uint8_t wire[65535];
	size_t len;
};

static struct {
	struct loop *loop;
	struct loop_handle *poll;
	struct forward *forward;
	struct upstreams *list;
	struct dns_conf conf;
	struct fake fakes[SERVERS];
	struct told told;
	bool (*until)(void);
	uint64_t deadline_us;
	unsigned want, rounds;
	unsigned came; // probes that came in as questions again
} t;

// ---- messages ----

static unsigned get16(const uint8_t *at)
{
	return at[0] << 8 | at[1];
}

static void put16(uint8_t *at, unsigned value)
{
	at[0] = value >> 8;
	at[1] = value;
}

static size_t name_wire(const char *text, uint8_t *out)
{
	size_t len = 0;

	while (*text) {
		size_t label = strcspn(text, ".");

		out[len++] = label;
		memcpy(out + len, text, label);
		len += label;
		text += label + (text[label] == '.');
	}
	out[len++] = 0;
	return len;
}

static size_t question_end(const uint8_t *wire)
{
	size_t at = 12;

	while (wire[at])
		at += 1 + wire[at];
	return at + 5;
}

static size_t add_record(
	uint8_t *out, size_t len, unsigned type, uint32_t ttl_s, const void *data, size_t bytes)
{
	put16(out + len, 0xc00c);
	put16(out + len + 2, type);
	put16(out + len + 4, 1);
	put16(out + len + 6, ttl_s >> 16);
	put16(out + len + 8, ttl_s);
	put16(out + len + 10, bytes);
	memcpy(out + len + 12, data, bytes);
	return len + 12 + bytes;
}

// The head of a response, with the question.
static size_t head(uint8_t *out, const uint8_t *question, int rcode)
{
	size_t len = question_end(question);

	memcpy(out, question, len);
	put16(out + 2, 0x8180 | rcode);
	put16(out + 6, 0);
	put16(out + 8, 0);
	put16(out + 10, 0);
	return len;
}

// With an OPT record at its end, as servers have it that know EDNS.
static size_t add_opt(uint8_t *out, size_t len)
{
	static const uint8_t opt[] = {0, 0, 41, 4, 208, 0, 0, 0, 0, 0, 0};

	put16(out + 10, 1);
	memcpy(out + len, opt, sizeof(opt));
	return len + sizeof(opt);
}

static size_t address(uint8_t *out, const uint8_t *question, uint32_t ttl_s, uint8_t number)
{
	const uint8_t ip[] = {192, 0, 2, number};
	size_t len = head(out, question, 0);

	put16(out + 6, 1);
	return add_record(out, len, TYPE_A, ttl_s, ip, sizeof(ip));
}

static size_t nothing(uint8_t *out, const uint8_t *question, bool soa)
{
	static const uint8_t data[] = {
		0, 0, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 60};
	size_t len = head(out, question, NXDOMAIN);

	if (!soa)
		return len;
	put16(out + 8, 1);
	return add_record(out, len, 6, 600, data, sizeof(data));
}

static size_t big(uint8_t *out, const uint8_t *question, size_t size)
{
	uint8_t text[201] = {200};
	size_t len = head(out, question, 0);
	unsigned count = 0;

	while (len < size) {
		len = add_record(out, len, TYPE_TXT, 60, text, sizeof(text));
		count++;
	}
	put16(out + 6, count);
	return len;
}

// ---- servers ----

static bool is_probe(const uint8_t *wire)
{
	return wire[12] == 16 &&
	       !strcmp((const char *)wire + 12 + 17, "\4loop\10causeway\7invalid");
}

static void note(struct fake *fake, const uint8_t *wire, size_t len, bool tcp)
{
	size_t end = question_end(wire);

	fake->probes += is_probe(wire);
	if (is_probe(wire))
		return;
	fake->asked++;
	fake->asked_tcp += tcp;
	fake->last_flags = get16(wire + 2);
	fake->last_edns = get16(wire + 10) == 1 && get16(wire + end + 1) == 41;
	fake->last_do = fake->last_edns && (wire[end + 7] & 0x80);
}

static size_t lie(struct fake *fake, const uint8_t *wire, size_t len, uint8_t *out)
{
	size_t end;

	switch (fake->mode) {
	case WRONG_ID:
		end = address(out, wire, 60, 66);
		put16(out, get16(wire) ^ 0x5555);
		return end;
	case WRONG_QUESTION:
		end = address(out, wire, 60, 66);
		out[13] ^= 1;
		return end;
	case WRONG_NAME:
		end = address(out, wire, 60, 66);
		out[question_end(wire) + 1] += 1 + wire[12]; // points to the second label
		return end;
	case NO_RESPONSE:
		memcpy(out, wire, len);
		return len;
	default:
		end = head(out, wire, 0);
		put16(out + 6, 9);
		return end;
	}
}

static void lie_from_elsewhere(struct fake *fake, const uint8_t *wire, const struct sockaddr_in *to)
{
	struct sockaddr_in from = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	uint8_t out[512];
	size_t len = address(out, wire, 60, 66);

	assert_int_equal(bind(fd, (struct sockaddr *)&from, sizeof(from)), 0);
	sendto(fd, out, len, 0, (const struct sockaddr *)to, sizeof(*to));
	close(fd);
}

static void hold(struct fake *fake, const uint8_t *wire, size_t len, const struct sockaddr_in *from)
{
	struct held *held = &fake->held[fake->nb_held];

	if (is_probe(wire) || fake->nb_held == HELD_MAX)
		return;
	memcpy(held->wire, wire, len);
	held->len = len;
	held->from = *from;
	fake->nb_held++;
}

// The answer in this mode, or 0: none.
static size_t answer(struct fake *fake, const uint8_t *wire, size_t len, bool tcp, uint8_t *out)
{
	size_t end;

	switch (fake->mode) {
	case NORMAL:
		return add_opt(out, address(out, wire, fake->ttl_s, fake->number));
	case LOSE_FIRST:
		if (is_probe(wire) || fake->asked == 1)
			return 0;
		return address(out, wire, fake->ttl_s, fake->number);
	case ERROR:
		return head(out, wire, fake->error);
	case NOTHING:
	case NOTHING_BARE:
		return nothing(out, wire, fake->mode == NOTHING);
	case NO_EDNS:
		if (get16(wire + 10) > 0)
			return head(out, wire, 1);
		return address(out, wire, fake->ttl_s, fake->number);
	case BIG_UDP:
		return tcp ? address(out, wire, 60, fake->number) : big(out, wire, 4200);
	case CUT:
		if (tcp)
			return big(out, wire, 20000);
		end = head(out, wire, 0);
		out[2] |= 2;
		return end;
	case LOOP:
		if (is_probe(wire))
			t.came += forward_is_probe(t.forward, wire + 12, question_end(wire) - 16);
		return 0;
	case DEAD:
	case HOLD:
	case WRONG_PORT:
		return 0;
	default:
		return lie(fake, wire, len, out);
	}
}

static void on_udp(void *arg)
{
	struct fake *fake = arg;
	struct sockaddr_in from;
	socklen_t from_len = sizeof(from);
	uint8_t wire[512], out[8192];
	ssize_t len;
	size_t end;

	len = recvfrom(fake->udp, wire, sizeof(wire), 0, (struct sockaddr *)&from, &from_len);
	if (len < 17)
		return;
	note(fake, wire, len, false);
	if (fake->mode == HOLD)
		hold(fake, wire, len, &from);
	if (fake->mode == WRONG_PORT)
		lie_from_elsewhere(fake, wire, &from);
	end = answer(fake, wire, len, false, out);
	if (end > 0)
		sendto(fake->udp, out, end, 0, (struct sockaddr *)&from, from_len);
}

static void hang_up(struct fake *fake)
{
	loop_del(t.loop, fake->conn_handle);
	fake->conn_handle = NULL;
	if (fake->conn >= 0)
		close(fake->conn);
	fake->conn = -1;
}

static void reply_tcp(struct fake *fake, const uint8_t *wire, size_t len)
{
	uint8_t out[65537];
	size_t end;

	note(fake, wire, len, true);
	end = answer(fake, wire, len, true, out + 2);
	put16(out, end);
	if (end > 0)
		assert_int_equal(send(fake->conn, out, end + 2, MSG_NOSIGNAL), end + 2);
}

// Whole questions, one or several, because the other side sends them so.
static void on_conn(void *arg)
{
	struct fake *fake = arg;
	uint8_t wire[2048];
	ssize_t len = recv(fake->conn, wire, sizeof(wire), 0);

	if (len <= 0) {
		hang_up(fake);
		return;
	}
	for (ssize_t at = 0; at < len; at += 2 + get16(wire + at)) {
		assert_true(at + 2 + get16(wire + at) <= len);
		reply_tcp(fake, wire + at + 2, get16(wire + at));
	}
}

static void on_tcp(void *arg)
{
	struct fake *fake = arg;

	hang_up(fake);
	fake->conn = accept4(fake->tcp, NULL, NULL, SOCK_CLOEXEC);
	fake->conn_handle = loop_add_fd(t.loop, fake->conn, on_conn, fake);
}

static void release(struct fake *fake)
{
	uint8_t out[512];

	for (unsigned i = 0; i < fake->nb_held; i++) {
		struct held *held = &fake->held[i];
		size_t len = address(out, held->wire, fake->ttl_s, fake->number);

		sendto(fake->udp, out, len, 0, (struct sockaddr *)&held->from, sizeof(held->from));
	}
	fake->nb_held = 0;
}

static void fake_open(struct fake *fake, unsigned number)
{
	struct sockaddr_in addr = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
	socklen_t len = sizeof(addr);

	*fake = (struct fake){.number = number, .conn = -1, .ttl_s = 60, .error = SERVFAIL};
	// The port that UDP gets may be taken for TCP.
	do {
		addr.sin_port = 0;
		fake->udp = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
		assert_int_equal(bind(fake->udp, (struct sockaddr *)&addr, sizeof(addr)), 0);
		getsockname(fake->udp, (struct sockaddr *)&addr, &len);
		fake->tcp = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
		if (bind(fake->tcp, (struct sockaddr *)&addr, sizeof(addr)) == 0)
			break;
		close(fake->udp);
		close(fake->tcp);
	} while (true);
	assert_int_equal(listen(fake->tcp, 8), 0);
	fake->addr = (struct dns_server){
		.ip = {.family = 4, .byte = {127, 0, 0, 1}}, .port = ntohs(addr.sin_port)};
	fake->udp_handle = loop_add_fd(t.loop, fake->udp, on_udp, fake);
	fake->tcp_handle = loop_add_fd(t.loop, fake->tcp, on_tcp, fake);
}

static void fake_close(struct fake *fake)
{
	hang_up(fake);
	loop_del(t.loop, fake->udp_handle);
	loop_del(t.loop, fake->tcp_handle);
	close(fake->udp);
	close(fake->tcp);
}

// ---- the bed ----

static void on_poll(void *arg)
{
	t.rounds++;
	if (t.until() || monotonic_us() > t.deadline_us)
		loop_stop(t.loop);
}

static void wait_until(bool (*until)(void))
{
	t.until = until;
	t.deadline_us = monotonic_us() + DEADLINE_US;
	if (!until())
		assert_int_equal(loop_run(t.loop), 0);
	assert_true(until());
}

static bool all_told(void)
{
	return t.told.count >= t.want;
}

static bool first_asked(void)
{
	return t.fakes[0].asked > 0;
}

static bool both_asked(void)
{
	return first_asked() && t.fakes[1].nb_held > 0;
}

// What was sent before has been received by now.
static bool some_rounds(void)
{
	return t.rounds >= 3;
}

static void on_told(void *arg, const struct forward_answer *answer)
{
	struct told *told = &t.told;

	told->count++;
	told->refused += answer->rcode == REFUSED;
	told->failed += answer->rcode == SERVFAIL;
	told->rcode = answer->rcode;
	told->source = answer->source;
	told->server = answer->server;
	told->len = answer->wire_bytes;
	told->number = 0;
	if (!answer->wire)
		return;
	memcpy(told->wire, answer->wire, answer->wire_bytes);
	if (get16(told->wire + 6) > 0)
		told->number = told->wire[question_end(told->wire) + 15];
}

static struct forward_waiter *ask_as(uint64_t client, const char *name, bool dnssec_ok)
{
	uint8_t wire[255];
	struct forward_question question = {.name = wire,
		.name_bytes = name_wire(name, wire),
		.type = TYPE_A,
		.class = 1,
		.client = client,
		.dnssec_ok = dnssec_ok,
		.checking_disabled = dnssec_ok};

	return forward_ask(t.forward, t.list, &question, on_told, NULL);
}

// Asks, and waits for the answer.
static const struct told *ask(const char *name)
{
	t.want = t.told.count + 1;
	ask_as(1, name, false);
	wait_until(all_told);
	return &t.told;
}

static void start(unsigned nb_servers)
{
	struct dns_server servers[SERVERS];

	assert_int_equal(forward_new(t.loop, &t.conf, &t.forward, NULL), 0);
	for (unsigned i = 0; i < nb_servers; i++)
		servers[i] = t.fakes[i].addr;
	t.list = upstreams_get(t.forward, servers, nb_servers);
	assert_non_null(t.list);
}

static int setup(void **state)
{
	memset(&t, 0, sizeof(t));
	t.loop = loop_new();
	t.poll = loop_add_timer(t.loop, 1000, on_poll, NULL);
	for (unsigned i = 0; i < SERVERS; i++)
		fake_open(&t.fakes[i], i + 1);
	t.conf = (struct dns_conf){.timeout_ms = 3000,
		.hedge_ms = 60,
		.cache_max = 1000,
		.stale_s = 3600,
		.client_max = 2 * MANY,
		.forward_max = 4 * MANY,
		.resolv_conf = "/nonexistent/resolv.conf"};
	return 0;
}

static int teardown(void **state)
{
	if (t.forward) {
		upstreams_put(t.list);
		forward_free(t.forward);
	}
	for (unsigned i = 0; i < SERVERS; i++)
		fake_close(&t.fakes[i]);
	loop_del(t.loop, t.poll);
	loop_free(t.loop);
	return 0;
}

static json_int_t stat_of(const char *part, const char *key)
{
	json_t *stats = forward_stats(t.forward);
	json_int_t value;

	assert_non_null(stats);
	value = json_integer_value(json_object_get(json_object_get(stats, part), key));
	json_decref(stats);
	return value;
}

// The state of the server as forward_stats() has it; "" when it is not there.
static const char *state_of(const char *address)
{
	static char state[16];
	json_t *stats = forward_stats(t.forward), *server;
	size_t i;

	state[0] = '\0';
	json_array_foreach (json_object_get(stats, "servers"), i, server)
		if (!strcmp(json_string_value(json_object_get(server, "address")), address))
			snprintf(state, sizeof(state), "%s",
				json_string_value(json_object_get(server, "state")));
	json_decref(stats);
	return state;
}

static const char *fake_state(unsigned i)
{
	char address[64];

	snprintf(address, sizeof(address), "127.0.0.1:%u", t.fakes[i].addr.port);
	return state_of(address);
}

// ---- answers ----

static void test_answer(void **state)
{
	start(1);
	ask("WWW.Example");
	assert_int_equal(t.told.rcode, 0);
	assert_int_equal(t.told.source, FORWARD_SERVER);
	assert_int_equal(t.told.number, 1);
	assert_true(ip_equal(&t.told.server, &t.fakes[0].addr.ip));
	assert_int_equal(get16(t.told.wire), 0);
	assert_int_equal(get16(t.told.wire + 10), 0); // no OPT record
	assert_memory_equal(t.told.wire + 12, "\3WWW\7Example\0", 13);
	assert_true(t.fakes[0].last_edns && !t.fakes[0].last_do);
	assert_int_equal(t.fakes[0].last_flags, 0x0100);
	assert_null(ask_as(1, "www.example", false));
	assert_int_equal(t.told.count, 2);
	assert_int_equal(t.told.source, FORWARD_CACHE);
	assert_int_equal(t.told.number, 1);
	assert_int_equal(t.fakes[0].asked, 1);
	assert_int_equal(stat_of("cache", "hits"), 1);
	assert_int_equal(stat_of("forward", "answered"), 1);
	assert_int_equal(forward_flush(t.forward), 1);
	ask("www.example");
	assert_int_equal(t.told.source, FORWARD_SERVER);
}

static void test_dnssec_bits(void **state)
{
	start(1);
	ask("www.example");
	t.want = 2;
	ask_as(1, "www.example", true); // another question
	wait_until(all_told);
	assert_int_equal(t.told.source, FORWARD_SERVER);
	assert_true(t.fakes[0].last_do);
	assert_int_equal(t.fakes[0].last_flags, 0x0110);
}

static void test_nothing(void **state)
{
	start(1);
	t.fakes[0].mode = NOTHING;
	ask("none.example");
	assert_int_equal(t.told.rcode, NXDOMAIN);
	ask("none.example");
	assert_int_equal(t.told.rcode, NXDOMAIN);
	assert_int_equal(t.told.source, FORWARD_CACHE);
	// Without a SOA nobody knows for how long.
	t.fakes[0].mode = NOTHING_BARE;
	ask("bare.example");
	ask("bare.example");
	assert_int_equal(t.told.rcode, NXDOMAIN);
	assert_int_equal(t.told.source, FORWARD_SERVER);
}

static void test_no_time(void **state)
{
	start(1);
	t.fakes[0].ttl_s = 0;
	ask("www.example");
	ask("www.example");
	assert_int_equal(t.told.source, FORWARD_SERVER);
	assert_int_equal(t.fakes[0].asked, 2);
}

static void test_tcp(void **state)
{
	start(1);
	t.fakes[0].mode = BIG_UDP;
	ask("big.example");
	assert_int_equal(t.told.number, 1);
	assert_int_equal(t.fakes[0].asked_tcp, 1);
	t.fakes[0].mode = CUT;
	ask("cut.example");
	assert_int_equal(t.told.rcode, 0);
	assert_true(t.told.len >= 20000);
	assert_int_equal(t.fakes[0].asked_tcp, 2);
	assert_false(t.told.wire[2] & 2);
}

static void test_no_edns(void **state)
{
	start(1);
	t.fakes[0].mode = NO_EDNS;
	for (int i = 0; i < 3; i++) {
		char name[32];

		snprintf(name, sizeof(name), "n%d.example", i);
		ask(name);
		assert_int_equal(t.told.number, 1);
	}
}

static void test_loss(void **state)
{
	start(1);
	t.fakes[0].mode = LOSE_FIRST;
	ask("www.example");
	assert_int_equal(t.told.number, 1);
	assert_int_equal(t.fakes[0].asked, 2);
}

// ---- servers that err ----

static void test_dead_first(void **state)
{
	start(2);
	t.fakes[0].mode = DEAD;
	for (int i = 0; i < 20; i++) {
		char name[32];

		snprintf(name, sizeof(name), "n%d.example", i);
		ask(name);
		assert_int_equal(t.told.number, 2);
	}
	// It was first once.
	assert_int_equal(stat_of("forward", "hedged"), 1);
	assert_true(t.fakes[0].asked <= 2); // c-ares may have sent it twice
	assert_int_equal(t.fakes[1].asked, 20);
	assert_string_not_equal(fake_state(0), "ok");
	assert_string_equal(fake_state(1), "ok");
}

static void test_errors(void **state)
{
	start(3);
	t.fakes[0].mode = t.fakes[1].mode = ERROR;
	t.fakes[1].error = REFUSED;
	ask("www.example");
	assert_int_equal(t.told.number, 3);
	// The one of use is asked first from now on.
	t.fakes[0].asked = 0;
	ask("two.example");
	assert_int_equal(t.told.number, 3);
	assert_int_equal(t.fakes[0].asked, 0);
}

static void test_all_err(void **state)
{
	unsigned before;

	start(2);
	t.fakes[0].mode = t.fakes[1].mode = ERROR;
	t.fakes[1].error = REFUSED;
	ask("www.example");
	assert_int_equal(t.told.rcode, SERVFAIL);
	assert_int_equal(t.told.len, 0);
	before = t.fakes[0].asked + t.fakes[1].asked;
	assert_null(ask_as(1, "WWW.example", false)); // is remembered
	assert_int_equal(t.told.rcode, SERVFAIL);
	assert_int_equal(t.fakes[0].asked + t.fakes[1].asked, before);
	assert_int_equal(stat_of("forward", "failed"), 2);
}

static void test_liars(void **state)
{
	static const enum mode lies[] = {
		WRONG_ID, WRONG_QUESTION, WRONG_PORT, WRONG_NAME, NO_RESPONSE, GARBAGE};
	char name[32];

	start(2);
	t.fakes[1].mode = HOLD;
	for (unsigned i = 0; i < ARRAY_SIZE(lies); i++) {
		t.fakes[0].mode = lies[i];
		t.fakes[0].asked = 0;
		snprintf(name, sizeof(name), "n%u.example", i);
		t.want = t.told.count + 1;
		ask_as(1, name, false);
		wait_until(both_asked);
		t.rounds = 0;
		wait_until(some_rounds);
		assert_int_equal(t.told.count, i);
		release(&t.fakes[1]);
		wait_until(all_told);
		assert_int_equal(t.told.number, 2);
	}
}

static void test_only_liars(void **state)
{
	t.conf.timeout_ms = 300;
	start(1);
	t.fakes[0].mode = WRONG_QUESTION;
	ask("www.example");
	assert_int_equal(t.told.rcode, SERVFAIL);
	assert_int_equal(t.told.len, 0);
}

// ---- stale ----

static bool fresh_again(void)
{
	unsigned before = t.told.count;

	ask_as(1, "www.example", false);
	return t.told.count > before && t.told.source == FORWARD_CACHE;
}

static bool is_dead(void)
{
	return !strcmp(fake_state(0), "dead");
}

static void test_stale(void **state)
{
	t.conf.timeout_ms = 200;
	start(1);
	t.fakes[0].ttl_s = 1;
	ask("www.example");
	assert_int_equal(t.told.source, FORWARD_SERVER);
	t.fakes[0].mode = DEAD;
	// Until the answer is not good any more, and the server was asked in vain.
	do
		ask("www.example");
	while (t.told.source == FORWARD_CACHE);
	assert_int_equal(t.told.source, FORWARD_STALE);
	assert_int_equal(t.told.number, 1);
	assert_int_equal(get16(t.told.wire + question_end(t.told.wire) + 8), 30);
	// Known to be dead: nobody waits.
	ask("other.example");
	assert_int_equal(t.told.rcode, SERVFAIL);
	wait_until(is_dead);
	assert_null(ask_as(1, "www.example", false));
	assert_int_equal(t.told.source, FORWARD_STALE);
	assert_true(stat_of("forward", "stale") >= 2);
	// It comes back, and the answer is made fresh behind the scenes.
	t.fakes[0].mode = NORMAL;
	t.fakes[0].ttl_s = 60;
	wait_until(fresh_again);
	assert_string_equal(fake_state(0), "ok");
}

// Nobody answers in time, but somebody may still: the client has what there is.
static void test_patience(void **state)
{
	t.conf.timeout_ms = 15000;
	start(1);
	t.fakes[0].ttl_s = 1;
	ask("www.example");
	t.fakes[0].mode = HOLD;
	do
		ask("www.example");
	while (t.told.source == FORWARD_CACHE);
	assert_int_equal(t.told.source, FORWARD_STALE);
	assert_null(ask_as(1, "www.example", false)); // once is enough
	assert_int_equal(t.told.source, FORWARD_STALE);
	assert_string_equal(fake_state(0), "slow");
	t.fakes[0].ttl_s = 60;
	release(&t.fakes[0]);
	wait_until(fresh_again);
}

static void test_too_stale(void **state)
{
	t.conf.timeout_ms = 200;
	t.conf.stale_s = 0;
	start(1);
	t.fakes[0].ttl_s = 1;
	ask("www.example");
	t.fakes[0].mode = DEAD;
	do
		ask("www.example");
	while (t.told.source == FORWARD_CACHE && t.told.rcode == 0);
	assert_int_equal(t.told.rcode, SERVFAIL);
}

// ---- many at once ----

static void test_coalesced(void **state)
{
	start(1);
	t.fakes[0].mode = HOLD;
	for (unsigned i = 0; i < MANY; i++)
		assert_non_null(ask_as(i, i % 2 ? "www.example" : "WWW.EXAMPLE", false));
	wait_until(first_asked);
	assert_int_equal(stat_of("forward", "waiting"), MANY);
	t.want = MANY;
	release(&t.fakes[0]);
	wait_until(all_told);
	assert_int_equal(t.told.count, MANY);
	assert_int_equal(t.told.number, 1);
	assert_int_equal(t.fakes[0].asked, 1);
	assert_int_equal(stat_of("forward", "coalesced"), MANY - 1);
	assert_int_equal(stat_of("forward", "waiting"), 0);
}

static void test_limits(void **state)
{
	t.conf.client_max = 3;
	t.conf.forward_max = 5;
	start(1);
	t.fakes[0].mode = HOLD;
	ask_as(1, "a.example", false);
	ask_as(1, "b.example", false);
	assert_non_null(ask_as(1, "a.example", false));
	assert_null(ask_as(1, "c.example", false));
	assert_int_equal(t.told.refused, 1);
	assert_null(ask_as(1, "a.example", false)); // the same one counts as well
	assert_int_equal(t.told.refused, 2);
	assert_non_null(ask_as(2, "a.example", false));
	assert_non_null(ask_as(2, "d.example", false));
	assert_null(ask_as(2, "e.example", false)); // all in all
	assert_int_equal(t.told.refused, 3);
	assert_int_equal(stat_of("forward", "refused"), 3);
	wait_until(first_asked);
	t.rounds = 0;
	wait_until(some_rounds);
	t.want = t.told.count + 5;
	release(&t.fakes[0]);
	wait_until(all_told);
	assert_int_equal(t.told.refused, 3);
	t.fakes[0].mode = NORMAL;
	ask("f.example");
	assert_int_equal(t.told.number, 1);
}

// Who goes away does not make room for more questions to servers.
static void test_cancel_limits(void **state)
{
	char name[32];

	t.conf.forward_max = 5;
	start(1);
	t.fakes[0].mode = HOLD;
	for (unsigned i = 0; i < 8; i++) {
		snprintf(name, sizeof(name), "n%u.example", i);
		forward_cancel(ask_as(1, name, false));
	}
	assert_int_equal(t.told.refused, 3);
	assert_int_equal(t.told.count, 3);
}

static void test_cancel(void **state)
{
	start(1);
	t.fakes[0].mode = HOLD;
	forward_cancel(ask_as(1, "www.example", false));
	wait_until(first_asked);
	release(&t.fakes[0]);
	wait_until(fresh_again); // the answer was not for nothing
	assert_int_equal(t.fakes[0].asked, 1);
	assert_int_equal(t.told.failed, 0);
}

static void test_free_waiting(void **state)
{
	start(2);
	t.fakes[0].mode = t.fakes[1].mode = HOLD;
	for (unsigned i = 0; i < 10; i++)
		ask_as(i, i < 5 ? "a.example" : "b.example", false);
	wait_until(first_asked);
	upstreams_put(t.list);
	forward_free(t.forward);
	t.forward = NULL;
	assert_int_equal(t.told.count, 10);
	assert_int_equal(t.told.failed, 10);
}

// ---- which servers ----

static void test_own(void **state)
{
	start(1);
	forward_own_add(t.forward, &t.fakes[0].addr.ip);
	forward_own_add(t.forward, &t.fakes[0].addr.ip);
	forward_own_del(t.forward, &t.fakes[0].addr.ip);
	assert_null(ask_as(1, "www.example", false));
	assert_int_equal(t.told.rcode, SERVFAIL);
	assert_string_equal(fake_state(0), "own");
	assert_int_equal(stat_of("forward", "no_server"), 1);
	forward_own_del(t.forward, &t.fakes[0].addr.ip);
	ask("www.example");
	assert_int_equal(t.told.number, 1);
	assert_int_equal(t.fakes[0].asked, 1);
}

static bool has_come(void)
{
	return t.came > 0;
}

static void test_loop(void **state)
{
	static const uint8_t stranger[] = "\20"
					  "0123456789abcdef"
					  "\4loop\10causeway\7invalid";
	uint8_t name[255];
	unsigned before;

	start(2);
	t.fakes[0].mode = LOOP;
	ask("www.example");
	assert_int_equal(t.told.number, 2);
	wait_until(has_come);
	assert_string_equal(fake_state(0), "loop");
	before = t.fakes[0].asked;
	t.fakes[1].mode = ERROR;
	ask("two.example");
	assert_int_equal(t.told.rcode, SERVFAIL);
	assert_int_equal(t.fakes[0].asked, before);
	assert_int_equal(t.fakes[1].probes, 1);
	// A probe of another host goes on to where it was sent.
	assert_false(forward_is_probe(t.forward, stranger, sizeof(stranger)));
	assert_false(forward_is_probe(t.forward, name, name_wire("www.example", name)));
}

static void write_resolv(const char *path, const char *text)
{
	assert_int_equal(file_write_atomic(path, text, strlen(text), NULL), 0);
}

static bool old_is_gone(void)
{
	ask_as(1, "nowhere.example", false);
	return state_of("127.0.0.241")[0] == '\0';
}

static bool new_is_there(void)
{
	ask_as(1, "nowhere.example", false);
	return state_of("127.0.0.241")[0] != '\0';
}

// Nobody is at port 53 of these addresses: what counts is who is asked.
static void test_resolv_conf(void **state)
{
	char dir[] = "/tmp/test_dns_forward.XXXXXX", path[64];
	char search[DNS_SEARCH_MAX][256];

	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/resolv.conf", dir);
	snprintf(t.conf.resolv_conf, sizeof(t.conf.resolv_conf), "%s", path);
	start(0);
	assert_null(ask_as(1, "www.example", false));
	assert_int_equal(t.told.rcode, SERVFAIL);
	assert_int_equal(forward_search(t.forward, search), 0);
	write_resolv(path, "nameserver 127.0.0.241\nsearch one.example\n");
	wait_until(new_is_there);
	assert_int_equal(forward_search(t.forward, search), 1);
	assert_string_equal(search[0], "one.example");
	write_resolv(path, "nameserver 127.0.0.242\nsearch two.example\n");
	wait_until(old_is_gone);
	assert_string_not_equal(state_of("127.0.0.242"), "");
	assert_int_equal(forward_search(t.forward, search), 1);
	assert_string_equal(search[0], "two.example");
	unlink(path);
	rmdir(dir);
}

static void test_lists(void **state)
{
	struct upstreams *same, *other, *conf;

	start(2);
	same = upstreams_get(
		t.forward, (const struct dns_server[]){t.fakes[0].addr, t.fakes[1].addr}, 2);
	assert_ptr_equal(same, t.list);
	other = upstreams_get(t.forward, &t.fakes[2].addr, 1);
	assert_ptr_not_equal(other, t.list);
	conf = upstreams_get(t.forward, NULL, 0);
	ask("www.example");
	assert_int_equal(t.told.number, 1);
	upstreams_put(t.list);
	t.list = other;
	ask("www.example"); // other servers may say other things
	assert_int_equal(t.told.number, 3);
	upstreams_put(same);
	upstreams_put(conf);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_answer, setup, teardown),
		cmocka_unit_test_setup_teardown(test_dnssec_bits, setup, teardown),
		cmocka_unit_test_setup_teardown(test_nothing, setup, teardown),
		cmocka_unit_test_setup_teardown(test_no_time, setup, teardown),
		cmocka_unit_test_setup_teardown(test_tcp, setup, teardown),
		cmocka_unit_test_setup_teardown(test_no_edns, setup, teardown),
		cmocka_unit_test_setup_teardown(test_loss, setup, teardown),
		cmocka_unit_test_setup_teardown(test_dead_first, setup, teardown),
		cmocka_unit_test_setup_teardown(test_errors, setup, teardown),
		cmocka_unit_test_setup_teardown(test_all_err, setup, teardown),
		cmocka_unit_test_setup_teardown(test_liars, setup, teardown),
		cmocka_unit_test_setup_teardown(test_only_liars, setup, teardown),
		cmocka_unit_test_setup_teardown(test_stale, setup, teardown),
		cmocka_unit_test_setup_teardown(test_patience, setup, teardown),
		cmocka_unit_test_setup_teardown(test_too_stale, setup, teardown),
		cmocka_unit_test_setup_teardown(test_coalesced, setup, teardown),
		cmocka_unit_test_setup_teardown(test_limits, setup, teardown),
		cmocka_unit_test_setup_teardown(test_cancel_limits, setup, teardown),
		cmocka_unit_test_setup_teardown(test_cancel, setup, teardown),
		cmocka_unit_test_setup_teardown(test_free_waiting, setup, teardown),
		cmocka_unit_test_setup_teardown(test_own, setup, teardown),
		cmocka_unit_test_setup_teardown(test_loop, setup, teardown),
		cmocka_unit_test_setup_teardown(test_resolv_conf, setup, teardown),
		cmocka_unit_test_setup_teardown(test_lists, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
