// SPDX-License-Identifier: BSD-3-Clause
// The main thread's side of the underlay `port`: opening it, routes, and the life of next hops.
#include "vxlan/port_underlay.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include <rte_byteorder.h>
#include <rte_ethdev.h>
#include <rte_ether.h>
#include <rte_ip.h>
#include <rte_udp.h>

#include "base/hash.h"
#include "base/util.h"
#include "dp/checksum.h"
#include "dp/resolve.h"
#include "vxlan/codec.h"

// After which a next hop is asked whether it is still there. Shorter than hosts have it: nothing
// else tells that it is another device now, if its word to all was lost. Retries are as in RFC
// 4861, 10.
#define REACHABLE_US 5000000
#define RETRY_US     1000000
#define TRIES_MAX    3

#define FAILED_RETRY_US 10000000 // to a next hop that has not answered
#define SERVICE_MIN_US	100000
#define SERVICE_MAX_US	1000000
#define ASKS_A_SERVICE	256
#define OUTER_UDP_BYTES (sizeof(struct rte_udp_hdr) + VXLAN_HDR_BYTES)

// ---- the headers ----

// The template of outer headers, and what is known of those that come back.
static void make_headers(struct port_underlay *u)
{
	struct rte_ether_hdr *eth = (struct rte_ether_hdr *)u->header;
	struct rte_ipv4_hdr *ip4 = (struct rte_ipv4_hdr *)(eth + 1);
	struct rte_ipv6_hdr *ip6 = (struct rte_ipv6_hdr *)(eth + 1);
	struct rte_udp_hdr *udp = u->ip6 ? (void *)(ip6 + 1) : (void *)(ip4 + 1);

	memcpy(&eth->src_addr, &u->mac, sizeof(u->mac));
	memcpy(&u->mac_tail, u->header, sizeof(u->mac_tail));
	udp->dst_port = rte_cpu_to_be_16(u->udp_port);
	if (u->ip6) {
		eth->ether_type = rte_cpu_to_be_16(RTE_ETHER_TYPE_IPV6);
		ip6->vtc_flow = rte_cpu_to_be_32(6u << 28);
		ip6->proto = IPPROTO_UDP;
		ip6->hop_limits = VXLAN_TTL;
		memcpy(ip6->src_addr, u->ip.byte, sizeof(ip6->src_addr));
		return;
	}
	eth->ether_type = rte_cpu_to_be_16(RTE_ETHER_TYPE_IPV4);
	ip4->version_ihl = RTE_IPV4_VHL_DEF;
	ip4->fragment_offset = rte_cpu_to_be_16(RTE_IPV4_HDR_DF_FLAG);
	ip4->time_to_live = VXLAN_TTL;
	ip4->next_proto_id = IPPROTO_UDP;
	// Of all but the addresses, which are in the route's sum.
	ip4->hdr_checksum = dp_sum(ip4, sizeof(*ip4));
	memcpy(&ip4->src_addr, u->ip.byte, sizeof(ip4->src_addr));
}

static void expect(struct port_underlay *u, unsigned off, const void *bytes, const char *mask,
	unsigned len_bytes)
{
	memcpy((uint8_t *)u->want + off, bytes, len_bytes);
	memcpy((uint8_t *)u->mask + off, mask, len_bytes);
}

#define ALL_BITS "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"

