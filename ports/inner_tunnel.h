// SPDX-License-Identifier: BSD-3-Clause
// Large segments inside a tunnel. A container with a tunnel of its own (VXLAN, Geneve, GRE, IP in
// IP) on a veth hands over TCP packets of 64 KiB in it, to be cut by whoever takes them: the
// kernel's veth says that it can. The virtio-net header then speaks of the packet inside, which no
// flags of an mbuf describe together with the headers outside. So they are cut when they are
// received. Pure functions, any thread.
#pragma once

#include <linux/virtio_net.h>
#include <stdint.h>

#include <rte_mbuf.h>
#include <rte_mempool.h>

// Cuts `m`, which vnet_hdr_to_mbuf() refused, into packets made of buffers of `pool`, complete with
// all checksums, inside and outside. Leaves `m` as it is. Returns their number, or -EINVAL when it
// is no such segment (a tunnel in a tunnel is none either), -EMSGSIZE (more than `room`), -ENOMEM.
int tunnel_cut(const struct virtio_net_hdr *hdr, struct rte_mbuf *m, struct rte_mempool *pool,
	struct rte_mbuf **out, uint16_t room);
