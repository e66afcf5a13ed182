/*
 * s3_bucket.h - what the `bucket` of an S3 sink names: a bucket or an access point, and where it is
 * reached.
 *
 * Threads: no state.
 */
#pragma once

#include "base/arena.h"
#include "base/attr.h"
#include "base/error.h"

struct s3_bucket {
    const char *name;         /* before the endpoint's host, or in the path */
    const char *region;       /* of an access point's ARN; NULL: not known */
    const char *endpoint_url; /* of access points in that region; NULL: S3's own */
};

/**
 * Read `text`: a bucket's name, an access point's alias or its ARN. In `arena`. ERR_CONFIG: it is
 * neither, or a kind that needs another way to sign: a directory bucket, a multi-Region access
 * point, an outpost or an Object Lambda.
 */
NODISCARD bool s3_bucket_read(const char *text, struct arena *arena, struct s3_bucket *out,
                              struct error *err);
