// SPDX-License-Identifier: BSD-3-Clause
// Address resolution: ARP (RFC 826, RFC 5227) and IPv6 neighbour discovery (RFC 4861) in Ethernet
// frames with or without an 802.1Q tag. Reads requests and replies, answers requests, and makes new
// ones. Pure functions over mbufs; any thread.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <rte_mbuf.h>

#include "base/ip.h"
#include "base/mac.h"

enum dp_resolve_kind {
	DP_RESOLVE_NONE,     // something else, or malformed
	DP_RESOLVE_REQUEST,  // who has `target`?
	DP_RESOLVE_PROBE,    // a host without an address asks whether `target` is in use
	DP_RESOLVE_REPLY,    // `target` is at `mac`: the answer to a request
	DP_RESOLVE_ANNOUNCE, // `target` is at `mac`, unasked: gratuitous ARP, unsolicited NA
};

struct dp_resolve {
	enum dp_resolve_kind kind;
	uint16_t l3_off; // length of the Ethernet header with its tag
	struct ip_addr target;
	struct ip_addr sender; // who asks; 0.0.0.0 or :: in a probe
	struct mac mac;	       // request, probe: the asker's; zero if the frame does not tell
	bool keep; // neighbour advertisement without override: an entry with another MAC stays
};

// Classifies the frame. A frame from a group address is DP_RESOLVE_NONE. A neighbour message must
// be valid by RFC 4861, 7.1: hop limit 255, checksum, option lengths. Reads the packet's first
// buffer only.
enum dp_resolve_kind dp_resolve_parse(const struct rte_mbuf *m, struct dp_resolve *ret_resolve);

// Turns the request or probe `r` in the frame into its answer, from `mac` to the frame's source
// address; a tag stays. `m` must not be shared. An ARP probe is answered like a request. A
// neighbour solicitation without a source is answered to all nodes, unsolicited (RFC 4861, 7.2.4).
// Returns 0, or -ENOBUFS, with nothing changed: the buffer has no room for the link-layer address.
int dp_resolve_answer(struct rte_mbuf *m, const struct dp_resolve *r, const struct mac *mac);

// Asks for `target`: writes an untagged ARP request or neighbour solicitation into the empty `m`.
// `to` is the address to ask; NULL asks all.
int dp_resolve_ask(struct rte_mbuf *m, const struct mac *own_mac, const struct ip_addr *own_ip,
	const struct ip_addr *target, const struct mac *to);

// Announces that `ip` is at `mac`: an ARP announcement (RFC 5227, 2.3) or an unsolicited
// advertisement (RFC 4861, 7.2.6), untagged, in the empty `m`.
int dp_resolve_announce(struct rte_mbuf *m, const struct mac *mac, const struct ip_addr *ip);
