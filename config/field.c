// SPDX-License-Identifier: BSD-3-Clause
#include "config/field.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/ip.h"
#include "base/mac.h"
#include "base/text.h"
#include "config/conf.h"
#include "config/report.h"

static void *at(const struct schema_field *field, void *obj)
{
	return (char *)obj + field->offset;
}

static const void *at_const(const struct schema_field *field, const void *obj)
{
	return (const char *)obj + field->offset;
}

static bool *given(const struct schema_field *field, const void *obj)
{
	return (bool *)((char *)obj + field->given_offset);
}

static unsigned *count_of(const struct schema_field *field, const void *obj)
{
	return (unsigned *)((char *)obj + field->given_offset);
}

bool field_is_list(const struct schema_field *field)
{
	return field->type == SCHEMA_IPS || field->type == SCHEMA_HOSTS ||
	       field->type == SCHEMA_VLANS || field->type == SCHEMA_CPUS;
}

bool field_is_section(const struct schema_field *field)
{
	return field->type == SCHEMA_MAP || field->type == SCHEMA_LIST;
}

// ---- numbers of any width ----

uint64_t field_uint(const struct schema_field *field, const void *obj)
{
	const void *value = at_const(field, obj);

	switch (field->size_bytes) {
	case 1:
		return *(const uint8_t *)value;
	case 2:
		return *(const uint16_t *)value;
	default:
		return *(const uint32_t *)value;
	}
}

static void set_uint(const struct schema_field *field, void *obj, uint64_t number)
{
	switch (field->size_bytes) {
	case 1:
		*(uint8_t *)at(field, obj) = number;
		break;
	case 2:
		*(uint16_t *)at(field, obj) = number;
		break;
	default:
		*(uint32_t *)at(field, obj) = number;
		break;
	}
}

// Decimal digits and nothing else. A leading zero is refused: YAML 1.1 would make it octal.
static int parse_uint(const char *text, size_t len, uint64_t *ret_number)
{
	uint64_t number = 0;

	if (len < 1 || len > 10 || (len > 1 && text[0] == '0'))
		return -EINVAL;
	for (size_t i = 0; i < len; i++) {
		if (text[i] < '0' || text[i] > '9')
			return -EINVAL;
		number = number * 10 + (text[i] - '0');
	}
	*ret_number = number;
	return 0;
}

// ---- what is allowed ----

static const char *names_text(const struct schema_field *field, char buf[FIELD_WHY_BYTES])
{
	struct text text = text_over(buf, FIELD_WHY_BYTES);

	text_addf(&text, "%s is", field->key);
	for (unsigned i = 0; field->names[i]; i++) {
		const char *joint = i == 0 ? " " : field->names[i + 1] ? ", " : " or ";

		text_addf(&text, "%s%s", joint, field->names[i]);
	}
	return buf;
}

const char *field_allowed(const struct schema_field *field, char buf[FIELD_WHY_BYTES])
{
	if (field->type == SCHEMA_ENUM)
		return names_text(field, buf);
	if (field->allowed)
		return field->allowed;
	return field->check("");
}

static int refuse(const char *text, const char *allowed, char why[FIELD_WHY_BYTES])
{
	char shown[72];
	bool bare = text[0] && text[strspn(text, "0123456789")] == '\0';
	const char *quote = bare ? "" : "'";

	snprintf(why, FIELD_WHY_BYTES, "%s%s%s is not allowed; %.280s", quote,
		report_shown(shown, text), quote, allowed);
	return -EINVAL;
}

// ---- one function a type ----

// on and true are the same, as are off and false. False: it is neither.
static bool set_bool(const struct schema_field *field, const char *text, void *obj)
{
	bool is_true = !strcmp(text, "true") || !strcmp(text, "on");

	if (!is_true && strcmp(text, "false") != 0 && strcmp(text, "off") != 0)
		return false;
	set_uint(field, obj, schema_bool_value(field, is_true));
	return true;
}

