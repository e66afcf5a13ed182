/*
 * pipeline.c - see pipeline.h.
 */
#include "tests/unit/pipeline.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "tests/unit/test.h"
#include "tests/unit/wait.h"

const char pipeline_schema[] =
    "{\"type\":\"object\",\"properties\":{\"interaction\":{\"type\":\"object\",\"properties\":{"
    "\"id\":{\"type\":\"string\"},\"start_time\":{\"type\":\"string\"},\"channel_type\":{\"type\":"
    "\"string\"},\"routing\":{\"type\":\"object\"},\"customer\":{\"type\":\"object\"}},"
    "\"required\":[\"id\",\"start_time\"]}},\"required\":[\"interaction\"]}";

const char pipeline_transform[] =
    "fields:\n"
    "  - { name: interaction_id, from: /interaction/id, required: missing interaction.id }\n"
    "  - { name: customer_name,  from: /interaction/customer/name, default: null }\n"
    "  - { name: attributes,     from: /interaction/attributes, default: {} }\n";

static const char *or_else(const char *text, const char *otherwise)
{
    return text ? text : otherwise;
}

static void init(struct pipeline *pipeline, const struct registry *registry,
                 enum catalog_guard guard)
{
    *pipeline = (struct pipeline){ 0 };
    folder_init(&pipeline->folder);
    folder_path(&pipeline->folder, "schemas", pipeline->schemas);
    folder_path(&pipeline->folder, "transform.yaml", pipeline->transform);
    folder_write(&pipeline->folder, "transform.yaml", str_from_c(pipeline_transform));
    pipeline_write_schema(pipeline, "Schema", pipeline_schema);
    pipeline->routes = routes_create();
    pipeline->catalog = catalog_create(&(struct catalog_options){
        .registry = registry ? *registry : registry_file(pipeline->schemas),
        .refresh_us = 2000,
        .guard = guard,
        .guard_samples = 10,
    });
}

void pipeline_init(struct pipeline *pipeline, const struct registry *registry)
{
    init(pipeline, registry, CATALOG_GUARD_OFF);
}

void pipeline_init_guarded(struct pipeline *pipeline, const struct registry *registry)
{
    init(pipeline, registry, CATALOG_GUARD_WARN);
}

void pipeline_add_route(struct pipeline *pipeline, const struct route_options *options)
{
    const struct route_output_options output = { pipeline->transform, OUTBOX_EVERY_SINK };
    struct route_options all = *options;
    struct error err = { 0 };

    all.registry = or_else(all.registry, "Registry");
    all.schema = or_else(all.schema, "Schema");
    all.payload = or_else(all.payload, "/detail");
    all.id = or_else(all.id, "/id");
    all.outputs = all.outputs ? all.outputs : &output;
    all.output_count = all.output_count ? all.output_count : 1;
    all.name = or_else(all.name, "route");

    bool ok = routes_add(pipeline->routes, &all, pipeline->catalog, &err);

    if (!ok)
        (void)fprintf(stderr, "%s\n", err.text);
    assert(ok);
}

void pipeline_start(struct pipeline *pipeline, const struct events_options *options)
{
    struct events_options all = *options;

    all.routes = pipeline->routes;
    all.catalog = pipeline->catalog;
    all.max_batch = all.max_batch ? all.max_batch : 500;
    all.max_errors = all.max_errors ? all.max_errors : 20;
    catalog_load(pipeline->catalog);
    pipeline->events = events_create(&all);
}

void pipeline_init_default(struct pipeline *pipeline, const struct events_options *options)
{
    pipeline_init(pipeline, NULL);
    pipeline_add_route(pipeline, &(struct route_options){ 0 });
    pipeline_start(pipeline, options);
}

static struct str no_header(const void *connection, const char *name)
{
    (void)connection;
    (void)name;
    return STR_NONE;
}

