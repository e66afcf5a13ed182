/*
 * registry.c - see registry.h: what all registries share.
 */
#include "schema/registry/registry.h"

#include <string.h>

#include "base/memory.h"

void schema_definition_done(struct schema_definition *definition)
{
    mem_free((void *)definition->text.ptr);
    definition->text = STR_NONE;
}

bool registry_fail_not_found(struct error *err, const char *registry, const char *schema)
{
    return fail(err, ERR_NOT_FOUND, "Schema %s not found in registry %s", schema, registry);
}

bool registry_fail_empty(struct error *err)
{
    return fail(err, ERR_INVALID, "Schema definition is empty in Glue Registry");
}

/* Cut the `index`-th ": " of the text and everything after it. */
static void cut_at(struct error *err, size_t index)
{
    char *at = strstr(err->text, ": ");

    while (at && index-- > 0)
        at = strstr(at + 1, ": ");
    if (at)
        *at = '\0';
}

void registry_cut_for_senders(struct error *err)
{
    switch (err->code) {
    case ERR_UNREACHABLE:
        cut_at(err, 1); /* the text is: the kind of failure, its cause, details */
        break;
    case ERR_THROTTLED:
    case ERR_DENIED:
        cut_at(err, 0);
        break;
    case ERR_SYSTEM:
    case ERR_CONFIG:
        (void)fail(err, err->code, "the schema registry cannot be used");
        break;
    default:
        break;
    }
}

bool registry_is_blank(struct str text)
{
    for (size_t i = 0; i < text.len; i++)
        if (!strchr(" \t\r\n", text.ptr[i]) || text.ptr[i] == '\0')
            return false;
    return true;
}
