// SPDX-License-Identifier: BSD-3-Clause
#include "netd/drivers/network_check.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "base/text.h"
#include "base/util.h"
#include "config/check.h"
#include "netd/drivers/driver.h"

struct network_check {
	struct network_record *rec;
	const struct network_driver *driver;
	network_mistake_fn *fn;
	void *arg;
	unsigned nb_mistakes;
};

void network_mistake(struct network_check *c, const char *key, const char *fmt, ...)
{
	char reason[sizeof(((struct err *)0)->reason)];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(reason, sizeof(reason), fmt, ap);
	va_end(ap);
	c->nb_mistakes++;
	c->fn(c->arg, key, reason);
}

// ---- name and driver ----

static bool is_one_of(const char *name, const char *const *names)
{
	for (; names && *names; names++) {
		if (!strcmp(*names, name))
			return true;
	}
	return false;
}

// The driver that has a predefined network of the name; NULL: none.
static const struct network_driver *owner_of(const char *name)
{
	for (unsigned i = 0; network_drivers[i]; i++) {
		if (is_one_of(name, network_drivers[i]->predefined))
			return network_drivers[i];
	}
	return NULL;
}

static void check_network_name(struct network_check *c)
{
	const struct network_driver *owner = owner_of(c->rec->name);
	bool is_valid = record_name_is_valid(c->rec->name);

	if (!is_valid)
		network_mistake(c, "", "'%s' is not a valid network name: use %s", c->rec->name,
			RECORD_NAME_ALLOWED);
	else if (strlen(c->rec->name) > NETWORK_NAME_MAX)
		network_mistake(c, "", "the name has %zu bytes; a network's name has at most %d",
			strlen(c->rec->name), NETWORK_NAME_MAX);
	else if (owner && owner != c->driver)
		network_mistake(c, "",
			"'%s' is the network of driver %s, which always exists; choose another "
			"name",
			c->rec->name, owner->name);
	else if (c->driver && c->driver->predefined && owner != c->driver)
		network_mistake(c, "driver",
			"driver %s has one network only, named %s; choose another driver",
			c->driver->name, c->driver->predefined[0]);
}

static void check_driver(struct network_check *c)
{
	const struct network_driver *nearest;
	struct network_record *rec = c->rec;

	if (!rec->driver[0])
		snprintf(rec->driver, sizeof(rec->driver), "%s", NETWORK_DRIVER_DEFAULT);
	c->driver = network_driver_find(rec->driver);
	if (c->driver)
		return;
	nearest = network_driver_nearest(rec->driver);
	network_mistake(c, "driver", "there is no driver '%s'; the drivers are %s%s%s%s",
		rec->driver, network_driver_names(), nearest ? "; did you mean '" : "",
		nearest ? nearest->name : "", nearest ? "'?" : "");
}

// ---- options and labels ----

static void refuse_option(struct network_check *c, const char *name, const char *key)
{
	const struct driver_option *rows = c->driver->options;
	const struct driver_option *nearest = driver_option_nearest(rows, name);
	char names[256];
	struct text text = text_over(names, sizeof(names));

	if (nearest) {
		network_mistake(
			c, key, "unknown option '%.64s'; did you mean '%s'?", name, nearest->name);
		return;
	}
	for (const struct driver_option *o = rows; o && o->name; o++)
		text_add_item(&text, ", ", "%s", o->name);
	network_mistake(c, key, "unknown option '%.64s'; a network of driver %s has %s%s", name,
		c->driver->name, names[0] ? "the options " : "no options", names);
}

static void check_option(struct network_check *c, const char *name, const char *value)
{
	const struct driver_option *o = driver_option_find(c->driver->options, name);
	char key[128];

	snprintf(key, sizeof(key), "options.%.100s", name);
	if (!o)
		refuse_option(c, name, key);
	else if (!value || !o->check(value))
		network_mistake(
			c, key, "'%.64s' is not allowed; %s", value ? value : "", o->allowed);
	else if (strcmp(o->name, name) && network_option(c->rec, o->name))
		network_mistake(c, key, "option '%s' is given too; give one of them", o->name);
}

// Options have one spelling each from here on.
static void rename_options(struct network_check *c)
{
	for (const struct driver_option *o = c->driver->options; o && o->name; o++) {
		json_t *value = o->alias ? json_object_get(c->rec->options, o->alias) : NULL;

		if (!value)
			continue;
		json_object_set(c->rec->options, o->name, value);
		json_object_del(c->rec->options, o->alias);
	}
}

static void check_options(struct network_check *c)
{
	unsigned before = c->nb_mistakes;
	const char *name, *mtu;
	json_t *value;

	json_object_foreach (c->rec->options, name, value)
		check_option(c, name, json_string_value(value));
	if (c->nb_mistakes > before)
		return;
	rename_options(c);
	mtu = network_option(c->rec, "mtu");
	if (c->rec->ipv6 && mtu && strtoul(mtu, NULL, 10) < MTU_MIN_IPV6)
		network_mistake(
			c, "options.mtu", "IPv6 needs an MTU of at least 1280, not %s", mtu);
}

