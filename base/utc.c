// SPDX-License-Identifier: BSD-3-Clause
#include "base/utc.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/loop.h"

static const char *format(int64_t us, char *buf)
{
	time_t seconds = us / 1000000;
	char date[24];
	unsigned micro = us % 1000000;
	struct tm tm;

	gmtime_r(&seconds, &tm);
	strftime(date, sizeof(date), "%Y-%m-%dT%H:%M:%S", &tm);
	snprintf(buf, UTC_TEXT_BYTES, "%.19s.%06uZ", date, micro % 1000000);
	return buf;
}

static int64_t wall_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	return ts.tv_sec * INT64_C(1000000) + ts.tv_nsec / 1000;
}

const char *utc_now(char *buf)
{
	return format(wall_us(), buf);
}

// What the wall clock is ahead of the monotonic one. It is taken anew only when the wall clock was
// set, so that one event always has the same text.
static int64_t ahead_us(void)
{
	static _Atomic int64_t kept;
	int64_t now = wall_us() - (int64_t)monotonic_us(), before = kept;

	if (now - before > 500000 || before - now > 500000)
		kept = before = now;
	return before;
}

const char *utc_of_monotonic(uint64_t at_us, char *buf)
{
	return format((int64_t)at_us + ahead_us(), buf);
}

bool utc_is_text(const char *text)
{
	struct tm tm = {0};
	const char *end = strptime(text, "%Y-%m-%dT%H:%M:%S", &tm);

	if (end && *end == '.')
		end += 1 + strspn(end + 1, "0123456789");
	return end && !strcmp(end, "Z");
}
