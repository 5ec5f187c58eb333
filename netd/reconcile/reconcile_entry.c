// SPDX-License-Identifier: BSD-3-Clause
// Forwarding entries, flood members and neighbours of a network: keys whose entry may differ from
// what is wanted are collected, and sent in bulk.
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "netd/reconcile/reconcile_priv.h"

// ---- keys ----

bool keys_push(struct sw_keys *keys, const struct sw_key *key)
{
	if (keys->count == keys->capacity) {
		size_t capacity = keys->capacity ? 2 * keys->capacity : 16;
		void *grown = realloc(keys->key, capacity * sizeof(*keys->key));

		if (!grown)
			return false;
		keys->key = grown;
		keys->capacity = capacity;
	}
	keys->key[keys->count++] = *key;
	return true;
}

void keys_fini(struct sw_keys *keys)
{
	free(keys->key);
	memset(keys, 0, sizeof(*keys));
}

int key_compare(const void *va, const void *vb)
{
	const struct sw_key *a = va, *b = vb;
	int order;

	if (a->kind != b->kind)
		return a->kind < b->kind ? -1 : 1;
	if (a->vlan != b->vlan)
		return a->vlan < b->vlan ? -1 : 1;
	order = memcmp(&a->mac, &b->mac, sizeof(a->mac));
	return order ? order : memcmp(&a->ip, &b->ip, sizeof(a->ip));
}

void keys_sort(struct sw_keys *keys)
{
	size_t kept = 0;

	if (keys->count)
		qsort(keys->key, keys->count, sizeof(*keys->key), key_compare);
	for (size_t i = 0; i < keys->count; i++) {
		if (!kept || key_compare(&keys->key[kept - 1], &keys->key[i]) != 0)
			keys->key[kept++] = keys->key[i];
	}
	keys->count = kept;
}

void sw_keys_add(struct sw_net *net, const struct sw_key *key)
{
	if (net->entries == ENTRIES_UNKNOWN) // all are looked at before any is sent
		return;
	if (!keys_push(&net->dirty, key))
		sw_entries_reset(net);
	sw_net_queue(net);
}

static void mark_mac(struct sw_net *net, const struct mac *mac)
{
	if (net->vx_name[0])
		sw_keys_add(net, &(struct sw_key){.kind = KEY_FDB, .mac = *mac});
}

static void mark_ip(struct sw_net *net, const struct ip_addr *ip)
{
	sw_keys_add(net, &(struct sw_key){.kind = KEY_NEIGH, .ip = *ip});
}

static void mark_flood(struct sw_net *net, const struct ip_addr *tunnel)
{
	if (tunnel->family)
		sw_keys_add(net, &(struct sw_key){.kind = KEY_FLOOD, .ip = *tunnel});
}

static void mark_keys(struct sw_net *net, const struct claim_keys *keys)
{
	mark_mac(net, &keys->mac);
	for (unsigned i = 0; i < keys->nb_ips; i++)
		mark_ip(net, &keys->ips[i]);
}

void sw_entries_mark(struct sw_net *net, const struct endpoint_record *rec)
{
	struct claim_keys keys = claim_keys(rec);

	mark_keys(net, &keys);
	sw_net_queue(net);
}

// ---- claims ----

static bool is_self(const struct sw_net *net, const struct replica_host *host)
{
	return host && !strcmp(host->rec.name, net->rec->opts.self);
}

// Whether it is only what the store has of an own endpoint: that has its entries already.
static bool is_echo(const struct endpoint_record *rec, const struct claim *other)
{
	return other->rec == rec || endpoint_record_compare(other->rec, rec) == 0;
}

static void mark_mac_claim(
	struct sw_net *net, const struct endpoint_record *rec, const struct mac *mac, bool echo)
{
	const struct claim *other;
	size_t pos = 0;

	while (echo && (other = claims_mac(&net->claims, mac, &pos)))
		echo = is_echo(rec, other);
	if (!echo)
		mark_mac(net, mac);
}

// Those of the endpoint, and of others that lose or win an address by it.
static void mark_claim(struct sw_net *net, const struct endpoint_record *rec,
	const struct claim_keys *keys, bool echo)
{
	mark_mac_claim(net, rec, &keys->mac, echo);
	for (unsigned i = 0; i < keys->nb_ips; i++) {
		const struct claim *other;
		struct claim_keys others;
		size_t pos = 0;

		if (!echo)
			mark_ip(net, &keys->ips[i]);
		while ((other = claims_ip(&net->claims, &keys->ips[i], &pos))) {
			if (is_echo(rec, other))
				continue;
			others = claim_keys(other->rec);
			mark_keys(net, &others);
		}
	}
}

