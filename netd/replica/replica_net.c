// SPDX-License-Identifier: BSD-3-Clause
// Networks.
#include <errno.h>
#include <stdlib.h>

#include "netd/replica/replica_priv.h"

static void tell_net(struct replica *r, struct replica_net *net, bool gone)
{
	if (r->observer.net)
		r->observer.net(r->observer.arg, net, gone);
}

struct replica_net *replica_net_by_id(struct replica *r, const char *id)
{
	struct replica_net *net;

	HASH_FIND_STR(r->nets, id, net);
	return net;
}

struct replica_net *replica_net_make(struct replica *r, const char *id)
{
	struct replica_net *net = replica_net_by_id(r, id);

	if (net || strlen(id) >= sizeof(net->id))
		return net;
	net = calloc(1, sizeof(*net));
	if (!net)
		return NULL;
	net->replica = r;
	strcpy(net->id, id);
	HASH_ADD_STR(r->nets, id, net);
	return net;
}

void replica_net_tidy(struct replica *r, struct replica_net *net)
{
	if (net->known || !LIST_EMPTY(&net->endpoints) || !LIST_EMPTY(&net->blocks) ||
		!LIST_EMPTY(&net->local_endpoints) || net->agent || net->reconcile)
		return;
	HASH_DEL(r->nets, net);
	free(net);
}

static struct replica_net **names_of(struct replica *r, bool local)
{
	return local ? &r->local_by_name : &r->nets_by_name;
}

struct replica_net *replica_net_named(struct replica *r, bool local, const char *name)
{
	struct replica_net *net;

	HASH_FIND(hh_name, *names_of(r, local), name, strlen(name), net);
	return net;
}

static struct replica_net *net_by_start(struct replica *r, const char *start)
{
	struct replica_net *net, *next, *found = NULL;
	size_t len = strlen(start);

	if (len == 0)
		return NULL;
	HASH_ITER(hh, r->nets, net, next)
	{
		if (!net->known || strncmp(net->id, start, len) != 0)
			continue;
		if (found)
			return NULL;
		found = net;
	}
	return found;
}

struct replica_net *replica_net_by_name(struct replica *r, const char *name)
{
	struct replica_net *net = replica_net_named(r, true, name);

	if (net || (net = replica_net_named(r, false, name)))
		return net;
	for (net = r->nets; net; net = net->hh.next) {
		if (net->known && record_name_same(net->rec.name, name))
			break;
	}
	return net;
}

struct replica_net *replica_net(struct replica *r, const char *name_or_id)
{
	struct replica_net *net = replica_net_by_name(r, name_or_id);

	return net ? net : net_by_start(r, name_or_id);
}

int replica_net_set(
	struct replica *r, const struct network_record *rec, bool local, uint64_t revision)
{
	struct replica_net *named = replica_net_named(r, local, rec->name);
	struct replica_net *net = replica_net_by_id(r, rec->id);
	struct replica_net **names = names_of(r, local);
	struct network_record old = {0};

	if (named && named != net)
		return -EEXIST;
	if (net && net->known && (net->local != local || named != net))
		return -EEXIST;
	if (!net && !(net = replica_net_make(r, rec->id)))
		return -ENOMEM;
	if (net->known) {
		HASH_DELETE(hh_name, *names, net);
		old = net->rec;
	}
	net->rec = *rec;
	net->known = net->seen = true;
	net->local = local;
	net->revision = revision;
	HASH_ADD_KEYPTR(hh_name, *names, net->rec.name, strlen(net->rec.name), net);
	tell_net(r, net, false);
	network_record_fini(&old);
	return 0;
}

void replica_net_remove(struct replica *r, struct replica_net *net)
{
	if (net->known) {
		HASH_DELETE(hh_name, *names_of(r, net->local), net);
		net->known = false;
		tell_net(r, net, true);
		network_record_fini(&net->rec);
		net->rec = (struct network_record){0};
		net->revision = 0;
		net->local = false;
	}
	replica_net_tidy(r, net);
}

void replica_net_free(struct replica *r, struct replica_net *net)
{
	if (net->known)
		HASH_DELETE(hh_name, *names_of(r, net->local), net);
	HASH_DEL(r->nets, net);
	network_record_fini(&net->rec);
	free(net);
}

int replica_net_apply(struct replica *r, const struct replica_change *c)
{
	struct replica_net *net = replica_net_named(r, false, c->k.name);
	struct network_record rec;
	struct err err = {0};
	int rc;

	if (!c->value) {
		if (net)
			replica_net_remove(r, net);
		return 0;
	}
	if (net)
		net->seen = true;
	rc = network_record_parse(c->key, c->value, c->len_bytes, &rec, &err);
	if (rc < 0)
		return rc == -ENOMEM ? rc : replica_skip(r, c->key, &err);
	// It was deleted and made again, and only the last of it was told.
	if (net && strcmp(net->id, rec.id) != 0)
		replica_net_remove(r, net);
	rc = replica_net_set(r, &rec, false, c->revision);
	if (rc == 0)
		return 0;
	if (rc == -EEXIST) {
		err_set(&err, -EBADMSG, c->key, "another network has the id %s", rec.id);
		rc = replica_skip(r, c->key, &err);
	}
	network_record_fini(&rec);
	return rc;
}
