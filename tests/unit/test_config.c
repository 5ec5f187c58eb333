// SPDX-License-Identifier: BSD-3-Clause
// Single objects of the configuration: JSON onto structures and back, command line options, names,
// and what is said about mistakes.
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/util.h"
#include "config/conf.h"
#include "config/nearest.h"
#include "config/schema.h"
#include "tests/unit/config_bed.h"

static void test_defaults(void **state)
{
	struct conf_bridge_opts opts;
	struct conf_port port;
	struct conf conf;

	conf_init(&conf);
	assert_int_equal(conf.nb_workers, 0);
	assert_int_equal(conf.polling, CONF_POLLING_ADAPTIVE);
	assert_int_equal(conf.hugepages, CONF_HUGEPAGES_AUTO);
	assert_int_equal(conf.mbufs, 16384);
	assert_int_equal(conf.big_mbufs, 512);
	conf_fini(&conf);
	conf_bridge_opts_init(&opts);
	assert_int_equal(opts.ageing_s, 300);
	assert_int_equal(opts.fdb_limit, 65536);
	conf_port_init(&port);
	assert_int_equal(port.type, CONF_PORT_TAP);
	assert_int_equal(port.vlan_mode, CONF_VLAN_TRUNK);
	assert_int_equal(port.mtu, 0);
	assert_false(port.has_mac);
	assert_false(port.has_trunks);
}

static void test_port_all_keys(void **state)
{
	static const uint8_t mac[6] = {2, 0, 0, 0, 0, 1};
	struct conf_port port;

	fresh(&port);
	bind_ok(&port,
		"{\"type\": \"veth\", \"tag\": 10, \"trunks\": [20, \"30-32\"], \"vlan_mode\": "
		"\"native-tagged\", \"mtu\": 9000, \"queues\": 4, \"fdb_limit\": 7, \"netns\": "
		"1234, "
		"\"ifname\": \"eth0\", \"host_ifname\": \"h0\", \"mac\": \"02:00:00:00:00:01\", "
		"\"ip\": [\"10.0.0.1/24\", \"fd00::1/64\"]}");
	assert_int_equal(port.type, CONF_PORT_VETH);
	assert_int_equal(port.tag, 10);
	assert_true(port.has_trunks);
	for (unsigned vid = 0; vid < 4096; vid++)
		assert_int_equal(
			vlan_set_has(&port.trunks, vid), vid == 20 || (vid >= 30 && vid <= 32));
	assert_int_equal(port.vlan_mode, CONF_VLAN_NATIVE_TAGGED);
	assert_int_equal(port.mtu, 9000);
	assert_int_equal(port.queues, 4);
	assert_int_equal(port.fdb_limit, 7);
	assert_string_equal(port.netns, "1234");
	assert_string_equal(port.ifname, "eth0");
	assert_string_equal(port.host_ifname, "h0");
	assert_true(port.has_mac);
	assert_memory_equal(port.mac.byte, mac, 6);
	assert_int_equal(port.nb_ips, 2);
	assert_string_equal(port.ip[0], "10.0.0.1/24");
	assert_string_equal(port.ip[1], "fd00::1/64");
	fresh(&port);
	bind_ok(&port, "{\"type\": \"dpdk\", \"devargs\": \"net_pcap0,rx_pcap=a.pcap\"}");
	assert_string_equal(port.devargs, "net_pcap0,rx_pcap=a.pcap");
}

