// SPDX-License-Identifier: BSD-3-Clause
// Workers that forward while the main thread publishes snapshots, flushes and serves. Two pairs of
// ports that stay must not lose a packet; the others come, change and go, and their memory with
// them. Run it with ThreadSanitizer and AddressSanitizer: they see what is used after it was freed.
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include <rte_eal.h>
#include <rte_mbuf.h>

#include "dp/dp.h"

#define NB_MBUFS    4096
#define NB_WORKERS  2
#define NB_STABLE   4
#define NB_GUESTS   12
#define RUN_MS	    3000
#define DEADLINE_MS 20000
#define FRAME_BYTES 64

// ---- buffers ----

// A pool with a lock that ThreadSanitizer sees: the rings of DPDK's own are not compiled for it,
// so that it would take each buffer that changes hands for a race.
struct stack {
	pthread_mutex_t lock;
	unsigned count;
	void *object[NB_MBUFS];
};

static int stack_alloc(struct rte_mempool *mp)
{
	struct stack *s = calloc(1, sizeof(*s));

	if (!s)
		return -ENOMEM;
	pthread_mutex_init(&s->lock, NULL);
	mp->pool_data = s;
	return 0;
}

static void stack_free(struct rte_mempool *mp)
{
	free(mp->pool_data);
}

static int stack_enqueue(struct rte_mempool *mp, void *const *objects, unsigned n)
{
	struct stack *s = mp->pool_data;

	pthread_mutex_lock(&s->lock);
	memcpy(s->object + s->count, objects, n * sizeof(*objects));
	s->count += n;
	pthread_mutex_unlock(&s->lock);
	return 0;
}

static int stack_dequeue(struct rte_mempool *mp, void **objects, unsigned n)
{
	struct stack *s = mp->pool_data;
	int rc = -ENOENT;

	pthread_mutex_lock(&s->lock);
	if (s->count >= n) {
		s->count -= n;
		memcpy(objects, s->object + s->count, n * sizeof(*objects));
		rc = 0;
	}
	pthread_mutex_unlock(&s->lock);
	return rc;
}

static unsigned stack_count(const struct rte_mempool *mp)
{
	return ((const struct stack *)mp->pool_data)->count;
}

static const struct rte_mempool_ops stack_ops = {
	.name = "stack",
	.alloc = stack_alloc,
	.free = stack_free,
	.enqueue = stack_enqueue,
	.dequeue = stack_dequeue,
	.get_count = stack_count,
};
RTE_MEMPOOL_REGISTER_OPS(stack_ops);

static struct rte_mempool *rx_pool, *dp_pool;

// ---- ports ----

#define HOST(n)	  (0x020000000000ull | (n))
#define BROADCAST 0xffffffffffffull

struct test_port {
	struct dp_port dp; // first: rx() and tx() cast
	struct dp_view_port view;
	struct conf_port conf;
	uint64_t address, peer; // of a stable port; 0 otherwise
	unsigned seed;
	uint64_t sent; // by rx(), of `quota`
	atomic_ullong quota;
	atomic_ullong got, got_sum; // packets of the peer, and the sum of their numbers
	atomic_uint alive;
};

#define ALIVE 0xa11e

static atomic_uint used_after_free;

static void put_mac(uint8_t *p, uint64_t mac)
{
	for (int i = 0; i < 6; i++)
		p[i] = mac >> (40 - 8 * i);
}

static uint64_t get_mac(const uint8_t *p)
{
	uint64_t mac = 0;

	for (int i = 0; i < 6; i++)
		mac = mac << 8 | p[i];
	return mac;
}

static struct rte_mbuf *frame_new(uint64_t dst, uint64_t src, unsigned vid, uint64_t number)
{
	struct rte_mbuf *m = rte_pktmbuf_alloc(rx_pool);
	uint8_t *p;

	if (!m)
		return NULL;
	p = (uint8_t *)rte_pktmbuf_append(m, FRAME_BYTES);
	memset(p, 0, FRAME_BYTES);
	put_mac(p, dst);
	put_mac(p + 6, src);
	p[12] = vid ? 0x81 : 0x88;
	p[13] = vid ? 0x00 : 0xb5;
	p[14] = vid >> 8;
	p[15] = vid;
	memcpy(p + 16, &number, sizeof(number));
	return m;
}

static struct rte_mbuf *next_frame(struct test_port *port)
{
	static const unsigned vids[] = {0, 0, 10, 20, 30};
	unsigned dice;

