// SPDX-License-Identifier: BSD-3-Clause
// The main thread's side of the data plane: publishes snapshots, frees what workers no longer use,
// reads counters, serves requests for the forwarding table.
#include "dp/dp.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>

#include <rte_malloc.h>

#include "dp/worker.h"

#define SOON_US	 1000	// workers wait for a step of growth or an answer
#define LATER_US 100000 // nothing is urgent

// Something that is no longer current; freed when all workers have passed `token`.
struct dp_retired {
	struct dp_retired *next;
	void (*fn)(void *arg);
	void *arg;
	uint64_t token;
};

static int make_workers(struct dp *dp, const struct dp_opts *opts)
{
	unsigned count = RTE_MAX(opts->nb_workers, 1u);
	int rc = 0;

	dp->worker = aligned_alloc(RTE_CACHE_LINE_SIZE, count * sizeof(struct dp_worker));
	if (!dp->worker)
		return -ENOMEM;
	memset(dp->worker, 0, count * sizeof(struct dp_worker));
	dp->nb_workers = count;
	for (unsigned i = 0; i < count && rc == 0; i++)
		rc = dp_worker_init(&dp->worker[i], dp, i, opts->nb_workers ? opts->cpus[i] : 0);
	return rc;
}

static int make_rcu(struct dp *dp)
{
	size_t bytes = rte_rcu_qsbr_get_memsize(dp->nb_workers);

	// Not from the DPDK heap, so that tests need none.
	bytes = RTE_ALIGN_CEIL(bytes, RTE_CACHE_LINE_SIZE);
	dp->rcu = aligned_alloc(RTE_CACHE_LINE_SIZE, bytes);
	if (!dp->rcu)
		return -ENOMEM;
	return rte_rcu_qsbr_init(dp->rcu, dp->nb_workers) ? -EINVAL : 0;
}

static int start_workers(struct dp *dp)
{
	dp->threads = true;
	for (unsigned i = 0; i < dp->nb_workers; i++) {
		int rc = dp_worker_start(&dp->worker[i]);

		if (rc < 0)
			return rc;
	}
	return 0;
}

int dp_new(const struct dp_opts *opts, struct dp **ret_dp, struct err *err)
{
	static const struct dp_view nothing;
	struct dp *dp = calloc(1, sizeof(*dp));
	int rc = -ENOMEM;

	if (!dp)
		return err_set(err, -ENOMEM, "data plane", "out of memory");
	dp->polling = opts->polling;
	dp->pool = opts->pool;
	dp->wake_main = opts->wake_main;
	dp->wake_arg = opts->wake_arg;
	memset(dp->rxq_owner, -1, sizeof(dp->rxq_owner));
	dp->fdb = fdb_new();
	if (!dp->fdb)
		goto err;
	if ((rc = make_workers(dp, opts)) < 0 || (rc = make_rcu(dp)) < 0 ||
		(rc = dp_publish(dp, &nothing, err)) < 0)
		goto err;
	if (opts->nb_workers && (rc = start_workers(dp)) < 0)
		goto err;
	*ret_dp = dp;
	return 0;

err:
	err_set_errno(err, rc, "data plane", "cannot start the workers");
	dp_free(dp);
	return rc;
}

static void reclaim(struct dp *dp, bool force)
{
	while (dp->retired) {
		struct dp_retired *r = dp->retired;

		if (!force && rte_rcu_qsbr_check(dp->rcu, r->token, false) != 1)
			return;
		dp->retired = r->next;
		r->fn(r->arg);
		free(r);
	}
}

static void retire(struct dp *dp, struct dp_retired *r, void (*fn)(void *arg), void *arg)
{
	struct dp_retired **tail = &dp->retired;

	r->fn = fn;
	r->arg = arg;
	r->token = rte_rcu_qsbr_start(dp->rcu);
	while (*tail)
		tail = &(*tail)->next;
	*tail = r;
}

void dp_retire(struct dp *dp, void (*fn)(void *arg), void *arg)
{
	struct dp_retired *r = calloc(1, sizeof(*r));

	if (r) {
		retire(dp, r, fn, arg);
		return;
	}
	rte_rcu_qsbr_synchronize(dp->rcu, RTE_QSBR_THRID_INVALID);
	fn(arg);
}

void dp_free(struct dp *dp)
{
	if (!dp)
		return;
	atomic_store(&dp->stop, true);
	for (unsigned i = 0; dp->worker && i < dp->nb_workers; i++)
		dp_worker_stop(&dp->worker[i]);
	reclaim(dp, true);
	dp_snap_free(atomic_load(&dp->snap));
	for (unsigned i = 0; dp->worker && i < dp->nb_workers; i++)
		dp_worker_fini(&dp->worker[i]);
	for (unsigned i = 0; i < DP_BRIDGES_MAX; i++)
		free((void *)atomic_load(&dp->neigh[i]));
	fdb_free(dp->fdb);
	free(dp->worker);
	free(dp->rcu);
	free(dp);
}

