/*
 * resubmit_registry.h - events that were refused for the registry's sake are posted again by
 * ourselves, once their schema is usable.
 *
 * Threads: belongs to one thread at a time.
 */
#pragma once

#include "delivery/outbox_view.h"
#include "schema/catalog.h"
#include "server/resubmit.h"

struct resubmit_registry;

/** All borrowed. */
struct resubmit_registry_options {
    struct outbox_view *view;
    struct resubmitter *resubmitter; /* with the same view */
};

/** The caller owns it. */
struct resubmit_registry *resubmit_registry_create(const struct resubmit_registry_options *options);

/** NULL is fine. */
void resubmit_registry_destroy(struct resubmit_registry *rounds);

/**
 * Look once, and post what can be (`catalog` says which schemas are usable): a bounded number, so
 * that a call ends soon; the next one goes on. An event that is refused again keeps its row, with
 * the new reason.
 */
void resubmit_registry_round(struct resubmit_registry *rounds, struct catalog *catalog);