	if (port->address)
		return frame_new(port->peer, port->address, 0, port->sent);
	dice = rand_r(&port->seed);
	return frame_new(dice % 8 ? HOST(1000 + dice / 16 % 4000) : BROADCAST,
		HOST(1000 + rand_r(&port->seed) % 4000), vids[dice % 5], 0);
}

static uint16_t test_rx(
	struct dp_port *dp, uint16_t queue, struct rte_mbuf **pkts, uint16_t n, struct dp_site *at)
{
	struct test_port *port = (struct test_port *)dp;
	uint64_t woken, left;
	uint16_t count;

	if (atomic_load(&port->alive) != ALIVE)
		atomic_fetch_add(&used_after_free, 1);
	// Before the quota is read: what comes later raises it again.
	if (dp->rx_fd[0] >= 0 && read(dp->rx_fd[0], &woken, sizeof(woken)) < 0)
		woken = 0;
	left = atomic_load(&port->quota) - port->sent;
	for (count = 0; count < n && count < left; count++) {
		pkts[count] = next_frame(port);
		if (!pkts[count])
			break;
		port->sent++;
	}
	// Not all was taken: the queue is still readable.
	if (count < left && dp->rx_fd[0] >= 0)
		eventfd_write(dp->rx_fd[0], 1);
	return count;
}

static void test_tx(
	struct dp_port *dp, uint16_t queue, struct rte_mbuf **pkts, uint16_t n, struct dp_site *at)
{
	struct test_port *port = (struct test_port *)dp;

	if (atomic_load(&port->alive) != ALIVE)
		atomic_fetch_add(&used_after_free, 1);
	for (uint16_t i = 0; i < n; i++) {
		const uint8_t *p = rte_pktmbuf_mtod(pkts[i], uint8_t *);
		uint64_t number;

		if (port->address && get_mac(p) == port->address && get_mac(p + 6) == port->peer) {
			memcpy(&number, p + 16, sizeof(number));
			atomic_fetch_add(&port->got_sum, number);
			atomic_fetch_add(&port->got, 1);
		}
		at->tx_packets++;
		rte_pktmbuf_free(pkts[i]);
	}
}

static void test_rx_arm(struct dp_port *dp, uint16_t queue, bool on)
{
	// A device takes its time, in which main may go on.
	if (on)
		usleep(50);
	if (atomic_load(&((struct test_port *)dp)->alive) != ALIVE)
		atomic_fetch_add(&used_after_free, 1);
}

// ---- the main thread ----

struct bench {
	struct dp *dp;
	uint16_t bridge_id;
	struct test_port *stable[NB_STABLE];
	struct test_port *guest[NB_GUESTS]; // in the current snapshot
	struct test_port *leaving[512];	    // not any more, but perhaps in an older one
	unsigned nb_leaving;
	unsigned seed;
};

static uint64_t now_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000000ull + now.tv_nsec / 1000;
}

static void wake_main(void *arg)
{
	// It serves all the time.
}

static struct test_port *port_new(struct bench *b)
{
	struct test_port *port = calloc(1, sizeof(*port));

	assert_non_null(port);
	port->dp = (struct dp_port){
		.rx = test_rx, .tx = test_tx, .nb_rxq = 1, .nb_txq = 1, .mtu = 1500, .rx_fd = {-1}};
	assert_int_equal(dp_port_id_alloc(b->dp, &port->dp.id), 0);
	port->seed = rand_r(&b->seed);
	port->view = (struct dp_view_port){
		.port = &port->dp, .bridge_id = b->bridge_id, .conf = &port->conf};
	atomic_store(&port->alive, ALIVE);
	return port;
}

static void add_fd(struct test_port *port)
{
	port->dp.rx_fd[0] = eventfd(0, EFD_NONBLOCK);
	assert_true(port->dp.rx_fd[0] >= 0);
}

static void add_quota(struct test_port *port, unsigned packets)
{
	atomic_fetch_add(&port->quota, packets);
	if (port->dp.rx_fd[0] >= 0)
		eventfd_write(port->dp.rx_fd[0], 1);
}

static void port_delete(struct bench *b, struct test_port *port)
{
	dp_port_id_free(b->dp, port->dp.id);
	if (port->dp.rx_fd[0] >= 0)
		close(port->dp.rx_fd[0]);
	atomic_store(&port->alive, 0);
	free(port);
}

