// SPDX-License-Identifier: BSD-3-Clause
#include <assert.h>
#include <errno.h>
#include <stdio.h>

#include "base/member.h"
#include "config/check.h"
#include "netd/ctl/handle.h"

static int take_ip(const json_t *params, const char *name, unsigned family, const char *path,
	struct ip_addr *ret_ip, struct err *err)
{
	const char *text = member_text_or(params, name, NULL);

	if (!text)
		return 0;
	ip_parse(text, ret_ip); // has been checked
	if (ret_ip->family == family)
		return 0;
	return err_set(err, -EINVAL, path, "%s %s is no IPv%u address; %s takes those", name, text,
		family, family == 4 ? "--ip" : "--ip6");
}

// The list has been checked: the method takes as many as a record.
static unsigned take_aliases(const json_t *list, const char *ret_aliases[RECORD_ALIASES_MAX])
{
	const json_t *value;
	size_t i;

	assert(json_array_size(list) <= RECORD_ALIASES_MAX);
	json_array_foreach (list, i, value)
		ret_aliases[i] = json_string_value(value);
	return json_array_size(list);
}

static int take_mac(
	const json_t *params, const char *path, struct connect_spec *spec, struct err *err)
{
	const char *text = member_text_or(params, "mac", NULL);
	const char *allowed;

	if (!text)
		return 0;
	mac_parse(text, &spec->mac); // has been checked
	allowed = check_unicast(&spec->mac);
	if (allowed)
		return err_set(err, -EINVAL, path, "mac %s is not allowed; %s", text, allowed);
	spec->has_mac = true;
	return 0;
}

static int check_interface(const struct connect_spec *spec, const char *path, struct err *err)
{
	const char *allowed = spec->ifname ? check_ifname(spec->ifname) : NULL;

	return allowed ? err_set(err, -EINVAL, path, "ifname '%s' is not allowed; %s", spec->ifname,
				 allowed)
		       : 0;
}

int netd_spec_of_params(const json_t *params, const char *aliases[RECORD_ALIASES_MAX],
	struct connect_spec *ret_spec, struct err *err)
{
	struct connect_spec spec = {
		.network = member_text_or(params, "network", NULL),
		.name = member_text_or(params, "name", NULL),
		.ifname = member_text_or(params, "ifname", NULL),
		.aliases = aliases,
		.nb_aliases = take_aliases(json_object_get(params, "aliases"), aliases),
		.options = json_object_get(params, "options"),
	};
	char path[NAME_BYTES + 16];
	int rc;

	snprintf(path, sizeof(path), "container %s", spec.name);
	if ((rc = take_ip(params, "ip", 4, path, &spec.ips[0], err)) < 0 ||
		(rc = take_ip(params, "ip6", 6, path, &spec.ips[1], err)) < 0 ||
		(rc = take_mac(params, path, &spec, err)) < 0 ||
		(rc = check_interface(&spec, path, err)) < 0)
		return rc;
	*ret_spec = spec;
	return 0;
}

int netd_handle_network_connect(
	void *arg, const json_t *params, json_t **ret_result, struct err *err)
{
	const struct netd_handle *h = arg;
	const char *aliases[RECORD_ALIASES_MAX];
	struct connect_spec spec;
	int rc = netd_spec_of_params(params, aliases, &spec, err);

	if (rc < 0)
		return rc;
	spec.sandbox = member_text_or(params, "netns", spec.name);
	agent_connect(h->agent, &spec, netd_answer, netd_waiting(h));
	return CTRL_LATER;
}

int netd_handle_network_disconnect(
	void *arg, const json_t *params, json_t **ret_result, struct err *err)
{
	const struct netd_handle *h = arg;

	agent_disconnect(h->agent, member_text_or(params, "network", NULL),
		member_text_or(params, "name", NULL), member_flag(params, "force"), netd_answer,
		netd_waiting(h));
	return CTRL_LATER;
}
