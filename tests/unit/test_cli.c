// SPDX-License-Identifier: BSD-3-Clause
// vsctl's parts without a daemon: rows of verbs and options, suggestions, templates, filters.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/util.h"
#include "cli/cli.h"
#include "cli/network_ls.h"
#include "cli/template.h"

// ---- rows ----

struct row {
	const char *name;
	bool has_arg;
};

static struct row seen[200];
static unsigned nb_seen;

// Long options stand before the verb as well, so one name takes a value everywhere or nowhere.
static void check_option(const struct verb *verb, const struct cli_option *o)
{
	struct row *row = seen;

	while (row < seen + nb_seen && strcmp(row->name, o->name) != 0)
		row++;
	if (row == seen + nb_seen)
		seen[nb_seen++] = (struct row){o->name, o->arg};
	assert_int_equal(row->has_arg, !!o->arg);
	assert_ptr_equal(cli_find_option(verb, o->name, strlen(o->name)), o);
	if (o->other)
		assert_ptr_equal(cli_find_option(verb, o->other, strlen(o->other)), o);
	if (o->letter)
		assert_ptr_equal(cli_find_option(verb, (char[]){'-', o->letter, '\0'}, 2), o);
	assert_true(strlen(o->help) > 0);
}

static void check_verb(const struct verb *verb, void *arg)
{
	int words;
	char first[32], *argv[] = {first, strchr(verb->name, ' ')};

	snprintf(first, sizeof(first), "%.*s", (int)strcspn(verb->name, " "), verb->name);
	argv[1] += argv[1] ? 1 : 0;
	assert_ptr_equal(cli_find_verb(argv[1] ? 2 : 1, argv, &words), verb);
	assert_int_equal(words, argv[1] ? 2 : 1);
	assert_true(verb->run && strlen(verb->help) > 0);
	for (const struct cli_option *const *o = verb->options; o && *o; o++)
		check_option(verb, *o);
}

static void test_rows(void **state)
{
	cli_each_verb(check_verb, NULL);
	for (unsigned g = 0; g < nb_verb_groups; g++) {
		assert_memory_equal(verb_groups[g]->example, "vsctl ", 6);
		for (const struct verb *verb = verb_groups[g]->verbs; verb->name; verb++)
			assert_true(g >= nb_switch_groups || !strchr(verb->name, ' '));
	}
}

// ---- suggestions ----

static const struct {
	const char *typed[2], *meant; // NULL: nothing is suggested
} typos[] = {
	{{"ad-port"}, "add-port"},
	{{"add-prot"}, "add-port"},
	{{"addport"}, "add-port"},
	{{"add", "port"}, "add-port"},
	{{"add_br"}, "add-br"},
	{{"list-bridges"}, "list-br"},
	{{"ls-br"}, "list-br"},
	{{"list-port"}, "list-ports"},
	{{"show-ports"}, "list-ports"},
	{{"set-prot"}, "set-port"},
	{{"sow"}, "show"},
	{{"stat"}, "stats"},
	{{"staus"}, "status"},
	{{"drop"}, "drops"},
	{{"montior"}, "monitor"},
	{{"hepl"}, "help"},
	{{"fdb", "list"}, "fdb ls"},
	{{"fdb", "lst"}, "fdb ls"},
	{{"fdb", "lod"}, "fdb load"},
	{{"neighbour", "add"}, "neigh add"},
	{{"netwrok", "ls"}, "network ls"},
	{{"network", "craete"}, "network create"},
	{{"network", "conect"}, "network connect"},
	{{"network", "add"}, "network create"},
	{{"worker", "pref"}, "worker perf"},
	{{"dns", "qeury"}, "dns query"},
	// A noun alone asks for a list.
	{{"networks"}, "network ls"},
	{{"net"}, "network ls"},
	{{"vnis"}, "vni ls"},
	{{"neighbours"}, "neigh ls"},
	{{"remotes"}, "remote ls"},
	{{"networks", "ls"}, "network ls"},
	{{"networks", "rm"}, "network rm"},
	{{"networks", "c1"}, NULL},
	// What destroys, to who has written that.
	{{"delete-port"}, "del-port"},
	{{"remove-br"}, "del-br"},
	{{"del-prot"}, "del-port"},
	{{"delport"}, "del-port"},
	{{"getport"}, NULL},
	{{"fdb", "delete"}, "fdb rm"},
	{{"network", "delete"}, "network rm"},
	{{"netwok", "prune"}, "network prune"},
	{{"network", "disconect"}, NULL},
	// And to nobody else.
	{{"dl-port"}, NULL},
	{{"de-port"}, NULL},
	{{"sel-port"}, "set-port"},
	{{"dek-br"}, NULL},
	{{"bel-br"}, NULL},
	{{"fdb", "r"}, NULL},
	{{"fdb", "mr"}, NULL},
	{{"fdb", "flash"}, NULL},
	{{"dns", "flash"}, NULL},
	{{"network", "pruned"}, NULL},
	{{"network", "clean"}, NULL},
	{{"neigh", "am"}, NULL},
	// A word of the vocabulary is not a slip for another one.
	{{"get-port"}, "list-ports"},
	{{"set-neigh"}, NULL},
	{{"add-host"}, NULL},
	{{"host", "delete"}, "host rm"},
	{{"host", "add"}, NULL},
	{{"worker", "add"}, NULL},
	{{"config", "set"}, NULL},
	{{"remote", "set"}, NULL},
	{{"network", "flush"}, NULL},
	{{"fdb", "prune"}, NULL},
	{{"dns", "rm"}, NULL},
	{{"frobnicate"}, NULL},
	{{"x"}, NULL},
	{{""}, NULL},
};

