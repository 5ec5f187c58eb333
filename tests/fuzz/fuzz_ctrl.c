// SPDX-License-Identifier: BSD-3-Clause
// Control messages: whatever bytes come, they are parsed, checked, bound or refused, and the answer
// is a JSON object that says which.
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "config/conf.h"
#include "vswitch/ctl/switch_method.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void demand(int condition)
{
	if (!condition)
		abort();
}

// The options of a request's object, without the name, as handlers have them.
static json_t *options_of(const json_t *obj)
{
	json_t *options = json_copy((json_t *)obj);

	json_object_del(options, "name");
	return options;
}

// A refused object leaves the structure as it was; what was taken comes out as JSON that is taken
// again and makes the same.
static int bind_port(const json_t *obj, struct err *err)
{
	struct conf_port conf, before, again;
	json_t *options = options_of(obj), *back;
	int rc;

	conf_port_init(&conf);
	conf_port_init(&again);
	before = conf;
	rc = conf_port_bind(options, "port x", &conf, err);
	json_decref(options);
	if (rc < 0) {
		demand(!memcmp(&conf, &before, sizeof(conf)));
		return rc;
	}
	back = conf_port_to_json(&conf, false);
	demand(back && conf_port_bind(back, "port x", &again, NULL) == 0);
	json_decref(back);
	demand(!memcmp(&conf, &again, sizeof(conf)));
	return 0;
}

static int bind_bridge(const json_t *obj, struct err *err)
{
	struct conf_bridge_opts opts, before, again;
	json_t *options = options_of(obj), *back;
	int rc;

	conf_bridge_opts_init(&opts);
	conf_bridge_opts_init(&again);
	before = opts;
	rc = conf_bridge_bind(options, "bridge x", &opts, err);
	json_decref(options);
	if (rc < 0) {
		demand(!memcmp(&opts, &before, sizeof(opts)));
		return rc;
	}
	back = conf_bridge_opts_to_json(&opts, false);
	demand(back && conf_bridge_bind(back, "bridge x", &again, NULL) == 0);
	json_decref(back);
	demand(!memcmp(&opts, &again, sizeof(opts)));
	return 0;
}

static int bind_endpoint(const json_t *obj, struct err *err)
{
	struct conf_vtep conf, before, again;
	json_t *options = options_of(obj), *back;
	int rc;

	conf_vtep_init(&conf);
	conf_vtep_init(&again);
	strcpy(conf.name, "x");
	strcpy(again.name, "x");
	before = conf;
	rc = conf_vtep_bind(options, "tunnel endpoint x", &conf, err);
	json_decref(options);
	if (rc < 0) {
		demand(!memcmp(&conf, &before, sizeof(conf)));
		return rc;
	}
	back = conf_vtep_to_json(&conf, false);
	demand(back && conf_vtep_bind(back, "tunnel endpoint x", &again, NULL) == 0);
	json_decref(back);
	demand(!memcmp(&conf, &again, sizeof(conf)));
	return 0;
}

// What handlers do with objects that the method tables leave to config/.
static int bind_objects(const struct ctrl_request *req, struct err *err)
{
	const json_t *port = json_object_get(req->params, "port");
	const json_t *bridge = json_object_get(req->params, "bridge");
	const json_t *ports = json_object_get(req->params, "ports");
	const json_t *endpoint = json_object_get(req->params, "vtep");
	int rc = 0;

	if (json_is_object(port))
		rc = bind_port(port, err);
	if (rc == 0 && json_is_object(bridge))
		rc = bind_bridge(bridge, err);
	if (rc == 0 && json_is_object(endpoint))
		rc = bind_endpoint(endpoint, err);
	for (size_t i = 0; rc == 0 && i < json_array_size(ports); i++)
		rc = bind_port(json_array_get(ports, i), err);
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
		method = ctrl_method_find(switch_methods, NB_SWITCH_METHODS, req.method);
		if (!method)
			method = &switch_methods[SWITCH_METHOD_PORT_ADD];
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
