/*
 * test_events_batch.c - claims about handlers/events.h: arrays of events.
 */
#include "handlers/events.h"

#include "base/log.h"
#include "tests/unit/pipeline.h"
#include "tests/unit/test.h"

#define OK_A1    "{\"id\":\"a1\",\"status\":200}"
#define BAD_A2   "{\"id\":\"a2\",\"status\":400," PIPELINE_WRONG_ID "}"
#define EVENT_A1 "{\"id\":\"a1\",\"detail\":" PIPELINE_GOOD_DETAIL "}"
#define EVENT_A2 "{\"id\":\"a2\",\"detail\":{\"interaction\":{\"id\":1,\"start_time\":\"t\"}}}"
#define NO_DETAIL                                                                                  \
    "{\"id\":null,\"status\":400,\"error\":\"Processing failed\","                                 \
    "\"details\":\"Invalid EventBridge payload: missing 'detail' key\"}"

static void an_array_has_an_outcome_for_each(void)
{
    static const struct {
        const char *body;
        int status;
        size_t refused;
        const char *answer;
    } cases[] = {
        { "[]", 200, 0, "{\"results\":[],\"batchItemFailures\":[]}" },
        { "[" EVENT_A1 "]", 200, 0, "{\"results\":[" OK_A1 "],\"batchItemFailures\":[]}" },
        { "[" EVENT_A2 "]", 400, 1, "{\"results\":[" BAD_A2 "],\"batchItemFailures\":[]}" },
        { "[" EVENT_A2 "," EVENT_A1 "]", 200, 1,
          "{\"results\":[" BAD_A2 "," OK_A1 "],\"batchItemFailures\":[]}" },
        { "[null,5,[],\"x\"]", 400, 4,
          "{\"results\":[" NO_DETAIL "," NO_DETAIL "," NO_DETAIL "," NO_DETAIL
          "],\"batchItemFailures\":[]}" },
        { "[" EVENT_A1 ",null]", 200, 1,
          "{\"results\":[" OK_A1 "," NO_DETAIL "],\"batchItemFailures\":[]}" },
    };

    for (int mode = 0; mode < 4; mode++) {
        struct pipeline pipeline;
        bool partial = mode & 1;

        pipeline_init_default(&pipeline, &(struct events_options){ .redact_values = true,
                                                                   .partial = partial,
                                                                   .receipt = mode & 2 });
        for (size_t i = 0; i < COUNT_OF(cases); i++) {
            struct response response;

            TEST_CASE(cases[i].body);
            pipeline_post(&pipeline, str_from_c(cases[i].body), &response);
            CHECK_INT(response.status, partial ? 200 : cases[i].status);
            CHECK_STR(response.body, cases[i].answer);
            CHECK_STR(response.note.outcome, "batch");
            CHECK_INT((int64_t)response.note.refused, (int64_t)cases[i].refused);
        }
        pipeline_done(&pipeline);
    }
}

static void an_array_has_at_most_max_batch_elements(void)
{
    struct pipeline pipeline;

    pipeline_init_default(&pipeline, &(struct events_options){ .max_batch = 2, .partial = true });
    pipeline_check_post(
        &pipeline, "[1,2,3]", 400,
        "{\"error\":\"Processing failed\",\"details\":\"Batch of 3 events, at most 2\"}");
    pipeline_check_post(&pipeline, "[1,2]", 200,
                        "{\"results\":[" NO_DETAIL "," NO_DETAIL "],\"batchItemFailures\":[]}");
    pipeline_done(&pipeline);
}

int main(void)
{
    log_configure(LOG_ERROR, LOG_JSON);
    RUN(an_array_has_an_outcome_for_each);
    RUN(an_array_has_at_most_max_batch_elements);
    return test_end();
}
