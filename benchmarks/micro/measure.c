// SPDX-License-Identifier: BSD-3-Clause
#include "benchmarks/micro/measure.h"

#include <stdlib.h>

#include <rte_cycles.h>

static void prepare(const struct micro_ops *ops)
{
	if (ops->prepare)
		ops->prepare();
}

static double cycles_of_one(const struct micro_ops *ops)
{
	uint64_t begin, count;

	prepare(ops);
	begin = rte_rdtsc_precise();
	count = ops->run();
	return (double)(rte_rdtsc_precise() - begin) / (double)count;
}

static void count(const struct micro_ops *ops, unsigned repetitions, struct measured *ret)
{
	uint64_t operations = 0;

	counters_reset();
	for (unsigned i = 0; i < repetitions; i++) {
		prepare(ops);
		counters_start();
		operations += ops->run();
		counters_stop();
	}
	for (unsigned i = 0; i < NB_COUNTERS; i++)
		ret->counted[i] = counter_read(i) / (double)operations;
}

static int by_size(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

void measure(const struct micro *micro, unsigned repetitions, struct measured *ret)
{
	double *cycles = malloc(repetitions * sizeof(*cycles));

	micro_check(cycles, "there is memory for the figures");
	micro->ops->setup(micro->size);
	for (unsigned i = 0; i < 1 + repetitions / 10; i++)
		cycles_of_one(micro->ops);
	for (unsigned i = 0; i < repetitions; i++)
		cycles[i] = cycles_of_one(micro->ops);
	count(micro->ops, 1 + repetitions / 10, ret);
	micro->ops->teardown();
	qsort(cycles, repetitions, sizeof(*cycles), by_size);
	ret->cycles_min = cycles[0];
	ret->cycles_median = cycles[repetitions / 2];
	free(cycles);
}
