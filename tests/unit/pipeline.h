/*
 * pipeline.h - POST /events without a server: a registry in a temporary folder or of the test, with
 * routes, transforms and answers as in the program.
 */
#pragma once

#include <stdatomic.h>

#include "base/arena.h"
#include "handlers/events.h"
#include "handlers/route.h"
#include "schema/registry/catalog.h"
#include "tests/unit/folder.h"

/** A short form of the shipped schema and transform. */
extern const char pipeline_schema[];
extern const char pipeline_transform[];

#define PIPELINE_GOOD_DETAIL "{\"interaction\":{\"id\":\"i\",\"start_time\":\"t\"}}"

/** The record of PIPELINE_GOOD_DETAIL. */
#define PIPELINE_GOOD_RECORD "{\"interaction_id\":\"i\",\"customer_name\":null,\"attributes\":{}}"

/** The members of the refusal when the id is a number. */
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
    struct request *(*detach)(struct request *request); /* NULL: it cannot be detached */
    atomic_int woken;
};

/** `registry` NULL: the folder's. There are Registry/Schema and the transform, but no route. */
void pipeline_init(struct pipeline *pipeline, const struct registry *registry);

/** The same with a guard that warns. */
void pipeline_init_guarded(struct pipeline *pipeline, const struct registry *registry);

/** Add a route. NULL in `options` means Registry, Schema, /detail, /id, the transform. */
void pipeline_add_route(struct pipeline *pipeline, const struct route_options *options);

/** Load the schemas. `options` has no routes and no catalog; 0 in it means the default. */
void pipeline_start(struct pipeline *pipeline, const struct events_options *options);

/** The three functions above, with one route for all events. */
void pipeline_init_default(struct pipeline *pipeline, const struct events_options *options);

/** POST `body`, and check what holds for any answer. The response is valid until the next call. */
void pipeline_post(struct pipeline *pipeline, struct str body, struct response *response);

/** POST `body` and check status and body of the answer. */
void pipeline_check_post(struct pipeline *pipeline, const char *body, int status,
                         const char *answer);

/** Call the handler with `body`, as the server does. The rest is in `request` and `response`. */
enum handler_step pipeline_handle(struct pipeline *pipeline, struct str body);

/** Resume the request of pipeline_handle(). */
enum handler_step pipeline_resume(struct pipeline *pipeline, enum resume_reason reason);

/** Resume it at each wake-up until it is answered. False: it is not, within the patience of a test.
 */
bool pipeline_await_answer(struct pipeline *pipeline);

void pipeline_done(struct pipeline *pipeline);

/** Write a schema into the folder. */
void pipeline_write_schema(const struct pipeline *pipeline, const char *name, const char *text);

/** A request without headers. */
struct request pipeline_request(struct arena *arena, struct str body);
