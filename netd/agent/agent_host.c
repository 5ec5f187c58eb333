// SPDX-License-Identifier: BSD-3-Clause
// This host's identity, and its record, which hangs on its lease.
#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "netd/agent/agent_priv.h"

#define SEQ_STEP 64 // numbers that are kept ahead: most connects write nothing for theirs

// ---- identity ----

static void load_identity(void *arg, const char *key, const char *value, size_t len_bytes)
{
	struct agent *a = arg;

	static_assert(NAME_BYTES == 64 && MACHINE_BYTES == 40, "the widths below");
	// A version of before kept three of these: then numbers up to `seq` may have been used.
	if (sscanf(value, "%32[0-9a-f] %" SCNu64 " %" SCNu64 " %" SCNu64 " %63s %39s", a->host_id,
		    &a->epoch, &a->seq, &a->generation, a->name, a->machine) < 4)
		a->generation = a->seq;
	// A folder that was lost has the generation from the store, and no number of its own yet.
	a->seq = MAX_OF(a->seq, a->generation);
	a->kept_generation = a->generation;
}

static int save_identity(struct agent *a)
{
	char value[ID_BYTES + NAME_BYTES + MACHINE_BYTES + 72];
	int len = snprintf(value, sizeof(value), "%s %" PRIu64 " %" PRIu64 " %" PRIu64 " %s %s",
		a->host_id, a->epoch, a->seq_kept, a->generation, a->name,
		a->machine[0] ? a->machine : "-");

	return agent_state_put(a, "host", value, len);
}

int agent_host_load(struct agent *a, struct err *err)
{
	int rc = a->opts.local->ops->each(a->opts.local, "host", load_identity, a);

	if (rc == 0 && !a->host_id[0])
		agent_make_id(a, a->host_id);
	a->epoch++;
	a->seq_kept = a->seq;
	return rc < 0 ? err_set_errno(err, rc, "state", "the host's identity cannot be read") : 0;
}

// A version of before did not keep the name.
static void find_name(struct agent *a)
{
	for (const struct replica_host *h = a->replica.hosts; h && !a->name[0]; h = h->hh.next) {
		if (h->known && !strcmp(h->rec.id, a->host_id))
			snprintf(a->name, NAME_BYTES, "%s", h->rec.name);
	}
	if (!a->name[0])
		snprintf(a->name, NAME_BYTES, "%s", a->conf->host);
}

// Under another name the cluster would take the endpoints for those of a host that is gone.
static int check_name(struct agent *a, struct err *err)
{
	unsigned nb_endpoints = 0;

	if (!strcmp(a->name, a->conf->host))
		return 0;
	for (const struct local_endpoint *le = a->endpoints; le; le = le->hh.next)
		nb_endpoints += !le->net->local && !endpoint_is_ending(le);
	if (nb_endpoints)
		return err_set(err, -EINVAL, "host",
			"this is host %s now, but the state folder is that of host %s, whose %u "
			"endpoints would be lost to the cluster; start vsnetd with its old name "
			"(host: %s), or do that, disconnect them and start again as %s",
			a->conf->host, a->name, nb_endpoints, a->name, a->conf->host);
	log_info("host %s is called %s from now on", a->name, a->conf->host);
	return 0;
}

// The folder was copied to another machine, which is another member of the cluster.
static void check_machine(struct agent *a)
{
	const char *machine = a->opts.machine ? a->opts.machine : "";

	if (machine[0] && a->machine[0] && strcmp(a->machine, "-") != 0 &&
		strncmp(a->machine, machine, MACHINE_BYTES - 1) != 0) {
		log_warn("state: it was copied from another machine (machine-id %s): this one gets "
			 "an identity of its own",
			a->machine);
		agent_make_id(a, a->host_id);
	}
	if (machine[0])
		snprintf(a->machine, MACHINE_BYTES, "%s", machine);
}

int agent_host_claim(struct agent *a, struct err *err)
{
	int rc;

	find_name(a);
	rc = check_name(a, err);
	if (rc < 0)
		return rc;
	snprintf(a->name, NAME_BYTES, "%s", a->conf->host);
	check_machine(a);
	rc = save_identity(a);
	return rc < 0 ? err_set_errno(err, rc, "state", "the host's identity cannot be kept") : 0;
}

