/*
 * transform.c - see transform.h; this part runs for each event.
 *
 * Objects are written as they come: a field that is left out takes its comma back, and so does an
 * object whose fields are all left out.
 */
/* NOLINTBEGIN(misc-no-recursion): as deep as fields are nested, at most TRANSFORM_NEST_MAX */
#include "handlers/transform.h"

#include "base/clock.h"
#include "base/memory.h"
#include "handlers/transform_internal.h"

/* Failures, and what is counted. */

static bool refuse_payload(struct error *err, struct str what)
{
    return fail(err, ERR_INVALID, "Transformation failed: %.*s", STR_ARG(what));
}

static bool refuse_length(struct error *err)
{
    return refuse_payload(err, STR("the record is too long"));
}

bool transform_spend(struct transform_run *run, uint64_t steps)
{
    return LIKELY(schema_budget_spend(run->input->budget, steps)) ||
           fail(run->err, ERR_TOO_EXPENSIVE, "%s", schema_verdict_text(SCHEMA_TOO_EXPENSIVE));
}

/*
 * The steps for a pattern, which may look at each byte of the value. A number of many digits takes
 * longest.
 */
static uint64_t count_pattern_steps(const struct flat *value)
{
    enum { FEW_DIGITS = 15, STEPS_PER_DIGIT = 4 };
    uint64_t steps = value->size;
    uint64_t bytes = 0;

    for (uint32_t i = 0; i < value->size; i++)
        if (flat_is_string(&value[i]))
            bytes += value[i].len;
        else if (flat_is_number(&value[i]) && value[i].len > FEW_DIGITS)
            steps += (uint64_t)value[i].len * STEPS_PER_DIGIT;
    return steps + bytes / TRANSFORM_BYTES_PER_STEP;
}

/* Does the element (or payload) fit the pattern? False with `*failed`: the budget is used up. */
static bool fits(struct transform_run *run, const struct pattern *pattern, bool *failed)
{
    struct transform_scope *scope = run->scope;

    if (scope->pattern_steps == 0)
        scope->pattern_steps = count_pattern_steps(scope->here);
    *failed = !transform_spend(run, scope->pattern_steps);
    return !*failed && pattern_fits(pattern, scope->here);
}

/* Tell the observer where the field at hand comes from. */
static void note_origin(const struct transform_run *run, struct str from)
{
    const struct transform_observer *observer = run->input->observer;
    struct arena *arena;

    if (LIKELY(!observer))
        return;
    arena = arena_create();
    observer->field(observer->self, transform_name(arena, run->place), from);
    arena_destroy(arena);
}

/* Values. */

/* Null, false, zero, or without content. */
static bool is_empty(const struct flat *value)
{
    switch (flat_kind(value)) {
    case JSON_NULL:
        return true;
    case JSON_BOOLEAN:
        return !flat_is_true(value);
    case JSON_INTEGER:
    case JSON_NUMBER:
        return flat_double(value) == 0.0;
    case JSON_STRING:
        return flat_str(value).len == 0;
    case JSON_ARRAY:
    case JSON_OBJECT:
        return flat_count(value) == 0;
    }
    return false;
}

/* The field has no value: its default, its error, or nothing. */
static bool write_absent(struct transform_run *run, const struct transform_field *field)
{
    if (field->constant.ptr) {
        buf_add(run->out, field->prefix);
        buf_add(run->out, field->constant);
        note_origin(run, STR("default"));
        return true;
    }
    return field->required.ptr ? refuse_payload(run->err, field->required) : true;
}

/* Free what was made for the field. */
static void release_made(struct transform_run *run)
{
    if (LIKELY(run->made_bytes == 0))
        return;
    arena_reset(run->made);
    run->made_bytes = 0;
}

/* Write a value by way of `map`. */
static void write_mapped(struct transform_run *run, const struct transform_field *field,
                         const struct flat *value)
{
    struct str mapped = STR_NONE;

    if (field->map && flat_kind(value) != JSON_NULL) {
        mapped = transform_map_find(field->map, value);
        if (!mapped.ptr)
            mapped = field->otherwise;
    }
    if (mapped.ptr)
        buf_add(run->out, mapped);
    else
        flat_write(run->out, value);
}

