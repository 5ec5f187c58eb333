// SPDX-License-Identifier: BSD-3-Clause
// dns_ask(): the question is made and the reply is read in the main thread, as a client would; in
// between it is a question like all others.
#include "netd/dns/dns_server.h"

#include <errno.h>
#include <ldns/ldns.h>
#include <stdlib.h>
#include <sys/eventfd.h>

struct ask {
	TAILQ_ENTRY(ask) entry; // of server->asks, then of dns->done
	struct dns *dns;
	dns_ask_fn *fn;
	void *arg;
	int rc; // other than 0: it was not asked
	struct err err;

	struct dns_view view;
	uint8_t *question;
	size_t question_bytes;
	uint64_t begin_us, end_us;

	// Of the thread until it is done.
	struct viewer viewer;
	struct request_list requests;
	uint8_t *reply;
	size_t reply_bytes;
	enum origin origin;
	struct ip_addr server;
};

// ---- in the thread ----

static void finish(struct ask *ask, const struct reply *reply)
{
	ask->reply = reply->wire_bytes ? malloc(reply->wire_bytes) : NULL;
	if (ask->reply) {
		memcpy(ask->reply, reply->wire, reply->wire_bytes);
		ask->reply_bytes = reply->wire_bytes;
	}
	ask->origin = reply->origin;
	ask->server = reply->server;
	ask->end_us = monotonic_us();
}

// For the main thread, which frees it.
static void pass(struct ask *ask)
{
	struct dns *dns = ask->dns;

	pthread_mutex_lock(&dns->lock);
	TAILQ_INSERT_TAIL(&dns->done, ask, entry);
	pthread_mutex_unlock(&dns->lock);
	eventfd_write(dns->done_fd, 1);
}

static void late_reply(struct asker *asker, const struct reply *reply)
{
	struct ask *ask = asker->arg;

	finish(ask, reply);
	TAILQ_REMOVE(&ask->dns->server.asks, ask, entry);
	pass(ask);
}

static void do_ask(void *arg)
{
	struct ask *ask = arg;
	struct server *server = &ask->dns->server;
	struct asker asker = {.viewer = &ask->viewer,
		.requests = &ask->requests,
		.reply = late_reply,
		.arg = ask,
		.is_tcp = true};
	struct reply reply;

	ask->begin_us = monotonic_us();
	viewer_set(&ask->viewer, server, &ask->view);
	reply = question(&asker, ask->question, ask->question_bytes, server->reply);
	if (reply.later) {
		TAILQ_INSERT_TAIL(&server->asks, ask, entry);
		return;
	}
	finish(ask, &reply);
	pass(ask);
}

// ---- the question ----

// An address stands for its name backwards where PTR is asked for.
static ldns_rdf *new_name(const char *name, ldns_rr_type type)
{
	ldns_rdf_type family = strchr(name, ':') ? LDNS_RDF_TYPE_AAAA : LDNS_RDF_TYPE_A;
	ldns_rdf *address, *reverse;
	struct ip_addr ip;

	if (type != LDNS_RR_TYPE_PTR || ip_parse(name, &ip) < 0)
		return ldns_dname_new_frm_str(name);
	address = ldns_rdf_new_frm_str(family, name);
	reverse = address ? ldns_rdf_address_reverse(address) : NULL;
	ldns_rdf_deep_free(address);
	return reverse;
}

static ldns_pkt *new_packet(const char *name, const char *type, struct err *err)
{
	ldns_rr_type number = ldns_get_rr_type_by_name(type);
	ldns_rdf *dname;
	ldns_pkt *pkt;

	if (!number) {
		err_set(err, -EINVAL, type, "is no type of records; ask for A, AAAA, PTR, ...");
		return NULL;
	}
	dname = new_name(name, number);
	if (!dname) {
		err_set(err, -EINVAL, name, "is no domain name");
		return NULL;
	}
	pkt = ldns_pkt_query_new(dname, number, LDNS_RR_CLASS_IN, LDNS_RD | LDNS_AD);
	if (!pkt) {
		ldns_rdf_deep_free(dname);
		err_set_errno(err, -ENOMEM, name, "the question");
	}
	return pkt;
}

static int make_question(struct ask *ask, const char *name, const char *type)
{
	ldns_pkt *pkt = new_packet(name, type, &ask->err);
	ldns_status status;

	if (!pkt)
		return ask->err.code;
	ldns_pkt_set_edns_udp_size(pkt, DNS_UDP_BYTES);
	status = ldns_pkt2wire(&ask->question, pkt, &ask->question_bytes);
	ldns_pkt_free(pkt);
	if (status != LDNS_STATUS_OK)
		return err_set(&ask->err, -EINVAL, name, "%s", ldns_get_errorstr_by_id(status));
	return 0;
}

void dns_ask(struct dns *dns, const struct dns_view *view, const char *name, const char *type,
	dns_ask_fn *fn, void *arg)
{
	struct ask *ask = calloc(1, sizeof(*ask));
	struct err err = {0};

	if (!ask) {
		fn(arg, err_set_errno(&err, -ENOMEM, name, "the question"), NULL, &err);
		return;
	}
	ask->dns = dns;
	ask->fn = fn;
	ask->arg = arg;
	ask->view = *view;
	TAILQ_INIT(&ask->requests);
	ask->rc = make_question(ask, name, type);
	if (ask->rc < 0)
		pass(ask);
	else
		dns_in_thread(dns, do_ask, ask);
}