static int set_enum(
	const struct schema_field *field, const char *text, void *obj, char why[FIELD_WHY_BYTES])
{
	char allowed[FIELD_WHY_BYTES];
	const char *nearest;
	struct text more;

	for (unsigned i = 0; field->names[i]; i++) {
		if (!strcmp(text, field->names[i])) {
			set_uint(field, obj, i);
			return 0;
		}
	}
	if (schema_is_bool(field) && set_bool(field, text, obj))
		return 0;
	refuse(text, names_text(field, allowed), why);
	nearest = schema_nearest_name(field->names, text);
	more = text_continue(why, FIELD_WHY_BYTES);
	if (nearest)
		text_addf(&more, "; did you mean '%s'?", nearest);
	return -EINVAL;
}

static int set_number(
	const struct schema_field *field, const char *text, void *obj, char why[FIELD_WHY_BYTES])
{
	uint64_t number;

	if (field->word && !strcmp(text, field->word)) {
		set_uint(field, obj, field->word_value);
		return 0;
	}
	if (parse_uint(text, strlen(text), &number) < 0 || number < field->min ||
		number > field->max)
		return refuse(text, field->allowed, why);
	set_uint(field, obj, number);
	return 0;
}

static bool is_utf8(const char *text)
{
	json_t *string = json_string(text);

	json_decref(string);
	return string;
}

static int set_text(
	const struct schema_field *field, const char *text, void *obj, char why[FIELD_WHY_BYTES])
{
	const char *allowed = field->check(text);
	char *value = at(field, obj);
	size_t len = strlen(text);

	if (allowed)
		return refuse(text, allowed, why);
	for (const unsigned char *c = (const unsigned char *)text; *c; c++) {
		if (*c < ' ' || *c == 0x7f)
			return refuse(text, "control characters are not allowed", why);
	}
	if (!is_utf8(text))
		return refuse("the text", "it must be UTF-8", why);
	if (len >= field->size_bytes) {
		snprintf(why, FIELD_WHY_BYTES,
			"the text of %zu bytes is too long; %s has at most "
			"%zu",
			len, field->key, field->size_bytes - 1);
		return -EINVAL;
	}
	memset(value, 0, field->size_bytes);
	memcpy(value, text, len);
	return 0;
}

static int set_mac(
	const struct schema_field *field, const char *text, void *obj, char why[FIELD_WHY_BYTES])
{
	const char *allowed;
	struct mac mac;

	if (mac_parse(text, &mac) < 0)
		return refuse(text, field->allowed, why);
	allowed = field->check ? field->check(&mac) : NULL;
	if (allowed)
		return refuse(text, allowed, why);
	*(struct mac *)at(field, obj) = mac;
	if (field->given_offset)
		*given(field, obj) = true;
	return 0;
}

static int add_ip(
	const struct schema_field *field, const char *text, void *obj, char why[FIELD_WHY_BYTES])
{
	char(*ips)[64] = at(field, obj);
	unsigned *count = count_of(field, obj);
	const char *allowed = field->check(text);

	if (allowed)
		return refuse(text, allowed, why);
	for (unsigned i = 0; i < *count; i++) {
		if (!strcmp(ips[i], text))
			return refuse(text, "it is given twice", why);
	}
	if (*count == field->size_bytes / sizeof(*ips)) {
		snprintf(why, FIELD_WHY_BYTES, "there are too many; %s has at most %zu addresses",
			field->key, field->size_bytes / sizeof(*ips));
		return -EINVAL;
	}
	// The longest address with a prefix is 49 bytes (check_ip(), check_source()).
	snprintf(ips[(*count)++], sizeof(*ips), "%s", text);
	return 0;
}

// One address; with `ret_prefix` a prefix length may follow, else it is 0.
static int parse_host(const struct schema_field *field, const char *text, struct ip_addr *ret_ip,
	unsigned *ret_prefix, char why[FIELD_WHY_BYTES])
{
	const char *allowed;

	if (ret_prefix)
		*ret_prefix = 0;
	if (ret_prefix && strchr(text, '/')) {
		if (ip_parse_prefix(text, ret_ip, ret_prefix) < 0 || *ret_prefix == 0)
			return refuse(text, field->allowed, why);
	} else if (ip_parse(text, ret_ip) < 0) {
		return refuse(text, field->allowed, why);
	}
	allowed = field->check ? field->check(ret_ip) : NULL;
	return allowed ? refuse(text, allowed, why) : 0;
}

