/*
 * resubmit_registry.h - events that were refused for the registry's sake are posted again by
 * ourselves, once their schema is usable.
 *
 * Threads: belongs to one thread at a time.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "delivery/outbox/view.h"
#include "schema/registry/catalog.h"
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
 * Post the next events that can be accepted now (`catalog` says which schemas are usable): at most
 * `most` and a bounded number of bytes, together. True: there may be more. False: a round through
 * all schemas is over, and the next call begins another one. In one round each event is posted
 * once; one that is refused again keeps its row, with the new reason.
 */
bool resubmit_registry_step(struct resubmit_registry *rounds, struct catalog *catalog, size_t most);
