// SPDX-License-Identifier: BSD-3-Clause
// A question under way. The best server has it first; each `hedge_ms` without an answer, and each
// failure, brings in the next one. The first good answer ends it.
#include <errno.h>
#include <ldns/ldns.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/hash.h"
#include "base/util.h"
#include "netd/dns/forward_priv.h"

#define PATIENCE_US 1800000 // then a stale answer is better (RFC 8767, section 5)
#define FAILED_US   1000000 // how long a failure is remembered

struct attempt {
	LIST_ENTRY(attempt) entry;
	struct exchange *exchange; // NULL: it has ended
	struct server *server;
	uint64_t sent_us;
};

static unsigned bucket_of(const struct key *key)
{
	return hash_add(HASH_INIT, key->bytes, key->len) % FORWARD_BUCKETS;
}

struct exchange *exchange_find(struct forward *forward, const struct key *key)
{
	struct exchange *exchange;

	LIST_FOREACH (exchange, &forward->exchanges[bucket_of(key)], chain)
		if (exchange->key.len == key->len &&
			!memcmp(exchange->key.bytes, key->bytes, key->len))
			return exchange;
	return NULL;
}

// ---- time ----

static uint64_t delay_us(const struct forward *forward, enum exchange_timer timer)
{
	uint64_t timeout_us = forward->conf.timeout_ms * 1000ull;

	switch (timer) {
	case EXCHANGE_HEDGE:
		return forward->conf.hedge_ms * 1000ull;
	case EXCHANGE_PATIENCE:
		return MIN_OF(PATIENCE_US, timeout_us);
	default:
		return timeout_us;
	}
}

static void disarm(struct exchange *exchange, enum exchange_timer timer)
{
	struct exchange_due *due = &exchange->due[timer];

	if (due->due_us == 0)
		return;
	TAILQ_REMOVE(&exchange->forward->due[timer], due, entry);
	due->due_us = 0;
}

static void arm(struct exchange *exchange, enum exchange_timer timer)
{
	struct exchange_due *due = &exchange->due[timer];

	disarm(exchange, timer);
	due->exchange = exchange;
	due->due_us = monotonic_us() + delay_us(exchange->forward, timer);
	TAILQ_INSERT_TAIL(&exchange->forward->due[timer], due, entry);
}

static void arm_now(struct exchange *exchange, enum exchange_timer timer)
{
	struct exchange_due *due = &exchange->due[timer];

	disarm(exchange, timer);
	due->exchange = exchange;
	due->due_us = 1; // before all others
	TAILQ_INSERT_HEAD(&exchange->forward->due[timer], due, entry);
}

// ---- the end ----

static void detach(struct exchange *exchange)
{
	struct attempt *attempt;

	while ((attempt = LIST_FIRST(&exchange->attempts))) {
		LIST_REMOVE(attempt, entry);
		attempt->exchange = NULL;
	}
	for (int i = 0; i < EXCHANGE_TIMERS; i++)
		disarm(exchange, i);
	LIST_REMOVE(exchange, chain);
	exchange->forward->nb_exchanges--;
}

static void exchange_free(struct exchange *exchange)
{
	for (unsigned i = 0; i < exchange->nb_order; i++)
		server_put(exchange->order[i]);
	free(exchange);
}

static void end_failed(struct exchange *exchange)
{
	const struct forward_answer failed = {.rcode = LDNS_RCODE_SERVFAIL, .ede = &exchange->ede};
	struct forward *forward = exchange->forward;

	detach(exchange);
	cache_fail(forward->cache, exchange->key.bytes, exchange->key.len, &exchange->ede,
		FAILED_US, monotonic_us());
	forward->counts.failed++;
	if (!forward_tell_stale(exchange))
		forward_tell(exchange, &failed);
	exchange_free(exchange);
}

static void end_answered(
	struct exchange *exchange, struct server *server, const struct message_reply *reply)
{
	const struct forward_answer answer = {.rcode = reply->rcode,
		.wire = reply->wire,
		.wire_bytes = reply->wire_bytes,
		.source = FORWARD_SERVER,
		.server = server->addr.ip,
		.ede = &reply->ede};
	const struct cache_answer kept = {.wire = reply->wire,
		.wire_bytes = reply->wire_bytes,
		.ttl_s = reply->ttl_s,
		.ede = &reply->ede,
		.server = server->addr.ip};
	struct forward *forward = exchange->forward;

	detach(exchange);
	cache_put(forward->cache, exchange->key.bytes, exchange->key.len, &kept, monotonic_us());
	forward->counts.answered++;
	forward_tell(exchange, &answer);
	exchange_free(exchange);
}

// ---- asking ----

static bool is_answer(int rcode)
{
	return rcode == LDNS_RCODE_NOERROR || rcode == LDNS_RCODE_NXDOMAIN ||
	       rcode == LDNS_RCODE_YXDOMAIN;
}

static void advance(struct exchange *exchange);

static void account(struct server *server, uint64_t rtt_us, int rc, bool useful)
{
	if (rc == 0)
		server_answered(server, rtt_us, useful);
	else if (rc != -ENOMEM)
		server_silent(server);
	server->answered += useful;
	server->failed += !useful;
}

