// SPDX-License-Identifier: BSD-3-Clause
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/util.h"
#include "netd/reconcile/reconcile_priv.h"

struct sw_call *sw_call_new(struct reconcile *rec, sw_call_fn *fn)
{
	struct sw_call *call = calloc(1, sizeof(*call));

	if (!call)
		return NULL;
	call->rec = rec;
	call->generation = rec->generation;
	call->fn = fn;
	return call;
}

void sw_call_free(struct sw_call *call)
{
	if (!call)
		return;
	free(call->ports);
	keys_fini(&call->keys);
	free(call);
}

static void on_reply(void *arg, int rc, const json_t *result, const struct err *err)
{
	struct err none = {.code = rc, .reason = "the switch gave no reason"};
	struct sw_call *call = arg;
	struct reconcile *rec = call->rec;
	bool now = rec && call->generation == rec->generation;

	if (rec)
		LIST_REMOVE(call, entry);
	if (now) {
		rec->nb_busy -= call->changes;
		if (sw_is_lost(rc) && call->changes)
			sw_relist(rec, false);
		rec->running = true; // what the agent does meanwhile is seen to below
		call->fn(rec, call, rc, result, err && err->code ? err : &none);
		rec->running = false;
	}
	sw_call_free(call);
	if (now)
		reconcile_run(rec, rec->now_us);
}

// Methods that change something say who asks; what is new belongs to nobody yet.
static bool takes_manager(const char *method)
{
	static const char *const others[] = {"bridge.add", "vtep.add", "bridge.list", "vtep.list",
		"port.list", "neigh.list", "fdb.show", "tunnel.status"};

	for (unsigned i = 0; i < ARRAY_SIZE(others); i++) {
		if (!strcmp(method, others[i]))
			return false;
	}
	return true;
}

bool sw_call_send(struct sw_call *call, const char *method, json_t *params)
{
	struct reconcile *rec = call->rec;

	if (!params) {
		sw_call_free(call);
		return false;
	}
	if (takes_manager(method))
		json_object_set_new(params, "manager", json_string(RECONCILE_MANAGER));
	rec->nb_busy += call->changes;
	LIST_INSERT_HEAD(&rec->calls, call, entry);
	switch_call(rec->opts.sw, method, params, on_reply, call);
	return true;
}

bool sw_object_call(struct reconcile *rec, struct sw_object *obj, struct sw_net *net,
	const char *method, json_t *params, sw_call_fn *fn)
{
	static const struct err no_memory = {.code = -ENOMEM, .reason = "out of memory"};
	struct sw_call *call = params ? sw_call_new(rec, fn) : NULL;

	if (!call) {
		json_decref(params);
		sw_object_failed(rec, obj, &no_memory);
		return false;
	}
	call->changes = true;
	call->obj = obj;
	call->net = net;
	obj->busy = true;
	return sw_call_send(call, method, params);
}

bool sw_object_due(struct reconcile *rec, struct sw_object *obj)
{
	if (obj->busy)
		return false;
	if (obj->next_us <= rec->now_us)
		return true;
	rec->retry_us = MIN_OF(rec->retry_us, obj->next_us);
	return false;
}

void sw_retry(struct reconcile *rec)
{
	rec->retry_us = MIN_OF(rec->retry_us, rec->now_us + BACKOFF_FIRST_US);
}

void sw_object_ok(struct sw_object *obj)
{
	obj->busy = false;
	obj->next_us = obj->wait_us = 0;
	free(obj->reason);
	obj->reason = NULL;
}

const char *reconcile_reason(const char *reason)
{
	static const char *const kinds[] = {"port ", "bridge ", "VTEP ", ""};

	for (unsigned i = 0; i < ARRAY_SIZE(kinds); i++) {
		size_t len = strlen(kinds[i]);
		const char *rest;

		if (strncmp(reason, kinds[i], len) != 0 ||
			strncmp(reason + len, RECONCILE_PREFIX, strlen(RECONCILE_PREFIX)) != 0)
			continue;
		rest = strstr(reason + len, ": ");
		return rest ? rest + 2 : reason;
	}
	return reason;
}

void sw_object_failed(struct reconcile *rec, struct sw_object *obj, const struct err *err)
{
	char text[sizeof(err->path) + sizeof(err->reason) + 4];

	obj->busy = false;
	obj->wait_us = obj->wait_us ? MIN_OF(obj->wait_us * 2, BACKOFF_LAST_US) : BACKOFF_FIRST_US;
	obj->next_us = rec->now_us + obj->wait_us;
	rec->retry_us = MIN_OF(rec->retry_us, obj->next_us);
	free(obj->reason);
	obj->reason = strdup(reconcile_reason(err_text(err, text, sizeof(text))));
}

void sw_object_fini(struct sw_object *obj)
{
	free(obj->reason);
	memset(obj, 0, sizeof(*obj));
}

void sw_object_reset(struct sw_object *obj)
{
	obj->there = obj->busy = false;
	obj->has = (struct sw_digest){0};
	obj->next_us = obj->wait_us = 0;
}

bool sw_is_lost(int rc)
{
	return rc == -ECONNRESET || rc == -ECONNREFUSED || rc == -ETIMEDOUT;
}

static uint64_t digest(json_t *options)
{
	char *text = options ? json_dumps(options, JSON_COMPACT | JSON_SORT_KEYS) : NULL;
	uint64_t hash = text ? hash_add(HASH_INIT, text, strlen(text)) : 1;

	free(text);
	json_decref(options);
	return hash;
}

struct sw_digest sw_digest(json_t *fixed, json_t *live)
{
	return (struct sw_digest){.fixed = digest(fixed), .live = digest(live)};
}

bool sw_is_as_wanted(const struct sw_object *obj)
{
	return obj->there && obj->has.fixed == obj->want.fixed && obj->has.live == obj->want.live;
}
