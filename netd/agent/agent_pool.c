// SPDX-License-Identifier: BSD-3-Clause
// Subnets that are held on this host before a network has them: an engine chooses the subnet of a
// network first. Other hosts hear of it when the network is made.
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/member.h"
#include "netd/agent/agent_priv.h"

#define LOCAL_POOL "pool/"

struct agent_pool {
	char *id;
	struct subnet subnet;
	json_t *asked; // what a repeat must ask for
	LIST_ENTRY(agent_pool) entry;
};

static int pool_error(struct err *err, int code, const char *id, const char *reason)
{
	char path[CALLER_ID_MAX + 16];

	snprintf(path, sizeof(path), "pool %s", id);
	return err_set(err, code, path, "%s", reason);
}

static struct agent_pool *find(const struct agent *a, const char *id)
{
	struct agent_pool *pool;

	LIST_FOREACH (pool, &a->pools, entry) {
		if (!strcmp(pool->id, id))
			return pool;
	}
	return NULL;
}

static void pool_free(struct agent_pool *pool)
{
	json_decref(pool->asked);
	free(pool->id);
	free(pool);
}

unsigned agent_pool_list(const struct agent *a, struct cidr *ret_cidrs, unsigned max)
{
	struct agent_pool *pool;
	unsigned count = 0;

	LIST_FOREACH (pool, &a->pools, entry) {
		if (count < max)
			ret_cidrs[count] = pool->subnet.cidr;
		count++;
	}
	return count;
}

// ---- for people and programs ----

static const struct replica_net *net_of(const struct agent *a, const struct cidr *cidr)
{
	for (struct replica_net *net = a->replica.nets; net; net = net->hh.next) {
		for (unsigned i = 0; net->known && i < net->rec.nb_subnets; i++) {
			if (cidr_equal(&net->rec.subnets[i].cidr, cidr))
				return net;
		}
	}
	return NULL;
}

static json_t *pool_json(const struct agent *a, const struct agent_pool *pool)
{
	const struct replica_net *net = net_of(a, &pool->subnet.cidr);
	char subnet[CIDR_TEXT_BYTES], range[CIDR_TEXT_BYTES], gateway[IP_TEXT_BYTES];

	return json_pack("{s:s, s:s, s:s, s:s, s:s?}", "id", pool->id, "subnet",
		cidr_format(&pool->subnet.cidr, subnet), "ip_range",
		cidr_format(&pool->subnet.range, range), "gateway",
		ip_format(&pool->subnet.gateway, gateway), "network", net ? net->rec.name : NULL);
}

json_t *agent_pools(struct agent *a)
{
	json_t *list = json_array();
	struct agent_pool *pool;

	LIST_FOREACH (pool, &a->pools, entry)
		json_array_append_new(list, pool_json(a, pool));
	return json_pack("{s:o}", "pools", list);
}

// ---- on disk ----

static const char *local_key(const char *id, char buf[CALLER_ID_MAX + 16])
{
	snprintf(buf, CALLER_ID_MAX + 16, LOCAL_POOL "%s", id);
	return buf;
}

static int save(struct agent *a, const struct agent_pool *pool)
{
	char key[CALLER_ID_MAX + 16];
	json_t *obj = pool_json(a, pool);
	char *text;
	int rc = -ENOMEM;

	json_object_set(obj, "asked", pool->asked);
	text = obj ? json_dumps(obj, JSON_COMPACT) : NULL;
	if (text)
		rc = agent_state_put(a, local_key(pool->id, key), text, strlen(text));
	json_decref(obj);
	free(text);
	return rc;
}

static bool parse(const json_t *obj, struct subnet *ret)
{
	*ret = (struct subnet){0};
	return cidr_parse(member_text(obj, "subnet"), &ret->cidr) == 0 &&
	       cidr_parse(member_text(obj, "ip_range"), &ret->range) == 0 &&
	       ip_parse(member_text(obj, "gateway"), &ret->gateway) == 0;
}

static void load_one(void *arg, const char *key, const char *value, size_t len_bytes)
{
	struct agent *a = arg;
	struct agent_pool *pool = calloc(1, sizeof(*pool));
	json_t *obj = json_loadb(value, len_bytes, 0, NULL);

	if (!pool || !parse(obj, &pool->subnet) || !(pool->id = strdup(member_text(obj, "id")))) {
		log_error("state: the pool %s cannot be read", key + strlen(LOCAL_POOL));
		free(pool);
	} else {
		pool->asked = json_incref(json_object_get(obj, "asked"));
		LIST_INSERT_HEAD(&a->pools, pool, entry);
	}
	json_decref(obj);
}

int agent_pool_load(struct agent *a, struct err *err)
{
	int rc = a->opts.local->ops->each(a->opts.local, LOCAL_POOL, load_one, a);

	return rc < 0 ? err_set_errno(err, rc, "state", "pools cannot be read") : 0;
}

void agent_pool_free_all(struct agent *a)
{
	struct agent_pool *pool;

	while ((pool = LIST_FIRST(&a->pools))) {
		LIST_REMOVE(pool, entry);
		pool_free(pool);
	}
}

