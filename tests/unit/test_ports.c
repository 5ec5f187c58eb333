// SPDX-License-Identifier: BSD-3-Clause
// What in ports/ is plain logic: addresses, names of devices and namespaces, which options a
// running port can change, and what becomes of DPDK's words.
#include <arpa/inet.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include <rte_ethdev.h>
#include <rte_log.h>

#include "base/netns.h"
#include "base/util.h"
#include "ports/device.h"
#include "ports/dpdk_log.h"

static const struct port_env env = {.switch_id = "0123abcd"};

static struct port port_named(const char *name, const char *ifname)
{
	struct port port = {.env = &env};

	snprintf(port.conf.name, sizeof(port.conf.name), "%s", name);
	snprintf(port.conf.ifname, sizeof(port.conf.ifname), "%s", ifname);
	snprintf(port.path, sizeof(port.path), "port %s", name);
	return port;
}

// ---- addresses ----

static void test_addr(void **state)
{
	const uint8_t v4[] = {10, 0, 0, 1}, v6[16] = {0xfd, [15] = 1};
	struct nl_addr addr;

	assert_int_equal(nl_addr_parse("10.0.0.1/24", &addr), 0);
	assert_int_equal(addr.family, AF_INET);
	assert_int_equal(addr.prefix_bits, 24);
	assert_int_equal(addr.bytes, 4);
	assert_memory_equal(addr.byte, v4, sizeof(v4));
	assert_int_equal(nl_addr_parse("fd00::1/128", &addr), 0);
	assert_int_equal(addr.family, AF_INET6);
	assert_int_equal(addr.prefix_bits, 128);
	assert_int_equal(addr.bytes, 16);
	assert_memory_equal(addr.byte, v6, sizeof(v6));
	assert_int_equal(nl_addr_parse("0.0.0.0/0", &addr), 0);
	assert_int_equal(nl_addr_parse("::ffff:10.0.0.1/96", &addr), 0);
}

static void test_no_addr(void **state)
{
	static const char *const wrong[] = {"", "/", "10.0.0.1", "10.0.0.1/", "10.0.0.1/33",
		"10.0.0.1/-1", "10.0.0.1/+1", "10.0.0.1/ 1", "10.0.0.1/24x", "10.0.0.1/0x8",
		"10.0.0.1/4294967320", "10.0.0.1/99999999999999999999", "10.0.0/24",
		"10.0.0.256/24", "fd00::1", "fd00::1/129", "fd00:::1/64", "g::/64",
		"10.0.0.1%eth0/24", "/24",
		"0000:0000:0000:0000:0000:ffff:255.255.255.255:1234:5678:9abc/64"};
	struct nl_addr addr = {.family = 77};

	for (unsigned i = 0; i < ARRAY_SIZE(wrong); i++)
		if (nl_addr_parse(wrong[i], &addr) != -EINVAL)
			fail_msg("'%s' is an address", wrong[i]);
	assert_int_equal(addr.family, 77); // written only on success
}

// ---- names ----

static void test_netns_kind(void **state)
{
	assert_int_equal(netns_kind(""), NETNS_OWN);
	assert_int_equal(netns_kind("/proc/1/ns/net"), NETNS_PATH);
	assert_int_equal(netns_kind("/1"), NETNS_PATH);
	assert_int_equal(netns_kind("1"), NETNS_PID);
	assert_int_equal(netns_kind("4194304"), NETNS_PID);
	assert_int_equal(netns_kind("c1"), NETNS_NAME);
	assert_int_equal(netns_kind("1c"), NETNS_NAME);
	assert_int_equal(netns_kind("-1"), NETNS_NAME);
	assert_int_equal(netns_kind("1 "), NETNS_NAME);
	assert_string_equal(netns_name("c1"), "c1");
	assert_string_equal(netns_name("/run/netns/c1"), "c1");
	assert_string_equal(netns_name("/var/run/netns/c1"), "c1");
	assert_null(netns_name("/run/netns/"));
	assert_null(netns_name("/run/netns/a/b"));
	assert_null(netns_name("/run/netns/.."));
	assert_null(netns_name("/proc/1/ns/net"));
	assert_null(netns_name("17"));
	assert_null(netns_name(""));
}

