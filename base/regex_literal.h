/*
 * regex_literal.h - patterns that are plain text in disguise: `^abc`, `^abc$`, `\.json$`, `.*`.
 *
 * Most patterns that real schemas hold for property names are of this kind, and comparing bytes
 * costs a tenth of the fastest regular expression. Only base/regex.c uses it.
 *
 * Threads: immutable once made.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/str.h"

struct regex_literal {
    char *text;
    size_t len;
    bool at_start; /* the text must begin with it */
    bool at_end;   /* the text must end with it */
};

/** Is the ECMA pattern of that kind? Then fill `out`, to be ended with regex_literal_done(). */
bool regex_literal_init(struct regex_literal *out, struct str pattern);

void regex_literal_done(struct regex_literal *literal);

bool regex_literal_search(const struct regex_literal *literal, struct str text);
