// SPDX-License-Identifier: BSD-3-Clause
#include "dp/worker.h"

#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

#include <rte_cycles.h>
#include <rte_lcore.h>

#include "base/log.h"

#define EPOLL_EVENTS 64
#define EPOLL_EVERY  8	 // rounds between two checks of quiet queues while others are busy
#define HOT_READS    128 // empty reads, shared by the hot queues, until these count as quiet
#define WAKE_DATA    UINT32_MAX

static void make_hot(struct dp_worker *w, uint16_t port, uint16_t queue)
{
	if (w->is_hot[port] >> queue & 1 || w->nb_hot == w->max_hot)
		return;
	w->is_hot[port] |= 1u << queue;
	w->hot[w->nb_hot++] = (struct dp_hot_queue){.port = port, .queue = queue, .burst = 1};
}

// Waits for readable queues, for at most `timeout`; NULL: for ever.
static void epoll_look(struct dp_worker *w, const struct timespec *timeout)
{
	struct epoll_event events[EPOLL_EVENTS];
	int n = epoll_pwait2(w->epoll_fd, events, EPOLL_EVENTS, timeout, NULL);

	for (int i = 0; i < n; i++) {
		uint32_t data = events[i].data.u32;
		uint64_t count;

		if (data == WAKE_DATA) {
			if (read(w->wake_fd, &count, sizeof(count)) < 0)
				continue; // read already
		} else {
			make_hot(w, data >> 8, data & 0xff);
		}
	}
	w->rounds_to_epoll = EPOLL_EVERY;
}

static unsigned poll_queue(struct dp_worker *w, uint16_t port_id, uint16_t queue, uint16_t at_most)
{
	const struct dp_snap_port *in = &w->ctx.snap->port[port_id];
	struct dp_batch *b = &w->batch;
	uint16_t n;

	if (unlikely(atomic_load_explicit(&in->port->failed, memory_order_relaxed))) {
		w->ctx.calls_main = true;
		return 0;
	}
	dp_batch_enter(&w->ctx, b, port_id);
	n = in->port->rx(in->port, queue, b->pkt, at_most, b->in_at);
	if (!n)
		return 0;
	b->n = n;
	dp_pipeline_run(&w->ctx, b);
	if (unlikely(in->port->demux))
		w->ctx.calls_main |=
			atomic_load_explicit(&in->port->calls_main, memory_order_relaxed);
	return n;
}

// Reads a queue until it is empty, or others have waited long enough for their turn. Large segments
// come a few at a time, so that they stay in the cache until they are sent; but the sender of a
// bulk transfer is woken less often, and sends more at once, when its queue is emptied first.
// Where one packet came last time, one is read, and sent before the queue is asked for more.
static unsigned drain_queue(struct dp_worker *w, struct dp_hot_queue *q)
{
	unsigned total = poll_queue(w, q->port, q->queue, q->burst), n = total;
	uint64_t end;

	if (!n)
		return 0;
	end = rte_rdtsc() + w->turn_cycles;
	while (n && total < DP_BURST && rte_rdtsc() < end) {
		n = poll_queue(w, q->port, q->queue, DP_BURST);
		total += n;
	}
	q->burst = RTE_MIN(total, DP_BURST);
	return total;
}

// Reads the hot queues. A queue stops being hot if it yields nothing for long or is no longer this
// worker's.
static unsigned poll_hot(struct dp_worker *w)
{
	const struct dp_snap *snap = w->ctx.snap;
	unsigned total = 0, kept = 0;

	for (unsigned i = 0; i < w->nb_hot; i++) {
		struct dp_hot_queue q = w->hot[i];
		bool ours = q.port < snap->nb_ports && snap->port[q.port].port &&
			    q.queue < snap->port[q.port].port->nb_rxq &&
			    snap->port[q.port].rxq_worker[q.queue] == w->index;
		unsigned n = ours ? drain_queue(w, &q) : 0;

		total += n;
		q.empty = n ? 0 : q.empty + 1;
		if (ours && q.empty * w->nb_hot < HOT_READS)
			w->hot[kept++] = q;
		else
			w->is_hot[q.port] &= ~(1u << q.queue);
	}
	w->nb_hot = kept;
	return total;
}

// Once until main has reacted: each call is a system call.
static void call_main(struct dp *dp, struct dp_context *ctx)
{
	if (!atomic_exchange_explicit(&dp->main_called, true, memory_order_relaxed))
		dp->wake_main(dp->wake_arg);
	ctx->calls_main = false;
}

