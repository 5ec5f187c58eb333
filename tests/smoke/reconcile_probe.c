// SPDX-License-Identifier: BSD-3-Clause
// The reconciler and the real switch: reads commands from standard input, carries them out,
// and answers each with a line once the switch has all that is wanted.
//
//	host N ADDRESS		a host, or its other VTEP
//	net N [MTU]		a network, or its other MTU
//	remote NET FIRST COUNT HOST	endpoints of another host
//	gone NET FIRST COUNT
//	own NET N [KEY=VALUE…]	an endpoint of this host: a port and its addresses in namespace cN;
//				or its other options
//	del N			takes it off
//	audit | repair		differences, as JSON
//	wait			for the switch to go away and come back
//	quit
//
// "ok", "ok JSON", or "failed: …". Tests answer to what they find in the switch themselves.
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/util.h"
#include "netd/reconcile/reconcile.h"
#include "netd/sandbox/sandbox.h"
#include "tests/sim/records.h"

#define OWN_MAX	  64
#define SETTLE_US UINT64_C(20000000)
#define STEP_US	  1000

struct probe {
	struct loop *loop;
	struct switch_conn *sw;
	struct replica replica;
	struct reconcile *rec;
	struct local_endpoint own[OWN_MAX];
	bool used[OWN_MAX];
	uint64_t end_us;
	unsigned nb_up; // how often the switch came
	char reason[700];
	json_t *differences;
};

static void on_port(void *arg, struct local_endpoint *own, int rc, const struct err *err)
{
	struct probe *p = arg;
	struct err why = {0};

	if (rc == 0) {
		rc = sandbox_kernel.ops->configure(&sandbox_kernel, own, &why);
		err = &why;
	}
	own->state = rc == 0 ? ENDPOINT_UP : ENDPOINT_NO_PORT;
	if (rc < 0)
		err_text(err, p->reason, sizeof(p->reason));
}

static void on_port_gone(void *arg, struct local_endpoint *own)
{
	struct probe *p = arg;

	LIST_REMOVE(own, of_net);
	own->net->nb_local--;
	json_decref(own->rec.options);
	p->used[own - p->own] = false;
}

static void on_port_down(void *arg, struct local_endpoint *own, const char *reason)
{
	printf("down %s\n", own->rec.name);
}

static void on_state(void *arg, bool up)
{
	((struct probe *)arg)->nb_up += up;
}

static void on_host(void *arg, struct replica_host *host, const struct host_record *old)
{
	reconcile_host(((struct probe *)arg)->rec, host, old ? &old->vtep : &(struct ip_addr){0});
}

static void on_net(void *arg, struct replica_net *net, bool gone)
{
	reconcile_net(((struct probe *)arg)->rec, net);
}

static void on_endpoint(
	void *arg, struct replica_endpoint *ep, const struct endpoint_record *old, bool gone)
{
	reconcile_remote(((struct probe *)arg)->rec, ep, old, gone);
}

// ---- waiting ----

static bool is_ready(const struct probe *p)
{
	for (unsigned i = 0; i < OWN_MAX; i++) {
		if (p->used[i] && p->own[i].state != ENDPOINT_UP)
			return false;
	}
	return reconcile_is_settled(p->rec);
}

static void on_tick(void *arg)
{
	struct probe *p = arg;

	reconcile_run(p->rec, monotonic_us());
	if (is_ready(p) || monotonic_us() > p->end_us)
		loop_stop(p->loop);
}

static void settle(struct probe *p)
{
	json_t *problems;
	char *text;

	p->reason[0] = '\0';
	p->end_us = monotonic_us() + SETTLE_US;
	loop_run(p->loop);
	if (is_ready(p)) {
		printf("ok\n");
		return;
	}
	problems = reconcile_problems(p->rec);
	text = json_dumps(problems, JSON_COMPACT);
	printf("failed: %s %s\n", p->reason, text);
	free(text);
	json_decref(problems);
}

static void on_audit(void *arg, int rc, const json_t *differences, const struct err *err)
{
	struct probe *p = arg;

	p->differences = rc < 0 ? json_null() : json_deep_copy(differences);
}

static void audit(struct probe *p, bool repair)
{
	char *text;

	p->end_us = monotonic_us() + SETTLE_US;
	reconcile_audit(p->rec, repair, on_audit, p);
	while (!p->differences && monotonic_us() < p->end_us)
		loop_run(p->loop);
	text = p->differences ? json_dumps(p->differences, JSON_COMPACT | JSON_ENCODE_ANY) : NULL;
	printf("ok %s\n", text ? text : "never answered");
	free(text);
	json_decref(p->differences);
	p->differences = NULL;
}

// ---- commands ----

static json_t *parse_options(char *text)
{
	json_t *options = json_object();

	for (char *word = strtok(text, " \n"); word; word = strtok(NULL, " \n")) {
		char *value = strchr(word, '=');

		*value = '\0';
		json_object_set_new(options, word, json_string(value + 1));
	}
	return options;
}

