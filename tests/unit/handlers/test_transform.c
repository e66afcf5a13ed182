/*
 * test_transform.c - from payloads to records, field by field, and what a transform file may say.
 */
#include "handlers/transform.h"

#include "tests/unit/scratch.h"
#include "tests/unit/test.h"
#include "tests/unit/tree.h"

#define NOW_US INT64_C(1705314600123456) /* 2024-01-15T10:30:00.123456Z */

static bool apply(const struct transform *transform, const struct flat *payload, struct buf *out,
                  struct error *err)
{
    const struct transform_input input = { .payload = payload, .event = payload, .now_us = NOW_US };

    return transform_apply(transform, &input, out, err);
}

/* Apply the transform file to a payload, and compare: the record, or else the error's text. */
static void check_file(const char *file, const char *payload, const char *expected, bool ok)
{
    struct arena *arena = arena_create();
    struct transform *transform = NULL;
    const struct flat *tree = tree_of(payload);
    struct error err = { 0 };
    struct buf out;

    buf_init(&out, 100000);
    CHECK(transform_load(file, &transform, &err));
    CHECK_STR(str_from_c(err.text), "");
    if (transform) {
        CHECK(apply(transform, tree, &out, &err) == ok);
        CHECK_INT(err.code, ok ? ERR_NONE : ERR_INVALID);
        CHECK_STR(ok ? buf_str(&out) : str_from_c(err.text), expected);
        CHECK(ok || out.len == 0);
    }
    transform_destroy(transform);
    buf_done(&out);
    arena_destroy(arena);
}

/* The same with a file of these fields. */
static void check_record(const char *fields, const char *payload, const char *expected, bool ok)
{
    struct arena *arena = arena_create();

    check_file(scratch_file(arena_printf(arena, "fields:\n%s", fields).ptr), payload, expected, ok);
    arena_destroy(arena);
    scratch_close();
}

static void takes_values_from_the_payload(void)
{
    static const struct {
        const char *name;
        const char *fields;
        const char *payload;
        const char *record;
    } cases[] = {
        { "a member", "- {name: a, from: /x/y}", "{\"x\":{\"y\":1}}", "{\"a\":1}" },
        { "any value as it is", "- {name: a, from: /x}",
          "{\"x\":{\"b\":[1.50,12345678901234567890123,\"\\u00e4/\"],\"a\":null}}",
          "{\"a\":{\"b\":[1.50,12345678901234567890123,\"ä/\"],\"a\":null}}" },
        { "the whole payload", "- {name: a, from: ''}", "[1]", "{\"a\":[1]}" },
        { "an element", "- {name: a, from: /x/1}", "{\"x\":[1,2]}", "{\"a\":2}" },
        { "an element that is not there", "- {name: a, from: /x/2, default: 0}", "{\"x\":[1,2]}",
          "{\"a\":0}" },
        { "an index as key", "- {name: a, from: /x/1}", "{\"x\":{\"1\":2}}", "{\"a\":2}" },
        { "an escaped key", "- {name: a, from: /x~1y/~0}", "{\"x/y\":{\"~\":2}}", "{\"a\":2}" },
        { "null is present", "- {name: a, from: /x, default: 1}", "{\"x\":null}", "{\"a\":null}" },
        { "default replaces absence", "- {name: a, from: /x, default: {b: [1]}}", "{}",
          "{\"a\":{\"b\":[1]}}" },
        { "default null", "- {name: a, from: /x, default: null}", "{}", "{\"a\":null}" },
        { "default replaces an absent way", "- {name: a, from: /x/y/z, default: 1}", "{\"x\":{}}",
          "{\"a\":1}" },
        { "default comes before required", "- {name: a, from: /x, default: '', required: no a}",
          "{}", "{\"a\":\"\"}" },
        { "default is not converted", "- {name: a, from: /x, default: A, as: lower}", "{}",
          "{\"a\":\"A\"}" },
        { "left out", "- {name: a, from: /x}", "{}", "{}" },
        { "left out in front", "- {name: a, from: /x}\n- {name: b, value: 1}", "{}", "{\"b\":1}" },
        { "left out in the middle",
          "- {name: a, value: 1}\n- {name: b, from: /x}\n- {name: c, value: 2}", "{}",
          "{\"a\":1,\"c\":2}" },
        { "left out at the end", "- {name: a, value: 1}\n- {name: b, from: /x}", "{}",
          "{\"a\":1}" },
        { "the first of several", "- {name: a, from: [/x, /y]}", "{\"y\":2,\"x\":1}", "{\"a\":1}" },
        { "the second of several", "- {name: a, from: [/x, /y/z, /w]}", "{\"w\":3}", "{\"a\":3}" },
        { "the first, though null", "- {name: a, from: [/x, /y]}", "{\"y\":2,\"x\":null}",
          "{\"a\":null}" },
        { "none of several", "- {name: a, from: [/x, /y], default: 0}", "{}", "{\"a\":0}" },
        { "a constant", "- {name: a, value: {b: [1, x, null]}}", "{}",
          "{\"a\":{\"b\":[1,\"x\",null]}}" },
        { "constant null", "- {name: a, value: null}", "null", "{\"a\":null}" },
        { "the time", "- {name: a, now: true}", "{}", "{\"a\":\"2024-01-15T10:30:00.123456Z\"}" },
        { "a name with quotes", "- {name: 'a\"/b', value: 1}", "{}", "{\"a\\\"/b\":1}" },
        { "fields keep the file's order",
          "- {name: z, from: /b}\n- {name: a, from: /a}\n- {name: m, value: 0}",
          "{\"a\":1,\"b\":2}", "{\"z\":2,\"a\":1,\"m\":0}" },
        { "required and there", "- {name: a, from: /x, required: no x}", "{\"x\":\"0\"}",
          "{\"a\":\"0\"}" },
        { "required of several", "- {name: a, from: [/x, /y], required: no x}", "{\"y\":1}",
          "{\"a\":1}" },
    };

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        TEST_CASE(cases[i].name);
        check_record(cases[i].fields, cases[i].payload, cases[i].record, true);
    }
}

