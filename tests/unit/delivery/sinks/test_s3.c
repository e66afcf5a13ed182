/*
 * test_s3.c - the S3 sink: what all sinks owe; each record in exactly one object, whatever is known
 * of earlier attempts; what S3's answers mean.
 */
#include "delivery/sinks/s3.h"

#include <assert.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fetch.h"
#include "base/memory.h"
#include "tests/unit/canned.h"
#include "tests/unit/s3_place.h"
#include "tests/unit/sink_suite.h"
#include "tests/unit/test.h"
#include "tests/unit/wait.h"

enum {
    BATCH_BYTES = 1024 * 1024,
    PATIENCE_US = 30000000,
    RECORDS_MAX = 300,
};

static struct sink_s3_options options_of(const char *prefix)
{
    return (struct sink_s3_options){
        .name = "lake",
        .session = s3_place.session,
        .region = "",
        .endpoint_url = s3_place.url,
        .bucket = "events",
        .prefix = prefix,
        .time = "",
        .compression = COMPRESS_NONE,
        .max_bytes = BATCH_BYTES,
        .in_flight = 4,
        .timeout_us = PATIENCE_US,
        .checksum = true,
    };
}

static struct sink make(const char *prefix)
{
    const struct sink_s3_options options = options_of(prefix);
    struct sink sink = { 0 };
    struct error err;

    assert(sink_s3(&options, &sink, &err));
    return sink;
}

/* One delivery. */
struct turn {
    struct arena *arena;
    struct sink_record records[RECORDS_MAX];
    struct sink_outcome outcomes[RECORDS_MAX];
    struct sink_answer answer;
    size_t count;
};

/* Deliver records `{"p":"X","n":SEQUENCE}` with the prefixes `letters`; the first has `sequence`.
 */
static struct turn *deliver(const struct sink *sink, int64_t sequence, const char *letters)
{
    struct turn *turn = mem_alloc(sizeof(*turn));

    turn->arena = arena_create();
    turn->answer.outcomes = turn->outcomes;
    for (size_t i = 0; letters[i]; i++) {
        int64_t number = sequence + (int64_t)i;

        assert(i < RECORDS_MAX);
        turn->records[turn->count++] = (struct sink_record){
            .sequence = number,
            .bytes = letters[i] == '-'
                         ? arena_printf(turn->arena, "{\"n\":%lld}", (long long)number)
                         : arena_printf(turn->arena, "{\"p\":\"%c\",\"n\":%lld}", letters[i],
                                        (long long)number),
        };
    }
    sink->deliver(sink->self,
                  &(struct sink_batch){ .records = turn->records,
                                        .count = turn->count,
                                        .store = STR("5eed5eed5eed5eed"),
                                        .arena = turn->arena,
                                        .in_order = true },
                  &turn->answer);
    return turn;
}

static void release(struct turn *turn)
{
    arena_destroy(turn->arena);
    mem_free(turn);
}

/* Deliver, and check that all have this result. `reason`: a part of it; NULL: none is expected. */
static void expect(const struct sink *sink, int64_t sequence, const char *letters,
                   enum sink_result result, const char *reason)
{
    struct turn *turn = deliver(sink, sequence, letters);

    for (size_t i = 0; i < turn->count; i++) {
        CHECK_INT(turn->outcomes[i].result, result);
        CHECK((turn->outcomes[i].reason != NULL) == (reason != NULL));
        if (reason && turn->outcomes[i].reason && !strstr(turn->outcomes[i].reason, reason))
            CHECK_STR(str_from_c(turn->outcomes[i].reason), reason);
    }
    CHECK(turn->answer.is_sink_wide == (result != SINK_DELIVERED));
    release(turn);
}

/* The sequences in the objects, sorted by name, as `NAME:1,2 `. The bucket is left out. */
static int compare(const void *a, const void *b)
{
    return strcmp(((const struct s3_stored *)a)->path, ((const struct s3_stored *)b)->path);
}

