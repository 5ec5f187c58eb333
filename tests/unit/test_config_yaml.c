// SPDX-License-Identifier: BSD-3-Clause
// Whole configurations: YAML in, mistakes with their lines, YAML out and in again.
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
#include "tests/unit/config_bed.h"

struct mistake {
	unsigned line;
	const char *say; // what the text begins with
};

// `text` is refused with exactly these mistakes, and nothing is handed out.
static void parse_refused(
	const char *text, size_t len_bytes, const struct mistake *wanted, unsigned count)
{
	struct conf_mistakes mistakes;
	struct conf conf, before;
	char buf[768];

	memset(&conf, 0x5a, sizeof(conf));
	before = conf;
	assert_int_equal(conf_parse(text, len_bytes, &conf, &mistakes), -EINVAL);
	assert_memory_equal(&conf, &before, sizeof(conf));
	if (mistakes.count != count)
		show(&mistakes);
	assert_int_equal(mistakes.count, count);
	for (unsigned i = 0; i < count; i++) {
		err_text(&mistakes.list[i].err, buf, sizeof(buf));
		if (mistakes.list[i].line != wanted[i].line ||
			strncmp(buf, wanted[i].say, strlen(wanted[i].say)) != 0)
			fail_msg("%u: \"%s\" instead of %u: \"%s\"", mistakes.list[i].line, buf,
				wanted[i].line, wanted[i].say);
	}
	conf_mistakes_fini(&mistakes);
}

static void refused_once(const char *text, unsigned line, const char *say)
{
	const struct mistake wanted = {line, say};

	parse_refused(text, strlen(text), &wanted, 1);
}

static const char example[] =
	"# A comment\n"
	"workers: [1, 2]\n"
	"polling: busy\n"
	"hugepages: off\n"
	"mbufs: 20000\n"
	"big-mbufs: 600\n"
	"vteps:\n"
	"  west: {address: 192.0.2.1, heartbeat: 500, checksum: off}\n"
	"  lan: {underlay: port, address: fd00::1/64, netns: lan, ifname: eth0}\n"
	"bridges:\n"
	"  br0:\n"
	"    ageing: 60\n"
	"    fdb-limit: 1000\n"
	"    ports:\n"
	"      c1: {type: tap, netns: c1, ifname: eth0, mac: 02:00:00:00:00:01,\n"
	"           mtu: 1500, ip: [10.0.0.1/24], tag: 10, queues: 1}\n"
	"      up: {type: dpdk, devargs: \"net_pcap0,rx_pcap=a.pcap\",\n"
	"           trunks: [10, 20-30]}\n"
	"      vx: {type: vxlan, vni: 0, remotes: 192.0.2.2, vtep: west, tag: 10}\n"
	"      vy: {type: vxlan, key: 0, remote: [], vtep: lan, learning: false, mtu: 1400}\n"
	"      on: {netns: 42, ip: fd00::1/64, trunks: \"1,5-6\"}\n"
	"    fdb:\n"
	"      - {mac: 02:00:00:00:00:09, port: c1, vlan: 10}\n"
	"      - {mac: 02:00:00:00:00:09, port: up}\n"
	"      - {mac: 00:00:00:00:00:00, tunnel: 192.0.2.3, vlan: 10, port: vx}\n"
	"      - {mac: 00:00:00:00:00:00, tunnel: 192.0.2.4, vlan: 10, port: vx}\n"
	"      - {mac: 02:00:00:00:00:0a, tunnel: fd00::3, vlan: 11}\n"
	"    neigh-unknown: drop\n"
	"    neigh:\n"
	"      - {ip: 10.0.0.9, mac: 02:00:00:00:00:09, vlan: 10}\n"
	"      - {ip: fd00::9, mac: 02:00:00:00:00:09}\n"
	"  br1:\n";

