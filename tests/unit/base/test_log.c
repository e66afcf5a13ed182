/*
 * test_log.c - claims about base/log.h, from what reaches standard output.
 */
#include "base/log.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <unistd.h>

#include "base/attr.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/memory.h"
#include "tests/unit/capture.h"
#include "tests/unit/test.h"

enum { TIME_LEN = 27, BUFFER = 32 * 1024 };

static struct capture capture;
static struct str output; /* what the last capture saw */

static void begin(enum log_level level, enum log_format format)
{
    log_configure(level, format);
    capture_begin(&capture, STDOUT_FILENO);
}

static void end(void)
{
    mem_free((void *)output.ptr);
    output = capture_end(&capture);
}

/* Cut the first line off `text`. */
static struct str take_line(struct str *text)
{
    const char *at = text->len ? memchr(text->ptr, '\n', text->len) : NULL;
    struct str line = { text->ptr, at ? (size_t)(at - text->ptr) : text->len };

    *text = str_from(*text, line.len + 1);
    return line;
}

/* The only line, with its time checked and replaced by T. */
static struct str the_line(void)
{
    static char line[BUFFER + 1];
    char earliest[CLOCK_TEXT_SIZE];
    struct str rest = output;
    struct str whole = take_line(&rest);
    const char *time = memchr(whole.ptr, '2', whole.len);
    size_t before = time ? (size_t)(time - whole.ptr) : 0;

    CHECK_INT((int64_t)rest.len, 0);
    CHECK(str_ends_with(output, STR("\n")));
    CHECK(time && before <= 7 && whole.len >= before + TIME_LEN);
    clock_format(clock_now_us() - 60000000, earliest);
    CHECK(time && strncmp(time, earliest, TIME_LEN) > 0 && time[TIME_LEN - 1] == 'Z');

    struct str after = str_from(whole, before + TIME_LEN);

    (void)snprintf(line, sizeof(line), "%.*sT%.*s", (int)before, whole.ptr, STR_ARG(after));
    return str_from_c(line);
}

static void writes_json(void)
{
    begin(LOG_INFO, LOG_JSON);
    LOG_EVENT(LOG_WARN, "some_event", LOG_STR("text", STR("a \"b\" /c\\ \n\t\x01 \xC3\xA9")),
              LOG_STR("left_out", STR_NONE), LOG_STR("empty", STR("")),
              LOG_INT("number", -9223372036854775807 - 1), LOG_BOOL("yes", true),
              LOG_BOOL("no", false));
    end();
    CHECK_STR(the_line(), "{\"ts\":\"T\",\"level\":\"warn\",\"event\":\"some_event\","
                          "\"text\":\"a \\\"b\\\" /c\\\\ \\n\\t\\u0001 \xC3\xA9\",\"empty\":\"\","
                          "\"number\":-9223372036854775808,\"yes\":true,\"no\":false}");
}

/* As LOG_STR() does: each length around the steps in which a key or value is copied. */
static void writes_plain_fields(void)
{
    static const char text[] = "a1b2c3d4-5678-90ab-cdef-EXAMPLE11111";

    for (size_t len = 0; len < sizeof(text); len++) {
        char wanted[sizeof(text) + 80];

        begin(LOG_INFO, LOG_JSON);
        LOG_EVENT(LOG_INFO, "e", LOG_PLAIN("left_out", STR_NONE),
                  LOG_PLAIN("id", ((struct str){ text, len })));
        end();
        (void)snprintf(wanted, sizeof(wanted),
                       "{\"ts\":\"T\",\"level\":\"info\",\"event\":\"e\",\"id\":\"%.*s\"}",
                       (int)len, text);
        CHECK_STR(the_line(), wanted);
    }
    begin(LOG_INFO, LOG_TEXT);
    LOG_EVENT(LOG_INFO, "e", LOG_PLAIN("left_out", STR_NONE), LOG_PLAIN("id", STR("a-1")));
    end();
    CHECK_STR(the_line(), "T info e id=a-1");
}

