// SPDX-License-Identifier: BSD-3-Clause
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "kv/zookeeper_priv.h"

#define WATCHES_MAX_BYTES (512u << 10)

// ---- small things ----

bool zk_is_lost(int rc)
{
	switch (rc) {
	case ZCONNECTIONLOSS:
	case ZOPERATIONTIMEOUT:
	case ZSESSIONEXPIRED:
	case ZSESSIONMOVED:
	case ZINVALIDSTATE:
	case ZCLOSING:
		return true;
	default:
		return false;
	}
}

int zk_rc(int rc)
{
	switch (rc) {
	case ZOK:
		return 0;
	case ZNONODE:
		return -ENOENT;
	case ZNOAUTH:
	case ZAUTHFAILED:
	case ZINVALIDACL:
		return -EACCES;
	default:
		return zk_is_lost(rc) ? -ECONNRESET : -EIO;
	}
}

void zk_note_revision(struct zk_kv *self, const struct Stat *stat)
{
	uint64_t revision = MAX_OF(stat->mzxid, stat->pzxid);

	if (revision > self->revision)
		self->revision = revision;
}

void zk_tick_within(struct zk_kv *self, uint64_t delay_us)
{
	uint64_t now_us = monotonic_us();

	if (now_us + delay_us >= self->tick_us)
		return;
	self->tick_us = now_us + delay_us;
	loop_timer_once(self->tick, delay_us);
}

void zk_folder_path(const struct zk_kv *self, const char *prefix, char path[ZK_PATH_MAX_BYTES])
{
	size_t len;

	snprintf(path, ZK_PATH_MAX_BYTES, "%s/%s", self->prefix, prefix);
	len = strlen(path);
	if (len > 1 && path[len - 1] == '/')
		path[len - 1] = '\0';
}

void zk_key_path(const struct zk_kv *self, const char *key, char path[ZK_PATH_MAX_BYTES])
{
	const char *name = strrchr(key, '/');

	name = name ? name + 1 : key;
	snprintf(path, ZK_PATH_MAX_BYTES, "%s/%.*s=%s", self->prefix, (int)(name - key), key, name);
}

unsigned zk_make_parents(
	struct zk_session *session, const char *path, void (*done)(struct zk_call *call), void *arg)
{
	char parent[ZK_PATH_MAX_BYTES + 2];
	unsigned count = 0;

	snprintf(parent, sizeof(parent), "%s", path);
	for (char *p = strchr(parent + 1, '/'); p; p = strchr(p + 1, '/')) {
		*p = '\0';
		zk_create_folder(session, zk_call_new(done, arg, parent));
		*p = '/';
		count++;
	}
	return count;
}

// ---- requests ----

static bool is_connected(const struct zk_op *op)
{
	return op->lease ? op->lease->connected : op->self->connected;
}

void zk_op_begin(struct zk_kv *self, struct zk_op *op)
{
	op->self = self;
	op->due_us = monotonic_us() + self->kv.opts.timeout_ms * 1000ull;
	TAILQ_INSERT_TAIL(&self->ops, op, entry);
	zk_tick_within(self, self->kv.opts.timeout_ms * 1000ull);
	if (is_connected(op))
		op->start(op);
	else
		zk_op_wait(op);
}

bool zk_op_returned(struct zk_op *op)
{
	op->pending--;
	if (!op->answered)
		return true;
	if (op->pending == 0)
		op->free(op);
	return false;
}

void zk_op_answer(struct zk_op *op, int rc)
{
	if (op->answered)
		return;
	op->answered = true;
	TAILQ_REMOVE(&op->self->ops, op, entry);
	if (rc < 0 && rc != -ESTALE && rc != -ENOENT)
		kv_set_state(&op->self->kv, op->self->kv.up, strerror(-rc));
	op->answer(op, rc);
	if (op->pending == 0)
		op->free(op);
}