static void test_example(void **state)
{
	const struct conf_bridge *br0;
	struct conf conf;

	parse_ok(example, &conf);
	assert_int_equal(conf.nb_workers, 2);
	assert_int_equal(conf.workers[1], 2);
	assert_int_equal(conf.polling, CONF_POLLING_BUSY);
	assert_int_equal(conf.hugepages, CONF_HUGEPAGES_OFF);
	assert_int_equal(conf.mbufs, 20000);
	assert_int_equal(conf.big_mbufs, 600);
	assert_int_equal(conf.nb_bridges, 2);
	br0 = &conf.bridges[0];
	assert_string_equal(br0->opts.name, "br0");
	assert_int_equal(br0->opts.ageing_s, 60);
	assert_int_equal(br0->opts.fdb_limit, 1000);
	assert_int_equal(conf.nb_vteps, 2);
	assert_true(conf.vteps[0].no_checksum);
	assert_int_equal(conf.vteps[1].prefix, 64);
	assert_int_equal(br0->nb_ports, 5);
	assert_string_equal(br0->ports[0].name, "c1");
	assert_string_equal(br0->ports[0].netns, "c1");
	assert_int_equal(br0->ports[0].vlan_mode, CONF_VLAN_ACCESS);
	assert_string_equal(br0->ports[1].devargs, "net_pcap0,rx_pcap=a.pcap");
	assert_true(vlan_set_has(&br0->ports[1].trunks, 25));
	assert_int_equal(br0->ports[2].vni, 0);
	assert_int_equal(br0->ports[2].nb_remotes, 1);
	assert_true(br0->ports[3].no_learning);
	assert_string_equal(br0->ports[4].name, "on");
	assert_string_equal(br0->ports[4].netns, "42");
	assert_true(vlan_set_has(&br0->ports[4].trunks, 6));
	assert_int_equal(br0->nb_fdb, 5);
	assert_string_equal(br0->fdb[4].port, "vy");
	assert_int_equal(br0->fdb[4].tunnel.family, 6);
	assert_int_equal(br0->opts.neigh_unknown, CONF_NEIGH_DROP);
	assert_int_equal(br0->nb_neigh, 2);
	assert_int_equal(br0->neigh[0].vlan, 10);
	assert_int_equal(br0->fdb[0].vlan, 10);
	assert_string_equal(br0->fdb[1].port, "up");
	assert_int_equal(conf.bridges[1].nb_ports, 0);
	conf_fini(&conf);
}

static void test_little(void **state)
{
	static const char *const texts[] = {
		"", "\n# nothing\n", "{}", "---\n...\n", "~", "bridges:\n", "bridges: {}\n"};
	struct conf conf;

	for (unsigned i = 0; i < ARRAY_SIZE(texts); i++) {
		parse_ok(texts[i], &conf);
		assert_int_equal(conf.nb_bridges, 0);
		assert_int_equal(conf.mbufs, 16384);
		conf_fini(&conf);
	}
	parse_ok("bridges: {br0: {ports: , fdb: }}", &conf);
	assert_int_equal(conf.nb_bridges, 1);
	conf_fini(&conf);
}

