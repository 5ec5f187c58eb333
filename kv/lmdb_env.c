// SPDX-License-Identifier: BSD-3-Clause
#include "kv/lmdb_env.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/file.h"
#include "base/log.h"
#include "base/thread.h"

// The map takes addresses, not memory nor disk, and cannot grow while somebody reads: so it has
// the size that is never reached.
#define MAP_BYTES   (16ull << 30)
#define READERS_MAX 512
#define GROUP_MAX   64

TAILQ_HEAD(jobs, lmdb_job);

struct lmdb_env {
	TAILQ_ENTRY(lmdb_env) entry;
	MDB_env *env;
	MDB_dbi dbi;
	dev_t dev;
	ino_t ino;
	char data_path[PATH_MAX], notify_path[PATH_MAX];
	int notify_fd;
	unsigned refs;
	struct jobs queue;
	pthread_cond_t work;
};

// Protects the list, and of all in it `refs`, `queue` and the states of jobs.
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t closed = PTHREAD_COND_INITIALIZER;
static TAILQ_HEAD(, lmdb_env) envs = TAILQ_HEAD_INITIALIZER(envs);

// ---- the thread ----

static int run_one(struct lmdb_env *env, MDB_txn *txn, struct lmdb_job *job)
{
	struct lmdb_txn t = {txn, env->dbi};

	job->rc = job->run(job, &t);
	return job->rc == -ESTALE ? 0 : job->rc;
}

// Takes `txn`. All jobs or none, but for those that are refused.
static int run_group(struct lmdb_env *env, MDB_txn *txn, struct jobs *jobs, bool *ret_changed)
{
	struct lmdb_txn t = {txn, env->dbi};
	uint64_t revision = lmdb_revision(&t);
	struct lmdb_job *job;
	bool changed;
	int rc;

	TAILQ_FOREACH (job, jobs, entry) {
		rc = run_one(env, txn, job);
		if (rc < 0) {
			mdb_txn_abort(txn);
			return rc;
		}
	}
	changed = lmdb_revision(&t) != revision;
	rc = lmdb_rc(mdb_txn_commit(txn));
	if (rc == 0 && changed)
		*ret_changed = true;
	return rc;
}

// After a group has failed: each by itself, so that only those fail that have to.
static void run_each(struct lmdb_env *env, struct jobs *jobs, bool *ret_changed)
{
	struct jobs done = TAILQ_HEAD_INITIALIZER(done), alone = TAILQ_HEAD_INITIALIZER(alone);
	struct lmdb_job *job;

	while ((job = TAILQ_FIRST(jobs))) {
		MDB_txn *txn;
		int rc;

		TAILQ_REMOVE(jobs, job, entry);
		TAILQ_INSERT_TAIL(&alone, job, entry);
		rc = lmdb_rc(mdb_txn_begin(env->env, NULL, 0, &txn));
		if (rc == 0)
			rc = run_group(env, txn, &alone, ret_changed);
		if (rc < 0)
			job->rc = rc;
		TAILQ_REMOVE(&alone, job, entry);
		TAILQ_INSERT_TAIL(&done, job, entry);
	}
	TAILQ_CONCAT(jobs, &done, entry);
}

static void take_jobs(struct lmdb_env *env, struct jobs *ret_jobs)
{
	struct lmdb_job *job;

	pthread_mutex_lock(&lock);
	for (unsigned i = 0; i < GROUP_MAX && (job = TAILQ_FIRST(&env->queue)); i++) {
		TAILQ_REMOVE(&env->queue, job, entry);
		job->state = LMDB_JOB_RUNNING;
		TAILQ_INSERT_TAIL(ret_jobs, job, entry);
	}
	pthread_mutex_unlock(&lock);
}

static void give_back(struct jobs *jobs)
{
	struct lmdb_job *job;

	pthread_mutex_lock(&lock);
	while ((job = TAILQ_FIRST(jobs))) {
		TAILQ_REMOVE(jobs, job, entry);
		job->state = LMDB_JOB_DONE;
		if (job->inbox)
			inbox_put(job->inbox, &job->item);
		else
			job->free(job);
	}
	pthread_mutex_unlock(&lock);
}

