// SPDX-License-Identifier: BSD-3-Clause
// What names should mean when all is healed and quiet: on each host those of the networks that it
// has an endpoint in, and of the hosts; and nothing more.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "tests/sim/truth.h"

struct rows {
	struct truth *t;
	const struct host *h;
	json_t *list; // of names_json(); what was found is taken out
};

static bool is_row(const json_t *row, const char *net, const char *name, const char *alias_of)
{
	const char *text = json_string_value(json_object_get(row, "network"));
	const char *of = json_string_value(json_object_get(row, "alias_of"));

	return !strcmp(net, text ? text : "") && !strcmp(alias_of ? alias_of : "", of ? of : "") &&
	       !strcasecmp(name, json_string_value(json_object_get(row, "name")));
}

static bool same_ips(const json_t *list, const struct cidr *ips, unsigned nb_ips)
{
	char text[IP_TEXT_BYTES];

	if (json_array_size(list) != nb_ips)
		return false;
	for (unsigned i = 0; i < nb_ips; i++) {
		if (strcmp(json_string_value(json_array_get(list, i)),
			    ip_format(&ips[i].ip, text)) != 0)
			return false;
	}
	return true;
}

static void expect_row(struct rows *rows, const char *net, const char *name, const char *alias_of,
	const struct cidr *ips, unsigned nb_ips, const char *host)
{
	json_t *row;
	size_t i;

	json_array_foreach (rows->list, i, row) {
		if (!is_row(row, net, name, alias_of) ||
			!same_ips(json_object_get(row, "addresses"), ips, nb_ips) ||
			strcmp(json_string_value(json_object_get(row, "host")), host) != 0)
			continue;
		if (json_is_true(json_object_get(row, "suspended")))
			wrong(rows->t, "%s: to names, %s of %s is on a silent host",
				rows->h->conf.host, name, net);
		json_array_remove(rows->list, i);
		return;
	}
	wrong(rows->t, "%s: %s of %s (%s) is no name, or not of the right address",
		rows->h->conf.host, name, net, host);
}

// Another endpoint of the name goes before it.
static bool has_lost_name(const struct truth *t, const struct truth_ep *ep)
{
	for (unsigned i = 0; i < t->nb_eps; i++) {
		const struct truth_ep *other = &t->eps[i];

		if (other != ep && !strcmp(other->net_id, ep->net_id) &&
			!strcasecmp(other->rec.name, ep->rec.name) &&
			endpoint_record_compare(&other->rec, &ep->rec) > 0)
			return true;
	}
	return false;
}

static void expect_endpoint(
	struct rows *rows, const char *net, const struct endpoint_record *rec, bool has_name)
{
	if (has_name)
		expect_row(rows, net, rec->name, NULL, rec->ips, rec->nb_ips, rec->host);
	for (unsigned i = 0; i < rec->nb_aliases; i++)
		expect_row(rows, net, rec->aliases[i], rec->name, rec->ips, rec->nb_ips, rec->host);
}

static bool takes_part(const struct truth *t, const struct host *h, const char *net_id)
{
	for (unsigned i = 0; i < t->nb_eps; i++) {
		if (!strcmp(t->eps[i].net_id, net_id) && t->eps[i].rec.sandbox[0] &&
			!strcmp(t->eps[i].rec.host, h->conf.host))
			return true;
	}
	return false;
}

static void expect_network(struct rows *rows, const struct network_record *net)
{
	struct truth *t = rows->t;

	if (!takes_part(t, rows->h, net->id))
		return;
	for (unsigned i = 0; i < t->nb_eps; i++) {
		if (!strcmp(t->eps[i].net_id, net->id) && t->eps[i].rec.sandbox[0])
			expect_endpoint(
				rows, net->name, &t->eps[i].rec, !has_lost_name(t, &t->eps[i]));
	}
}

// Networks of a host alone are not in the store.
static void expect_local(struct rows *rows)
{
	for (struct local_endpoint *le = rows->h->agent->endpoints; le; le = le->hh.next) {
		if (le->net->local)
			expect_endpoint(rows, le->net->rec.name, &le->rec, true);
	}
}

static void expect_hosts(struct rows *rows)
{
	struct world *w = rows->t->w;

	for (unsigned i = 0; i < w->nb_hosts; i++) {
		const struct host *h = &w->hosts[i];
		const struct cidr ip = {.ip = h->vtep};

		if (!h->dead)
			expect_row(rows, "", h->conf.host, NULL, &ip, 1, h->conf.host);
	}
}

// A dead host that something still speaks of is silent.
static void expect_silent(struct rows *rows, const json_t *row)
{
	const char *name = json_string_value(json_object_get(row, "name"));
	struct host *dead = truth_host(rows->t, name);
	char *text = json_dumps(row, JSON_COMPACT);

	if (!json_is_null(json_object_get(row, "network")) || !dead || !dead->dead ||
		!json_is_true(json_object_get(row, "suspended")) ||
		!replica_host(&rows->h->agent->replica, name))
		wrong(rows->t, "%s: there should be no name %s", rows->h->conf.host, text);
	free(text);
}

void check_names(struct truth *t, const struct host *h)
{
	struct rows rows = {t, h, names_json(h->names, NULL)};
	json_t *row;
	size_t i;

	if (!rows.list)
		abort();
	for (unsigned n = 0; n < t->nb_nets; n++)
		expect_network(&rows, &t->nets[n]);
	expect_local(&rows);
	expect_hosts(&rows);
	json_array_foreach (rows.list, i, row)
		expect_silent(&rows, row);
	json_decref(rows.list);
}