static bool host_get(struct sw_net *net, struct replica_host *host)
{
	struct sw_host *sh;

	HASH_FIND_PTR(net->hosts, &host, sh);
	if (!sh) {
		sh = calloc(1, sizeof(*sh));
		if (!sh)
			return false;
		sh->host = host;
		HASH_ADD_PTR(net->hosts, host, sh);
	}
	if (sh->nb_endpoints++ == 0)
		mark_flood(net, &host->rec.vtep);
	return true;
}

static void host_put(struct sw_net *net, struct replica_host *host)
{
	struct sw_host *sh;

	HASH_FIND_PTR(net->hosts, &host, sh);
	if (!sh || --sh->nb_endpoints)
		return;
	mark_flood(net, &host->rec.vtep);
	HASH_DEL(net->hosts, sh);
	free(sh);
}

void sw_claim_add(struct sw_net *net, const struct endpoint_record *rec,
	const struct claim_keys *keys, struct replica_host *host)
{
	if (!net->has_claims)
		return;
	if (claims_add(&net->claims, rec, keys, host) < 0 ||
		(host && !is_self(net, host) && !host_get(net, host))) {
		sw_claims_drop(net); // and built anew
		return;
	}
	mark_claim(net, rec, keys, is_self(net, host));
}

void sw_claim_del(struct sw_net *net, const struct endpoint_record *rec,
	const struct endpoint_record *was, const struct claim_keys *keys)
{
	struct replica_host *host = NULL;

	if (!claims_del(&net->claims, rec, keys, &host))
		return;
	if (host && !is_self(net, host))
		host_put(net, host);
	mark_claim(net, was, keys, is_self(net, host));
}

void sw_claims_drop(struct sw_net *net)
{
	struct sw_host *sh, *next;

	HASH_ITER(hh, net->hosts, sh, next)
	{
		HASH_DEL(net->hosts, sh);
		free(sh);
	}
	claims_fini(&net->claims);
	net->has_claims = false;
	sw_entries_reset(net);
	sw_net_queue(net);
}

int sw_claims_build(struct sw_net *net)
{
	struct replica_endpoint *ep;
	struct sw_port *port;

	if (net->has_claims || !net->net)
		return 0;
	net->has_claims = true;
	LIST_FOREACH (port, &net->ports, of_net) {
		port->keys = claim_keys(&port->le->rec);
		if (net->has_claims && sw_port_claims(port))
			sw_claim_add(net, &port->le->rec, &port->keys, NULL);
	}
	LIST_FOREACH (ep, &net->net->endpoints, of_net) {
		struct claim_keys keys = claim_keys(&ep->rec);

		if (net->has_claims)
			sw_claim_add(net, &ep->rec, &keys, ep->host);
	}
	return net->has_claims ? 0 : -ENOMEM;
}

// ---- what is wanted ----

static bool reaches(
	const struct sw_net *net, const struct replica_host *host, struct ip_addr *ret_tunnel)
{
	const struct ip_addr *own = &net->rec->tunnel.address, *vtep = &host->rec.vtep;

	if (!net->vx_name[0] || !net->rec->has_tunnel || !host->known || !vtep->family ||
		is_self(net, host))
		return false;
	if ((own->family && own->family != vtep->family) || ip_equal(own, vtep))
		return false;
	*ret_tunnel = *vtep;
	return true;
}

bool sw_want_fdb(const struct sw_net *net, const struct mac *mac, struct ip_addr *ret_tunnel)
{
	const struct claim *claim = claims_mac_owner(&net->claims, mac);

	return claim && claim->host && reaches(net, claim->host, ret_tunnel);
}

bool sw_want_flood(const struct sw_net *net, const struct ip_addr *tunnel)
{
	const struct sw_host *sh;
	struct ip_addr ip;

	for (sh = net->hosts; sh; sh = sh->hh.next) {
		if (ip_equal(&sh->host->rec.vtep, tunnel) && reaches(net, sh->host, &ip))
			return true;
	}
	return false;
}

bool sw_want_neigh(const struct sw_net *net, const struct ip_addr *ip, struct mac *ret_mac)
{
	const struct claim *claim = claims_ip_owner(&net->claims, ip);
	struct ip_addr tunnel;

	if (sw_gateway_has_ip(net, ip)) { // whoever claims it
		*ret_mac = net->gateway.mac;
		return true;
	}
	if (!claim || (claim->host && !reaches(net, claim->host, &tunnel)))
		return false;
	*ret_mac = claim->rec->mac;
	return true;
}

static void each_of(const struct endpoint_record *rec, sw_key_fn *fn, void *arg)
{
	fn(arg, &(struct sw_key){.kind = KEY_FDB, .mac = rec->mac});
	for (unsigned i = 0; i < rec->nb_ips; i++)
		fn(arg, &(struct sw_key){.kind = KEY_NEIGH, .ip = rec->ips[i].ip});
}

