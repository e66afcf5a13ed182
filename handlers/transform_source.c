/*
 * transform_source.c - pointers of a transform: their prefixes, and the values that they lead to.
 *
 * Absent and empty differ. A null or a scalar on the path to a value is neither, unless `skip`
 * says so: the event has another shape than the transform expects, and is refused.
 */
#include "base/chars.h"
#include "base/clock.h"
#include "handlers/transform_internal.h"

static const char *const meta_names[] = {
    [TRANSFORM_META_KEY] = "/key",
    [TRANSFORM_META_ROUTE] = "/route",
    [TRANSFORM_META_REGISTRY] = "/registry",
    [TRANSFORM_META_SCHEMA] = "/schema",
    [TRANSFORM_META_SCHEMA_VERSION] = "/schema_version",
    [TRANSFORM_META_REQUEST_ID] = "/request_id",
    [TRANSFORM_META_TRACE_ID] = "/trace_id",
    [TRANSFORM_META_RECEIVED_AT] = "/received_at",
};

static const struct {
    const char *prefix;
    enum transform_root root;
} roots[] = {
    { "payload:", TRANSFORM_PAYLOAD },
    { "event:", TRANSFORM_EVENT },
    { "meta:", TRANSFORM_META },
    { "parent:", TRANSFORM_PARENT },
};

static void release_pointer(void *pointer)
{
    json_pointer_destroy(pointer);
}

static struct str take_prefix(struct str *text, enum transform_root *root)
{
    for (size_t i = 0; i < COUNT_OF(roots); i++) {
        struct str prefix = str_from_c(roots[i].prefix);

        if (!str_starts_with(*text, prefix))
            continue;
        *root = roots[i].root;
        *text = str_from(*text, prefix.len);
        return prefix;
    }
    return STR("");
}

static bool find_meta(struct str text, struct transform_source *source, struct error *err)
{
    for (size_t i = 0; i < COUNT_OF(meta_names); i++)
        if (str_equal(text, str_from_c(meta_names[i]))) {
            source->meta = (enum transform_meta)i;
            return true;
        }
    return fail(err, ERR_CONFIG,
                "meta: has only /key, /route, /registry, /schema, /schema_version, /request_id, "
                "/trace_id and /received_at");
}

bool transform_source_init(struct arena *arena, struct str text, struct transform_source *out,
                           struct error *err)
{
    struct transform_source source = { .text = arena_copy(arena, text) };
    struct str rest = source.text;

    source.prefix = take_prefix(&rest, &source.root);
    if (source.root == TRANSFORM_META && !find_meta(rest, &source, err))
        return false;
    if (!json_pointer_create(rest, &source.pointer, err))
        return false;
    arena_own(arena, source.pointer, release_pointer);
    source.depth = json_pointer_depth(source.pointer);
    *out = source;
    return true;
}

/* Finding. */

/* Null, and with TRANSFORM_SKIP_EMPTY also what has no content. */
static bool is_nothing(const struct flat *value, enum transform_skip skip)
{
    switch (flat_kind(value)) {
    case JSON_NULL:
        return skip != TRANSFORM_SKIP_ABSENT;
    case JSON_STRING:
    case JSON_ARRAY:
    case JSON_OBJECT:
        return skip == TRANSFORM_SKIP_EMPTY && value->len == 0;
    default:
        return false;
    }
}

/* The value of `meta:`; a null for what there is not. */
static const struct flat *find_meta_value(struct transform_run *run,
                                          const struct transform_source *source)
{
    struct str text;

    if (source->meta == TRANSFORM_META_RECEIVED_AT) {
        clock_format(run->input->now_us, run->received_at);
        text = str_from_c(run->received_at);
    } else {
        text = run->input->meta[source->meta];
    }
    run->meta = (struct flat){ .text = text.ptr,
                               .len = (uint32_t)text.len,
                               .symbol = FLAT_NO_SYMBOL,
                               .size = 1,
                               .kind = text.ptr ? JSON_STRING : JSON_NULL };
    return &run->meta;
}

