/*
 * catalog_cache.h - the files of a schema that outlive a restart.
 *
 * Per schema up to four files in one folder: the last good definition, with a checksum; the
 * versions that an operator has accepted in spite of the guard; the versions that the guard has
 * refused; accepted payloads that the guard tries new versions on. Each is replaced as a whole. The
 * folder belongs to one server. `sluice schema accept` writes the list of accepted versions; the
 * server reads it at each look.
 *
 * Threads: any; one writer for each file.
 */
#pragma once

#include <stdbool.h>

#include "base/attr.h"
#include "base/error.h"
#include "schema/registry/registry.h"
#include "schema/registry/samples.h"

/** The schema whose files they are, and their folder. */
struct catalog_place {
    const char *dir; /* created with mode 0700 by the first write; "": there are no files */
    const char *registry;
    const char *schema;
};

enum catalog_list {
    CATALOG_ACCEPTED, /* by an operator */
    CATALOG_REFUSED,  /* by the guard */
};

/**
 * Read the last good definition; the caller owns it. ERR_NOT_FOUND: there is none;
 * ERR_INVALID: it is damaged; ERR_SYSTEM: it cannot be read.
 */
NODISCARD bool catalog_cache_read(const struct catalog_place *place, struct schema_definition *out,
                                  struct error *err);

/** Write the last good definition.  ERR_SYSTEM when it cannot be written. */
NODISCARD bool catalog_cache_write(const struct catalog_place *place,
                                   const struct schema_definition *definition, struct error *err);

/** Does the list name this version, by its number or its UUID? */
bool catalog_cache_lists(const struct catalog_place *place, enum catalog_list list,
                         const struct schema_definition *definition);

/** Add a version to the list. ERR_SYSTEM when it cannot be written. */
NODISCARD bool catalog_cache_note(const struct catalog_place *place, enum catalog_list list,
                                  const char *version, struct error *err);

/** Write these samples. ERR_SYSTEM when they cannot be written. */
NODISCARD bool catalog_cache_write_samples(const struct catalog_place *place,
                                           struct samples *samples, struct error *err);

/** Add the samples in the file, if any, to `samples`. */
void catalog_cache_read_samples(const struct catalog_place *place, struct samples *samples);

/** Remove the file. */
void catalog_cache_remove_samples(const struct catalog_place *place);
