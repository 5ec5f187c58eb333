// SPDX-License-Identifier: BSD-3-Clause
// The DNS server as its clients see it: real sockets of 127.0.0.0/8, a real thread.
#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "netd/dns/dns_server.h"
#include "tests/unit/dns_bed.h"

// ---- UDP ----

static void test_udp(void **state)
{
	struct seen s = ask_udp(&bed.a, "web.", false);

	assert_int_equal(s.rcode, LDNS_RCODE_NOERROR);
	assert_int_equal(s.nb_answers, 1);
	assert_true(s.aa && !s.tc && !s.edns);
	s = ask_udp(&bed.b, "WEB.blue.", true);
	assert_int_equal(s.nb_answers, 1);
	assert_true(s.edns);
}

static void test_truncated(void **state)
{
	struct seen s = ask_udp(&bed.a, "many.", false);

	assert_true(s.tc);
	s = ask_tcp(&bed.a, "many.");
	assert_false(s.tc);
	assert_int_equal(s.nb_answers, NB_MANY);
	s = ask_udp(&bed.a, "many.", true);
	assert_false(s.tc);
	assert_int_equal(s.nb_answers, NB_MANY);
}

static void test_udp_forwarded(void **state)
{
	int fd = connected(SOCK_DGRAM, &bed.a);
	struct seen s;

	send_udp(fd, 5, "one.example.", false);
	send_udp(fd, 6, "web.", false); // does not wait for it
	s = seen(recv_udp(fd));
	assert_int_equal(s.id, 6);
	upstream_answer("one.example.");
	s = seen(recv_udp(fd));
	assert_int_equal(s.id, 5);
	assert_int_equal(s.nb_answers, 1);
	assert_false(s.aa);
	close(fd);
}

// What is no question has no answer, and all else goes on.
static void test_garbage(void **state)
{
	uint8_t buf[512], junk[3000];
	int fd = connected(SOCK_DGRAM, &bed.a);
	size_t len = make_question(buf, 1, "web.", LDNS_RR_TYPE_A, false);

	assert_int_equal(send(fd, "", 0, 0), 0);
	assert_int_equal(send(fd, "short", 5, 0), 5);
	buf[2 + 2] |= 0x80; // a response
	assert_int_equal(send(fd, buf + 2, len - 2, 0), len - 2);
	wait_counted("127.0.0.2", "dropped", 3);
	memset(junk, 0, sizeof(junk));
	junk[5] = 1; // a question, and more than is taken
	assert_int_equal(send(fd, junk, sizeof(junk), 0), sizeof(junk));
	wait_counted("127.0.0.2", "queries", 4);
	close(fd);
	assert_int_equal(ask_udp(&bed.a, "web.", false).nb_answers, 1);
}

// One client may have so many questions that wait, whatever addresses of its own it asks from; the
// others are not in the way.
static void test_client_limit(void **state)
{
	struct sockaddr_in from;
	int fds[2] = {
		bound(SOCK_DGRAM, "127.0.0.1", 0, &from), bound(SOCK_DGRAM, "127.0.0.9", 0, &from)};
	int other = connected(SOCK_DGRAM, &bed.b);

	for (unsigned i = 0; i < 2; i++)
		assert_int_equal(connect(fds[i], (void *)&bed.a.addr, sizeof(bed.a.addr)), 0);
	for (unsigned i = 0; i < CLIENT_MAX + 5; i++) {
		char name[32];

		snprintf(name, sizeof(name), "n%u.example.", i);
		send_udp(fds[i >= CLIENT_MAX], i, name, false);
	}
	for (unsigned i = 0; i < 5; i++)
		assert_int_equal(seen(recv_udp(fds[1])).rcode, LDNS_RCODE_REFUSED);
	assert_int_equal(counted("127.0.0.2", "refused"), 5);
	send_udp(fds[1], 99, "web.", false);
	assert_int_equal(seen(recv_udp(fds[1])).id, 99);
	send_udp(other, 7, "other.example.", false);
	upstream_answer("other.example.");
	assert_int_equal(seen(recv_udp(other)).nb_answers, 1);
	close(fds[0]);
	close(fds[1]);
	close(other);
}

