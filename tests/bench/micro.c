/*
 * micro.c - what the reader and the schema engine cost, held against their targets.
 *
 *     micro                  all of it: medians, their spread, and PASS or FAIL for each target
 *     micro RUN COUNT        one run, COUNT times and nothing else: for tests/bench/instructions.sh
 *
 * The yardstick is json-c's own parser on the same text in the same process; it is kept between
 * texts, which flatters it. Rounds alternate, so that a busy machine hits all alike.
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/json.h"
#include "base/memory.h"
#include "handlers/pattern.h"
#include "handlers/route.h"
#include "handlers/transform.h"
#include "schema/schema.h"

#define EVENT     "conf/samples/interaction.started.json"
#define TRANSFORM "conf/transforms/interaction.started.yaml"
#define SCHEMA    "conf/schemas/GenesysInteractionRegistry/InteractionStartedSchema.json"

enum {
    ROUNDS = 31,
    COMPILES = 4,
    LARGE = 100000,
    MEMBERS = 100000,
    ROUTES = 200,
    FILE_MAX = 1 << 20
};

/* Large texts to read. */
enum text { TEXT_100_KB, TEXT_2_MIB, TEXT_MEMBERS, TEXT_LEVELS, TEXTS };

struct bench {
    struct arena *arena;
    struct arena *reading; /* of the text that is read, as a request has one */
    struct str event;      /* compact */
    struct str texts[TEXTS];
    struct transform *transform;
    struct pattern *pattern;
    struct routes *routes;
    const struct flat *tree; /* of the event */
    struct buf record;
    struct json_tokener *tokener;
    struct json_symbols *symbols;
    struct schema *schema;
    const struct flat *detail;
    const struct flat *large[2]; /* the generated schema for draft 7 and 2020-12 */
    struct schema *compiled[COMPILES];
    int compiled_count;
};

/* The runs. */

static bool run_json_c(struct bench *bench)
{
    json_tokener_reset(bench->tokener);

    struct json_object *tree =
        json_tokener_parse_ex(bench->tokener, bench->event.ptr, (int)bench->event.len);

    json_object_put(tree);
    return tree != NULL;
}

static bool read_text(struct bench *bench, struct str text, const struct json_symbols *symbols,
                      const struct flat **out)
{
    const struct flat_options options = { .symbols = symbols };
    struct error err;

    arena_reset(bench->reading);
    return flat_read(bench->reading, text, &options, out, &err);
}

static bool run_plain(struct bench *bench)
{
    const struct flat *tree;

    return read_text(bench, bench->event, NULL, &tree);
}

static bool run_read(struct bench *bench)
{
    const struct flat *tree;

    return read_text(bench, bench->event, bench->symbols, &tree);
}

static bool run_check(struct bench *bench)
{
    return schema_check(bench->schema, bench->detail, NULL) == SCHEMA_VALID;
}

static bool run_event(struct bench *bench)
{
    const struct flat *tree;

    return read_text(bench, bench->event, bench->symbols, &tree) &&
           schema_check(bench->schema, flat_find(tree, STR("detail")), NULL) == SCHEMA_VALID;
}

static bool run_record(struct bench *bench)
{
    const struct flat *tree;
    struct error err;

    buf_clear(&bench->record);
    if (!read_text(bench, bench->event, bench->symbols, &tree))
        return false;

    const struct flat *detail = flat_find(tree, STR("detail"));
    const struct transform_input input = { .payload = detail,
                                           .event = tree,
                                           .now_us = 1705314600123456 };

    return schema_check(bench->schema, detail, NULL) == SCHEMA_VALID &&
           transform_apply(bench->transform, &input, &bench->record, &err);
}

static bool run_text(struct bench *bench, enum text text)
{
    const struct flat *tree;

    return read_text(bench, bench->texts[text], bench->symbols, &tree);
}

static bool run_100_kb(struct bench *bench)
{
    return run_text(bench, TEXT_100_KB);
}

