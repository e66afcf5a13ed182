/*
 * test_lines.c - claims about server/cli/lines.h.
 */
#include "server/cli/lines.h"

#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#include "base/memory.h"
#include "tests/unit/test.h"

enum { LINE_MAX = 1000 * 1000, LONG = 900 * 1000 };

struct feed {
    int fd;
    struct str text;
    size_t piece; /* bytes of each write */
};

static void *write_pieces(void *self)
{
    const struct feed *feed = self;
    struct str left = feed->text;

    while (left.len > 0) {
        size_t len = left.len < feed->piece ? left.len : feed->piece;
        ssize_t written = write(feed->fd, left.ptr, len);

        if (written <= 0)
            break;
        left = str_from(left, (size_t)written);
    }
    (void)close(feed->fd);
    return NULL;
}

/* The lines of `text`, each behind a bar, as they come through a pipe in pieces. */
static void read_lines(struct str text, size_t piece, struct buf *out, struct error *err)
{
    struct lines lines;
    struct str line;
    int ends[2] = { -1, -1 };
    pthread_t writer;

    CHECK(pipe(ends) == 0);

    struct feed feed = { ends[1], text, piece };

    CHECK(pthread_create(&writer, NULL, write_pieces, &feed) == 0);
    lines_init(&lines, ends[0], LINE_MAX);
    while (lines_next(&lines, &line, err)) {
        buf_add(out, line);
        buf_add_char(out, '|');
    }
    lines_done(&lines);
    (void)close(ends[0]);
    (void)pthread_join(writer, NULL);
}

static void gives_each_line_without_its_end(void)
{
    static const struct {
        const char *name;
        const char *text;
        const char *lines;
    } cases[] = {
        { "nothing", "", "" },
        { "one line", "a\n", "a|" },
        { "no end at the last one", "a\nb", "a|b|" },
        { "empty lines are lines", "\n\na\n\n", "||a||" },
        { "carriage returns belong to the end", "a\r\nb\r\n", "a|b|" },
        { "only the one before the end", "a\rb\n\r\r\n", "a\rb|\r|" },
    };

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        for (size_t piece = 1; piece <= 8; piece++) {
            struct error err = { 0 };
            struct buf out;

            buf_init(&out, LINE_MAX);
            TEST_CASE(cases[i].name);
            read_lines(str_from_c(cases[i].text), piece, &out, &err);
            CHECK_STR(buf_str(&out), cases[i].lines);
            CHECK(err.code == ERR_NONE);
            buf_done(&out);
        }
    }
}

static void long_lines_are_whole(void)
{
    char *text = mem_alloc(LONG + 3);
    struct error err = { 0 };
    struct buf out;

    buf_init(&out, 2 * (size_t)LINE_MAX);
    memset(text, 'x', LONG);
    text[LONG] = text[LONG + 2] = '\n';
    text[LONG + 1] = 'y';
    read_lines((struct str){ text, LONG + 3 }, 60000, &out, &err);
    CHECK_INT((int64_t)out.len, LONG + 3);
    CHECK(err.code == ERR_NONE && out.ptr[LONG - 1] == 'x' && out.ptr[LONG] == '|');
    buf_done(&out);
    mem_free(text);
}

static void a_line_beyond_the_limit_is_an_error(void)
{
    char *text = mem_alloc(2 * (size_t)LINE_MAX);
    struct error err = { 0 };
    struct buf out;

    buf_init(&out, LINE_MAX);
    memset(text, 'x', 2 * (size_t)LINE_MAX);
    read_lines((struct str){ text, 2 * (size_t)LINE_MAX }, 60000, &out, &err);
    CHECK_INT((int64_t)out.len, 0);
    CHECK(err.code == ERR_INVALID);
    buf_done(&out);
    mem_free(text);
}

static void what_cannot_be_read_is_an_error(void)
{
    struct error err = { 0 };
    struct lines lines;
    struct str line;

    lines_init(&lines, -1, LINE_MAX);
    CHECK(!lines_next(&lines, &line, &err));
    CHECK(err.code == ERR_SYSTEM);
    lines_done(&lines);
}

int main(void)
{
    (void)signal(SIGPIPE, SIG_IGN); /* the reader may give up first */
    RUN(gives_each_line_without_its_end);
    RUN(long_lines_are_whole);
    RUN(a_line_beyond_the_limit_is_an_error);
    RUN(what_cannot_be_read_is_an_error);
    return test_end();
}
