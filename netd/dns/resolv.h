// SPDX-License-Identifier: BSD-3-Clause
// resolv.conf (resolv.conf(5)): the host's, from which servers and search domains come, and those
// of containers. Any thread.
#pragma once

#include "netd/dns/dns.h"

struct resolv {
	struct dns_server servers[DNS_SERVERS_MAX]; // what is not an address is skipped
	unsigned nb_servers;
	char search[DNS_SEARCH_MAX][256];
	unsigned nb_search;
	uint32_t ndots; // 1 when it does not say
};

void resolv_parse(const char *text, size_t len_bytes, struct resolv *ret_resolv);
// The text of a container's file, allocated; NULL: out of memory.
char *resolv_print(const struct resolv *resolv);

// Where `ip netns exec` has a container's file from: /etc/netns/NAME/resolv.conf, for a namespace
// with a name (/run/netns/NAME). Writes it, and keeps what was there before
// (/etc/netns/.NAME.resolv.conf.causeway-saved); what somebody else has written since is left alone
// and told.
// resolv_remove() puts it back. -EINVAL: the namespace has no name; -EEXIST: somebody else's file.
int resolv_write(const char *netns, const struct resolv *resolv, struct err *err);
int resolv_remove(const char *netns, struct err *err);
void resolv_base_set(const char *dir); // instead of /etc/netns, for tests; borrowed
