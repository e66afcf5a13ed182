/*
 * client.h - calls of one AWS service that speaks AWS JSON (Glue: AWS JSON 1.1).
 *
 * A call is signed with SigV4, repeated as SDKs' "standard" retry does it (3 tries, full jitter, a
 * bucket of 500 tokens), and its failure is told by the code that the service gives, not by the
 * HTTP status. A clock that is wrong by minutes is corrected from the answer's Date; credentials
 * that have expired or are not known are fetched anew once. AWS_CA_BUNDLE, HTTPS_PROXY and NO_PROXY
 * are honoured.
 *
 * Threads: a client belongs to one thread at a time, but for aws_client_interrupt(). Clients of one
 * session may be used at once.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "aws/session.h"
#include "base/arena.h"
#include "base/attr.h"
#include "base/json.h"
#include "base/str.h"

/** What can be done about it. */
enum aws_failure_kind {
    AWS_NO_FAILURE,
    AWS_DENIED,          /* we are known and not allowed: AccessDeniedException */
    AWS_NOT_FOUND,       /* EntityNotFoundException */
    AWS_THROTTLED,       /* ThrottlingException and its kin */
    AWS_UNAVAILABLE,     /* the service's own fault, 5xx */
    AWS_EXPIRED_TOKEN,   /* also after new credentials were fetched */
    AWS_CLOCK_SKEW,      /* also after the clock was corrected */
    AWS_BAD_CREDENTIALS, /* the service does not know us, or the signature is wrong */
    AWS_NO_CREDENTIALS,  /* no provider has any, or the one that should is broken */
    AWS_UNREACHABLE,     /* no whole answer: name, connection, TLS, time */
    AWS_GARBLED,         /* an answer that is not a JSON object */
    AWS_OTHER,           /* any other error of the service; `code` says which */
};

enum { AWS_CODE_SIZE = 80 };

struct aws_failure {
    enum aws_failure_kind kind;
    char code[AWS_CODE_SIZE]; /* the service's, without namespace; "" when it gave none */
    struct error error;       /* short text for people */
};

struct aws_client_options {
    const char *service;     /* as in host names and signatures: "glue" */
    const char *target;      /* before the operation in X-Amz-Target: "AWSGlue" */
    int64_t attempt_time_us; /* one try takes at most this; 0: 3 s */
    int64_t pause_unit_us;   /* pauses between tries are counted in it; 0: 1 s */
};

struct aws_client;

/**
 * A client of `session`, which outlives it. The caller owns it. ERR_CONFIG: there is no region, or
 * the endpoint is no URL.
 */
NODISCARD bool aws_client_create(struct aws_session *session,
                                 const struct aws_client_options *options, struct aws_client **out,
                                 struct error *err);

/** NULL is fine. */
void aws_client_destroy(struct aws_client *client);

struct aws_call {
    const char *operation; /* "GetSchemaVersion" */
    struct str body;       /* JSON */
    int64_t deadline_us;   /* clock_monotonic_us(); nothing outlasts it */
};

/**
 * Make the call; the answer, an object, belongs to `arena`. On failure `failure` is set and says
 * why; `*answer` is untouched.
 */
NODISCARD bool aws_client_call(struct aws_client *client, const struct aws_call *call,
                               struct arena *arena, struct json_object **answer,
                               struct aws_failure *failure);

/** Make the call that is under way and all later ones fail at once. From any thread. */
void aws_client_interrupt(struct aws_client *client);

/** How far our clock is behind AWS's, seconds, as far as answers have told; 0 at first. */
int64_t aws_client_clock_skew(const struct aws_client *client);

/** Where it sends calls; lives as long as the client. */
const char *aws_client_endpoint(const struct aws_client *client);
