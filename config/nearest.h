// SPDX-License-Identifier: BSD-3-Clause
// "Did you mean": the closest of several words.
#pragma once

#define NEAREST_FAR 100u // further than anything that was meant

// Changes of one letter, and swaps of two neighbours, that make `b` of `a`; NEAREST_FAR when there
// are too many of them for their length that the one could be a slip for the other.
unsigned nearest_distance(const char *a, const char *b);

// What a word of an earlier version is called now: a key, a method or a verb; NULL when it has
// always been called so. Nothing takes the old word; errors name the new one.
const char *nearest_renamed(const char *word);
