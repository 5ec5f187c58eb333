// SPDX-License-Identifier: BSD-3-Clause
// Why packets are dropped. One list: names, counters, help text and documentation come from it, so
// a new reason is one row here. A packet leaves the switch by a port's transmit function or by
// dp_drop() (site.h), in no other way.
#pragma once

// X(symbol, name that users see, direction, help)
#define DP_DROPS(X)                                                                                \
	X(RX_SHORT, "rx_short", RX, "frame shorter than its Ethernet header or VLAN tag")          \
	X(RX_HEADER, "rx_header", RX, "virtio-net header that contradicts the packet")             \
	X(RX_NO_BUFFER, "rx_no_buffer", RX, "no free buffer to receive into; raise mbufs")         \
	X(SRC_INVALID, "src_invalid", RX, "source address is multicast or zero")                   \
	X(SPOOFED_MAC, "spoofed_mac", RX, "source MAC address not allowed on the port (guard)")    \
	X(SPOOFED_IP, "spoofed_ip", RX, "source IP address not allowed on the port (guard)")       \
	X(SPOOFED_ARP, "spoofed_arp", RX, "ARP for an address not allowed on the port (guard)")    \
	X(SPOOFED_ND, "spoofed_nd", RX,                                                            \
		"neighbour discovery for an address not allowed on the port (guard)")              \
	X(ROGUE_ROUTER, "rogue_router", RX,                                                        \
		"router advertisement or redirect from a port with router=off")                    \
	X(ROGUE_DHCP, "rogue_dhcp", RX, "DHCP server's answer from a port with dhcp-server=off")   \
	X(LINK_LOCAL, "link_local", RX, "sent to a reserved group address (01:80:c2:00:00:0x)")    \
	X(VLAN_NOT_MEMBER, "vlan_not_member", RX, "the port does not carry the frame's VLAN")      \
	X(VLAN_TAGGED, "vlan_tagged", RX, "tagged frame on an access port")                        \
	X(NO_BRIDGE, "no_bridge", RX, "the port was being moved or removed")                       \
	X(HAIRPIN, "hairpin", RX, "the destination is behind the port that the frame came from")   \
	X(TUNNEL_TO_TUNNEL, "tunnel_to_tunnel", RX,                                                \
		"from one remote switch to another, which it reaches without this one")            \
	X(ISOLATED, "isolated", RX, "from one isolated port to another")                           \
	X(NEIGH_UNKNOWN, "neigh_unknown", RX,                                                      \
		"ARP or neighbour discovery for an unknown neighbour")                             \
	X(FLOOD_NOWHERE, "flood_nowhere", RX,                                                      \
		"no other port carries the VLAN that the frame is flooded in")                     \
	X(TUNNEL_OTHER, "tunnel_other", RX, "not addressed to the VTEP that uses this port")       \
	X(TUNNEL_OUTER, "tunnel_outer", RX,                                                        \
		"outer IP or UDP header with options, a wrong length or checksum, or of a "        \
		"fragment")                                                                        \
	X(TUNNEL_HEADER, "tunnel_header", RX, "no VXLAN header (RFC 7348) with a frame behind it") \
	X(TUNNEL_VNI, "tunnel_vni", RX, "VNI not configured on this VTEP")                         \
	X(TUNNEL_SOURCE, "tunnel_source", RX, "sent by a VTEP that is not a remote of its VNI")    \
	X(TUNNEL_ECN, "tunnel_ecn", RX,                                                            \
		"congestion (CE) in the outer header, and an inner one without ECN (RFC 6040)")    \
	X(TUNNEL_HEARTBEAT, "tunnel_heartbeat", RX,                                                \
		"heartbeats of remote switches came faster than they could be answered")           \
	X(FLOOD_LIMIT, "flood_limit", RX,                                                          \
		"more to be flooded than the port may have (flood-limit)")                         \
	X(FLOOD_NO_BUFFER, "flood_no_buffer", RX, "no free buffer for another copy; raise mbufs")  \
	X(TUNNEL_NO_REMOTE, "tunnel_no_remote", TX, "no remote VTEP to send it to")                \
	X(TUNNEL_DOWN, "tunnel_down", TX, "no route or link to the remote VTEP")                   \
	X(GATEWAY, "gateway", TX,                                                                  \
		"neither ARP, neighbour discovery, ping nor DNS for the gateway itself "           \
		"(filter=gateway)")                                                                \
	X(GATEWAY_SOURCE, "gateway_source", TX,                                                    \
		"for the gateway, from an address that is not of its network (filter-from)")       \
	X(TX_TOO_BIG, "tx_too_big", TX, "larger than the MTU of the port it had to leave by")      \
	X(TX_VLAN, "tx_vlan", TX, "the destination port does not carry the VLAN")                  \
	X(TX_NO_BUFFER, "tx_no_buffer", TX,                                                        \
		"no free buffer to add a tag or to segment; raise mbufs")                          \
	X(TX_GSO, "tx_gso", TX, "large segment whose headers cannot be segmented")                 \
	X(TX_FULL, "tx_full", TX, "the port's transmit queue was full")                            \
	X(TX_DOWN, "tx_down", TX, "the port or its device was down")                               \
	X(TX_ERROR, "tx_error", TX, "the device refused the packet")

enum dp_drop_reason {
#define X(symbol, name, direction, help) DP_DROP_##symbol,
	DP_DROPS(X)
#undef X
		DP_NB_DROPS
};

struct dp_drop_info {
	const char *name, *help;
	int is_tx; // counts into tx_dropped of the port it had to leave by, else into rx_dropped
};

extern const struct dp_drop_info dp_drop_info[DP_NB_DROPS];