static void test_every_mistake(void **state)
{
	static const char text[] = "workers: [1, 1]\n"
				   "pollin: busy\n"
				   "hugepages: true\n"
				   "mbufs: 12\n"
				   "bridges:\n"
				   "  br/0:\n"
				   "    ageing: -1\n"
				   "    ports:\n"
				   "      c1:\n"
				   "        tagg: 10\n"
				   "        tag: 5000\n"
				   "        trunks:\n"
				   "          - 1\n"
				   "          - x\n"
				   "      c1: {}\n"
				   "      c2: {type: dpdk, mtu: 12, netns: x}\n"
				   "      c3: {type: dpk, devargs: x}\n"
				   "      c4: [a]\n"
				   "      c5: {tag: }\n"
				   "    fdb:\n"
				   "      - {mac: 02:00:00:00:00:09, port: c9}\n"
				   "      - port: c1\n"
				   "      - {mac: 02:00:00:00:00:08, port: c1}\n"
				   "      - {mac: 02:00:00:00:00:08, port: c2}\n"
				   "  br1: []\n"
				   "  br2: {ports: [], fdb: {}}\n"
				   "  br3: {ports: {c5: {}}}\n";
	static const struct mistake wanted[] = {
		{1, "workers[1]: 1 is not allowed; the CPU is given twice"},
		{2, "pollin: unknown key 'pollin'; did you mean 'polling'?"},
		{3, "hugepages: 'true' is not allowed; hugepages is auto, on or off"},
		{4, "mbufs: 12 is not allowed; "},
		{6, "bridges.br/0: 'br/0' is not allowed; a name is 1 to 63"},
		{7, "bridges.br/0.ageing: '-1' is not allowed"},
		{10, "bridges.br/0.ports.c1.tagg: unknown key 'tagg'; did you mean 'tag'?"},
		{11, "bridges.br/0.ports.c1.tag: 5000 is not allowed; a VLAN id is 1 to 4094"},
		{14, "bridges.br/0.ports.c1.trunks[1]: 'x' is not allowed; "},
		{15, "bridges.br/0.ports.c1: the key 'c1' is already on line 9"},
		{16, "bridges.br/0.ports.c2.mtu: 12 is not allowed; "},
		{16, "bridges.br/0.ports.c2.netns: a port of type dpdk has no netns"},
		{16, "bridges.br/0.ports.c2.devargs: the key is missing"},
		{17, "bridges.br/0.ports.c3.type: 'dpk' is not allowed; "},
		{18, "bridges.br/0.ports.c4: a list is not allowed; a port has the keys type"},
		{19, "bridges.br/0.ports.c5.tag: the value is missing; a VLAN id is 1 to 4094"},
		{21, "bridges.br/0.fdb[0].port: bridge 'br/0' has no port 'c9'"},
		{22, "bridges.br/0.fdb[1].mac: the key is missing"},
		{24, "bridges.br/0.fdb[3]: 02:00:00:00:00:08 in VLAN 0 already has an entry"},
		{25, "bridges.br1: a list is not allowed; a bridge has the keys ageing, fdb-limit, "
		     "neigh-unknown, managed-by, ports, fdb and neigh"},
		{26, "bridges.br2.ports: a list is not allowed; ports holds the ports by name"},
		{26, "bridges.br2.fdb: an object is not allowed; fdb is a list of entries"},
		{27, "bridges.br3.ports.c5: bridge 'br/0' already has a port of this name"},
	};

	parse_refused(text, strlen(text), wanted, ARRAY_SIZE(wanted));
}

static const char tunnel_mistakes[] =
	"vteps:\n"
	"  west: {address: 10.0.0.1, gateway: 10.0.0.2}\n"
	"  east: {underlay: port, address: 10.0.0.1}\n"
	"  a/b: {underlay: prt}\n"
	"  c1: {}\n"
	"bridges:\n"
	"  br0:\n"
	"    ports:\n"
	"      c1: {}\n"
	"      v1: {type: vxlan, key: 1}\n"
	"      v2: {type: vxlan, key: 2, vtep: nowhere}\n"
	"      v3:\n"
	"        type: vxlan\n"
	"        key: 3\n"
	"        vtep: west\n"
	"        remote: [10.0.0.2, fd00::1]\n"
	"      v4: {type: vxlan, key: 4, vtep: west}\n"
	"      v5: {type: vxlan, vtep: west}\n"
	"    fdb:\n"
	"      - {mac: 02:00:00:00:00:01, tunnel: 10.0.0.2, port: c1}\n"
	"      - {mac: 02:00:00:00:00:02, port: v4}\n"
	"      - {mac: 02:00:00:00:00:03, tunnel: 10.0.0.2}\n"
	"      - {mac: 00:00:00:00:00:00, port: c1}\n"
	"      - {mac: 02:00:00:00:00:04}\n"
	"      - {mac: 00:00:00:00:00:00, port: v4, tunnel: 10.0.0.2}\n"
	"      - {mac: 00:00:00:00:00:00, port: v4, tunnel: 10.0.0.2}\n"
	"      - {mac: 02:00:00:00:00:05, port: v4, tunnel: any}\n"
	"    neigh:\n"
	"      - {ip: 10.0.0.9, mac: 02:00:00:00:00:09}\n"
	"      - {ip: 10.0.0.9, mac: 02:00:00:00:00:08}\n"
	"      - {ip: 224.0.0.1, mac: 02:00:00:00:00:08}\n"
	"  br1:\n"
	"    ports:\n"
	"      w4: {type: vxlan, key: 4, vtep: west}\n"
	"    fdb:\n"
	"      - {mac: 02:00:00:00:00:03, tunnel: 10.0.0.2, port: v4}\n";