static bool run_2_mib(struct bench *bench)
{
    return run_text(bench, TEXT_2_MIB);
}

static bool run_members(struct bench *bench)
{
    return run_text(bench, TEXT_MEMBERS);
}

static bool run_levels(struct bench *bench)
{
    return run_text(bench, TEXT_LEVELS);
}

static bool run_pattern(struct bench *bench)
{
    return pattern_fits(bench->pattern, bench->tree);
}

static bool run_routes(struct bench *bench)
{
    const struct route *route;
    struct error err;

    return routes_find(bench->routes, bench->tree, NULL, &route, &err) && route->number == ROUTES;
}

static bool compile(struct bench *bench, const struct flat *document)
{
    struct error err;

    return schema_compile(document, NULL, &bench->compiled[bench->compiled_count++], &err);
}

static bool run_compile_7(struct bench *bench)
{
    return compile(bench, bench->large[0]);
}

static bool run_compile_2020(struct bench *bench)
{
    return compile(bench, bench->large[1]);
}

/* Not part of what is measured. */
static void drop_compiled(struct bench *bench)
{
    while (bench->compiled_count > 0)
        schema_destroy(bench->compiled[--bench->compiled_count]);
}

enum run {
    JSON_C,
    PLAIN,
    READ,
    CHECK,
    EVENT_RUN,
    RECORD,
    PATTERN,
    ROUTE,
    READ_100_KB,
    READ_2_MIB,
    READ_MEMBERS,
    READ_LEVELS,
    COMPILE_7,
    COMPILE_2020,
    RUNS
};

/*
 * A target is in nanoseconds, or as a share of what json-c's parser takes. A compilation happens
 * when a version is published, so it may take 3 ms; a third of it checks the metaschema.
 */
static const struct {
    const char *name;
    const char *title;
    bool (*run)(struct bench *bench);
    int repeats;
    double most_ns;
    double most_ratio;
} runs[RUNS] = {
    [JSON_C] = { "json-c", "json-c's parser: read, release", run_json_c, 2000, 0, 0 },
    [PLAIN] = { "plain", "read, keys unknown", run_plain, 2000, 0, 0 },
    [READ] = { "read", "read", run_read, 2000, 0, 0.20 },
    [CHECK] = { "check", "check", run_check, 8000, 300, 0 },
    [EVENT_RUN] = { "event", "read, check", run_event, 2000, 0, 0.22 },
    [RECORD] = { "record", "read, check, write the record", run_record, 2000, 0, 0.28 },
    [PATTERN] = { "pattern", "a pattern of ten leaves", run_pattern, 8000, 500, 0 },
    [ROUTE] = { "routes", "the last of 200 such routes", run_routes, 8000, 5000, 0 },
    [READ_100_KB] = { "100-kb", "read 100 KB of such events", run_100_kb, 20, 0, 0 },
    [READ_2_MIB] = { "2-mib", "read 2 MiB of such events", run_2_mib, 2, 0, 0 },
    [READ_MEMBERS] = { "members", "read an object of 100,000 members", run_members, 2, 0, 0 },
    [READ_LEVELS] = { "levels", "read 64 levels", run_levels, 2000, 0, 0 },
    [COMPILE_7] = { "compile-7", "compile 100 KB, draft 7", run_compile_7, COMPILES, 3e6, 0 },
    [COMPILE_2020] = { "compile-2020", "compile 100 KB, 2020-12", run_compile_2020, COMPILES, 3e6,
                       0 },
};

/* Measuring: the thread's own time, which a busy machine moves least. */

static bool repeat(struct bench *bench, enum run run, int count)
{
    for (int i = 0; i < count; i++) {
        if (bench->compiled_count == COMPILES)
            drop_compiled(bench);
        if (!runs[run].run(bench)) {
            (void)fprintf(stderr, "micro: %s: failed\n", runs[run].name);
            return false;
        }
    }
    return true;
}

