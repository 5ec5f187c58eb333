// SPDX-License-Identifier: BSD-3-Clause
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/member.h"
#include "netd/ctl/handle.h"
#include "netd/drivers/network_check.h"

// ---- the record of a new network ----

struct want {
	struct network_record rec;
	char path[NAME_BYTES + 16];
	struct err *err;
};

static int take_subnets(struct want *w, const json_t *subnets)
{
	const json_t *value;
	size_t i;

	w->rec.subnets = calloc(json_array_size(subnets) + 1, sizeof(*w->rec.subnets));
	if (!w->rec.subnets)
		return err_set(w->err, -ENOMEM, w->path, "out of memory");
	json_array_foreach (subnets, i, value) {
		if (cidr_parse(json_string_value(value), &w->rec.subnets[i].cidr) < 0)
			return err_set(w->err, -EINVAL, w->path,
				"'%s' is not a subnet; give ADDRESS/LENGTH, such as 10.1.0.0/16",
				json_string_value(value));
		w->rec.nb_subnets++;
	}
	return 0;
}

// The subnet of an address. `what` names the address in errors.
static int find_subnet(
	struct want *w, const struct ip_addr *ip, const char *what, struct subnet **ret_subnet)
{
	char text[IP_TEXT_BYTES];

	for (unsigned i = 0; i < w->rec.nb_subnets; i++) {
		if (cidr_has(&w->rec.subnets[i].cidr, ip)) {
			*ret_subnet = &w->rec.subnets[i];
			return 0;
		}
	}
	return err_set(w->err, -EINVAL, w->path,
		w->rec.nb_subnets ? "%s %s is in none of its subnets"
				  : "%s %s needs a subnet that contains it",
		what, ip_format(ip, text));
}

static int take_ranges(struct want *w, const json_t *ranges)
{
	const json_t *value;
	size_t i;

	json_array_foreach (ranges, i, value) {
		const char *text = json_string_value(value);
		struct subnet *subnet;
		struct cidr range;
		int rc;

		if (cidr_parse(text, &range) < 0)
			return err_set(w->err, -EINVAL, w->path,
				"'%s' is not a range; give ADDRESS/LENGTH, such as 10.1.4.0/24",
				text);
		rc = find_subnet(w, &range.ip, "ip-range", &subnet);
		if (rc < 0)
			return rc;
		if (subnet->range.ip.family)
			return err_set(w->err, -EINVAL, w->path,
				"ip-range %s is the second one in its subnet; give one for each "
				"subnet",
				text);
		subnet->range = range;
	}
	return 0;
}

static int take_gateways(struct want *w, const json_t *gateways)
{
	const json_t *value;
	size_t i;

	json_array_foreach (gateways, i, value) {
		struct subnet *subnet;
		struct ip_addr ip;
		int rc;

		ip_parse(json_string_value(value), &ip); // has been checked
		rc = find_subnet(w, &ip, "gateway", &subnet);
		if (rc < 0)
			return rc;
		if (subnet->gateway.family)
			return err_set(w->err, -EINVAL, w->path,
				"gateway %s is the second one in its subnet; give one for each "
				"subnet",
				json_string_value(value));
		subnet->gateway = ip;
	}
	return 0;
}

static int take_aux(struct want *w, const char *name, const char *text)
{
	char what[NAME_BYTES + 16];
	struct named_ip *aux;
	struct subnet *subnet;
	struct ip_addr ip;
	int rc;

	if (strlen(name) >= sizeof(aux->name) || !text || ip_parse(text, &ip) < 0)
		return err_set(w->err, -EINVAL, w->path,
			"aux-address '%.64s' is not allowed; give a short name and an address, "
			"such as router=10.1.0.1",
			name);
	snprintf(what, sizeof(what), "aux-address %s", name);
	rc = find_subnet(w, &ip, what, &subnet);
	if (rc < 0)
		return rc;
	aux = realloc(subnet->aux, (subnet->nb_aux + 1) * sizeof(*aux));
	if (!aux)
		return err_set(w->err, -ENOMEM, w->path, "out of memory");
	subnet->aux = aux;
	aux = &aux[subnet->nb_aux++];
	memset(aux, 0, sizeof(*aux));
	snprintf(aux->name, sizeof(aux->name), "%s", name);
	aux->ip = ip;
	return 0;
}

