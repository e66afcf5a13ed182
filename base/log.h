/*
 * log.h - one line per event on standard output, as JSON or as text.
 *
 * Keys are fixed, values are escaped. No header value, body value or credential is ever passed
 * here, except well-formed identifiers (log_identifier()).
 *
 * Threads: any thread may log; a line is written whole. A loop thread may batch its lines
 * (log_batch()) and write them together with log_flush().
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR };

enum log_format { LOG_JSON, LOG_TEXT };

struct log_field {
    const char *key;
    enum { LOG_FIELD_STR, LOG_FIELD_INT, LOG_FIELD_BOOL } kind;
    struct str str;
    int64_t number; /* also 0 and 1 for a boolean */
};

/** A string field; left out when the slice's ptr is NULL. */
#define LOG_STR(name, value)                                                                       \
    ((struct log_field){ .key = (name), .kind = LOG_FIELD_STR, .str = (value) })
#define LOG_INT(name, value)                                                                       \
    ((struct log_field){ .key = (name), .kind = LOG_FIELD_INT, .number = (int64_t)(value) })
#define LOG_BOOL(name, value)                                                                      \
    ((struct log_field){ .key = (name), .kind = LOG_FIELD_BOOL, .number = (value) })

/** Also while other threads write. The default is info, JSON. */
void log_configure(enum log_level level, enum log_format format);

/** Would a line of this level be written? */
bool log_enabled(enum log_level level);

/** Write one line. `ready` is written at any level. */
void log_write(enum log_level level, const char *event, const struct log_field *fields,
               size_t count);

/** LOG_EVENT(LOG_INFO, "stopped", LOG_INT("requests", n)) */
#define LOG_EVENT(level, event, ...)                                                               \
    log_write((level), (event), (const struct log_field[]){ __VA_ARGS__ },                         \
              sizeof((const struct log_field[]){ __VA_ARGS__ }) / sizeof(struct log_field))

/** From now on this thread's lines wait for log_flush(), or until 32 KiB are waiting. */
void log_batch(void);

/** Since when (clock_monotonic_us()) this thread's oldest line waits; 0: none does. */
int64_t log_waiting_since_us(void);

/** Write what waits. */
void log_flush(void);

/** `s` if it matches [A-Za-z0-9._:-]{1,128}, else a slice with ptr NULL (the field is left out). */
struct str log_identifier(struct str s);
