/*
 * s3_place.h - a bucket of S3 for a sink: a store of objects with conditional writes, whose answers
 * a test can change.
 *
 * Threads: its mutex guards what its server's thread uses.
 */
#pragma once

#include <pthread.h>
#include <stdbool.h>

#include "aws/session.h"
#include "base/buf.h"

enum { S3_PLACE_MAX = 200, S3_PLACE_TEXT_MAX = 16 * 1024 * 1024 };

#define STATUS(line) "HTTP/1.1 " line "\r\nContent-Length: 0\r\n\r\n"
#define PRECONDITION STATUS("412 Precondition Failed")
#define REFUSE(code)                                                                               \
    "<?xml version=\"1.0\"?><Error><Code>" code "</Code><Message>m</Message></Error>"

#define ANSWER(status, text) "HTTP/1.1 " status "\r\nConnection: close\r\n" text

struct s3_stored {
    char *path;
    char *range;
    char *layout;
    struct str body;
};

extern struct s3_place {
    struct canned *server;
    pthread_mutex_t mutex; /* guards the rest */
    struct s3_stored objects[S3_PLACE_MAX];
    size_t count;
    size_t puts;
    size_t heads;
    const char *put_answer;  /* NULL: as it should */
    const char *only;        /* put_answer is for keys with this part; NULL: for all */
    const char *head_answer; /* NULL: as it should */
    bool loses;              /* it writes, but the answer does not arrive */
    bool stalls;
    size_t most_bytes; /* of a body; more is EntityTooLarge; 0: any */
    struct buf answer; /* on its way; the server's thread's own */
    struct buf last;   /* the last request's head */
    struct aws_session *session;
    char url[60];
} s3_place;

void s3_place_begin(void);

/** Stop it, and forget what it has and how it answers. */
void s3_place_end(void);