static int take_auxes(struct want *w, const json_t *auxes)
{
	const json_t *value;
	const char *name;
	int rc = 0;

	json_object_foreach ((json_t *)auxes, name, value) {
		if (rc == 0)
			rc = take_aux(w, name, json_string_value(value));
	}
	return rc;
}

static int take_dns(struct want *w, const json_t *servers)
{
	const json_t *value;
	size_t i;

	json_array_foreach (servers, i, value) {
		const char *text = json_string_value(value);

		if (dns_server_parse(text, &w->rec.dns[i]) < 0)
			return err_set(w->err, -EINVAL, w->path,
				"dns '%s' is not allowed; a server is %s", text, DNS_SERVER_SYNTAX);
		w->rec.nb_dns++;
	}
	return 0;
}

// A copy of an object of texts.
static int take_texts(struct want *w, const json_t *params, const char *what, json_t **ret_texts)
{
	json_t *texts = json_object_get(params, what), *value;
	const char *name;

	json_object_foreach (texts, name, value) {
		if (!json_is_string(value))
			return err_set(w->err, -EINVAL, w->path,
				"'%.64s' in %s is not allowed; the value must be a text", name,
				what);
	}
	*ret_texts = texts ? json_deep_copy(texts) : json_object();
	return *ret_texts ? 0 : err_set(w->err, -ENOMEM, w->path, "out of memory");
}

int netd_network_of_params(const json_t *params, struct network_record *ret, struct err *err)
{
	const char *driver = member_text_or(params, "driver", NULL);
	struct want w = {.err = err};
	int rc;

	snprintf(w.rec.name, sizeof(w.rec.name), "%s", member_text_or(params, "name", NULL));
	snprintf(w.path, sizeof(w.path), "network %s", w.rec.name);
	// One that is cut is no driver's either.
	snprintf(w.rec.driver, sizeof(w.rec.driver), "%s", driver ? driver : "");
	w.rec.ipv6 = member_flag(params, "ipv6");
	w.rec.internal = member_flag(params, "internal");
	if ((rc = take_subnets(&w, json_object_get(params, "subnets"))) < 0 ||
		(rc = take_ranges(&w, json_object_get(params, "ip_ranges"))) < 0 ||
		(rc = take_gateways(&w, json_object_get(params, "gateways"))) < 0 ||
		(rc = take_auxes(&w, json_object_get(params, "aux_addresses"))) < 0 ||
		(rc = take_dns(&w, json_object_get(params, "dns"))) < 0 ||
		(rc = take_texts(&w, params, "labels", &w.rec.labels)) < 0 ||
		(rc = take_texts(&w, params, "options", &w.rec.options)) < 0 ||
		(rc = network_check(&w.rec, err)) < 0) {
		network_record_fini(&w.rec);
		return rc;
	}
	*ret = w.rec;
	return 0;
}

int netd_handle_network_create(
	void *arg, const json_t *params, json_t **ret_result, struct err *err)
{
	const struct netd_handle *h = arg;
	struct network_record want;
	int rc = netd_network_of_params(params, &want, err);

	if (rc < 0)
		return rc;
	agent_network_create(h->agent, &want, netd_answer, netd_waiting(h));
	network_record_fini(&want);
	return CTRL_LATER;
}

int netd_handle_network_rm(void *arg, const json_t *params, json_t **ret_result, struct err *err)
{
	const struct netd_handle *h = arg;

	agent_network_rm(h->agent, member_text_or(params, "name", NULL),
		member_flag(params, "force"), netd_answer, netd_waiting(h));
	return CTRL_LATER;
}

int netd_handle_network_prune(void *arg, const json_t *params, json_t **ret_result, struct err *err)
{
	const struct netd_handle *h = arg;

	agent_network_prune(
		h->agent, json_object_get(params, "labels"), netd_answer, netd_waiting(h));
	return CTRL_LATER;
}
