// SPDX-License-Identifier: BSD-3-Clause
// What a network may ask for, and what is said when it may not.
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
#include "netd/drivers/driver.h"
#include "netd/drivers/endpoint_options.h"
#include "netd/drivers/network_check.h"

// A network in a few words: a driver, and parts "s=SUBNET", "r=RANGE", "g=GATEWAY", "a=NAME@IP",
// "o=NAME=VALUE", "l=NAME=VALUE", "6", "i". What belongs to a subnet follows it.
static void add_part(struct network_record *rec, const char *part)
{
	struct subnet *subnet = &rec->subnets[rec->nb_subnets ? rec->nb_subnets - 1 : 0];
	char name[256], *sign;

	snprintf(name, sizeof(name), "%s", part + MIN_OF(strlen(part), 2u));
	if (part[0] == 's') {
		assert_int_equal(cidr_parse(name, &rec->subnets[rec->nb_subnets++].cidr), 0);
	} else if (part[0] == 'r') {
		assert_int_equal(cidr_parse(name, &subnet->range), 0);
	} else if (part[0] == 'g') {
		assert_int_equal(ip_parse(name, &subnet->gateway), 0);
	} else if (part[0] == 'a') {
		subnet->aux = realloc(subnet->aux, (subnet->nb_aux + 1) * sizeof(*subnet->aux));
		sign = strchr(name, '@');
		*sign = '\0';
		strcpy(subnet->aux[subnet->nb_aux].name, name);
		assert_int_equal(ip_parse(sign + 1, &subnet->aux[subnet->nb_aux++].ip), 0);
	} else if (part[0] == 'o' || part[0] == 'l') {
		sign = strchr(name, '=');
		*sign = '\0';
		json_object_set_new(
			part[0] == 'o' ? rec->options : rec->labels, name, json_string(sign + 1));
	} else {
		*(part[0] == '6' ? &rec->ipv6 : &rec->internal) = true;
	}
}

static void make(struct network_record *rec, const char *name, const char *driver, const char *text)
{
	char parts[512], *part, *save;

	memset(rec, 0, sizeof(*rec));
	snprintf(rec->name, sizeof(rec->name), "%s", name);
	snprintf(rec->driver, sizeof(rec->driver), "%s", driver);
	rec->subnets = calloc(32, sizeof(*rec->subnets));
	rec->labels = json_object();
	rec->options = json_object();
	snprintf(parts, sizeof(parts), "%s", text);
	for (part = strtok_r(parts, " ", &save); part; part = strtok_r(NULL, " ", &save))
		add_part(rec, part);
}

static void make_ok(struct network_record *rec, const char *driver, const char *text)
{
	struct err err = {0};

	make(rec, "n1", driver, text);
	if (network_check(rec, &err) < 0)
		fail_msg("%s: %s", text, err.reason);
}

static void test_good(void **state)
{
	static const char *const good[] = {
		"",
		"s=10.1.0.0/16",
		"s=10.1.0.0/16 s=10.2.0.0/16 s=fd00:1::/64 6",
		"s=10.1.0.0/16 r=10.1.2.0/24 g=10.1.0.1 a=router@10.1.0.2 a=nas@10.1.0.3",
		"s=10.1.0.0/30 g=10.1.0.1",
		"s=10.1.0.0/24 r=10.1.0.54/32 g=10.1.0.1",
		"s=10.1.0.0/24 r=10.1.0.54/31 a=x@10.1.0.54",
		"s=10.1.0.0/24 r=10.1.0.0/30 g=10.1.0.1 a=x@10.1.0.2",
		"s=fd00::/64 r=fd00::5/128",
		"s=fd00::/126 g=fd00::1",
		"i o=mtu=1400 l=a=b o=spoof=allow o=vni=42",
		"o=dscp=0 o=ttl=1",
		"o=dscp=inherit o=ttl=inherit",
	};

	for (unsigned i = 0; i < ARRAY_SIZE(good); i++) {
		struct network_record rec;

		make_ok(&rec, "overlay", good[i]);
		network_record_fini(&rec);
	}
}

