// SPDX-License-Identifier: BSD-3-Clause
#include "netd/drivers/driver.h"

#include <stdlib.h>
#include <string.h>

#include "base/member.h"
#include "base/text.h"
#include "netd/ipam/ipam.h"

const struct network_driver *const network_drivers[] = {
	&driver_overlay,
	&driver_bridge,
	&driver_none,
	&driver_host,
	NULL,
};

const struct network_driver *network_driver_find(const char *name)
{
	for (unsigned i = 0; network_drivers[i]; i++) {
		if (!strcmp(network_drivers[i]->name, name))
			return network_drivers[i];
	}
	return NULL;
}

const char *network_driver_names(void)
{
	static char names[128];
	struct text text = text_over(names, sizeof(names));

	for (unsigned i = 0; network_drivers[i]; i++)
		text_add_item(&text, ", ", "%s", network_drivers[i]->name);
	return names;
}

// Decimal digits without a leading zero, from `min` to `max`.
static bool is_number(const char *value, unsigned long min, unsigned long max)
{
	size_t len = strlen(value);

	return len > 0 && len < 10 && strspn(value, "0123456789") == len && value[0] != '0' &&
	       strtoul(value, NULL, 10) >= min && strtoul(value, NULL, 10) <= max;
}

bool driver_check_mtu(const char *value)
{
	return is_number(value, 68, 65535);
}

bool driver_check_vni(const char *value)
{
	return is_number(value, 1, 0xffffff);
}

bool driver_check_spoof(const char *value)
{
	return !strcmp(value, "allow") || !strcmp(value, "deny");
}

bool driver_check_bool(const char *value)
{
	return !strcmp(value, "true") || !strcmp(value, "false");
}

bool driver_check_port(const char *value)
{
	return !strcmp(value, "tap") || !strcmp(value, "veth");
}

const char *network_option(const struct network_record *rec, const char *name)
{
	return member_text_or(rec->options, name, NULL);
}

uint32_t network_mtu(const struct network_record *rec)
{
	const char *mtu = network_option(rec, "mtu");

	return mtu ? strtoul(mtu, NULL, 10) : 0;
}

bool network_spoof_ok(const struct network_record *rec)
{
	const char *spoof = network_option(rec, "spoof");

	return spoof && !strcmp(spoof, "allow");
}

bool network_gateway_mac(const struct network_record *rec, struct mac *ret_mac)
{
	const struct ip_addr *first = NULL;

	for (unsigned i = 0; i < rec->nb_subnets; i++) {
		const struct ip_addr *ip = &rec->subnets[i].gateway;

		if (ip->family && (!first || (first->family == 6 && ip->family == 4)))
			first = ip;
	}
	if (first)
		*ret_mac = ipam_mac(first);
	return first;
}
