// SPDX-License-Identifier: BSD-3-Clause
#include "dp/snapshot.h"

#include <stdlib.h>

static unsigned count_queues(const struct dp_view *view)
{
	unsigned total = 0;

	for (unsigned i = 0; i < view->nb_ports; i++)
		total += view->ports[i].port->nb_rxq;
	return total;
}

static unsigned count_guards(const struct dp_view *view)
{
	unsigned count = 0;

	for (unsigned i = 0; i < view->nb_ports; i++)
		count += view->ports[i].guard != NULL;
	return count;
}

static unsigned count_lists(const struct dp_view *view)
{
	unsigned count = 0;

	for (unsigned i = 0; i < view->nb_ports; i++)
		count += view->ports[i].peers != NULL;
	return count;
}

void dp_snap_free(struct dp_snap *snap)
{
	if (!snap)
		return;
	free(snap->port);
	free(snap->bridges);
	free(snap->members);
	free(snap->rxqs);
	free(snap->sets);
	free(snap->guard);
	free(snap->guards);
	free(snap->peers);
	free(snap->lists);
	free(snap->flood_limit);
	free(snap);
}

static struct dp_snap *snap_alloc(const struct dp_view *view)
{
	struct dp_snap *snap = calloc(1, sizeof(*snap));

	if (!snap)
		return NULL;
	for (unsigned i = 0; i < view->nb_ports; i++)
		snap->nb_ports = RTE_MAX(snap->nb_ports, view->ports[i].port->id + 1u);
	// One more than needed: an empty list must not look like out of memory.
	snap->port = aligned_alloc(
		RTE_CACHE_LINE_SIZE, (snap->nb_ports + 1) * sizeof(struct dp_snap_port));
	snap->bridges = calloc(view->nb_bridges + 1, sizeof(struct dp_snap_bridge));
	snap->members = calloc(view->nb_ports + 1, sizeof(uint16_t));
	snap->rxqs = calloc(count_queues(view) + 1, sizeof(struct dp_snap_rxq));
	snap->sets = calloc(view->nb_ports + 1, sizeof(struct vlan_set));
	snap->guard = calloc(snap->nb_ports + 1, sizeof(*snap->guard));
	snap->guards = calloc(count_guards(view) + 1, sizeof(struct dp_guard));
	snap->peers = calloc(snap->nb_ports + 1, sizeof(*snap->peers));
	snap->lists = calloc(count_lists(view) + 1, sizeof(struct dp_ips));
	snap->flood_limit = calloc(snap->nb_ports + 1, sizeof(*snap->flood_limit));
	if (!snap->port || !snap->flood_limit || !snap->bridges || !snap->members || !snap->rxqs ||
		!snap->sets || !snap->guard || !snap->guards || !snap->peers || !snap->lists) {
		dp_snap_free(snap);
		return NULL;
	}
	for (unsigned i = 0; i <= snap->nb_ports; i++)
		snap->port[i] = (struct dp_snap_port){0};
	return snap;
}

static void fill_bridges(struct dp_snap *snap, const struct dp_view *view)
{
	uint16_t *member = snap->members;

	for (unsigned b = 0; b < view->nb_bridges; b++) {
		struct dp_snap_bridge *bridge = &snap->bridges[b];

		bridge->id = view->bridges[b].id;
		bridge->fdb_limit = view->bridges[b].fdb_limit;
		bridge->member = member;
		for (unsigned i = 0; i < view->nb_ports; i++) {
			if (view->ports[i].bridge_id == bridge->id)
				*member++ = view->ports[i].port->id;
		}
		bridge->nb_members = member - bridge->member;
	}
}

static const struct dp_snap_bridge *find_bridge(
	const struct dp_snap *snap, const struct dp_view *view, uint16_t id)
{
	for (unsigned b = 0; b < view->nb_bridges; b++) {
		if (snap->bridges[b].id == id)
			return &snap->bridges[b];
	}
	return NULL;
}

// The VLANs that a port carries. Ports that carry all but the reserved one (IEEE 802.1Q, table 9-2)
// share one set; the others have their own.
static const struct vlan_set *carried(
	const struct conf_port *conf, uint16_t pvid, struct vlan_set *own)
{
	static const struct vlan_set all = {
		.word = {[0 ... 62] = UINT64_MAX, [63] = UINT64_MAX >> 1}};

	if (conf->vlan_mode != CONF_VLAN_ACCESS && !conf->has_trunks)
		return &all;
	if (conf->vlan_mode != CONF_VLAN_ACCESS)
		*own = conf->trunks;
	if (pvid != UINT16_MAX)
		vlan_set_add(own, pvid);
	return own;
}

