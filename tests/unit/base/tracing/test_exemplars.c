/*
 * test_exemplars.c - claims about tracing/exemplars.h.
 */
#include "base/tracing/exemplars.h"

#include "base/clock.h"
#include "tests/unit/test.h"

#define ONE "11111111111111111111111111111111"
#define TWO "22222222222222222222222222222222"

static void the_last_recorded_trace_of_a_bucket_stays(void)
{
    struct exemplars exemplars = { 0 };
    struct exemplar read[EXEMPLARS_MAX];
    int64_t before_us = clock_now_us();

    exemplars_init(&exemplars);
    exemplars_note(&exemplars, 1, 10, STR("00-" ONE "-53995c3f42cd8ad8-01"));
    exemplars_note(&exemplars, 1, 20, STR("00-" TWO "-53995c3f42cd8ad8-01"));
    exemplars_note(&exemplars, 1, 30, STR("00-" ONE "-53995c3f42cd8ad8-00"));
    exemplars_note(&exemplars, 2, 40, STR_NONE);
    exemplars_read(&exemplars, read);
    CHECK_STR(str_from_c(read[1].trace_id), TWO);
    CHECK_INT(read[1].value, 20);
    CHECK(read[1].at_us >= before_us && read[1].at_us <= clock_now_us());
    CHECK_STR(str_from_c(read[0].trace_id), "");
    CHECK_STR(str_from_c(read[2].trace_id), "");
    exemplars_done(&exemplars);
}

static void a_writer_does_not_wait(void)
{
    struct exemplars exemplars = { 0 };
    struct exemplar read[EXEMPLARS_MAX];

    exemplars_init(&exemplars);
    (void)pthread_mutex_lock(&exemplars.mutex);
    exemplars_note(&exemplars, 0, 1, STR("00-" ONE "-53995c3f42cd8ad8-01"));
    (void)pthread_mutex_unlock(&exemplars.mutex);
    exemplars_read(&exemplars, read);
    CHECK_STR(str_from_c(read[0].trace_id), "");
    exemplars_done(&exemplars);
}

int main(void)
{
    RUN(the_last_recorded_trace_of_a_bucket_stays);
    RUN(a_writer_does_not_wait);
    return test_end();
}
