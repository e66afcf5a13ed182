/*
 * outbox_replay.h - `sluice outbox replay`: records of the history are delivered again.
 *
 * Threads: belongs to one thread.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/error.h"
#include "server/config/config.h"

/** The options of the command. */
struct replay_options {
    const char *sink;  /* NULL: missing */
    const char *route; /* NULL: the routes of the sink, and all that it got before */
    int64_t from_us;   /* 0: missing */
    int64_t until_us;  /* 0: no end */
    bool dry_run;
};

/** Run it, and print how many records there are. Returns the status of the command. */
int outbox_replay_run(const struct config *config, const struct replay_options *options,
                      struct error *err);
