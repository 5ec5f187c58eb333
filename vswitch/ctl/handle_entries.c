// SPDX-License-Identifier: BSD-3-Clause
#include "vswitch/ctl/handle_entries.h"

#include <stdlib.h>

// Entries of a request.
struct request {
	struct bridge *bridge;
	void *entries;
	unsigned count;
};

static int bind_entries(struct switch_ctl *ctl, const struct entries_kind *kind,
	const json_t *params, struct request *ret_request, struct err *err)
{
	const json_t *list = json_object_get(params, "entries");
	struct request req = {.count = json_array_size(list)};
	char *entry;
	int rc = handle_param_bridge(ctl->vs, params, "bridge", &req.bridge, err);

	if (rc == 0)
		rc = handle_may_change_bridge(ctl, params, req.bridge, err);
	if (rc < 0)
		return rc;
	entry = req.entries = calloc(req.count, kind->entry_bytes);
	if (!req.entries)
		return handle_no_memory(err);
	for (size_t i = 0; i < req.count && rc == 0; i++)
		rc = kind->bind(json_array_get(list, i), entry + i * kind->entry_bytes, err);
	if (rc < 0)
		free(req.entries);
	else
		*ret_request = req;
	return rc;
}

int handle_entries_add(struct switch_ctl *ctl, const struct entries_kind *kind,
	const json_t *params, json_t **ret_result, struct err *err)
{
	struct request req;
	int rc = bind_entries(ctl, kind, params, &req, err);

	if (rc < 0)
		return rc;
	rc = kind->add(ctl->vs, req.bridge, req.entries, req.count, err);
	if (rc == 0)
		*ret_result = json_pack("{s:i}", "added", (int)req.count);
	free(req.entries);
	return rc;
}

int handle_entries_del(struct switch_ctl *ctl, const struct entries_kind *kind,
	const json_t *params, json_t **ret_result, struct err *err)
{
	bool if_exists = handle_param_flag(params, "if_exists");
	struct request req;
	unsigned deleted;
	int rc = bind_entries(ctl, kind, params, &req, err);

	if (rc < 0)
		return rc;
	rc = kind->del(ctl->vs, req.bridge, req.entries, req.count, if_exists, &deleted, err);
	if (rc == 0)
		*ret_result = json_pack("{s:i}", "deleted", (int)deleted);
	free(req.entries);
	return rc;
}
