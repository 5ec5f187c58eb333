// SPDX-License-Identifier: BSD-3-Clause
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
#include "base/util.h"
#include "netd/dns/resolv.h"

static char dir[] = "/tmp/test_dns_resolv.XXXXXX";
static const struct resolv one = {.nb_servers = 1,
	.servers = {{.ip = {.family = 4, .byte = {127, 0, 0, 11}}}},
	.search = {"lab.example"},
	.nb_search = 1};

static void parse(const char *text, struct resolv *ret_resolv)
{
	resolv_parse(text, strlen(text), ret_resolv);
}

static void test_parse(void **state)
{
	char ip[IP_TEXT_BYTES];
	struct resolv r;

	parse("# made\n; by hand\nnameserver 192.0.2.1\nnameserver\t2001:db8::5 # v6\n"
	      " nameserver 192.0.2.9\nnameserver nonsense\nnameserver\nnameserverx 192.0.2.8\n"
	      "domain a.example b.example\nsearch  one.example\ttwo.example. . ..\n"
	      "options rotate ndots:3 edns0\nnameserver 192.0.2.2",
		&r);
	assert_int_equal(r.nb_servers, 3);
	assert_string_equal(ip_format(&r.servers[0].ip, ip), "192.0.2.1");
	assert_string_equal(ip_format(&r.servers[1].ip, ip), "2001:db8::5");
	assert_string_equal(ip_format(&r.servers[2].ip, ip), "192.0.2.2");
	assert_int_equal(r.nb_search, 2);
	assert_string_equal(r.search[0], "one.example");
	assert_string_equal(r.search[1], "two.example");
	assert_int_equal(r.ndots, 3);
}

static void test_zone(void **state)
{
	char text[DNS_SERVER_TEXT_BYTES];
	struct resolv r;

	parse("nameserver fe80::1%eth0\nnameserver fe80::2%3\nnameserver 2001:db8::5%eth0\n", &r);
	assert_int_equal(r.nb_problems, 0);
	assert_int_equal(r.nb_servers, 3);
	assert_string_equal(dns_server_format(&r.servers[0], text), "fe80::1%eth0");
	assert_string_equal(dns_server_format(&r.servers[1], text), "fe80::2%3");
	// As glibc has it.
	assert_string_equal(dns_server_format(&r.servers[2], text), "2001:db8::5");
}

struct problem_case {
	const char *text;
	unsigned line;
	const char *reason; // NULL: no problem
};

static const struct problem_case problem_cases[] = {
	{"nameserver 192.0.2.1\nsearch a b c d e f\noptions nonsense\nnonsense\n\n", 0, NULL},
	{"nameserver 0.0.0.0\n", 0, NULL}, // this host
	{"\nnameserver nonsense\n", 2, "'nonsense' is not used: it is not the IP address"},
	{"nameserver\n", 1, "it is not the IP address"},
	{"nameserver 192.0.2.1:5300\n", 1, "it is not the IP address"},
	{"nameserver [2001:db8::1]:53\n", 1, "it is not the IP address"},
	{"nameserver 224.0.0.1\n", 1, "it is not the IP address"},
	{"nameserver \x1b[2J\xff\n", 1, "'?[2J?'"},
	{"# one\nnameserver fe80::1\n", 2, "write for example 'fe80::1%eth0'"},
	{"nameserver fe80::1%\n", 1, "needs its interface"},
	{"nameserver 10.0.0.1\nnameserver 10.0.0.1\nnameserver 10.0.0.1\nnameserver 10.0.0.1\n"
	 "nameserver 10.0.0.1\nnameserver 10.0.0.1\nnameserver 10.0.0.1\nnameserver 10.0.0.1\n"
	 "nameserver 10.0.0.9\n",
		9, "'10.0.0.9' is not used: the first 8 servers are"},
	{"search a b c d e f g\n", 1, "'g' is not used: the first 6 domains are"},
	{"search a b c d e f g\nsearch h\n", 0, NULL}, // the last one counts
	{"domain a b\n", 0, NULL},
};

static void test_problems(void **state)
{
	char reason[320], text[4096] = "";
	struct resolv r;

	for (unsigned i = 0; i < ARRAY_SIZE(problem_cases); i++) {
		const struct problem_case *c = &problem_cases[i];

		parse(c->text, &r);
		assert_int_equal(r.nb_problems, c->reason ? 1 : 0);
		if (!c->reason)
			continue;
		assert_int_equal(r.problems[0].line, c->line);
		resolv_problem_text(&r.problems[0], reason, sizeof(reason));
		if (!strstr(reason, c->reason))
			fail_msg("case %u: %s", i, reason);
	}
	for (unsigned i = 0; i < 100; i++)
		strcat(text, "nameserver x\n");
	parse(text, &r);
	assert_int_equal(r.nb_problems, RESOLV_PROBLEMS_MAX);
	assert_int_equal(r.problems[RESOLV_PROBLEMS_MAX - 1].line, RESOLV_PROBLEMS_MAX);
}

