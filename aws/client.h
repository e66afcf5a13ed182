/*
 * client.h - signed calls of one AWS service: AWS JSON, REST (S3) or query (SNS).
 *
 * https://smithy.io/2.0/aws/protocols/aws-json-1_1-protocol.html
 * Each call is signed with SigV4 and retried as AWS SDKs do in "standard" mode (retry.h). The kind
 * of a failure depends on the service's error code, not on the HTTP status: many services answer
 * nearly every error with 400. When AWS refuses a signature and the answer's Date differs from the
 * local clock by minutes, the call is repeated once with the corrected time. When AWS refuses the
 * credentials as expired or unknown, the call is repeated once with new ones; neither counts as an
 * attempt. The variables AWS_CA_BUNDLE, HTTPS_PROXY and NO_PROXY are honoured.
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
#include "base/fetch.h"
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
    AWS_MISCONFIGURED,   /* KMS keys, regions, accounts, opt-ins; a redirect; a 401, 403 or 404 */
    AWS_INVALID,         /* the request or entry is at fault: ValidationException, too large */
    AWS_EXISTS,          /* the condition of a write is not met: DuplicateItem, 412 */
    AWS_UNREACHABLE,     /* no complete answer: name resolution, connection, TLS, time-out */
    AWS_GARBLED,         /* a 200 whose body is not a JSON object */
    AWS_OTHER,           /* any other error of the service; `code` has its name */
};

enum { AWS_CODE_SIZE = 80 };

struct aws_failure {
    enum aws_failure_kind kind;
    int status;               /* of HTTP; 0: there was no answer */
    char code[AWS_CODE_SIZE]; /* the service's error code without namespace; "": it gave none */
    int64_t retry_after_us;   /* the pause that the service asks for; 0: none */
    struct json_object *json; /* the error answer, in the call's arena; NULL: it is not JSON */
    struct error error;       /* a short text for logs and operators */
};

/** What a caller that sends records does after a failure of a call, or of an entry in a 200. */
enum aws_class {
    AWS_CLASS_LATER,         /* repeat: the same call can succeed; also AWS_OTHER, unknown codes */
    AWS_CLASS_CONFIGURATION, /* repeat, and report: only an operator can help */
    AWS_CLASS_INVALID,       /* do not repeat: the request, or one record in it, is at fault */
    AWS_CLASS_EXISTS,        /* the record is there already */
};

/** The class of a kind. AWS_OTHER is AWS_CLASS_LATER: nothing is dropped for an unknown error. */
enum aws_class aws_failure_class(enum aws_failure_kind kind);

/**
 * The kind of the error code of one entry in a 200 answer (PutRecords, SendMessageBatch,
 * BatchExecuteStatement, ...). AWS_OTHER: the code is unknown.
 */
enum aws_failure_kind aws_failure_of_code(struct str code);

/** Texts may be NULL: not set. All are copied. */
struct aws_client_options {
    const char *service;      /* a name in service.c: "glue", "kinesis", "s3", ... */
    const char *region;       /* instead of the session's */
    const char *endpoint_url; /* instead of the one of the environment, the profile or AWS */
    const char *bucket;       /* S3: all calls are for this bucket; "/KEY" is a path in it */
    bool path_style;          /* S3: the bucket is in the path, not in the host name */
    int attempts;             /* of one call; 0: 3, as SDKs */
    int64_t attempt_time_us;  /* the longest time of one attempt; 0: 3 s, and 1 s for each MiB */
    int64_t pause_unit_us;    /* the unit of pauses between attempts (retry.h); 0: 1 s */
};

struct aws_client;

/**
 * Create a client of `session`. The caller owns it and must destroy it before the session.
 * ERR_CONFIG: no region is configured, the service is unknown, the endpoint is not a URL, or a
 * client cannot work with the bucket. The client connects only when it is called, and keeps its
 * connection.
 */
NODISCARD bool aws_client_create(struct aws_session *session,
                                 const struct aws_client_options *options, struct aws_client **out,
                                 struct error *err);

/** NULL is fine. */
void aws_client_destroy(struct aws_client *client);

/** One operation of a service that speaks AWS JSON. */
struct aws_call {
    const char *operation;   /* "GetSchemaVersion" */
    struct str body;         /* JSON */
    int64_t deadline_us;     /* by clock_monotonic_us(), for all attempts and pauses together */
    size_t max_answer_bytes; /* 0: 4 MiB; a longer answer is AWS_UNREACHABLE */
};

/**
 * Make the call. On success `*answer` is a JSON object that `arena` owns. On failure `*failure` is
 * set and `*answer` is untouched.
 */
NODISCARD bool aws_client_call(struct aws_client *client, const struct aws_call *call,
                               struct arena *arena, struct json_object **answer,
                               struct aws_failure *failure);

enum { AWS_REQUEST_HEADERS_MAX = 16 };

/** One request of a service that speaks REST or query. */
struct aws_request {
    const char *method;
    struct str path;  /* percent-encoded once; begins with "/"; the endpoint's path comes before */
    struct str query; /* percent-encoded, without "?"; may be empty */
    /* Sent and signed. Content-Type is needed with a body. Host and the signature are added. */
    const struct fetch_header *headers;
    size_t header_count; /* at most AWS_REQUEST_HEADERS_MAX */
    struct str body;     /* ptr NULL: none */
    int64_t deadline_us; /* by clock_monotonic_us(), for all attempts and pauses together */
};

/**
 * Send the request. True: the status is 2xx. The caller initialises `answer` with the longest body
 * (fetch_answer_init()) and ends it. On failure `*failure` is set, and `answer` has what the last
 * attempt received; its status is 0 when there was no answer.
 */
NODISCARD bool aws_client_send(struct aws_client *client, const struct aws_request *request,
                               struct arena *arena, struct fetch_answer *answer,
                               struct aws_failure *failure);

/** Make the current call and all later ones fail at once. Any thread may call this. */
void aws_client_interrupt(struct aws_client *client);

/**
 * Seconds by which AWS's clock is ahead of the local one; negative: behind. 0 until an answer has
 * shown a difference of minutes.
 */
int64_t aws_client_clock_skew(const struct aws_client *client);

/** The URL to which calls are sent, with the bucket. Lives as long as the client. */
const char *aws_client_endpoint(const struct aws_client *client);

/** Is the endpoint AWS's own? False: one is configured. */
bool aws_client_is_at_aws(const struct aws_client *client);
