// SPDX-License-Identifier: BSD-3-Clause
// What tests do to the switch in memory, and see of it.
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "tests/sim/fake_switch_priv.h"

void fake_switch_netns(struct fake_switch *sw, const char *netns, bool there)
{
	struct named *gone = fake_named(&sw->gone, netns, !there);
	struct fake_bridge *bridge;
	struct fake_port *port;

	if (there && gone) {
		HASH_DEL(sw->gone, gone);
		free(gone);
	}
	for (bridge = sw->model.bridges; bridge; bridge = bridge->hh.next) {
		for (port = bridge->ports; port; port = port->hh.next) {
			if (strcmp(fake_text(port->options, "netns"), netns) != 0 ||
				port->up == there)
				continue;
			port->up = there;
			fake_event(sw, there ? "port.up" : "port.down",
				json_pack("{s:s, s:s, s:s}", "port", port->name, "bridge",
					bridge->name, "reason", "its namespace is gone"));
		}
	}
}

void fake_switch_fail(struct fake_switch *sw, const char *method, int code, unsigned count)
{
	struct named *fail = fake_named(&sw->fails, method, true);

	fail->code = code;
	fail->count = count;
}

void fake_switch_lacks(struct fake_switch *sw, const char *port_option)
{
	snprintf(sw->lacks, sizeof(sw->lacks), "%s", port_option ? port_option : "");
}

void fake_switch_refuses(struct fake_switch *sw, const char *text)
{
	snprintf(sw->refuses, sizeof(sw->refuses), "%s", text ? text : "");
}

void fake_switch_remote(struct fake_switch *sw, const struct ip_addr *ip, bool up)
{
	struct far *far;

	HASH_FIND(hh, sw->silent, ip, sizeof(*ip), far);
	if (up && far) {
		HASH_DEL(sw->silent, far);
		free(far);
	} else if (!up && !far) {
		far = calloc(1, sizeof(*far));
		far->ip = *ip;
		far->heard = sw->up && fake_has_tunnel(sw, ip);
		HASH_ADD(hh, sw->silent, ip, sizeof(far->ip), far);
	}
}

struct fake_bridge *fake_switch_bridges(const struct fake_switch *sw)
{
	return sw->model.bridges;
}

struct fake_vtep *fake_switch_vteps(const struct fake_switch *sw)
{
	return sw->model.vteps;
}

struct fake_bridge *fake_switch_bridge(const struct fake_switch *sw, const char *name)
{
	return fake_model_bridge(&sw->model, name);
}

struct fake_bridge *fake_switch_bridge_of_vni(const struct fake_switch *sw, uint32_t vni)
{
	struct fake_bridge *bridge;
	struct fake_port *port;

	for (bridge = sw->model.bridges; bridge; bridge = bridge->hh.next) {
		for (port = bridge->ports; port; port = port->hh.next) {
			if (!strcmp(port->type, "vxlan") &&
				json_integer_value(json_object_get(port->options, "key")) == vni)
				return bridge;
		}
	}
	return NULL;
}

struct fake_port *fake_switch_port(const struct fake_switch *sw, const char *name)
{
	return fake_model_port(&sw->model, name, NULL);
}

unsigned fake_switch_calls(struct fake_switch *sw, const char *method)
{
	struct named *n, *next;
	unsigned count = 0;

	HASH_ITER(hh, sw->counts, n, next)
	{
		if (method && strcmp(n->name, method) != 0)
			continue;
		count += n->count;
		n->count = 0;
	}
	return count;
}