static int set_ip(
	const struct schema_field *field, const char *text, void *obj, char why[FIELD_WHY_BYTES])
{
	unsigned *prefix = field->given_offset ? count_of(field, obj) : NULL;

	return parse_host(field, text, at(field, obj), prefix, why);
}

static int add_host(
	const struct schema_field *field, const char *text, void *obj, char why[FIELD_WHY_BYTES])
{
	struct ip_addr *hosts = at(field, obj), ip;
	unsigned *count = count_of(field, obj);
	int rc = parse_host(field, text, &ip, NULL, why);

	if (rc < 0)
		return rc;
	for (unsigned i = 0; i < *count; i++) {
		if (ip_equal(&hosts[i], &ip))
			return refuse(text, "it is given twice", why);
	}
	if (*count == field->size_bytes / sizeof(*hosts)) {
		snprintf(why, FIELD_WHY_BYTES, "there are too many; %s has at most %zu addresses",
			field->key, field->size_bytes / sizeof(*hosts));
		return -EINVAL;
	}
	hosts[(*count)++] = ip;
	return 0;
}

static int add_vlans(
	const struct schema_field *field, const char *text, void *obj, char why[FIELD_WHY_BYTES])
{
	const char *dash = strchr(text, '-');
	struct vlan_set *set = at(field, obj);
	uint64_t first, last;

	if (parse_uint(text, dash ? (size_t)(dash - text) : strlen(text), &first) < 0)
		return refuse(text, field->allowed, why);
	last = first;
	if (dash && parse_uint(dash + 1, strlen(dash + 1), &last) < 0)
		return refuse(text, field->allowed, why);
	if (first > field->max || last > field->max)
		return refuse(text, field->allowed, why);
	if (first > last)
		return refuse(text, "a range begins with its lower id", why);
	for (unsigned vid = first; vid <= last; vid++)
		vlan_set_add(set, vid);
	*given(field, obj) = true;
	return 0;
}

static int add_cpu(
	const struct schema_field *field, const char *text, void *obj, char why[FIELD_WHY_BYTES])
{
	unsigned *cpus = at(field, obj), *count = count_of(field, obj);
	uint64_t cpu;

	if (parse_uint(text, strlen(text), &cpu) < 0 || cpu > field->max)
		return refuse(text, field->allowed, why);
	for (unsigned i = 0; i < *count; i++) {
		if (cpus[i] == cpu)
			return refuse(text, "the CPU is given twice", why);
	}
	if (*count == field->size_bytes / sizeof(*cpus)) {
		snprintf(why, FIELD_WHY_BYTES, "there are too many; %s has at most %zu CPUs",
			field->key, field->size_bytes / sizeof(*cpus));
		return -EINVAL;
	}
	cpus[(*count)++] = cpu;
	return 0;
}

// ---- the interface ----

void field_reset(const struct schema_field *field, void *obj)
{
	if (field_is_section(field))
		return;
	memset(at(field, obj), 0, field->size_bytes);
	switch (field->type) {
	case SCHEMA_ENUM:
	case SCHEMA_UINT:
		set_uint(field, obj, field->derive ? field->derive(obj) : field->initial);
		break;
	case SCHEMA_MAC:
	case SCHEMA_VLANS:
		if (field->given_offset)
			*given(field, obj) = false;
		break;
	case SCHEMA_IPS:
	case SCHEMA_HOSTS:
	case SCHEMA_CPUS:
		*count_of(field, obj) = 0;
		break;
	case SCHEMA_IP:
		if (field->given_offset)
			*count_of(field, obj) = 0;
		break;
	default:
		break;
	}
}

bool field_is_default(const struct schema_field *field, const void *obj)
{
	switch (field->type) {
	case SCHEMA_ENUM:
	case SCHEMA_UINT:
		return field_uint(field, obj) ==
		       (field->derive ? field->derive(obj) : field->initial);
	case SCHEMA_TEXT:
		return *(const char *)at_const(field, obj) == '\0';
	case SCHEMA_MAC:
		return field->given_offset ? !*given(field, obj)
					   : mac_is_zero(at_const(field, obj));
	case SCHEMA_VLANS:
		return !*given(field, obj);
	case SCHEMA_IPS:
	case SCHEMA_HOSTS:
	case SCHEMA_CPUS:
		return *count_of(field, obj) == 0;
	case SCHEMA_IP:
		return ((const struct ip_addr *)at_const(field, obj))->family == 0;
	default:
		return true;
	}
}

