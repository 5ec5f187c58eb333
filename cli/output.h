// SPDX-License-Identifier: BSD-3-Clause
// Where all that vsctl prints goes through, to stdout and stderr: what a terminal would obey or
// show in another order does not reach it (base/text_clean.h), whoever it is from.
#pragma once

// Puts itself before both streams. Without memory for it they are as they were, and -ENOMEM is
// returned.
int cli_output_begin(void);

// stdout is JSON from now on: such characters are escaped there, so that nothing is lost.
void cli_output_json(void);

// Clears the screen, if stdout is a terminal: the one thing that this program has it obey.
void cli_output_clear(void);