static void fill_port(struct dp_snap *snap, const struct dp_view *view, unsigned i, struct fdb *fdb,
	unsigned nb_workers)
{
	const struct dp_view_port *v = &view->ports[i];
	const struct conf_port *conf = v->conf;
	struct dp_snap_port *p = &snap->port[v->port->id];

	p->port = v->port;
	p->bridge = find_bridge(snap, view, v->bridge_id);
	p->tx_offloads = v->port->tx_offloads;
	p->fdb_limit = conf->fdb_limit;
	p->mtu = v->port->mtu;
	p->vlan_mode = conf->vlan_mode;
	p->tunnel = v->port->tunnel;
	p->apart = (p->tunnel ? DP_APART_TUNNEL : 0) | (conf->isolated ? DP_APART_ISOLATED : 0);
	p->no_learning = conf->no_learning;
	snap->flood_limit[v->port->id] = conf->flood_limit;
	p->pvid = conf->vlan_mode == CONF_VLAN_TRUNK ? 0 : conf->tag;
	p->pvid_fid = p->bridge ? fdb_fid(fdb, v->bridge_id, p->pvid) : 0;
	p->tx_care = (v->port->nb_txq < nb_workers ? DP_TX_LOCK : 0) |
		     (conf->filter == CONF_FILTER_GATEWAY ? DP_TX_GATE : 0);
	// Only the VLANs of the list: an untagged frame of a trunk is in VLAN 0.
	if (conf->vlan_mode == CONF_VLAN_TRUNK && conf->has_trunks &&
		!vlan_set_has(&conf->trunks, 0))
		p->pvid = UINT16_MAX;
	p->carried = carried(conf, p->pvid, &snap->sets[i]);
}

static void fill_guards(struct dp_snap *snap, const struct dp_view *view)
{
	struct dp_guard *guard = snap->guards;

	for (unsigned i = 0; i < view->nb_ports; i++) {
		const struct dp_view_port *v = &view->ports[i];

		if (!v->guard)
			continue;
		*guard = *v->guard;
		snap->guard[v->port->id] = guard++;
		snap->port[v->port->id].guarded = true;
	}
}

static void fill_peers(struct dp_snap *snap, const struct dp_view *view)
{
	struct dp_ips *list = snap->lists;

	for (unsigned i = 0; i < view->nb_ports; i++) {
		const struct dp_view_port *v = &view->ports[i];

		if (!v->peers)
			continue;
		*list = *v->peers;
		snap->peers[v->port->id] = list++;
	}
}

// The worker with the fewest queues.
static int8_t least_loaded(const unsigned *load, unsigned nb_workers)
{
	unsigned best = 0;

	for (unsigned w = 1; w < nb_workers; w++) {
		if (load[w] < load[best])
			best = w;
	}
	return best;
}

static void assign_queues(struct dp_snap *snap, const struct dp_view *view, unsigned nb_workers,
	int8_t (*owner)[DP_QUEUES_MAX])
{
	unsigned load[CONF_WORKERS_MAX] = {0};

	for (unsigned i = 0; i < view->nb_ports; i++) {
		const struct dp_port *port = view->ports[i].port;

		for (unsigned q = 0; q < port->nb_rxq; q++) {
			if (owner[port->id][q] >= 0)
				load[owner[port->id][q]]++;
		}
	}
	for (unsigned i = 0; i < view->nb_ports; i++) {
		const struct dp_port *port = view->ports[i].port;

		for (unsigned q = 0; q < port->nb_rxq; q++) {
			int8_t *w = &owner[port->id][q];

			if (*w < 0) {
				*w = least_loaded(load, nb_workers);
				load[*w]++;
			}
			snap->port[port->id].rxq_worker[q] = *w;
			snap->worker[*w].nb_rxq++;
		}
	}
}

// Lists the queues of worker `w` that are only polled, or that must be armed. Returns the end.
static struct dp_snap_rxq *list_queues(struct dp_snap *snap, const struct dp_view *view, unsigned w,
	bool armed, struct dp_snap_rxq *out)
{
	for (unsigned i = 0; i < view->nb_ports; i++) {
		const struct dp_port *port = view->ports[i].port;

		for (unsigned q = 0; q < port->nb_rxq; q++) {
			bool polled_only = port->rx_fd[q] < 0;

			if (snap->port[port->id].rxq_worker[q] != w ||
				(armed ? polled_only || !port->rx_arm : !polled_only))
				continue;
			*out++ = (struct dp_snap_rxq){port->id, q, port->rx_fd[q]};
		}
	}
	return out;
}

struct dp_snap *dp_snap_new(const struct dp_view *view, struct fdb *fdb, unsigned nb_workers,
	int8_t (*owner)[DP_QUEUES_MAX])
{
	struct dp_snap *snap = snap_alloc(view);
	struct dp_snap_rxq *rxq;

	if (!snap)
		return NULL;
	fill_bridges(snap, view);
	for (unsigned i = 0; i < view->nb_ports; i++)
		fill_port(snap, view, i, fdb, nb_workers);
	fill_guards(snap, view);
	fill_peers(snap, view);
	assign_queues(snap, view, nb_workers, owner);
	rxq = snap->rxqs;
	for (unsigned w = 0; w < nb_workers; w++) {
		struct dp_snap_worker *worker = &snap->worker[w];
		struct dp_snap_rxq *end;

		worker->polled = rxq;
		end = list_queues(snap, view, w, false, rxq);
		worker->nb_polled = end - rxq;
		worker->armed = rxq = end;
		end = list_queues(snap, view, w, true, rxq);
		worker->nb_armed = end - rxq;
		rxq = end;
	}
	return snap;
}
