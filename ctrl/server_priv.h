// SPDX-License-Identifier: BSD-3-Clause
// What the files of the generic server share. Main thread only.
#pragma once

#include <stdatomic.h>
#include <sys/queue.h>

#include <zmq.h>

#include "ctrl/keys.h"
#include "ctrl/server.h"

#define CALL_FRAMES_MAX	       4 // of addressing, before the request: two with REQ, one with DEALER
#define CTRL_QUEUE_MAX_DEFAULT 1024
#define CTRL_QUEUE_MAX_BYTES   (32u << 20) // as text; some thirty times that when parsed
#define CTRL_UNREAD_MAX_BYTES  (64u << 20)
#define CTRL_SETTLE_TIMEOUT_MS 10000

// A socket for requests.
struct listener {
	struct ctrl_server *server;
	void *socket;
	struct loop_handle *handle;
	struct loop_handle *more; // timer: goes on where the last round stopped
};

// A request and whom to answer.
struct ctrl_call {
	TAILQ_ENTRY(ctrl_call) entry;
	struct listener *listener;
	zmq_msg_t frame[CALL_FRAMES_MAX];
	unsigned nb_frames;
	bool bad_frames; // more frames than a request has
	struct ctrl_request req;
	unsigned method;
	size_t size_bytes;
	uint64_t received_us;
	json_t *result;			 // of a change that is on its way
	bool is_later;			 // in the list of those that are answered later
	char who[112], uid[24], pid[24]; // the peer, for the log; of a remote one no uid and pid
};

// The changes: one runs, the others wait.
struct writes {
	TAILQ_HEAD(, ctrl_call) queue;
	unsigned count;
	size_t size_bytes;
	struct ctrl_call *current;
	uint64_t deadline_us;
	struct loop_handle *timer;
};

struct zap;

enum { LISTENER_LOCAL, LISTENER_TCP, NB_LISTENERS };

struct ctrl_server {
	struct ctrl_server_opts opts;
	void *zmq;
	struct listener requests[NB_LISTENERS];
	void *events[NB_LISTENERS];
	uint64_t event_seq;
	struct zap *zap;
	struct writes writes;
	struct ctrl_call *current;     // its handler runs; NULL: and has answered
	TAILQ_HEAD(, ctrl_call) later; // their handlers have returned CTRL_LATER
	unsigned nb_later;
	atomic_size_t unread_bytes; // of answers that ZeroMQ still holds
};

// ---- server.c ----

// Runs the handler of the call. CTRL_LATER: the call is no longer the caller's.
int ctrl_server_run(struct ctrl_server *server, struct ctrl_call *call, struct err *err);

// ---- call.c ----

// Receives one request into a new call and `ret_body` (the caller closes it). -EAGAIN when there
// is none.
int ctrl_call_receive(struct listener *listener, struct ctrl_call **ret_call, zmq_msg_t *ret_body);

// Sends the answer and frees the call.
void ctrl_call_result(struct ctrl_call *call, const json_t *result);
void ctrl_call_refuse(struct ctrl_call *call, const struct ctrl_fault *fault);
void ctrl_call_error(struct ctrl_call *call, int code, const struct err *err);

// ---- server_log.c ----

// Keeps who sent the request.
void ctrl_log_peer(struct ctrl_call *call, zmq_msg_t *body);

// Logs a change when it was made, or (`err`) refused. Does nothing for what only reads.
void ctrl_log_change(const struct ctrl_call *call, const struct err *err);

// ---- writes.c ----

int ctrl_writes_init(struct ctrl_server *server, struct err *err);
void ctrl_writes_fini(struct ctrl_server *server); // answers all with `stopping`

// Takes the call over.
void ctrl_writes_add(struct ctrl_server *server, struct ctrl_call *call);

// ---- sockets.c ----

// Opens all sockets and takes the lock of the run directory.
int ctrl_sockets_open(struct ctrl_server *server, loop_fn *on_request, struct err *err);
void ctrl_sockets_close(struct ctrl_server *server);

// ---- zap.c: which CURVE keys may connect (ZeroMQ RFC 27) ----

int ctrl_zap_new(struct ctrl_server *server, const char *client_keys_file, struct zap **ret_zap,
	struct err *err);
void ctrl_zap_free(struct zap *zap, struct loop *loop);