static void test_last_one_wins(void **state)
{
	struct resolv r;

	parse("search a b c\ndomain d.example e.example\noptions ndots:4\noptions ndots:99\n", &r);
	assert_int_equal(r.nb_search, 1);
	assert_string_equal(r.search[0], "d.example");
	assert_int_equal(r.ndots, 15);
	parse("domain d\nsearch a b c d e f g h\r\n", &r);
	assert_int_equal(r.nb_search, DNS_SEARCH_MAX);
	assert_string_equal(r.search[5], "f");
}

static void test_limits(void **state)
{
	char text[4096] = "search ";
	struct resolv r;

	parse("", &r);
	assert_int_equal(r.nb_servers + r.nb_search, 0);
	assert_int_equal(r.ndots, 1);
	memset(text + 7, 'x', 3000);
	strcat(text, " short.example\nnameserver 192.0.2.1\n");
	parse(text, &r);
	assert_int_equal(r.nb_search, 1);
	assert_string_equal(r.search[0], "short.example");
	assert_int_equal(r.nb_servers, 1);
	text[0] = '\0';
	for (int i = 0; i < 20; i++)
		strcat(text, "nameserver 192.0.2.1\n");
	parse(text, &r);
	assert_int_equal(r.nb_servers, DNS_SERVERS_MAX);
}

static void test_print(void **state)
{
	char *text = resolv_print(&one);

	assert_string_equal(text, "nameserver 127.0.0.11\nsearch lab.example\noptions ndots:0\n");
	free(text);
}

// ---- files ----

static const char *path_of(const char *file)
{
	static char path[256];

	snprintf(path, sizeof(path), "%s/%s", dir, file);
	return path;
}

static void put(const char *file, const char *text)
{
	char path[256];

	snprintf(path, sizeof(path), "%s", path_of(file));
	assert_int_equal(file_write_atomic(path, text, strlen(text), NULL), 0);
}

static bool has(const char *file, const char *part)
{
	char *text;
	bool found;
	size_t len;

	if (file_read(path_of(file), 65536, &text, &len, NULL) < 0)
		return false;
	found = strstr(text, part);
	free(text);
	return found;
}

static void append(const char *path, const char *text)
{
	FILE *f = fopen(path, "a");

	assert_non_null(f);
	fputs(text, f);
	assert_int_equal(fclose(f), 0);
}

static bool is_there(const char *file)
{
	return access(path_of(file), F_OK) == 0;
}

static void test_new_folder(void **state)
{
	struct resolv two = one;
	struct stat st;

	assert_int_equal(resolv_write("c1", &one, NULL), 0);
	assert_true(has("c1/resolv.conf", "nameserver 127.0.0.11\nsearch lab.example\n"));
	assert_int_equal(stat(path_of("c1/resolv.conf"), &st), 0);
	assert_int_equal(st.st_mode & 0777, 0644);
	two.ndots = 5;
	assert_int_equal(resolv_write("/run/netns/c1", &two, NULL), 0);
	assert_true(has("c1/resolv.conf", "ndots:5"));
	assert_false(is_there(".c1.resolv.conf.causeway"));
	assert_int_equal(resolv_remove("c1", NULL), 0);
	assert_false(is_there("c1"));
	assert_int_equal(resolv_remove("c1", NULL), 0);
}

// Programs that have the file mounted or open see each change, and none between two.
static void test_in_place(void **state)
{
	struct resolv other = one;
	struct stat before, after;
	char path[256];

	snprintf(path, sizeof(path), "%s", path_of("c8/resolv.conf"));
	assert_int_equal(resolv_write("c8", &one, NULL), 0);
	assert_int_equal(stat(path, &before), 0);
	for (unsigned i = 0; i < 2; i++) { // a longer text, a shorter one
		snprintf(other.search[0], sizeof(other.search[0]), i ? "x" : "longer.lab.example");
		assert_int_equal(resolv_write("c8", &other, NULL), 0);
		assert_int_equal(stat(path, &after), 0);
		assert_int_equal(before.st_ino, after.st_ino);
	}
	assert_true(has("c8/resolv.conf", "search x\noptions ndots:0\n"));
	// Stopped before the end was cut off: it is still ours.
	append(path, "\n\n\n");
	assert_int_equal(resolv_write("c8", &one, NULL), 0);
	assert_true(has("c8/resolv.conf", "search lab.example\noptions ndots:0\n"));
	assert_false(has("c8/resolv.conf", "\n\n"));
	assert_int_equal(resolv_remove("c8", NULL), 0);
	assert_false(is_there("c8"));
}

