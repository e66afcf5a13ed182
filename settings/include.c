/*
 * include.c - the lists of other files, appended to those of the settings file.
 *
 * The tree that the schema checks has all elements; a place in it leads back to its file. The trees
 * of the files are not changed: the joined one refers to their elements.
 */
#include <errno.h>
#include <fnmatch.h>
#include <glob.h>
#include <string.h>

#include "base/chars.h"
#include "base/file_name.h"
#include "base/memory.h"
#include "settings/settings_internal.h"

static struct settings_source *add_source(struct settings *settings, const char *file)
{
    settings->sources = mem_grow(settings->sources, settings->source_count,
                                 &settings->source_capacity, sizeof(settings->sources[0]));

    struct settings_source *source = &settings->sources[settings->source_count++];

    *source = (struct settings_source){ .file = file };
    return source;
}

bool settings_add_source(struct settings *settings, const struct yaml_options *options,
                         struct error *err)
{
    const char *file = options->file;

    file = file ? arena_copy(settings->arena, str_from_c(file)).ptr : NULL;

    struct settings_source *source = add_source(settings, file);

    return !file || yaml_load(options, &source->yaml, err);
}

/* The names of the lists that other files may have; NULL: the schema knows no `include`. */
static struct json_object *list_names(const struct settings *settings)
{
    struct json_object *properties;
    struct json_object *include;
    struct json_object *names = NULL;

    if (json_find(settings->schema, "properties", &properties) &&
        json_find(properties, "include", &include))
        (void)json_find(include, "x-includes", &names);
    return names;
}

/* Places. */

/* The list and the index of an element: `/routes/12/match`, its rest `/match`. */
static bool read_element(struct str pointer, struct str *list, size_t *index, struct str *rest)
{
    const char *slash = pointer.len > 1 ? memchr(pointer.ptr + 1, '/', pointer.len - 1) : NULL;
    int64_t number;

    if (!slash)
        return false;
    *list = (struct str){ pointer.ptr + 1, (size_t)(slash - pointer.ptr) - 1 };
    *rest = str_from(pointer, list->len + 2);
    if (!take_number(rest, INT64_MAX, &number) || (rest->len > 0 && rest->ptr[0] != '/'))
        return false;
    *index = (size_t)number;
    return true;
}

/* The number of a list among the names; SETTINGS_LISTS: it is none of them. */
static size_t find_list(const struct settings *settings, struct str list)
{
    struct json_object *names = list_names(settings);

    for (size_t i = 0; i < json_count(names) && i < SETTINGS_LISTS; i++)
        if (str_equal(json_str(json_at(names, i)), list))
            return i;
    return SETTINGS_LISTS;
}

size_t settings_find_source(struct settings *settings, struct str pointer, struct str *local)
{
    struct str list;
    struct str rest;
    size_t index;

    *local = pointer;
    if (settings->source_count < 2 || !read_element(pointer, &list, &index, &rest))
        return 0;

    size_t number = find_list(settings, list);
    size_t at = settings->source_count;

    if (number == SETTINGS_LISTS)
        return 0;
    while (--at > 0 && settings->sources[at].first[number] > index)
        continue;
    *local = arena_printf(settings->arena, "/%.*s/%zu%.*s", STR_ARG(list),
                          index - settings->sources[at].first[number], STR_ARG(rest));
    return at;
}

struct str settings_joined_pointer(struct settings *settings, size_t source, struct str local)
{
    struct str list;
    struct str rest;
    size_t index;

    if (source == 0)
        return local;

    size_t number = read_element(local, &list, &index, &rest) ? find_list(settings, list)
                                                              : (size_t)SETTINGS_LISTS;

    if (number == SETTINGS_LISTS) /* a place of its own */
        return arena_printf(settings->arena, "/include/%zu%.*s", source, STR_ARG(local));
    return arena_printf(settings->arena, "/%.*s/%zu%.*s", STR_ARG(list),
                        index + settings->sources[source].first[number], STR_ARG(rest));
}

/* Joining. */

static struct json_object *root_of(const struct settings *settings, size_t source)
{
    return settings->sources[source].yaml ? yaml_root(settings->sources[source].yaml) : NULL;
}

/* What a file that is included must not have. */
static void check_keys(struct settings *settings, size_t source)
{
    struct json_object *root = root_of(settings, source);

    if (!root)
        return;
    if (!json_is_object(root)) {
        settings_complain_in(settings, source, STR(""), 0, "expected routes and sinks");
        return;
    }
    for (JSON_EACH(member, root)) {
        struct str pointer = settings_member_pointer(settings->arena, STR(""), json_key(member));
        size_t number = find_list(settings, str_from_c(json_key(member)));

        if (number == SETTINGS_LISTS)
            settings_complain_in(settings, source, pointer, 0,
                                 "only routes and sinks may be in a file that is included");
        else if (json_value(member) && !json_is_array(json_value(member)))
            settings_complain_in(settings, source, pointer, 0, "expected a list");
    }
}

static void append_all(struct json_object *to, struct json_object *from)
{
    for (size_t i = 0; i < json_count(from); i++)
        (void)json_object_array_add(to, json_object_get(json_at(from, i)));
}

