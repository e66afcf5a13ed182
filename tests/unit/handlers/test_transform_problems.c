/*
 * test_transform_problems.c - what is wrong with transform files: all problems at once, each with
 * file, line and key; and the limits of a run.
 */
#include "base/memory.h"
#include "handlers/pattern.h"
#include "handlers/transform.h"
#include "tests/unit/scratch.h"
#include "tests/unit/test.h"
#include "tests/unit/tree.h"

static void add_line(void *self, const char *line)
{
    struct buf *lines = self;
    struct str rest = str_from_c(line);

    /* The file's name is that of a descriptor. */
    if (str_starts_with(rest, STR("/proc/")))
        rest = str_from(rest, (size_t)(strchr(line, ':') - line));
    buf_add(lines, rest);
    buf_add_char(lines, '\n');
}

static const char *never_there(void *self, struct str pointer)
{
    (void)self;
    return str_starts_with(pointer, STR("/no")) ? "the schema has no such value" : NULL;
}

static const char *never_fits(void *self, struct str base, const struct pattern_need *need)
{
    (void)self;
    return base.len == 0 && str_starts_with(need->pointer, STR("/no"))
               ? "the schema has no such value"
               : NULL;
}

static void check_problems(const char *name, const char *text, const char *expected)
{
    struct transform_lint lint = { .report = add_line, .fault = never_there, .misfit = never_fits };
    struct buf lines;

    TEST_CASE(name);
    buf_init(&lines, 100000);
    lint.self = &lines;
    CHECK(transform_check(scratch_file(text), &lint) == (*expected == '\0'));
    CHECK_STR(buf_str(&lines), expected);
    buf_done(&lines);
    scratch_close();
}

#define KINDS "expected a field with exactly one of from, value, now, text, fields, each and copy\n"
#define META                                                                                       \
    "meta: has only /key, /route, /registry, /schema, /schema_version, /request_id, /trace_id "    \
    "and "                                                                                         \
    "/received_at\n"