static void check_objects(const char *expected)
{
    CLEANUP(buf_done) struct buf text;

    buf_init(&text, S3_PLACE_TEXT_MAX);
    qsort(s3_place.objects, s3_place.count, sizeof(s3_place.objects[0]), compare);
    for (size_t i = 0; i < s3_place.count; i++) {
        struct str body = s3_place.objects[i].body;

        buf_add(&text, str_from_c(s3_place.objects[i].path + sizeof("/events")));
        for (size_t at = 0; at < body.len; at++)
            if (str_starts_with(str_from(body, at), STR("\"n\":")))
                buf_printf(&text, " %.*s", (int)strcspn(body.ptr + at + 4, "}"), body.ptr + at + 4);
        buf_add(&text, STR("; "));
    }
    CHECK_STR(buf_str(&text), expected);
}

#define NAME(number) "5eed5eed5eed5eed-000000000" number ".ndjson"

static size_t count_objects(void)
{
    (void)pthread_mutex_lock(&s3_place.mutex);

    size_t count = s3_place.count;

    (void)pthread_mutex_unlock(&s3_place.mutex);
    return count;
}

/* Change what the server does, while it runs. */
static void put_text(const char **what, const char *text)
{
    (void)pthread_mutex_lock(&s3_place.mutex);
    *what = text;
    (void)pthread_mutex_unlock(&s3_place.mutex);
}

static void put_flag(bool *what, bool flag)
{
    (void)pthread_mutex_lock(&s3_place.mutex);
    *what = flag;
    (void)pthread_mutex_unlock(&s3_place.mutex);
}

static void put_size(size_t *what, size_t size)
{
    (void)pthread_mutex_lock(&s3_place.mutex);
    *what = size;
    (void)pthread_mutex_unlock(&s3_place.mutex);
}

static void a_batch_is_an_object_for_each_prefix(void)
{
    struct sink sink;

    s3_place_begin();
    sink = make("{/p}/");
    CHECK_INT((int64_t)sink.in_flight, 1);
    expect(&sink, 10, "abaab", SINK_DELIVERED, NULL);
    expect(&sink, 15, "ba", SINK_DELIVERED, NULL);
    check_objects("a/" NAME("010") " 10 12 13; a/" NAME("016") " 16; b/" NAME(
        "011") " 11 14; b/" NAME("015") " 15; ");
    CHECK_INT((int64_t)s3_place.heads, 0);
    sink.destroy(sink.self);
    s3_place_end();
}

static void a_request_is_signed_conditional_and_checked(void)
{
    static const char *const lines[] = {
        "PUT /events/a/5eed5eed5eed5eed-000000000010.ndjson HTTP/1.1\r\n",
        "\r\nIf-None-Match: *\r\n",
        "\r\nContent-Type: application/x-ndjson\r\n",
        "\r\nx-amz-checksum-crc32c: ",
        "\r\nx-amz-meta-sluice-range: 10-11 2 ",
        "\r\nx-amz-meta-sluice-layout: ",
        "content-type;host;if-none-match;x-amz-checksum-crc32c;x-amz-content-sha256;x-amz-date;",
        ";x-amz-date;x-amz-meta-sluice-layout;x-amz-meta-sluice-range,",
        "/eu-west-1/s3/aws4_request,",
    };
    struct sink sink;

    s3_place_begin();
    sink = make("a/");
    expect(&sink, 10, "aa", SINK_DELIVERED, NULL);
    for (size_t i = 0; i < COUNT_OF(lines); i++) {
        TEST_CASE(lines[i]);
        CHECK(strstr(s3_place.last.ptr, lines[i]) != NULL);
    }
    CHECK(!strstr(s3_place.last.ptr, "Content-Encoding"));
    sink.destroy(sink.self);
    s3_place_end();
}

static void a_key_is_encoded_once(void)
{
    struct sink sink;

    s3_place_begin();
    sink = make("dt=1 2/\xc3\xa9+{/p}%/");
    expect(&sink, 10, "a", SINK_DELIVERED, NULL);
    check_objects("dt%3D1%202/%C3%A9%2Ba%25/" NAME("010") " 10; ");
    sink.destroy(sink.self);
    s3_place_end();
}

