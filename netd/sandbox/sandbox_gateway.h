// SPDX-License-Identifier: BSD-3-Clause
// The interface of a network's gateway in the host's own namespace: its addresses, and that the
// kernel takes it for nothing more than it is. Main thread only.
#pragma once

#include "base/err.h"
#include "netd/record/record.h"
#include "netd/sandbox/sandbox.h"

// Sets up the interface `ifname` with the gateway addresses of the network, and takes others off
// it. -ENODEV: it is not there. -EEXIST: the host uses a subnet of the network for something else
// (`err` says what); it was given none. When a switch below /proc/sys/net that keeps it tame cannot
// be set, the interface is down.
int gateway_configure(const char *ifname, const struct network_record *net, struct err *err);

// Tells which of those switches somebody has changed.
void gateway_look(
	const char *ifname, const struct network_record *net, sandbox_look_fn *fn, void *arg);
