/*
 * pattern_compile.c - the fields of a pattern, from its JSON.
 */
#include "base/memory.h"
#include "handlers/pattern_internal.h"

/* The compilation of one pattern. */
struct compiling {
    struct pattern *pattern;
    struct buf *place; /* JSON Pointer of what is compiled */
    struct error *err;
};

static bool refuse(struct compiling *compiling, const char *reason)
{
    return fail(compiling->err, ERR_INVALID, "%s", reason);
}

static size_t enter(struct compiling *compiling, struct str token)
{
    size_t before = compiling->place->len;

    buf_add_char(compiling->place, '/');
    json_write_pointer_token(compiling->place, token);
    return before;
}

static void leave(struct compiling *compiling, size_t before)
{
    compiling->place->len = before;
}

static bool compile_list(struct compiling *compiling, const struct flat *list,
                         struct pattern_field *field)
{
    struct pattern *pattern = compiling->pattern;
    struct pattern_condition *conditions =
        arena_alloc(pattern->arena, (flat_count(list) + 1) * sizeof(*conditions));
    size_t count = 0;

    if (flat_count(list) == 0)
        return refuse(compiling, "the list is empty");
    for (FLAT_EACH(element, list)) {
        struct error why;

        if (!pattern_compile_condition(pattern->arena, element, &conditions[count], &why))
            return refuse(compiling, why.text);
        field->may_be_absent |= conditions[count++].test == PATTERN_ABSENT;
    }
    field->source = flat_text(pattern->arena, list);
    field->conditions = conditions;
    field->condition_count = count;
    return true;
}

/*
 * Is it `$or`? A list of at least two objects, none of which is empty or looks like an operator.
 * Any other value belongs to a field with that name.
 */
static bool is_choice(const struct flat *member)
{
    if (!str_equal(flat_key(member), STR("$or")) || !flat_is_array(member) ||
        flat_count(member) < 2)
        return false;
    for (FLAT_EACH(branch, member)) {
        if (!flat_is_object(branch) || flat_count(branch) == 0)
            return false;
        for (FLAT_EACH(inner, branch))
            if (pattern_is_operator(flat_key(inner)))
                return false;
    }
    return true;
}

static bool compile_object(struct compiling *compiling, const struct flat *object,
                           struct pattern_field *field);

static bool compile_choice(struct compiling *compiling, const struct flat *list,
                           struct pattern_choice *choice)
{
    struct arena *arena = compiling->pattern->arena;
    struct pattern_field *branches = arena_alloc(arena, flat_count(list) * sizeof(*branches));

    choice->branches = branches;
    for (FLAT_EACH(branch, list)) {
        struct pattern_field *field = &branches[choice->count];
        size_t before = enter(compiling, arena_printf(arena, "%zu", choice->count));

        choice->count++;
        *field = (struct pattern_field){ 0 };
        if (!compile_object(compiling, branch, field))
            return false;
        leave(compiling, before);
    }
    return true;
}

static bool compile_field(struct compiling *compiling, const struct flat *member,
                          struct pattern_field *field)
{
    if (flat_is_array(member))
        return compile_list(compiling, member, field);
    if (flat_is_object(member))
        return compile_object(compiling, member, field);
    return refuse(compiling, "a field takes a list or an object");
}

static bool compile_object(struct compiling *compiling, const struct flat *object,
                           struct pattern_field *field)
{
    struct arena *arena = compiling->pattern->arena;
    size_t most = flat_count(object) + 1;
    struct pattern_field *fields = arena_alloc(arena, most * sizeof(*fields));
    struct pattern_choice *choices = arena_alloc(arena, most * sizeof(*choices));

    if (flat_count(object) == 0)
        return refuse(compiling, "the object is empty");
    field->fields = fields;
    field->choices = choices;
    for (FLAT_EACH(member, object)) {
        size_t before = enter(compiling, flat_key(member));
        bool ok;

        if (is_choice(member)) {
            ok = compile_choice(compiling, member, &choices[field->choice_count++]);
        } else {
            struct pattern_field *inner = &fields[field->field_count++];

            *inner = (struct pattern_field){ .key = arena_copy(arena, flat_key(member)) };
            ok = compile_field(compiling, member, inner);
        }
        if (!ok)
            return false;
        leave(compiling, before);
    }
    return true;
}

bool pattern_create_at(const struct flat *source, struct buf *place, struct pattern **out,
                       struct error *err)
{
    struct pattern *pattern = mem_alloc(sizeof(*pattern));
    struct compiling compiling = { .pattern = pattern, .place = place, .err = err };

    pattern->arena = arena_create();

    bool ok = flat_is_object(source) ? compile_object(&compiling, source, &pattern->root)
                                     : fail(err, ERR_INVALID, "a pattern is an object");

    if (ok)
        *out = pattern;
    else
        pattern_destroy(pattern);
    return ok;
}

bool pattern_create(const struct flat *source, struct pattern **out, struct error *err)
{
    CLEANUP(buf_done) struct buf place;

    buf_init(&place, SIZE_MAX);
    if (pattern_create_at(source, &place, out, err))
        return true;
    if (!flat_is_object(source))
        return false;

    struct error why = *err;

    return fail(err, why.code, "at %.*s: %s", STR_ARG(buf_str(&place)), why.text);
}

/* What a pattern needs. */

/* Does one of the conditions accept that the value is absent? */
static bool accepts_absence(const struct flat *list)
{
    for (FLAT_EACH(condition, list))
        if (flat_is_object(condition) && flat_find(condition, STR("exists")) &&
            !flat_is_true(flat_find(condition, STR("exists"))))
            return true;
    return false;
}

struct needs {
    struct arena *arena;
    void (*report)(void *self, const struct pattern_need *need);
    void *self;
};

static void report_needs(const struct needs *needs, const struct flat *object, struct str path)
{
    for (FLAT_EACH(member, object)) {
        struct buf *pointer = arena_buf(needs->arena, SIZE_MAX);

        if (is_choice(member))
            continue; /* another branch may fit */
        buf_add(pointer, path);
        buf_add_char(pointer, '/');
        json_write_pointer_token(pointer, flat_key(member));
        if (flat_is_object(member))
            report_needs(needs, member, buf_str(pointer));
        else if (!accepts_absence(member))
            needs->report(needs->self, &(struct pattern_need){ buf_str(pointer), member });
    }
}

void pattern_needs(const struct flat *source, struct arena *arena,
                   void (*report)(void *self, const struct pattern_need *need), void *self)
{
    const struct needs needs = { arena, report, self };

    report_needs(&needs, source, STR(""));
}

void pattern_destroy(struct pattern *pattern)
{
    if (!pattern)
        return;
    arena_destroy(pattern->arena);
    mem_free(pattern);
}
