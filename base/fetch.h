/*
 * fetch.h - HTTP requests to somebody else, and their answers.
 *
 * A struct fetch_client keeps connections open from one request to the next; fetch_get() is one
 * request without any of that. Redirects are not followed, nothing is decompressed, certificates
 * are verified, except with `any_certificate`, HTTP/1.1 is spoken. An answer of any status is a
 * success. Requests have the User-Agent `sluice/VERSION` unless they bring their own. A connection
 * is used for 5 minutes at most.
 *
 * Threads: fetch_init() once, before other threads; then any thread. A client belongs to one
 * thread at a time, but for fetch_client_interrupt(). SIGPIPE must be ignored in the process.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/buf.h"
#include "base/error.h"

/** Prepare the library. ERR_SYSTEM when it will not start. */
NODISCARD bool fetch_init(struct error *err);

/** What kept a whole answer from coming. */
enum fetch_failure {
    FETCH_NO_FAILURE,
    FETCH_RESOLVE,     /* no address for the name */
    FETCH_CONNECT,     /* nobody there, or no way there, or a proxy that refuses */
    FETCH_TLS,         /* handshake, certificate, CA file */
    FETCH_TIMEOUT,     /* no whole answer in time */
    FETCH_RESET,       /* the connection ended before the answer did */
    FETCH_TOO_LARGE,   /* body or headers over their maximum */
    FETCH_INTERRUPTED, /* fetch_client_interrupt() */
    FETCH_OTHER,       /* no HTTP, a URL that is none, … */
};

enum fetch_proxy {
    FETCH_PROXY_NEVER,       /* whatever the environment says */
    FETCH_PROXY_ENVIRONMENT, /* https_proxy, http_proxy (lower case), no_proxy, as curl(1) */
};

struct fetch_header {
    const char *name;
    struct str value; /* no CR, LF or NUL */
};

/** Strings are borrowed for the call. Zero is a fine value for all but `url` and `timeout_us`. */
struct fetch_request {
    const char *method; /* NULL: GET */
    const char *url;    /* http or https */
    const struct fetch_header *headers;
    size_t header_count;
    struct str body;            /* ptr NULL: none; "" is a body of no bytes */
    int64_t timeout_us;         /* for all of it; under a millisecond counts as one */
    int64_t connect_timeout_us; /* name, connection and TLS; 0: as long as all of it */
    enum fetch_proxy proxy;
    const char *ca_file;     /* PEM; NULL or "": the system's */
    const char *unix_socket; /* connect to this path, whatever the URL's host; NULL: no */
    bool any_certificate;    /* accept the server's certificate unseen: this machine only */
    bool status_only;        /* the status line is the answer: what follows may be cut or endless */
};

struct fetch_answer {
    int status;                 /* the HTTP status */
    enum fetch_failure failure; /* set when there is no whole answer */
    struct buf body; /* the caller's, to be ended with buf_done(); its max is set by the caller */
    struct buf head; /* the header lines; likewise, but with a max of 0 they are not kept */
};

enum { FETCH_HEAD_MAX = 32 * 1024 }; /* a generous maximum for header lines */

/** Empty, for a body of at most `max_body` bytes, headers kept. */
void fetch_answer_init(struct fetch_answer *answer, size_t max_body);

/** Free body and headers. */
void fetch_answer_done(struct fetch_answer *answer);

/** The last header of this name (any case), trimmed; the empty slice when there is none. */
struct str fetch_answer_header(const struct fetch_answer *answer, const char *name);

struct fetch_client;

/** A client without a connection yet. The caller owns it. */
struct fetch_client *fetch_client_create(void);

/** Close its connections and free it. NULL is fine. */
void fetch_client_destroy(struct fetch_client *client);

/**
 * Send the request and wait for the whole answer. Body and headers of an answer that was used
 * before are forgotten. ERR_UNREACHABLE: no whole answer, `answer->failure` says why, and
 * the text says it for people without naming the URL.
 */
NODISCARD bool fetch_client_run(struct fetch_client *client, const struct fetch_request *request,
                                struct fetch_answer *answer, struct error *err);

/** Make the request that is under way and all later ones fail at once. From any thread. */
void fetch_client_interrupt(struct fetch_client *client);

/**
 * GET `url` within `timeout_us`, never through a proxy. ERR_UNREACHABLE as
 * fetch_client_run().
 */
NODISCARD bool fetch_get(const char *url, int64_t timeout_us, struct fetch_answer *answer,
                         struct error *err);
