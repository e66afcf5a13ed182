/*
 * test_unit.c - sizes and times as people write them.
 */
#include "settings/unit.h"

#include "tests/unit/test.h"

static struct json_object *read_value(const char *json)
{
    struct json_object *value = NULL;
    struct error err = { 0 };

    CHECK(json_read(str_from_c(json), NULL, &value, &err));
    return value;
}

static void reads_sizes(void)
{
    static const struct {
        const char *json;
        int64_t bytes; /* -1: refused */
    } cases[] = {
        { "0", 0 },
        { "1048576", 1048576 },
        { "9223372036854775807", INT64_MAX },
        { "9223372036854775808", INT64_MAX },
        { "-1", -1 },
        { "1.5", -1 },
        { "\"0B\"", 0 },
        { "\"17B\"", 17 },
        { "\"2KiB\"", 2048 },
        { "\"2MiB\"", 2097152 },
        { "\"1GiB\"", 1073741824 },
        { "\"1.5KiB\"", 1536 },
        { "\"0.000001GiB\"", 1073 },
        { "\"0.1234569999MiB\"", 129452 },
        { "\"8589934590GiB\"", INT64_C(9223372034707292160) },
        { "\"8589934592GiB\"", INT64_MAX },
        { "\"99999999999999999999B\"", INT64_MAX },
        { "\"\"", -1 },
        { "\"2\"", -1 },
        { "\"MiB\"", -1 },
        { "\"2 MiB\"", -1 },
        { "\"2MB\"", -1 },
        { "\"2mib\"", -1 },
        { "\"2MiBs\"", -1 },
        { "\"-2MiB\"", -1 },
        { "\"1.MiB\"", -1 },
        { "\".5MiB\"", -1 },
        { "\"2s\"", -1 },
        { "true", -1 },
        { "null", -1 },
        { "[]", -1 },
    };

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct json_object *value = read_value(cases[i].json);
        uint64_t bytes = 0;
        bool ok = settings_size(value, &bytes);

        TEST_CASE(cases[i].json);
        CHECK_INT(ok ? (int64_t)bytes : -1, cases[i].bytes);
        json_release(value);
    }
}

static void reads_times(void)
{
    static const struct {
        const char *json;
        int64_t microseconds; /* -1: refused */
    } cases[] = {
        { "\"0s\"", 0 },
        { "\"1ms\"", 1000 },
        { "\"200ms\"", 200000 },
        { "\"4s\"", 4000000 },
        { "\"1.5s\"", 1500000 },
        { "\"0.1s\"", 100000 },
        { "\"0.5ms\"", 500 },
        { "\"2m\"", 120000000 },
        { "\"25h\"", INT64_C(90000000000) },
        { "\"30d\"", INT64_C(2592000000000) },
        { "\"1.5d\"", INT64_C(129600000000) },
        { "\"106751991d\"", INT64_MAX },
        { "\"106751990d\"", INT64_C(9223371936000000000) },
        { "\"4\"", -1 },
        { "\"4 s\"", -1 },
        { "\"4S\"", -1 },
        { "\"4us\"", -1 },
        { "\"4w\"", -1 },
        { "\"-4s\"", -1 },
        { "\"1h30m\"", -1 },
        { "4", -1 },
        { "null", -1 },
    };

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct json_object *value = read_value(cases[i].json);
        int64_t microseconds = 0;
        bool ok = settings_time(value, &microseconds);

        TEST_CASE(cases[i].json);
        CHECK_INT(ok ? microseconds : -1, cases[i].microseconds);
        json_release(value);
    }
}

int main(void)
{
    RUN(reads_sizes);
    RUN(reads_times);
    return test_end();
}
