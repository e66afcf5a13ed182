/*
 * health.c - see health.h.
 */
#include "handlers/health.h"

#include <stdatomic.h>

#include "base/json.h"
#include "base/memory.h"

enum { BODY_MAX = 64 * 1024 };

struct health {
    struct catalog *catalog;
    const char *version;
    atomic_bool draining;
};

struct health *health_create(struct catalog *catalog, const char *version)
{
    struct health *health = mem_alloc(sizeof(*health));

    health->catalog = catalog;
    health->version = version;
    atomic_init(&health->draining, false);
    return health;
}

void health_destroy(struct health *health)
{
    mem_free(health);
}

void health_set_draining(struct health *health)
{
    atomic_store(&health->draining, true);
}

/* The first schema that has no usable version; false when all have one. */
static bool find_unusable(const struct health *health, struct catalog_status *out)
{
    for (size_t i = 0; i < catalog_count(health->catalog); i++) {
        catalog_status(health->catalog, i, out);
        if (!out->usable)
            return true;
    }
    return false;
}

bool health_is_ready(const struct health *health)
{
    struct catalog_status unusable;

    return !atomic_load(&health->draining) && !find_unusable(health, &unusable);
}

/* `"name":{"ok":true}` or, with a reason, `"name":{"ok":false,"reason":...}`. */
static void write_check(struct buf *out, const char *name, const char *reason)
{
    buf_printf(out, "\"%s\":{\"ok\":%s", name, reason ? "false" : "true");
    if (reason) {
        buf_add(out, STR(",\"reason\":"));
        json_write_string(out, str_from_c(reason));
    }
    buf_add_char(out, '}');
}

static enum handler_step answer_ready(void *self, struct request *request,
                                      struct response *response)
{
    const struct health *health = self;
    struct catalog_status unusable;
    bool has_unusable = find_unusable(health, &unusable);
    bool draining = atomic_load(&health->draining);
    struct buf *body = arena_buf(request->arena, BODY_MAX);

    buf_printf(body, "{\"ready\":%s,\"checks\":{", !has_unusable && !draining ? "true" : "false");
    write_check(body, "schema", has_unusable ? unusable.error.text : NULL);
    buf_add_char(body, ',');
    write_check(body, "store", NULL);
    buf_add_char(body, ',');
    write_check(body, "draining", draining ? "draining" : NULL);
    buf_add(body, STR("}}"));
    response->body = buf_str(body);
    response->status = !has_unusable && !draining ? 200 : 503;
    response->retry_after_seconds = response->status == 503;
    return HANDLER_DONE;
}

static enum handler_step answer_live(void *self, struct request *request, struct response *response)
{
    (void)self;
    (void)request;
    response->status = 200;
    response->body = STR("{\"status\":\"ok\"}");
    return HANDLER_DONE;
}

static enum handler_step answer_root(void *self, struct request *request, struct response *response)
{
    const struct health *health = self;

    response->status = 200;
    response->body =
        arena_printf(request->arena, "{\"name\":\"sluice\",\"version\":\"%s\"}", health->version);
    return HANDLER_DONE;
}

struct handler health_root_handler(struct health *health)
{
    return (struct handler){
        .path = "/", .method = HANDLER_GET, .handle = answer_root, .self = health
    };
}

struct handler health_live_handler(struct health *health)
{
    return (struct handler){
        .path = "/healthz", .method = HANDLER_GET, .handle = answer_live, .self = health
    };
}

struct handler health_ready_handler(struct health *health)
{
    return (struct handler){
        .path = "/readyz", .method = HANDLER_GET, .handle = answer_ready, .self = health
    };
}
