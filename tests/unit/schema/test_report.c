/*
 * test_report.c - errors: their words, places and order, the best of them, and their bounds.
 */
#include "base/clock.h"
#include "schema/schema.h"
#include "tests/unit/schema/report_cases.h"
#include "tests/unit/test.h"
#include "tests/unit/tree.h"

struct bench {
    struct schema *schema;
    const struct flat *instance;
    struct arena *arena;
    struct schema_report report;
    enum schema_verdict verdict;
};

static struct bench report(const char *schema, struct str instance,
                           const struct schema_report_options *options)
{
    struct bench bench = { .instance = tree_read(instance, NULL), .arena = arena_create() };
    const struct flat *document = tree_of(schema);
    struct error err = { 0 };
    bool ok = schema_compile(document, NULL, &bench.schema, &err);

    test_check(ok, err.text, __FILE__, __LINE__);
    bench.verdict =
        schema_report(bench.schema, bench.instance, options, NULL, bench.arena, &bench.report);
    CHECK(bench.verdict == schema_check(bench.schema, bench.instance, NULL));
    return bench;
}

static void done(struct bench *bench)
{
    arena_destroy(bench->arena);
    schema_destroy(bench->schema);
}

/* A name of a million characters, in the place of each of 2,000 errors. */
static void long_names_do_not_make_it_long(void)
{
    static const char schema[] =
        "{\"additionalProperties\":{\"additionalProperties\":{\"type\":\"string\"}}}";
    const struct schema_report_options options = { .max_errors = 10000 };
    struct schema_budget budget = schema_budget(100000);
    struct buf text;
    struct error err = { 0 };

    buf_init(&text, 2 << 20);
    buf_add(&text, STR("{\""));
    for (int i = 0; i < 1000000; i++)
        buf_add_char(&text, '~');
    buf_add(&text, STR("\":{"));
    for (int i = 0; i < 2000; i++)
        buf_printf(&text, "%s\"%d\":1", i ? "," : "", i);
    buf_add(&text, STR("}}"));

    struct bench bench = { .instance = tree_read(buf_str(&text), NULL), .arena = arena_create() };
    const struct flat *document = tree_of(schema);

    CHECK(schema_compile(document, NULL, &bench.schema, &err));
    int64_t began_us = clock_thread_us();

    (void)schema_report(bench.schema, bench.instance, &options, &budget, bench.arena,
                        &bench.report);
    CHECK(clock_thread_us() - began_us < 5000000); /* without the budget, 18 s */
    buf_done(&text);
    done(&bench);
}

/* All units as the table writes them. */
static struct str print_units(struct buf *out, const struct schema_report *report)
{
    buf_clear(out);
    for (size_t i = 0; i < report->count; i++)
        buf_printf(out, "%.*s %.*s %.*s\n", STR_ARG(report->units[i].instance_location),
                   STR_ARG(report->units[i].keyword_location), STR_ARG(report->units[i].error));
    return buf_str(out);
}

static void speaks_as_jsonschema_does(void)
{
    const struct schema_report_options options = { 0 };
    struct buf units;

    buf_init(&units, SIZE_MAX);
    for (size_t i = 0; i < COUNT_OF(report_cases); i++) {
        struct bench bench =
            report(report_cases[i].schema, str_from_c(report_cases[i].instance), &options);

        TEST_CASE(report_cases[i].name);
        CHECK(bench.verdict == (report_cases[i].best[0] ? SCHEMA_INVALID : SCHEMA_VALID));
        CHECK_STR(bench.report.best.error, report_cases[i].best);
        CHECK_STR(print_units(&units, &bench.report), report_cases[i].units);
        done(&bench);
    }
    buf_done(&units);
}

