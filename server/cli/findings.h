/*
 * findings.h - the output of `sluice check` and `sluice doctor`: a line of text for each finding,
 * or with --json an object.
 *
 *   {"finding":"fail","what":"certificate","text":"..."}
 *   {"finding":"fail","what":"configuration","file":"a.yaml","line":12,"key":"http.x","text":"..."}
 *
 * A finding of doctor that is not `ok` has a member "remedy", too. docs/operations.md lists all
 * members.
 *
 * Threads: main only.
 */
#pragma once

#include "server/cli/inspect.h"
#include "server/config/config.h"

struct finding {
    enum inspect_finding level;
    const char *what;
    const char *text;
    const char *file; /* NULL: none; then line is 0 and key NULL */
    size_t line;
    const char *key;
    const char *remedy; /* NULL: none is needed or known */
};

/** `ok`, `warn` or `fail`. */
const char *finding_level(enum inspect_finding level);

void finding_print_json(const struct finding *finding);

/** Problem `index` of a review. */
void finding_print_problem(const struct config_review *review, size_t index, bool json);

/** A failure that belongs to no key. */
void finding_print_text(const char *what, const char *text, bool json);
