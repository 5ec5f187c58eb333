// SPDX-License-Identifier: BSD-3-Clause
#include "kv/zookeeper_session.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <time.h>

#include "base/log.h"
#include "base/thread.h"

struct zk_session {
	TAILQ_ENTRY(zk_session) entry;
	uint64_t number;
	_Atomic(zhandle_t *) zh; // set once
	char *servers, *auth;
	unsigned timeout_ms;
	const struct inbox *owner; // also when nobody listens any more
	// Under `lock`:
	struct inbox *inbox; // NULL: nobody listens any more
	bool end, leave;
	pthread_cond_t ended;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static TAILQ_HEAD(, zk_session) sessions = TAILQ_HEAD_INITIALIZER(sessions);
static pthread_cond_t gone = PTHREAD_COND_INITIALIZER; // one of the list
static uint64_t last_number;

// ---- calls ----

struct zk_call *zk_call_new(void (*done)(struct zk_call *call), void *arg, const char *path)
{
	struct zk_call *call = calloc(1, sizeof(*call));

	if (!call)
		abort();
	call->done = done;
	call->arg = arg;
	call->path = strdup(path);
	return call;
}

void zk_call_free(struct zk_call *call)
{
	for (unsigned i = 0; i < call->nb_names; i++)
		free(call->names[i]);
	free(call->names);
	free(call->value);
	free(call->memory);
	free(call->path);
	free(call);
}

// Any thread.
static void give(struct zk_session *session, struct zk_call *call)
{
	pthread_mutex_lock(&lock);
	call->session = session->number;
	if (session->inbox)
		inbox_put(session->inbox, &call->item);
	else
		zk_call_free(call);
	pthread_mutex_unlock(&lock);
}

// ---- what the library's threads call ----

// The library keeps one pointer for us, and a call is to find its session.
struct context {
	struct zk_session *session;
	struct zk_call *call;
};

static struct context *context_new(struct zk_session *session, struct zk_call *call)
{
	struct context *context = malloc(sizeof(*context));

	if (!context)
		abort();
	*context = (struct context){session, call};
	return context;
}

static void answer(const void *data, int rc, const struct Stat *stat)
{
	struct context *context = (struct context *)data;

	context->call->rc = rc;
	if (rc == ZOK && stat)
		context->call->stat = *stat;
	give(context->session, context->call);
	free(context);
}

static void on_void(int rc, const void *data)
{
	answer(data, rc, NULL);
}

static void on_string(int rc, const char *value, const void *data)
{
	answer(data, rc, NULL);
}

static void on_stat(int rc, const struct Stat *stat, const void *data)
{
	answer(data, rc, stat);
}

static void on_data(int rc, const char *value, int len, const struct Stat *stat, const void *data)
{
	struct zk_call *call = ((struct context *)data)->call;

	if (rc == ZOK) {
		call->len_bytes = len > 0 ? len : 0;
		call->value = calloc(1, call->len_bytes + 1);
		if (!call->value)
			abort();
		memcpy(call->value, value ? value : "", call->len_bytes);
	}
	answer(data, rc, stat);
}

static void on_strings(
	int rc, const struct String_vector *strings, const struct Stat *stat, const void *data)
{
	struct zk_call *call = ((struct context *)data)->call;

	if (rc == ZOK && strings->count > 0) {
		call->names = calloc(strings->count, sizeof(*call->names));
		if (!call->names)
			abort();
		call->nb_names = strings->count;
		for (int i = 0; i < strings->count; i++)
			call->names[i] = strdup(strings->data[i]);
	}
	answer(data, rc, stat);
}

static void on_event(zhandle_t *zh, int type, int state, const char *path, void *arg)
{
	struct zk_call *call;

	if (type == ZOO_SESSION_EVENT) // all watches are told of those
		return;
	call = zk_call_new(NULL, NULL, path ? path : "");
	call->kind = ZK_EVENT;
	call->rc = type;
	give(arg, call);
}

static void on_state(zhandle_t *zh, int type, int state, const char *path, void *arg)
{
	struct zk_session *session = (struct zk_session *)zoo_get_context(zh);
	struct zk_call *call;

	if (type != ZOO_SESSION_EVENT)
		return;
	session->zh = zh; // who hears of this may use it, before begin() has it
	call = zk_call_new(NULL, NULL, "");
	call->kind = ZK_STATE;
	call->rc = state;
	give(session, call);
}

static void on_log(const char *message)
{
	log_debug("zookeeper: %s", message);
}

// ---- the session's own thread: what blocks ----

static void session_free(struct zk_session *session)
{
	pthread_cond_destroy(&session->ended);
	free(session->servers);
	free(session->auth);
	free(session);
}

static void begin(struct zk_session *session)
{
	zhandle_t *zh = zookeeper_init2(
		session->servers, on_state, session->timeout_ms, NULL, session, 0, on_log);
	struct zk_call *call;

	if (!zh) { // no name of a server was found
		call = zk_call_new(NULL, NULL, "");
		call->kind = ZK_STATE;
		call->rc = ZOO_NOTCONNECTED_STATE;
		give(session, call);
		return;
	}
	if (session->auth)
		zoo_add_auth(zh, "digest", session->auth, strlen(session->auth), NULL, NULL);
	session->zh = zh;
}

static void finish(struct zk_session *session)
{
	zhandle_t *zh = session->zh;

	if (!zh)
		return;
	// Closing ends the session if it is connected. A server that nobody is takes it from the
	// one that it has, so the servers only see it fall silent.
	if (session->leave)
		zoo_set_servers(zh, "127.0.0.1:1");
	zookeeper_close(zh);
}

static void *run(void *arg)
{
	struct zk_session *session = arg;

	begin(session);
	pthread_mutex_lock(&lock);
	while (!session->end)
		pthread_cond_wait(&session->ended, &lock);
	pthread_mutex_unlock(&lock);
	finish(session);
	pthread_mutex_lock(&lock);
	TAILQ_REMOVE(&sessions, session, entry);
	pthread_cond_broadcast(&gone);
	pthread_mutex_unlock(&lock);
	session_free(session);
	return NULL;
}

// A child has the list, but not the threads.
static void forget_sessions(void)
{
	pthread_mutex_init(&lock, NULL);
	pthread_cond_init(&gone, NULL);
	TAILQ_INIT(&sessions);
}

static void prepare_fork(void)
{
	pthread_atfork(NULL, NULL, forget_sessions);
}

struct zk_session *zk_session_start(const struct zk_config *config, unsigned timeout_ms)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	struct zk_session *session = calloc(1, sizeof(*session));