/*
 * Convert the value and write it after `prefix`. A value that becomes nothing writes nothing;
 * `*wrote` says which.
 */
static bool write_value(struct transform_run *run, const struct transform_field *field,
                        struct str prefix, const struct flat *value, bool *wrote)
{
    enum transform_made made = TRANSFORM_MADE;

    if (field->step_count > 0)
        made = transform_convert_value(run, field, &value);
    *wrote = made == TRANSFORM_MADE;
    if (*wrote) {
        buf_add(run->out, prefix);
        write_mapped(run, field, value);
    }
    release_made(run);
    return made != TRANSFORM_IMPOSSIBLE;
}

/* A field with a value at hand, or none (NULL). */
static bool write_found(struct transform_run *run, const struct transform_field *field,
                        const struct flat *value, struct str from)
{
    bool wrote = false;

    if (value && field->required.ptr && is_empty(value))
        return refuse_payload(run->err, field->required);
    if (value && !write_value(run, field, field->prefix, value, &wrote))
        return false;
    if (!wrote)
        return write_absent(run, field);
    note_origin(run, from);
    return true;
}

static bool write_from(struct transform_run *run, const struct transform_field *field)
{
    const struct flat *value;

    return transform_find(run, field->sources, field->source_count, field->skip, &value) &&
           write_found(run, field, value, run->source->text);
}

/* Texts put together. */

void transform_add_text(struct buf *out, const struct flat *value)
{
    if (flat_is_string(value))
        buf_add(out, flat_str(value));
    else
        flat_write(out, value);
}

/* Build the text in run->work, unless a part of it is absent. */
static bool build_text(struct transform_run *run, const struct transform_field *field,
                       bool *is_whole)
{
    const struct flat *value;

    *is_whole = true;
    buf_clear(&run->work);
    for (size_t i = 0; i < field->part_count && *is_whole; i++) {
        const struct transform_part *part = &field->parts[i];

        buf_add(&run->work, part->text);
        if (!part->source)
            continue;
        if (!transform_find(run, part->source, 1, field->skip, &value))
            return false;
        *is_whole = value != NULL;
        if (value)
            transform_add_text(&run->work, value);
    }
    /* A whole text is counted when its value is made. */
    return *is_whole || transform_spend(run, run->work.len / TRANSFORM_BYTES_PER_STEP);
}

static bool write_template(struct transform_run *run, const struct transform_field *field)
{
    const struct flat *value = NULL;
    bool is_whole;

    if (!build_text(run, field, &is_whole))
        return false;
    run->source = NULL;
    if (is_whole && transform_make_work(run, &value) != TRANSFORM_MADE)
        return false;
    return write_found(run, field, value, STR("text"));
}

static bool write_now(struct transform_run *run, const struct transform_field *field)
{
    char now[CLOCK_TEXT_SIZE];

    clock_format(run->input->now_us, now);
    buf_add(run->out, field->prefix);
    json_write_string(run->out, (struct str){ now, CLOCK_TEXT_LEN });
    note_origin(run, STR("now"));
    return true;
}

static bool write_constant(struct transform_run *run, const struct transform_field *field)
{
    buf_add(run->out, field->prefix);
    buf_add(run->out, field->constant);
    note_origin(run, STR("value"));
    return true;
}

/* Objects. */

static bool write_member(struct transform_run *run, const struct transform_field *field);

/* Is the field to be written, by its `when` and by its rivals of the same name? */
static bool applies(struct transform_run *run, const struct transform_field *field, uint32_t object,
                    bool *failed)
{
    if (field->rivals && run->applied[field->rivals] == object)
        return false;
    if (field->when && !fits(run, field->when, failed))
        return false;
    if (field->rivals)
        run->applied[field->rivals] = object;
    return true;
}

/* An object that is being written. */
struct object {
    const struct transform_field *field;
    size_t begin; /* in the record, of its first member */
    uint32_t number;
    bool is_simple; /* it has no `copy`, and the input has no observer */
};

