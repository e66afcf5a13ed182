/*
 * guard.h - tries a new schema on payloads that the live one accepts.
 *
 * Threads: any.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/flat.h"
#include "schema/registry/samples.h"
#include "schema/schema.h"

enum { GUARD_POINTER_SIZE = 256 };

/**
 * The place and rule of one refusal. It has no values, and "*" for each member whose name is not in
 * the schema: such names are the event's.
 */
struct guard_place {
    char instance_location[GUARD_POINTER_SIZE]; /* JSON Pointer, cut when too long */
    char keyword_location[GUARD_POINTER_SIZE];  /* "": the check exceeds its budget */
};

/** The place of `refusal`, an error of `schema` on `payload`. */
void guard_set_place(const struct schema *schema, const struct flat *payload,
                     const struct schema_unit *refusal, struct guard_place *out);

/** Find out why `schema` refuses `payload`. `*out` stays as it is when that exceeds `budget`. */
void guard_find_place(const struct schema *schema, const struct flat *payload,
                      struct schema_budget *budget, struct guard_place *out);

/** The counts, and one refusal. */
struct guard_finding {
    size_t tried;   /* payloads that the live schema accepts */
    size_t refused; /* how many of them the new schema refuses */
    struct guard_place place;
};

/**
 * Try `next` on the samples that `now` accepts. `symbols` are the ones that both were compiled
 * with. True: at least one is refused. Always sets `*out`.
 */
bool guard_finds(struct samples *samples, const struct schema *now, const struct schema *next,
                 const struct json_symbols *symbols, struct guard_finding *out);