static bool same_ips(const char (*a)[64], const char (*b)[64], unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		if (strcmp(a[i], b[i]) != 0)
			return false;
	}
	return true;
}

static bool same_hosts(const struct ip_addr *a, const struct ip_addr *b, unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		if (!ip_equal(&a[i], &b[i]))
			return false;
	}
	return true;
}

static bool same_list(const struct schema_field *field, const void *a, const void *b)
{
	unsigned count = *count_of(field, a);

	if (count != *count_of(field, b))
		return false;
	if (field->type == SCHEMA_IPS)
		return same_ips(at_const(field, a), at_const(field, b), count);
	if (field->type == SCHEMA_HOSTS)
		return same_hosts(at_const(field, a), at_const(field, b), count);
	return !memcmp(at_const(field, a), at_const(field, b), count * sizeof(unsigned));
}

bool field_equal(const struct schema_field *field, const void *a, const void *b)
{
	const void *left = at_const(field, a), *right = at_const(field, b);

	if (field_is_default(field, a) && field_is_default(field, b) && !field->derive)
		return true;
	switch (field->type) {
	case SCHEMA_ENUM:
	case SCHEMA_UINT:
		return field_uint(field, a) == field_uint(field, b);
	case SCHEMA_TEXT:
		return !strcmp(left, right);
	case SCHEMA_MAC:
	case SCHEMA_VLANS:
		if (field->given_offset && *given(field, a) != *given(field, b))
			return false;
		return !memcmp(left, right, field->size_bytes);
	case SCHEMA_IP:
		return ip_equal(left, right) &&
		       (!field->given_offset || *count_of(field, a) == *count_of(field, b));
	case SCHEMA_IPS:
	case SCHEMA_HOSTS:
	case SCHEMA_CPUS:
		return same_list(field, a, b);
	default:
		return true;
	}
}

int field_add(
	const struct schema_field *field, const char *item, void *obj, char why[FIELD_WHY_BYTES])
{
	switch (field->type) {
	case SCHEMA_IPS:
		return add_ip(field, item, obj, why);
	case SCHEMA_HOSTS:
		return add_host(field, item, obj, why);
	case SCHEMA_VLANS:
		return add_vlans(field, item, obj, why);
	case SCHEMA_CPUS:
		return add_cpu(field, item, obj, why);
	default:
		return -EINVAL;
	}
}

static int set_list(
	const struct schema_field *field, const char *text, void *obj, char why[FIELD_WHY_BYTES])
{
	field_reset(field, obj);
	for (;;) {
		size_t len = strcspn(text, ","), blanks = strspn(text, " ");
		char item[128];
		int rc;

		if (blanks > len)
			blanks = len;
		snprintf(item, sizeof(item), "%.*s", (int)(len - blanks), text + blanks);
		for (size_t end = strlen(item); end > 0 && item[end - 1] == ' '; end--)
			item[end - 1] = '\0';
		rc = field_add(field, item, obj, why);
		if (rc < 0 || text[len] == '\0')
			return rc;
		text += len + 1;
	}
}

int field_set(
	const struct schema_field *field, const char *text, void *obj, char why[FIELD_WHY_BYTES])
{
	switch (field->type) {
	case SCHEMA_ENUM:
		return set_enum(field, text, obj, why);
	case SCHEMA_UINT:
		return set_number(field, text, obj, why);
	case SCHEMA_TEXT:
		return set_text(field, text, obj, why);
	case SCHEMA_MAC:
		return set_mac(field, text, obj, why);
	case SCHEMA_IP:
		return set_ip(field, text, obj, why);
	case SCHEMA_IPS:
	case SCHEMA_HOSTS:
	case SCHEMA_VLANS:
	case SCHEMA_CPUS:
		return set_list(field, text, obj, why);
	default:
		snprintf(why, FIELD_WHY_BYTES, "'%s' cannot be given as text", field->key);
		return -EINVAL;
	}
}
