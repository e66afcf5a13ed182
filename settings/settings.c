/*
 * settings.c - see settings.h.
 *
 * Defaults are not copied into the tree: whoever asks for a value is shown the schema's default
 * where there is none. So one walk over tree and schema serves all, and nothing is changed.
 */
#include "settings/settings.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/memory.h"
#include "base/utf8.h"
#include "schema/schema.h"
#include "settings/unit.h"
#include "settings/words.h"

enum {
    MAX_ERRORS = 200,
    MAX_PROBLEMS = 1000,
    PROBLEM_SIZE = 1024,
    KEY_MAX = 200, /* bytes of a key's path that are shown */
};

struct problem {
    struct str pointer;
    bool is_value; /* the file's reader or the schema refuses the value */
    struct settings_problem parts;
    const char *text;
};

struct settings {
    struct arena *arena; /* holds the texts */
    const char *file;
    struct yaml *yaml;          /* NULL: there is no file */
    struct json_object *empty;  /* what an empty file says */
    struct json_object *schema; /* the document */
    struct problem *problems;   /* by line */
    size_t count;
    size_t capacity;
    bool is_checked; /* by the schema */
};

static struct json_object *root_value(const struct settings *settings)
{
    struct json_object *root = settings->yaml ? yaml_root(settings->yaml) : NULL;

    return root ? root : settings->empty;
}

/*
 * One more step of a path: an index if `here` is an array (or a default, which is not there), else
 * a key. What it leads to.
 */
static struct json_object *write_step(struct json_object *here, struct str token, struct buf *out)
{
    struct json_object *next = NULL;

    if (json_is_array(here) || (!here && json_pointer_index(token) != JSON_NO_INDEX)) {
        buf_printf(out, "[%.*s]", STR_ARG(token));
        return here ? json_at(here, json_pointer_index(token)) : NULL;
    }
    if (out->len > 0)
        buf_add_char(out, '.');
    buf_add(out, token);
    if (json_is_object(here))
        (void)json_find(here, token.ptr, &next);
    return next;
}

/* The path for people, http.listen or routes[0].match, from a JSON Pointer to what may not exist.
 */
static void write_path(const struct settings *settings, struct str pointer, struct buf *out)
{
    struct json_object *here = root_value(settings);

    while (pointer.len > 0)
        here = write_step(here, json_pointer_take(&pointer, settings->arena), out);
}

/* A key may hold what would break the one line of a problem, or be long. */
static void make_one_line(struct buf *path)
{
    for (size_t i = 0; i < path->len; i++) {
        unsigned char c = (unsigned char)path->ptr[i];

        if (c < 0x20 || c == 0x7f)
            path->ptr[i] = '?';
    }
    if (path->len <= KEY_MAX)
        return;
    path->len = utf8_prefix(buf_str(path), KEY_MAX).len;
    buf_add(path, STR("..."));
}

/* Add it behind the last problem that is not further down in the file. */
static void add_problem(struct settings *settings, struct problem problem)
{
    size_t at = settings->count;

    if (settings->count == settings->capacity) {
        settings->capacity = settings->capacity ? 2 * settings->capacity : 16;
        settings->problems =
            mem_realloc(settings->problems, settings->capacity * sizeof(*settings->problems));
    }
    for (; at > 0 && settings->problems[at - 1].parts.line > problem.parts.line; at--)
        settings->problems[at] = settings->problems[at - 1];
    settings->problems[at] = problem;
    settings->count++;
}

/* Is it said already, or of a value that is refused for a better reason? */
static bool is_said(const struct settings *settings, const struct problem *problem)
{
    for (size_t i = 0; i < settings->count; i++) {
        const struct problem *other = &settings->problems[i];

        if (other->parts.line == problem->parts.line &&
            str_equal(other->pointer, problem->pointer) &&
            (other->is_value || strcmp(other->text, problem->text) == 0))
            return true;
    }
    return false;
}

/* Is `inner` the same place as `outer`, or below it? */
static bool is_within(struct str inner, struct str outer)
{
    return str_starts_with(inner, outer) && (inner.len == outer.len || inner.ptr[outer.len] == '/');
}

bool settings_has_problem(const struct settings *settings, struct str pointer)
{
    for (size_t i = 0; i < settings->count; i++) {
        struct str other = settings->problems[i].pointer;

        if (is_within(other, pointer) || is_within(pointer, other))
            return true;
    }
    return false;
}

static struct settings_problem place_at(struct settings *settings, struct str pointer, size_t line)
{
    CLEANUP(buf_done) struct buf path;

    buf_init(&path, YAML_MAX_BYTES);
    write_path(settings, pointer, &path);
    make_one_line(&path);
    return (struct settings_problem){ .file = settings->file,
                                      .line = line,
                                      .key = arena_copy(settings->arena, buf_str(&path)).ptr };
}