static void required_refuses_what_says_nothing(void)
{
    static const char *const payloads[] = {
        "{}",           "{\"x\":null}", "{\"x\":\"\"}", "{\"x\":0}",  "{\"x\":0.0}",   "{\"x\":-0}",
        "{\"x\":-0.0}", "{\"x\":0e5}",  "{\"x\":[]}",   "{\"x\":{}}", "{\"x\":false}",
    };
    static const char *const taken[] = {
        "{\"x\":\" \"}",  "{\"x\":0.1}",          "{\"x\":-1}",
        "{\"x\":[null]}", "{\"x\":{\"a\":null}}", "{\"x\":true}",
    };

    for (size_t i = 0; i < COUNT_OF(payloads); i++) {
        TEST_CASE(payloads[i]);
        check_record("- {name: b, value: 1}\n- {name: a, from: /x, required: missing x.id}",
                     payloads[i], "Transformation failed: missing x.id", false);
    }
    for (size_t i = 0; i < COUNT_OF(taken); i++) {
        TEST_CASE(taken[i]);
        /* The record repeats the payload, x for x. */
        check_record("- {name: x, from: /x, required: missing x}", taken[i], taken[i], true);
    }
}

static void refuses_another_shape(void)
{
    static const struct {
        const char *name;
        const char *from;
        const char *payload;
        const char *why;
    } cases[] = {
        { "null on the way", "/interaction/customer/email", "{\"interaction\":{\"customer\":null}}",
          "Transformation failed: interaction.customer is not an object" },
        { "a string on the way", "/interaction/customer/email",
          "{\"interaction\":{\"customer\":\"x\"}}",
          "Transformation failed: interaction.customer is not an object" },
        { "a number further up", "/interaction/customer/email", "{\"interaction\":1}",
          "Transformation failed: interaction is not an object" },
        { "a list where a member is named", "/a/b/c", "{\"a\":{\"b\":[]}}",
          "Transformation failed: a.b is not an object" },
        { "a list in a list", "/a/0/c", "{\"a\":[[1]]}",
          "Transformation failed: a.0 is not an object" },
        { "a list as payload", "/a", "[]", "Transformation failed: payload is not an object" },
        { "null as payload", "/a", "null", "Transformation failed: payload is not an object" },
        { "a scalar below an index", "/a/0/1", "{\"a\":[true]}",
          "Transformation failed: a.0 is not an object" },
        { "the first of several", "[/a/b, /c]", "{\"a\":1,\"c\":2}",
          "Transformation failed: a is not an object" },
    };

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct arena *arena = arena_create();

        TEST_CASE(cases[i].name);
        check_record(arena_printf(arena, "- {name: f, from: %s, default: 1}", cases[i].from).ptr,
                     cases[i].payload,
                     arena_printf(arena, "%s (field f from %s)", cases[i].why,
                                  cases[i].from[0] == '[' ? "/a/b" : cases[i].from)
                         .ptr,
                     false);
        arena_destroy(arena);
    }
}

