// SPDX-License-Identifier: BSD-3-Clause
// What single operations of the data plane cost, in ticks of the time stamp counter.
#include <getopt.h>
#include <math.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <rte_cycles.h>
#include <rte_eal.h>
#include <rte_errno.h>

#include "benchmarks/micro/measure.h"

#define REPETITIONS	  1001
#define QUICK_REPETITIONS 5
#define NB_MBUFS	  4095
#define NB_BIG_MBUFS	  63
#define POOL_CACHE	  256
#define K		  1024

static const struct micro benchmarks[] = {
	{"fdb/hit-1k", "address", &micro_fdb_hit, 1 * K},
	{"fdb/hit-10k", "address", &micro_fdb_hit, 10 * K},
	{"fdb/hit-100k", "address", &micro_fdb_hit, 100 * K},
	{"fdb/hit-1m", "address", &micro_fdb_hit, K *K},
	{"fdb/miss-100k", "address", &micro_fdb_miss, 100 * K},
	{"fdb/miss-1m", "address", &micro_fdb_miss, K *K},
	{"fdb/learn-hit-1k", "address", &micro_fdb_learn_hit, 1 * K},
	{"fdb/learn-hit-100k", "address", &micro_fdb_learn_hit, 100 * K},
	{"fdb/learn-hit-1m", "address", &micro_fdb_learn_hit, K *K},
	{"fdb/learn-age-100k", "address", &micro_fdb_age, 100 * K},
	{"fdb/learn-new-100k", "address", &micro_fdb_learn_new, 100 * K},
	{"fdb/learn-new-1m", "address", &micro_fdb_learn_new, K *K},
	{"pipeline/parse", "frame", &micro_parse, 1},
	{"pipeline/parse-tagged", "frame", &micro_parse_tagged, 1},
	{"pipeline/guard-ip4", "frame", &micro_guard, 4},
	{"pipeline/guard-ip6", "frame", &micro_guard, 6},
	{"pipeline/learn", "frame", &micro_learn, 1},
	{"pipeline/lookup", "frame", &micro_lookup, 1},
	{"pipeline/egress-1-port", "frame", &micro_egress, 1},
	{"pipeline/egress-8-ports", "frame", &micro_egress, 8},
	{"pipeline/poll-1-port", "frame", &micro_poll, 1},
	{"pipeline/poll-8-ports", "frame", &micro_poll, 8},
	{"pipeline/poll-tagged", "frame", &micro_poll_tagged, 1},
	{"pipeline/poll-own-ip4", "frame", &micro_poll_own, 4},
	{"pipeline/poll-guarded-ip4", "frame", &micro_poll_guarded, 4},
	{"pipeline/poll-guarded-ip6", "frame", &micro_poll_guarded, 6},
	{"vlan/push", "frame", &micro_vlan_push},
	{"vlan/pop", "frame", &micro_vlan_pop},
	{"offload/fits", "packet", &micro_fits},
	{"offload/checksum-64", "sum", &micro_checksum, 64, .bytes = 64},
	{"offload/checksum-1500", "sum", &micro_checksum, 1500, .bytes = 1500},
	{"offload/checksum-65000", "sum", &micro_checksum, 65000, .bytes = 65000},
	{"offload/finish-1514", "packet", &micro_finish, 1514, .bytes = 1514},
	{"offload/segment-tcp4", "segment", &micro_segment, 4, .bytes = 1448},
	{"offload/segment-tcp6", "segment", &micro_segment, 6, .bytes = 1448},
	{"offload/merge-tcp4", "frame", &micro_merge, 4, .bytes = 1448},
	{"offload/merge-tcp6", "frame", &micro_merge, 6, .bytes = 1448},
	{"offload/merge-none", "frame", &micro_merge_none},
	{"vxlan/encap-1", "frame", &micro_encap, 1},
	{"vxlan/encap-1000", "frame", &micro_encap, 1000},
	{"vxlan/decap-1", "frame", &micro_decap, 1},
	{"vxlan/decap-1000", "frame", &micro_decap, 1000},
};

