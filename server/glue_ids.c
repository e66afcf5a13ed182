/*
 * glue_ids.c - see glue_ids.h. A record has the number of its version; Glue knows the UUID.
 */
#include "server/glue_ids.h"

#include <pthread.h>

#include "base/arena.h"
#include "base/chars.h"
#include "base/memory.h"
#include "schema/registry/glue.h"

struct known_id {
    struct str registry;
    struct str schema;
    struct str version;
    uint8_t id[SCHEMA_ID_SIZE];
};

struct glue_ids {
    struct aws_session *session;
    pthread_mutex_t mutex; /* guards the rest */
    struct arena *arena;
    struct known_id *list; /* few: one for each version that records came with */
    size_t count;
    size_t capacity;
};

struct glue_ids *glue_ids_create(struct aws_session *session)
{
    struct glue_ids *ids = mem_alloc(sizeof(*ids));

    ids->session = session;
    ids->arena = arena_create();
    (void)pthread_mutex_init(&ids->mutex, NULL);
    return ids;
}

void glue_ids_destroy(struct glue_ids *ids)
{
    if (!ids)
        return;
    (void)pthread_mutex_destroy(&ids->mutex);
    mem_free(ids->list);
    arena_destroy(ids->arena);
    mem_free(ids);
}

/* Read a UUID as 16 bytes. False: `text` is not a UUID. */
static bool parse_uuid(struct str text, uint8_t id[static SCHEMA_ID_SIZE])
{
    size_t digits = 0;

    if (!glue_is_uuid(text))
        return false;
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] == '-')
            continue;
        id[digits / 2] = (uint8_t)(id[digits / 2] << 4 | char_hex_value(text.ptr[i]));
        digits++;
    }
    return true;
}

static bool is_of(const struct known_id *known, const struct sink_record *record,
                  struct str version)
{
    return str_equal(known->version, version) && str_equal(known->schema, record->origin.schema) &&
           str_equal(known->registry, record->origin.registry);
}

static bool recall(struct glue_ids *ids, const struct sink_record *record, struct str version,
                   uint8_t id[static SCHEMA_ID_SIZE])
{
    bool found = false;

    (void)pthread_mutex_lock(&ids->mutex);
    for (size_t i = 0; i < ids->count && !found; i++) {
        found = is_of(&ids->list[i], record, version);
        if (found)
            memcpy(id, ids->list[i].id, SCHEMA_ID_SIZE);
    }
    (void)pthread_mutex_unlock(&ids->mutex);
    return found;
}

static void remember(struct glue_ids *ids, const struct sink_record *record, struct str version,
                     const uint8_t id[static SCHEMA_ID_SIZE])
{
    (void)pthread_mutex_lock(&ids->mutex);
    ids->list = mem_grow(ids->list, ids->count, &ids->capacity, sizeof(*ids->list));

    struct known_id *known = &ids->list[ids->count++];

    known->registry = arena_copy(ids->arena, record->origin.registry);
    known->schema = arena_copy(ids->arena, record->origin.schema);
    known->version = arena_copy(ids->arena, version);
    memcpy(known->id, id, SCHEMA_ID_SIZE);
    (void)pthread_mutex_unlock(&ids->mutex);
}

/* Ask Glue, without the lock. */
static bool ask(struct glue_ids *ids, const struct sink_record *record, struct str version,
                uint8_t id[static SCHEMA_ID_SIZE], struct error *err)
{
    struct arena *arena = arena_create();
    const struct registry_query query = {
        .registry = arena_copy(arena, record->origin.registry).ptr,
        .schema = arena_copy(arena, record->origin.schema).ptr,
        .version = arena_copy(arena, version).ptr,
    };
    struct glue_version found;
    struct glue *glue = NULL;
    bool ok = glue_create(ids->session, &glue, err);

    if (ok)
        glue_use_operator_texts(glue);
    ok = ok && glue_get_version(glue, &query, arena, &found, err);
    if (ok && !parse_uuid(found.uuid, id))
        ok = fail(err, ERR_INTERNAL, "Glue's answer has no SchemaVersionId");
    glue_destroy(glue);
    arena_destroy(arena);
    return ok;
}

static bool find(void *self, const struct sink_record *record, uint8_t id[static SCHEMA_ID_SIZE],
                 struct error *err)
{
    struct glue_ids *ids = self;
    struct str version = record->origin.schema_version;
    const char *plus = version.len > 0 ? memchr(version.ptr, '+', version.len) : NULL;

    if (plus) /* with references of its own */
        version.len = (size_t)(plus - version.ptr);
    if (version.len == 0)
        return fail(err, ERR_INVALID, "the record has no schema version");
    if (parse_uuid(version, id) || recall(ids, record, version, id))
        return true;
    if (!ask(ids, record, version, id, err))
        return fail_within(err, "Glue header");
    remember(ids, record, version, id);
    return true;
}

struct schema_ids glue_ids_of(struct glue_ids *ids)
{
    return (struct schema_ids){ find, ids };
}
