#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Datagrams larger than the MTU, fragmented by the sender, arrive whole; large UDP as well.
# sanitizers: yes
. "$(dirname "$0")/lib.sh"

two_containers
reaches c1 10.0.0.2 -s 30000
reaches c1 fd00::2 -s 30000
for address in 10.0.0.2 fd00::2; do
	datagrams_start c1 c2 "$address" 32000
	datagrams_stop 1000
done
