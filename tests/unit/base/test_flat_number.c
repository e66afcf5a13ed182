/*
 * test_flat_number.c - kinds, order, equality, hashes and multiples, by exact values.
 */
#include "base/flat.h"

#include <math.h>

#include "tests/unit/json_rows.h"
#include "tests/unit/test.h"
#include "tests/unit/tree.h"

static void tells_kinds_apart(void)
{
    for (size_t i = 0; i < COUNT_OF(json_rows_kinds); i++) {
        const struct flat *value = tree_of(json_rows_kinds[i].text);

        TEST_CASE(json_rows_kinds[i].text);
        CHECK_INT(flat_kind(value), json_rows_kinds[i].kind);
    }
}

static void knows_what_fits_int64(void)
{
    for (size_t i = 0; i < COUNT_OF(json_rows_integers); i++) {
        const struct flat *number = tree_of(json_rows_integers[i].text);
        int64_t value = 0;

        TEST_CASE(json_rows_integers[i].text);
        CHECK(flat_int64(number, &value) == json_rows_integers[i].fits);
        CHECK_INT(value, json_rows_integers[i].value);
    }
}

/* Reading must round once, as strtod() does, whichever way it takes. */
static void rounds_as_strtod(void)
{
    for (size_t i = 0; i < COUNT_OF(json_rows_doubles); i++) {
        const struct flat *number = tree_of(json_rows_doubles[i].text);

        TEST_CASE(json_rows_doubles[i].text);
        CHECK(flat_double(number) == json_rows_doubles[i].value);
    }
}

static int sign(int order)
{
    return (order > 0) - (order < 0);
}

static void orders_numbers_exactly(void)
{
    /* Each is below the next one. */
    static const char *const rising[] = {
        "-1e400",
        "-1e308",
        "-123456789012345678901234567891",
        "-123456789012345678901234567890",
        "-18446744073709551617",
        "-18446744073709551616.0",
        "-18446744073709551615",
        "-9223372036854775809",
        "-9223372036854775808",
        "-9007199254740993",
        "-9007199254740992.0",
        "-1.5",
        "-1",
        "-1e-300",
        "0",
        "1e-300",
        "0.5",
        "1",
        "1.0000000000000002",
        "9007199254740992.0",
        "9007199254740993",
        "9223372036854775807",
        "9223372036854775808.0",
        "9223372036854775809",
        "18446744073709551615",
        "18446744073709551616",
        "18446744073709551617",
        "1e22",
        "10000000000000000000001",
        "99999999999999991611392",
        "100000000000000000000000",
        "1e24",
        "1e308",
        "1e400",
    };

    for (size_t i = 0; i < COUNT_OF(rising); i++) {
        const struct flat *a = tree_of(rising[i]);

        TEST_CASE(rising[i]);
        for (size_t j = 0; j < COUNT_OF(rising); j++) {
            const struct flat *b = tree_of(rising[j]);

            CHECK_INT(sign(flat_compare_numbers(a, b)), (i > j) - (i < j));
        }
    }
}

struct pair {
    const char *a;
    const char *b;
    bool equal;
};

static void check_pairs(const struct pair *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const struct flat *a = tree_of(rows[i].a);
        const struct flat *b = tree_of(rows[i].b);

        TEST_CASE(rows[i].a);
        CHECK(flat_equal(a, b) == rows[i].equal);
        CHECK(flat_equal(b, a) == rows[i].equal);
        /* A hash of 64 bits: unequal values collide only by a fault. */
        CHECK((flat_hash(a) == flat_hash(b)) == rows[i].equal);
    }
}

static void compares_numbers_by_value(void)
{
    static const struct pair rows[] = {
        { "1", "1.0", true },
        { "1", "1e0", true },
        { "100", "1e2", true },
        { "0", "-0", true },
        { "0", "-0.0", true },
        { "0", "0e5", true },
        { "1e400", "1e500", true },
        { "1e400", "-1e400", false },
        { "1e-400", "0", true },
        { "0.1", "0.10", true },
        { "0.1", "0.1000000000000000000001", true },
        { "9007199254740993", "9007199254740993.0", false },
        { "9007199254740992", "9007199254740993.0", true },
        { "18446744073709551616", "18446744073709551616.0", true },
        { "18446744073709551616", "1.8446744073709551616e19", true },
        { "-18446744073709551616", "-18446744073709551616.0", true },
        { "18446744073709551616", "-18446744073709551616", false },
        { "18446744073709551617", "18446744073709551616.0", false },
        { "10000000000000000000000", "1e22", true },
        { "100000000000000000000000", "1e23", false },
        { "99999999999999991611392", "1e23", true },
    };

    check_pairs(rows, COUNT_OF(rows));
}

