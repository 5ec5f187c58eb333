// SPDX-License-Identifier: BSD-3-Clause
#include "netd/dns/forward_link.h"

#include <ctype.h>
#include <errno.h>
#include <ldns/ldns.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/random.h>

#include "base/loop.h"
#include "base/util.h"
#include "netd/dns/forward_tcp.h"
#include "netd/dns/forward_udp.h"

#define TRIES	      3
#define TRIES_PARTS   7	 // each try waits twice as long as the one before: 1 + 2 + 4
#define OPT_BYTES     11 // of an OPT record without options
#define PLAIN_PARTS   4	 // after such a part of its time a question is sent without EDNS, too
#define LOST_MAX      2	 // questions, then the habit is left out
#define HABIT_US      (900 * 1000000ull) // then it is tried again
#define WIRE_NAME_MAX 255

struct link {
	struct udp_ports ports;
	struct tcp *tcp;	 // NULL: nothing was asked over TCP so far
	LIST_HEAD(, call) calls; // that are pending
	struct link_known *known;
	uint32_t timeout_ms;
	unsigned pending;
};

enum { WITH_EDNS, PLAIN, FORMS };

// A question in one of its forms.
struct form {
	struct udp_ask udp;
	struct tcp_ask tcp;
	struct call *call;
	bool sent, busy;
	bool is_tcp;   // it is asked again over TCP, because the answer was cut
	bool is_mixed; // its name has upper and lower case at random
	bool was_mixed;
	unsigned tries;
	uint64_t due_us; // of the next try
};

struct call {
	LIST_ENTRY(call) entry;
	struct link *link;
	link_fn *fn; // NULL: it was called
	void *arg;
	uint64_t sent_us;
	unsigned refs; // forms that are busy, and whoever works on it
	int rc;	       // why the last form had no answer
	struct form forms[FORMS];
	size_t wire_bytes;
	uint8_t wire[MESSAGE_QUESTION_BYTES];
};

// ---- from the cradle to the grave ----

struct link *link_new(struct loop *loop, const struct dns_server *server, uint32_t timeout_ms,
	struct link_known *known)
{
	struct link *link = calloc(1, sizeof(*link));

	if (!link)
		return NULL;
	udp_ports_init(&link->ports, loop, server);
	link->known = known;
	link->timeout_ms = timeout_ms;
	LIST_INIT(&link->calls);
	return link;
}

static void tell(struct call *call, int rc, const uint8_t *wire, size_t len_bytes)
{
	link_fn *fn = call->fn;

	call->fn = NULL;
	if (fn)
		fn(call->arg, rc, wire, len_bytes);
}

static void call_put(struct call *call)
{
	if (--call->refs > 0)
		return;
	LIST_REMOVE(call, entry);
	call->link->pending--;
	tell(call, call->rc, NULL, 0);
	free(call);
}

static void form_end(struct form *form, int rc)
{
	if (!form->busy)
		return;
	form->busy = false;
	udp_end(&form->udp);
	if (rc < 0)
		form->call->rc = rc;
	call_put(form->call);
}

void link_free(struct link *link)
{
	struct call *call;

	if (!link)
		return;
	tcp_free(link->tcp);
	while ((call = LIST_FIRST(&link->calls))) {
		call->refs++;
		for (int i = 0; i < FORMS; i++)
			form_end(&call->forms[i], -ECANCELED);
		call_put(call);
	}
	free(link);
}

// ---- what a server takes ----

static bool is_left_out(struct link_habit *habit)
{
	if (habit->lost < LOST_MAX)
		return false;
	if (monotonic_us() < habit->until_us)
		return true;
	habit->lost = 0;
	return false;
}

static void habit_lost(struct link_habit *habit)
{
	if (++habit->lost == LOST_MAX)
		habit->until_us = monotonic_us() + HABIT_US;
}

static bool has_upper(const struct form *form)
{
	for (size_t i = LDNS_HEADER_SIZE; i < form->udp.wire_bytes && form->udp.wire[i]; i++)
		if (isupper(form->udp.wire[i]))
			return true;
	return false;
}

// What only the form without EDNS is answered to, again and again, goes to a server that drops
// EDNS, or refuses it with an answer that says nothing (RFC 6891, section 7). It is the same with
// questions in mixed case.
static void learn(struct form *form)
{
	struct call *call = form->call;
	struct link_known *known = call->link->known;

	if (form == &call->forms[WITH_EDNS])
		known->edns.lost = 0;
	else if (call->forms[WITH_EDNS].sent)
		habit_lost(&known->edns);
	if (form->is_tcp)
		return;
	if (form->is_mixed && has_upper(form)) {
		known->mixed.lost = 0;
		known->keeps_case = true;
	} else if (!form->is_mixed && form->was_mixed) {
		habit_lost(&known->mixed);
	}
}

