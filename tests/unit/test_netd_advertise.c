// SPDX-License-Identifier: BSD-3-Clause
// What cluster-advertise stands for on this host, whose loopback has its usual addresses; and in a
// namespace of its own (with the right to make one) that an interface is followed.
#include <errno.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "netd/agent/advertise.h"

#define DEADLINE_US 10000000

static void expect(const char *text, const char *address)
{
	char where[ADVERTISE_WHERE_BYTES], buf[IP_TEXT_BYTES];
	struct err err = {0};
	struct ip_addr ip;

	if (advertise_find(text, &ip, where, &err) < 0)
		fail_msg("%s: %s", text, err.reason);
	assert_string_equal(ip_format(&ip, buf), address);
	assert_true(where[0]);
}

static void test_find(void **state)
{
	char where[ADVERTISE_WHERE_BYTES];
	struct err err = {0};
	struct ip_addr ip;

	expect("192.0.2.1", "192.0.2.1");
	expect("192.0.2.1:2377", "192.0.2.1");
	expect("2001:db8::1", "2001:db8::1");
	expect("lo", "127.0.0.1");
	expect("lo:0", "127.0.0.1");
	assert_int_equal(advertise_find("nope0", &ip, where, &err), -ENODEV);
	assert_non_null(strstr(err.reason, "'nope0' is neither an address nor an interface"));
	assert_int_equal(advertise_find("", &ip, where, &err), 0);
}

struct watched {
	struct loop *loop;
	char ip[IP_TEXT_BYTES];
};

static void on_address(void *arg, const struct ip_addr *ip)
{
	struct watched *w = arg;

	ip_format(ip, w->ip);
	loop_stop(w->loop);
}

static void on_deadline(void *arg)
{
	loop_stop(arg);
}

static void run(const char *command)
{
	if (system(command) != 0)
		fail_msg("%s", command);
}

static void test_follow(void **state)
{
	struct watched w = {.loop = loop_new()};
	char where[ADVERTISE_WHERE_BYTES];
	struct advertise *watch;
	struct err err = {0};
	struct ip_addr ip;

	if (unshare(CLONE_NEWNET) < 0)
		skip();
	run("ip link add d0 type veth peer name d1 && ip link set d1 up");
	assert_int_equal(advertise_find("d0", &ip, where, &err), -EADDRNOTAVAIL);
	expect("", "127.0.0.1");
	run("ip link set d0 up && ip address add 192.0.2.1/24 dev d0");
	expect("d0", "192.0.2.1");
	run("ip route add default via 192.0.2.254");
	expect("", "192.0.2.1");
	ip_parse("192.0.2.1", &ip);
	assert_int_equal(advertise_watch(w.loop, "", &ip, on_address, &w, &watch, &err), 0);
	loop_add_timer(w.loop, DEADLINE_US, on_deadline, w.loop);
	run("ip address add 192.0.2.2/24 dev d0 && ip address delete 192.0.2.1/24 dev d0");
	run("ip link set d0 up; ip address replace 192.0.2.2/24 dev d0;"
	    "ip route replace default via 192.0.2.254");
	assert_int_equal(loop_run(w.loop), 0);
	assert_string_equal(w.ip, "192.0.2.2");
	// IPv6 alone.
	w.ip[0] = '\0';
	run("ip address flush dev d0 && ip address add 2001:db8::1/64 dev d0 nodad &&"
	    "ip -6 route add default via 2001:db8::ff");
	expect("", "2001:db8::1");
	while (strcmp(w.ip, "2001:db8::1") != 0) {
		w.ip[0] = '\0';
		assert_int_equal(loop_run(w.loop), 0);
		assert_true(w.ip[0]);
	}
	advertise_free(watch);
	loop_free(w.loop);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_find),
		cmocka_unit_test(test_follow),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
