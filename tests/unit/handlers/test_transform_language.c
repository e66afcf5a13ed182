/*
 * test_transform_language.c - the language of transforms beyond single values: where values come
 * from, texts, objects, arrays, copies, conversions, maps, conditions.
 */
#include "handlers/transform.h"
#include "tests/unit/folder.h"
#include "tests/unit/scratch.h"
#include "tests/unit/test.h"
#include "tests/unit/tree.h"

#define NOW_US INT64_C(1705314600123456) /* 2024-01-15T10:30:00.123456Z */

#define FAILED "Transformation failed: "

struct record_case {
    const char *name;
    const char *fields; /* of the transform */
    const char *payload;
    const char *result; /* the record, or the error's text */
};

static bool apply(const struct transform *transform, const char *payload, struct buf *out,
                  struct error *err)
{
    const struct transform_input input = {
        .payload = tree_of(payload),
        .event = tree_of("{\"id\":\"e-1\",\"region\":\"eu\",\"detail\":{\"n\":1}}"),
        .now_us = NOW_US,
        .meta = { [TRANSFORM_META_KEY] = STR("e-1"),
                  [TRANSFORM_META_ROUTE] = STR("orders"),
                  [TRANSFORM_META_REGISTRY] = STR("R"),
                  [TRANSFORM_META_SCHEMA] = STR("S"),
                  [TRANSFORM_META_SCHEMA_VERSION] = STR("3"),
                  [TRANSFORM_META_REQUEST_ID] = STR("q\"1") },
    };

    return transform_apply(transform, &input, out, err);
}

static void check_case(const struct record_case *row)
{
    struct arena *arena = arena_create();
    struct transform *transform = NULL;
    struct error err = { 0 };
    struct buf out;
    bool ok = row->result[0] == '{';

    TEST_CASE(row->name);
    buf_init(&out, 100000);
    CHECK(transform_load(scratch_file(arena_printf(arena, "fields:\n%s\n", row->fields).ptr),
                         &transform, &err));
    CHECK_STR(str_from_c(err.text), "");
    if (transform) {
        CHECK(apply(transform, row->payload, &out, &err) == ok);
        CHECK_STR(ok ? buf_str(&out) : str_from_c(err.text), row->result);
        CHECK(ok || out.len == 0);
    }
    transform_destroy(transform);
    buf_done(&out);
    arena_destroy(arena);
    scratch_close();
}

#define CHECK_CASES(cases)                                                                         \
    for (size_t i = 0; i < COUNT_OF(cases); i++)                                                   \
    check_case(&(cases)[i])

static void values_come_from_five_places(void)
{
    static const struct record_case cases[] = {
        { "the event", "- {name: a, from: 'event:/id'}", "{}", "{\"a\":\"e-1\"}" },
        { "the whole event", "- {name: a, from: 'event:'}", "{}",
          "{\"a\":{\"id\":\"e-1\",\"region\":\"eu\",\"detail\":{\"n\":1}}}" },
        { "the payload by its name", "- {name: a, from: 'payload:/x'}", "{\"x\":1}", "{\"a\":1}" },
        { "what is known of the event",
          "- {name: a, from: 'meta:/key'}\n- {name: b, from: 'meta:/route'}\n"
          "- {name: c, from: 'meta:/registry'}\n- {name: d, from: 'meta:/schema'}\n"
          "- {name: e, from: 'meta:/schema_version'}\n- {name: f, from: 'meta:/request_id'}\n"
          "- {name: g, from: 'meta:/trace_id'}\n- {name: h, from: 'meta:/received_at'}",
          "{}",
          "{\"a\":\"e-1\",\"b\":\"orders\",\"c\":\"R\",\"d\":\"S\",\"e\":\"3\",\"f\":\"q\\\"1\","
          "\"g\":null,\"h\":\"2024-01-15T10:30:00.123456Z\"}" },
        { "no trace", "- {name: a, from: 'meta:/trace_id', skip: null, default: none}", "{}",
          "{\"a\":\"none\"}" },
        { "the first of several places", "- {name: a, from: [/x, 'event:/nothing', 'event:/id']}",
          "{}", "{\"a\":\"e-1\"}" },
        { "inside each: element, parent, payload, event",
          "- name: a\n  each: /l\n  fields:\n  - {name: x, from: /x}\n"
          "  - {name: p, from: 'parent:/y'}\n  - {name: q, from: 'payload:/y'}\n"
          "  - {name: r, from: 'event:/region'}",
          "{\"y\":7,\"l\":[{\"x\":1}]}", "{\"a\":[{\"x\":1,\"p\":7,\"q\":7,\"r\":\"eu\"}]}" },
        { "the parent of an inner element is the outer one",
          "- name: a\n  each: /l\n  fields:\n  - name: b\n    each: /m\n    fields:\n"
          "    - {name: p, from: 'parent:/y'}\n    - {name: x, from: ''}",
          "{\"y\":0,\"l\":[{\"y\":1,\"m\":[2]},{\"y\":3,\"m\":[4]}]}",
          "{\"a\":[{\"b\":[{\"p\":1,\"x\":2}]},{\"b\":[{\"p\":3,\"x\":4}]}]}" },
        { "an error names field and pointer", "- {name: a, from: 'event:/id/x'}", "{}",
          FAILED "event:/id is not an object (field a from event:/id/x)" },
        { "the event as text", "- {name: a, from: 'event:', as: lower}", "{}",
          FAILED "event: is not a string (field a from event:)" },
        { "the payload as text", "- {name: a, from: '', as: lower}", "{}",
          FAILED "payload is not a string (field a from \"\")" },
        { "an empty key on the way", "- {name: a, from: //x}", "{\"\":5}",
          FAILED "\"\" is not an object (field a from //x)" },
        { "an element", "- {name: a, each: /l, from: '', as: lower}", "{\"l\":[\"A\",1]}",
          FAILED "the element is not a string (field a[1] from \"\")" },
        { "a field of an element",
          "- name: a\n  each: /l\n  fields: [{name: o, fields: [{name: x, from: /x, as: lower}]}]",
          "{\"l\":[{},{\"x\":1}]}", FAILED "x is not a string (field a[1].o.x from /x)" },
    };

    CHECK_CASES(cases);
}