void zk_op_wait(struct zk_op *op)
{
	op->waiting = true;
	zk_tick_within(op->self, ZK_SOON_US);
}

static void start_waiting(struct zk_kv *self)
{
	struct zk_op *op, *next;

	for (op = TAILQ_FIRST(&self->ops); op; op = next) {
		next = TAILQ_NEXT(op, entry);
		if (!op->waiting || (!op->is_stale && !is_connected(op)))
			continue;
		op->waiting = false;
		op->start(op);
	}
}

// ---- reading one key ----

struct get {
	struct zk_op base;
	kv_read_fn *fn;
	void *arg;
	char *key;
	struct kv_pair pair;
};

static void on_synced(struct zk_call *call)
{
	zk_op_returned(call->arg);
}

static void on_got(struct zk_call *call)
{
	struct get *get = call->arg;

	if (!zk_op_returned(&get->base))
		return;
	if (zk_is_lost(call->rc)) {
		zk_op_wait(&get->base);
		return;
	}
	if (call->rc == ZOK)
		zk_note_revision(get->base.self, &call->stat);
	get->pair = (struct kv_pair){get->key, call->value, call->len_bytes, call->stat.mzxid};
	zk_op_answer(&get->base, zk_rc(call->rc));
}

static void start_get(struct zk_op *op)
{
	struct get *get = (struct get *)op;
	char path[ZK_PATH_MAX_BYTES];

	// The server asked may be behind: it catches up with the leader first.
	zk_key_path(op->self, get->key, path);
	op->pending += 2;
	zk_sync(op->self->session, zk_call_new(on_synced, op, "/"));
	zk_get(op->self->session, zk_call_new(on_got, op, path), false);
}

static void answer_get(struct zk_op *op, int rc)
{
	struct get *get = (struct get *)op;

	get->fn(get->arg, rc, rc < 0 ? NULL : &get->pair, rc < 0 ? 0 : 1, op->self->revision);
}

static void free_get(struct zk_op *op)
{
	free(((struct get *)op)->key);
	free(op);
}

static void zk_read(struct kv *kv, const char *key, bool is_prefix, kv_read_fn *fn, void *arg)
{
	struct zk_kv *self = (struct zk_kv *)kv;
	struct get *get;

	if (is_prefix) {
		zk_read_folder(self, key, fn, arg);
		return;
	}
	get = calloc(1, sizeof(*get));
	if (!get)
		abort();
	get->base.start = start_get;
	get->base.answer = answer_get;
	get->base.free = free_get;
	get->fn = fn;
	get->arg = arg;
	get->key = strdup(key);
	zk_op_begin(self, &get->base);
}

// ---- the session that all else goes through ----

static void set_connected(struct zk_kv *self, bool connected, const char *reason)
{
	if (self->connected != connected)
		self->since_us = monotonic_us();
	self->connected = connected;
	kv_set_state(&self->kv, connected, reason);
}

struct zk_session *zk_start_session(struct zk_kv *self, unsigned timeout_ms)
{
	struct zk_config config = {
		.servers = self->servers, .auth = self->auth, .inbox = self->inbox};

	return zk_session_start(&config, timeout_ms);
}

static void restart_session(struct zk_kv *self)
{
	if (self->session)
		zk_session_end(self->session, false);
	self->connected = false;
	self->since_us = monotonic_us();
	self->revision = 0;
	self->session = zk_start_session(self, ZK_SESSION_TIMEOUT_MS);
}

static void session_state(struct zk_kv *self, int state)
{
	if (state == ZOO_CONNECTED_STATE) {
		set_connected(self, true, "");
	} else if (state == ZOO_EXPIRED_SESSION_STATE) {
		set_connected(self, false, "the session has expired");
		restart_session(self);
	} else if (state == ZOO_AUTH_FAILED_STATE) {
		set_connected(self, false, "the servers refuse the user");
	} else if (state == ZOO_NOTCONNECTED_STATE) {
		set_connected(self, false, "no server has an address");
	} else {
		set_connected(self, false, "no server answers");
		// With the next connection the library asks for all watches again in one message,
		// and servers do not take one of more than 1 MiB: then only a new session helps.
		if (zk_trees_bytes(self) > WATCHES_MAX_BYTES)
			restart_session(self);
	}
	zk_tick_within(self, 0);
}