static const struct {
    const char *name;
    const char *fields;
    const char *problems;
} problem_cases[] = {
    { "nothing", "- {name: a, from: /x}", "" },
    { "no source", "- {name: a}", ":2: fields[0]: " KINDS },
    { "two sources", "- {name: a, from: /x, text: y}", ":2: fields[0]: " KINDS },
    { "no name", "- {from: /x}", ":2: fields[0].name: is missing\n" },
    { "a copy with a name", "- {name: a, copy: /x}",
      ":2: fields[0].name: does not go with copy\n" },
    { "a constant that is converted", "- {name: a, value: 1, as: lower}",
      ":2: fields[0].as: does not go with value\n" },
    { "now that is required", "- {name: a, now: true, required: x}",
      ":2: fields[0].required: does not go with now\n" },
    { "fields that are converted", "- {name: a, fields: [{name: b, value: 1}], as: json}",
      ":2: fields[0].as: does not go with fields\n" },
    { "keep without fields", "- {name: a, from: /x, keep: true}",
      ":2: fields[0].keep: does not go with from\n" },
    { "where without each", "- {name: a, from: /x, where: {b: [1]}}",
      ":2: fields[0].where: does not go with from\n" },
    { "without without copy", "- {name: a, from: /x, without: [/b]}",
      ":2: fields[0].without: does not go with from\n" },
    { "otherwise without map", "- {name: a, from: /x, otherwise: 1}",
      ":2: fields[0].otherwise: goes with map only\n" },
    { "each of nothing", "- {name: a, each: /x}",
      ":2: fields[0]: expected each with exactly one of fields and from\n" },
    { "each of both", "- {name: a, each: /x, from: /y, fields: [{name: b, value: 1}]}",
      ":2: fields[0]: expected each with exactly one of fields and from\n" },
    { "each of objects, converted",
      "- {name: a, each: /x, as: json, fields: [{name: b, value: 1}]}",
      ":2: fields[0]: as and map do not go with fields\n" },
    { "each of values, kept", "- {name: a, each: /x, from: /y, keep: true}",
      ":2: fields[0]: keep goes with fields only\n" },
    { "each of several values", "- {name: a, each: /x, from: [/y, /z]}",
      ":2: fields[0].from: expected one pointer inside each\n" },
    { "an unknown prefix", "- {name: a, from: 'envelope:/x'}",
      ":2: fields[0].from: expected a JSON Pointer such as /detail\n" },
    { "an unknown member of meta", "- {name: a, from: 'meta:/keys'}",
      ":2: fields[0].from: meta: has only /key, /route, /registry, /schema, /schema_version, "
      "/request_id, /trace_id and /received_at\n" },
    { "meta as a whole", "- {name: a, from: [/x, 'meta:']}",
      ":2: fields[0].from[1]: meta: has only /key, /route, /registry, /schema, "
      "/schema_version, /request_id, /trace_id and /received_at\n" },
    { "a parent outside each", "- {name: a, from: 'parent:/x'}",
      ":2: fields[0].from: parent: is only inside each\n" },
    { "an unknown skip", "- {name: a, from: /x, skip: none}",
      ":2: fields[0].skip: expected absent, null or empty\n" },
    { "an open brace", "- {name: a, text: 'a {/x'}",
      ":2: fields[0].text: a { has no } behind it; {{ is a brace\n" },
    { "no pointer in braces", "- {name: a, text: '{x}'}",
      ":2: fields[0].text: a JSON Pointer is empty or begins with '/'\n" },
    { "a pattern that is none", "- {name: a, value: 1, when: {x: 1}}",
      ":2: fields[0].when.x: a field takes a list or an object\n" },
    { "an operator that is none", "- {name: a, each: /x, from: '', where: {x: [{is: 1}]}}",
      ":2: fields[0].where.x[0]: is is no operator\n" },
    { "several problems of a pattern",
      "- {name: a, value: 1, when: {x: [1, {is: 1},\n    [2]], y: {}, $or: [{a: []}, {b: c}]}}",
      ":2: fields[0].when.x[1]: is is no operator\n"
      ":3: fields[0].when.x[2]: a list must not contain a list\n"
      ":3: fields[0].when.y: the object is empty\n"
      ":3: fields[0].when.$or[0].a: the list is empty\n"
      ":3: fields[0].when.$or[1].b: a field takes a list or an object\n" },
    { "a conversion that is none", "- {name: a, from: /x, as: [lower, {splt: ','}]}",
      ":2: fields[0].as[1].splt: unknown key, is split meant?\n" },
    { "a conversion without its argument", "- {name: a, from: /x, as: split}",
      ":2: fields[0].as: expected one of: lower, upper, trim, string, number, integer, "
      "boolean, json, parse_json, epoch_s_to_iso8601, epoch_ms_to_iso8601, iso8601_utc, date, "
      "sha256, length, first, last, or one with an argument\n" },
    { "two conversions in one", "- {name: a, from: /x, as: {split: ',', mask: 1}}",
      ":2: fields[0].as: expected a conversion with one argument\n" },
    { "split at nothing", "- {name: a, from: /x, as: {split: ''}}",
      ":2: fields[0].as.split: must not be empty\n" },
    { "an expression that is none", "- {name: a, from: /x, as: {extract: '(a'}}",
      ":2: fields[0].as.extract: not a regular expression: at byte 2: missing ')'\n" },
    { "a group that is not there", "- {name: a, from: /x, as: {replace: ['(a)', '$2']}}",
      ":2: fields[0].as.replace: the replacement names a group that the expression does not "
      "have\n" },
    { "an expression that matches no text", "- {name: a, from: /x, as: [lower, {extract: 'a^b'}]}",
      ":2: fields[0].as[1].extract: no text matches this regular expression\n" },
    { "a replacement of nothing", "- {name: a, from: /x, as: {replace: ['[]', x]}}",
      ":2: fields[0].as.replace: no text matches this regular expression\n" },
    { "half a replacement", "- {name: a, from: /x, as: {replace: [a]}}",
      ":2: fields[0].as.replace: expected a list of a regular expression and a text\n" },
    { "a slice of texts", "- {name: a, from: /x, as: {slice: [a]}}",
      ":2: fields[0].as.slice[0]: expected an integer, got a string\n" },
    { "a shift too far", "- {name: a, from: /x, as: {shift: 1001}}",
      ":2: fields[0].as.shift: must be at most 1000\n" },
    { "a negative mask", "- {name: a, from: /x, as: {mask: -1}}",
      ":2: fields[0].as.mask: must be at least 0\n" },
    { "a secret that is not there", "- {name: a, from: /x, as: {hmac_sha256: /nonexistent/pepper}}",
      ":2: fields[0].as.hmac_sha256: /nonexistent/pepper: No such file or directory\n" },
    { "an empty secret", "- {name: a, from: /x, as: {hmac_sha256: /dev/null}}",
      ":2: fields[0].as.hmac_sha256: /dev/null: not a regular file\n" },
    { "without everything", "- {copy: /x, without: ['']}",
      ":2: fields[0].without[0]: expected a JSON Pointer such as /secret\n" },
    { "a name twice, one without when",
      "- {name: a, value: 1, when: {x: [1]}}\n- {name: a, value: 2}",
      ":3: fields[1].name: another field has this name already\n" },
    { "what the schema rules out",
      "- {name: a, from: [/x, /no/a]}\n- {name: b, text: '{/no}'}\n- {copy: /no}\n"
      "- {name: c, each: /nos, fields: [{name: d, from: /x}, {name: e, from: 'parent:/no'}]}",
      ":2: fields[0].from[1]: the schema has no such value\n"
      ":3: fields[1].text: the schema has no such value\n"
      ":4: fields[2].copy: the schema has no such value\n"
      ":5: fields[3].each: the schema has no such value\n"
      ":5: fields[3].fields[0].from: the schema has no such value\n"
      ":5: fields[3].fields[1].from: the schema has no such value\n" },
    { "conditions that the schema rules out",
      "- {name: a, value: 1, when: {no: [1], b: [2], nos: {c: [3], d: [{exists: false}]}}}\n"
      "- {name: b, value: 1, when: {$or: [{no: [1]}, {b: [1]}]}}\n"
      "- {name: c, each: /x, where: {no: [1]}, from: /y}",
      ":2: fields[0].when.no: the schema has no such value\n"
      ":2: fields[0].when.nos.c: the schema has no such value\n" },
    { "several problems of one field",
      "- {name: a, from: [x, 'meta:/q', 'parent:/x'], when: {x: 1}, foo: 1,\n"
      "   as: [{extract: '(a'}, {splt: ','}, {replace: ['(a)', '$2']}]}",
      ":2: fields[0].foo: unknown key\n"
      ":2: fields[0].from[0]: expected a JSON Pointer such as /detail\n"
      ":2: fields[0].when.x: a field takes a list or an object\n"
      ":2: fields[0].from[1]: " META ":2: fields[0].from[2]: parent: is only inside each\n"
      ":3: fields[0].as[1].splt: unknown key, is split meant?\n"
      ":3: fields[0].as[0].extract: not a regular expression: at byte 2: missing ')'\n"
      ":3: fields[0].as[2].replace: the replacement names a group that the expression does not "
      "have\n" },
    { "several problems of one text", "- {name: a, text: '{x} {meta:/q} {/no} {'}",
      ":2: fields[0].text: a JSON Pointer is empty or begins with '/'\n"
      ":2: fields[0].text: " META ":2: fields[0].text: the schema has no such value\n"
      ":2: fields[0].text: a { has no } behind it; {{ is a brace\n" },
    { "no name, and a conversion that does not go with its text",
      "- {text: '{x}', keep: true, as: {mask: -1}}",
      ":2: fields[0].as.mask: must be at least 0\n"
      ":2: fields[0].keep: does not go with text\n"
      ":2: fields[0].text: a JSON Pointer is empty or begins with '/'\n" },
    { "two kinds, each with a problem", "- {name: a, from: 'meta:/q', copy: 'parent:/x'}",
      ":2: fields[0]: " KINDS ":2: fields[0].from: " META
      ":2: fields[0].copy: parent: is only inside each\n" },
    { "an array with every problem",
      "- {name: a, each: 'meta:/q', where: {x: 1}, from: 'meta:/r', as: json, keep: true,\n"
      "   fields: [{name: b, from: 'meta:/s'}]}",
      ":2: fields[0]: expected each with exactly one of fields and from\n"
      ":2: fields[0]: as and map do not go with fields\n"
      ":2: fields[0]: keep goes with fields only\n"
      ":2: fields[0].each: " META ":2: fields[0].where.x: a field takes a list or an object\n"
      ":2: fields[0].from: " META ":3: fields[0].fields[0].from: " META },
    { "several problems, in fields of fields",
      "- name: a\n  from: x\n  foo: 1\n- name: b\n  fields:\n  - {name: c}\n"
      "  - {name: d, value: 1}\n  - {name: d, value: 2}\n- {name: e, each: 1, fields: [{}]}",
      ":3: fields[0].from: expected a JSON Pointer such as /detail\n"
      ":4: fields[0].foo: unknown key\n"
      ":7: fields[1].fields[0]: " KINDS
      ":9: fields[1].fields[2].name: another field has this name already\n"
      ":10: fields[2].each: expected a JSON Pointer such as /detail, got an integer\n"
      ":10: fields[2].fields[0]: " KINDS },
};

