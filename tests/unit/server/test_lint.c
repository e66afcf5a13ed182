/*
 * test_lint.c - mistakes in patterns and transforms that show beside a route's schema.
 *
 * tests/unit/schema/test_reach.c has what a schema rules out.
 */
#include "server/lint.h"

#include "tests/unit/folder.h"
#include "tests/unit/load_config.h"
#include "tests/unit/test.h"
#include "tests/unit/tree.h"

#define VALUE_FAULT "matches no valid event: the schema of the route rules this value out"
#define TYPE_FAULT  "matches no event of EventBridge, in which this is a string: use quotes"
#define FIT_FAULT   "no valid event fits: the schema of routes[0] rules this value out"

/* An order: a tier of three, lines with an amount and tags, and no other member. */
static const char schema[] =
    "{\"type\":\"object\",\"additionalProperties\":false,\"properties\":{"
    "\"tier\":{\"enum\":[\"gold\",\"silver\",null]},\"n\":{\"type\":\"integer\"},"
    "\"lines\":{\"type\":\"array\",\"items\":{\"type\":\"object\",\"additionalProperties\":false,"
    "\"properties\":{\"amount\":{\"type\":\"number\"},"
    "\"tags\":{\"type\":\"array\",\"items\":{\"type\":\"string\"}}}}}}}";

struct world {
    struct folder folder;
    struct arena *arena;
    struct config *config;
    struct buf found;
    struct lint lint;
};

static void add_mistake(void *self, struct str pointer, const char *text)
{
    struct world *world = self;
    struct str line = str_from_c(text);
    struct str file = str_from_c(world->folder.path);

    if (str_starts_with(line, file)) /* FILE:LINE: KEY: ... */
        line = str_from(line, file.len + 1);
    buf_printf(&world->found, "%.*s%s%.*s\n", STR_ARG(pointer), pointer.len ? ": " : "",
               STR_ARG(line));
}

/* A configuration with one route, which has these keys beside its schema. */
static void open_world(struct world *world, const char *route)
{
    char path[FOLDER_PATH_SIZE];
    struct error err = { 0 };

    *world = (struct world){ .arena = arena_create() };
    folder_init(&world->folder);
    buf_init(&world->found, 100000);
    folder_write(&world->folder, "sluice.yaml",
                 arena_printf(world->arena,
                              "routes:\n- {registry: R, schema: S, transform: t.yaml, %s}\n",
                              route));
    folder_path(&world->folder, "sluice.yaml", path);
    CHECK(load_config(path, &world->config, &err));
    CHECK_STR(str_from_c(err.text), "");
    world->lint = (struct lint){ .config = world->config,
                                 .document = tree_of(schema),
                                 .arena = world->arena,
                                 .report = add_mistake,
                                 .self = world };
}

static void close_world(struct world *world)
{
    config_destroy(world->config);
    buf_done(&world->found);
    arena_destroy(world->arena);
    folder_done(&world->folder);
}

static void patterns_that_take_no_event_are_found(void)
{
    static const struct {
        const char *route;
        const char *found;
    } cases[] = {
        { "name: all", "" },
        { "pattern: {account: [5]}", "/routes/0/pattern/account: " TYPE_FAULT "\n" },
        { "match: {account: [5, true]}", "/routes/0/match/account: " TYPE_FAULT "\n" },
        { "match: {account: [5, '5']}", "" },
        { "payload: /Data, match: {account: 5}", "" },
        { "pattern: {detail: {other: [1]}}", "/routes/0/pattern/detail/other: " VALUE_FAULT "\n" },
        { "pattern: {detail: {other: [1, {exists: false}]}}", "" },
        { "pattern: {$or: [{detail: {other: [1]}}, {source: [a]}]}", "" },
        { "pattern: {details: {other: [1]}}", "" },
        { "pattern: {detail: {tier: [gld]}}", "/routes/0/pattern/detail/tier: " VALUE_FAULT "\n" },
        { "pattern: {detail: {tier: [gld, gold]}}", "" },
        { "pattern: {detail: {tier: [null]}}", "" },
        { "pattern: {detail: {tier: [{prefix: g}, {anything-but: gold}]}}", "" },
        { "pattern: {detail: {tier: [{numeric: ['>', 5]}]}}",
          "/routes/0/pattern/detail/tier: " VALUE_FAULT "\n" },
        { "pattern: {detail: {n: [{numeric: ['>', 5]}]}}", "" },
        { "pattern: {detail: {n: ['5', {prefix: '5'}, {wildcard: '5*'}]}}",
          "/routes/0/pattern/detail/n: " VALUE_FAULT "\n" },
        { "pattern: {detail: {n: [{exists: true}]}}", "" },
        { "pattern: {detail: {lines: {tags: [a], amount: [1.5]}}}", "" },
        { "pattern: {detail: {lines: {tags: [1]}}}",
          "/routes/0/pattern/detail/lines/tags: " VALUE_FAULT "\n" },
        { "pattern: {detail: [5]}", "/routes/0/pattern/detail: " VALUE_FAULT "\n" },
    };

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct world world;

        TEST_CASE(cases[i].route);
        open_world(&world, cases[i].route);
        lint_pattern(&world.lint);
        CHECK_STR(buf_str(&world.found), cases[i].found);
        close_world(&world);
    }
}