static void write_some(struct lmdb_env *env)
{
	struct jobs jobs = TAILQ_HEAD_INITIALIZER(jobs);
	bool changed = false;
	MDB_txn *txn;
	int rc;

	// Jobs are taken when the lock is there: until then they can be abandoned.
	rc = lmdb_rc(mdb_txn_begin(env->env, NULL, 0, &txn));
	take_jobs(env, &jobs);
	if (rc == 0)
		rc = run_group(env, txn, &jobs, &changed);
	if (rc < 0)
		run_each(env, &jobs, &changed);
	give_back(&jobs);
	if (changed && pwrite(env->notify_fd, "\n", 1, 0) < 0)
		log_debug(
			"cannot write %s", env->notify_path); // others find it when they look next
}

static void env_free(struct lmdb_env *env)
{
	if (env->env)
		mdb_env_close(env->env);
	if (env->notify_fd >= 0)
		close(env->notify_fd);
	pthread_cond_destroy(&env->work);
	free(env);
}

static void *writer(void *arg)
{
	struct lmdb_env *env = arg;

	pthread_mutex_lock(&lock);
	for (;;) {
		while (TAILQ_EMPTY(&env->queue) && env->refs > 0)
			pthread_cond_wait(&env->work, &lock);
		if (TAILQ_EMPTY(&env->queue))
			break;
		pthread_mutex_unlock(&lock);
		write_some(env);
		pthread_mutex_lock(&lock);
	}
	// Under the lock: who opens these files again has to do it after they are closed.
	TAILQ_REMOVE(&envs, env, entry);
	env_free(env);
	pthread_cond_broadcast(&closed);
	pthread_mutex_unlock(&lock);
	return NULL;
}

// ---- opening ----

static struct lmdb_env *find(const char *data_path)
{
	struct lmdb_env *env;
	struct stat st;

	if (stat(data_path, &st) < 0)
		return NULL;
	TAILQ_FOREACH (env, &envs, entry) {
		if (env->dev == st.st_dev && env->ino == st.st_ino)
			return env;
	}
	return NULL;
}

static int open_map(struct lmdb_env *env, const char *dir)
{
	struct stat st;
	MDB_txn *txn;
	int rc, fd;

	rc = mdb_env_create(&env->env);
	if (rc)
		return rc;
	mdb_env_set_mapsize(env->env, MAP_BYTES);
	mdb_env_set_maxreaders(env->env, READERS_MAX);
	// Data is flushed at each commit, the page that points to it with the next one: no process
	// that dies takes a change with it, and a machine that does at most the last.
	rc = mdb_env_open(env->env, dir, MDB_NOTLS | MDB_NOMETASYNC, 0660);
	if (rc)
		return rc;
	mdb_env_get_fd(env->env, &fd);
	if (fstat(fd, &st) < 0)
		return errno;
	env->dev = st.st_dev;
	env->ino = st.st_ino;
	rc = mdb_txn_begin(env->env, NULL, MDB_RDONLY, &txn);
	if (rc)
		return rc;
	rc = mdb_dbi_open(txn, NULL, 0, &env->dbi); // the one that is always there
	mdb_txn_abort(txn);
	return rc;
}

static int open_env(const char *dir, struct lmdb_env **ret_env, struct err *err)
{
	struct lmdb_env *env = calloc(1, sizeof(*env));
	int rc;

	if (!env)
		return err_set(err, -ENOMEM, dir, "out of memory");
	TAILQ_INIT(&env->queue);
	pthread_cond_init(&env->work, NULL);
	env->refs = 1;
	snprintf(env->data_path, sizeof(env->data_path), "%s/data.mdb", dir);
	snprintf(env->notify_path, sizeof(env->notify_path), "%s/notify", dir);
	env->notify_fd = open(env->notify_path, O_WRONLY | O_CREAT | O_CLOEXEC, 0660);
	if (env->notify_fd < 0) {
		rc = err_set_errno(err, -errno, env->notify_path, "cannot open the file");
		goto err;
	}
	rc = open_map(env, dir);
	file_give_inside(dir);
	if (rc) {
		rc = err_set(err, lmdb_rc(rc), dir,
			"cannot open the database: %s; if it is damaged, move the folder away",
			mdb_strerror(rc));
		goto err;
	}
	rc = thread_start(writer, env);
	if (rc < 0) {
		err_set_errno(err, rc, dir, "cannot start a thread");
		goto err;
	}
	TAILQ_INSERT_TAIL(&envs, env, entry);
	*ret_env = env;
	return 0;

err:
	env_free(env);
	return rc;
}