static void publish(struct bench *b)
{
	const struct dp_view_bridge bridge = {
		.id = b->bridge_id, .ageing_s = 300, .fdb_limit = 500};
	struct dp_view_port ports[NB_STABLE + NB_GUESTS];
	struct dp_view view = {.ports = ports, .bridges = &bridge, .nb_bridges = 1};
	struct err err = {0};

	for (unsigned i = 0; i < NB_STABLE; i++) {
		if (b->stable[i])
			ports[view.nb_ports++] = b->stable[i]->view;
	}
	for (unsigned i = 0; i < NB_GUESTS; i++) {
		if (b->guest[i])
			ports[view.nb_ports++] = b->guest[i]->view;
	}
	assert_int_equal(dp_publish(b->dp, &view, &err), 0);
}

static void bury(struct bench *b)
{
	while (b->nb_leaving)
		port_delete(b, b->leaving[--b->nb_leaving]);
}

static void settle(struct bench *b)
{
	uint64_t deadline_us = now_us() + DEADLINE_MS * 1000ull;

	while (!dp_settled(b->dp))
		assert_true(now_us() < deadline_us);
	bury(b);
}

static struct bench *bench_new(enum conf_polling polling)
{
	struct bench *b = calloc(1, sizeof(*b));
	unsigned cpus[NB_WORKERS] = {0}, count = 0;
	struct err err = {0};
	cpu_set_t set;

	assert_non_null(b);
	b->seed = 1;
	assert_int_equal(sched_getaffinity(0, sizeof(set), &set), 0);
	for (unsigned cpu = 0; cpu < CPU_SETSIZE && count < NB_WORKERS; cpu++) {
		if (CPU_ISSET(cpu, &set))
			cpus[count++] = cpu;
	}
	for (unsigned i = count; i < NB_WORKERS; i++)
		cpus[i] = cpus[0];
	assert_int_equal(dp_new(&(struct dp_opts){.cpus = cpus,
					.nb_workers = NB_WORKERS,
					.polling = polling,
					.pool = dp_pool,
					.wake_main = wake_main},
				 &b->dp, &err),
		0);
	assert_int_equal(dp_bridge_id_alloc(b->dp, &b->bridge_id), 0);
	atomic_store(&used_after_free, 0);
	return b;
}

static void bench_free(struct bench *b)
{
	for (unsigned i = 0; i < NB_STABLE + NB_GUESTS; i++) {
		struct test_port **port = i < NB_STABLE ? &b->stable[i] : &b->guest[i - NB_STABLE];

		if (*port)
			b->leaving[b->nb_leaving++] = *port;
		*port = NULL;
	}
	publish(b);
	settle(b);
	dp_bridge_id_free(b->dp, b->bridge_id);
	dp_free(b->dp);
	free(b);
	assert_int_equal(atomic_load(&used_after_free), 0);
	assert_int_equal(rte_mempool_in_use_count(rx_pool), 0);
	assert_int_equal(rte_mempool_in_use_count(dp_pool), 0);
}

static void make_stable(struct bench *b)
{
	for (unsigned i = 0; i < NB_STABLE; i++) {
		b->stable[i] = port_new(b);
		b->stable[i]->address = HOST(i + 1);
		b->stable[i]->peer = HOST((i ^ 1) + 1);
		b->stable[i]->dp.nb_txq = i < 2 ? NB_WORKERS : 1;
		if (i % 3 == 0)
			add_fd(b->stable[i]); // the others can only be polled
	}
}

static void change_vlans(struct bench *b, struct test_port *port)
{
	unsigned dice = rand_r(&b->seed);

	port->conf.vlan_mode = dice % 4;
	port->conf.tag = 10 + dice / 4 % 3 * 10;
	port->conf.has_trunks = dice / 16 % 2 == 0;
	memset(&port->conf.trunks, 0, sizeof(port->conf.trunks));
	vlan_set_add(&port->conf.trunks, 10);
	vlan_set_add(&port->conf.trunks, dice / 32 % 2 ? 20 : 0);
}

// A guest comes, changes or goes.
static void change_guests(struct bench *b)
{
	struct test_port **guest = &b->guest[rand_r(&b->seed) % NB_GUESTS];

	if (!*guest) {
		*guest = port_new(b);
		if (rand_r(&b->seed) % 2)
			add_fd(*guest);
		// As a NIC whose interrupts are armed.
		if ((*guest)->dp.rx_fd[0] >= 0 && rand_r(&b->seed) % 2)
			(*guest)->dp.rx_arm = test_rx_arm;
		change_vlans(b, *guest);
	} else if (rand_r(&b->seed) % 3 == 0) {
		change_vlans(b, *guest);
		dp_fdb_flush_port(b->dp, (*guest)->dp.id);
	} else {
		b->leaving[b->nb_leaving++] = *guest;
		dp_fdb_flush_port(b->dp, (*guest)->dp.id);
		*guest = NULL;
	}
}

