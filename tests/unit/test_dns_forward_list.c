// SPDX-License-Identifier: BSD-3-Clause
// Which servers the forwarder asks: those of resolv.conf, of lists, not ourselves.
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/file.h"
#include "base/loop.h"
#include "base/util.h"
#include "netd/dns/forward.h"
#include "tests/unit/fake_dns.h"
#include "tests/unit/forward_bed.h"

static void test_own(void **state)
{
	start(1);
	forward_own_add(forward_bed.forward, &forward_bed.fakes[0].addr.ip);
	forward_own_add(forward_bed.forward, &forward_bed.fakes[0].addr.ip);
	forward_own_del(forward_bed.forward, &forward_bed.fakes[0].addr.ip);
	assert_null(ask_as(1, "www.example", false));
	assert_int_equal(forward_bed.told.rcode, SERVFAIL);
	assert_string_equal(fake_state(0), "own");
	assert_int_equal(stat_of("forward", "no_server"), 1);
	forward_own_del(forward_bed.forward, &forward_bed.fakes[0].addr.ip);
	ask("www.example");
	assert_int_equal(forward_bed.told.number, 1);
	assert_int_equal(forward_bed.fakes[0].asked, 1);
}

static bool has_come(void)
{
	return forward_bed.fakes[0].came > 0;
}

static void test_loop(void **state)
{
	static const uint8_t stranger[] = "\20"
					  "0123456789abcdef"
					  "\4loop\10causeway\7invalid";
	uint8_t name[255];
	unsigned before;

	start(2);
	forward_bed.fakes[0].mode = LOOP;
	ask("www.example");
	assert_int_equal(forward_bed.told.number, 2);
	wait_until(has_come);
	assert_string_equal(fake_state(0), "loop");
	before = forward_bed.fakes[0].asked;
	forward_bed.fakes[1].mode = ERROR;
	ask("two.example");
	assert_int_equal(forward_bed.told.rcode, SERVFAIL);
	assert_int_equal(forward_bed.fakes[0].asked, before);
	assert_int_equal(forward_bed.fakes[1].probes, 1);
	// A probe of another host goes on to where it was sent.
	assert_false(forward_is_probe(forward_bed.forward, stranger, sizeof(stranger)));
	assert_false(
		forward_is_probe(forward_bed.forward, name, fake_dns_name("www.example", name)));
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
	snprintf(forward_bed.conf.resolv_conf, sizeof(forward_bed.conf.resolv_conf), "%s", path);
	start(0);
	assert_null(ask_as(1, "www.example", false));
	assert_int_equal(forward_bed.told.rcode, SERVFAIL);
	assert_int_equal(forward_search(forward_bed.forward, search), 0);
	write_resolv(path, "nameserver 127.0.0.241\nsearch one.example\n");
	wait_until(new_is_there);
	assert_int_equal(forward_search(forward_bed.forward, search), 1);
	assert_string_equal(search[0], "one.example");
	write_resolv(path, "nameserver 127.0.0.242\nsearch two.example\n");
	wait_until(old_is_gone);
	assert_string_not_equal(state_of("127.0.0.242"), "");
	assert_int_equal(forward_search(forward_bed.forward, search), 1);
	assert_string_equal(search[0], "two.example");
	unlink(path);
	rmdir(dir);
}

static bool has_problem(const char *object, const char *reason)
{
	json_t *problems = forward_problems(forward_bed.forward), *problem;
	bool found = false;
	size_t i;

	json_array_foreach (problems, i, problem)
		found |= strstr(json_string_value(json_object_get(problem, "object")), object) &&
			 strstr(json_string_value(json_object_get(problem, "reason")), reason);
	json_decref(problems);
	return found;
}

static bool line_is_told(void)
{
	return has_problem("resolv.conf line 2", "'nonsense' is not used");
}

static bool zone_is_told(void)
{
	return has_problem("DNS server fe80::1%nowhere0", "this host has no interface 'nowhere0'");
}

static bool folder_is_told(void)
{
	return has_problem("resolv.conf", "cannot read the file: Is a directory");
}

static bool nothing_is_told(void)
{
	return !has_problem("", "");
}

// What cannot be used of the file is told, as the file is now.
static void test_resolv_problems(void **state)
{
	char dir[] = "/tmp/test_dns_forward.XXXXXX", path[64];

	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/resolv.conf", dir);
	snprintf(forward_bed.conf.resolv_conf, sizeof(forward_bed.conf.resolv_conf), "%s", path);
	start(0);
	assert_true(nothing_is_told()); // a host without one
	write_resolv(path, "nameserver 127.0.0.241\nnameserver nonsense\n");
	wait_until(line_is_told);
	write_resolv(path, "nameserver fe80::1%nowhere0\n");
	wait_until(zone_is_told);
	assert_false(line_is_told());
	write_resolv(path, "nameserver 127.0.0.241\nnameserver fe80::1%lo\n");
	wait_until(nothing_is_told);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(mkdir(path, 0700), 0);
	wait_until(folder_is_told);
	rmdir(path);
	rmdir(dir);
}

static void test_lists(void **state)
{
	struct upstreams *same, *other, *conf;

	start(2);
	same = upstreams_get(forward_bed.forward,
		(const struct dns_server[]){forward_bed.fakes[0].addr, forward_bed.fakes[1].addr},
		2);
	assert_ptr_equal(same, forward_bed.list);
	other = upstreams_get(forward_bed.forward, &forward_bed.fakes[2].addr, 1);
	assert_ptr_not_equal(other, forward_bed.list);
	conf = upstreams_get(forward_bed.forward, NULL, 0);
	ask("www.example");
	assert_int_equal(forward_bed.told.number, 1);
	upstreams_put(forward_bed.list);
	forward_bed.list = other;
	ask("www.example"); // other servers may say other things
	assert_int_equal(forward_bed.told.number, 3);
	upstreams_put(same);
	upstreams_put(conf);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_own, setup, teardown),
		cmocka_unit_test_setup_teardown(test_loop, setup, teardown),
		cmocka_unit_test_setup_teardown(test_resolv_conf, setup, teardown),
		cmocka_unit_test_setup_teardown(test_resolv_problems, setup, teardown),
		cmocka_unit_test_setup_teardown(test_lists, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
