/*
 * files.c - the files that the server itself reads and writes: none is a place for records.
 */
#include "server/config/config_internal.h"

#include <sys/stat.h>
#include <unistd.h>

#include "base/file_name.h"

struct config_strings config_store_files(const struct config *config)
{
    static const char *const endings[] = { "",      "-wal",     "-shm",    "-journal",
                                           ".lock", ".control", ".ballast" };
    const char **files = arena_alloc(config->arena, COUNT_OF(endings) * sizeof(*files));

    if (!*config->store.path)
        return (struct config_strings){ 0 };
    for (size_t i = 0; i < COUNT_OF(endings); i++)
        files[i] = arena_printf(config->arena, "%s%s", config->store.path, endings[i]).ptr;
    return (struct config_strings){ files, COUNT_OF(endings) };
}

static const char *find_store(const struct config *config, const char *path)
{
    struct config_strings files = config_store_files(config);

    for (size_t i = 0; i < files.count; i++)
        if (file_name_is_same(path, files.list[i]))
            return "it belongs to the store (store.path)";
    return NULL;
}

static bool is_schema(const struct config *config, const char *path)
{
    bool is = false;

    for (size_t i = 0; i < config->route_count; i++)
        is = is || file_name_is_same(
                       path, arena_printf(config->arena, "%s/%s/%s.json", config->registry.dir,
                                          config->routes[i].registry, config->routes[i].schema)
                                 .ptr);
    return is;
}

/* The cache is a folder of the server's own; that of the schemas may hold other things. */
static const char *find_registry(const struct config *config, const char *path)
{
    const struct config_registry *registry = &config->registry;

    if (registry->kind == CONFIG_REGISTRY_GLUE && *registry->cache_dir &&
        file_name_is_within(path, registry->cache_dir))
        return "it is in the schemas' cache (registry.cache_dir)";
    if (registry->kind == CONFIG_REGISTRY_FILE && is_schema(config, path))
        return "it is a schema (registry.dir)";
    return NULL;
}

static bool is_same(const char *path, const char *other)
{
    return *other && file_name_is_same(path, other);
}

static bool is_secret(const struct config *config, const char *path)
{
    bool is = is_same(path, config->http.tls.cert_file) ||
              is_same(path, config->http.tls.key_file) ||
              is_same(path, config->auth.bearer.jwks_file);

    for (size_t i = 0; i < config->auth.api_key_count; i++)
        is = is || is_same(path, config->auth.api_keys[i].value_file);
    for (size_t i = 0; i < config->auth.basic_count; i++)
        is = is || is_same(path, config->auth.basic[i].password_file);
    return is;
}

static bool is_sink_file(const struct config *config, const char *path)
{
    bool is = false;

    for (size_t i = 0; i < config->sink_count; i++) {
        const struct config_pairs *secrets = &config->sinks[i].secret_headers;

        is = is || is_same(path, config->sinks[i].ca_file);
        for (size_t j = 0; j < secrets->count; j++)
            is = is || is_same(path, secrets->list[j].value);
    }
    return is;
}

static const char *find_read(const struct config *config, const char *path)
{
    bool is = is_same(path, config->file) || is_secret(config, path) || is_sink_file(config, path);

    for (size_t i = 0; i < config->route_count; i++)
        is = is || is_same(path, config->routes[i].transform);
    return is ? "the configuration is read from it" : NULL;
}

/* The log is written to standard output, and whatever else a command prints. */
static const char *find_output(const char *path)
{
    struct stat info;
    struct stat output;

    for (int fd = STDOUT_FILENO; fd <= STDERR_FILENO; fd++)
        if (fstat(fd, &output) == 0 && S_ISREG(output.st_mode) && stat(path, &info) == 0 &&
            info.st_dev == output.st_dev && info.st_ino == output.st_ino)
            return "the log goes there";
    return NULL;
}

const char *config_file_use(const struct config *config, const char *path)
{
    const char *use = find_store(config, path);

    if (!use)
        use = find_registry(config, path);
    if (!use)
        use = find_read(config, path);
    if (!use)
        use = find_output(path);
    if (!use && file_name_is_in_proc(path))
        use = "it is a name of an open descriptor, not a file of its own";
    return use;
}
