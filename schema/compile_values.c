/*
 * compile_values.c - compile the keywords for single values; lists of names, and patterns.
 *
 * `type`, `enum` and `const` also clear bits of the node's `types`, which the checker tests first.
 */
#include "schema/compile.h"

#include <stdlib.h>

#include "base/memory.h"
#include "base/utf8.h"

bool compile_names(struct compiler *compiler, const char *keyword, struct json_object *array,
                   const struct str **names, uint32_t *count)
{
    if (!json_is_array(array))
        return compile_fail(compiler, keyword, "expected an array of strings");

    size_t length = json_count(array);
    struct str *copy = arena_alloc(compiler->schema->arena, (length + 1) * sizeof(struct str));

    for (size_t i = 0; i < length; i++) {
        if (!json_is_string(json_at(array, i)))
            return compile_fail(compiler, keyword, "expected an array of strings");
        copy[i] = arena_copy(compiler->schema->arena, json_str(json_at(array, i)));
    }
    *names = copy;
    *count = (uint32_t)length;
    return true;
}

static void destroy_regex(void *regex)
{
    regex_destroy(regex);
}

static const struct regex *find_regex(const struct compiler *compiler, struct str pattern)
{
    struct lookup_walk walk = lookup_walk(&compiler->regex_patterns, lookup_hash(pattern));

    for (uint32_t i = lookup_next(&walk); i != LOOKUP_NONE; i = lookup_next(&walk)) {
        if (str_equal(compiler->regexes[i].pattern, pattern))
            return compiler->regexes[i].regex;
    }
    return NULL;
}

static void add_regex(struct compiler *compiler, struct str pattern, const struct regex *regex)
{
    lookup_add(&compiler->regex_patterns, compiler->library.arena, lookup_hash(pattern),
               compiler->regex_count);
    compiler->regexes = mem_grow(compiler->regexes, compiler->regex_count,
                                 &compiler->regex_capacity, sizeof(struct known_regex));
    compiler->regexes[compiler->regex_count++] = (struct known_regex){ pattern, regex };
}

/* Fail with the reason, then the beginning of the pattern. */
static bool fail_pattern(struct compiler *compiler, const char *keyword, struct str pattern)
{
    enum { SHOWN_MAX = 100 };
    const struct error why = *compiler->err;
    size_t shown = utf8_prefix(pattern, SHOWN_MAX).len;

    return compile_fail(compiler, keyword, "%s, in %.*s%s", why.text, (int)shown, pattern.ptr,
                        shown < pattern.len ? "\xE2\x80\xA6" : "");
}

bool compile_regex(struct compiler *compiler, const char *keyword, struct str pattern,
                   const struct regex **out)
{
    struct regex *regex;

    *out = find_regex(compiler, pattern);
    if (*out)
        return true;
    if (!regex_create(pattern, &regex, compiler->err)) {
        return fail_pattern(compiler, keyword, pattern);
    }
    arena_own(compiler->schema->arena, regex, destroy_regex);
    add_regex(compiler, pattern, regex);
    *out = regex;
    return true;
}

/* type */

static bool add_type(struct compiler *compiler, struct str name, unsigned *types)
{
    unsigned kinds = dialect_type(name);

    *types |= kinds;
    return kinds != 0 || compile_fail(compiler, "type", "there is no type \"%.*s\"", STR_ARG(name));
}

bool compile_type(struct compiler *compiler, const struct keyword *keyword,
                  struct json_object *value)
{
    unsigned types = 0;
    struct str single = { NULL, 0 };
    const struct str *names = &single;
    uint32_t count = 1;

    if (json_is_string(value))
        single = json_str(value);
    else if (!compile_names(compiler, keyword->name, value, &names, &count))
        return false;
    for (uint32_t i = 0; i < count; i++) {
        if (!add_type(compiler, names[i], &types))
            return false;
    }
    if ((types & KIND_NUMBER) == KIND_INT)
        compiler->whole = compiler->dialect.draft == SCHEMA_DRAFT_4 ? WHOLE_LEXICAL : WHOLE_VALUED;
    compiler->types &= (uint8_t)types;
    compiler->has_type = true;
    compile_rule(compiler, RULE_TYPE, keyword->name, KIND_ALL)->u.limit = types;
    return true;
}