static void skip_says_what_is_absent(void)
{
    static const struct record_case cases[] = {
        { "null is there", "- {name: a, from: /x, default: 1}", "{\"x\":null}", "{\"a\":null}" },
        { "absent is the default", "- {name: a, from: /x, default: 1, skip: absent}",
          "{\"x\":null}", "{\"a\":null}" },
        { "null is not there", "- {name: a, from: /x, default: 1, skip: 'null'}", "{\"x\":null}",
          "{\"a\":1}" },
        { "null without quotes", "- {name: a, from: /x, default: 1, skip: null}", "{\"x\":null}",
          "{\"a\":1}" },
        { "null: what is empty is there", "- {name: a, from: /x, default: 1, skip: null}",
          "{\"x\":\"\"}", "{\"a\":\"\"}" },
        { "null on the way", "- {name: a, from: /x/y, default: 1, skip: null}", "{\"x\":null}",
          "{\"a\":1}" },
        { "a text on the way", "- {name: a, from: /x/y, default: 1, skip: null}", "{\"x\":\"\"}",
          FAILED "x is not an object (field a from /x/y)" },
        { "the next of several", "- {name: a, from: [/x, /y], skip: null}", "{\"x\":null,\"y\":2}",
          "{\"a\":2}" },
        { "empty: null", "- {name: a, from: /x, skip: empty}", "{\"x\":null}", "{}" },
        { "empty: text", "- {name: a, from: /x, skip: empty}", "{\"x\":\"\"}", "{}" },
        { "empty: array", "- {name: a, from: /x, skip: empty}", "{\"x\":[]}", "{}" },
        { "empty: object", "- {name: a, from: /x, skip: empty}", "{\"x\":{}}", "{}" },
        { "empty: zero and false are there",
          "- {name: a, from: /x, skip: empty}\n- {name: b, from: /y, skip: empty}",
          "{\"x\":0,\"y\":false}", "{\"a\":0,\"b\":false}" },
        { "empty on the way", "- {name: a, from: /x/y, skip: empty}", "{\"x\":\"\"}", "{}" },
        { "an empty array on the way", "- {name: a, from: /x/y, skip: empty}", "{\"x\":[]}", "{}" },
        { "an array on the way", "- {name: a, from: /x/y, skip: empty}", "{\"x\":[1]}",
          FAILED "x is not an object (field a from /x/y)" },
        { "required, and skipped", "- {name: a, from: /x, skip: empty, required: no x}",
          "{\"x\":\"\"}", FAILED "no x" },
        { "not for inner fields", "- {name: a, fields: [{name: b, from: /x}]}", "{\"x\":null}",
          "{\"a\":{\"b\":null}}" },
    };

    CHECK_CASES(cases);
}

