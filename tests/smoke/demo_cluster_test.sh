#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# The demo of three hosts does what it shows, from beginning to end.
set -euo pipefail
. "$(dirname "$0")/../../scripts/common.sh"

"$TOP/scripts/demo" cluster