static double measure(struct bench *bench, enum run run)
{
    int64_t start = clock_thread_us();

    if (!repeat(bench, run, runs[run].repeats))
        abort();

    double ns = (double)(clock_thread_us() - start) * 1000 / runs[run].repeats;

    drop_compiled(bench);
    return ns;
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a;
    double y = *(const double *)b;

    return (x > y) - (x < y);
}

/* One line; is the target met? */
static bool print(enum run run, const double *ns, double yardstick)
{
    double median = ns[ROUNDS / 2];
    double ratio = median / yardstick;
    bool ok = (runs[run].most_ns == 0 || median <= runs[run].most_ns) &&
              (runs[run].most_ratio == 0 || ratio <= runs[run].most_ratio);

    (void)printf("%-32s %9.0f ns  (%.0f to %.0f)", runs[run].title, median, ns[ROUNDS / 10],
                 ns[ROUNDS - 1 - ROUNDS / 10]);
    if (runs[run].most_ratio > 0)
        (void)printf("  %.2f of json-c's, target %.2f", ratio, runs[run].most_ratio);
    if (runs[run].most_ns > 0)
        (void)printf("  target %.0f ns", runs[run].most_ns);
    if (runs[run].most_ns > 0 || runs[run].most_ratio > 0)
        (void)printf("  %s", ok ? "PASS" : "FAIL");
    (void)printf("\n");
    return ok;
}

static bool compare(struct bench *bench)
{
    double ns[RUNS][ROUNDS];
    bool ok = true;

    for (int round = 0; round < ROUNDS; round++) {
        for (int run = 0; run < RUNS; run++)
            ns[run][round] = measure(bench, (enum run)run);
    }
    for (int run = 0; run < RUNS; run++)
        qsort(ns[run], ROUNDS, sizeof(ns[run][0]), by_value);
    (void)printf("an event of %zu bytes, its detail and the detail's schema; median of %d rounds "
                 "(and four fifths of them)\n",
                 bench->event.len, ROUNDS);
    for (int run = 0; run < RUNS; run++)
        ok = print((enum run)run, ns[run], ns[JSON_C][ROUNDS / 2]) && ok;
    return ok;
}

/* What is measured. */

static NORETURN void die(const char *what, const struct error *err)
{
    (void)fprintf(stderr, "micro: %s: %s\n", what, err->text);
    exit(1); /* NOLINT(concurrency-mt-unsafe): there is one thread */
}

static const struct flat *load(struct bench *bench, const char *path)
{
    const struct flat *tree = NULL;
    struct str text = { NULL, 0 };
    struct error err = { 0 };

    if (!file_read(path, FILE_MAX, &text, &err) ||
        !flat_read(bench->arena, text, NULL, &tree, &err))
        die(path, &err);
    arena_own(bench->arena, (void *)text.ptr, mem_free);
    return tree;
}

/* The keys of the whole tree, as the schemas would name them. */
static void add_symbols(struct json_symbols *symbols, const struct flat *root)
{
    for (uint32_t i = 0; i < root->size; i++)
        if (root[i].key)
            (void)json_symbols_add(symbols, flat_key(&root[i]));
}

/* As many events as fit, as an array. */
static struct str repeat_event(struct bench *bench, size_t size)
{
    struct buf *out = arena_buf(bench->arena, size + bench->event.len + 2);

    buf_add_char(out, '[');
    while (out->len + bench->event.len < size) {
        buf_add(out, bench->event);
        buf_add_char(out, ',');
    }
    buf_add(out, STR("0]"));
    return buf_str(out);
}

