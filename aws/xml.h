/*
 * xml.h - find elements in the small XML documents that S3 and SNS answer with.
 *
 * This is not an XML parser: it reads tags and text in one pass and ignores attributes and
 * namespaces. Declarations (`<!…`: DTD, CDATA, comments) end the search, because AWS sends none. So
 * there are no entities other than the predefined five and character references.
 *
 * Threads: any; no state.
 */
#pragma once

#include <stdbool.h>

#include "base/arena.h"
#include "base/str.h"

/**
 * Find the next element `name` in `*rest`, at any depth. True: `*content` is the text between its
 * tags, which may contain elements, and `*rest` begins after its end tag. False: there is none, or
 * it has no end tag.
 */
bool aws_xml_next(struct str *rest, const char *name, struct str *content);

/**
 * The text of the first element `name` in `document`, trimmed, with entities decoded, in `arena`.
 * STR_NONE: there is no such element, it has child elements, or a reference in it is invalid.
 */
struct str aws_xml_text(struct str document, const char *name, struct arena *arena);
