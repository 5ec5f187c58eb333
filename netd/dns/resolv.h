// SPDX-License-Identifier: BSD-3-Clause
// resolv.conf (resolv.conf(5)): the host's, from which servers and search domains come, and those
// of containers. Any thread.
#pragma once

#include "netd/dns/dns.h"

#define RESOLV_PROBLEMS_MAX 8

// Something in the file that is not used.
struct resolv_problem {
	unsigned line; // counted from 1
	enum {
		RESOLV_NO_ADDRESS = 1, // of a server
		RESOLV_NO_ZONE,	       // a link-local address does not say behind which interface
		RESOLV_MANY_SERVERS,
		RESOLV_NO_DOMAIN, // to search: too long
		RESOLV_MANY_DOMAINS,
	} kind;
	char word[64]; // cut, and only ASCII
};

struct resolv {
	struct dns_server servers[DNS_SERVERS_MAX]; // that can be used
	unsigned lines[DNS_SERVERS_MAX];	    // where they are
	unsigned nb_servers;
	char search[DNS_SEARCH_MAX][256];
	unsigned nb_search;
	uint32_t ndots;					     // 1 when it does not say
	struct resolv_problem problems[RESOLV_PROBLEMS_MAX]; // the first ones
	unsigned nb_problems;
};

void resolv_parse(const char *text, size_t len_bytes, struct resolv *ret_resolv);
bool resolv_is_of_server(const struct resolv_problem *problem); // else of the domains to search
// Why the line is not used, and what to write instead.
const char *resolv_problem_text(const struct resolv_problem *problem, char *buf, size_t len_bytes);
// The text of a container's file, allocated; NULL: out of memory.
char *resolv_print(const struct resolv *resolv);

// Where `ip netns exec` has a container's file from: /etc/netns/NAME/resolv.conf, for a namespace
// with a name (/run/netns/NAME). Writes it, and keeps what was there before
// (/etc/netns/.NAME.resolv.conf.causeway-saved); a file that another program changed is left alone
// and told. A file of ours is written in place, so that programs that have it mounted see the
// change. resolv_remove() puts back what was there. -EINVAL: the namespace has no name; -EEXIST:
// somebody else's file.
int resolv_write(const char *netns, const struct resolv *resolv, struct err *err);
int resolv_remove(const char *netns, struct err *err);
void resolv_base_set(const char *dir); // instead of /etc/netns, for tests; borrowed
