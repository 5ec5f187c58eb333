// SPDX-License-Identifier: BSD-3-Clause
// The completion of the shell: the tables of verbs, options and keys, and a function that walks
// them.
#include <stdio.h>
#include <string.h>

#include "cli/cli.h"
#include "config/field.h"
#include "config/schema.h"

// bash cuts words at '=' and ':' too, so the line is cut here anew; what is left of the last of
// them in the present word is not part of a reply.
static const char walker[] =
	"_vsctl_names() # list-br, list-ports, ...\n"
	"{\n"
	"\tvsctl \"${where[@]}\" \"$1\" 2>/dev/null | awk 'NR > 1 { print $1 }'\n"
	"}\n\n"
	"_vsctl_networks()\n"
	"{\n"
	"\tvsctl \"${where[@]}\" network ls 2>/dev/null | awk 'NR > 1 { print $2 }'\n"
	"}\n\n"
	"_vsctl_words() # what may stand for a word of the usage\n"
	"{\n"
	"\tcase $1 in\n"
	"\t*[a-z]=*) word=${1##[}; echo \"${word%%=*}=\" ;;\n"
	"\t*BRIDGE*) _vsctl_names list-br ;;\n"
	"\t*PORT*) _vsctl_names list-ports ;;\n"
	"\t*VTEP*) _vsctl_names list-vteps ;;\n"
	"\t*NETWORK*) _vsctl_networks ;;\n"
	"\t*CONTAINER*) ip netns list 2>/dev/null | cut -d' ' -f1 ;;\n"
	"\t*KEY=VALUE*)\n"
	"\t\tcase $verb in\n"
	"\t\t*-br) echo \"$_vsctl_bridge_keys\" ;;\n"
	"\t\t*-vtep) echo \"$_vsctl_vtep_keys\" ;;\n"
	"\t\t*) echo \"$_vsctl_port_keys\" ;;\n"
	"\t\tesac\n"
	"\t\t;;\n"
	"\t*VERB*) cut -d' ' -f1 <<<\"$_vsctl_verbs\" ;;\n"
	"\t*FILE* | *DIR*) compgen -f -- \"$cur\" ;;\n"
	"\t*[A-Z]*) ;;\n"
	"\t*) echo \"${1//[][|]/ }\" ;;\n"
	"\tesac\n"
	"}\n\n"
	"_vsctl()\n"
	"{\n"
	"\tlocal line=${COMP_LINE:0:COMP_POINT} cur verb usage options takes reply word n\n"
	"\tlocal words=() where=() args=()\n"
	"\tcur='' takes=''\n"
	"\tread -ra words <<<\"$line\"\n"
	"\tif [[ $line != *[[:blank:]] ]]; then\n"
	"\t\tcur=${words[-1]}\n"
	"\t\tunset 'words[-1]'\n"
	"\tfi\n"
	"\tfor word in \"${words[@]:1}\"; do\n"
	"\t\tif [[ $takes ]]; then\n"
	"\t\t\t[[ \" $_vsctl_options \" != *\" $takes \"* ]] || where+=(\"$takes\" \"$word\")\n"
	"\t\t\ttakes=''\n"
	"\t\telif [[ \" $_vsctl_takes \" == *\" $word \"* ]]; then\n"
	"\t\t\ttakes=$word\n"
	"\t\telif [[ $word == --*=* ]]; then\n"
	"\t\t\t[[ \" $_vsctl_options \" != *\" ${word%%=*} \"* ]] || where+=(\"$word\")\n"
	"\t\telif [[ $word != -* ]]; then\n"
	"\t\t\targs+=(\"$word\")\n"
	"\t\tfi\n"
	"\tdone\n"
	"\tif [[ ${args[0]-} == @($_vsctl_groups) ]]; then\n"
	"\t\tverb=\"${args[0]-} ${args[1]-}\" args=(\"${args[@]:2}\")\n"
	"\telse\n"
	"\t\tverb=${args[0]-} args=(\"${args[@]:1}\")\n"
	"\tfi\n"
	"\t_vsctl_usage \"$verb\"\n"
	"\tif [[ $takes ]]; then\n"
	"\t\tcase $takes in\n"
	"\t\t--run-dir | --*key) reply=$(compgen -f -- \"$cur\") ;;\n"
	"\t\t--driver | -d) reply='overlay bridge' ;;\n"
	"\t\t--netns) reply=$(_vsctl_words CONTAINER) ;;\n"
	"\t\t*) reply='' ;;\n"
	"\t\tesac\n"
	"\telif [[ $cur == -* ]]; then\n"
	"\t\treply=\"$_vsctl_options $options\"\n"
	"\telif [[ $verb == *' ' ]]; then\n"
	"\t\treply=$(grep \"^$verb\" <<<\"$_vsctl_verbs\" | cut -d' ' -f2)\n"
	"\telif [[ ! $verb ]]; then\n"
	"\t\treply=$(cut -d' ' -f1 <<<\"$_vsctl_verbs\")\n"
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

