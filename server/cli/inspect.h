/*
 * inspect.h - is everything there that serving a configuration needs? For `sluice check` and
 * `sluice doctor`.
 *
 * Looks at the certificate, secrets, keys, transforms, schemas, store, sinks and disks that a
 * configuration names. It changes nothing and reports every finding, good ones too.
 *
 * Threads: belongs to main's.
 */
#pragma once

#include <stdbool.h>

#include "server/config/config.h"

enum inspect_finding { INSPECT_FINE, INSPECT_WARNING, INSPECT_FAILURE };

struct inspect_line {
    enum inspect_finding finding;
    const char *what;    /* one word: "certificate" */
    const char *pointer; /* JSON Pointer of the key it is about; "": the text says where */
    const char *text;
};

struct inspect_options {
    bool asks_registry;    /* schemas are asked for in AWS Glue; in files they always are */
    bool asks_others;      /* sinks and key sets at URLs are reached */
    bool looks_at_machine; /* will be served here: is the address free, the disk large enough? */

    /** May be NULL. False: something is wrong with this key or below, so it is left out. */
    bool (*is_sound)(void *self, const char *pointer);
    void (*report)(void *self, const struct inspect_line *line);
    void *self;
};

/** fetch_init() comes first. `config` may lack keys: what is_sound() refuses. */
void inspect(const struct config *config, const struct inspect_options *options);
