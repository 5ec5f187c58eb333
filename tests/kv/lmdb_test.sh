#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# The conformance suite, $1, against LMDB in a folder of its own.
set -eu
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
"$1" "lmdb:$dir/store"
