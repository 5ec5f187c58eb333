// SPDX-License-Identifier: BSD-3-Clause
#include "tests/fuzz/frames.h"

#include <stdlib.h>
#include <string.h>

#include <rte_eal.h>

struct outside {
	struct rte_mbuf_ext_shared_info info;
	uint8_t bytes[];
};

void demand(bool condition)
{
	if (!condition)
		abort();
}

struct rte_mempool *pool_of(unsigned nb_mbufs)
{
	char *eal[] = {"fuzz", "--no-huge", "--no-shconf", "--no-telemetry", "-m", "64", "--no-pci",
		"--log-level=error"};
	struct rte_mempool *pool;

	demand(rte_eal_init(RTE_DIM(eal), eal) >= 0);
	pool = rte_pktmbuf_pool_create(
		"pool", nb_mbufs, 0, 0, RTE_MBUF_DEFAULT_BUF_SIZE, SOCKET_ID_ANY);
	demand(pool != NULL);
	return pool;
}

static void free_outside(void *addr, void *opaque)
{
	free(opaque);
}

struct rte_mbuf *outside(struct rte_mempool *pool, const uint8_t *bytes, uint16_t len)
{
	struct outside *o = malloc(sizeof(*o) + len);
	struct rte_mbuf *m = rte_pktmbuf_alloc(pool);

	demand(o && m);
	o->info.free_cb = free_outside;
	o->info.fcb_opaque = o;
	rte_mbuf_ext_refcnt_set(&o->info, 1);
	memcpy(o->bytes, bytes, len);
	rte_pktmbuf_attach_extbuf(m, o->bytes, (uintptr_t)o->bytes, len, &o->info);
	m->data_off = 0;
	m->data_len = m->pkt_len = len;
	return m;
}
