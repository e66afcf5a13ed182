/*
 * http_client.h - a client that sends exactly the bytes it is told to, for tests of servers.
 *
 * Nothing waits longer than ten seconds.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"

struct http_answer {
    int status; /* 0: none came */
    char head[4096];
    char body[8192];
    size_t body_len;
};

/** A connection to 127.0.0.1; ends the program when there is none. Closed by http_client_close().
 */
int http_client_open(uint16_t port);

void http_client_close(int fd);

/** Send that much more, then end the connection with a reset. */
void http_client_reset(int fd, struct str bytes);

/** Send all of it; false when the server does not take it. */
bool http_client_send(int fd, struct str bytes);

/** Send all of it and then the end of the stream; answers may still come. */
bool http_client_send_last(int fd, struct str bytes);

/** Read one answer, an interim one (1xx) too. False: none came whole. */
bool http_client_read(int fd, struct http_answer *answer);

/** The same for the answer to a HEAD, which has no body. */
bool http_client_read_head(int fd, struct http_answer *answer);

/** Has the server closed, with nothing more to read? Waits for it. */
bool http_client_is_closed(int fd);

/** Is there nothing to read at present, and the connection open? */
bool http_client_is_quiet(int fd);

/** The answer's header, without white space around it; ptr NULL: none. */
struct str http_answer_header(const struct http_answer *answer, const char *name);

static inline struct str http_answer_body(const struct http_answer *answer)
{
    return (struct str){ answer->body, answer->body_len };
}