/* The list `name` of all files. If the settings file has something else there, it stays. */
static void join_list(struct settings *settings, size_t number, const char *name)
{
    struct json_object *own = NULL;
    struct json_object *joined = json_object_new_array();

    if (json_find(settings->root, name, &own) && !json_is_array(own)) {
        json_release(joined);
        return;
    }
    if (own)
        append_all(joined, own);
    for (size_t i = 1; i < settings->source_count; i++) {
        struct json_object *list = NULL;

        settings->sources[i].first[number] = json_count(joined);
        if (json_is_object(root_of(settings, i)) && json_find(root_of(settings, i), name, &list) &&
            json_is_array(list))
            append_all(joined, list);
    }
    if (json_count(joined) > (own ? json_count(own) : 0))
        (void)json_object_object_add(settings->joined, name, joined);
    else
        json_release(joined);
}

static void join(struct settings *settings)
{
    struct json_object *names = list_names(settings);

    settings->joined = json_object_new_object();
    for (JSON_EACH(member, settings->root))
        (void)json_object_object_add(settings->joined, json_key(member),
                                     json_object_get(json_value(member)));
    for (size_t i = 0; i < json_count(names) && i < SETTINGS_LISTS; i++)
        join_list(settings, i, json_str(json_at(names, i)).ptr);
    settings->root = settings->joined;
}

/* Finding the files. */

struct str settings_folder(const char *file)
{
    const char *slash = strrchr(file, '/');
    struct str path = str_from_c(file);

    if (!slash || str_starts_with(path, STR("/dev/")) || str_starts_with(path, STR("/proc/")))
        return STR("");
    return (struct str){ file, (size_t)(slash + 1 - file) };
}

static bool include_file(struct settings *settings, const struct yaml_options *options,
                         const char *path, struct error *err)
{
    struct yaml_options own = *options;

    own.file = path;
    if (settings->source_count > SETTINGS_INCLUDES_MAX)
        return fail(err, ERR_CONFIG, "%s: include: more than %d files", options->file,
                    SETTINGS_INCLUDES_MAX);
    return settings_add_source(settings, &own, err);
}

/* A folder that is not there has no files. */
static int on_glob_error(const char *path, int error)
{
    (void)path;
    return error != ENOENT;
}

/* A relative pattern begins at the folder of the file that has it. */
static const char *place_pattern(struct settings *settings, const char *file, struct str pattern)
{
    struct str folder = str_starts_with(pattern, STR("/")) ? STR("") : settings_folder(file);

    return arena_printf(settings->arena, "%.*s%.*s", STR_ARG(folder), STR_ARG(pattern)).ptr;
}

/* In the order of their names. A pattern may fit no file; a name must be one. */
static bool include_pattern(struct settings *settings, const struct yaml_options *options,
                            struct str pattern, struct error *err)
{
    const char *path = place_pattern(settings, options->file, pattern);
    glob_t found;

    if (!strpbrk(pattern.ptr, "*?["))
        return include_file(settings, options, path, err);

    /* NOLINTNEXTLINE(concurrency-mt-unsafe): without ~ it asks for no user */
    int status = glob(path, 0, on_glob_error, &found);
    bool ok = status == 0 || status == GLOB_NOMATCH;

    if (!ok)
        (void)fail(err, ERR_SYSTEM, "%s: include: cannot read the folder of %s", options->file,
                   path);
    for (size_t i = 0; ok && status == 0 && i < found.gl_pathc; i++)
        ok = include_file(settings, options, found.gl_pathv[i], err);
    globfree(&found);
    return ok;
}

static bool include_fits(struct settings *settings, struct json_object *pattern, const char *path)
{
    return json_is_string(pattern) &&
           fnmatch(place_pattern(settings, settings->sources[0].file, json_str(pattern)), path,
                   FNM_PATHNAME | FNM_PERIOD) == 0;
}

bool settings_reads(struct settings *settings, const char *path)
{
    struct json_object *include = NULL;

    for (size_t i = 0; i < settings->source_count; i++)
        if (settings->sources[i].file && file_name_is_same(path, settings->sources[i].file))
            return true;
    if (!settings->sources[0].file || !settings->joined ||
        !json_find(settings->joined, "include", &include))
        return false;
    for (size_t i = 0; json_is_array(include) && i < json_count(include); i++)
        if (include_fits(settings, json_at(include, i), path))
            return true;
    return include_fits(settings, include, path);
}

bool settings_include(struct settings *settings, const struct yaml_options *options,
                      struct error *err)
{
    struct json_object *include = NULL;

    if (!list_names(settings) || !json_is_object(settings->root) ||
        !json_find(settings->root, "include", &include))
        return true;
    for (size_t i = 0; json_is_array(include) && i < json_count(include); i++)
        if (json_is_string(json_at(include, i)) &&
            !include_pattern(settings, options, json_str(json_at(include, i)), err))
            return false;
    if (json_is_string(include) && !include_pattern(settings, options, json_str(include), err))
        return false;
    join(settings);
    for (size_t i = 1; i < settings->source_count; i++)
        check_keys(settings, i);
    return true;
}
