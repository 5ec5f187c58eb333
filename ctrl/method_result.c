// SPDX-License-Identifier: BSD-3-Clause
// Results are held against their description in tests: what the reference page says of a result is
// what programs get.
#include <errno.h>
#include <string.h>

#include "base/ip.h"
#include "base/mac.h"
#include "base/text.h"
#include "base/utc.h"
#include "config/bind.h"
#include "ctrl/method_priv.h"

// Where the check is: for messages only.
struct place {
	const char *method;
	char path[128];
	struct err *err;
};

static const char *const type_names[] = {
	[CTRL_BOOL] = "true or false",
	[CTRL_INT] = "an integer",
	[CTRL_REAL] = "a number",
	[CTRL_STRING] = "a string",
	[CTRL_NAME] = "a name",
	[CTRL_MAC] = "a MAC address",
	[CTRL_IP] = "an IP address",
	[CTRL_TIME] = "a time",
	[CTRL_OBJECT] = "an object",
	[CTRL_LIST] = "a list",
	[CTRL_MAP] = "an object of items by name",
};

const char *ctrl_type_name(enum ctrl_type type)
{
	return type_names[type];
}

static int refuse(const struct place *at, const char *wrong, const char *type)
{
	return err_set(at->err, -EIO, at->method,
		"the result is not as its description says: '%s' %s%s", at->path, wrong, type);
}

// Appends to the path; returns the length to go back to.
static size_t enter(struct place *at, const char *joint, const char *name)
{
	struct text text = text_continue(at->path, sizeof(at->path));
	size_t back = text.len_bytes;

	text_add_item(&text, joint, "%s", name);
	return back;
}

static bool is_well_formed(enum ctrl_type type, const char *text)
{
	struct ip_addr ip;
	struct mac mac;

	switch (type) {
	case CTRL_MAC:
		return mac_parse(text, &mac) == 0;
	case CTRL_IP:
		return ip_parse(text, &ip) == 0;
	case CTRL_TIME:
		return utc_is_text(text);
	case CTRL_NAME:
		return text[0] != '\0';
	default:
		return true;
	}
}

static int check_object(
	struct place *at, const struct ctrl_object *object, const json_t *value, bool may_warn);

static int check_value(struct place *at, const struct ctrl_member *member, const json_t *value)
{
	const char *key;
	json_t *item;
	int rc = 0;

	if (member->nullable && json_is_null(value))
		return 0;
	if (!ctrl_has_type(member->type, value) ||
		(json_is_string(value) && !is_well_formed(member->type, json_string_value(value))))
		return refuse(at, "is not ", type_names[member->type]);
	if (member->type == CTRL_OBJECT)
		return check_object(at, member->object, value, false);
	if (!member->item)
		return 0;
	for (size_t i = 0; rc == 0 && i < json_array_size(value); i++) {
		size_t back = enter(at, "", "[]");

		rc = check_value(at, member->item, json_array_get(value, i));
		at->path[back] = '\0';
	}
	json_object_foreach ((json_t *)value, key, item) {
		size_t back = enter(at, ".", key);

		rc = rc < 0 ? rc : check_value(at, member->item, item);
		at->path[back] = '\0';
	}
	return rc;
}

static const struct ctrl_member *find(const struct ctrl_member *members, const char *name)
{
	for (; members->name; members++) {
		if (!strcmp(members->name, name))
			return members;
	}
	return NULL;
}

static int check_given(
	struct place *at, const struct ctrl_member *members, const json_t *value, bool may_warn)
{
	static const struct ctrl_member warning = {"warning", CTRL_STRING};
	const char *key;
	json_t *item;
	int rc = 0;

	json_object_foreach ((json_t *)value, key, item) {
		const struct ctrl_member *member = find(members, key);
		size_t back = enter(at, ".", key);

		if (!member && may_warn && !strcmp(key, warning.name))
			member = &warning;
		if (rc == 0)
			rc = member ? check_value(at, member, item)
				    : refuse(at, "is not described", "");
		at->path[back] = '\0';
	}
	return rc;
}

static int check_object(
	struct place *at, const struct ctrl_object *object, const json_t *value, bool may_warn)
{
	int rc;

	if (!object)
		return 0;
	rc = check_given(at, object->members, value, may_warn);
	for (const struct ctrl_member *m = object->members; rc == 0 && m->name; m++) {
		if (m->when || json_object_get(value, m->name))
			continue;
		enter(at, ".", m->name);
		return refuse(at, "is missing", "");
	}
	return rc;
}

int ctrl_check_result(const struct ctrl_method *method, const json_t *result, struct err *err)
{
	struct place at = {.method = method->name, .err = err};

	if (result && !json_is_object(result))
		return refuse(&at, "is not an object", "");
	return check_object(&at, method->result, result, method->is_write);
}

static const struct ctrl_member event_members[] = {{"name", CTRL_STRING, "the event"},
	{"data", CTRL_STRING, "members of its data"}, {"help", CTRL_STRING, "when it is sent"}, {}};
static const struct ctrl_object event = {NULL, NULL, event_members};
static const struct ctrl_member event_item = {.type = CTRL_OBJECT, .object = &event};

const struct ctrl_member ctrl_events_members[] = {
	{"events", CTRL_LIST, "the events", .item = &event_item}, {}};