// What concerns VTEPs, and goes across objects.
static void test_tunnel_mistakes(void **state)
{
	static const struct mistake wanted[] = {
		{2, "vteps.west.gateway: a VTEP with underlay kernel has no"},
		{3, "vteps.east.address: underlay port needs one address"},
		{4, "vteps.a/b: 'a/b' is not allowed"},
		{4, "vteps.a/b.underlay: 'prt' is not allowed; underlay is kernel or"},
		{9, "bridges.br0.ports.c1: a VTEP already has this name"},
		{10, "bridges.br0.ports.v1.vtep: the key is missing: there are 4 VTEPs"},
		{11, "bridges.br0.ports.v2.vtep: there is no VTEP 'nowhere'"},
		{16, "bridges.br0.ports.v3.remote: fd00::1 is out of reach: VTEP "
		     "'west'"},
		{18, "bridges.br0.ports.v5.key: the key is missing"},
		{20, "bridges.br0.fdb[0].tunnel: port 'c1' is of type tap"},
		{21, "bridges.br0.fdb[1].tunnel: the key is missing: port 'v4' is of type vxlan"},
		{22, "bridges.br0.fdb[2].port: the key is missing: several ports of type vxlan"},
		{23, "bridges.br0.fdb[3].mac: the zero address stands for flooded frames"},
		{24, "bridges.br0.fdb[4].port: the key is missing; give port or tunnel"},
		{26, "bridges.br0.fdb[6]: 00:00:00:00:00:00 in VLAN 0 already has an entry"},
		{27, "bridges.br0.fdb[7].tunnel: 'any' is not allowed; a remote VTEP"},
		{30, "bridges.br0.neigh[1]: 10.0.0.9 in VLAN 0 already has an entry"},
		{31, "bridges.br0.neigh[2].ip: '224.0.0.1' is not allowed"},
		{34, "bridges.br1.ports.w4.key: port 'v4' already has VNI 4 of VTEP 'west'"},
		{36, "bridges.br1.fdb[0].port: bridge 'br1' has no port 'v4'"},
	};

	parse_refused(tunnel_mistakes, strlen(tunnel_mistakes), wanted, ARRAY_SIZE(wanted));
}

// Without a VTEP a port is on the implicit one.
static void test_implicit_vtep(void **state)
{
	struct conf conf;

	parse_ok("bridges: {br0: {ports: {v1: {type: vxlan, key: 1}}}}", &conf);
	assert_int_equal(conf.nb_vteps, 0);
	assert_string_equal(conf.bridges[0].ports[0].vtep, "default");
	conf_fini(&conf);
	parse_ok("bridges: {br0: {ports: {v1: {type: vxlan, key: 1}}}}\n"
		 "vteps: {one: }",
		&conf);
	assert_string_equal(conf.bridges[0].ports[0].vtep, "one");
	conf_fini(&conf);
	refused_once("bridges:\n"
		     "  br0: {ports: {v1: {type: vxlan, key: 1}}}\n"
		     "  br1: {ports: {v2: {type: vxlan, key: 1}}}\n",
		3, "bridges.br1.ports.v2.key: port 'v1' already has VNI 1 of VTEP 'default'");
}

