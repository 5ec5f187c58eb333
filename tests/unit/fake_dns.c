// SPDX-License-Identifier: BSD-3-Clause
#include "tests/unit/fake_dns.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#define TYPE_A	 1
#define TYPE_TXT 16
#define NXDOMAIN 3
#define SERVFAIL 2

// ---- messages ----

unsigned fake_dns_get16(const uint8_t *at)
{
	return at[0] << 8 | at[1];
}

static void put16(uint8_t *at, unsigned value)
{
	at[0] = value >> 8;
	at[1] = value;
}

size_t fake_dns_name(const char *text, uint8_t *out)
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

size_t fake_dns_question_end(const uint8_t *wire)
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
	size_t len = fake_dns_question_end(question);

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

static size_t add_ede(uint8_t *out, size_t len)
{
	static const uint8_t ede[] = {0, 15, 0, 5, 0, 6, 'b', 'o', 'g'};

	len = add_opt(out, len);
	out[len - 1] = sizeof(ede);
	memcpy(out + len, ede, sizeof(ede));
	return len + sizeof(ede);
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
	       !strcasecmp((const char *)wire + 12 + 17, "\4loop\10causeway\7invalid");
}

static bool is_mixed(const uint8_t *wire)
{
	bool upper = false, lower = false;

	for (size_t i = 12; wire[i]; i++) {
		upper |= isupper(wire[i]);
		lower |= islower(wire[i]);
	}
	return upper && lower;
}

static void note_udp(struct fake_dns *fake, const uint8_t *wire, const struct sockaddr_in *from)
{
	bool is_known = is_probe(wire) || fake->nb_ports == FAKE_DNS_PORTS;

	fake->mixed += is_mixed(wire);
	for (unsigned i = 0; i < fake->nb_ports; i++)
		is_known |= fake->ports[i] == from->sin_port;
	if (!is_known)
		fake->ports[fake->nb_ports++] = from->sin_port;
}

static void note(struct fake_dns *fake, const uint8_t *wire, size_t len, bool tcp)
{
	size_t end = fake_dns_question_end(wire);

	fake->probes += is_probe(wire);
	if (is_probe(wire))
		return;
	fake->asked++;
	fake->asked_tcp += tcp;
	fake->last_flags = fake_dns_get16(wire + 2);
	fake->last_edns = fake_dns_get16(wire + 10) == 1 && fake_dns_get16(wire + end + 1) == 41;
	fake->last_do = fake->last_edns && (wire[end + 7] & 0x80);
}

