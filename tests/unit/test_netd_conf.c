// SPDX-License-Identifier: BSD-3-Clause
// The configuration of vsnetd: defaults, all keys, and mistakes with their lines.
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
#include "config/field.h"
#include "netd/conf/netd_conf.h"
#include "netd/conf/netd_schema.h"

static void show(const struct conf_mistakes *mistakes)
{
	char buf[768];

	for (unsigned i = 0; i < mistakes->count; i++)
		print_error("%u: %s\n", mistakes->list[i].line,
			err_text(&mistakes->list[i].err, buf, sizeof(buf)));
}

static void parse_ok(const char *text, struct netd_conf *ret_conf)
{
	struct conf_mistakes mistakes;

	if (netd_conf_parse(text, strlen(text), ret_conf, &mistakes) < 0) {
		show(&mistakes);
		fail_msg("refused: %s", text);
	}
	assert_int_equal(mistakes.count, 0);
	conf_mistakes_fini(&mistakes);
}

static void expect_cidr(const struct cidr *cidr, const char *text)
{
	char buf[CIDR_TEXT_BYTES];

	assert_string_equal(cidr_format(cidr, buf), text);
}

static void expect_ip(const struct ip_addr *ip, const char *text)
{
	char buf[IP_TEXT_BYTES];

	assert_string_equal(ip_format(ip, buf), text);
}

// The rows say to people what dns_conf_init() does.
static void expect_dns_defaults(const struct dns_conf *conf)
{
	for (unsigned i = 0; i < netd_schema_dns.count; i++) {
		const struct schema_field *field = &netd_schema_dns.fields[i];

		if (strcmp(field->key, "resolv-conf") && !field_is_default(field, conf))
			fail_msg("dns.%s is not what its row says", field->key);
	}
	assert_string_equal(conf->resolv_conf, "/etc/resolv.conf");
	assert_int_equal(conf->nb_servers + conf->nb_search, 0);
}

static void expect_defaults(const struct netd_conf *conf)
{
	assert_string_equal(conf->cluster_store, "");
	assert_string_equal(conf->cluster_advertise, "");
	assert_int_equal(conf->ttl_s, 15);
	assert_int_equal(conf->heartbeat_s, 1);
	assert_int_equal(conf->grace_s, 60);
	assert_int_equal(conf->timeout_ms, 3000);
	assert_int_equal(conf->quarantine_s, 30);
	assert_int_equal(conf->address_reserve, 128);
	assert_int_equal(conf->vni_first, 4096);
	assert_int_equal(conf->vni_last, 1048575);
	assert_int_equal(conf->udp_port, 4789);
	assert_int_equal(conf->mtu, 0);
	assert_int_equal(conf->nb_pools, 2);
	expect_cidr(&conf->pools[0].cidr, "10.64.0.0/11");
	assert_int_equal(conf->pools[0].size, NETD_POOL_SIZE_DEFAULT);
	expect_cidr(&conf->pools[1].cidr, "fd63:6175:7365::/48");
	assert_int_equal(conf->pools[1].size, 64);
	assert_int_equal(conf->nb_networks, 0);
	expect_dns_defaults(&conf->dns);
}

static void test_defaults(void **state)
{
	struct netd_conf conf;

	netd_conf_init(&conf);
	expect_defaults(&conf);
	netd_conf_fini(&conf);
	parse_ok("", &conf);
	expect_defaults(&conf);
	netd_conf_fini(&conf);
	parse_ok("cluster-store-opts:\nnetworks:\ndefault-address-pools:\n", &conf);
	expect_defaults(&conf);
	netd_conf_fini(&conf);
}

