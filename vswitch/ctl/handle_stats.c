// SPDX-License-Identifier: BSD-3-Clause
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <rte_cycles.h>

#include "base/utc.h"
#include "base/util.h"
#include "ctrl/log_level.h"
#include "vswitch/ctl/handle.h"

static json_t *drops_by_reason(const struct dp_port_stats *cnt)
{
	json_t *obj = json_object();

	for (unsigned i = 0; i < DP_NB_DROPS; i++) {
		if (cnt->drop[i])
			json_object_set_new(obj, dp_drop_info[i].name, json_integer(cnt->drop[i]));
	}
	return obj;
}

// What has counters: a port, or a VTEP, which is on no bridge.
struct counted {
	const char *name, *bridge;
	bool up;
	uint16_t dp_id;
};

// Lists them into a new array: those of a bridge, the one of that name, or all. -ENOENT.
static int list_counted(struct vswitch *vs, const struct bridge *bridge, const char *name,
	struct counted **ret_list, unsigned *ret_count, struct err *err)
{
	struct counted *list = calloc(DP_PORTS_MAX, sizeof(*list));
	unsigned count = 0;
	const struct vtep_object *vo;
	const struct bridge *b;
	const struct vport *vp;

	if (!list)
		return handle_no_memory(err);
	TAILQ_FOREACH (b, vswitch_bridges(vs), entry) {
		TAILQ_FOREACH (vp, &b->ports, entry) {
			if ((!bridge || bridge == b) && (!name || !strcmp(name, vp->conf.name)))
				list[count++] = (struct counted){vp->conf.name, b->opts.name,
					vp->state == VPORT_UP, vp->dp_id};
		}
	}
	TAILQ_FOREACH (vo, &vswitch_vteps(vs)->list, entry) {
		if (!bridge && (!name || !strcmp(name, vo->conf.name)))
			list[count++] = (struct counted){vo->conf.name, NULL, vo->vtep, vo->dp_id};
	}
	*ret_list = list;
	*ret_count = count;
	return 0;
}

static json_t *stats_json(struct dp *dp, const struct counted *port)
{
	struct dp_port_stats cnt = {0};
	json_t *obj;

	dp_port_stats(dp, port->dp_id, &cnt);
	obj = json_pack("{s:s, s:s*, s:s, s:o}", "name", port->name, "bridge", port->bridge,
		"state", port->up ? "up" : "down", "drops", drops_by_reason(&cnt));
	counters_add(obj, dp_port_counters, &cnt);
	return obj;
}

// Of a request that names a port or VTEP, a bridge, or neither.
static int counted_of(struct switch_ctl *ctl, const json_t *params, struct counted **ret_list,
	unsigned *ret_count, struct err *err)
{
	const char *name = handle_param_text(params, "port");
	struct bridge *bridge;
	struct vport *port;
	int rc = handle_param_bridge(ctl->vs, params, "bridge", &bridge, err);

	if (rc == 0 && (!name || !vtep_object_find(vswitch_vteps(ctl->vs), name)))
		rc = handle_param_port(ctl->vs, params, "port", &port, err);
	return rc < 0 ? rc : list_counted(ctl->vs, bridge, name, ret_list, ret_count, err);
}

int switch_handle_stats(void *arg, const json_t *params, json_t **ret_result, struct err *err)
{
	struct switch_ctl *ctl = arg;
	struct counted *counted;
	unsigned count;
	json_t *list;
	int rc = counted_of(ctl, params, &counted, &count, err);

	if (rc < 0)
		return rc;
	list = json_array();
	for (unsigned i = 0; i < count; i++)
		json_array_append_new(list, stats_json(vswitch_dp(ctl->vs), &counted[i]));
	free(counted);
	*ret_result = json_pack("{s:I, s:o}", "time_us", (json_int_t)monotonic_us(), "ports", list);
	return *ret_result ? 0 : handle_no_memory(err);
}

int switch_handle_drops(void *arg, const json_t *params, json_t **ret_result, struct err *err)
{
	struct switch_ctl *ctl = arg;
	uint64_t total[DP_NB_DROPS] = {0};
	struct counted *counted;
	unsigned count;
	json_t *list;
	int rc = counted_of(ctl, params, &counted, &count, err);

	if (rc < 0)
		return rc;
	for (unsigned i = 0; i < count; i++) {
		struct dp_port_stats cnt = {0};

		dp_port_stats(vswitch_dp(ctl->vs), counted[i].dp_id, &cnt);
		for (unsigned k = 0; k < DP_NB_DROPS; k++)
			total[k] += cnt.drop[k];
	}
	free(counted);
	list = json_array();
	for (unsigned i = 0; i < DP_NB_DROPS; i++) {
		const struct dp_drop_info *info = &dp_drop_info[i];

		json_array_append_new(
			list, json_pack("{s:s, s:s, s:I, s:s}", "reason", info->name, "direction",
				      info->is_tx ? "tx" : "rx", "packets", (json_int_t)total[i],
				      "help", info->help));
	}
	*ret_result = json_pack("{s:o}", "drops", list);
	return *ret_result ? 0 : handle_no_memory(err);
}

