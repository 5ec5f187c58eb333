#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# A host that only the store does not hear is not taken apart; one that is dead is; of one that nobody
# can tell of, somebody decides. The same on ZooKeeper: cluster_silent_zookeeper_test.sh.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/cluster.sh"
. "$(dirname "$0")/silent.sh"

lan
store_start "$T/store" || fail "etcd does not start"
silent_hosts
