// SPDX-License-Identifier: BSD-3-Clause
#include "config/yaml_in.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include <yaml.h>

#define DEPTH_MAX 10 // a configuration needs 6

struct loader {
	yaml_parser_t parser;
	struct lines *lines;
	struct report *report;
	const char *text;
	size_t len_bytes;
	bool broken; // nothing more can be read
};

static json_t *load_node(
	struct loader *in, const yaml_event_t *event, const char *path, unsigned depth);

static unsigned line_of(const yaml_event_t *event)
{
	return event->start_mark.line + 1;
}

// The reader, which looks at bytes, has offsets instead of lines.
static unsigned line_of_problem(const struct loader *in)
{
	const yaml_parser_t *parser = &in->parser;
	unsigned line = 1;

	if (parser->error != YAML_READER_ERROR)
		return parser->problem_mark.line + 1;
	for (size_t i = 0; i < in->len_bytes && i < parser->problem_offset; i++)
		line += in->text[i] == '\n';
	return line;
}

static void report_problem(struct loader *in)
{
	const yaml_parser_t *parser = &in->parser;

	in->broken = true;
	if (parser->error == YAML_MEMORY_ERROR)
		report_no_memory(in->report);
	else if (parser->context)
		report_add_line(in->report, line_of_problem(in), "",
			"malformed YAML: %s (%s that begins on line %zu)", parser->problem,
			parser->context, parser->context_mark.line + 1);
	else
		report_add_line(in->report, line_of_problem(in), "", "malformed YAML: %s",
			parser->problem ? parser->problem : "unknown problem");
}

static int next(struct loader *in, yaml_event_t *event)
{
	if (!in->broken && yaml_parser_parse(&in->parser, event))
		return 0;
	if (!in->broken)
		report_problem(in);
	return -1;
}

// After a failure: out of memory, unless what failed has been reported.
static json_t *no_memory(struct loader *in)
{
	if (!in->broken)
		report_no_memory(in->report);
	in->broken = true;
	return NULL;
}

static bool is_null(const yaml_event_t *event)
{
	static const char *const words[] = {"", "~", "null", "Null", "NULL"};
	const char *text = (const char *)event->data.scalar.value;

	if (event->data.scalar.style != YAML_PLAIN_SCALAR_STYLE)
		return false;
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (!strcmp(text, words[i]))
			return true;
	}
	return false;
}

static json_t *load_scalar(struct loader *in, const yaml_event_t *event)
{
	json_t *node;

	if (is_null(event))
		return json_null();
	node = json_stringn((const char *)event->data.scalar.value, event->data.scalar.length);
	return node ? node : no_memory(in);
}

static json_t *load_sequence(struct loader *in, const char *path, unsigned depth)
{
	char item_path[REPORT_PATH_BYTES];
	json_t *list = json_array(), *item;
	yaml_event_t event;
	bool end = false;

	while (list && !end && next(in, &event) == 0) {
		end = event.type == YAML_SEQUENCE_END_EVENT;
		if (!end) {
			report_path_item(item_path, path, json_array_size(list));
			item = load_node(in, &event, item_path, depth + 1);
			if (!item || json_array_append_new(list, item) < 0 ||
				(!json_is_null(item) &&
					lines_add(in->lines, item, line_of(&event)) < 0))
				no_memory(in);
		}
		yaml_event_delete(&event);
	}
	return list ? list : no_memory(in);
}

// Reads the value of `key` into `map`.
static void load_member(
	struct loader *in, const yaml_event_t *key, const char *path, unsigned depth, json_t *map)
{
	const char *text = (const char *)key->data.scalar.value;
	char member_path[REPORT_PATH_BYTES], shown[72];
	yaml_event_t event;
	json_t *value;
	void *iter;

	report_path(member_path, path, text);
	if (strlen(text) != key->data.scalar.length)
		report_add_line(
			in->report, line_of(key), path, "zero bytes are not allowed in a key");
	if (key->data.scalar.anchor || key->data.scalar.tag)
		report_add_line(in->report, line_of(key), member_path,
			"anchors (&) and tags (!) are not allowed; write the key as it is");
	if (next(in, &event) < 0)
		return;
	value = load_node(in, &event, member_path, depth + 1);
	yaml_event_delete(&event);
	iter = json_object_iter_at(map, text);
	if (iter) {
		report_add_line(in->report, line_of(key), member_path,
			"the key '%s' is already on line %u", report_shown(shown, text),
			lines_get(in->lines, json_object_iter_key(iter)));
		json_decref(value);
		return;
	}
	if (!value || json_object_set_new(map, text, value) < 0) {
		no_memory(in);
		return;
	}
	iter = json_object_iter_at(map, text);
	if (lines_add(in->lines, json_object_iter_key(iter), line_of(key)) < 0)
		no_memory(in);
}