static void texts_are_put_together(void)
{
    static const struct record_case cases[] = {
        { "pointers", "- {name: a, text: '{/x} ({event:/region})'}", "{\"x\":\"Sales\"}",
          "{\"a\":\"Sales (eu)\"}" },
        { "values as text", "- {name: a, text: '{/n},{/b},{/z},{/l},{/o}'}",
          "{\"n\":1.50,\"b\":true,\"z\":null,\"l\":[1, 2],\"o\":{\"k\": \"v\"}}",
          "{\"a\":\"1.50,true,null,[1,2],{\\\"k\\\":\\\"v\\\"}\"}" },
        { "braces", "- {name: a, text: '{{}} } {/x} }}'}", "{\"x\":1}", "{\"a\":\"{} } 1 }\"}" },
        { "the whole payload", "- {name: a, text: '{}'}", "[1]", "{\"a\":\"[1]\"}" },
        { "no pointer", "- {name: a, text: x}", "{}", "{\"a\":\"x\"}" },
        { "one part is absent", "- {name: a, text: '{/x} {/y}'}", "{\"x\":1}", "{}" },
        { "default", "- {name: a, text: '{/x} {/y}', default: '-'}", "{\"x\":1}", "{\"a\":\"-\"}" },
        { "required", "- {name: a, text: '{/y}', required: no y}", "{\"y\":\"\"}", FAILED "no y" },
        { "skip", "- {name: a, text: '{/x}', skip: null}", "{\"x\":null}", "{}" },
        { "converted", "- {name: a, text: '{/x}-{/y}', as: [upper, {slice: [0, 3]}]}",
          "{\"x\":\"ab\",\"y\":\"cd\"}", "{\"a\":\"AB-\"}" },
        { "mapped", "- {name: a, text: '{/x}{/y}', map: {ab: 1}}", "{\"x\":\"a\",\"y\":\"b\"}",
          "{\"a\":1}" },
        { "impossible", "- {name: a, text: '{/x}', as: number}", "{\"x\":\"a\"}",
          FAILED "the text is not a number (field a)" },
        { "characters that JSON escapes", "- {name: a, text: '{/x}'}", "{\"x\":\"\\u0001\\\"\"}",
          "{\"a\":\"\\u0001\\\"\"}" },
        { "another shape", "- {name: a, text: '{/x/y}'}", "{\"x\":1}",
          FAILED "x is not an object (field a from /x/y)" },
    };

    CHECK_CASES(cases);
}

static void objects_hold_fields(void)
{
    static const struct record_case cases[] = {
        { "fields", "- {name: a, fields: [{name: b, from: /x}, {name: c, value: 1}]}", "{\"x\":2}",
          "{\"a\":{\"b\":2,\"c\":1}}" },
        { "left out", "- {name: a, fields: [{name: b, from: /x}]}\n- {name: z, value: 1}", "{}",
          "{\"z\":1}" },
        { "kept", "- {name: a, keep: true, fields: [{name: b, from: /x}]}", "{}", "{\"a\":{}}" },
        { "default", "- {name: a, default: null, fields: [{name: b, from: /x}]}", "{}",
          "{\"a\":null}" },
        { "required", "- {name: a, required: no a, fields: [{name: b, from: /x}]}", "{}",
          FAILED "no a" },
        { "required, and there", "- {name: a, required: no a, fields: [{name: b, from: /x}]}",
          "{\"x\":0}", "{\"a\":{\"b\":0}}" },
        { "in objects",
          "- {name: a, fields: [{name: b, fields: [{name: c, from: /x}]}, {name: d, from: /y}]}",
          "{\"y\":1}", "{\"a\":{\"d\":1}}" },
        { "the same name in another object",
          "- {name: a, value: 1}\n- {name: b, fields: [{name: a, value: 2}]}", "{}",
          "{\"a\":1,\"b\":{\"a\":2}}" },
    };

    CHECK_CASES(cases);
}

