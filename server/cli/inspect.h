/*
 * inspect.h - checks what a configuration needs for serving; for `sluice check` and `sluice
 * doctor`.
 *
 * These are the certificate, secrets, keys, transforms, schemas, store, sinks and disks that it
 * names. Nothing is changed, and every finding is reported, also the good ones.
 *
 * Threads: main only.
 */
#pragma once

#include <stdbool.h>

#include "server/config/config.h"

enum inspect_finding { INSPECT_FINE, INSPECT_WARNING, INSPECT_FAILURE };

#define INSPECT_EVENT_FIELD "event_field" /* what a sink takes from the record */

struct inspect_line {
    enum inspect_finding finding;
    const char *what;    /* one word: "certificate" */
    const char *pointer; /* JSON Pointer of the key; "": the text names the place */
    const char *text;
};

struct inspect_options {
    bool asks_registry; /* fetch schemas from AWS Glue; those in files are always read */
    bool asks_others;   /* connect to sinks and to key sets at URLs */
    const char *rule;   /* BUS/NAME of EventBridge, compared with the configuration; NULL: none */
    bool probes;        /* write an object into the buckets of sinks */
    bool looks_at_machine; /* check this machine's addresses, descriptors and disks */

    /** NULL: all keys are. False: this key or one below is known to be wrong, so skip it. */
    bool (*is_sound)(void *self, const char *pointer);
    void (*report)(void *self, const struct inspect_line *line);
    void *self;
};

/** Call fetch_init() before. `config` may lack keys for which is_sound() is false. */
void inspect(const struct config *config, const struct inspect_options *options);
