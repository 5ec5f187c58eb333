// SPDX-License-Identifier: BSD-3-Clause
// The store of one host: a folder that its processes share. Changes are made by the thread of
// lmdb_env.h and come back through the inbox; reading never waits for anybody and is done in the
// event loop. Processes are told of each other's changes by inotify(7).
#include "kv/lmdb_priv.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "base/file.h"
#include "base/util.h"
#include "kv/ops.h"

#define LOOK_PERIOD_US	  1000000ull // what nobody told of; leases of others
#define READERS_PERIOD_US 60000000ull
#define BOOT_ID_PATH	  "/proc/sys/kernel/random/boot_id"

// ---- jobs: in the thread ----

static int run_job(struct lmdb_job *base, const struct lmdb_txn *t)
{
	struct lmdb_request *job = (struct lmdb_request *)base;
	uint64_t now_us = monotonic_us();

	switch (job->kind) {
	case JOB_BOOT:
		return lmdb_begin_boot(t, job->boot_id);
	case JOB_TXN:
		return lmdb_apply(t, job->ops, job->leases, job->count, now_us, &job->revision);
	case JOB_GRANT:
		job->until_us = now_us + job->ttl_us;
		return lmdb_lease_grant(t, job->until_us, &job->id);
	case JOB_KEEP:
		job->until_us = now_us + job->ttl_us;
		return lmdb_lease_keep(t, job->id, now_us, job->until_us);
	case JOB_REVOKE:
		return lmdb_lease_revoke(t, job->id);
	case JOB_EXPIRE:
		return lmdb_expire(t, now_us);
	case JOB_READ:
		break;
	}
	return -EINVAL;
}

static void free_job(struct lmdb_job *base)
{
	struct lmdb_request *job = (struct lmdb_request *)base;

	free(job->ops);
	free(job->key);
	free(job);
}

static void drop_item(struct inbox_item *item)
{
	free_job((struct lmdb_job *)item);
}

// ---- jobs: in the loop ----

struct lmdb_request *lmdb_new_request(struct lmdb_kv *self, enum job_kind kind)
{
	struct lmdb_request *job = calloc(1, sizeof(*job));

	if (!job)
		abort();
	job->base.run = run_job;
	job->base.free = free_job;
	job->base.inbox = self->inbox;
	job->kind = kind;
	return job;
}

// Notes who waits for it, for `timeout_ms`.
static void expect(struct lmdb_kv *self, struct lmdb_request *job)
{
	job->due_us = monotonic_us() + self->kv.opts.timeout_ms * 1000ull;
	TAILQ_INSERT_TAIL(&self->jobs, job, entry);
	if (TAILQ_FIRST(&self->jobs) == job)
		loop_timer_once(self->timeout, self->kv.opts.timeout_ms * 1000ull);
}

void lmdb_submit(struct lmdb_kv *self, struct lmdb_request *job)
{
	expect(self, job);
	if (self->env && !job->refused) {
		lmdb_env_add(self->env, &job->base);
		return;
	}
	job->base.rc = job->refused ? job->refused : -ECONNRESET;
	inbox_put(self->inbox, &job->base.item);
}

static void submit_boot(struct lmdb_kv *self)
{
	struct lmdb_request *job = lmdb_new_request(self, JOB_BOOT);
	char *text;
	size_t len;

	if (file_read(BOOT_ID_PATH, LMDB_BOOT_ID_BYTES, &text, &len, NULL) == 0) {
		memcpy(job->boot_id, text, MIN_OF(strcspn(text, "\n"), LMDB_BOOT_ID_BYTES - 1));
		free(text);
	}
	// Then reading need not wait for the writer, which may wait for the lock.
	if (lmdb_begin_read(self) == 0) {
		self->ready = lmdb_is_of_boot(&self->reader, job->boot_id);
		lmdb_end_read(self);
	}
	lmdb_submit(self, job);
}

// Its keys go, whether or not anybody learns of it.
void lmdb_submit_revoke(struct lmdb_kv *self, uint64_t id)
{
	struct lmdb_request *job;

	if (!self->env || !id)
		return;
	job = lmdb_new_request(self, JOB_REVOKE);
	job->base.inbox = NULL;
	job->id = id;
	lmdb_env_add(self->env, &job->base);
}

// ---- reading ----

int lmdb_begin_read(struct lmdb_kv *self)
{
	return self->env ? lmdb_rc(mdb_txn_renew(self->reader.txn)) : -ECONNRESET;
}

void lmdb_end_read(struct lmdb_kv *self)
{
	mdb_txn_reset(self->reader.txn);
}

struct pairs {
	struct kv_pair *pairs;
	size_t count, capacity;
};

