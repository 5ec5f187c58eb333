// SPDX-License-Identifier: BSD-3-Clause
// What anybody can send to a tunnel endpoint: a datagram is refused, or becomes a network and a
// frame inside it, whose flow has a source port. Nothing behind its end is read. (A copy in memory
// of just its size, so that a sanitizer sees it.)
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "vxlan/codec.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void demand(bool condition)
{
	if (!condition)
		abort();
}

static void check(uint8_t *datagram, uint32_t len_bytes)
{
	uint8_t *frame = datagram + VXLAN_HDR_BYTES;
	uint32_t vni = UINT32_MAX, again, hash;

	if (!vxlan_read(datagram, len_bytes, &vni)) {
		demand(vni == UINT32_MAX);
		return;
	}
	demand(vni <= VXLAN_VNI_MAX && len_bytes >= VXLAN_HDR_BYTES + VXLAN_FRAME_MIN);
	hash = vxlan_flow_hash(frame, len_bytes - VXLAN_HDR_BYTES);
	demand(vxlan_src_port(hash) >= VXLAN_SRC_PORT_MIN);
	vxlan_write(datagram, vni);
	demand(vxlan_read(datagram, len_bytes, &again) && again == vni);
	demand(vxlan_flow_hash(frame, len_bytes - VXLAN_HDR_BYTES) == hash);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t *copy = malloc(size ? size : 1);

	demand(copy != NULL);
	memcpy(copy, data, size);
	check(copy, size);
	free(copy);
	return 0;
}
