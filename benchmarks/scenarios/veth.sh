# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=bash
# TCP and ping between two containers on veth pairs.
compare_containers veth causeway ovs-tso linux-bridge
