/*
 * uri.h - URI references as `$id` and `$ref` use them: resolve, take the fragment off, decode.
 *
 * Works on any text by the generic syntax of RFC 3986 and refuses nothing but a relative reference
 * that has no base to stand on. Whether a text *is* a URI says format.h.
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
    struct str path; /* always there, may be empty */
    struct str query;
    struct str fragment;
    bool has_scheme;
    bool has_authority;
    bool has_query;
    bool has_fragment;
};

/** Split by RFC 3986 appendix B. A scheme must be one by its grammar, else it is part of the path.
 */
struct uri uri_split(struct str text);

/**
 * `reference` seen from `base`, RFC 3986 section 5.2, with its fragment (the base's never counts).
 * With an empty base, or one that is itself relative, the result may be relative. False when
 * `reference` is relative and `base` is not hierarchical ("urn:x:y") and the reference is more than
 * a query or fragment. `*out` lives in the arena.
 */
bool uri_resolve(struct arena *arena, struct str base, struct str reference, struct str *out);

/**
 * Cut at the first `#`: what is before it, and what is behind it (still percent-encoded, empty when
 * there is none). Slices of `uri`.
 */
void uri_split_fragment(struct str uri, struct str *absolute, struct str *fragment);

/** `text` with %XX decoded, in the arena if there are any; a bad escape stays as it is. */
struct str uri_decode(struct arena *arena, struct str text);
