// SPDX-License-Identifier: BSD-3-Clause
// What names mean: the endpoints of the networks that this host takes part in, by name and alias,
// and the hosts of the cluster. The agent writes it from its replica, so a name is known as soon as
// its endpoint is, with the store there or not; the server's thread reads it. One lock, held for
// the time of one change or one question.
//
// Names are compared without case, and shown in that of who had them first. Of endpoints that claim
// one address the one that endpoint_record_compare() prefers has it, and nothing is known of the
// others; of the rest it prefers one for a name that several of one network have. An alias is
// everybody's who has it, beside the one whose name it is.
#pragma once

#include <jansson.h>

#include "netd/record/record.h"

struct names;

struct names *names_new(void); // NULL: out of memory
void names_free(struct names *names);

// ---- by the agent, in one thread; -ENOMEM: all is as it was ----

// A network, under its id; again: it has another name. Its endpoints go with it.
int names_net_set(struct names *names, const char *net_id, const char *net_name);
void names_net_del(struct names *names, const char *net_id);

// An endpoint of the network, which is there. `owner` names it in later calls, whatever it points
// to: the same again replaces what it said. Of a network that is not there: as
// names_endpoint_del().
int names_endpoint_set(struct names *names, const void *owner, const char *net_id,
	const struct endpoint_record *rec);
void names_endpoint_del(struct names *names, const void *owner);

// A host of the cluster. Suspended: it is silent, and its endpoints' names stay.
int names_host_set(struct names *names, const char *host, const struct ip_addr *ips,
	unsigned nb_ips, bool suspended);
void names_host_del(struct names *names, const char *host);

// For people: a new list of {network, name, alias_of (or null), addresses, host, suspended}, of one
// network (its name) or of all, hosts with network null;
// who has lost its address or name is not there. It takes long, and so holds no lock: in the thread
// that writes. NULL: out of memory.
json_t *names_json(struct names *names, const char *net_name);

// ---- read from any thread ----

#define NAMES_SCOPE_MAX	 32  // networks that one client is in
#define NAMES_IPS_MAX	 256 // addresses of one answer
#define NAMES_FQDN_BYTES 136 // NAME.NETWORK

// What a client sees: its networks, first the one that is searched first.
struct names_scope {
	char nets[NAMES_SCOPE_MAX][ID_BYTES];
	unsigned nb_nets;
};

struct names_answer {
	enum {
		NAMES_UNKNOWN, // nothing of ours: a question for others
		NAMES_NO_SUCH, // below the name of one of the client's networks, but not there
		NAMES_FOUND,   // with its addresses, of both families
	} kind;
	char fqdn[NAMES_FQDN_BYTES]; // NAME.NETWORK, or of a host its name
	char zone[NAME_BYTES];	     // the network's name; of a host empty
	struct ip_addr ips[NAMES_IPS_MAX];
	unsigned nb_ips;
};

// `name` without the last dot: of an endpoint, an alias, NAME.NETWORK (each may have dots), or a
// host, in this order. Networks go in the order of the scope: a name that is in several of them is
// the first one's; of NAME.NETWORK that can be read in several ways, the longest NETWORK that has
// NAME. An alias of many has the addresses of those who came last, NAMES_IPS_MAX of them.
void names_find(struct names *names, const struct names_scope *scope, const char *name,
	struct names_answer *ret_answer);
// Who has the address: `fqdn` and `zone`, or NAMES_UNKNOWN.
void names_find_ip(struct names *names, const struct names_scope *scope, const struct ip_addr *ip,
	struct names_answer *ret_answer);
