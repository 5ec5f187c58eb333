#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# The conformance suite against one etcd: all cases, also with the store stopped, hanging, wiped and
# compacted.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/store.sh"

url=http://127.0.0.1:2379
etcd_control one "$url" --listen-peer-urls http://127.0.0.1:2380
ctl="etcdctl --endpoints $url"
printf '#!/bin/bash\n%s endpoint health\n' "$ctl" >"$T/one/ready"
# shellcheck disable=SC2016
printf '#!/bin/bash\n%s compact "$(%s endpoint status -w json | jq .[0].Status.header.revision)"\n' \
	"$ctl" "$ctl" >"$T/one/compact"
chmod +x "$T/one/ready" "$T/one/compact"
"$T/one/control" start || fail 'etcd does not start'
conformance all --timeout 1500 --control "$T/one/control" etcd://127.0.0.1/test/of/it
# Without a folder, all keys of the store are meant.
conformance bare etcd://127.0.0.1:2379 simple list watch-full watch-nothing thousands