static void arrays_are_gone_through(void)
{
    static const struct record_case cases[] = {
        { "objects", "- {name: a, each: /l, fields: [{name: b, from: /x}]}",
          "{\"l\":[{\"x\":1},{\"x\":2}]}", "{\"a\":[{\"b\":1},{\"b\":2}]}" },
        { "values", "- {name: a, each: /l, from: /x}", "{\"l\":[{\"x\":1},{},{\"x\":null}]}",
          "{\"a\":[1,null]}" },
        { "elements themselves", "- {name: a, each: /l, from: ''}", "{\"l\":[1,\"b\"]}",
          "{\"a\":[1,\"b\"]}" },
        { "an empty array", "- {name: a, each: /l, from: ''}", "{\"l\":[]}", "{\"a\":[]}" },
        { "no array", "- {name: a, each: /l, from: ''}", "{}", "{}" },
        { "default", "- {name: a, each: /l, from: '', default: []}", "{}", "{\"a\":[]}" },
        { "required", "- {name: a, each: /l, from: '', required: no l}", "{\"l\":[]}",
          FAILED "no l" },
        { "another type", "- {name: a, each: /l, from: ''}", "{\"l\":{}}",
          FAILED "l is not an array (field a from /l)" },
        { "null is another type", "- {name: a, each: /l, from: ''}", "{\"l\":null}",
          FAILED "l is not an array (field a from /l)" },
        { "null is absent", "- {name: a, each: /l, from: '', skip: null, default: []}",
          "{\"l\":null}", "{\"a\":[]}" },
        { "the first array that is there", "- {name: a, each: [/l, /m], from: ''}", "{\"m\":[1]}",
          "{\"a\":[1]}" },
        { "where", "- {name: a, each: /l, where: {x: [{exists: true}]}, from: /x}",
          "{\"l\":[{\"x\":1},{\"y\":2},3]}", "{\"a\":[1]}" },
        { "where leaves nothing", "- {name: a, each: /l, where: {x: [5]}, from: /x}",
          "{\"l\":[{\"x\":1}]}", "{\"a\":[]}" },
        { "an element without fields", "- {name: a, each: /l, fields: [{name: b, from: /x}]}",
          "{\"l\":[{\"x\":1},{},{\"x\":2}]}", "{\"a\":[{\"b\":1},{\"b\":2}]}" },
        { "that is kept", "- {name: a, each: /l, keep: true, fields: [{name: b, from: /x}]}",
          "{\"l\":[{},{\"x\":2}]}", "{\"a\":[{},{\"b\":2}]}" },
        { "as, map and otherwise are for elements",
          "- {name: a, each: /l, from: '', as: lower, map: {a: 1}, otherwise: 0}",
          "{\"l\":[\"A\",\"b\",null]}", "{\"a\":[1,0,null]}" },
        { "skip is for elements", "- {name: a, each: /l, from: '', skip: empty}",
          "{\"l\":[\"\",1,null,{}]}", "{\"a\":[1]}" },
        { "an element that becomes nothing", "- {name: a, each: /l, from: '', as: {extract: b}}",
          "{\"l\":[\"a\",\"b\"]}", "{\"a\":[\"b\"]}" },
        { "each in each",
          "- name: a\n  each: /l\n  fields:\n  - {name: b, each: /m, from: ''}\n"
          "  - {name: c, from: /c}",
          "{\"l\":[{\"m\":[1,2]},{\"c\":3}]}", "{\"a\":[{\"b\":[1,2]},{\"c\":3}]}" },
        { "another array for each element",
          "- {name: a, each: /l, fields: [{name: b, each: 'payload:/m', from: ''}]}",
          "{\"l\":[1,2],\"m\":[3]}", "{\"a\":[{\"b\":[3]},{\"b\":[3]}]}" },
    };

    CHECK_CASES(cases);
}

static void copies_all_members(void)
{
    static const struct record_case cases[] = {
        { "members in their order", "- {copy: /x}", "{\"x\":{\"b\":1,\"a\":{\"c\":[2]}}}",
          "{\"b\":1,\"a\":{\"c\":[2]}}" },
        { "the payload", "- {copy: ''}\n- {name: z, value: 1}", "{\"a\":1}", "{\"a\":1,\"z\":1}" },
        { "without", "- {copy: /x, without: [/a, /b/c, /l/1]}",
          "{\"x\":{\"a\":1,\"b\":{\"c\":2,\"d\":3},\"l\":[4,5,6]}}",
          "{\"b\":{\"d\":3},\"l\":[4,6]}" },
        { "an emptied parent stays", "- {copy: /x, without: [/b/c]}", "{\"x\":{\"b\":{\"c\":2}}}",
          "{\"b\":{}}" },
        { "without what is not there", "- {copy: /x, without: [/q, /a/b/c]}",
          "{\"x\":{\"a\":{\"b\":1}}}", "{\"a\":{\"b\":1}}" },
        { "absent", "- {copy: /x}\n- {name: z, value: 1}", "{}", "{\"z\":1}" },
        { "empty", "- {name: a, value: 1}\n- {copy: /x}", "{\"x\":{}}", "{\"a\":1}" },
        { "no object", "- {copy: /x}", "{\"x\":[1]}", FAILED "x is not an object (copy from /x)" },
        { "null, skipped", "- {copy: /x, skip: null}", "{\"x\":null}", "{}" },
        { "a later field wins, at the first one's place", "- {copy: /x}\n- {name: a, value: new}",
          "{\"x\":{\"a\":1,\"b\":2}}", "{\"a\":\"new\",\"b\":2}" },
        { "a later copy wins", "- {name: a, value: old}\n- {name: b, value: 2}\n- {copy: /x}",
          "{\"x\":{\"a\":1}}", "{\"a\":1,\"b\":2}" },
        { "the last of three", "- {copy: /x}\n- {copy: /y}\n- {copy: /z}",
          "{\"x\":{\"a\":1,\"b\":1},\"y\":{\"c\":2,\"a\":2},\"z\":{\"a\":3,\"d\":3}}",
          "{\"a\":3,\"b\":1,\"c\":2,\"d\":3}" },
        { "a name with escapes", "- {name: 'x\"', value: 1}\n- {copy: /x}",
          "{\"x\":{\"x\\u0022\":2}}", "{\"x\\\"\":2}" },
        { "in an object, in each",
          "- {name: a, each: /l, fields: [{name: k, value: 0}, {copy: /x}]}",
          "{\"l\":[{\"x\":{\"k\":1}},{\"x\":{\"m\":2}}]}",
          "{\"a\":[{\"k\":1},{\"k\":0,\"m\":2}]}" },
        { "objects in objects with copies",
          "- {copy: /x}\n- {name: o, fields: [{copy: /x}, {name: a, value: 2}]}\n"
          "- {name: a, value: 3}",
          "{\"x\":{\"a\":1}}", "{\"a\":3,\"o\":{\"a\":2}}" },
    };

    CHECK_CASES(cases);
}

