// SPDX-License-Identifier: BSD-3-Clause
// Whether a network may be as somebody wants it: the one place where this is decided, whether a
// configuration file or a request wants it. Main thread only.
#pragma once

#include "netd/record/record.h"

// The bridge of a network in the switch is called RECONCILE_PREFIX and this name.
#define NETWORK_NAME_MAX 60 // bytes

// Checks the name, the driver, the subnets against each other, ranges, gateways, reserved
// addresses, options and labels. Normalizes the record: the driver if none is given, host bits of
// subnets, ranges that are not given, `ipv6` of a network with an IPv6 subnet, spellings of
// options, and what the driver reads from its options (the VNI). -EINVAL, with the first mistake;
// `err.path` is "network NAME".
int network_check(struct network_record *rec, struct err *err);

// The same, for all mistakes. `key` is the key in a configuration file: "subnets[0].gateway".
typedef void network_mistake_fn(void *arg, const char *key, const char *reason);
int network_check_all(struct network_record *rec, network_mistake_fn *fn, void *arg);
