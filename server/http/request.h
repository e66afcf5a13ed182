/*
 * request.h - the life of a request: MHD's callbacks, and the calls of the handler.
 *
 * Threads: all functions run in the loop's thread of their connection.
 */
#pragma once

#include <microhttpd.h>
#include <stdbool.h>
#include <stddef.h>

#include "handlers/handler.h"

struct http_connection;

/** MHD: the request line is complete. Returns the connection, which becomes MHD's `*state`. */
void *http_request_begin(void *self, const char *target, struct MHD_Connection *mhd);

/** MHD: the headers, then each piece of the body, then the end of the body. */
enum MHD_Result http_request_step(void *self, struct MHD_Connection *mhd, const char *path,
                                  const char *method, const char *version, const char *data,
                                  size_t *len, void **state);

/** MHD: the request is over, with or without an answer. */
void http_request_end(void *self, struct MHD_Connection *mhd, void **state,
                      enum MHD_RequestTerminationCode code);

/**
 * The request on a connection in HTTP_SUSPENDED was woken, or its deadline is reached: let its
 * handler continue, or begin if it was postponed. Resumes the connection when there is an answer.
 */
void http_request_resume(struct http_connection *connection, enum resume_reason reason);

/**
 * MHD is about to refuse a request by itself, with `status`. True: the request is the one on this
 * connection, its head is complete, and it was answered without MHD.
 */
bool http_request_refuse(struct http_connection *connection, int status);
