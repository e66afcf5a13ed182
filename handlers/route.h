/*
 * route.h - selects the schema and the transform of an event.
 *
 * The first route whose matcher (matcher.h) takes the event is selected. Routes that want certain
 * texts in the event's `source` or `detail-type` are indexed by them, so that an event is tried
 * with few of many routes.
 *
 * Threads: immutable once created; shared.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/attr.h"
#include "base/error.h"
#include "base/flat.h"
#include "base/str.h"
#include "handlers/matcher.h"
#include "handlers/transform.h"
#include "schema/registry/catalog.h"
#include "schema/schema.h"

/** One record of an event: how it is written, and who gets it. */
struct route_output_options {
    const char *transform; /* path of the transform file */
    uint64_t sinks;        /* as in struct outbox_event */
};

/** The settings of a route; borrowed during routes_add(). */
struct route_options {
    const char *match;   /* matcher.h, as JSON; NULL or "": none */
    const char *pattern; /* likewise */
    const char *registry;
    const char *schema;
    const char *payload; /* JSON Pointer; "": the whole event */
    const char *id;      /* JSON Pointer */
    const char *name;
    const struct route_output_options *outputs; /* at least one */
    size_t output_count;
    bool drop; /* its events are dropped: of the rest only the name and the id count */
    const char *shadow_version; /* of the schema that is tried beside; */
    const char *shadow_file;    /* or its file; NULL or "": none of the two */
};

struct route_output {
    struct str name; /* of the route, in records of the second with #2 behind it, and so on */
    struct transform *transform;
    uint64_t sinks;
};

struct route {
    size_t number; /* from 1, as texts count */
    struct str name;
    bool drop;          /* then schema, registry, live and payload are NULL, and outputs none */
    const char *schema; /* its name */
    const char *registry;
    struct catalog_entry *live;   /* the live version */
    struct catalog_entry *shadow; /* tried beside it; NULL: none */
    struct json_pointer *payload;
    struct json_pointer *id;
    const struct route_output *outputs; /* the first is the answer */
    size_t output_count;
};

struct routes;

/** No routes yet. The caller owns it. */
struct routes *routes_create(void);

/** NULL is fine. */
void routes_destroy(struct routes *routes);

/** Add a route after the others, and its schema to `catalog`. ERR_CONFIG: a part of it is wrong. */
NODISCARD bool routes_add(struct routes *routes, const struct route_options *options,
                          struct catalog *catalog, struct error *err);

/**
 * The route for `event` (any JSON value). ERR_NOT_FOUND when none matches. ERR_TOO_EXPENSIVE when
 * the budget (may be NULL) is used up.
 */
NODISCARD bool routes_find(const struct routes *routes, const struct flat *event,
                           struct schema_budget *budget, const struct route **out,
                           struct error *err);

/** How many routes there are. */
size_t routes_count(const struct routes *routes);

/** The route with that index. */
const struct route *routes_at(const struct routes *routes, size_t index);

/** Why does that route not take the event, an object? False: it does. */
NODISCARD bool routes_explain(const struct routes *routes, size_t index, const struct flat *event,
                              struct arena *arena, struct matcher_miss *miss);
