#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# What is installed, and what stays when it is installed again; root's runs by hand and the services'
# user take turns in the same folders.
. "$(dirname "$0")/lib.sh"

# ---- meson install ----

install_into() {
	DESTDIR=$1 meson install -C "$BUILD" --no-rebuild >"$T/install" 2>&1 || fail "meson install: $(<"$T/install")"
}
install_into "$T/root"
for daemon in vswitchd vsnetd; do
	conf=$T/root/etc/causeway/$daemon.yaml unit=$T/root/usr/local/lib/systemd/system/$daemon.service
	[[ -f $conf ]] || fail "no $conf: $(find "$T/root" -name '*.yaml')"
	grep -q "^ExecStart=.* -c /etc/causeway/$daemon.yaml " "$unit" || fail "$unit reads: $(grep ExecStart "$unit")"
	cmp "$conf" "$T/root/usr/local/share/doc/causeway/$daemon.yaml" || fail "another $daemon.yaml in the documentation"
done
"$T/root/usr/local/bin/vswitchd" --check --config "$T/root/etc/causeway/vswitchd.yaml" || fail "vswitchd.yaml as installed"
"$T/root/usr/local/bin/vsnetd" --check --config "$T/root/etc/causeway/vsnetd.yaml" || fail "vsnetd.yaml as installed"
echo 'cluster-store: etcd://10.0.0.1:2379' >"$T/root/etc/causeway/vsnetd.yaml"
rm "$T/root/etc/causeway/vswitchd.yaml"
install_into "$T/root"
is "vsnetd.yaml after another install" "$(<"$T/root/etc/causeway/vsnetd.yaml")" 'cluster-store: etcd://10.0.0.1:2379'
[[ -f $T/root/etc/causeway/vswitchd.yaml ]] || fail "vswitchd.yaml does not come back"

# /etc/netns stands in for /etc: it is root's, and so is what is written there.
grep -qx 'd /etc/netns 0755 root root' "$T/root/usr/local/lib/tmpfiles.d/causeway.conf" ||
	fail "/etc/netns: $(cat "$T"/root/usr/local/lib/tmpfiles.d/*)"

# ---- root, and the services' user ----

caps=+net_admin,+sys_admin,+net_raw
as_user=(setpriv --reuid=65534 --regid=65534 --clear-groups "--inh-caps=-all,$caps" "--ambient-caps=-all,$caps")
install -m 755 "$VSWITCHD" "$T/vswitchd"
VSWITCHD=$T/vswitchd
# As the package makes them.
mkdir -p "$T/sw/run" "$T/sw/state"
chown 65534:65534 "$T/sw" "$T/sw/run" "$T/sw/state"
start_switch # by hand, as root
vsctl add-br br0
switch_stop || fail "root's run: status $?"
SWITCH_WRAP=("${as_user[@]}")
start_switch # the service
is "the user" "$(awk '/^Uid:/ { print $2 }' "/proc/$SWITCH_PID/status")" 65534
is "bridges" "$(vsctl --json list-br | jq -r '.bridges[].name')" br0
vsctl add-br br1
switch_stop || fail "the service: status $?"
SWITCH_WRAP=()
start_switch
vsctl del-br br1
kill -KILL "$SWITCH_PID" # and its sockets stay
wait "$SWITCH_PID" || true
SWITCH_WRAP=("${as_user[@]}")
start_switch
is "bridges" "$(vsctl --json list-br | jq -r '.bridges[].name')" br0
switch_stop || fail "the service: status $?"
SWITCH_PID=
others=$(find "$T/sw/run" "$T/sw/state" ! -user nobody)
[[ -z $others ]] || fail "not the service's: $others"

# A folder that root made is root's, and what is in the way is told with the remedy.
chmod 777 "$T/sw/run"
chown 0:0 "$T/sw/run" "$T/sw/run/vswitchd.lock"
refused "lock file belongs to user root, who ran vswitchd here before; .* chown -R nobody $T/sw/run" \
	"${as_user[@]}" "$VSWITCHD" --run-dir "$T/sw/run" --state-dir "$T/sw/state"

# ---- vsnetd as its service: what it writes to /etc/netns is root's ----

. "$(dirname "$0")/agent.sh"
chown -R nobody "$T/sw/run"
SWITCH_WRAP=()
start_switch
caps=+net_admin,+net_bind_service,+sys_admin,+sys_ptrace,+dac_override,+chown
install -m 755 "$VSNETD" "$T/vsnetd"
echo 'host: h1' >"$T/net.yaml"
# With the mounts of its sandbox, too: all but these is read-only, and so is /proc/sys but for net.
cat >"$T/vsnetd-as-user" <<END
#!/bin/bash
[[ -n \${SANDBOX:-} ]] || SANDBOX=1 exec unshare --mount --propagation slave "\$0" "\$@"
mount -o remount,bind,ro /
mount --bind /proc/sys /proc/sys
mount --bind /proc/sys/net /proc/sys/net
mount -o remount,bind,ro /proc/sys
umask 0077
exec setpriv --reuid=65534 --regid=65534 --clear-groups --bounding-set=-all,$caps --inh-caps=-all,$caps \
	--ambient-caps=-all,$caps --no-new-privs "$T/vsnetd" "\$@"
END
chmod 755 "$T/vsnetd-as-user"
mkdir -p "$T/net"
chown nobody "$T/net" "$T/sw/run" "$T/sw"
VSNETD=$T/vsnetd-as-user
container c0 # from the first one on, /run/netns is shared with other mount namespaces
agent
container c1
vsctl network create front >/dev/null
vsctl network connect front c1
nsenter --target "$AGENT" --mount touch /root/x /proc/sys/kernel/x 2>"$T/err" && fail "the sandbox is none"
grep -q 'Read-only' "$T/err" || fail "the sandbox is none: $(<"$T/err")"
wait_until 30 grep -qx 'nameserver 127.0.0.11' /etc/netns/c1/resolv.conf || fail "no resolv.conf: $(vsctl agent show)"
others=$(find /etc/netns ! -user root)
[[ -z $others ]] || fail "not root's in /etc/netns: $others"
is "resolv.conf, which all of the container read" "$(stat -c %a /etc/netns/c1 /etc/netns/c1/resolv.conf | xargs)" '755 644'
in_ns c1 getent hosts c1 >"$T/out" || fail "c1 does not find its own name: $(cat /etc/netns/c1/resolv.conf)"
vsctl agent show >"$T/out"
! grep -qi 'read-only\|problem' "$T/out" || fail "not well in the sandbox: $(<"$T/out")"
vsctl network disconnect front c1
wait_until 30 test ! -e /etc/netns/c1 || fail "left behind: $(ls -A /etc/netns)"
agent_stop
