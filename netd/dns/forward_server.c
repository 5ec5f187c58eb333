// SPDX-License-Identifier: BSD-3-Clause
#include <errno.h>
#include <inttypes.h>
#include <ldns/ldns.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/random.h>

#include "base/log.h"
#include "base/util.h"
#include "netd/dns/forward_priv.h"

#define DNS_PORT	 53
#define SECOND_US	 1000000ull
#define PROBE_EVERY_US	 (30 * SECOND_US)
#define LOOP_US		 (60 * SECOND_US) // not asked for so long after a question came back
#define BACKOFF_MAX_S	 30
#define DEAD_AFTER	 2     // questions without an answer
#define ERROR_COST_US	 10000 // so much slower an answer without use makes a server
#define ERRORS_MAX	 100
#define PROBE_SUFFIX	 "\4loop\10causeway\7invalid"
#define PROBE_NAME_BYTES (1 + PROBE_LABEL_BYTES + sizeof(PROBE_SUFFIX))

struct server *server_get(struct forward *forward, const struct dns_server *addr)
{
	struct dns_server full = *addr;
	struct server *server;

	if (full.port == 0)
		full.port = DNS_PORT;
	LIST_FOREACH (server, &forward->servers, entry)
		if (dns_server_equal(&server->addr, &full))
			goto found;
	server = calloc(1, sizeof(*server));
	if (!server)
		return NULL;
	server->forward = forward;
	server->addr = full;
	server->own = lists_is_own(forward, &full.ip);
	LIST_INSERT_HEAD(&forward->servers, server, entry);
found:
	server->refs++;
	return server;
}

void server_ref(struct server *server)
{
	server->refs++;
}

void server_put(struct server *server)
{
	if (--server->refs == 0)
		forward_wake(server->forward);
}

void server_send(
	struct server *server, const uint8_t *wire, size_t wire_bytes, link_fn *fn, void *arg)
{
	struct forward *forward = server->forward;

	forward_wake(forward);
	if (!server->link)
		server->link = link_new(
			forward->loop, &server->addr, forward->conf.timeout_ms, &server->known);
	if (server->link)
		link_send(server->link, wire, wire_bytes, fn, arg);
	else
		fn(arg, -ENOMEM, NULL, 0);
}

void server_answered(struct server *server, uint64_t rtt_us, bool useful)
{
	uint32_t sample_us = MIN_OF(rtt_us, UINT32_MAX / 8);

	if (server->srtt_us == 0 || server->guessed)
		server->srtt_us = sample_us;
	else
		server->srtt_us = (server->srtt_us * 7ull + sample_us) / 8;
	server->srtt_us = MAX_OF(server->srtt_us, 1);
	server->guessed = false;
	server->silent = 0;
	server->dead = false;
	server->errors = useful ? 0 : MIN_OF(server->errors + 1, ERRORS_MAX);
}

void server_late(struct server *server)
{
	uint32_t late_us = 2000 * server->forward->conf.hedge_ms;

	if (server->srtt_us >= late_us)
		return;
	server->srtt_us = late_us;
	server->guessed = true;
}

void server_silent(struct server *server)
{
	if (++server->silent < DEAD_AFTER || server->dead)
		return;
	server->dead = true;
	server->backoff_s = 1;
	server->probe_due_us = monotonic_us() + SECOND_US;
}

const char *server_state(const struct server *server)
{
	if (server->own)
		return "own";
	if (server->loop)
		return "loop";
	if (server->dead)
		return "dead";
	return server->srtt_us >= 1000 * server->forward->conf.hedge_ms ? "slow" : "ok";
}

// ---- which one first ----

static uint64_t cost_of(const struct server *server)
{
	return server->srtt_us + (uint64_t)server->errors * ERROR_COST_US;
}

static bool is_before(const struct server *a, const struct server *b)
{
	if (a->dead != b->dead)
		return b->dead;
	return cost_of(a) < cost_of(b);
}

unsigned servers_order(const struct upstreams *upstreams, struct server *ret_order[DNS_SERVERS_MAX],
	bool *ret_dead)
{
	unsigned count = 0;

	for (unsigned i = 0; i < upstreams->nb_servers; i++) {
		struct server *server = upstreams->servers[i];
		unsigned at = count;

		if (server->own || server->loop)
			continue;
		for (; at > 0 && is_before(server, ret_order[at - 1]); at--)
			ret_order[at] = ret_order[at - 1];
		ret_order[at] = server;
		count++;
	}
	for (unsigned i = 0; i < count; i++)
		server_ref(ret_order[i]);
	*ret_dead = count == 0 || ret_order[0]->dead;
	return count;
}

