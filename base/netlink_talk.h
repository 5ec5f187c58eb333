// SPDX-License-Identifier: BSD-3-Clause
// The inside of netlink.h, shared by its files only.
#pragma once

#include <libmnl/libmnl.h>
#include <stdint.h>

#define NL_BUFFER_BYTES 8192 // what libmnl uses at most; its own macro asks the system

struct nl;

// Begins a request in `buf`, of NL_BUFFER_BYTES.
struct nlmsghdr *nl_begin(struct nl *nl, char *buf, uint16_t type, uint16_t flags);

// Sends it and runs `fn` (or NULL) over the answer until its end.
int nl_talk(struct nl *nl, struct nlmsghdr *msg, mnl_cb_t fn, void *arg);
