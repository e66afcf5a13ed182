/*
 * discard.c - see discard.h.
 */
#include "delivery/outbox/discard.h"

#include "delivery/outbox/store_internal.h"

static bool give_up_all(struct outbox_store *store, void *arg, struct error *err)
{
    struct discard *order = arg;

    order->gone = 0;
    for (size_t i = 0; i < order->count; i++) {
        bool is_gone = false;

        if (!order->row(store, order->ids[i], &is_gone))
            return db_fail(&store->db, "store", err);
        order->gone += is_gone;
    }
    return true;
}

bool discard_rows(struct outbox *outbox, struct discard *order, struct error *err)
{
    return outbox_run(outbox, give_up_all, order, err);
}