// ---- changes ----

static void test_view(void **state)
{
	struct dns_view none = {.name = "127.0.0.2"};

	assert_int_equal(ask_udp(&bed.a, "web.", false).nb_answers, 1);
	dns_listener_set(bed.a.listener, &none);
	assert_int_equal(ask_udp(&bed.a, "web.", false).rcode, LDNS_RCODE_NXDOMAIN);
	assert_int_equal(ask_tcp(&bed.a, "x.example.").rcode, LDNS_RCODE_NXDOMAIN);
	assert_int_equal(ask_udp(&bed.b, "web.", false).nb_answers, 1);
	snprintf(bed.view.name, sizeof(bed.view.name), "other");
	dns_listener_set(bed.a.listener, &bed.view);
	assert_int_equal(ask_udp(&bed.a, "web.", false).nb_answers, 1);
	assert_true(counted("other", "queries") >= 3);
}

// Views change while questions wait for the servers of the one before.
static void test_view_waits(void **state)
{
	int fd = connected(SOCK_DGRAM, &bed.a);
	struct dns_view internal = bed.view;
	struct sockaddr_in from;
	ldns_pkt *asked;

	send_udp(fd, 1, "late.example.", false);
	asked = upstream_asked("late.example.", &from);
	internal.forwards = false;
	dns_listener_set(bed.a.listener, &internal);
	upstream_answers(asked, &from);
	assert_int_equal(seen(recv_udp(fd)).nb_answers, 1);
	close(fd);
}

static void test_unlisten(void **state)
{
	int udp = connected(SOCK_DGRAM, &bed.a), tcp = connected(SOCK_STREAM, &bed.a), again;
	struct sockaddr_in from, addr;
	char byte;
	ldns_pkt *asked;

	send_udp(udp, 1, "gone.example.", false);
	send_tcp(tcp, 2, "gone.example.");
	send_tcp(tcp, 3, "gone2.example.");
	asked = upstream_asked("gone.example.", &from);
	wait_counted("127.0.0.2", "forwarded", 3);
	dns_unlisten(bed.a.listener);
	again = bound(SOCK_DGRAM, "127.0.0.2", ntohs(bed.a.addr.sin_port), &addr);
	assert_true(again >= 0);
	assert_true(recv(tcp, &byte, 1, 0) <= 0);
	upstream_answers(asked, &from);
	assert_int_equal(ask_udp(&bed.b, "web.", false).nb_answers, 1);
	close(udp);
	close(tcp);
	close(again);
}

static void test_many_listeners(void **state)
{
	enum { COUNT = 200 };
	static struct end ends[COUNT];

	for (unsigned i = 0; i < COUNT; i++)
		listen_at("127.0.0.4", &ends[i]);
	for (unsigned i = 0; i < COUNT; i++)
		assert_int_equal(ask_udp(&ends[i], "web.", false).nb_answers, 1);
	for (unsigned i = 0; i < COUNT; i += 2)
		dns_unlisten(ends[i].listener);
	for (unsigned i = 1; i < COUNT; i += 2)
		assert_int_equal(ask_tcp(&ends[i], "web.").nb_answers, 1);
}

// ---- the main thread's questions ----

static struct asked {
	unsigned count;
	int rc;
	json_t *answer;
} asked;

static void on_answer(void *arg, int rc, json_t *answer, const struct err *err)
{
	json_decref(asked.answer);
	asked.count++;
	asked.rc = rc;
	asked.answer = answer;
	assert_int_equal(rc < 0, err->code < 0);
	loop_stop(bed.loop);
}

static void too_late(void *arg)
{
	fail_msg("no answer");
}

