/*
 * test_s3_object.c - delivery/sinks/s3_object.h.
 */
#include "delivery/sinks/s3_object.h"

#include "base/attr.h"
#include "tests/unit/test.h"

enum { MOST = 5 };

static const struct sink_record records[MOST] = {
    { .sequence = 5, .bytes = STR_INIT("{\"n\":5}") },
    { .sequence = 7, .bytes = STR_INIT("{\"n\":7}") },
    { .sequence = 8, .bytes = STR_INIT("{\"n\":8}") },
    { .sequence = 11, .bytes = STR_INIT("{\"n\":11}") },
    { .sequence = 12, .bytes = STR_INIT("{\"n\":12}") },
};

static const struct sink_record *const list[MOST] = { &records[0], &records[1], &records[2],
                                                      &records[3], &records[4] };

static const struct s3_lines all = { list, MOST };

/* printf '{"n":5}\n{"n":7}\n{"n":8}\n' | sha256sum */
#define DIGEST_3 "f1cf93f70c07a174aacba748f06f6360492892bf52ca89b7cbb92363dab68325"

static void lines_end_with_a_line_feed(void)
{
    CLEANUP(buf_done) struct buf out;

    buf_init(&out, 1000);
    s3_lines_write(s3_lines_first(all, 2), COMPRESS_NONE, &out);
    CHECK_STR(buf_str(&out), "{\"n\":5}\n{\"n\":7}\n");
}

static void a_range_has_what_its_object_has(void)
{
    struct arena *arena = arena_create();
    struct s3_lines lines = s3_lines_first(all, 3);
    struct str digest = s3_lines_digest(lines, arena);

    CHECK_STR(digest, DIGEST_3);
    CHECK_STR(s3_lines_range(lines, digest, arena), "5-8 3 " DIGEST_3);
    arena_destroy(arena);
}

/* RFC 3720, appendix B.4, and the usual check value. */
static void the_checksum_is_crc32c(void)
{
    static const char zeroes[32] = { 0 };
    struct arena *arena = arena_create();

    CHECK_STR(s3_crc32c(STR("123456789"), arena), "4waSgw==");                       /* E3069283 */
    CHECK_STR(s3_crc32c((struct str){ zeroes, sizeof(zeroes) }, arena), "ipE2qg=="); /* 8A9136AA */
    CHECK_STR(s3_crc32c(STR(""), arena), "AAAAAA==");
    arena_destroy(arena);
}

/* The table of the decision: what of these lines is in the object that has their name? */
static void what_was_found_is_compared(void)
{
    static const struct {
        const char *name;
        size_t count;      /* lines to be written */
        const char *range; /* of the object that is there; # is the digest of the first 3 lines */
        const char *layout;
        size_t in_it;
        int64_t last;
    } rows[] = {
        { "the same", 3, "5-8 3 #", "mine", 3, 8 },
        { "the same of another layout", 3, "5-8 3 #", "other", 3, 8 },
        { "an earlier, shorter one", 5, "5-8 3 #", "mine", 3, 8 },
        { "an earlier, longer one", 2, "5-8 3 #", "mine", 2, 8 },
        { "a longer one of another layout", 2, "5-8 3 #", "other", 0, 0 },
        { "a longer one without layout", 2, "5-8 3 #", "", 0, 0 },
        { "a longer one that ends before", 2, "5-6 3 #", "mine", 0, 0 },
        { "other lines", 4, "5-11 4 #", "mine", 0, 0 },
        { "other sequences", 3, "5-9 3 #", "mine", 0, 0 },
        { "another first one", 3, "4-8 3 #", "mine", 0, 0 },
        { "no metadata", 3, "", "", 0, 0 },
        { "no digest", 3, "5-8 3 ", "mine", 0, 0 },
        { "a short digest", 3, "5-8 3 00", "mine", 0, 0 },
        { "not hexadecimal", 3, "5-8 3 z#", "mine", 0, 0 },
        { "no count", 3, "5-8 0 #", "mine", 0, 0 },
        { "not numbers", 3, "a-b c #", "mine", 0, 0 },
        { "signs", 3, "-5--8 3 #", "mine", 0, 0 },
        { "too long a number", 3, "5-8888888888888888888888 3 #", "mine", 0, 0 },
        { "something else", 3, "hello", "mine", 0, 0 },
        { "a word behind it", 3, "5-8 3 # x", "mine", 0, 0 },
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct arena *arena = arena_create();
        struct buf *range = arena_buf(arena, 1000);
        int64_t last = 0;

        TEST_CASE(rows[i].name);
        for (const char *c = rows[i].range; *c; c++)
            buf_add(range, *c == '#' ? STR(DIGEST_3) : (struct str){ c, 1 });

        const struct s3_found found = { buf_str(range), str_from_c(rows[i].layout) };
        size_t in_it =
            s3_found_count(&found, s3_lines_first(all, rows[i].count), STR("mine"), &last);

        CHECK_INT((int64_t)in_it, (int64_t)rows[i].in_it);
        if (in_it > 0)
            CHECK_INT(last, rows[i].last);
        arena_destroy(arena);
    }
}

int main(void)
{
    RUN(lines_end_with_a_line_feed);
    RUN(a_range_has_what_its_object_has);
    RUN(the_checksum_is_crc32c);
    RUN(what_was_found_is_compared);
    return test_end();
}