static void redacts_values_and_nothing_else(void)
{
    static const struct {
        const char *schema;
        const char *instance;
        const char *best;
    } cases[] = {
        { "{\"type\":\"object\"}", "\"secret\"", "<string> is not of type 'object'" },
        { "{\"type\":\"object\"}", "1", "<integer> is not of type 'object'" },
        { "{\"type\":\"object\"}", "1.5", "<number> is not of type 'object'" },
        { "{\"type\":\"object\"}", "true", "<boolean> is not of type 'object'" },
        { "{\"type\":\"object\"}", "null", "<null> is not of type 'object'" },
        { "{\"type\":\"object\"}", "[1]", "<array> is not of type 'object'" },
        { "{\"type\":\"null\"}", "{\"a\":1}", "<object> is not of type 'null'" },
        { "{\"enum\":[\"a\",\"b\"]}", "\"c\"", "<string> is not one of ['a', 'b']" },
        { "{\"const\":\"a\"}", "\"c\"", "'a' was expected" },
        { "{\"pattern\":\"^a\"}", "\"c\"", "<string> does not match '^a'" },
        { "{\"required\":[\"name\"]}", "{}", "'name' is a required property" },
        { "{\"additionalProperties\":false}", "{\"name\":1}",
          "Additional properties are not allowed ('name' was unexpected)" },
        { "{\"propertyNames\":{\"maxLength\":1}}", "{\"name\":1}", "'name' is too long" },
        { "{\"unevaluatedProperties\":false}", "{\"name\":1}",
          "Unevaluated properties are not allowed ('name' was unexpected)" },
        { "{\"items\":false}", "[1,\"a\"]",
          "Expected at most 0 items but found 2 extra: [<integer>, <string>]" },
        { "{\"prefixItems\":[true],\"items\":false}", "[1,\"a\"]",
          "Expected at most 1 item but found 1 extra: <string>" },
        { "{\"unevaluatedItems\":false}", "[1,\"a\"]",
          "Unevaluated items are not allowed (<integer>, <string> were unexpected)" },
        { "false", "\"secret\"", "False schema does not allow <string>" },
        { "{\"oneOf\":[true,{\"const\":1}]}", "1",
          "<integer> is valid under each of {'const': 1}, True" },
    };
    const struct schema_report_options options = { .redact_values = true };

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct bench bench = report(cases[i].schema, str_from_c(cases[i].instance), &options);

        TEST_CASE(cases[i].schema);
        CHECK_STR(bench.report.best.error, cases[i].best);
        CHECK_STR(bench.report.units[0].error, cases[i].best);
        done(&bench);
    }
}

static void keeps_to_max_errors(void)
{
    static const struct {
        size_t max;
        size_t count;
        bool truncated;
    } cases[] = {
        { 0, 5, false }, { 6, 5, false }, { 5, 5, false }, { 4, 4, true }, { 1, 1, true }
    };

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        const struct schema_report_options options = { .max_errors = cases[i].max };
        struct bench bench =
            report("{\"items\":{\"type\":\"string\"}}", STR("[1,2,3,4,5]"), &options);

        CHECK_INT((int64_t)bench.report.count, (int64_t)cases[i].count);
        CHECK(bench.report.truncated == cases[i].truncated);
        CHECK_STR(bench.report.units[0].instance_location, "/0");
        TEST_CASE("the best one may lie beyond them");
        CHECK_STR(bench.report.best.error, "5 is not of type 'string'");
        CHECK_STR(bench.report.best.instance_location, "/4");
        CHECK_STR(bench.report.best.keyword_location, "/items/type");
        done(&bench);
    }
}

/* Errors of a branch that is given up must neither stay nor use up the maximum. */
static void forgets_what_a_passing_branch_cancels(void)
{
    const struct schema_report_options options = { .max_errors = 2 };
    struct bench bench = report("{\"anyOf\":[{\"items\":{\"type\":\"string\"}},true],"
                                "\"allOf\":[{\"minItems\":9},{\"maxItems\":1}]}",
                                STR("[1,2,3]"), &options);

    CHECK_INT((int64_t)bench.report.count, 2);
    CHECK(!bench.report.truncated);
    CHECK_STR(bench.report.units[0].keyword_location, "/allOf/0/minItems");
    CHECK_STR(bench.report.units[1].keyword_location, "/allOf/1/maxItems");
    done(&bench);
}

