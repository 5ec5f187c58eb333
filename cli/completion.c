// SPDX-License-Identifier: BSD-3-Clause
// The completion of the shell: the tables of verbs, options and keys, and a function that walks
// them.
#include <stdio.h>
#include <string.h>

#include "cli/help.h"
#include "config/field.h"
#include "config/schema.h"

// bash cuts words at '=' and ':' too, so the line is cut here anew; what is left of the last of
// them in the present word is not part of a reply.
static const char walker[] =
	"_vsctl_names() # list-br, list-ports, ...\n"
	"{\n"
	"\tvsctl \"${where[@]}\" \"$@\" 2>/dev/null | awk 'NR > 1 { print $1 }'\n"
	"}\n\n"
	"_vsctl_networks()\n"
	"{\n"
	"\tvsctl \"${where[@]}\" network ls 2>/dev/null | awk 'NR > 1 { print $2 }'\n"
	"}\n\n"
	"_vsctl_events()\n"
	"{\n"
	"\tcase $verb in\n"
	"\tagent*) _vsctl_names agent monitor --list ;;\n"
	"\t*) _vsctl_names monitor --list ;;\n"
	"\tesac\n"
	"}\n\n"
	"_vsctl_words() # what may stand for a word of the usage\n"
	"{\n"
	"\tcase $1 in\n"
	"\t*[a-z]=*) word=${1##[}; echo \"${word%%=*}=\" ;;\n"
	"\t*BRIDGE*) _vsctl_names list-br ;;\n"
	"\t*PORT*) _vsctl_names list-ports ;;\n"
	"\t*VTEP*) _vsctl_names list-vteps ;;\n"
	"\t*NETWORK*) _vsctl_networks ;;\n"
	"\t*EVENT*) _vsctl_events ;;\n"
	"\t*CONTAINER*) ip netns list 2>/dev/null | cut -d' ' -f1 ;;\n"
	"\t*KEY=VALUE*)\n"
	"\t\tcase $verb in\n"
	"\t\t*-br) echo \"$_vsctl_bridge_keys\" ;;\n"
	"\t\t*-vtep) echo \"$_vsctl_vtep_keys\" ;;\n"
	"\t\tset-port) echo \"$_vsctl_port_live_keys\" ;;\n"
	"\t\t*) echo \"$_vsctl_port_keys\" ;;\n"
	"\t\tesac\n"
	"\t\t;;\n"
	"\t*VERB*) cut -d' ' -f1 <<<\"$_vsctl_verbs\" | uniq ;;\n"
	"\t*FILE* | *DIR*) compgen -f -- \"$cur\" ;;\n"
	"\t*[A-Z]*) ;;\n"
	"\t*) echo \"${1//[][|]/ }\" ;;\n"
	"\tesac\n"
	"}\n\n"
	"_vsctl()\n"
	"{\n"
	"\tlocal line=${COMP_LINE:0:COMP_POINT} cur verb usage options takes reply word last n\n"
	"\tlocal words=() where=() args=()\n"
	"\tcur='' takes='' verb='' last=''\n"
	"\tread -ra words <<<\"$line\"\n"
	"\tif [[ $line != *[[:blank:]] ]]; then\n"
	"\t\tcur=${words[-1]}\n"
	"\t\tunset 'words[-1]'\n"
	"\tfi\n"
	"\tfor word in \"${words[@]:1}\"; do\n"
	"\t\tif [[ $takes ]]; then\n"
	"\t\t\t[[ \" $_vsctl_options \" != *\" $takes \"* ]] || where+=(\"$takes\" \"$word\")\n"
	"\t\t\ttakes=''\n"
	"\t\telif [[ $(_vsctl_value \"$verb $word\" \"$word\") ]]; then\n"
	"\t\t\ttakes=$word\n"
	"\t\telif [[ $word == --*=* ]]; then\n"
	"\t\t\t[[ \" $_vsctl_options \" != *\" ${word%%=*} \"* ]] || where+=(\"$word\")\n"
	"\t\telif [[ $last == -* && $word =~ ^[0-9.]+$ ]]; then\n"
	"\t\t\t: # a value that may be left out\n"
	"\t\telif [[ $word != -* ]]; then\n"
	"\t\t\targs+=(\"$word\")\n"
	"\t\t\tverb=${args[0]}\n"
	"\t\t\t[[ $verb != @($_vsctl_groups) ]] || verb+=\" ${args[1]-}\"\n"
	"\t\tfi\n"
	"\t\tlast=$word\n"
	"\tdone\n"
	"\t[[ $verb == *' '* ]] && args=(\"${args[@]:2}\") || args=(\"${args[@]:1}\")\n"
	"\t_vsctl_usage \"$verb\"\n"
	"\tif [[ $takes ]]; then\n"
	"\t\treply=$(for word in $(_vsctl_value \"$verb $takes\" \"$takes\"); do "
	"_vsctl_words \"$word\"; done)\n"
	"\telif [[ $cur == -* ]]; then\n"
	"\t\treply=\"$_vsctl_options $options\"\n"
	"\telif [[ $verb == *' ' ]]; then\n"
	"\t\treply=$(grep \"^$verb\" <<<\"$_vsctl_verbs\" | cut -d' ' -f2)\n"
	"\telif [[ ! $verb ]]; then\n"
	"\t\treply=$(cut -d' ' -f1 <<<\"$_vsctl_verbs\" | uniq)\n"
	"\telse\n"
	"\t\tread -ra words <<<\"$usage\"\n"
	"\t\tn=${#args[@]}\n"
	"\t\tif ((n >= ${#words[@]})) && [[ $usage == *...* ]]; then\n"
	"\t\t\tn=$((${#words[@]} - 1))\n"
	"\t\tfi\n"
	"\t\tword=${words[n]-}\n"
	"\t\t# One that may be left out: the next may stand here as well.\n"
	"\t\t[[ $word != '['* ]] || word+=\" ${words[n + 1]-}\"\n"
	"\t\treply=$(for word in $word; do _vsctl_words \"$word\"; done)\n"
	"\tfi\n"
	"\tmapfile -t COMPREPLY < <(compgen -W \"$reply\" -- \"$cur\")\n"
	"\tif [[ $cur == *=* && $COMP_WORDBREAKS == *=* ]]; then\n"
	"\t\tCOMPREPLY=(\"${COMPREPLY[@]#\"${cur%\"${cur##*=}\"}\"}\")\n"
	"\tfi\n"
	"\t[[ ${COMPREPLY[0]-} != *= ]] || compopt -o nospace 2>/dev/null\n"
	"}\n"
	"complete -F _vsctl vsctl\n";