struct request pipeline_request(struct arena *arena, struct str body)
{
    return (struct request){
        .arena = arena,
        .method = STR("POST"),
        .path = STR("/events"),
        .body = body,
        .id = STR("request-1"),
        .header = no_header,
    };
}

/* Each answer is JSON. Only a 503 has Retry-After. */
static void check_answer(const struct response *response)
{
    const struct flat_options options = { .max_depth = JSON_DEPTH_LIMIT };
    struct arena *arena = arena_create();
    const struct flat *answer = NULL;
    struct error err = { 0 };

    CHECK(response->status == 200 || response->status == 400 || response->status == 500 ||
          response->status == 503);
    CHECK(flat_read(arena, response->body, &options, &answer, &err));
    CHECK((response->status == 503) == (response->retry_after_seconds >= 1));
    CHECK(!response->content_type && !response->www_authenticate && !response->duplicate);
    arena_destroy(arena);
}

void pipeline_post(struct pipeline *pipeline, struct str body, struct response *response)
{
    arena_destroy(pipeline->arena);
    pipeline->arena = arena_create();
    *response = (struct response){ 0 };

    /* As in the server, the body is gone when the answer and the log line are written. */
    char *copy = mem_copy(body.len ? body.ptr : "", body.len);
    struct request request = pipeline_request(pipeline->arena, (struct str){ copy, body.len });

    events_answer(pipeline->events, &request, NULL, response);
    memset(copy, 'x', body.len);
    mem_free(copy);
    check_answer(response);
}

void pipeline_check_post(struct pipeline *pipeline, const char *body, int status,
                         const char *answer)
{
    struct response response;

    pipeline_post(pipeline, str_from_c(body), &response);
    CHECK_INT(response.status, status);
    CHECK_STR(response.body, answer);
}

static void count_wake(struct waker waker)
{
    struct pipeline *pipeline = waker.target;

    atomic_fetch_add(&pipeline->woken, 1);
}

enum handler_step pipeline_handle(struct pipeline *pipeline, struct str body)
{
    struct handler handler = events_handler(pipeline->events);

    arena_destroy(pipeline->arena);
    pipeline->arena = arena_create();
    pipeline->request = pipeline_request(pipeline->arena, body);
    pipeline->request.waker = (struct waker){ .wake = count_wake, .target = pipeline };
    pipeline->request.detach = pipeline->detach;
    pipeline->request.is_bundle = pipeline->is_bundle;
    pipeline->response = (struct response){ 0 };
    atomic_store(&pipeline->woken, 0);
    return handler.handle(handler.self, &pipeline->request, &pipeline->response);
}

enum handler_step pipeline_resume(struct pipeline *pipeline, enum resume_reason reason)
{
    struct handler handler = events_handler(pipeline->events);

    return handler.resume(handler.self, &pipeline->request, &pipeline->response, reason);
}

/* A wake-up does not prove that there is an answer: it may be a late one of an earlier request. */
static bool is_answered(void *self)
{
    struct pipeline *pipeline = self;

    return atomic_exchange(&pipeline->woken, 0) > 0 &&
           pipeline_resume(pipeline, HANDLER_WOKEN) == HANDLER_DONE;
}

bool pipeline_await_answer(struct pipeline *pipeline)
{
    return wait_until(is_answered, pipeline);
}

void pipeline_done(struct pipeline *pipeline)
{
    arena_destroy(pipeline->arena);
    events_destroy(pipeline->events);
    routes_destroy(pipeline->routes);
    catalog_destroy(pipeline->catalog);
    folder_done(&pipeline->folder);
}

void pipeline_write_schema(const struct pipeline *pipeline, const char *name, const char *text)
{
    char path[FOLDER_PATH_SIZE];
    int len = snprintf(path, sizeof(path), "schemas/Registry/%s.json", name);

    assert(len > 0 && (size_t)len < sizeof(path));
    folder_write(&pipeline->folder, path, str_from_c(text));
}
