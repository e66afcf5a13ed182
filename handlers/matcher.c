/*
 * matcher.c - see matcher.h: compiling, and whether an event matches.
 */
#include "handlers/matcher.h"

#include "base/chars.h"
#include "base/memory.h"
#include "handlers/matcher_internal.h"

const struct str matcher_members[MATCHER_MEMBERS] = {
    [MATCHER_SOURCE] = STR_INIT("source"),
    [MATCHER_DETAIL_TYPE] = STR_INIT("detail-type"),
};

/* Compiling. */

static void release_key_pointer(void *pointer)
{
    json_pointer_destroy(pointer);
}

static bool is_glob(struct str text)
{
    for (size_t i = 0; i < text.len; i++)
        if (char_is_one_of(text.ptr[i], "*?"))
            return true;
    return false;
}

static struct matcher_value read_wanted(const struct flat *source)
{
    bool is_text = flat_is_string(source);

    return (struct matcher_value){ .source = source,
                                   .is_any = is_text && str_equal(flat_str(source), STR("*")),
                                   .is_exact = is_text && !is_glob(flat_str(source)) };
}

static bool compile_key(struct matcher *matcher, const struct flat *member, struct matcher_key *key,
                        struct error *err)
{
    bool is_list = flat_is_array(member);
    const struct flat *end = member + member->size;
    struct matcher_value *values =
        arena_alloc(matcher->arena, (size_t)member->size * sizeof(*values));

    *key = (struct matcher_key){ .name = flat_key(member), .source = member, .values = values };
    for (const struct flat *at = is_list ? member + 1 : member; at < end; at += at->size) {
        values[key->value_count] = read_wanted(at);
        key->is_any = key->is_any || values[key->value_count].is_any;
        key->value_count++;
    }
    if (!str_starts_with(key->name, STR("/")))
        return true;
    if (!json_pointer_create(key->name, &key->pointer, err))
        return false;
    arena_own(matcher->arena, key->pointer, release_key_pointer);
    return true;
}

/* Read `text`, the value of the route's key `name`. False: a problem. */
static bool read_key(struct matcher *matcher, const struct pattern_report *report, const char *name,
                     struct str text, const struct flat **out)
{
    struct error err;

    if (flat_read(matcher->arena, arena_copy(matcher->arena, text), NULL, out, &err))
        return true;
    report->problem(report->self,
                    arena_printf(matcher->arena, "%.*s/%s", STR_ARG(report->root), name), err.text);
    return false;
}

static bool compile_match(struct matcher *matcher, struct str text,
                          const struct pattern_report *report)
{
    struct error err;
    bool ok = true;

    if (!read_key(matcher, report, "match", text, &matcher->match))
        return false;
    matcher->keys =
        arena_alloc(matcher->arena, (flat_count(matcher->match) + 1) * sizeof(*matcher->keys));
    for (FLAT_EACH(member, matcher->match)) {
        struct buf *place;

        if (compile_key(matcher, member, &matcher->keys[matcher->key_count++], &err))
            continue;
        place = arena_buf(matcher->arena, SIZE_MAX);
        buf_printf(place, "%.*s/match/", STR_ARG(report->root));
        json_write_pointer_token(place, flat_key(member));
        report->problem(report->self, buf_str(place), err.text);
        ok = false;
    }
    return ok;
}

static bool compile_pattern(struct matcher *matcher, struct str text,
                            const struct pattern_report *report)
{
    struct pattern_report inner = *report;

    inner.root = arena_printf(matcher->arena, "%.*s/pattern", STR_ARG(report->root));
    return read_key(matcher, report, "pattern", text, &matcher->source) &&
           pattern_create(matcher->source, &inner, &matcher->pattern);
}

/*
 * The texts in `wanted`, a value of `match` or of the pattern. Without an entry if another value
 * can match, too: in `match` also one that is absent, which counts as "".
 */
static struct matcher_texts find_texts(const struct matcher *matcher, const struct flat *wanted,
                                       bool has_globs)
{
    bool is_list = flat_is_array(wanted);
    const struct flat *end = wanted + wanted->size;
    struct str *list = arena_alloc(matcher->arena, (size_t)wanted->size * sizeof(*list));
    size_t count = 0;

    for (const struct flat *at = is_list ? wanted + 1 : wanted; at < end; at += at->size) {
        if (!flat_is_string(at) || (has_globs && (is_glob(flat_str(at)) || at->len == 0)))
            return (struct matcher_texts){ NULL, 0 };
        list[count++] = flat_str(at);
    }
    return (struct matcher_texts){ list, count };
}