/* What becomes of each value; NULL: impossible. */
static const struct {
    const char *as;
    const char *value;
    const char *result;
} conversions[] = {
    { "lower", "\"VOICE\"", "\"voice\"" },
    { "lower", "\"\"", "\"\"" },
    { "lower", "\"\\u00c4\\n\"", "\"ä\\n\"" },
    { "lower", "null", "null" },
    { "lower", "1", NULL },
    { "lower", "true", NULL },
    { "lower", "[\"A\"]", NULL },
    { "upper", "\"voice\"", "\"VOICE\"" },
    { "upper", "\"stra\\u00dfe\"", "\"STRASSE\"" },
    { "upper", "{}", NULL },
    { "string", "\"x\\\"\"", "\"x\\\"\"" },
    { "string", "12345678901234567890123", "\"12345678901234567890123\"" },
    { "string", "1.50", "\"1.50\"" },
    { "string", "-1e400", "\"-1e400\"" },
    { "string", "true", "\"true\"" },
    { "string", "false", "\"false\"" },
    { "string", "null", "null" },
    { "string", "[]", NULL },
    { "string", "{}", NULL },
    { "number", "1.50", "1.50" },
    { "number", "\"12\"", "12" },
    { "number", "\"-0.50e+07\"", "-0.50e+07" },
    { "number", "\"12345678901234567890123\"", "12345678901234567890123" },
    { "number", "\"0\"", "0" },
    { "number", "null", "null" },
    { "number", "\"\"", NULL },
    { "number", "\"-\"", NULL },
    { "number", "\"+1\"", NULL },
    { "number", "\"01\"", NULL },
    { "number", "\"1.\"", NULL },
    { "number", "\".5\"", NULL },
    { "number", "\"1e\"", NULL },
    { "number", "\"1e+\"", NULL },
    { "number", "\" 1\"", NULL },
    { "number", "\"1 \"", NULL },
    { "number", "\"0x1\"", NULL },
    { "number", "\"NaN\"", NULL },
    { "number", "\"1\\u0000\"", NULL },
    { "number", "true", NULL },
    { "number", "[1]", NULL },
    { "epoch_ms_to_iso8601", "1705314600123", "\"2024-01-15T10:30:00.123Z\"" },
    { "epoch_ms_to_iso8601", "0", "\"1970-01-01T00:00:00.000Z\"" },
    { "epoch_ms_to_iso8601", "-1", "\"1969-12-31T23:59:59.999Z\"" },
    { "epoch_ms_to_iso8601", "1705314600123.0", "\"2024-01-15T10:30:00.123Z\"" },
    { "epoch_ms_to_iso8601", "253402300799999", "\"9999-12-31T23:59:59.999Z\"" },
    { "epoch_ms_to_iso8601", "-62167219200000", "\"0000-01-01T00:00:00.000Z\"" },
    { "epoch_ms_to_iso8601", "253402300800000", NULL },
    { "epoch_ms_to_iso8601", "-62167219200001", NULL },
    { "epoch_ms_to_iso8601", "9223372036854775808", NULL },
    { "epoch_ms_to_iso8601", "1e400", NULL },
    { "epoch_ms_to_iso8601", "1.5", NULL },
    { "epoch_ms_to_iso8601", "\"1705314600123\"", NULL },
    { "epoch_ms_to_iso8601", "\"\"", NULL },
    { "epoch_ms_to_iso8601", "true", NULL },
    { "epoch_ms_to_iso8601", "null", "null" },
    { "epoch_ms_to_iso8601", "\"2024-01-15T10:30:00Z\"", "\"2024-01-15T10:30:00Z\"" },
    { "epoch_ms_to_iso8601", "\"2024-02-29t23:59:60.123456789z\"",
      "\"2024-02-29t23:59:60.123456789z\"" },
    { "epoch_ms_to_iso8601", "\"2000-02-29T00:00:00-00:30\"", "\"2000-02-29T00:00:00-00:30\"" },
    { "epoch_ms_to_iso8601", "\"1900-02-29T00:00:00Z\"", NULL },
    { "epoch_ms_to_iso8601", "\"2023-02-29T00:00:00Z\"", NULL },
    { "epoch_ms_to_iso8601", "\"2024-04-31T00:00:00Z\"", NULL },
    { "epoch_ms_to_iso8601", "\"2024-00-01T00:00:00Z\"", NULL },
    { "epoch_ms_to_iso8601", "\"2024-13-01T00:00:00Z\"", NULL },
    { "epoch_ms_to_iso8601", "\"2024-01-15T24:00:00Z\"", NULL },
    { "epoch_ms_to_iso8601", "\"2024-01-15T10:60:00Z\"", NULL },
    { "epoch_ms_to_iso8601", "\"2024-01-15T10:30:00\"", NULL },
    { "epoch_ms_to_iso8601", "\"2024-01-15T10:30:00.Z\"", NULL },
    { "epoch_ms_to_iso8601", "\"2024-01-15 10:30:00Z\"", NULL },
    { "epoch_ms_to_iso8601", "\"2024-01-15T10:30:00+0100\"", NULL },
    { "epoch_ms_to_iso8601", "\"2024-01-15T10:30:00Zx\"", NULL },
    { "epoch_ms_to_iso8601", "\"2024-01-15\"", NULL },
    { "epoch_ms_to_iso8601", "\"2024-01-15T10:30:00+14:00\"", "\"2024-01-15T10:30:00+14:00\"" },
    { "epoch_ms_to_iso8601", "\"2024\"", NULL },
};