static void check_labels(struct network_check *c)
{
	const char *name;
	json_t *value;

	json_object_foreach (c->rec->labels, name, value) {
		if (!name[0])
			network_mistake(c, "labels", "a label needs a name: NAME=VALUE");
		else if (!json_is_string(value) || strlen(name) > RECORD_TEXT_MAX ||
			 json_string_length(value) > RECORD_TEXT_MAX)
			network_mistake(c, "labels",
				"label '%.64s' is not a text of at most %d bytes", name,
				RECORD_TEXT_MAX);
	}
}

// ---- addresses ----

struct place {
	struct network_check *c;
	unsigned index; // of the subnet
	const struct subnet *subnet;
	char cidr[CIDR_TEXT_BYTES];
};

static const char *key_of(const struct place *p, const char *part, char buf[128])
{
	snprintf(buf, 128, "subnets[%u]%s%s", p->index, part[0] ? "." : "", part);
	return buf;
}

// The last address of the subnet.
static struct ip_addr last_ip(const struct cidr *cidr)
{
	struct ip_addr ip = cidr->ip;
	unsigned bits = ip.family == 6 ? 128 : 32;

	for (unsigned bit = cidr->prefix; bit < bits; bit++)
		ip.byte[bit / 8] |= 0x80 >> bit % 8;
	return ip;
}

static bool is_host_of(const struct cidr *cidr, const struct ip_addr *ip)
{
	struct ip_addr last = last_ip(cidr);

	return !ip_equal(ip, &cidr->ip) && !(ip->family == 4 && ip_equal(ip, &last));
}

// NULL: containers may have addresses there.
static const char *unfit(const struct cidr *cidr)
{
	static const struct {
		const char *cidr, *what;
	} special[] = {
		{"0.0.0.0/8", "addresses of this network"},
		{"127.0.0.0/8", "loopback addresses"},
		{"169.254.0.0/16", "link-local addresses"},
		{"224.0.0.0/3", "multicast or reserved addresses"},
		{"::/96", "the loopback address"},
		{"::ffff:0:0/96", "IPv4 addresses written as IPv6"},
		{"fe80::/10", "link-local addresses"},
		{"ff00::/8", "multicast addresses"},
	};

	for (unsigned i = 0; i < ARRAY_SIZE(special); i++) {
		struct cidr other;

		if (cidr_parse(special[i].cidr, &other) == 0 && cidr_overlap(cidr, &other))
			return special[i].what;
	}
	return NULL;
}

static void check_cidr(struct place *p)
{
	const struct cidr *cidr = &p->subnet->cidr;
	unsigned longest = cidr->ip.family == 6 ? 126 : 30;
	const char *what = unfit(cidr);
	char key[128];

	key_of(p, "subnet", key);
	if (cidr->prefix > longest)
		network_mistake(p->c, key,
			"%s has no room for containers; the prefix length is at most %u", p->cidr,
			longest);
	else if (what)
		network_mistake(
			p->c, key, "%s holds %s; containers cannot have these", p->cidr, what);
	for (unsigned i = 0; i < p->index; i++) {
		const struct cidr *other = &p->c->rec->subnets[i].cidr;
		char text[CIDR_TEXT_BYTES];

		if (cidr_overlap(cidr, other))
			network_mistake(p->c, key,
				"%s overlaps %s; the subnets of a network must not overlap",
				p->cidr, cidr_format(other, text));
	}
}

static bool is_free(const struct subnet *subnet, const struct ip_addr *ip)
{
	for (unsigned i = 0; i < subnet->nb_aux; i++) {
		if (ip_equal(&subnet->aux[i].ip, ip))
			return false;
	}
	return is_host_of(&subnet->cidr, ip) && !ip_equal(&subnet->gateway, ip);
}

// A range has one address at least; only of a small one can all be reserved.
static bool has_free(const struct subnet *subnet)
{
	unsigned bits = (subnet->range.ip.family == 6 ? 128 : 32) - subnet->range.prefix;

	if (bits > 8)
		return true;
	for (unsigned i = 0; i < 1u << bits; i++) {
		struct ip_addr ip = ip_add(&subnet->range.ip, i);

		if (is_free(subnet, &ip))
			return true;
	}
	return false;
}

static void check_range(struct place *p)
{
	const struct cidr *range = &p->subnet->range, *cidr = &p->subnet->cidr;
	char key[128], text[CIDR_TEXT_BYTES];

	key_of(p, "ip-range", key);
	if (!cidr_has(cidr, &range->ip) || range->prefix < cidr->prefix)
		network_mistake(
			p->c, key, "%s is not inside subnet %s", cidr_format(range, text), p->cidr);
	else if (!cidr_equal(range, cidr) && !has_free(p->subnet))
		network_mistake(p->c, key,
			"%s has no address for containers: all are reserved (gateway, "
			"aux-addresses, network and broadcast address); choose a larger range",
			cidr_format(range, text));
}