static void names_file_line_and_key(void)
{
    for (size_t i = 0; i < COUNT_OF(problem_cases); i++) {
        struct arena *arena = arena_create();

        check_problems(problem_cases[i].name,
                       arena_printf(arena, "fields:\n%s\n", problem_cases[i].fields).ptr,
                       problem_cases[i].problems);
        arena_destroy(arena);
    }
    check_problems("a pattern for what is dropped", "drop_when: {x: []}\nfields: [{copy: ''}]\n",
                   ":1: drop_when.x: the list is empty\n");
    check_problems(
        "not YAML", "a: [\n",
        ":2: not YAML: did not find expected node content while parsing a flow node (text with any "
        "of { } [ ] , needs quotes inside { } and [ ], as \"${NAME}\")\n");
}

/* Lint says so; a server starts. */
static void an_expression_that_matches_no_text_loads(void)
{
    struct transform *transform = NULL;
    struct error err = { 0 };

    CHECK(transform_load(scratch_file("fields: [{name: a, from: /x, as: {extract: '[]'}}]\n"),
                         &transform, &err));
    transform_destroy(transform);
    scratch_close();
}

static void loading_says_that_there_are_more(void)
{
    struct transform *transform = NULL;
    struct error err = { 0 };

    CHECK(!transform_load(scratch_file("fields:\n- {from: /a}\n- {name: b}\n"), &transform, &err));
    CHECK_STR(str_from_c(strchr(err.text, ':')),
              ":2: fields[0].name: is missing (sluice check lists 2 problems)");
    scratch_close();
}