static void wait_answer(void)
{
	struct loop_handle *timer =
		loop_add_timer(bed.loop, DEADLINE_S * 1000000ull, too_late, NULL);

	assert_int_equal(loop_run(bed.loop), 0);
	loop_del(bed.loop, timer);
}

static const char *answer_text(const char *key)
{
	const char *text = json_string_value(json_object_get(asked.answer, key));

	return text ? text : "";
}

static void test_ask(void **state)
{
	memset(&asked, 0, sizeof(asked));
	dns_ask(bed.dns, &bed.view, "web", "A", on_answer, NULL);
	assert_int_equal(asked.count, 0); // never from inside
	wait_answer();
	assert_int_equal(asked.rc, 0);
	assert_string_equal(answer_text("rcode"), "NOERROR");
	assert_string_equal(answer_text("source"), "names");
	assert_true(json_is_null(json_object_get(asked.answer, "server")));
	assert_non_null(strstr(
		json_string_value(json_array_get(json_object_get(asked.answer, "answer"), 0)),
		"10.0.0.2"));
	dns_ask(bed.dns, &bed.view, "ask.example", "A", on_answer, NULL);
	upstream_answer("ask.example.");
	wait_answer();
	assert_string_equal(answer_text("source"), "server");
	assert_string_equal(answer_text("server"), "127.0.0.77");
	dns_ask(bed.dns, &bed.view, "web", "NONSENSE", on_answer, NULL);
	wait_answer();
	assert_int_equal(asked.rc, -EINVAL);
	dns_ask(bed.dns, &bed.view, "a..b", "A", on_answer, NULL);
	wait_answer();
	assert_int_equal(asked.rc, -EINVAL);
	assert_int_equal(asked.count, 4);
	json_decref(asked.answer);
}

static void test_stop_while_busy(void **state)
{
	int udp = connected(SOCK_DGRAM, &bed.a), tcp = connected(SOCK_STREAM, &bed.b);

	memset(&asked, 0, sizeof(asked));
	send_udp(udp, 1, "stop.example.", false);
	send_tcp(tcp, 2, "stop.example.");
	send_tcp(tcp, 3, "web.");
	dns_ask(bed.dns, &bed.view, "stop.example", "A", on_answer, NULL);
	wait_counted("127.0.0.2", "forwarded", 1);
	wait_counted("127.0.0.3", "forwarded", 1);
	dns_free(bed.dns);
	assert_int_equal(asked.count, 1);
	assert_int_equal(asked.rc, -ECANCELED);
	close(udp);
	close(tcp);
	start_server(); // for the teardown
}

static void test_stats(void **state)
{
	char search[DNS_SEARCH_MAX][256];
	json_t *stats;

	ask_udp(&bed.a, "web.", false);
	ask_udp(&bed.a, "nobody.blue.", false);
	ask_tcp(&bed.a, "web.");
	ask_udp(&bed.b, "web.", false);
	assert_int_equal(counted("127.0.0.2", "queries"), 3);
	assert_int_equal(counted("127.0.0.2", "answered"), 3);
	assert_int_equal(counted("127.0.0.2", "tcp"), 1);
	assert_int_equal(counted("127.0.0.3", "queries"), 1);
	stats = dns_stats(bed.dns);
	assert_int_equal(
		json_integer_value(json_object_get(json_object_get(stats, "queries"), "A")), 4);
	assert_int_equal(
		json_integer_value(json_object_get(json_object_get(stats, "rcodes"), "NOERROR")),
		3);
	assert_int_equal(
		json_integer_value(json_object_get(json_object_get(stats, "rcodes"), "NXDOMAIN")),
		1);
	assert_int_equal(
		json_integer_value(json_object_get(json_object_get(stats, "answers"), "names")), 4);
	json_decref(stats);
	dns_flush(bed.dns);
	assert_int_equal(dns_search(bed.dns, search), 1);
	assert_string_equal(search[0], "example.org");
}

