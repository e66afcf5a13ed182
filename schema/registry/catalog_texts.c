/*
 * catalog_texts.c - the texts of a schema's versions, for operators: the live one, the one before,
 * and the one that the guard holds back. They are in memory only, and known since the start.
 */
#include <string.h>

#include "base/clock.h"
#include "base/member.h"
#include "base/memory.h"
#include "schema/registry/catalog_internal.h"

enum { SHOWN_MAX = 1024 * 1024 }; /* bytes of a text; Glue's own limit is 170 KB */

static void move_definition(struct schema_definition *target, struct schema_definition *with)
{
    schema_definition_done(target);
    *target = *with;
    *with = (struct schema_definition){ 0 };
}

void catalog_note_live(struct catalog_entry *entry, const struct schema_definition *definition,
                       struct schema_definition *old)
{
    if (strcmp(entry->since_version, definition->version) == 0) {
        schema_definition_done(old);
        return;
    }
    memcpy(entry->since_version, definition->version, sizeof(entry->since_version));
    entry->since_us = clock_now_us();
    move_definition(&entry->previous, old);
}

void catalog_note_held(struct catalog *catalog, struct catalog_entry *entry,
                       struct schema_definition *definition)
{
    struct schema_definition none = { 0 };

    (void)pthread_mutex_lock(&catalog->mutex);
    move_definition(&entry->held_back, definition ? definition : &none);
    (void)pthread_mutex_unlock(&catalog->mutex);
}

static void copy_definition(struct schema_definition *out, const struct schema_definition *from)
{
    schema_definition_done(out);
    *out = *from;
    if (from->text.ptr)
        out->text.ptr = mem_copy(from->text.ptr, from->text.len);
}

/* A look of the predecessor can replace its definition at the same time. */
void catalog_inherit_texts(struct catalog *predecessor, const struct catalog_entry *other,
                           struct catalog_entry *entry)
{
    (void)pthread_mutex_lock(&predecessor->mutex);
    memcpy(entry->since_version, other->since_version, sizeof(entry->since_version));
    entry->since_us = other->since_us;
    copy_definition(&entry->definition, &other->definition); /* until the first look */
    if (*entry->place.dir)
        copy_definition(&entry->inherited, &other->definition);
    copy_definition(&entry->previous, &other->previous);
    copy_definition(&entry->held_back, &other->held_back);
    (void)pthread_mutex_unlock(&predecessor->mutex);
}

void catalog_free_texts(struct catalog_entry *entry)
{
    schema_definition_done(&entry->previous);
    schema_definition_done(&entry->held_back);
}

static void write_text(struct buf *out, const char *name,
                       const struct schema_definition *definition)
{
    if (!definition->text.ptr) {
        member_json(out, name, STR_NONE);
        return;
    }
    member_open(out, name, '{');
    member_text(out, "version", str_from_c(definition->version));
    member_text(out, "text", definition->text.len <= SHOWN_MAX ? definition->text : STR_NONE);
    buf_add_char(out, '}');
}

static const struct catalog_entry *entry_of(const struct catalog *catalog, struct str registry,
                                            struct str schema)
{
    const struct catalog_entry *entry = catalog->entries;

    for (size_t i = 0; i < catalog->count; i++, entry = entry->next)
        if (str_equal(str_from_c(entry->place.registry), registry) &&
            str_equal(str_from_c(entry->place.schema), schema))
            return entry;
    return NULL;
}

bool catalog_write_texts(struct catalog *catalog, struct str registry, struct str schema,
                         struct buf *out, struct error *err)
{
    const struct catalog_entry *entry = entry_of(catalog, registry, schema);

    if (!entry)
        return fail(err, ERR_NOT_FOUND, "no route has this schema");
    buf_add_char(out, '{');
    (void)pthread_mutex_lock(&catalog->mutex);
    write_text(out, "live", &entry->definition);
    write_text(out, "previous", &entry->previous);
    write_text(out, "held_back", &entry->held_back);
    (void)pthread_mutex_unlock(&catalog->mutex);
    buf_add_char(out, '}');
    return true;
}
