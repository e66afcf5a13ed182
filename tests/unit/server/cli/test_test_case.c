/*
 * test_test_case.c - one test of `sluice test`: what passes, and how differences read.
 */
#include "server/cli/test_case.h"

#include "base/log.h"
#include "tests/unit/folder.h"
#include "tests/unit/load_config.h"
#include "tests/unit/test.h"
#include "tests/unit/tree.h"

static struct folder folder;
static struct config *config;
static struct service *service;

/* A server with a route that drops, and one whose records vary from run to run. */
static void begin(void)
{
    char path[FOLDER_PATH_SIZE];
    struct error err = { 0 };

    folder_init(&folder);
    folder_write(&folder, "R/S.json", STR("{\"properties\":{\"id\":{\"type\":\"integer\"}}}"));
    folder_write(&folder, "t.yaml",
                 STR("fields:\n- {name: id, from: /id}\n- {name: tags, from: /tags, default: []}\n"
                     "- {name: request, from: 'meta:/request_id'}\n"
                     "- {name: at, fields: [{name: now, now: true}, {name: fixed, value: 1}]}\n"));
    folder_write(&folder, "sluice.yaml",
                 STR("store: {path: ''}\nregistry: {dir: .}\nroutes:\n"
                     "- {name: none, match: {source: no}, drop: true}\n"
                     "- {name: all, registry: R, schema: S, transform: t.yaml}\n"));
    folder_path(&folder, "sluice.yaml", path);
    CHECK(load_config(path, &config, &err) && service_create_offline(config, &service, &err));
    CHECK_STR(str_from_c(err.text), "");
}

static void end(void)
{
    service_destroy(service);
    config_destroy(config);
    folder_done(&folder);
}

struct row {
    const char *name;
    const char *body;
    const char *expect;
    const char *differences;
    const char *route; /* NULL: any */
};

static void check_rows(const struct row *rows, size_t count)
{
    for (size_t i = 0; service && i < count; i++) {
        struct arena *arena = arena_create();
        const struct test_case test = {
            .name = str_from_c(rows[i].name),
            .body = str_from_c(rows[i].body),
            .route = rows[i].route ? str_from_c(rows[i].route) : STR_NONE,
            .expect = tree_of(rows[i].expect),
        };
        struct buf differences;

        TEST_CASE(rows[i].name);
        buf_init(&differences, 100000);
        test_case_run(&test, service, arena, &differences);
        CHECK_STR(buf_str(&differences), rows[i].differences);
        buf_done(&differences);
        arena_destroy(arena);
    }
}

#define GOOD "{\"detail\":{\"id\":1,\"tags\":[\"a\",{\"b\":2}]}}"

static void what_is_as_expected_has_no_difference(void)
{
    static const struct row rows[] = {
        { "the status", GOOD, "{\"status\":200}", "", NULL },
        { "status, outcome and route", GOOD,
          "{\"status\":200,\"outcome\":\"valid\",\"route\":\"all\"}", "", "all" },
        { "dropped", "{\"source\":\"no\"}", "{\"status\":200,\"outcome\":\"dropped\"}", "",
          "none" },
        { "a record without what varies", GOOD,
          "{\"status\":200,\"record\":{\"id\":1.0,\"tags\":[\"a\",{\"b\":2}],\"at\":{\"fixed\":1}}"
          "}",
          "", NULL },
        { "some members", GOOD, "{\"status\":200,\"record_has\":{\"tags\":[\"a\",{}],\"at\":{}}}",
          "", NULL },
        { "what does not vary of what varies", GOOD,
          "{\"status\":200,\"record_has\":{\"request\":\"test-1\"}}", "", NULL },
        { "an error", "{\"detail\":{\"id\":\"x\"}}",
          "{\"status\":400,\"outcome\":\"schema_invalid\","
          "\"details\":\"<string> is not of type 'integer'\","
          "\"errors\":[{\"instanceLocation\":\"/id\"}]}",
          "", NULL },
        { "an array has no record", "[" GOOD "]", "{\"status\":200}", "", NULL },
        { "a body that is not JSON", "{", "{\"status\":400,\"outcome\":\"malformed\"}", "", NULL },
    };

    check_rows(rows, COUNT_OF(rows));
}

