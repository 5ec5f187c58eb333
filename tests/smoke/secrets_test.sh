#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Secrets of the store: out of files and systemd credentials, never printed, and a warning where others may read them.
. "$(dirname "$0")/lib.sh"

# conf STORE OPTIONS
conf() {
	printf 'host: h1\ncluster-advertise: lo\ncluster-store: "%s"\ncluster-store-opts: {%s}\n' "$1" "$2" >"$T/net.yaml"
	chmod 600 "$T/net.yaml"
}

# checks [VARIABLE=VALUE]: --check takes it; what it says is in $T/out
checks() {
	env "$@" "$VSNETD" --check --run-dir "$T/run" --config "$T/net.yaml" >"$T/out" 2>&1 || fail "refused: $(<"$T/out")"
	if grep -q s3cret "$T/out"; then fail "printed: $(<"$T/out")"; fi
}

# refuses WORDS: --check does not take it
refuses() {
	refused "$1" "$VSNETD" --check --run-dir "$T/run" --config "$T/net.yaml"
	if grep -q s3cret "$T/out" "$T/err"; then fail "printed: $(cat "$T/out" "$T/err")"; fi
}

is_warned() {
	grep -q "$1" "$T/out" || fail "no warning '$1': $(<"$T/out")"
}

is_silent() {
	if grep -q 'warn' "$T/out"; then fail "a warning: $(<"$T/out")"; fi
}

for url in etcd://bob:s3cret@h:1 etcd://bob:s3/s3cret@h bob:s3cret@h etdc://bob:s3cret@h:1; do
	conf "$url" ''
	refuses 'password-file'
done

conf etcd://127.0.0.1:1 'user: u, password: [s3cret]'
refuses 'cluster-store-opts.password'

# ---- in the configuration ----

conf etcd://127.0.0.1:1 'user: u, password: s3cret, ca-file: /etc/ssl/certs/ca-certificates.crt'
[[ -e /etc/ssl/certs/ca-certificates.crt ]] || sed -i "s|/etc/ssl.*crt|$T/net.yaml|" "$T/net.yaml"
checks X=
is_silent
chmod 644 "$T/net.yaml"
checks X=
is_warned "every user of this host can read the secret in this file; run 'chmod o-rwx $T/net.yaml'"
conf etcd://127.0.0.1:1 'user: u, password: s3cret'
checks X=
is_warned 'the password is sent to the store unencrypted'

# ---- in a file ----

echo s3cret >"$T/secret"
chmod 600 "$T/secret"
conf etcd://127.0.0.1:1 "user: u, password-file: $T/secret, ca-file: $T/net.yaml"
chmod 644 "$T/net.yaml"
checks X=
is_silent
chmod 644 "$T/secret"
checks X=
is_warned "chmod o-rwx $T/secret"
conf consul://127.0.0.1:1 "token-file: secret, ca-file: $T/net.yaml"
refuses 'token-file: systemd gives this process no credentials; add .LoadCredential=secret:PATH'
checks CREDENTIALS_DIRECTORY="$T"
is_silent
conf etcd://127.0.0.1:1 "user: u, password: s3cret, password-file: $T/secret"
refuses 'password and password-file are both given'
conf etcd://127.0.0.1:1 "user: u, password-file: $T/none"
refuses 'password-file: .*none'
printf 's3cret\ns3cret\n' >"$T/secret"
conf etcd://127.0.0.1:1 "user: u, password-file: $T/secret"
refuses 'must hold one line'