// ---- one that floods ----

static atomic_bool flood_stop;
static atomic_ulong flood_sent;

static void *flood(void *arg)
{
	uint8_t buf[512];
	size_t len = make_question(buf, 1, "web.", LDNS_RR_TYPE_A, false);
	int fd = connected(SOCK_DGRAM, arg);

	while (!atomic_load(&flood_stop)) {
		send(fd, buf + 2, len - 2, MSG_DONTWAIT);
		atomic_fetch_add(&flood_sent, 1);
	}
	close(fd);
	return NULL;
}

static void test_flood(void **state)
{
	pthread_t thread;

	atomic_store(&flood_stop, false);
	atomic_store(&flood_sent, 0);
	assert_int_equal(pthread_create(&thread, NULL, flood, &bed.a), 0);
	while (!atomic_load(&flood_sent))
		usleep(1000);
	for (unsigned i = 0; i < 200; i++) {
		assert_int_equal(ask_udp(&bed.b, "web.", false).nb_answers, 1);
		if (i % 20 == 0) {
			assert_int_equal(ask_tcp(&bed.b, "web.").nb_answers, 1);
			dns_listener_set(bed.b.listener, &bed.view);
		}
	}
	atomic_store(&flood_stop, true);
	pthread_join(thread, NULL);
}

// ---- whose turn it is ----

static sem_t held, go_on;

static void hold(void *arg)
{
	sem_post(&held);
	sem_wait(&go_on);
}

static void *hold_server(void *arg)
{
	dns_in_thread(bed.dns, hold, NULL);
	return NULL;
}

// Many questions for one listener are there before one for the other, which does not wait for all
// of them.
static void test_turns(void **state)
{
	enum { COUNT = 150 };
	struct sockaddr_in any;
	int fd = bound(SOCK_DGRAM, "127.0.0.1", 0, &any);
	unsigned before = 0;
	uint8_t buf[512];
	pthread_t thread;
	size_t len;

	sem_init(&held, 0, 0);
	sem_init(&go_on, 0, 0);
	assert_int_equal(pthread_create(&thread, NULL, hold_server, NULL), 0);
	sem_wait(&held);
	for (unsigned i = 0; i <= COUNT; i++) {
		const struct end *end = i < COUNT ? &bed.a : &bed.b;

		len = make_question(buf, i, "web.", LDNS_RR_TYPE_A, false);
		assert_int_equal(sendto(fd, buf + 2, len - 2, 0, (const void *)&end->addr,
					 sizeof(end->addr)),
			len - 2);
	}
	sem_post(&go_on);
	pthread_join(thread, NULL);
	while (seen(recv_udp(fd)).id != COUNT)
		before++;
	assert_true(before <= COUNT / 2);
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_udp, setup, teardown),
		cmocka_unit_test_setup_teardown(test_truncated, setup, teardown),
		cmocka_unit_test_setup_teardown(test_udp_forwarded, setup, teardown),
		cmocka_unit_test_setup_teardown(test_garbage, setup, teardown),
		cmocka_unit_test_setup_teardown(test_client_limit, setup, teardown),
		cmocka_unit_test_setup_teardown(test_view, setup, teardown),
		cmocka_unit_test_setup_teardown(test_view_waits, setup, teardown),
		cmocka_unit_test_setup_teardown(test_unlisten, setup, teardown),
		cmocka_unit_test_setup_teardown(test_many_listeners, setup, teardown),
		cmocka_unit_test_setup_teardown(test_ask, setup, teardown),
		cmocka_unit_test_setup_teardown(test_stop_while_busy, setup, teardown),
		cmocka_unit_test_setup_teardown(test_stats, setup, teardown),
		cmocka_unit_test_setup_teardown(test_flood, setup, teardown),
		cmocka_unit_test_setup_teardown(test_turns, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