struct rte_mempool *micro_pool, *micro_big_pool;

static const char *running = "";

static struct {
	bool list, json;
	int cpu; // -1: any
	unsigned repetitions;
	char **filters;
} options = {.cpu = -1, .repetitions = REPETITIONS};

void micro_check(bool ok, const char *what)
{
	if (ok)
		return;
	fprintf(stderr, "error: %s: it is not so that %s\n", running, what);
	exit(1);
}

static void usage(FILE *to)
{
	fprintf(to,
		"usage: micro [option...] [NAME...]   benchmarks whose names hold one of NAME\n"
		"  --list           name them\n"
		"  --cpu N          run on this CPU\n"
		"  --repetitions N  of each (%d)\n"
		"  --quick          %d of each: whether they work, not how fast\n"
		"  --json           print an object and no table\n",
		REPETITIONS, QUICK_REPETITIONS);
}

// A number of an option's argument from `least` on; ends the program when it is none.
static unsigned number(const char *text, unsigned least)
{
	char *end;
	unsigned long value = strtoul(text, &end, 10);

	if (end == text || *end || *text == '-' || value < least || value > INT32_MAX) {
		fprintf(stderr, "error: %s is not a number from %u on\n", text, least);
		exit(2);
	}
	return (unsigned)value;
}

static void parse_options(int argc, char **argv)
{
	static const struct option known[] = {
		{"list", no_argument, NULL, 'l'},
		{"cpu", required_argument, NULL, 'c'},
		{"repetitions", required_argument, NULL, 'r'},
		{"quick", no_argument, NULL, 'q'},
		{"json", no_argument, NULL, 'j'},
		{"help", no_argument, NULL, 'h'},
		{0},
	};
	int option;

	while ((option = getopt_long(argc, argv, "h", known, NULL)) != -1) {
		switch (option) {
		case 'l':
			options.list = true;
			break;
		case 'c':
			options.cpu = (int)number(optarg, 0);
			break;
		case 'r':
			options.repetitions = number(optarg, 1);
			break;
		case 'q':
			options.repetitions = QUICK_REPETITIONS;
			break;
		case 'j':
			options.json = true;
			break;
		case 'h':
			usage(stdout);
			exit(0);
		default:
			usage(stderr);
			exit(2);
		}
	}
	options.filters = argv + optind;
}

static bool is_chosen(const struct micro *micro)
{
	for (char **filter = options.filters; *filter; filter++) {
		if (strstr(micro->name, *filter))
			return true;
	}
	return !*options.filters;
}

// Each filter is to choose something, or it is misspelt.
static void check_filters(void)
{
	for (char **filter = options.filters; *filter; filter++) {
		bool found = false;

		for (unsigned i = 0; i < RTE_DIM(benchmarks); i++)
			found |= strstr(benchmarks[i].name, *filter) != NULL;
		if (!found) {
			fprintf(stderr, "error: no benchmark has %s in its name; see --list\n",
				*filter);
			exit(2);
		}
	}
}

static void start(void)
{
	char *eal[] = {"micro", "--no-huge", "--no-shconf", "-m", "64", "--no-pci",
		"--no-telemetry", "--log-level=error"};
	cpu_set_t cpus;

	if (options.cpu >= 0) {
		CPU_ZERO(&cpus);
		CPU_SET(options.cpu, &cpus);
		if (sched_setaffinity(0, sizeof(cpus), &cpus) < 0) {
			perror("error: --cpu");
			exit(1);
		}
	}
	// Without --cpu it takes the first of those that this process may use.
	if (rte_eal_init(RTE_DIM(eal), eal) < 0) {
		fprintf(stderr, "error: DPDK: %s\n", rte_strerror(rte_errno));
		exit(1);
	}
	micro_pool = rte_pktmbuf_pool_create(
		"pool", NB_MBUFS, POOL_CACHE, 0, RTE_MBUF_DEFAULT_BUF_SIZE, SOCKET_ID_ANY);
	micro_big_pool =
		rte_pktmbuf_pool_create("big_pool", NB_BIG_MBUFS, 0, 0, UINT16_MAX, SOCKET_ID_ANY);
	micro_check(micro_pool && micro_big_pool, "there is memory for buffers");
	counters_open();
}

