// SPDX-License-Identifier: BSD-3-Clause
// Runs a fuzz target over every file of the folders given: what a fuzzer found once stays found,
// with compilers that have no libFuzzer too.
#include <dirent.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/file.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len_bytes);

// Returns the number of files, or -1.
static int replay(const char *folder)
{
	struct dirent *entry;
	DIR *dir = opendir(folder);
	int count = 0;

	if (!dir) {
		perror(folder);
		return -1;
	}
	while ((entry = readdir(dir))) {
		char path[PATH_MAX], *text;
		size_t len_bytes;
		struct err err = {0};

		if (entry->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), "%s/%s", folder, entry->d_name);
		if (file_read(path, 64u << 20, &text, &len_bytes, &err) < 0) {
			fprintf(stderr, "%s: %s\n", err.path, err.reason);
			count = -1;
			break;
		}
		// The name first: it is the last line when the target crashes.
		printf("%s\n", path);
		fflush(stdout);
		LLVMFuzzerTestOneInput((const uint8_t *)text, len_bytes);
		free(text);
		count++;
	}
	closedir(dir);
	return count;
}

int main(int argc, char **argv)
{
	int total = 0;

	for (int i = 1; i < argc; i++) {
		int count = replay(argv[i]);

		if (count < 0)
			return 1;
		total += count;
	}
	printf("%d inputs\n", total);
	if (total == 0)
		fprintf(stderr, "no inputs: give folders that have some\n");
	return total == 0;
}
