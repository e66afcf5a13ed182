/*
 * inspect_internal.h - shared by inspect*.c.
 */
#pragma once

#include <stdint.h>

#include "base/arena.h"
#include "base/attr.h"
#include "base/fetch.h"
#include "base/flat.h"
#include "server/cli/inspect.h"
#include "server/lint.h"

/* The clock of a server that was asked. */
struct inspect_date {
    const char *server; /* NULL: none has said its time */
    int64_t ahead_s;    /* how much this machine's clock is ahead of it */
};

struct inspection {
    const struct config *config;
    const struct inspect_options *options;
    struct arena *arena;     /* for texts */
    struct service *schemas; /* all of them, loaded; NULL: not asked for, or not to be had */
    struct inspect_date *date;
    bool has_server; /* one has the store open */
};

/** Report a finding about the key at `pointer`. */
void inspect_say(const struct inspection *inspection, enum inspect_finding finding,
                 const char *what, const char *pointer, const char *fmt, ...) PRINTF_LIKE(5, 6);

/** Is nothing known to be wrong with this key? */
bool inspect_is_sound(const struct inspection *inspection, const char *pointer);

/** Report whether the disk of the file at `path` has room, for serving for `wanted_bytes`. */
void inspect_disk(const struct inspection *inspection, const char *pointer, const char *path,
                  uint64_t wanted_bytes);

/** The route's schema; NULL: it is not known. */
const struct flat *inspect_schema(const struct inspection *inspection, size_t route);

/** To look at a route; its schema is not known yet. */
struct lint inspect_lint(const struct inspection *inspection, size_t route);

/** Load all schemas, if they are asked for. */
void inspect_load_schemas(struct inspection *inspection);

/** An HTTP server has answered: note its time. */
void inspect_note_date(const struct inspection *inspection, const char *server,
                       const struct fetch_answer *answer);

/* The checks, in the order of inspect.c's table. */
void inspect_certificate(const struct inspection *inspection);
void inspect_secrets(const struct inspection *inspection);
void inspect_keys(const struct inspection *inspection);
void inspect_transforms(const struct inspection *inspection);
void inspect_routes(const struct inspection *inspection);
void inspect_schemas(const struct inspection *inspection);
void inspect_store(const struct inspection *inspection);
void inspect_cache(const struct inspection *inspection);
void inspect_sinks(const struct inspection *inspection);
void inspect_collector(const struct inspection *inspection);
void inspect_clock(const struct inspection *inspection);
void inspect_library(const struct inspection *inspection);
void inspect_lambda(const struct inspection *inspection);
void inspect_addresses(const struct inspection *inspection);
void inspect_descriptors(const struct inspection *inspection);
/** Compare options.rule, and what it calls, with the configuration. */
void inspect_rule(const struct inspection *inspection);

/* Parts of checks. */
void inspect_sink_fields(const struct inspection *inspection, size_t index);

/** Is this a secret outside of files that was not asked for, or not found, which was reported? */
bool inspect_is_unknown(const char *place);

/** Ask AWS about the target of a sink; nothing for sinks of other kinds. */
void inspect_target(const struct inspection *inspection, size_t index);

/** Ask the brokers of a Kafka sink about its topic. */
void inspect_kafka(const struct inspection *inspection, size_t index);
