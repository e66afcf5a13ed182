/*
 * log.h - the log: one line per event on standard output, as JSON or as text.
 *
 * Keys are fixed, values are escaped. Values of headers and bodies and credentials are never
 * logged, except identifiers that log_identifier() accepts.
 *
 * Threads: any thread may log; a line is written as a whole. A loop thread may collect its lines
 * (log_batch()) and write them together (log_flush()).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR };

enum log_format { LOG_JSON, LOG_TEXT };

struct log_field {
    struct str key; /* with its punctuation in JSON: `,"name":` */
    enum { LOG_FIELD_STR, LOG_FIELD_PLAIN, LOG_FIELD_INT, LOG_FIELD_BOOL } kind;
    union {
        struct str str;
        int64_t number; /* also 0 and 1 for a boolean */
    };
};

/** `name` is a literal without characters that need an escape. */
#define LOG_KEY(name) STR_INIT(",\"" name "\":")

/** A string field; left out when the slice's ptr is NULL. */
#define LOG_STR(name, value)                                                                       \
    ((struct log_field){ .key = LOG_KEY(name), .kind = LOG_FIELD_STR, .str = (value) })
/** The same of a value that needs no escape in JSON: a literal, or what log_identifier() accepts.
 */
#define LOG_PLAIN(name, value)                                                                     \
    ((struct log_field){ .key = LOG_KEY(name), .kind = LOG_FIELD_PLAIN, .str = (value) })
#define LOG_INT(name, value)                                                                       \
    ((struct log_field){ .key = LOG_KEY(name), .kind = LOG_FIELD_INT, .number = (int64_t)(value) })
#define LOG_BOOL(name, value)                                                                      \
    ((struct log_field){ .key = LOG_KEY(name), .kind = LOG_FIELD_BOOL, .number = (value) })

/** Set level and format, also while other threads log. The default is LOG_INFO and LOG_JSON. */
void log_configure(enum log_level level, enum log_format format);

/** Is a line of this level written? */
bool log_enabled(enum log_level level);

/** Write one line. The event "ready" is written at any level. */
void log_write(enum log_level level, const char *event, const struct log_field *fields,
               size_t count);

/** LOG_EVENT(LOG_INFO, "stopped", LOG_INT("requests", n)) */
#define LOG_EVENT(level, event, ...)                                                               \
    log_write((level), (event), (const struct log_field[]){ __VA_ARGS__ },                         \
              sizeof((const struct log_field[]){ __VA_ARGS__ }) / sizeof(struct log_field))

enum { LOG_DELAY_US = 10 * 1000 }; /* how long a line of a batch may wait for others */

/**
 * From now on this thread's lines may wait until log_flush(), which the thread calls when the
 * oldest one has waited for LOG_DELAY_US. When it is late, a full buffer is written.
 */
void log_batch(void);

/** When this thread's oldest unwritten line was logged (clock_monotonic_us()); 0: there is none. */
int64_t log_waiting_since_us(void);

/** Write the lines of this thread that are kept. */
void log_flush(void);

/** `s` if it matches [A-Za-z0-9._:-]{1,128}, else STR_NONE (LOG_STR() omits the field then). */
struct str log_identifier(struct str s);
