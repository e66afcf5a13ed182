/*
 * glue_framed.h - a sink whose records begin with the header of AWS Glue's serializers: the version
 * of the header (3), the compression (0: none), and the UUID of the schema version.
 *
 * The version is the one that the event was checked with. If its UUID cannot be found, this record
 * and those after it wait.
 *
 * Threads: as sink.h; the ids must be usable from several threads.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/error.h"
#include "delivery/sinks/sink.h"

enum { SCHEMA_ID_SIZE = 16 };

/** Finds the UUIDs of schema versions. */
struct schema_ids {
    /**
     * The UUID of the record's version. ERR_INVALID: the record has none. ERR_THROTTLED,
     * ERR_UNAVAILABLE, ERR_UNREACHABLE: try later. Others: the configuration is wrong.
     */
    bool (*find)(void *self, const struct sink_record *record, uint8_t id[static SCHEMA_ID_SIZE],
                 struct error *err);
    void *self;
};

/** Owns `inner`, which sends `head` and `bytes` of a record as one. The ids outlive it. */
struct sink sink_glue_framed(const struct sink *inner, const struct schema_ids *ids);
