/*
 * log.c - see log.h.
 *
 * Each thread composes lines in a buffer of its own and writes them under a mutex: a full pipe
 * takes a write(2) in parts, and lines of other threads must not come between them. Of a line that
 * does not fit an empty buffer only time, level and event are written.
 */
#include "base/log.h"

#include <stdatomic.h>
#include <string.h>

#include "base/buf.h"
#include "base/chars.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/log_output.h"

enum { BUFFER_SIZE = 32 * 1024, IDENTIFIER_MAX = 128 };

static const char *const level_names[] = { "debug", "info", "warn", "error" };

static struct {
    _Atomic(enum log_level) level;
    _Atomic(enum log_format) format;
} settings = { LOG_INFO, LOG_JSON };

/* Whole lines that are not written yet. */
static _Thread_local char bytes[BUFFER_SIZE];
static _Thread_local size_t waiting;
static _Thread_local bool batching;
static _Thread_local int64_t waiting_since_us; /* when the oldest of them was composed */

void log_configure(enum log_level level, enum log_format format)
{
    settings.level = level;
    settings.format = format;
}

bool log_enabled(enum log_level level)
{
    return level >= settings.level;
}

void log_batch(void)
{
    batching = true;
}

void log_flush(void)
{
    if (waiting > 0)
        log_output((struct str){ bytes, waiting });
    waiting = 0;
    waiting_since_us = 0;
}

int64_t log_waiting_since_us(void)
{
    return waiting_since_us;
}

static void add_json_field(struct buf *line, const struct log_field *field)
{
    buf_add(line, STR(",\""));
    buf_add(line, str_from_c(field->key)); /* a constant: nothing to escape */
    buf_add(line, STR("\":"));
    if (field->kind == LOG_FIELD_STR)
        json_write_string(line, field->str);
    else if (field->kind == LOG_FIELD_BOOL)
        buf_add(line, field->number ? STR("true") : STR("false"));
    else
        buf_add_int(line, field->number);
}

/* Can `s` be written without quotes in the text format? */
static bool needs_no_quotes(struct str s)
{
    for (size_t i = 0; i < s.len; i++)
        if ((unsigned char)s.ptr[i] <= ' ' || strchr("\"\\=\x7f", s.ptr[i]))
            return false;
    return s.len > 0;
}

static void add_text_field(struct buf *line, const struct log_field *field)
{
    buf_add_char(line, ' ');
    buf_add(line, str_from_c(field->key));
    buf_add_char(line, '=');
    if (field->kind == LOG_FIELD_STR && needs_no_quotes(field->str))
        buf_add(line, field->str);
    else if (field->kind == LOG_FIELD_STR)
        json_write_string(line, field->str);
    else if (field->kind == LOG_FIELD_BOOL)
        buf_add(line, field->number ? STR("true") : STR("false"));
    else
        buf_add_int(line, field->number);
}

static void add_head(struct buf *line, enum log_level level, const char *event)
{
    char now[CLOCK_TEXT_SIZE];

    clock_format(clock_now_us(), now);
    if (settings.format == LOG_JSON) {
        buf_add(line, STR("{\"ts\":\""));
        buf_add(line, str_from_c(now));
        buf_add(line, STR("\",\"level\":\""));
        buf_add(line, str_from_c(level_names[level]));
        buf_add(line, STR("\",\"event\":\""));
        buf_add(line, str_from_c(event));
        buf_add_char(line, '"');
        return;
    }
    buf_add(line, str_from_c(now));
    buf_add_char(line, ' ');
    buf_add(line, str_from_c(level_names[level]));
    buf_add_char(line, ' ');
    buf_add(line, str_from_c(event));
}

/* Append the line to the buffer. False, with nothing appended, when it does not fit. */
static bool compose(enum log_level level, const char *event, const struct log_field *fields,
                    size_t count)
{
    struct buf line = { bytes, waiting, BUFFER_SIZE, BUFFER_SIZE, false };

    add_head(&line, level, event);
    for (size_t i = 0; i < count; i++) {
        if (fields[i].kind == LOG_FIELD_STR && !fields[i].str.ptr)
            continue;
        if (settings.format == LOG_JSON)
            add_json_field(&line, &fields[i]);
        else
            add_text_field(&line, &fields[i]);
    }
    buf_add(&line, settings.format == LOG_JSON ? STR("}\n") : STR("\n"));
    if (line.overflow)
        return false;
    waiting = line.len;
    return true;
}

void log_write(enum log_level level, const char *event, const struct log_field *fields,
               size_t count)
{
    if (!log_enabled(level) && strcmp(event, "ready") != 0)
        return;
    if (!compose(level, event, fields, count)) {
        log_flush();
        if (!compose(level, event, fields, count))
            (void)compose(level, event, NULL, 0);
    }
    if (!batching)
        log_flush();
    else if (!waiting_since_us)
        waiting_since_us = clock_monotonic_us();
}

static bool is_identifier_character(char c)
{
    return char_is_alnum(c) || char_is_one_of(c, "._:-");
}

struct str log_identifier(struct str s)
{
    return s.len <= IDENTIFIER_MAX && all_are(s, is_identifier_character) ? s : STR_NONE;
}