static int add_pair(void *arg, const struct kv_pair *pair)
{
	struct pairs *p = arg;

	if (p->count == p->capacity) {
		size_t capacity = p->capacity ? 2 * p->capacity : 16;
		struct kv_pair *pairs = realloc(p->pairs, capacity * sizeof(*pairs));

		if (!pairs)
			return -ENOMEM;
		p->pairs = pairs;
		p->capacity = capacity;
	}
	p->pairs[p->count++] = *pair;
	return 0;
}

static int read_pairs(struct lmdb_kv *self, struct lmdb_request *job, struct pairs *ret_pairs)
{
	struct kv_pair pair;
	int rc;

	if (job->is_prefix)
		return lmdb_each(&self->reader, job->key, add_pair, ret_pairs);
	rc = lmdb_get(&self->reader, job->key, &pair);
	return rc < 0 ? rc : add_pair(ret_pairs, &pair);
}

static void answer_read(struct lmdb_kv *self, struct lmdb_request *job)
{
	struct pairs p = {NULL};
	int rc;

	rc = job->base.rc ? job->base.rc : lmdb_begin_read(self);
	if (rc < 0) {
		job->read_fn(job->arg, rc, NULL, 0, 0);
		return;
	}
	rc = read_pairs(self, job, &p);
	job->read_fn(job->arg, rc, p.pairs, rc < 0 ? 0 : p.count, lmdb_revision(&self->reader));
	lmdb_end_read(self);
	free(p.pairs);
}

static void lmdb_read(struct kv *kv, const char *key, bool is_prefix, kv_read_fn *fn, void *arg)
{
	struct lmdb_kv *self = (struct lmdb_kv *)kv;
	struct lmdb_request *job = lmdb_new_request(self, JOB_READ);

	job->key = strdup(key);
	job->is_prefix = is_prefix;
	job->read_fn = fn;
	job->arg = arg;
	job->base.rc = self->env ? 0 : -ECONNRESET;
	expect(self, job);
	inbox_put(self->inbox, &job->base.item);
}

// ---- changing ----

static void lmdb_txn(
	struct kv *kv, const struct kv_op *ops, unsigned count, kv_write_fn *fn, void *arg)
{
	struct lmdb_kv *self = (struct lmdb_kv *)kv;
	struct lmdb_request *job = lmdb_new_request(self, JOB_TXN);

	job->write_fn = fn;
	job->arg = arg;
	job->count = count;
	job->ops = kv_ops_copy(ops, count);
	if (!job->ops)
		abort();
	for (unsigned i = 0; i < count; i++) {
		struct lmdb_lease *lease = (struct lmdb_lease *)ops[i].lease;

		if (!lease || ops[i].action != KV_PUT)
			continue;
		job->leases[i] = lease->id;
		if (!lease->id)
			job->refused = -ESTALE;
	}
	lmdb_submit(self, job);
}

static void schedule(struct lmdb_kv *self);

static void on_notified(void *arg)
{
	struct lmdb_kv *self = arg;
	char events[4096];

	if (self->inotify_fd >= 0 && read(self->inotify_fd, events, sizeof(events)) < 0)
		return;
	lmdb_tell_watches(self);
}

// ---- opening, and again when the files were removed ----

static void close_env(struct lmdb_kv *self)
{
	self->ready = false;
	loop_del(self->kv.opts.loop, self->notified);
	self->notified = NULL;
	if (self->inotify_fd >= 0)
		close(self->inotify_fd);
	self->inotify_fd = -1;
	if (self->reader.txn)
		mdb_txn_abort(self->reader.txn);
	self->reader.txn = NULL;
	lmdb_env_put(self->env);
	self->env = NULL;
}

static int open_env(struct lmdb_kv *self, struct err *err)
{
	int rc;

	rc = lmdb_env_get(self->dir, &self->env, err);
	if (rc < 0)
		return rc;
	rc = lmdb_env_reader(self->env, &self->reader);
	if (rc < 0) {
		err_set_errno(err, rc, self->dir, "cannot read the database");
		goto err;
	}
	self->inotify_fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	if (self->inotify_fd < 0 || inotify_add_watch(self->inotify_fd,
					    lmdb_env_notify_path(self->env), IN_MODIFY) < 0) {
		rc = err_set_errno(err, -errno, self->dir,
			"cannot watch the folder; see sysctl fs.inotify.max_user_instances");
		goto err;
	}
	self->notified = loop_add_fd(self->kv.opts.loop, self->inotify_fd, on_notified, self);
	if (!self->notified) {
		rc = err_set(err, -ENOMEM, self->dir, "out of memory");
		goto err;
	}
	submit_boot(self);
	return 0;

err:
	close_env(self);
	return rc;
}

