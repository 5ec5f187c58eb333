// SPDX-License-Identifier: BSD-3-Clause
// Networks that nobody asks for at the moment, and that are to exist: those of this host, which are
// on its disk; those that each host has; those that the store has lost; those of the configuration.
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "netd/agent/agent_priv.h"

#define LOCAL_NET "net/"

// ---- networks of this host, on disk ----

int agent_network_save(struct agent *a, const struct network_record *rec)
{
	char key[NAME_BYTES + sizeof(LOCAL_NET)], *text = network_record_print(rec);
	int rc;

	if (!text)
		return -ENOMEM;
	snprintf(key, sizeof(key), LOCAL_NET "%s", rec->name);
	rc = agent_state_put(a, key, text, strlen(text));
	free(text);
	return rc;
}

static void load_local(void *arg, const char *key, const char *value, size_t len_bytes)
{
	struct agent *a = arg;
	char net_key[RECORD_KEY_BYTES];
	struct network_record rec;
	struct err err = {0};
	char text[sizeof(err.path) + sizeof(err.reason) + 4];

	record_key_network(net_key, key + strlen(LOCAL_NET));
	if (network_record_parse(net_key, value, len_bytes, &rec, &err) < 0)
		log_error("state: %s", err_text(&err, text, sizeof(text)));
	else if (replica_net_set(&a->replica, &rec, true, 0) < 0)
		network_record_fini(&rec);
}

int agent_network_forget(struct agent *a, const struct network_record *rec)
{
	char key[NAME_BYTES + sizeof(LOCAL_NET)];

	snprintf(key, sizeof(key), LOCAL_NET "%s", rec->name);
	return agent_state_del(a, key);
}

static int make_predefined(struct agent *a, const char *name, const char *driver)
{
	struct network_record rec = {.labels = json_object(), .options = json_object()};
	int rc;

	snprintf(rec.name, sizeof(rec.name), "%s", name);
	snprintf(rec.driver, sizeof(rec.driver), "%s", driver);
	agent_make_id(a, rec.id);
	agent_created(rec.created);
	rc = agent_network_save(a, &rec);
	if (rc == 0)
		rc = replica_net_set(&a->replica, &rec, true, 0);
	if (rc < 0)
		network_record_fini(&rec);
	return rc;
}

int agent_network_load(struct agent *a, struct err *err)
{
	int rc = a->opts.local->ops->each(a->opts.local, LOCAL_NET, load_local, a);
	const char *name, *driver;

	for (unsigned i = 0; rc == 0 && (name = network_predefined(i, &driver)); i++) {
		if (!replica_net(&a->replica, name))
			rc = make_predefined(a, name, driver);
	}
	return rc < 0 ? err_set_errno(err, rc, "state", "networks cannot be read") : 0;
}

// ---- networks that the store has lost ----

static void on_kept_written(void *arg, int rc, uint64_t revision)
{
	struct agent *a = arg;

	retry_done(&a->net_write, rc, agent_now(a));
	if (rc == 0) {
		// The watch tells of it soon, and then comes the next one. There is time for all.
		a->net_write.next_us = agent_now(a) + RETRY_MIN_US;
		a->purge_at_us = agent_now(a) + a->conf->grace_s * SECOND_US;
	}
	a->dirty = true;
	agent_kick(a);
}

// Another network that the store has got its VNI meanwhile.
static bool has_lost_vni(struct agent *a, const struct replica_net *net)
{
	for (struct replica_net *other = a->replica.nets; other; other = other->hh.next) {
		if (other->known && other->seen && other->rec.vni && other->rec.vni == net->rec.vni)
			return true;
	}
	return false;
}

// A store that was lost gets its networks back from whoever knows them; the first one is enough.
static void put_back(struct agent *a)
{
	struct err err = {0};
	char text[sizeof(err.path) + sizeof(err.reason) + 4];

	for (struct replica_net *net = a->replica.nets; net; net = net->hh.next) {
		if (!net->known || net->local || net->seen)
			continue;
		if (!has_lost_vni(a, net)) {
			agent_network_write(a, &a->net_write, on_kept_written, a, &net->rec, NULL);
			return;
		}
		net_error(&err, -EEXIST, net->rec.name,
			"its VNI was given to another network while the store was lost; it stays "
			"on this host until the grace period ends");
	}
	if (!err.code)
		return;
	log_error("%s", err_text(&err, text, sizeof(text)));
	retry_done(&a->net_write, -EEXIST, agent_now(a));
}

// ---- networks of the configuration ----

static void on_configured(void *arg, int rc, json_t *result, const struct err *err)
{
	struct agent_conf_net *cn = arg;
	char text[sizeof(err->path) + sizeof(err->reason) + 4];

	bool again = rc == -ECONNREFUSED || rc == -ETIMEDOUT;

	// -EEXIST by name is another host's, which was first.
	if (rc < 0 && !again && rc != -ESHUTDOWN)
		log_error("%s", err_text(err, text, sizeof(text)));
	cn->busy = false;
	cn->done = !again;
}

static void make_configured(struct agent *a)
{
	for (unsigned i = 0; i < a->conf->nb_networks; i++) {
		struct agent_conf_net *cn = &a->conf_nets[i];
		const struct network_record *want = &a->conf->networks[i];

		if (cn->done || cn->busy || (!network_is_local(want) && !agent_is_current(a)))
			continue;
		cn->busy = true;
		agent_set_wait(a, 0);
		if (replica_net_by_name(&a->replica, want->name))
			cn->done = true;
		else
			agent_network_create(a, want, on_configured, cn);
	}
}

void agent_network_run(struct agent *a, uint64_t now_us)
{
	if (a->conf->nb_networks)
		make_configured(a);
	if (!agent_networks_are_current(a) || !a->purge_at_us || !retry_due(&a->net_write, now_us))
		return;
	put_back(a);
}