static void conditions_choose_fields(void)
{
    static const struct record_case cases[] = {
        { "it fits", "- {name: a, value: true, when: {tier: [gold]}}", "{\"tier\":\"gold\"}",
          "{\"a\":true}" },
        { "it does not", "- {name: a, value: true, when: {tier: [gold]}}", "{\"tier\":\"tin\"}",
          "{}" },
        { "then neither default nor required counts",
          "- {name: a, from: /x, default: 1, when: {t: [1]}}\n"
          "- {name: b, from: /x, required: no b, when: {t: [1]}}",
          "{}", "{}" },
        { "for every kind",
          "- {name: b, text: x, when: {t: [1]}}\n- {name: c, now: true, when: {t: [1]}}\n"
          "- {name: d, fields: [{name: e, value: 1}], when: {t: [1]}}\n"
          "- {name: f, each: /l, from: '', when: {t: [1]}}\n- {copy: '', when: {t: [1]}}",
          "{\"l\":[1]}", "{}" },
        { "inside each it looks at the element",
          "- {name: a, each: /l, fields: [{name: v, value: 1, when: {x: [2]}}, "
          "{name: x, from: /x}]}",
          "{\"x\":2,\"l\":[{\"x\":1},{\"x\":2}]}", "{\"a\":[{\"x\":1},{\"v\":1,\"x\":2}]}" },
        { "a payload that is no object", "- {name: a, value: 1, when: {x: [{exists: false}]}}",
          "[]", "{}" },
        { "one name, the first that applies",
          "- {name: a, value: 1, when: {x: [1]}}\n- {name: a, value: 2, when: {x: [1, 2]}}\n"
          "- {name: a, value: 3, when: {x: [{exists: true}]}}",
          "{\"x\":2}", "{\"a\":2}" },
        { "that applies though it has no value",
          "- {name: a, from: /q, when: {x: [1]}}\n- {name: a, value: 2, when: {x: [1]}}",
          "{\"x\":1}", "{}" },
        { "one name, for each element again",
          "- name: a\n  each: /l\n  fields:\n  - {name: v, value: 1, when: {x: [1]}}\n"
          "  - {name: v, value: 2, when: {y: [1]}}",
          "{\"l\":[{\"x\":1,\"y\":1},{\"y\":1},{\"x\":1}]}",
          "{\"a\":[{\"v\":1},{\"v\":2},{\"v\":1}]}" },
    };

    CHECK_CASES(cases);
}