static void formats_have_their_suffix(void)
{
    static const struct {
        enum compress_format format;
        const char *suffix;
        const char *magic;
    } rows[] = { { COMPRESS_GZIP, ".ndjson.gz", "\x1f\x8b" },
                 { COMPRESS_ZSTD, ".ndjson.zst", "\x28\xb5\x2f\xfd" } };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct sink_s3_options options;
        struct sink sink;
        struct error err;

        s3_place_begin();
        options = options_of("");
        options.compression = rows[i].format;
        options.checksum = false;
        assert(sink_s3(&options, &sink, &err));
        expect(&sink, 10, "a", SINK_DELIVERED, NULL);
        CHECK(str_ends_with(str_from_c(s3_place.objects[0].path), str_from_c(rows[i].suffix)));
        CHECK(str_starts_with(s3_place.objects[0].body, str_from_c(rows[i].magic)));
        CHECK(!strstr(s3_place.last.ptr, "x-amz-checksum-crc32c"));
        sink.destroy(sink.self);
        s3_place_end();
    }
}

/* What a restart forgets is in the objects' metadata. `again` is another sink, as after a crash. */
static void what_an_unknown_attempt_wrote_is_not_written_again(void)
{
    static const struct {
        const char *name;
        const char *first; /* the batch whose outcome is not known; it begins at 10 */
        const char *again; /* and the one after the restart */
        const char *objects;
    } rows[] = {
        { "the same", "aba", "aba", "a/" NAME("010") " 10 12; b/" NAME("011") " 11; " },
        { "a longer one", "aba", "abaab",
          "a/" NAME("010") " 10 12; a/" NAME("013") " 13; b/" NAME("011") " 11; b/" NAME(
              "014") " 14; " },
        { "a shorter one", "ababa", "ab", "a/" NAME("010") " 10 12 14; b/" NAME("011") " 11 13; " },
        { "one with a new prefix", "aa", "aac", "a/" NAME("010") " 10 11; c/" NAME("012") " 12; " },
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct sink sink;

        TEST_CASE(rows[i].name);
        s3_place_begin();
        put_flag(&s3_place.loses, true);
        sink = make("{/p}/");
        do { /* one object may be written before a failure stops the other */
            release(deliver(&sink, 10, rows[i].first));
        } while (count_objects() < (i == 3 ? 1 : 2));
        sink.destroy(sink.self);
        put_flag(&s3_place.loses, false);
        sink = make("{/p}/");
        expect(&sink, 10, rows[i].again, SINK_DELIVERED, NULL);
        check_objects(rows[i].objects);
        if (i == 2) { /* the rest is in objects, too */
            expect(&sink, 12, "aba", SINK_DELIVERED, NULL);
            check_objects(rows[i].objects);
        }
        sink.destroy(sink.self);
        s3_place_end();
    }
}

/*
 * A request whose outcome is not known can arrive late. In a store that overwrites, more records
 * under its name would be lost: they get a name of their own.
 */
static void an_object_that_may_be_there_gets_no_more_records(void)
{
    struct sink sink;

    s3_place_begin();
    put_text(&s3_place.put_answer, STATUS("500 Error"));
    sink = make("{/p}/");
    expect(&sink, 10, "aa", SINK_POSTPONED, "PutObject");
    put_text(&s3_place.put_answer, NULL);
    expect(&sink, 10, "aaba", SINK_DELIVERED, NULL);
    check_objects("a/" NAME("010") " 10 11; a/" NAME("013") " 13; b/" NAME("012") " 12; ");
    expect(&sink, 14, "aa", SINK_DELIVERED, NULL); /* that is over */
    check_objects("a/" NAME("010") " 10 11; a/" NAME("013") " 13; a/" NAME("014") " 14 15; b/" NAME(
        "012") " 12; ");
    sink.destroy(sink.self);
    s3_place_end();
}

/* One prefix fails: nothing is reported, since the next batch must begin with the same record. */
static void a_batch_arrives_as_a_whole(void)
{
    size_t puts;
    struct sink sink;

    s3_place_begin();
    sink = make("{/p}/");
    put_text(&s3_place.put_answer, STATUS("503 Slow Down"));
    put_text(&s3_place.only, "/b/");
    expect(&sink, 10, "abab", SINK_POSTPONED, "PutObject events: HTTP status 503");
    puts = s3_place.puts;
    put_text(&s3_place.put_answer, NULL);
    expect(&sink, 10, "ababa", SINK_DELIVERED, NULL);
    check_objects("a/" NAME("010") " 10 12; a/" NAME("014") " 14; b/" NAME("011") " 11 13; ");
    CHECK_INT((int64_t)(s3_place.puts - puts), 2); /* what is known to be there is not sent again */
    CHECK_INT((int64_t)s3_place.heads, 0);
    sink.destroy(sink.self);
    s3_place_end();
}

