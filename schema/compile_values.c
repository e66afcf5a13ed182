/*
 * compile_values.c - compile the keywords for single values; lists of names, and patterns.
 *
 * `type`, `enum` and `const` also clear bits of the node's `types`, which the checker tests first.
 */
#include "schema/compile.h"

#include <stdlib.h>

#include "base/memory.h"
#include "base/utf8.h"

bool compile_names(struct compiler *compiler, const char *keyword, const struct flat *array,
                   const struct str **names, uint32_t *count)
{
    if (!flat_is_array(array))
        return compile_fail(compiler, keyword, "expected an array of strings");

    size_t length = flat_count(array);
    struct str *copy = arena_alloc(compiler->schema->arena, (length + 1) * sizeof(struct str));

    for (FLAT_EACH(name, array)) {
        if (!flat_is_string(name))
            return compile_fail(compiler, keyword, "expected an array of strings");
        copy[name->index] = arena_copy(compiler->schema->arena, flat_str(name));
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
                  const struct flat *value)
{
    unsigned types = 0;
    struct str single = { NULL, 0 };
    const struct str *names = &single;
    uint32_t count = 1;

    if (flat_is_string(value))
        single = flat_str(value);
    else if (!compile_names(compiler, keyword->name, value, &names, &count))
        return false;
    for (uint32_t i = 0; i < count; i++) {
        if (!add_type(compiler, names[i], &types))
            return false;
    }
    if ((types & KIND_NUMBER) == KIND_INT)
        compiler->whole = compiler->dialect.draft != SCHEMA_DRAFT_4;
    compiler->types &= (uint8_t)types;
    compiler->has_type = true;
    compile_rule(compiler, RULE_TYPE, keyword->name, KIND_ALL)->u.limit = types;
    return true;
}

/* enum, const */

static unsigned kinds_of(const struct flat *value)
{
    return flat_is_number(value) ? KIND_NUMBER : kind_bit(value);
}

/* Sort the values by their hashes if there are many, so that the checker can search them. */
static void sort_others(struct values *values)
{
    if (values->other_count <= VALUES_UNSORTED_MAX)
        return;
    for (uint32_t i = 0; i < values->other_count; i++)
        values->others[i].hash = flat_hash(values->others[i].value);
    qsort(values->others, values->other_count, sizeof(values->others[0]), hashed_value_order);
}

static void add_values(struct compiler *compiler, enum rule_op op, const struct keyword *keyword,
                       const struct flat *const *list, size_t count)
{
    struct arena *arena = compiler->schema->arena;
    struct values *values = arena_alloc(arena, sizeof(*values));
    unsigned kinds = 0;

    lookup_names_init(&values->strings, arena, count);
    values->others = arena_alloc(arena, (count + 1) * sizeof(struct hashed_value));
    for (size_t i = 0; i < count; i++) {
        if (flat_is_string(list[i]))
            (void)lookup_names_add(&values->strings, arena_copy(arena, flat_str(list[i])));
        else
            values->others[values->other_count++].value = flat_copy(arena, list[i]);
        kinds |= kinds_of(list[i]);
    }
    sort_others(values);
    compiler->types &= (uint8_t)kinds;
    compile_rule(compiler, op, keyword->name, KIND_ALL)->u.values = values;
}

bool compile_enum(struct compiler *compiler, const struct keyword *keyword,
                  const struct flat *value)
{
    if (!flat_is_array(value))
        return compile_fail(compiler, keyword->name, "expected an array");

    size_t count = flat_count(value);
    const struct flat **list = mem_alloc_array(count + 1, sizeof(const struct flat *));

    for (FLAT_EACH(choice, value))
        list[choice->index] = choice;
    add_values(compiler, RULE_ENUM, keyword, list, count);
    mem_free(list);
    return true;
}

bool compile_const(struct compiler *compiler, const struct keyword *keyword,
                   const struct flat *value)
{
    add_values(compiler, RULE_CONST, keyword, &value, 1);
    return true;
}

/* Numbers. */

/* In draft 4, exclusiveMinimum and exclusiveMaximum are booleans that modify the other keyword. */
static bool is_true_in_draft_4(const struct compiler *compiler, struct str keyword)
{
    const struct flat *value = NULL;

    if (compiler->dialect.draft == SCHEMA_DRAFT_4)
        value = flat_find(compiler->object, keyword);
    return value && flat_is_true(value);
}

static enum rule_op limit_op(const struct compiler *compiler, const struct keyword *keyword)
{
    switch (keyword->id) {
    case KEYWORD_MINIMUM:
        return is_true_in_draft_4(compiler, STR("exclusiveMinimum")) ? RULE_EXCLUSIVE_MINIMUM
                                                                     : RULE_MINIMUM;
    case KEYWORD_MAXIMUM:
        return is_true_in_draft_4(compiler, STR("exclusiveMaximum")) ? RULE_EXCLUSIVE_MAXIMUM
                                                                     : RULE_MAXIMUM;
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
                   const struct flat *value)
{
    if (compiler->dialect.draft == SCHEMA_DRAFT_4 && is_exclusive(keyword)) {
        if (flat_is_boolean(value))
            return true;
        return compile_fail(compiler, keyword->name, "expected a boolean");
    }
    if (!flat_is_number(value))
        return compile_fail(compiler, keyword->name, "expected a number");

    enum rule_op op = limit_op(compiler, keyword);

    if (op == RULE_MULTIPLE_OF && !(flat_double(value) > 0))
        return compile_fail(compiler, keyword->name, "expected a number above 0");

    struct rule *rule = compile_rule(compiler, op, keyword->name, KIND_NUMBER);

    rule->flag = flat_kind(value) == JSON_INTEGER && flat_int64(value, &rule->u.integer);
    return true;
}

/* Lengths and counts. */

static bool read_size(const struct flat *value, uint64_t *size)
{
    int64_t integer;

    if (!flat_is_number(value))
        return false;
    if (flat_int64(value, &integer)) {
        *size = integer < 0 ? 0 : (uint64_t)integer;
        return integer >= 0;
    }
    *size = UINT64_MAX;
    return flat_double(value) > (double)INT64_MAX;
}

bool compile_size(struct compiler *compiler, const struct keyword *keyword,
                  const struct flat *value)
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
                    const struct flat *value)
{
    if (!flat_is_boolean(value))
        return compile_fail(compiler, keyword->name, "expected a boolean");
    if (flat_is_true(value))
        (void)compile_rule(compiler, RULE_UNIQUE_ITEMS, keyword->name, KIND_ARRAY);
    return true;
}

/* Strings. */

bool compile_pattern(struct compiler *compiler, const struct keyword *keyword,
                     const struct flat *value)
{
    const struct regex *regex = NULL;

    if (!flat_is_string(value))
        return compile_fail(compiler, keyword->name, "expected a string");
    if (!compile_regex(compiler, keyword->name, flat_str(value), &regex))
        return false;
    compile_rule(compiler, RULE_PATTERN, keyword->name, KIND_STRING)->u.regex = regex;
    return true;
}

bool compile_format(struct compiler *compiler, const struct keyword *keyword,
                    const struct flat *value)
{
    if (!flat_is_string(value))
        return compile_fail(compiler, keyword->name, "expected a string");

    const struct format *format = format_find(flat_str(value));

    if (format && (compiler->dialect.assert_formats || compiler->library.options->assert_formats))
        compile_rule(compiler, RULE_FORMAT, keyword->name, KIND_STRING)->u.format = format;
    return true;
}