// Other options of one that is there are of its inside.
static void change_own(struct local_endpoint *own, json_t *options)
{
	struct err err = {0};

	json_decref(own->rec.options);
	own->rec.options = options;
	if (sandbox_kernel.ops->configure(&sandbox_kernel, own, &err) < 0)
		printf("failed: %s\n", err.reason);
	else
		printf("ok\n");
}

static void add_own(struct probe *p, unsigned net, unsigned n, char *options)
{
	struct local_endpoint *own = &p->own[n % OWN_MAX];
	struct err err = {0};

	if (p->used[n % OWN_MAX]) {
		change_own(own, parse_options(options));
		return;
	}
	*own = (struct local_endpoint){.net = record_net_find(&p->replica, net)};
	own->rec = record_endpoint_of(n, 0, n, n);
	if (sandbox_kernel.ops->find(&sandbox_kernel, own->rec.sandbox, &own->netns, &err) < 0 ||
		sandbox_kernel.ops->ifname(
			&sandbox_kernel, own->rec.sandbox, NULL, 0, own->rec.ifname, &err) < 0) {
		printf("failed: %s\n", err.reason);
		return;
	}
	own->rec.options = parse_options(options);
	LIST_INSERT_HEAD(&own->net->local_endpoints, own, of_net);
	own->net->nb_local++;
	p->used[n % OWN_MAX] = true;
	reconcile_endpoint_add(p->rec, own);
	settle(p);
}

static void del_own(struct probe *p, unsigned n)
{
	p->own[n % OWN_MAX].state = ENDPOINT_STOPPING;
	reconcile_endpoint_del(p->rec, &p->own[n % OWN_MAX]);
	settle(p);
}

static void remotes(struct probe *p, unsigned net, unsigned first, unsigned count, unsigned host)
{
	for (unsigned n = first; n < first + count; n++) {
		struct endpoint_record rec = record_endpoint_of(n, host, n, n);

		if (host)
			record_endpoint(&p->replica, net, &rec);
		else
			record_endpoint_gone(&p->replica, net, n);
	}
	settle(p);
}

static void wait_for_switch(struct probe *p)
{
	unsigned before = p->nb_up;

	p->end_us = monotonic_us() + SETTLE_US;
	while (p->nb_up == before && monotonic_us() < p->end_us)
		loop_run(p->loop);
	settle(p);
}

static void carry_out(struct probe *p, char *line)
{
	unsigned a, b, c, d;
	char text[64];
	int at = 0;

	if (sscanf(line, "host %u %63s", &a, text) == 2) {
		struct ip_addr vtep = record_ip("%s", text);

		record_host(&p->replica, a, &vtep);
		settle(p);
	} else if (sscanf(line, "net %u %63s", &a, text) == 2 || sscanf(line, "net %u", &a) == 1) {
		record_net(&p->replica, a, strchr(line + 4, ' ') ? text : NULL);
		settle(p);
	} else if (sscanf(line, "remote %u %u %u %u", &a, &b, &c, &d) == 4) {
		remotes(p, a, b, c, d);
	} else if (sscanf(line, "gone %u %u %u", &a, &b, &c) == 3) {
		remotes(p, a, b, c, 0);
	} else if (sscanf(line, "own %u %u%n", &a, &b, &at) >= 2) {
		add_own(p, a, b, line + at);
	} else if (sscanf(line, "del %u", &a) == 1) {
		del_own(p, a);
	} else if (!strncmp(line, "wait", 4)) {
		wait_for_switch(p);
	} else {
		audit(p, !strncmp(line, "repair", 6));
	}
}

int main(int argc, char **argv)
{
	struct probe p = {.loop = loop_new()};
	const struct replica_observer observer = {
		.host = on_host, .net = on_net, .endpoint = on_endpoint, .arg = &p};
	struct reconcile_opts opts = {.replica = &p.replica,
		.self = "h0",
		.on_port = on_port,
		.on_port_gone = on_port_gone,
		.on_port_down = on_port_down,
		.on_state = on_state,
		.arg = &p};
	struct reconcile_tunnel tunnel = {.udp_port = 4789, .heartbeat_ms = 1000};
	char *line = NULL;
	size_t size = 0;

	if (argc != 3 || replica_init(&p.replica, &observer) < 0 ||
		switch_conn_new(p.loop, argv[1], &p.sw, NULL) < 0)
		return 2;
	opts.sw = p.sw;
	tunnel.address = record_ip("%s", argv[2]);
	if (reconcile_new(&opts, &p.rec, NULL) < 0 || !loop_add_timer(p.loop, STEP_US, on_tick, &p))
		return 2;
	reconcile_set_tunnel(p.rec, &tunnel);
	reconcile_ready(p.rec);
	setlinebuf(stdout);
	while (getline(&line, &size, stdin) > 0 && strcmp(line, "quit\n") != 0)
		carry_out(&p, line);
	free(line);
	reconcile_free(p.rec);
	switch_conn_free(p.sw);
	p.replica.observer = (struct replica_observer){0};
	replica_fini(&p.replica);
	for (unsigned i = 0; i < OWN_MAX; i++) {
		if (p.used[i])
			json_decref(p.own[i].rec.options);
	}
	loop_free(p.loop);
	return 0;
}
