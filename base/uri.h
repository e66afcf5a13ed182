/*
 * uri.h - URI references as `$id` and `$ref` use them: split, resolve, decode (RFC 3986).
 *
 * Any text is accepted and read by the generic syntax; schema/format/format.h checks whether a text
 * is a URI.
 *
 * Threads: no state.
 */
#pragma once

#include <stdbool.h>

#include "base/arena.h"
#include "base/str.h"

/** The five parts, each without its delimiter; slices of the text they were split from. */
struct uri {
    struct str scheme;
    struct str authority;
    struct str path; /* may be empty */
    struct str query;
    struct str fragment;
    bool has_scheme;
    bool has_authority;
    bool has_query;
    bool has_fragment;
};

/** Split (RFC 3986, appendix B). What is not a scheme by its grammar is part of the path. */
struct uri uri_split(struct str text);

/**
 * Resolve `reference` against `base` (RFC 3986, section 5.2). The result, in the arena, has the
 * fragment of the reference; that of the base is ignored. The result is relative when base and
 * reference are. False when `base` is not hierarchical ("urn:x:y") and `reference` is relative and
 * more than a query or fragment.
 */
bool uri_resolve(struct arena *arena, struct str base, struct str reference, struct str *out);

/**
 * Split at the first `#` into what precedes it and the fragment, still percent-encoded; the
 * fragment is empty when there is none. Slices of `uri`.
 */
void uri_split_fragment(struct str uri, struct str *absolute, struct str *fragment);

/** `text` with %XX decoded; a copy in the arena if it has one. A malformed escape is kept. */
struct str uri_decode(struct arena *arena, struct str text);