static void test_suggestions(void **state)
{
	for (unsigned i = 0; i < ARRAY_SIZE(typos); i++) {
		char *argv[] = {(char *)typos[i].typed[0], (char *)typos[i].typed[1]};
		const struct verb *verb = cli_suggest_verb(argv[1] ? 2 : 1, argv);
		const char *name = verb ? verb->name : NULL;

		if (!name != !typos[i].meant || (name && strcmp(name, typos[i].meant) != 0))
			fail_msg("'%s %s': %s instead of %s", argv[0], argv[1] ? argv[1] : "",
				name ? name : "nothing",
				typos[i].meant ? typos[i].meant : "nothing");
	}
}

static void test_option_suggestions(void **state)
{
	char *argv[] = {"network", "create"};
	int words;
	const struct verb *create = cli_find_verb(2, argv, &words);

	assert_string_equal(cli_suggest_option(create, "--subent")->name, "--subnet");
	assert_string_equal(cli_suggest_option(create, "--lable")->name, "--label");
	assert_string_equal(cli_suggest_option(create, "--jsno")->name, "--json");
	assert_null(cli_suggest_option(create, "--force"));
	assert_null(cli_suggest_option(create, "--x"));
	assert_string_equal(cli_suggest_option(NULL, "--may-exists")->name, "--may-exist");
}

// ---- templates ----

static const char object[] = "{\"id\": \"abc\", \"name\": \"front\", \"vni\": 42, \"ipv6\": true, "
			     "\"endpoints_here\": 3, \"subnets\": [\"10.0.0.0/8\", \"fd00::/8\"], "
			     "\"labels\": {\"tier\": \"web\", \"a-b\": \"x\"}, \"nothing\": null}";

static const struct {
	const char *format, *result; // NULL: refused
} templates[] = {
	{"{{.Name}}", "front"},
	{"{{ .Name }}", "front"},
	{"{{.name}} {{.ID}}", "front abc"},
	{"{{.EndpointsHere}}/{{.endpoints_here}}", "3/3"},
	{"{{.VNI}}\\t{{.IPv6}}\\n", "42\ttrue\n"},
	{"{{.Subnets}}", "10.0.0.0/8,fd00::/8"},
	{"{{.Labels}}", "tier=web,a-b=x"},
	{"{{.Labels.tier}}", "web"},
	{"{{.Labels.a-b}}", "x"},
	{"{{.Labels.other}}", ""},
	{"{{.Nothing}}", ""},
	{"{{.Created}}", ""}, // a field that this object does not have
	{"{{json .Name}}", "\"front\""},
	{"{{json .Subnets}}", "[\"10.0.0.0/8\",\"fd00::/8\"]"},
	{"{{json .Created}}", "null"},
	{"<{{json .Vni}}>", "<42>"},
	{"plain", "plain"},
	{"a } b", "a } b"},
	{"", NULL},
	{"table ", NULL},
	{"{{.Name", NULL},
	{"{{.}}", NULL},
	{"{{Name}}", NULL},
	{"{{.Name.}}", NULL},
	{"{{..Name}}", NULL},
	{"{{range .Subnets}}x{{end}}", NULL},
	{"{{.Name | upper}}", NULL},
	{"{{json}}", NULL},
	{"{{printf \"%s\" .Name}}", NULL},
	{"{{.Nam}}", NULL},
	{"{{.Names}}", NULL},
	{"{{len .Subnets}}", NULL},
};