// ---- answers and time-outs ----

static void answer(struct lmdb_kv *self, struct lmdb_request *job)
{
	TAILQ_REMOVE(&self->jobs, job, entry);
	switch (job->kind) {
	case JOB_READ:
		answer_read(self, job);
		break;
	case JOB_TXN:
		job->write_fn(job->arg, job->base.rc, job->base.rc ? 0 : job->revision);
		break;
	case JOB_GRANT:
	case JOB_KEEP:
		lmdb_answer_lease(self, job);
		break;
	case JOB_EXPIRE:
		self->expiring = false;
		break;
	case JOB_BOOT:
	case JOB_REVOKE:
		break;
	}
	free_job(&job->base);
}

static void answer_waiting_reads(struct lmdb_kv *self)
{
	struct lmdb_request *job, *next;

	for (job = TAILQ_FIRST(&self->jobs); job; job = next) {
		next = TAILQ_NEXT(job, entry); // callbacks add at the end only
		if (job->arrived)
			answer(self, job);
	}
}

static void note_state(struct lmdb_kv *self, int rc)
{
	if (rc == 0 || rc == -ESTALE)
		kv_set_state(&self->kv, true, "");
	else
		kv_set_state(&self->kv, self->env && rc != -ETIMEDOUT,
			rc == -ETIMEDOUT ? "another process holds the lock of the database"
			: rc == -ENOSPC	 ? "the database or its disk is full"
			: rc == -E2BIG	 ? "it is more than the database takes"
					 : strerror(-rc));
}

static void on_item(void *arg, struct inbox_item *item)
{
	struct lmdb_kv *self = arg;
	struct lmdb_request *job = (struct lmdb_request *)item;
	bool is_boot = job->kind == JOB_BOOT;
	int rc = job->base.rc;

	if (job->kind == JOB_READ && rc == 0 && !self->ready) {
		job->arrived = true;
		return;
	}
	if (job->kind != JOB_READ && !job->refused)
		note_state(self, rc);
	answer(self, job);
	if (is_boot && rc == 0) {
		self->ready = true;
		answer_waiting_reads(self);
		lmdb_tell_watches(self);
	}
	schedule(self);
}

// Ends it without waiting for its answer. False: that is in the inbox.
static bool give_up(struct lmdb_kv *self, struct lmdb_request *job, int rc)
{
	enum job_kind kind = job->kind;
	kv_read_fn *read_fn = job->read_fn;
	kv_write_fn *write_fn = job->write_fn;
	struct lmdb_lease *lease = job->lease;
	void *arg = job->arg;
	struct lmdb_request *next = TAILQ_NEXT(job, entry);

	TAILQ_REMOVE(&self->jobs, job, entry); // it may be freed from now on
	if (job->arrived) {
		free_job(&job->base);
	} else if (!self->env || !lmdb_env_abandon(self->env, &job->base)) {
		if (next)
			TAILQ_INSERT_BEFORE(next, job, entry);
		else
			TAILQ_INSERT_TAIL(&self->jobs, job, entry);
		return false;
	}
	if (kind == JOB_READ)
		read_fn(arg, rc, NULL, 0, 0);
	else if (kind == JOB_TXN)
		write_fn(arg, rc, 0);
	else if (kind == JOB_EXPIRE)
		self->expiring = false;
	else if (kind == JOB_BOOT && rc == -ETIMEDOUT)
		submit_boot(self);
	if (lease)
		lease->job = NULL; // the next tick asks again
	return true;
}

static void on_timeout(void *arg)
{
	struct lmdb_kv *self = arg;
	uint64_t now_us = monotonic_us();
	struct lmdb_request *job;

	while ((job = TAILQ_FIRST(&self->jobs)) && job->due_us <= now_us) {
		if (!give_up(self, job, -ETIMEDOUT))
			break; // its answer is in the inbox
		note_state(self, -ETIMEDOUT);
	}
	if (job)
		loop_timer_set(self->timeout, job->due_us > now_us ? job->due_us - now_us : 1000);
	schedule(self);
}

// The files were removed: this is another store, or none.
static void reopen(struct lmdb_kv *self)
{
	struct lmdb_lease *lease;
	struct lmdb_request *job, *next;

	for (job = TAILQ_FIRST(&self->jobs); job; job = next) {
		next = TAILQ_NEXT(job, entry);
		give_up(self, job, -ECONNRESET);
	}
	close_env(self);
	open_env(self, NULL);
	TAILQ_FOREACH (lease, &self->leases, entry)
		lease->until_us = 0;
	if (!self->env)
		kv_set_state(&self->kv, false, "the folder was removed and cannot be made again");
}