static struct network_plan plan_of(const struct network_record *rec)
{
	struct network_plan plan;

	network_plan(rec, &plan);
	return plan;
}

// Whether a container of the network may use its own addresses only.
static bool is_guarded(const struct network_record *rec)
{
	struct endpoint_record ep = {.nb_ips = 1};
	json_t *options = network_port_options(rec, &ep);
	bool is_on = json_is_true(json_object_get(options, "guard"));

	if (is_on)
		assert_int_equal(json_array_size(json_object_get(options, "guard_ips")), 1);
	json_decref(options);
	return is_on;
}

// An option of a container's port, where its network and its connection have another. NULL:
// neither.
static json_t *port_option(
	const char *option, const char *of_network, const char *of_connection, const char *name)
{
	struct network_record rec = {
		.driver = "overlay", .options = json_pack("{s:s*}", option, of_network)};
	struct endpoint_record ep = {.options = json_pack("{s:s*}", option, of_connection)};
	json_t *options = network_port_options(&rec, &ep);
	json_t *value = json_incref(json_object_get(options, name));

	json_decref(options);
	json_decref(ep.options);
	json_decref(rec.options);
	return value;
}

static bool plays_in(
	const char *option, const char *of_network, const char *of_connection, const char *role)
{
	json_t *value = port_option(option, of_network, of_connection, role);
	bool is_on = json_is_true(value);

	assert_true(json_is_boolean(value));
	json_decref(value);
	return is_on;
}

static bool plays(const char *option, const char *value, const char *role)
{
	return plays_in(option ? option : "spoof", NULL, value, role);
}

static json_int_t flood_limit(const char *of_network, const char *of_connection)
{
	json_t *value = port_option("flood-limit", of_network, of_connection, "flood_limit");
	json_int_t limit = json_integer_value(value);

	assert_true(json_is_integer(value));
	json_decref(value);
	return limit;
}

// The connection's word counts, then the network's.
static void test_options_of_a_network(void **state)
{
	static const char *const roles[][2] = {
		{"router", "router"}, {"dhcp-server", "dhcp_server"}};

	for (unsigned i = 0; i < ARRAY_SIZE(roles); i++) {
		assert_true(plays_in(roles[i][0], "allow", NULL, roles[i][1]));
		assert_false(plays_in(roles[i][0], "deny", NULL, roles[i][1]));
		assert_false(plays_in(roles[i][0], "allow", "deny", roles[i][1]));
		assert_true(plays_in(roles[i][0], "deny", "allow", roles[i][1]));
	}
	assert_int_equal(flood_limit(NULL, NULL), 500);
	assert_int_equal(flood_limit("7", NULL), 7);
	assert_int_equal(flood_limit("0", NULL), 0);
	assert_int_equal(flood_limit("7", "8"), 8);
	assert_int_equal(flood_limit("7", "0"), 0);
}

static void test_roles(void **state)
{
	assert_false(plays(NULL, NULL, "router"));
	assert_false(plays(NULL, NULL, "dhcp_server"));
	assert_false(plays("spoof", "allow", "router"));
	assert_true(plays("router", "allow", "router"));
	assert_false(plays("router", "deny", "router"));
	assert_false(plays("router", "allow", "dhcp_server"));
	assert_true(plays("dhcp-server", "allow", "dhcp_server"));
}

static void test_marks(void **state)
{
	struct network_record rec;

	make_ok(&rec, "overlay", "");
	assert_int_equal(plan_of(&rec).dscp, 0);
	assert_int_equal(plan_of(&rec).ttl, 0);
	network_record_fini(&rec);
	make_ok(&rec, "overlay", "o=dscp=46 o=ttl=inherit");
	assert_int_equal(plan_of(&rec).dscp, 46);
	assert_int_equal(plan_of(&rec).ttl, PLAN_INHERIT);
	network_record_fini(&rec);
}

