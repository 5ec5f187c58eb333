// SPDX-License-Identifier: BSD-3-Clause
// The interface of a network's gateway in the host's own namespace: its addresses, and that the
// kernel takes it for nothing more than it is. Main thread only.
#pragma once

#include "base/err.h"
#include "netd/record/record.h"

// Sets up the interface `ifname` with the gateway addresses of the network, and takes others off
// it. -ENODEV: it is not there. -EEXIST: the host uses a subnet of the network for something else
// (`err` says what); it was given none.
int gateway_configure(const char *ifname, const struct network_record *net, struct err *err);
