/*
 * test_outcome.c - claims about handlers/outcome.h: the exact bodies.
 */
#include "handlers/outcome.h"

#include "base/attr.h"
#include "base/json.h"
#include "tests/unit/test.h"

static const struct schema_unit two_units[] = {
    { STR_INIT("/interaction/id"), STR_INIT("/properties/interaction/properties/id/type"),
      STR_INIT("<integer> is not of type 'string'") },
    { STR_INIT(""), STR_INIT("/required"), STR_INIT("'a\"\\b' is a required property") },
};

#define UNIT_0                                                                                     \
    "{\"instanceLocation\":\"/interaction/id\",\"keywordLocation\":"                               \
    "\"/properties/interaction/properties/id/type\","                                              \
    "\"error\":\"<integer> is not of type 'string'\"}"
#define UNIT_1                                                                                     \
    "{\"instanceLocation\":\"\",\"keywordLocation\":\"/required\","                                \
    "\"error\":\"'a\\\"\\\\b' is a required property\"}"

static struct outcome outcome(enum condition condition, const char *id, const char *details)
{
    return (struct outcome){
        .condition = condition,
        .row = status_row(STATUS_MAP_TUTORIAL, condition),
        .id = str_from_c(id),
        .details = str_from_c(details),
    };
}

static void refusals_have_what_there_is_to_say(void)
{
    struct outcome invalid =
        outcome(CONDITION_SCHEMA_INVALID, "a", "<integer> is not of type 'string'");
    struct outcome truncated = invalid;

    invalid.report = (struct schema_report){ .units = two_units, .count = 2 };
    truncated.report = (struct schema_report){ .units = two_units, .count = 1, .truncated = true };

    const struct {
        struct outcome outcome;
        const char *body;
    } cases[] = {
        { outcome(CONDITION_MALFORMED, NULL, "Invalid JSON at byte 0: \"x\""),
          "{\"error\":\"Processing failed\",\"details\":\"Invalid JSON at byte 0: \\\"x\\\"\"}" },
        { outcome(CONDITION_REGISTRY_UNAVAILABLE, "id", NULL),
          "{\"error\":\"AWS Glue service unavailable\"}" },
        { invalid,
          "{\"error\":\"Schema validation failed\","
          "\"details\":\"<integer> is not of type 'string'\",\"errors\":[" UNIT_0 "," UNIT_1 "]}" },
        { truncated, "{\"error\":\"Schema validation failed\","
                     "\"details\":\"<integer> is not of type 'string'\",\"errors\":[" UNIT_0
                     "],\"truncated\":true}" },
    };

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct buf out;

        buf_init(&out, 10000);
        outcome_write_refusal(&out, &cases[i].outcome);
        CHECK_STR(buf_str(&out), cases[i].body);
        buf_done(&out);
    }
}

static void receipts_have_the_id(void)
{
    static const struct {
        const char *id;
        const char *body;
    } cases[] = {
        { "a1", "{\"id\":\"a1\",\"status\":\"accepted\"}" },
        { "a\"\n", "{\"id\":\"a\\\"\\n\",\"status\":\"accepted\"}" },
        { NULL, "{\"id\":null,\"status\":\"accepted\"}" },
    };

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct outcome accepted = outcome(CONDITION_VALID, cases[i].id, NULL);
        struct buf out;

        buf_init(&out, 10000);
        outcome_write_receipt(&out, &accepted);
        CHECK_STR(buf_str(&out), cases[i].body);
        buf_done(&out);
    }
}

static void arrays_have_a_result_each_and_the_retryable_ones(void)
{
    struct outcome outcomes[] = {
        outcome(CONDITION_VALID, "a1", NULL),
        outcome(CONDITION_DUPLICATE, "a2", NULL),
        outcome(CONDITION_SCHEMA_INVALID, "a3", "<integer> is not of type 'string'"),
        outcome(CONDITION_UNAVAILABLE, "a4", "store full"),
        outcome(CONDITION_UNAVAILABLE, NULL, "store full"),
        outcome(CONDITION_INTERNAL, "a6", NULL),
        outcome(CONDITION_UNROUTED, NULL, "No route for this event"),
    };
    struct buf out;

    outcomes[2].report = (struct schema_report){ .units = two_units, .count = 1 };
    buf_init(&out, 10000);
    outcome_write_batch(&out, outcomes, COUNT_OF(outcomes));
    CHECK_STR(buf_str(&out),
              "{\"results\":[{\"id\":\"a1\",\"status\":200},"
              "{\"id\":\"a2\",\"status\":200,\"duplicate\":true},"
              "{\"id\":\"a3\",\"status\":400,\"error\":\"Schema validation failed\","
              "\"details\":\"<integer> is not of type 'string'\",\"errors\":[" UNIT_0 "]},"
              "{\"id\":\"a4\",\"status\":503,\"error\":\"Service unavailable\","
              "\"details\":\"store full\"},"
              "{\"id\":null,\"status\":503,\"error\":\"Service unavailable\","
              "\"details\":\"store full\"},"
              "{\"id\":\"a6\",\"status\":500,\"error\":\"Internal server error\"},"
              "{\"id\":null,\"status\":400,\"error\":\"Processing failed\","
              "\"details\":\"No route for this event\"}],"
              "\"batchItemFailures\":[{\"itemIdentifier\":\"a4\"},{\"itemIdentifier\":\"\"},"
              "{\"itemIdentifier\":\"a6\"}]}");
    buf_clear(&out);
    outcome_write_batch(&out, outcomes, 0);
    CHECK_STR(buf_str(&out), "{\"results\":[],\"batchItemFailures\":[]}");
    buf_done(&out);
}

int main(void)
{
    RUN(refusals_have_what_there_is_to_say);
    RUN(receipts_have_the_id);
    RUN(arrays_have_a_result_each_and_the_retryable_ones);
    return test_end();
}