// ---- request ----

// A network may have exactly this subnet: it is the pool of that one then.
static int check_free(struct agent *a, const char *id, const struct cidr *cidr, struct err *err)
{
	char path[CALLER_ID_MAX + 16], mine[CIDR_TEXT_BYTES], other[CIDR_TEXT_BYTES];
	struct agent_pool *pool;

	snprintf(path, sizeof(path), "pool %s", id);
	LIST_FOREACH (pool, &a->pools, entry) {
		if (cidr_overlap(&pool->subnet.cidr, cidr))
			return err_set(err, -EEXIST, path,
				"%s overlaps %s of pool %s; choose another",
				cidr_format(cidr, mine), cidr_format(&pool->subnet.cidr, other),
				pool->id);
	}
	for (struct replica_net *net = a->replica.nets; net; net = net->hh.next) {
		for (unsigned i = 0; net->known && i < net->rec.nb_subnets; i++) {
			const struct cidr *o = &net->rec.subnets[i].cidr;

			if (cidr_overlap(o, cidr) && !cidr_equal(o, cidr))
				return err_set(err, -EEXIST, path,
					"%s overlaps %s of network %s; choose another",
					cidr_format(cidr, mine), cidr_format(o, other),
					net->rec.name);
		}
	}
	return 0;
}

static int choose(struct agent *a, const struct pool_spec *spec, struct subnet *ret, const char *id,
	struct err *err)
{
	int rc;

	*ret = (struct subnet){.cidr = spec->subnet, .range = spec->range};
	if (ret->cidr.ip.family) {
		cidr_mask(&ret->cidr);
		rc = check_free(a, id, &ret->cidr, err);
	} else {
		rc = agent_next_subnet(a, spec->ipv6 ? 6 : 4, &ret->cidr);
		if (rc < 0)
			pool_error(err, rc, id, "no subnet is free in default-address-pools");
	}
	if (rc < 0)
		return rc;
	if (!ret->range.ip.family)
		ret->range = ret->cidr;
	if (!cidr_has(&ret->cidr, &ret->range.ip) || ret->range.prefix < ret->cidr.prefix)
		return pool_error(err, -EINVAL, id, "ip_range is not inside the subnet");
	ret->gateway = ip_add(&ret->cidr.ip, 1); // as network.create chooses it
	return 0;
}

static json_t *asked_of(const struct pool_spec *spec)
{
	char subnet[CIDR_TEXT_BYTES], range[CIDR_TEXT_BYTES];

	return json_pack("{s:s, s:s, s:b}", "subnet",
		spec->subnet.ip.family ? cidr_format(&spec->subnet, subnet) : "", "ip_range",
		spec->range.ip.family ? cidr_format(&spec->range, range) : "", "ipv6", spec->ipv6);
}

static int make(struct agent *a, const char *id, const struct pool_spec *spec,
	struct agent_pool **ret_pool, struct err *err)
{
	struct agent_pool *pool = calloc(1, sizeof(*pool));
	int rc = pool ? choose(a, spec, &pool->subnet, id, err) : -ENOMEM;

	if (rc == 0) {
		pool->id = strdup(id);
		pool->asked = asked_of(spec);
		rc = pool->id && pool->asked ? save(a, pool) : -ENOMEM;
	}
	if (rc < 0) {
		if (pool)
			pool_free(pool);
		return err_set_errno(err, rc, "state", "the pool cannot be kept");
	}
	LIST_INSERT_HEAD(&a->pools, pool, entry);
	*ret_pool = pool;
	return 0;
}

int agent_pool_request(struct agent *a, const char *id, const struct pool_spec *spec,
	json_t **ret_result, struct err *err)
{
	struct agent_pool *pool = find(a, id);
	json_t *asked = asked_of(spec);
	int rc = 0;

	if (pool && !json_equal(pool->asked, asked))
		rc = pool_error(
			err, -EEXIST, id, "it already exists with another subnet; use another id");
	else if (!pool)
		rc = make(a, id, spec, &pool, err);
	json_decref(asked);
	if (rc < 0)
		return rc;
	*ret_result = pool_json(a, pool);
	return *ret_result ? 0 : err_set(err, -ENOMEM, NULL, "out of memory");
}

int agent_pool_release(
	struct agent *a, const char *id, bool if_exists, json_t **ret_result, struct err *err)
{
	struct agent_pool *pool = find(a, id);
	char key[CALLER_ID_MAX + 16];
	int rc;

	if (!pool && !if_exists)
		return pool_error(err, -ENOENT, id, "it does not exist");
	rc = agent_state_del(a, local_key(id, key));
	if (rc < 0)
		return err_set_errno(err, rc, "state", "the pool cannot be forgotten");
	*ret_result = json_pack("{s:s, s:b}", "id", id, "released", pool != NULL);
	if (pool) {
		LIST_REMOVE(pool, entry);
		pool_free(pool);
	}
	return *ret_result ? 0 : err_set(err, -ENOMEM, NULL, "out of memory");
}
