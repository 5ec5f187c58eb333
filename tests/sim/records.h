// SPDX-License-Identifier: BSD-3-Clause
// Records as a store would have them, put into a replica. Numbers make everything of them: host 2
// is h2; network 1 is net1 with VNI 5001 and three subnets; endpoint 300 is c300 in namespace c300,
// with the address 10.0.1.44 (its number, after 10) and a MAC of its number. Failures end the
// process.
#pragma once

#include "netd/replica/replica.h"

void record_host(struct replica *r, unsigned host, const struct ip_addr *vtep);
void record_host_gone(struct replica *r, unsigned host); // suspended
void record_net(struct replica *r, unsigned net, const char *mtu);
void record_net_with(struct replica *r, unsigned net, const char *option, const char *value);
struct replica_net *record_net_find(struct replica *r, unsigned net);

// `second` not 0 gives it a second address, `mac` is a number as well. The caller owns nothing.
struct endpoint_record record_endpoint_of(unsigned n, unsigned host, unsigned second, unsigned mac);
void record_endpoint(struct replica *r, unsigned net, const struct endpoint_record *rec);
void record_endpoint_gone(struct replica *r, unsigned net, unsigned n);

struct ip_addr record_ip(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
