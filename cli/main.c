// SPDX-License-Identifier: BSD-3-Clause
#include <stdio.h>

#include "cli/cli.h"
#include "cli/output.h"

int main(int argc, char **argv)
{
	if (cli_output_begin() < 0) {
		fputs("vsctl: out of memory\n", stderr);
		return 1;
	}
	return cli_main(argc, argv);
}