#define LONG10 "0123456789"
#define LONG50 LONG10 LONG10 LONG10 LONG10 LONG10
#define LONG   LONG50 LONG50 LONG50 LONG50

static void each_difference_is_a_line_with_its_place(void)
{
    static const struct row rows[] = {
        { "the status", GOOD, "{\"status\":400}", "status: expected 400, got 200\n", NULL },
        { "the outcome and both routes", GOOD,
          "{\"status\":200,\"outcome\":\"dropped\",\"route\":\"none\"}",
          "outcome: expected dropped, got valid\nroute: expected other, got all\n"
          "route: expected none, got all\n",
          "other" },
        { "no route", "5", "{\"status\":400,\"route\":\"all\"}",
          "route: expected all, got nothing\n"
          "details: \"Invalid EventBridge payload: missing 'detail' key\"\n",
          NULL },
        { "a member that is missing in the record", GOOD,
          "{\"status\":200,\"record_has\":{\"x\":{\"y\":1}}}",
          "record.x: expected {\"y\":1}, got nothing\n", NULL },
        { "a member too many", GOOD, "{\"status\":200,\"record\":{\"id\":1,\"at\":{\"fixed\":1}}}",
          "record.tags: expected nothing, got [\"a\",{\"b\":2}]\n", NULL },
        { "a member of a member too many", GOOD,
          "{\"status\":200,\"record\":{\"id\":1,\"tags\":[\"a\",{\"b\":2}],\"at\":{}}}",
          "record.at.fixed: expected nothing, got 1\n", NULL },
        { "an element", GOOD, "{\"status\":200,\"record_has\":{\"tags\":[\"b\",{\"b\":\"2\"}]}}",
          "record.tags[0]: expected \"b\", got \"a\"\n"
          "record.tags[1].b: expected \"2\", got 2\n",
          NULL },
        { "arrays of other lengths", GOOD, "{\"status\":200,\"record_has\":{\"tags\":[\"a\"]}}",
          "record.tags: expected [\"a\"], got [\"a\",{\"b\":2}]\n", NULL },
        { "values of other types", GOOD, "{\"status\":200,\"record_has\":{\"tags\":{},\"id\":[]}}",
          "record.tags: expected {}, got [\"a\",{\"b\":2}]\nrecord.id: expected [], got 1\n",
          NULL },
        { "a record that is not there", "{\"source\":\"no\"}", "{\"status\":200,\"record\":{}}",
          "record: expected {}, got nothing\n", NULL },
        { "details that are not there", GOOD, "{\"status\":200,\"details\":\"x\",\"errors\":[]}",
          "details: expected \"x\", got nothing\nerrors: expected [], got nothing\n", NULL },
        { "why an event is refused", "{\"detail\":{\"id\":\"x\"}}", "{\"status\":200}",
          "status: expected 200, got 400\n"
          "details: \"<string> is not of type 'integer'\"\n",
          NULL },
        { "a long value", "{\"detail\":{\"id\":1,\"tags\":\"\xC3\xA4" LONG "\"}}",
          "{\"status\":200,\"record_has\":{\"tags\":1}}",
          "record.tags: expected 1, got \"\xC3\xA4" LONG50 LONG50 LONG50 LONG10 LONG10 LONG10 LONG10
          "0123456...\n",
          NULL },
    };

    check_rows(rows, COUNT_OF(rows));
}

int main(void)
{
    log_configure(LOG_ERROR, LOG_TEXT);
    begin();
    RUN(what_is_as_expected_has_no_difference);
    RUN(each_difference_is_a_line_with_its_place);
    end();
    trees_end();
    return test_end();
}