static const char example[] = "host: h1\n"
			      "cluster-store: etcd://h1:2379,h2:2379/causeway\n"
			      "cluster-advertise: eth1:0\n"
			      "cluster-store-opts:\n"
			      "  discovery.ttl: 20\n"
			      "  heartbeat: 0\n"
			      "  grace: 0\n"
			      "  timeout: 500\n"
			      "  ca-file: /etc/ca.pem\n"
			      "  kv.certfile: /etc/cert.pem\n"
			      "  key-file: /etc/key.pem\n"
			      "  user: u\n"
			      "  password: p\n"
			      "  token: t\n"
			      "quarantine: 0\n"
			      "address-reserve: 16\n"
			      "vni-range: 100-200\n"
			      "udp-port: 8472\n"
			      "mtu: 9000\n"
			      "default-address-pools:\n"
			      "  - {base: 10.200.0.1/16, size: 24}\n"
			      "  - base: fd00::/56\n"
			      "    size: 64\n"
			      "dns:\n"
			      "  enabled: false\n"
			      "  ttl: 5\n"
			      "  servers: [10.0.0.1, '10.0.0.2:5353', '[fd00::1]:54', fd00::2]\n"
			      "  resolv-conf: /etc/other\n"
			      "  search: [a.example, b_1.example.]\n"
			      "  ndots: 2\n"
			      "  timeout: 1000\n"
			      "  hedge: 50\n"
			      "  cache-size: 0\n"
			      "  serve-stale: 0\n"
			      "  client-limit: 10\n"
			      "  forward-limit: 20\n"
			      "  write-resolv-conf: false\n"
			      "networks:\n"
			      "  front:\n"
			      "    driver: overlay\n"
			      "    dns: [10.9.0.1, '10.9.0.2:53']\n"
			      "    subnets:\n"
			      "      - subnet: 10.1.0.0/16\n"
			      "        ip-range: 10.1.128.0/17\n"
			      "        gateway: 10.1.0.1\n"
			      "        aux-addresses: {router: 10.1.0.2, nas.lan: 10.1.0.3}\n"
			      "      - {subnet: fd01::/64}\n"
			      "    internal: true\n"
			      "    labels: {tier: front, empty: ~}\n"
			      "    options: {mtu: 1400, vni: 7}\n"
			      "  plain:\n"
			      "  v6: {ipv6: true, internal: false}\n";

static void expect_server(const struct dns_server *server, const char *text)
{
	char buf[DNS_SERVER_TEXT_BYTES];

	assert_string_equal(dns_server_format(server, buf), text);
}

static void expect_dns(const struct dns_conf *conf)
{
	static const char *const servers[] = {
		"10.0.0.1", "10.0.0.2:5353", "[fd00::1]:54", "fd00::2"};

	assert_true(conf->off && !conf->write_resolv_conf);
	assert_int_equal(conf->ttl_s, 5);
	assert_int_equal(conf->nb_servers, ARRAY_SIZE(servers));
	for (unsigned i = 0; i < ARRAY_SIZE(servers); i++)
		expect_server(&conf->servers[i], servers[i]);
	assert_string_equal(conf->resolv_conf, "/etc/other");
	assert_int_equal(conf->nb_search, 2);
	assert_string_equal(conf->search[0], "a.example");
	assert_string_equal(conf->search[1], "b_1.example");
	assert_int_equal(conf->ndots, 2);
	assert_int_equal(conf->timeout_ms, 1000);
	assert_int_equal(conf->hedge_ms, 50);
	assert_int_equal(conf->cache_max, 0);
	assert_int_equal(conf->stale_s, 0);
	assert_int_equal(conf->client_max, 10);
	assert_int_equal(conf->forward_max, 20);
}

static void test_all_keys(void **state)
{
	const struct network_record *net;
	struct netd_conf conf;

	parse_ok(example, &conf);
	assert_string_equal(conf.host, "h1");
	assert_string_equal(conf.cluster_store, "etcd://h1:2379,h2:2379/causeway");
	assert_string_equal(conf.cluster_advertise, "eth1:0");
	assert_int_equal(conf.ttl_s, 20);
	assert_int_equal(conf.heartbeat_s, 0);
	assert_int_equal(conf.grace_s, 0);
	assert_int_equal(conf.timeout_ms, 500);
	assert_string_equal(conf.ca_file, "/etc/ca.pem");
	assert_string_equal(conf.cert_file, "/etc/cert.pem");
	assert_string_equal(conf.key_file, "/etc/key.pem");
	assert_string_equal(conf.user, "u");
	assert_string_equal(conf.password, "p");
	assert_string_equal(conf.token, "t");
	assert_int_equal(conf.quarantine_s, 0);
	assert_int_equal(conf.address_reserve, 16);
	assert_int_equal(conf.vni_first, 100);
	assert_int_equal(conf.vni_last, 200);
	assert_int_equal(conf.udp_port, 8472);
	assert_int_equal(conf.mtu, 9000);
	assert_int_equal(conf.nb_pools, 2);
	expect_cidr(&conf.pools[0].cidr, "10.200.0.0/16");
	assert_int_equal(conf.pools[1].size, 64);

	expect_dns(&conf.dns);

	assert_int_equal(conf.nb_networks, 3);
	net = &conf.networks[0];
	assert_int_equal(net->nb_dns, 2);
	expect_server(&net->dns[0], "10.9.0.1");
	expect_server(&net->dns[1], "10.9.0.2");
	assert_string_equal(net->name, "front");
	assert_string_equal(net->driver, "overlay");
	assert_int_equal(net->nb_subnets, 2);
	expect_cidr(&net->subnets[0].cidr, "10.1.0.0/16");
	expect_cidr(&net->subnets[0].range, "10.1.128.0/17");
	expect_ip(&net->subnets[0].gateway, "10.1.0.1");
	assert_int_equal(net->subnets[0].nb_aux, 2);
	assert_string_equal(net->subnets[0].aux[1].name, "nas.lan");
	expect_ip(&net->subnets[0].aux[1].ip, "10.1.0.3");
	expect_cidr(&net->subnets[1].range, "fd01::/64");
	assert_true(net->ipv6 && net->internal);
	assert_int_equal(net->vni, 7);
	assert_string_equal(json_string_value(json_object_get(net->labels, "tier")), "front");
	assert_string_equal(json_string_value(json_object_get(net->labels, "empty")), "");
	assert_string_equal(json_string_value(json_object_get(net->options, "mtu")), "1400");
	net = &conf.networks[1];
	assert_string_equal(net->name, "plain");
	assert_string_equal(net->driver, "bridge");
	assert_int_equal(net->nb_subnets, 0);
	assert_true(conf.networks[2].ipv6 && !conf.networks[2].internal);
	netd_conf_fini(&conf);
}

