/*
 * test_kept_answers.c - claims about server/kept_answers.h
 */
#include "server/kept_answers.h"

#include <stdio.h>

#include "base/clock.h"
#include "base/memory.h"
#include "tests/unit/test.h"

static struct kept_answers *kept;

/* "": nothing is kept. */
static void check_kept(const char *question, int64_t now_us, const char *expected)
{
    struct buf out;

    buf_init(&out, SIZE_MAX);
    TEST_CASE(question);
    CHECK(kept_answers_find(kept, str_from_c(question), now_us, &out) == (*expected != '\0'));
    CHECK_STR(buf_str(&out), expected);
    buf_done(&out);
}

static void an_answer_is_kept_for_seconds_and_longer_if_it_took_long(void)
{
    kept = kept_answers_create();
    check_kept("a", 0, "");
    kept_answers_add(kept, STR("a"), STR("1"), 0, US_PER_S / 10);
    kept_answers_add(kept, STR("b"), STR("2"), 0, 2 * US_PER_S);
    check_kept("a", 5 * US_PER_S, "1");
    check_kept("a", 6 * US_PER_S, "");
    check_kept("b", 21 * US_PER_S, "2");
    check_kept("b", 23 * US_PER_S, "");
    check_kept("c", 0, "");
    kept_answers_clear(kept);
    check_kept("b", 0, "");
    kept_answers_destroy(kept);
    kept_answers_destroy(NULL);
}

static void a_few_are_kept(void)
{
    kept = kept_answers_create();
    for (int i = 0; i <= KEPT_ANSWERS_MAX; i++) {
        char question[] = { (char)('a' + i), '\0' };

        kept_answers_add(kept, str_from_c(question), STR("x"), 0, 0);
    }
    check_kept("a", 0, "");
    check_kept("b", 0, "x");
    check_kept("e", 0, "x");
    kept_answers_destroy(kept);
}

int main(void)
{
    RUN(an_answer_is_kept_for_seconds_and_longer_if_it_took_long);
    RUN(a_few_are_kept);
    return test_end();
}
