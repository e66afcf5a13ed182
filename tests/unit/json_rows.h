/*
 * json_rows.h - JSON texts that flat trees and json-c's trees must read and write alike, for their
 * tests.
 */
#pragma once

#include <math.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/flat.h"

static const struct {
    const char *text;
    enum json_kind kind;
} json_rows_kinds[] = {
    { "null", JSON_NULL },
    { "true", JSON_BOOLEAN },
    { "0", JSON_INTEGER },
    { "-0", JSON_INTEGER },
    { "18446744073709551615", JSON_INTEGER },
    { "18446744073709551616", JSON_INTEGER },
    { "-99999999999999999999", JSON_INTEGER },
    { "1.0", JSON_NUMBER },
    { "1e2", JSON_NUMBER },
    { "1e400", JSON_NUMBER },
    { "\"1\"", JSON_STRING },
    { "[]", JSON_ARRAY },
    { "{}", JSON_OBJECT },
};

static const struct {
    const char *text;
    bool fits;
    int64_t value;
} json_rows_integers[] = {
    { "0", true, 0 },
    { "-0", true, 0 },
    { "-0.0", true, 0 },
    { "1.0", true, 1 },
    { "1e2", true, 100 },
    { "-12.50e1", true, -125 },
    { "1.5", false, 0 },
    { "9223372036854775807", true, INT64_MAX },
    { "9223372036854775808", false, 0 },
    { "-9223372036854775808", true, INT64_MIN },
    { "-9223372036854775809", false, 0 },
    { "9223372036854775808.0", false, 0 },
    { "-9223372036854775808.0", true, INT64_MIN },
    { "18446744073709551616", false, 0 },
    { "1e400", false, 0 },
    { "-1e400", false, 0 },
};

static const struct {
    const char *text;
    double value;
} json_rows_doubles[] = {
    { "0.1", 0.1 },
    { "-2.5e-3", -2.5e-3 },
    { "123456789.123456789", 123456789.123456789 },
    { "9007199254740992.0", 9007199254740992.0 },
    { "9007199254740993.0", 9007199254740992.0 },
    { "9007199254740993e0", 9007199254740992.0 },
    { "1e22", 1e22 },
    { "1e23", 1e23 },
    { "8.5e-23", 8.5e-23 },
    { "0.000000000000000000000000000000123", 1.23e-31 },
    { "12345678901234567890123.0", 12345678901234567890123.0 },
    { "2.2250738585072011e-308", 2.2250738585072011e-308 },
    { "4.9e-324", 4.9e-324 },
    { "1.7976931348623157e308", 1.7976931348623157e308 },
    { "1e400", (double)INFINITY },
    { "-1e400", -(double)INFINITY },
    { "1e99999999999999999999", (double)INFINITY },
    { "1e-99999999999999999999", 0.0 },
    { "0e99999999999999999999", 0.0 },
    { "18446744073709551615", 18446744073709551615.0 },
    { "123456789012345678901234567890", 123456789012345678901234567890.0 },
};

/* They are written as they are. */
static const char *const json_rows_texts[] = {
    "null",
    "true",
    "false",
    "[]",
    "{}",
    "[null,true,[{}],{\"a\":null}]",
    "{\"z\":1,\"a\":2,\"m\":{\"z\":3,\"b\":4}}",
    "0",
    "-0",
    "-0.0",
    "1.0",
    "1E2",
    "1e+02",
    "0.10000000000000000000000000000000000001",
    "9223372036854775807",
    "-9223372036854775808",
    "-9223372036854775809",
    "9223372036854775808",
    "18446744073709551615",
    "18446744073709551616",
    "123456789012345678901234567890123456789012345678901234567890",
    "-123456789012345678901234567890",
    "1e400",
    "-1e400",
    "1e-400",
    "\"\"",
    "\"plain\"",
    "\"/ and \x7F and \u00e9 and \u20ac and \U0001F600 and \u2028\"",
    "\"\\\"\\\\\\b\\f\\n\\r\\t\"",
    "\"\\u0000\\u0001\\u001f\"",
    "\"0123456789abcdef\\n0123456789abcdef\\\"0123456789abcdef\"",
    "{\"\\\"key\\n\":1,\"\":2,\"\u00e9\":3}",
};

/* They are written in one form. */
static const struct {
    const char *text;
    const char *expected;
} json_rows_forms[] = {
    { " { \"a\" : [ 1 , 2 ] , \"b\" : { } } ", "{\"a\":[1,2],\"b\":{}}" },
    { "\"\\u0041\\/\\u00e9\\ud83d\\ude00\"", "\"A/\u00e9\U0001F600\"" },
    { "\"\\u0008\\u000C\\u000a\\u000D\\u0009\\u001F\\u007f\"", "\"\\b\\f\\n\\r\\t\\u001f\x7F\"" },
    { "{\"\\u0061\":1}", "{\"a\":1}" },
};
