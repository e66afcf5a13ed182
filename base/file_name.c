/*
 * file_name.c - see file_name.h.
 */
#include "base/file_name.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/str.h"

enum { MOST_LINKS = 40 }; /* the limit of the kernel */

/* A path. One that is too long is cut: there is no such file. */
struct name {
    char text[PATH_MAX];
};

static struct name join(const char *folder, const char *rest)
{
    struct name out;

    (void)snprintf(out.text, sizeof(out.text), "%s%s%s", folder,
                   str_ends_with(str_from_c(folder), STR("/")) ? "" : "/", rest);
    return out;
}

static const char *last_part(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash ? slash + 1 : path;
}

static struct name folder_of(const char *path)
{
    struct name out = { "." };
    size_t len = (size_t)(last_part(path) - path);

    if (len > 0)
        (void)snprintf(out.text, sizeof(out.text), "%.*s", (int)(len > 1 ? len - 1 : 1), path);
    return out;
}

/* Append one part to a folder that does not exist; `.` and an empty part change nothing. */
static struct name name_step(struct name folder, const char *part)
{
    if (!*part || strcmp(part, ".") == 0)
        return folder;
    return strcmp(part, "..") == 0 ? folder_of(folder.text) : join(folder.text, part);
}

/* A folder without links, dots and doubled slashes. Parts that do not exist are kept as named. */
static struct name name_folder(const char *path)
{
    struct name there; /* the longest part of the path that exists */
    struct name out;
    const char *rest;

    (void)snprintf(there.text, sizeof(there.text), "%s", path);
    while (!realpath(there.text, out.text)) {
        if (strcmp(there.text, ".") == 0)
            return there; /* the working directory was removed */
        there = folder_of(there.text);
    }
    rest = strcmp(there.text, ".") == 0 ? path : path + strlen(there.text);
    while (*rest) {
        struct name part;
        size_t len = strcspn(rest, "/");

        (void)snprintf(part.text, sizeof(part.text), "%.*s", (int)len, rest);
        out = name_step(out, part.text);
        rest += len + (rest[len] == '/');
    }
    return out;
}

/* Resolve links of the last part, too. `in_proc`: one of the names, or the last one, is in /proc.
 */
static struct name resolve(const char *path, bool *in_proc)
{
    struct name out = { "" };

    (void)snprintf(out.text, sizeof(out.text), "%s", path);
    *in_proc = false;
    for (int i = 0; i < MOST_LINKS; i++) {
        struct name folder = name_folder(folder_of(out.text).text);
        struct name at = name_step(folder, last_part(out.text));
        struct name target = { "" };
        ssize_t len = readlink(at.text, target.text, sizeof(target.text) - 1);

        *in_proc = *in_proc || str_starts_with(str_from_c(at.text), STR("/proc/"));
        if (len < 0)
            return at;
        out = target.text[0] == '/' ? target : join(folder.text, target.text);
    }
    return out;
}

bool file_name_is_same(const char *one, const char *other)
{
    struct stat info;
    struct stat other_info;
    bool in_proc;

    if (stat(one, &info) == 0 && stat(other, &other_info) == 0)
        return info.st_dev == other_info.st_dev && info.st_ino == other_info.st_ino;

    struct name name = resolve(one, &in_proc);
    struct name other_name = resolve(other, &in_proc);

    return strcmp(name.text, other_name.text) == 0;
}

bool file_name_is_within(const char *path, const char *folder, const char *ending)
{
    bool in_proc;
    struct name name = resolve(path, &in_proc);
    struct name outer = name_folder(folder);

    outer = join(outer.text, "");
    return str_starts_with(str_from_c(name.text), str_from_c(outer.text)) &&
           str_ends_with(str_from_c(name.text), str_from_c(ending));
}

bool file_name_is_in_proc(const char *path)
{
    bool in_proc;

    (void)resolve(path, &in_proc);
    return in_proc;
}
