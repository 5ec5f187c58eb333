#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Two switches joined by vhost-user and virtio-user, as a switch and a guest are: from ordinary
# memory, which can be shared too, and from hugepages where there are some.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/wire.sh"

for hugepages in off auto; do
	two_switches "hugepages: $hugepages"
	wire A "net_vhost0,iface=$T/vhost" mtu=9000
	wire B "net_virtio_user0,path=$T/vhost" mtu=9000
	try_wire
	try_jumbo
	take_wire
	grep -q 'on hugepages' "$T/B/log" && note "from hugepages, too"
	clean_up
done