static const struct {
	const char *text;
	unsigned line;
	const char *say;
} refused[] = {
	{"hots: h1\n", 1, "hots: unknown key 'hots'; did you mean 'host'?"},
	{"host: -x\n", 1, "host: '-x' is not allowed; a host's name is"},
	{"cluster-store: etcd\n", 1, "cluster-store: 'etcd' is not allowed; a store is"},
	{"cluster-store-opts: 5\n", 1, "cluster-store-opts: a string is not allowed"},
	{"cluster-store-opts:\n  ttl: 1\n", 2,
		"cluster-store-opts.ttl: 1 is not allowed; ttl is 2 to 3600 seconds"},
	{"cluster-store-opts:\n  tll: 1\n", 2,
		"cluster-store-opts.tll: unknown key 'tll'; did you mean 'ttl'?"},
	{"cluster-store-opts:\n  ca-file: x.pem\n", 2,
		"cluster-store-opts.ca-file: 'x.pem' is not allowed; an absolute path"},
	{"cluster-store-opts:\n  cert-file: /x\n", 1,
		"cluster-store-opts: a certificate needs its key"},
	{"vni-range: 5\n", 1, "vni-range: 5 is not allowed; vni-range is FIRST-LAST"},
	{"vni-range: 9-5\n", 1, "vni-range: '9-5' is not allowed"},
	{"vni-range: 1-16777216\n", 1, "vni-range: '1-16777216' is not allowed"},
	{"mtu: 100\n", 1, "mtu: 100 is not allowed; the MTU of the underlay is"},
	{"default-address-pools:\n  - {base: 10.0.0.0/8}\n", 2,
		"default-address-pools[0].size: the key is missing"},
	{"default-address-pools:\n  - base: 10.0.0.0\n    size: 24\n", 2,
		"default-address-pools[0].base: a pool is ADDRESS/LENGTH"},
	{"default-address-pools:\n  - base: 10.0.0.0/8\n    size: 31\n", 3,
		"default-address-pools[0].size: 31 is not allowed; subnets of 10.0.0.0/8 "
		"have a prefix length of 8 to 30"},
	{"default-address-pools:\n  - base: fd00::/48\n    size: 24\n", 3,
		"default-address-pools[0].size: 24 is not allowed"},
	{"dns: [a]\n", 1, "dns: a list is not allowed"},
	{"dns:\n  enable: true\n", 2, "dns.enable: unknown key 'enable'; did you mean"},
	{"dns:\n  enabled: no\n", 2, "dns.enabled: 'no' is not allowed; enabled is"},
	{"dns:\n  ttl: 6\n", 2, "dns.ttl: 6 is not allowed; ttl is 1 to 5 seconds"},
	{"dns:\n  resolv-conf: x\n", 2, "dns.resolv-conf: 'x' is not allowed; an absolute"},
	{"dns:\n  servers: 10.0.0.1\n", 2, "dns.servers: a string is not allowed"},
	{"dns:\n  servers:\n  - 10.0.0.1\n  - 10.0.0\n", 4,
		"dns.servers[1]: '10.0.0' is not allowed; a server is ADDRESS"},
	{"dns:\n  servers: [a, 10.0.0.1]\n", 2, "dns.servers[0]: 'a' is not allowed"},
	{"dns:\n  servers: [~]\n", 2, "dns.servers[0]: "},
	{"dns:\n  servers: ['10.0.0.1:0']\n", 2, "dns.servers[0]: '10.0.0.1:0' is not allowed"},
	{"dns:\n  servers: [0.0.0.0]\n", 2, "dns.servers[0]: '0.0.0.0' is not allowed"},
	{"dns:\n  servers: [1.1.1.1,1.1.1.1,1.1.1.1,1.1.1.1,1.1.1.1,1.1.1.1,1.1.1.1,1.1.1.1,"
	 "1.1.1.1]\n",
		2, "dns.servers: there are too many; at most 8 are allowed"},
	{"dns:\n  search:\n  - a..b\n", 3, "dns.search[0]: 'a..b' is not allowed; a domain"},
	{"dns:\n  search: ['']\n", 2, "dns.search[0]: '' is not allowed; a domain"},
	{"dns:\n  search: [a b]\n", 2, "dns.search[0]: 'a b' is not allowed; a domain"},
	{"networks:\n  a:\n    dns: [x]\n", 3, "networks.a.dns[0]: 'x' is not allowed; a server"},
	{"networks: [a]\n", 1, "networks: a list is not allowed"},
	{"networks:\n  a: 5\n", 2, "networks.a: a string is not allowed"},
	{"networks:\n  -a:\n", 2, "networks.-a: '-a' is not a valid network name: use"},
	{"networks:\n  a:\n    driver: overlya\n", 3,
		"networks.a.driver: there is no driver 'overlya'"},
	{"networks:\n  a:\n    driver: overlay\n    subnet: 10.0.0.0/8\n", 4,
		"networks.a.subnet: unknown key 'subnet'; did you mean 'subnets'?"},
	{"networks:\n  a:\n    subnets:\n    - {}\n", 4,
		"networks.a.subnets[0].subnet: the key is missing"},
	{"networks:\n  a:\n    subnets:\n    - subnet: 10.1.0.0\n", 4,
		"networks.a.subnets[0].subnet: the prefix length is missing"},
	{"networks:\n  a:\n    subnets:\n    - subnet: 10.1.0.0/16\n      gateway: "
	 "10.2.0.1\n",
		5, "networks.a.subnets[0].gateway: gateway 10.2.0.1 is not in subnet"},
	{"networks:\n  a:\n    subnets:\n    - subnet: 10.1.0.0/16\n      aux-addresses:\n "
	 "       r: 10.2\n",
		6,
		"networks.a.subnets[0].aux-addresses.r: '10.2' is not allowed; an address "
		"is needed"},
	{"networks:\n  a:\n    ipv6: yes\n", 3,
		"networks.a.ipv6: 'yes' is not allowed; ipv6 is false or true"},
	{"networks:\n  a:\n    labels:\n      b: [c]\n", 4,
		"networks.a.labels.b: a list is not allowed; a text is needed"},
	{"networks:\n  a:\n    options:\n      mtu: 5\n", 4,
		"networks.a.options.mtu: '5' is not allowed; an MTU is"},
	{"networks:\n  host: {driver: overlay}\n", 2,
		"networks.host: 'host' is the network of driver host"},
	{"networks:\n  a: {subnets: [{subnet: 10.1.0.0/16}]}\n  b:\n    subnets:\n"
	 "    - subnet: 10.2.0.0/16\n    - subnet: 10.1.2.0/24\n",
		6, "networks.b.subnets[1].subnet: 10.1.2.0/24 overlaps 10.1.0.0/16 of network a"},
	{"networks:\n  a: {driver: overlay, options: {vni: 7}}\n  b:\n    driver: overlay\n"
	 "    options:\n      vni: 7\n",
		6, "networks.b.options.vni: 7 is the VNI of network a, too"},
	{"a: b: c\n", 1, "malformed YAML"},
};

