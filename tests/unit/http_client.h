/*
 * http_client.h - a client that sends exactly the given bytes, for tests of servers.
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

/** A connection to 127.0.0.1, closed by http_client_close(). Ends the program if it fails. */
int http_client_open(uint16_t port);

void http_client_close(int fd);

/** Send these bytes, then reset the connection. */
void http_client_reset(int fd, struct str bytes);

/** Send all bytes; false: the server does not accept them. */
bool http_client_send(int fd, struct str bytes);

/** Send all bytes and the end of the stream; answers may still come. */
bool http_client_send_last(int fd, struct str bytes);

/** Read one answer, an interim one (1xx) too. False: none came complete. */
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