static void test_netns_open(void **state)
{
	struct netns_id own, self;
	struct err err = {0};
	char pid[16];
	int fd;

	snprintf(pid, sizeof(pid), "%d", getpid());
	assert_int_equal(netns_open("", "x", &fd, &err), 0);
	assert_int_equal(netns_identify(fd, &own), 0);
	close(fd);
	assert_int_equal(netns_open(pid, "x", &fd, &err), 0);
	assert_int_equal(netns_identify(fd, &self), 0);
	close(fd);
	assert_true(netns_same(&own, &self));
	assert_true(netns_alive(pid, &own));
	// That process has ended, but this one is there.
	assert_true(netns_alive("2147483647", &own));
	assert_true(netns_alive("no-such-name", &own));
	// The same number, but another namespace: of this boot, or of one before.
	assert_true(own.cookie && own.boot);
	own.cookie++;
	assert_false(netns_same(&own, &self));
	assert_true(netns_differs(&own, &self));
	assert_false(netns_alive(pid, &own));
	assert_false(netns_alive("2147483647", &own));
	own = self;
	own.boot++;
	assert_true(netns_differs(&own, &self));
	assert_false(netns_alive("no-such-name", &own));
	// Nobody knows.
	own = self;
	own.cookie = 0;
	assert_false(netns_same(&own, &self));
	assert_false(netns_differs(&own, &self));
	assert_true(netns_alive(pid, &own));
	own = self;
	own.ino = 1;
	assert_false(netns_same(&own, &self));
	assert_true(netns_differs(&own, &self));
	assert_false(netns_alive(pid, &own));
	assert_false(netns_alive("no-such-name", &own));
	// Another namespace's by now.
	assert_false(netns_alive("/proc/self/ns/net", &own));
}

static void test_netns_refused(void **state)
{
	static const struct {
		const char *text, *words;
	} rows[] = {
		{"2147483647", "no process 2147483647"},
		{"no-such-name", "'ip netns add no-such-name' makes it"},
		{"/no/such/path", "no network namespace /no/such/path"},
		{"/proc/self/ns/mnt", "is not a network namespace"},
		{"/dev/null", "is not a network namespace"},
	};
	int fd = -7;

	for (unsigned i = 0; i < ARRAY_SIZE(rows); i++) {
		struct err err = {0};

		assert_true(netns_open(rows[i].text, "port x", &fd, &err) < 0);
		assert_non_null(strstr(err.reason, rows[i].words));
		assert_string_equal(err.path, "port x");
	}
	assert_int_equal(fd, -7);
}

static void test_ifname(void **state)
{
	static const char *const wrong[] = {
		".", "..", "a/b", "a:b", "a b", "a%d", "a\tb", "a\nb", "1234567890123456"};
	struct port port = port_named("c1", "");
	const char *name = "";

	assert_int_equal(device_ifname(&port, &name, NULL), 0);
	assert_string_equal(name, "c1");
	port = port_named("a port with: blanks", "eth0");
	assert_int_equal(device_ifname(&port, &name, NULL), 0);
	assert_string_equal(name, "eth0");
	port = port_named("123456789012345", "");
	assert_int_equal(device_ifname(&port, &name, NULL), 0);
	for (unsigned i = 0; i < ARRAY_SIZE(wrong); i++) {
		struct err err = {0};

		port = port_named(wrong[i], "");
		assert_int_equal(device_ifname(&port, &name, &err), -EINVAL);
		assert_non_null(strstr(err.reason, "give ifname="));
	}
}

