/*
 * handler.h - the interface between the HTTP server and its handlers, independent of the HTTP
 * library.
 *
 * A handler gets a whole request and fills in a response. The server does the rest: framing, path
 * and method, limits, the request id, the deadline.
 *
 * A handler does not block its thread. When it needs something that takes time (a commit, a schema
 * that is being fetched), it starts that, returns HANDLER_WAIT, and continues in resume().
 *
 * Threads: handle() and resume() run on loop threads, several requests at a time; all calls for one
 * request are on one thread, which owns request and response.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/str.h"
#include "base/waker.h"

/** For the request's log line and the metrics; the handler fills in what it knows. */
struct request_note {
    struct str event_id;       /* ptr NULL: none; logged only if it is a well-formed identifier */
    struct str outcome;        /* contract of POST /events: "valid", "schema_invalid", ... */
    struct str route;          /* the name of the event's route */
    struct str schema;         /* the name of the event's schema */
    struct str schema_version; /* its version as text */
    struct str rule;           /* keywordLocation of the error in the answer */
    struct str reason;         /* why it was refused or not served; without values of the event */
    size_t events;             /* elements of an array; 0 for a single event */
    size_t refused;            /* how many of them were not accepted */
};

struct request {
    struct arena *arena; /* lives as long as the request */
    struct str method;   /* "GET", "HEAD", "POST"; for others as sent */
    struct str path;     /* raw, without the query */
    struct str query;    /* raw, without the `?`; only for a handler that takes it */
    struct str body;
    struct str id;          /* X-Request-Id: the sender's or ours */
    struct str traceparent; /* base/tracing/context.h, to be passed on; ptr NULL: none */
    int64_t deadline_us;    /* clock_monotonic_us() by which an answer must leave */
    struct waker waker;     /* resumes this request after HANDLER_WAIT */
    void *state;            /* the handler's, from handle() to resume(); NULL at first */
    const void *connection; /* the server's, for header() */
    uint64_t sender;        /* equal for requests from one client address (IPv6: one /64) */
    bool is_traced;         /* the span of `traceparent` is the request's own, and is exported */
    bool is_replay;         /* the server posts a refused event again */
    bool is_bundle;         /* likewise several as an array, which makes each a level deeper */
    bool is_over_limit;     /* it will be refused: admit() must do nothing costly */
    /** The value of the first header `name` (any case); ptr NULL when there is none. */
    struct str (*header)(const void *connection, const char *name);

    /**
     * Detach the request from its connection, so that another thread can work on it, even after the
     * connection has ended. The result owns the arena and the body; `release` frees it on any
     * thread. It has no headers. `request` keeps an empty arena and no body; its answer may point
     * into the result's memory if the new arena owns the result. NULL: this request cannot be
     * detached.
     */
    struct request *(*detach)(struct request *request);
    void (*release)(struct request *detached);
    /** Free the result's body early, before `release`. */
    void (*drop_body)(struct request *detached);
};

struct response {
    int status;
    struct str body;              /* in the request's arena, or constant */
    const char *content_type;     /* NULL: application/json */
    unsigned retry_after_seconds; /* 0: no Retry-After */
    const char *www_authenticate; /* NULL: none */
    bool duplicate;               /* Sluice-Duplicate: true */
    const char *const *headers;   /* names and values in turn, ends with NULL; NULL: none */
    struct request_note note;
};

enum handler_method {
    HANDLER_GET, /* HEAD too */
    HANDLER_POST,
};

enum handler_step {
    HANDLER_DONE, /* the response is filled in */
    HANDLER_WAIT, /* not yet: resume() will be called */
};

/** Why a request that waited goes on. */
enum resume_reason {
    HANDLER_WOKEN,   /* its waker was used */
    HANDLER_EXPIRED, /* its deadline is reached: it must be answered now */
};

struct handler {
    const char *path; /* compared raw and whole */
    enum handler_method method;
    bool is_probe; /* a health probe: exempt from the limits on requests */
    bool takes_query;
    bool is_quiet; /* asked all the time by machines: its requests are logged at level debug */

    /**
     * May this request continue? Called after the headers, before any body is read. NULL: always.
     * If not, it fills in the response (401 or 429) and returns false. Not called for requests that
     * the server makes itself (server/resubmit.h).
     */
    bool (*admit)(void *self, const struct request *request, struct response *response);

    /** Answer, or wait. A wake-up that comes before HANDLER_WAIT is returned is not lost. */
    enum handler_step (*handle)(void *self, struct request *request, struct response *response);

    /**
     * After HANDLER_WAIT: answer, or wait again (not when expired). A wake-up may be an
     * old one, so check that what the handler waits for is there. Not called when the server ends
     * first: what must be released in any case belongs to the request's arena (arena_own()).
     * NULL in a handler that never waits.
     */
    enum handler_step (*resume)(void *self, struct request *request, struct response *response,
                                enum resume_reason reason);

    void *self;
};

/**
 * Fill in a refusal: `{"error":"<reason phrase>"}`, with `,"details":"..."` if details is not NULL.
 * The body is in the arena.
 */
void response_refuse(struct response *response, struct arena *arena, int status,
                     const char *details);

/** The reason phrase of a status this program uses (RFC 9110). */
const char *response_reason(int status);
