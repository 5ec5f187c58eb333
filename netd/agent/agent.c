// SPDX-License-Identifier: BSD-3-Clause
#include "netd/agent/agent.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#include "base/log.h"
#include "netd/agent/agent_priv.h"

uint64_t agent_now(const struct agent *a)
{
	return a->opts.now_us(a->opts.now_arg);
}

// splitmix64 (Steele, Lea, Flood 2014): identifiers need to differ, not to be secret.
uint64_t agent_random(struct agent *a)
{
	uint64_t z = a->random += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return z ^ (z >> 31);
}

void agent_make_id(struct agent *a, char id[ID_BYTES])
{
	uint64_t high = agent_random(a), low = agent_random(a);

	snprintf(id, ID_BYTES, "%016llx%016llx", (unsigned long long)high, (unsigned long long)low);
}

void agent_created(char text[32])
{
	time_t now = time(NULL);
	struct tm tm;

	gmtime_r(&now, &tm);
	strftime(text, 32, "%Y-%m-%dT%H:%M:%SZ", &tm);
}

void agent_event(struct agent *a, const char *name, json_t *data)
{
	if (a->opts.event)
		a->opts.event(a->opts.event_arg, name, data);
	json_decref(data);
}

bool agent_is_member(struct agent *a)
{
	struct replica_host *host = replica_host(&a->replica, a->conf->host);

	return agent_is_current(a) && host && host->present && !strcmp(host->rec.id, a->host_id);
}

bool agent_can_write(const struct agent *a)
{
	return a->synced && a->store_up;
}

bool agent_is_current(const struct agent *a)
{
	return agent_can_write(a) && !a->beginning;
}

const char *agent_store_reason(const struct agent *a)
{
	const char *reason = kv_reason(a->opts.kv);

	return a->store_up && !a->synced ? "it is being read"
	       : reason && *reason	 ? reason
					 : "no answer";
}

void retry_start(struct retry *retry)
{
	retry->busy = true;
}

void retry_done(struct retry *retry, int rc, uint64_t now_us)
{
	retry->busy = false;
	if (rc == 0) {
		retry->wait_us = 0;
		retry->next_us = 0;
		return;
	}
	retry->wait_us = MIN_OF(MAX_OF(retry->wait_us * 2, RETRY_MIN_US), RETRY_MAX_US);
	retry->next_us = now_us + retry->wait_us;
}

void *pending_new(struct agent *a, size_t size_bytes)
{
	struct pending *pending = calloc(1, size_bytes);

	if (!pending)
		return NULL;
	pending->a = a;
	LIST_INSERT_HEAD(&a->pending, pending, entry);
	return pending;
}

void pending_free(struct pending *pending)
{
	LIST_REMOVE(pending, entry);
	free(pending);
}

// ---- requests that wait ----

void agent_set_wait(struct agent *a, unsigned wait_ms)
{
	a->wait_ms = wait_ms;
}

// Before the caller has gone, so that the reason reaches it.
static uint64_t deadline_of(const struct agent *a)
{
	uint64_t wait_us = (a->wait_ms ? a->wait_ms : AGENT_WAIT_MS) * UINT64_C(1000);

	return agent_now(a) + wait_us - MIN_OF(wait_us / 4, SECOND_US);
}

void request_add(struct agent *a, struct request *req, agent_done_fn *done, void *done_arg)
{
	req->number = ++a->last_request;
	req->done = done;
	req->done_arg = done_arg;
	req->deadline_us = deadline_of(a);
	LIST_INSERT_HEAD(&a->requests, req, entry);
	req->run(a, req, agent_now(a));
}

struct request *request_find(struct agent *a, uint64_t number)
{
	struct request *req;

	LIST_FOREACH (req, &a->requests, entry) {
		if (req->number == number)
			return req;
	}
	return NULL;
}

bool request_answer(struct agent *a, struct request *req, int rc, json_t *result, struct err *err)
{
	LIST_REMOVE(req, entry);
	if (req->done)
		req->done(req->done_arg, rc, result, err);
	json_decref(result);
	if (req->free)
		req->free(req);
	free(req);
	return true;
}

void agent_request_run(struct agent *a, uint64_t now_us)
{
	struct request *req = LIST_FIRST(&a->requests);

	while (req) {
		struct request *next = LIST_NEXT(req, entry);

		req->run(a, req, now_us);
		req = next;
	}
}

// ---- what the replica tells ----

