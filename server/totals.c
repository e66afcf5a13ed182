/*
 * totals.c - see totals.h.
 */
#include "server/totals.h"

void totals_add(struct totals *totals, enum status_map map, enum condition condition, int64_t count)
{
    const struct status_row *row = status_row(map, condition);

    if (!row->error)
        totals->accepted += count;
    else if (status_is_retryable(row))
        totals->failed += count;
    else
        totals->refused += count;
}