// ---- probes ----

static void probe_name(const struct server *server, uint8_t name[PROBE_NAME_BYTES])
{
	name[0] = PROBE_LABEL_BYTES;
	memcpy(name + 1, server->probe, PROBE_LABEL_BYTES);
	memcpy(name + 1 + PROBE_LABEL_BYTES, PROBE_SUFFIX, sizeof(PROBE_SUFFIX));
}

static void probe_failed(struct server *server)
{
	server_silent(server);
	if (!server->dead)
		return;
	server->backoff_s = MIN_OF(server->backoff_s * 2, BACKOFF_MAX_S);
	server->probe_due_us = monotonic_us() + server->backoff_s * SECOND_US;
}

static void on_probe(void *arg, int rc, const uint8_t *wire, size_t wire_bytes)
{
	struct server *server = arg;

	server->probing = false;
	if (rc == 0) {
		server_answered(server, monotonic_us() - server->probe_sent_us, true);
		// If the probe came back to us, the answer says nothing.
		if (!server->probe_came)
			server->loop = server->loop_told = false;
	} else if (rc != -ECANCELED && rc != -ENOMEM && !server->probe_came) {
		probe_failed(server);
	}
	server_put(server);
}

void server_probe(struct server *server, uint64_t now_us)
{
	uint8_t name[PROBE_NAME_BYTES], wire[MESSAGE_QUESTION_BYTES];
	struct forward_question question = {.name = name,
		.name_bytes = sizeof(name),
		.type = LDNS_RR_TYPE_TXT,
		.class = LDNS_RR_CLASS_IN};
	uint64_t secret[2];
	size_t len;

	if (server->own || server->probing || now_us < server->probe_due_us ||
		getrandom(secret, sizeof(secret), GRND_NONBLOCK) != sizeof(secret))
		return;
	snprintf(server->probe, sizeof(server->probe), "%016" PRIx64, secret[0]);
	probe_name(server, name);
	len = message_question(&question, secret[1], wire);
	if (len == 0)
		return;
	server->probe_due_us =
		now_us + (server->dead ? server->backoff_s * SECOND_US : PROBE_EVERY_US);
	server->probe_sent_us = now_us;
	server->probing = true;
	server->probe_came = false;
	server_ref(server);
	server_send(server, wire, len, on_probe, server);
}

static void loop_found(struct server *server)
{
	char text[DNS_SERVER_TEXT_BYTES];

	server->probe_came = true;
	server->loop = true;
	server->probe_due_us = monotonic_us() + LOOP_US;
	if (!server->loop_told)
		log_warn("DNS server %s sends questions back to this host, so it is not used; it "
			 "is probed again once a minute",
			dns_server_format(&server->addr, text));
	server->loop_told = true;
}

bool forward_is_probe(struct forward *forward, const uint8_t *name, size_t name_bytes)
{
	struct server *server;

	if (name_bytes != PROBE_NAME_BYTES || name[0] != PROBE_LABEL_BYTES ||
		strcasecmp((const char *)name + 1 + PROBE_LABEL_BYTES, PROBE_SUFFIX) != 0)
		return false;
	LIST_FOREACH (server, &forward->servers, entry) {
		if (strncasecmp(server->probe, (const char *)name + 1, PROBE_LABEL_BYTES) != 0)
			continue;
		loop_found(server);
		return true;
	}
	return false; // of another host, which wants to know whether it gets there
}

// ---- the tick ----

static void server_free(struct server *server)
{
	link_free(server->link);
	LIST_REMOVE(server, entry);
	free(server);
}

bool servers_tick(struct forward *forward)
{
	struct server *server, *next;
	bool busy = false;

	// Questions that end in link_tick() may ask servers again, but free none.
	LIST_FOREACH (server, &forward->servers, entry) {
		if (!server->link || link_pending(server->link) == 0)
			continue;
		link_tick(server->link);
		busy = true;
	}
	for (server = LIST_FIRST(&forward->servers); server; server = next) {
		next = LIST_NEXT(server, entry);
		if (server->refs == 0)
			server_free(server);
	}
	return busy;
}

// Questions under way end here and drop their references, so all links go before the servers.
void servers_fini(struct forward *forward)
{
	struct server *server;

	LIST_FOREACH (server, &forward->servers, entry) {
		link_free(server->link);
		server->link = NULL;
	}
	while ((server = LIST_FIRST(&forward->servers)))
		server_free(server);
}
