/*
 * file.c - records as lines of a file (NDJSON).
 *
 * The sink writes to the file at the path. A file that is full, or whose period has ended, is
 * renamed with a time stamp, from `records.ndjson` to `records.20261123T062201.123456Z.ndjson`, and
 * not touched again. A period has ended if the file's last line was written in an earlier one, so a
 * restart changes nothing.
 */
#include "delivery/sinks/file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdatomic.h>
#include <stdio.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/file_name.h"
#include "base/log.h"
#include "base/memory.h"
#include "delivery/sinks/lines.h"

enum {
    BATCH_RECORDS = 1000,
    BATCH_BYTES = 4 * 1024 * 1024,
    MOST_NAMES = 1000, /* of files with the same time stamp */
    STAMP_SIZE = CLOCK_TEXT_SIZE,
};

struct sink_file {
    struct sink_file_options options;
    struct sink_lines lines;
    struct buf text; /* of the batch being delivered */
    _Atomic bool reopen;
};

/* `20261123T062201.123456Z`, so that names sort in the order of time. */
static void make_stamp(char stamp[static STAMP_SIZE])
{
    char text[CLOCK_TEXT_SIZE];
    size_t len = 0;

    clock_format(clock_now_us(), text);
    for (const char *c = text; *c; c++)
        if (*c != '-' && *c != ':')
            stamp[len++] = *c;
    stamp[len] = '\0';
}

/* Where the extension begins: at the last dot that does not begin the name, or at its end. */
static size_t extension_at(const char *path)
{
    const char *slash = strrchr(path, '/');
    const char *name = slash ? slash + 1 : path;
    const char *dot = strrchr(name, '.');

    return dot && dot != name ? (size_t)(dot - path) : strlen(path);
}

/* Not every file system (NFS) knows RENAME_NOREPLACE; the lock keeps other writers away. */
static bool rename_to_new(const char *from, const char *to)
{
    if (renameat2(AT_FDCWD, from, AT_FDCWD, to, RENAME_NOREPLACE) == 0)
        return true;
    if (errno != EINVAL && errno != ENOSYS)
        return false;
    if (access(to, F_OK) == 0) {
        errno = EEXIST;
        return false;
    }
    return rename(from, to) == 0;
}

static bool rename_with_stamp(const char *path, struct error *err)
{
    size_t stem = extension_at(path);
    char stamp[STAMP_SIZE];

    make_stamp(stamp);
    for (int i = 0; i < MOST_NAMES; i++) {
        char to[PATH_MAX];
        char number[16] = "";
        int len;

        if (i > 0)
            (void)snprintf(number, sizeof(number), ".%d", i);
        len = snprintf(to, sizeof(to), "%.*s.%s%s%s", (int)stem, path, stamp, number, path + stem);
        if (len < 0 || (size_t)len >= sizeof(to))
            return fail(err, ERR_SYSTEM, "%s: the path is too long to rotate", path);
        if (rename_to_new(path, to))
            return file_sync_parent(path, err);
        if (errno != EEXIST)
            return fail_errno(err, ERR_SYSTEM, errno, "%s: cannot be renamed to %s", path, to);
    }
    return fail(err, ERR_SYSTEM, "%s: no name is left to rotate to", path);
}

/* Must a new file begin before `more` bytes are added? */
static bool is_over(const struct sink_file *file, size_t more)
{
    uint64_t rotate_size = file->options.rotate_size;
    int64_t every_us = file->options.rotate_every_us;

    if (file->lines.size == 0)
        return false;
    if (rotate_size > 0 && file->lines.size + more > rotate_size)
        return true;
    return every_us > 0 && file->lines.changed_us / every_us < clock_now_us() / every_us;
}

/* Close the file if it has lost its name, or if reopen() was called. */
static void close_stale(struct sink_file *file)
{
    if (atomic_exchange(&file->reopen, false) ||
        !sink_lines_is_at(&file->lines, file->options.path))
        sink_lines_close(&file->lines);
}

static bool rotate(struct sink_file *file, size_t more, struct error *err)
{
    if (!is_over(file, more))
        return true;
    if (!rename_with_stamp(file->options.path, err))
        return false;
    sink_lines_close(&file->lines);
    return true;
}

/* Checked at each opening: links may change, and a file may get a second name. */
static bool is_free(const struct sink_file *file, struct error *err)
{
    const struct sink_file_options *options = &file->options;

    for (size_t i = 0; i < options->taken_count; i++)
        if (file_name_is_same(options->path, options->taken[i]))
            return fail(err, ERR_SYSTEM, "%s: is the same file as %s", options->path,
                        options->taken[i]);
    return true;
}