static double megabytes_per_second(const struct micro *micro, const struct measured *m)
{
	if (!micro->bytes)
		return NAN;
	return micro->bytes * ((double)rte_get_tsc_hz() / m->cycles_median) / 1e6;
}

static void print_cell(int width, int decimals, double value)
{
	if (isnan(value))
		printf("  %*s", width, "-");
	else
		printf("  %*.*f", width, decimals, value);
}

static void print_head(void)
{
	printf("Cycles are ticks of the time stamp counter, %.0f a microsecond; %u repetitions.\n",
		(double)rte_get_tsc_hz() / 1e6, options.repetitions);
	for (unsigned i = 0; i < NB_COUNTERS; i++) {
		if (counter_missing(i))
			printf("Not available here: %s (%s).\n", counter_name[i],
				counter_missing(i));
	}
	printf("\n%-24s  %-8s  %10s  %10s  %12s  %12s  %8s\n", "", "each", "cycles min", "median",
		counter_name[COUNTER_INSTRUCTIONS], counter_name[COUNTER_CACHE_MISSES], "MB/s");
}

static void print_row(const struct micro *micro, const struct measured *m)
{
	printf("%-24s  %-8s", micro->name, micro->operation);
	print_cell(10, 1, m->cycles_min);
	print_cell(10, 1, m->cycles_median);
	print_cell(12, 1, m->counted[COUNTER_INSTRUCTIONS]);
	print_cell(12, 3, m->counted[COUNTER_CACHE_MISSES]);
	print_cell(8, 0, megabytes_per_second(micro, m));
	printf("\n");
	fflush(stdout);
}

static void print_member(const char *name, double value)
{
	if (isnan(value))
		printf(", \"%s\": null", name);
	else
		printf(", \"%s\": %.6g", name, value);
}

static void print_object(const struct micro *micro, const struct measured *m, bool first)
{
	printf("%s\n    {\"name\": \"%s\", \"operation\": \"%s\"", first ? "" : ",", micro->name,
		micro->operation);
	print_member("cycles_min", m->cycles_min);
	print_member("cycles_median", m->cycles_median);
	print_member("instructions", m->counted[COUNTER_INSTRUCTIONS]);
	print_member("cache_misses", m->counted[COUNTER_CACHE_MISSES]);
	print_member("megabytes_per_second", megabytes_per_second(micro, m));
	printf("}");
}

static void run_all(void)
{
	bool first = true;

	if (options.json)
		printf("{\n  \"tsc_hz\": %llu, \"repetitions\": %u, \"benchmarks\": [",
			(unsigned long long)rte_get_tsc_hz(), options.repetitions);
	else
		print_head();
	for (unsigned i = 0; i < RTE_DIM(benchmarks); i++) {
		struct measured m;

		if (!is_chosen(&benchmarks[i]))
			continue;
		running = benchmarks[i].name;
		measure(&benchmarks[i], options.repetitions, &m);
		if (options.json)
			print_object(&benchmarks[i], &m, first);
		else
			print_row(&benchmarks[i], &m);
		first = false;
	}
	if (options.json)
		printf("\n  ]\n}\n");
}

int main(int argc, char **argv)
{
	parse_options(argc, argv);
	check_filters();
	if (options.list) {
		for (unsigned i = 0; i < RTE_DIM(benchmarks); i++) {
			if (is_chosen(&benchmarks[i]))
				puts(benchmarks[i].name);
		}
		return 0;
	}
	start();
	run_all();
	micro_check(rte_mempool_in_use_count(micro_pool) == 0 &&
			    rte_mempool_in_use_count(micro_big_pool) == 0,
		"all buffers are back");
	counters_close();
	rte_eal_cleanup();
	return 0;
}
