#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# The conformance suite against one ZooKeeper: all cases, also with the server stopped, hanging and
# wiped.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/zookeeper.sh"

zookeeper_control one 2181
"$T/one/control" start || fail 'zookeeper does not start'
zookeeper_conformance all --timeout 1500 --control "$T/one/control" \
	zookeeper://127.0.0.1:2181/test/of/it
# Without a folder, all keys of the store are meant.
zookeeper_conformance bare zookeeper://127.0.0.1:2181 simple list watch-full watch-nothing
# Nodes of a user are for nobody else.
zookeeper_conformance user --user u --password p zookeeper://127.0.0.1:2181/private simple txn list
if "$CONFORMANCE" zookeeper://127.0.0.1:2181/private simple >"$T/refused" 2>&1; then
	fail 'nodes of a user are for anybody'
fi
grep -qiE 'permission|auth' "$T/refused" || fail "no reason: $(<"$T/refused")"
"$T/one/control" stop