/* Find the value of a direct field; NULL: its default. False: it is neither. */
static bool find_direct(const struct flat *here, const struct transform_field *field,
                        const struct flat **value)
{
    const struct json_pointer *pointer = field->sources->pointer;
    size_t stop;

    switch (flat_pointer_find(pointer, here, value, &stop)) {
    case JSON_FOUND:
        return !(field->required.ptr && is_empty(*value));
    case JSON_ABSENT:
        *value = NULL;
        return field->constant.ptr && flat_is_object(flat_pointer_prefix(pointer, stop - 1, here));
    default:
        return false;
    }
}

/* Write a direct field of a simple object. False: nothing is written, because more must be looked
 * at. */
static bool write_direct(struct transform_run *run, const struct object *object,
                         const struct transform_field *field)
{
    const struct flat *value;
    struct buf *out = run->out;

    if (!find_direct(run->scope->here, field, &value))
        return false;
    if (out->len > object->begin)
        buf_add_char(out, ',');
    buf_add(out, field->prefix);
    if (value)
        flat_write(out, value);
    else
        buf_add(out, field->constant);
    return true;
}

/* Write one of its fields, behind a comma unless it is the first one. */
static bool write_inner_field(struct transform_run *run, const struct object *object,
                              const struct transform_field *field)
{
    struct buf *out = run->out;
    size_t before = out->len;
    size_t start;
    bool failed = false;

    if (LIKELY(field->is_direct && object->is_simple) && write_direct(run, object, field))
        return true;
    if (!field->is_plain && !applies(run, field, object->number, &failed))
        return !failed;
    if (before > object->begin)
        buf_add_char(out, ',');
    start = out->len;
    run->place->field = field;
    if (!write_member(run, field))
        return false;
    if (out->len == start)
        out->len = before; /* left out, with its comma */
    else if (object->field->copies && field->kind != TRANSFORM_COPY)
        transform_note_member(run, start, field->prefix.len - 1);
    return true;
}

static bool write_inner_fields(struct transform_run *run, const struct transform_field *parent)
{
    const struct object object = { parent, run->out->len, ++run->object,
                                   !parent->copies && !run->input->observer };
    size_t first_member = run->member_count;
    struct transform_place place = { .index = SIZE_MAX, .outer = run->place };
    bool ok = transform_spend(run, parent->size);

    run->place = &place;
    for (const struct transform_field *field = parent + 1; ok && field < parent + parent->size;
         field += field->size)
        ok = write_inner_field(run, &object, field);
    run->place = place.outer;
    return ok && (!parent->copies || transform_merge(run, first_member, object.begin));
}

/* Write `prefix` and an object; nothing when all its fields are left out and it need not stay. */
static bool write_inner(struct transform_run *run, const struct transform_field *field,
                        struct str prefix)
{
    struct buf *out = run->out;
    size_t start = out->len;
    size_t begin;

    buf_add(out, prefix);
    buf_add_char(out, '{');
    begin = out->len;
    if (!write_inner_fields(run, field))
        return false;
    if (out->len == begin && !field->keep && !out->overflow)
        out->len = start;
    else
        buf_add_char(out, '}');
    return true;
}

static bool write_object(struct transform_run *run, const struct transform_field *field)
{
    size_t start = run->out->len;

    if (!write_inner(run, field, field->prefix))
        return false;
    return run->out->len > start || write_absent(run, field);
}

/* Arrays. */

/* Write the element of run->scope; nothing when it comes to nothing. */
static bool write_item(struct transform_run *run, const struct transform_field *field,
                       struct str comma)
{
    const struct flat *value;
    bool wrote;

    if (!field->item)
        return write_inner(run, field, comma);
    return transform_find(run, field->item, 1, field->skip, &value) &&
           (!value || write_value(run, field, comma, value, &wrote));
}

