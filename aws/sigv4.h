/*
 * sigv4.h - AWS Signature Version 4: headers that authenticate a request.
 *
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
 * Every header of the request is signed, so pass only headers that are sent and that neither
 * libcurl nor a proxy changes.
 *
 * Threads: no state.
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
    int64_t time_us; /* the time by AWS's clock, since 1970 */
    bool s3; /* S3's rules: the path is neither normalised nor encoded again; the hash is sent */
};

/** A request as it will be sent. */
struct sigv4_request {
    const char *method;
    struct str path;  /* as in the request line, encoded once; "/" at least */
    struct str query; /* the same, without the "?"; `+` is a plus sign, not a space */
    const struct fetch_header *headers; /* Host among them */
    size_t header_count;
    struct str body;
};

enum {
    SIGV4_HEADERS_MAX = 4,  /* that sigv4_sign() adds */
    SIGV4_TIME_SIZE = 17,   /* 20150830T123600Z and NUL */
    SIGV4_DIGEST_SIZE = 32, /* SHA-256 */
};

/** The headers to add; in the arena, except the token, which is the caller's. */
struct sigv4_headers {
    struct fetch_header list[SIGV4_HEADERS_MAX];
    size_t count;
};

/**
 * Compute the headers to add: X-Amz-Date, X-Amz-Security-Token if there is a token,
 * X-Amz-Content-Sha256 for S3, and Authorization.
 */
void sigv4_sign(const struct sigv4_request *request, const struct sigv4_credentials *credentials,
                const struct sigv4_scope *scope, struct arena *arena, struct sigv4_headers *out);

/** The canonical request, the first step of the signature; for tests. In the arena. */
struct str sigv4_canonical(const struct sigv4_request *request, const struct sigv4_scope *scope,
                           struct arena *arena);

/** Append `text`; all except unreserved characters (RFC 3986), and `/` if `keep_slash`, as %XX. */
void sigv4_encode(struct buf *out, struct str text, bool keep_slash);
