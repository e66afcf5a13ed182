/*
 * pipeline.h - POST /events without a server, for tests of the handler and its steps.
 *
 * Routes, transforms and answers are the program's. The registry is a temporary folder or an
 * object of the test.
 */
#pragma once

#include <stdatomic.h>

#include "base/arena.h"
#include "handlers/events.h"
#include "handlers/route.h"
#include "schema/registry/catalog.h"
#include "tests/unit/folder.h"

/** Short forms of the shipped schema and transform. */
extern const char pipeline_schema[];
extern const char pipeline_transform[];

#define PIPELINE_GOOD_DETAIL "{\"interaction\":{\"id\":\"i\",\"start_time\":\"t\"}}"

/** The record of PIPELINE_GOOD_DETAIL. */
#define PIPELINE_GOOD_RECORD "{\"interaction_id\":\"i\",\"customer_name\":null,\"attributes\":{}}"

/** The members of the answer when the id is a number. */
#define PIPELINE_WRONG_ID                                                                          \
    "\"error\":\"Schema validation failed\",\"details\":\"<integer> is not of type 'string'\","    \
    "\"errors\":[{\"instanceLocation\":\"/interaction/id\",\"keywordLocation\":"                   \
    "\"/properties/interaction/properties/id/type\","                                              \
    "\"error\":\"<integer> is not of type 'string'\"}]"

struct pipeline {
    struct folder folder; /* schemas/<registry>/<schema>.json, transform.yaml */
    char schemas[FOLDER_PATH_SIZE];
    char transform[FOLDER_PATH_SIZE];
    struct catalog *catalog;
    struct routes *routes;
    struct events *events;
    struct arena *arena; /* of the last request */

    /* The request of pipeline_handle(). */
    struct request request;
    struct response response;
    bool is_bundle;                                     /* the request's */
    struct request *(*detach)(struct request *request); /* NULL: it cannot be detached */
    atomic_int woken;
};

/**
 * Make the folder with the schema Registry/Schema and the transform, but without a route. NULL for
 * `registry`: use the folder as registry.
 */
void pipeline_init(struct pipeline *pipeline, const struct registry *registry);

/** Like pipeline_init(), with `registry.guard: warn`. */
void pipeline_init_guarded(struct pipeline *pipeline, const struct registry *registry);

/**
 * Add a route. NULL members of `options` mean the registry `Registry`, the schema `Schema`, the
 * payload /detail, the id /id, and the transform of the folder.
 */
void pipeline_add_route(struct pipeline *pipeline, const struct route_options *options);

/** Load the schemas. Routes and catalog in `options` are ignored; 0 means the default. */
void pipeline_start(struct pipeline *pipeline, const struct events_options *options);

/** Call pipeline_init(), pipeline_add_route() and pipeline_start() with one route for all events.
 */
void pipeline_init_default(struct pipeline *pipeline, const struct events_options *options);

/** POST `body` and check the properties of every answer. Valid until the next call. */
void pipeline_post(struct pipeline *pipeline, struct str body, struct response *response);

/** POST `body` and check status and body of the answer. */
void pipeline_check_post(struct pipeline *pipeline, const char *body, int status,
                         const char *answer);

/** Call the handler with `body`, as the server does, with `request` and `response`. */
enum handler_step pipeline_handle(struct pipeline *pipeline, struct str body);

/** Resume the request of pipeline_handle(). */
enum handler_step pipeline_resume(struct pipeline *pipeline, enum resume_reason reason);

/** Resume it at each wake-up until it is answered. False: not within 30 seconds. */
bool pipeline_await_answer(struct pipeline *pipeline);

void pipeline_done(struct pipeline *pipeline);

/** Write a schema into the folder. */
void pipeline_write_schema(const struct pipeline *pipeline, const char *name, const char *text);

/** A request without headers. */
struct request pipeline_request(struct arena *arena, struct str body);
