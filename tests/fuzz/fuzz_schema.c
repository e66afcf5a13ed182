/*
 * fuzz_schema.c - whatever compiles can be checked and reported, and both say the same.
 *
 * The input is a JSON array: a schema, an instance, and if there is more, a resource that `$ref`
 * reaches as "other". The text's length chooses the draft and whether formats are asserted.
 */
#include <assert.h>

#include "base/utf8.h"
#include "schema/schema.h"

enum { MAX_ERRORS = 3, TEXT_MAX = 4096, BUDGET_US = 200000 };

/* NOLINTNEXTLINE(readability-identifier-naming): the name that libFuzzer calls */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_text(struct str text, bool may_be_empty)
{
    const unsigned char *at = (const unsigned char *)text.ptr;
    const unsigned char *end = at + text.len;

    assert(text.len <= TEXT_MAX && (may_be_empty || text.len > 0));
    while (at < end) {
        size_t len = utf8_length(at, end);

        assert(len > 0);
        at += len;
    }
}

static void check_unit(const struct schema_unit *unit)
{
    check_text(unit->instance_location, true);
    check_text(unit->keyword_location, true);
    check_text(unit->error, false);
}

static void check_report(const struct schema *schema, const struct flat *instance,
                         enum schema_verdict verdict, bool redact)
{
    const struct schema_report_options options = { .max_errors = MAX_ERRORS,
                                                   .redact_values = redact };
    struct schema_budget budget = schema_budget(BUDGET_US);
    struct arena *arena = arena_create();
    struct schema_report report;
    enum schema_verdict again = schema_report(schema, instance, &options, &budget, arena, &report);

    if (verdict <= SCHEMA_INVALID && again <= SCHEMA_INVALID) {
        assert(again == verdict);
        assert(report.count <= MAX_ERRORS && (report.count > 0) == (verdict == SCHEMA_INVALID));
        for (size_t i = 0; i < report.count; i++)
            check_unit(&report.units[i]);
        if (report.count > 0)
            check_unit(&report.best);
    }
    arena_destroy(arena);
}

static void check_instance(const struct schema *schema, const struct flat *instance)
{
    struct schema_budget budget = schema_budget(BUDGET_US);
    enum schema_verdict verdict = schema_check(schema, instance, &budget);

    check_report(schema, instance, verdict, true);
    check_report(schema, instance, verdict, false);
}

/* The same with the schema's keys known to the reader. */
static void check_with_symbols(const struct flat *document, struct schema_options options,
                               const struct schema *plain, const struct flat *instance)
{
    struct json_symbols *symbols = json_symbols_create(1 << 14);
    const struct flat_options reading = { .symbols = symbols };
    struct schema *schema = NULL;
    const struct flat *known = NULL;
    struct arena *arena = arena_create();
    struct error err;

    options.symbols = symbols;

    bool ok = schema_compile(document, &options, &schema, &err) &&
              flat_read(arena, flat_text(arena, instance), &reading, &known, &err);

    assert(ok);

    enum schema_verdict with = schema_check(schema, known, NULL);
    enum schema_verdict without = schema_check(plain, instance, NULL);

    assert(with == without);
    schema_destroy(schema);
    json_symbols_destroy(symbols);
    arena_destroy(arena);
}

static void run(const struct flat *input, size_t size)
{
    const struct schema_resource resource = { "other", flat_at(input, 2) };
    const struct schema_options options = {
        .draft = (enum schema_draft)(size % 5),
        .assert_formats = size % 2 == 1,
        .resources = &resource,
        .resource_count = flat_count(input) > 2 ? 1 : 0,
    };
    struct schema *schema = NULL;
    struct error err = { 0 };

    if (!schema_compile(flat_at(input, 0), &options, &schema, &err)) {
        assert(err.code == ERR_MALFORMED && err.text[0] != '\0');
        return;
    }
    check_instance(schema, flat_at(input, 1));
    check_with_symbols(flat_at(input, 0), options, schema, flat_at(input, 1));
    schema_destroy(schema);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena *arena = arena_create();
    const struct flat *input = NULL;
    struct error err;

    if (flat_read(arena, (struct str){ (const char *)data, size }, NULL, &input, &err) &&
        flat_is_array(input) && flat_count(input) >= 2)
        run(input, size);
    arena_destroy(arena);
    return 0;
}