static void maps_translate(void)
{
    static const struct record_case cases[] = {
        { "a text", "- {name: a, from: /x, map: {voip: voice}}", "{\"x\":\"voip\"}",
          "{\"a\":\"voice\"}" },
        { "any value", "- {name: a, from: /x, map: {voip: {k: [1, null]}}}", "{\"x\":\"voip\"}",
          "{\"a\":{\"k\":[1,null]}}" },
        { "no key fits", "- {name: a, from: /x, map: {voip: voice}}", "{\"x\":\"sms\"}",
          "{\"a\":\"sms\"}" },
        { "otherwise", "- {name: a, from: /x, map: {voip: voice}, otherwise: null}",
          "{\"x\":\"sms\"}", "{\"a\":null}" },
        { "a number by its value", "- {name: a, from: /x, map: {'1': one}}", "{\"x\":1.0}",
          "{\"a\":\"one\"}" },
        { "a text that is a number", "- {name: a, from: /x, map: {'1': one}}", "{\"x\":\"1\"}",
          "{\"a\":\"one\"}" },
        { "a text by its letters", "- {name: a, from: /x, map: {'1': one}}", "{\"x\":\"1.0\"}",
          "{\"a\":\"1.0\"}" },
        { "a boolean", "- {name: a, from: /x, map: {'true': yes, 'false': no}}", "{\"x\":false}",
          "{\"a\":\"no\"}" },
        { "a text like a boolean", "- {name: a, from: /x, map: {'true': yes}}", "{\"x\":\"true\"}",
          "{\"a\":\"yes\"}" },
        { "null stays", "- {name: a, from: /x, map: {'null': no}, otherwise: 1}", "{\"x\":null}",
          "{\"a\":null}" },
        { "arrays take otherwise", "- {name: a, from: /x, map: {b: no}, otherwise: 1}",
          "{\"x\":[]}", "{\"a\":1}" },
        { "default is not translated", "- {name: a, from: /x, map: {b: no}, default: b}", "{}",
          "{\"a\":\"b\"}" },
        { "after as", "- {name: a, from: /x, as: lower, map: {b: no}}", "{\"x\":\"B\"}",
          "{\"a\":\"no\"}" },
        { "among many keys",
          "- {name: a, from: /x, map: {c: 3, a: 1, b: 2, '10': x, '-2': y, '3': z}}", "{\"x\":-2}",
          "{\"a\":\"y\"}" },
    };

    CHECK_CASES(cases);
}

