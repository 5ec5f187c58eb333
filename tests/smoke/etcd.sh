# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=bash
# A member of etcd for tests of the store, and the command that the conformance suite controls it
# with. To be sourced after lib.sh.

ETCD=$(command -v etcd) || skip 'etcd is not installed'
CONFORMANCE=$BUILD/tests/kv/kv_conformance
export ETCDCTL_API=3

# etcd_control NAME URL [argument…]: writes $T/NAME/control, which takes start, stop, pause, resume,
# wipe and compact. The member is not started yet.
etcd_control() {
	local name=$1 url=$2 dir=$T/$1
	shift 2
	mkdir -p "$dir"
	printf '%q ' "$ETCD" --name "$name" --data-dir "$dir/data" --listen-client-urls "$url" \
		--advertise-client-urls "$url" --logger zap --log-level error "$@" >"$dir/command"
	cat >"$dir/control" <<-END
		#!/bin/bash
		set -eu
		cd "$dir"
		case \$1 in
		start)
			eval "exec setsid \$(cat command)" >>log.etcd 2>&1 &
			echo \$! >pid
			for ((i = 0; i < 200; i++)); do
				[[ ! -x ready ]] || ./ready >/dev/null 2>&1 && exit
				sleep 0.05
			done
			exit 1 ;;
		stop)
			kill -KILL "\$(cat pid)"
			while kill -0 "\$(cat pid)" 2>/dev/null; do sleep 0.02; done ;;
		pause) kill -STOP "\$(cat pid)" ;;
		resume) kill -CONT "\$(cat pid)" ;;
		wipe) rm -rf data ;;
		compact) ./compact ;;
		esac
	END
	chmod +x "$dir/control"
}

# conformance LOG argument…: the suite, with its cases as remarks when it fails.
conformance() {
	local log=$T/$1
	shift
	"$CONFORMANCE" "$@" >"$log" 2>&1 || {
		cat "$log"
		tail -n 20 "$T"/*/log.etcd
		fail "kv_conformance $*"
	}
	cat "$log"
	note "$(tail -n 1 "$log"): $*"
}
