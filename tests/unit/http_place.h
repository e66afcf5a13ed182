/*
 * http_place.h - the receiver of an HTTP sink: it notes what it gets, and answers as the test says.
 *
 * It refuses a body that contains "poison" with 400.
 *
 * Threads: its mutex guards what its server's thread uses.
 */
#pragma once

#include <pthread.h>
#include <stdbool.h>

#include "base/buf.h"
#include "delivery/sinks/http.h"

enum { HTTP_PLACE_MAX = 16 * 1024 * 1024, HTTP_PLACE_PATIENCE_US = 60000000 };

#define OK_ANSWER "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"

extern struct http_place {
    struct canned *server;
    pthread_mutex_t mutex; /* guards the rest */
    struct buf answer;     /* to what has no poison in it */
    bool stalls;           /* it says nothing instead */
    struct buf sent;       /* a copy of the answer, on its way; the server's thread's own */
    struct buf seen;       /* the last request */
    struct buf arrived;    /* the records, a line each, */
    struct buf keys;       /* and their keys */
    char url[100];
} http_place;

/** Begin with OK_ANSWER. */
void http_place_begin(void);

void http_place_end(void);

/** From now on; NULL: nothing at all, "": the connection is closed. */
void answer_with(const char *answer);

/** Does the last request contain `text`? */
bool saw(const char *text);

/** Deliver these with a sink of these options, once. Returns the first outcome's result. */
enum sink_result deliver_once(const struct sink_http_options *options,
                              const struct sink_record *records, size_t count,
                              struct sink_answer *answer);

extern const struct sink_record http_place_record;
