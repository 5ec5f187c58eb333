# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=bash
# For tests of names: real clients in containers, and servers above that err (tests/dns). To be
# sourced after cluster.sh.

DNS=$TOP/tests/dns
RESOLVER=127.0.0.11

# /etc of our own: resolv.conf of the hosts and of containers, which go with the test.
own_etc() {
	cp -a /etc "$T/etc"
	mount --bind "$T/etc" /etc
	mkdir -p /etc/netns
	echo 'hosts: files dns' >/etc/nsswitch.conf
	host_resolv_conf
}

# host_resolv_conf [LINE…]: what the hosts have from now on; none: no server at all.
host_resolv_conf() {
	{ (($# == 0)) || printf '%s\n' "$@"; } >"$T/resolv.conf.new"
	mv "$T/resolv.conf.new" /etc/resolv.conf
}

# ---- clients ----

# ask CONTAINER NAME TYPE [dig option…]: the data of what is answered, each record on a line; nothing
# when there is no answer.
ask() {
	in_ns "$1" dig +short +tries=1 +time=3 "@$RESOLVER" -q "$2" -t "${@:3}" | sed '/^;/d' || true
}

# asks_sorted CONTAINER NAME TYPE [dig option…]: the same, in one line.
asks_sorted() {
	ask "$@" | sort | xargs
}

# rcode CONTAINER NAME TYPE [dig option…]: such as NXDOMAIN; "none" when nothing is answered.
rcode() {
	local words
	words=$(in_ns "$1" dig +tries=1 +time=3 "@$RESOLVER" -q "$2" -t "${@:3}" |
		sed -n 's/.*status: \([A-Z]*\),.*/\1/p') || true
	echo "${words:-none}"
}

# is_answered WORDS CONTAINER NAME TYPE [dig option…]: for wait_until; WORDS are sorted addresses, or
# an rcode.
is_answered() {
	local want=$1
	shift
	if [[ $want =~ ^[A-Z]+$ ]]; then [[ $(rcode "$@") == "$want" ]]; else [[ $(asks_sorted "$@") == "$want" ]]; fi
}

# answered WORDS CONTAINER NAME TYPE [dig option…]: so it is, now.
answered() {
	is_answered "$@" || fail "$2 asks for ${*:3}: not '$1' but '$(asks_sorted "${@:2}")'" \
		"($(rcode "${@:2}"))"
}

# answered_soon SECONDS WORDS CONTAINER NAME TYPE…: on another host.
answered_soon() {
	wait_until "$1" is_answered "${@:2}" || answered "${@:2}"
}

# silent CONTAINER NAME TYPE [dig option…]: the question is sent, and nobody answers.
silent() {
	local status=0
	in_ns "$1" dig +tries=1 +time=1 "@$RESOLVER" -q "$2" -t "${@:3}" >"$T/silent" 2>&1 || status=$?
	((status == 9)) || fail "dig in $1 of $RESOLVER ends with $status, not 9: $(<"$T/silent")"
}

# named HOST [NETWORK]: `vsctl dns ls` as lines "NETWORK NAME ADDRESS,… HOST SUSPENDED".
named() {
	on "$1" --json dns ls "${@:2}" | jq -r '.. | objects | select(has("addresses") and has("name")) |
		"\(.network) \(.name) \(.addresses | join(",")) \(.host) \(.suspended)"'
}

# ---- servers above, in the namespace `up`: number N has the address 10.1.0.N ----

# upstream N [MODE [ZONE]]
upstream() {
	[[ -e /run/netns/up ]] || host up 200
	ip -n up address replace "10.1.0.$1/24" dev u0
	mkdir -p "$T/up"
	rm -f "$T/up/$1.ready"
	nsenter --net=/run/netns/up "$PYTHON" "$DNS/fake_upstream.py" --mode "${2:-normal}" \
		${3:+--zone "$3"} --control "$T/up/$1.mode" --ready "$T/up/$1.ready" "10.1.0.$1" \
		>>"$T/up/$1.log" 2>&1 &
	printf -v "upstream_$1" %s "$!"
	wait_until 30 test -e "$T/up/$1.ready" || fail "the server above does not start: $(<"$T/up/$1.log")"
}

# upstream_mode N MODE [ARGUMENT]: from now on.
upstream_mode() {
	upstream_asks "$1" "$(printf '%s.' "${@:2}")mode" | has "mode=$2" || fail "no mode ${*:2}"
}

# upstream_counts N [NAME]: how many questions have come, all in all or for the name.
upstream_counts() {
	upstream_asks "$1" "${2:+$2.}stats" | tr -d '"' | tr ' ' '\n' |
		awk -F = '$1 ~ /^(count|udp|tcp|probes)$/ { n += $1 == "probes" ? -$2 : $2 } END { print n + 0 }'
}

upstream_reset() {
	upstream_asks "$1" reset.stats >/dev/null
}

# upstream_asks N NAME: a question of type TXT that does not count.
upstream_asks() {
	in_ns up dig +short +tries=2 +time=1 "@10.1.0.$1" -q "$2" -t TXT
}

upstream_stop() {
	local pid=upstream_$1
	kill -TERM "${!pid}"
	wait "${!pid}" 2>/dev/null || true
}
