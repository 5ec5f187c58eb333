#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# The conformance suite against what answers as Consul's agents do, and refuses requests that it does
# not expect; and against a real agent where one is installed (it is not in Debian 12).
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/store.sh"

fake=$(dirname "$(readlink -f "$0")")/../kv/fake_consul.py
control_script fake "$PYTHON $fake $T/state 8500 8501"
cat >"$T/fake/ready" <<'END'
#!/bin/bash
ss -Hltn 'sport = :8501' | grep . >/dev/null
END
printf '#!/bin/bash\nrm -f %s\n' "$T/state" >"$T/fake/wipe"
printf '#!/bin/bash\n' >"$T/fake/compact" # there is no history
for verb in 'kill-leader USR1' 'start-killed 0' 'pause-first USR2' 'resume-first USR2'; do
	# shellcheck disable=SC2016
	printf '#!/bin/bash\nkill -%s "$(cat pid)"\n' "${verb#* }" >"$T/fake/${verb% *}"
done
chmod +x "$T"/fake/*
export STOP_SIGNAL=TERM FAKE_WAIT_MAX=3
"$T/fake/control" start || fail 'the server does not start'
both=127.0.0.1:8500,127.0.0.1:8501
conformance all --timeout 1500 --control "$T/fake/control" --second "consul://127.0.0.1:8501/t/of" \
	"consul://$both/t/of"
conformance bare consul://127.0.0.1:8501 simple list watch-full watch-nothing thousands
"$T/fake/control" stop

control_script fake "$PYTHON $fake --token secret $T/state 8500 8501"
"$T/fake/control" start || fail 'the server does not start'
conformance token --token secret consul://127.0.0.1/t simple guards txn watch-groups
! "$CONFORMANCE" --token wrong consul://127.0.0.1/t simple >"$T/out" 2>&1 || fail 'no token needed'
grep -q 'Permission denied' "$T/out" || fail "no reason: $(cat "$T/out")"
"$T/fake/control" stop

if ! command -v consul >/dev/null; then
	note 'consul is not installed: the real one was not met'
	exit 0
fi
control_script real "$(command -v consul) agent -dev -bind 127.0.0.1 -log-level err"
printf '#!/bin/bash\ncurl -sf 127.0.0.1:8500/v1/status/leader | grep : >/dev/null\n' >"$T/real/ready"
chmod +x "$T/real/ready"
"$T/real/control" start || fail 'consul does not start'
conformance real consul://127.0.0.1/t