	if (!session)
		return NULL;
	pthread_once(&once, prepare_fork);
	zoo_set_debug_level(
		log_get_level() == LOG_LEVEL_DEBUG ? ZOO_LOG_LEVEL_INFO : ZOO_LOG_LEVEL_ERROR);
	session->servers = strdup(config->servers);
	session->auth = config->auth ? strdup(config->auth) : NULL;
	session->timeout_ms = timeout_ms;
	session->owner = session->inbox = config->inbox;
	pthread_cond_init(&session->ended, NULL);
	pthread_mutex_lock(&lock);
	session->number = ++last_number;
	TAILQ_INSERT_TAIL(&sessions, session, entry);
	pthread_mutex_unlock(&lock);
	if (thread_start(run, session) == 0)
		return session;
	pthread_mutex_lock(&lock);
	TAILQ_REMOVE(&sessions, session, entry);
	pthread_mutex_unlock(&lock);
	session_free(session);
	return NULL;
}

void zk_session_end(struct zk_session *session, bool leave)
{
	pthread_mutex_lock(&lock);
	session->end = true;
	session->leave = leave;
	pthread_cond_signal(&session->ended);
	pthread_mutex_unlock(&lock);
}

static bool has_sessions(const struct inbox *inbox)
{
	struct zk_session *session;

	TAILQ_FOREACH (session, &sessions, entry) {
		if (session->owner == inbox)
			return true;
	}
	return false;
}

void zk_sessions_detach(struct inbox *inbox)
{
	struct zk_session *session;
	struct timespec until;

	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec++;
	pthread_mutex_lock(&lock);
	TAILQ_FOREACH (session, &sessions, entry) {
		if (session->inbox == inbox)
			session->inbox = NULL;
	}
	while (has_sessions(inbox) && pthread_cond_timedwait(&gone, &lock, &until) == 0)
		;
	pthread_mutex_unlock(&lock);
}

unsigned zk_session_timeout_ms(const struct zk_session *session)
{
	unsigned agreed_ms = session->zh ? zoo_recv_timeout(session->zh) : 0;

	return agreed_ms ? agreed_ms : session->timeout_ms;
}

uint64_t zk_session_number(const struct zk_session *session)
{
	return session->number;
}

int64_t zk_session_owner(const struct zk_session *session)
{
	return session->zh ? zoo_client_id(session->zh)->client_id : 0;
}

const struct ACL_vector *zk_session_acl(const struct zk_session *session)
{
	return session->auth ? &ZOO_CREATOR_ALL_ACL : &ZOO_OPEN_ACL_UNSAFE;
}

// ---- requests ----

// What the library refuses at once is answered as well.
static void sent(struct context *context, int rc)
{
	if (rc != ZOK)
		answer(context, rc, NULL);
}

void zk_sync(struct zk_session *session, struct zk_call *call)
{
	struct context *c = context_new(session, call);

	sent(c, session->zh ? zoo_async(session->zh, call->path, on_string, c) : ZCONNECTIONLOSS);
}

void zk_get(struct zk_session *session, struct zk_call *call, bool watch)
{
	struct context *c = context_new(session, call);

	sent(c, session->zh ? zoo_awget(session->zh, call->path, watch ? on_event : NULL, session,
				      on_data, c)
			    : ZCONNECTIONLOSS);
}

void zk_exists(struct zk_session *session, struct zk_call *call)
{
	struct context *c = context_new(session, call);

	sent(c, session->zh ? zoo_aexists(session->zh, call->path, 0, on_stat, c)
			    : ZCONNECTIONLOSS);
}

void zk_children(struct zk_session *session, struct zk_call *call, bool watch)
{
	struct context *c = context_new(session, call);

	sent(c, session->zh ? zoo_awget_children2(session->zh, call->path, watch ? on_event : NULL,
				      session, on_strings, c)
			    : ZCONNECTIONLOSS);
}

void zk_create_folder(struct zk_session *session, struct zk_call *call)
{
	struct context *c = context_new(session, call);

	sent(c, session->zh ? zoo_acreate(session->zh, call->path, "", 0, zk_session_acl(session),
				      ZOO_PERSISTENT, on_string, c)
			    : ZCONNECTIONLOSS);
}

void zk_multi(struct zk_session *session, struct zk_call *call, const zoo_op_t *ops,
	zoo_op_result_t *results, unsigned count)
{
	struct context *c = context_new(session, call);

	sent(c, session->zh ? zoo_amulti(session->zh, count, ops, results, on_void, c)
			    : ZCONNECTIONLOSS);
}
