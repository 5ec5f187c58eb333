#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# hardened_test.sh COMPILER BUILD PROGRAM…: the programs are compiled and linked with what makes a fault
# of memory harder to use. A program without it must be told from them.
set -euo pipefail
compiler=$1 build=$2
shift 2

# lacks_of PROGRAM: what it lacks, a word each
lacks_of() {
	local headers dynamic symbols
	headers=$(readelf -hlW "$1")
	dynamic=$(readelf -dW "$1")
	symbols=$(readelf --dyn-syms -W "$1")
	grep -qE '^ *Type: +DYN' <<<"$headers" || echo pie
	grep -q GNU_RELRO <<<"$headers" || echo relro
	grep -qE 'BIND_NOW|FLAGS.* NOW' <<<"$dynamic" || echo bind-now
	grep -qE 'GNU_STACK.* RW +0x' <<<"$headers" || echo noexecstack
	grep -q __stack_chk_fail <<<"$symbols" || echo stack-protector
	grep -qE '__[a-z]+_chk@' <<<"$symbols" || echo fortify
}

# has_cet OBJECT: a program has the mark only if all that is linked into it has, other libraries too.
has_cet() {
	readelf -nW "$1" | grep -q 'IBT, SHSTK'
}

for program; do
	lacks=$(lacks_of "$program" | xargs)
	[[ -z $lacks ]] || { echo "$program lacks: $lacks" && exit 1; }
done

dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
echo 'int main(int argc, char **argv) { char text[99]; text[argc] = *argv[0]; return text[1]; }' >"$dir/bare.c"
$compiler -O0 -fno-pie -no-pie -fno-stack-protector -fcf-protection=none -U_FORTIFY_SOURCE \
	-Wl,-z,norelro,-z,lazy,-z,execstack -o "$dir/bare" "$dir/bare.c" 2>/dev/null
$compiler -c -fcf-protection=none -o "$dir/bare.o" "$dir/bare.c"
lacks=$(lacks_of "$dir/bare" | xargs)
[[ $lacks == 'pie relro bind-now noexecstack stack-protector fortify' ]] ||
	{ echo "a program without all this is said to lack no more than: $lacks" && exit 1; }
[[ $(uname -m) == x86_64 ]] || exit 0
if has_cet "$dir/bare.o"; then echo "an object without CET is said to have it" && exit 1; fi
for object in "$build"/{base/libbase,dp/libdp,ctrl/libctrl,netd/libnetd*}.a.p/*.o; do
	[[ ! -e $object ]] || has_cet "$object" || { echo "$object lacks CET" && exit 1; }
done