/* What becomes of each value of `/x`; a result without a brace is why it is impossible. */
static const struct {
    const char *as;
    const char *value;
    const char *result;
} conversions[] = {
    { "trim", "\" \\u00a0\\ufeffa b\\n\\u2003\"", "\"a b\"" },
    { "trim", "\"  \"", "\"\"" },
    { "trim", "\"\\u200b\"", "\"\xe2\x80\x8b\"" },
    { "trim", "1", "is not a string" },
    { "integer", "12.0", "12" },
    { "integer", "1e3", "1000" },
    { "integer", "-1.50e2", "-150" },
    { "integer", "1500e-2", "15" },
    { "integer", "-0.0", "0" },
    { "integer", "0e999999999999999999999", "0" },
    { "integer", "\"12\"", "12" },
    { "integer", "12345678901234567890123", "12345678901234567890123" },
    { "integer", "12.5", "is not an integer" },
    { "integer", "1e-1", "is not an integer" },
    { "integer", "1e-99999999999999999999", "is not an integer" },
    { "integer", "1e1001", "is too large for an integer" },
    { "integer", "1e99999999999999999999", "is too large for an integer" },
    { "integer", "\"x\"", "is not an integer" },
    { "integer", "true", "is not an integer" },
    { "boolean", "true", "true" },
    { "boolean", "\"false\"", "false" },
    { "boolean", "\"true\"", "true" },
    { "boolean", "\"True\"", "is not a boolean" },
    { "boolean", "1", "is not a boolean" },
    { "json", "{\"a\": [1.50]}", "\"{\\\"a\\\":[1.50]}\"" },
    { "json", "\"a\"", "\"\\\"a\\\"\"" },
    { "parse_json", "\"{\\\"a\\\": [1.50]}\"", "{\"a\":[1.50]}" },
    { "parse_json", "\"{\"", "is not JSON" },
    { "parse_json", "1", "is not a string" },
    { "epoch_s_to_iso8601", "1705314600", "\"2024-01-15T10:30:00.000Z\"" },
    { "epoch_s_to_iso8601", "1705314600.1239", "\"2024-01-15T10:30:00.123Z\"" },
    { "epoch_s_to_iso8601", "1.7053146e9", "\"2024-01-15T10:30:00.000Z\"" },
    { "epoch_s_to_iso8601", "-0.0001", "\"1969-12-31T23:59:59.999Z\"" },
    { "epoch_s_to_iso8601", "-1", "\"1969-12-31T23:59:59.000Z\"" },
    { "epoch_s_to_iso8601", "0.0", "\"1970-01-01T00:00:00.000Z\"" },
    { "epoch_s_to_iso8601", "\"2024-01-15T10:30:00Z\"", "\"2024-01-15T10:30:00Z\"" },
    { "epoch_s_to_iso8601", "1705314600123", "is not a time in seconds" },
    { "epoch_s_to_iso8601", "1e400", "is not a time in seconds" },
    { "epoch_s_to_iso8601", "true", "is not a time in seconds" },
    { "iso8601_utc", "\"2024-01-15T00:30:00.1230+01:00\"", "\"2024-01-14T23:30:00.1230Z\"" },
    { "iso8601_utc", "\"2024-01-15t10:30:00z\"", "\"2024-01-15T10:30:00Z\"" },
    { "iso8601_utc", "\"2024-01-15T10:30:00\"", "is not a time with an offset" },
    { "iso8601_utc", "\"0000-01-01T00:00:00+01:00\"", "is not a time with an offset" },
    { "iso8601_utc", "1", "is not a time with an offset" },
    { "date", "\"2024-01-15T23:30:00+01:00\"", "\"2024-01-15\"" },
    { "date", "\"2024-01-15\"", "\"2024-01-15\"" },
    { "date", "\"2024-01-15T10:30:00\"", "\"2024-01-15\"" },
    { "date", "\"2024-02-30\"", "is not a date" },
    { "date", "\"2024-01-15 or so\"", "is not a date" },
    { "date", "\"2024\"", "is not a date" },
    { "date", "20240115", "is not a date" },
    { "[iso8601_utc, date]", "\"2024-01-15T00:30:00+01:00\"", "\"2024-01-14\"" },
    { "sha256", "\"abc\"", "\"ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad\"" },
    { "sha256", "1", "is not a string" },
    { "length", "\"\\u00e4b\\ud83d\\ude00\"", "3" },
    { "length", "[1,[2,3]]", "2" },
    { "length", "{\"a\":1}", "1" },
    { "length", "12", "has no length" },
    { "first", "[1,2]", "1" },
    { "last", "[1,[2]]", "[2]" },
    { "first", "[]", "" },
    { "last", "[]", "" },
    { "last", "\"a\"", "is not an array" },
    { "{split: ', '}", "\"a, b,, \"", "[\"a\",\"b,\",\"\"]" },
    { "{split: ','}", "\"\"", "[\"\"]" },
    { "{split: ','}", "1", "is not a string" },
    { "{join: '-'}", "[\"a\",1.50,true,null]", "\"a-1.50-true-null\"" },
    { "{join: '-'}", "[]", "\"\"" },
    { "{join: '-'}", "[[]]", "has an element that is not a text, number or boolean" },
    { "{join: '-'}", "\"a\"", "is not an array" },
    { "[{split: ','}, last, number]", "\"a,2\"", "2" },
    { "{extract: '^v2[.]([^.]+)'}", "\"v2.detail.x\"", "\"detail\"" },
    { "{extract: 'b+'}", "\"abbc\"", "\"bb\"" },
    { "{extract: 'x'}", "\"abc\"", "" },
    { "{extract: 'a(x)?'}", "\"abc\"", "" },
    { "{extract: '(a)|b'}", "\"b\"", "" },
    { "{extract: 'b'}", "1", "is not a string" },
    { "{extract: '(?<=a)(.)\\1'}", "\"baxx\"", "\"x\"" },
    { "{replace: ['(\\d+)-(\\d+)', '$2/$1 $$ [$&]']}", "\"1-2 33-4\"",
      "\"2/1 $ [1-2] 4/33 $ [33-4]\"" },
    { "{replace: ['x*', '-']}", "\"xab\"", "\"--a-b-\"" },
    { "{replace: ['', '.']}", "\"\\u00e4b\"", "\".ä.b.\"" },
    { "{replace: ['(a)|(b)', '[$1$2]']}", "\"ab\"", "\"[a][b]\"" },
    { "{replace: ['a', '$x$']}", "\"a\"", "\"$x$\"" },
    { "{replace: ['^a', '']}", "\"aaa\"", "\"aa\"" },
    { "{slice: [1, 3]}", "\"\\u00e4bcd\"", "\"bc\"" },
    { "{slice: [-2]}", "\"abcd\"", "\"cd\"" },
    { "{slice: [0, -1]}", "\"abcd\"", "\"abc\"" },
    { "{slice: [-10, 10]}", "\"abcd\"", "\"abcd\"" },
    { "{slice: [3, 1]}", "\"abcd\"", "\"\"" },
    { "{slice: [0, 1]}", "[1]", "is not a string" },
    { "{shift: -2}", "2000", "20.00" },
    { "{shift: 1}", "19.90", "199.0" },
    { "{shift: -2}", "0", "0.00" },
    { "{shift: -2}", "5", "0.05" },
    { "{shift: -2}", "-5", "-0.05" },
    { "{shift: 2}", "0.05", "5" },
    { "{shift: 1}", "-0.05", "-0.5" },
    { "{shift: 3}", "19.90", "19900" },
    { "{shift: 2}", "0", "0" },
    { "{shift: 2}", "0.0", "0" },
    { "{shift: 0}", "1.50", "1.50" },
    { "{shift: -2}", "12345678901234567890123", "123456789012345678901.23" },
    { "{shift: 2}", "1.5e3", "1.5e5" },
    { "{shift: -4}", "1.5E+3", "1.5E-1" },
    { "{shift: 1}", "1e99999999999999999999", "has an exponent that is too large" },
    { "{shift: 1}", "\"5\"", "is not a number" },
    { "[number, {shift: 1}]", "\"5\"", "50" },
    { "{mask: 4}", "\"4111222233\\u00e94\"", "\"********33é4\"" },
    { "{mask: 4}", "\"abc\"", "\"***\"" },
    { "{mask: 3}", "\"abc\"", "\"abc\"" },
    { "{mask: 0}", "\"ab\"", "\"**\"" },
    { "{mask: 1}", "12", "is not a string" },
    { "[json, length, string, parse_json]", "[10]", "4" },
    { "[first, lower]", "[null]", "null" },
};