static void test_host_ifname(void **state)
{
	struct port a = port_named("a-very-long-name-of-a-container-1", "");
	struct port b = port_named("a-very-long-name-of-a-container-2", "");
	struct port_env other = {.switch_id = "0123abce"};
	char one[IFNAMSIZ], two[IFNAMSIZ];

	device_host_ifname(&a, one);
	device_host_ifname(&a, two);
	assert_string_equal(one, two);
	assert_true(strlen(one) < IFNAMSIZ && strncmp(one, "cwa-ve-", 7) == 0);
	device_host_ifname(&b, two);
	assert_string_not_equal(one, two);
	a.env = &other;
	device_host_ifname(&a, two);
	assert_string_not_equal(one, two);
	snprintf(a.conf.host_ifname, sizeof(a.conf.host_ifname), "given");
	device_host_ifname(&a, two);
	assert_string_equal(two, "given");
}

static void test_alias(void **state)
{
	struct port port = port_named("c1", "eth0");
	struct port_env long_id = {};
	char alias[NL_ALIAS_BYTES], id[300];

	device_alias(&port, alias);
	assert_string_equal(alias, "causeway:0123abcd:c1");
	memset(id, 'x', sizeof(id) - 1);
	id[sizeof(id) - 1] = '\0';
	long_id.switch_id = id;
	port.env = &long_id;
	device_alias(&port, alias); // the name of the port is never cut
	assert_string_equal(alias + strlen(alias) - 3, ":c1");
}

// ---- changes ----

static void test_check_change(void **state)
{
	struct conf_port a = {.type = CONF_PORT_TAP, .name = "c1"}, b = a;
	struct err err = {0};

	b.mtu = 9000;
	b.has_mac = true;
	b.nb_ips = 1;
	b.tag = 5;
	b.fdb_limit = 7;
	assert_int_equal(conf_port_check_change(&a, &b, &err), 0);
	b = a;
	b.queues = 2;
	assert_int_equal(conf_port_check_change(&a, &b, &err), -EOPNOTSUPP);
	assert_string_equal(err.path, "port c1");
	assert_non_null(strstr(err.reason, "queues cannot be changed"));
	b = a;
	snprintf(b.netns, sizeof(b.netns), "c2");
	assert_int_equal(conf_port_check_change(&a, &b, NULL), -EOPNOTSUPP);
	b = a;
	b.type = CONF_PORT_VETH;
	assert_int_equal(conf_port_check_change(&a, &b, NULL), -EOPNOTSUPP);
}

static void test_offloads(void **state)
{
	json_t *obj = json_object();
	char *text;

	offloads_describe(RTE_ETH_TX_OFFLOAD_TCP_TSO | RTE_ETH_TX_OFFLOAD_MULTI_SEGS, obj);
	text = json_dumps(obj, JSON_COMPACT);
	assert_string_equal(text, "{\"offloads\":[\"tso\",\"sg\"]}");
	free(text);
	json_decref(obj);
}

// ---- DPDK's log ----

static void say(const char *text)
{
	rte_log(RTE_LOG_ERR, RTE_LOGTYPE_USER1, "%s", text);
}

static void test_dpdk_log(void **state)
{
	char text[600];

	dpdk_log_begin();
	assert_string_equal(dpdk_log_said(), "");
	say("EAL: Driver cannot attach the device (net_x0)\n"); // says nothing
	assert_string_equal(dpdk_log_said(), "");
	say("pmd: no such file\n");
	say("pmd: no such file\n"); // once is enough
	rte_log(RTE_LOG_INFO, RTE_LOGTYPE_USER1, "pmd: this is fine\n");
	say("pmd: giving up\n\n");
	dpdk_log_end();
	say("somebody else's trouble\n");
	assert_string_equal(dpdk_log_said(), "pmd: no such file; pmd: giving up");

	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	dpdk_log_begin();
	say(text);
	say("more\n");
	dpdk_log_end();
	assert_int_equal(strlen(dpdk_log_said()), DPDK_SAID_BYTES - 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_addr),
		cmocka_unit_test(test_no_addr),
		cmocka_unit_test(test_netns_kind),
		cmocka_unit_test(test_netns_open),
		cmocka_unit_test(test_netns_refused),
		cmocka_unit_test(test_ifname),
		cmocka_unit_test(test_host_ifname),
		cmocka_unit_test(test_alias),
		cmocka_unit_test(test_check_change),
		cmocka_unit_test(test_offloads),
		cmocka_unit_test(test_dpdk_log),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