// ---- identifiers ----

static int id_alloc(uint64_t *used, unsigned max, uint16_t *ret_id)
{
	for (unsigned w = 0; w < max / 64; w++) {
		if (~used[w]) {
			unsigned bit = __builtin_ctzll(~used[w]);

			used[w] |= 1ull << bit;
			*ret_id = w * 64 + bit;
			return 0;
		}
	}
	return -ENOSPC;
}

static void id_free(uint64_t *used, uint16_t id)
{
	used[id / 64] &= ~(1ull << id % 64);
}

static void clear(struct dp_site *at)
{
	at->rx_packets = at->rx_bytes = 0;
	at->tx_packets = at->tx_bytes = 0;
	memset(at->drop, 0, sizeof(at->drop));
}

int dp_port_id_alloc(struct dp *dp, uint16_t *ret_id)
{
	return id_alloc(dp->port_used, DP_PORTS_MAX, ret_id);
}

void dp_port_id_free(struct dp *dp, uint16_t id)
{
	fdb_flush_port(dp->fdb, id);
	dp->fdb->port_bridge[id] = UINT16_MAX;
	for (unsigned i = 0; i < dp->nb_workers; i++)
		clear(&dp->worker[i].ctx.site[id]);
	memset(dp->rxq_owner[id], -1, sizeof(dp->rxq_owner[id]));
	id_free(dp->port_used, id);
}

int dp_bridge_id_alloc(struct dp *dp, uint16_t *ret_id)
{
	uint16_t id;
	int rc = id_alloc(dp->bridge_used, DP_BRIDGES_MAX, &id);

	if (rc < 0)
		return rc;
	rc = fdb_bridge_open(dp->fdb, id);
	if (rc < 0) {
		id_free(dp->bridge_used, id);
		return rc;
	}
	*ret_id = id;
	return 0;
}

void dp_bridge_id_free(struct dp *dp, uint16_t id)
{
	dp_neigh_set(dp, id, NULL, 0, false);
	fdb_bridge_close(dp->fdb, id);
	id_free(dp->bridge_used, id);
}

// ---- snapshots ----

static void epoll_set(struct dp *dp, int op, uint16_t port, uint16_t queue, int fd)
{
	struct epoll_event event = {.events = EPOLLIN, .data.u32 = (uint32_t)port << 8 | queue};
	struct dp_worker *w = &dp->worker[dp->rxq_owner[port][queue]];

	epoll_ctl(w->epoll_fd, op, fd, &event);
}

// Main maintains the workers' epoll sets, so that no worker stops polling for it.
static void epoll_update(struct dp *dp, const struct dp_snap *old, const struct dp_snap *new)
{
	unsigned last = RTE_MAX(old ? old->nb_ports : 0u, new->nb_ports);

	for (unsigned id = 0; id < last; id++) {
		struct dp_port *before = old && id < old->nb_ports ? old->port[id].port : NULL;
		struct dp_port *after = id < new->nb_ports ? new->port[id].port : NULL;

		if (before == after)
			continue;
		for (unsigned q = 0; before && q < before->nb_rxq; q++) {
			if (before->rx_fd[q] >= 0)
				epoll_set(dp, EPOLL_CTL_DEL, id, q, before->rx_fd[q]);
		}
		for (unsigned q = 0; after && q < after->nb_rxq; q++) {
			if (after->rx_fd[q] >= 0)
				epoll_set(dp, EPOLL_CTL_ADD, id, q, after->rx_fd[q]);
		}
	}
}

static void tell_fdb(struct dp *dp, const struct dp_view *view)
{
	struct fdb *fdb = dp->fdb;

	memset(fdb->nb_ports, 0, sizeof(fdb->nb_ports));
	for (unsigned i = 0; i < view->nb_bridges; i++) {
		fdb->ageing_s[view->bridges[i].id] = view->bridges[i].ageing_s;
		fdb->limit[view->bridges[i].id] = view->bridges[i].fdb_limit;
	}
	for (unsigned i = 0; i < view->nb_ports; i++) {
		if (view->ports[i].bridge_id == UINT16_MAX)
			continue;
		fdb->nb_ports[view->ports[i].bridge_id]++;
		fdb->port_bridge[view->ports[i].port->id] = view->ports[i].bridge_id;
	}
}

static void free_snap(void *snap)
{
	dp_snap_free(snap);
}

