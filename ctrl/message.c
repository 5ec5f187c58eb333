// SPDX-License-Identifier: BSD-3-Clause
#include "ctrl/message.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/util.h"

const struct ctrl_error_info ctrl_error_info[CTRL_NB_ERRORS] = {
#define X(symbol, name_, errno_, help_)                                                            \
	[CTRL_ERROR_##symbol] = {.name = name_, .help = help_, .code = -errno_},
	CTRL_ERRORS(X)
#undef X
};

enum ctrl_error ctrl_error_of_errno(int code)
{
	if (code == -EACCES)
		code = -EPERM;
	if (code == -EADDRINUSE)
		code = -EBUSY;
	if (code == -ENXIO)
		code = -ENODEV;
	if (code == -ECONNRESET)
		code = -ECONNREFUSED;
	for (int i = CTRL_NB_ERRORS - 1; i >= 0; i--) {
		if (ctrl_error_info[i].code == code)
			return i;
	}
	return CTRL_ERROR_FAILED;
}

int ctrl_error_to_errno(const char *name)
{
	for (unsigned i = 0; i < CTRL_NB_ERRORS; i++) {
		if (!strcmp(ctrl_error_info[i].name, name))
			return ctrl_error_info[i].code;
	}
	return -EIO;
}

static int refuse(struct ctrl_fault *fault, enum ctrl_error error, const char *reason)
{
	fault->error = error;
	return err_set(&fault->err, ctrl_error_info[error].code, NULL, "%s", reason);
}

// The parser recurses, so the depth is looked at before it runs.
static bool too_deep(const char *text, size_t len_bytes)
{
	bool in_string = false;
	int depth = 0;

	for (size_t i = 0; i < len_bytes; i++) {
		char c = text[i];

		if (in_string) {
			if (c == '\\')
				i++;
			else if (c == '"')
				in_string = false;
		} else if (c == '"') {
			in_string = true;
		} else if (c == '{' || c == '[') {
			if (++depth > CTRL_DEPTH_MAX)
				return true;
		} else if (c == '}' || c == ']') {
			depth--;
		}
	}
	return false;
}

static int load(const char *text, size_t len_bytes, json_t **ret_root, struct ctrl_fault *fault)
{
	json_error_t why;
	char reason[256];

	if (len_bytes > CTRL_MESSAGE_MAX_BYTES) {
		snprintf(reason, sizeof(reason),
			"the message has %zu bytes, %u are allowed; split it into several",
			len_bytes, CTRL_MESSAGE_MAX_BYTES);
		return refuse(fault, CTRL_ERROR_TOO_BIG, reason);
	}
	if (too_deep(text, len_bytes)) {
		snprintf(reason, sizeof(reason),
			"the message is not a request: more than %d objects and lists inside "
			"each other",
			CTRL_DEPTH_MAX);
		return refuse(fault, CTRL_ERROR_BAD_JSON, reason);
	}
	*ret_root = json_loadb(text, len_bytes, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &why);
	if (!*ret_root) {
		snprintf(reason, sizeof(reason), "the message is not JSON: line %d, column %d: %s",
			why.line, why.column, why.text);
		return refuse(fault, CTRL_ERROR_BAD_JSON, reason);
	}
	return 0;
}

static int check_members(const json_t *root, struct ctrl_fault *fault)
{
	static const char *const known[] = {"id", "method", "params", "timeout_ms"};
	const char *key;
	json_t *value;

	json_object_foreach ((json_t *)root, key, value) {
		bool found = false;

		for (unsigned i = 0; i < ARRAY_SIZE(known); i++)
			found = found || !strcmp(key, known[i]);
		if (found)
			continue;
		fault->error = CTRL_ERROR_BAD_REQUEST;
		return err_set(&fault->err, -EPROTO, NULL,
			"a request has the members id, method, params and timeout_ms, not "
			"'%.64s'",
			key);
	}
	return 0;
}

static bool is_id(const json_t *id)
{
	return json_is_string(id) || json_is_integer(id) || json_is_null(id);
}

static int take_timeout(const json_t *value, unsigned *ret_ms, struct ctrl_fault *fault)
{
	json_int_t ms = json_integer_value(value);

	if (!value)
		return 0;
	if (!json_is_integer(value) || ms < 1 || ms > CTRL_TIMEOUT_MAX_MS)
		return refuse(fault, CTRL_ERROR_BAD_REQUEST,
			"the timeout_ms of a request is 1 to 86400000 milliseconds");
	*ret_ms = ms;
	return 0;
}

int ctrl_request_parse(
	const char *text, size_t len_bytes, struct ctrl_request *ret_req, struct ctrl_fault *fault)
{
	json_t *root = NULL, *id, *method, *params;
	int rc;

	memset(fault, 0, sizeof(*fault));
	memset(ret_req, 0, sizeof(*ret_req));
	rc = load(text, len_bytes, &root, fault);
	if (rc < 0)
		return rc;
	ret_req->root = root;
	if (!json_is_object(root))
		return refuse(fault, CTRL_ERROR_BAD_REQUEST, "a request is a JSON object");
	id = json_object_get(root, "id");
	if (id && !is_id(id))
		return refuse(fault, CTRL_ERROR_BAD_REQUEST,
			"the id of a request is a string, an integer or null");
	ret_req->id = id;
	rc = check_members(root, fault);
	if (rc < 0)
		return rc;
	method = json_object_get(root, "method");
	if (!json_is_string(method))
		return refuse(
			fault, CTRL_ERROR_BAD_REQUEST, "a request has a method, which is a string");
	ret_req->method = json_string_value(method);
	params = json_object_get(root, "params");
	if (!params) {
		params = json_object();
		if (!params || json_object_set_new(root, "params", params) < 0)
			return refuse(fault, CTRL_ERROR_NO_MEMORY, "out of memory");
	}
	if (!json_is_object(params))
		return refuse(
			fault, CTRL_ERROR_BAD_REQUEST, "the params of a request are a JSON object");
	ret_req->params = params;
	return take_timeout(json_object_get(root, "timeout_ms"), &ret_req->timeout_ms, fault);
}

void ctrl_request_fini(struct ctrl_request *req)
{
	json_decref(req->root);
	memset(req, 0, sizeof(*req));
}

json_t *ctrl_json_text(const char *text)
{
	json_t *string = json_string(text);
	char clean[1024];
	size_t i;

	if (string)
		return string;
	for (i = 0; text[i] && i < sizeof(clean) - 1; i++)
		clean[i] = (unsigned char)text[i] < 0x80 ? text[i] : '?';
	clean[i] = '\0';
	return json_string(clean);
}

// Takes `message` over, which may be NULL.
static char *dump(json_t *message)
{
	char *text = message ? json_dumps(message, JSON_COMPACT) : NULL;

	json_decref(message);
	return text;
}

char *ctrl_request_text(
	json_int_t id, const char *method, const json_t *params, unsigned timeout_ms)
{
	json_t *timeout = timeout_ms ? json_integer(timeout_ms) : NULL;

	return dump(json_pack("{s:I, s:s, s:O*, s:o*}", "id", id, "method", method, "params",
		params, "timeout_ms", timeout));
}

char *ctrl_result_text(const json_t *id, const json_t *result)
{
	json_t *empty = json_object();
	char *text = dump(json_pack("{s:O?, s:O}", "id", id, "result", result ? result : empty));

	json_decref(empty);
	return text;
}

char *ctrl_fault_text(const json_t *id, const struct ctrl_fault *fault)
{
	char message[sizeof(fault->err.path) + sizeof(fault->err.reason) + 4];
	json_t *data = json_object();

	err_text(&fault->err, message, sizeof(message));
	if (fault->err.path[0])
		json_object_set_new(data, "object", ctrl_json_text(fault->err.path));
	if (fault->param[0])
		json_object_set_new(data, "param", ctrl_json_text(fault->param));
	return dump(json_pack("{s:O?, s:{s:s, s:o, s:o}}", "id", id, "error", "code",
		ctrl_error_info[fault->error].name, "message", ctrl_json_text(message), "data",
		data));
}
