/*
 * health.c - see health.h.
 */
#include "handlers/health.h"

#include <stdatomic.h>

#include "base/flat.h"
#include "base/member.h"
#include "base/memory.h"

enum { BODY_MAX = 64 * 1024 };

struct health {
    struct catalog *catalog;
    const struct outbox *outbox; /* NULL: no store */
    const char *version;
    bool (*lacks_memory)(void *self); /* NULL: no server has limits */
    void *self;
    atomic_bool draining;
};

struct health *health_create(struct catalog *catalog, const struct outbox *outbox,
                             const char *version)
{
    struct health *health = mem_alloc(sizeof(*health));

    health->catalog = catalog;
    health->outbox = outbox;
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

void health_ask_memory(struct health *health, bool (*lacks_memory)(void *self), void *self)
{
    health->lacks_memory = lacks_memory;
    health->self = self;
}

static const char *memory_trouble(const struct health *health)
{
    return health->lacks_memory && health->lacks_memory(health->self) ? "memory for bodies" : NULL;
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

/* Why the store accepts nothing now; NULL: it does. */
static const char *store_trouble(const struct health *health)
{
    return health->outbox ? outbox_trouble(health->outbox) : NULL;
}

bool health_is_ready(const struct health *health)
{
    struct catalog_status unusable;

    return !atomic_load(&health->draining) && !store_trouble(health) && !memory_trouble(health) &&
           !find_unusable(health, &unusable);
}

/* `,"name":"text"` of a failure, without details that are for operators only; the log has those. */
static void write_failure(struct buf *out, const char *name, const struct error *err)
{
    struct error shown = *err;

    registry_cut_for_senders(&shown);
    member_text(out, name, str_from_c(shown.text));
}

/* The news of a usable schema: the registry's last error, what the guard found. */
static void write_schema_news(struct buf *out, const struct catalog_status *status)
{
    buf_add_char(out, '{');
    member_text(out, "schema", str_from_c(status->schema));
    member_text(out, "version", str_from_c(status->version));
    if (status->error.code != ERR_NONE)
        write_failure(out, "last_error", &status->error);
    if (status->suspect[0]) {
        member_open(out, "guard", '{');
        member_bool(out, "held", !status->suspect_is_live);
        member_text(out, "version", str_from_c(status->suspect));
        member_int(out, "tried", (int64_t)status->finding.tried);
        member_int(out, "refused", (int64_t)status->finding.refused);
        member_text(out, "instanceLocation", str_from_c(status->finding.place.instance_location));
        member_text(out, "keywordLocation", str_from_c(status->finding.place.keyword_location));
        buf_add_char(out, '}');
    }
    buf_add_char(out, '}');
}

/* The check of the schemas, with the reason if one is not usable, and with news if there are any.
 */
static void write_schema_check(struct buf *out, const struct health *health,
                               const struct error *reason)
{
    struct catalog_status status;
    size_t news = 0;

    member_open(out, "schema", '{');
    member_bool(out, "ok", !reason);
    if (reason)
        write_failure(out, "reason", reason);
    for (size_t i = 0; i < catalog_count(health->catalog); i++) {
        catalog_status(health->catalog, i, &status);
        if (!status.usable || (status.error.code == ERR_NONE && !status.suspect[0]))
            continue;
        buf_add(out, news++ ? STR(",") : STR(",\"news\":["));
        write_schema_news(out, &status);
    }
    buf_add(out, news ? STR("]}") : STR("}"));
}

/* `"name":{"ok":true}` or, with a reason, `"name":{"ok":false,"reason":...}`. */
static void write_check(struct buf *out, const char *name, const char *reason)
{
    member_open(out, name, '{');
    member_bool(out, "ok", !reason);
    if (reason)
        member_text(out, "reason", str_from_c(reason));
    buf_add_char(out, '}');
}

static enum handler_step answer_ready(void *self, struct request *request,
                                      struct response *response)
{
    const struct health *health = self;
    struct catalog_status unusable;
    bool has_unusable = find_unusable(health, &unusable);
    bool draining = atomic_load(&health->draining);
    const char *trouble = store_trouble(health);
    const char *memory = memory_trouble(health);
    bool ready = !has_unusable && !trouble && !memory && !draining;
    struct buf *body = arena_buf(request->arena, BODY_MAX);

    buf_printf(body, "{\"ready\":%s,\"checks\":{", ready ? "true" : "false");
    write_schema_check(body, health, has_unusable ? &unusable.error : NULL);
    write_check(body, "store", trouble);
    write_check(body, "draining", draining ? "draining" : NULL);
    if (memory)
        write_check(body, "memory", memory);
    buf_add(body, STR("}}"));
    response->body = buf_str(body);
    response->status = ready ? 200 : 503;
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
        .path = "/",
        .method = HANDLER_GET,
        .handle = answer_root,
        .self = health,
        .is_probe = true,
        .is_quiet = true,
    };
}

struct handler health_live_handler(struct health *health)
{
    return (struct handler){ .path = "/healthz",
                             .method = HANDLER_GET,
                             .handle = answer_live,
                             .self = health,
                             .is_probe = true,
                             .is_quiet = true };
}

struct handler health_ready_handler(struct health *health)
{
    return (struct handler){ .path = "/readyz",
                             .method = HANDLER_GET,
                             .handle = answer_ready,
                             .self = health,
                             .is_probe = true,
                             .is_quiet = true };
}
