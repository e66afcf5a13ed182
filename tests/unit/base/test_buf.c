/*
 * test_buf.c - claims about base/buf.h.
 */
#include "base/buf.h"

#include "tests/unit/test.h"

static void holds_exactly_its_maximum(void)
{
    static const size_t maxima[] = { 0, 1, 63, 64, 65, 100, 127, 128, 129, 1000, 4096 };

    for (size_t i = 0; i < COUNT_OF(maxima); i++) {
        struct buf buf;

        buf_init(&buf, maxima[i]);
        for (size_t added = 0; added < maxima[i]; added++)
            buf_add_char(&buf, 'x');
        CHECK(!buf.overflow);
        CHECK_INT((int64_t)buf.len, (int64_t)maxima[i]);
        CHECK(buf.capacity <= maxima[i]);
        buf_add_char(&buf, 'y');
        CHECK(buf.overflow);
        CHECK_INT((int64_t)buf.len, (int64_t)maxima[i]);
        buf_done(&buf);
    }
}

static void takes_a_piece_whole_or_not_at_all(void)
{
    struct buf buf;

    buf_init(&buf, 5);
    buf_add(&buf, STR("abc"));
    buf_add(&buf, STR("def"));
    CHECK_STR(buf_str(&buf), "abc");
    CHECK(buf.overflow);
    buf_done(&buf);
}

static void adds_nothing_after_an_overflow(void)
{
    struct buf buf;

    buf_init(&buf, 4);
    buf_add(&buf, STR("abcde"));
    buf_add(&buf, STR("a"));
    buf_add_char(&buf, 'b');
    buf_printf(&buf, "%d", 1);
    CHECK(buf_reserve(&buf, 1) == NULL);
    CHECK_STR(buf_str(&buf), "");
    CHECK(buf.overflow);
    buf_clear(&buf);
    CHECK(!buf.overflow);
    buf_add(&buf, STR("abcd"));
    CHECK_STR(buf_str(&buf), "abcd");
    buf_done(&buf);
}

static void nothing_fits_everywhere(void)
{
    struct buf buf;

    buf_init(&buf, 0);
    buf_add(&buf, STR_NONE);
    buf_add(&buf, STR(""));
    CHECK(!buf.overflow);
    buf_done(&buf);
    buf_done(&buf);
    CHECK(buf.ptr == NULL);
}

static void a_reservation_beyond_all_sizes_is_refused(void)
{
    struct buf buf;

    buf_init(&buf, SIZE_MAX / 2);
    buf_add(&buf, STR("abc"));
    CHECK(buf_reserve(&buf, SIZE_MAX) == NULL);
    CHECK(buf.overflow);
    buf_done(&buf);
}

static void reserved_room_is_claimed_by_length(void)
{
    struct buf buf;

    buf_init(&buf, 1000);
    buf_add(&buf, STR("ab"));

    char *to = buf_reserve(&buf, 998);

    CHECK(to != NULL);
    if (!to)
        return;
    memset(to, 'c', 998);
    CHECK_INT((int64_t)buf.len, 2);
    buf.len += 998;
    CHECK(buf_reserve(&buf, 1) == NULL);
    CHECK_INT((int64_t)buf.len, 1000);
    CHECK_STR(((struct str){ to - 2, 5 }), "abccc");
    buf_done(&buf);
}

static void writes_numbers(void)
{
    static const struct {
        int64_t number;
        const char *text;
    } cases[] = {
        { 0, "0" },
        { 9, "9" },
        { 10, "10" },
        { 99, "99" },
        { 100, "100" },
        { 1234567890, "1234567890" },
        { -1, "-1" },
        { -10, "-10" },
        { INT64_MAX, "9223372036854775807" },
        { INT64_MIN, "-9223372036854775808" },
    };
    struct buf buf;

    buf_init(&buf, BUF_INT_TEXT);
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        buf_clear(&buf);
        buf_add_int(&buf, cases[i].number);
        CHECK_STR(buf_str(&buf), cases[i].text);
    }
    buf_done(&buf);
}

static void prints_when_the_closing_nul_fits_too(void)
{
    static const struct {
        const char *name;
        size_t max;
        bool fits;
    } cases[] = {
        { "with room", 100, true },          { "to the last byte", 6, true },
        { "no room for the NUL", 5, false }, { "no room", 4, false },
        { "none at all", 0, false },
    };

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct buf buf;

        TEST_CASE(cases[i].name);
        buf_init(&buf, cases[i].max);
        buf_printf(&buf, "%s", "hello");
        CHECK(buf.overflow == !cases[i].fits);
        CHECK_STR(buf_str(&buf), cases[i].fits ? "hello" : "");
        buf_done(&buf);
    }
}

static void what_cannot_be_printed_is_an_overflow(void)
{
    static const wchar_t not_a_character[] = { (wchar_t)0x7FFFFFFF, 0 };
    struct buf buf;

    buf_init(&buf, 100);
    buf_printf(&buf, "%ls", not_a_character);
    CHECK(buf.overflow);
    buf_done(&buf);
}

static void begins_in_room_that_it_was_lent(void)
{
    char room[8] = "";
    struct buf buf;

    buf_init_in(&buf, 20, room, sizeof(room));
    buf_add(&buf, STR("12345678"));
    CHECK(buf.ptr == room);
    buf_add(&buf, STR("9"));
    CHECK(buf.ptr != room);
    CHECK_STR(buf_str(&buf), "123456789");
    buf_add(&buf, STR("0123456789"));
    CHECK(!buf.overflow);
    buf_add(&buf, STR("ab"));
    CHECK(buf.overflow);
    buf_done(&buf);
    CHECK_STR(((struct str){ room, sizeof(room) }), "12345678");
}

static void what_was_lent_is_not_freed(void)
{
    char room[8];
    struct buf buf;

    buf_init_in(&buf, 5, room, sizeof(room));
    buf_add(&buf, STR("123456"));
    CHECK(buf.overflow && buf.len == 0);
    buf_clear(&buf);
    buf_add(&buf, STR("12345"));
    CHECK(buf.ptr == room);
    buf_done(&buf);
    CHECK(buf.ptr == NULL);

    buf_init_in(&buf, 5, NULL, sizeof(room));
    buf_add(&buf, STR("12345"));
    CHECK_STR(buf_str(&buf), "12345");
    buf_done(&buf);
}

int main(void)
{
    RUN(holds_exactly_its_maximum);
    RUN(takes_a_piece_whole_or_not_at_all);
    RUN(adds_nothing_after_an_overflow);
    RUN(nothing_fits_everywhere);
    RUN(a_reservation_beyond_all_sizes_is_refused);
    RUN(reserved_room_is_claimed_by_length);
    RUN(writes_numbers);
    RUN(prints_when_the_closing_nul_fits_too);
    RUN(what_cannot_be_printed_is_an_overflow);
    RUN(begins_in_room_that_it_was_lent);
    RUN(what_was_lent_is_not_freed);
    return test_end();
}