static void on_host(void *arg, struct replica_host *host, const struct host_record *old)
{
	struct agent *a = arg;
	bool is_self = !strcmp(host->rec.name, a->conf->host);

	if (!is_self && host->known && (!old || !ip_equal(&old->vtep, &host->rec.vtep)))
		reconcile_host(a->rec, host, old ? &old->vtep : &(struct ip_addr){0});
	if ((!old || !ip_equal(&old->vtep, &host->rec.vtep)) && agent_tunnel_is_odd(a, host))
		log_error("host %s: no tunnel goes there: its address is of another family than "
			  "this host's, or the same; see `vsctl net-status`",
			host->rec.name);
	agent_names_host(a, host);
	if (is_self)
		a->dirty = true;
	else if (host->known)
		agent_event(a, host->present ? "host.present" : "host.suspended",
			json_pack("{s:s}", "host", host->rec.name));
}

static void on_host_gone(void *arg, struct replica_host *host)
{
	agent_names_host_gone(arg, host);
}

static void on_net(void *arg, struct replica_net *net, bool gone)
{
	struct agent *a = arg;

	agent_names_net(a, net);
	agent_dns_net(a, net);
	if (!gone) {
		agent_net_known(a, net);
		agent_endpoint_net_known(a, net);
		reconcile_net(a->rec, net);
		a->net_write.next_us = 0; // if it was put back
	} else if (!net->nb_local) {
		// With endpoints of this host in it, these go first.
		reconcile_net_gone(a->rec, net);
		agent_dns_gateway_down(a, net);
		agent_net_drop(a, net);
	}
	if (net->rec.name[0])
		agent_event(a, gone ? "network.gone" : "network.known",
			json_pack("{s:s, s:s}", "network", net->rec.name, "id", net->id));
	a->dirty = true;
}

static void on_block(void *arg, struct replica_block *block, bool gone)
{
	agent_block_changed(arg, block, gone);
}

static void on_endpoint(
	void *arg, struct replica_endpoint *ep, const struct endpoint_record *old, bool gone)
{
	struct agent *a = arg;

	if (!gone)
		agent_use_ips(ep->net, &ep->rec);
	if (old)
		agent_release_ips(a, ep->net, old);
	else if (gone)
		agent_release_ips(a, ep->net, &ep->rec);
	agent_endpoint_remote_changed(a, ep, gone);
	agent_names_remote(a, ep, gone);
	reconcile_remote(a->rec, ep, old, gone);
}

static void on_switch_state(void *arg, bool up)
{
	struct agent *a = arg;

	a->switch_up = up;
	a->switch_since_us = agent_now(a);
	agent_event(a, up ? "switch.up" : "switch.down", json_object());
	a->dirty = true;
	agent_kick(a);
}

// ---- life ----

static int agent_load(struct agent *a, struct err *err)
{
	int rc = agent_host_load(a, err);

	if (rc == 0)
		rc = agent_network_load(a, err);
	if (rc == 0)
		rc = agent_store_load(a, err);
	if (rc == 0)
		rc = agent_endpoint_load(a, err);
	if (rc == 0)
		rc = agent_pool_load(a, err);
	if (rc == 0)
		rc = agent_host_claim(a, err);
	return rc;
}

static int agent_start(struct agent *a, struct err *err)
{
	const struct reconcile_opts opts = {.sw = a->opts.sw,
		.replica = &a->replica,
		.self = a->conf->host,
		.on_port = agent_port,
		.on_port_gone = agent_port_gone,
		.on_port_down = agent_port_down,
		.on_gateway = agent_gateway,
		.on_state = on_switch_state,
		.arg = a};
	int rc = reconcile_new(&opts, &a->rec, err);

	if (rc == 0)
		rc = agent_load(a, err);
	if (rc == 0)
		rc = agent_store_start(a, err);
	if (rc < 0)
		return rc;
	agent_set_vtep(a, &a->opts.vtep);
	// Without its state this host does not know yet what in the switch is wanted. Its state may
	// be older than the store: that is waited for a moment.
	if (!a->fresh)
		a->ready_at_us = agent_now(a) + STORE_WAIT_US;
	return 0;
}