static void test_vlan_modes(void **state)
{
	static const struct {
		const char *obj;
		enum conf_vlan_mode mode;
	} cases[] = {
		{"{}", CONF_VLAN_TRUNK},
		{"{\"tag\": 10}", CONF_VLAN_ACCESS},
		{"{\"trunks\": [10]}", CONF_VLAN_TRUNK},
		{"{\"tag\": 10, \"trunks\": [11]}", CONF_VLAN_NATIVE_UNTAGGED},
		{"{\"tag\": 10, \"trunks\": [11], \"vlan_mode\": \"native-tagged\"}",
			CONF_VLAN_NATIVE_TAGGED},
		{"{\"tag\": 10, \"vlan_mode\": \"native-untagged\"}", CONF_VLAN_NATIVE_UNTAGGED},
	};
	struct conf_port port;

	for (unsigned i = 0; i < ARRAY_SIZE(cases); i++) {
		fresh(&port);
		bind_ok(&port, cases[i].obj);
		assert_int_equal(port.vlan_mode, cases[i].mode);
	}
	fresh(&port);
	bind_refused(&port, "{\"vlan_mode\": \"access\"}", "needs a tag");
	bind_refused(&port, "{\"vlan_mode\": \"native-tagged\"}", "needs a tag");
	bind_refused(&port, "{\"vlan_mode\": \"trunk\", \"tag\": 1}", "does not work with a tag");
	bind_refused(&port, "{\"vlan_mode\": \"access\", \"tag\": 1, \"trunks\": [2]}",
		"does not work with trunks");
	bind_refused(&port, "{\"vlan_mode\": \"acess\"}", "did you mean 'access'?");
}

// A change keeps what it does not name; the mode follows tag and trunks until it was chosen.
static void test_change(void **state)
{
	struct conf_port port;

	fresh(&port);
	bind_ok(&port, "{\"tag\": 10, \"mtu\": 1400, \"mac\": \"02:00:00:00:00:01\"}");
	bind_ok(&port, "{\"trunks\": [20]}");
	assert_int_equal(port.vlan_mode, CONF_VLAN_NATIVE_UNTAGGED);
	assert_int_equal(port.mtu, 1400);
	bind_ok(&port, "{\"tag\": null}");
	assert_int_equal(port.vlan_mode, CONF_VLAN_TRUNK);
	assert_int_equal(port.tag, 0);
	bind_ok(&port, "{\"tag\": 5, \"vlan_mode\": \"native-tagged\"}");
	bind_ok(&port, "{\"tag\": 6, \"trunks\": null}");
	assert_int_equal(port.vlan_mode, CONF_VLAN_NATIVE_TAGGED);
	assert_false(port.has_trunks);
	bind_ok(&port, "{\"vlan_mode\": null, \"mac\": null, \"mtu\": null}");
	assert_int_equal(port.vlan_mode, CONF_VLAN_ACCESS);
	assert_false(port.has_mac);
	assert_int_equal(port.mtu, 0);
	bind_ok(&port, "{\"trunks\": [1, 2]}");
	bind_ok(&port, "{\"trunks\": [3]}"); // a list replaces the list
	assert_false(vlan_set_has(&port.trunks, 1));
	bind_ok(&port, "{\"trunks\": []}");
	assert_false(port.has_trunks);
	bind_ok(&port, "{\"mac\": \"02:00:00:00:00:01\"}");
	bind_refused(&port, "{\"type\": \"dpdk\", \"devargs\": \"net_null0\"}",
		"a port of type dpdk has no mac");
}