static void a_foreign_object_is_left_alone(void)
{
    struct sink sink;

    s3_place_begin();
    sink = make("a/");
    expect(&sink, 10, "a", SINK_DELIVERED, NULL);
    mem_free(s3_place.objects[0].range);
    s3_place.objects[0].range = mem_copy_string("");
    expect(&sink, 10, "aa", SINK_DELIVERED, NULL);
    CHECK_INT((int64_t)s3_place.count, 2);
    CHECK(str_starts_with(str_from_c(s3_place.objects[1].path),
                          STR("/events/a/5eed5eed5eed5eed-000000000010-")));
    /* The same records again: their digest is in the name. */
    expect(&sink, 10, "aa", SINK_DELIVERED, NULL);
    CHECK_INT((int64_t)s3_place.count, 2);
    sink.destroy(sink.self);
    s3_place_end();
}

static void without_the_right_to_look_the_digest_is_in_the_name(void)
{
    struct sink sink;

    s3_place_begin();
    sink = make("a/");
    expect(&sink, 10, "a", SINK_DELIVERED, NULL);
    put_text(&s3_place.head_answer, STATUS("403 Forbidden"));
    expect(&sink, 10, "a", SINK_DELIVERED, NULL);
    CHECK_INT((int64_t)s3_place.count, 2);
    put_text(&s3_place.put_answer, PRECONDITION);
    expect(&sink, 10, "a", SINK_DELIVERED, NULL);
    CHECK_INT((int64_t)s3_place.count, 2);
    sink.destroy(sink.self);
    s3_place_end();
}

static void a_look_that_fails_postpones(void)
{
    static const char *const answers[] = { STATUS("404 Not Found"), STATUS("500 Oops"), "" };
    struct sink sink;

    s3_place_begin();
    sink = make("a/");
    expect(&sink, 10, "a", SINK_DELIVERED, NULL);
    for (size_t i = 0; i < COUNT_OF(answers); i++) {
        put_text(&s3_place.head_answer, answers[i]);
        expect(&sink, 10, "a", SINK_POSTPONED, "HeadObject events: ");
    }
    CHECK_INT((int64_t)s3_place.count, 1);
    sink.destroy(sink.self);
    s3_place_end();
}

static void answers_have_their_class(void)
{
    static const struct {
        const char *answer;
        enum sink_result result;
        const char *reason;
    } rows[] = {
        { ANSWER("301 Moved",
                 "x-amz-bucket-region: eu-south-1\r\n\r\n" REFUSE("PermanentRedirect")),
          SINK_MISCONFIGURED, "PermanentRedirect: m; the bucket is in region eu-south-1" },
        { ANSWER("307 Moved", "\r\n" REFUSE("TemporaryRedirect")), SINK_MISCONFIGURED,
          "TemporaryRedirect" },
        { ANSWER("400 Bad",
                 "\r\n<Error><Code>AuthorizationHeaderMalformed</Code><Message>m</Message>"
                 "<Region>eu-south-1</Region></Error>"),
          SINK_MISCONFIGURED,
          "AuthorizationHeaderMalformed: m; the bucket is in region eu-south-1" },
        { ANSWER("403 No", "\r\n" REFUSE("AccessDenied")), SINK_MISCONFIGURED,
          "PutObject events: AccessDenied: m" },
        { ANSWER("404 No", "\r\n" REFUSE("NoSuchBucket")), SINK_MISCONFIGURED, "NoSuchBucket" },
        { ANSWER("400 Bad", "\r\n" REFUSE("KMS.DisabledException")), SINK_MISCONFIGURED,
          "KMS.DisabledException" },
        { ANSWER("501 No", "\r\n" REFUSE("NotImplemented")), SINK_MISCONFIGURED,
          "NotImplemented: m (try checksum: none)" },
        { ANSWER("400 Bad", "\r\n" REFUSE("InvalidArgument")), SINK_MISCONFIGURED,
          "InvalidArgument" },
        { ANSWER("503 Busy", "\r\n" REFUSE("SlowDown")), SINK_POSTPONED, "SlowDown" },
        { ANSWER("500 Oops", "\r\n" REFUSE("InternalError")), SINK_POSTPONED, "InternalError" },
        { ANSWER("409 No", "\r\n" REFUSE("ConditionalRequestConflict")), SINK_POSTPONED,
          "ConditionalRequestConflict" },
        { ANSWER("400 Bad", "\r\n" REFUSE("BadDigest")), SINK_POSTPONED, "BadDigest" },
        { ANSWER("400 Bad", "\r\n" REFUSE("RequestTimeout")), SINK_POSTPONED, "RequestTimeout" },
        { ANSWER("418 Teapot", "\r\n"), SINK_POSTPONED, "HTTP status 418" },
        { "", SINK_POSTPONED, "PutObject events: " },
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct sink sink;

        TEST_CASE(rows[i].reason);
        s3_place_begin();
        sink = make("a/");
        put_text(&s3_place.put_answer, rows[i].answer);
        expect(&sink, 10, "aa", rows[i].result, rows[i].reason);
        put_text(&s3_place.put_answer, NULL);
        expect(&sink, 10, "aa", SINK_DELIVERED, NULL);
        sink.destroy(sink.self);
        s3_place_end();
    }
}

