/*
 * lint.h - mistakes in the pattern and the transforms of a route that show beside its schema: what
 * `sluice check` reports, and a server logs as warnings.
 *
 * Threads: any.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/flat.h"
#include "server/config/config.h"

struct lint {
    const struct config *config;
    size_t route;                /* its index */
    const struct flat *document; /* its schema; NULL: not known */
    struct arena *arena;         /* for texts */
    /** `pointer` is the JSON Pointer of the key; "": the text names the place. */
    void (*report)(void *self, struct str pointer, const char *text);
    void *self;
};

/** Report conditions of the route's `pattern` or `match` that no valid event meets. */
void lint_pattern(const struct lint *lint);

/** Report each problem of a transform file. True: there is none. */
bool lint_transform(const struct lint *lint, const char *file);
