#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# etcd that wants certificates of its clients, and a user with a password. Wrong ones are refused
# with words that help.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/store.sh"

cd "$T"
# sign NAME SUBJECT: a key and a certificate by our own authority. etcd's gateway serves no client
# whose certificate has a common name once there are users.
sign() {
	openssl req -newkey rsa:2048 -nodes -subj "$2" -keyout "$1.key" -out "$1.csr"
	openssl x509 -req -in "$1.csr" -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 \
		-extfile <(echo "subjectAltName=IP:127.0.0.1,DNS:localhost") -out "$1.pem"
}
{
	for ca in ca other-ca; do
		openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj "/CN=$ca" -keyout "$ca.key" \
			-out "$ca.pem"
	done
	sign server /CN=server
	sign client /O=causeway
} 2>openssl.log

url=https://127.0.0.1:2379
etcd_control one "$url" --listen-peer-urls http://127.0.0.1:2380 --cert-file "$T/server.pem" \
	--key-file "$T/server.key" --trusted-ca-file "$T/ca.pem" --client-cert-auth \
	--auth-token-ttl 2
ctl=(etcdctl --endpoints "$url" --cacert "$T/ca.pem" --cert "$T/client.pem" --key "$T/client.key")
printf '#!/bin/bash\n%s endpoint health --user root:secret || %s endpoint health\n' "${ctl[*]}" \
	"${ctl[*]}" >one/ready
chmod +x one/ready
one/control start || fail 'etcd does not start'

tls=(--ca ca.pem --cert client.pem --key client.key)
some=(simple guards txn watch-nothing watch-groups lease-revoke)
conformance tls "${tls[@]}" etcd://127.0.0.1/t "${some[@]}"

# refused_conformance WORDS argument…
refused_conformance() {
	local words=$1
	shift
	! "$CONFORMANCE" "$@" etcd://127.0.0.1/t simple >out 2>&1 || fail "not refused: $*"
	grep -qiE -- "$words" out || fail "no '$words' from $*: $(cat out)"
}
refused_conformance 'certificate' --ca other-ca.pem --cert client.pem --key client.key
refused_conformance 'certificate|alert|reset' --ca ca.pem

"${ctl[@]}" user add root:secret
"${ctl[@]}" user grant-role root root
password='pass"word'
"${ctl[@]}" user add "causeway:$password"
"${ctl[@]}" role add net
"${ctl[@]}" role grant-permission net --prefix=true readwrite t/
"${ctl[@]}" user grant-role causeway net
"${ctl[@]}" auth enable
user=(--user causeway --password "$password")
conformance user "${tls[@]}" "${user[@]}" etcd://127.0.0.1/t "${some[@]}"
# Tokens last for two seconds: this one takes longer. A store that was started anew knows none.
conformance token "${tls[@]}" "${user[@]}" --control "$T/one/control" etcd://127.0.0.1/t \
	lease-kept away-stopped
refused_conformance 'authentication failed' "${tls[@]}" --user causeway --password wrong
refused_conformance 'user name is empty' "${tls[@]}"