static void test_normal_form(void **state)
{
	struct network_record rec;
	char text[CIDR_TEXT_BYTES];

	make_ok(&rec, "", "s=10.1.2.3/16 s=fd00::5/64 r=fd00::1:2/112");
	assert_string_equal(rec.driver, "bridge");
	assert_string_equal(cidr_format(&rec.subnets[0].cidr, text), "10.1.0.0/16");
	assert_true(cidr_equal(&rec.subnets[0].range, &rec.subnets[0].cidr));
	assert_string_equal(cidr_format(&rec.subnets[1].range, text), "fd00::1:0/112");
	assert_true(rec.ipv6);
	assert_int_equal(plan_of(&rec).mtu, 0);
	assert_true(is_guarded(&rec));
	network_record_fini(&rec);

	make_ok(&rec, "overlay",
		"o=com.docker.network.driver.mtu=1400 "
		"o=com.docker.network.driver.overlay.vxlanid_list=77 o=spoof=allow");
	assert_int_equal(rec.vni, 77);
	assert_int_equal(plan_of(&rec).mtu, 1400);
	assert_int_equal(plan_of(&rec).vni, 77);
	assert_false(is_guarded(&rec));
	assert_string_equal(network_option(&rec, "vni"), "77");
	assert_int_equal(json_object_size(rec.options), 3);
	network_record_fini(&rec);
	// What was never given is there as well.
	memset(&rec, 0, sizeof(rec));
	strcpy(rec.name, "n1");
	assert_int_equal(network_check(&rec, NULL), 0);
	assert_true(json_is_object(rec.labels) && json_is_object(rec.options));
	network_record_fini(&rec);
}

