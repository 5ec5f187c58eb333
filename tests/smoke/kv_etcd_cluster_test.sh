#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# The conformance suite against a cluster of three: whose leader is killed, whose first member hangs.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/store.sh"

members=1=http://127.0.0.1:23801,2=http://127.0.0.1:23802,3=http://127.0.0.1:23803
urls=http://127.0.0.1:23791,http://127.0.0.1:23792,http://127.0.0.1:23793
for i in 1 2 3; do
	etcd_control "$i" "http://127.0.0.1:2379$i" --listen-peer-urls "http://127.0.0.1:2380$i" \
		--initial-advertise-peer-urls "http://127.0.0.1:2380$i" --initial-cluster "$members" \
		--heartbeat-interval 50 --election-timeout 500
	"$T/$i/control" start
done
wait_until 30 etcdctl --endpoints "$urls" endpoint health || fail 'the cluster does not form'

cat >"$T/control" <<END
#!/bin/bash
set -eu
cd $T
leader() {
	etcdctl --endpoints $urls endpoint status -w json | jq -r '
		.[] | select(.Status.leader == .Status.header.member_id) | .Endpoint[-1:]'
}
case \$1 in
kill-leader)
	leader >killed
	"./\$(cat killed)/control" stop ;;
start-killed) "./\$(cat killed)/control" start ;;
pause-first)
	# The worst one to lose. It may have to catch up first.
	id=\$(etcdctl --endpoints $urls member list | awk -F ', ' '\$3 == 1 { print \$1 }')
	until now=\$(leader) && [[ \$now == 1 ]]; do
		etcdctl --endpoints "http://127.0.0.1:2379\$now" move-leader "\$id" || sleep 0.1
	done
	./1/control pause ;;
resume-first) ./1/control resume ;;
esac
END
chmod +x "$T/control"
hosts=127.0.0.1:23791,127.0.0.1:23792,127.0.0.1:23793
others=127.0.0.1:23792,127.0.0.1:23793,127.0.0.1:23791
conformance all --second "etcd://$others/t" --control "$T/control" "etcd://$hosts/t" \
	cluster-leader-killed cluster-first-paused simple guards txn watch-revision watch-groups
