// SPDX-License-Identifier: BSD-3-Clause
// Control messages: whatever bytes come, they are parsed, checked, bound or refused, and the answer
// is a JSON object that says which.
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "config/conf.h"
#include "ctrl/method.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void demand(int condition)
{
	if (!condition)
		abort();
}

// What handlers do with objects that the method tables leave to config/.
static int bind_objects(const struct ctrl_request *req, struct err *err)
{
	const json_t *port = json_object_get(req->params, "port");
	const json_t *bridge = json_object_get(req->params, "bridge");
	struct conf_bridge_opts opts;
	struct conf_port conf;
	int rc = 0;

	conf_port_init(&conf);
	conf_bridge_opts_init(&opts);
	if (json_is_object(port))
		rc = conf_port_bind(port, "port", &conf, err);
	if (rc == 0 && json_is_object(bridge))
		rc = conf_bridge_bind(bridge, "bridge", &opts, err);
	return rc;
}

static void check_answer(char *text, const char *member)
{
	json_t *answer = text ? json_loads(text, 0, NULL) : NULL;

	demand(json_is_object(answer));
	demand(json_object_get(answer, member) != NULL);
	demand(json_object_get(answer, "id") != NULL);
	json_decref(answer);
	free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct ctrl_method *method;
	struct ctrl_fault fault = {0};
	struct ctrl_request req;
	int rc;

	rc = ctrl_request_parse((const char *)data, size, &req, &fault);
	if (rc == 0) {
		method = ctrl_method_find(ctrl_switch_methods, CTRL_NB_SWITCH_METHODS, req.method);
		if (!method)
			method = &ctrl_switch_methods[CTRL_METHOD_PORT_ADD];
		rc = ctrl_check_params(method, req.params, &fault);
	}
	if (rc == 0) {
		rc = bind_objects(&req, &fault.err);
		fault.error = ctrl_error_of_errno(rc);
	}
	demand(rc == 0 || fault.err.reason[0]);
	if (rc == 0)
		check_answer(ctrl_result_text(req.id, req.params), "result");
	else
		check_answer(ctrl_fault_text(req.id, &fault), "error");
	ctrl_request_fini(&req);
	return 0;
}
