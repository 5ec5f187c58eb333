// SPDX-License-Identifier: BSD-3-Clause
#include "benchmarks/micro/counters.h"

#include <errno.h>
#include <linux/perf_event.h>
#include <math.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

const char *const counter_name[NB_COUNTERS] = {
	[COUNTER_INSTRUCTIONS] = "instructions",
	[COUNTER_CACHE_MISSES] = "cache misses",
};

static const uint64_t config[NB_COUNTERS] = {
	[COUNTER_INSTRUCTIONS] = PERF_COUNT_HW_INSTRUCTIONS,
	[COUNTER_CACHE_MISSES] = PERF_COUNT_HW_CACHE_MISSES,
};

static struct {
	int fd;
	const char *missing;
} counter[NB_COUNTERS];

void counters_open(void)
{
	for (unsigned i = 0; i < NB_COUNTERS; i++) {
		struct perf_event_attr attr = {
			.type = PERF_TYPE_HARDWARE,
			.size = sizeof(attr),
			.config = config[i],
			.read_format =
				PERF_FORMAT_TOTAL_TIME_ENABLED | PERF_FORMAT_TOTAL_TIME_RUNNING,
			.disabled = 1,
			.exclude_kernel = 1,
			.exclude_hv = 1,
		};

		counter[i].fd =
			(int)syscall(SYS_perf_event_open, &attr, 0, -1, -1, PERF_FLAG_FD_CLOEXEC);
		counter[i].missing = counter[i].fd < 0 ? strerrordesc_np(errno) : NULL;
	}
}

void counters_close(void)
{
	for (unsigned i = 0; i < NB_COUNTERS; i++) {
		if (!counter[i].missing)
			close(counter[i].fd);
	}
}

const char *counter_missing(unsigned i)
{
	return counter[i].missing;
}

static void tell_all(unsigned long request)
{
	for (unsigned i = 0; i < NB_COUNTERS; i++) {
		if (!counter[i].missing)
			ioctl(counter[i].fd, request, 0);
	}
}

void counters_reset(void)
{
	tell_all(PERF_EVENT_IOC_RESET);
}

void counters_start(void)
{
	tell_all(PERF_EVENT_IOC_ENABLE);
}

void counters_stop(void)
{
	tell_all(PERF_EVENT_IOC_DISABLE);
}

double counter_read(unsigned i)
{
	struct {
		uint64_t value, enabled_ns, running_ns;
	} now;

	if (counter[i].missing || read(counter[i].fd, &now, sizeof(now)) != sizeof(now) ||
		!now.running_ns)
		return NAN;
	return (double)now.value * ((double)now.enabled_ns / (double)now.running_ns);
}
