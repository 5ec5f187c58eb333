// SPDX-License-Identifier: BSD-3-Clause
// Which endpoints of a network claim an address or a name. Several may: the winner by
// endpoint_record_compare() counts. Adding and removing one costs the same however many there are.
#pragma once

#include "netd/replica/replica.h"

struct replica_index;

int replica_index_new(struct replica_index **ret_index);
void replica_index_free(struct replica_index *index);

// All claims of the endpoint's record, into `ep->claims`. -ENOMEM: nothing was done.
int replica_index_add(struct replica_index *index, struct replica_endpoint *ep);
// Takes back the claims of a record with `nb_ips` addresses and frees them.
void replica_index_del(struct replica_index *index, struct replica_claim *claims, unsigned nb_ips);

struct replica_endpoint *replica_index_ip(
	const struct replica_index *index, const struct replica_net *net, const struct ip_addr *ip);
struct replica_endpoint *replica_index_name(
	const struct replica_index *index, const struct replica_net *net, const char *name);