static const struct {
    const char *as;
    const char *why;
} reasons[] = {
    { "lower", "Transformation failed: x.y is not a string" },
    { "upper", "Transformation failed: x.y is not a string" },
    { "string", "Transformation failed: x.y cannot be made a string" },
    { "number", "Transformation failed: x.y is not a number" },
    { "epoch_ms_to_iso8601", "Transformation failed: x.y is not a time in milliseconds" },
};

static void converts(void)
{
    for (size_t i = 0; i < COUNT_OF(conversions); i++) {
        struct arena *arena = arena_create();
        const char *expected = NULL;

        TEST_CASE(arena_printf(arena, "%s %s", conversions[i].as, conversions[i].value).ptr);
        if (conversions[i].result)
            expected = arena_printf(arena, "{\"a\":%s}", conversions[i].result).ptr;
        for (size_t j = 0; !expected && j < COUNT_OF(reasons); j++)
            if (strcmp(reasons[j].as, conversions[i].as) == 0)
                expected = arena_printf(arena, "%s (field a from /x/y)", reasons[j].why).ptr;
        check_record(
            arena_printf(arena, "- {name: a, from: [/w, /x/y], as: %s}", conversions[i].as).ptr,
            arena_printf(arena, "{\"x\":{\"y\":%s}}", conversions[i].value).ptr, expected,
            conversions[i].result != NULL);
        arena_destroy(arena);
    }
}