static void on_item(void *arg, struct inbox_item *item)
{
	struct zk_call *call = (struct zk_call *)item;
	struct zk_kv *self = arg;
	bool is_ours = self->session && call->session == zk_session_number(self->session);

	if (call->kind == ZK_REPLY) {
		call->done(call);
	} else if (is_ours && call->kind == ZK_STATE) {
		session_state(self, call->rc);
	} else if (is_ours) {
		zk_trees_changed(self, call->path);
	} else if (call->kind == ZK_STATE) {
		zk_lease_state(self, call->session, call->rc);
		zk_tick_within(self, 0);
	}
	zk_call_free(call);
}

static void drop_item(struct inbox_item *item)
{
	zk_call_free((struct zk_call *)item);
}

static void on_tick(void *arg)
{
	struct zk_kv *self = arg;
	uint64_t now_us = monotonic_us(), next_us;
	struct zk_op *op;

	self->tick_us = UINT64_MAX;
	if (!self->session ||
		(!self->connected && now_us >= self->since_us + ZK_SESSION_TIMEOUT_MS * 1000ull))
		restart_session(self);
	while ((op = TAILQ_FIRST(&self->ops)) && op->due_us <= now_us) {
		if (!self->connected)
			kv_set_state(&self->kv, false, "no server answers");
		zk_op_answer(op, -ETIMEDOUT);
	}
	if (self->connected)
		zk_trees_connected(self);
	start_waiting(self);
	next_us = zk_keep_leases(self);
	TAILQ_FOREACH (op, &self->ops, entry) {
		next_us = MIN_OF(next_us, op->waiting ? now_us + ZK_SOON_US : op->due_us);
	}
	now_us = monotonic_us();
	zk_tick_within(self, next_us > now_us ? next_us - now_us : 0);
}

// ---- the handle ----

static void zk_free(struct kv *kv)
{
	struct zk_kv *self = (struct zk_kv *)kv;
	struct zk_lease *lease;
	struct zk_op *op;

	while ((lease = TAILQ_FIRST(&self->leases)))
		zk_lease_free(&lease->base, false);
	if (self->session)
		zk_session_end(self->session, false);
	if (self->inbox)
		zk_sessions_detach(self->inbox);
	inbox_free(self->inbox, drop_item);
	while ((op = TAILQ_FIRST(&self->ops))) {
		TAILQ_REMOVE(&self->ops, op, entry);
		op->free(op);
	}
	zk_trees_free(self);
	loop_del(self->kv.opts.loop, self->tick);
	free(self->prefix);
	free(self->servers);
	free(self->auth);
	free(self);
}

static int bad_url(const struct kv_opts *opts, struct err *err, const char *what)
{
	return err_set(
		err, -EINVAL, opts->url, "%s; write it as in %s", what, kv_zookeeper.example);
}

// HOST or HOST:PORT. The library says no more than "invalid" of others, and only when it connects.
static bool is_server(const char *text, size_t len)
{
	const char *colon = memrchr(text, ':', len);
	unsigned long port = 1;
	char *end = NULL;

	if (colon && !memchr(colon, ']', text + len - colon)) {
		port = isdigit((unsigned char)colon[1]) ? strtoul(colon + 1, &end, 10) : 0;
		if (end != text + len)
			return false;
		len = colon - text;
	}
	return len > 0 && port >= 1 && port <= UINT16_MAX && !memchr(text, ' ', len);
}

