/*
 * handler.h - what the HTTP server asks of a handler, without an HTTP library in sight.
 *
 * A handler sees a whole request and fills in a response. The server has done the rest: framing,
 * path and method, limits, the request id, the deadline.
 *
 * A handler that needs something which takes time (a commit, a schema that is being fetched) does
 * not hold its thread: it starts the thing, answers HANDLER_WAIT, and goes on in resume().
 *
 * Threads: handle() and resume() run on any loop thread, several at a time, those of one request
 * on the same; request and response belong to them.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/str.h"
#include "base/waker.h"

/** What the request's log line and the metrics say; the handler fills in what it knows. */
struct request_note {
    struct str event_id;       /* ptr NULL: none. Shown only when a well-formed identifier */
    struct str outcome;        /* contract of POST /events: "valid", "schema_invalid", ... */
    struct str schema;         /* name of the schema that was asked */
    struct str schema_version; /* its version as text */
    struct str rule;           /* keywordLocation of the error that was answered */
    struct str reason;         /* why it was refused by its head; constant text */
    size_t events;             /* elements of an array; 0 for a single event */
    size_t refused;            /* how many of them were not accepted */
};

struct request {
    struct arena *arena; /* lives as long as the request */
    struct str method;   /* "GET", "HEAD", "POST"; for others as sent */
    struct str path;     /* raw, without the query */
    struct str body;
    struct str id;          /* X-Request-Id: the sender's or ours */
    int64_t deadline_us;    /* clock_monotonic_us() by which an answer must leave */
    struct waker waker;     /* for whoever is to wake this request after HANDLER_WAIT */
    void *state;            /* the handler's own, from handle() to resume(); begins as NULL */
    const void *connection; /* the server's; for header() */
    uint64_t sender;        /* the same for requests from one client address (IPv6: one /64) */
    bool is_over_limit;     /* it will be refused: admit() must do nothing costly for it */
    /** The value of the first header `name` (any case); ptr NULL when there is none. */
    struct str (*header)(const void *connection, const char *name);

    /**
     * Take the request out of its connection, so that another thread can work on it, even beyond
     * its end: the result owns arena, body and what the handler needs, and is released with
     * `release` on any thread. `request` goes on with an empty arena and without a body; its
     * answer may refer to the result's memory if the new arena owns the result. The result has no
     * headers. NULL: this request cannot be taken out, its handler does the work in place.
     */
    struct request *(*detach)(struct request *request);
    void (*release)(struct request *detached);
    /** The result's body is not needed any more; may be called before `release`. */
    void (*drop_body)(struct request *detached);
};

struct response {
    int status;
    struct str body;              /* in the request's arena, or constant */
    const char *content_type;     /* NULL: application/json */
    unsigned retry_after_seconds; /* 0: no Retry-After */
    const char *www_authenticate; /* NULL: none */
    bool duplicate;               /* Sluice-Duplicate: true */
    struct request_note note;
};

enum handler_method {
    HANDLER_GET, /* HEAD too */
    HANDLER_POST,
};

enum handler_step {
    HANDLER_DONE, /* the response is filled in */
    HANDLER_WAIT, /* it is not: resume() will be called */
};

/** Why a request that waited goes on. */
enum resume_reason {
    HANDLER_WOKEN,   /* its waker was used */
    HANDLER_EXPIRED, /* its deadline is reached: it must be answered now */
};

struct handler {
    const char *path; /* compared raw and whole */
    enum handler_method method;
    bool is_probe; /* a health probe: no limit on requests holds for it */

    /**
     * May this request go on? Called when the headers are in, before any body is read; NULL: yes.
     * If not, it fills in the response (a 401) and answers false.
     */
    bool (*admit)(void *self, const struct request *request, struct response *response);

    /** Answer it, or wait. A waker that is used before HANDLER_WAIT is returned is not lost. */
    enum handler_step (*handle)(void *self, struct request *request, struct response *response);

    /**
     * After HANDLER_WAIT: answer it, or wait again (not when it is expired). A wake-up may be an
     * old one, so check that what the handler waits for is there. Not called when the server ends
     * first: what must be released in any case belongs to the request's arena (arena_own()).
     * NULL in a handler that never waits.
     */
    enum handler_step (*resume)(void *self, struct request *request, struct response *response,
                                enum resume_reason reason);

    void *self;
};

/**
 * A refusal: `{"error":"<reason phrase>"}`, with `,"details":"..."` when details is not NULL.
 * Both are plain text; the body lands in the arena.
 */
void response_refuse(struct response *response, struct arena *arena, int status,
                     const char *details);

/** The reason phrase of a status this program uses (RFC 9110). */
const char *response_reason(int status);
