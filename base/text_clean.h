// SPDX-License-Identifier: BSD-3-Clause
// Text with bytes of others in it: names of interfaces, answers of servers, records of other hosts.
// A terminal obeys control characters, those of C1 (U+0080 to U+009F, in UTF-8 or as raw bytes)
// too, and shows text in another order after those of bidirectional writing. Pure functions, any
// thread.
#pragma once

#include <stdbool.h>
#include <stddef.h>

// Looks at the character that begins at `text`. Returns its bytes; 1 for a byte that is no UTF-8; 0
// if it may go on beyond the `len_bytes` that are there. `ret_code`: the character; -1: no UTF-8.
size_t text_char(const char *text, size_t len_bytes, long *ret_code);

// Whether a terminal only shows it: it is neither -1, nor a control character (as tab and newline
// are), nor one that changes the order or the lines of what is shown.
bool text_char_is_plain(long code);

// Whether all of it is plain.
bool text_is_plain(const char *text);

// Makes each byte of what is not plain a '?'.
void text_clean(char *text);
