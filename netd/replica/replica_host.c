// SPDX-License-Identifier: BSD-3-Clause
// Hosts.
#include <errno.h>
#include <stdlib.h>

#include "netd/replica/replica_priv.h"

static void tell_host(struct replica *r, struct replica_host *host, const struct host_record *old)
{
	if (r->observer.host)
		r->observer.host(r->observer.arg, host, old);
}

struct replica_host *replica_host(struct replica *r, const char *name)
{
	struct replica_host *host;

	HASH_FIND_STR(r->hosts, name, host);
	return host;
}

struct replica_host *replica_host_make(struct replica *r, const char *name, uint64_t now_us)
{
	struct replica_host *host = replica_host(r, name);

	if (host)
		return host;
	host = calloc(1, sizeof(*host));
	if (!host)
		return NULL;
	strcpy(host->rec.name, name);
	host->absent_since_us = now_us;
	HASH_ADD_STR(r->hosts, rec.name, host);
	return host;
}

void replica_host_tidy(struct replica *r, struct replica_host *host)
{
	if (!host || host->present || !LIST_EMPTY(&host->endpoints) || !LIST_EMPTY(&host->blocks))
		return;
	if (r->observer.host_gone)
		r->observer.host_gone(r->observer.arg, host);
	HASH_DEL(r->hosts, host);
	free(host);
}

void replica_host_absent(struct replica *r, struct replica_host *host, uint64_t now_us)
{
	if (host->present) {
		host->present = false;
		host->absent_since_us = now_us;
		host->revision = 0;
		tell_host(r, host, &host->rec);
	}
	replica_host_tidy(r, host);
}

// Its lease is held, which is what the key says, whatever its value is.
static void host_present(struct replica_host *host, uint64_t revision)
{
	host->revision = revision;
	host->present = host->seen = true;
	host->absent_since_us = 0;
	host->kept = false;
}

// Of a newer version, maybe: the host must not be taken for one that is gone.
static int host_unreadable(struct replica *r, struct replica_host *host, uint64_t revision)
{
	bool was_present = host->present;

	host_present(host, revision);
	if (!was_present)
		tell_host(r, host, host->known ? &host->rec : NULL);
	return -EBADMSG;
}

int replica_host_apply(struct replica *r, const struct replica_change *c)
{
	struct replica_host *host = replica_host(r, c->k.name);
	struct host_record rec, old;
	struct err err = {0};
	bool was_known;
	int rc;

	if (!c->value) {
		if (host)
			replica_host_absent(r, host, c->now_us);
		return 0;
	}
	rc = host_record_parse(c->key, c->value, c->len_bytes, &rec, &err);
	if (rc < 0 && replica_skip(r, c->key, &err) == -ENOMEM)
		return -ENOMEM;
	if (!host && !(host = replica_host_make(r, c->k.name, c->now_us)))
		return -ENOMEM;
	if (rc < 0)
		return host_unreadable(r, host, c->revision);
	old = host->rec;
	was_known = host->known;
	host->rec = rec;
	host->known = true;
	host_present(host, c->revision);
	tell_host(r, host, was_known ? &old : NULL);
	return 0;
}
