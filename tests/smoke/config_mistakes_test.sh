#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Every mistake in a configuration is answered with file, line, key and what is allowed, by
# vsctl config check and by the daemon.
. "$(dirname "$0")/lib.sh"

cat >"$T/bad.yaml" <<END
workers: [0]
poling: busy
bridges:
  br0:
    ports:
      c1: {type: tap, tag: 5000}
      c2:
        type: tapp
END
refused 'bad.yaml:2.*poling.*polling' vsctl config check "$T/bad.yaml"
refused 'bad.yaml:6.*bridges.br0.ports.c1.tag.*4094' vsctl config check "$T/bad.yaml"
refused 'bad.yaml:8.*bridges.br0.ports.c2.type.*tap' vsctl config check "$T/bad.yaml"
refused 'bad.yaml:6.*tag' "$VSWITCHD" --run-dir "$T/run" --state-dir "$T/state" -c "$T/bad.yaml"
printf 'bridges: {br0: [\n' >"$T/broken.yaml"
refused 'broken.yaml:[0-9]+' vsctl config check "$T/broken.yaml"
refused 'none.yaml' vsctl config check "$T/none.yaml"
refused 'none.yaml' "$VSWITCHD" --run-dir "$T/run" --state-dir "$T/state" -c "$T/none.yaml"
