// SPDX-License-Identifier: BSD-3-Clause
// A state folder that was put back from a backup. This host alone writes its endpoints, and numbers
// what it does: each endpoint has a sequence number, and so has each end of one, which is in the
// store as this host's generation. Both are on disk before the store can have them. So a store that
// knows of a later one knows better than the folder, which is then older: the store's endpoints
// count, as far as their containers are there; of the folder's that the store does not have, only
// those that still have their interface. The other way round it is the store that is older, or
// lags: this host writes what is missing there.
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "base/member.h"
#include "netd/agent/agent_priv.h"

char *agent_generation_print(const struct agent *a)
{
	json_t *obj = json_pack("{s:I}", "generation", (json_int_t)a->generation);
	char *text = obj ? json_dumps(obj, JSON_COMPACT) : NULL;

	json_decref(obj);
	return text;
}

void agent_generation_read(struct agent *a, const struct kv_pair *pair)
{
	char key[RECORD_KEY_BYTES];
	json_t *obj;

	if (strcmp(pair->key, record_key_generation(key, a->conf->host)) != 0)
		return;
	obj = json_loadb(pair->value, pair->len_bytes, 0, NULL);
	a->store_generation = json_integer_value(json_object_get(obj, "generation"));
	json_decref(obj);
}

static uint64_t generation_of_store(const struct agent *a, const struct replica_host *host)
{
	uint64_t generation = a->store_generation;
	const struct replica_endpoint *ep;

	LIST_FOREACH (ep, &host->endpoints, of_host) {
		if (ep->seen)
			generation = MAX_OF(generation, ep->rec.seq);
	}
	return generation;
}

static const struct replica_endpoint *find_stored(
	const struct replica_host *host, const struct local_endpoint *le)
{
	const struct replica_endpoint *ep;

	LIST_FOREACH (ep, &host->endpoints, of_host) {
		if (ep->seen && ep->net == le->net && !strcmp(ep->rec.id, le->rec.id))
			return ep;
	}
	return NULL;
}

static bool has_same_ips(const struct endpoint_record *a, const struct endpoint_record *b)
{
	for (unsigned i = 0; i < a->nb_ips && a->nb_ips == b->nb_ips; i++) {
		if (!cidr_equal(&a->ips[i], &b->ips[i]))
			return false;
	}
	return a->nb_ips == b->nb_ips;
}

// It was joined to a namespace since.
static void join_again(
	struct agent *a, struct local_endpoint *le, const struct endpoint_record *rec)
{
	struct netns_id netns;

	if (a->opts.sandbox->ops->find(a->opts.sandbox, rec->sandbox, &netns, NULL) == 0 &&
		agent_endpoint_attach(a, le, &netns, rec->sandbox, rec->ifname) == 0)
		endpoint_happens(a, le, EVENT_JOIN);
}

// The store has another record of it than the folder.
static void take_record(
	struct agent *a, struct local_endpoint *le, const struct endpoint_record *rec)
{
	bool is_inside = endpoint_is_inside(le);
	struct endpoint_record copy;

	if (!has_same_ips(&le->rec, rec) || endpoint_record_copy(rec, &copy) < 0)
		return;
	if (is_inside && !rec->sandbox[0])
		agent_endpoint_leave(a, le);
	else if (endpoint_takes(le, EVENT_JOIN) && rec->sandbox[0])
		join_again(a, le, rec);
	// Where it is, its state says.
	memcpy(copy.sandbox, le->rec.sandbox, sizeof(copy.sandbox));
	memcpy(copy.ifname, le->rec.ifname, sizeof(copy.ifname));
	endpoint_record_fini(&le->rec);
	le->rec = copy;
	agent_endpoint_save(a, le);
	agent_endpoint_changed(a, le);
}

// Returns how many end.
static unsigned check_own(struct agent *a, const struct replica_host *host)
{
	struct local_endpoint *le, *next;
	unsigned ended = 0;

	HASH_ITER(hh, a->endpoints, le, next)
	{
		const struct replica_endpoint *ep = find_stored(host, le);

		// What came since this start is newer than either.
		if (!le->agent->is_loaded || le->net->local || endpoint_is_ending(le))
			continue;
		if (ep && ep->hash != le->agent->hash)
			take_record(a, le, &ep->rec);
		if (ep || le->agent->was_inside)
			continue;
		log_warn("endpoint %s of network %s: it has ended after this state was saved",
			le->rec.name, le->net->rec.name);
		ended++;
		agent_endpoint_stop(a, le);
	}
	return ended;
}

// Another machine has this host's name by mistake: these are its endpoints, then.
static bool is_anothers(const struct agent *a, const struct replica_host *host)
{
	return host->present && strcmp(host->rec.id, a->host_id) != 0 &&
	       !ip_equal(&host->rec.vtep, &a->vtep);
}

void agent_older_look(struct agent *a)
{
	struct replica_host *host = replica_host(&a->replica, a->conf->host);
	unsigned before = HASH_COUNT(a->endpoints), ended;
	struct replica_host none = {0};
	uint64_t generation;

	if (!host)
		host = &none;
	generation = generation_of_store(a, host);
	a->seq = MAX_OF(a->seq, generation); // no number is used twice
	if (generation <= a->kept_generation || is_anothers(a, host))
		return;
	ended = check_own(a, host);
	agent_endpoint_adopt(a);
	snprintf(a->older, sizeof(a->older),
		"the state folder is older than what the store has of this host (%" PRIu64
		", not %" PRIu64 "), as if put back from a backup: %u endpoints were taken over "
		"from the store, %u of the folder have ended",
		a->kept_generation, generation, HASH_COUNT(a->endpoints) - before, ended);
	log_warn("state: %s", a->older);
	agent_event(a, "state.older", json_object());
	agent_generation_set(a, generation);
}