/* Write the element of run->scope, of an array that began at `begin`. */
static bool write_element(struct transform_run *run, const struct transform_field *field,
                          size_t begin)
{
    bool failed = false;

    if (run->out->overflow)
        return refuse_length(run->err);
    if (!transform_spend(run, 1))
        return false;
    if (field->where && !fits(run, field->where, &failed))
        return !failed;
    run->place->index = run->scope->here->index;
    return write_item(run, field, run->out->len > begin ? STR(",") : STR(""));
}

static bool write_items(struct transform_run *run, const struct transform_field *field,
                        const struct flat *array)
{
    struct transform_scope *outer = run->scope;
    struct transform_scope scope = { .outer = outer };
    size_t begin = run->out->len;
    bool ok = true;

    run->scope = &scope;
    for (FLAT_EACH(element, array)) {
        scope.here = element;
        scope.pattern_steps = 0;
        ok = write_element(run, field, begin);
        if (!ok)
            break;
    }
    run->place->index = SIZE_MAX;
    run->scope = outer;
    return ok;
}

static bool write_each(struct transform_run *run, const struct transform_field *field)
{
    /* With `item`, `skip` is about each value; an array that is null is not there. */
    enum transform_skip skip =
        field->item && field->skip == TRANSFORM_SKIP_EMPTY ? TRANSFORM_SKIP_NULL : field->skip;
    const struct flat *array;

    if (!transform_find(run, field->sources, field->source_count, skip, &array))
        return false;
    if (!array)
        return write_absent(run, field);
    if (!flat_is_array(array))
        return transform_refuse(run, "is not an array");
    if (field->required.ptr && flat_count(array) == 0)
        return refuse_payload(run->err, field->required);
    if (flat_count(array) > TRANSFORM_ITEMS_MAX)
        return transform_refuse(run, "has more than 10000 items");
    note_origin(run, run->source->text);
    buf_add(run->out, field->prefix);
    buf_add_char(run->out, '[');
    if (!write_items(run, field, array))
        return false;
    buf_add_char(run->out, ']');
    return true;
}

static bool write_copy(struct transform_run *run, const struct transform_field *field)
{
    const struct flat *object;

    if (!transform_find(run, field->sources, field->source_count, field->skip, &object))
        return false;
    if (!object)
        return true;
    if (!flat_is_object(object))
        return transform_refuse(run, "is not an object");
    if (!transform_spend(run, object->size))
        return false;
    transform_copy(run, object, field->cut);
    note_origin(run, run->source->text);
    return true;
}

static bool write_member(struct transform_run *run, const struct transform_field *field)
{
    static bool (*const writers[])(struct transform_run *, const struct transform_field *) = {
        [TRANSFORM_FROM] = write_from,     [TRANSFORM_VALUE] = write_constant,
        [TRANSFORM_NOW] = write_now,       [TRANSFORM_TEMPLATE] = write_template,
        [TRANSFORM_OBJECT] = write_object, [TRANSFORM_EACH] = write_each,
        [TRANSFORM_COPY] = write_copy,
    };

    return writers[field->kind](run, field);
}

/* The whole. */

bool transform_drops(const struct transform *transform, const struct flat *payload)
{
    return transform->drop_when && pattern_fits(transform->drop_when, payload);
}

static bool run_transform(struct transform_run *run)
{
    if (!write_inner(run, run->transform->fields, STR("")))
        return false;
    return run->out->overflow ? refuse_length(run->err) : true;
}

bool transform_apply(const struct transform *transform, const struct transform_input *input,
                     struct buf *out, struct error *err)
{
    struct transform_scope scope = { .here = input->payload };
    struct transform_run run = {
        .transform = transform, .input = input, .out = out, .err = err, .scope = &scope
    };
    size_t before = out->len;

    buf_init(&run.work, out->max);
    if (transform->rival_count > 0)
        run.applied = mem_alloc_array(transform->rival_count + 1, sizeof(*run.applied));

    bool ok = run_transform(&run);

    buf_done(&run.work);
    arena_destroy(run.made);
    mem_free(run.applied);
    mem_free(run.members);
    if (!ok)
        out->len = before;
    return ok;
}
/* NOLINTEND(misc-no-recursion) */