static void test_templates(void **state)
{
	static const char *const fields[] = {"id", "name", "created", NULL};
	json_t *obj = json_loads(object, 0, NULL);

	assert_non_null(obj);
	for (unsigned i = 0; i < ARRAY_SIZE(templates); i++) {
		struct template t;
		struct text out = {0};
		struct err err = {0};
		int rc = template_parse(templates[i].format, &t, &err);

		if (rc == 0)
			rc = template_add(&t, obj, fields, &out, &err);
		if ((rc == 0) != !!templates[i].result)
			fail_msg("'%s': %d %s", templates[i].format, rc, err.reason);
		if (rc == 0)
			assert_string_equal(out.data ? out.data : "", templates[i].result);
		else
			assert_true(strlen(err.reason) > 0);
		text_free(&out);
	}
	json_decref(obj);
}

static void test_template_shapes(void **state)
{
	json_t *obj = json_pack("{s:i}", "a", 1);
	struct text out = {0};
	struct err err = {0};
	struct template t;
	char longest[4096];

	assert_int_equal(template_parse("table {{.Name}}\\t{{.EndpointsHere}}", &t, &err), 0);
	assert_true(t.is_table);
	template_headings(&t, &out);
	assert_string_equal(out.data, "NAME\tENDPOINTSHERE");
	text_free(&out);

	assert_int_equal(template_parse("json", &t, &err), 0);
	assert_false(t.is_table);
	assert_int_equal(template_add(&t, obj, NULL, &out, &err), 0);
	assert_string_equal(out.data, "{\"a\":1}");
	text_free(&out);
	json_decref(obj);

	memset(longest, 'x', sizeof(longest));
	longest[sizeof(longest) - 1] = '\0';
	assert_true(template_parse(longest, &t, &err) < 0);
	err = (struct err){0};
	for (unsigned i = 0; i + 6 < sizeof(longest); i += 6)
		memcpy(longest + i, "{{.A}}", 7);
	assert_true(template_parse(longest, &t, &err) < 0);
}

// ---- filters ----

static const struct {
	const char *filters; // with spaces between them
	bool passes;
} filters[] = {
	{"name=fro", true},
	{"name=back", false},
	{"name=back name=ont", true},
	{"id=bc", true},
	{"id=d", false},
	{"driver=overlay", true},
	{"driver=over", false},
	{"scope=global type=custom", true},
	{"scope=global type=builtin", false},
	{"label=tier", true},
	{"label=tier=web", true},
	{"label=tier=db", false},
	{"label=tier label=x", false},
	{"label=tie", false},
	{"dangling=true", false},
	{"dangling=false", true},
};

static json_t *list_of(const char *words)
{
	json_t *list = json_array();

	while (*words) {
		size_t len = strcspn(words, " ");

		json_array_append_new(list, json_stringn(words, len));
		words += len + (words[len] != '\0');
	}
	return list;
}

static void test_filters(void **state)
{
	static const char *const refused[] = {
		"what=1", "name", "scope=world", "type=", "dangling=yes", "=x"};
	json_t *network = json_pack("{s:s, s:s, s:s, s:s, s:b, s:i, s:{s:s}}", "id", "abc", "name",
		"front", "driver", "overlay", "scope", "global", "builtin", false, "endpoints", 2,
		"labels", "tier", "web");

	for (unsigned i = 0; i < ARRAY_SIZE(filters); i++) {
		json_t *list = list_of(filters[i].filters);
		struct err err = {0};

		assert_int_equal(cli_network_filters_check(list, &err), 0);
		if (cli_network_passes(list, network) != filters[i].passes)
			fail_msg("%s", filters[i].filters);
		json_decref(list);
	}
	for (unsigned i = 0; i < ARRAY_SIZE(refused); i++) {
		json_t *list = list_of(refused[i]);
		struct err err = {0};

		assert_true(cli_network_filters_check(list, &err) < 0);
		json_decref(list);
	}
	json_decref(network);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows),
		cmocka_unit_test(test_suggestions),
		cmocka_unit_test(test_option_suggestions),
		cmocka_unit_test(test_templates),
		cmocka_unit_test(test_template_shapes),
		cmocka_unit_test(test_filters),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