int dp_publish(struct dp *dp, const struct dp_view *view, struct err *err)
{
	struct dp_retired *retired = calloc(1, sizeof(*retired));
	struct dp_snap *snap, *old = atomic_load(&dp->snap);

	if (!retired)
		return err_set(err, -ENOMEM, "data plane", "out of memory");
	snap = dp_snap_new(view, dp->fdb, dp->nb_workers, dp->rxq_owner);
	if (!snap) {
		free(retired);
		return err_set(err, -ENOMEM, "data plane", "out of memory");
	}
	for (unsigned i = 0; i < view->nb_bridges; i++)
		snap->bridges[i].neigh = &dp->neigh[view->bridges[i].id];
	tell_fdb(dp, view);
	epoll_update(dp, old, snap);
	atomic_store_explicit(&dp->snap, snap, memory_order_release);
	if (!old) {
		free(retired);
		return 0;
	}
	retire(dp, retired, free_snap, old);
	for (unsigned i = 0; dp->threads && i < dp->nb_workers; i++)
		dp_worker_wake(&dp->worker[i]);
	return 0;
}

bool dp_settled(struct dp *dp)
{
	reclaim(dp, false);
	return !dp->retired;
}

// ---- periodic work ----

static void grow_step(struct dp *dp)
{
	switch (dp->grow) {
	case DP_GROW_IDLE:
		if (!fdb_grow_begin(dp->fdb))
			return;
		dp->grow = DP_GROW_FROZEN;
		break;
	case DP_GROW_FROZEN:
		if (rte_rcu_qsbr_check(dp->rcu, dp->grow_token, false) != 1)
			return;
		dp->grow = fdb_grow_copy(dp->fdb) ? DP_GROW_COPIED : DP_GROW_IDLE;
		break;
	case DP_GROW_COPIED:
		if (rte_rcu_qsbr_check(dp->rcu, dp->grow_token, false) != 1)
			return;
		fdb_grow_finish(dp->fdb);
		dp->grow = DP_GROW_IDLE;
		break;
	}
	dp->grow_token = rte_rcu_qsbr_start(dp->rcu);
}

uint32_t dp_service(struct dp *dp, uint64_t now_us)
{
	bool called = now_us - dp->looked_us < SOON_US;
	unsigned before;

	// Workers are answered at most once per millisecond, however often they call.
	if (!called) {
		dp->looked_us = now_us;
		atomic_store_explicit(&dp->main_called, false, memory_order_relaxed);
	}
	atomic_store_explicit(&dp->now_s, now_us / 1000000, memory_order_relaxed);
	fdb_service(dp->fdb, now_us);
	// One step per grace period that has passed.
	do {
		before = dp->grow;
		grow_step(dp);
	} while (dp->grow != before);
	reclaim(dp, false);
	return called || dp->grow != DP_GROW_IDLE ? SOON_US : LATER_US;
}

// ---- forwarding table ----

static uint64_t mac48(const struct mac *mac)
{
	uint64_t value = 0;

	memcpy(&value, mac->byte, sizeof(mac->byte));
	return value;
}

struct walk {
	bool (*fn)(void *arg, const struct dp_fdb_info *info);
	void *arg;
};

static bool walk_slot(
	struct dp *dp, const struct walk *walk, uint16_t bridge_id, uint64_t key, uint64_t value)
{
	uint32_t owner = fdb_fid_owner(dp->fdb, fdb_key_fid(key));
	struct dp_fdb_info info = {
		.bridge_id = owner >> 16,
		.vlan = owner,
		.port_id = fdb_value_port(value),
		.remote = fdb_value_remote(value),
		.kind = value & FDB_STATIC ? DP_FDB_STATIC : DP_FDB_LEARNED,
		.age_s = value & FDB_STATIC
				 ? 0
				 : (uint16_t)(atomic_load(&dp->now_s) - fdb_value_age(value)),
	};

	if (!fdb_fresh(dp->fdb, value) || (bridge_id != UINT16_MAX && info.bridge_id != bridge_id))
		return true;
	memcpy(info.mac.byte, &key, sizeof(info.mac.byte));
	return walk->fn(walk->arg, &info);
}

void dp_fdb_walk(struct dp *dp, uint16_t bridge_id,
	bool (*fn)(void *arg, const struct dp_fdb_info *), void *arg)
{
	struct fdb_table *table = atomic_load(&dp->fdb->table);
	struct walk walk = {fn, arg};

	for (uint32_t i = 0; i <= table->mask; i++) {
		for (unsigned slot = 0; slot < FDB_SLOTS; slot++) {
			uint64_t key = atomic_load(&table->index.bucket[i].key[slot]);
			uint64_t value;

			if (!key)
				continue;
			// Key and value must belong together: a writer may be replacing them.
			value = fdb_bucket_get(&table->index.bucket[i], key);
			if (value && !walk_slot(dp, &walk, bridge_id, key, value))
				return;
		}
	}
}

