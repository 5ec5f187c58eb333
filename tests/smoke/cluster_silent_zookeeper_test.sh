#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# As cluster_silent_test.sh, on ZooKeeper.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/cluster.sh"
. "$(dirname "$0")/zookeeper.sh"
. "$(dirname "$0")/silent.sh"

lan
host store 100
# shellcheck disable=SC2034
ZOOKEEPER_ADDRESS=10.1.0.100
zookeeper_control zk 2181
in_ns store "$T/zk/control" start || fail 'zookeeper does not start'
STORE_URL=zookeeper://10.1.0.100:2181/causeway
silent_hosts
"$T/zk/control" stop
