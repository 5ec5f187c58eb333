// SPDX-License-Identifier: BSD-3-Clause
// The questions of network.h, handed to the driver of the network.
#include "netd/drivers/driver.h"

#include <errno.h>
#include <string.h>

#include "base/text.h"
#include "config/nearest.h"
#include "netd/drivers/endpoint_options.h"

const struct network_driver *network_driver_find(const char *name)
{
	for (unsigned i = 0; network_drivers[i]; i++) {
		if (!strcmp(network_drivers[i]->name, name))
			return network_drivers[i];
	}
	return NULL;
}

bool network_driver_is_known(const char *name)
{
	return network_driver_find(name);
}

const struct network_driver *network_driver_nearest(const char *name)
{
	const struct network_driver *found = NULL;
	unsigned best = NEAREST_FAR;

	for (unsigned i = 0; network_drivers[i]; i++) {
		unsigned distance = nearest_distance(name, network_drivers[i]->name);

		if (distance < best) {
			best = distance;
			found = network_drivers[i];
		}
	}
	return found;
}

const char *network_driver_names(void)
{
	static char names[256];
	struct text text = text_over(names, sizeof(names));

	for (unsigned i = 0; network_drivers[i]; i++)
		text_add_item(&text, ", ", "%s", network_drivers[i]->name);
	return names;
}

static void print_options(FILE *file, const struct driver_option *rows, const char *of)
{
	for (const struct driver_option *o = rows; o && o->name; o++)
		fprintf(file, "| | `%s`%s | %s%s%s | %s | %s |\n", o->name, of, o->alias ? "`" : "",
			o->alias ? o->alias : "", o->alias ? "`" : "", o->allowed, o->help);
}

void network_drivers_print_reference(FILE *file)
{
	fprintf(file, "\n## Drivers and their options (`networks.NAME.options`)\n\n"
		      "| driver | option | other spelling | value | meaning |\n"
		      "|---|---|---|---|---|\n");
	for (unsigned i = 0; network_drivers[i]; i++) {
		const struct network_driver *driver = network_drivers[i];

		fprintf(file, "| `%s` | | | | %s |\n", driver->name, driver->help);
		print_options(file, driver->options, "");
		print_options(file, driver->endpoint_options, " (connection)");
	}
}

// ---- making and deleting ----

bool network_is_local(const struct network_record *rec)
{
	const struct network_driver *driver = network_driver_find(rec->driver);

	return driver && driver->scope == NETWORK_OF_HOST;
}

int network_choose(
	struct network_record *rec, const struct network_chooser *chooser, struct err *err)
{
	const struct network_driver *driver = network_driver_find(rec->driver);

	return driver && driver->choose ? driver->choose(rec, chooser, err) : 0;
}

const char *network_predefined(unsigned index, const char **ret_driver)
{
	for (unsigned i = 0; network_drivers[i]; i++) {
		const char *const *name = network_drivers[i]->predefined;

		for (; name && *name; name++) {
			if (index--)
				continue;
			*ret_driver = network_drivers[i]->name;
			return *name;
		}
	}
	return NULL;
}

bool network_is_predefined(const struct network_record *rec)
{
	const struct network_driver *driver = network_driver_find(rec->driver);

	return driver && driver->predefined;
}

// ---- on this host ----

static int refuse_unknown(const struct network_record *rec, struct err *err)
{
	char reason[128];

	snprintf(reason, sizeof(reason), "this host does not know its driver '%s'; upgrade vsnetd",
		rec->driver);
	return driver_refuse(rec, reason, err);
}

int network_attach(const struct network_record *rec, struct endpoint_record *ep, struct err *err)
{
	const struct network_driver *driver = network_driver_find(rec->driver);
	int rc = 0;

	if (!driver)
		return refuse_unknown(rec, err);
	if (driver->attach)
		rc = driver->attach(rec, ep, err);
	if (rc == 0)
		rc = endpoint_options_check(ep->options, driver->endpoint_options, ep->name, err);
	return rc;
}

void network_plan(const struct network_record *rec, struct network_plan *ret_plan)
{
	const struct network_driver *driver = network_driver_find(rec->driver);

	*ret_plan = (struct network_plan){0};
	if (driver && driver->plan) {
		driver->plan(rec, ret_plan);
	} else if (!driver) {
		driver_plan_bridge(rec, ret_plan);
		ret_plan->vni = rec->vni;
	}
}

json_t *network_port_options(const struct network_record *rec, const struct endpoint_record *ep)
{
	const struct network_driver *driver = network_driver_find(rec->driver);
	json_t *options = json_object();

	if (!options)
		return NULL;
	if (!driver)
		driver_port_guard(rec, ep, options);
	else if (driver->port_options)
		driver->port_options(rec, ep, options);
	return options;
}

bool network_gateway_mac(const struct network_record *rec, struct mac *ret_mac)
{
	struct network_plan plan;

	network_plan(rec, &plan);
	if (plan.gateway.nb_ips)
		*ret_mac = plan.gateway.mac;
	return plan.gateway.nb_ips;
}

// ---- for people ----

void network_show(const struct network_record *rec, json_t *obj)
{
	const struct network_driver *driver = network_driver_find(rec->driver);

	if (driver && driver->show)
		driver->show(rec, obj);
}

void network_audit(const struct network_record *rec, network_audit_fn *fn, void *arg)
{
	const struct network_driver *driver = network_driver_find(rec->driver);

	if (!driver)
		fn(arg, "this host does not know its driver; upgrade vsnetd");
	else if (driver->audit)
		driver->audit(rec, fn, arg);
}