int agent_new(const struct agent_opts *opts, struct agent **ret_agent, struct err *err)
{
	struct agent *a = calloc(1, sizeof(*a));
	const struct replica_observer observer = {.host = on_host,
		.host_gone = on_host_gone,
		.net = on_net,
		.block = on_block,
		.endpoint = on_endpoint,
		.arg = a};
	int rc;

	if (!a)
		return err_set(err, -ENOMEM, NULL, "out of memory");
	a->opts = *opts;
	a->conf = opts->conf;
	a->random = opts->seed;
	LIST_INIT(&a->requests);
	LIST_INIT(&a->dns_gateways);
	LIST_INIT(&a->pools);
	a->conf_nets = calloc(MAX_OF(a->conf->nb_networks, 1), sizeof(*a->conf_nets));
	if (!opts->seed && getrandom(&a->random, sizeof(a->random), 0) != sizeof(a->random))
		a->random = agent_now(a);
	a->store_up = kv_is_up(opts->kv);
	a->store_since_us = a->switch_since_us = agent_now(a);
	rc = replica_init(&a->replica, &observer);
	if (rc == 0 && a->conf_nets)
		rc = agent_start(a, err);
	else
		rc = err_set(err, -ENOMEM, NULL, "out of memory");
	if (rc < 0) {
		agent_free(a);
		return rc;
	}
	*ret_agent = a;
	return 0;
}

static void free_requests(struct agent *a)
{
	struct request *req;
	struct err err = {0};

	err_set(&err, -ESHUTDOWN, "vsnetd", "is stopping");
	while ((req = LIST_FIRST(&a->requests)))
		request_answer(a, req, -ESHUTDOWN, NULL, &err);
}

void agent_free(struct agent *a)
{
	if (!a)
		return;
	free_requests(a);
	kv_unwatch(a->watch);
	kv_lease_free(a->lease, false);
	agent_dns_free_all(a);
	reconcile_free(a->rec);
	agent_endpoint_free_all(a);
	agent_pool_free_all(a);
	agent_net_free_all(a);
	agent_problem_free_all(a);
	a->replica.observer = (struct replica_observer){0};
	replica_fini(&a->replica);
	while (!LIST_EMPTY(&a->pending))
		pending_free(LIST_FIRST(&a->pending));
	free(a->conf_nets);
	free(a);
}

void agent_set_vtep(struct agent *a, const struct ip_addr *vtep)
{
	const struct reconcile_tunnel tunnel = {.address = *vtep,
		.udp_port = a->conf->udp_port,
		.mtu = a->conf->mtu,
		.heartbeat_ms = a->conf->heartbeat_s * 1000};

	a->vtep = *vtep;
	agent_names_self(a);
	reconcile_set_tunnel(a->rec, &tunnel);
	a->dirty = true;
	agent_kick(a);
}

void agent_store_state(struct agent *a, bool up, const char *reason)
{
	bool is_change = up != a->store_up;

	// One that has never answered is told of, too: its reason may be a wrong password.
	if (!is_change && (up || a->store_told))
		return;
	if (is_change)
		a->store_since_us = agent_now(a);
	a->store_up = up;
	a->store_told = !up;
	a->healthy_since_us = 0;
	if (up)
		log_info("store: it answers");
	else
		log_warn("store: %s: what is there goes on", reason ? reason : "no answer");
	if (!is_change)
		return;
	agent_event(a, up ? "store.up" : "store.down",
		json_pack("{s:s*}", "reason", up ? NULL : reason));
	a->dirty = true;
	agent_kick(a);
}

static void run_all(struct agent *a, uint64_t now_us)
{
	agent_store_run(a, now_us);
	agent_host_run(a, now_us);
	agent_gone_run(a, now_us);
	agent_network_run(a, now_us);
	agent_block_run(a, now_us);
	agent_request_run(a, now_us);
	agent_endpoint_run(a, now_us);
	agent_gateway_run(a, now_us);
	agent_inside_run(a, now_us);
	agent_dns_run(a, now_us);
	agent_problem_run(a, now_us);
	if (a->ready_at_us && now_us >= a->ready_at_us) {
		a->ready_at_us = 0;
		reconcile_ready(a->rec);
	}
	reconcile_run(a->rec, now_us);
}

void agent_kick(struct agent *a)
{
	if (a->running || !a->rec)
		return;
	a->running = true;
	// What one part does may be news to another. A few rounds are enough; the rest has time.
	for (unsigned i = 0; i < 4 && a->dirty; i++) {
		a->dirty = false;
		run_all(a, agent_now(a));
	}
	reconcile_run(a->rec, agent_now(a));
	a->running = false;
}

void agent_run(struct agent *a)
{
	a->dirty = true;
	agent_kick(a);
}
