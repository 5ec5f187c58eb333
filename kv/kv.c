// SPDX-License-Identifier: BSD-3-Clause
#include "kv/kv.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/log.h"
#include "base/text.h"
#include "base/util.h"
#include "kv/kv_driver.h"

#ifdef KV_WITH_ETCD
#define ETCD &kv_etcd
#else
#define ETCD NULL
#endif
#ifdef KV_WITH_ZOOKEEPER
#define ZOOKEEPER &kv_zookeeper
#else
#define ZOOKEEPER NULL
#endif
#ifdef KV_WITH_CONSUL
#define CONSUL &kv_consul
#else
#define CONSUL NULL
#endif

static const struct {
	const char *scheme, *name, *option; // meson option that it is built with
	const struct kv_driver *driver;	    // NULL: this build lacks it
} stores[] = {
	{"lmdb", "LMDB", NULL, &kv_lmdb},
	{"etcd", "etcd", "etcd", ETCD},
	{"zookeeper", "ZooKeeper", "zookeeper", ZOOKEEPER},
	{"consul", "Consul", "consul", CONSUL},
};

// A transaction that the driver has.
struct kv_change {
	LIST_ENTRY(kv_change) entry;
	struct kv *kv;
	kv_write_fn *fn;
	void *arg;
	bool puts; // a store without room still deletes
};

// A callback that the loop is to make: of a request that was refused before a driver had it.
struct kv_later {
	struct kv_later *next;
	kv_read_fn *read_fn;
	kv_write_fn *write_fn;
	void *arg;
	int rc;
};

// ---- opening ----

// What this build has.
static const char *examples(char *buf, size_t len_bytes)
{
	struct text text = text_over(buf, len_bytes);

	for (unsigned i = 0; i < ARRAY_SIZE(stores); i++) {
		if (stores[i].driver)
			text_add_item(&text, ", ", "%s", stores[i].driver->example);
	}
	return buf;
}

static int find_driver(const char *url, const struct kv_driver **ret_driver, const char **ret_rest,
	struct err *err)
{
	size_t len = strcspn(url, ":");
	char buf[256];

	for (unsigned i = 0; url[len] && i < ARRAY_SIZE(stores); i++) {
		const char *scheme = stores[i].driver ? stores[i].driver->scheme : stores[i].scheme;

		if (strlen(scheme) != len || memcmp(url, scheme, len) != 0)
			continue;
		if (!stores[i].driver)
			return err_set(err, -EOPNOTSUPP, url,
				"this vsnetd was built without %s (meson option %s); it has: %s",
				stores[i].name, stores[i].option, examples(buf, sizeof(buf)));
		*ret_driver = stores[i].driver;
		*ret_rest = url + len + 1;
		return 0;
	}
	return err_set(err, -EINVAL, url, "no store of this kind is known; examples: %s",
		examples(buf, sizeof(buf)));
}

static void run_later(void *arg);

#define FILE_MAX_BYTES (1u << 20)

static int check_file(const char *option, const char *path, struct err *err)
{
	struct err why = {0};
	size_t len;
	char *text;
	int rc;

	if (!path)
		return 0;
	rc = file_read(path, FILE_MAX_BYTES, &text, &len, &why);
	if (rc < 0)
		return err_set(err, rc, option, "%s: %s", why.path, why.reason);
	free(text);
	return 0;
}

// Without what is before the last '@', which may be a password.
static const char *url_without_secret(const char *url, char *buf, size_t len_bytes)
{
	const char *at = strrchr(url, '@'), *start = strstr(url, "://");

	if (!at || !strncmp(url, "lmdb:", 5))
		return url;
	snprintf(buf, len_bytes, "%.*s***%s", start && start < at ? (int)(start + 3 - url) : 0, url,
		at);
	return buf;
}

// A URL is shown in errors and is no place for a secret.
static int check_no_secret(const char *url, struct err *err)
{
	char buf[256];
	const char *shown = url_without_secret(url, buf, sizeof(buf));

	if (shown == url)
		return 0;
	return err_set(err, -EINVAL, shown,
		"a URL of a store has no user and no '@'; give the options user and password-file "
		"instead");
}