static void make_texts(struct bench *bench)
{
    struct buf *members = arena_buf(bench->arena, (size_t)MEMBERS * 32);
    struct buf *levels = arena_buf(bench->arena, (size_t)JSON_MAX_DEPTH * 16);

    bench->texts[TEXT_100_KB] = repeat_event(bench, (size_t)100 * 1000);
    bench->texts[TEXT_2_MIB] = repeat_event(bench, (size_t)2 << 20);
    for (int i = 0; i < MEMBERS; i++)
        buf_printf(members, "%s\"member%d\":%d", i > 0 ? "," : "{", i, i);
    buf_add_char(members, '}');
    bench->texts[TEXT_MEMBERS] = buf_str(members);
    for (int i = 1; i < JSON_MAX_DEPTH; i++)
        buf_add(levels, STR("{\"level\":"));
    buf_add(levels, STR("[]"));
    for (int i = 1; i < JSON_MAX_DEPTH; i++)
        buf_add_char(levels, '}');
    bench->texts[TEXT_LEVELS] = buf_str(levels);
}

/* A definition as APIs have them: about 800 bytes, 14 subschemas, no two alike. */
static void add_definition(struct buf *out, int number)
{
    buf_printf(
        out,
        "\"type%d\":{\"type\":\"object\",\"description\":\"One of many, number %d: its state,"
        " its place and its tags\",\"properties\":{"
        "\"id\":{\"type\":\"string\",\"minLength\":1,\"maxLength\":%d},"
        "\"count_%d\":{\"type\":\"integer\",\"minimum\":0,\"maximum\":%d},",
        number, number, 32 + number, number, 1000 + number);
    buf_printf(out,
               "\"ratio\":{\"type\":\"number\",\"exclusiveMinimum\":0.5},"
               "\"state_%d\":{\"enum\":[\"open\",\"held\",\"closed\",\"state-%d\"]},"
               "\"kind\":{\"const\":\"kind-%d\"},\"active\":{\"type\":\"boolean\"},",
               number, number, number);
    buf_printf(out,
               "\"tags\":{\"type\":\"array\",\"items\":{\"type\":\"string\"},\"maxItems\":%d},"
               "\"other\":{\"anyOf\":[{\"type\":\"null\"},{\"$ref\":\"#/definitions/type%d\"}]},",
               10 + number, number / 2);
    buf_printf(out,
               "\"place_%d\":{\"type\":\"object\",\"properties\":{\"x\":{\"type\":\"number\"},"
               "\"y\":{\"type\":\"number\"}},\"required\":[\"x\",\"y\"]}},"
               "\"required\":[\"id\",\"kind\"],\"additionalProperties\":false}",
               number);
}

/* A schema of LARGE bytes all of which can be reached. */
static const struct flat *make_large(struct bench *bench, const char *dialect)
{
    struct buf *out = arena_buf(bench->arena, (size_t)LARGE * 2);
    const struct flat *tree = NULL;
    struct error err = { 0 };
    int count = 0;

    buf_printf(out, "{\"$schema\":\"%s\",\"definitions\":{", dialect);
    while (buf_str(out).len < LARGE - LARGE / 20) {
        if (count > 0)
            buf_add_char(out, ',');
        add_definition(out, count++);
    }
    buf_add(out, STR("},\"oneOf\":["));
    for (int i = 0; i < count; i++)
        buf_printf(out, "%s{\"$ref\":\"#/definitions/type%d\"}", i > 0 ? "," : "", i);
    buf_add(out, STR("]}"));
    if (!flat_read(bench->arena, buf_str(out), NULL, &tree, &err))
        die("the schema", &err);
    return tree;
}

/* A pattern of ten leaves with this condition on the event's detail-type. */
static struct str write_pattern(struct arena *arena, const char *type)
{
    return arena_printf(arena,
                        "{\"source\":[\"genesyscloud\"],\"detail-type\":[%s],"
                        "\"account\":[\"123456789012\",\"210987654321\"],\"region\":[{\"anything-"
                        "but\":[\"eu-west-1\"]}],"
                        "\"detail\":{\"interaction\":{\"id\":[{\"exists\":true}],"
                        "\"start_time\":[{\"wildcard\":\"20*T*Z\"}],\"routing\":{\"queue_id\":[{"
                        "\"suffix\":\"f00\"}],"
                        "\"queue_name\":[{\"equals-ignore-case\":\"sales support\"}]},"
                        "\"channel_type\":[\"voice\",\"chat\"],\"missing\":[{\"exists\":false}]}}}",
                        type);
}