// A key that is a list or a map.
static void skip_member(
	struct loader *in, const yaml_event_t *key, const char *path, unsigned depth)
{
	yaml_event_t event;

	report_add_line(in->report, line_of(key), path, "a key must be plain text");
	json_decref(load_node(in, key, path, depth + 1));
	if (next(in, &event) < 0)
		return;
	json_decref(load_node(in, &event, path, depth + 1));
	yaml_event_delete(&event);
}

static json_t *load_mapping(struct loader *in, const char *path, unsigned depth)
{
	json_t *map = json_object();
	yaml_event_t event;
	bool end = false;

	while (map && !end && next(in, &event) == 0) {
		end = event.type == YAML_MAPPING_END_EVENT;
		if (event.type == YAML_SCALAR_EVENT)
			load_member(in, &event, path, depth, map);
		else if (!end)
			skip_member(in, &event, path, depth);
		yaml_event_delete(&event);
	}
	return map ? map : no_memory(in);
}

static void check_marks(struct loader *in, const yaml_event_t *event, const char *path)
{
	const yaml_char_t *anchor = NULL, *tag = NULL;

	if (event->type == YAML_SCALAR_EVENT) {
		anchor = event->data.scalar.anchor;
		tag = event->data.scalar.tag;
	} else if (event->type == YAML_SEQUENCE_START_EVENT) {
		anchor = event->data.sequence_start.anchor;
		tag = event->data.sequence_start.tag;
	} else if (event->type == YAML_MAPPING_START_EVENT) {
		anchor = event->data.mapping_start.anchor;
		tag = event->data.mapping_start.tag;
	}
	if (anchor)
		report_add_line(in->report, line_of(event), path,
			"anchors (&) are not allowed; write the value as it is");
	if (tag)
		report_add_line(in->report, line_of(event), path,
			"tags (!) are not allowed; write the value as it is");
}

// Reads the node that `event` begins. NULL only when the loader is broken.
static json_t *load_node(
	struct loader *in, const yaml_event_t *event, const char *path, unsigned depth)
{
	if (depth > DEPTH_MAX) {
		in->broken = true;
		report_add_line(in->report, line_of(event), path, "nested too deep");
		return NULL;
	}
	check_marks(in, event, path);
	switch (event->type) {
	case YAML_SCALAR_EVENT:
		return load_scalar(in, event);
	case YAML_SEQUENCE_START_EVENT:
		return load_sequence(in, path, depth);
	case YAML_MAPPING_START_EVENT:
		return load_mapping(in, path, depth);
	default: // YAML_ALIAS_EVENT: nothing else stands in the place of a node
		report_add_line(in->report, line_of(event), path,
			"aliases (*) are not allowed; write the value as it is");
		return json_true();
	}
}

// The document after `STREAM-START`; NULL leaves the tree at null: there is none.
static void load_documents(struct loader *in, json_t **ret_root)
{
	unsigned nb_documents = 0;
	yaml_event_t event;
	bool end = false;

	while (!end && next(in, &event) == 0) {
		switch (event.type) {
		case YAML_STREAM_START_EVENT:
		case YAML_DOCUMENT_END_EVENT:
			break;
		case YAML_STREAM_END_EVENT:
			end = true;
			break;
		case YAML_DOCUMENT_START_EVENT:
			if (nb_documents++ == 0)
				break;
			report_add_line(in->report, line_of(&event), "",
				"a second document begins; a configuration is one document");
			end = true;
			break;
		default:
			json_decref(*ret_root);
			*ret_root = load_node(in, &event, "", 1);
			break;
		}
		yaml_event_delete(&event);
	}
}

json_t *yaml_load(const char *text, size_t len_bytes, struct lines *lines, struct report *report)
{
	struct loader in = {.lines = lines, .report = report, .text = text, .len_bytes = len_bytes};
	json_t *root = json_null();

	if (!yaml_parser_initialize(&in.parser)) {
		report_no_memory(report);
		return NULL;
	}
	yaml_parser_set_input_string(&in.parser, (const unsigned char *)text, len_bytes);
	load_documents(&in, &root);
	yaml_parser_delete(&in.parser);
	if (in.broken) {
		json_decref(root);
		return NULL;
	}
	return root;
}
