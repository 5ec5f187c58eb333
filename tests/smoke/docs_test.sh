#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Each line of shell in the README, the guides and the manual pages is run, in its order, as a reader would:
# each page on a machine of its own. Examples of configurations are given to --check.
#   docs_test.sh [PAGE…]
set -euo pipefail
TOP=$(cd "$(dirname "$0")/../.." && pwd)

# What a test cannot run, by how it begins, and why not.
exempt=(
	'scripts/setup|installs packages; the build is there'
	'scripts/demo|installs packages; demo_cluster_test.sh runs the longer one'
	'scripts/test|runs all tests, and so this one'
	'scripts/lint|a step of scripts/test'
	'benchmarks/run|measures for minutes; scripts/test bench runs each scenario once'
	'benchmarks/compare|needs two results of benchmarks/run'
	'sudo vsctl add-port br0 wire type=dpdk devargs=0000:03:00.0|a real NIC'
	'sudo vsctl add-vtep te0 underlay=port type=dpdk devargs=0000:03:00.0|a real NIC'
	'sudo vsctl vni add br0 43 vtep=te0|the VTEP on that NIC'
	'journalctl|there is no journal; log_test.sh reads what goes there'
)
# What runs until Ctrl-C.
endless=('vsctl stats --watch' 'vsctl monitor')

