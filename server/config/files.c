/*
 * files.c - the files that a configuration names: whether they can be read and written, and which
 * of them no sink may write to.
 */
#include "server/config/config_internal.h"

#include <errno.h>
#include <limits.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file_name.h"
#include "base/vault.h"

/* A file that the server reads. */
struct input_file {
    const char *path; /* "": the key is not set */
    struct str pointer;
    bool is_of_sink;
};

struct input_files {
    struct input_file *list;
    size_t count;
};

static void add_input(struct input_files *files, const char *path, struct str pointer)
{
    files->list[files->count++] = (struct input_file){ .path = path, .pointer = pointer };
}

static void add_sink_inputs(struct input_files *files, const struct config *config, size_t index)
{
    const struct config_sink *sink = &config->sinks[index];
    struct arena *arena = config->arena;
    size_t first = files->count;

    add_input(files, sink->ca_file, arena_printf(arena, "/sinks/%zu/ca_file", index));
    add_input(files, sink->cert_file, arena_printf(arena, "/sinks/%zu/cert_file", index));
    add_input(files, sink->key_file, arena_printf(arena, "/sinks/%zu/key_file", index));
    add_input(files, sink->tls.ca_file, arena_printf(arena, "/sinks/%zu/tls/ca_file", index));
    add_input(files, sink->tls.cert_file, arena_printf(arena, "/sinks/%zu/tls/cert_file", index));
    add_input(files, sink->tls.key_file, arena_printf(arena, "/sinks/%zu/tls/key_file", index));
    for (size_t i = first; i < files->count; i++)
        files->list[i].is_of_sink = true;
}

static void add_secrets(struct input_files *files, const struct config_secrets *secrets)
{
    for (size_t i = 0; i < secrets->count; i++) {
        const struct config_secret *secret = &secrets->list[i];

        if (vault_is_name(secret->place))
            continue;
        add_input(files, secret->place, str_from_c(secret->pointer));
        files->list[files->count - 1].is_of_sink = secret->is_of_sink;
    }
}

/* All of them, except the schemas and the configuration itself. */
static struct input_files list_inputs(const struct config *config)
{
    enum { SINGLE = 3, OF_SINK = 6 };
    const struct config_auth *auth = &config->auth;
    const struct config_secrets secrets = config_secrets(config);
    struct arena *arena = config->arena;
    struct input_files files = { 0 };
    size_t max = SINGLE + secrets.count + config->route_count + config->sink_count * OF_SINK;

    for (size_t i = 0; i < config->route_count; i++)
        max += config->routes[i].outputs.count;
    files.list = arena_alloc(arena, max * sizeof(*files.list));
    add_input(&files, config->http.tls.cert_file, STR("/http/tls/cert_file"));
    add_input(&files, config->http.tls.key_file, STR("/http/tls/key_file"));
    add_input(&files, auth->bearer.jwks_file, STR("/auth/bearer/jwks_file"));
    add_secrets(&files, &secrets);
    for (size_t i = 0; i < config->route_count; i++)
        for (size_t j = 0; j < config_output_count(&config->routes[i]); j++)
            add_input(&files, config_output(&config->routes[i], j).transform,
                      config_output_pointer(config, i, j, "transform"));
    for (size_t i = 0; i < config->sink_count; i++)
        add_sink_inputs(&files, config, i);
    return files;
}

/* What the server does with a file. */

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

static bool is_shadow(const struct config *config, const char *path)
{
    bool is = false;

    for (size_t i = 0; i < config->route_count; i++)
        is = is || (*config->routes[i].shadow.file &&
                    file_name_is_same(path, config->routes[i].shadow.file));
    return is;
}

/* Of a route, or one that schemas may refer to. */
static bool is_schema(const struct config *config, const char *path)
{
    bool is = str_ends_with(str_from_c(path), STR(".json")) &&
              file_name_is_within(path, config->registry.dir);

    for (size_t i = 0; i < config->route_count; i++)
        is = is || file_name_is_same(
                       path, arena_printf(config->arena, "%s/%s/%s.json", config->registry.dir,
                                          config->routes[i].registry, config->routes[i].schema)
                                 .ptr);
    return is;
}

/* A file needs a copy only when the guard may hold its new version back over a restart. */
bool config_needs_cache(const struct config_registry *registry)
{
    return registry->kind == CONFIG_REGISTRY_GLUE || registry->guard == CONFIG_GUARD_ENFORCE;
}

