/*
 * mhd.h - which HTTP library this process runs with, and all that depends on its version.
 *
 * What counts is the library that was loaded, not the header we were built with: before 1.0
 * (Debian 12), from 1.0 to 1.0.9 (Debian 13, Ubuntu 24.04), from 1.0.10 on.
 *
 * Threads: any.
 */
#pragma once

#include <stdarg.h>
#include <stdbool.h>

struct MHD_OptionItem;

/** The version that is loaded, as "0.9.75". */
const char *http_library_version(void);

/**
 * Is that version free of known faults that end the process at the request of a stranger? From 1.0
 * to 1.0.9 a long target with a query and without any header does that, where
 * http_library_cut_query() does not keep such requests from it.
 */
bool http_library_is_safe(const char *version);

/** Does that version refuse malformed requests by itself? Since 1.0. */
bool http_library_is_strict(const char *version);

/** Flags for a daemon that one thread drives, beside those that all versions have. */
unsigned http_library_flags(void);

/** The option that says how strictly requests are read. */
struct MHD_OptionItem http_library_discipline(void);

/**
 * Take the query off the target before the library takes it apart; `target` is what the library
 * passes to MHD_OPTION_URI_LOG_CALLBACK. Queries have no meaning here.
 */
void http_library_cut_query(const char *target);

/** Says this message that a TLS handshake has failed? */
bool http_library_is_handshake_failure(const char *format);

/**
 * Says this message, as it comes to MHD_OPTION_EXTERNAL_LOGGER, that the library is about to answer
 * a request by itself? Then the status, else 0.
 */
int http_library_refusal(const char *format, va_list args);