// What received headers are compared with by words; the rest is looked at one by one.
static void make_expected(struct port_underlay *u)
{
	const uint8_t *type = u->header + 2 * RTE_ETHER_ADDR_LEN;
	rte_be16_t port = rte_cpu_to_be_16(u->udp_port);
	const uint8_t udp = IPPROTO_UDP, vni = VXLAN_FLAG_VNI;

	expect(u, 0, &u->mac, ALL_BITS, sizeof(u->mac));
	expect(u, 12, type, ALL_BITS, 2);
	if (u->ip6) {
		expect(u, 14, "\x60\0", "\xf0\x10", 2); // and ecn_matters()
		expect(u, 20, &udp, ALL_BITS, 1);
		expect(u, 38, u->ip.byte, ALL_BITS, 16);
		expect(u, 56, &port, ALL_BITS, 2);
		expect(u, 62, &vni, "\x08", 1);
		return;
	}
	expect(u, 14, "\x45\0", "\xff\x01", 2); // and ecn_matters()
	expect(u, 20, "\0\0", "\x3f\xff", 2);	// no fragment
	expect(u, 23, &udp, ALL_BITS, 1);
	expect(u, 30, u->ip.byte, ALL_BITS, 4);
	expect(u, 36, &port, ALL_BITS, 2);
	expect(u, 40, "\0\0", ALL_BITS, 2); // no checksum
	expect(u, 42, &vni, "\x08", 1);
}

// What is configured, or one that stays the same as long as the address does.
static struct mac own_mac(const struct conf_vtep *conf)
{
	uint64_t hash = hash_add(HASH_INIT, &conf->address, sizeof(conf->address));
	struct mac mac;

	if (conf->port.has_mac)
		return conf->port.mac;
	memcpy(&mac, &hash, sizeof(mac));
	mac.byte[0] = (mac.byte[0] & 0xfc) | 2; // individual, locally administered
	return mac;
}

// ---- opening ----

static bool same_prefix(const struct ip_addr *a, const struct ip_addr *b, unsigned prefix)
{
	unsigned bytes = prefix / 8;
	uint8_t mask = 0xff00 >> prefix % 8;

	return !memcmp(a->byte, b->byte, bytes) &&
	       (!mask || !((a->byte[bytes] ^ b->byte[bytes]) & mask));
}

static bool is_on_link(const struct conf_vtep *conf, const struct ip_addr *ip)
{
	return ip_is_link_local6(ip) || same_prefix(ip, &conf->address, conf->prefix);
}

static int check_conf(const struct vtep *vtep, struct err *err)
{
	const struct conf_vtep *conf = &vtep->conf;
	const struct ip_addr *ip = &conf->address, *gateway = &conf->gateway;
	char text[IP_TEXT_BYTES];

	if (!ip->family || ip_is_any(ip) || ip_is_multicast(ip))
		return err_set(
			err, -EINVAL, vtep->path, "underlay=port needs the address of a host");
	if (!conf->prefix || conf->prefix > (ip->family == 6 ? 128 : 32))
		return err_set(err, -EINVAL, vtep->path, "/%u is not a prefix length of IPv%u",
			conf->prefix, ip->family);
	if (gateway->family && (gateway->family != ip->family || !is_on_link(conf, gateway)))
		return err_set(err, -EINVAL, vtep->path,
			"gateway %s is not in the subnet of the address", ip_format(gateway, text));
	return 0;
}

// Whoever waits on the VTEP's port waits on the lower one.
static void arm_lower(struct dp_port *port, uint16_t queue, bool on)
{
	struct dp_port *lower = ((struct vtep *)port)->port->lower;

	lower->rx_arm(lower, queue, on);
}

static void init_port(struct vtep *vtep, struct dp_port *lower)
{
	struct dp_port *dp = &vtep->dp;

	dp->rx = port_underlay_rx;
	dp->nb_rxq = lower->nb_rxq;
	memcpy(dp->rx_fd, lower->rx_fd, sizeof(dp->rx_fd));
	dp->rx_arm = lower->rx_arm ? arm_lower : NULL;
}

static struct port_routes *routes_new(struct port_underlay *u, uint32_t nb_routes);
static void routes_free(void *routes);

static struct port_underlay *underlay_new(const struct vtep *vtep, struct dp_port *lower)
{
	const struct conf_vtep *conf = &vtep->conf;
	uint32_t nb_workers = MAX_OF(vtep->env.nb_workers, 1);
	size_t bytes = RTE_ALIGN_CEIL(sizeof(struct port_underlay), RTE_CACHE_LINE_SIZE);
	struct port_underlay *u = aligned_alloc(RTE_CACHE_LINE_SIZE, bytes);