// ---- the reply ----

static json_t *records_json(const ldns_rr_list *list)
{
	json_t *records = json_array();

	for (size_t i = 0; i < ldns_rr_list_rr_count(list); i++) {
		char *text = ldns_rr2str(ldns_rr_list_rr(list, i));

		if (!text)
			continue;
		text[strcspn(text, "\n")] = 0;
		json_array_append_new(records, json_string(text));
		free(text);
	}
	return records;
}

static json_t *flags_json(const ldns_pkt *pkt)
{
	const struct {
		bool set;
		const char *name;
	} rows[] = {
		{ldns_pkt_qr(pkt), "qr"},
		{ldns_pkt_aa(pkt), "aa"},
		{ldns_pkt_tc(pkt), "tc"},
		{ldns_pkt_rd(pkt), "rd"},
		{ldns_pkt_ra(pkt), "ra"},
		{ldns_pkt_ad(pkt), "ad"},
		{ldns_pkt_cd(pkt), "cd"},
	};
	json_t *flags = json_array();

	for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (rows[i].set)
			json_array_append_new(flags, json_string(rows[i].name));
	return flags;
}

static json_t *rcode_json(const ldns_pkt *pkt)
{
	unsigned rcode = ldns_pkt_get_rcode(pkt) | ldns_pkt_edns_extended_rcode(pkt) << 4;
	const ldns_lookup_table *row = ldns_lookup_by_id(ldns_rcodes, rcode);

	return row ? json_string(row->name) : json_sprintf("RCODE%u", rcode);
}

static json_t *origin_json(enum origin origin)
{
	static const char *const names[ORIGIN_COUNT] = {
		[ORIGIN_SERVER] = "server",
		[ORIGIN_CACHE] = "cache",
		[ORIGIN_STALE] = "stale",
		[ORIGIN_NAMES] = "names",
	};

	return names[origin] ? json_string(names[origin]) : json_null();
}

// Extended errors, each its code and its text; NULL: none.
static json_t *errors_json(const ldns_pkt *pkt)
{
	const ldns_rdf *options = ldns_pkt_edns_data(pkt);
	json_t *errors = NULL;
	struct ede ede = {0};
	size_t at = 0;

	if (options)
		ede_take(ldns_rdf_data(options), ldns_rdf_size(options), &ede);
	while (at < ede.len_bytes) {
		char text[EDE_TEXT_BYTES];

		at += ede_text(&ede, at, text);
		errors = errors ? errors : json_array();
		json_array_append_new(errors, json_string(text));
	}
	return errors;
}

static json_t *reply_json(struct ask *ask)
{
	char text[IP_TEXT_BYTES];
	json_t *server;
	ldns_pkt *pkt;
	json_t *json;

	if (!ask->reply || ldns_wire2pkt(&pkt, ask->reply, ask->reply_bytes) != LDNS_STATUS_OK) {
		ask->rc = err_set(&ask->err, -EBADMSG, "dns", "no reply, or none that can be read");
		return NULL;
	}
	server = ask->server.family ? json_string(ip_format(&ask->server, text)) : json_null();
	json = json_pack("{so so so* so so so so sI}", "rcode", rcode_json(pkt), "flags",
		flags_json(pkt), "errors", errors_json(pkt), "answer",
		records_json(ldns_pkt_answer(pkt)), "authority",
		records_json(ldns_pkt_authority(pkt)), "source", origin_json(ask->origin), "server",
		server, "us", (json_int_t)(ask->end_us - ask->begin_us));
	ldns_pkt_free(pkt);
	return json;
}

static void tell(struct ask *ask)
{
	json_t *json = ask->rc < 0 ? NULL : reply_json(ask);

	ask->fn(ask->arg, ask->rc, json, &ask->err);
	free(ask->reply);
	free(ask->question);
	free(ask);
}

static void tell_all(struct ask_list *done)
{
	struct ask *ask;

	while ((ask = TAILQ_FIRST(done))) {
		TAILQ_REMOVE(done, ask, entry);
		tell(ask);
	}
}

// In the thread. Not when the answer comes: forward.h is at work then.
static void do_clear(void *arg)
{
	struct ask_list *done = arg;
	struct ask *ask;

	TAILQ_FOREACH (ask, done, entry)
		viewer_clear(&ask->viewer);
}

void asks_tell(struct dns *dns)
{
	struct ask_list done = TAILQ_HEAD_INITIALIZER(done);

	pthread_mutex_lock(&dns->lock);
	TAILQ_CONCAT(&done, &dns->done, entry);
	pthread_mutex_unlock(&dns->lock);
	dns_in_thread(dns, do_clear, &done);
	tell_all(&done);
}

void asks_close(struct dns *dns)
{
	struct ask_list done = TAILQ_HEAD_INITIALIZER(done);
	struct ask *ask;

	while ((ask = TAILQ_FIRST(&dns->server.asks))) {
		TAILQ_REMOVE(&dns->server.asks, ask, entry);
		requests_cancel(&ask->requests);
		ask->rc = err_set(&ask->err, -ECANCELED, "dns", "the agent is being stopped");
		TAILQ_INSERT_TAIL(&dns->done, ask, entry);
	}
	TAILQ_CONCAT(&done, &dns->done, entry);
	do_clear(&done);
	tell_all(&done);
}
