/*
 * registry_file.c - schema definitions in a folder.
 *
 * A file has no version number, so its version is the beginning of its SHA-256: the same bytes are
 * the same version in any folder. There is one version: the query's version is ignored.
 */
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/memory.h"
#include "base/secret.h"
#include "schema/registry/registry.h"

enum { VERSION_BYTES = 6 };

static void set_version(struct schema_definition *definition)
{
    uint8_t digest[SECRET_DIGEST_SIZE];

    secret_digest(definition->text, digest);
    for (size_t i = 0; i < VERSION_BYTES; i++)
        (void)snprintf(definition->version + 2 * i, 3, "%02x", digest[i]);
}

/* Senders of events see what is wrong, not the paths of files. */
static bool fail_unreadable(struct error *err, const char *registry, const char *schema)
{
    if (errno == ENOENT || errno == ENOTDIR)
        return registry_fail_not_found(err, registry, schema);
    return fail_errno(err, ERR_INVALID, errno, "Schema definition cannot be read");
}

/* The text may be kept for long, so it keeps no room for more. */
static bool finish(struct schema_definition *definition, struct schema_definition *out,
                   struct error *err)
{
    if (registry_is_blank(definition->text)) {
        schema_definition_done(definition);
        return registry_fail_empty(err);
    }
    definition->text.ptr = mem_realloc((char *)definition->text.ptr, definition->text.len + 1);
    set_version(definition);
    *out = *definition;
    return true;
}

bool registry_read_file(const char *path, struct schema_definition *out, struct error *err)
{
    struct schema_definition definition = { 0 };

    return file_read_regular(path, REGISTRY_DEFINITION_MAX, &definition.text, err) &&
           finish(&definition, out, err);
}

static bool registry_file_fetch(void *self, const struct registry_query *query,
                                struct schema_definition *out, struct error *err)
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
        return fail(err, ERR_INVALID, "Schema definition cannot be read");
    return finish(&definition, out, err);
}

/* Files in nested folders; names are relative to `dir`, without ".json". */
struct listing {
    const char *dir;
    bool (*visit)(void *context, const struct registry_query *query);
    void *context;
};

enum { LIST_DEPTH = 4 };

/* "R/a/S" is the schema "a/S" of the registry "R". */
static bool show(const struct listing *listing, const char *name, size_t len)
{
    char registry[PATH_MAX];
    const char *slash = memchr(name, '/', len);

    if (!slash)
        return true;
    (void)snprintf(registry, sizeof(registry), "%.*s", (int)len, name);
    registry[slash - name] = '\0';
    return listing->visit(listing->context, &(struct registry_query){
                                                registry, registry + (slash - name) + 1, NULL });
}

/* NOLINTBEGIN(misc-no-recursion): bounded by LIST_DEPTH */
static bool list_folder(const struct listing *listing, const char *folder, int depth);

static bool list_entry(const struct listing *listing, const char *folder, const char *entry,
                       int depth)
{
    char name[PATH_MAX];
    char path[PATH_MAX];
    struct stat status;
    int len = snprintf(name, sizeof(name), "%s%s%s", folder, *folder ? "/" : "", entry);
    int path_len = snprintf(path, sizeof(path), "%s/%s", listing->dir, name);

    if (entry[0] == '.' || len >= PATH_MAX || path_len >= PATH_MAX || stat(path, &status) != 0)
        return true;
    if (S_ISDIR(status.st_mode))
        return depth == LIST_DEPTH || list_folder(listing, name, depth + 1);
    return !S_ISREG(status.st_mode) || !str_ends_with(str_from_c(name), STR(".json")) ||
           show(listing, name, (size_t)len - strlen(".json"));
}

static bool list_folder(const struct listing *listing, const char *folder, int depth)
{
    char path[PATH_MAX];
    struct dirent **entries;
    bool goes_on = true;
    int len = snprintf(path, sizeof(path), "%s/%s", listing->dir, folder);
    int count = len < PATH_MAX ? scandir(path, &entries, NULL, alphasort) : -1;

    for (int i = 0; i < count; i++) {
        goes_on = goes_on && list_entry(listing, folder, entries[i]->d_name, depth);
        mem_free(entries[i]);
    }
    if (count >= 0)
        mem_free(entries);
    return goes_on;
}
/* NOLINTEND(misc-no-recursion) */

static void registry_file_list(void *self,
                               bool (*visit)(void *context, const struct registry_query *query),
                               void *context)
{
    const struct listing listing = { self, visit, context };

    (void)list_folder(&listing, "", 0);
}

static void registry_file_destroy(void *self)
{
    (void)self; /* borrowed */
}

struct registry registry_file(const char *dir)
{
    return (struct registry){ .fetch = registry_file_fetch,
                              .list = registry_file_list,
                              .destroy = registry_file_destroy,
                              .self = (void *)dir };
}
