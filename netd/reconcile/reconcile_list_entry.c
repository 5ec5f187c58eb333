// SPDX-License-Identifier: BSD-3-Clause
// Which forwarding entries, flood members and neighbours the bridge of a network has, compared with
// what is wanted: the same, a page at a time.
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/member.h"
#include "netd/reconcile/reconcile_priv.h"

#define WORDS_BYTES 160

struct sw_listing {
	struct sw_net *net;
	struct sw_call *call; // under way
	struct sw_keys seen;
	bool report; // for an audit that does not mend
	bool failed; // out of memory
};

static void key_words(const struct sw_net *net, const struct sw_key *key, char buf[WORDS_BYTES])
{
	char text[IP_TEXT_BYTES], vlan[16] = "";

	if (key->vlan)
		snprintf(vlan, sizeof(vlan), " vlan %u", key->vlan);
	if (key->kind == KEY_FDB)
		snprintf(buf, WORDS_BYTES, "bridge %s fdb %s%s", net->bridge_name,
			mac_format(&key->mac, text), vlan);
	else
		snprintf(buf, WORDS_BYTES, "bridge %s %s %s%s", net->bridge_name,
			key->kind == KEY_NEIGH ? "neighbour" : "flood member",
			ip_format(&key->ip, text), vlan);
}

// What the entry is to be, in words; "" when there is to be none.
static void want_words(const struct sw_net *net, const struct sw_key *key, char buf[IP_TEXT_BYTES])
{
	struct ip_addr tunnel;
	struct mac mac;

	buf[0] = '\0';
	if (key->vlan)
		return;
	if (key->kind == KEY_FDB && sw_gateway_has_mac(net, &key->mac))
		snprintf(buf, IP_TEXT_BYTES, "%s", net->gw_name);
	else if (key->kind == KEY_FDB && sw_want_fdb(net, &key->mac, &tunnel))
		ip_format(&tunnel, buf);
	else if (key->kind == KEY_FLOOD && sw_want_flood(net, &key->ip))
		ip_format(&key->ip, buf);
	else if (key->kind == KEY_NEIGH && sw_want_neigh(net, &key->ip, &mac))
		mac_format(&mac, buf);
}

// It is about to be changed anyway.
static bool is_dirty(const struct sw_net *net, const struct sw_key *key)
{
	for (size_t i = 0; i < net->dirty.count; i++) {
		if (!key_compare(&net->dirty.key[i], key))
			return true;
	}
	return false;
}

static void compare(struct sw_listing *listing, const struct sw_key *key, const char *actual)
{
	struct sw_net *net = listing->net;
	char want[IP_TEXT_BYTES], what[WORDS_BYTES];

	want_words(net, key, want);
	if (!strcmp(want, actual))
		return;
	key_words(net, key, what);
	if (listing->report && is_dirty(net, key))
		return;
	sw_audit_difference(net->rec, what,
		!actual[0] ? "missing"
		: want[0]  ? "wrong"
			   : "unexpected",
		want, actual);
	if (!listing->report)
		sw_keys_add(net, key);
}

static void see_key(struct sw_listing *listing, const struct sw_key *key, const char *actual)
{
	if (!keys_push(&listing->seen, key))
		listing->failed = true;
	compare(listing, key, actual);
}

static void see_fdb(struct sw_listing *listing, const json_t *entry)
{
	const char *tunnel = member_text(entry, "tunnel"), *port = member_text(entry, "port");
	bool is_by_ours = tunnel[0] && !strcmp(port, listing->net->vx_name);
	struct sw_key key = {.kind = KEY_FDB, .vlan = member_int(entry, "vlan")};

	if (strcmp(member_text(entry, "kind"), "static") != 0 ||
		mac_parse(member_text(entry, "mac"), &key.mac) < 0)
		return;
	if (mac_is_zero(&key.mac)) {
		key.kind = KEY_FLOOD;
		// That of another port goes with it: audits tell of the port.
		if (!is_by_ours || ip_parse(tunnel, &key.ip) < 0)
			return;
	}
	see_key(listing, &key, is_by_ours ? tunnel : port);
}

