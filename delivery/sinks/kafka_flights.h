/*
 * kafka_flights.h - a table of the records that a Kafka producer has accepted: in flight, or
 * reported and not yet answered to the pump.
 *
 * Threads: a table belongs to one thread at a time.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "delivery/sinks/sink.h"

struct kafka_flight {
    int64_t sequence;        /* of the record */
    int64_t since_us;        /* accepted, or reported: clock_monotonic_us() */
    uint64_t call;           /* the delivery that handed it over */
    enum sink_result result; /* SINK_UNDER_WAY: in flight; else what was reported */
    const char *reason;      /* static; NULL when delivered or in flight */
    bool is_used;            /* the table's own: this place is not free */
};

/** Begins as zeroes. */
struct kafka_flights {
    struct kafka_flight *places;
    size_t capacity; /* a power of two, or 0 */
    size_t count;
};

/** Free the memory. */
void kafka_flights_done(struct kafka_flights *flights);

/** The record's entry, valid until the next change; NULL: there is none. */
struct kafka_flight *kafka_flights_find(const struct kafka_flights *flights, int64_t sequence);

/** Add a record that is not in the table. */
void kafka_flights_add(struct kafka_flights *flights, const struct kafka_flight *flight);

/** Does nothing if it is not there. */
void kafka_flights_remove(struct kafka_flights *flights, int64_t sequence);

/** Remove the entries for which `is_over(entry, self)` is true. */
void kafka_flights_prune(struct kafka_flights *flights,
                         bool (*is_over)(const struct kafka_flight *flight, const void *self),
                         const void *self);
