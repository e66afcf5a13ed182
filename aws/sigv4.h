/*
 * sigv4.h - AWS Signature Version 4: the headers, or the query, that authenticate a request.
 *
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
 * All headers of the request are signed. So pass only headers that are sent and that neither
 * libcurl nor a proxy changes.
 *
 * Threads: any; no state.
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
    bool s3; /* rules of S3: do not normalise or encode the path again; send the body's hash */
};

/** The request to sign, exactly as it is sent. */
struct sigv4_request {
    const char *method;
    struct str path;  /* as in the request line, percent-encoded once; not empty */
    struct str query; /* as in the request line, without "?"; `+` means a plus sign, not a space */
    const struct fetch_header *headers; /* must contain Host */
    size_t header_count;
    struct str body;
};

enum {
    SIGV4_HEADERS_MAX = 4,  /* added by sigv4_sign() */
    SIGV4_TIME_SIZE = 17,   /* 20150830T123600Z and NUL */
    SIGV4_DIGEST_SIZE = 32, /* SHA-256 */
};

/** The headers to add. Values are in the arena, except the token: a slice of the credentials. */
struct sigv4_headers {
    struct fetch_header list[SIGV4_HEADERS_MAX];
    size_t count;
};

/**
 * Compute the headers that the caller must add: X-Amz-Date, X-Amz-Security-Token if there is a
 * token, X-Amz-Content-Sha256 for S3, and Authorization.
 */
void sigv4_sign(const struct sigv4_request *request, const struct sigv4_credentials *credentials,
                const struct sigv4_scope *scope, struct arena *arena, struct sigv4_headers *out);

/**
 * The query of a request that is authenticated without headers: the parameters of `request->query`
 * and those of the signature, in canonical order, X-Amz-Signature last. In the arena. The URL is
 * valid for `expires_s` seconds after the scope's time. Not for S3, which signs another body hash.
 */
struct str sigv4_presign(const struct sigv4_request *request,
                         const struct sigv4_credentials *credentials,
                         const struct sigv4_scope *scope, int64_t expires_s, struct arena *arena);

/** The canonical request, the first step of signing. In the arena. Exported for tests. */
struct str sigv4_canonical(const struct sigv4_request *request, const struct sigv4_scope *scope,
                           struct arena *arena);

/**
 * Append `text` percent-encoded. Unreserved characters (RFC 3986, 2.3) are not encoded, nor is `/`
 * if `keep_slash`.
 */
void sigv4_encode(struct buf *out, struct str text, bool keep_slash);