static void shipped_transforms_make_nine_fields(void)
{
    static const char shipped[] = "conf/transforms/interaction.started.yaml";
    static const char customer[] = "conf/examples/genesys/transforms/customer.start.yaml";
    static const char email[] = "conf/examples/genesys/transforms/customer.start.email.yaml";
    static const char acd[] = "conf/examples/genesys/transforms/acd.start.yaml";
    static const struct {
        const char *name;
        const char *file;
        const char *payload;
        const char *record;
    } cases[] = {
        { "all is there", shipped,
          "{\"interaction\":{\"id\":\"i\",\"start_time\":\"t\",\"channel_type\":\"voice\","
          "\"routing\":{\"queue_id\":\"q\",\"queue_name\":\"Sales\"},"
          "\"customer\":{\"email\":\"e\",\"name\":\"n\"},\"attributes\":{\"k\":1}}}",
          "{\"interaction_id\":\"i\",\"start_time\":\"t\",\"channel_type\":\"voice\","
          "\"queue_id\":\"q\",\"queue_name\":\"Sales\",\"customer_email\":\"e\","
          "\"customer_name\":\"n\",\"attributes\":{\"k\":1},"
          "\"processed_at\":\"2024-01-15T10:30:00.123456Z\"}" },
        { "only the id", shipped, "{\"interaction\":{\"id\":\"i\"}}",
          "{\"interaction_id\":\"i\",\"start_time\":null,\"channel_type\":null,"
          "\"queue_id\":null,\"queue_name\":null,\"customer_email\":null,"
          "\"customer_name\":null,\"attributes\":{},"
          "\"processed_at\":\"2024-01-15T10:30:00.123456Z\"}" },
        { "no id", shipped, "{\"interaction\":{}}",
          "Transformation failed: missing interaction.id" },
        { "nothing", shipped, "{}", "Transformation failed: missing interaction.id" },
        { "a customer that is null", shipped, "{\"interaction\":{\"id\":\"i\",\"customer\":null}}",
          "Transformation failed: interaction.customer is not an object (field customer_email from "
          "/interaction/customer/email)" },
        { "a call", customer,
          "{\"eventBody\":{\"eventTime\":1705314600123,\"conversationId\":\"c\","
          "\"mediaType\":\"VOICE\",\"addressFrom\":\"tel:1\"}}",
          "{\"interaction_id\":\"c\",\"start_time\":\"2024-01-15T10:30:00.123Z\","
          "\"channel_type\":\"voice\",\"queue_id\":null,\"queue_name\":null,"
          "\"customer_email\":null,\"customer_name\":null,\"attributes\":{},"
          "\"processed_at\":\"2024-01-15T10:30:00.123456Z\"}" },
        { "an e-mail", email,
          "{\"eventBody\":{\"conversationId\":\"c\",\"mediaType\":\"EMAIL\","
          "\"addressFrom\":\"a@example.com\"}}",
          "{\"interaction_id\":\"c\",\"start_time\":null,\"channel_type\":\"email\","
          "\"queue_id\":null,\"queue_name\":null,\"customer_email\":\"a@example.com\","
          "\"customer_name\":null,\"attributes\":{},"
          "\"processed_at\":\"2024-01-15T10:30:00.123456Z\"}" },
        { "a queue", acd, "{\"eventBody\":{\"conversationId\":\"c\",\"queueId\":\"q\"}}",
          "{\"interaction_id\":\"c\",\"start_time\":null,\"channel_type\":null,"
          "\"queue_id\":\"q\",\"queue_name\":null,\"customer_email\":null,"
          "\"customer_name\":null,\"attributes\":{},"
          "\"processed_at\":\"2024-01-15T10:30:00.123456Z\"}" },
    };

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        TEST_CASE(cases[i].name);
        check_file(cases[i].file, cases[i].payload, cases[i].record, *cases[i].record == '{');
    }
}

