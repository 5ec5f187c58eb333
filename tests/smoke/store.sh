# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=bash
# Servers of stores for tests, and the commands that the conformance suite controls them with. To be
# sourced after lib.sh.

CONFORMANCE=$BUILD/tests/kv/kv_conformance

# control_script NAME COMMAND: writes $T/NAME/control, which takes start, stop, pause, resume and
# what there are scripts for in that folder. `ready` there tells that the server answers.
control_script() {
	local dir=$T/$1
	mkdir -p "$dir"
	echo "$2" >"$dir/command"
	cat >"$dir/control" <<-END
		#!/bin/bash
		set -eu
		cd "$dir"
		case \$1 in
		start)
			eval "exec setsid \$(cat command)" >>log.store 2>&1 &
			echo \$! >pid
			[[ -x ready ]] || exit 0
			for ((i = 0; i < 400; i++)); do
				! ./ready >/dev/null 2>&1 || exit 0
				sleep 0.05
			done
			exit 1 ;;
		stop)
			kill "-\${STOP_SIGNAL:-KILL}" "\$(cat pid)"
			while kill -0 "\$(cat pid)" 2>/dev/null; do sleep 0.02; done ;;
		pause)
			kill -STOP "\$(cat pid)"
			# Threads stop one by one: until then requests are answered.
			while grep -L '^State:.T' /proc/"\$(cat pid)"/task/*/status | grep .; do sleep 0.02; done ;;
		resume) kill -CONT "\$(cat pid)" ;;
		*) "./\$1" ;;
		esac
	END
	chmod +x "$dir/control"
}

# etcd_control NAME URL [argument…]: of a member of etcd, with wipe.
export ETCDCTL_API=3
etcd_control() {
	local name=$1 url=$2
	shift 2
	command -v etcd >/dev/null || skip 'etcd is not installed'
	control_script "$name" "$(printf '%q ' etcd --name "$name" --data-dir "$T/$name/data" \
		--listen-client-urls "$url" --advertise-client-urls "$url" --logger zap \
		--log-level error "$@")"
	printf '#!/bin/bash\nrm -rf data\n' >"$T/$name/wipe"
	chmod +x "$T/$name/wipe"
}

# conformance LOG argument…: the suite, with its cases as remarks when it fails.
conformance() {
	local log=$T/$1
	shift
	"$CONFORMANCE" "$@" >"$log" 2>&1 || {
		cat "$log"
		tail -n 20 "$T"/*/log.store
		fail "kv_conformance $*"
	}
	cat "$log"
	note "$(tail -n 1 "$log"): $*"
}
