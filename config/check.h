// SPDX-License-Identifier: BSD-3-Clause
// Checks of text values. Each returns NULL when the value will do, else a sentence on what is
// allowed.
#pragma once

// As the kernel checks the name of a device (dev_valid_name(), net/core/dev.c).
const char *check_ifname(const void *value);

// A name under /run/netns, an absolute path, or a process id.
const char *check_netns(const void *value);

// An address with its prefix length, "10.0.0.1/24" or "fd00::1/64".
const char *check_ip(const void *value);

// An address, or a prefix without bits behind it, that frames may be from: "10.0.0.5", "fd00::/64".
const char *check_source(const void *value);

// The name of a bridge or a port, see conf_name_check().
const char *check_name(const void *value);

// Any text but the empty one.
const char *check_devargs(const void *value);

// A struct mac that a device may have: not zero, not multicast.
const char *check_unicast(const void *value);

// A struct mac that a forwarding entry may have: not multicast.
const char *check_no_group(const void *value);

// A struct ip_addr that one host has: not any, multicast or broadcast, nor IPv4 written as IPv6.
const char *check_host(const void *value);

// The same, or any.
const char *check_host_or_any(const void *value);