static json_t *batch_sizes(const struct dp_worker_stats *s)
{
	json_t *list = json_array();

	for (unsigned i = 0; i < DP_BATCH_SIZES; i++)
		json_array_append_new(list, json_pack("{s:i, s:i, s:I}", "from", 1 << i, "to",
						    MIN_OF((2 << i) - 1, DP_BURST), "batches",
						    (json_int_t)s->batch_sizes[i]));
	return list;
}

static json_t *stages_json(const struct dp_worker_stats *s)
{
	json_t *list = json_array();

	for (unsigned i = 0; i < DP_NB_STAGES; i++) {
		json_t *obj = json_pack("{s:s}", "name", dp_stage_info[i].name);

		counters_add(obj, dp_stage_counters, &s->stage[i]);
		json_array_append_new(list, obj);
	}
	return list;
}

static json_t *worker_json(struct dp *dp, unsigned worker)
{
	struct dp_worker_stats s = {0};
	json_t *obj;

	dp_worker_stats(dp, worker, &s);
	obj = json_pack("{s:i, s:i, s:o, s:o}", "worker", (int)worker, "cpu", (int)s.cpu,
		"batch_sizes", batch_sizes(&s), "stages", stages_json(&s));
	counters_add(obj, dp_worker_counters, &s);
	return obj;
}

int switch_handle_workers(void *arg, const json_t *params, json_t **ret_result, struct err *err)
{
	struct switch_ctl *ctl = arg;
	struct dp *dp = vswitch_dp(ctl->vs);
	json_t *list = json_array();

	for (unsigned i = 0; i < dp_nb_workers(dp); i++)
		json_array_append_new(list, worker_json(dp, i));
	*ret_result = json_pack("{s:I, s:I, s:o}", "time_us", (json_int_t)monotonic_us(),
		"cycles_per_second", (json_int_t)rte_get_tsc_hz(), "workers", list);
	return *ret_result ? 0 : handle_no_memory(err);
}

static json_t *fdb_json(struct dp *dp)
{
	struct dp_fdb_stats s = {0};
	json_t *obj = json_object();

	dp_fdb_stats(dp, &s);
	counters_add(obj, dp_fdb_counters, &s);
	return obj;
}

// Whether the running configuration is on disk, and why not.
static json_t *state_json(const struct vswitch *vs)
{
	const struct vswitch_saving *saving = vswitch_saving(vs);
	const struct err *unsaved = vswitch_unsaved(vs);
	char text[sizeof(unsaved->path) + sizeof(unsaved->reason) + 4];
	json_t *obj = json_pack("{s:b, s:b, s:I}", "saved", unsaved->code == 0, "pending",
		saving->pending, "saves", (json_int_t)saving->count);

	if (unsaved->code < 0)
		json_object_set_new(
			obj, "reason", ctrl_json_text(err_text(unsaved, text, sizeof(text))));
	return obj;
}

int switch_handle_status(void *arg, const json_t *params, json_t **ret_result, struct err *err)
{
	struct switch_ctl *ctl = arg;
	unsigned nb_bridges = 0, nb_ports = 0, nb_up = 0;
	char started[UTC_TEXT_BYTES];
	struct dp *dp = vswitch_dp(ctl->vs);
	struct bridge *bridge;
	struct vport *port;

	TAILQ_FOREACH (bridge, vswitch_bridges(ctl->vs), entry) {
		nb_bridges++;
		TAILQ_FOREACH (port, &bridge->ports, entry) {
			nb_ports++;
			nb_up += port->state == VPORT_UP;
		}
	}
	*ret_result = json_pack("{s:s, s:i, s:s, s:s, s:i, s:i, s:i, s:i, s:o, s:o}", "version",
		CAUSEWAY_VERSION, "pid", (int)getpid(), "started",
		utc_of_monotonic(ctl->started_us, started), "run_dir", ctl->opts.run_dir, "workers",
		(int)dp_nb_workers(dp), "bridges", (int)nb_bridges, "ports", (int)nb_ports,
		"ports_up", (int)nb_up, "fdb", fdb_json(dp), "state", state_json(ctl->vs));
	return *ret_result ? 0 : handle_no_memory(err);
}

int switch_handle_events_list(void *arg, const json_t *params, json_t **ret_result, struct err *err)
{
	*ret_result = ctrl_events_json(switch_events);
	return *ret_result ? 0 : handle_no_memory(err);
}

int switch_handle_config_show(void *arg, const json_t *params, json_t **ret_result, struct err *err)
{
	struct switch_ctl *ctl = arg;
	struct conf conf;
	char *yaml;
	int rc = vswitch_running_conf(ctl->vs, true, &conf, err);

	if (rc < 0)
		return rc;
	yaml = conf_print(&conf);
	conf_fini(&conf);
	if (!yaml)
		return handle_no_memory(err);
	*ret_result = json_pack("{s:s}", "yaml", yaml);
	free(yaml);
	return *ret_result ? 0 : handle_no_memory(err);
}

int switch_handle_log_show(void *arg, const json_t *params, json_t **ret_result, struct err *err)
{
	return ctrl_log_show(ret_result, err);
}

int switch_handle_log_set(void *arg, const json_t *params, json_t **ret_result, struct err *err)
{
	return ctrl_log_set(params, ret_result, err);
}
