#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# What a container calls its interface is shown on the administrator's terminal: nothing that a
# terminal obeys gets there, in text, in JSON or in the log.
. "$(dirname "$0")/lib.sh"

start_switch
container c1
vsctl add-br br0
plug c1 10.0.0.1/24

# rename BYTES: of c1's interface, as Python writes them
rename() {
	local now
	now=$(in_ns c1 "$PYTHON" -c 'import os; print(next(n for n in os.listdir(b"/sys/class/net") if n != b"lo").hex())')
	in_ns c1 "$PYTHON" - "$now" "$1" <<-'END'
		import ast, fcntl, socket, struct, sys
		old = bytes.fromhex(sys.argv[1])
		new = ast.literal_eval('b"%s"' % sys.argv[2])
		sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
		flags = struct.pack("16sh14x", old, 0)
		fcntl.ioctl(sock, 0x8914, flags)
		fcntl.ioctl(sock, 0x8923, struct.pack("16s16s", old, new))
	END
}

# bare FILE: it has no such bytes, and is UTF-8
bare() {
	"$PYTHON" - "$1" <<-'END'
		import sys
		text = open(sys.argv[1], "rb").read().decode()
		bad = [c for c in text if (ord(c) < 32 and c not in "\n\t") or 0x7F <= ord(c) <= 0x9F or 0x202A <= ord(c) <= 0x202E]
		sys.exit(f"{bad!r} in {text!r}" if bad else 0)
	END
}

printf 'x\033[7m' >"$T/bad"
! bare "$T/bad" 2>/dev/null || fail "the test does not see what it looks for"
for name in '\x1b]0;pwn\x07\x1b[7m' 'c\xc2\x9b7m' 'r\x9b7m' 'b\xe2\x80\xaeb' 'd\x7fd'; do
	rename "$name"
	vsctl show >"$T/show"
	grep -q 'ifname=.*?' "$T/show" || fail "the name is not shown: $(grep -a ifname "$T/show" | cat -v)"
	bare "$T/show" || fail "$name reaches the terminal"
	vsctl --json show >"$T/json"
	bare "$T/json" || fail "$name is raw in JSON"
	jq -e . "$T/json" >/dev/null || fail "no JSON: $(cat -v "$T/json")"
done
# JSON keeps what the text does not show.
rename 'c\xc2\x9b7m'
vsctl --json show | has -F 'c\u009b7m' || fail "not escaped: $(vsctl --json show | grep -a ifname | cat -v)"

# What is typed comes back in errors, also from vsctl itself.
for word in $'x\033[7m' $'x\302\2337m' $'x\342\200\256y'; do
	vsctl del-port "$word" >"$T/out" 2>"$T/err" && fail "there is no such port"
	vsctl "$word" >>"$T/out" 2>>"$T/err" && fail "there is no such verb"
	vsctl add-br "$word" >>"$T/out" 2>>"$T/err" && fail "no name"
	grep -q . "$T/err" || fail "no errors"
	{ bare "$T/err" && bare "$T/out"; } || fail "$(cat -v "$T/err" "$T/out")"
done
bare "$T/sw/log" || fail "the log has them"
# What is plain is shown as it is.
vsctl del-port Zürich 2>"$T/err" && fail "there is no such port"
grep -q 'Zürich' "$T/err" || fail "plain text is changed: $(cat -v "$T/err")"

# The one thing that a terminal is to obey is vsctl's own: the screen is cleared before each table.
timeout 60 "$PYTHON" - "$VSCTL" >"$T/tty" <<-'END'
	import os, pty, sys
	pid, fd = pty.fork()
	if pid == 0:
	    os.execv(sys.argv[1], [sys.argv[1], "stats", "--watch", "0.1"])
	text = b""
	while text.count(b"rx_packets/s") < 2:
	    text += os.read(fd, 4096)
	os.kill(pid, 9)
	os.waitpid(pid, 0)
	sys.stdout.buffer.write(text)
END
is 'screens cleared' "$(grep -c $'^\033\\[H\033\\[JPORT' "$T/tty")" 2
