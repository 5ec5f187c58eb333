// SPDX-License-Identifier: BSD-3-Clause
// What the tests of the control channel share: a server with methods made for them, in a thread of
// its own, as in a daemon; the tests are its clients.
#pragma once

#include <pthread.h>
#include <stdatomic.h>
#include <stddef.h>

#include <jansson.h>

#include "base/loop.h"
#include "ctrl/server.h"

#define LARGE_BYTES (1 << 18)

extern char
	ctrl_bed_dir[sizeof("/tmp/test_ctrl.XXXXXX")]; // of the sockets; a template for mkdtemp()

extern struct ctrl_bed {
	struct loop *loop;
	struct ctrl_server *server;
	struct loop_handle *stop;
	int stop_fd;
	pthread_t thread;
	atomic_int writes, commits, larges, warn;
	atomic_int held; // settled() says no
	struct ctrl_call *later[8];
	atomic_uint nb_later;
} ctrl_bed;

struct ctrl_server_opts opts_of_test(void);

void start(const struct ctrl_server_opts *opts);

void stop(void);

int setup(void **state);

int teardown(void **state);

// A bare socket, for what the client would never send.
struct raw {
	void *zmq, *socket;
	char address[128];
};

struct raw raw_open(int type);

void raw_close(struct raw *raw);

json_t *raw_receive(struct raw *raw);

json_t *raw_call(struct raw *raw, const char *text, size_t len_bytes);

const char *code_of(const json_t *answer);

const char *message_of(const json_t *answer);