static void on_answer(void *arg, int rc, const uint8_t *wire, size_t wire_bytes)
{
	struct attempt attempt = *(struct attempt *)arg;
	struct exchange *exchange = attempt.exchange;
	struct message_reply reply = {};
	bool useful = false;

	if (exchange)
		LIST_REMOVE((struct attempt *)arg, entry);
	free(arg);
	if (rc == -ECANCELED)
		goto out;
	if (!exchange) {
		// Too late for the question, but it tells about the server.
		account(attempt.server, monotonic_us() - attempt.sent_us, rc, rc == 0);
		goto out;
	}
	if (rc == 0 && message_reply(wire, wire_bytes, &exchange->question, &reply) == 0)
		useful = is_answer(reply.rcode);
	account(attempt.server, monotonic_us() - attempt.sent_us, rc, useful);
	if (useful)
		end_answered(exchange, attempt.server, &reply);
	else if (reply.ede.len_bytes > 0)
		exchange->ede = reply.ede;
	if (!useful && !exchange->sending)
		advance(exchange);
	free(reply.wire);
out:
	server_put(attempt.server);
}

static void send_to(struct exchange *exchange, struct server *server)
{
	uint8_t wire[MESSAGE_QUESTION_BYTES];
	struct attempt *attempt;
	uint16_t id;
	size_t len;

	// An id that can be guessed is worse than no question.
	if (getrandom(&id, sizeof(id), GRND_NONBLOCK) != sizeof(id))
		return;
	len = message_question(&exchange->question, id, wire);
	attempt = len > 0 ? calloc(1, sizeof(*attempt)) : NULL;
	if (!attempt)
		return;
	attempt->exchange = exchange;
	attempt->server = server;
	attempt->sent_us = monotonic_us();
	LIST_INSERT_HEAD(&exchange->attempts, attempt, entry);
	server_ref(server);
	server->asked++;
	exchange->sending = true;
	server_send(server, wire, len, on_answer, attempt);
	exchange->sending = false;
}

// Asks the next server. If no server is left and none is still to answer, the exchange ends at the
// next tick, so that no client is answered from inside forward_ask().
static void advance(struct exchange *exchange)
{
	struct attempt *last = LIST_FIRST(&exchange->attempts);

	while (exchange->nb_asked < exchange->nb_order) {
		exchange->forward->counts.hedged += exchange->nb_asked > 0;
		send_to(exchange, exchange->order[exchange->nb_asked++]);
		if (LIST_FIRST(&exchange->attempts) != last) {
			arm(exchange, EXCHANGE_HEDGE);
			return;
		}
	}
	if (!last)
		arm_now(exchange, EXCHANGE_HEDGE);
}

struct exchange *exchange_new(struct forward *forward, const struct key *key,
	const struct forward_question *question, struct server *const *order, unsigned nb_order)
{
	struct exchange *exchange = calloc(1, sizeof(*exchange));

	if (!exchange) {
		for (unsigned i = 0; i < nb_order; i++)
			server_put(order[i]);
		return NULL;
	}
	exchange->forward = forward;
	exchange->key = *key;
	exchange->question = *question;
	memcpy(exchange->name, question->name, question->name_bytes);
	exchange->question.name = exchange->name;
	memcpy(exchange->order, order, nb_order * sizeof(order[0]));
	exchange->nb_order = nb_order;
	LIST_INIT(&exchange->attempts);
	TAILQ_INIT(&exchange->waiters);
	LIST_INSERT_HEAD(&forward->exchanges[bucket_of(key)], exchange, chain);
	forward->nb_exchanges++;
	arm(exchange, EXCHANGE_PATIENCE);
	arm(exchange, EXCHANGE_DEADLINE);
	advance(exchange);
	forward_wake(forward);
	return exchange;
}

// ---- the tick ----

static void hedge(struct exchange *exchange)
{
	struct attempt *attempt = LIST_FIRST(&exchange->attempts); // the last one sent

	if (!attempt && exchange->nb_asked == exchange->nb_order) {
		end_failed(exchange);
		return;
	}
	if (attempt)
		server_late(attempt->server);
	if (exchange->nb_asked < exchange->nb_order)
		advance(exchange);
}

static void expire(struct exchange *exchange, enum exchange_timer timer)
{
	disarm(exchange, timer);
	switch (timer) {
	case EXCHANGE_HEDGE:
		hedge(exchange);
		break;
	case EXCHANGE_PATIENCE:
		exchange->impatient = true;
		forward_tell_stale(exchange);
		break;
	default:
		end_failed(exchange);
		break;
	}
}

void exchanges_tick(struct forward *forward, uint64_t now_us)
{
	struct exchange_due *due;

	for (int i = 0; i < EXCHANGE_TIMERS; i++)
		while ((due = TAILQ_FIRST(&forward->due[i])) && due->due_us <= now_us)
			expire(due->exchange, i);
}

void exchanges_fini(struct forward *forward)
{
	const struct forward_answer failed = {.rcode = LDNS_RCODE_SERVFAIL};
	struct exchange *exchange;

	for (unsigned i = 0; i < FORWARD_BUCKETS; i++) {
		while ((exchange = LIST_FIRST(&forward->exchanges[i]))) {
			detach(exchange);
			forward_tell(exchange, &failed);
			exchange_free(exchange);
		}
	}
}