static void leaves_a_valid_report_empty(void)
{
    const struct schema_report_options options = { 0 };
    struct bench bench = report("{\"anyOf\":[{\"type\":\"null\"},true]}", STR("1"), &options);

    CHECK(bench.verdict == SCHEMA_VALID);
    CHECK_INT((int64_t)bench.report.count, 0);
    CHECK(!bench.report.truncated);
    CHECK_STR(bench.report.best.error, "");
    done(&bench);
}

/* Cut at its end, or in the value before the reason. */
static bool is_cut(struct str text, const char *reason)
{
    static const char ellipsis[] = "\xE2\x80\xA6";
    struct str end = str_from_c(reason ? reason : ellipsis);

    return text.len <= 4096 && text.len > 2000 && str_ends_with(text, end) &&
           memmem(text.ptr, text.len, ellipsis, sizeof(ellipsis) - 1);
}

/* Values and names of a sender's making, each far longer than a message may be. */
static void bounds_every_text(void)
{
    static const struct {
        const char *schema;
        const char *before;
        const char *piece;
        const char *after;
        const char *reason; /* NULL: it stands before what is cut */
        bool long_path;
    } cases[] = {
        { "{\"type\":\"null\"}", "\"", "\xC3\xA9", "\"", " is not of type 'null'", false },
        { "{\"type\":\"null\"}", "[0", ",1", "]", " is not of type 'null'", false },
        { "{\"items\":false}", "[0", ",1", "]", NULL, false },
        { "{\"additionalProperties\":false}", "{\"", "\xF0\x9F\x98\x80", "\":1}", NULL, false },
        { "{\"additionalProperties\":{\"const\":0}}", "{\"", "long", "\":1}", NULL, true },
    };
    const struct schema_report_options options = { 0 };
    struct buf text;

    buf_init(&text, SIZE_MAX);
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        buf_clear(&text);
        buf_add(&text, str_from_c(cases[i].before));
        for (int n = 0; n < 5000; n++)
            buf_add(&text, str_from_c(cases[i].piece));
        buf_add(&text, str_from_c(cases[i].after));

        struct bench bench = report(cases[i].schema, buf_str(&text), &options);

        TEST_CASE(cases[i].schema);
        CHECK(cases[i].long_path ? bench.report.best.instance_location.len <= 4096
                                 : is_cut(bench.report.best.error, cases[i].reason));
        done(&bench);
    }
    buf_done(&text);
}

/* One error for each of very many elements takes no more memory than max_errors. */
static void finds_the_best_of_very_many(void)
{
    enum { ELEMENTS = 50000 };
    const struct schema_report_options options = { .max_errors = 3, .redact_values = true };
    struct buf text;

    buf_init(&text, SIZE_MAX);
    buf_add(&text, STR("[0"));
    for (int i = 1; i < ELEMENTS; i++)
        buf_add(&text, STR(",0"));
    buf_add(&text, STR("]"));

    struct bench bench = report("{\"items\":{\"anyOf\":[{\"type\":\"null\"},{\"minimum\":1}]}}",
                                buf_str(&text), &options);

    CHECK_INT((int64_t)bench.report.count, 3);
    CHECK(bench.report.truncated);
    CHECK_STR(bench.report.best.instance_location, "/49999");
    CHECK_STR(bench.report.best.keyword_location, "/items/anyOf");
    done(&bench);
    buf_done(&text);
}

int main(void)
{
    RUN(speaks_as_jsonschema_does);
    RUN(redacts_values_and_nothing_else);
    RUN(keeps_to_max_errors);
    RUN(forgets_what_a_passing_branch_cancels);
    RUN(leaves_a_valid_report_empty);
    RUN(bounds_every_text);
    RUN(finds_the_best_of_very_many);
    RUN(long_names_do_not_make_it_long);
    trees_end();
    return test_end();
}