/* The cache folder belongs to the server. The schemas' folder can hold other files. */
static const char *find_registry(const struct config *config, const char *path)
{
    const struct config_registry *registry = &config->registry;

    if (config_needs_cache(registry) && *registry->cache_dir &&
        file_name_is_within(path, registry->cache_dir))
        return "it is in the schemas' cache (registry.cache_dir)";
    if (registry->kind == CONFIG_REGISTRY_FILE && is_schema(config, path))
        return "it is a schema (registry.dir)";
    if (is_shadow(config, path))
        return "it is the shadow schema of a route";
    return NULL;
}

static const char *find_input(const struct config *config, const char *path)
{
    struct input_files files = list_inputs(config);
    bool is = *config->file && file_name_is_same(path, config->file);

    for (size_t i = 0; i < files.count && !is; i++)
        is = *files.list[i].path && file_name_is_same(path, files.list[i].path);
    return is ? "the configuration is read from it" : NULL;
}

/* Standard output and standard error: the log, and what commands print. */
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
        use = find_input(config, path);
    if (!use)
        use = find_output(path);
    if (!use && file_name_is_in_proc(path))
        use = "it is a name of an open descriptor, not a file of its own";
    return use;
}

/* Checks. */

static void check_input(struct settings *settings, const struct input_file *file)
{
    struct error err;
    char folder[PATH_MAX];
    int problem;

    if (!*file->path || access(file->path, R_OK) == 0)
        return;
    problem = errno;
    (void)fail_errno(&err, ERR_SYSTEM, problem, "%s", file->path);
    if (problem == ENOENT && *file->path != '/' && getcwd(folder, sizeof(folder)))
        settings_complain(settings, file->pointer, "%s (relative to %s)", err.text, folder);
    else
        settings_complain(settings, file->pointer, "%s", err.text);
}

/* The folder of `path`; "" is the working directory. */
static const char *folder_of(struct arena *arena, const char *path)
{
    const char *slash = strrchr(path, '/');

    if (slash == path)
        return "/";
    return arena_copy(arena, (struct str){ path, slash ? (size_t)(slash - path) : 0 }).ptr;
}

/* Is it a device, a pipe or a socket? They have no end, or keep nothing. */
static bool is_no_file(const char *path)
{
    struct stat info;

    return stat(path, &info) == 0 && !S_ISREG(info.st_mode) && !S_ISDIR(info.st_mode);
}

/* Can a file be created at `path`, with its folders? Otherwise sets errno. */
static bool can_be_made(struct arena *arena, const char *path)
{
    for (;;) {
        const char *folder = folder_of(arena, path);
        struct stat info;

        if (stat(*folder ? folder : ".", &info) == 0) {
            errno = ENOTDIR;
            return S_ISDIR(info.st_mode) && access(*folder ? folder : ".", W_OK | X_OK) == 0;
        }
        if (errno != ENOENT || !*folder)
            return false;
        path = folder;
    }
}

static bool can_be_written(struct arena *arena, const char *path)
{
    struct stat info;

    if (stat(path, &info) != 0)
        return errno == ENOENT && can_be_made(arena, path);
    errno = EISDIR;
    return S_ISREG(info.st_mode) && access(path, R_OK | W_OK) == 0 && can_be_made(arena, path);
}

static void check_output(struct settings *settings, const struct config *config, size_t index)
{
    const char *path = config->sinks[index].path;
    struct error err;

    if (config->sinks[index].kind != CONFIG_SINK_FILE || !*path || config_file_use(config, path))
        return;
    if (is_no_file(path))
        (void)fail(&err, ERR_SYSTEM, "%s: not a regular file", path);
    else if (!can_be_written(config->arena, path))
        (void)fail_errno(&err, ERR_SYSTEM, errno, "%s", path);
    else
        return;
    settings_complain(settings, arena_printf(config->arena, "/sinks/%zu/path", index), "%s",
                      err.text);
}

void config_check_files(struct settings *settings, const struct config *config,
                        enum config_files which)
{
    struct input_files files = list_inputs(config);

    for (size_t i = 0; i < files.count; i++)
        if (which == CONFIG_FILES_ALL || !files.list[i].is_of_sink)
            check_input(settings, &files.list[i]);
    for (size_t i = 0; which == CONFIG_FILES_ALL && i < config->sink_count; i++)
        check_output(settings, config, i);
}