void sw_want_each(const struct sw_net *net, sw_key_fn *fn, void *arg)
{
	const struct replica_endpoint *ep;
	const struct sw_port *port;
	const struct sw_host *sh;

	for (sh = net->hosts; sh; sh = sh->hh.next) {
		if (sh->host->rec.vtep.family)
			fn(arg, &(struct sw_key){.kind = KEY_FLOOD, .ip = sh->host->rec.vtep});
	}
	sw_gateway_each(net, fn, arg);
	LIST_FOREACH (port, &net->ports, of_net) {
		if (sw_port_claims(port))
			each_of(&port->le->rec, fn, arg);
	}
	if (!net->net)
		return;
	LIST_FOREACH (ep, &net->net->endpoints, of_net) {
		if (!is_self(net, ep->host)) // its ports are looked at above
			each_of(&ep->rec, fn, arg);
	}
}

struct mark {
	struct sw_net *net;
	bool fdb, neigh;
};

static void mark_one(void *arg, const struct sw_key *key)
{
	struct mark *mark = arg;

	if (key->kind == KEY_NEIGH ? mark->neigh : mark->fdb)
		sw_keys_add(mark->net, key);
}

void sw_entries_mark_all(struct sw_net *net, bool fdb, bool neigh)
{
	sw_want_each(net, mark_one, &(struct mark){.net = net, .fdb = fdb, .neigh = neigh});
	sw_net_queue(net);
}

void sw_entries_reset(struct sw_net *net)
{
	sw_net_list_drop(net);
	net->entries = ENTRIES_UNKNOWN;
	keys_fini(&net->dirty);
	keys_fini(&net->refused);
	sw_object_ok(&net->refusal);
}

// ---- requests ----

enum { FDB_ADD, NEIGH_ADD, NEIGH_DEL, FDB_DEL, NB_CALLS };

static const char *const methods[NB_CALLS] = {
	[FDB_ADD] = "fdb.add",
	[NEIGH_ADD] = "neigh.add",
	[NEIGH_DEL] = "neigh.del",
	[FDB_DEL] = "fdb.del",
};

struct request {
	json_t *entries;
	struct sw_call *call;
};

static json_t *fdb_entry(const struct mac *mac, const char *port, const struct ip_addr *tunnel)
{
	char mac_text[MAC_TEXT_BYTES], text[IP_TEXT_BYTES];

	return json_pack("{s:s, s:s*, s:s*}", "mac", mac_format(mac, mac_text), "port", port,
		"tunnel", tunnel ? ip_format(tunnel, text) : NULL);
}

// What the key's entry is to be; returns the request that makes it so.
static unsigned own_entry_of(const struct sw_net *net, const struct sw_key *key, json_t **ret_entry)
{
	static const struct mac zero;
	char mac_text[MAC_TEXT_BYTES], text[IP_TEXT_BYTES];
	struct ip_addr tunnel;
	struct mac mac;
	bool want;

	switch (key->kind) {
	case KEY_FDB:
		if (sw_gateway_has_mac(net, &key->mac)) {
			*ret_entry = fdb_entry(&key->mac, net->gw_name, NULL);
			return FDB_ADD;
		}
		want = sw_want_fdb(net, &key->mac, &tunnel);
		*ret_entry = want ? fdb_entry(&key->mac, net->vx_name, &tunnel)
				  : fdb_entry(&key->mac, NULL, NULL);
		return want ? FDB_ADD : FDB_DEL;
	case KEY_FLOOD:
		want = sw_want_flood(net, &key->ip);
		*ret_entry = fdb_entry(&zero, net->vx_name, &key->ip);
		return want ? FDB_ADD : FDB_DEL;
	default:
		want = sw_want_neigh(net, &key->ip, &mac);
		*ret_entry = json_pack("{s:s, s:s*}", "ip", ip_format(&key->ip, text), "mac",
			want ? mac_format(&mac, mac_text) : NULL);
		return want ? NEIGH_ADD : NEIGH_DEL;
	}
}

// That of a VLAN is somebody else's.
static unsigned entry_of(const struct sw_net *net, const struct sw_key *key, json_t **ret_entry)
{
	static const struct mac zero;
	char mac[MAC_TEXT_BYTES], ip[IP_TEXT_BYTES];

	if (!key->vlan)
		return own_entry_of(net, key, ret_entry);
	if (key->kind == KEY_NEIGH)
		*ret_entry = json_pack(
			"{s:s, s:i}", "ip", ip_format(&key->ip, ip), "vlan", (int)key->vlan);
	else if (key->kind == KEY_FDB)
		*ret_entry = json_pack(
			"{s:s, s:i}", "mac", mac_format(&key->mac, mac), "vlan", (int)key->vlan);
	else
		*ret_entry = json_pack("{s:s, s:s, s:s, s:i}", "mac", mac_format(&zero, mac),
			"port", net->vx_name, "tunnel", ip_format(&key->ip, ip), "vlan",
			(int)key->vlan);
	return key->kind == KEY_NEIGH ? NEIGH_DEL : FDB_DEL;
}

