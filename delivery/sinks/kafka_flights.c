/*
 * kafka_flights.c - see kafka_flights.h: open addressing with linear probing, at most half full.
 */
#include "delivery/sinks/kafka_flights.h"

#include "base/hash.h"
#include "base/memory.h"

enum { FIRST_CAPACITY = 1024 };

static size_t home_of(const struct kafka_flights *flights, int64_t sequence)
{
    return hash_keyed(0, (uint64_t)sequence) & (flights->capacity - 1);
}

static size_t next_of(const struct kafka_flights *flights, size_t place)
{
    return (place + 1) & (flights->capacity - 1);
}

/* The place of the record, or the free one where it belongs. */
static size_t place_of(const struct kafka_flights *flights, int64_t sequence)
{
    size_t place = home_of(flights, sequence);

    while (flights->places[place].is_used && flights->places[place].sequence != sequence)
        place = next_of(flights, place);
    return place;
}

void kafka_flights_done(struct kafka_flights *flights)
{
    mem_free(flights->places);
    *flights = (struct kafka_flights){ 0 };
}

struct kafka_flight *kafka_flights_find(const struct kafka_flights *flights, int64_t sequence)
{
    struct kafka_flight *flight;

    if (flights->count == 0)
        return NULL;
    flight = &flights->places[place_of(flights, sequence)];
    return flight->is_used ? flight : NULL;
}

static void insert(struct kafka_flights *flights, const struct kafka_flight *flight)
{
    struct kafka_flight *place = &flights->places[place_of(flights, flight->sequence)];

    *place = *flight;
    place->is_used = true;
    flights->count++;
}

/* Move all entries but those that are over to a new array. */
static void rebuild(struct kafka_flights *flights, size_t capacity,
                    bool (*is_over)(const struct kafka_flight *flight, const void *self),
                    const void *self)
{
    struct kafka_flights old = *flights;

    flights->places = mem_alloc_array(capacity, sizeof(*flights->places));
    flights->capacity = capacity;
    flights->count = 0;
    for (size_t i = 0; i < old.capacity; i++)
        if (old.places[i].is_used && !(is_over && is_over(&old.places[i], self)))
            insert(flights, &old.places[i]);
    kafka_flights_done(&old);
}

void kafka_flights_add(struct kafka_flights *flights, const struct kafka_flight *flight)
{
    if (2 * (flights->count + 1) > flights->capacity)
        rebuild(flights, flights->capacity == 0 ? FIRST_CAPACITY : 2 * flights->capacity, NULL,
                NULL);
    insert(flights, flight);
}

/* Close the gap: move later entries of the run back, as far as their home allows. */
void kafka_flights_remove(struct kafka_flights *flights, int64_t sequence)
{
    size_t mask = flights->capacity - 1;
    size_t gap;

    if (!kafka_flights_find(flights, sequence))
        return;
    gap = place_of(flights, sequence);
    for (size_t at = next_of(flights, gap); flights->places[at].is_used;
         at = next_of(flights, at)) {
        size_t home = home_of(flights, flights->places[at].sequence);

        if (((at - home) & mask) >= ((at - gap) & mask)) {
            flights->places[gap] = flights->places[at];
            gap = at;
        }
    }
    flights->places[gap] = (struct kafka_flight){ 0 };
    flights->count--;
}

void kafka_flights_prune(struct kafka_flights *flights,
                         bool (*is_over)(const struct kafka_flight *flight, const void *self),
                         const void *self)
{
    if (flights->count > 0)
        rebuild(flights, flights->capacity, is_over, self);
}
