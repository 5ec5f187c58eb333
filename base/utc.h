// SPDX-License-Identifier: BSD-3-Clause
// Times as people and programs read them: UTC in RFC 3339, "2026-03-01T12:00:00.250000Z". Times
// that are measured are monotonic (base/loop.h); they become text here only. Any thread.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define UTC_TEXT_BYTES 32

// Write into `buf`, of at least UTC_TEXT_BYTES, and return it: the time now, and the time that the
// monotonic clock showed or will show `at_us`, as far as the wall clock was not set since.
const char *utc_now(char *buf);
const char *utc_of_monotonic(uint64_t at_us, char *buf);

// Whether the text is such a time, with or without parts of a second.
bool utc_is_text(const char *text);
