// SPDX-License-Identifier: BSD-3-Clause
// The address of this host that the others send to: what `cluster-advertise` stands for, also after
// it has changed. Main thread only.
#pragma once

#include "base/err.h"
#include "base/ip.h"
#include "base/loop.h"

struct advertise;

// `text` is an address or an interface (its first address; ":PORT" after either is ignored), or
// empty: the interface of the default route, and 127.0.0.1 when there is none. `ret_where` says
// where the address is from, for people. -ENODEV, -EADDRNOTAVAIL.
#define ADVERTISE_WHERE_BYTES 80
int advertise_find(const char *text, struct ip_addr *ret_ip, char ret_where[ADVERTISE_WHERE_BYTES],
	struct err *err);

// Calls `fn` when it is another address, which may be a moment later. While there is none, the last
// one stays.
typedef void advertise_fn(void *arg, const struct ip_addr *ip);
int advertise_watch(struct loop *loop, const char *text, const struct ip_addr *now,
	advertise_fn *fn, void *arg, struct advertise **ret_watch, struct err *err);
void advertise_free(struct advertise *watch); // NULL is fine
