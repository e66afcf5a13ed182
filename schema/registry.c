/*
 * registry.c - what all registries share; see registry.h.
 */
#include "schema/registry.h"

#include "base/memory.h"

void schema_definition_done(struct schema_definition *definition)
{
    mem_free((void *)definition->text.ptr);
    definition->text = STR_NONE;
}

bool registry_fail_not_found(struct error *err, const char *registry, const char *schema)
{
    return fail(err, ERR_SCHEMA_NOT_FOUND, "Schema %s not found in registry %s", schema, registry);
}

bool registry_fail_empty(struct error *err)
{
    return fail(err, ERR_SCHEMA_UNUSABLE, "Schema definition is empty in Glue Registry");
}

bool registry_is_blank(struct str text)
{
    for (size_t i = 0; i < text.len; i++)
        if (!strchr(" \t\r\n", text.ptr[i]) || text.ptr[i] == '\0')
            return false;
    return true;
}