static void writes_text(void)
{
    begin(LOG_INFO, LOG_TEXT);
    LOG_EVENT(LOG_INFO, "ready", LOG_STR("version", STR("0.1.0")),
              LOG_STR("address", STR("127.0.0.1")), LOG_INT("port", 41873), LOG_BOOL("tls", false));
    end();
    CHECK_STR(the_line(), "T info ready version=0.1.0 address=127.0.0.1 port=41873 tls=false");
}

static void quotes_hostile_text_values(void)
{
    static const struct {
        struct str value;
        const char *shown;
    } cases[] = {
        { STR_INIT("plain"), "plain" },
        { STR_INIT(""), "\"\"" },
        { STR_INIT("two words"), "\"two words\"" },
        { STR_INIT("a=b"), "\"a=b\"" },
        { STR_INIT("say \"x\""), "\"say \\\"x\\\"\"" },
        { STR_INIT("back\\slash"), "\"back\\\\slash\"" },
        { STR_INIT("line\nT info ready"), "\"line\\nT info ready\"" },
        { STR_INIT("\x1b[2J"), "\"\\u001b[2J\"" },
        { STR_INIT("nul\0byte"), "\"nul\\u0000byte\"" },
        { STR_INIT("\xC3\xA9"), "\xC3\xA9" },
    };

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        char expected[100];

        TEST_CASE(cases[i].shown);
        begin(LOG_INFO, LOG_TEXT);
        LOG_EVENT(LOG_ERROR, "e", LOG_STR("v", cases[i].value));
        end();
        (void)snprintf(expected, sizeof(expected), "T error e v=%s", cases[i].shown);
        CHECK_STR(the_line(), expected);
    }
}

static void every_byte_makes_one_valid_json_line(void)
{
    for (int c = 0; c < 128; c++) {
        char text[] = { 'a', (char)c, 'b' };
        struct json_object *line = NULL;
        struct error err = { 0 };

        begin(LOG_INFO, LOG_JSON);
        LOG_EVENT(LOG_INFO, "e", LOG_STR("v", ((struct str){ text, sizeof(text) })));
        end();
        CHECK(json_read(output, NULL, &line, &err));
        CHECK(memchr(output.ptr, '\n', output.len) == output.ptr + output.len - 1);
        CHECK(line && str_equal(json_find_str(line, "v"), (struct str){ text, sizeof(text) }));
        json_release(line);
    }
}

static void levels_below_the_configured_one_are_silent_but_ready(void)
{
    for (enum log_level set = LOG_DEBUG; set <= LOG_ERROR; set++) {
        for (enum log_level level = LOG_DEBUG; level <= LOG_ERROR; level++) {
            begin(set, LOG_JSON);
            CHECK(log_enabled(level) == (level >= set));
            log_write(level, "e", NULL, 0);
            end();
            CHECK((output.len > 0) == (level >= set));
            begin(set, LOG_JSON);
            log_write(level, "ready", NULL, 0);
            end();
            CHECK(output.len > 0);
        }
    }
}

static void an_overlong_line_keeps_its_event_name(void)
{
    static char text[BUFFER];
    static const enum log_format formats[] = { LOG_JSON, LOG_TEXT };
    static const char *const expected[] = { "{\"ts\":\"T\",\"level\":\"info\",\"event\":\"long\"}",
                                            "T info long" };

    memset(text, 'x', sizeof(text));
    for (size_t i = 0; i < COUNT_OF(formats); i++) {
        begin(LOG_INFO, formats[i]);
        LOG_EVENT(LOG_INFO, "long", LOG_STR("v", ((struct str){ text, sizeof(text) })),
                  LOG_INT("n", 1));
        end();
        CHECK_STR(the_line(), expected[i]);
    }
}

static void lines_up_to_the_buffers_size_are_whole(void)
{
    static char text[BUFFER];
    size_t short_ones = 0;
    size_t whole_ones = 0;

    memset(text, 'x', sizeof(text));
    for (size_t len = BUFFER - 100; len < BUFFER; len++) {
        begin(LOG_INFO, LOG_JSON);
        LOG_EVENT(LOG_INFO, "long", LOG_STR("v", ((struct str){ text, len })));
        end();
        CHECK(str_starts_with(output, STR("{\"ts\":\"")) && str_ends_with(output, STR("}\n")));
        CHECK(output.len < 100 || output.len > len);
        short_ones += output.len < 100;
        whole_ones += output.len > len;
    }
    CHECK(short_ones > 0 && whole_ones > 0);
}

