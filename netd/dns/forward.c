// SPDX-License-Identifier: BSD-3-Clause
#include "netd/dns/forward.h"

#include <ares.h>
#include <ctype.h>
#include <errno.h>
#include <ldns/ldns.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "netd/dns/forward_priv.h"

#define CACHE_BYTES (64u << 20)

// ---- from the cradle to the grave ----

static void on_tick(void *arg)
{
	struct forward *forward = arg;
	bool busy;

	exchanges_tick(forward, monotonic_us());
	busy = servers_tick(forward);
	if (busy || forward->nb_exchanges > 0)
		return;
	forward->ticking = false;
	loop_timer_set(forward->timer, 0);
}

void forward_wake(struct forward *forward)
{
	if (forward->ticking)
		return;
	forward->ticking = true;
	loop_timer_set(forward->timer, FORWARD_TICK_US);
}

int forward_new(struct loop *loop, const struct dns_conf *conf, struct forward **ret_forward,
	struct err *err)
{
	struct forward *forward = calloc(1, sizeof(*forward));

	if (!forward)
		goto err;
	forward->loop = loop;
	forward->conf = *conf;
	for (int i = 0; i < EXCHANGE_TIMERS; i++)
		TAILQ_INIT(&forward->due[i]);
	if (ares_library_init(ARES_LIB_INIT_ALL) != ARES_SUCCESS)
		goto err_forward;
	forward->timer = loop_add_timer(loop, 0, on_tick, forward);
	if (!forward->timer)
		goto err_ares;
	forward->cache = cache_new(conf->cache_max, CACHE_BYTES, conf->stale_s);
	if (!forward->cache)
		goto err_timer;
	if (lists_init(forward) < 0)
		goto err_cache;
	*ret_forward = forward;
	return 0;

err_cache:
	cache_free(forward->cache);
err_timer:
	loop_del(loop, forward->timer);
err_ares:
	ares_library_cleanup();
err_forward:
	free(forward);
err:
	return err_set(err, -ENOMEM, "dns", "out of memory");
}

void forward_free(struct forward *forward)
{
	if (!forward)
		return;
	forward->closing = true;
	exchanges_fini(forward);
	lists_fini(forward);
	servers_fini(forward);
	cache_free(forward->cache);
	loop_del(forward->loop, forward->timer);
	ares_library_cleanup();
	free(forward);
}

// ---- waiters ----

static struct client *client_find(struct forward *forward, uint64_t id)
{
	struct client *client;

	LIST_FOREACH (client, &forward->clients[id % FORWARD_BUCKETS], entry)
		if (client->id == id)
			return client;
	return NULL;
}

static void client_put(struct client *client)
{
	if (--client->waiting > 0)
		return;
	LIST_REMOVE(client, entry);
	free(client);
}

// Exchanges without waiters count too. Otherwise a client could avoid the limit by going away.
static bool may_wait(struct forward *forward, uint64_t id, const struct exchange *exchange)
{
	struct client *client = client_find(forward, id);

	return forward->nb_waiting < forward->conf.forward_max &&
	       (exchange || forward->nb_exchanges < forward->conf.forward_max) &&
	       (!client || client->waiting < forward->conf.client_max);
}

static struct forward_waiter *waiter_new(
	struct exchange *exchange, uint64_t client_id, forward_fn *fn, void *arg)
{
	struct forward *forward = exchange->forward;
	struct client *client = client_find(forward, client_id);
	struct forward_waiter *waiter = calloc(1, sizeof(*waiter));

	if (!waiter)
		return NULL;
	if (!client) {
		client = calloc(1, sizeof(*client));
		if (!client) {
			free(waiter);
			return NULL;
		}
		client->id = client_id;
		LIST_INSERT_HEAD(&forward->clients[client_id % FORWARD_BUCKETS], client, entry);
	}
	client->waiting++;
	forward->nb_waiting++;
	*waiter = (struct forward_waiter){
		.exchange = exchange, .client = client, .fn = fn, .arg = arg};
	TAILQ_INSERT_TAIL(&exchange->waiters, waiter, entry);
	return waiter;
}

void forward_cancel(struct forward_waiter *waiter)
{
	if (!waiter)
		return;
	TAILQ_REMOVE(&waiter->exchange->waiters, waiter, entry);
	waiter->exchange->forward->nb_waiting--;
	client_put(waiter->client);
	free(waiter);
}

void forward_tell(struct exchange *exchange, const struct forward_answer *answer)
{
	struct forward_waiter *waiter;

	while ((waiter = TAILQ_FIRST(&exchange->waiters))) {
		forward_fn *fn = waiter->fn;
		void *arg = waiter->arg;

		forward_cancel(waiter);
		fn(arg, answer);
	}
}

// ---- answers of the cache ----

static void answer_kept(
	struct forward_answer *ret_answer, const uint8_t *wire, const struct cache_hit *hit)
{
	*ret_answer = (struct forward_answer){
		.rcode = LDNS_RCODE_WIRE(wire),
		.wire = wire,
		.wire_bytes = hit->wire_bytes,
		.source = hit->kind == CACHE_STALE ? FORWARD_STALE : FORWARD_CACHE,
		.server = hit->server,
		.ede = &hit->ede,
	};
}

