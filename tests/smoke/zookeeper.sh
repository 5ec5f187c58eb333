# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=bash
# A ZooKeeper server for tests of the store, and the command that the conformance suite controls it
# with. To be sourced after lib.sh.

ZOOKEEPER_JAR=/usr/share/java/zookeeper.jar
if [[ ! -r $ZOOKEEPER_JAR ]] || ! command -v java >/dev/null; then
	skip 'zookeeper is not installed'
fi
CONFORMANCE=$BUILD/tests/kv/kv_conformance
ZOOKEEPER_ADDRESS=127.0.0.1 # that servers listen on

# ask ADDRESS PORT WORD: one of the four-letter words.
cat >"$T/ask" <<'END'
#!/bin/bash
exec 2>/dev/null 3<>"/dev/tcp/$1/$2" || exit 1
echo "$3" >&3
timeout 2 cat <&3
END
chmod +x "$T/ask"

# zookeeper_control NAME PORT [line of the configuration…]: writes $T/NAME/control, which takes
# start, stop, pause, resume, wipe and compact. The server is not started yet.
zookeeper_control() {
	local dir=$T/$1 port=$2
	shift 2
	mkdir -p "$dir/data"
	[[ $* != *server.* ]] || echo "${dir##*/}" >"$dir/data/myid"
	printf '%s\n' tickTime=300 initLimit=20 syncLimit=10 minSessionTimeout=600 \
		maxSessionTimeout=60000 "dataDir=$dir/data" "clientPort=$port" \
		"clientPortAddress=$ZOOKEEPER_ADDRESS" admin.enableServer=false '4lw.commands.whitelist=ruok, srvr' \
		"$@" >"$dir/zoo.cfg"
	cat >"$dir/control" <<-END
		#!/bin/bash
		set -eu
		cd "$dir"
		case \$1 in
		start)
			setsid java -Xmx128m -XX:TieredStopAtLevel=1 -XX:+UseSerialGC -cp $ZOOKEEPER_JAR \
				org.apache.zookeeper.server.quorum.QuorumPeerMain zoo.cfg >>log.zookeeper 2>&1 &
			echo \$! >pid
			for ((i = 0; i < 400; i++)); do
				[[ \${2:-} != now ]] || exit 0
				[[ \$($T/ask $ZOOKEEPER_ADDRESS $port srvr) == *Mode:* ]] && exit
				sleep 0.05
			done
			exit 1 ;;
		stop)
			kill -KILL "\$(cat pid)"
			while kill -0 "\$(cat pid)" 2>/dev/null; do sleep 0.02; done ;;
		pause)
			kill -STOP "\$(cat pid)"
			# Threads stop one by one: until then requests are answered.
			while grep -L '^State:.T' /proc/"\$(cat pid)"/task/*/status | grep .; do sleep 0.02; done ;;
		resume) kill -CONT "\$(cat pid)" ;;
		wipe) rm -rf data/version-2 ;;
		compact) ;; # there is no history
		esac
	END
	chmod +x "$dir/control"
}

# zookeeper_conformance LOG argument…: the suite, with its cases as remarks when it fails.
zookeeper_conformance() {
	local log=$T/$1
	shift
	"$CONFORMANCE" "$@" >"$log" 2>&1 || {
		cat "$log"
		tail -n 20 "$T"/*/log.zookeeper
		fail "kv_conformance $*"
	}
	cat "$log"
	! grep ZOO_ "$log" || fail 'the library logs on standard error'
	note "$(tail -n 1 "$log"): $*"
}