static int check(const struct kv_opts *opts, const struct kv_driver **ret_driver,
	const char **ret_rest, struct err *err)
{
	const char *url = opts->url ? opts->url : "";
	int rc = check_no_secret(url, err);

	if (rc == 0)
		rc = find_driver(url, ret_driver, ret_rest, err);
	if (rc == 0)
		rc = (*ret_driver)->check(opts, *ret_rest, err);
	if (rc == 0)
		rc = check_file("ca-file", opts->ca_file, err);
	if (rc == 0)
		rc = check_file("cert-file", opts->cert_file, err);
	return rc < 0 ? rc : check_file("key-file", opts->key_file, err);
}

int kv_check(const struct kv_opts *opts, struct err *err)
{
	const struct kv_driver *driver;
	const char *rest;

	return check(opts, &driver, &rest, err);
}

int kv_open(const struct kv_opts *opts, struct kv **ret_kv, struct err *err)
{
	const struct kv_driver *driver = NULL;
	struct kv_opts given = *opts;
	const char *rest = NULL;
	struct kv *kv;
	int rc;

	if (given.timeout_ms == 0)
		given.timeout_ms = 3000;
	rc = check(&given, &driver, &rest, err);
	if (rc < 0)
		return rc;
	rc = driver->open(&given, rest, &kv, err);
	if (rc < 0)
		return rc;
	kv->driver = driver;
	kv->opts = given;
	kv->opts.url = kv->opts.ca_file = kv->opts.cert_file = kv->opts.key_file = NULL;
	kv->opts.user = kv->opts.password = kv->opts.token = NULL;
	kv->later_timer = loop_add_timer(given.loop, 0, run_later, kv);
	if (!kv->later_timer) {
		driver->free(kv);
		return err_set_errno(err, -ENOMEM, given.url, "cannot open the store");
	}
	*ret_kv = kv;
	return 0;
}

void kv_free(struct kv *kv)
{
	struct kv_change *change;

	if (!kv)
		return;
	loop_del(kv->opts.loop, kv->later_timer);
	while ((change = LIST_FIRST(&kv->changes))) {
		LIST_REMOVE(change, entry);
		free(change);
	}
	while (kv->later) {
		struct kv_later *later = kv->later;

		kv->later = later->next;
		free(later);
	}
	kv->driver->free(kv);
}

const char *kv_scheme(const struct kv *kv)
{
	return kv->driver->scheme;
}

bool kv_is_up(const struct kv *kv)
{
	return kv->up;
}

const char *kv_reason(const struct kv *kv)
{
	return kv->reason;
}

void kv_set_state(struct kv *kv, bool up, const char *reason)
{
	// The reason may have been noted before: then it has not been told all the same.
	bool changed = kv->up != up || (!up && (!kv->told_down || strcmp(kv->reason, reason) != 0));

	kv->up = up;
	kv->told_down = !up;
	if (reason && reason != kv->reason)
		snprintf(kv->reason, sizeof(kv->reason), "%s", reason);
	if (changed && kv->opts.on_state)
		kv->opts.on_state(kv->opts.arg, up, kv->reason);
}

const struct kv_refusal *kv_refusal(const struct kv *kv)
{
	return &kv->refusal;
}

void kv_note_change(struct kv *kv, int rc)
{
	struct kv_refusal *refusal = &kv->refusal;

	if (rc == 0)
		refusal->rc = 0;
	if (rc != -EACCES && rc != -ENOSPC && rc != -EIO)
		return;
	refusal->last_us = monotonic_us();
	if (!refusal->rc)
		refusal->since_us = refusal->last_us;
	refusal->rc = rc;
	snprintf(refusal->reason, sizeof(refusal->reason), "%s", kv->reason);
}

// ---- callbacks that come later ----

