// SPDX-License-Identifier: BSD-3-Clause
#include "netd/dns/dns_server.h"

#include <stdlib.h>

#include "base/hash.h"
#include "base/util.h"

#define RCODE_NOERROR  0
#define RCODE_SERVFAIL 2
#define RCODE_REFUSED  5

// A question that waits for an answer from others.
struct request {
	TAILQ_ENTRY(request) entry;
	struct asker asker;
	struct dns_query query;
	struct forward_waiter *waiter;
	uint8_t *out;	    // while forward_ask() runs: where the reply goes
	struct reply reply; // an answer that came while it ran
	bool answered;
};

static void count_question(const struct asker *asker, const struct dns_query *query)
{
	struct totals *totals = &asker->viewer->server->totals;

	totals->types[query->type < TOTALS_TYPES ? query->type : 0]++;
}

static void count_reply(const struct asker *asker, int rcode, enum origin origin)
{
	struct totals *totals = &asker->viewer->server->totals;

	totals->rcodes[MIN_OF(rcode, TOTALS_RCODES - 1)]++;
	totals->origins[origin]++;
	if (rcode == RCODE_REFUSED)
		asker->viewer->counters.refused++;
	if (origin == ORIGIN_NAMES)
		asker->viewer->counters.answered++;
}

static struct reply error_reply(
	const struct asker *asker, const struct dns_query *query, int rcode, uint8_t *out)
{
	struct reply reply = {.wire = out, .origin = ORIGIN_NONE};

	reply.wire_bytes = query_error(query, rcode, out);
	count_reply(asker, rcode, ORIGIN_NONE);
	return reply;
}

static struct reply forwarded_reply(
	const struct request *request, const struct forward_answer *answer, uint8_t *out)
{
	struct reply reply = {.wire = out, .server = answer->server};

	reply.origin = answer->wire ? (enum origin)answer->source : ORIGIN_NONE;
	reply.wire_bytes = query_forwarded(&request->query, answer, out);
	count_reply(&request->asker, answer->rcode, reply.origin);
	return reply;
}

static void forwarded(void *arg, const struct forward_answer *answer)
{
	struct request *request = arg;
	struct request_list *requests = request->asker.requests;
	struct reply reply;

	request->answered = true;
	if (request->out) {
		request->reply = forwarded_reply(request, answer, request->out);
		return;
	}
	TAILQ_REMOVE(requests, request, entry);
	reply = forwarded_reply(request, answer, request->asker.viewer->server->late);
	request->asker.reply(&request->asker, &reply);
	free(request);
}

static struct reply forward(const struct asker *asker, const struct dns_query *query, uint8_t *out)
{
	struct viewer *viewer = asker->viewer;
	struct forward_question asked = {.name = query->name,
		.name_bytes = query->name_bytes,
		.type = query->type,
		.class = query->class,
		.dnssec_ok = query->dnssec_ok,
		.checking_disabled = query->flags & 0x10,
		.client = asker->client};
	struct request *request = viewer->upstreams ? calloc(1, sizeof(*request)) : NULL;
	struct reply reply = {.later = true};

	if (!request)
		return error_reply(asker, query, RCODE_SERVFAIL, out);
	viewer->counters.forwarded++;
	request->asker = *asker;
	request->query = *query;
	request->out = out;
	request->waiter =
		forward_ask(viewer->server->forward, viewer->upstreams, &asked, forwarded, request);
	request->out = NULL;
	if (!request->answered) {
		TAILQ_INSERT_TAIL(asker->requests, request, entry);
		return reply;
	}
	reply = request->reply;
	free(request);
	return reply;
}

struct reply question(
	const struct asker *asker, const uint8_t *wire, size_t wire_bytes, uint8_t *out)
{
	struct viewer *viewer = asker->viewer;
	struct server *server = viewer->server;
	struct reply reply = {.wire = out, .origin = ORIGIN_NAMES};
	struct dns_query query = {0};
	int rc = query_parse(wire, wire_bytes, asker->is_tcp, &query);

	viewer->counters.queries++;
	viewer->counters.tcp += asker->is_tcp;
	if (rc >= 0)
		count_question(asker, &query);
	if (rc > 0)
		return error_reply(asker, &query, rc, out);
	if (rc < 0 || forward_is_probe(server->forward, query.name, query.name_bytes)) {
		viewer->counters.dropped++;
		reply.wire_bytes = 0;
		return reply;
	}
	reply.wire_bytes = query_answer(&query, server->names, &viewer->view.scope,
		viewer->view.forwards, server->conf.ttl_s, server->turn++, out);
	if (!reply.wire_bytes)
		return forward(asker, &query, out);
	count_reply(asker, out[3] & 0xf, ORIGIN_NAMES);
	return reply;
}

void requests_cancel(struct request_list *requests)
{
	struct request *request;

	while ((request = TAILQ_FIRST(requests))) {
		TAILQ_REMOVE(requests, request, entry);
		forward_cancel(request->waiter);
		free(request);
	}
}

// The limit of questions that wait is for each client. A container could take any address out of
// 127.0.0.0/8 for each question, but all that comes from its socket is its own.
uint64_t client_of(const struct dns_listener *listener, const union sock_addr *from)
{
	if (listener->one_client)
		return listener->client;
	if (from->sa.sa_family == AF_INET)
		return hash_add(listener->client, &from->in.sin_addr, sizeof(from->in.sin_addr));
	return hash_add(listener->client, &from->in6.sin6_addr, sizeof(from->in6.sin6_addr));
}