// ---- asking ----

static void mix_case(uint8_t *name, const uint8_t bits[WIRE_NAME_MAX / 8 + 1])
{
	for (size_t i = 0; name[i]; i += 1 + name[i])
		for (size_t j = i + 1; j <= i + name[i]; j++)
			if (isalpha(name[j]))
				name[j] = bits[j / 8] >> j % 8 & 1 ? toupper(name[j])
								   : tolower(name[j]);
}

// An id that can be guessed is worse than no question.
static int write_form(struct form *form, bool mixed)
{
	struct call *call = form->call;
	struct udp_ask *ask = &form->udp;
	uint8_t secret[sizeof(uint16_t) + WIRE_NAME_MAX / 8 + 1];
	bool is_plain = form == &call->forms[PLAIN];

	if (getrandom(secret, sizeof(secret), GRND_NONBLOCK) != sizeof(secret))
		return -EAGAIN;
	memcpy(ask->wire, call->wire, call->wire_bytes);
	// An OPT record is the last one.
	ask->wire_bytes = call->wire_bytes - (is_plain ? OPT_BYTES : 0);
	ask->wire[LDNS_ARCOUNT_OFF + 1] = !is_plain;
	memcpy(ask->wire, secret, sizeof(uint16_t));
	form->is_mixed = mixed;
	form->was_mixed |= mixed;
	if (mixed)
		mix_case(ask->wire + LDNS_HEADER_SIZE, secret + sizeof(uint16_t));
	return 0;
}

static void on_udp(
	struct udp_ask *ask, int rc, uint8_t *wire, size_t wire_bytes, enum udp_match match);
static void on_tcp(struct tcp_ask *ask, int rc, uint8_t *wire, size_t wire_bytes);

static uint64_t part_us(const struct link *link)
{
	return MAX_OF(link->timeout_ms / TRIES_PARTS, 1) * 1000ull;
}

static void ask_udp(struct form *form, bool mixed)
{
	struct link *link = form->call->link;
	int rc = write_form(form, mixed);

	udp_end(&form->udp);
	form->udp.fn = on_udp;
	if (rc == 0)
		rc = udp_send(&link->ports, &form->udp);
	if (rc < 0)
		form_end(form, rc);
}

static void begin(struct call *call, int kind, bool mixed)
{
	struct form *form = &call->forms[kind];

	form->call = call;
	form->sent = form->busy = true;
	form->tries = 1;
	form->due_us = monotonic_us() + part_us(call->link);
	call->refs++;
	ask_udp(form, mixed && !is_left_out(&call->link->known->mixed));
}

static void ask_tcp(struct form *form)
{
	struct link *link = form->call->link;

	udp_end(&form->udp);
	form->is_tcp = true;
	form->tcp.fn = on_tcp;
	if (!link->tcp)
		link->tcp = tcp_new(link->ports.loop, &link->ports.server, link->timeout_ms);
	if (!link->tcp || write_form(form, false) < 0)
		form_end(form, -ENOMEM);
	else
		tcp_send(link->tcp, form->udp.wire, form->udp.wire_bytes, &form->tcp);
}

void link_send(struct link *link, const uint8_t *wire, size_t wire_bytes, link_fn *fn, void *arg)
{
	struct call *call = calloc(1, sizeof(*call));

	if (!call || wire_bytes > sizeof(call->wire)) {
		free(call);
		fn(arg, -ENOMEM, NULL, 0);
		return;
	}
	call->link = link;
	call->fn = fn;
	call->arg = arg;
	call->refs = 1;
	call->rc = -EBADMSG;
	call->wire_bytes = wire_bytes;
	memcpy(call->wire, wire, wire_bytes);
	call->sent_us = monotonic_us();
	link->pending++;
	LIST_INSERT_HEAD(&link->calls, call, entry);
	begin(call, is_left_out(&link->known->edns) ? PLAIN : WITH_EDNS, true);
	call_put(call);
}

// ---- answers ----

