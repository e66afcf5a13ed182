/*
 * s3_object.h - one object: the lines of its records, compressed, with digest and checksum; and
 * what an object that exists already says about them.
 *
 * An object's metadata has the range of its records, `FIRST-LAST COUNT SHA256`: the sequences of
 * the first and last one, how many there are, and the digest of their lines before compression.
 * `layout` is a digest of what decides which records an object has beside their sequence: the name
 * of the sink and its prefix.
 *
 * Threads: pure functions.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/compress.h"
#include "base/str.h"
#include "delivery/sinks/sink.h"

/** Records of one object: an array of pointers, so that no bytes are copied. */
struct s3_lines {
    const struct sink_record *const *records;
    size_t count; /* at least 1 */
};

/** The first `count` of them. */
static inline struct s3_lines s3_lines_first(struct s3_lines lines, size_t count)
{
    return (struct s3_lines){ lines.records, count };
}

static inline int64_t s3_lines_last(struct s3_lines lines)
{
    return lines.records[lines.count - 1]->sequence;
}

/** The digest of the lines, in hexadecimal; in the arena. */
struct str s3_lines_digest(struct s3_lines lines, struct arena *arena);

/** The lines, each with a line feed at its end, compressed: appended to `out`. */
void s3_lines_write(struct s3_lines lines, enum compress_format format, struct buf *out);

/** The metadata `FIRST-LAST COUNT SHA256`; in the arena. */
struct str s3_lines_range(struct s3_lines lines, struct str digest, struct arena *arena);

/** CRC-32C (Castagnoli) of `bytes`, as S3 takes it: big-endian, in Base64; in the arena. */
struct str s3_crc32c(struct str bytes, struct arena *arena);

/** The metadata of an object that exists. Either may be empty. */
struct s3_found {
    struct str range;
    struct str layout;
};

/**
 * How many of the lines, from the first one on, are in the object that was found under their name.
 * 0: it is not known to have any. `*last` is the last sequence in the object, which may be behind
 * the lines if it has more records than these.
 */
size_t s3_found_count(const struct s3_found *found, struct s3_lines lines, struct str layout,
                      int64_t *last);