/* enum, const */

static unsigned kinds_of(struct json_object *value)
{
    unsigned kind = 1U << json_object_get_type(value);

    return (kind & KIND_NUMBER) != 0 ? KIND_NUMBER : kind;
}

/* Sort the values by their hashes if there are many, so that the checker can search them. */
static void sort_others(struct values *values)
{
    if (values->other_count <= VALUES_UNSORTED_MAX)
        return;
    for (uint32_t i = 0; i < values->other_count; i++)
        values->others[i].hash = json_hash(values->others[i].value);
    qsort(values->others, values->other_count, sizeof(values->others[0]), hashed_value_order);
}

static void add_values(struct compiler *compiler, enum rule_op op, const struct keyword *keyword,
                       struct json_object *const *list, size_t count)
{
    struct arena *arena = compiler->schema->arena;
    struct values *values = arena_alloc(arena, sizeof(*values));
    unsigned kinds = 0;

    lookup_names_init(&values->strings, arena, count);
    values->others = arena_alloc(arena, (count + 1) * sizeof(struct hashed_value));
    for (size_t i = 0; i < count; i++) {
        if (json_is_string(list[i]))
            (void)lookup_names_add(&values->strings, arena_copy(arena, json_str(list[i])));
        else
            values->others[values->other_count++].value = compile_copy(compiler, list[i]);
        kinds |= kinds_of(list[i]);
    }
    sort_others(values);
    compiler->types &= (uint8_t)kinds;
    compile_rule(compiler, op, keyword->name, KIND_ALL)->u.values = values;
}

bool compile_enum(struct compiler *compiler, const struct keyword *keyword,
                  struct json_object *value)
{
    if (!json_is_array(value))
        return compile_fail(compiler, keyword->name, "expected an array");

    size_t count = json_count(value);
    struct json_object **list = mem_alloc_array(count + 1, sizeof(struct json_object *));

    for (size_t i = 0; i < count; i++)
        list[i] = json_at(value, i);
    add_values(compiler, RULE_ENUM, keyword, list, count);
    mem_free(list);
    return true;
}

bool compile_const(struct compiler *compiler, const struct keyword *keyword,
                   struct json_object *value)
{
    add_values(compiler, RULE_CONST, keyword, &value, 1);
    return true;
}

/* Numbers. */

/* In draft 4, exclusiveMinimum and exclusiveMaximum are booleans that modify the other keyword. */
static enum rule_op limit_op(const struct compiler *compiler, const struct keyword *keyword)
{
    struct json_object *exclusive = NULL;
    bool draft4 = compiler->dialect.draft == SCHEMA_DRAFT_4;

    switch (keyword->id) {
    case KEYWORD_MINIMUM:
        if (draft4)
            (void)json_find(compiler->object, "exclusiveMinimum", &exclusive);
        return json_object_get_boolean(exclusive) ? RULE_EXCLUSIVE_MINIMUM : RULE_MINIMUM;
    case KEYWORD_MAXIMUM:
        if (draft4)
            (void)json_find(compiler->object, "exclusiveMaximum", &exclusive);
        return json_object_get_boolean(exclusive) ? RULE_EXCLUSIVE_MAXIMUM : RULE_MAXIMUM;
    case KEYWORD_EXCLUSIVE_MINIMUM:
        return RULE_EXCLUSIVE_MINIMUM;
    case KEYWORD_EXCLUSIVE_MAXIMUM:
        return RULE_EXCLUSIVE_MAXIMUM;
    default:
        return RULE_MULTIPLE_OF;
    }
}

static bool is_exclusive(const struct keyword *keyword)
{
    return keyword->id == KEYWORD_EXCLUSIVE_MINIMUM || keyword->id == KEYWORD_EXCLUSIVE_MAXIMUM;
}