static bool open_file(struct sink_file *file, struct error *err)
{
    if (file->lines.fd >= 0)
        return true;
    if (!is_free(file, err))
        return false;
    if (!sink_lines_open(&file->lines, file->options.path, file->options.mode, err))
        return false;
    if (file->lines.torn > 0)
        LOG_EVENT(LOG_WARN, "sink_torn_line", LOG_STR("sink", str_from_c(file->options.name)),
                  LOG_INT("bytes", file->lines.torn));
    return true;
}

/* Bytes that fit into the open file; if not even `first` do, bytes of a new file. */
static uint64_t room_for(const struct sink_file *file, size_t first)
{
    uint64_t rotate_size = file->options.rotate_size;

    if (rotate_size == 0)
        return UINT64_MAX;
    return file->lines.size + first <= rotate_size ? rotate_size - file->lines.size : rotate_size;
}

/*
 * Collect lines from record `at` on, as many as one file has room for. Returns the record after
 * them. A record that is not one line is refused.
 */
static size_t take_lines(struct sink_file *file, const struct sink_batch *batch,
                         struct sink_answer *answer, size_t at)
{
    buf_clear(&file->text);
    for (; at < batch->count; at++) {
        struct str bytes = batch->records[at].bytes;

        if (bytes.len == 0 || memchr(bytes.ptr, '\n', bytes.len)) {
            answer->outcomes[at] = (struct sink_outcome){ SINK_REFUSED, "not one line" };
            if (batch->in_order)
                return at + 1;
            continue;
        }
        if (file->text.len > 0 && file->text.len + bytes.len + 1 > room_for(file, file->text.len))
            break;
        buf_add(&file->text, bytes);
        buf_add_char(&file->text, '\n');
        answer->outcomes[at] = (struct sink_outcome){ SINK_DELIVERED, NULL };
    }
    return at;
}

/* Append the records from `*at` on that fit into one file, and move `*at` behind them. */
static bool append_some(struct sink_file *file, const struct sink_batch *batch,
                        struct sink_answer *answer, size_t *at, struct error *err)
{
    close_stale(file);
    if (!open_file(file, err))
        return false;

    size_t next = take_lines(file, batch, answer, *at);

    if (file->text.len > 0 &&
        (!rotate(file, file->text.len, err) || !open_file(file, err) ||
         !sink_lines_append(&file->lines, file->options.path, buf_str(&file->text), err)))
        return false;
    *at = next;
    return true;
}

/* Does a refused record right before `at` stop the delivery? */
static bool is_blocked(const struct sink_batch *batch, const struct sink_answer *answer, size_t at)
{
    return batch->in_order && at > 0 && answer->outcomes[at - 1].result == SINK_REFUSED;
}

static void file_deliver(void *self, const struct sink_batch *batch, struct sink_answer *answer)
{
    struct sink_file *file = self;
    struct error err = { .text = "follows a record that was refused" };
    size_t at = 0;

    while (at < batch->count && !is_blocked(batch, answer, at) &&
           append_some(file, batch, answer, &at, &err))
        continue;
    if (at == batch->count)
        return;

    const char *reason = arena_copy(batch->arena, str_from_c(err.text)).ptr;

    answer->is_sink_wide = true;

    for (; at < batch->count; at++)
        if (answer->outcomes[at].result != SINK_REFUSED)
            answer->outcomes[at] = (struct sink_outcome){ SINK_POSTPONED, reason };
}

/* An error is ignored: the next record gets the same one and reports it. */
static void tend(void *self)
{
    struct sink_file *file = self;
    struct error err;

    close_stale(file);
    if (file->lines.fd >= 0)
        (void)rotate(file, 0, &err);
}

static void reopen(void *self)
{
    struct sink_file *file = self;

    atomic_store(&file->reopen, true);
}

static void file_destroy(void *self)
{
    struct sink_file *file = self;

    sink_lines_close(&file->lines);
    buf_done(&file->text);
    mem_free(file);
}

struct sink sink_file(const struct sink_file_options *options)
{
    struct sink_file *file = mem_alloc(sizeof(*file));

    file->options = *options;
    file->lines.fd = -1;
    buf_init(&file->text, SIZE_MAX);
    return (struct sink){ .in_flight = 1,
                          .max_records = options->batch > 0 ? options->batch : BATCH_RECORDS,
                          .max_bytes = BATCH_BYTES,
                          .deliver = file_deliver,
                          .tend = tend,
                          .reopen = reopen,
                          .destroy = file_destroy,
                          .self = file };
}
