/*
 * guard.h - would a new schema refuse what the present one accepts?
 *
 * Threads: any.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/json.h"
#include "schema/registry/samples.h"
#include "schema/schema.h"

enum { GUARD_POINTER_SIZE = 256 };

/**
 * What came of it, and where and by which rule one of the payloads would be refused: without a
 * value of it, and without a member's name that the new schema does not have ("*" stands for it).
 */
struct guard_finding {
    size_t tried;                               /* payloads that the present schema accepts */
    size_t refused;                             /* and how many of them the new one does not */
    char instance_location[GUARD_POINTER_SIZE]; /* JSON Pointer, cut when too long */
    char keyword_location[GUARD_POINTER_SIZE];  /* "": checking it would cost too much */
};

/**
 * Try `next` on the samples that `now` accepts. `symbols` are those that both were compiled with.
 * True: at least one would be refused. `*out` is set in any case.
 */
bool guard_finds(struct samples *samples, const struct schema *now, const struct schema *next,
                 const struct json_symbols *symbols, struct guard_finding *out);
