// SPDX-License-Identifier: BSD-3-Clause
// How far apart two CPUs are: the median round trip of a cache line between them, in TSC ticks.
// On a virtual machine it changes when the host moves a CPU; figures of work that crosses cores
// compare only while it is the same. Usage: corelat CPU CPU
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <x86intrin.h>

#define ROUNDS 200001

static _Alignas(128) atomic_uint ball;
static _Alignas(128) uint64_t ticks[ROUNDS];

static void pin(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	pthread_setaffinity_np(pthread_self(), sizeof(set), &set);
}

static void *answer(void *cpu)
{
	pin(*(int *)cpu);
	for (unsigned i = 0; i < ROUNDS; i++) {
		while (atomic_load_explicit(&ball, memory_order_acquire) != 2 * i + 1)
			_mm_pause();
		atomic_store_explicit(&ball, 2 * i + 2, memory_order_release);
	}
	return NULL;
}

static int by_size(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

int main(int argc, char **argv)
{
	pthread_t other;
	int cpu[2];

	if (argc != 3) {
		fprintf(stderr, "usage: corelat CPU CPU\n");
		return 2;
	}
	cpu[0] = atoi(argv[1]);
	cpu[1] = atoi(argv[2]);
	pin(cpu[0]);
	if (pthread_create(&other, NULL, answer, &cpu[1]) != 0)
		return 1;
	for (unsigned i = 0; i < ROUNDS; i++) {
		uint64_t start = __rdtsc();

		atomic_store_explicit(&ball, 2 * i + 1, memory_order_release);
		while (atomic_load_explicit(&ball, memory_order_acquire) != 2 * i + 2)
			_mm_pause();
		ticks[i] = __rdtsc() - start;
	}
	pthread_join(other, NULL);
	qsort(ticks, ROUNDS, sizeof(ticks[0]), by_size);
	printf("%lu\n", (unsigned long)ticks[ROUNDS / 2]);
	return 0;
}
