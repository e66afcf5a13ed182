/*
 * s3.h - the sink that writes records as objects to S3: newline-delimited JSON, an object for each
 * prefix in a batch.
 *
 * Each record is in exactly one object. An object's name has the store's id and the sequence of its
 * first record, and it is written only if there is no object with this name. So a batch that is
 * repeated, because its outcome was not known, finds its objects, and their metadata say which of
 * its records they have (s3_object.h). This needs batches that always begin with the first record
 * that is not known to have arrived: the sink takes one batch at a time, reports it as delivered
 * only as a whole, and its pump is an ordered one. Where names cannot be trusted (an object of
 * another writer, or no permission to read metadata) the name gets the digest of the records, and
 * delivery is at least once. See docs/decisions/031.
 *
 * Threads: as sink.h. One delivery uses up to `in_flight` threads, each with its own connection.
 */
#pragma once

#include "aws/session.h"
#include "base/compress.h"
#include "delivery/sinks/sink.h"

/** Everything must outlive the sink. Texts may be "" where a default is named. */
struct sink_s3_options {
    const char *name; /* of the sink */
    struct aws_session *session;
    const char *region;       /* "": the session's */
    const char *endpoint_url; /* "": S3's own, or the one of the environment or profile */
    const char *bucket;       /* a name, or the ARN of an access point */
    const char *prefix;       /* s3_name.h */
    const char *time;         /* JSON Pointer; "": the time when the event was accepted */
    enum compress_format compression;
    size_t max_bytes;   /* of the lines of one batch, before compression */
    size_t batch;       /* most records in one batch; 0: 40,000 */
    size_t in_flight;   /* objects that are written at the same time; 0: 8 */
    int64_t timeout_us; /* of one request; 1 s for each MiB is added */
    bool path_style;    /* the bucket is in the path, not in the host name */
    bool checksum;      /* send CRC-32C; some stores do not take it */
};

/** Check bucket, prefix and time. `key` of what is wrong. ERR_CONFIG. */
NODISCARD bool sink_s3_check(const struct sink_s3_options *options, const char **key,
                             struct error *err);

/** ERR_CONFIG: a text is wrong, or no region is configured. */
NODISCARD bool sink_s3(const struct sink_s3_options *options, struct sink *out, struct error *err);