static const char *const wrong_values[][2] = {
	{"[]", "a list is not allowed"},
	{"{\"tag\": 5000}", "port c1: tag: 5000 is not allowed; a VLAN id is 1 to 4094"},
	{"{\"tag\": 0}", "0 is not allowed; a VLAN id is 1 to 4094"},
	{"{\"tag\": 4095}", "4095 is not allowed"},
	{"{\"tag\": -1}", "'-1' is not allowed"},
	{"{\"tag\": \"10\"}", "a string is not allowed; a VLAN id"},
	{"{\"tag\": 10.0}", "a number with a fraction is not allowed"},
	{"{\"tag\": true}", "true or false is not allowed"},
	{"{\"tag\": {}}", "an object is not allowed"},
	{"{\"tag\": [10]}", "a list is not allowed"},
	{"{\"tag\": 9223372036854775807}", "is not allowed"},
	{"{\"mtu\": 67}", "an MTU is 68 to 65535"},
	{"{\"mtu\": 65536}", "an MTU is 68 to 65535"},
	{"{\"queues\": 17}", "1 to 16"},
	{"{\"type\": \"tpa\"}", "type is tap, veth, dpdk or vxlan; did you mean 'tap'?"},
	{"{\"type\": 1}", "an integer is not allowed; type is tap, veth, dpdk or vxlan"},
	{"{\"tagg\": 10}", "unknown key 'tagg'; did you mean 'tag'?"},
	{"{\"vlan-moed\": 10}", "did you mean 'vlan_mode'?"},
	{"{\"colour\": 1}", "unknown key 'colour'; a port has the keys type, tag, trunks"},
	{"{\"vlan-mode\": \"trunk\"}", "unknown key 'vlan-mode'; did you mean 'vlan_mode'?"},
	{"{\"trunks\": [4095]}", "trunks[0]: 4095 is not allowed"},
	{"{\"trunks\": [1, \"9-5\"]}", "trunks[1]: '9-5' is not allowed"},
	{"{\"trunks\": [\"1-\"]}", "trunks[0]: '1-' is not allowed"},
	{"{\"trunks\": [\"1-2-3\"]}", "is not allowed"},
	{"{\"trunks\": [null]}", "null is not allowed"},
	{"{\"trunks\": [[1]]}", "a list is not allowed"},
	{"{\"trunks\": \"\"}", "'' is not allowed"},
	{"{\"trunks\": \"1,,2\"}", "'' is not allowed"},
	{"{\"mac\": \"02:00:00:00:00\"}", "six bytes"},
	{"{\"mac\": \"03:00:00:00:00:01\"}", "unicast"},
	{"{\"mac\": \"00:00:00:00:00:00\"}", "unicast"},
	{"{\"ip\": [\"10.0.0.1\"]}", "with its prefix length"},
	{"{\"ip\": [\"10.0.0.1/33\"]}", "0 to 32"},
	{"{\"ip\": [\"fd00::1/129\"]}", "0 to 128"},
	{"{\"ip\": [\"10.0.0.1/024\"]}", "with its prefix length"},
	{"{\"ip\": [\"10.0.0/24\"]}", "with its prefix length"},
	{"{\"ip\": [\"10.0.0.1/24\", \"10.0.0.1/24\"]}", "ip[1]: '10.0.0.1/24'"},
	{"{\"ip\": \"10.0.0.1/8,10.0.0.2/8,10.0.0.3/8,10.0.0.4/8,10.0.0.5/8\"}",
		"at most 4 addresses"},
	{"{\"ifname\": \"sixteen-bytes-xx\"}", "1 to 15 bytes"},
	{"{\"ifname\": \"a/b\"}", "without '/'"},
	{"{\"ifname\": \"a b\"}", "blanks"},
	{"{\"ifname\": \"..\"}", "is not allowed"},
	{"{\"ifname\": \"\"}", "is not allowed"},
	{"{\"ifname\": \"a\\u0000b\"}", "zero bytes"},
	{"{\"ifname\": \"a\\u0001b\"}", "'a?b' is not allowed; control characters"},
	{"{\"ifname\": 5}", "an integer is not allowed"},
	{"{\"netns\": \"a/b\"}", "a name under /run/netns, an absolute path or a pid"},
	{"{\"netns\": \"..\"}", "a name under /run/netns"},
	{"{\"netns\": 0}", "a pid is 1 to 2147483647"},
	{"{\"netns\": -3.5}", "is not allowed"},
	{"{\"host_ifname\": \"h\"}", "a port of type tap has no host-ifname"},
	{"{\"devargs\": \"net_null0\"}", "a port of type tap has no devargs"},
	{"{\"type\": \"dpdk\"}", "devargs: the key is missing"},
	{"{\"type\": \"dpdk\", \"devargs\": null}", "devargs"},
	{"{\"type\": \"dpdk\", \"devargs\": \"\"}", "is not allowed"},
	{"{\"type\": \"dpdk\", \"devargs\": \"x\", \"ip\": []}", "has no ip"},
	{"{\"type\": \"dpdk\", \"devargs\": \"x\", \"mtu\": \"auto\"}",
		"mtu: only ports of type tap and veth take auto, not dpdk"},
	{"{\"mtu\": \"1400\"}", "a string is not allowed"},
};