static void run_later(void *arg)
{
	struct kv *kv = arg;
	struct kv_later *later = kv->later;

	if (!later)
		return;
	kv->later = later->next;
	if (kv->later)
		loop_timer_once(kv->later_timer, 0);
	// The last thing that is done with `kv`: the callback may free it.
	if (later->read_fn)
		later->read_fn(later->arg, later->rc, NULL, 0, 0);
	else
		later->write_fn(later->arg, later->rc, 0);
	free(later);
}

static void add_later(struct kv *kv, const struct kv_later *template)
{
	struct kv_later **end = &kv->later, *later = malloc(sizeof(*later));

	// Nobody could be told, and a request without an answer stops its asker for ever.
	if (!later) {
		log_error("out of memory");
		abort();
	}
	*later = *template;
	later->next = NULL;
	while (*end)
		end = &(*end)->next;
	*end = later;
	loop_timer_once(kv->later_timer, 0);
}

void kv_read_later(struct kv *kv, kv_read_fn *fn, void *arg, int rc)
{
	add_later(kv, &(struct kv_later){.read_fn = fn, .arg = arg, .rc = rc});
}

void kv_write_later(struct kv *kv, kv_write_fn *fn, void *arg, int rc)
{
	add_later(kv, &(struct kv_later){.write_fn = fn, .arg = arg, .rc = rc});
}

// ---- requests ----

static int check_key(struct kv *kv, const char *key, bool is_prefix)
{
	size_t len = strlen(key);
	const char *wrong = NULL;

	if (len > KV_KEY_MAX_BYTES)
		wrong = "is too long";
	else if (len == 0)
		wrong = is_prefix ? NULL : "is empty";
	else if (key[0] == '/' || strstr(key, "//"))
		wrong = "has an empty folder";
	else if (is_prefix != (key[len - 1] == '/'))
		wrong = is_prefix ? "does not end with '/'" : "ends with '/'";
	if (!wrong)
		return 0;
	snprintf(kv->reason, sizeof(kv->reason), "the key \"%.100s\" %s", key, wrong);
	return len > KV_KEY_MAX_BYTES ? -E2BIG : -EINVAL;
}

static void read_keys(struct kv *kv, const char *key, bool is_prefix, kv_read_fn *fn, void *arg)
{
	int rc = check_key(kv, key, is_prefix);

	if (rc < 0)
		kv_read_later(kv, fn, arg, rc);
	else
		kv->driver->read(kv, key, is_prefix, fn, arg);
}

void kv_get(struct kv *kv, const char *key, kv_read_fn *fn, void *arg)
{
	read_keys(kv, key, false, fn, arg);
}

void kv_list(struct kv *kv, const char *prefix, kv_read_fn *fn, void *arg)
{
	read_keys(kv, prefix, true, fn, arg);
}

static int fault(struct kv *kv, int rc, const char *reason)
{
	snprintf(kv->reason, sizeof(kv->reason), "%s", reason);
	return rc;
}

static int check_ops(struct kv *kv, const struct kv_op *ops, unsigned count)
{
	int rc;

	if (count == 0)
		return fault(kv, -EINVAL, "a transaction of nothing");
	if (count > KV_TXN_OPS_MAX)
		return fault(kv, -E2BIG, "a transaction of too many changes");
	for (unsigned i = 0; i < count; i++) {
		rc = check_key(kv, ops[i].key, false);
		if (rc < 0)
			return rc;
		if (ops[i].action == KV_PUT && ops[i].len_bytes > KV_VALUE_MAX_BYTES)
			return fault(kv, -E2BIG, "the value is too long");
		if (ops[i].action == KV_CHECK && ops[i].guard == KV_ANY)
			return fault(kv, -EINVAL, "a check of nothing");
		if (ops[i].action == KV_DELETE && ops[i].guard == KV_ABSENT)
			return fault(kv, -EINVAL, "deletion of a key that must not exist");
		for (unsigned j = 0; j < i; j++) {
			if (strcmp(ops[i].key, ops[j].key) == 0)
				return fault(kv, -EINVAL, "a key twice in one transaction");
		}
	}
	for (unsigned i = 0; i < count; i++) {
		if (ops[i].action == KV_PUT && ops[i].lease && !kv_lease_is_held(ops[i].lease))
			return fault(kv, -ESTALE, "the lease is not held");
	}
	return 0;
}

