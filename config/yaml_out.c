// SPDX-License-Identifier: BSD-3-Clause
#include "config/yaml_out.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <yaml.h>

#define LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define DIGITS	"0123456789"

static int emit_node(yaml_emitter_t *emitter, const json_t *node, bool in_list);

static bool is_word(const char *text)
{
	static const char *const words[] = {
		"y", "n", "yes", "no", "on", "off", "true", "false", "null"};

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (!strcasecmp(text, words[i]))
			return true;
	}
	return false;
}

// Whether every YAML reader takes the bare `text` for text.
static bool is_plain(const char *text)
{
	size_t digits = strspn(text, DIGITS);

	if (!text[0])
		return false;
	if (digits) // a range of VLANs, an IPv4 address with its prefix
		return text[strspn(text, DIGITS "./-")] == '\0' &&
		       (strchr(text, '/') ||
			       (text[digits] == '-' && !strchr(text + digits + 1, '-') &&
				       !strchr(text, '.')));
	return strchr(LETTERS "/", text[0]) && text[strspn(text, LETTERS DIGITS "./@_-")] == '\0' &&
	       !is_word(text);
}

static int emit_text(yaml_emitter_t *emitter, const char *text, size_t len_bytes, bool plain)
{
	yaml_event_t event;

	return yaml_scalar_event_initialize(&event, NULL, NULL, (const yaml_char_t *)text,
		       len_bytes, plain, !plain,
		       plain ? YAML_PLAIN_SCALAR_STYLE : YAML_DOUBLE_QUOTED_SCALAR_STYLE) &&
	       yaml_emitter_emit(emitter, &event);
}

static int emit_list(yaml_emitter_t *emitter, const json_t *list)
{
	bool flow = !json_is_object(json_array_get(list, 0));
	yaml_event_t event;
	const json_t *item;
	size_t i;

	if (!yaml_sequence_start_event_initialize(&event, NULL, NULL, 1,
		    flow ? YAML_FLOW_SEQUENCE_STYLE : YAML_BLOCK_SEQUENCE_STYLE) ||
		!yaml_emitter_emit(emitter, &event))
		return 0;
	json_array_foreach (list, i, item) {
		if (!emit_node(emitter, item, true))
			return 0;
	}
	return yaml_sequence_end_event_initialize(&event) && yaml_emitter_emit(emitter, &event);
}

static int emit_map(yaml_emitter_t *emitter, const json_t *map, bool flow)
{
	yaml_event_t event;
	const json_t *value;
	const char *key;

	if (!yaml_mapping_start_event_initialize(&event, NULL, NULL, 1,
		    flow ? YAML_FLOW_MAPPING_STYLE : YAML_BLOCK_MAPPING_STYLE) ||
		!yaml_emitter_emit(emitter, &event))
		return 0;
	json_object_foreach ((json_t *)map, key, value) {
		if (!emit_text(emitter, key, strlen(key), is_plain(key)) ||
			!emit_node(emitter, value, false))
			return 0;
	}
	return yaml_mapping_end_event_initialize(&event) && yaml_emitter_emit(emitter, &event);
}

static int emit_node(yaml_emitter_t *emitter, const json_t *node, bool in_list)
{
	char digits[24];

	switch (json_typeof(node)) {
	case JSON_OBJECT:
		return emit_map(emitter, node, in_list || json_object_size(node) == 0);
	case JSON_ARRAY:
		return emit_list(emitter, node);
	case JSON_INTEGER:
		snprintf(digits, sizeof(digits), "%" JSON_INTEGER_FORMAT, json_integer_value(node));
		return emit_text(emitter, digits, strlen(digits), true);
	case JSON_STRING:
		return emit_text(emitter, json_string_value(node), json_string_length(node),
			is_plain(json_string_value(node)));
	case JSON_TRUE:
		return emit_text(emitter, "true", 4, true);
	case JSON_FALSE:
		return emit_text(emitter, "false", 5, true);
	default:
		return emit_text(emitter, "null", 4, true);
	}
}

static int emit_all(yaml_emitter_t *emitter, const json_t *root)
{
	yaml_event_t event;

	return yaml_stream_start_event_initialize(&event, YAML_UTF8_ENCODING) &&
	       yaml_emitter_emit(emitter, &event) &&
	       yaml_document_start_event_initialize(&event, NULL, NULL, NULL, 1) &&
	       yaml_emitter_emit(emitter, &event) && emit_node(emitter, root, false) &&
	       yaml_document_end_event_initialize(&event, 1) &&
	       yaml_emitter_emit(emitter, &event) && yaml_stream_end_event_initialize(&event) &&
	       yaml_emitter_emit(emitter, &event);
}

static int write_stream(void *arg, unsigned char *buffer, size_t len_bytes)
{
	return fwrite(buffer, 1, len_bytes, arg) == len_bytes;
}

char *yaml_print(const json_t *root)
{
	yaml_emitter_t emitter;
	char *text = NULL;
	size_t len_bytes;
	FILE *stream;
	int ok;

	stream = open_memstream(&text, &len_bytes);
	if (!stream)
		return NULL;
	ok = yaml_emitter_initialize(&emitter);
	if (ok) {
		yaml_emitter_set_output(&emitter, write_stream, stream);
		yaml_emitter_set_width(&emitter, -1);
		ok = emit_all(&emitter, root);
		yaml_emitter_delete(&emitter);
	}
	if (fclose(stream) != 0)
		ok = 0;
	if (!ok) {
		free(text);
		return NULL;
	}
	return text;
}
