// SPDX-License-Identifier: BSD-3-Clause
#include <stdio.h>

#include "netd/dns/names_priv.h"

// ---- conflicts ----

// Two records of one endpoint, under two addresses: any, but the same on all hosts.
static int compare(const struct names_entry *a, const struct names_entry *b)
{
	int rc = endpoint_rank_compare(&a->rank, &b->rank);

	if (rc == 0 && a->nb_ips && b->nb_ips)
		rc = ip_compare(names_key_ip(b->claims[0].key), names_key_ip(a->claims[0].key));
	return rc;
}

bool names_is_loser(const struct names_entry *entry)
{
	const struct names_claim *claim;

	if (!entry->net) // a host keeps its address
		return false;
	for (unsigned i = 0; i < entry->nb_ips; i++) {
		if (!entry->claims[i].key) // said twice
			continue;
		LIST_FOREACH (claim, &entry->claims[i].key->claims, of_key) {
			if (compare(claim->entry, entry) > 0)
				return true;
		}
	}
	return false;
}

const struct names_entry *names_winner(const struct names_key *key)
{
	const struct names_entry *winner = NULL;
	const struct names_claim *claim;

	LIST_FOREACH (claim, &key->claims, of_key) {
		if (winner && compare(claim->entry, winner) <= 0)
			continue;
		if (!names_is_loser(claim->entry))
			winner = claim->entry;
	}
	return winner;
}

// ---- answers ----

static void answer_names(struct names_answer *answer, const char *name, const struct names_net *net)
{
	answer->kind = NAMES_FOUND;
	if (net)
		snprintf(answer->fqdn, sizeof(answer->fqdn), "%s.%s", name, net->name);
	else
		snprintf(answer->fqdn, sizeof(answer->fqdn), "%s", name);
	strcpy(answer->zone, net ? net->name : "");
}

static void answer_ips(struct names_answer *answer, const struct names_entry *entry)
{
	for (unsigned i = 0; i < entry->nb_ips && answer->nb_ips < NAMES_IPS_MAX; i++) {
		if (entry->claims[i].key)
			answer->ips[answer->nb_ips++] = *names_key_ip(entry->claims[i].key);
	}
}

static bool find_in(struct names *names, const struct names_net *net, const char *name,
	size_t len_bytes, struct names_answer *answer)
{
	const struct names_key *key =
		names_table_find(&names->table, net, NAMES_KEY_NAME, name, len_bytes);
	const struct names_entry *winner = key ? names_winner(key) : NULL;
	const struct names_claim *claim;
	bool found = winner;

	if (!key)
		return false;
	if (winner)
		answer_ips(answer, winner);
	LIST_FOREACH (claim, &key->aliases, of_key) {
		if (answer->nb_ips == NAMES_IPS_MAX)
			break;
		if (claim->entry == winner || names_is_loser(claim->entry))
			continue;
		answer_ips(answer, claim->entry);
		found = true;
	}
	if (found)
		answer_names(answer, key->data, net);
	return found;
}

// The networks of a client that exist.
struct view {
	const struct names_net *nets[NAMES_SCOPE_MAX];
	unsigned nb_nets;
};

static void view_init(struct view *view, struct names *names, const struct names_scope *scope)
{
	struct names_net *net;

	view->nb_nets = 0;
	for (unsigned i = 0; i < scope->nb_nets; i++) {
		HASH_FIND_STR(names->nets, scope->nets[i], net);
		if (net)
			view->nets[view->nb_nets++] = net;
	}
}

// How much of `name` is before `.NETWORK`; 0: it does not end so.
static size_t below(const struct names_net *net, const char *name, size_t len_bytes)
{
	size_t net_bytes = strlen(net->name), dot;

	if (len_bytes < net_bytes + 2)
		return 0;
	dot = len_bytes - net_bytes - 1;
	return name[dot] == '.' && record_name_same_bytes(name + dot + 1, net->name, net_bytes)
		       ? dot
		       : 0;
}

// NAME.NETWORK. `ret_zone` is the longest network that the name is below, else it is left alone.
static bool find_below(struct names *names, struct view *view, const char *name, size_t len_bytes,
	struct names_answer *answer, const struct names_net **ret_zone)
{
	for (;;) {
		size_t shortest = len_bytes, name_bytes;
		unsigned best = 0;

		for (unsigned i = 0; i < view->nb_nets; i++) {
			name_bytes = below(view->nets[i], name, len_bytes);
			if (name_bytes && name_bytes < shortest) {
				shortest = name_bytes;
				best = i;
			}
		}
		if (shortest == len_bytes)
			return false;
		if (!*ret_zone)
			*ret_zone = view->nets[best];
		if (find_in(names, view->nets[best], name, shortest, answer))
			return true;
		// Tried; the others stay in their order.
		view->nb_nets--;
		memmove(&view->nets[best], &view->nets[best + 1],
			(view->nb_nets - best) * sizeof(view->nets[0]));
	}
}

static void find(struct names *names, const struct names_scope *scope, const char *name,
	size_t len_bytes, struct names_answer *answer)
{
	const struct names_net *zone = NULL;
	struct view view;

	view_init(&view, names, scope);
	for (unsigned i = 0; i < view.nb_nets; i++) {
		if (find_in(names, view.nets[i], name, len_bytes, answer))
			return;
	}
	if (find_below(names, &view, name, len_bytes, answer, &zone) ||
		find_in(names, NULL, name, len_bytes, answer) || !zone)
		return;
	answer->kind = NAMES_NO_SUCH;
	strcpy(answer->zone, zone->name);
}

static void answer_init(struct names_answer *answer)
{
	answer->kind = NAMES_UNKNOWN;
	answer->fqdn[0] = answer->zone[0] = '\0';
	answer->nb_ips = 0;
}

void names_find(struct names *names, const struct names_scope *scope, const char *name,
	struct names_answer *ret_answer)
{
	answer_init(ret_answer);
	pthread_mutex_lock(&names->lock);
	find(names, scope, name, strlen(name), ret_answer);
	pthread_mutex_unlock(&names->lock);
}

static void find_ip(struct names *names, const struct names_scope *scope, const struct ip_addr *ip,
	struct names_answer *answer)
{
	struct view view;

	view_init(&view, names, scope);
	for (unsigned i = 0; i <= view.nb_nets; i++) {
		const struct names_net *net = i < view.nb_nets ? view.nets[i] : NULL; // hosts
		const struct names_key *key =
			names_table_find(&names->table, net, NAMES_KEY_IP, ip, sizeof(*ip));
		const struct names_entry *winner = key ? names_winner(key) : NULL;

		if (!winner)
			continue;
		answer_names(answer, names_entry_name(winner), net);
		return;
	}
}

void names_find_ip(struct names *names, const struct names_scope *scope, const struct ip_addr *ip,
	struct names_answer *ret_answer)
{
	answer_init(ret_answer);
	pthread_mutex_lock(&names->lock);
	find_ip(names, scope, ip, ret_answer);
	pthread_mutex_unlock(&names->lock);
}
