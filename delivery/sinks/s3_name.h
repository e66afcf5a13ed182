/*
 * s3_name.h - the names of objects: a prefix made from the record, the store's id, a sequence.
 *
 * A prefix is a text with places for the record's texts and its time (delivery/record_format.h). A
 * record's text cannot change the structure of the prefix: a slash and other characters with a
 * meaning in paths and partitions are percent-encoded in the name, as Hive and Spark do it. The
 * clock of this machine is not used, so that a record has the same prefix each time.
 *
 * Threads: a prefix is read-only and can be used by several threads.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/attr.h"
#include "base/compress.h"
#include "base/error.h"
#include "base/str.h"
#include "delivery/sinks/sink.h"

enum {
    S3_KEY_MAX = 1024,          /* bytes of an object's key: S3's limit */
    S3_STORE_ID_MAX = 32,       /* bytes of the store's id */
    S3_DIGEST_DIGITS = 32,      /* of a digest in a name */
    S3_NAME_MAX = 32 + 20 + 48, /* what s3_name() adds to a prefix, at most */
    S3_PREFIX_MAX = S3_KEY_MAX - S3_NAME_MAX,
};

struct s3_prefix;

/**
 * Compile `text`; `time` is the JSON Pointer to the record's time, an RFC 3339 text or a number of
 * seconds or milliseconds since 1970; "": use the time when the event was accepted. Everything is
 * in `arena`. ERR_CONFIG: what is wrong with it, or the prefix has `//`, `.` or `..` between
 * slashes, a control character, or a slash at its start.
 */
NODISCARD bool s3_prefix_compile(struct str text, struct str time, struct arena *arena,
                                 const struct s3_prefix **out, struct error *err);

/** The prefix of a record, in the arena. False: it has none, for `*reason`. */
NODISCARD bool s3_prefix_make(const struct s3_prefix *prefix, const struct sink_record *record,
                              struct arena *arena, struct str *out, const char **reason);

struct s3_name_parts {
    struct str prefix;
    struct str store;  /* the store's id */
    int64_t first;     /* sequence of the first record */
    struct str digest; /* hexadecimal, its start is used; empty: the name has none */
    enum compress_format format;
};

/** `PREFIX STORE-FIRST[-DIGEST].ndjson[.gz|.zst]`, without the space; in the arena. */
struct str s3_name(const struct s3_name_parts *parts, struct arena *arena);