static const struct {
	const char *name, *driver, *text, *say;
} refused[] = {
	{"-n", "overlay", "", "'-n' is not a valid network name: use 1 to 63"},
	{"", "overlay", "", "'' is not a valid network name"},
	{"a..b", "overlay", "", "'a..b' is not a valid network name"},
	{"n234567890123456789012345678901234567890123456789012345678901", "overlay", "",
		"the name has 61 bytes; a network's name has at most 60"},
	{"n", "overlya", "",
		"there is no driver 'overlya'; the drivers are overlay, bridge, none, host; did "
		"you mean 'overlay'?"},
	{"n", "xyz", "", "there is no driver 'xyz'; the drivers are overlay, bridge, none, host"},
	{"host", "overlay", "", "'host' is the network of driver host"},
	{"n", "none", "", "driver none has one network only, named none"},
	{"none", "none", "s=10.1.0.0/16", "a network of driver none has no addresses"},
	{"none", "none", "i", "a network of driver none cannot be internal"},
	{"none", "none", "o=mtu=1400",
		"unknown option 'mtu'; a network of driver none has no options"},
	{"n", "overlay", "o=mut=1400", "unknown option 'mut'; did you mean 'mtu'?"},
	{"n", "bridge", "o=vni=7",
		"unknown option 'vni'; a network of driver bridge has the options mtu, "
		"spoof, router, dhcp-server, flood-limit"},
	{"n", "overlay", "o=mtu=67", "'67' is not allowed; an MTU is 68 to 65535"},
	{"n", "overlay", "o=mtu=0x44", "'0x44' is not allowed"},
	{"n", "overlay", "o=vni=16777216",
		"'16777216' is not allowed; a VXLAN network identifier is 1 to 16777215"},
	{"n", "overlay", "o=dscp=64", "'64' is not allowed; a DSCP is 0 to 63, or inherit"},
	{"n", "overlay", "o=ttl=0", "'0' is not allowed; a TTL is 1 to 255, or inherit"},
	{"n", "bridge", "o=ttl=9", "unknown option 'ttl'; a network of driver bridge has"},
	{"n", "overlay", "o=spoof=yes", "'yes' is not allowed; spoof is allow or deny"},
	{"n", "overlay", "o=router=yes", "'yes' is not allowed; router is allow or deny"},
	{"n", "bridge", "o=dhcp-server=1", "'1' is not allowed; dhcp-server is allow or deny"},
	{"n", "bridge", "o=flood-limit=-1", "'-1' is not allowed; flood-limit is a number from 0"},
	{"n", "overlay", "o=com.docker.network.driver.mtu=1400 o=mtu=1400",
		"option 'mtu' is given too"},
	{"n", "overlay", "6 o=mtu=1279", "IPv6 needs an MTU of at least 1280, not 1279"},
	{"n", "overlay", "s=fd00::/64 o=mtu=1279", "IPv6 needs an MTU"},
	{"n", "overlay", "s=10.0.0.0/31", "10.0.0.0/31 has no room for containers"},
	{"n", "overlay", "s=fd00::/127", "fd00::/127 has no room for containers"},
	{"n", "overlay", "s=127.0.0.0/16", "127.0.0.0/16 holds loopback addresses"},
	{"n", "overlay", "s=0.0.0.0/0", "0.0.0.0/0 holds"},
	{"n", "overlay", "s=239.1.0.0/16", "239.1.0.0/16 holds multicast"},
	{"n", "overlay", "s=fe80::/64", "fe80::/64 holds link-local addresses"},
	{"n", "overlay", "s=10.1.0.0/16 s=10.1.2.0/24", "10.1.2.0/24 overlaps 10.1.0.0/16"},
	{"n", "overlay", "s=10.1.0.0/16 r=10.2.0.0/24",
		"10.2.0.0/24 is not inside subnet 10.1.0.0/16"},
	{"n", "overlay", "s=10.1.0.0/16 r=10.0.0.0/15",
		"10.0.0.0/15 is not inside subnet 10.1.0.0/16"},
	{"n", "overlay", "s=10.1.0.0/16 r=fd00::/64", "fd00::/64 is not inside subnet"},
	{"n", "overlay", "s=10.1.0.0/16 r=10.1.0.4/32 g=10.1.0.4",
		"10.1.0.4/32 has no address for containers: all are reserved"},
	{"n", "overlay", "s=10.1.0.0/16 r=10.1.0.0/31 a=x@10.1.0.1",
		"10.1.0.0/31 has no address for containers"},
	{"n", "overlay", "s=10.1.0.0/16 r=10.1.255.255/32", "has no address for containers"},
	{"n", "overlay", "s=10.1.0.0/16 g=10.2.0.1",
		"gateway 10.2.0.1 is not in subnet 10.1.0.0/16"},
	{"n", "overlay", "s=10.1.0.0/16 g=10.1.0.0",
		"gateway 10.1.0.0 is the network address of 10.1.0.0/16"},
	{"n", "overlay", "s=10.1.0.0/16 g=10.1.255.255",
		"gateway 10.1.255.255 is the broadcast address of 10.1.0.0/16"},
	{"n", "overlay", "s=10.1.0.0/16 a=r@10.2.0.1",
		"aux-address r 10.2.0.1 is not in subnet 10.1.0.0/16"},
	{"n", "overlay", "s=10.1.0.0/16 g=10.1.0.1 a=r@10.1.0.1",
		"aux-address r 10.1.0.1 is the gateway"},
	{"n", "overlay", "s=10.1.0.0/16 a=r@10.1.0.1 a=q@10.1.0.1",
		"aux-address q 10.1.0.1 is already reserved as r"},
	{"n", "overlay", "s=10.1.0.0/16 a=r@10.1.0.1 a=r@10.1.0.2", "aux-address r is given twice"},
	{"n", "overlay",
		"s=10.1.0.0/24 s=10.1.1.0/24 s=10.1.2.0/24 s=10.1.3.0/24 s=10.1.4.0/24 "
		"s=10.1.5.0/24 s=10.1.6.0/24 s=10.1.7.0/24 s=10.1.8.0/24 s=10.1.9.0/24 "
		"s=10.2.0.0/24 s=10.2.1.0/24 s=10.2.2.0/24 s=10.2.3.0/24 s=10.2.4.0/24 "
		"s=10.2.5.0/24 s=10.2.6.0/24",
		"17 subnets are too many; a network has at most 16"},
};

