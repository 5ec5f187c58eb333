// SPDX-License-Identifier: BSD-3-Clause
// A session with ZooKeeper. libzookeeper calls from threads of its own, and its functions that
// begin and end a session block: here all of that becomes calls whose answers come from the event
// loop, through an inbox.
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <zookeeper/zookeeper.h>

#include "kv/inbox.h"

struct zk_session;

// A request, or what the library tells by itself. Comes to the inbox, whose owner calls `done` and
// then zk_call_free().
struct zk_call {
	struct inbox_item item;
	enum { ZK_REPLY, ZK_STATE, ZK_EVENT } kind;
	uint64_t session; // its number
	void (*done)(struct zk_call *call);
	void *arg;
	int rc;	    // ZK_REPLY: the library's; ZK_STATE: ZOO_..._STATE; ZK_EVENT: ZOO_..._EVENT
	char *path; // what was asked for, or changed
	struct Stat stat;
	char *value; // ends with a zero that is not counted
	size_t len_bytes;
	char **names; // of children
	unsigned nb_names;
	void *memory; // is freed with the call
};

struct zk_config {
	const char *servers; // "h1:2181,h2:2181"
	const char *auth;    // "user:password", or NULL
	struct inbox *inbox;
};

// NULL when out of memory. What is in `config` is copied, but for the inbox.
struct zk_session *zk_session_start(const struct zk_config *config, unsigned timeout_ms);
uint64_t zk_session_number(const struct zk_session *session);
int64_t zk_session_owner(const struct zk_session *session); // what its ephemeral nodes say

unsigned zk_session_timeout_ms(const struct zk_session *session); // as the servers have it

// Its calls are still answered, by ZCLOSING. With `leave` its ephemeral nodes stay until the
// servers let it expire. Not to be used any more.
void zk_session_end(struct zk_session *session, bool leave);
// Nothing comes to the inbox from now on, of no session of it: before it is freed. Gives those that
// were ended a moment to tell the servers.
void zk_sessions_detach(struct inbox *inbox);

struct zk_call *zk_call_new(void (*done)(struct zk_call *call), void *arg, const char *path);
void zk_call_free(struct zk_call *call);

// These take the call. With `watch` a ZK_EVENT comes once when what was read changes.
void zk_sync(struct zk_session *session, struct zk_call *call);
void zk_get(struct zk_session *session, struct zk_call *call, bool watch);
void zk_exists(struct zk_session *session, struct zk_call *call);
void zk_children(struct zk_session *session, struct zk_call *call, bool watch);
void zk_create_folder(struct zk_session *session, struct zk_call *call);
// `ops` and `results` have to stay until the answer.
void zk_multi(struct zk_session *session, struct zk_call *call, const zoo_op_t *ops,
	zoo_op_result_t *results, unsigned count);

const struct ACL_vector *zk_session_acl(const struct zk_session *session);