static bool refuses_edns(const struct form *form, const uint8_t *wire)
{
	unsigned rcode = LDNS_RCODE_WIRE(wire);

	return form == &form->call->forms[WITH_EDNS] &&
	       (rcode == LDNS_RCODE_FORMERR || rcode == LDNS_RCODE_NOTIMPL);
}

// Who waits gets the question as it was asked.
static void unmix(const struct form *form, uint8_t *wire)
{
	const struct call *call = form->call;
	size_t at = LDNS_HEADER_SIZE;

	if (!form->is_mixed)
		return;
	while (call->wire[at])
		at += 1 + call->wire[at];
	memcpy(wire + LDNS_HEADER_SIZE, call->wire + LDNS_HEADER_SIZE, at - LDNS_HEADER_SIZE);
}

static void answered(struct form *form, uint8_t *wire, size_t wire_bytes)
{
	struct call *call = form->call;

	if (refuses_edns(form, wire)) {
		if (call->fn && !call->forms[PLAIN].sent)
			begin(call, PLAIN, true);
	} else if (!call->fn) {
		if (form == &call->forms[WITH_EDNS])
			learn(form); // slow, but it knows EDNS
	} else {
		learn(form);
		tell(call, 0, wire, wire_bytes);
	}
	form_end(form, 0);
}

// A question in another case than it was asked in is that of a server which does not keep it, or of
// a forger. It says nothing, and the question is asked anew as it is.
static void on_udp(
	struct udp_ask *ask, int rc, uint8_t *wire, size_t wire_bytes, enum udp_match match)
{
	struct form *form = (struct form *)((uint8_t *)ask - offsetof(struct form, udp));

	if (rc < 0) {
		form_end(form, rc);
	} else if (match == UDP_OTHER_CASE && form->is_mixed && form->call->fn) {
		ask_udp(form, false);
	} else if (match == UDP_OTHER_CASE && form->is_mixed) {
		form_end(form, 0);
	} else if (LDNS_TC_WIRE(wire) && form->call->fn && !refuses_edns(form, wire)) {
		ask_tcp(form);
	} else {
		if (match != UDP_NO_QUESTION)
			unmix(form, wire);
		answered(form, wire, wire_bytes);
	}
}

static void on_tcp(struct tcp_ask *ask, int rc, uint8_t *wire, size_t wire_bytes)
{
	struct form *form = (struct form *)((uint8_t *)ask - offsetof(struct form, tcp));

	if (rc < 0)
		form_end(form, rc);
	else
		answered(form, wire, wire_bytes);
}

// ---- time ----

static bool waits_for_udp(const struct form *form)
{
	return form->busy && !form->is_tcp;
}

// The last try is in one case, unless the server is known to take two: there are some that are
// silent then.
static void try_again(struct form *form)
{
	struct call *call = form->call;

	if (form->tries == TRIES) {
		form_end(form, -ETIMEDOUT);
		return;
	}
	form->due_us += part_us(call->link) << form->tries;
	form->tries++;
	if (!call->fn)
		return; // it is only waited for, to learn from
	if (form->tries == TRIES && form->is_mixed && !call->link->known->keeps_case)
		ask_udp(form, false);
	else
		udp_resend(&form->udp);
}

// A form whose time to wait is over.
static struct form *find_late(struct call *call, uint64_t now_us)
{
	for (int i = 0; i < FORMS; i++)
		if (waits_for_udp(&call->forms[i]) && now_us >= call->forms[i].due_us)
			return &call->forms[i];
	return NULL;
}

// Whether the question has waited so long for an answer with EDNS that it is sent without, too.
static bool needs_plain(const struct call *call, uint64_t now_us)
{
	return call->fn && !call->forms[PLAIN].sent && waits_for_udp(&call->forms[WITH_EDNS]) &&
	       now_us - call->sent_us >= call->link->timeout_ms * 1000ull / PLAIN_PARTS;
}

static bool act(struct link *link, uint64_t now_us)
{
	struct form *form;
	struct call *call;

	LIST_FOREACH (call, &link->calls, entry) {
		form = find_late(call, now_us);
		if (form)
			try_again(form);
		else if (needs_plain(call, now_us))
			begin(call, PLAIN, link->known->keeps_case);
		else
			continue;
		return true;
	}
	return false;
}

void link_tick(struct link *link)
{
	uint64_t now_us = monotonic_us();

	if (link->tcp)
		tcp_tick(link->tcp);
	// Others may end while one is sent or told, so the list is walked anew.
	while (act(link, now_us))
		;
}

unsigned link_pending(const struct link *link)
{
	return link->pending;
}