unsigned dp_worker_round(struct dp_worker *w)
{
	static const struct timespec now = {0};
	struct dp *dp = w->dp;
	struct dp_context *ctx = &w->ctx;
	const struct dp_snap_worker *mine;
	unsigned n = 0;

	ctx->snap = atomic_load_explicit(&dp->snap, memory_order_acquire);
	ctx->table = atomic_load_explicit(&dp->fdb->table, memory_order_acquire);
	ctx->now_s = atomic_load_explicit(&dp->now_s, memory_order_relaxed);
	mine = &ctx->snap->worker[w->index];
	if (mine->nb_rxq > mine->nb_polled && (!w->nb_hot || --w->rounds_to_epoll == 0))
		epoll_look(w, &now);
	for (unsigned i = 0; i < mine->nb_polled; i++)
		n += poll_queue(w, mine->polled[i].port, mine->polled[i].queue, DP_BURST);
	for (unsigned i = 0; i < mine->nb_armed; i++)
		make_hot(w, mine->armed[i].port, mine->armed[i].queue);
	n += poll_hot(w);
	if (ctx->nb_dirty)
		dp_tx_flush_all(ctx);
	w->rounds++;
	w->packets += n;
	w->empty_rounds += !n;
	if (unlikely(ctx->calls_main ||
		     atomic_load_explicit(&dp->fdb->pressure, memory_order_relaxed) ||
		     atomic_load_explicit(&dp->fdb->crowded, memory_order_relaxed)))
		call_main(dp, ctx);
	return n;
}

static void arm(struct dp_worker *w, bool on)
{
	const struct dp_snap *snap = w->ctx.snap;
	const struct dp_snap_worker *mine = &snap->worker[w->index];

	for (unsigned i = 0; i < mine->nb_armed; i++) {
		struct dp_port *port = snap->port[mine->armed[i].port].port;

		port->rx_arm(port, mine->armed[i].queue, on);
	}
}

static void cool_all(struct dp_worker *w)
{
	while (w->nb_hot) {
		struct dp_hot_queue q = w->hot[--w->nb_hot];

		w->is_hot[q.port] &= ~(1u << q.queue);
	}
}

// Sleeps until a queue may have packets or main has news.
static void nap(struct dp_worker *w)
{
	static const struct timespec nap_time = {0, DP_NAP_US * 1000};
	// The last round's snapshot may be freed: the worker has said that it is done with it.
	const struct dp_snap *snap = atomic_load_explicit(&w->dp->snap, memory_order_acquire);
	const struct dp_snap_worker *mine = &snap->worker[w->index];
	const struct timespec *timeout = mine->nb_polled ? &nap_time : NULL;
	bool armed = mine->nb_armed;

	w->ctx.snap = snap;
	if (armed) {
		// A packet that came before the queue was armed raises no interrupt. And if there
		// was a new snapshot, the round may have consumed main's wake-up.
		arm(w, true);
		if (dp_worker_round(w) || w->ctx.snap != snap) {
			arm(w, false);
			return;
		}
	}
	cool_all(w);
	w->sleeps++;
	rte_rcu_qsbr_thread_offline(w->dp->rcu, w->index);
	epoll_look(w, timeout);
	rte_rcu_qsbr_thread_online(w->dp->rcu, w->index);
	if (armed) {
		// The snapshot may be a newer one by now; its queues are the ones to disarm.
		w->ctx.snap = atomic_load_explicit(&w->dp->snap, memory_order_acquire);
		arm(w, false);
	}
}

static void worker_loop(struct dp_worker *w)
{
	struct dp *dp = w->dp;
	uint64_t spin_cycles = rte_get_tsc_hz() / 1000000 * DP_SPIN_US;
	uint64_t last = rte_rdtsc(), last_busy = last;

	while (!atomic_load_explicit(&dp->stop, memory_order_relaxed)) {
		unsigned n = dp_worker_round(w);
		uint64_t now = rte_rdtsc();

		if (n) {
			w->busy_cycles += now - last;
			last_busy = now;
		} else {
			w->idle_cycles += now - last;
		}
		last = now;
		rte_rcu_qsbr_quiescent(dp->rcu, w->index);
		if (n || dp->polling == CONF_POLLING_BUSY)
			continue;
		if (now - last_busy < spin_cycles) {
			// Another switch or a container may share the CPU and hold the next
			// packet.
			sched_yield();
			continue;
		}
		nap(w);
		last = rte_rdtsc();
		// After a wake-up with nothing to read, sleep again at once.
		last_busy = w->nb_hot ? last : last - spin_cycles;
	}
}

