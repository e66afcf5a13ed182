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

/* Standard output and standard error: the log, and what commands print. */
static bool is_output(const char *path)
{
    struct stat info;
    struct stat output;

    for (int fd = STDOUT_FILENO; fd <= STDERR_FILENO; fd++)
        if (fstat(fd, &output) == 0 && S_ISREG(output.st_mode) && stat(path, &info) == 0 &&
            info.st_dev == output.st_dev && info.st_ino == output.st_ino)
            return true;
    return false;
}

static bool is_own(const struct config_own_file *own, const char *path)
{
    return own->ending ? file_name_is_within(path, own->path, own->ending)
                       : file_name_is_same(path, own->path);
}

const char *config_file_use(struct settings *settings, const struct config *config,
                            const char *path)
{
    for (size_t i = 0; i < config->own_files.count; i++)
        if (is_own(&config->own_files.list[i], path))
            return config->own_files.list[i].use;
    if (settings_reads(settings, path))
        return "the configuration is read from it";
    if (is_output(path))
        return "the log goes there";
    return file_name_is_in_proc(path) ? "it is a name of an open descriptor, not a file of its own"
                                      : NULL;
}

static void check_input(struct settings *settings, const struct config_own_file *file)
{
    struct error err;
    char folder[PATH_MAX];
    int problem;

    if (!file->key.ptr || access(file->path, R_OK) == 0)
        return;
    problem = errno;
    (void)fail_errno(&err, ERR_SYSTEM, problem, "%s", file->path);
    if (problem == ENOENT && *file->path != '/' && getcwd(folder, sizeof(folder)))
        settings_complain(settings, file->key, "%s (relative to %s)", err.text, folder);
    else
        settings_complain(settings, file->key, "%s", err.text);
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
    struct str pointer = arena_printf(config->arena, "/sinks/%zu/path", index);
    struct error err;

    if (config->sinks[index].kind != CONFIG_SINK_FILE || !*path ||
        settings_has_problem(settings, pointer))
        return;
    if (is_no_file(path))
        (void)fail(&err, ERR_SYSTEM, "%s: not a regular file", path);
    else if (!can_be_written(config->arena, path))
        (void)fail_errno(&err, ERR_SYSTEM, errno, "%s", path);
    else
        return;
    settings_complain(settings, pointer, "%s", err.text);
}

void config_check_files(struct settings *settings, const struct config *config,
                        enum config_files which)
{
    for (size_t i = 0; i < config->own_files.count; i++) {
        const struct config_own_file *file = &config->own_files.list[i];

        if (which == CONFIG_FILES_ALL || !str_starts_with(file->key, STR("/sinks/")))
            check_input(settings, file);
    }
    for (size_t i = 0; which == CONFIG_FILES_ALL && i < config->sink_count; i++)
        check_output(settings, config, i);
}