static bool has_waited; /* nothing came out before log_flush() */

/* Batching is for good, so it happens in a thread of its own. */
static void *log_in_a_batch(void *self)
{
    const size_t *lines = self;
    off_t before = lseek(STDOUT_FILENO, 0, SEEK_END);

    log_batch();
    for (size_t i = 0; i < 100; i++)
        LOG_EVENT(LOG_INFO, "batched", LOG_INT("i", i));
    has_waited = lseek(STDOUT_FILENO, 0, SEEK_END) == before;
    log_flush();
    has_waited &= lseek(STDOUT_FILENO, 0, SEEK_END) > before;
    for (size_t i = 100; i < *lines; i++) /* more than the buffer holds */
        LOG_EVENT(LOG_INFO, "batched", LOG_INT("i", i));
    log_flush();
    log_flush();
    return NULL;
}

static void batched_lines_wait_but_are_all_written_in_order(void)
{
    size_t lines = 5000;
    pthread_t thread;

    begin(LOG_INFO, LOG_JSON);
    CHECK(pthread_create(&thread, NULL, log_in_a_batch, &lines) == 0);
    (void)pthread_join(thread, NULL);
    end();
    CHECK(has_waited);

    struct str rest = output;
    size_t wrong = 0;

    for (size_t i = 0; i < lines; i++) {
        char tail[40];

        (void)snprintf(tail, sizeof(tail), ",\"i\":%zu}", i);
        wrong += !str_ends_with(take_line(&rest), str_from_c(tail));
    }
    CHECK_INT((int64_t)wrong, 0);
    CHECK_INT((int64_t)rest.len, 0);
}

static int pipe_ends[2];
static struct buf piped;
enum { WRITERS = 4, LINES_EACH = 4000 };

/* A reader that is slower than the writers, so that the pipe is full again and again. */
static void *drain_slowly(void *self)
{
    for (;;) {
        char piece[1500];
        ssize_t count = read(pipe_ends[0], piece, sizeof(piece));

        if (count <= 0)
            return self;
        buf_add(&piped, (struct str){ piece, (size_t)count });
    }
}

static void *write_batches(void *self)
{
    log_batch();
    for (size_t i = 0; i < LINES_EACH; i++)
        LOG_EVENT(LOG_INFO, "e", LOG_STR("v", *(const struct str *)self));
    log_flush();
    return NULL;
}

/* How many of the lines in `text` are not as write_batches() wrote them. */
static size_t count_mixed(struct str text, size_t *lines)
{
    size_t mixed = 0;

    for (*lines = 0; text.len > 0; (*lines)++) {
        struct str line = take_line(&text);
        struct str value = str_from(line, sizeof("{\"ts\":\"\",\"level\":\"info\",\"event\":\"e\","
                                                 "\"v\":\"") -
                                              1 + TIME_LEN);
        bool same = value.len == 102 && str_ends_with(line, STR("\"}"));

        for (size_t i = 1; same && i < 100; i++)
            same = value.ptr[i] == value.ptr[0];
        mixed += !same;
    }
    return mixed;
}

static void run_writers(void)
{
    pthread_t writers[WRITERS];
    char texts[WRITERS][100];
    struct str values[WRITERS];

    for (size_t i = 0; i < WRITERS; i++) {
        memset(texts[i], (int)('a' + i), sizeof(texts[i]));
        values[i] = (struct str){ texts[i], sizeof(texts[i]) };
        CHECK(pthread_create(&writers[i], NULL, write_batches, &values[i]) == 0);
    }
    for (size_t i = 0; i < WRITERS; i++)
        (void)pthread_join(writers[i], NULL);
}

