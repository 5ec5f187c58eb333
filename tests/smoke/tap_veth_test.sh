#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# A tap port and a veth port on one bridge, and no ethtool anywhere.
# sanitizers: yes
. "$(dirname "$0")/lib.sh"

start_switch
container c1 c2
vsctl add-br br0
plug c1 10.0.0.1/24,fd00::1/64
vsctl add-port br0 c2 type=veth netns=c2 ifname=eth0 ip=10.0.0.2/24,fd00::2/64
reaches c1 10.0.0.2
tcp c1 c2 10.0.0.2
tcp c1 c2 10.0.0.2 --reverse
tcp c1 c2 fd00::2
reaches c2 10.0.0.1 -s 20000
