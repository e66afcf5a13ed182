/*
 * request.h - one request's life: headers, admission, body, handler, answer, summary.
 *
 * The functions are the library's callbacks; they run in the loop thread of their connection.
 */
#pragma once

#include <microhttpd.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "handlers/handler.h"
#include "server/http/addresses.h"
#include "server/http/gate.h"
#include "server/http/id.h"

struct http_connection;
struct http_served;

enum http_stage {
    HTTP_BETWEEN,  /* no request yet, or the last one is over */
    HTTP_LINE_IN,  /* the request line is in */
    HTTP_BODY_IN,  /* headers are in and looked at; the body follows */
    HTTP_WAITING,  /* the handler waits for news; the connection is suspended */
    HTTP_REPLYING, /* the answer is with the library */
    HTTP_SAID,     /* the answer was sent past the library, which closes the connection */
};

/* Part of a connection; begins as zeroes and is zeroed again after each request. */
struct http_exchange {
    enum http_stage stage;
    bool cut;       /* its time was over */
    bool refused;   /* `response` is there before any handler ran; the body is dropped */
    bool closing;   /* the answer ends the connection */
    bool in_flight; /* counted in http->in_flight */
    bool counted;   /* the metrics know of it */
    bool target_is_sound;
    bool entered;    /* `client` is counted in http->addresses */
    bool postponed;  /* the handler was not called yet, because others had their turn */
    size_t reserved; /* bytes of http->bytes */
    size_t untaken;  /* bytes of http->untaken */
    size_t max_body; /* what was announced, or may come in chunks */
    size_t target_len;
    size_t bytes_in;
    int64_t started_us;
    int64_t answered_us;           /* 0: not yet */
    struct http_served *served;    /* since the headers are in */
    const char *allow;             /* for a 405 */
    const struct handler *handler; /* NULL: none was found */
    struct http_address client;    /* the peer, or whom a trusted proxy asks for */
    struct str method;             /* as in the summary */
    struct str path;
    struct str trace_id;
    struct buf body;
    struct request request;
    struct response response;
    uint64_t token; /* of waiting.h; HTTP_NO_TOKEN: it cannot be woken */
    char id[HTTP_ID_MAX + 1];
    char trace_text[40];
};

/** The request line is in: time runs. The answer becomes `*state`, a struct http_connection. */
void *http_request_begin(void *self, const char *target, struct MHD_Connection *library);

/** Headers, then each piece of body, then its end. */
enum MHD_Result http_request_step(void *self, struct MHD_Connection *library, const char *path,
                                  const char *method, const char *version, const char *data,
                                  size_t *len, void **state);

/**
 * The request on a suspended connection has news, or its deadline is reached: let its handler go
 * on, or begin when it was postponed. True: the library is to have the connection back, which was
 * answered or is to be closed. False: it waits on.
 */
bool http_request_go_on(struct http_connection *connection, enum resume_reason reason);

/**
 * The library is about to refuse a request by itself, with `status`. Is it the one on this
 * connection, its head whole? Then it has been answered in the library's place.
 */
bool http_request_refuse(struct http_connection *connection, int status);

/** It is over, one way or another. */
void http_request_end(void *self, struct MHD_Connection *library, void **state,
                      enum MHD_RequestTerminationCode code);