static void test_not_in_json(void **state)
{
	refused_once("- a\n", 1, "a list is not allowed; a configuration has the keys workers");
	refused_once("text\n", 1, "a string is not allowed");
	refused_once("\n\nbridges: 5\n", 3, "bridges: a string is not allowed; bridges holds");
	refused_once("bridges: {b: {ports: {p: {vlan-mode: trunk,\n vlan_mode: trunk}}}}\n", 2,
		"bridges.b.ports.p.vlan_mode: 'vlan-mode' is also given");
	refused_once("mbufs: 0x4000\n", 1, "mbufs: '0x4000' is not allowed");
	refused_once("mbufs: 040000\n", 1, "mbufs: 040000 is not allowed");
	refused_once("mbufs: 20_000\n", 1, "mbufs: '20_000' is not allowed");
	refused_once("bridges: {b: {ports: {c: {netns: \"a\\0b\"}}}}\n", 1,
		"bridges.b.ports.c.netns: zero bytes are not allowed in text");
	refused_once("\"mbufs\\0\": 20000\n", 1, "zero bytes are not allowed in a key");
	refused_once("workers: [1, ~]\n", 1, "workers[1]: the value is missing; a CPU number");
	refused_once("bridges: {b: {fdb: [~]}}\n", 1, "bridges.b.fdb[0]: null is not allowed");
}

static void test_yaml_features(void **state)
{
	static const struct mistake bomb[] = {
		{1, "a: anchors (&) are not allowed"},
		{1, "a: unknown key 'a'"},
		{2, "b[0]: aliases (*) are not allowed"},
		{2, "b[1]: aliases (*) are not allowed"},
		{2, "b: unknown key 'b'"},
	};
	static const struct mistake loop[] = {
		{1, "workers: anchors (&) are not allowed"},
		{1, "workers[0]: aliases (*) are not allowed"},
	};
	static const char bomb_text[] = "a: &a [1]\nb: [*a, *a]\n",
			  loop_text[] = "workers: &a [*a]";
	char deep[2001];

	parse_refused(bomb_text, strlen(bomb_text), bomb, ARRAY_SIZE(bomb));
	parse_refused(loop_text, strlen(loop_text), loop, ARRAY_SIZE(loop));
	refused_once("mbufs: !!int 20000\n", 1, "mbufs: tags (!) are not allowed");
	refused_once("mbufs: 20000\n---\nmbufs: 1\n", 2, "a second document begins");
	refused_once(
		"mbufs: 20000\nmbufs: 30000\n", 2, "mbufs: the key 'mbufs' is already on line 1");
	refused_once("mbufs: 20000\n? [a, b]\n: 1\n", 2, "a key must be plain text");
	memset(deep, '[', sizeof(deep) - 1);
	deep[sizeof(deep) - 1] = '\0';
	refused_once(deep, 1, "[0][0][0][0][0][0][0][0][0][0]: nested too deep");
}

static void test_malformed(void **state)
{
	static const char binary[] = "mbufs: 20000\nx: \xff\n";
	static const struct mistake wanted = {2, "malformed YAML: invalid leading UTF-8 octet"};

	refused_once(
		"mbufs: 20000\n\tx: 1\n", 2, "malformed YAML: found a tab character that violates");
	refused_once("bridges:\n  br0: [1\n  br1: 2\n", 3, "malformed YAML: ");
	refused_once("a: 'x\n", 2, "malformed YAML: found unexpected end of stream");
	refused_once("workers: [1, 2\n", 2, "malformed YAML: did not find expected ',' or ']'");
	parse_refused(binary, sizeof(binary) - 1, &wanted, 1);
}

