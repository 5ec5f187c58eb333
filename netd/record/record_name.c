// SPDX-License-Identifier: BSD-3-Clause
#include "netd/record/record_name.h"

#include <errno.h>
#include <string.h>

#include "base/hash.h"
#include "netd/record/record.h"

static bool is_letter_or_digit(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

bool record_name_is_valid(const char *name)
{
	size_t len = 0;

	// A dot or a dash first would be taken for a folder or an option somewhere.
	if (!is_letter_or_digit(name[0]) && name[0] != '_')
		return false;
	for (; name[len]; len++) {
		char c = name[len];

		if (len >= NAME_BYTES - 1)
			return false;
		if (!is_letter_or_digit(c) && c != '.' && c != '_' && c != '-')
			return false;
		// An empty label: no DNS question could ask for it (RFC 1035, section 2.3.1).
		if (c == '.' && (name[len + 1] == '.' || name[len + 1] == '\0'))
			return false;
	}
	return true;
}

int record_name_check(const char *name, const char *what, struct err *err)
{
	if (record_name_is_valid(name))
		return 0;
	return err_set(err, -EINVAL, "", "'%.72s' is not a valid %s name: use %s", name, what,
		RECORD_NAME_ALLOWED);
}

// Not tolower(): it depends on the locale.
static char lower(char c)
{
	return c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c;
}

bool record_name_same_bytes(const char *a, const char *b, size_t len_bytes)
{
	for (size_t i = 0; i < len_bytes; i++) {
		if (lower(a[i]) != lower(b[i]))
			return false;
	}
	return true;
}

bool record_name_same(const char *a, const char *b)
{
	size_t len = strlen(a);

	return len == strlen(b) && record_name_same_bytes(a, b, len);
}

uint64_t record_name_hash(uint64_t hash, const char *name, size_t len_bytes)
{
	for (size_t i = 0; i < len_bytes; i++) {
		char c = lower(name[i]);

		hash = hash_add(hash, &c, 1);
	}
	return hash;
}
