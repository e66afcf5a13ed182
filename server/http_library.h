/*
 * http_library.h - which HTTP library this process runs with, and whether it should.
 *
 * What counts is the library that was loaded, not the header we were built with.
 *
 * Threads: any.
 */
#pragma once

#include <stdbool.h>

/** The version that is loaded, as "0.9.75". */
const char *http_library_version(void);

/**
 * Is that version free of known faults that end the process at a stranger's request? The 1.0 line
 * has one before 1.0.10: a long target with a query, without any header, in a request of HTTP/1.0.
 * It strikes before any code of ours runs.
 */
bool http_library_is_safe(const char *version);

/** Can that version be told to refuse malformed requests by itself? Since 1.0. */
bool http_library_is_strict(const char *version);
