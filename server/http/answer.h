/*
 * answer.h - an answer on its way to the client.
 *
 * Threads: called in the loop's thread.
 */
#pragma once

#include <microhttpd.h>

#include "base/str.h"

struct http_connection;

/** Pass exchange.response to MHD. MHD_NO: it was not possible, MHD must close the connection. */
enum MHD_Result http_answer_queue(struct http_connection *connection);

/**
 * Send exchange.response without MHD, which is about to send an answer of its own; end the stream,
 * so that MHD's answer is lost.
 */
void http_answer_send(struct http_connection *connection);