static void test_too_much(void **state)
{
	size_t len_bytes = CONF_FILE_MAX_BYTES + 1, len = 0;
	char *text = calloc(1, len_bytes);
	struct conf_mistakes mistakes;
	struct conf conf;

	assert_non_null(text);
	assert_int_equal(conf_parse(text, len_bytes, &conf, &mistakes), -EFBIG);
	assert_int_equal(mistakes.count, 1);
	conf_mistakes_fini(&mistakes);
	// More mistakes than are listed.
	for (unsigned i = 0; i < 5000; i++)
		len += sprintf(text + len, "wrong%u: 1\n", i);
	assert_int_equal(conf_parse(text, len, &conf, &mistakes), -EINVAL);
	assert_int_equal(mistakes.count, 1001);
	assert_int_equal(mistakes.list[999].line, 1000);
	assert_non_null(strstr(mistakes.list[1000].err.reason, "there are more mistakes"));
	conf_mistakes_fini(&mistakes);
	free(text);
}

// ---- round trips ----

static const char printed[] =
	"workers: [1, 2]\n"
	"polling: busy\n"
	"hugepages: \"off\"\n"
	"mbufs: 20000\n"
	"big-mbufs: 600\n"
	"vteps:\n"
	"  west:\n"
	"    address: \"192.0.2.1\"\n"
	"    checksum: \"off\"\n"
	"    heartbeat: 500\n"
	"  lan:\n"
	"    underlay: port\n"
	"    address: \"fd00::1/64\"\n"
	"    netns: lan\n"
	"    ifname: eth0\n"
	"bridges:\n"
	"  br0:\n"
	"    ageing: 60\n"
	"    fdb-limit: 1000\n"
	"    neigh-unknown: drop\n"
	"    ports:\n"
	"      c1:\n"
	"        tag: 10\n"
	"        mtu: 1500\n"
	"        queues: 1\n"
	"        netns: c1\n"
	"        ifname: eth0\n"
	"        mac: \"02:00:00:00:00:01\"\n"
	"        ip: [10.0.0.1/24]\n"
	"      up:\n"
	"        type: dpdk\n"
	"        trunks: [10, 20-30]\n"
	"        devargs: \"net_pcap0,rx_pcap=a.pcap\"\n"
	"      vx:\n"
	"        type: vxlan\n"
	"        tag: 10\n"
	"        key: 0\n"
	"        remote: [\"192.0.2.2\"]\n"
	"        vtep: west\n"
	"      vy:\n"
	"        type: vxlan\n"
	"        mtu: 1400\n"
	"        key: 0\n"
	"        vtep: lan\n"
	"        learning: \"off\"\n"
	"      \"on\":\n"
	"        trunks: [1, 5-6]\n"
	"        netns: \"42\"\n"
	"        ip: [\"fd00::1/64\"]\n"
	"    fdb:\n"
	"    - {mac: \"02:00:00:00:00:09\", port: c1, vlan: 10}\n"
	"    - {mac: \"02:00:00:00:00:09\", port: up}\n"
	"    - {mac: \"00:00:00:00:00:00\", port: vx, tunnel: \"192.0.2.3\", "
	"vlan: 10}\n"
	"    - {mac: \"00:00:00:00:00:00\", port: vx, tunnel: \"192.0.2.4\", "
	"vlan: 10}\n"
	"    - {mac: \"02:00:00:00:00:0a\", port: vy, tunnel: \"fd00::3\", vlan: 11}\n"
	"    neigh:\n"
	"    - {ip: \"10.0.0.9\", mac: \"02:00:00:00:00:09\", vlan: 10}\n"
	"    - {ip: \"fd00::9\", mac: \"02:00:00:00:00:09\"}\n"
	"  br1: {}\n";

static void test_print(void **state)
{
	struct conf conf;
	char *text;

	parse_ok(example, &conf);
	text = conf_print(&conf);
	assert_string_equal(text, printed);
	free(text);
	round_trip(&conf);
	conf_fini(&conf);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_example),
		cmocka_unit_test(test_little),
		cmocka_unit_test(test_every_mistake),
		cmocka_unit_test(test_tunnel_mistakes),
		cmocka_unit_test(test_implicit_vtep),
		cmocka_unit_test(test_not_in_json),
		cmocka_unit_test(test_yaml_features),
		cmocka_unit_test(test_malformed),
		cmocka_unit_test(test_too_much),
		cmocka_unit_test(test_print),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
