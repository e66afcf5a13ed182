/*
 * pipeline.h - POST /events without a server: a registry in a temporary folder or of the test's
 * own, real routes, real transforms, real answers.
 */
#pragma once

#include "base/arena.h"
#include "handlers/events.h"
#include "handlers/route.h"
#include "schema/registry/catalog.h"
#include "tests/unit/folder.h"

/** What the shipped schema and transform say, in short. */
extern const char pipeline_schema[];
extern const char pipeline_transform[];

#define PIPELINE_GOOD_DETAIL "{\"interaction\":{\"id\":\"i\",\"start_time\":\"t\"}}"

/** The record of that. */
#define PIPELINE_GOOD_RECORD "{\"interaction_id\":\"i\",\"customer_name\":null,\"attributes\":{}}"

/** What is said when its id is a number, without braces. */
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
};

/** Prepare; `registry` NULL: the folder's. Has Registry/Schema and the transform, no route yet. */
void pipeline_init(struct pipeline *pipeline, const struct registry *registry);

/** The same with a guard that warns. */
void pipeline_init_guarded(struct pipeline *pipeline, const struct registry *registry);

/** Add a route; what is NULL in `options` is Registry, Schema, /detail, /id and the transform. */
void pipeline_add_route(struct pipeline *pipeline, const struct route_options *options);

/** Load the schemas; `options` without routes and catalog, 0 in it means the documented default. */
void pipeline_start(struct pipeline *pipeline, const struct events_options *options);

/** All three, with one route for everything. */
void pipeline_init_default(struct pipeline *pipeline, const struct events_options *options);

/** POST `body`; checks what holds for any answer. The response lasts until the next call. */
void pipeline_post(struct pipeline *pipeline, struct str body, struct response *response);

/** POST `body` and check status and body of the answer. */
void pipeline_check_post(struct pipeline *pipeline, const char *body, int status,
                         const char *answer);

void pipeline_done(struct pipeline *pipeline);

/** Say in the folder what a schema's definition is. */
void pipeline_write_schema(const struct pipeline *pipeline, const char *name, const char *text);

/** A request without headers. */
struct request pipeline_request(struct arena *arena, struct str body);
