// SPDX-License-Identifier: BSD-3-Clause
// What the workers do: since they began, and within some seconds.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"
#include "base/util.h"
#include "cli/cli.h"
#include "cli/table.h"

static double share(double part, double whole)
{
	return whole > 0 ? part / whole : 0;
}

// ---- the difference of two readings ----

// The counter `name` of `now` less that of `before`.
static double since(const json_t *now, const json_t *before, const char *name)
{
	return member_int(now, name) - member_int(before, name);
}

static json_t *batch_sizes(const json_t *now, const json_t *before)
{
	const json_t *old = json_object_get(before, "batch_sizes");
	json_t *list = json_array(), *size;
	size_t i;

	json_array_foreach (json_object_get(now, "batch_sizes"), i, size)
		json_array_append_new(list,
			json_pack("{s:I, s:I, s:I}", "from", (json_int_t)member_int(size, "from"),
				"to", (json_int_t)member_int(size, "to"), "batches",
				(json_int_t)since(size, json_array_get(old, i), "batches")));
	return list;
}

// A stage whose packets were not sampled has null for cycles. `ret_cycles` gets those of all
// stages, for the packets that went through each.
static json_t *stages(const json_t *now, const json_t *before, double *ret_cycles)
{
	const json_t *old = json_object_get(before, "stages");
	json_t *list = json_array(), *stage;
	size_t i;

	*ret_cycles = 0;
	json_array_foreach (json_object_get(now, "stages"), i, stage) {
		const json_t *was = json_array_get(old, i);
		double packets = since(stage, was, "packets");
		double sampled = since(stage, was, "cycles_packets");
		double cycles = share(since(stage, was, "cycles"), sampled);

		*ret_cycles += cycles * packets;
		json_array_append_new(
			list, json_pack("{s:s, s:I, s:I, s:o}", "name", member_text(stage, "name"),
				      "calls", (json_int_t)since(stage, was, "calls"), "packets",
				      (json_int_t)packets, "cycles_per_packet",
				      sampled > 0 ? json_real(cycles) : json_null()));
	}
	return list;
}

static json_t *worker_perf(
	const json_t *now, const json_t *before, double seconds, double cycles_per_second)
{
	double packets = since(now, before, "packets");
	double busy = since(now, before, "busy_cycles"), idle = since(now, before, "idle_cycles");
	double all = MAX_OF(busy + idle, seconds * cycles_per_second), staged;
	json_t *list = stages(now, before, &staged);

	return json_pack("{s:I, s:I, s:I, s:I, s:f, s:f, s:f, s:f, s:f, s:f, s:f, s:f, s:I, s:o, "
			 "s:o}",
		"worker", (json_int_t)member_int(now, "worker"), "cpu",
		(json_int_t)member_int(now, "cpu"), "queues", (json_int_t)member_int(now, "queues"),
		"packets", (json_int_t)packets, "packets_per_second", packets / seconds,
		"packets_per_batch", share(packets, since(now, before, "batches")),
		"cycles_per_packet", share(busy, packets), "cycles_per_packet_outside_stages",
		share(MAX_OF(busy - staged, 0), packets), "empty_share",
		share(since(now, before, "empty_rounds"), since(now, before, "rounds")),
		"busy_share", share(busy, all), "idle_share", share(idle, all), "asleep_share",
		1 - share(busy + idle, all), "sleeps", (json_int_t)since(now, before, "sleeps"),
		"batch_sizes", batch_sizes(now, before), "stages", list);
}

static json_t *make_perf(const json_t *now, const json_t *before)
{
	double seconds = MAX_OF(since(now, before, "time_us"), 1) / 1e6;
	const json_t *old = json_object_get(before, "workers");
	json_t *list = json_array(), *worker;
	size_t i;

	json_array_foreach (json_object_get(now, "workers"), i, worker)
		json_array_append_new(list, worker_perf(worker, json_array_get(old, i), seconds,
						    member_real(now, "cycles_per_second")));
	return json_pack("{s:f, s:o}", "seconds", seconds, "workers", list);
}

// ---- tables ----

static void add_share(struct table *table, double value)
{
	table_add(table, "%.1f%%", 100 * value);
}

static void print_summary(const json_t *list)
{
	struct table table;
	json_t *w;
	size_t i;

	table_init(&table, "WORKER >CPU >QUEUES >PACKETS/S >PACKETS/BATCH >CYCLES/PACKET >EMPTY "
			   ">BUSY >IDLE >ASLEEP");
	json_array_foreach (list, i, w) {
		table_add(&table, "%lld", member_int(w, "worker"));
		table_add(&table, "%lld", member_int(w, "cpu"));
		table_add(&table, "%lld", member_int(w, "queues"));
		table_add(&table, "%.0f", member_real(w, "packets_per_second"));
		table_add(&table, "%.1f", member_real(w, "packets_per_batch"));
		table_add(&table, "%.0f", member_real(w, "cycles_per_packet"));
		add_share(&table, member_real(w, "empty_share"));
		add_share(&table, member_real(w, "busy_share"));
		add_share(&table, member_real(w, "idle_share"));
		add_share(&table, member_real(w, "asleep_share"));
	}
	table_print(&table);
}