// A reserved address: `what` is "gateway" or "aux-address NAME".
static void check_reserved(
	struct place *p, const struct ip_addr *ip, const char *what, const char *key)
{
	const struct cidr *cidr = &p->subnet->cidr;
	char text[IP_TEXT_BYTES];

	ip_format(ip, text);
	if (!cidr_has(cidr, ip))
		network_mistake(p->c, key, "%s %s is not in subnet %s", what, text, p->cidr);
	else if (!is_host_of(cidr, ip))
		network_mistake(p->c, key, "%s %s is the %s address of %s; choose one between",
			what, text, ip_equal(ip, &cidr->ip) ? "network" : "broadcast", p->cidr);
}

static void check_aux(struct place *p, unsigned index)
{
	const struct subnet *subnet = p->subnet;
	const struct named_ip *aux = &subnet->aux[index];
	bool is_valid = record_name_is_valid(aux->name);
	char part[NAME_BYTES + 20], what[NAME_BYTES + 20], key[128], text[IP_TEXT_BYTES];

	snprintf(part, sizeof(part), "aux-addresses.%s", aux->name);
	snprintf(what, sizeof(what), "aux-address %s", aux->name);
	key_of(p, part, key);
	if (!is_valid)
		network_mistake(p->c, key, "'%s' is not a valid name of an address: use %s",
			aux->name, RECORD_NAME_ALLOWED);
	check_reserved(p, &aux->ip, what, key);
	if (ip_equal(&aux->ip, &subnet->gateway))
		network_mistake(p->c, key, "%s %s is the gateway, which is already reserved", what,
			ip_format(&aux->ip, text));
	for (unsigned i = 0; i < index; i++) {
		if (ip_equal(&subnet->aux[i].ip, &aux->ip))
			network_mistake(p->c, key, "%s %s is already reserved as %s", what,
				ip_format(&aux->ip, text), subnet->aux[i].name);
		else if (!strcmp(subnet->aux[i].name, aux->name))
			network_mistake(p->c, key, "%s is given twice", what);
	}
}

static void check_subnet(struct network_check *c, unsigned index)
{
	struct subnet *subnet = &c->rec->subnets[index];
	struct place p = {.c = c, .index = index, .subnet = subnet};
	char key[128];

	cidr_mask(&subnet->cidr);
	if (!subnet->range.ip.family)
		subnet->range = subnet->cidr;
	cidr_mask(&subnet->range);
	cidr_format(&subnet->cidr, p.cidr);
	if (subnet->cidr.ip.family == 6)
		c->rec->ipv6 = true;
	check_cidr(&p);
	check_range(&p);
	if (subnet->gateway.family)
		check_reserved(&p, &subnet->gateway, "gateway", key_of(&p, "gateway", key));
	for (unsigned i = 0; i < subnet->nb_aux; i++)
		check_aux(&p, i);
}

static void check_subnets(struct network_check *c)
{
	const struct network_record *rec = c->rec;

	if (rec->nb_subnets > RECORD_SUBNETS_MAX) {
		network_mistake(c, "subnets", "%u subnets are too many; a network has at most %d",
			rec->nb_subnets, RECORD_SUBNETS_MAX);
		return;
	}
	for (unsigned i = 0; i < rec->nb_subnets; i++)
		check_subnet(c, i);
}

void driver_check_bare(struct network_check *c, struct network_record *rec)
{
	if (rec->nb_subnets)
		network_mistake(
			c, "subnets", "a network of driver %s has no addresses", c->driver->name);
	if (rec->internal)
		network_mistake(c, "internal", "a network of driver %s cannot be internal",
			c->driver->name);
}

int network_check_all(struct network_record *rec, network_mistake_fn *fn, void *arg)
{
	struct network_check c = {.rec = rec, .fn = fn, .arg = arg};

	if (!rec->labels)
		rec->labels = json_object();
	if (!rec->options)
		rec->options = json_object();
	if (!rec->labels || !rec->options) {
		network_mistake(&c, "", "out of memory");
		return -ENOMEM;
	}
	check_driver(&c);
	check_network_name(&c);
	check_subnets(&c);
	if (c.driver)
		check_options(&c);
	if (c.driver && c.driver->check)
		c.driver->check(&c, rec);
	check_labels(&c);
	return c.nb_mistakes ? -EINVAL : 0;
}

struct first {
	struct err *err;
	char path[sizeof(((struct err *)0)->path)];
};

static void take_first(void *arg, const char *key, const char *reason)
{
	struct first *first = arg;

	err_set(first->err, -EINVAL, first->path, "%s", reason);
}

int network_check(struct network_record *rec, struct err *err)
{
	struct first first = {.err = err};

	snprintf(first.path, sizeof(first.path), "network %s", rec->name);
	return network_check_all(rec, take_first, &first);
}
