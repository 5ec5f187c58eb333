// SPDX-License-Identifier: BSD-3-Clause
#include "tests/sim/fake_sandbox.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define FAIL_PERCENT 2 // of configurations, while accidents happen
#define INO	     7 // of all namespaces: their numbers say nothing

static bool json_equal_text(const json_t *obj, const char *key, const char *text)
{
	const char *value = json_string_value(json_object_get(obj, key));

	return value && !strcmp(value, text);
}

static struct container *find_alive(struct sandbox *sb, const char *text)
{
	struct host *h = ((struct sim_sandbox *)sb)->host;
	struct container *c = container_by_sandbox(h->w, text);

	return c && c->alive && c->host == h ? c : NULL;
}

static int sandbox_find(
	struct sandbox *sb, const char *text, struct netns_id *ret_id, struct err *err)
{
	struct container *c = find_alive(sb, text);

	if (!c)
		return err_set(err, -ENOENT, text, "there is no such namespace");
	*ret_id = (struct netns_id){.dev = 1, .ino = INO, .boot = 1, .cookie = c->cookie};
	return 0;
}

static bool sandbox_alive(struct sandbox *sb, const char *text, const struct netns_id *id)
{
	struct container *c = find_alive(sb, text);

	return c && (!id->cookie || c->cookie == id->cookie) && id->ino == INO;
}

static int sandbox_holds(struct sandbox *sb, const char *text, const char *port)
{
	struct host *h = ((struct sim_sandbox *)sb)->host;
	struct fake_port *p = find_alive(sb, text) ? fake_switch_port(h->sw, port) : NULL;

	return p && p->up && json_equal_text(p->options, "netns", text);
}

// Also when the switch is down: the device of a port stays.
static bool has_interface(struct fake_switch *sw, const char *netns, const char *ifname)
{
	for (struct fake_bridge *b = fake_switch_bridges(sw); b; b = b->hh.next) {
		for (struct fake_port *p = b->ports; p; p = p->hh.next) {
			if (json_equal_text(p->options, "netns", netns) &&
				json_equal_text(p->options, "ifname", ifname))
				return true;
		}
	}
	return false;
}

static int sandbox_ifname(struct sandbox *sb, const char *text, char (*taken)[16],
	unsigned nb_taken, char ret_ifname[16], struct err *err)
{
	char name[16] = "";

	if (!find_alive(sb, text))
		return err_set(err, -ENOENT, text, "there is no such namespace");
	if (ret_ifname[0]) // all interfaces are the switch's own here
		return 0;
	for (unsigned i = 0;; i++) {
		bool is_taken;

		snprintf(name, sizeof(name), "eth%u", i);
		is_taken = has_interface(((struct sim_sandbox *)sb)->host->sw, text, name);
		for (unsigned k = 0; k < nb_taken; k++)
			is_taken |= !strcmp(taken[k], name);
		if (!is_taken)
			break;
	}
	memcpy(ret_ifname, name, sizeof(name));
	return 0;
}

static struct fake_port *port_of(struct host *h, const struct local_endpoint *le)
{
	char name[32];

	snprintf(name, sizeof(name), RECONCILE_PREFIX "%.12s", le->rec.id);
	return fake_switch_port(h->sw, name);
}

static int sandbox_configure(struct sandbox *sb, const struct local_endpoint *le, struct err *err)
{
	struct host *h = ((struct sim_sandbox *)sb)->host;
	struct fake_port *port = port_of(h, le);

	if (!find_alive(sb, le->rec.sandbox))
		return err_set(err, -ENOENT, le->rec.sandbox, "there is no such namespace");
	if (!fake_switch_is_up(h->sw) || !port)
		return err_set(err, -ENODEV, le->rec.ifname, "there is no such interface");
	if (h->w->chaos && sim_chance(&h->w->random, FAIL_PERCENT))
		return err_set(err, -EIO, le->rec.ifname, "this time it does not go");
	port->has_addresses = true;
	return 0;
}

static int sandbox_gateway(
	struct sandbox *sb, const char *ifname, const struct network_record *net, struct err *err)
{
	struct host *h = ((struct sim_sandbox *)sb)->host;
	struct fake_port *port;
	char name[32];

	snprintf(name, sizeof(name), RECONCILE_PREFIX "gw.%.12s", net->id);
	port = fake_switch_port(h->sw, name);
	if (!port || !json_equal_text(port->options, "ifname", ifname))
		return err_set(err, -ENODEV, ifname, "there is no such interface");
	if (h->w->chaos && sim_chance(&h->w->random, FAIL_PERCENT))
		return err_set(err, -EIO, ifname, "this time it does not go");
	port->has_addresses = true;
	return 0;
}

static int look_at(const struct fake_port *port, sandbox_look_fn *fn, void *arg)
{
	if (!port || !port->up)
		return -ENODEV;
	if (!port->has_addresses)
		fn(arg, &(struct sandbox_difference){true, "address", "all", ""});
	return 0;
}

static int sandbox_look(struct sandbox *sb, const struct local_endpoint *le, uint32_t mtu,
	sandbox_look_fn *fn, void *arg, struct err *err)
{
	int rc = look_at(port_of(((struct sim_sandbox *)sb)->host, le), fn, arg);

	return rc < 0 ? err_set(err, rc, le->rec.ifname, "there is no such interface") : 0;
}

static int sandbox_look_gateway(struct sandbox *sb, const char *ifname,
	const struct network_record *net, uint32_t mtu, sandbox_look_fn *fn, void *arg,
	struct err *err)
{
	char name[32];
	int rc;

	snprintf(name, sizeof(name), RECONCILE_PREFIX "gw.%.12s", net->id);
	rc = look_at(fake_switch_port(((struct sim_sandbox *)sb)->host->sw, name), fn, arg);
	return rc < 0 ? err_set(err, rc, ifname, "there is no such interface") : 0;
}

static int sandbox_set_link(struct sandbox *sb, const struct local_endpoint *le, const char *ifname,
	const struct mac *mac, uint32_t mtu, struct err *err)
{
	return 0;
}

static int sandbox_resolv(
	struct sandbox *sb, const char *netns, const struct resolv *resolv, struct err *err)
{
	return 0;
}

static const struct sandbox_ops ops = {
	.find = sandbox_find,
	.alive = sandbox_alive,
	.holds = sandbox_holds,
	.ifname = sandbox_ifname,
	.configure = sandbox_configure,
	.resolv = sandbox_resolv,
	.gateway = sandbox_gateway,
	.look = sandbox_look,
	.look_gateway = sandbox_look_gateway,
	.set_link = sandbox_set_link,
};

void fake_sandbox_init(struct sim_sandbox *sb, struct host *h)
{
	*sb = (struct sim_sandbox){.base = {.ops = &ops}, .host = h};
}