static void test_wrong_values(void **state)
{
	struct conf_port port;

	for (unsigned i = 0; i < ARRAY_SIZE(wrong_values); i++) {
		fresh(&port);
		bind_refused(&port, wrong_values[i][0], wrong_values[i][1]);
	}
}

static void test_long_text(void **state)
{
	char text[1400], fill[1300];
	struct conf_port port;

	memset(fill, 'x', sizeof(fill));
	fresh(&port);
	snprintf(text, sizeof(text), "{\"type\": \"dpdk\", \"devargs\": \"%.1023s\"}", fill);
	bind_ok(&port, text);
	assert_int_equal(strlen(port.devargs), 1023);
	snprintf(text, sizeof(text), "{\"type\": \"dpdk\", \"devargs\": \"%.1024s\"}", fill);
	bind_refused(&port, text, "1024 bytes is too long; devargs has at most 1023");
	snprintf(text, sizeof(text), "{\"%.1200s\": 1}", fill);
	bind_refused(&port, text, "unknown key 'xxxx");
}

// A tap that is to be named after its port, whose name no device can have.
static void test_device_name(void **state)
{
	struct conf_port port;

	fresh(&port);
	strcpy(port.name, "a-name-of-more-than-15-bytes");
	bind_refused(&port, "{}", "ifname: the key is missing");
	bind_ok(&port, "{\"ifname\": \"eth0\"}");
	fresh(&port);
	strcpy(port.name, "a-name-of-more-than-15-bytes");
	bind_ok(&port, "{\"type\": \"dpdk\", \"devargs\": \"net_null0\"}");
}

static void test_bridge(void **state)
{
	json_t *good = json("{\"ageing\": 0, \"fdb_limit\": 1}"), *ports = json("{\"ports\": {}}");
	struct conf_bridge_opts opts, before;
	struct err err = {0};
	json_t *back;

	conf_bridge_opts_init(&opts);
	assert_int_equal(conf_bridge_bind(good, "bridge br0", &opts, &err), 0);
	assert_int_equal(opts.ageing_s, 0);
	assert_int_equal(opts.fdb_limit, 1);
	before = opts;
	// The ports of a bridge are no options of it.
	assert_int_equal(conf_bridge_bind(ports, "bridge br0", &opts, &err), -EINVAL);
	assert_string_equal(err.reason, "unknown key 'ports'; a bridge has the keys ageing, "
					"fdb_limit, neigh_unknown and managed_by");
	assert_memory_equal(&opts, &before, sizeof(opts));
	back = conf_bridge_opts_to_json(&opts, false);
	assert_true(json_equal(back, good));
	json_decref(back);
	json_decref(good);
	json_decref(ports);
}

