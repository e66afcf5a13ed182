/*
 * sigv4.h - AWS Signature Version 4: the headers that make a request ours.
 *
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
 * Every header that is given is signed, so give what will be sent and nothing that a proxy or
 * libcurl may change.
 *
 * Threads: any.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/fetch.h"
#include "base/str.h"

struct sigv4_credentials {
    struct str key_id;
    struct str secret;
    struct str token; /* empty: none */
};

struct sigv4_scope {
    struct str region;
    struct str service;
    int64_t time_us; /* since 1970; what AWS takes to be now */
    bool s3; /* S3's rules: the path is not normalised and not encoded again; the hash is sent */
};

/** A request as it will be sent. */
struct sigv4_request {
    const char *method;
    struct str path;  /* as in the request line, encoded once; "/" at least */
    struct str query; /* likewise, without the "?"; `+` is a plus sign, not a space */
    const struct fetch_header *headers; /* Host among them */
    size_t header_count;
    struct str body;
};

enum {
    SIGV4_HEADERS_MAX = 4,  /* that sigv4_sign() adds */
    SIGV4_TIME_SIZE = 17,   /* 20150830T123600Z and NUL */
    SIGV4_DIGEST_SIZE = 32, /* SHA-256 */
};

/** The headers to add, in memory of the arena but for the token, which is the caller's. */
struct sigv4_headers {
    struct fetch_header list[SIGV4_HEADERS_MAX];
    size_t count;
};

/** X-Amz-Date, X-Amz-Security-Token if there is one, X-Amz-Content-Sha256 for S3, Authorization. */
void sigv4_sign(const struct sigv4_request *request, const struct sigv4_credentials *credentials,
                const struct sigv4_scope *scope, struct arena *arena, struct sigv4_headers *out);

/** The canonical request, step one of the signature; for tests and for telling differences. */
struct str sigv4_canonical(const struct sigv4_request *request, const struct sigv4_scope *scope,
                           struct arena *arena);

/** Add `text` with all but unreserved characters (RFC 3986) as %XX; `/` stays if `keep_slash`. */
void sigv4_encode(struct buf *out, struct str text, bool keep_slash);