static void print_keys(const char *name, const struct schema_table *table)
{
	printf("%s='", name);
	for (unsigned i = 0; i < table->count; i++) {
		const struct schema_field *field = &table->fields[i];

		if (field_is_section(field))
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

static void print_options(void)
{
	printf("_vsctl_options='");
	for (const struct cli_option *o = cli_options; o->name; o++) {
		if (!o->verb_option)
			printf("%s ", o->name);
	}
	printf("'\n_vsctl_takes='");
	for (const struct cli_option *o = cli_options; o->name; o++) {
		if (o->arg && o->arg[0] != '[')
			printf("%s ", o->name);
		if (o->arg && o->letter)
			printf("-%c ", o->letter);
	}
	printf("'\n");
}

static void print_usage(const struct verb *verb)
{
	printf("\t'%s') usage='%s' options='", verb->name, verb->args);
	for (const struct cli_option *o = cli_options; o->name; o++) {
		if (o->verb_option & verb->options)
			printf("%s ", o->name);
		if (o->verb_option & verb->options && o->letter)
			printf("-%c ", o->letter);
	}
	printf("' ;;\n");
}

static void print_verbs(void)
{
	const char *bar = "", *last = "";

	printf("_vsctl_verbs='");
	for (unsigned g = 0; g < nb_verb_groups; g++) {
		for (const struct verb *verb = verb_groups[g]; verb->name; verb++)
			printf("%s\n", verb->name);
	}
	printf("'\n_vsctl_groups='");
	for (unsigned g = 0; g < nb_verb_groups; g++) {
		for (const struct verb *verb = verb_groups[g]; verb->name; verb++) {
			size_t len = strcspn(verb->name, " ");

			if (!verb->name[len] || !strncmp(last, verb->name, len + 1))
				continue;
			printf("%s%.*s", bar, (int)len, verb->name);
			bar = "|";
			last = verb->name;
		}
	}
	printf("'\n\n_vsctl_usage()\n{\n\tcase $1 in\n");
	for (unsigned g = 0; g < nb_verb_groups; g++) {
		for (const struct verb *verb = verb_groups[g]; verb->name; verb++)
			print_usage(verb);
	}
	printf("\tesac\n}\n\n");
}

int cli_completion(struct cli *cli, int argc, char **argv)
{
	if (strcmp(argv[0], "bash"))
		return cli_usage("completion is there for bash, not for '%s'", argv[0]);
	printf("# Completion of vsctl for bash; made by `vsctl completion bash`.\n");
	print_keys("_vsctl_port_keys", &schema_port);
	print_keys("_vsctl_bridge_keys", &schema_bridge);
	print_keys("_vsctl_vtep_keys", &schema_vtep);
	print_options();
	print_verbs();
	fputs(walker, stdout);
	return EXIT_DONE;
}
