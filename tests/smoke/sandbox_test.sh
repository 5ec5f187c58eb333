#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# What the daemons do at their work is what the sandboxes of their units allow. There is no service manager
# here: each call that they make is held against the directives, and they work as the services' user with the
# filters that the directives ask for. A program that does what a directive refuses must be told, and stopped.
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

# work: what a day brings, from the start to the end of both daemons
work() {
	start_switch
	SWITCH_WRAP=()
	agent
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
	vsctl agent audit >"$T/audit" || fail "audit: $(<"$T/audit")"
	vsctl network disconnect front c3
	vsctl network disconnect front c4
	vsctl network rm front >/dev/null
	vsctl worker perf 0.2 >/dev/null
	vsctl del-br br0
	vsctl del-vtep te0
	agent_stop
	switch_stop || fail "status $?"
	SWITCH_PID=
}

# ---- traced ----

container c1 c2 c3 c4
SWITCH_WRAP=(strace -D -f -s 16 -o "$T/switch.trace")
cat >"$T/traced" <<END
#!/bin/bash
exec strace -D -f -s 16 -o "$T/agent.trace" "$VSNETD" "\$@"
END
chmod 755 "$T/traced"
install -m 755 "$VSWITCHD" "$T/vswitchd"
install -m 755 "$VSNETD" "$T/vsnetd"
VSNETD=$T/traced
echo 'host: h1' >"$T/net.yaml"
work
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

# ---- filtered ----

[[ $(uname -m) == x86_64 ]] || exit 0
# as_service UNIT COMMAND…: as its user, with its capabilities and filters.
cat >"$T/as-service" <<END
#!/bin/bash
unit=$BUILD/dist/\$1.service
caps=\$(sed -n 's/^AmbientCapabilities=//p' "\$unit" | tr A-Z a-z | sed 's/cap_/+/g; s/ /,/g')
exec setpriv --reuid=65534 --regid=65534 --clear-groups --bounding-set=-all,\$caps --inh-caps=-all,\$caps \
	--ambient-caps=-all,\$caps "$PYTHON" "$SMOKE/seccomp.py" "\$unit" "\${@:2}"
END
printf '#!/bin/bash\nexec "%s" vsnetd "%s" "$@"\n' "$T/as-service" "$T/vsnetd" >"$T/vsnetd-as-service"
chmod 755 "$T/as-service" "$T/vsnetd-as-service"
for why in 'os.setuid(65534)' 'socket.socket(socket.AF_VSOCK, socket.SOCK_STREAM)' 'mmap.mmap(-1, 4096, prot=7)' \
	'assert ctypes.CDLL(None).unshare(0x20000) == 0, "not permitted"'; do
	"$PYTHON" -c "import ctypes, mmap, os, socket; $why" || fail "fails without the filters: $why"
	! "$T/as-service" vswitchd "$PYTHON" -c "import ctypes, mmap, os, socket; $why" 2>"$T/err" || fail "not stopped: $why"
	grep -qE 'not permitted|not supported|denied|Invalid argument' "$T/err" || fail "$why: $(<"$T/err")"
done
rm -rf "$T/sw" "$T/net"
mkdir -p "$T/sw/run" "$T/sw/state" "$T/net"
chown -R nobody "$T/sw" "$T/net"
VSWITCHD=$T/vswitchd
VSNETD=$T/vsnetd-as-service
SWITCH_WRAP=("$T/as-service" vswitchd)
work