static void converts(void)
{
    for (size_t i = 0; i < COUNT_OF(conversions); i++) {
        struct arena *arena = arena_create();
        const char *result = conversions[i].result;
        struct record_case row = {
            .name = arena_printf(arena, "%s %s", conversions[i].as, conversions[i].value).ptr,
            .fields = arena_printf(arena, "- {name: a, from: /x, as: %s}", conversions[i].as).ptr,
            .payload = arena_printf(arena, "{\"x\":%s}", conversions[i].value).ptr,
        };

        if (strncmp(result, "is ", 3) == 0 || strncmp(result, "has ", 4) == 0)
            row.result = arena_printf(arena, FAILED "x %s (field a from /x)", result).ptr;
        else
            row.result = *result ? arena_printf(arena, "{\"a\":%s}", result).ptr : "{}";
        check_case(&row);
        arena_destroy(arena);
    }
}

static void what_becomes_nothing_is_absent(void)
{
    static const struct record_case cases[] = {
        { "default", "- {name: a, from: /x, as: {extract: q}, default: 1}", "{\"x\":\"a\"}",
          "{\"a\":1}" },
        { "required", "- {name: a, from: /x, as: first, required: no a}", "{\"x\":[]}",
          FAILED "no a" },
        { "required, of a list without elements",
          "- {name: a, from: /x, as: [{split: ','}, first, {extract: q}], required: no a}",
          "{\"x\":\"b\"}", FAILED "no a" },
    };

    CHECK_CASES(cases);
}

static void hashes_with_a_secret_of_a_file(void)
{
    char path[FOLDER_PATH_SIZE];
    struct folder folder;
    struct transform *transform = NULL;
    struct error err = { 0 };
    struct buf out;

    folder_init(&folder);
    buf_init(&out, 1000);
    folder_write(&folder, "pepper", STR("key\n"));
    folder_write(&folder, "t.yaml",
                 STR("fields: [{name: a, from: /x, as: [trim, lower, {hmac_sha256: pepper}]}]\n"));
    folder_path(&folder, "t.yaml", path);
    CHECK(transform_load(path, &transform, &err));
    CHECK_STR(str_from_c(err.text), "");
    if (transform)
        CHECK(apply(transform, "{\"x\":\" The quick brown fox jumps over the lazy dog \"}", &out,
                    &err));
    CHECK_STR(buf_str(&out),
              "{\"a\":\"7486bd70e6574a2755b8ea4daeb283de65da7e6b055453807d1572d72599cfef\"}");
    transform_destroy(transform);
    buf_done(&out);
    folder_done(&folder);
}

static void drops_what_the_pattern_fits(void)
{
    struct transform *transform = NULL;
    struct error err = { 0 };

    CHECK(transform_load(scratch_file("drop_when: {t: [x]}\nfields: [{name: a, value: 1}]\n"),
                         &transform, &err));
    CHECK(transform && transform_drops(transform, tree_of("{\"t\":\"x\"}")));
    CHECK(transform && !transform_drops(transform, tree_of("{\"t\":\"y\"}")));
    CHECK(transform && !transform_drops(transform, tree_of("\"x\"")));
    transform_destroy(transform);
    transform = NULL;
    CHECK(transform_load(scratch_file("fields: [{name: a, value: 1}]\n"), &transform, &err));
    CHECK(transform && !transform_drops(transform, tree_of("{\"t\":\"x\"}")));
    transform_destroy(transform);
    scratch_close();
}

int main(void)
{
    RUN(values_come_from_five_places);
    RUN(skip_says_what_is_absent);
    RUN(texts_are_put_together);
    RUN(objects_hold_fields);
    RUN(arrays_are_gone_through);
    RUN(copies_all_members);
    RUN(conditions_choose_fields);
    RUN(maps_translate);
    RUN(converts);
    RUN(what_becomes_nothing_is_absent);
    RUN(hashes_with_a_secret_of_a_file);
    RUN(drops_what_the_pattern_fits);
    trees_end();
    return test_end();
}