static void test_refused(void **state)
{
	for (unsigned i = 0; i < ARRAY_SIZE(refused); i++) {
		struct network_record rec;
		struct err err = {0};
		char path[128];

		make(&rec, refused[i].name, refused[i].driver, refused[i].text);
		assert_int_equal(network_check(&rec, &err), -EINVAL);
		snprintf(path, sizeof(path), "network %s", refused[i].name);
		assert_string_equal(err.path, path);
		if (!strstr(err.reason, refused[i].say))
			fail_msg("%s %s: \"%s\" does not say \"%s\"", refused[i].driver,
				refused[i].text, err.reason, refused[i].say);
		network_record_fini(&rec);
	}
}

struct mistakes {
	char keys[512];
	unsigned count;
};

static void take(void *arg, const char *key, const char *reason)
{
	struct mistakes *m = arg;

	m->count++;
	snprintf(m->keys + strlen(m->keys), sizeof(m->keys) - strlen(m->keys), "%s;", key);
}

static void test_all_mistakes(void **state)
{
	struct network_record rec;
	struct mistakes m = {0};

	make(&rec, "n", "overlay",
		"s=10.1.0.0/16 g=10.2.0.1 s=10.1.0.0/31 r=10.9.0.0/16 a=x@10.9.0.1 o=mtu=1 "
		"o=what=1");
	assert_int_equal(network_check_all(&rec, take, &m), -EINVAL);
	assert_string_equal(m.keys,
		"subnets[0].gateway;subnets[1].subnet;subnets[1].subnet;subnets[1].ip-range;"
		"subnets[1].aux-addresses.x;options.mtu;options.what;");
	network_record_fini(&rec);
}

static void test_drivers(void **state)
{
	for (unsigned i = 0; network_drivers[i]; i++) {
		const struct network_driver *driver = network_drivers[i];

		assert_ptr_equal(network_driver_find(driver->name), driver);
		assert_non_null(strstr(network_driver_names(), driver->name));
		assert_non_null(driver->help);
		for (const struct driver_option *o = driver->options; o && o->name; o++)
			assert_true(o->allowed && o->help && o->check);
	}
	assert_null(network_driver_find("macvlan"));
	assert_non_null(network_driver_find(NETWORK_DRIVER_DEFAULT));
	assert_true(network_driver_is_known("overlay") && !network_driver_is_known("macvlan"));
}

// ---- what the drivers answer ----

static int on_vni(void *arg, struct network_record *rec, struct err *err)
{
	++*(unsigned *)arg;
	rec->vni = 5000;
	return 0;
}

static int on_subnet(void *arg, struct network_record *rec, unsigned family, struct err *err)
{
	struct subnet *subnet;

	rec->subnets = realloc(rec->subnets, (rec->nb_subnets + 1) * sizeof(*rec->subnets));
	assert_non_null(rec->subnets);
	subnet = &rec->subnets[rec->nb_subnets++];
	memset(subnet, 0, sizeof(*subnet));
	cidr_parse(family == 4 ? "10.9.0.0/24" : "fd09::/64", &subnet->cidr);
	subnet->range = subnet->cidr;
	return 0;
}

static void note(void *arg, const char *difference)
{
	snprintf(arg, 100, "%s", difference);
}

