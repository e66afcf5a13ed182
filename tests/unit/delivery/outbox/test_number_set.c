/*
 * test_number_set.c - claims about delivery/outbox/number_set.h: it counts what was added
 */
#include "delivery/outbox/number_set.h"

#include "tests/unit/test.h"

static void holds_a_number_as_often_as_it_was_added(void)
{
    struct number_set set;

    number_set_init(&set);
    CHECK(!number_set_has(&set, 7));
    number_set_add(&set, 7);
    number_set_add(&set, 7);
    number_set_add(&set, 0);
    number_set_remove(&set, 7);
    CHECK(number_set_has(&set, 7));
    number_set_remove(&set, 7);
    CHECK(!number_set_has(&set, 7));
    CHECK(number_set_has(&set, 0));
    number_set_done(&set);
}

/* Compared with a table of counts, with many collisions. */
static void agrees_with_a_table(void)
{
    enum { NUMBERS = 300, STEPS = 200000 };
    struct number_set set;
    unsigned counts[NUMBERS] = { 0 };
    uint32_t state = 1;
    bool agrees = true;

    number_set_init(&set);
    for (int i = 0; i < STEPS; i++) {
        uint32_t number;

        state = state * 1664525 + 1013904223;
        number = (state >> 8) % NUMBERS;
        if (state >> 31 || counts[number] == 0) {
            number_set_add(&set, number);
            counts[number]++;
        } else {
            number_set_remove(&set, number);
            counts[number]--;
        }
        agrees = agrees && number_set_has(&set, number) == (counts[number] > 0);
    }
    for (uint32_t i = 0; i < NUMBERS; i++)
        agrees = agrees && number_set_has(&set, i) == (counts[i] > 0);
    CHECK(agrees);
    number_set_done(&set);
}

int main(void)
{
    RUN(holds_a_number_as_often_as_it_was_added);
    RUN(agrees_with_a_table);
    return test_end();
}