static void compares_values_not_texts(void)
{
    static const struct pair rows[] = {
        { "1", "true", false },
        { "0", "false", false },
        { "0", "null", false },
        { "1", "\"1\"", false },
        { "\"a\"", "\"\\u0061\"", true },
        { "\"a\"", "\"A\"", false },
        { "\"a\"", "\"a\\u0000\"", false },
        { "\"abcdefgh\"", "\"abcdefgi\"", false },
        { "null", "null", true },
        { "true", "true", true },
        { "true", "false", false },
        { "[1,2]", "[1.0,2]", true },
        { "[1,2]", "[2,1]", false },
        { "[1]", "[1,1]", false },
        { "[[]]", "[{}]", false },
        { "[]", "{}", false },
        { "[null]", "[]", false },
        { "{\"a\":1,\"b\":[2]}", "{\"b\":[2.0],\"a\":1}", true },
        { "{\"a\":1}", "{\"a\":2}", false },
        { "{\"a\":null}", "{\"b\":null}", false },
        { "{\"a\":null}", "{}", false },
        { "{\"a\":1,\"b\":2}", "{\"a\":2,\"b\":1}", false },
    };

    check_pairs(rows, COUNT_OF(rows));
}

/* Expected values are those of CPython. */
struct division {
    const char *number;
    const char *divisor;
    bool multiple;
};

static void check_divisions(const struct division *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const struct flat *number = tree_of(rows[i].number);
        const struct flat *divisor = tree_of(rows[i].divisor);

        TEST_CASE(rows[i].number);
        CHECK(flat_is_multiple(number, divisor) == rows[i].multiple);
    }
}

static void divides_integers_exactly(void)
{
    static const struct division rows[] = {
        { "10", "2", true },
        { "7", "2", false },
        { "-10", "5", true },
        { "0", "3", true },
        { "-0", "3", true },
        { "9223372036854775807", "7", true },
        { "18446744073709551615", "5", true },
        { "18446744073709551615", "4", false },
        { "123456789012345678901234567890", "10", true },
        { "123456789012345678901234567890", "11", false },
        { "123456789012345678901234567890", "7", true },
        { "-123456789012345678901234567890", "3", true },
        { "36893488147419103232", "18446744073709551616", true },
        { "36893488147419103233", "18446744073709551616", false },
        { "18446744073709551615", "18446744073709551616", false },
        { "0", "18446744073709551616", true },
        { "1000000000000000000000000000000000000000", "1000000000000000000000", true },
        { "1000000000000000000000000000000000000001", "1000000000000000000000", false },
        { "121932631137021795226185032733622923332237463801111263526900",
          "123456789012345678901234567890", true },
        { "121932631137021795226185032733622923332237463801111263526901",
          "123456789012345678901234567890", false },
    };

    check_divisions(rows, COUNT_OF(rows));
}

static void divides_doubles_by_integers_with_a_remainder(void)
{
    static const struct division rows[] = {
        { "4.0", "2", true },
        { "4.5", "2", false },
        { "-4.0", "2", true },
        { "1e308", "2", true },
        { "1e400", "2", false },
        { "1.0", "18446744073709551616", false },
        { "1.8446744073709551616e19", "18446744073709551616", true },
    };

    check_divisions(rows, COUNT_OF(rows));
}

static void divides_by_doubles_in_doubles(void)
{
    static const struct division rows[] = {
        { "0.0075", "0.0001", true },
        { "4.35", "0.01", false },
        { "1.1", "0.1", true },
        { "0.3", "0.1", false },
        { "4.5", "1.5", true },
        { "35", "1.5", false },
        { "10", "2.0", true },
        { "12391239123", "1e-8", true },
        { "123456789012345678901234567890", "0.5", true },
        { "1e400", "1.5", false },
        { "1", "1e400", true },
        { "0", "1e400", true },
    };

    check_divisions(rows, COUNT_OF(rows));
}

static void divides_exactly_where_doubles_overflow(void)
{
    static const struct division rows[] = {
        { "1e308", "0.5", true },
        { "1e308", "0.123456789", false },
        { "1e308", "1e-308", false },
        { "-1e308", "0.5", true },
        { "3", "5e-324", true },
        { "3", "1.5e-323", true },
        { "4", "1.5e-323", false },
        { "36893488147419103233", "1.5e-323", true },
        { "36893488147419103232", "1.5e-323", false },
        { "1e308", "1e-400", false },
    };

    check_divisions(rows, COUNT_OF(rows));
}

static void finds_strings_among_members(void)
{
    const struct flat *object = tree_of("{\"a\":\"text\",\"b\":1,\"c\":null}");

    CHECK_STR(flat_find_str(object, STR("a")), "text");
    CHECK_STR(flat_find_str(object, STR("b")), "");
    CHECK_STR(flat_find_str(object, STR("c")), "");
    CHECK_STR(flat_find_str(object, STR("d")), "");
}

int main(void)
{
    RUN(tells_kinds_apart);
    RUN(knows_what_fits_int64);
    RUN(rounds_as_strtod);
    RUN(orders_numbers_exactly);
    RUN(compares_numbers_by_value);
    RUN(compares_values_not_texts);
    RUN(divides_integers_exactly);
    RUN(divides_doubles_by_integers_with_a_remainder);
    RUN(divides_by_doubles_in_doubles);
    RUN(divides_exactly_where_doubles_overflow);
    RUN(finds_strings_among_members);
    trees_end();
    return test_end();
}
