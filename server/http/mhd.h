/*
 * mhd.h - what differs between the versions of libmicrohttpd (MHD).
 *
 * The version that counts is the one that was loaded, not that of the header at build time: before
 * 1.0 (Debian 12), from 1.0 to 1.0.9 (Debian 13, Ubuntu 24.04 and 26.04), from 1.0.10 on.
 *
 * Before 1.0 MHD reads a head leniently and does not say so: a NUL ends what it is reading, a
 * folded line is joined to the *name* of the header before it, and a line that begins with a colon
 * ends the headers. A proxy in front that reads these otherwise would see other requests. But MHD
 * leaves the head where it came in and knows its size. So struct http_mhd_head checks that the
 * texts which MHD shows lie one behind the other, with only blanks, a colon or a line's end in
 * between.
 *
 * Threads: any; a struct http_mhd_head belongs to its caller.
 */
#pragma once

#include <stdarg.h>
#include <stdbool.h>

#include "base/attr.h"
#include "base/str.h"
#include "server/http/gate.h"

struct MHD_Connection;
struct MHD_OptionItem;

/** The version that is loaded, as "0.9.75". */
const char *http_mhd_version(void);

/**
 * Is that version free of known faults with which a stranger can end the process? From 1.0 to 1.0.9
 * a long target with a query and no header does that, unless http_mhd_cut_query() prevents it.
 */
bool http_mhd_is_safe(const char *version);

/** The flags for a daemon that one thread drives, except those that all versions have. */
unsigned http_mhd_flags(void);

/** The option that says how strictly requests are read. */
struct MHD_OptionItem http_mhd_discipline(void);

/**
 * Cut the query off the target before MHD parses it; `target` is what MHD passes to
 * MHD_OPTION_URI_LOG_CALLBACK. Returns the query's first character, which is overwritten; NUL: the
 * target has no query.
 */
char http_mhd_cut_query(const char *target);

/** Does this message of MHD_OPTION_EXTERNAL_LOGGER mean that a TLS handshake has failed? */
bool http_mhd_is_handshake_failure(const char *format);

/** The status with which MHD is about to answer a request by itself, if that is what this message
 * of MHD_OPTION_EXTERNAL_LOGGER says; else 0. */
int http_mhd_refusal(const char *format, va_list args);

struct http_mhd_head {
    const char *next; /* where the next text must begin */
    bool is_broken;   /* one did not */
};

/** Begin with the request line. Its texts must be MHD's own, not copies. */
void http_mhd_head_begin(struct http_mhd_head *head, const struct http_line *line);

/** The next header, likewise. */
void http_mhd_head_header(struct http_mhd_head *head, struct str name, struct str value);

/** After the last header: has MHD shown all bytes of the head? Always true from 1.0 on. */
NODISCARD bool http_mhd_head_is_complete(const struct http_mhd_head *head,
                                         const struct http_line *line, struct MHD_Connection *mhd);
