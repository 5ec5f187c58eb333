// SPDX-License-Identifier: BSD-3-Clause
// The filter on the socket of a VTEP against what comes in by devices of containers: classic BPF
// that compares the device's index with ranges.
#include <errno.h>
#include <linux/filter.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/util.h"
#include "vxlan/kernel.h"

#define DISTRUST_GROUP 120u  // ranges of devices with one refusal
#define DISTRUST_MAX   2000u // ranges; two instructions each

static int by_index(const void *a, const void *b)
{
	const int *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

// Makes `ifindex` a list of ranges, [first, last], sorted. Devices that were made one after the
// other have numbers in a row. Returns how many.
static unsigned to_ranges(const int *ifindex, unsigned count, int (*range)[2])
{
	int *sorted = &range[count][0];
	unsigned nb_ranges = 0;

	memcpy(sorted, ifindex, count * sizeof(*sorted));
	qsort(sorted, count, sizeof(*sorted), by_index);
	for (unsigned i = 0; i < count; i++) {
		if (nb_ranges && sorted[i] <= range[nb_ranges - 1][1] + 1) {
			range[nb_ranges - 1][1] = sorted[i];
			continue;
		}
		range[nb_ranges][0] = range[nb_ranges][1] = sorted[i];
		nb_ranges++;
	}
	return nb_ranges;
}

// Refuses what comes by devices of the ranges. Jumps reach 255 instructions, so each group of
// ranges has a refusal of its own.
static unsigned refuse_ranges(struct sock_filter *code, const int (*range)[2], unsigned nb_ranges)
{
	struct sock_filter *next = code;

	*next++ = (struct sock_filter)BPF_STMT(
		BPF_LD | BPF_W | BPF_ABS, (uint32_t)(SKF_AD_OFF + SKF_AD_IFINDEX));
	while (nb_ranges) {
		unsigned group = MIN_OF(nb_ranges, DISTRUST_GROUP);

		for (unsigned i = 0; i < group; i++) {
			uint8_t to_refusal = 2 * (group - i) - 1;

			*next++ = (struct sock_filter)BPF_JUMP(
				BPF_JMP | BPF_JGT | BPF_K, (uint32_t)range[i][1], 1, 0);
			*next++ = (struct sock_filter)BPF_JUMP(
				BPF_JMP | BPF_JGE | BPF_K, (uint32_t)range[i][0], to_refusal, 0);
		}
		*next++ = (struct sock_filter)BPF_STMT(BPF_JMP | BPF_JA, 1);
		*next++ = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, 0);
		range += group;
		nb_ranges -= group;
	}
	*next++ = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, UINT32_MAX);
	return next - code;
}

static int attach_filter(int fd, const int (*range)[2], unsigned nb_ranges)
{
	struct sock_filter *code;
	struct sock_fprog prog;
	int rc;

	if (nb_ranges > DISTRUST_MAX)
		return -E2BIG;
	code = calloc(BPF_MAXINSNS, sizeof(*code));
	if (!code)
		return -ENOMEM;
	prog = (struct sock_fprog){.len = refuse_ranges(code, range, nb_ranges), .filter = code};
	rc = setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &prog, sizeof(prog));
	rc = rc < 0 ? -errno : 0;
	free(code);
	return rc;
}

// A socket takes packets for an address of the host from any of its devices. Errors leave the
// socket as it is.
int kernel_distrust(const struct vtep *vtep, const int *ifindex, unsigned count)
{
	int fd = vtep->kernel->rx_fd, rc, unused = 0;
	int(*range)[2];

	if (!count) {
		rc = setsockopt(fd, SOL_SOCKET, SO_DETACH_FILTER, &unused, sizeof(unused));
		return rc < 0 && errno != ENOENT ? -errno : 0;
	}
	range = calloc(2 * count, sizeof(*range)); // and room to sort
	if (!range)
		return -ENOMEM;
	rc = attach_filter(fd, range, to_ranges(ifindex, count, range));
	free(range);
	return rc;
}
