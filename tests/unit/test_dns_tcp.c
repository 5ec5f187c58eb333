// SPDX-License-Identifier: BSD-3-Clause
// The DNS server over TCP (RFC 7766). Connections are closed after a shorter time than else.
#include <errno.h>
#include <netinet/tcp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/unit/dns_bed.h"

static void test_pipelined(void **state)
{
	enum { COUNT = 300 };
	static uint8_t buf[COUNT * 64];
	bool got[COUNT] = {0};
	int fd = connected(SOCK_STREAM, &bed.a);
	size_t len = 0;

	for (unsigned i = 0; i < COUNT; i++)
		len += make_question(buf + len, i, "web.", LDNS_RR_TYPE_A, i % 2);
	assert_int_equal(send(fd, buf, len, 0), len);
	for (unsigned i = 0; i < COUNT; i++) {
		struct seen s = seen(recv_tcp(fd));

		assert_true(s.id < COUNT && !got[s.id]);
		got[s.id] = true;
	}
	close(fd);
}

static void test_out_of_order(void **state)
{
	int fd = connected(SOCK_STREAM, &bed.a);
	struct sockaddr_in from;
	ldns_pkt *first;
	struct seen s;

	send_tcp(fd, 1, "first.example.");
	first = upstream_asked("first.example.", &from);
	send_tcp(fd, 2, "second.example.");
	send_tcp(fd, 3, "web.");
	assert_int_equal(seen(recv_tcp(fd)).id, 3);
	upstream_answer("second.example.");
	assert_int_equal(seen(recv_tcp(fd)).id, 2);
	shutdown(fd, SHUT_WR); // asks nothing more, and waits for the rest
	upstream_answers(first, &from);
	s = seen(recv_tcp(fd));
	assert_int_equal(s.id, 1);
	assert_int_equal(s.nb_answers, 1);
	assert_int_equal(recv(fd, &s, 1, 0), 0);
	close(fd);
}

// More than may wait on one connection: the rest is read when some of them are answered.
static void test_many_wait(void **state)
{
	enum { COUNT = 40 };
	int fd = connected(SOCK_STREAM, &bed.a);
	bool got[COUNT] = {0};

	for (unsigned i = 0; i < COUNT; i++) {
		char name[32];

		snprintf(name, sizeof(name), "w%u.example.", i);
		send_tcp(fd, i, name);
	}
	for (unsigned i = 0; i < COUNT; i++) {
		char name[32];
		struct seen s;

		snprintf(name, sizeof(name), "w%u.example.", i);
		upstream_answer(name);
		s = seen(recv_tcp(fd));
		assert_int_equal(s.rcode, LDNS_RCODE_NOERROR);
		assert_true(s.id < COUNT && !got[s.id]);
		got[s.id] = true;
	}
	close(fd);
}

static void test_slow_writer(void **state)
{
	int fd = connected(SOCK_STREAM, &bed.a), on = 1;
	uint8_t buf[512];
	size_t len = make_question(buf, 9, "web.", LDNS_RR_TYPE_A, false);

	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	for (size_t i = 0; i < len; i++) {
		assert_int_equal(send(fd, buf + i, 1, 0), 1);
		assert_int_equal(ask_udp(&bed.a, "web.", false).nb_answers, 1);
	}
	assert_int_equal(seen(recv_tcp(fd)).id, 9);
	close(fd);
}

// Returns how many answers it had.
static unsigned skip_reply(int fd)
{
	uint8_t buf[2 + 4096];
	size_t len;

	assert_int_equal(recv(fd, buf, 2, MSG_WAITALL), 2);
	len = buf[0] << 8 | buf[1];
	assert_true(len <= sizeof(buf) - 2);
	assert_int_equal(recv(fd, buf + 2, len, MSG_WAITALL), len);
	return buf[2 + 6] << 8 | buf[2 + 7];
}

// A client that reads nothing is not read any more; what it has asked is answered once it reads.
static void test_slow_reader(void **state)
{
	enum { COUNT_MAX = 200000 };
	int fd = connected(SOCK_STREAM, &bed.a), room = 32768;
	uint8_t buf[512];
	size_t len = make_question(buf, 4, "many.", LDNS_RR_TYPE_A, false), part = 0;
	unsigned count = 0;
	ssize_t n;

	setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &room, sizeof(room));
	setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &room, sizeof(room));
	for (unsigned still = 0; still < 3 && count < COUNT_MAX;) {
		n = send(fd, buf + part, len - part, MSG_DONTWAIT);
		if (n < 0) { // the server has had its turn by then
			assert_int_equal(errno, EAGAIN);
			assert_int_equal(ask_tcp(&bed.a, "web.").nb_answers, 1);
			still++;
			continue;
		}
		still = 0;
		part += n;
		if (part == len) {
			part = 0;
			count++;
		}
	}
	assert_true(count < COUNT_MAX);
	for (unsigned i = 0; i < count; i++) // at once: else it would be idle for the server
		assert_int_equal(skip_reply(fd), NB_MANY);
	close(fd);
}

// The one that was silent for longest goes for each new one; each is answered when it comes.
static void test_many_connections(void **state)
{
	enum { COUNT = 150 };
	int fds[COUNT];
	char byte;

	for (unsigned i = 0; i < COUNT; i++) {
		fds[i] = connected(SOCK_STREAM, &bed.a);
		send_tcp(fds[i], i, "web.");
		assert_int_equal(seen(recv_tcp(fds[i])).id, i);
	}
	assert_true(counted("127.0.0.2", "connections") <= 64);
	assert_int_equal(recv(fds[0], &byte, 1, 0), 0);
	send_tcp(fds[COUNT - 1], 3, "web.");
	assert_int_equal(seen(recv_tcp(fds[COUNT - 1])).id, 3);
	for (unsigned i = 0; i < COUNT; i++)
		close(fds[i]);
}

static void test_idle(void **state)
{
	int fd = connected(SOCK_STREAM, &bed.a), half = connected(SOCK_STREAM, &bed.a);
	char byte;

	send_tcp(fd, 1, "web.");
	seen(recv_tcp(fd));
	assert_int_equal(send(half, "\0", 1, 0), 1);
	assert_int_equal(recv(fd, &byte, 1, 0), 0);
	assert_true(recv(half, &byte, 1, 0) <= 0);
	close(fd);
	close(half);
}

static void test_too_long(void **state)
{
	int fd = connected(SOCK_STREAM, &bed.a);
	char byte;

	assert_int_equal(send(fd, "\xff\xff", 2, 0), 2);
	assert_true(recv(fd, &byte, 1, 0) <= 0);
	close(fd);
	fd = connected(SOCK_STREAM, &bed.a); // an end in the middle of a question
	assert_int_equal(send(fd, "\0\x20xx", 4, 0), 4);
	shutdown(fd, SHUT_WR);
	assert_int_equal(recv(fd, &byte, 1, 0), 0);
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_pipelined, setup, teardown),
		cmocka_unit_test_setup_teardown(test_out_of_order, setup, teardown),
		cmocka_unit_test_setup_teardown(test_many_wait, setup, teardown),
		cmocka_unit_test_setup_teardown(test_slow_writer, setup, teardown),
		cmocka_unit_test_setup_teardown(test_slow_reader, setup, teardown),
		cmocka_unit_test_setup_teardown(test_many_connections, setup, teardown),
		cmocka_unit_test_setup_teardown(test_idle, setup, teardown),
		cmocka_unit_test_setup_teardown(test_too_long, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