void agent_generation_set(struct agent *a, uint64_t generation)
{
	a->generation = generation;
	if (a->name[0]) // else all of it is saved in a moment
		save_identity(a);
}

uint64_t agent_next_seq(struct agent *a)
{
	a->seq++;
	if (a->seq > a->seq_kept) {
		a->seq_kept = a->seq + SEQ_STEP;
		if (a->name[0])
			save_identity(a);
	}
	return a->seq;
}

// ---- this host's record ----

void agent_lease_changed(void *arg, enum kv_lease_state state)
{
	struct agent *a = arg;

	if (state == KV_LEASE_LOST) {
		log_warn(
			"store: the lease of host %s has expired; others see it as suspended until "
			"it is back",
			a->conf->host);
		if (!a->lease_lost_us)
			a->lease_lost_us = agent_now(a);
	}
	a->host_write = (struct retry){.busy = a->host_write.busy};
	a->dirty = true;
	agent_kick(a);
}

static bool is_written(const struct replica_host *host, const struct host_record *want)
{
	const struct host_record *rec = &host->rec;

	return host->present && !strcmp(rec->id, want->id) && ip_equal(&rec->vtep, &want->vtep) &&
	       rec->udp_port == want->udp_port && rec->mtu == want->mtu &&
	       rec->epoch == want->epoch;
}

static void set_problem(struct agent *a, const struct replica_host *host)
{
	char ip[IP_TEXT_BYTES], text[sizeof(a->host_problem)] = "";

	if (host)
		snprintf(text, sizeof(text),
			"another machine, at %s, has the name %s in this store; give one of them "
			"another "
			"name (host:)",
			ip_format(&host->rec.vtep, ip), host->rec.name);
	if (text[0] && strcmp(text, a->host_problem))
		log_error("host %s: %s", a->conf->host, text);
	snprintf(a->host_problem, sizeof(a->host_problem), "%s", text);
}

static void on_host_written(void *arg, int rc, uint64_t revision)
{
	struct agent *a = arg;

	// Until the watch shows it there is no need to look again; if it never does, there is.
	retry_done(&a->host_write, rc == 0 ? -EAGAIN : rc, agent_now(a));
	if (rc < 0 && rc != -ESTALE)
		log_debug("store: the record of host %s: %s", a->conf->host, kv_reason(a->opts.kv));
}

// Another machine that is there under this host's name.
static const struct replica_host *find_same_name(struct agent *a)
{
	for (const struct replica_host *h = a->replica.hosts; h; h = h->hh.next) {
		if (h->present && record_name_same(h->rec.name, a->conf->host) &&
			strcmp(h->rec.id, a->host_id) != 0)
			return h;
	}
	return NULL;
}

static void write_host(struct agent *a, uint64_t now_us)
{
	struct host_record want = {.vtep = a->vtep,
		.udp_port = a->conf->udp_port,
		.mtu = a->conf->mtu,
		.epoch = a->epoch};
	struct replica_host *host = replica_host(&a->replica, a->conf->host);
	const struct replica_host *other;
	char key[RECORD_KEY_BYTES], *text;
	struct kv_op op;

	snprintf(want.name, sizeof(want.name), "%s", a->conf->host);
	snprintf(want.id, sizeof(want.id), "%s", a->host_id);
	other = find_same_name(a);
	if (other) {
		set_problem(a, other);
		return;
	}
	set_problem(a, NULL);
	if (host && is_written(host, &want)) {
		a->host_write.wait_us = 0;
		return;
	}
	if (!retry_due(&a->host_write, now_us))
		return;
	text = host_record_print(&want);
	if (!text)
		return;
	retry_start(&a->host_write);
	// Guarded as well: another machine may have come under this name, and the watch tells
	// later.
	op = (struct kv_op){.action = KV_PUT,
		.guard = host && host->present ? KV_REVISION : KV_ABSENT,
		.key = record_key_host(key, want.name),
		.value = text,
		.len_bytes = strlen(text),
		.revision = host ? host->revision : 0,
		.lease = a->lease};
	kv_txn(a->opts.kv, &op, 1, on_host_written, a);
	free(text);
}

void agent_host_run(struct agent *a, uint64_t now_us)
{
	if (agent_is_current(a) && kv_lease_is_held(a->lease))
		write_host(a, now_us);
}
