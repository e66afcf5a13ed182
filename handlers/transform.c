/*
 * transform.c - see transform.h; this part runs for each event.
 *
 * Absent and empty differ: a default replaces an absent value, `required` refuses an empty one,
 * too. A null or a scalar on the path to a field is neither: the payload has another shape than the
 * transform expects, and is refused.
 */
#include "handlers/transform.h"

#include "base/clock.h"
#include "handlers/transform_internal.h"

enum found { FOUND, ABSENT, REFUSED };

static bool refuse_payload(struct error *err, struct str what)
{
    return fail(err, ERR_INVALID, "Transformation failed: %.*s", STR_ARG(what));
}

static enum found refuse_shape(struct error *err, struct str path)
{
    (void)fail(err, ERR_INVALID, "Transformation failed: %.*s is not an object",
               STR_ARG(path.len > 0 ? path : STR("payload")));
    return REFUSED;
}

/* Is the parent of the absent value an array, where the pointer has the name of a member? */
static bool is_parent_array(const struct transform_source *source, size_t stop,
                            const struct flat *payload)
{
    const struct flat *parent = NULL;

    return stop > 0 && source->parents[stop - 1] &&
           flat_pointer_find(source->parents[stop - 1], payload, &parent, NULL) == JSON_FOUND &&
           flat_is_array(parent);
}

static enum found find(const struct transform_source *source, const struct flat *payload,
                       const struct flat **value, struct error *err)
{
    size_t stop;

    switch (flat_pointer_find(source->pointer, payload, value, &stop)) {
    case JSON_FOUND:
        return FOUND;
    case JSON_NO_CONTAINER:
        return refuse_shape(err, source->paths[stop]);
    case JSON_ABSENT:
        break;
    }
    if (is_parent_array(source, stop, payload))
        return refuse_shape(err, source->paths[stop - 1]);
    return ABSENT;
}

/* The first source that is present. */
static enum found find_first(const struct transform_field *field, const struct flat *payload,
                             const struct flat **value, struct str *path, struct error *err)
{
    for (size_t i = 0; i < field->source_count; i++) {
        const struct transform_source *source = &field->sources[i];
        enum found found = find(source, payload, value, err);

        *path = source->paths[source->depth];
        if (found != ABSENT)
            return found;
    }
    return ABSENT;
}

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

/* Add a field with a value from the payload; without a default, an absent one is left out. */
static bool write_from(const struct transform_field *field, const struct flat *payload,
                       struct buf *out, struct error *err)
{
    const struct flat *value = NULL;
    struct str path = { NULL, 0 };
    enum found found = find_first(field, payload, &value, &path, err);

    if (found == REFUSED)
        return false;
    if (found == ABSENT && field->constant.ptr) {
        buf_add(out, field->prefix);
        buf_add(out, field->constant);
        return true;
    }
    if (field->required.ptr && (found == ABSENT || is_empty(value)))
        return refuse_payload(err, field->required);
    if (found == ABSENT)
        return true;
    buf_add(out, field->prefix);
    return transform_as_write(field->as, value, path, out, err);
}

static bool write_field(const struct transform_field *field, const struct flat *payload,
                        const char *now, struct buf *out, struct error *err)
{
    if (field->kind == TRANSFORM_FROM)
        return write_from(field, payload, out, err);
    buf_add(out, field->prefix);
    if (field->kind == TRANSFORM_CONSTANT)
        buf_add(out, field->constant);
    else
        json_write_string(out, str_from_c(now));
    return true;
}

static bool write_fields(const struct transform *transform, const struct flat *payload,
                         const char *now, struct buf *out, struct error *err)
{
    size_t end = out->len + 1; /* where the first field begins */

    buf_add_char(out, '{');
    for (size_t i = 0; i < transform->field_count; i++) {
        size_t before = out->len;

        if (before > end)
            buf_add_char(out, ',');

        size_t start = out->len;

        if (!write_field(&transform->fields[i], payload, now, out, err))
            return false;
        if (out->len == start)
            out->len = before; /* left out, with its comma */
    }
    buf_add_char(out, '}');
    return out->overflow ? refuse_payload(err, STR("the record is too long")) : true;
}

bool transform_apply(const struct transform *transform, const struct flat *payload, int64_t now_us,
                     struct buf *out, struct error *err)
{
    size_t before = out->len;
    char now[CLOCK_TEXT_SIZE];

    clock_format(now_us, now);
    if (write_fields(transform, payload, now, out, err))
        return true;
    out->len = before;
    return false;
}