	if (!u)
		return NULL;
	memset(u, 0, sizeof(*u));
	u->lower = lower;
	u->main_at.worker = DP_NO_WORKER;
	u->ip6 = conf->address.family == 6;
	u->header_bytes = RTE_ETHER_HDR_LEN + OUTER_UDP_BYTES +
			  (u->ip6 ? sizeof(struct rte_ipv6_hdr) : sizeof(struct rte_ipv4_hdr));
	u->mtu = conf->mtu ? MIN_OF(conf->mtu, lower->mtu) : lower->mtu;
	u->plain_bytes = u->mtu + RTE_ETHER_HDR_LEN - MIN_OF(u->header_bytes, u->mtu);
	u->checksum = u->ip6 || !conf->no_checksum;
	u->half_checksum = lower->tx_offloads & RTE_ETH_TX_OFFLOAD_UDP_CKSUM;
	u->chains = lower->tx_offloads & RTE_ETH_TX_OFFLOAD_MULTI_SEGS;
	// Whoever cuts a train fills the checksums of its datagrams: none can do without.
	u->trains = u->checksum && u->half_checksum && u->chains &&
		    lower->tx_offloads & RTE_ETH_TX_OFFLOAD_UDP_TSO;
	u->own_queues = lower->nb_txq > nb_workers;
	u->shared_queue = u->own_queues ? nb_workers : 0;
	u->pool = vtep->env.pool;
	u->big_pool = vtep->env.big_pool;
	u->ip = conf->address;
	u->mac = own_mac(conf);
	u->udp_port = conf->udp_port;
	atomic_init(&u->nowhere.word, PORT_HOP_FAILED);
	atomic_init(&u->unreachable.word, PORT_HOP_FAILED);
	make_headers(u);
	make_expected(u);
	u->pieces = calloc(lower->nb_rxq + 1, sizeof(*u->pieces));
	atomic_init(&u->routes, routes_new(u, 0));
	if (!u->pieces || !atomic_load(&u->routes)) {
		routes_free(atomic_load(&u->routes));
		free(u->pieces);
		free(u);
		return NULL;
	}
	return u;
}

// Others may have known the address elsewhere.
static void announce(struct port_underlay *u)
{
	struct rte_mbuf *m = rte_pktmbuf_alloc(u->pool);

	if (!m)
		return;
	if (dp_resolve_announce(m, &u->mac, &u->ip) < 0)
		rte_pktmbuf_free(m);
	else
		port_underlay_send(u, &m, 1, &u->main_at);
}

static int underlay_open(struct vtep *vtep, struct dp_port *lower, struct err *err)
{
	int rc = check_conf(vtep, err);

	if (rc)
		return rc;
	vtep->port = underlay_new(vtep, lower);
	if (!vtep->port)
		return err_set(err, -ENOMEM, vtep->path, "out of memory");
	init_port(vtep, lower);
	announce(vtep->port);
	return 0;
}

static void hop_free(void *arg)
{
	struct port_hop *hop = arg;

	for (unsigned i = 0; i < PORT_HOP_WAITING; i++)
		rte_pktmbuf_free(atomic_load(&hop->waiting[i]));
	free(hop);
}

static void underlay_close(struct vtep *vtep)
{
	struct port_underlay *u = vtep->port;
	struct port_routes *routes = atomic_load(&u->routes);

	for (uint32_t i = 0; i <= routes->hop_mask; i++) {
		if (routes->hop[i])
			hop_free(routes->hop[i]);
	}
	for (unsigned q = 0; q < u->lower->nb_rxq; q++) {
		struct port_pieces *pieces = &u->pieces[q];

		while (pieces->next < pieces->count)
			rte_pktmbuf_free(pieces->pkt[pieces->next++]);
	}
	routes_free(routes);
	free(u->pieces);
	free(u);
}