// Which VTEP a port is on.
static void test_settle_port(void **state)
{
	struct conf_vtep west, other;
	const struct conf_vtep *list[] = {&west, &other};
	struct conf_port port;
	struct err err = {0};
	unsigned index;

	bind_vtep(&west, "{\"address\": \"10.0.0.1\"}", &err);
	bind_vtep(&other, "{}", &err);
	strcpy(other.name, "other");
	fresh(&port);
	bind_ok(&port, "{\"type\": \"vxlan\", \"key\": 5, \"remote\": \"fd00::1\"}");
	assert_int_equal(conf_port_settle(&port, list, 0, &index, &err), 0);
	assert_int_equal(index, 0);
	assert_string_equal(port.vtep, "default");
	port.vtep[0] = '\0';
	assert_int_equal(conf_port_settle(&port, list, 1, &index, &err), -EAFNOSUPPORT);
	assert_string_equal(err.path, "remote");
	assert_non_null(strstr(err.reason, "fd00::1 is out of reach"));
	assert_string_equal(port.vtep, "");
	assert_int_equal(conf_port_settle(&port, list + 1, 1, &index, NULL), 0);
	assert_string_equal(port.vtep, "other");
	port.vtep[0] = '\0';
	err = (struct err){0};
	assert_int_equal(conf_port_settle(&port, list, 2, &index, &err), -EINVAL);
	assert_non_null(strstr(err.reason, "there are 2 VTEPs"));
	strcpy(other.name, "default");
	assert_int_equal(conf_port_settle(&port, list, 2, &index, NULL), 0);
	assert_int_equal(index, 1);
	strcpy(port.vtep, "east");
	err = (struct err){0};
	assert_int_equal(conf_port_settle(&port, list, 2, &index, &err), -ENOENT);
	assert_string_equal(err.path, "vtep");
	assert_non_null(strstr(err.reason, "there is no VTEP 'east'"));
}

static void all_carried(const struct conf_port *port, const char *vlans, bool carried)
{
	char *end;

	for (unsigned vlan = strtoul(vlans, &end, 10); end != vlans;
		vlans = end, vlan = strtoul(vlans, &end, 10))
		assert_int_equal(conf_port_carries(port, vlan), carried);
}

static void test_carries(void **state)
{
	static const struct {
		const char *obj, *carries, *leaves;
	} cases[] = {
		{"{}", "0 1 4094", ""},
		{"{\"tag\": 10}", "10", "0 11"},
		{"{\"trunks\": [0, 10]}", "0 10", "11"},
		{"{\"trunks\": [11], \"tag\": 10}", "10 11", "0 12"},
	};
	struct conf_port port;

	for (unsigned i = 0; i < ARRAY_SIZE(cases); i++) {
		fresh(&port);
		bind_ok(&port, cases[i].obj);
		all_carried(&port, cases[i].carries, true);
		all_carried(&port, cases[i].leaves, false);
	}
}

static void option_is(const char *key, const char *value, const char *expected)
{
	json_t *obj = json_object(), *want = json(expected);
	struct err err = {0};

	if (conf_port_option(obj, key, value, &err) < 0)
		fail_msg("%s=%s: %s", key, value, err.reason);
	if (!json_equal(obj, want))
		fail_msg("%s=%s gives %s", key, value, json_dumps(obj, 0));
	json_decref(obj);
	json_decref(want);
}

// A command line and a file take both words; JSON has booleans.
static void test_booleans(void **state)
{
	struct conf_port port;

	option_is("isolated", "on", "{\"isolated\": true}");
	option_is("isolated", "true", "{\"isolated\": true}");
	option_is("learning", "false", "{\"learning\": false}");
	fresh(&port);
	bind_ok(&port, "{\"isolated\": true, \"guard\": false}");
	assert_true(port.isolated && !port.guard);
	bind_refused(&port, "{\"isolated\": \"on\"}",
		"a string is not allowed; isolated is true or false");
	bind_refused(
		&port, "{\"isolated\": 1}", "an integer is not allowed; isolated is true or false");
	bind_refused(&port, "{\"vlan_mode\": true}", "true or false is not allowed; vlan-mode is");
	bind_ok(&port, "{\"isolated\": null}");
	assert_false(port.isolated);
}

