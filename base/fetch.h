/*
 * fetch.h - an HTTP client.
 *
 * Uses HTTP/1.1 and TLS 1.2 or later. Redirects are not followed, bodies are not decompressed, and
 * certificates are verified, except with `any_certificate`. An answer of any status is a success.
 * A client keeps connections open for later requests, each for at most 5 minutes, if they have the
 * `ca_file` of its first request. The User-Agent is
 * `sluice/VERSION` unless the request has its own.
 *
 * Threads: call fetch_init() once, before other threads start. A client belongs to one thread at a
 * time, except for fetch_client_interrupt(). SIGPIPE must be ignored in the process.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/buf.h"
#include "base/error.h"

/** Initialise libcurl. ERR_SYSTEM. */
NODISCARD bool fetch_init(struct error *err);

/** libcurl's version and those of its libraries, as "libcurl/8.14.1 OpenSSL/3.5.1 ...". */
const char *fetch_library_version(void);

/** Why there is no complete answer. */
enum fetch_failure {
    FETCH_NO_FAILURE,
    FETCH_RESOLVE,     /* the name has no address */
    FETCH_CONNECT,     /* refused, unreachable, or refused by a proxy */
    FETCH_TLS,         /* the handshake failed */
    FETCH_TIMEOUT,     /* no complete answer in time */
    FETCH_RESET,       /* the connection ended before the answer did */
    FETCH_TOO_LARGE,   /* body or headers over their maximum */
    FETCH_INTERRUPTED, /* fetch_client_interrupt() */
    FETCH_OTHER,       /* not HTTP, a malformed URL, ... */
    FETCH_CERTIFICATE, /* one of both sides is not trusted, or its file cannot be used */
};

enum fetch_proxy {
    FETCH_PROXY_NEVER,       /* the environment is ignored */
    FETCH_PROXY_ENVIRONMENT, /* https_proxy, http_proxy (lower case), no_proxy, as curl(1) */
};

struct fetch_header {
    const char *name;
    struct str value; /* no CR, LF or NUL */
};

/** Strings are borrowed for the call. All except `url` and `timeout_us` may be zero. */
struct fetch_request {
    const char *method; /* NULL: GET */
    const char *url;    /* http or https */
    const struct fetch_header *headers;
    size_t header_count;
    struct str body;            /* ptr NULL: no body; "" is an empty body */
    int64_t timeout_us;         /* for the whole request; at least a millisecond is used */
    int64_t connect_timeout_us; /* for name, connection and TLS; 0: timeout_us */
    enum fetch_proxy proxy;
    const char *ca_file;     /* PEM; NULL or "": the system's certificates */
    const char *unix_socket; /* connect to this path instead of the URL's host; NULL: no */
    bool any_certificate;    /* do not verify the certificate; for this machine only */
    bool without_accept;     /* no Accept; otherwise libcurl's, or the request's own */
    bool proxy_header;       /* begin the connection with a PROXY header of version 1 */
    bool status_only;      /* only the status is needed: the rest may be missing or endless, and of
                              the body is kept what fits */
    const char *cert_file; /* the client's certificate, PEM; NULL or "": none, */
    const char *key_file;  /* and its key */
};

struct fetch_answer {
    int status;                 /* the HTTP status */
    enum fetch_failure failure; /* set when there is no complete answer */
    struct buf body;            /* its max is the limit */
    struct buf head;            /* the header lines; with a max of 0 they are not kept */
};

enum { FETCH_HEAD_MAX = 32 * 1024 }; /* bytes of header lines */

/** Initialise for a body of at most `max_body` bytes and FETCH_HEAD_MAX bytes of headers. */
void fetch_answer_init(struct fetch_answer *answer, size_t max_body);

/** Free body and headers. */
void fetch_answer_done(struct fetch_answer *answer);

/** The value of the last header `name` (any case), trimmed; STR_NONE when there is none. */
struct str fetch_answer_header(const struct fetch_answer *answer, const char *name);

struct fetch_client;

/** A client. The caller owns it. */
struct fetch_client *fetch_client_create(void);

/** Close its connections and free it. NULL is fine. */
void fetch_client_destroy(struct fetch_client *client);

/**
 * Send the request and wait for the complete answer, which replaces the contents of `answer`.
 * ERR_UNREACHABLE: there is none; `answer->failure` and the text, which does not name the URL, say
 * why. ERR_SYSTEM: libcurl cannot start or has no memory.
 */
NODISCARD bool fetch_client_run(struct fetch_client *client, const struct fetch_request *request,
                                struct fetch_answer *answer, struct error *err);

/** Make the running request and all later ones fail at once. Any thread may call it. */
void fetch_client_interrupt(struct fetch_client *client);
