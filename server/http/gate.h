/*
 * gate.h - is it beyond doubt where this request ends and what it asks for?
 *
 * The library takes requests that a proxy in front may read otherwise (two lengths, a length and
 * chunks, a space before the colon); those are how requests are smuggled. So every header passes
 * here once and the doubtful ones are refused. Also what else is read off the headers: media type,
 * request id, trace id.
 *
 * Threads: pure functions; a gate belongs to its caller. Slices stay the caller's.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/str.h"

/* The headers that the server itself reads. */
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
    unsigned repeated;                    /* a bit for each that came twice */
    bool malformed;                       /* a name or a value has bytes it must not have */
    size_t count;
    size_t bytes;

    /* Set by http_gate_judge() when it answers 0. */
    bool chunked;
    uint64_t content_length; /* 0 when there is none */
};

/** What stands before the headers. */
struct http_line {
    struct str method;
    struct str path;
    struct str version;
    size_t target_len; /* as it came, query included */
};

/**
 * The path of a target without its query: that of an absolute target (RFC 9112, 3.2.2) begins
 * behind scheme and authority. What is no such target is returned as it is.
 */
struct str http_gate_path(struct str target);

/** Has the target, path and query, no byte that may not be in a request line? */
bool http_gate_is_target(struct str target);

/** Look at one header. The gate begins as zeroes. */
void http_gate_header(struct http_gate *gate, struct str name, struct str value);

/**
 * After the last header: 0, or the status to refuse the request with (and close). A head has at
 * most `max_head` bytes.
 */
int http_gate_judge(struct http_gate *gate, const struct http_line *line, size_t max_head);

/** What the headers alone say, when the library does not pass the request line on: as above. */
int http_gate_judge_headers(const struct http_gate *gate);

/** What http_gate_takes() takes, for people. */
#define HTTP_TAKEN_BODIES                                                                          \
    "Content-Type application/json, text/json, */*+json or none; Content-Encoding identity or "    \
    "none"

/** May a body of this Content-Type (empty: none) and Content-Encoding (likewise) be JSON? */
bool http_gate_takes(struct str content_type, struct str content_encoding);
