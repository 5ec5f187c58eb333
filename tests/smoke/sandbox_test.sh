#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# What the daemons do at their work is what the sandboxes of their units allow: each call that they make is
# held against the directives. There is no service manager here; a program that does what a directive
# refuses must be told.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/agent.sh"
command -v strace >/dev/null || skip 'strace is not installed'
command -v systemd-analyze >/dev/null || skip 'systemd-analyze is not installed'

# A tracer that is no parent: signals reach the daemon.
traced() {
	strace -D -f -s 16 -o "$T/$1.trace" "${@:2}"
}
# allowed UNIT TRACE
allowed() {
	"$PYTHON" "$SMOKE/sandbox.py" "$BUILD/dist/$1.service" "$T/$2.trace" "$T/sw" "$T/net" "$T/no" /etc/netns >"$T/$2.refused"
}

SWITCH_WRAP=(strace -D -f -s 16 -o "$T/switch.trace")
start_switch
SWITCH_WRAP=()
cat >"$T/traced" <<END
#!/bin/bash
exec strace -D -f -s 16 -o "$T/agent.trace" "$VSNETD" "\$@"
END
chmod 755 "$T/traced"
VSNETD=$T/traced
echo 'host: h1' >"$T/net.yaml"
agent
container c1 c2 c3 c4
vsctl add-br br0
plug c1 10.0.0.1/24,fd00::1/64
vsctl add-port br0 c2 type=veth netns=c2 ifname=eth0 ip=10.0.0.2/24
vsctl add-port br0 n0 type=dpdk devargs=net_null0,no-rx=1
vsctl add-vtep te0 udp-port=4790
vsctl vni add br0 42 vtep=te0 remote=192.0.2.2
reaches c1 10.0.0.2
vsctl set-port c1 mtu=1400
vsctl network create -d overlay --subnet 10.9.0.0/24 --ipv6 front >/dev/null
vsctl network connect front c3
vsctl network connect front c4 -o port=veth
wait_until 30 in_ns c3 getent hosts c4 || fail "no names: $(vsctl agent show)"
vsctl log debug
vsctl agent audit >/dev/null
vsctl network disconnect front c3
vsctl worker perf 0.2 >/dev/null
vsctl del-port c2
agent_stop
switch_stop || fail "status $?"
SWITCH_PID=
for what in vswitchd:switch vsnetd:agent; do
	allowed "${what%:*}" "${what#*:}" || fail "the sandbox of ${what%:*} would refuse: $(<"$T/${what#*:}.refused")"
	calls=$(sed -n 's/^calls //p' "$T/${what#*:}.refused")
	((calls > 300)) || fail "only $calls calls of ${what%:*} were seen"
	note "$what: $calls calls"
done

# refuses DIRECTIVE PYTHON: a program that does this is told.
refuses() {
	traced bad "$PYTHON" -c "$2" >/dev/null 2>&1 || true
	wait_until 10 grep -q exit_group "$T/bad.trace" || fail "no trace of: $2"
	! allowed vswitchd bad || fail "nothing is refused of: $2"
	grep -q "^$1:" "$T/bad.refused" || fail "no $1 for '$2': $(<"$T/bad.refused")"
}
refuses SystemCallFilter 'import os; os.setuid(0)'
refuses RestrictAddressFamilies 'import socket; socket.socket(socket.AF_VSOCK, socket.SOCK_STREAM)'
refuses RestrictNamespaces 'import ctypes; ctypes.CDLL(None).unshare(0x04000000)'
refuses MemoryDenyWriteExecute 'import mmap; mmap.mmap(-1, 4096, prot=7)'
refuses RestrictRealtime 'import os; os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1))'
refuses DeviceAllow 'open("/dev/kmsg", "rb")'
refuses ProtectSystem 'open("/run/netns/x", "w")'
refuses ProtectKernelTunables 'open("/proc/sys/net/ipv4/ip_forward", "r+")'
