// SPDX-License-Identifier: BSD-3-Clause
// The part of Docker's --format that vsctl has, over JSON objects:
//
//	{{.Field}}       a member, as text; dots lead into objects: {{.Labels.tier}}
//	{{json .Field}}  a member, as JSON
//	{{json .}}       the whole object, as JSON
//	table TEXT       a table: TEXT has one field for each column, with "\t" between them
//	json             the same as {{json .}}
//
// "\t" and "\n" in the text are a tab and a new line. Fields are members by their name, in upper or
// lower case, '_' left out or not: {{.EndpointsHere}} is endpoints_here. Anything else is refused.
// Pure functions.
#pragma once

#include <stdbool.h>

#include <jansson.h>

#include "base/err.h"
#include "base/text.h"

#define TEMPLATE_PIECES_MAX 32

struct template_piece {
	enum { TEMPLATE_TEXT, TEMPLATE_FIELD, TEMPLATE_JSON } kind;
	char text[64]; // the text itself; or the path of a field, "" for the whole object
};

struct template
{
	bool is_table;
	unsigned nb_pieces;
	struct template_piece pieces[TEMPLATE_PIECES_MAX];
};

// -EINVAL: it is refused, and `err` says what there is.
int template_parse(const char *text, struct template *ret, struct err *err);

// Adds what the template makes of an object to `out`, without a new line. A field is one of
// `fields` (NULL ends), or of its object; one that the object has not is empty. -EINVAL: it is
// neither.
int template_add(const struct template *t, const json_t *obj, const char *const *fields,
	struct text *out, struct err *err);

// Adds the headings of the columns of a table, with tabs between them.
void template_headings(const struct template *t, struct text *out);
