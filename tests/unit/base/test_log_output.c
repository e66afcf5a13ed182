/*
 * test_log_output.c - claims about base/log_output.h, on a pipe in standard output's place.
 */
#include "base/log_output.h"

#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/log.h"
#include "tests/unit/test.h"

enum {
    LINE_LEN = 100,
    MANY = 20000, /* lines: more than the pipe and the queue hold */
};

static int ends[2];
static int saved;

static void lead_into_a_pipe(void)
{
    saved = dup(STDOUT_FILENO);
    CHECK(pipe(ends) == 0);
    CHECK(dup2(ends[1], STDOUT_FILENO) == STDOUT_FILENO);
    (void)close(ends[1]);
}

/* Standard output is itself again, which was the pipe's last writing end. */
static void lead_back(void)
{
    (void)dup2(saved, STDOUT_FILENO);
    (void)close(saved);
}

/* The writer begins, on a pipe. */
static void begin(void)
{
    struct error err = { 0 };

    lead_into_a_pipe();
    CHECK(log_output_start(&err));
}

/* The writer ends, once all is written. */
static void end(void)
{
    log_output_stop(10 * (int64_t)US_PER_S);
    lead_back();
}

static void put_line(int number, enum log_output_kind kind)
{
    char line[LINE_LEN + 1];

    (void)snprintf(line, sizeof(line), "%-99d\n", number);
    log_output((struct str){ line, LINE_LEN }, kind);
}

static void read_all(struct buf *text)
{
    char piece[4096];
    ssize_t count;

    while ((count = read(ends[0], piece, sizeof(piece))) > 0)
        buf_add(text, (struct str){ piece, (size_t)count });
    (void)close(ends[0]);
}

static void what_is_queued_is_written_in_order_before_the_end(void)
{
    struct buf text;

    buf_init(&text, (size_t)16 * 1024 * 1024);
    begin();
    for (int i = 0; i < 500; i++)
        put_line(i, (enum log_output_kind)(i % 3));
    end();
    read_all(&text);
    CHECK_INT((int64_t)text.len, (int64_t)500 * LINE_LEN);
    for (int i = 0; i < 500; i++) {
        CHECK_INT(strtol(text.ptr + (size_t)i * LINE_LEN, NULL, 10), i);
    }
    buf_done(&text);
}

/* Last, because the writer is given up and its thread waits until the program ends. */
static void nobody_waits_for_a_reader_that_does_not_read(void)
{
    int64_t before = clock_monotonic_us();

    begin();
    for (int i = 0; i < MANY; i++)
        put_line(i, LOG_OUTPUT_LINE);
    log_output_stop(US_PER_S / 10);
    CHECK(clock_monotonic_us() - before < 20 * (int64_t)US_PER_S);
    lead_back();
}

/* The number of lines in `text`, and of those that its lines of lost lines name. */
static void count_lines(const struct buf *text, int64_t *lines, int64_t *lost)
{
    static const char mark[] = "\"event\":\"log_dropped\",\"lines\":";
    struct str rest = buf_str(text);
    char *end;

    *lines = *lost = 0;
    while (rest.len > 0 && (end = memchr(rest.ptr, '\n', rest.len))) {
        size_t len = (size_t)(end - rest.ptr);
        const char *said = memmem(rest.ptr, len, mark, sizeof(mark) - 1);

        if (said)
            *lost += strtoll(said + sizeof(mark) - 1, NULL, 10);
        else
            (*lines)++;
        rest = str_from(rest, len + 1);
    }
}

/* Append what can be read. False: nothing comes for ten seconds, or there is no room. */
static bool read_more(struct buf *text)
{
    struct pollfd ready = { .fd = ends[0], .events = POLLIN };
    char *to = buf_reserve(text, 4096);
    ssize_t count = to && poll(&ready, 1, 10000) == 1 ? read(ends[0], to, 4096) : -1;

    if (count <= 0)
        return false;
    text->len += (size_t)count;
    return true;
}

/* With a reader again, the lines that were lost are named. A line that is no batch is not lost. */
static void lost_lines_are_counted(void)
{
    struct buf text;
    int64_t lost = 0;
    int64_t lines = 0;

    buf_init(&text, (size_t)16 * 1024 * 1024);
    begin();
    for (int i = 0; i < MANY; i++)
        put_line(i, LOG_OUTPUT_BATCH);
    put_line(MANY, LOG_OUTPUT_LINE);
    while (lines + lost < MANY + 1 && read_more(&text))
        count_lines(&text, &lines, &lost);
    CHECK(lost > 0);
    CHECK_INT(lines + lost, MANY + 1);
    CHECK(memmem(text.ptr, text.len, "\n20000 ", 7) != NULL);
    end();
    (void)close(ends[0]);
    buf_done(&text);
}

/* Parts alone: so many that the writer does not wait for the end of their batch. */
static void many_parts_are_written_without_their_end(void)
{
    struct buf text;

    buf_init(&text, (size_t)16 * 1024 * 1024);
    begin();
    for (int i = 0; i < 3000; i++)
        put_line(i, LOG_OUTPUT_PART);
    CHECK(read_more(&text));
    CHECK_INT(strtol(text.ptr, NULL, 10), 0);
    log_output((struct str){ "", 0 }, LOG_OUTPUT_BATCH); /* the end, which has no lines */
    while (text.len < (size_t)3000 * LINE_LEN && read_more(&text))
        continue;
    CHECK_INT((int64_t)text.len, (int64_t)3000 * LINE_LEN);
    end();
    (void)close(ends[0]);
    buf_done(&text);
}

/* More than the buffer holds, from a thread that is late for log_flush(). Batching is for good, so
 * it is a thread of its own. */
static void *log_and_be_late(void *came)
{
    struct pollfd lines = { .fd = ends[0], .events = POLLIN };

    log_batch();
    LOG_EVENT(LOG_INFO, "late", LOG_INT("i", 0));
    while (clock_monotonic_us() - log_waiting_since_us() < LOG_DELAY_US)
        continue;
    for (int i = 1; i < 600; i++)
        LOG_EVENT(LOG_INFO, "late", LOG_INT("i", i));
    *(bool *)came = poll(&lines, 1, 5000) == 1;
    log_flush();
    return NULL;
}

static void a_full_buffer_does_not_wait_for_a_late_flush(void)
{
    pthread_t thread;
    bool came = false;

    begin();
    CHECK(pthread_create(&thread, NULL, log_and_be_late, &came) == 0);
    (void)pthread_join(thread, NULL);
    CHECK(came);
    end();
    (void)close(ends[0]);
}

int main(void)
{
    RUN(what_is_queued_is_written_in_order_before_the_end);
    RUN(many_parts_are_written_without_their_end);
    RUN(a_full_buffer_does_not_wait_for_a_late_flush);
    RUN(lost_lines_are_counted);
    RUN(nobody_waits_for_a_reader_that_does_not_read);
    return test_end();
}
