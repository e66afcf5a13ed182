/*
 * resubmit_registry.h - post events again that the registry's failures had refused, once their
 * schema is usable.
 *
 * Threads: belongs to one thread at a time.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "delivery/outbox/view.h"
#include "schema/registry/catalog.h"
#include "server/resubmit.h"

struct resubmit_registry;

enum { RESUBMIT_STEP_US = 8000 }; /* from the begin of a step to the begin of the next, at least */

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
 * Post the next events whose schema is usable according to `catalog`, together: at most `most`, and
 * a bounded number of bytes. True: there may be more. False: the round through all schemas is over,
 * and the next call begins another. A round posts each event once; one that is refused again keeps
 * its row, with the new reason.
 */
bool resubmit_registry_step(struct resubmit_registry *rounds, struct catalog *catalog, size_t most);

/**
 * How many events a step may post that begins `since_us` after the one before began; 0: it is the
 * first of its round. This bounds the events per second, not per step: few of them join each
 * commit, so that no commit takes much longer than it does without them. More are posted while no
 * sender's events were accepted since the step before.
 */
size_t resubmit_registry_portion(int64_t since_us, bool beside_senders, size_t max_batch);
