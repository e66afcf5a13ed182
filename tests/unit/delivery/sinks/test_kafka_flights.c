/*
 * test_kafka_flights.c - the table of records in flight, compared with a plain array
 */
#include "delivery/sinks/kafka_flights.h"

#include <string.h>

#include "tests/unit/test.h"

enum { SEQUENCES = 5000, STEPS = 60000 };

static bool model[SEQUENCES]; /* sequences begin at 0 */

static void check_model(const struct kafka_flights *flights)
{
    size_t count = 0;
    bool is_same = true;

    for (int64_t i = 0; i < SEQUENCES; i++) {
        const struct kafka_flight *flight = kafka_flights_find(flights, i);

        is_same = is_same && model[i] == (flight != NULL) && (!flight || flight->since_us == 3 * i);
        count += model[i];
    }
    CHECK(is_same);
    CHECK_INT((int64_t)flights->count, (int64_t)count);
}

static void holds_what_was_added_and_not_removed(void)
{
    struct kafka_flights flights = { 0 };
    uint32_t random = 1;

    memset(model, 0, sizeof(model));
    for (int step = 0; step < STEPS; step++) {
        random = random * 1664525 + 1013904223;

        int64_t sequence = (random >> 8) % SEQUENCES;

        if (model[sequence])
            kafka_flights_remove(&flights, sequence);
        else
            kafka_flights_add(
                &flights, &(struct kafka_flight){ .sequence = sequence, .since_us = 3 * sequence });
        model[sequence] = !model[sequence];
        if (step % (STEPS / 10) == 0)
            check_model(&flights);
    }
    check_model(&flights);
    kafka_flights_done(&flights);
}

static bool is_odd(const struct kafka_flight *flight, const void *self)
{
    (void)self;
    return flight->sequence % 2 != 0;
}

static void prune_removes_what_is_over(void)
{
    struct kafka_flights flights = { 0 };

    memset(model, 0, sizeof(model));
    kafka_flights_prune(&flights, is_odd, NULL);
    for (int64_t i = 0; i < SEQUENCES; i++) {
        kafka_flights_add(&flights, &(struct kafka_flight){ .sequence = i, .since_us = 3 * i });
        model[i] = i % 2 == 0;
    }
    kafka_flights_prune(&flights, is_odd, NULL);
    check_model(&flights);
    kafka_flights_done(&flights);
}

static void an_empty_table_has_nothing(void)
{
    struct kafka_flights flights = { 0 };

    CHECK(!kafka_flights_find(&flights, 1));
    kafka_flights_remove(&flights, 1);
    kafka_flights_done(&flights);
    CHECK_INT((int64_t)flights.count, 0);
}

int main(void)
{
    RUN(holds_what_was_added_and_not_removed);
    RUN(prune_removes_what_is_over);
    RUN(an_empty_table_has_nothing);
    return test_end();
}
