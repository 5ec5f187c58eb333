// SPDX-License-Identifier: BSD-3-Clause
// Finding or making the DPDK device that a port names, and letting go of it. Main thread only,
// between dpdk_log_begin() and dpdk_log_end().
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "dp/port.h"

// Makes or finds the device of `port->conf.devargs` and takes its ethdev for this port alone. Of a
// device with several ethdevs (a NIC with two ports behind one address) it takes the one that has
// the port's MAC address, or the only one that is free.
int dpdk_probe(const struct port *port, uint16_t *ret_ethdev, struct err *err);

// Closes the ethdev, which was stopped, and removes the device with the last of its ethdevs.
void dpdk_release(const struct port *port, uint16_t ethdev);

// Drivers that crash when a device is closed whose queues could not be set up: net_pcap with
// infinite_rx frees its buffers in both.
bool dpdk_is_unsafe_to_close(uint16_t ethdev);

// Keeps the ethdev taken instead of closing it, until the process ends.
void dpdk_abandon(uint16_t ethdev);
bool dpdk_is_abandoned(uint16_t ethdev);
bool dpdk_has_abandoned(void); // then DPDK cannot be cleaned up, as that closes all

// Fills `err` with what failed and what DPDK said of it; returns `code`.
int dpdk_refused(const struct port *port, int code, const char *what, struct err *err);