static void s3_may_ask_for_a_pause(void)
{
    struct sink sink;
    struct turn *turn;

    s3_place_begin();
    sink = make("a/");
    put_text(&s3_place.put_answer,
             "HTTP/1.1 503 Busy\r\nRetry-After: 7\r\nContent-Length: 0\r\n\r\n");
    turn = deliver(&sink, 1, "a");
    CHECK_INT(turn->answer.retry_after_us, 7 * US_PER_S);
    release(turn);
    sink.destroy(sink.self);
    s3_place_end();
}

static void what_is_too_large_is_split_and_then_set_aside(void)
{
    struct sink sink;
    struct turn *turn;

    s3_place_begin();
    sink = make("a/");
    put_size(&s3_place.most_bytes, 51); /* three lines of 17 bytes */
    expect(&sink, 10, "aaaaa", SINK_DELIVERED, NULL);
    check_objects("a/" NAME("010") " 10 11; a/" NAME("012") " 12 13 14; ");
    put_size(&s3_place.most_bytes, 10);
    turn = deliver(&sink, 20, "ab");
    for (size_t i = 0; i < 2; i++) {
        CHECK_INT(turn->outcomes[i].result, SINK_IMPOSSIBLE);
        CHECK(strstr(turn->outcomes[i].reason, "EntityTooLarge") != NULL);
    }
    release(turn);
    sink.destroy(sink.self);
    s3_place_end();
}

static void a_key_that_s3_refuses_is_its_records_fault(void)
{
    struct sink sink;
    struct turn *turn;

    s3_place_begin();
    sink = make("{/p}/");
    put_text(&s3_place.put_answer, ANSWER("400 Bad", "\r\n" REFUSE("KeyTooLongError")));
    put_text(&s3_place.only, "/b/");
    turn = deliver(&sink, 10, "ab-b");
    CHECK_INT(turn->outcomes[0].result, SINK_DELIVERED);
    for (size_t i = 1; i < 4; i++)
        CHECK_INT(turn->outcomes[i].result, SINK_IMPOSSIBLE);
    CHECK(strstr(turn->outcomes[1].reason, "KeyTooLongError") != NULL);
    CHECK(strstr(turn->outcomes[2].reason, "no text at /p") != NULL);
    release(turn);
    sink.destroy(sink.self);
    s3_place_end();
}

static void prefixes_over_a_hundred_come_next(void)
{
    char letters[RECORDS_MAX] = { 0 };
    struct sink sink;
    struct turn *turn;

    s3_place_begin();
    sink = make("{/n}/");
    memset(letters, 'a', 150);
    turn = deliver(&sink, 1000, letters);
    CHECK_INT((int64_t)s3_place.count, 100);
    for (size_t i = 0; i < turn->count; i++)
        CHECK_INT(turn->outcomes[i].result, i < 100 ? SINK_DELIVERED : SINK_UNDER_WAY);
    CHECK(!turn->answer.is_sink_wide);
    release(turn);
    letters[50] = '\0';
    expect(&sink, 1100, letters, SINK_DELIVERED, NULL);
    CHECK_INT((int64_t)s3_place.count, 150);
    sink.destroy(sink.self);
    s3_place_end();
}

