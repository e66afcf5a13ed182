/*
 * client.h - calls of one AWS service that speaks AWS JSON (Glue: AWS JSON 1.1).
 *
 * https://smithy.io/2.0/aws/protocols/aws-json-1_1-protocol.html
 * Each call is signed with SigV4 and retried as AWS SDKs do in "standard" mode (retry.h). The kind
 * of a failure depends on the service's error code, not on the HTTP status: Glue answers nearly
 * every error with 400. When AWS refuses a signature and the answer's Date differs from the local
 * clock by minutes, the call is repeated once with the corrected time. When AWS refuses the
 * credentials as expired or unknown, the call is repeated once with new ones. The variables
 * AWS_CA_BUNDLE, HTTPS_PROXY and NO_PROXY are honoured.
 *
 * Threads: a client belongs to one thread at a time, except for aws_client_interrupt(). Several
 * clients may use one session at the same time.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "aws/session.h"
#include "base/arena.h"
#include "base/attr.h"
#include "base/json.h"
#include "base/str.h"

/** Kinds of failure, by what a caller can do about them. */
enum aws_failure_kind {
    AWS_NO_FAILURE,
    AWS_DENIED,          /* valid credentials without the permission: AccessDeniedException */
    AWS_NOT_FOUND,       /* EntityNotFoundException */
    AWS_THROTTLED,       /* ThrottlingException and similar codes */
    AWS_UNAVAILABLE,     /* an error inside the service, 5xx */
    AWS_EXPIRED_TOKEN,   /* the token has expired, and new credentials did not help */
    AWS_CLOCK_SKEW,      /* the clock is wrong, and correcting it did not help */
    AWS_BAD_CREDENTIALS, /* the access key is unknown, or the signature is wrong */
    AWS_NO_CREDENTIALS,  /* no provider is configured, or the configured one fails */
    AWS_UNREACHABLE,     /* no complete answer: name resolution, connection, TLS, time-out */
    AWS_GARBLED,         /* a 200 whose body is not a JSON object */
    AWS_OTHER,           /* any other error of the service; `code` has its name */
};

enum { AWS_CODE_SIZE = 80 };

struct aws_failure {
    enum aws_failure_kind kind;
    char code[AWS_CODE_SIZE]; /* the service's error code without namespace; "": it gave none */
    struct error error;       /* a short text for logs and operators */
};

struct aws_client_options {
    const char *service;     /* the name in host names and signatures: "glue" */
    const char *target;      /* the prefix of the operation in X-Amz-Target: "AWSGlue" */
    int64_t attempt_time_us; /* the longest time of one attempt; 0: 3 s */
    int64_t pause_unit_us;   /* the unit of pauses between attempts (retry.h); 0: 1 s */
};

struct aws_client;

/**
 * Create a client of `session`. The caller owns it and must destroy it before the session.
 * ERR_CONFIG: no region is configured, the service is unknown, or the endpoint is not a URL.
 */
NODISCARD bool aws_client_create(struct aws_session *session,
                                 const struct aws_client_options *options, struct aws_client **out,
                                 struct error *err);

/** NULL is fine. */
void aws_client_destroy(struct aws_client *client);

struct aws_call {
    const char *operation; /* "GetSchemaVersion" */
    struct str body;       /* JSON */
    int64_t deadline_us;   /* by clock_monotonic_us(), for all attempts and pauses together */
};

/**
 * Make the call. On success `*answer` is a JSON object that `arena` owns. On failure `*failure` is
 * set and `*answer` is untouched.
 */
NODISCARD bool aws_client_call(struct aws_client *client, const struct aws_call *call,
                               struct arena *arena, struct json_object **answer,
                               struct aws_failure *failure);

/** Make the current call and all later ones fail at once. Any thread may call this. */
void aws_client_interrupt(struct aws_client *client);

/**
 * Seconds by which AWS's clock is ahead of the local one; negative: behind. 0 until an answer has
 * shown a difference of minutes.
 */
int64_t aws_client_clock_skew(const struct aws_client *client);

/** The URL to which calls are sent. Lives as long as the client. */
const char *aws_client_endpoint(const struct aws_client *client);
