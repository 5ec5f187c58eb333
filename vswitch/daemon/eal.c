// SPDX-License-Identifier: BSD-3-Clause
#include "vswitch/daemon/eal.h"

#include <dirent.h>
#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_mbuf.h>

#include "base/log.h"
#include "base/text.h"
#include "base/util.h"
#include "ports/dpdk_probe.h"

#define HUGEPAGES_DIR	 "/sys/kernel/mm/hugepages"
#define MBUF_EXTRA_BYTES 320	       // mbuf, mempool header and trailer, cache padding
#define HEAP_BYTES	 (64ull << 20) // devices, rings, rounding
#define BIG_ROOM_BYTES	 UINT16_MAX    // the most that an mbuf can describe
#define POOL_CACHE	 256
// Just enough that a worker gets the buffer back that it freed last, still in its cache.
#define BIG_POOL_CACHE	 32

static uint64_t needed_bytes(const struct conf *conf)
{
	return conf->mbufs * (uint64_t)(RTE_MBUF_DEFAULT_BUF_SIZE + MBUF_EXTRA_BYTES) +
	       conf->big_mbufs * (uint64_t)(BIG_ROOM_BYTES + MBUF_EXTRA_BYTES) + HEAP_BYTES;
}

static uint64_t read_number(const char *dir, const char *file)
{
	unsigned long long value = 0;
	char path[512];
	FILE *f;

	snprintf(path, sizeof(path), HUGEPAGES_DIR "/%s/%s", dir, file);
	f = fopen(path, "re");
	if (!f)
		return 0;
	if (fscanf(f, "%llu", &value) != 1)
		value = 0;
	fclose(f);
	return value;
}

static uint64_t free_hugepage_bytes(void)
{
	DIR *dir = opendir(HUGEPAGES_DIR);
	uint64_t best = 0;
	struct dirent *entry;
	unsigned long size_kb;

	if (!dir)
		return 0;
	while ((entry = readdir(dir))) {
		if (sscanf(entry->d_name, "hugepages-%lukB", &size_kb) != 1)
			continue;
		best = MAX_OF(best, read_number(entry->d_name, "free_hugepages") * size_kb * 1024);
	}
	closedir(dir);
	return best;
}

static int choose_hugepages(const struct conf *conf, bool *ret_use, struct err *err)
{
	uint64_t need = needed_bytes(conf), have;

	if (conf->hugepages == CONF_HUGEPAGES_OFF) {
		*ret_use = false;
		return 0;
	}
	have = free_hugepage_bytes();
	if (have < need && conf->hugepages == CONF_HUGEPAGES_ON)
		return err_set(err, -ENOMEM, "hugepages",
			"%llu MiB are free and %llu MiB are needed; reserve more "
			"(sysctl vm.nr_hugepages) or set `hugepages: auto`",
			(unsigned long long)(have >> 20), (unsigned long long)(need >> 20));
	*ret_use = have >= need;
	return 0;
}

// "0@(0,1)": one DPDK lcore that floats over all CPUs the process may use; the workers are threads
// of our own.
static void lcores_option(const cpu_set_t *cpus, char *buf, size_t len_bytes)
{
	struct text text = text_over(buf, len_bytes);
	const char *comma = "";

	text_addf(&text, "--lcores=0@(");
	for (unsigned cpu = 0; cpu < CPU_SETSIZE; cpu++) {
		if (!CPU_ISSET(cpu, cpus))
			continue;
		text_addf(&text, "%s%u", comma, cpu);
		comma = ",";
	}
	text_addf(&text, ")");
}

static int start_dpdk(const struct conf *conf, bool hugepages, struct err *err)
{
	char lcores[8192], memory[32];
	char *argv[16] = {"vswitchd", "--no-telemetry", "--iova-mode=va", lcores,
		// No PCI device is taken unless a port names it.
		"--allow=pci:0000:00:00.0"};
	int argc = 5;
	cpu_set_t cpus;

	sched_getaffinity(0, sizeof(cpus), &cpus);
	lcores_option(&cpus, lcores, sizeof(lcores));
	argv[argc++] =
		log_get_level() >= LOG_LEVEL_DEBUG ? "--log-level=info" : "--log-level=error";
	if (hugepages) {
		argv[argc++] = "--in-memory";
		// One file for all pages: vhost-user takes no more than a few.
		argv[argc++] = "--single-file-segments";
	} else {
		// The same for anonymous memory, which --in-memory does not go with.
		argv[argc++] = "--no-shconf";
		snprintf(memory, sizeof(memory), "%llu",
			(unsigned long long)(needed_bytes(conf) >> 20));
		argv[argc++] = "--no-huge";
		argv[argc++] = "-m";
		argv[argc++] = memory;
	}
	if (rte_eal_init(argc, argv) < 0)
		return err_set(
			err, -rte_errno, "DPDK", "cannot start: %s", rte_strerror(rte_errno));
	sched_setaffinity(0, sizeof(cpus), &cpus);
	return 0;
}

int eal_check(const struct conf *conf, struct err *err)
{
	bool hugepages;

	return choose_hugepages(conf, &hugepages, err);
}

int eal_start(const struct conf *conf, struct eal *ret_eal, struct err *err)
{
	struct eal eal = {0};
	int rc;

	rc = choose_hugepages(conf, &eal.hugepages, err);
	if (rc < 0)
		return rc;
	rc = start_dpdk(conf, eal.hugepages, err);
	if (rc < 0)
		return rc;
	eal.pool = rte_pktmbuf_pool_create(
		"pool", conf->mbufs, POOL_CACHE, 0, RTE_MBUF_DEFAULT_BUF_SIZE, SOCKET_ID_ANY);
	if (eal.pool)
		eal.big_pool = rte_pktmbuf_pool_create("big_pool", conf->big_mbufs, BIG_POOL_CACHE,
			0, BIG_ROOM_BYTES, SOCKET_ID_ANY);
	if (!eal.big_pool) {
		rc = -rte_errno;
		rte_mempool_free(eal.pool);
		return err_set_errno(err, rc, "mbufs",
			"cannot make %u buffers of 2 KiB and %u of 64 KiB; lower mbufs or "
			"big-mbufs",
			conf->mbufs, conf->big_mbufs);
	}
	log_info("%u buffers of 2 KiB and %u of 64 KiB, %s hugepages", conf->mbufs, conf->big_mbufs,
		eal.hugepages ? "on" : "without");
	*ret_eal = eal;
	return 0;
}

void eal_stop(struct eal *eal)
{
	rte_mempool_free(eal->pool);
	rte_mempool_free(eal->big_pool);
	if (!dpdk_has_abandoned())
		rte_eal_cleanup();
}
