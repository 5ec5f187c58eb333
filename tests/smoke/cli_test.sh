#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# What vsctl and vswitchd say of themselves: help, suggestions for what is mistyped, completion,
# tables; and that the manual pages tell of all of it.
. "$(dirname "$0")/lib.sh"

# misused WORDS ARGUMENT…: status 2, and these words on standard error.
misused() {
	local words=$1 status=0
	shift
	vsctl "$@" >"$T/out" 2>"$T/err" || status=$?
	((status == 2)) || fail "status $status, not 2, from: vsctl $*"
	grep -qE -- "$words" "$T/err" || fail "no '$words' from vsctl $*: $(cat "$T/err")"
	[[ ! -s $T/out ]] || fail "vsctl $* prints: $(cat "$T/out")"
}
misused 'no verb'
misused "unknown verb 'frobnicate' " frobnicate
misused "did you mean 'add-port'" ad-port br0 c1
misused "did you mean 'fdb ls'" fdb sho
misused "'fdb show' is now called 'fdb ls'" fdb show br0
misused "'workers' is now called 'worker ls'" --json workers
misused "'tunnel-status' is now called 'remote ls'" tunnel-status
misused 'one of: ls, add, rm, load, flush' fdb
misused "did you mean '--json'" --jsno status
misused "did you mean 'add-br'" help ad-br
misused 'few arguments: vsctl add-port BRIDGE PORT' add-port br0
misused 'many arguments' status now
misused 'status has no option --all' --all status
misused 'must stand after its verb' -f network rm x
misused '--timeout needs a value' status --timeout
misused "not 'soon'" --timeout soon status
misused "not '1e9'" worker perf 1e9
misused '--json takes no value' --json=yes status
misused "'mtu' is not an option" set-port c1 mtu
misused 'not UTF-8' add-br $'\xff'
misused 'two different switches' --run-dir / --connect tcp://x:1 status

[[ $(vsctl --version) =~ ^vsctl\ [0-9.]+$ ]] || fail "version: $(vsctl --version)"
vsctl help >"$T/help"
vsctl --help | diff "$T/help" - || fail "--help is not help"
diff <(vsctl add-br --help) <(vsctl help add-br) || fail "--help of a verb"
(($(vsctl help fdb | grep -c '^vsctl fdb') == 5)) || fail "help of a group"
vsctl help network create | has '^ *--ipv6 ' || fail "help of a verb has no options"
! vsctl help network ls | has -- --ipv6 || fail "help of a verb has options of others"
! vsctl help | grep -E '^.{101}' || fail "help is too wide"
vsctl --json help | jq -e '[.verbs[] | select(.name == "network rm")][0] |
	.other == "network remove" and (.options | map(.name) == ["--force"])' >/dev/null || fail "help in JSON"