static void *worker_main(void *arg)
{
	struct dp_worker *w = arg;
	char name[16];

	snprintf(name, sizeof(name), "worker%u", w->index);
	pthread_setname_np(pthread_self(), name);
	prctl(PR_SET_TIMERSLACK, 1000); // naps are short
	if (rte_thread_register() < 0)
		log_warn("worker %u: no DPDK thread identity is left: buffers come slower",
			w->index);
	rte_rcu_qsbr_thread_register(w->dp->rcu, w->index);
	rte_rcu_qsbr_thread_online(w->dp->rcu, w->index);
	worker_loop(w);
	rte_rcu_qsbr_thread_offline(w->dp->rcu, w->index);
	rte_rcu_qsbr_thread_unregister(w->dp->rcu, w->index);
	rte_thread_unregister();
	return NULL;
}

int dp_worker_init(struct dp_worker *w, struct dp *dp, unsigned index, unsigned cpu)
{
	struct epoll_event event = {.events = EPOLLIN, .data.u32 = WAKE_DATA};

	w->dp = dp;
	w->index = index;
	w->cpu = cpu;
	w->epoll_fd = w->wake_fd = -1;
	w->rounds_to_epoll = 1;
	w->turn_cycles = rte_get_tsc_hz() / 1000000 * DP_TURN_US;
	w->max_hot = 4096;
	w->ctx.fdb = dp->fdb;
	w->ctx.pool = dp->pool;
	w->ctx.worker = index;
	w->ctx.nb_workers = dp->nb_workers;
	w->hot = calloc(w->max_hot, sizeof(*w->hot));
	w->is_hot = calloc(DP_PORTS_MAX, sizeof(*w->is_hot));
	w->ctx.site = aligned_alloc(RTE_CACHE_LINE_SIZE, DP_PORTS_MAX * sizeof(struct dp_site));
	w->ctx.txbuf = calloc(DP_PORTS_MAX, sizeof(struct dp_txbuf));
	w->ctx.dirty = calloc(DP_PORTS_MAX, sizeof(uint16_t));
	w->ctx.flooded = calloc(DP_PORTS_MAX, sizeof(struct dp_flooded));
	if (!w->hot || !w->is_hot || !w->ctx.site || !w->ctx.txbuf || !w->ctx.dirty ||
		!w->ctx.flooded)
		return -ENOMEM;
	for (unsigned i = 0; i < DP_PORTS_MAX; i++)
		w->ctx.site[i] = (struct dp_site){.port = i, .worker = index};
	w->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	w->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (w->epoll_fd < 0 || w->wake_fd < 0 ||
		epoll_ctl(w->epoll_fd, EPOLL_CTL_ADD, w->wake_fd, &event) < 0)
		return -errno;
	return 0;
}

void dp_worker_fini(struct dp_worker *w)
{
	if (!w->dp)
		return;
	if (w->epoll_fd >= 0)
		close(w->epoll_fd);
	if (w->wake_fd >= 0)
		close(w->wake_fd);
	free(w->hot);
	free(w->is_hot);
	free(w->ctx.site);
	free(w->ctx.txbuf);
	free(w->ctx.dirty);
	free(w->ctx.flooded);
}

int dp_worker_start(struct dp_worker *w)
{
	pthread_attr_t attr;
	cpu_set_t cpus;
	int rc;

	CPU_ZERO(&cpus);
	CPU_SET(w->cpu, &cpus);
	pthread_attr_init(&attr);
	pthread_attr_setaffinity_np(&attr, sizeof(cpus), &cpus);
	rc = pthread_create(&w->thread, &attr, worker_main, w);
	pthread_attr_destroy(&attr);
	w->started = rc == 0;
	return -rc;
}

void dp_worker_stop(struct dp_worker *w)
{
	if (!w->started)
		return;
	dp_worker_wake(w);
	pthread_join(w->thread, NULL);
	w->started = false;
}

void dp_worker_wake(struct dp_worker *w)
{
	uint64_t one = 1;

	// If it is full, a wake-up is pending already.
	if (write(w->wake_fd, &one, sizeof(one)) < 0)
		return;
}
