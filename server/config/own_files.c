/*
 * own_files.c - the files that the server reads and writes itself: all of them, in one list.
 */
#include "server/config/config_internal.h"

#include "aws/config.h"
#include "base/memory.h"
#include "base/vault.h"
#include "handlers/transform.h"

struct own_files {
    const struct config *config;
    bool has_file_sink; /* otherwise what transforms and AWS name is not looked for */
    struct config_own_file *list;
    size_t count;
    size_t capacity;
};

/* Paths that are not set do not count. */
static void add(struct own_files *files, struct config_own_file file)
{
    if (!*file.path)
        return;
    files->list = mem_grow(files->list, files->count, &files->capacity, sizeof(*files->list));
    files->list[files->count++] = file;
}

/* A file that must be readable; `key` names it. */
static void add_input(struct own_files *files, const char *path, struct str key)
{
    add(files, (struct config_own_file){
                   .path = path, .use = "the configuration is read from it", .key = key });
}

static void add_store(struct own_files *files)
{
    static const char *const endings[] = { "",      "-wal",     "-shm",    "-journal",
                                           ".lock", ".control", ".ballast" };
    const char *path = files->config->store.path;

    for (size_t i = 0; *path && i < COUNT_OF(endings); i++)
        add(files, (struct config_own_file){
                       .path = arena_printf(files->config->arena, "%s%s", path, endings[i]).ptr,
                       .use = "it belongs to the store (store.path)" });
}

/* The folder of the cache belongs to the server; that of the schemas can hold other files. */
static void add_folders(struct own_files *files)
{
    const struct config_registry *registry = &files->config->registry;

    if (config_needs_cache(registry))
        add(files,
            (struct config_own_file){ .path = registry->cache_dir,
                                      .ending = "",
                                      .use = "it is in the schemas' cache (registry.cache_dir)" });
    if (registry->kind == CONFIG_REGISTRY_FILE)
        add(files, (struct config_own_file){ .path = registry->dir,
                                             .ending = ".json",
                                             .use = "it is a schema (registry.dir)" });
}

static void add_schemas(struct own_files *files, const struct config_route *route)
{
    const struct config_registry *registry = &files->config->registry;

    if (registry->kind == CONFIG_REGISTRY_FILE)
        add(files, (struct config_own_file){ .path = arena_printf(files->config->arena,
                                                                  "%s/%s/%s.json", registry->dir,
                                                                  route->registry, route->schema)
                                                         .ptr,
                                             .use = "it is a schema (registry.dir)" });
    add(files, (struct config_own_file){ .path = route->shadow.file,
                                         .use = "it is the shadow schema of a route" });
}

static void add_file_of_transform(void *self, const char *path)
{
    struct own_files *files = self;

    add(files,
        (struct config_own_file){ .path = arena_copy(files->config->arena, str_from_c(path)).ptr,
                                  .use = "a transform reads it" });
}

/* Problems of transforms are reported elsewhere. */
static void ignore_problem(void *self, const char *line)
{
    (void)self;
    (void)line;
}

static void add_transform(struct own_files *files, const char *path, struct str key)
{
    const struct transform_lint lint = { .report = ignore_problem,
                                         .file = add_file_of_transform,
                                         .self = files };
    bool is_known = false; /* several routes can have one transform */

    for (size_t i = 0; i < files->count && !is_known; i++)
        is_known = strcmp(files->list[i].path, path) == 0;
    add_input(files, path, key);
    if (files->has_file_sink && *path && !is_known)
        (void)transform_check(path, &lint);
}

static void add_routes(struct own_files *files)
{
    const struct config *config = files->config;

    for (size_t i = 0; i < config->route_count; i++) {
        add_schemas(files, &config->routes[i]);
        for (size_t j = 0; j < config_output_count(&config->routes[i]); j++)
            add_transform(files, config_output(&config->routes[i], j).transform,
                          config_output_pointer(config, i, j, "transform"));
    }
}

static void add_secrets(struct own_files *files)
{
    const struct config_secrets secrets = config_secrets(files->config);

    for (size_t i = 0; i < secrets.count; i++)
        if (!vault_is_name(secrets.list[i].place))
            add_input(files, secrets.list[i].place, str_from_c(secrets.list[i].pointer));
}

static void add_sink(struct own_files *files, size_t index)
{
    const struct config_sink *sink = &files->config->sinks[index];
    const struct config_client_tls *tls = &sink->tls;
    const struct {
        const char *path;
        const char *key;
    } inputs[] = {
        { sink->ca_file, "ca_file" },        { sink->cert_file, "cert_file" },
        { sink->key_file, "key_file" },      { tls->ca_file, "tls/ca_file" },
        { tls->cert_file, "tls/cert_file" }, { tls->key_file, "tls/key_file" },
    };

    for (size_t i = 0; i < COUNT_OF(inputs); i++)
        add_input(files, inputs[i].path,
                  arena_printf(files->config->arena, "/sinks/%zu/%s", index, inputs[i].key));
}

static void add_file_of_aws(void *self, const char *path)
{
    struct own_files *files = self;

    add(files,
        (struct config_own_file){ .path = arena_copy(files->config->arena, str_from_c(path)).ptr,
                                  .use = "settings or credentials of AWS are read from it" });
}

static bool has_file_sink(const struct config *config)
{
    for (size_t i = 0; i < config->sink_count; i++)
        if (config->sinks[i].kind == CONFIG_SINK_FILE)
            return true;
    return false;
}

void config_list_own_files(struct config *config)
{
    struct own_files files = { .config = config, .has_file_sink = has_file_sink(config) };

    add_store(&files);
    add_folders(&files);
    add_input(&files, config->file, STR_NONE);
    add_input(&files, config->http.tls.cert_file, STR("/http/tls/cert_file"));
    add_input(&files, config->http.tls.key_file, STR("/http/tls/key_file"));
    add_input(&files, config->auth.bearer.jwks_file, STR("/auth/bearer/jwks_file"));
    add_secrets(&files);
    add_routes(&files);
    for (size_t i = 0; i < config->sink_count; i++)
        add_sink(&files, i);
    if (files.has_file_sink)
        aws_config_files(add_file_of_aws, &files);
    config->own_files.list =
        arena_keep(config->arena, files.list, files.count * sizeof(*files.list));
    config->own_files.count = files.count;
    mem_free(files.list);
}