static void check_transform(const char *text, bool has_schema, const char *found)
{
    char path[FOLDER_PATH_SIZE];
    struct world world;

    TEST_CASE(text);
    open_world(&world, "name: r");
    folder_write(&world.folder, "t.yaml", str_from_c(text));
    folder_path(&world.folder, "t.yaml", path);
    if (!has_schema)
        world.lint.document = NULL;
    CHECK(lint_transform(&world.lint, path) == (*found == '\0'));
    CHECK_STR(buf_str(&world.found), found);
    close_world(&world);
}

static void fields_that_are_never_filled_are_found(void)
{
    static const struct {
        const char *text;
        const char *found;
    } cases[] = {
        { "fields:\n- {name: a, from: /tier}\n- {name: b, from: /tear}\n",
          "t.yaml:3: fields[1].from: no valid event has a value at /tear: the schema of routes[0] "
          "rules it out\n" },
        { "fields:\n- {name: a, value: 1, when: {tier: [gold]}}\n"
          "- {name: b, value: 1,\n   when: {n: [1],\n    tier: [gld, 5]}}\n",
          "t.yaml:5: fields[1].when.tier: " FIT_FAULT "\n" },
        { "drop_when: {n: [{prefix: x}]}\nfields: [{name: a, from: /n}]\n",
          "t.yaml:1: drop_when.n: " FIT_FAULT "\n" },
        { "fields:\n- name: a\n  each: /lines\n  where: {amount: [1], tags: [x]}\n"
          "  fields: [{name: b, from: /amount, when: {tags: [{exists: true}]}}]\n",
          "" },
        { "fields:\n- name: a\n  each: /lines\n  where: {amount: ['1']}\n"
          "  fields: [{name: b, from: /amount, when: {tags: [1]}}]\n"
          "- {name: c, each: /lines, where: {tier: [gold]}, from: /tags}\n",
          "t.yaml:4: fields[0].where.amount: " FIT_FAULT "\n"
          "t.yaml:5: fields[0].fields[0].when.tags: " FIT_FAULT "\n"
          "t.yaml:6: fields[1].where.tier: " FIT_FAULT "\n" },
        { "fields:\n- name: a\n  each: ['event:/x', /lines]\n  where: {nothing: [1]}\n"
          "  fields: [{name: b, value: 1, when: {nothing: [1]}}]\n",
          "" }, /* what is there is not known */
    };

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        check_transform(cases[i].text, true, cases[i].found);
        check_transform(cases[i].text, false, "");
    }
}

static void a_file_that_is_not_there_is_reported(void)
{
    struct world world;

    open_world(&world, "name: r");
    CHECK(!lint_transform(&world.lint, "/nonexistent/t.yaml"));
    CHECK(world.found.len > 0);
    close_world(&world);
}

int main(void)
{
    RUN(patterns_that_take_no_event_are_found);
    RUN(fields_that_are_never_filled_are_found);
    RUN(a_file_that_is_not_there_is_reported);
    trees_end();
    return test_end();
}