static size_t line_at(const struct settings *settings, struct str pointer)
{
    return settings->yaml ? yaml_line(settings->yaml, pointer) : 0;
}

struct settings_problem settings_place(struct settings *settings, struct str pointer)
{
    return place_at(settings, pointer, line_at(settings, pointer));
}

static void complain_at(struct settings *settings, struct str pointer, size_t line,
                        const char *what)
{
    struct arena *arena = settings->arena;
    struct problem problem = { .pointer = arena_copy(arena, pointer),
                               .parts = place_at(settings, pointer, line) };
    struct str place = STR("built-in defaults");

    if (line > 0)
        place = arena_printf(arena, "%s:%zu", settings->file, line);
    problem.parts.what = arena_copy(arena, str_from_c(what)).ptr;
    problem.text = arena_printf(arena, "%.*s: %s%s%s", STR_ARG(place), problem.parts.key,
                                *problem.parts.key ? ": " : "", what)
                       .ptr;
    problem.is_value = !settings->is_checked;
    if (settings->count < MAX_PROBLEMS && !is_said(settings, &problem))
        add_problem(settings, problem);
}

void settings_complain(struct settings *settings, struct str pointer, const char *fmt, ...)
{
    char text[PROBLEM_SIZE];
    va_list args;

    va_start(args, fmt);
    (void)vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);
    complain_at(settings, pointer, line_at(settings, pointer), text);
}

/* What the reader of the file found. */
static void complain_of_faults(struct settings *settings)
{
    for (size_t i = 0; i < yaml_fault_count(settings->yaml); i++) {
        const struct yaml_fault *fault = yaml_fault(settings->yaml, i);

        complain_at(settings, fault->pointer, fault->line, fault->text);
    }
}

/* Is the place below a branch of oneOf or anyOf? Then the combinator itself says it all. */
static bool is_in_branch(struct str location)
{
    for (size_t i = 0; i < location.len; i++) {
        struct str rest = str_from(location, i);

        if (str_starts_with(rest, STR("/oneOf/")) || str_starts_with(rest, STR("/anyOf/")))
            return true;
    }
    return false;
}

static struct json_object *look_up(struct json_object *root, struct str pointer)
{
    struct json_pointer *compiled;
    struct json_object *value = NULL;
    struct error err;

    if (!json_pointer_create(pointer, &compiled, &err))
        return NULL;
    if (json_pointer_find(compiled, root, &value, NULL) != JSON_FOUND)
        value = NULL;
    json_pointer_destroy(compiled);
    return value;
}

static void explain_unit(struct settings *settings, const struct schema_unit *unit,
                         struct arena *arena)
{
    struct str location = unit->keyword_location;
    size_t slash = location.len;
    struct settings_fault fault = { .pointer = unit->instance_location, .error = unit->error };

    while (slash > 0 && location.ptr[slash - 1] != '/')
        slash--;
    fault.keyword = str_from(location, slash);
    fault.value = look_up(root_value(settings), fault.pointer);
    fault.schema = look_up(settings->schema, (struct str){ location.ptr, slash ? slash - 1 : 0 });
    settings_explain(settings, &fault, arena);
}

/*
 * Does `last` say it all? `required` may come once per missing key, and is explained as a whole;
 * a value of the wrong type breaks further rules that are no help.
 */
static bool is_covered(const struct schema_unit *unit, const struct schema_unit *last)
{
    return last && str_equal(unit->instance_location, last->instance_location) &&
           (str_equal(unit->keyword_location, last->keyword_location) ||
            str_ends_with(last->keyword_location, STR("/type")));
}

static bool check_rules(struct settings *settings, struct error *err)
{
    struct schema_report_options options = { .max_errors = MAX_ERRORS, .redact_values = true };
    struct schema_report report = { 0 };
    const struct schema_unit *last = NULL;
    struct arena *arena;
    struct schema *schema;

    if (!schema_compile(settings->schema, NULL, &schema, err))
        return fail_within(err, "built-in schema");
    arena = arena_create();
    (void)schema_report(schema, root_value(settings), &options, NULL, arena, &report);
    for (size_t i = 0; i < report.count; i++) {
        const struct schema_unit *unit = &report.units[i];

        if (is_in_branch(unit->keyword_location) || is_covered(unit, last))
            continue;
        explain_unit(settings, unit, arena);
        last = unit;
    }
    arena_destroy(arena);
    schema_destroy(schema);
    return true;
}

/* Compare as microseconds or bytes; false when either is no such text. */
static bool is_below(struct json_object *a, struct json_object *b, bool time)
{
    int64_t a_time;
    int64_t b_time;
    uint64_t a_size;
    uint64_t b_size;

    if (time)
        return settings_time(a, &a_time) && settings_time(b, &b_time) && a_time < b_time;
    return settings_size(a, &a_size) && settings_size(b, &b_size) && a_size < b_size;
}

