/*
 * totals.c - see totals.h.
 */
#include "server/totals.h"

struct totals totals_of(enum status_map map, struct json_object *route)
{
    struct totals totals = { 0 };
    struct json_object *outcomes;

    if (!route || !json_find(route, "outcomes", &outcomes))
        return totals;
    for (enum condition i = 0; i < CONDITION_COUNT; i++) {
        const struct status_row *row = status_row(map, i);
        int64_t *total = &totals.refused;

        if (!row->error)
            total = &totals.accepted;
        else if (status_is_retryable(row))
            total = &totals.failed;
        *total += json_find_int64(outcomes, row->condition);
    }
    return totals;
}