static void ignore(void *arg, int rc, uint64_t revision)
{
}

static void on_change(void *arg, int rc, uint64_t revision)
{
	struct kv_change change = *(struct kv_change *)arg;

	LIST_REMOVE((struct kv_change *)arg, entry);
	free(arg);
	if (rc < 0 || change.puts)
		kv_note_change(change.kv, rc);
	// The last thing: it may free the store.
	change.fn(change.arg, rc, revision);
}

static void send_change(
	struct kv *kv, const struct kv_op *ops, unsigned count, kv_write_fn *fn, void *arg)
{
	struct kv_change *change = calloc(1, sizeof(*change));

	if (!change) {
		kv_write_later(kv, fn, arg, -ENOMEM);
		return;
	}
	*change = (struct kv_change){.kv = kv, .fn = fn, .arg = arg};
	for (unsigned i = 0; i < count; i++)
		change->puts |= ops[i].action == KV_PUT;
	LIST_INSERT_HEAD(&kv->changes, change, entry);
	kv->driver->txn(kv, ops, count, on_change, change);
}

void kv_txn(struct kv *kv, const struct kv_op *ops, unsigned count, kv_write_fn *fn, void *arg)
{
	int rc = check_ops(kv, ops, count);

	if (!fn)
		fn = ignore;
	if (rc < 0)
		kv_write_later(kv, fn, arg, rc);
	else
		send_change(kv, ops, count, fn, arg);
}

void kv_put(struct kv *kv, const char *key, const char *value, size_t len_bytes,
	struct kv_lease *lease, kv_write_fn *fn, void *arg)
{
	struct kv_op op = {.action = KV_PUT,
		.key = key,
		.value = value,
		.len_bytes = len_bytes,
		.lease = lease};

	kv_txn(kv, &op, 1, fn, arg);
}

void kv_create(struct kv *kv, const char *key, const char *value, size_t len_bytes,
	struct kv_lease *lease, kv_write_fn *fn, void *arg)
{
	struct kv_op op = {.action = KV_PUT,
		.guard = KV_ABSENT,
		.key = key,
		.value = value,
		.len_bytes = len_bytes,
		.lease = lease};

	kv_txn(kv, &op, 1, fn, arg);
}

void kv_swap(struct kv *kv, const char *key, uint64_t revision, const char *value, size_t len_bytes,
	kv_write_fn *fn, void *arg)
{
	struct kv_op op = {.action = KV_PUT,
		.guard = KV_REVISION,
		.key = key,
		.value = value,
		.len_bytes = len_bytes,
		.revision = revision};

	kv_txn(kv, &op, 1, fn, arg);
}

void kv_delete(struct kv *kv, const char *key, kv_write_fn *fn, void *arg)
{
	kv_txn(kv, &(struct kv_op){.action = KV_DELETE, .key = key}, 1, fn, arg);
}

// ---- watches and leases ----

struct kv_watch *kv_watch(
	struct kv *kv, const char *prefix, uint64_t from_revision, kv_watch_fn *fn, void *arg)
{
	if (check_key(kv, prefix, true) < 0)
		return NULL;
	return kv->driver->watch(kv, prefix, from_revision, fn, arg);
}

void kv_unwatch(struct kv_watch *watch)
{
	if (watch)
		watch->kv->driver->unwatch(watch);
}

struct kv_lease *kv_lease_new(struct kv *kv, unsigned ttl_ms, kv_lease_fn *fn, void *arg)
{
	return kv->driver->lease_new(kv, ttl_ms, fn, arg);
}

bool kv_lease_is_held(const struct kv_lease *lease)
{
	return lease->kv->driver->lease_is_held(lease);
}

void kv_lease_free(struct kv_lease *lease, bool revoke)
{
	if (lease)
		lease->kv->driver->lease_free(lease, revoke);
}