// The object has this in common with other entries: the request cannot be made now.
static bool is_general(int rc)
{
	return sw_is_lost(rc) || rc == -ENOSPC || rc == -ENOMEM || rc == -EAGAIN ||
	       rc == -ESHUTDOWN || rc == -ENOENT || rc == -ENODEV || rc == -EPERM;
}

static void put_back(struct sw_net *net, const struct sw_keys *keys)
{
	for (size_t i = 0; i < keys->count; i++)
		sw_keys_add(net, &keys->key[i]);
}

static void refused(struct sw_net *net, struct sw_call *call, int rc, const struct err *err)
{
	if (is_general(rc)) {
		put_back(net, &call->keys);
		sw_object_failed(net->rec, &net->batch, err);
		if (rc == -ENOENT)
			sw_relist(net->rec, true);
	} else if (call->keys.count > 1) {
		// One of them is at fault: all or none.
		net->batch_max = call->keys.count / 2;
		put_back(net, &call->keys);
	} else {
		if (!keys_push(&net->refused, &call->keys.key[0]))
			sw_entries_reset(net);
		sw_object_failed(net->rec, &net->refusal, err);
	}
}

static void on_batch(struct reconcile *rec, struct sw_call *call, int rc, const json_t *result,
	const struct err *err)
{
	struct sw_net *net = call->net;

	net->nb_calls--;
	if (rc < 0) {
		refused(net, call, rc, err);
	} else {
		net->batch_max = MIN_OF(2 * net->batch_max, BATCH_MAX);
		sw_object_ok(&net->batch);
	}
	if (!net->nb_calls && !net->dirty.count && !net->refused.count)
		sw_object_ok(&net->refusal);
	sw_net_queue(net);
}

static bool add_entry(struct sw_net *net, struct request *req, const struct sw_key *key)
{
	struct request *to;
	json_t *entry;

	to = &req[entry_of(net, key, &entry)];
	if (!to->call)
		to->call = sw_call_new(net->rec, on_batch);
	if (!to->entries)
		to->entries = json_array();
	if (!to->call || json_array_append_new(to->entries, entry) < 0)
		return false;
	return keys_push(&to->call->keys, key);
}

static void send_one(struct sw_net *net, unsigned method, struct request *req)
{
	json_t *params;

	params = json_pack("{s:s, s:o}", "bridge", net->bridge_name, "entries", req->entries);
	if (params && (method == FDB_DEL || method == NEIGH_DEL))
		json_object_set_new(params, "if_exists", json_true());
	req->call->net = net;
	if (sw_call_send(req->call, methods[method], params))
		net->nb_calls++;
	else
		sw_entries_reset(net);
}

static void send_batch(struct sw_net *net, const struct sw_keys *keys)
{
	struct request req[NB_CALLS] = {};
	bool ok = true;

	for (size_t i = 0; i < keys->count && ok; i++)
		ok = add_entry(net, req, &keys->key[i]);
	for (unsigned i = 0; i < NB_CALLS; i++) {
		if (ok && req[i].call) {
			send_one(net, i, &req[i]);
			continue;
		}
		json_decref(req[i].entries);
		sw_call_free(req[i].call);
	}
	if (!ok)
		sw_entries_reset(net); // out of memory: once more from the start
}

static void retry_refused(struct sw_net *net)
{
	if (!net->refused.count || !sw_object_due(net->rec, &net->refusal))
		return;
	put_back(net, &net->refused);
	net->refused.count = 0;
}

static bool is_to_list(const struct sw_net *net)
{
	return net->entries == ENTRIES_UNKNOWN ||
	       (net->entries == ENTRIES_KNOWN && net->to_audit && !net->dirty.count);
}

void sw_entries_step(struct sw_net *net)
{
	struct sw_keys some;

	if (!net->nb_calls && sw_object_due(net->rec, &net->batch) && is_to_list(net))
		sw_net_list_start(net);
	if (net->entries != ENTRIES_KNOWN)
		return;
	retry_refused(net);
	if (!net->dirty.count || net->nb_calls || (net->vx_name[0] && !net->vx.there) ||
		!sw_object_due(net->rec, &net->batch))
		return;
	// The newest first: a change does not wait for all there is to be done.
	some.count = MIN_OF(net->dirty.count, net->batch_max);
	some.key = net->dirty.key + net->dirty.count - some.count;
	some.capacity = some.count;
	net->dirty.count -= some.count;
	keys_sort(&some);
	send_batch(net, &some);
	if (!net->dirty.count && net->dirty.capacity > BATCH_MAX)
		keys_fini(&net->dirty);
}
