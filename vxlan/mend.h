// SPDX-License-Identifier: BSD-3-Clause
// Frames of a VXLAN device on this very machine. Over virtual links the kernel passes them on
// unfinished: the inner checksum not filled, a large TCP segment not cut. A UDP socket yields them
// like that and does not tell. Pure function; any worker.
#pragma once

#include <rte_mbuf.h>

// Looks whether the TCP or UDP checksum of `m`, just received and whole in one buffer, is still the
// sum of the pseudo header, and then sets the flags that say so (dp/dp_port.h). (A finished
// frame may have that very sum by chance: then it is what finishing makes of it again.) An
// unfinished TCP segment of more than `mtu` bytes is one to be cut so that it fits.
void mend(struct rte_mbuf *m, uint16_t mtu);
