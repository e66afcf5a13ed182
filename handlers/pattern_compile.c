/*
 * pattern_compile.c - the fields of a pattern, from its JSON.
 */
#include "base/memory.h"
#include "handlers/pattern_internal.h"

/* The compilation of one pattern. */
struct compiling {
    struct arena *arena; /* of the pattern */
    const struct pattern_report *report;
    struct buf place; /* JSON Pointer of what is compiled */
    bool failed;
};

static void refuse(struct compiling *compiling, const char *reason)
{
    compiling->report->problem(compiling->report->self, buf_str(&compiling->place), reason);
    compiling->failed = true;
}

static size_t enter(struct compiling *compiling, struct str token)
{
    size_t before = compiling->place.len;

    buf_add_char(&compiling->place, '/');
    json_write_pointer_token(&compiling->place, token);
    return before;
}

static size_t enter_element(struct compiling *compiling, size_t index)
{
    size_t before = compiling->place.len;

    buf_printf(&compiling->place, "/%zu", index);
    return before;
}

static void leave(struct compiling *compiling, size_t before)
{
    compiling->place.len = before;
}

static void compile_list(struct compiling *compiling, const struct flat *list,
                         struct pattern_field *field)
{
    struct pattern_condition *conditions =
        arena_alloc(compiling->arena, (flat_count(list) + 1) * sizeof(*conditions));
    size_t count = 0;

    if (flat_count(list) == 0)
        refuse(compiling, "the list is empty");
    for (FLAT_EACH(element, list)) {
        struct pattern_condition *condition = &conditions[count];
        size_t before = enter_element(compiling, count++);
        struct error why;

        if (!pattern_compile_condition(compiling->arena, element, condition, &why))
            refuse(compiling, why.text);
        field->may_be_absent |= condition->test == PATTERN_ABSENT;
        leave(compiling, before);
    }
    field->source = flat_text(compiling->arena, list);
    field->conditions = conditions;
    field->condition_count = count;
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

static void compile_object(struct compiling *compiling, const struct flat *object,
                           struct pattern_field *field);

static void compile_choice(struct compiling *compiling, const struct flat *list,
                           struct pattern_choice *choice)
{
    struct pattern_field *branches =
        arena_alloc(compiling->arena, flat_count(list) * sizeof(*branches));

    choice->branches = branches;
    for (FLAT_EACH(branch, list)) {
        size_t before = enter_element(compiling, choice->count);

        compile_object(compiling, branch, &branches[choice->count++]);
        leave(compiling, before);
    }
}

static void compile_field(struct compiling *compiling, const struct flat *member,
                          struct pattern_field *field)
{
    field->key = arena_copy(compiling->arena, flat_key(member));
    if (flat_is_array(member))
        compile_list(compiling, member, field);
    else if (flat_is_object(member))
        compile_object(compiling, member, field);
    else
        refuse(compiling, "a field takes a list or an object");
}

static void compile_object(struct compiling *compiling, const struct flat *object,
                           struct pattern_field *field)
{
    size_t most = flat_count(object) + 1;
    struct pattern_field *fields = arena_alloc(compiling->arena, most * sizeof(*fields));
    struct pattern_choice *choices = arena_alloc(compiling->arena, most * sizeof(*choices));

    if (flat_count(object) == 0)
        refuse(compiling, "the object is empty");
    field->fields = fields;
    field->choices = choices;
    for (FLAT_EACH(member, object)) {
        size_t before = enter(compiling, flat_key(member));

        if (is_choice(member))
            compile_choice(compiling, member, &choices[field->choice_count++]);
        else
            compile_field(compiling, member, &fields[field->field_count++]);
        leave(compiling, before);
    }
}

bool pattern_create(const struct flat *source, const struct pattern_report *report,
                    struct pattern **out)
{
    struct pattern *pattern = mem_alloc(sizeof(*pattern));
    struct compiling compiling = { .report = report };

    pattern->arena = arena_create();
    compiling.arena = pattern->arena;
    buf_init(&compiling.place, SIZE_MAX);
    buf_add(&compiling.place, report->root);
    if (flat_is_object(source))
        compile_object(&compiling, source, &pattern->root);
    else
        refuse(&compiling, "a pattern is an object");
    buf_done(&compiling.place);
    if (compiling.failed)
        pattern_destroy(pattern);
    else
        *out = pattern;
    return !compiling.failed;
}

void pattern_first_problem(void *err, struct str place, const char *reason)
{
    struct error *first = err;

    if (!first->text[0])
        (void)fail(first, ERR_INVALID, "%.*s: %s", STR_ARG(place), reason);
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