bool forward_tell_stale(struct exchange *exchange)
{
	struct forward *forward = exchange->forward;
	uint8_t wire[CACHE_WIRE_BYTES];
	struct forward_answer answer;
	struct cache_hit hit;

	if (TAILQ_EMPTY(&exchange->waiters))
		return false;
	cache_get(
		forward->cache, exchange->key.bytes, exchange->key.len, monotonic_us(), wire, &hit);
	if (hit.kind == CACHE_NONE)
		return false;
	answer_kept(&answer, wire, &hit);
	forward->counts.stale += hit.kind == CACHE_STALE;
	forward_tell(exchange, &answer);
	return true;
}

// ---- questions ----

static void key_init(
	struct key *key, const struct upstreams *list, const struct forward_question *question)
{
	uint8_t *at = key->bytes;

	memcpy(at, &list->id, sizeof(list->id));
	at += sizeof(list->id);
	memcpy(at, &question->type, sizeof(question->type));
	at += sizeof(question->type);
	memcpy(at, &question->class, sizeof(question->class));
	at += sizeof(question->class);
	*at++ = question->dnssec_ok | question->checking_disabled << 1;
	// No length of a label is a letter, so they may be treated alike.
	for (size_t i = 0; i < question->name_bytes; i++)
		*at++ = tolower(question->name[i]);
	key->len = at - key->bytes;
}

static void refuse(
	struct forward *forward, int rcode, const struct ede *ede, forward_fn *fn, void *arg)
{
	const struct forward_answer answer = {.rcode = rcode, .ede = ede};

	forward->counts.refused += rcode == LDNS_RCODE_REFUSED;
	forward->counts.failed += rcode == LDNS_RCODE_SERVFAIL;
	fn(arg, &answer);
}

// Asks the servers of the list, unless the question is already under way. NULL: the list has no
// server, or memory is out.
static struct exchange *ask_servers(struct forward *forward, struct upstreams *list,
	const struct key *key, const struct forward_question *question, bool *ret_dead)
{
	struct exchange *exchange = exchange_find(forward, key);
	struct server *order[DNS_SERVERS_MAX];
	uint64_t now_us = monotonic_us();
	unsigned count;

	count = servers_order(list, order, ret_dead);
	forward->counts.no_server += count == 0 && !exchange;
	for (unsigned i = 0; i < list->nb_servers; i++)
		server_probe(list->servers[i], now_us);
	if (!exchange && count > 0 && forward->nb_exchanges < forward->conf.forward_max)
		return exchange_new(forward, key, question, order, count);
	for (unsigned i = 0; i < count; i++)
		server_put(order[i]);
	return exchange;
}

// Answers out of the cache, if it can. It gives a stale answer at once when a server failed a
// moment ago, or is sure to fail; the servers are still asked, for the next client.
static bool try_cache(struct forward *forward, struct upstreams *list, const struct key *key,
	const struct forward_question *question, forward_fn *fn, void *arg)
{
	uint8_t wire[CACHE_WIRE_BYTES];
	struct exchange *exchange;
	struct forward_answer answer;
	struct cache_hit hit;
	bool dead;

	cache_get(forward->cache, key->bytes, key->len, monotonic_us(), wire, &hit);
	if (hit.kind == CACHE_NONE && !hit.failed)
		return false;
	if (hit.kind == CACHE_NONE) {
		refuse(forward, LDNS_RCODE_SERVFAIL, &hit.ede, fn, arg);
		return true;
	}
	if (hit.kind == CACHE_STALE && !hit.failed) {
		exchange = ask_servers(forward, list, key, question, &dead);
		if (exchange && !exchange->impatient && !dead)
			return false;
	}
	forward->counts.stale += hit.kind == CACHE_STALE;
	answer_kept(&answer, wire, &hit);
	fn(arg, &answer);
	return true;
}

struct forward_waiter *forward_ask(struct forward *forward, struct upstreams *upstreams,
	const struct forward_question *question, forward_fn *fn, void *arg)
{
	struct forward_waiter *waiter;
	struct exchange *exchange;
	struct key key;
	bool dead;

	forward->counts.asked++;
	if (forward->closing) {
		refuse(forward, LDNS_RCODE_SERVFAIL, NULL, fn, arg);
		return NULL;
	}
	if (upstreams->is_host)
		lists_refresh(forward, monotonic_us());
	key_init(&key, upstreams, question);
	if (try_cache(forward, upstreams, &key, question, fn, arg))
		return NULL;
	exchange = exchange_find(forward, &key);
	if (!may_wait(forward, question->client, exchange)) {
		refuse(forward, LDNS_RCODE_REFUSED, NULL, fn, arg);
		return NULL;
	}
	forward->counts.coalesced += exchange && !TAILQ_EMPTY(&exchange->waiters);
	if (!exchange)
		exchange = ask_servers(forward, upstreams, &key, question, &dead);
	waiter = exchange ? waiter_new(exchange, question->client, fn, arg) : NULL;
	if (!waiter)
		refuse(forward, LDNS_RCODE_SERVFAIL, NULL, fn, arg);
	return waiter;
}

unsigned forward_flush(struct forward *forward)
{
	return cache_flush(forward->cache);
}
