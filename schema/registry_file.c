/*
 * registry_file.c - schema definitions in a folder.
 *
 * A file has no version number, so its version is the beginning of its SHA-256: the same bytes are
 * the same version wherever they lie. There is one version, whatever is asked for.
 */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/secret.h"
#include "schema/registry.h"

enum { VERSION_BYTES = 6 };

static void set_version(struct schema_definition *definition)
{
    uint8_t digest[SECRET_DIGEST_SIZE];

    secret_digest(definition->text, digest);
    for (size_t i = 0; i < VERSION_BYTES; i++)
        (void)snprintf(definition->version + 2 * i, 3, "%02x", digest[i]);
}

/* The caller of the event is told what is wrong, not where our files lie. */
static bool fail_unreadable(struct error *err, const char *registry, const char *schema)
{
    if (errno == ENOENT || errno == ENOTDIR)
        return registry_fail_not_found(err, registry, schema);
    return fail_errno(err, ERR_SCHEMA_UNUSABLE, errno, "Schema definition cannot be read");
}

static bool fetch(void *self, const struct registry_query *query, struct schema_definition *out,
                  struct error *err)
{
    const char *registry = query->registry;
    const char *schema = query->schema;
    struct schema_definition definition = { 0 };
    struct error why = { 0 };
    char path[PATH_MAX];
    int len = snprintf(path, sizeof(path), "%s/%s/%s.json", (const char *)self, registry, schema);

    if (len < 0 || (size_t)len >= sizeof(path))
        return registry_fail_not_found(err, registry, schema);
    if (access(path, R_OK) != 0)
        return fail_unreadable(err, registry, schema);
    if (!file_read_regular(path, REGISTRY_DEFINITION_MAX, &definition.text, &why))
        return fail(err, ERR_SCHEMA_UNUSABLE, "Schema definition cannot be read");
    if (registry_is_blank(definition.text)) {
        schema_definition_done(&definition);
        return registry_fail_empty(err);
    }
    set_version(&definition);
    *out = definition;
    return true;
}

static void destroy(void *self)
{
    (void)self; /* borrowed */
}

struct registry registry_file(const char *dir)
{
    return (struct registry){ .fetch = fetch, .destroy = destroy, .self = (void *)dir };
}