static void test_options(void **state)
{
	option_is("tag", "10", "{\"tag\": 10}");
	option_is("tag", "", "{\"tag\": null}");
	option_is("type", "veth", "{\"type\": \"veth\"}");
	option_is("trunks", "10,20-30", "{\"trunks\": [10, \"20-30\"]}");
	option_is("trunks", "30,1, 2 ,3", "{\"trunks\": [\"1-3\", 30]}");
	option_is("vlan_mode", "access", "{\"vlan_mode\": \"access\"}");
	option_is("vlan-mode", "trunk", "{\"vlan_mode\": \"trunk\"}");
	option_is("netns", "1234", "{\"netns\": \"1234\"}");
	option_is("mac", "02-00-00-00-00-0A", "{\"mac\": \"02:00:00:00:00:0a\"}");
	option_is("ip", "10.0.0.1/24,fd00::1/64", "{\"ip\": [\"10.0.0.1/24\", \"fd00::1/64\"]}");
	option_is("devargs", "net_pcap0,rx_pcap=a", "{\"devargs\": \"net_pcap0,rx_pcap=a\"}");
	option_is("mtu", "auto", "{\"mtu\": \"auto\"}");
	option_is("vni", "0", "{\"key\": 0}");
	option_is("remote_ip", "10.0.0.2", "{\"remote\": [\"10.0.0.2\"]}");
	option_is("remotes", "10.0.0.2,fd00::2", "{\"remote\": [\"10.0.0.2\", \"fd00::2\"]}");
	option_is("learning", "off", "{\"learning\": false}");
	option_is("fdb-limit", "0", "{\"fdb_limit\": 0}");
}

static void option_refused(const char *key, const char *value, const char *say)
{
	json_t *obj = json_object();
	struct err err = {0};
	char buf[768];

	assert_int_equal(conf_port_option(obj, key, value, &err), -EINVAL);
	if (!strstr(err_text(&err, buf, sizeof(buf)), say))
		fail_msg("%s=%s: \"%s\" does not say \"%s\"", key, value, buf, say);
	assert_int_equal(json_object_size(obj), 0);
	json_decref(obj);
}

static void test_options_refused(void **state)
{
	json_t *obj = json("{\"tag\": 1}");
	struct err err = {0};

	option_refused("tag", "5000", "tag: 5000 is not allowed; a VLAN id is 1 to 4094");
	option_refused("tag", "010", "is not allowed");
	option_refused("tag", "+1", "is not allowed");
	option_refused("tag", " 1", "is not allowed");
	option_refused("tag", "99999999999999999999", "is not allowed");
	option_refused("guard", "yes", "guard is off or on");
	option_refused("guard-ips", "10.0.0.5/24", "with no bits set after it");
	option_refused(
		"guard-ips", "10.0.0.5,0.0.0.0", "group addresses and 0.0.0.0 are not sources");
	option_refused("guard-ips", "ff02::1", "group addresses and 0.0.0.0 are not sources");
	option_refused("tga", "1", "unknown option 'tga'; did you mean 'tag'?");
	option_refused("colour", "1", "a port has the options type, tag, trunks");
	option_refused("netns", "\xff\xfe", "UTF-8");
	assert_int_equal(conf_port_option(obj, "tag", "2", &err), -EINVAL);
	assert_non_null(strstr(err.reason, "twice"));
	assert_int_equal(conf_bridge_option(obj, "ageing", "60", NULL), 0);
	assert_int_equal(json_integer_value(json_object_get(obj, "ageing")), 60);
	err = (struct err){0};
	assert_int_equal(conf_bridge_option(obj, "ports", "x", &err), -EINVAL);
	assert_string_equal(err.reason, "unknown option 'ports'; a bridge has the options ageing, "
					"fdb-limit, neigh-unknown and managed-by");
	json_decref(obj);
}

// What conf_port_to_json() gives, short or whole, binds to the same port.
static void test_json_round_trip(void **state)
{
	struct conf_port port, back;

	fresh(&port);
	bind_ok(&port, "{\"tag\": 10, \"trunks\": [0, \"4000-4094\"], \"mac\": "
		       "\"02:00:00:00:00:01\", \"ip\": [\"::/0\"], \"netns\": \"/proc/1/ns/net\", "
		       "\"guard\": "
		       "true, \"guard_ips\": [\"10.0.0.5\", \"fd00::/64\"]}");
	for (int all = 0; all < 2; all++) {
		json_t *obj = conf_port_to_json(&port, all);
		struct err err = {0};

		assert_int_equal(json_object_size(obj), all ? 20 : 7);
		fresh(&back);
		assert_int_equal(conf_port_bind(obj, "port c1", &back, &err), 0);
		assert_memory_equal(&back, &port, sizeof(port));
		json_decref(obj);
	}
}

