# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=bash
# TCP and ping between two containers on TAP: beside the bare forwarder, the limit of this way,
# and Open vSwitch with segments passed whole, the best peer.
compare_containers tap causeway causeway-busy tapfwd tapfwd-busy ovs-tso