/* A file of fields in fields, or of arrays in arrays. */
static struct str nested(struct arena *arena, const char *open, size_t levels)
{
    struct buf *text = arena_buf(arena, 100000);

    buf_add(text, STR("fields: ["));
    for (size_t i = 0; i < levels; i++)
        buf_printf(text, "{name: a, %sfields: [", open);
    buf_add(text, STR("{name: x, from: ''}"));
    for (size_t i = 0; i < levels; i++)
        buf_add(text, STR("]}"));
    buf_add(text, STR("]\n"));
    buf_add_char(text, '\0');
    return buf_str(text);
}

static void nesting_has_a_limit(void)
{
    struct arena *arena = arena_create();
    struct transform_lint lint = { .report = add_line };
    struct buf lines;

    buf_init(&lines, 100000);
    lint.self = &lines;
    CHECK(transform_check(scratch_file(nested(arena, "each: '', ", 8).ptr), &lint));
    CHECK(!transform_check(scratch_file(nested(arena, "each: '', ", 9).ptr), &lint));
    CHECK(lines.len > 0 && memmem(lines.ptr, lines.len, ": more than 8 levels of each\n", 29));
    buf_clear(&lines);
    CHECK(transform_check(scratch_file(nested(arena, "", 16).ptr), &lint));
    CHECK(!transform_check(scratch_file(nested(arena, "", 17).ptr), &lint));
    CHECK(lines.len > 0 && memmem(lines.ptr, lines.len, ": more than 16 levels of fields\n", 32));
    buf_done(&lines);
    arena_destroy(arena);
    scratch_close();
}

