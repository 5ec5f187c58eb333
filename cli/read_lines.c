// SPDX-License-Identifier: BSD-3-Clause
#include "cli/read_lines.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "config/conf.h"

#define WORDS_MAX 8

// A line of JSON: an object, or a list of objects.
static int add_json(const char *line, const char *where, json_t *list, struct err *err)
{
	json_error_t why;
	json_t *value = json_loads(line, JSON_REJECT_DUPLICATES, &why);

	if (!value)
		return err_set(err, -EINVAL, where, "this is not JSON: %s", why.text);
	if (json_is_array(value))
		json_array_extend(list, value);
	else
		json_array_append(list, value);
	json_decref(value);
	return 0;
}

static int add_words(char *line, const char *where, cli_line_fn *fn, json_t *list, struct err *err)
{
	char *word[WORDS_MAX], *save = NULL;
	struct err why = {0};
	unsigned count = 0;
	json_t *entry;

	for (char *w = strtok_r(line, " \t", &save); w; w = strtok_r(NULL, " \t", &save)) {
		if (count == WORDS_MAX)
			return err_set(err, -EINVAL, where, "the line has too many words");
		word[count++] = w;
	}
	entry = fn(word, count, &why);
	if (!entry)
		return err_set(err, -EINVAL, where, "%s%s%s", why.path, why.path[0] ? ": " : "",
			why.reason);
	json_array_append_new(list, entry);
	return 0;
}

static int add_line(char *line, const char *path, unsigned number, cli_line_fn *fn, json_t *list,
	struct err *err)
{
	char where[128];

	line += strspn(line, " \t");
	line[strcspn(line, "\r")] = '\0';
	snprintf(where, sizeof(where), "%.100s:%u", path, number);
	if (line[0] == '\0' || line[0] == '#')
		return 0;
	if (line[0] == '{' || line[0] == '[')
		return add_json(line, where, list, err);
	return add_words(line, where, fn, list, err);
}

int cli_load(struct cli *cli, const char *path, cli_line_fn *fn, json_t **ret_list)
{
	json_t *list = json_array();
	struct err err = {0};
	unsigned number = 1;
	char *text = NULL, *next;
	size_t len;
	int rc;

	if (!strcmp(path, "-"))
		path = "/dev/stdin";
	rc = file_read(path, CONF_FILE_MAX_BYTES, &text, &len, &err);
	if (rc == 0 && strlen(text) != len)
		rc = err_set(&err, -EINVAL, path, "the file is not text");
	for (char *line = text; rc == 0 && line; line = next, number++) {
		next = strchr(line, '\n');
		if (next)
			*next++ = '\0';
		rc = add_line(line, path, number, fn, list, &err);
	}
	free(text);
	if (rc == 0 && json_array_size(list) == 0)
		rc = err_set(&err, -EINVAL, path, "the file has no entries");
	if (rc < 0) {
		json_decref(list);
		return cli_fail(cli, &err);
	}
	*ret_list = list;
	return EXIT_DONE;
}

int cli_line_options(json_t *entry, cli_option_fn *fn, char **word, unsigned count, struct err *err)
{
	int rc = 0;

	for (unsigned i = 0; i < count && rc == 0; i++) {
		char *value = strchr(word[i], '=');

		if (!value)
			return err_set(err, -EINVAL, "",
				"'%.60s' is not an option: KEY=VALUE is expected", word[i]);
		*value++ = '\0';
		rc = fn(entry, word[i], value, err);
	}
	return rc;
}