bool compile_limit(struct compiler *compiler, const struct keyword *keyword,
                   struct json_object *value)
{
    if (compiler->dialect.draft == SCHEMA_DRAFT_4 && is_exclusive(keyword)) {
        if (json_object_is_type(value, json_type_boolean))
            return true;
        return compile_fail(compiler, keyword->name, "expected a boolean");
    }
    if ((kinds_of(value) & KIND_NUMBER) == 0)
        return compile_fail(compiler, keyword->name, "expected a number");

    enum rule_op op = limit_op(compiler, keyword);

    if (op == RULE_MULTIPLE_OF && !(json_double(value) > 0))
        return compile_fail(compiler, keyword->name, "expected a number above 0");

    struct rule *rule = compile_rule(compiler, op, keyword->name, KIND_NUMBER);

    rule->flag = json_object_is_type(value, json_type_int) && json_int64(value, &rule->u.integer);
    return true;
}

/* Lengths and counts. */

static bool read_size(struct json_object *value, uint64_t *size)
{
    int64_t integer;

    if ((kinds_of(value) & KIND_NUMBER) == 0)
        return false;
    if (json_int64(value, &integer)) {
        *size = integer < 0 ? 0 : (uint64_t)integer;
        return integer >= 0;
    }
    *size = UINT64_MAX;
    return json_double(value) > (double)INT64_MAX;
}

bool compile_size(struct compiler *compiler, const struct keyword *keyword,
                  struct json_object *value)
{
    static const struct {
        uint8_t id;
        uint8_t op;
        uint8_t kinds;
    } sizes[] = {
        { KEYWORD_MIN_LENGTH, RULE_MIN_LENGTH, KIND_STRING },
        { KEYWORD_MAX_LENGTH, RULE_MAX_LENGTH, KIND_STRING },
        { KEYWORD_MIN_ITEMS, RULE_MIN_ITEMS, KIND_ARRAY },
        { KEYWORD_MAX_ITEMS, RULE_MAX_ITEMS, KIND_ARRAY },
        { KEYWORD_MIN_PROPERTIES, RULE_MIN_PROPERTIES, KIND_OBJECT },
        { KEYWORD_MAX_PROPERTIES, RULE_MAX_PROPERTIES, KIND_OBJECT },
    };
    uint64_t size;

    if (!read_size(value, &size))
        return compile_fail(compiler, keyword->name, "expected a non-negative integer");
    for (size_t i = 0; i < COUNT_OF(sizes); i++) {
        if (sizes[i].id == keyword->id)
            compile_rule(compiler, (enum rule_op)sizes[i].op, keyword->name, sizes[i].kinds)
                ->u.limit = size;
    }
    return true;
}

bool compile_unique(struct compiler *compiler, const struct keyword *keyword,
                    struct json_object *value)
{
    if (!json_object_is_type(value, json_type_boolean))
        return compile_fail(compiler, keyword->name, "expected a boolean");
    if (json_object_get_boolean(value))
        (void)compile_rule(compiler, RULE_UNIQUE_ITEMS, keyword->name, KIND_ARRAY);
    return true;
}

/* Strings. */

bool compile_pattern(struct compiler *compiler, const struct keyword *keyword,
                     struct json_object *value)
{
    const struct regex *regex = NULL;

    if (!json_is_string(value))
        return compile_fail(compiler, keyword->name, "expected a string");
    if (!compile_regex(compiler, keyword->name, json_str(value), &regex))
        return false;
    compile_rule(compiler, RULE_PATTERN, keyword->name, KIND_STRING)->u.regex = regex;
    return true;
}

bool compile_format(struct compiler *compiler, const struct keyword *keyword,
                    struct json_object *value)
{
    if (!json_is_string(value))
        return compile_fail(compiler, keyword->name, "expected a string");

    const struct format *format = format_find(json_str(value));

    if (format && (compiler->dialect.assert_formats || compiler->library.options->assert_formats))
        compile_rule(compiler, RULE_FORMAT, keyword->name, KIND_STRING)->u.format = format;
    return true;
}