static void test_folder_of_others(void **state)
{
	assert_int_equal(mkdir(path_of("c2"), 0755), 0);
	assert_int_equal(resolv_write("c2", &one, NULL), 0);
	assert_int_equal(resolv_remove("c2", NULL), 0);
	assert_true(is_there("c2"));
	assert_false(is_there("c2/resolv.conf"));
	assert_false(is_there(".c2.resolv.conf.causeway-saved"));
	// One that we made, and that others use by now.
	assert_int_equal(resolv_write("c3", &one, NULL), 0);
	put("c3/hosts", "mine");
	assert_int_equal(resolv_remove("c3", NULL), 0);
	assert_true(has("c3/hosts", "mine"));
	assert_false(is_there("c3/resolv.conf"));
}

static void test_put_back(void **state)
{
	assert_int_equal(mkdir(path_of("c4"), 0755), 0);
	put("c4/resolv.conf", "nameserver 192.0.2.77\n");
	for (int i = 0; i < 2; i++)
		assert_int_equal(resolv_write("c4", &one, NULL), 0);
	assert_true(has(".c4.resolv.conf.causeway-saved", "192.0.2.77"));
	assert_true(has("c4/resolv.conf", "127.0.0.11"));
	assert_int_equal(resolv_remove("c4", NULL), 0);
	assert_true(has("c4/resolv.conf", "192.0.2.77"));
	assert_false(is_there(".c4.resolv.conf.causeway-saved"));
}

// A crash after the file was saved and before ours is there.
static void test_stopped_between(void **state)
{
	char saved[256];

	assert_int_equal(mkdir(path_of("c5"), 0755), 0);
	put("c5/resolv.conf", "nameserver 192.0.2.77\n");
	snprintf(saved, sizeof(saved), "%s", path_of(".c5.resolv.conf.causeway-saved"));
	assert_int_equal(link(path_of("c5/resolv.conf"), saved), 0);
	assert_int_equal(resolv_remove("c5", NULL), 0);
	assert_true(has("c5/resolv.conf", "192.0.2.77"));
	assert_false(is_there(".c5.resolv.conf.causeway-saved"));
	assert_int_equal(link(path_of("c5/resolv.conf"), saved), 0);
	assert_int_equal(resolv_write("c5", &one, NULL), 0);
	assert_int_equal(resolv_remove("c5", NULL), 0);
	assert_true(has("c5/resolv.conf", "192.0.2.77"));
}

static void test_others_wrote(void **state)
{
	struct err err = {0};

	assert_int_equal(resolv_write("c6", &one, NULL), 0);
	put("c6/resolv.conf", "nameserver 192.0.2.66\n");
	assert_int_equal(resolv_write("c6", &one, &err), -EEXIST);
	assert_non_null(strstr(err.path, "c6/resolv.conf"));
	assert_int_equal(resolv_remove("c6", NULL), -EEXIST);
	assert_true(has("c6/resolv.conf", "192.0.2.66"));
	// It is theirs now, and kept like any other that was there before.
	assert_int_equal(resolv_write("c6", &one, NULL), 0);
	assert_int_equal(resolv_remove("c6", NULL), 0);
	assert_true(has("c6/resolv.conf", "192.0.2.66"));
}

static void test_no_name(void **state)
{
	static const char *const bad[] = {
		"", "17", "/proc/17/ns/net", "/run/netns/", "..", "/run/netns/../x", "a/b"};
	struct err err = {0};

	for (unsigned i = 0; i < ARRAY_SIZE(bad); i++)
		assert_int_equal(resolv_write(bad[i], &one, &err), -EINVAL);
	assert_int_equal(resolv_remove("..", NULL), -EINVAL);
}

static int setup(void **state)
{
	if (!mkdtemp(dir))
		return -1;
	resolv_base_set(dir);
	return 0;
}

static int teardown(void **state)
{
	char command[128];

	snprintf(command, sizeof(command), "rm -rf %s", dir);
	return system(command);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_parse),
		cmocka_unit_test(test_zone),
		cmocka_unit_test(test_problems),
		cmocka_unit_test(test_last_one_wins),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_print),
		cmocka_unit_test(test_new_folder),
		cmocka_unit_test(test_in_place),
		cmocka_unit_test(test_folder_of_others),
		cmocka_unit_test(test_put_back),
		cmocka_unit_test(test_stopped_between),
		cmocka_unit_test(test_others_wrote),
		cmocka_unit_test(test_no_name),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