static void test_overlay(void **state)
{
	unsigned nb_vnis = 0;
	const struct network_chooser chooser = {
		.vni = on_vni, .subnet = on_subnet, .arg = &nb_vnis};
	struct endpoint_record ep = {};
	struct network_record rec;
	char found[100] = "", text[IP_TEXT_BYTES];
	json_t *obj = json_object();
	struct network_plan plan;
	struct mac mac;

	make_ok(&rec, "overlay", "6 o=mtu=1400");
	assert_false(network_is_local(&rec) || network_is_predefined(&rec));
	network_audit(&rec, note, found);
	assert_non_null(strstr(found, "no VNI"));
	assert_int_equal(network_choose(&rec, &chooser, NULL), 0);
	assert_int_equal(nb_vnis, 1);
	assert_int_equal(rec.nb_subnets, 2);
	assert_string_equal(ip_format(&rec.subnets[0].gateway, text), "10.9.0.1");
	assert_int_equal(plan_of(&rec).vni, 5000);
	assert_int_equal(plan_of(&rec).mtu, 1400);
	assert_int_equal(plan_of(&rec).gateway.nb_ips, 2);
	assert_true(network_gateway_mac(&rec, &mac));
	plan = plan_of(&rec);
	assert_memory_equal(&mac, &plan.gateway.mac, sizeof(mac));
	assert_int_equal(network_attach(&rec, &ep, NULL), 0);
	network_show(&rec, obj);
	assert_int_equal(json_integer_value(json_object_get(obj, "vni")), 5000);
	found[0] = '\0';
	network_audit(&rec, note, found);
	assert_string_equal(found, "");
	json_decref(obj);
	network_record_fini(&rec);
}

static void test_bridge(void **state)
{
	unsigned nb_vnis = 0;
	const struct network_chooser chooser = {
		.vni = on_vni, .subnet = on_subnet, .arg = &nb_vnis};
	struct network_record rec;
	json_t *obj = json_object();

	make_ok(&rec, "bridge", "s=fd01::/64");
	assert_true(network_is_local(&rec));
	assert_int_equal(network_choose(&rec, &chooser, NULL), 0);
	assert_int_equal(nb_vnis, 0);
	assert_int_equal(rec.nb_subnets, 1);
	assert_int_equal(plan_of(&rec).vni, 0);
	assert_int_equal(plan_of(&rec).gateway.nb_ips, 1);
	network_show(&rec, obj);
	assert_int_equal(json_object_size(obj), 0);
	json_decref(obj);
	network_record_fini(&rec);
}

// none and host: one network each, which gives containers nothing.
static void test_predefined(void **state)
{
	const struct network_chooser chooser = {};
	const char *name, *driver;
	unsigned count = 0;

	for (; (name = network_predefined(count, &driver)); count++) {
		struct endpoint_record ep = {};
		struct network_record rec;
		struct err err = {0};
		struct mac mac;

		make(&rec, name, driver, "");
		assert_int_equal(network_check(&rec, NULL), 0);
		assert_true(network_is_local(&rec) && network_is_predefined(&rec));
		assert_int_equal(network_choose(&rec, &chooser, NULL), 0);
		assert_int_equal(rec.nb_subnets, 0);
		assert_int_equal(network_attach(&rec, &ep, &err), -EOPNOTSUPP);
		assert_non_null(strstr(err.path, name));
		assert_non_null(strstr(err.reason, "connect"));
		assert_false(network_gateway_mac(&rec, &mac));
		network_record_fini(&rec);
	}
	assert_int_equal(count, 2);
}

// A record of a newer version of vsnetd: what flows goes on, and nobody new comes in.
static void test_unknown_driver(void **state)
{
	struct network_record rec;
	struct endpoint_record ep = {};
	char found[100] = "";
	struct err err = {0};

	make_ok(&rec, "overlay", "s=10.1.0.0/16 g=10.1.0.1 o=vni=77");
	strcpy(rec.driver, "newer");
	assert_int_equal(plan_of(&rec).vni, 77);
	assert_int_equal(plan_of(&rec).gateway.nb_ips, 1);
	assert_true(is_guarded(&rec));
	assert_false(network_is_local(&rec) || network_is_predefined(&rec));
	assert_int_equal(network_attach(&rec, &ep, &err), -EOPNOTSUPP);
	assert_non_null(strstr(err.reason, "'newer'; upgrade vsnetd"));
	network_audit(&rec, note, found);
	assert_non_null(strstr(found, "upgrade vsnetd"));
	network_record_fini(&rec);
}