static void index_members(struct matcher *matcher)
{
    const struct flat *tree = matcher->match ? matcher->match : matcher->source;

    for (size_t i = 0; tree && i < MATCHER_MEMBERS; i++) {
        const struct flat *wanted = flat_find(tree, matcher_members[i]);

        if (wanted)
            matcher->texts[i] = find_texts(matcher, wanted, tree == matcher->match);
        for (size_t j = 0; j < matcher->key_count; j++)
            if (str_equal(matcher->keys[j].name, matcher_members[i]))
                matcher->indexed_keys[i] = &matcher->keys[j];
        if (matcher->pattern)
            matcher->indexed_fields[i] = pattern_field_find(matcher->pattern, matcher_members[i]);
    }
}

bool matcher_create(const struct matcher_options *options, const struct pattern_report *report,
                    struct matcher **out)
{
    struct matcher *matcher = mem_alloc(sizeof(*matcher));
    bool ok = true;

    matcher->arena = arena_create();
    if (options->match.len > 0)
        ok = compile_match(matcher, options->match, report);
    if (options->pattern.len > 0)
        ok = compile_pattern(matcher, options->pattern, report) && ok;
    if (!ok) {
        matcher_destroy(matcher);
        return false;
    }
    index_members(matcher);
    *out = matcher;
    return true;
}

void matcher_destroy(void *matcher)
{
    struct matcher *self = matcher;

    if (!self)
        return;
    pattern_destroy(self->pattern);
    arena_destroy(self->arena);
    mem_free(self);
}

const struct str *matcher_texts(const struct matcher *matcher, enum matcher_member member,
                                size_t *count)
{
    *count = matcher->texts[member].count;
    return matcher->texts[member].list;
}

const struct flat *matcher_match(const struct matcher *matcher)
{
    return matcher->match;
}

const struct flat *matcher_pattern(const struct matcher *matcher)
{
    return matcher->source;
}

/* Matching. */

/* NULL: absent. */
static const struct flat *find_value(const struct matcher_key *key, const struct flat *event)
{
    const struct flat *value = NULL;

    if (!key->pointer)
        return flat_is_object(event) ? flat_find(event, key->name) : NULL;
    return flat_pointer_find(key->pointer, event, &value, NULL) == JSON_FOUND ? value : NULL;
}

static bool meets(const struct matcher_value *wanted, const struct flat *value)
{
    const struct flat *source = wanted->source;
    struct str text = value && flat_is_string(value) ? flat_str(value) : STR("");

    if (flat_is_string(source))
        return wanted->is_exact ? str_equal(text, flat_str(source))
                                : str_matches_glob(text, flat_str(source));
    if (!value)
        return false;
    if (flat_is_number(source))
        return flat_is_number(value) && flat_compare_numbers(source, value) == 0;
    return flat_is_boolean(value) && flat_is_true(source) == flat_is_true(value);
}

/* `value` NULL: absent. */
static bool key_takes(const struct matcher_key *key, const struct flat *value)
{
    for (size_t i = 0; i < key->value_count; i++)
        if (meets(&key->values[i], value))
            return true;
    return false;
}

static bool key_fits(const struct matcher_key *key, const struct flat *event)
{
    return key->is_any || key_takes(key, find_value(key, event));
}

bool matcher_fits(const struct matcher *matcher, const struct flat *event)
{
    for (size_t i = 0; i < matcher->key_count; i++)
        if (!key_fits(&matcher->keys[i], event))
            return false;
    return !matcher->pattern || pattern_fits(matcher->pattern, event);
}

bool matcher_may_fit(const struct matcher *matcher,
                     const struct flat *const values[static MATCHER_MEMBERS])
{
    for (size_t i = MATCHER_MEMBERS; i-- > 0;) { /* detail-type first: it differs more */
        const struct matcher_key *key = matcher->indexed_keys[i];
        const struct pattern_field *field = matcher->indexed_fields[i];

        if ((key && !key->is_any && !key_takes(key, values[i])) ||
            (field && !pattern_field_fits(field, values[i])))
            return false;
    }
    return true;
}

static const char *type_of(const struct flat *value)
{
    static const char *const names[] = {
        [JSON_NULL] = "null",     [JSON_BOOLEAN] = "boolean", [JSON_INTEGER] = "integer",
        [JSON_NUMBER] = "number", [JSON_STRING] = "string",   [JSON_ARRAY] = "array",
        [JSON_OBJECT] = "object",
    };

    return value ? names[flat_kind(value)] : "absent";
}

bool matcher_explain(const struct matcher *matcher, const struct flat *event, struct arena *arena,
                     struct matcher_miss *miss)
{
    struct pattern_miss of_pattern;

    for (size_t i = 0; i < matcher->key_count; i++) {
        const struct matcher_key *key = &matcher->keys[i];

        if (key_fits(key, event))
            continue;
        *miss = (struct matcher_miss){ key->name, flat_text(arena, key->source),
                                       type_of(find_value(key, event)) };
        return true;
    }
    if (!matcher->pattern || !pattern_explain(matcher->pattern, event, arena, &of_pattern))
        return false;
    *miss = (struct matcher_miss){ of_pattern.key, of_pattern.expected, type_of(of_pattern.found) };
    return true;
}