static void print_stages(const json_t *list)
{
	char headings[256];
	struct text text = text_over(headings, sizeof(headings));
	const json_t *first = json_object_get(json_array_get(list, 0), "stages");
	struct table table;
	json_t *w, *stage;
	size_t i, k;

	text_addf(&text, "WORKER");
	json_array_foreach (first, k, stage)
		text_addf(&text, " >%s", member_text(stage, "name"));
	text_addf(&text, " >rx,tx");
	table_init(&table, headings);
	json_array_foreach (list, i, w) {
		table_add(&table, "%lld", member_int(w, "worker"));
		json_array_foreach (json_object_get(w, "stages"), k, stage) {
			const json_t *cycles = json_object_get(stage, "cycles_per_packet");

			if (json_is_null(cycles))
				table_add(&table, "-");
			else
				table_add(&table, "%.1f", json_number_value(cycles));
		}
		table_add(&table, "%.1f", member_real(w, "cycles_per_packet_outside_stages"));
	}
	printf("\nCycles per packet in each stage (sampled), and in receiving and sending:\n");
	table_print(&table);
}

static void print_sizes(const json_t *list)
{
	char headings[128];
	struct text text = text_over(headings, sizeof(headings));
	const json_t *first = json_object_get(json_array_get(list, 0), "batch_sizes");
	struct table table;
	json_t *w, *size;
	size_t i, k;

	text_addf(&text, "WORKER");
	json_array_foreach (first, k, size) {
		long long from = member_int(size, "from"), to = member_int(size, "to");

		text_addf(&text, " >%lld", from);
		if (to > from)
			text_addf(&text, "-%lld", to);
	}
	table_init(&table, headings);
	json_array_foreach (list, i, w) {
		double all = 0;

		json_array_foreach (json_object_get(w, "batch_sizes"), k, size)
			all += member_int(size, "batches");
		table_add(&table, "%lld", member_int(w, "worker"));
		json_array_foreach (json_object_get(w, "batch_sizes"), k, size)
			add_share(&table, share(member_int(size, "batches"), all));
	}
	printf("\nBatches by their number of packets:\n");
	table_print(&table);
}

static int perf(struct cli *cli, int argc, char **argv)
{
	json_t *before, *now, *result;
	double seconds = 1;
	int rc = argc ? cli_seconds("worker perf", argv[0], &seconds) : EXIT_DONE;

	if (rc == EXIT_DONE)
		rc = cli_call(cli, "workers", NULL, &before);
	if (rc != EXIT_DONE)
		return rc;
	usleep(seconds * 1e6);
	rc = cli_call(cli, "workers", NULL, &now);
	if (rc == EXIT_DONE) {
		result = make_perf(now, before);
		if (cli->json) {
			cli_print_json(result);
		} else {
			const json_t *list = json_object_get(result, "workers");

			print_summary(list);
			print_stages(list);
			print_sizes(list);
		}
		json_decref(result);
		json_decref(now);
	}
	json_decref(before);
	return rc;
}

static void print_workers(const struct cli *cli, const json_t *result)
{
	struct table table;
	json_t *w;
	size_t i;

	table_init(&table, "WORKER >CPU >QUEUES >PACKETS >BATCHES >ROUNDS >EMPTY >SLEEPS >BUSY");
	json_array_foreach (json_object_get(result, "workers"), i, w) {
		double busy = member_int(w, "busy_cycles");

		table_add(&table, "%lld", member_int(w, "worker"));
		table_add(&table, "%lld", member_int(w, "cpu"));
		table_add(&table, "%lld", member_int(w, "queues"));
		table_add(&table, "%lld", member_int(w, "packets"));
		table_add(&table, "%lld", member_int(w, "batches"));
		table_add(&table, "%lld", member_int(w, "rounds"));
		add_share(&table, share(member_int(w, "empty_rounds"), member_int(w, "rounds")));
		table_add(&table, "%lld", member_int(w, "sleeps"));
		add_share(&table, share(busy, busy + member_int(w, "idle_cycles")));
	}
	table_print(&table);
}

static int ls(struct cli *cli, int argc, char **argv)
{
	return cli_show(cli, "workers", NULL, print_workers);
}

static const struct verb verbs[] = {
	{"worker ls", "", "list the worker threads and what they have done since the start",
		.detail = "EMPTY is the share of rounds that found no packet, BUSY the share of "
			  "the time awake in which the worker moved packets.",
		.run = ls},
	{"worker perf", "[SECONDS]", "measure where the time goes: cycles, stages, batches",
		.other = "perf",
		.detail = "Measures for one second, or for SECONDS.\n"
			  "CYCLES/PACKET  cycles of rounds that moved packets, for each packet\n"
			  "EMPTY          share of rounds (polls of all queues) that found no "
			  "packet\n"
			  "BUSY           share of the time in rounds that moved packets\n"
			  "IDLE           share of the time in rounds that found none\n"
			  "ASLEEP         share of the time asleep; 0 with polling: busy",
		.max_args = 1, .run = perf},
	{},
};
const struct verb_group verb_group_worker = {"Worker threads", "vsctl worker perf 5", verbs};