// A child has the list, but not the threads.
static void forget_envs(void)
{
	pthread_mutex_init(&lock, NULL);
	pthread_cond_init(&closed, NULL);
	TAILQ_INIT(&envs);
}

static void prepare_fork(void)
{
	pthread_atfork(NULL, NULL, forget_envs);
}

int lmdb_env_get(const char *dir, struct lmdb_env **ret_env, struct err *err)
{
	char data_path[PATH_MAX];
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	struct lmdb_env *env;
	int rc;

	pthread_once(&once, prepare_fork);
	rc = dir_make(dir, 0770, err);
	if (rc < 0)
		return rc;
	if (snprintf(data_path, sizeof(data_path), "%s/data.mdb", dir) >= sizeof(data_path))
		return err_set(err, -ENAMETOOLONG, dir, "the path is too long");
	pthread_mutex_lock(&lock);
	env = find(data_path);
	if (env) {
		env->refs++;
		*ret_env = env;
	} else {
		rc = open_env(dir, ret_env, err);
	}
	pthread_mutex_unlock(&lock);
	return rc;
}

static bool is_open(const struct lmdb_env *env)
{
	struct lmdb_env *e;

	TAILQ_FOREACH (e, &envs, entry) {
		if (e == env)
			return true;
	}
	return false;
}

void lmdb_env_put(struct lmdb_env *env)
{
	struct timespec until;

	if (!env)
		return;
	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec++;
	pthread_mutex_lock(&lock);
	if (--env->refs == 0) {
		pthread_cond_signal(&env->work);
		// The thread may wait for a process that is stopped; then it closes later.
		while (is_open(env) && pthread_cond_timedwait(&closed, &lock, &until) == 0)
			;
	}
	pthread_mutex_unlock(&lock);
}

bool lmdb_env_is_there(const struct lmdb_env *env)
{
	struct stat st;

	return stat(env->data_path, &st) == 0 && st.st_dev == env->dev && st.st_ino == env->ino;
}

const char *lmdb_env_notify_path(const struct lmdb_env *env)
{
	return env->notify_path;
}

int lmdb_env_reader(struct lmdb_env *env, struct lmdb_txn *ret_txn)
{
	int rc = mdb_txn_begin(env->env, NULL, MDB_RDONLY, &ret_txn->txn);

	if (rc)
		return lmdb_rc(rc);
	mdb_txn_reset(ret_txn->txn);
	ret_txn->dbi = env->dbi;
	return 0;
}

void lmdb_env_check_readers(struct lmdb_env *env)
{
	int dead;

	mdb_reader_check(env->env, &dead);
}

void lmdb_env_add(struct lmdb_env *env, struct lmdb_job *job)
{
	pthread_mutex_lock(&lock);
	job->state = LMDB_JOB_QUEUED;
	TAILQ_INSERT_TAIL(&env->queue, job, entry);
	pthread_cond_signal(&env->work);
	pthread_mutex_unlock(&lock);
}

bool lmdb_env_abandon(struct lmdb_env *env, struct lmdb_job *job)
{
	bool queued, running;

	pthread_mutex_lock(&lock);
	queued = job->state == LMDB_JOB_QUEUED;
	running = job->state == LMDB_JOB_RUNNING;
	job->inbox = NULL;
	if (queued)
		TAILQ_REMOVE(&env->queue, job, entry);
	pthread_mutex_unlock(&lock);
	if (queued)
		job->free(job);
	return queued || running;
}