/*
 * Routes with such patterns, all for the event's source: half of them want one detail-type, half of
 * them a beginning of it, which no index finds. Only the last one takes the event.
 */
static void make_routes(struct bench *bench)
{
    struct error err = { 0 };

    bench->routes = routes_create();
    for (int i = 1; i <= ROUTES; i++) {
        struct str other = arena_printf(
            bench->arena, i % 2 ? "\"interaction.%d\"" : "{\"prefix\":\"interaction.%d.\"}", i);
        const struct route_options options = {
            .pattern =
                write_pattern(bench->arena, i == ROUTES ? "\"interaction.started\"" : other.ptr)
                    .ptr,
            .id = "/id",
            .name = "route",
            .drop = true,
        };

        if (!routes_add(bench->routes, &options, NULL, &err))
            die("a route", &err);
    }
}

static void prepare(struct bench *bench)
{
    const struct flat *event = load(bench, EVENT);
    const struct flat *document = load(bench, SCHEMA);
    struct error err = { 0 };

    bench->event = flat_text(bench->arena, event);
    bench->tokener = json_tokener_new_ex(JSON_MAX_DEPTH);
    json_tokener_set_flags(bench->tokener, JSON_TOKENER_STRICT | JSON_TOKENER_VALIDATE_UTF8);
    bench->symbols = json_symbols_create(1 << 20);
    add_symbols(bench->symbols, event);
    make_texts(bench);
    bench->large[0] = make_large(bench, "http://json-schema.org/draft-07/schema#");
    bench->large[1] = make_large(bench, "https://json-schema.org/draft/2020-12/schema");
    buf_init(&bench->record, FILE_MAX);

    const struct flat_options reading = { .symbols = bench->symbols };
    const struct schema_options compiling = { .symbols = bench->symbols };

    if (!flat_read(bench->arena, bench->event, &reading, &event, &err) ||
        !schema_compile(document, &compiling, &bench->schema, &err) ||
        !transform_load(TRANSFORM, &bench->transform, &err))
        die("the event", &err);
    bench->tree = event;
    bench->detail = flat_find(event, STR("detail"));
    make_routes(bench);

    const struct pattern_report report = { .problem = pattern_first_problem, .self = &err };
    struct str pattern = write_pattern(bench->arena, "\"interaction.started\"");

    if (!flat_read(bench->arena, pattern, NULL, &event, &err) ||
        !pattern_create(event, &report, &bench->pattern))
        die("the pattern", &err);
}

static bool run_named(struct bench *bench, const char *name, const char *count)
{
    for (int run = 0; run < RUNS; run++) {
        if (str_equal(str_from_c(runs[run].name), str_from_c(name)))
            return repeat(bench, (enum run)run, (int)strtoul(count, NULL, 10));
    }
    (void)fprintf(stderr, "micro: there is no run \"%s\"\n", name);
    return false;
}

int main(int argc, char **argv)
{
    struct bench bench = { .arena = arena_create(), .reading = arena_create() };

    prepare(&bench);

    bool ok = argc == 3 ? run_named(&bench, argv[1], argv[2]) : compare(&bench);

    drop_compiled(&bench);
    schema_destroy(bench.schema);
    transform_destroy(bench.transform);
    pattern_destroy(bench.pattern);
    routes_destroy(bench.routes);
    buf_done(&bench.record);
    arena_destroy(bench.reading);
    arena_destroy(bench.arena);
    json_symbols_destroy(bench.symbols);
    json_tokener_free(bench.tokener);
    return ok ? 0 : 1;
}