static void vni_init(struct vni *vni)
{
	const struct port_underlay *u = vni->vtep->port;

	vni->dp.tx = port_underlay_tx;
	vni->dp.nb_txq = MAX_OF(vni->vtep->env.nb_workers, 1);
	// Nobody below sees the frame inside: egress cuts and fills it. The pieces of a large one
	// are of one size, and go on as a train.
	vni->dp.tx_offloads = u->chains ? RTE_ETH_TX_OFFLOAD_MULTI_SEGS : 0;
}

static uint16_t device_mtu(const struct vtep *vtep)
{
	return vtep->port->mtu;
}

// Routers on the way are not listened to.
static uint16_t path_mtu(const struct vtep *vtep, const struct ip_addr *ip)
{
	return vtep->port->mtu;
}

static int underlay_send(
	struct vtep *vtep, uint16_t remote, uint32_t vni, struct rte_mbuf *m, uint32_t flow)
{
	port_underlay_send_to(vtep->port, remote, vni, vtep_marking(vtep, vni), m, flow);
	return 0;
}

// ---- routes ----

static void ask(struct port_underlay *u, struct port_hop *hop, uint64_t word)
{
	struct rte_mbuf *m = rte_pktmbuf_alloc(u->pool);
	struct mac mac;

	if (!m)
		return;
	memcpy(&mac, &word, sizeof(mac));
	if (dp_resolve_ask(m, &u->mac, &u->ip, &hop->ip, word & PORT_HOP_VALID ? &mac : NULL) < 0)
		rte_pktmbuf_free(m);
	else
		port_underlay_send(u, &m, 1, &u->main_at);
}

// Next hops that nobody has looked after yet.
static void ask_new(struct port_underlay *u, const struct port_routes *routes)
{
	unsigned asks = 0;

	for (uint32_t i = 0; i <= routes->hop_mask && asks < ASKS_A_SERVICE; i++) {
		struct port_hop *hop = routes->hop[i];

		if (!hop || hop->due_us)
			continue;
		hop->due_us = u->now_us + RETRY_US;
		hop->tries = 1;
		ask(u, hop, 0);
		asks++;
	}
}

static struct port_routes *routes_new(struct port_underlay *u, uint32_t nb_routes)
{
	struct port_routes *routes;
	uint32_t slots = 2;

	nb_routes = MAX_OF(nb_routes, 1); // number 0 is nobody's
	while (slots < 2 * nb_routes)
		slots *= 2;
	routes = calloc(1, sizeof(*routes) + nb_routes * sizeof(struct port_route));
	if (!routes)
		return NULL;
	routes->hop = calloc(slots, sizeof(*routes->hop));
	if (!routes->hop) {
		free(routes);
		return NULL;
	}
	routes->hop_mask = slots - 1;
	routes->nb_routes = nb_routes;
	for (uint32_t r = 0; r < nb_routes; r++)
		routes->route[r].hop = &u->nowhere;
	return routes;
}

static void routes_free(void *arg)
{
	struct port_routes *routes = arg;

	if (!routes)
		return;
	free(routes->hop);
	free(routes);
}

static void hop_insert(struct port_routes *routes, struct port_hop *hop)
{
	uint32_t i = port_hop_hash(&hop->ip);

	while (routes->hop[i & routes->hop_mask])
		i++;
	routes->hop[i & routes->hop_mask] = hop;
}

static struct port_hop *hop_new(const struct conf_vtep *conf, const struct ip_addr *ip)
{
	struct port_hop *hop = aligned_alloc(RTE_CACHE_LINE_SIZE, sizeof(*hop));

