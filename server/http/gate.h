/*
 * gate.h - refuses requests whose end or meaning is in doubt.
 *
 * MHD accepts requests that a proxy in front may read otherwise (two lengths, a length and chunks,
 * a space before the colon). Requests are smuggled with those, so every header passes through here
 * once. Also checks the media type.
 *
 * Threads: pure functions; a gate belongs to its caller. Slices stay the caller's.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/str.h"

/* The headers that the server reads itself. */
enum http_header {
    HTTP_HOST,
    HTTP_CONTENT_LENGTH,
    HTTP_TRANSFER_ENCODING,
    HTTP_CONTENT_TYPE,
    HTTP_CONTENT_ENCODING,
    HTTP_AUTHORIZATION,
    HTTP_EXPECT,
    HTTP_REQUEST_ID,
    HTTP_TRACEPARENT,
    HTTP_AMZN_TRACE_ID,
    HTTP_HEADER_COUNT,
};

enum {
    HTTP_MAX_TARGET = 8000, /* bytes of the target, query included */
    HTTP_MAX_HEADERS = 100,
};

struct http_gate {
    struct str values[HTTP_HEADER_COUNT]; /* the first of that name; ptr NULL: none */
    unsigned repeated;                    /* a bit for each header that came twice */
    bool malformed;                       /* a name or value has a byte that is not allowed */
    size_t count;
    size_t bytes;

    /* Set by http_gate_judge() when it returns 0. */
    bool chunked;
    uint64_t content_length; /* 0 when there is none */
};

/** The request line. */
struct http_line {
    struct str method;
    struct str path;
    struct str version;
    size_t target_len; /* as sent, query included */
};

/**
 * The path of a target without a query. In an absolute target (RFC 9112, 3.2.2) it begins after
 * scheme and authority. Other targets are returned unchanged.
 */
struct str http_gate_path(struct str target);

/** Is the target, path and query, not empty and without control characters and spaces? */
bool http_gate_is_target(struct str target);

/** Pass one header. The gate begins as zeroes. */
void http_gate_header(struct http_gate *gate, struct str name, struct str value);

/**
 * After the last header: 0, or the status with which the request must be refused and the connection
 * closed. A head has at most `max_head` bytes.
 */
int http_gate_judge(struct http_gate *gate, const struct http_line *line, size_t max_head);

/** The same without the request line, which MHD does not show when it refuses a request itself. */
int http_gate_judge_headers(const struct http_gate *gate);

/** What http_gate_takes() accepts, in the text of a 415. */
#define HTTP_TAKEN_BODIES                                                                          \
    "Content-Type application/json, text/json, */*+json or none; Content-Encoding identity or "    \
    "none"

/** May a body of this Content-Type (empty: none) and Content-Encoding (likewise) be JSON? */
bool http_gate_takes(struct str content_type, struct str content_encoding);