static json_t *option(const char *name, const char *value)
{
	return json_pack("{s:s*}", name, value);
}

static int check_option(const char *name, json_t *value, struct err *err)
{
	json_t *options = json_pack("{s:o}", name, value);
	int rc = endpoint_options_check(options, NULL, "c1", err);

	json_decref(options);
	return rc;
}

// Each value of each row's usage text passes its check, and another does not. COUNT stands for a
// number.
static void test_endpoint_options(void **state)
{
	static const char *const usage[] = {
#define X(symbol, name, values, ...) [ENDPOINT_##symbol] = values,
		ENDPOINT_OPTIONS(X)
#undef X
	};
	char values[64], *save, *value;

	for (unsigned i = 0; i < NB_ENDPOINT_OPTIONS; i++) {
		const struct driver_option *o = &endpoint_options[i];
		struct err err = {0};

		assert_true(o->name && o->allowed && o->help && o->check);
		snprintf(values, sizeof(values), "%s", usage[i]);
		for (value = strtok_r(values, "|", &save); value;
			value = strtok_r(NULL, "|", &save))
			assert_int_equal(
				check_option(o->name,
					json_string(strcmp(value, "COUNT") ? value : "100"), NULL),
				0);
		assert_int_equal(check_option(o->name, json_string("?"), &err), -EINVAL);
		assert_string_equal(err.path, "c1");
		assert_non_null(strstr(err.reason, o->name));
		assert_non_null(strstr(err.reason, o->allowed));
		assert_int_equal(check_option(o->name, json_true(), NULL), -EINVAL);
	}
	assert_null(endpoint_options[NB_ENDPOINT_OPTIONS].name);
	assert_int_equal(endpoint_options_check(NULL, NULL, "c1", NULL), 0);
}

static void test_endpoint_option_names(void **state)
{
	json_t *options = option("spoof", "allow");
	struct err err = {0};

	assert_int_equal(check_option("spof", json_string("allow"), &err), -EINVAL);
	assert_string_equal(err.reason, "unknown option 'spof'; did you mean 'spoof'?");
	err = (struct err){0};
	assert_int_equal(check_option("whatever", json_string("x"), &err), -EINVAL);
	assert_string_equal(err.reason,
		"unknown option 'whatever'; a connection has the options spoof=allow|deny "
		"router=allow|deny dhcp-server=allow|deny flood-limit=COUNT "
		"default-route=true|false port=tap|veth "
		"resolv-conf=true|false");
	assert_string_equal(endpoint_option(options, ENDPOINT_SPOOF), "allow");
	assert_null(endpoint_option(options, ENDPOINT_PORT));
	assert_null(endpoint_option(NULL, ENDPOINT_PORT));
	assert_true(endpoint_option_is(options, ENDPOINT_SPOOF, "allow", false));
	assert_false(endpoint_option_is(options, ENDPOINT_SPOOF, "deny", true));
	assert_true(endpoint_option_is(options, ENDPOINT_RESOLV_CONF, "true", true));
	assert_false(endpoint_option_is(NULL, ENDPOINT_RESOLV_CONF, "true", false));
	json_decref(options);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good),
		cmocka_unit_test(test_roles),
		cmocka_unit_test(test_options_of_a_network),
		cmocka_unit_test(test_normal_form),
		cmocka_unit_test(test_marks),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_all_mistakes),
		cmocka_unit_test(test_drivers),
		cmocka_unit_test(test_endpoint_options),
		cmocka_unit_test(test_endpoint_option_names),
		cmocka_unit_test(test_overlay),
		cmocka_unit_test(test_bridge),
		cmocka_unit_test(test_predefined),
		cmocka_unit_test(test_unknown_driver),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