# lines_of PAGE: "PROMPT<tab>COMMAND", and "yaml<tab>FIRST-LINE…" with its lines joined by \x01. The prompt is
# the host of "a# ", else "-".
lines_of() {
	local man=
	[[ $1 != *.scd ]] || man=1
	awk -v man="$man" '
		function flush_yaml() { if (yaml != "") print "yaml\t" yaml; yaml = "" }
		function command(prompt, line) {
			if (held != "") line = held line
			held = ""
			if (line ~ /\\$/) { sub(/ *\\$/, " ", line); held = line; return }
			sub(/^ */, "", line)
			if (line != "" && line !~ /^#/) print prompt "\t" line
		}
		man && /^# / { on = $0 == "# EXAMPLES" }
		man && on && /^$/ { flush_yaml(); block = "" }
		man && on && (/^\t/ || block != "") {
			line = $0; sub(/^\t/, "", line); sub(/\+\+$/, "", line)
			if (block == "") block = line ~ /^[a-z-]+: / ? "yaml" : "sh"
			if (block == "yaml") yaml = yaml line "\001"; else command("-", line)
		}
		!man && /^ *```/ {
			flush_yaml()
			block = block == "" ? substr($0, index($0, "```") + 3) : ""
			if (block == "" && $0 !~ /^ *```$/) { print "-\tfalse # unclear fence: " $0 }
			next
		}
		!man && block == "sh" { command("-", $0) }
		!man && block == "yaml" { yaml = yaml $0 "\001" }
		!man && block == "console" && /^[a-z]# / { command(substr($0, 1, 1), substr($0, 4)) }
		!man && block == "console" && /^[#$] / { command("-", substr($0, 3)) }
		!man && block == "" && /^    / && last == "" { print "-\tfalse # code without a fence: " $0 }
		{ last = $0 }
		END { flush_yaml() }' "$TOP/$1"
}

# begins LINE PREFIX
begins() {
	[[ ${1:0:${#2}} == "$2" ]]
}

pages=(README.md CONTRIBUTING.md docs/guide-{measuring,names,networks,operating,ports,tunnels,vlans}.md
	docs/vsctl.1.scd docs/vsnetd.8.scd docs/vswitchd.8.scd)
if [[ -z ${CAUSEWAY_PRIVATE:-} ]] && (($# != 1)); then
	(($# > 1)) || set -- "${pages[@]}"
	mapfile -t guides < <(cd "$TOP" && ls docs/guide-*.md)
	for page in "${guides[@]}"; do
		[[ " ${pages[*]} " == *" $page "* ]] || { echo "FAILED: $page is not tried" && exit 1; }
	done
	all=$(for page in "${pages[@]}"; do lines_of "$page" | cut -f2-; done)
	for entry in "${exempt[@]}"; do
		grep -qF -- "${entry%%|*}" <<<"$all" || { echo "FAILED: nothing is exempt as ${entry%%|*}" && exit 1; }
	done
	status=0
	for page; do
		"$0" "$page" || status=1
	done
	exit "$status"
fi

. "$(dirname "$0")/lib.sh"
. "$TOP/scripts/hosts.sh"
PAGE=$1
lines_of "$PAGE" >"$T/lines"
[[ -s $T/lines || $PAGE == docs/vswitchd.8.scd ]] || fail "$PAGE has no line of shell"

# ---- the machine ----

mkdir -p "$T/etc" "$T/bin" "$T/work"
cp -a /etc "$T"
mount --bind "$T/etc" /etc
mount -t tmpfs none /run
mount -t tmpfs none /var/lib
mkdir -p /run/netns /etc/netns
ip link add eth1 type veth peer name eth1-peer
ip link set eth1 up
ip address add 10.0.0.77/24 dev eth1
PATH=$T/bin:$T/root/usr/local/bin:$PATH
unset -f vsctl
UNITS=$T/root/usr/local/lib

# tool NAME: a command of that name, from standard input.
tool() {
	(echo '#!/bin/bash' && echo "T=$T UNITS=$UNITS BUILD=$BUILD" && cat) >"$T/bin/$1"
	chmod 755 "$T/bin/$1"
}
tool sudo <<'END'
exec "$@"
END
# The build may be elsewhere, and /usr/local is the machine's own.
tool meson <<'END'
[[ "$*" == "install -C build" ]] || exit 1
DESTDIR=$T/root /usr/bin/env PATH="${PATH#*:}" meson install -C "$BUILD" --no-rebuild && cp -a "$T/root/etc/causeway" /etc/
END
# systemd's own would work on the whole machine: these do what the files say that were installed.
tool systemd-sysusers <<'END'
read -r kind user _ <"$UNITS/sysusers.d/$1" || true
read -r kind user _ < <(grep -v '^#' "$UNITS/sysusers.d/$1")
[[ $kind == u ]] && echo "$user:x:990:990::/:/usr/sbin/nologin" >>/etc/passwd && echo "$user:x:990:" >>/etc/group
END
tool systemd-tmpfiles <<'END'
[[ $1 == --create ]] || exit 1
while read -r kind path mode user group _; do
	case $kind in
	d) mkdir -p "$path" && chmod "$mode" "$path" && chown "$user:$group" "$path" ;;
	Z) chown -R "$user:$group" "$path" ;;
	\#* | '') ;;
	*) exit 1 ;;
	esac || exit 1
done <"$UNITS/tmpfiles.d/$2"
END
tool systemctl <<'END'
[[ $1 != daemon-reload ]] || exit 0
[[ "$1 $2" == "enable --now" ]] || exit 1
shift 2
for unit; do
	file=$UNITS/systemd/system/$unit.service
	value() { sed -n "s/^$1=//p" "$file"; }
	state=/var/lib/$(value StateDirectory) user=$(value User)
	mkdir -p "$state" && chown -R "$user" "$state"
	caps=$(value AmbientCapabilities | tr A-Z a-z | sed 's/cap_/+/g; s/ /,/g')
	(
		umask "$(value UMask)"
		eval "exec setpriv --reuid=$user --regid=$user --init-groups --no-new-privs --bounding-set=-all,$caps \
			--inh-caps=-all,$caps --ambient-caps=-all,$caps $T/root/usr/local/bin/$(value ExecStart | sed 's|^.*/bin/||')"
	) >"$T/$unit.log" 2>&1 </dev/null &
	for i in {1..600}; do
		case $unit in
		vswitchd) vsctl status ;;
		*) vsctl agent show ;;
		esac >/dev/null 2>&1 && continue 2
		sleep 0.05
	done
	cat "$T/$unit.log" >&2
	exit 1
done
END
# A container is a process with namespaces of its own.
tool docker <<'END'
[[ $1 == inspect ]] || exit 1
unshare --net --mount sleep 1000 >/dev/null 2>&1 </dev/null &
echo $!
END

services() {
	meson install -C build && systemd-sysusers causeway.conf && systemd-tmpfiles --create causeway.conf &&
		systemctl enable --now "$@"
}

# host_ready NAME: two hosts and a store, for lines with a host's prompt.
host_ready() {
	[[ ! -d $T/$1 ]] || return 0
	lan
	store_start "$T/store" && node_start a 1 "$T/a" && node_start b 2 "$T/b"
	unset -f vsctl
}

# ---- the lines ----

is_exempt() {
	local entry
	for entry in "${exempt[@]}"; do
		! begins "$1" "${entry%%|*}" || return 0
	done
	return 1
}

is_endless() {
	local entry
	for entry in "${endless[@]}"; do
		! begins "$1" "$entry" || return 0
	done
	return 1
}

# check_yaml LINES: of the daemon that the page is about.
check_yaml() {
	local program=$VSNETD
	[[ $PAGE != *ports* ]] || program=$VSWITCHD
	tr '\001' '\n' <<<"$1" >"$T/example.yaml"
	"$program" --check --config "$T/example.yaml" --state-dir "$T/none" >"$T/said" 2>&1 || fail "$PAGE: an example is refused: $(<"$T/said")"
}

case $PAGE in
README.md | docs/guide-operating.md | CONTRIBUTING.md | docs/guide-measuring.md) ;;
docs/guide-tunnels.md) services vswitchd >"$T/said" 2>&1 || fail "the service: $(<"$T/said")" ;; # alone
*) services vswitchd vsnetd >"$T/said" 2>&1 || fail "the services: $(<"$T/said")" ;;
esac
[[ $PAGE != *.scd ]] || container c1 web
cd "$T/work"
count=0
while IFS=$'\t' read -r prompt line <&8; do
	status=0
	if [[ $prompt == yaml ]]; then
		check_yaml "$line"
	elif is_exempt "$line"; then
		continue
	elif is_endless "$line"; then
		timeout 2 bash -c "$line" >"$T/said" 2>&1 || status=$?
		((status == 124)) || fail "$PAGE: '$line' ends with $status: $(<"$T/said")"
	else
		if [[ $prompt == [a-z] ]]; then
			host_ready "$prompt" >"$T/said" 2>&1 || fail "no host $prompt: $(<"$T/said")"
			export CAUSEWAY_RUN_DIR=$T/$prompt/run
		fi
		eval "$line" >"$T/said" 2>&1 || status=$?
		((status == 0)) || fail "$PAGE: '$line' ends with $status: $(<"$T/said")"
	fi
	count=$((count + 1))
done 8<"$T/lines"
SWITCH_PID= # the services end with the machine
note "$PAGE: $count"