static void test_names(void **state)
{
	static const char *const good[] = {"a", "br0", "c1.eth0", "A_b-c@9", "0",
		"123456789012345678901234567890123456789012345678901234567890123"};
	static const char *const bad[] = {"", "-a", ".a", "a/b", "a b", "a\n", "\xc3\xa4", "a:b",
		"1234567890123456789012345678901234567890123456789012345678901234"};
	struct err err = {0};

	for (unsigned i = 0; i < ARRAY_SIZE(good); i++)
		assert_int_equal(conf_name_check(good[i], "port", NULL), 0);
	for (unsigned i = 0; i < ARRAY_SIZE(bad); i++)
		assert_int_equal(conf_name_check(bad[i], "port", NULL), -EINVAL);
	assert_int_equal(conf_name_check("a/b", "bridge", &err), -EINVAL);
	assert_non_null(strstr(err.reason, "'a/b' is not a valid bridge name: use 1 to 63"));
}

static void test_nearest(void **state)
{
	assert_int_equal(nearest_distance("tag", "tag"), 0);
	assert_int_equal(nearest_distance("VLAN_mode", "vlan-mode"), 0);
	assert_int_equal(nearest_distance("tagg", "tag"), 1);
	assert_int_equal(nearest_distance("tga", "tag"), 1);
	assert_int_equal(nearest_distance("devarsg", "devargs"), 1);
	assert_int_equal(nearest_distance("colour", "queues"), NEAREST_FAR);
	assert_int_equal(nearest_distance("", "ip"), NEAREST_FAR);
	assert_null(schema_nearest(&schema_port, ""));
}

// Each row is complete, and the reference page names it.
static void test_schema_rows(void **state)
{
	static const struct schema_table *const tables[] = {&schema_conf, &schema_bridge,
		&schema_port, &schema_fdb, &schema_neigh, &schema_vtep};
	char *page = NULL, cell[80];
	size_t len_bytes;
	FILE *file = open_memstream(&page, &len_bytes);

	schema_print_reference(file);
	fclose(file);
	for (unsigned t = 0; t < ARRAY_SIZE(tables); t++) {
		for (unsigned i = 0; i < tables[t]->count; i++) {
			const struct schema_field *field = &tables[t]->fields[i];
			bool section = field->type == SCHEMA_MAP || field->type == SCHEMA_LIST;

			assert_non_null(field->help);
			assert_true(section ? field->sub != NULL : field->syntax != NULL);
			assert_true(field->allowed || field->names || field->check);
			assert_true(field->offset + field->size_bytes <= tables[t]->size_bytes);
			snprintf(cell, sizeof(cell), "\n| `%s` |", field->key);
			assert_non_null(strstr(page, cell));
		}
	}
	free(page);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_defaults),
		cmocka_unit_test(test_port_all_keys),
		cmocka_unit_test(test_vlan_modes),
		cmocka_unit_test(test_change),
		cmocka_unit_test(test_wrong_values),
		cmocka_unit_test(test_long_text),
		cmocka_unit_test(test_device_name),
		cmocka_unit_test(test_bridge),
		cmocka_unit_test(test_settle_port),
		cmocka_unit_test(test_carries),
		cmocka_unit_test(test_booleans),
		cmocka_unit_test(test_options),
		cmocka_unit_test(test_options_refused),
		cmocka_unit_test(test_json_round_trip),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_nearest),
		cmocka_unit_test(test_schema_rows),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