static const struct flat *root_of(const struct transform_run *run,
                                  const struct transform_source *source)
{
    switch (source->root) {
    case TRANSFORM_HERE:
        return run->scope->here;
    case TRANSFORM_PARENT:
        return run->scope->outer->here;
    case TRANSFORM_EVENT:
        return run->input->event;
    default:
        return run->input->payload;
    }
}

/* Add the first `count` tokens, as in `interaction.customer`. */
static void add_path(struct buf *out, const struct transform_run *run, size_t count)
{
    const struct transform_source *source = run->source;

    if (source->root != TRANSFORM_HERE)
        buf_add(out, source->prefix);
    else if (count == 0)
        buf_add(out, run->scope->outer ? STR("the element") : STR("payload"));
    for (size_t i = 0; i < count; i++) {
        struct str token = json_pointer_token(source->pointer, i);

        if (source->root != TRANSFORM_HERE)
            buf_add_char(out, '/');
        else if (i > 0)
            buf_add_char(out, '.');
        buf_add(out, token.len > 0 ? token : STR("\"\""));
    }
}

/* Add the name of the field, as in `items[0].sku`. Recurses as deep as fields are nested. */
static void add_field_name(struct buf *out, const struct transform_place *place)
{
    if (!place)
        return;
    add_field_name(out, place->outer);
    if (out->len > 0 && place->field->name.len > 0)
        buf_add_char(out, '.');
    buf_add(out, place->field->name);
    if (place->index != SIZE_MAX)
        buf_printf(out, "[%zu]", place->index);
}

struct str transform_name(struct arena *arena, const struct transform_place *place)
{
    struct buf *name = arena_buf(arena, SIZE_MAX / 2);

    add_field_name(name, place);
    return buf_str(name);
}

static bool refuse_at(struct transform_run *run, size_t count, const char *what)
{
    struct arena *arena = arena_create();
    struct buf *path = arena_buf(arena, ERR_TEXT_SIZE);
    struct str name = transform_name(arena, run->place);

    if (run->source)
        add_path(path, run, count);
    else
        buf_add(path, STR("the text"));
    (void)fail(run->err, ERR_INVALID, "Transformation failed: %.*s %s (%s%.*s%s%.*s%s)",
               STR_ARG(buf_str(path)), what, name.len > 0 ? "field " : "copy", STR_ARG(name),
               run->source ? " from " : "", STR_ARG(run->source ? run->source->text : STR("")),
               run->source && run->source->text.len == 0 ? "\"\"" : "");
    arena_destroy(arena);
    return false;
}

bool transform_refuse(struct transform_run *run, const char *what)
{
    return refuse_at(run, run->source ? run->source->depth : 0, what);
}

/* The value after `count` tokens lacks the next one. Is it an array where a member is named? */
static bool is_wrong_array(const struct transform_source *source, size_t count,
                           const struct flat *container)
{
    return flat_is_array(container) &&
           !all_are(json_pointer_token(source->pointer, count), char_is_digit);
}

/* `*value` stays NULL when it is absent. */
static bool find_one(struct transform_run *run, enum transform_skip skip, const struct flat **value)
{
    const struct transform_source *source = run->source;
    const struct flat *root = root_of(run, source);
    size_t stop = 0;
    const struct flat *found;
    enum json_lookup lookup = flat_pointer_find(source->pointer, root, &found, &stop);
    const struct flat *container;

    if (lookup == JSON_FOUND) {
        *value = is_nothing(found, skip) ? NULL : found;
        return true;
    }
    if (lookup == JSON_ABSENT)
        stop--;
    container = flat_pointer_prefix(source->pointer, stop, root);
    return (lookup == JSON_ABSENT && !is_wrong_array(source, stop, container)) ||
           is_nothing(container, skip) || refuse_at(run, stop, "is not an object");
}

bool transform_find(struct transform_run *run, const struct transform_source *sources, size_t count,
                    enum transform_skip skip, const struct flat **value)
{
    *value = NULL;
    for (size_t i = 0; i < count && !*value; i++) {
        run->source = &sources[i];
        if (sources[i].root == TRANSFORM_META) {
            const struct flat *found = find_meta_value(run, &sources[i]);

            *value = is_nothing(found, skip) ? NULL : found;
        } else if (!find_one(run, skip, value)) {
            return false;
        }
    }
    return true;
}