static void check_bounds_here(struct settings *settings, const struct setting *here)
{
    bool time = str_equal(json_find_str(here->schema, "x-kind"), STR("time"));
    struct json_object *bound;

    if (json_find(here->schema, "x-minimum", &bound) && is_below(here->value, bound, time))
        settings_complain(settings, here->pointer, "must be at least %.*s",
                          STR_ARG(json_str(bound)));
    if (json_find(here->schema, "x-maximum", &bound) && is_below(bound, here->value, time))
        settings_complain(settings, here->pointer, "must be at most %.*s",
                          STR_ARG(json_str(bound)));
}

/* The bounds that JSON Schema cannot say; recurses as deep as the schema has objects and lists. */
static void check_bounds(struct settings *settings, const struct setting *here)
{
    struct json_object *properties;

    check_bounds_here(settings, here);
    if (json_is_array(here->value))
        for (size_t i = 0; i < json_count(here->value); i++) {
            struct setting element = settings_at(settings, here, i);

            check_bounds(settings, &element);
        }
    if (!json_is_object(here->value) || !json_find(here->schema, "properties", &properties))
        return;
    for (JSON_EACH(property, properties)) {
        struct setting member = settings_get(settings, here, json_key(property));

        check_bounds(settings, &member);
    }
}

static bool read_and_check(struct settings *settings, const struct yaml_options *options,
                           struct str schema, struct error *err)
{
    struct yaml_options keeping = *options;
    struct setting root;

    keeping.keeps_faults = true;

    if (!json_read(schema, NULL, &settings->schema, err) ||
        !json_read(STR("{}"), NULL, &settings->empty, err))
        return fail_within(err, "built-in schema");
    if (options->file) {
        if (!yaml_load(&keeping, &settings->yaml, err))
            return false;
        complain_of_faults(settings);
    }
    if (!check_rules(settings, err))
        return false;
    root = settings_root(settings);
    check_bounds(settings, &root);
    settings->is_checked = true;
    return true;
}

bool settings_load(const struct yaml_options *options, struct str schema, struct settings **out,
                   struct error *err)
{
    struct settings *settings = mem_alloc(sizeof(*settings));

    settings->arena = arena_create();
    if (options->file)
        settings->file = arena_copy(settings->arena, str_from_c(options->file)).ptr;
    if (!read_and_check(settings, options, schema, err)) {
        settings_destroy(settings);
        return false;
    }
    *out = settings;
    return true;
}

void settings_destroy(struct settings *settings)
{
    if (!settings)
        return;
    yaml_destroy(settings->yaml);
    json_release(settings->schema);
    json_release(settings->empty);
    arena_destroy(settings->arena);
    mem_free(settings->problems);
    mem_free(settings);
}

size_t settings_problem_count(const struct settings *settings)
{
    return settings->count;
}

const char *settings_problem(const struct settings *settings, size_t index)
{
    return settings->problems[index].text;
}

struct settings_problem settings_problem_parts(const struct settings *settings, size_t index)
{
    return settings->problems[index].parts;
}

struct setting settings_root(const struct settings *settings)
{
    return (struct setting){ .value = root_value(settings), .schema = settings->schema };
}

/* One step down. A place that the schema does not know has no schema and so no default. */
static struct setting get_member(struct settings *settings, const struct setting *object,
                                 struct str name)
{
    struct setting member = { .pointer = arena_printf(settings->arena, "%.*s/%.*s",
                                                      STR_ARG(object->pointer), STR_ARG(name)) };
    struct json_object *properties = NULL;
    struct str key = arena_copy(settings->arena, name);

    if (object->schema && json_find(object->schema, "properties", &properties))
        (void)json_find(properties, key.ptr, &member.schema);
    if (json_is_object(object->value) && json_find(object->value, key.ptr, &member.value))
        return member;
    if (member.schema)
        (void)json_find(member.schema, "default", &member.value);
    return member;
}

struct setting settings_get(struct settings *settings, const struct setting *object,
                            const char *path)
{
    struct setting here = *object;
    struct str rest = str_from_c(path);

    while (rest.len > 0) {
        const char *dot = memchr(rest.ptr, '.', rest.len);
        size_t len = dot ? (size_t)(dot - rest.ptr) : rest.len;

        here = get_member(settings, &here, (struct str){ rest.ptr, len });
        rest = str_from(rest, dot ? len + 1 : len);
    }
    return here;
}

struct setting settings_at(struct settings *settings, const struct setting *array, size_t index)
{
    struct setting element = { .value = json_at(array->value, index),
                               .pointer = arena_printf(settings->arena, "%.*s/%zu",
                                                       STR_ARG(array->pointer), index) };

    if (array->schema)
        (void)json_find(array->schema, "items", &element.schema);
    return element;
}