static void log_into_a_pipe(int flags)
{
    pthread_t reader;
    int saved = dup(STDOUT_FILENO);
    size_t lines;

    log_configure(LOG_INFO, LOG_JSON);
    buf_init(&piped, (size_t)64 * 1024 * 1024);
    CHECK(pipe(pipe_ends) == 0);
    CHECK(fcntl(pipe_ends[1], F_SETFL, flags) == 0);
    CHECK(dup2(pipe_ends[1], STDOUT_FILENO) == STDOUT_FILENO);
    (void)close(pipe_ends[1]);
    CHECK(pthread_create(&reader, NULL, drain_slowly, NULL) == 0);
    run_writers();
    (void)dup2(saved, STDOUT_FILENO); /* the last writing end: the reader sees the end */
    (void)close(saved);
    (void)pthread_join(reader, NULL);
    (void)close(pipe_ends[0]);
    CHECK_INT((int64_t)count_mixed(buf_str(&piped), &lines), 0);
    CHECK_INT((int64_t)lines, (int64_t)WRITERS * LINES_EACH);
    buf_done(&piped);
}

static void lines_of_several_threads_do_not_mix_in_a_full_pipe(void)
{
    log_into_a_pipe(0);
}

static void a_full_pipe_that_does_not_block_loses_nothing(void)
{
    log_into_a_pipe(O_NONBLOCK);
}

static void a_closed_output_is_survived(void)
{
    int saved = dup(STDOUT_FILENO);

    log_configure(LOG_INFO, LOG_JSON);
    (void)close(STDOUT_FILENO);
    LOG_EVENT(LOG_INFO, "lost", LOG_INT("n", 1));
    CHECK(dup2(saved, STDOUT_FILENO) == STDOUT_FILENO);
    (void)close(saved);
    begin(LOG_INFO, LOG_JSON);
    log_write(LOG_INFO, "there", NULL, 0);
    end();
    CHECK_STR(the_line(), "{\"ts\":\"T\",\"level\":\"info\",\"event\":\"there\"}");
}

static void only_wellformed_identifiers_pass(void)
{
    static const struct {
        const char *name;
        struct str text;
        bool pass;
    } cases[] = {
        { "usual", STR_INIT("a1b2-C3.D4_e:5"), true },
        { "one", STR_INIT("x"), true },
        { "empty", STR_INIT(""), false },
        { "space", STR_INIT("a b"), false },
        { "slash", STR_INIT("a/b"), false },
        { "NUL", STR_INIT("a\0b"), false },
        { "newline", STR_INIT("a\n"), false },
        { "no ASCII", STR_INIT("\xC3\xA9"), false },
        { "quote", STR_INIT("a\"b"), false },
        { "plus", STR_INIT("a+b"), false },
    };
    char long_one[129];

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct str seen = log_identifier(cases[i].text);

        TEST_CASE(cases[i].name);
        CHECK((seen.ptr != NULL) == cases[i].pass);
        CHECK(str_equal(seen, cases[i].pass ? cases[i].text : STR_NONE));
    }
    memset(long_one, 'x', sizeof(long_one));
    CHECK(log_identifier((struct str){ long_one, 128 }).len == 128);
    CHECK(log_identifier((struct str){ long_one, 129 }).ptr == NULL);
    CHECK(log_identifier(STR_NONE).ptr == NULL);
}

int main(void)
{
    RUN(writes_json);
    RUN(writes_plain_fields);
    RUN(writes_text);
    RUN(quotes_hostile_text_values);
    RUN(every_byte_makes_one_valid_json_line);
    RUN(levels_below_the_configured_one_are_silent_but_ready);
    RUN(an_overlong_line_keeps_its_event_name);
    RUN(lines_up_to_the_buffers_size_are_whole);
    RUN(batched_lines_wait_but_are_all_written_in_order);
    RUN(lines_of_several_threads_do_not_mix_in_a_full_pipe);
    RUN(a_full_pipe_that_does_not_block_loses_nothing);
    RUN(a_closed_output_is_survived);
    RUN(only_wellformed_identifiers_pass);
    mem_free((void *)output.ptr);
    return test_end();
}