int dp_fdb_add_static(struct dp *dp, uint16_t bridge_id, uint16_t vlan, const struct mac *mac,
	uint16_t port_id, uint16_t remote)
{
	uint16_t fid = fdb_fid(dp->fdb, bridge_id, vlan);

	if (!fid)
		return -ENOSPC;
	return fdb_put_static(dp->fdb, fdb_key(fid, mac48(mac)),
		fdb_value(port_id, 0, FDB_GENERATION, FDB_STATIC) | fdb_remote(remote));
}

int dp_fdb_del(struct dp *dp, uint16_t bridge_id, uint16_t vlan, const struct mac *mac)
{
	uint16_t fid = atomic_load(&dp->fdb->bridge[bridge_id]->fid[vlan]);

	return fid ? fdb_remove(dp->fdb, fdb_key(fid, mac48(mac))) : -ENOENT;
}

void dp_fdb_flush_bridge(struct dp *dp, uint16_t bridge_id)
{
	fdb_flush_bridge(dp->fdb, bridge_id);
}

void dp_fdb_flush_port(struct dp *dp, uint16_t port_id)
{
	fdb_flush_port(dp->fdb, port_id);
}

void dp_fdb_stats(struct dp *dp, struct dp_fdb_stats *ret_stats)
{
	struct fdb *fdb = dp->fdb;
	struct fdb_table *table = atomic_load(&fdb->table);
	struct dp_fdb_stats s = {
		.entries = fdb->nb_static,
		.evicted = fdb->evicted,
		.aged = fdb->aged,
		.flushed = fdb->flushed,
		.buckets = (uint64_t)table->mask + 1,
		.slots = ((uint64_t)table->mask + 1) * FDB_SLOTS,
	};

	for (unsigned i = 0; i < DP_BRIDGES_MAX; i++) {
		if (fdb->bridge[i])
			s.entries += atomic_load(&fdb->bridge[i]->learned);
	}
	for (unsigned i = 0; i < dp->nb_workers; i++) {
		const struct fdb_counters *cnt = &dp->worker[i].ctx.fdb_cnt;

		s.learned += cnt->learned;
		s.moves += cnt->moves;
		s.moves_limited += cnt->moves_limited;
		s.refused += cnt->refused;
		s.static_hits += cnt->static_hits;
	}
	*ret_stats = s;
}

// ---- counters ----

void dp_port_stats(struct dp *dp, uint16_t port_id, struct dp_port_stats *ret_stats)
{
	struct dp_port_stats sum = {0};

	for (unsigned i = 0; i < dp->nb_workers; i++) {
		const struct dp_site *at = &dp->worker[i].ctx.site[port_id];

		sum.rx_packets += at->rx_packets;
		sum.rx_bytes += at->rx_bytes;
		sum.tx_packets += at->tx_packets;
		sum.tx_bytes += at->tx_bytes;
		for (unsigned d = 0; d < DP_NB_DROPS; d++)
			sum.drop[d] += at->drop[d];
	}
	for (unsigned d = 0; d < DP_NB_DROPS; d++)
		*(dp_drop_info[d].is_tx ? &sum.tx_dropped : &sum.rx_dropped) += sum.drop[d];
	*ret_stats = sum;
}

unsigned dp_nb_workers(const struct dp *dp)
{
	return dp->nb_workers;
}

void dp_worker_stats(struct dp *dp, unsigned worker, struct dp_worker_stats *ret_stats)
{
	const struct dp_worker *w = &dp->worker[worker];
	struct dp_worker_stats s = {
		.cpu = w->cpu,
		.queues = atomic_load(&dp->snap)->worker[worker].nb_rxq,
		.rounds = w->rounds,
		.empty_rounds = w->empty_rounds,
		.sleeps = w->sleeps,
		.packets = w->packets,
		.batches = w->ctx.batches,
		.busy_cycles = w->busy_cycles,
		.idle_cycles = w->idle_cycles,
	};

	memcpy(s.batch_sizes, w->ctx.batch_sizes, sizeof(s.batch_sizes));
	memcpy(s.stage, w->ctx.stage, sizeof(s.stage));
	*ret_stats = s;
}

void dp_trace_set(struct dp *dp, uint16_t port_id, struct dp_trace *trace)
{
	for (unsigned i = 0; i < dp->nb_workers * DP_PORTS_MAX; i++) {
		struct dp_site *at = &dp->worker[i / DP_PORTS_MAX].ctx.site[i % DP_PORTS_MAX];

		if (port_id == DP_ALL_PORTS || port_id == at->port)
			atomic_store_explicit(&at->trace, trace, memory_order_release);
	}
}

unsigned dp_poll(struct dp *dp)
{
	return dp_worker_round(&dp->worker[0]);
}
