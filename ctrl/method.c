// SPDX-License-Identifier: BSD-3-Clause
#include "ctrl/method_priv.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <string.h>

#include "base/ip.h"
#include "base/mac.h"
#include "base/text.h"
#include "base/util.h"
#include "config/bind.h"
#include "config/conf.h"

// Where the check is: for messages only.
struct place {
	const struct ctrl_method *method;
	char path[128];
	struct ctrl_fault *fault;
};

static int refuse(struct place *at, enum ctrl_error error, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

static int refuse(struct place *at, enum ctrl_error error, const char *fmt, ...)
{
	char reason[sizeof(at->fault->err.reason)];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(reason, sizeof(reason), fmt, ap);
	va_end(ap);
	at->fault->error = error;
	snprintf(at->fault->param, sizeof(at->fault->param), "%s", at->path);
	return err_set(&at->fault->err, ctrl_error_info[error].code, at->method->name,
		"parameter '%s' %s", at->path, reason);
}

static int refuse_value(struct place *at, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

// A value comes from a user, who knows no methods and no indices: these are in the error's data.
static int refuse_value(struct place *at, const char *fmt, ...)
{
	char reason[sizeof(at->fault->err.reason)];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(reason, sizeof(reason), fmt, ap);
	va_end(ap);
	at->fault->error = CTRL_ERROR_OUT_OF_BOUNDS;
	snprintf(at->fault->param, sizeof(at->fault->param), "%s", at->path);
	return err_set(&at->fault->err, ctrl_error_info[CTRL_ERROR_OUT_OF_BOUNDS].code, NULL, "%s",
		reason);
}

// The last member of the path, without indices.
static const char *leaf_of(const struct place *at, char buf[64])
{
	const char *dot = strrchr(at->path, '.');

	snprintf(buf, 64, "%.63s", dot ? dot + 1 : at->path);
	buf[strcspn(buf, "[")] = '\0';
	return buf;
}

// What the name is of: "the bridge" and "name of the container" are helps of such parameters.
static const char *noun_of(const struct place *at, const struct ctrl_param *param, char buf[64])
{
	static const char *const heads[] = {"the ", "name of the "};

	for (unsigned i = 0; param->help && i < ARRAY_SIZE(heads); i++) {
		size_t len = strlen(heads[i]);

		if (strncmp(param->help, heads[i], len) != 0)
			continue;
		snprintf(buf, 64, "%.*s", (int)strcspn(param->help + len, " ,"), param->help + len);
		return buf;
	}
	return leaf_of(at, buf);
}

// Appends a member or an index to the path; returns the length to go back to.
static size_t enter(struct place *at, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static size_t enter(struct place *at, const char *fmt, ...)
{
	size_t len = strlen(at->path);
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(at->path + len, sizeof(at->path) - len, fmt, ap);
	va_end(ap);
	return len;
}

static void leave(struct place *at, size_t len)
{
	at->path[len] = '\0';
}

const struct ctrl_method *ctrl_method_find(
	const struct ctrl_method *methods, unsigned count, const char *name)
{
	for (unsigned i = 0; i < count; i++) {
		if (!strcmp(methods[i].name, name))
			return &methods[i];
	}
	return NULL;
}

static const char *list_allowed(const struct ctrl_param *param, char *buf, size_t len_bytes)
{
	char item[128];

	ctrl_param_allowed(param->item, item, sizeof(item));
	snprintf(buf, len_bytes, "a list of %" PRId64 " to %" PRId64 " items, each %s", param->min,
		param->max, item);
	return buf;
}

const char *ctrl_param_allowed(const struct ctrl_param *param, char *buf, size_t len_bytes)
{
	switch (param->type) {
	case CTRL_BOOL:
		snprintf(buf, len_bytes, "true or false");
		break;
	case CTRL_INT:
		snprintf(buf, len_bytes, "an integer from %" PRId64 " to %" PRId64, param->min,
			param->max);
		break;
	case CTRL_STRING:
		snprintf(buf, len_bytes, "a string of %" PRId64 " to %" PRId64 " bytes", param->min,
			param->max);
		break;
	case CTRL_NAME:
		snprintf(buf, len_bytes, "a name of 1 to %d bytes", CONF_NAME_BYTES - 1);
		break;
	case CTRL_MAC:
		snprintf(buf, len_bytes, "a MAC address such as 02:00:00:00:00:01");
		break;
	case CTRL_IP:
		snprintf(buf, len_bytes, "an IPv4 or IPv6 address");
		break;
	case CTRL_OBJECT:
		snprintf(buf, len_bytes, "an object");
		break;
	case CTRL_LIST:
		return list_allowed(param, buf, len_bytes);
	case CTRL_REAL:
	case CTRL_TIME:
	case CTRL_MAP:
		break; // not of parameters
	}
	return buf;
}

bool ctrl_has_type(enum ctrl_type type, const json_t *value)
{
	switch (type) {
	case CTRL_BOOL:
		return json_is_boolean(value);
	case CTRL_INT:
		return json_is_integer(value);
	case CTRL_STRING:
	case CTRL_NAME:
	case CTRL_MAC:
	case CTRL_IP:
	case CTRL_TIME:
		return json_is_string(value);
	case CTRL_REAL:
		return json_is_number(value);
	case CTRL_OBJECT:
	case CTRL_MAP:
		return json_is_object(value);
	case CTRL_LIST:
		return json_is_array(value);
	}
	return false;
}

static int check_members(
	struct place *at, const struct ctrl_param *params, const json_t *object, bool top);

static int check_range(
	struct place *at, const struct ctrl_param *param, int64_t value, const char *unit)
{
	char allowed[256], leaf[64];

	if (value >= param->min && value <= param->max)
		return 0;
	ctrl_param_allowed(param, allowed, sizeof(allowed));
	return refuse_value(
		at, "%s must be %s, not %" PRId64 "%s", leaf_of(at, leaf), allowed, value, unit);
}

static int check_value(struct place *at, const struct ctrl_param *param, const json_t *value);

static int check_list(struct place *at, const struct ctrl_param *param, const json_t *list)
{
	int rc = check_range(at, param, json_array_size(list), " items");

	for (size_t i = 0; rc == 0 && i < json_array_size(list); i++) {
		size_t back = enter(at, "[%zu]", i);

		rc = check_value(at, param->item, json_array_get(list, i));
		leave(at, back);
	}
	return rc;
}

static int check_name(struct place *at, const struct ctrl_param *param, const char *name)
{
	struct err err = {0};
	char noun[64];

	if (conf_name_check(name, noun_of(at, param, noun), &err) == 0)
		return 0;
	return refuse_value(at, "%s", err.reason);
}

// Text that is not what the type's parser takes.
static int refuse_text(struct place *at, const json_t *value, const char *what)
{
	char leaf[64];

	return refuse_value(
		at, "%s: '%.40s' is not %s", leaf_of(at, leaf), json_string_value(value), what);
}

static int check_value(struct place *at, const struct ctrl_param *param, const json_t *value)
{
	char allowed[256];
	struct ip_addr ip;
	struct mac mac;

	if (!ctrl_has_type(param->type, value)) {
		ctrl_param_allowed(param, allowed, sizeof(allowed));
		return refuse(at, CTRL_ERROR_BAD_TYPE, "must be %s, not %s", allowed,
			bind_type_name(value));
	}
	switch (param->type) {
	case CTRL_INT:
		return check_range(at, param, json_integer_value(value), "");
	case CTRL_STRING:
		return check_range(at, param, json_string_length(value), " bytes");
	case CTRL_NAME:
		return check_name(at, param, json_string_value(value));
	case CTRL_MAC:
		return mac_parse(json_string_value(value), &mac) == 0
			       ? 0
			       : refuse_text(at, value, "a MAC address such as 02:00:00:00:00:01");
	case CTRL_IP:
		return ip_parse(json_string_value(value), &ip) == 0
			       ? 0
			       : refuse_text(at, value, "an IP address");
	case CTRL_OBJECT:
		return param->fields ? check_members(at, param->fields, value, false) : 0;
	case CTRL_LIST:
		return check_list(at, param, value);
	default:
		return 0;
	}
}

static const struct ctrl_param *find(const struct ctrl_param *params, const char *name)
{
	for (; params->name; params++) {
		if (!strcmp(params->name, name))
			return params;
	}
	return NULL;
}

static void list_names(
	const struct ctrl_param *params, unsigned one_of, char *buf, size_t len_bytes)
{
	struct text text = text_over(buf, len_bytes);

	for (; params->name; params++) {
		if (!one_of || params->one_of == one_of)
			text_add_item(&text, ", ", "%s", params->name);
	}
}

static int check_given(
	struct place *at, const struct ctrl_param *params, const json_t *object, const char *dot)
{
	char names[256];
	const char *key;
	json_t *value;

	json_object_foreach ((json_t *)object, key, value) {
		const struct ctrl_param *param = find(params, key);
		size_t back = enter(at, "%s%.64s", dot, key);
		int rc;

		if (param) {
			rc = check_value(at, param, value);
		} else {
			list_names(params, 0, names, sizeof(names));
			rc = refuse(at, CTRL_ERROR_UNKNOWN_PARAM, "is not known; %s%s",
				names[0] ? "there are: " : "there are none", names);
		}
		leave(at, back);
		if (rc < 0)
			return rc;
	}
	return 0;
}

static int check_missing(
	struct place *at, const struct ctrl_param *param, const json_t *object, const char *dot)
{
	char allowed[256];
	size_t back;
	int rc;

	if (!param->required || json_object_get(object, param->name))
		return 0;
	back = enter(at, "%s%s", dot, param->name);
	ctrl_param_allowed(param, allowed, sizeof(allowed));
	rc = refuse(at, CTRL_ERROR_MISSING_PARAM, "is missing: %s (%s)", allowed, param->help);
	leave(at, back);
	return rc;
}

// Looks at a group of parameters that exclude each other, once, at its first member.
static int check_one_of(struct place *at, const struct ctrl_param *params,
	const struct ctrl_param *first, const json_t *object)
{
	char names[256];
	unsigned count = 0;

	for (const struct ctrl_param *p = params; p->name; p++) {
		if (p->one_of != first->one_of)
			continue;
		if (p < first)
			return 0;
		count += json_object_get(object, p->name) != NULL;
	}
	if (count == 1)
		return 0;
	list_names(params, first->one_of, names, sizeof(names));
	at->fault->error = count ? CTRL_ERROR_CONFLICTING_PARAMS : CTRL_ERROR_MISSING_PARAM;
	snprintf(at->fault->param, sizeof(at->fault->param), "%s", first->name);
	return err_set(&at->fault->err, -EINVAL, at->method->name,
		"exactly one of these parameters must be given: %s", names);
}

static int check_members(
	struct place *at, const struct ctrl_param *params, const json_t *object, bool top)
{
	const char *dot = top ? "" : ".";
	int rc = check_given(at, params, object, dot);

	for (const struct ctrl_param *p = params; rc == 0 && p->name; p++) {
		rc = check_missing(at, p, object, dot);
		if (rc == 0 && p->one_of)
			rc = check_one_of(at, params, p, object);
	}
	return rc;
}

int ctrl_check_params(
	const struct ctrl_method *method, const json_t *params, struct ctrl_fault *fault)
{
	struct place at = {.method = method, .fault = fault};

	memset(fault, 0, sizeof(*fault));
	return check_members(&at, method->params, params, true);
}

json_t *ctrl_events_json(const struct ctrl_event *events)
{
	json_t *list = json_array();

	for (; events->name; events++)
		json_array_append_new(list, json_pack("{s:s, s:s, s:s}", "name", events->name,
						    "data", events->data, "help", events->help));
	return json_pack("{s:o}", "events", list);
}