static void see_neigh(struct sw_listing *listing, const json_t *entry)
{
	struct sw_key key = {.kind = KEY_NEIGH, .vlan = member_int(entry, "vlan")};

	if (ip_parse(member_text(entry, "ip"), &key.ip) < 0)
		return;
	see_key(listing, &key, member_text(entry, "mac"));
}

static void listing_free(struct sw_listing *listing)
{
	keys_fini(&listing->seen);
	free(listing);
}

void sw_net_list_drop(struct sw_net *net)
{
	if (!net->listing)
		return;
	if (net->listing->call)
		net->listing->call->net = NULL;
	listing_free(net->listing);
	net->listing = NULL;
}

static void unless_seen(void *arg, const struct sw_key *key)
{
	struct sw_listing *listing = arg;

	if (!listing->seen.count ||
		!bsearch(key, listing->seen.key, listing->seen.count, sizeof(*key), key_compare))
		compare(listing, key, "");
}

static void finish(struct sw_net *net)
{
	struct sw_listing *listing = net->listing;

	keys_sort(&listing->seen);
	net->listing = NULL;
	net->entries = ENTRIES_KNOWN;
	net->to_audit = false;
	sw_want_each(net, unless_seen, listing);
	if (listing->failed)
		sw_entries_reset(net);
	listing_free(listing);
	sw_net_queue(net);
}

static void on_fdb(struct reconcile *rec, struct sw_call *call, int rc, const json_t *result,
	const struct err *err);
static void on_neigh(struct reconcile *rec, struct sw_call *call, int rc, const json_t *result,
	const struct err *err);

static void ask_page(struct sw_net *net, sw_call_fn *fn, const json_t *cursor)
{
	struct sw_call *call = sw_call_new(net->rec, fn);

	if (!call) {
		sw_entries_reset(net);
		return;
	}
	call->net = net;
	net->listing->call = call;
	if (!sw_call_send(call, fn == on_fdb ? "fdb.show" : "neigh.list",
		    json_pack("{s:s, s:i, s:O*}", "bridge", net->bridge_name, "limit", PAGE_ENTRIES,
			    "after", (json_t *)cursor))) {
		net->listing->call = NULL;
		sw_entries_reset(net);
	}
}

static void on_page(struct sw_call *call, int rc, const json_t *result, const struct err *err,
	void (*see_entry)(struct sw_listing *listing, const json_t *entry), sw_call_fn *again)
{
	const json_t *entry, *cursor = json_object_get(result, "next");
	struct sw_net *net = call->net;
	size_t i;

	if (!net) // dropped
		return;
	net->listing->call = NULL;
	if (rc < 0) {
		sw_entries_reset(net);
		sw_object_failed(net->rec, &net->batch, err);
		if (rc == -ENOENT)
			sw_relist(net->rec, true);
		sw_net_queue(net);
		return;
	}
	json_array_foreach (json_object_get(result, "entries"), i, entry)
		see_entry(net->listing, entry);
	if (cursor)
		ask_page(net, again, cursor);
	else if (again == on_fdb)
		ask_page(net, on_neigh, NULL);
	else
		finish(net);
}

static void on_fdb(struct reconcile *rec, struct sw_call *call, int rc, const json_t *result,
	const struct err *err)
{
	on_page(call, rc, result, err, see_fdb, on_fdb);
}

static void on_neigh(struct reconcile *rec, struct sw_call *call, int rc, const json_t *result,
	const struct err *err)
{
	on_page(call, rc, result, err, see_neigh, on_neigh);
}

void sw_net_list_start(struct sw_net *net)
{
	net->listing = calloc(1, sizeof(*net->listing));
	if (!net->listing) {
		sw_retry(net->rec);
		return;
	}
	net->listing->net = net;
	net->listing->report = net->entries == ENTRIES_KNOWN && !sw_audit_mends(net->rec);
	net->entries = ENTRIES_LISTING;
	ask_page(net, on_fdb, NULL);
}
