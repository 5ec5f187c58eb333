// SPDX-License-Identifier: BSD-3-Clause
#include "cli/template.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define SUPPORTED                                                                                  \
	"the format may have {{.Field}}, {{json .Field}} and {{json .}}, begin with `table `, or " \
	"be `json`"

// ---- parsing ----

static int add_piece(struct template *t, int kind, const char *text, size_t len, struct err *err)
{
	struct template_piece *piece = &t->pieces[t->nb_pieces];

	if (t->nb_pieces == TEMPLATE_PIECES_MAX || len >= sizeof(piece->text))
		return err_set(err, -EINVAL, "--format", "the format is too long");
	t->nb_pieces++;
	piece->kind = kind;
	memcpy(piece->text, text, len);
	piece->text[len] = '\0';
	return 0;
}

// Text up to the next "{{": a piece for each character that is not itself.
static int add_text(struct template *t, const char **text, struct err *err)
{
	const char *at = *text, *end = strstr(at, "{{");
	char buf[sizeof(t->pieces->text)];
	size_t len = 0;

	for (end = end ? end : at + strlen(at); at < end; at++) {
		if (len == sizeof(buf) - 1)
			return err_set(err, -EINVAL, "--format", "the format is too long");
		if (at[0] == '\\' && (at[1] == 't' || at[1] == 'n'))
			buf[len++] = *++at == 't' ? '\t' : '\n';
		else
			buf[len++] = *at;
	}
	*text = end;
	return len ? add_piece(t, TEMPLATE_TEXT, buf, len, err) : 0;
}

// A path ".a.b", or "." for the whole object; 0 when it is none.
static size_t path_len(const char *text)
{
	size_t len = 0;

	if (text[0] != '.')
		return 0;
	while (text[len] == '.' && (isalnum(text[len + 1]) || text[len + 1] == '_'))
		len += 1 + strspn(text + len + 1,
				   "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				   "0123456789_-");
	return len ? len : 1;
}

// "{{.Field}}" and what else there is in braces.
static int add_action(struct template *t, const char **text, struct err *err)
{
	const char *at = *text + 2, *end = strstr(at, "}}");
	int kind = TEMPLATE_FIELD;
	size_t len;

	if (!end)
		return err_set(err, -EINVAL, "--format", "'%.40s' has no '}}'", *text);
	at += strspn(at, " ");
	if (!strncmp(at, "json ", 5)) {
		kind = TEMPLATE_JSON;
		at += strspn(at + 4, " ") + 4;
	}
	len = path_len(at);
	if (!len || at + len + strspn(at + len, " ") != end || (len == 1 && kind != TEMPLATE_JSON))
		return err_set(err, -EINVAL, "--format", "'%.*s' is not supported; " SUPPORTED,
			(int)(end + 2 - *text), *text);
	*text = end + 2;
	return add_piece(t, kind, at + 1, len - 1, err);
}

int template_parse(const char *text, struct template *ret, struct err *err)
{
	struct template t = {0};
	int rc = 0;

	if (!strcmp(text, "json"))
		text = "{{json .}}";
	t.is_table = !strncmp(text, "table ", 6);
	if (t.is_table)
		text += strlen("table ");
	while (rc == 0 && *text)
		rc = !strncmp(text, "{{", 2) ? add_action(&t, &text, err)
					     : add_text(&t, &text, err);
	if (rc == 0 && !t.nb_pieces)
		rc = err_set(err, -EINVAL, "--format", "the format is empty; " SUPPORTED);
	if (rc == 0)
		*ret = t;
	return rc;
}

// ---- printing ----

static char folded(const char **at)
{
	*at += strspn(*at, "_");
	return tolower((unsigned char)**at);
}

// Whether a member is called so; `name` ends at '.' or '\0'.
static bool is_called(const char *member, const char *name)
{
	for (;; member++, name++) {
		char a = folded(&member), b = folded(&name);

		if (!a || !b || b == '.')
			return !a && (!b || b == '.');
		if (a != b)
			return false;
	}
}

static const json_t *member_called(const json_t *obj, const char *name, bool *ret_found)
{
	const char *key;
	json_t *value;

	json_object_foreach ((json_t *)obj, key, value) {
		if (is_called(key, name)) {
			*ret_found = true;
			return value;
		}
	}
	return NULL;
}

static int unknown_field(
	const json_t *obj, const char *const *fields, const char *path, struct err *err)
{
	char list[400];
	struct text text = text_over(list, sizeof(list));
	const char *key;
	json_t *value;

	for (; fields && *fields; fields++)
		text_add_item(&text, ", ", "%s", *fields);
	if (!list[0]) {
		json_object_foreach ((json_t *)obj, key, value)
			text_add_item(&text, ", ", "%s", key);
	}
	return err_set(err, -EINVAL, "--format", "there is no field '%.40s'; the fields are %s",
		path, list);
}

// The value at a path; `ret_value` NULL: the object does not have it.
static int look_up(const json_t *obj, const char *const *fields, const char *path,
	const json_t **ret_value, struct err *err)
{
	const json_t *value = obj;
	bool found = false;

	for (unsigned i = 0; fields && fields[i]; i++)
		found |= is_called(fields[i], path);
	for (const char *at = path; value && *at;) {
		value = member_called(value, at, &found);
		at += strcspn(at, ".");
		at += *at == '.';
	}
	if (*path && !found)
		return unknown_field(obj, fields, path, err);
	*ret_value = value;
	return 0;
}

static void add_json(struct text *out, const json_t *value)
{
	char *json = json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY | JSON_REAL_PRECISION(9));

	text_addf(out, "%s", json ? json : "null");
	free(json);
}

static void add_value(struct text *out, const json_t *value)
{
	const char *key, *joint = "";
	json_t *item;
	size_t i;

	if (json_is_string(value)) {
		text_addf(out, "%s", json_string_value(value));
	} else if (json_is_array(value)) {
		json_array_foreach (value, i, item) {
			text_addf(out, "%s", i ? "," : "");
			add_value(out, item);
		}
	} else if (json_is_object(value)) {
		json_object_foreach ((json_t *)value, key, item) {
			text_addf(out, "%s%s=", joint, key);
			add_value(out, item);
			joint = ",";
		}
	} else if (value && !json_is_null(value)) {
		add_json(out, value);
	}
}

int template_add(const struct template *t, const json_t *obj, const char *const *fields,
	struct text *out, struct err *err)
{
	for (unsigned i = 0; i < t->nb_pieces; i++) {
		const struct template_piece *piece = &t->pieces[i];
		const json_t *value = NULL;

		if (piece->kind == TEMPLATE_TEXT) {
			text_addf(out, "%s", piece->text);
			continue;
		}
		if (look_up(obj, fields, piece->text, &value, err) < 0)
			return err->code;
		if (piece->kind == TEMPLATE_JSON)
			add_json(out, value);
		else
			add_value(out, value);
	}
	return 0;
}

void template_headings(const struct template *t, struct text *out)
{
	for (unsigned i = 0; i < t->nb_pieces; i++) {
		const struct template_piece *piece = &t->pieces[i];

		if (piece->kind == TEMPLATE_TEXT)
			text_addf(out, "%s", piece->text);
		for (const char *c = piece->text; piece->kind != TEMPLATE_TEXT && *c; c++)
			text_addf(out, "%c", toupper((unsigned char)*c));
	}
}