/* Ten thousand fields: checks that compare each with each would take minutes. */
static void many_fields_load_fast(void)
{
    struct transform *transform = NULL;
    struct error err = { 0 };
    struct buf text;

    buf_init(&text, 1000000);
    buf_add(&text, STR("fields:\n"));
    for (int i = 0; i < 10000; i++)
        buf_printf(&text, "- {name: field%d, from: /a/b%d, default: null}\n", i, i);
    buf_add_char(&text, '\0');
    CHECK(transform_load(scratch_file(text.ptr), &transform, &err));
    CHECK_STR(str_from_c(err.text), "");
    transform_destroy(transform);
    buf_done(&text);
    scratch_close();
}

/* Limits of a run. */

struct limit_case {
    const char *name;
    const char *fields;
    const char *payload; /* with `*`, which stands for `fill` `count` times */
    const char *fill;
    size_t count;
    enum err_code code;
    const char *why;
};

static struct str filled(struct arena *arena, const struct limit_case *row)
{
    struct buf *payload = arena_buf(arena, (size_t)8 * 1024 * 1024);

    for (const char *at = row->payload; *at; at++) {
        if (*at != '*')
            buf_add_char(payload, *at);
        for (size_t i = 0; *at == '*' && i < row->count; i++)
            buf_add(payload, str_from_c(row->fill));
    }
    return buf_str(payload);
}

static void check_limit(const struct limit_case *row)
{
    struct arena *arena = arena_create();
    struct transform *transform = NULL;
    struct schema_budget budget = schema_budget(50000);
    struct transform_input input = { .budget = row->code == ERR_TOO_EXPENSIVE ? &budget : NULL };
    struct error err = { 0 };
    struct buf out;

    TEST_CASE(row->name);
    buf_init(&out, (size_t)16 * 1024 * 1024);
    input.payload = input.event = tree_read(filled(arena, row), NULL);
    CHECK(transform_load(scratch_file(arena_printf(arena, "fields:\n%s\n", row->fields).ptr),
                         &transform, &err));
    CHECK_STR(str_from_c(err.text), "");
    if (transform) {
        CHECK(transform_apply(transform, &input, &out, &err) == (row->code == ERR_NONE));
        CHECK_INT(err.code, row->code);
        CHECK_STR(str_from_c(err.text), row->why);
        CHECK(row->code == ERR_NONE || out.len == 0);
    }
    transform_destroy(transform);
    buf_done(&out);
    arena_destroy(arena);
    scratch_close();
}