	if (!hop)
		return NULL;
	memset(hop, 0, sizeof(*hop));
	hop->ip = *ip;
	if (conf->has_gateway_mac && ip_equal(ip, &conf->gateway)) {
		uint64_t word = 0;

		memcpy(&word, &conf->gateway_mac, sizeof(conf->gateway_mac));
		atomic_init(&hop->word, word | PORT_HOP_VALID | PORT_HOP_STATIC);
		hop->due_us = UINT64_MAX;
	}
	return hop;
}

// The next hop with this address in `routes`: one that there was, or a new one. NULL: no memory.
static struct port_hop *hop_get(const struct conf_vtep *conf, struct port_routes *routes,
	const struct port_routes *old, const struct ip_addr *ip)
{
	struct port_hop *hop = port_hop_find(routes, ip);

	if (hop)
		return hop;
	hop = port_hop_find(old, ip);
	if (!hop)
		hop = hop_new(conf, ip);
	if (hop)
		hop_insert(routes, hop);
	return hop;
}

static int route_set(struct vtep *vtep, struct port_routes *routes, const struct port_routes *old,
	uint16_t remote, const struct ip_addr *ip)
{
	const struct conf_vtep *conf = &vtep->conf;
	struct port_underlay *u = vtep->port;
	struct port_route *route = &routes->route[remote];
	const struct ip_addr *next = is_on_link(conf, ip) ? ip : &conf->gateway;

	route->hop = next->family ? hop_get(conf, routes, old, next) : &u->unreachable;
	if (!route->hop)
		return -ENOMEM;
	memcpy(route->dst, ip->byte, sizeof(route->dst));
	route->addr_sum = (uint32_t)dp_sum(u->ip.byte, sizeof(u->ip.byte)) +
			  dp_sum(ip->byte, sizeof(ip->byte));
	return 0;
}

// Calls `fn` for the next hops that are in `these` and not in `others`.
static void each_missing(const struct port_routes *these, const struct port_routes *others,
	void (*fn)(struct vtep *vtep, struct port_hop *hop), struct vtep *vtep)
{
	for (uint32_t i = 0; i <= these->hop_mask; i++) {
		struct port_hop *hop = these->hop[i];

		if (hop && !port_hop_find(others, &hop->ip))
			fn(vtep, hop);
	}
}

static void free_now(struct vtep *vtep, struct port_hop *hop)
{
	hop_free(hop);
}

static void retire_hop(struct vtep *vtep, struct port_hop *hop)
{
	dp_retire(vtep->env.dp, hop_free, hop);
}

static int publish(struct vtep *vtep, const struct vxlan_table *table)
{
	struct port_underlay *u = vtep->port;
	struct port_routes *old = atomic_load(&u->routes);
	struct port_routes *routes = routes_new(u, table->nb_remotes);
	int rc = routes ? 0 : -ENOMEM;

	for (uint32_t r = 1; r < table->nb_remotes && !rc; r++) {
		const struct vxlan_remote *remote = vxlan_table_remote(table, r);

		if (remote)
			rc = route_set(vtep, routes, old, r, &remote->ip);
	}
	if (rc) {
		if (routes)
			each_missing(routes, old, free_now, vtep);
		routes_free(routes);
		return rc;
	}
	atomic_store_explicit(&u->routes, routes, memory_order_release);
	each_missing(old, routes, retire_hop, vtep);
	dp_retire(vtep->env.dp, routes_free, old);
	ask_new(u, routes);
	return 0;
}

// ---- next hops ----

// It has not answered: from now on nothing waits for it.
static void give_up(struct port_underlay *u, struct port_hop *hop)
{
	unsigned long long unknown = 0;

	if (!atomic_compare_exchange_strong(&hop->word, &unknown, PORT_HOP_FAILED))
		return; // it has, just now
	for (unsigned i = 0; i < PORT_HOP_WAITING; i++) {
		struct rte_mbuf *m = atomic_exchange(&hop->waiting[i], NULL);

		if (m)
			dp_drop(&u->main_at, DP_DROP_TUNNEL_DOWN, m);
	}
}

