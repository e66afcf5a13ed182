/*
 * head.h - is the head of a request, byte for byte, what the library made of it?
 *
 * Before 1.0 the library is lenient in ways that it does not tell of: it takes a NUL for the end of
 * whatever it is reading, joins a folded line to the *name* of the header before it, and takes a
 * line that begins with a colon for the end of the headers. A proxy in front that reads otherwise
 * would see other requests. But the library leaves the head where it came in, and says how long it
 * is. So what it tells of must lie there, one piece behind the other, with nothing but a blank, a
 * colon or the end of a line in between.
 *
 * Threads: pure functions; a head belongs to its caller.
 */
#pragma once

#include <stdbool.h>

#include "base/attr.h"
#include "base/str.h"
#include "server/http/gate.h"

struct http_head {
    const char *next; /* where the next piece has to begin */
    bool is_broken;   /* one did not */
};

/** The request line. Method, path and version must be as the library has them, not copied. */
void http_head_begin(struct http_head *head, const struct http_line *line);

/** The next header, likewise. */
void http_head_header(struct http_head *head, struct str name, struct str value);

/** After the last header: is that all, up to the end that is `size` bytes behind the method's
 * beginning? */
NODISCARD bool http_head_is_whole(const struct http_head *head, const struct http_line *line,
                                  size_t size);