static void add_traffic(struct bench *b)
{
	for (unsigned i = 0; i < NB_STABLE; i++)
		add_quota(b->stable[i], rand_r(&b->seed) % 50);
	for (unsigned i = 0; i < NB_GUESTS; i++) {
		if (b->guest[i])
			add_quota(b->guest[i], rand_r(&b->seed) % 20);
	}
}

static void expect_all(struct test_port *from, struct test_port *to)
{
	uint64_t deadline_us = now_us() + DEADLINE_MS * 1000ull, sent = atomic_load(&from->quota);

	while (atomic_load(&to->got) < sent && now_us() < deadline_us)
		usleep(1000);
	assert_int_equal(atomic_load(&to->got), sent);
	assert_int_equal(atomic_load(&to->got_sum), sent * (sent - 1) / 2);
	assert_true(sent > 0);
}

static bool count_entry(void *arg, const struct dp_fdb_info *info)
{
	++*(unsigned *)arg;
	return true;
}

static void forward_while_all_changes(enum conf_polling polling)
{
	struct bench *b = bench_new(polling);
	uint64_t begin_us = now_us();
	unsigned entries = 0;

	make_stable(b);
	while (now_us() - begin_us < RUN_MS * 1000ull) {
		unsigned dice = rand_r(&b->seed);

		change_guests(b);
		publish(b);
		add_traffic(b);
		dp_service(b->dp, now_us());
		if (dice % 8 == 0)
			dp_fdb_flush_bridge(b->dp, b->bridge_id);
		if (dice % 16 == 1)
			dp_fdb_walk(b->dp, b->bridge_id, count_entry, &entries);
		if (dice % 32 == 2)
			usleep(300); // the workers fall asleep
		// Often one snapshot follows another before the workers have seen it.
		if (dice / 64 % 2 || b->nb_leaving > 500)
			settle(b);
	}
	for (unsigned i = 0; i < NB_STABLE; i++)
		expect_all(b->stable[i], b->stable[i ^ 1]);
	bench_free(b);
}

static void test_adaptive(void **state)
{
	forward_while_all_changes(CONF_POLLING_ADAPTIVE);
}

static void test_busy(void **state)
{
	forward_while_all_changes(CONF_POLLING_BUSY);
}

// Workers without a port sleep until they are woken. Ports that can only be polled come and go:
// a worker that slept on after the first packet would be noticed.
static void test_sleeping_workers_notice_ports(void **state)
{
	struct bench *b = bench_new(CONF_POLLING_ADAPTIVE);
	uint64_t begin_us = now_us();

	while (now_us() - begin_us < RUN_MS * 1000ull / 3) {
		b->stable[0] = port_new(b);
		b->stable[0]->address = HOST(1);
		b->stable[0]->peer = HOST(2);
		b->stable[1] = port_new(b);
		b->stable[1]->address = HOST(2);
		b->stable[1]->peer = HOST(1);
		if (rand_r(&b->seed) % 2)
			publish(b); // twice in a row
		publish(b);
		add_quota(b->stable[0], 1);
		expect_all(b->stable[0], b->stable[1]);
		for (unsigned i = 0; i < 2; i++) {
			b->leaving[b->nb_leaving++] = b->stable[i];
			b->stable[i] = NULL;
		}
		publish(b);
		if (rand_r(&b->seed) % 2 || b->nb_leaving > 500)
			settle(b);
	}
	bench_free(b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_adaptive),
		cmocka_unit_test(test_busy),
		cmocka_unit_test(test_sleeping_workers_notice_ports),
	};
	char *eal[] = {"test", "--no-huge", "--no-shconf", "-m", "64", "--no-pci", "--no-telemetry",
		"--log-level=error"};
	cpu_set_t cpus;
	int failed;

	// DPDK pins the calling thread to one CPU, where a worker will be.
	sched_getaffinity(0, sizeof(cpus), &cpus);
	if (rte_eal_init(RTE_DIM(eal), eal) < 0)
		return 1;
	sched_setaffinity(0, sizeof(cpus), &cpus);
	rx_pool = rte_pktmbuf_pool_create_by_ops(
		"rx", NB_MBUFS, 0, 0, 1024, SOCKET_ID_ANY, stack_ops.name);
	dp_pool = rte_pktmbuf_pool_create_by_ops(
		"dp", NB_MBUFS, 0, 0, 1024, SOCKET_ID_ANY, stack_ops.name);
	if (!rx_pool || !dp_pool)
		return 1;
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	rte_mempool_free(rx_pool);
	rte_mempool_free(dp_pool);
	return failed;
}