// on and off are booleans as well.
static void test_on_off(void **state)
{
	const char *text = "dns:\n  enabled: off\nnetworks:\n  a: {ipv6: on, internal: off}\n";
	struct conf_mistakes mistakes;
	struct netd_conf conf;

	assert_int_equal(netd_conf_parse(text, strlen(text), &conf, &mistakes), 0);
	assert_true(conf.dns.off && conf.networks[0].ipv6 && !conf.networks[0].internal);
	netd_conf_fini(&conf);
}

static void test_one_mistake(void **state)
{
	for (unsigned i = 0; i < ARRAY_SIZE(refused); i++) {
		struct conf_mistakes mistakes;
		struct netd_conf conf, before;
		char buf[768];

		memset(&conf, 0x5a, sizeof(conf));
		before = conf;
		assert_int_equal(
			netd_conf_parse(refused[i].text, strlen(refused[i].text), &conf, &mistakes),
			-EINVAL);
		assert_memory_equal(&conf, &before, sizeof(conf));
		if (mistakes.count != 1) {
			show(&mistakes);
			fail_msg("%u mistakes in %s", mistakes.count, refused[i].text);
		}
		err_text(&mistakes.list[0].err, buf, sizeof(buf));
		if (mistakes.list[0].line != refused[i].line ||
			strncmp(buf, refused[i].say, strlen(refused[i].say)) != 0)
			fail_msg("%u: \"%s\" instead of %u: \"%s\"", mistakes.list[0].line, buf,
				refused[i].line, refused[i].say);
		conf_mistakes_fini(&mistakes);
	}
}

