/*
 * problems.c - the problems of a settings file: their places, their order, and no repetitions.
 */
#include <stdarg.h>
#include <stdio.h>

#include "base/memory.h"
#include "base/utf8.h"
#include "settings/settings_internal.h"

enum {
    MAX_PROBLEMS = 1000,
    PROBLEM_SIZE = 1024,
    MAX_KEY = 200, /* bytes of a key's path that are shown */
};

static bool is_later(const struct problem *a, const struct problem *b)
{
    return a->source != b->source ? a->source > b->source : a->parts.line > b->parts.line;
}

/* Insert it after the last problem of the same or an earlier place. */
static void problems_add(struct settings *settings, struct problem problem)
{
    size_t at = settings->count;

    settings->problems = mem_grow(settings->problems, settings->count, &settings->capacity,
                                  sizeof(*settings->problems));
    for (; at > 0 && is_later(&settings->problems[at - 1], &problem); at--)
        settings->problems[at] = settings->problems[at - 1];
    settings->problems[at] = problem;
    settings->count++;
}

/* Is there the same text already, or a problem because of which the value is not used? */
static bool problems_cover(const struct settings *settings, const struct problem *problem)
{
    for (size_t i = 0; i < settings->count; i++) {
        const struct problem *other = &settings->problems[i];

        if (other->parts.line == problem->parts.line &&
            str_equal(other->pointer, problem->pointer) &&
            (other->is_value || strcmp(other->parts.text, problem->parts.text) == 0))
            return true;
    }
    return false;
}

/* A key can hold characters that would break the one line of a problem, or be long. */
static void problems_make_one_line(struct buf *path)
{
    for (size_t i = 0; i < path->len; i++) {
        unsigned char c = (unsigned char)path->ptr[i];

        if (c < 0x20 || c == 0x7f)
            path->ptr[i] = '?';
    }
    if (path->len <= MAX_KEY)
        return;
    path->len = utf8_prefix(buf_str(path), MAX_KEY).len;
    buf_add(path, STR("..."));
}

static struct settings_problem place_in(struct settings *settings, size_t source, struct str local)
{
    struct settings_problem place = { .file = settings->sources[source].file };
    CLEANUP(buf_done) struct buf path;

    buf_init(&path, YAML_MAX_BYTES);
    place.line = yaml_locate(settings->sources[source].yaml, local, &path);
    problems_make_one_line(&path);
    place.key = arena_copy(settings->arena, buf_str(&path)).ptr;
    return place;
}

struct settings_problem settings_place(struct settings *settings, struct str pointer)
{
    struct str local;
    size_t source = settings_find_source(settings, pointer, &local);

    return place_in(settings, source, local);
}

struct str settings_member_pointer(struct arena *arena, struct str object, const char *key)
{
    struct buf *pointer = arena_buf(arena, (size_t)2 * YAML_MAX_BYTES);

    buf_add(pointer, object);
    buf_add_char(pointer, '/');
    json_write_pointer_token(pointer, str_from_c(key));
    return arena_copy(arena, buf_str(pointer));
}

static void problems_complain(struct settings *settings, size_t source, struct str pointer,
                              struct settings_problem parts)
{
    struct arena *arena = settings->arena;
    struct problem problem = { .pointer = arena_copy(arena, pointer),
                               .source = source,
                               .is_value = !settings->is_checked,
                               .parts = parts };
    struct str place = STR("built-in defaults");

    if (parts.line > 0)
        place = arena_printf(arena, "%s:%zu", parts.file, parts.line);
    problem.parts.text = arena_printf(arena, "%.*s: %s%s%s", STR_ARG(place), parts.key,
                                      *parts.key ? ": " : "", parts.what)
                             .ptr;
    if (!problems_cover(settings, &problem))
        problems_add(settings, problem);
}

void settings_complain_in(struct settings *settings, size_t source, struct str local, size_t line,
                          const char *what)
{
    struct settings_problem parts;

    if (settings->count == MAX_PROBLEMS)
        return;
    parts = place_in(settings, source, local);
    if (line > 0)
        parts.line = line;
    parts.what = what;
    problems_complain(settings, source, settings_joined_pointer(settings, source, local), parts);
}

void settings_complain(struct settings *settings, struct str pointer, const char *fmt, ...)
{
    struct settings_problem parts;
    char text[PROBLEM_SIZE];
    struct str local;
    va_list args;

    if (settings->count == MAX_PROBLEMS)
        return;
    va_start(args, fmt);
    (void)vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);

    size_t source = settings_find_source(settings, pointer, &local);

    parts = place_in(settings, source, local);
    parts.what = arena_copy(settings->arena, str_from_c(text)).ptr;
    problems_complain(settings, source, pointer, parts);
}

void settings_on_problem(void *settings, struct str pointer, const char *what)
{
    settings_complain(settings, pointer, "%s", what);
}

/* Is `inner` the same place as `outer`, or below it? */
static bool problems_is_within(struct str inner, struct str outer)
{
    return str_starts_with(inner, outer) && (inner.len == outer.len || inner.ptr[outer.len] == '/');
}

static bool problems_concern(const struct problem *problem, struct str pointer)
{
    return problems_is_within(problem->pointer, pointer) ||
           problems_is_within(pointer, problem->pointer);
}

bool settings_has_problem(const struct settings *settings, struct str pointer)
{
    for (size_t i = 0; i < settings->count; i++)
        if (problems_concern(&settings->problems[i], pointer))
            return true;
    return false;
}

bool settings_refuses(const struct settings *settings, struct str pointer)
{
    for (size_t i = 0; i < settings->count; i++)
        if (settings->problems[i].is_value && problems_concern(&settings->problems[i], pointer))
            return true;
    return false;
}

size_t settings_problem_count(const struct settings *settings)
{
    return settings->count;
}

const struct settings_problem *settings_problem(const struct settings *settings, size_t index)
{
    return &settings->problems[index].parts;
}
