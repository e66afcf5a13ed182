/*
 * registry_glue.c - schema definitions in the AWS Glue Schema Registry.
 *
 * Only a version that is AVAILABLE and JSON is a definition. Its name is its number, as in
 * Glue's console; the UUID tells it from a version with the same number of a schema that was
 * deleted and created again.
 */
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>

#include "base/memory.h"
#include "schema/registry/glue.h"
#include "schema/registry/registry.h"

struct pool {
    pthread_mutex_t mutex;
    pthread_cond_t change;
    struct glue **free; /* [free_count]: those that are not in use */
    size_t free_count;
    struct glue **all; /* [count] */
    size_t count;
};

static struct glue *acquire(struct pool *pool)
{
    (void)pthread_mutex_lock(&pool->mutex);
    while (pool->free_count == 0)
        (void)pthread_cond_wait(&pool->change, &pool->mutex);

    struct glue *glue = pool->free[--pool->free_count];

    (void)pthread_mutex_unlock(&pool->mutex);
    return glue;
}

static void release(struct pool *pool, struct glue *glue)
{
    (void)pthread_mutex_lock(&pool->mutex);
    pool->free[pool->free_count++] = glue;
    (void)pthread_cond_signal(&pool->change);
    (void)pthread_mutex_unlock(&pool->mutex);
}

static struct str or_unknown(struct str text)
{
    return text.len > 0 ? text : STR("unknown");
}

/* Is the version AVAILABLE, and JSON? */
static bool check_kind(const struct glue_version *version, struct error *err)
{
    if (!str_equal(version->status, STR("AVAILABLE")))
        return fail(err, ERR_INVALID, "Schema version %" PRId64 " is %.*s, not AVAILABLE",
                    version->number, STR_ARG(or_unknown(version->status)));
    if (!str_equal(version->format, STR("JSON")))
        return fail(err, ERR_INVALID, "Schema format is %.*s, not JSON",
                    STR_ARG(or_unknown(version->format)));
    return true;
}

static bool check_content(const struct glue_version *version, struct error *err)
{
    if (registry_is_blank(version->definition))
        return registry_fail_empty(err);
    if (version->definition.len > REGISTRY_DEFINITION_MAX)
        return fail(err, ERR_INVALID, "Schema definition is over %d bytes",
                    REGISTRY_DEFINITION_MAX);
    if (version->number < 1 || version->uuid.len >= REGISTRY_VERSION_SIZE)
        return fail(err, ERR_INVALID, "Schema version has no number");
    return true;
}

static bool registry_glue_fetch(void *self, const struct registry_query *query,
                                struct schema_definition *out, struct error *err)
{
    struct pool *pool = self;
    struct glue *glue = acquire(pool);
    struct arena *arena = arena_create();
    struct glue_version version;
    bool ok = glue_get_version(glue, query, arena, &version, err) && check_kind(&version, err) &&
              check_content(&version, err);

    if (ok) {
        out->text = (struct str){ mem_copy(version.definition.ptr, version.definition.len),
                                  version.definition.len };
        (void)snprintf(out->version, sizeof(out->version), "%" PRId64, version.number);
        (void)snprintf(out->uuid, sizeof(out->uuid), "%.*s", STR_ARG(version.uuid));
    }
    if (!ok)
        (void)snprintf(out->said, sizeof(out->said), "%s", glue_said(glue));
    arena_destroy(arena);
    release(pool, glue);
    return ok;
}

static void registry_glue_interrupt(void *self)
{
    struct pool *pool = self;

    for (size_t i = 0; i < pool->count; i++)
        glue_interrupt(pool->all[i]);
}

static void registry_glue_destroy(void *self)
{
    struct pool *pool = self;

    for (size_t i = 0; i < pool->count; i++)
        glue_destroy(pool->all[i]);
    mem_free(pool->all);
    mem_free(pool->free);
    (void)pthread_cond_destroy(&pool->change);
    (void)pthread_mutex_destroy(&pool->mutex);
    mem_free(pool);
}

bool registry_glue(struct aws_session *session, size_t clients, struct registry *out,
                   struct error *err)
{
    struct pool *pool = mem_alloc(sizeof(*pool));

    (void)pthread_mutex_init(&pool->mutex, NULL);
    (void)pthread_cond_init(&pool->change, NULL);
    pool->all = mem_alloc_array(clients, sizeof(struct glue *));
    pool->free = mem_alloc_array(clients, sizeof(struct glue *));
    for (; pool->count < clients; pool->count++) {
        if (!glue_create(session, &pool->all[pool->count], err)) {
            registry_glue_destroy(pool);
            return false;
        }
        pool->free[pool->free_count++] = pool->all[pool->count];
    }
    *out = (struct registry){ .fetch = registry_glue_fetch,
                              .interrupt = registry_glue_interrupt,
                              .destroy = registry_glue_destroy,
                              .self = pool,
                              .is_glue = true };
    return true;
}