mapfile -t verbs < <(sed -n '/^Options/q; s/^  \([a-z][a-z-]*\( [a-z-]\+\)\?\) .*/\1/p' "$T/help")
((${#verbs[@]} > 20)) || fail "verbs: ${verbs[*]}"

# The manual pages know every verb, option and key.
for verb in "${verbs[@]}"; do
	# shellcheck disable=SC2086
	vsctl help $verb | has "^vsctl $verb" || fail "no help for $verb"
	grep -q "\*$verb\*" "$TOP/docs/vsctl.1.scd" || fail "vsctl(1) has no $verb"
	# shellcheck disable=SC2086
	vsctl help $verb >>"$T/help"
done
sed -nE 's/^  (-., )?(--[a-z0-9-]*)(, (--[a-z0-9-]*))?.*/\2\n\4/p' "$T/help" | sort -u | grep . |
	while read -r option; do
		grep -qE "\*([a-z ]* )?$option( label=)?\*" "$TOP/docs/vsctl.1.scd" ||
			fail "vsctl(1) has no $option"
	done
for option in $("$VSWITCHD" --help | grep -oE -- '--[a-z-]+' | sort -u); do
	grep -qE "\*(-., )?$option\*" "$TOP/docs/vswitchd.8.scd" || fail "vswitchd(8) has no $option"
done
for option in $("$VSNETD" --help | grep -oE -- '--[a-z-]+' | sort -u); do
	grep -qE "\*(-., )?$option\*" "$TOP/docs/vsnetd.8.scd" || fail "vsnetd(8) has no $option"
done
for key in $("$VSNETD" --reference config | sed -n -e "/^## Drivers/q" -e 's/^| `\([a-z0-9-]*\)` .*/\1/p'); do
	grep -qE "\*$key\*|[{ ]$key: _" "$TOP/docs/vsnetd.8.scd" || fail "vsnetd(8) has no key $key"
done
# The options of a connection, as the method has them.
options=$("$VSNETD" --reference control | sed -n '/^### network.connect/,/^### /s/^- `options`.*texts by name: \(.*\)\.$/\1/p')
[[ $options == *spoof=allow\|deny* ]] || fail "options of network.connect: $options"
vsctl help network connect | tr '\n' ' ' >"$T/connect"
for option in $options; do
	grep -qF -- "$option" "$T/connect" || fail "vsctl help network connect has no $option"
	grep -qF -- "*$option*" "$TOP/docs/vsctl.1.scd" || fail "vsctl(1) has no $option"
done
for key in $("$VSWITCHD" --reference config | sed -n 's/^| `\([a-z-]*\)` .*/\1/p'); do
	grep -qE "\*$key\*|[{ ]$key: _" "$TOP/docs/vswitchd.8.scd" || fail "vswitchd(8) has no key $key"
done

start_switch
vsctl add-br br0
vsctl add-br br1 ageing=60
vsctl set-br br1 ageing=70 fdb-limit=100
vsctl add-br br0 --may-exist
vsctl list-br | has -E '^br1 +0 +ageing=70 fdb-limit=100' || fail "list-br: $(vsctl list-br)"
vsctl add-port br0 n0 type=dpdk devargs=net_null0,size=64
vsctl add-port br0 n1 type=dpdk devargs=net_null1,no-rx=1

# completes LINE WORD…: what bash offers where the line ends.
# shellcheck source=/dev/null
. <(vsctl completion bash)
completes() {
	COMP_LINE=$1
	COMP_POINT=${#1}
	shift
	_vsctl || true # compopt works in a completion only
	[[ "${COMPREPLY[*]}" == "$*" ]] || fail "'$COMP_LINE' is completed with: ${COMPREPLY[*]}"
}
completes 'vsctl add' add-br add-port add-vtep address
completes 'vsctl fdb ' ls add rm load flush
completes 'vsctl config c' check
completes 'vsctl del-br ' br0 br1
completes 'vsctl --json del-br br' br0 br1
completes "vsctl --run-dir $T/nowhere del-br "
completes 'vsctl del-port n' n0 n1
completes 'vsctl add-port br0 x ty' type=tap type=veth type=dpdk type=vxlan
completes 'vsctl add-port br0 x type=ve' veth
completes 'vsctl add-port br0 x de' devargs=
completes 'vsctl set-port n0 de'
completes 'vsctl add-port br0 x type=tap vlan-mode=n' native-tagged native-untagged
completes 'vsctl set-br br0 a' ageing=
completes 'vsctl add-vtep x un' underlay=kernel underlay=port
completes 'vsctl fdb add br0 02:00:00:00:00:01 tu' tunnel=
completes 'vsctl add-br --m' --may-exist
completes 'vsctl stats --w' --watch
completes "vsctl config check $T/he" "$T/help"
completes 'vsctl network c' create connect
completes 'vsctl network create --subnet 10.0.0.0/8 --ip' --ip-range --ipv6
completes 'vsctl network create -d o' overlay
completes 'vsctl monitor port.d' port.del port.down
completes 'vsctl stats --watch 2 n' n0 n1
completes 'vsctl network rm -' --run-dir --json --timeout --connect --connect-events --key --server-key --version --help \
	--force -f
completes 'vsctl help add-' add-br add-port add-vtep

# Every verb takes --run-dir, before and after.
(
	unset CAUSEWAY_RUN_DIR
	vsctl --run-dir "$T/sw/run" status >"$T/out"
	vsctl status --run-dir="$T/sw/run" >"$T/out"
)
# What people read: only reasons that occurred, unless all are wanted.
vsctl --all drops >"$T/all"
vsctl drops >"$T/some"
(($(wc -l <"$T/all") > $(wc -l <"$T/some"))) || fail "drops: $(cat "$T/some")"
awk 'NR > 1 && $3 == 0 { exit 1 }' "$T/some" || fail "drops of zero: $(cat "$T/some")"
awk 'NR > 1 && NF < 5 { exit 1 }' "$T/all" || fail "drops without a meaning: $(cat "$T/all")"
timeout 2 "$VSCTL" stats --watch 0.2 >"$T/watch" || true
(($(grep -c '^n0 ' "$T/watch") >= 3)) || fail "stats --watch: $(cat "$T/watch")"
awk '/^n0 / { rate = $2 } END { exit !(rate > 1000) }' "$T/watch" || fail "no rates: $(cat "$T/watch")"
timeout 2 "$VSCTL" --json stats --watch 0.2 >"$T/watch" || true
jq -es 'length >= 3 and all(.[]; .ports_per_second[0].rx_packets > 0)' "$T/watch" >/dev/null ||
	fail "stats --watch in JSON: $(cat "$T/watch")"

# Where the time goes.
vsctl worker perf 0.5 >"$T/perf"
for words in '^0 .*%$' '32-63' lookup; do
	grep -qE "$words" "$T/perf" || fail "no $words in perf: $(cat "$T/perf")"
done
note "$(sed -n 1,2p "$T/perf" | tr -s ' ' | tr '\n' ' ')"
vsctl --json worker perf 0.5 | jq -e '.seconds > 0.4 and (.workers[0] |
	.packets > 1000 and .cycles_per_packet > 1 and .busy_share > 0.1 and .empty_share >= 0 and
	.busy_share + .idle_share + .asleep_share < 1.01 and
	([.batch_sizes[].batches] | add) > 100 and
	(.batch_sizes[-1] | .from == 64 and .batches > 0) and
	([.stages[] | select(.name == "parse")][0].cycles_per_packet > 0) and
	(.packets_per_batch | . >= 1 and . < 65))' >/dev/null || fail "perf: $(vsctl --json worker perf 0.5)"
vsctl --json worker ls | jq -e '.workers[] | .batches == ([.batch_sizes[].batches] | add) or
	(.batches - ([.batch_sizes[].batches] | add) | . > -100 and . < 100)' >/dev/null ||
	fail "sizes do not add up to the batches: $(vsctl --json worker ls)"