static void hostile_events_stay_in_the_budget(void)
{
    static const char costly[] = "Event too expensive to check";
    static const struct limit_case cases[] = {
        { "10,000 items", "- {name: a, each: /x, from: '', as: string}", "{\"x\":[1*]}", ",1", 9999,
          ERR_NONE, "" },
        { "10,001 items", "- {name: a, each: /x, from: ''}", "{\"x\":[1*]}", ",1", 10000,
          ERR_INVALID, "Transformation failed: x has more than 10000 items (field a from /x)" },
        { "10,000 parts", "- {name: a, from: /x, as: [{split: ','}, length]}", "{\"x\":\"1*\"}",
          ",1", 9999, ERR_NONE, "" },
        { "10,001 parts", "- {name: a, from: /x, as: {split: ','}}", "{\"x\":\"1*\"}", ",1", 10000,
          ERR_INVALID, "Transformation failed: x has more than 10000 parts (field a from /x)" },
        { "a hundred million items that leave nothing",
          "- {name: a, each: /x, fields: [{name: b, each: 'payload:/x', from: /q, skip: empty}]}",
          "{\"x\":[{}*]}", ",{}", 9999, ERR_TOO_EXPENSIVE, costly },
        { "items that make a long record",
          "- {name: a, each: /x, fields: [{name: b, from: 'payload:'}]}", "{\"x\":[1*]}", ",1",
          9999, ERR_INVALID, "Transformation failed: the record is too long" },
        { "an expression that backtracks",
          "- {name: a, from: /x, as: {extract: '^(([a-z])+.)+[A-Z]([a-z])+$'}}", "{\"x\":\"*\"}",
          "a", 10000, ERR_TOO_EXPENSIVE, costly },
        { "an expression that matches everywhere in a long text",
          "- {name: a, from: /x, as: {replace: ['a*?', '']}}", "{\"x\":\"*\"}", "a", 2000000,
          ERR_TOO_EXPENSIVE, costly },
        { "a replacement that grows",
          "- {name: a, from: /x, as: {replace: ['a', '$&$&$&$&$&$&$&"
          "$&$&$&$&$&$&$&$&$&$&$&$&$&$&$&$&$&$&$&$&$&$&$&$&$&$&$&$&$&$&$&$&$&$&$&$&$&$&$&$&$&$&$&"
          "$&$&$&$&$&$&$&$&$&$&$&$&$&$&$&$&$&$&$&$&$&$&$&$&$&$&$&$&$&$&$&$&$&$&$&$&$&$&$&$&$&$&$&']"
          "}}",
          "{\"x\":\"aaaa\",\"y\":\"*\"}", "a", 2000000, ERR_NONE, "" },
        { "a long text, hashed and masked again and again",
          "- {name: a, from: /x, as: [upper, lower, upper, lower, upper, lower, upper, lower, "
          "upper, lower, upper, lower, upper, lower, upper, lower, upper, lower, sha256, "
          "sha256]}",
          "{\"x\":\"*\"}", "a", 1900000, ERR_NONE, "" },
        { "texts in texts in texts",
          "- {name: a, from: /x, as: [json, json, json, json, json, json, json, json]}",
          "{\"x\":\"*\"}", "\\\"", 500000, ERR_INVALID,
          "Transformation failed: the record is too long" },
        { "trees from trees",
          "- {name: a, from: /x, as: [json, parse_json, json, parse_json, json, parse_json]}",
          "{\"x\":[1*]}", ",1", 900000, ERR_INVALID,
          "Transformation failed: the record is too long" },
        { "a long text for each item, of which a part is absent",
          "- {name: a, each: /x, fields: [{name: b, text: '{payload:/x}{/q}', skip: null}]}",
          "{\"x\":[{}*]}", ",{}", 9999, ERR_TOO_EXPENSIVE, costly },
        { "copies of many members", "- {copy: /x}\n- {copy: /x}\n- {copy: /x}",
          "{\"x\":{*\"z\":1}}", "", 0, ERR_NONE, "" },
    };

    for (size_t i = 0; i < COUNT_OF(cases); i++)
        check_limit(&cases[i]);
}

int main(void)
{
    RUN(names_file_line_and_key);
    RUN(an_expression_that_matches_no_text_loads);
    RUN(loading_says_that_there_are_more);
    RUN(nesting_has_a_limit);
    RUN(many_fields_load_fast);
    RUN(hostile_events_stay_in_the_budget);
    trees_end();
    return test_end();
}