static void refuses_files_with_line_and_key(void)
{
    static const struct {
        const char *name;
        const char *file;
        const char *why; /* behind the file's name */
    } cases[] = {
        { "nothing", "", ":1: fields: is missing" },
        { "no fields", "fields: []\n", ":1: fields: must not be empty" },
        { "not a list", "fields: 1\n", ":1: fields: expected a list, got an integer" },
        { "an unknown key", "fields:\n- {name: a, value: 1}\nother: 1\n",
          ":3: other: unknown key" },
        { "an unknown key of a field", "fields:\n- name: a\n  form: /x\n  value: 1\n",
          ":3: fields[0].form: unknown key, is from meant?" },
        { "no name", "fields:\n- {value: 1}\n", ":2: fields[0].name: is missing" },
        { "no source", "fields:\n- {name: a}\n",
          ":2: fields[0]: expected a field with exactly one of from, value, now, text, fields, "
          "each "
          "and copy" },
        { "two sources", "fields:\n- {name: a, from: /x, value: 1}\n",
          ":2: fields[0]: expected a field with exactly one of from, value, now, text, fields, "
          "each "
          "and copy" },
        { "a default without from", "fields:\n- {name: a, value: 1, default: 1}\n",
          ":2: fields[0].default: does not go with value" },
        { "now: false", "fields:\n- {name: a, now: false}\n", ":2: fields[0].now: expected true" },
        { "a conversion of no kind", "fields:\n- {name: a, from: /x, as: lowre}\n",
          ":2: fields[0].as: expected one of: lower, upper, trim, string, number, integer, "
          "boolean, "
          "json, parse_json, epoch_s_to_iso8601, epoch_ms_to_iso8601, iso8601_utc, date, sha256, "
          "length, first, last, or one with an argument" },
        { "no pointer", "fields:\n- {name: a, from: x}\n",
          ":2: fields[0].from: expected a JSON Pointer such as /detail" },
        { "a bad escape", "fields:\n- {name: a, from: [/x, /~2]}\n",
          ":2: fields[0].from[1]: expected a JSON Pointer such as /detail" },
        { "an empty list", "fields:\n- {name: a, from: []}\n",
          ":2: fields[0].from: must not be empty" },
        { "a name twice", "fields:\n- {name: a, value: 1}\n- {name: a, value: 2}\n",
          ":3: fields[1].name: another field has this name already" },
        { "a duplicate key", "fields:\n- name: a\n  now: true\n  name: b\n",
          ":4: fields[0].name: duplicate key" },
    };

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        const char *path = scratch_file(cases[i].file);
        struct transform *transform = NULL;
        struct error err = { 0 };

        TEST_CASE(cases[i].name);
        CHECK(!transform_load(path, &transform, &err));
        CHECK_INT(err.code, ERR_CONFIG);
        CHECK(str_starts_with(str_from_c(err.text), str_from_c(path)));
        CHECK_STR(str_from(str_from_c(err.text), strlen(path)), cases[i].why);
        transform_destroy(transform);
    }
    scratch_close();
}

static void a_record_that_does_not_fit_is_refused(void)
{
    struct transform *transform = NULL;
    struct error err = { 0 };
    struct buf out;

    buf_init(&out, 10);
    buf_add(&out, STR("abc"));
    CHECK(transform_load(scratch_file("fields:\n- {name: a, value: 123456}\n"), &transform, &err));
    if (transform)
        CHECK(!apply(transform, tree_of("null"), &out, &err));
    CHECK_INT(err.code, ERR_INVALID);
    CHECK_STR(str_from_c(err.text), "Transformation failed: the record is too long");
    CHECK_STR(buf_str(&out), "abc");
    transform_destroy(transform);
    buf_done(&out);
    scratch_close();
}

int main(void)
{
    RUN(takes_values_from_the_payload);
    RUN(required_refuses_what_says_nothing);
    RUN(refuses_another_shape);
    RUN(converts);
    RUN(shipped_transforms_make_nine_fields);
    RUN(refuses_files_with_line_and_key);
    RUN(a_record_that_does_not_fit_is_refused);
    trees_end();
    return test_end();
}
