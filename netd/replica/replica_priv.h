// SPDX-License-Identifier: BSD-3-Clause
// What the files of the replica share.
//
//	replica.c	applies changes and full readings; records that cannot be read
//	host.c		hosts
//	net.c		networks
//	block.c		blocks of addresses
//	endpoint.c	endpoints
//	index.c		who claims an address or a name
#pragma once

#include "netd/replica/replica.h"
#include "netd/replica/replica_index.h"

// A key that was set or deleted (`value` NULL).
struct replica_change {
	const char *key, *value;
	struct record_key k;
	size_t len_bytes;
	uint64_t revision, now_us;
};

// Each returns as replica_apply().
int replica_host_apply(struct replica *r, const struct replica_change *c);
int replica_net_apply(struct replica *r, const struct replica_change *c);
int replica_block_apply(struct replica *r, const struct replica_change *c);
int replica_endpoint_apply(struct replica *r, const struct replica_change *c);

// Notes that the record cannot be read, and why: -EBADMSG, or -ENOMEM.
int replica_skip(struct replica *r, const char *key, const struct err *err);

// A host, made when it is not there: not present since `now_us`.
struct replica_host *replica_host_make(struct replica *r, const char *name, uint64_t now_us);
// Frees a host that is not present and that nothing hangs on. NULL is fine.
void replica_host_tidy(struct replica *r, struct replica_host *host);
void replica_host_absent(struct replica *r, struct replica_host *host, uint64_t now_us);

struct replica_net *replica_net_named(struct replica *r, bool local, const char *name);
void replica_net_free(struct replica *r, struct replica_net *net); // whatever hangs on it

void replica_block_remove(struct replica *r, struct replica_block *block);
void replica_endpoint_remove(struct replica *r, struct replica_endpoint *ep);
