// SPDX-License-Identifier: BSD-3-Clause
// Runs the groups of the data-plane tests.
#include "tests/dp/harness.h"

int main(void)
{
	int failed = 0;

	if (harness_start() < 0)
		return 1;
#define X(name) failed += group_##name();
	GROUPS(X)
#undef X
	return failed != 0;
}