static void expire(struct lmdb_kv *self)
{
	struct lmdb_request *job;

	if (self->expiring)
		return;
	self->expiring = true;
	job = lmdb_new_request(self, JOB_EXPIRE);
	lmdb_submit(self, job);
}

static uint64_t first_deadline_us(struct lmdb_kv *self)
{
	uint64_t first_us = UINT64_MAX;

	if (lmdb_begin_read(self) == 0) {
		first_us = lmdb_first_deadline_us(&self->reader);
		lmdb_end_read(self);
	}
	return first_us;
}

static void on_tick(void *arg)
{
	struct lmdb_kv *self = arg;
	uint64_t now_us = monotonic_us();

	if (!self->env || !lmdb_env_is_there(self->env))
		reopen(self);
	if (self->env && now_us - self->readers_checked_us >= READERS_PERIOD_US) {
		lmdb_env_check_readers(self->env);
		self->readers_checked_us = now_us;
	}
	if (self->ready && first_deadline_us(self) <= now_us)
		expire(self);
	lmdb_keep_leases(self);
	lmdb_tell_watches(self);
	schedule(self);
}

// When to look next: at the latest after LOOK_PERIOD_US.
static void schedule(struct lmdb_kv *self)
{
	uint64_t now_us = monotonic_us(), next_us = now_us + LOOK_PERIOD_US;

	next_us = MIN_OF(next_us, lmdb_next_lease_us(self));
	if (self->ready && !self->expiring)
		next_us = MIN_OF(next_us, first_deadline_us(self));
	if (self->has_new_watch)
		next_us = now_us;
	loop_timer_once(self->tick, next_us > now_us ? next_us - now_us : 0);
}

static void lmdb_free(struct kv *kv)
{
	struct lmdb_kv *self = (struct lmdb_kv *)kv;
	struct lmdb_request *job;

	while ((job = TAILQ_FIRST(&self->jobs))) {
		TAILQ_REMOVE(&self->jobs, job, entry);
		if (job->arrived)
			free_job(&job->base);
		else if (self->env)
			lmdb_env_abandon(self->env, &job->base); // else the inbox has it
	}
	inbox_free(self->inbox, drop_item);
	close_env(self);
	lmdb_free_watches(self);
	lmdb_free_leases(self);
	loop_del(self->kv.opts.loop, self->tick);
	loop_del(self->kv.opts.loop, self->timeout);
	free(self->dir);
	free(self);
}

static int lmdb_check(const struct kv_opts *opts, const char *rest, struct err *err)
{
	if (rest[0] != '/')
		return err_set(err, -EINVAL, opts->url, "names no folder; it has to be as in %s",
			kv_lmdb.example);
	if (opts->ca_file || opts->cert_file || opts->key_file || opts->user || opts->password ||
		opts->token)
		return err_set(err, -EINVAL, opts->url,
			"the store lmdb takes no user, token or certificate; "
			"the permissions of its folder decide who may use it");
	return 0;
}

static int lmdb_open(
	const struct kv_opts *opts, const char *rest, struct kv **ret_kv, struct err *err)
{
	struct lmdb_kv *self;
	int rc;

	self = calloc(1, sizeof(*self));
	if (!self)
		return err_set(err, -ENOMEM, opts->url, "out of memory");
	self->kv.opts = *opts;
	self->inotify_fd = -1;
	TAILQ_INIT(&self->jobs);
	TAILQ_INIT(&self->watches);
	TAILQ_INIT(&self->leases);
	self->dir = strdup(rest);
	self->inbox = inbox_new(opts->loop, on_item, self);
	self->tick = loop_add_timer(opts->loop, LOOK_PERIOD_US, on_tick, self);
	self->timeout = loop_add_timer(opts->loop, 0, on_timeout, self);
	if (!self->dir || !self->inbox || !self->tick || !self->timeout)
		rc = err_set(err, -ENOMEM, opts->url, "out of memory");
	else
		rc = open_env(self, err);
	if (rc < 0) {
		lmdb_free(&self->kv);
		return rc;
	}
	*ret_kv = &self->kv;
	return 0;
}

const struct kv_driver kv_lmdb = {
	.scheme = "lmdb",
	.example = "lmdb:/var/lib/causeway/store",
	.check = lmdb_check,
	.open = lmdb_open,
	.free = lmdb_free,
	.read = lmdb_read,
	.txn = lmdb_txn,
	.watch = lmdb_watch,
	.unwatch = lmdb_unwatch,
	.lease_new = lmdb_lease_new,
	.lease_is_held = lmdb_lease_is_held,
	.lease_free = lmdb_lease_free,
};
