#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# The conformance suite against three ZooKeepers: whose leader is killed, whose first server hangs.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/zookeeper.sh"

for i in 1 2 3; do
	zookeeper_control "$i" "1218$i" server.{1,2,3}=127.0.0.1:PEER
	sed -i 's/^server\.\(.\)=.*/server.\1=127.0.0.1:1288\1:1388\1/' "$T/$i/zoo.cfg"
	"$T/$i/control" start now
done
is_leader() { [[ $("$T/ask" 127.0.0.1 "1218$1" srvr) == *'Mode: leader'* ]]; }
has_leader() { is_leader 1 || is_leader 2 || is_leader 3; }
wait_until 40 has_leader || fail 'the servers do not come together'

cat >"$T/control" <<END
#!/bin/bash
set -eu
cd $T
leader() {
	for i in 1 2 3; do
		if [[ \$(./ask 127.0.0.1 1218\$i srvr) == *'Mode: leader'* ]]; then
			echo \$i
			return
		fi
	done
	return 1
}
case \$1 in
kill-leader)
	leader >killed
	"./\$(cat killed)/control" stop ;;
start-killed) "./\$(cat killed)/control" start ;;
pause-first) ./1/control pause ;;
resume-first) ./1/control resume ;;
esac
END
chmod +x "$T/control"
hosts=127.0.0.1:12181,127.0.0.1:12182,127.0.0.1:12183
others=127.0.0.1:12182,127.0.0.1:12183
zookeeper_conformance all --second "zookeeper://$others/t" --control "$T/control" \
	"zookeeper://$hosts/t" cluster-leader-killed cluster-first-paused simple guards txn watch-groups group
for i in 1 2 3; do
	"$T/$i/control" stop
done
