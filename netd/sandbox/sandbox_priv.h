// SPDX-License-Identifier: BSD-3-Clause
// What the files of the sandbox share. Main thread only.
//
//	sandbox.c	finding namespaces; interfaces, addresses and routes in them
//	sandbox_listen.c	sockets in them
//	sandbox_look.c	what interfaces are to have, and how they differ from it
#pragma once

#include "netd/sandbox/sandbox.h"

#define SANDBOX_OBJECT_BYTES 160

// "container TEXT", for errors.
const char *sandbox_object(const char *text, char buf[SANDBOX_OBJECT_BYTES]);

// Opens the namespace; with `id`, only if it is that one.
int sandbox_open(const char *text, const struct netns_id *id, int *ret_fd, struct err *err);

// sandbox_ops.listen()
int sandbox_listen(struct sandbox *sb, const struct sandbox_where *where,
	struct dns_sockets *ret_sockets, struct err *err);
