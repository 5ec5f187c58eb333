// SPDX-License-Identifier: BSD-3-Clause
// The virtio-net header, as TAP devices and packet sockets carry it before each frame, to and from
// the flags of an mbuf (the contract is in dp/dp_port.h). Pure functions, any thread.
//
// Source: virtio 1.2, 5.1.6; linux/virtio_net.h; the kernel's include/linux/virtio_net.h. Fields
// are in the byte order of the machine (no TUNSETVNETLE).
#pragma once

#include <linux/virtio_net.h>
#include <stdint.h>

#include <rte_mbuf.h>

#define VNET_HDR_BYTES 10

#ifndef VIRTIO_NET_HDR_GSO_UDP_L4
#define VIRTIO_NET_HDR_GSO_UDP_L4 5 // UDP segmentation (USO), Linux 6.2
#endif

// For a header that says more than "a plain frame": see vnet_hdr_to_mbuf().
int vnet_hdr_parse(const struct virtio_net_hdr *hdr, struct rte_mbuf *m);

// Sets the flags and lengths of `m`, a fresh mbuf that holds the frame, from `hdr`. A checksum that
// the flags cannot describe (SCTP, or inside a tunnel) is filled at once. Nothing in `hdr` is
// believed that the frame does not confirm. Returns 0, or -EINVAL when the two contradict each
// other: the caller then drops the frame as rx_header.
static inline int vnet_hdr_to_mbuf(const struct virtio_net_hdr *hdr, struct rte_mbuf *m)
{
	if (hdr->flags == 0 && hdr->gso_type == VIRTIO_NET_HDR_GSO_NONE)
		return 0;
	return vnet_hdr_parse(hdr, m);
}

// Writes the header that hands the frame on to a kernel as the flags of `m` describe it.
void vnet_hdr_from_mbuf(const struct rte_mbuf *m, struct virtio_net_hdr *ret_hdr);