// Those that can change while the object exists, or all.
static void print_keys(const char *name, const struct schema_table *table, bool only_live)
{
	printf("%s='", name);
	for (unsigned i = 0; i < table->count; i++) {
		const struct schema_field *field = &table->fields[i];

		if (field_is_section(field) || (only_live && !field->live))
			continue;
		if (field->type != SCHEMA_ENUM)
			printf("%s= ", field->key);
		if (field->word)
			printf("%s=%s ", field->key, field->word);
		for (unsigned k = 0; field->type == SCHEMA_ENUM && field->names[k]; k++)
			printf("%s=%s ", field->key, field->names[k]);
	}
	printf("'\n");
}

static void print_globals(void)
{
	printf("_vsctl_options='");
	for (const struct cli_option *const *o = cli_globals; *o; o++)
		printf("%s ", (*o)->name);
	printf("'\n");
}

static void print_usage(const struct verb *verb)
{
	const struct cli_option *const *o;

	printf("\t'%s') usage='%s' options='", verb->name, verb->args);
	for (o = verb->options; o && *o; o++) {
		printf("%s ", (*o)->name);
		if ((*o)->other)
			printf("%s ", (*o)->other);
		if ((*o)->letter)
			printf("-%c ", (*o)->letter);
	}
	printf("' ;;\n");
}

// What stands for the value of an option, for those that need one. Before its verb an option is
// looked for by its name alone.
static void print_value(const char *verb, const struct cli_option *o)
{
	if (!o->arg || o->arg[0] == '[')
		return;
	printf("\t'%s%s%s'", verb, *verb ? " " : "", o->name);
	if (o->other)
		printf(" | '%s%s%s'", verb, *verb ? " " : "", o->other);
	if (o->letter)
		printf(" | '%s%s-%c'", verb, *verb ? " " : "", o->letter);
	printf(") echo '%s' ;;\n", o->words ? o->words : o->arg);
}

static void print_verb_values(const struct verb *verb, void *arg)
{
	for (const struct cli_option *const *o = verb->options; o && *o; o++)
		print_value(verb->name, *o);
}

static void print_values(void)
{
	printf("_vsctl_value() # the words for the value of \"VERB OPTION\", or of an option\n{\n"
	       "\tcase $1 in\n");
	cli_each_verb(print_verb_values, NULL);
	printf("\t*)\n\t\tcase $2 in\n");
	for (const struct cli_option *const *o = cli_globals; *o; o++) {
		putchar('\t');
		print_value("", *o);
	}
	printf("\t\tesac\n\t\t;;\n\tesac\n}\n\n");
}

static void print_name(const struct verb *verb, void *arg)
{
	printf("%s\n", verb->name);
}

// The first words of verbs of two.
static void print_noun(const struct verb *verb, void *arg)
{
	size_t len = strcspn(verb->name, " ");
	const char **last = arg;

	if (!verb->name[len] || (*last && !strncmp(*last, verb->name, len + 1)))
		return;
	printf("%s%.*s", *last ? "|" : "", (int)len, verb->name);
	*last = verb->name;
}

static void print_case(const struct verb *verb, void *arg)
{
	print_usage(verb);
}

static void print_verbs(void)
{
	const char *last = NULL;

	printf("_vsctl_verbs='");
	cli_each_verb(print_name, NULL);
	printf("'\n_vsctl_groups='");
	cli_each_verb(print_noun, &last);
	printf("'\n\n_vsctl_usage()\n{\n\tcase $1 in\n");
	cli_each_verb(print_case, NULL);
	printf("\tesac\n}\n\n");
}

static void print_script(void)
{
	printf("# Completion of vsctl for bash; made by `vsctl completion bash`.\n");
	print_keys("_vsctl_port_keys", &schema_port, false);
	print_keys("_vsctl_port_live_keys", &schema_port, true);
	print_keys("_vsctl_bridge_keys", &schema_bridge, false);
	print_keys("_vsctl_vtep_keys", &schema_vtep, false);
	print_globals();
	print_verbs();
	print_values();
	fputs(walker, stdout);
}

int cli_completion(struct cli *cli, int argc, char **argv)
{
	if (strcmp(argv[0], "bash") != 0)
		return cli_usage("there is a completion for bash only, not for '%s'", argv[0]);
	if (cli->json)
		return cli_usage("completion prints a script, not JSON");
	print_script();
	return EXIT_DONE;
}
