/*
 * http_headers.h - the headers of a request of the HTTP sink.
 *
 * Threads: any; each request has its own.
 */
#pragma once

#include "base/fetch.h"
#include "delivery/sinks/http.h"

/** The values of secret ones are owned. */
struct http_headers {
    struct fetch_header *list;
    size_t count;
    struct str *secrets;
    size_t secret_count;
};

/**
 * The headers of a request with this body, in the batch's arena, except Authorization by OAuth.
 * ERR_CONFIG: a secret cannot be read.
 */
NODISCARD bool http_headers_collect(const struct sink_http_options *options,
                                    const struct sink_batch *batch, struct str body,
                                    struct http_headers *out, struct error *err);

/** Add one more; `secret` is owned from now on. There is room for one. */
void http_headers_add_secret(struct http_headers *headers, const char *name, struct str secret);

/** For CLEANUP: wipe the secrets. */
void http_headers_done(struct http_headers *headers);
