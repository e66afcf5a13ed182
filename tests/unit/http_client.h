/*
 * http_client.h - an HTTP client that sends exactly the given bytes, for tests of servers.
 *
 * Each wait ends after at most ten seconds.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"

struct http_answer {
    int status;      /* 0: no answer */
    char head[4096]; /* status line and headers */
    char body[8192];
    size_t body_len;
};

/** Connect to 127.0.0.1. Ends the program if that fails. Close it with http_client_close(). */
int http_client_open(uint16_t port);

void http_client_close(int fd);

/** Send these bytes, then reset the connection. */
void http_client_reset(int fd, struct str bytes);

/** Send all bytes. False: the connection is closed. */
bool http_client_send(int fd, struct str bytes);

/** Send all bytes and close the sending direction. Answers can still be read. */
bool http_client_send_last(int fd, struct str bytes);

/** Read one answer; 1xx answers count too. False: no complete answer. */
bool http_client_read(int fd, struct http_answer *answer);

/** Like http_client_read(), for the answer to a HEAD request, which has no body. */
bool http_client_read_head(int fd, struct http_answer *answer);

/** Wait until the server sends something or closes. True: it closed without sending more. */
bool http_client_is_closed(int fd);

/** Is there nothing to read now, and is the connection open? Does not wait. */
bool http_client_is_quiet(int fd);

/** A header's value without white space at its ends; ptr NULL: there is no such header. */
struct str http_answer_header(const struct http_answer *answer, const char *name);

static inline struct str http_answer_body(const struct http_answer *answer)
{
    return (struct str){ answer->body, answer->body_len };
}
