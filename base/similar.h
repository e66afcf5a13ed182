/*
 * similar.h - is one word another one, misspelt?
 *
 * Threads: pure functions.
 */
#pragma once

#include "base/str.h"

enum { SIMILAR_NOT = 3 };

/**
 * How many letters of `known` are replaced, inserted, deleted or swapped with the next one in
 * `word`: at most 2, and fewer in a short word. SIMILAR_NOT: it is another word.
 */
unsigned similar_changes(struct str word, struct str known);