static void test_all_mistakes(void **state)
{
	static const char text[] = "host: .\n"
				   "ttl: 5\n"
				   "networks:\n"
				   "  a:\n"
				   "    subnets:\n"
				   "    - subnet: 127.0.0.0/8\n"
				   "      gateway: 10.0.0.1\n"
				   "    options: {a: b}\n"
				   "  b: {driver: x}\n";
	static const unsigned lines[] = {1, 2, 6, 7, 8, 9};
	struct conf_mistakes mistakes;
	struct netd_conf conf;

	assert_int_equal(netd_conf_parse(text, strlen(text), &conf, &mistakes), -EINVAL);
	if (mistakes.count != ARRAY_SIZE(lines))
		show(&mistakes);
	assert_int_equal(mistakes.count, ARRAY_SIZE(lines));
	for (unsigned i = 0; i < ARRAY_SIZE(lines); i++)
		assert_int_equal(mistakes.list[i].line, lines[i]);
	conf_mistakes_fini(&mistakes);
}

static void test_server_text(void **state)
{
	static const struct {
		const char *text, *back; // NULL: it is none
	} cases[] = {
		{"10.0.0.1", "10.0.0.1"},
		{"10.0.0.1:53", "10.0.0.1"},
		{"10.0.0.1:65535", "10.0.0.1:65535"},
		{"fd00::1", "fd00::1"},
		{"[fd00::1]:53", "fd00::1"},
		{"[fd00::1]:5300", "[fd00::1]:5300"},
		{"fe80::1%eth0", "fe80::1%eth0"},
		{"fe80::1%2", "fe80::1%2"},
		{"[FE80::1%eth0.7]:5300", "[fe80::1%eth0.7]:5300"},
		{"[fe80::1%eth0]:53", "fe80::1%eth0"},
		{"fe80::1", NULL}, // behind which interface?
		{"[fe80::1]:5300", NULL},
		{"fe80::1%", NULL},
		{"fe80::1%eth0%eth1", NULL},
		{"fe80::1%eth/0", NULL},
		{"fe80::1%et h0", NULL},
		{"fe80::1%0123456789abcdef", NULL}, // longer than a name of an interface
		{"fd00::1%eth0", NULL},
		{"10.0.0.1%eth0", NULL},
		{"[fd00::1]", NULL},
		{"[fd00::1", NULL},
		{"[10.0.0.1]:53", NULL},
		{"10.0.0.1:", NULL},
		{"10.0.0.1:65536", NULL},
		{"10.0.0.1:5x", NULL},
		{"10.0.0.1:-1", NULL},
		{"224.0.0.1", NULL},
		{"::", NULL},
		{"", NULL},
		{"a", NULL},
		{"[0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000]:53", NULL},
	};

	for (unsigned i = 0; i < ARRAY_SIZE(cases); i++) {
		struct dns_server server;
		int rc = dns_server_parse(cases[i].text, &server);

		assert_int_equal(rc, cases[i].back ? 0 : -EINVAL);
		if (rc == 0)
			expect_server(&server, cases[i].back);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_defaults),
		cmocka_unit_test(test_all_keys),
		cmocka_unit_test(test_on_off),
		cmocka_unit_test(test_one_mistake),
		cmocka_unit_test(test_all_mistakes),
		cmocka_unit_test(test_server_text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