static size_t lie(struct fake_dns *fake, const uint8_t *wire, size_t len, uint8_t *out)
{
	size_t end;

	switch (fake->mode) {
	case WRONG_ID:
		end = address(out, wire, 60, 66);
		put16(out, fake_dns_get16(wire) ^ 0x5555);
		return end;
	case WRONG_QUESTION:
		end = address(out, wire, 60, 66);
		out[13] ^= 1;
		return end;
	case WRONG_NAME:
		end = address(out, wire, 60, 66);
		out[fake_dns_question_end(wire) + 1] += 1 + wire[12]; // points to the second label
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

static void lie_from_elsewhere(
	struct fake_dns *fake, const uint8_t *wire, const struct sockaddr_in *to)
{
	struct sockaddr_in from = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	uint8_t out[512];
	size_t len = address(out, wire, 60, 66);

	assert_int_equal(bind(fd, (struct sockaddr *)&from, sizeof(from)), 0);
	sendto(fd, out, len, 0, (const struct sockaddr *)to, sizeof(*to));
	close(fd);
}

static void hold(
	struct fake_dns *fake, const uint8_t *wire, size_t len, const struct sockaddr_in *from)
{
	struct fake_dns_held *held = &fake->held[fake->nb_held];

	if (is_probe(wire) || fake->nb_held == FAKE_DNS_HELD)
		return;
	memcpy(held->wire, wire, len);
	held->len = len;
	held->tcp = !from;
	if (from)
		held->from = *from;
	fake->nb_held++;
}

// The answer in this mode, or 0: none.
static size_t answer(struct fake_dns *fake, const uint8_t *wire, size_t len, bool tcp, uint8_t *out)
{
	size_t end;

	switch (fake->mode) {
	case NORMAL:
		return add_opt(out, address(out, wire, fake->ttl_s, fake->number));
	case LOSE_FIRST:
		if (is_probe(wire) || fake->asked == 1)
			return 0;
		return address(out, wire, fake->ttl_s, fake->number);
	case EDE:
		return add_ede(out, head(out, wire, SERVFAIL));
	case EDE_ANSWER:
		return add_ede(out, address(out, wire, fake->ttl_s, fake->number));
	case ERROR:
		return head(out, wire, fake->error);
	case NOTHING:
	case NOTHING_BARE:
		return nothing(out, wire, fake->mode == NOTHING);
	case NO_EDNS:
		if (fake_dns_get16(wire + 10) > 0)
			return head(out, wire, 1);
		return address(out, wire, fake->ttl_s, fake->number);
	case NO_EDNS_BARE:
	case DROP_EDNS:
		if (fake_dns_get16(wire + 10) == 0)
			return address(out, wire, fake->ttl_s, fake->number);
		head(out, wire, 1);
		put16(out + 4, 0);
		return fake->mode == DROP_EDNS ? 0 : 12;
	case BIG_UDP:
		return tcp ? address(out, wire, 60, fake->number) : big(out, wire, 4200);
	case CUT:
	case CUT_HOLD:
		if (tcp)
			return fake->mode == CUT ? big(out, wire, 20000) : 0;
		end = head(out, wire, 0);
		out[2] |= 2;
		return end;
	case LOOP:
		if (is_probe(wire))
			fake->came += forward_is_probe(
				*fake->forward, wire + 12, fake_dns_question_end(wire) - 16);
		return 0;
	case LOWER:
	case LIE_IN_LOWER:
		end = address(out, wire, fake->ttl_s,
			fake->mode == LIE_IN_LOWER && is_mixed(wire) ? 66 : fake->number);
		for (size_t i = 12; out[i]; i++)
			out[i] = tolower(out[i]);
		return end;
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
	struct fake_dns *fake = arg;
	struct sockaddr_in from;
	socklen_t from_len = sizeof(from);
	uint8_t wire[512], out[8192];
	ssize_t len;
	size_t end;

	len = recvfrom(fake->udp, wire, sizeof(wire), 0, (struct sockaddr *)&from, &from_len);
	if (len < 17)
		return;
	note(fake, wire, len, false);
	note_udp(fake, wire, &from);
	if (fake->mode == HOLD)
		hold(fake, wire, len, &from);
	if (fake->mode == WRONG_PORT)
		lie_from_elsewhere(fake, wire, &from);
	end = answer(fake, wire, len, false, out);
	if (end > 0)
		sendto(fake->udp, out, end, 0, (struct sockaddr *)&from, from_len);
}

static void hang_up(struct fake_dns *fake)
{
	loop_del(fake->loop, fake->conn_handle);
	fake->conn_handle = NULL;
	if (fake->conn >= 0)
		close(fake->conn);
	fake->conn = -1;
}

static void reply_tcp(struct fake_dns *fake, const uint8_t *wire, size_t len)
{
	uint8_t out[65537];
	size_t end;

	note(fake, wire, len, true);
	if (fake->mode == CUT_HOLD)
		hold(fake, wire, len, NULL);
	end = answer(fake, wire, len, true, out + 2);
	put16(out, end);
	if (end > 0)
		assert_int_equal(send(fake->conn, out, end + 2, MSG_NOSIGNAL), end + 2);
}

// Whole questions, one or several, because the other side sends them so.
static void on_conn(void *arg)
{
	struct fake_dns *fake = arg;
	uint8_t wire[2048];
	ssize_t len = recv(fake->conn, wire, sizeof(wire), 0);

	if (len <= 0) {
		hang_up(fake);
		return;
	}
	for (ssize_t at = 0; at < len; at += 2 + fake_dns_get16(wire + at)) {
		assert_true(at + 2 + fake_dns_get16(wire + at) <= len);
		reply_tcp(fake, wire + at + 2, fake_dns_get16(wire + at));
	}
}

static void on_tcp(void *arg)
{
	struct fake_dns *fake = arg;

	hang_up(fake);
	fake->conn = accept4(fake->tcp, NULL, NULL, SOCK_CLOEXEC);
	fake->conn_handle = loop_add_fd(fake->loop, fake->conn, on_conn, fake);
}

void fake_dns_release(struct fake_dns *fake)
{
	uint8_t message[514], *out = message + 2;

	for (unsigned i = 0; i < fake->nb_held; i++) {
		struct fake_dns_held *held = &fake->held[i];
		size_t len = address(out, held->wire, fake->ttl_s, fake->number);

		put16(message, len);
		if (held->tcp)
			send(fake->conn, message, len + 2, MSG_NOSIGNAL);
		else
			sendto(fake->udp, out, len, 0, (struct sockaddr *)&held->from,
				sizeof(held->from));
	}
	fake->nb_held = 0;
}

void fake_dns_open(
	struct fake_dns *fake, struct loop *loop, struct forward **forward, uint8_t number)
{
	struct sockaddr_in addr = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
	socklen_t len = sizeof(addr);

	*fake = (struct fake_dns){.loop = loop,
		.forward = forward,
		.number = number,
		.conn = -1,
		.ttl_s = 60,
		.error = SERVFAIL};
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
	fake->udp_handle = loop_add_fd(fake->loop, fake->udp, on_udp, fake);
	fake->tcp_handle = loop_add_fd(fake->loop, fake->tcp, on_tcp, fake);
}

void fake_dns_close(struct fake_dns *fake)
{
	hang_up(fake);
	loop_del(fake->loop, fake->udp_handle);
	loop_del(fake->loop, fake->tcp_handle);
	close(fake->udp);
	close(fake->tcp);
}
