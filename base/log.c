/*
 * log.c - see log.h.
 *
 * Each thread composes lines in a buffer of its own and writes them under a mutex: a full pipe
 * takes a write(2) in parts, and lines of other threads must not come between them. Of a line that
 * does not fit an empty buffer only time, level and event are written.
 */
#include "base/log.h"

#include <limits.h>
#include <stdatomic.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/flat_internal.h"
#include "base/log_output.h"
#include "base/memory.h"
#include "base/thread.h"

enum { BUFFER_SIZE = 32 * 1024, IDENTIFIER_MAX = 128 };

static struct {
    _Atomic(enum log_level) level;
    _Atomic(enum log_format) format;
} settings = { LOG_INFO, LOG_JSON };

/* Whole lines that are not written yet. [BUFFER_SIZE], made for the thread's first line: an array
 * here would be zeroed, and so be in memory, for each thread. */
static _Thread_local char *bytes;
static _Thread_local size_t waiting;
static _Thread_local bool batching;
static _Thread_local int64_t waiting_since_us; /* when the oldest one of a batch was composed */

static void free_buffer(void *unused)
{
    (void)unused;
    mem_free(bytes);
    bytes = NULL;
}

static void make_buffer(void)
{
    bytes = mem_realloc(NULL, BUFFER_SIZE);
    thread_at_end(free_buffer, NULL);
}

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

static void pass_on(enum log_output_kind kind)
{
    log_output((struct str){ bytes, waiting }, kind);
    waiting = 0;
}

void log_flush(void)
{
    if (waiting > 0 || waiting_since_us)
        pass_on(batching ? LOG_OUTPUT_BATCH : LOG_OUTPUT_LINE);
    waiting_since_us = 0;
}

/* The buffer is full. A thread that is late for its log_flush() may be late for long. */
static void make_room(void)
{
    if (waiting_since_us && clock_monotonic_us() - waiting_since_us >= LOG_DELAY_US)
        log_flush();
    else
        pass_on(LOG_OUTPUT_PART);
}

int64_t log_waiting_since_us(void)
{
    return waiting_since_us;
}

static bool is_text(const struct log_field *field)
{
    return field->kind <= LOG_FIELD_PLAIN;
}

/* Most keys have 8 to 16 bytes: two steps, which may overlap, cost less than a call. */
static inline char *add(char *to, struct str s)
{
    enum { STEP = 8 };

    if (s.len >= STEP && s.len <= (size_t)2 * STEP) {
        memcpy(to, s.ptr, STEP);
        memcpy(to + s.len - STEP, s.ptr + s.len - STEP, STEP);
    } else if (s.len > 0) {
        memcpy(to, s.ptr, s.len);
    }
    return to + s.len;
}

/* Room for the whole field is made first, so that its pieces are only copied. */
static void add_json_field(struct buf *line, const struct log_field *field)
{
    size_t len = is_text(field) ? field->str.len + 2 : BUF_INT_TEXT;
    char *to;

    if (field->kind == LOG_FIELD_STR && !json_is_plain(field->str)) {
        buf_add(line, field->key);
        json_write_string(line, field->str);
        return;
    }
    to = buf_reserve(line, field->key.len + len);
    if (!to)
        return;
    to = add(to, field->key);
    if (is_text(field)) {
        *to++ = '"';
        to = add(to, field->str);
        *to++ = '"';
    } else if (field->kind == LOG_FIELD_BOOL) {
        to = add(to, field->number ? STR("true") : STR("false"));
    } else {
        to = int_write(to, field->number);
    }
    line->len = (size_t)(to - line->ptr);
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
    buf_add(line,
            (struct str){ field->key.ptr + 2, field->key.len - 4 }); /* without `,"` and `":` */
    buf_add_char(line, '=');
    if (is_text(field) && needs_no_quotes(field->str))
        buf_add(line, field->str);
    else if (is_text(field))
        json_write_string(line, field->str);
    else if (field->kind == LOG_FIELD_BOOL)
        buf_add(line, field->number ? STR("true") : STR("false"));
    else
        buf_add_int(line, field->number);
}

static void add_head(struct buf *line, enum log_level level, const char *event, bool is_json)
{
    static const struct str json[] = {
        [LOG_DEBUG] = STR_INIT("\",\"level\":\"debug\",\"event\":\""),
        [LOG_INFO] = STR_INIT("\",\"level\":\"info\",\"event\":\""),
        [LOG_WARN] = STR_INIT("\",\"level\":\"warn\",\"event\":\""),
        [LOG_ERROR] = STR_INIT("\",\"level\":\"error\",\"event\":\""),
    };
    static const struct str text[] = {
        [LOG_DEBUG] = STR_INIT(" debug "),
        [LOG_INFO] = STR_INIT(" info "),
        [LOG_WARN] = STR_INIT(" warn "),
        [LOG_ERROR] = STR_INIT(" error "),
    };
    char now[CLOCK_TEXT_SIZE];

    clock_format(clock_now_us(), now);
    if (is_json)
        buf_add(line, STR("{\"ts\":\""));
    buf_add(line, (struct str){ now, CLOCK_TEXT_LEN });
    buf_add(line, is_json ? json[level] : text[level]);
    buf_add(line, str_from_c(event));
    if (is_json)
        buf_add_char(line, '"');
}

/* Append the line to the buffer. False, with nothing appended, when it does not fit. */
static bool compose(enum log_level level, const char *event, const struct log_field *fields,
                    size_t count)
{
    struct buf line = { bytes, waiting, BUFFER_SIZE, BUFFER_SIZE, .is_lent = true };
    bool is_json = settings.format == LOG_JSON;

    add_head(&line, level, event, is_json);
    for (const struct log_field *field = fields; field < fields + count; field++) {
        if (is_text(field) && !field->str.ptr)
            continue;
        if (is_json)
            add_json_field(&line, field);
        else
            add_text_field(&line, field);
    }
    buf_add(&line, is_json ? STR("}\n") : STR("\n"));
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
    if (!bytes)
        make_buffer();
    if (!compose(level, event, fields, count)) {
        make_room();
        if (!compose(level, event, fields, count))
            (void)compose(level, event, NULL, 0);
    }
    if (!batching)
        log_flush();
    else if (!waiting_since_us)
        waiting_since_us = clock_monotonic_us();
}

struct str log_identifier(struct str s)
{
    /* clang-format off */
    static const bool allowed[UCHAR_MAX + 1] = {
        ['.'] = 1, ['_'] = 1, [':'] = 1, ['-'] = 1,
        ['0'] = 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,
        ['A'] = 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,
        ['a'] = 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,
    };
    /* clang-format on */
    const unsigned char *at = (const unsigned char *)s.ptr;
    bool ok = s.len > 0;
    size_t left = s.len;

    if (s.len > IDENTIFIER_MAX)
        return STR_NONE;
    for (; left >= 4; left -= 4, at += 4)
        ok &= allowed[at[0]] & allowed[at[1]] & allowed[at[2]] & allowed[at[3]];
    for (; left > 0; left--)
        ok &= allowed[*at++];
    return ok ? s : STR_NONE;
}