// One step in the life of a next hop: asked all round until it answers, asked itself before it is
// forgotten.
static void hop_step(struct port_underlay *u, struct port_hop *hop, uint64_t now_us)
{
	unsigned long long word = atomic_load(&hop->word);

	if (word & PORT_HOP_STATIC)
		return;
	if (word & PORT_HOP_CONFIRMED) {
		atomic_fetch_and(&hop->word, ~PORT_HOP_CONFIRMED);
		hop->tries = 0;
		hop->due_us = now_us + REACHABLE_US;
		return;
	}
	if (now_us < hop->due_us)
		return;
	hop->due_us = now_us + RETRY_US;
	if (word & PORT_HOP_FAILED) {
		hop->due_us = now_us + FAILED_RETRY_US;
	} else if (hop->tries == TRIES_MAX && word & PORT_HOP_VALID) {
		if (!atomic_compare_exchange_strong(&hop->word, &word, 0))
			return; // heard of just now: the next call sees it
		word = 0;
		hop->tries = 0;
	} else if (hop->tries == TRIES_MAX) {
		give_up(u, hop);
		return;
	}
	hop->tries++;
	ask(u, hop, word);
}

static uint32_t service(struct vtep *vtep, uint64_t now_us)
{
	struct port_underlay *u = vtep->port;
	const struct port_routes *routes = atomic_load(&u->routes);
	uint64_t next_us = now_us + SERVICE_MAX_US;
	unsigned asks = 0;

	u->now_us = now_us;
	for (uint32_t i = 0; i <= routes->hop_mask; i++) {
		struct port_hop *hop = routes->hop[i];

		if (!hop)
			continue;
		// Thousands are not asked all at once.
		asks += now_us >= hop->due_us;
		if (asks <= ASKS_A_SERVICE)
			hop_step(u, hop, now_us);
		next_us = MIN_OF(next_us, hop->due_us);
	}
	return MAX_OF(next_us, now_us + SERVICE_MIN_US) - now_us;
}

// ---- telling ----

static json_t *hop_json(const struct port_hop *hop)
{
	uint64_t word = atomic_load(&hop->word);
	char ip[IP_TEXT_BYTES], text[MAC_TEXT_BYTES];
	struct mac mac;
	json_t *obj = json_pack("{s:s, s:s}", "ip", ip_format(&hop->ip, ip), "state",
		word & PORT_HOP_VALID	 ? "reachable"
		: word & PORT_HOP_FAILED ? "failed"
					 : "asked");

	memcpy(&mac, &word, sizeof(mac));
	if (word & PORT_HOP_VALID)
		json_object_set_new(obj, "mac", json_string(mac_format(&mac, text)));
	return obj;
}

static void describe(const struct vtep *vtep, json_t *obj)
{
	const struct port_routes *routes = atomic_load(&vtep->port->routes);
	json_t *list = json_array();
	char text[MAC_TEXT_BYTES];

	for (uint32_t i = 0; i <= routes->hop_mask; i++) {
		if (routes->hop[i])
			json_array_append_new(list, hop_json(routes->hop[i]));
	}
	json_object_set_new(obj, "mac", json_string(mac_format(&vtep->port->mac, text)));
	json_object_set_new(obj, "next_hops", list);
	// Of packets that waited for next hops in vain: no worker counts them.
	json_object_set_new(obj, "unresolved_dropped",
		json_integer(vtep->port->main_at.drop[DP_DROP_TUNNEL_DOWN]));
}

const struct vtep_underlay port_underlay = {
	.on_lower = true,
	.open = underlay_open,
	.close = underlay_close,
	.vni_init = vni_init,
	.device_mtu = device_mtu,
	.path_mtu = path_mtu,
	.send = underlay_send,
	.publish = publish,
	.service = service,
	.describe = describe,
};