static void *interrupt(void *self)
{
    const struct sink *sink = self;

    clock_sleep(50 * US_PER_MS);
    sink->interrupt(sink->self);
    return NULL;
}

static void an_interruption_ends_all_requests(void)
{
    int64_t start_us = clock_monotonic_us();
    struct sink sink;
    pthread_t thread;

    s3_place_begin();
    sink = make("{/p}/");
    put_flag(&s3_place.stalls, true);
    assert(pthread_create(&thread, NULL, interrupt, &sink) == 0);
    expect(&sink, 10, "abcdef", SINK_POSTPONED, "PutObject events: ");
    CHECK(clock_monotonic_us() - start_us < PATIENCE_US);
    (void)pthread_join(thread, NULL);
    sink.destroy(sink.self);
    s3_place_end();
}

static void wrong_options_are_refused(void)
{
    static const struct {
        const char *key;
        const char *text;
    } rows[] = { { "bucket", "a" }, { "prefix", "a//b" }, { "time", "a" } };

    s3_place_begin();
    for (size_t i = 0; i < COUNT_OF(rows) + 1; i++) {
        struct sink_s3_options options = options_of("a/");
        bool is_right = i == COUNT_OF(rows);
        const char *key = NULL;
        struct sink sink;
        struct error err;

        if (!is_right && i == 0)
            options.bucket = rows[i].text;
        else if (i == 1)
            options.prefix = rows[i].text;
        else if (i == 2)
            options.time = rows[i].text;
        CHECK(sink_s3_check(&options, &key, &err) == is_right);
        if (is_right)
            continue;
        CHECK_STR(str_from_c(key), rows[i].key);
        CHECK(!sink_s3(&options, &sink, &err));
        CHECK(str_starts_with(str_from_c(err.text), str_from_c(rows[i].key)));
    }
    s3_place_end();
}

/* The suite's s3_place. */

static struct sink suite_create(void *self)
{
    (void)self;
    if (s3_place.server)
        s3_place_end();
    s3_place_begin();
    return make("a/");
}

/* In the order in which they arrived, which `objects` has. */
static void suite_arrived(void *self, struct buf *out)
{
    (void)self;
    for (size_t i = 0; i < s3_place.count; i++)
        buf_add(out, s3_place.objects[i].body);
}

static void suite_set_broken(void *self, bool broken)
{
    (void)self;
    put_text(&s3_place.put_answer, broken ? STATUS("503 Slow Down") : NULL);
}

static const struct sink_suite suite = {
    .create = suite_create,
    .arrived = suite_arrived,
    .set_broken = suite_set_broken,
};

static void set(const char *name, const char *value)
{
    (void)setenv(name, value, 1); /* NOLINT(concurrency-mt-unsafe): no thread is there yet */
}

int main(void)
{
    struct error err = { 0 };

    (void)signal(SIGPIPE, SIG_IGN);
    set("HOME", "/nonexistent");
    set("AWS_ACCESS_KEY_ID", "AKID");
    set("AWS_SECRET_ACCESS_KEY", "secret");
    set("AWS_EC2_METADATA_DISABLED", "true");
    if (!fetch_init(&err))
        return EXIT_FAILURE;
    RUN(a_batch_is_an_object_for_each_prefix);
    RUN(a_request_is_signed_conditional_and_checked);
    RUN(a_key_is_encoded_once);
    RUN(formats_have_their_suffix);
    RUN(what_an_unknown_attempt_wrote_is_not_written_again);
    RUN(an_object_that_may_be_there_gets_no_more_records);
    RUN(a_batch_arrives_as_a_whole);
    RUN(a_foreign_object_is_left_alone);
    RUN(without_the_right_to_look_the_digest_is_in_the_name);
    RUN(a_look_that_fails_postpones);
    RUN(answers_have_their_class);
    RUN(s3_may_ask_for_a_pause);
    RUN(what_is_too_large_is_split_and_then_set_aside);
    RUN(a_key_that_s3_refuses_is_its_records_fault);
    RUN(prefixes_over_a_hundred_come_next);
    RUN(an_interruption_ends_all_requests);
    RUN(wrong_options_are_refused);
    sink_suite_run(&suite);
    s3_place_end();
    return test_end();
}