static int check_servers(const struct kv_opts *opts, const char *rest, struct err *err)
{
	const char *at = rest + 2, *end = at + strcspn(at, "/");

	while (at <= end) {
		size_t len = strcspn(at, ",/");

		if (!is_server(at, len))
			return err_set(err, -EINVAL, opts->url,
				"\"%.*s\" is no server; HOST or HOST:PORT is, several with ',' "
				"between them",
				(int)MIN_OF(len, 200), at);
		at += len + 1;
	}
	return 0;
}

// The folder at the end of the URL and its length; NULL and 0: none.
static const char *prefix_of(const char *rest, size_t *ret_len)
{
	const char *slash = strchr(rest + 2, '/');
	size_t len = slash ? strlen(slash) : 0;

	while (len > 0 && slash[len - 1] == '/')
		len--;
	*ret_len = len;
	return slash;
}

static int zk_check(const struct kv_opts *opts, const char *rest, struct err *err)
{
	const char *prefix;
	size_t len;

	if (strncmp(rest, "//", 2) != 0 || rest[2] == '\0' || rest[2] == '/')
		return bad_url(opts, err, "names no server");
	if (opts->ca_file || opts->cert_file || opts->key_file || opts->token)
		return err_set(err, -EINVAL, opts->url,
			"the store zookeeper takes a user and a password, no certificate and no "
			"token");
	if (!opts->user != !opts->password)
		return err_set(err, -EINVAL, opts->url, "user and password come together");
	prefix = prefix_of(rest, &len);
	if (len > ZK_PREFIX_MAX_BYTES)
		return bad_url(opts, err, "the prefix is too long");
	if (prefix && (memmem(prefix, len, "//", 2) || memmem(prefix, len, "/.", 2)))
		return bad_url(opts, err, "the prefix has a folder that cannot be");
	return check_servers(opts, rest, err);
}

static int parse(struct zk_kv *self, const struct kv_opts *opts, const char *rest, struct err *err)
{
	size_t len;
	const char *slash = prefix_of(rest, &len);

	self->prefix = strndup(slash ? slash : "", len);
	self->servers = slash ? strndup(rest + 2, slash - rest - 2) : strdup(rest + 2);
	if (opts->user && asprintf(&self->auth, "%s:%s", opts->user, opts->password) < 0)
		return err_set(err, -ENOMEM, opts->url, "out of memory");
	return 0;
}

static int zk_open(
	const struct kv_opts *opts, const char *rest, struct kv **ret_kv, struct err *err)
{
	struct zk_kv *self = calloc(1, sizeof(*self));
	int rc;

	if (!self)
		return err_set(err, -ENOMEM, opts->url, "out of memory");
	self->kv.opts = *opts;
	TAILQ_INIT(&self->ops);
	TAILQ_INIT(&self->leases);
	LIST_INIT(&self->trees);
	rc = parse(self, opts, rest, err);
	if (rc < 0)
		goto err;
	self->tick = loop_add_timer(opts->loop, 0, on_tick, self);
	self->inbox = inbox_new(opts->loop, on_item, self);
	if (!self->tick || !self->inbox) {
		rc = err_set(err, -ENOMEM, opts->url, "out of memory");
		goto err;
	}
	restart_session(self);
	self->tick_us = UINT64_MAX;
	zk_tick_within(self, ZK_LOOK_PERIOD_US);
	*ret_kv = &self->kv;
	return 0;

err:
	zk_free(&self->kv);
	return rc;
}

const struct kv_driver kv_zookeeper = {
	.scheme = "zookeeper",
	.example = "zookeeper://h1:2181,h2:2181/causeway",
	.check = zk_check,
	.open = zk_open,
	.free = zk_free,
	.read = zk_read,
	.txn = zk_txn,
	.watch = zk_watch,
	.unwatch = zk_unwatch,
	.lease_new = zk_lease_new,
	.lease_is_held = zk_lease_is_held,
	.lease_free = zk_lease_free,
};
