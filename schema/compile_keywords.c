/*
 * compile_keywords.c - the table of the functions that compile keywords.
 *
 * `then`, `else`, minContains and maxContains have no function: those of `if` and `contains` read
 * them.
 */
#include "schema/compile.h"

static bool (*const compilers[])(struct compiler *, const struct keyword *, const struct flat *) = {
    [KEYWORD_ADDITIONAL_ITEMS] = compile_additional_items,
    [KEYWORD_ADDITIONAL_PROPERTIES] = compile_additional_properties,
    [KEYWORD_ALL_OF] = compile_schemas,
    [KEYWORD_ANY_OF] = compile_schemas,
    [KEYWORD_CONST] = compile_const,
    [KEYWORD_CONTAINS] = compile_contains,
    [KEYWORD_DEPENDENCIES] = compile_dependents,
    [KEYWORD_DEPENDENT_REQUIRED] = compile_dependents,
    [KEYWORD_DEPENDENT_SCHEMAS] = compile_dependents,
    [KEYWORD_DYNAMIC_REF] = compile_dynamic_ref,
    [KEYWORD_ENUM] = compile_enum,
    [KEYWORD_EXCLUSIVE_MAXIMUM] = compile_limit,
    [KEYWORD_EXCLUSIVE_MINIMUM] = compile_limit,
    [KEYWORD_FORMAT] = compile_format,
    [KEYWORD_IF] = compile_if,
    [KEYWORD_ITEMS] = compile_items,
    [KEYWORD_MAX_ITEMS] = compile_size,
    [KEYWORD_MAX_LENGTH] = compile_size,
    [KEYWORD_MAX_PROPERTIES] = compile_size,
    [KEYWORD_MAXIMUM] = compile_limit,
    [KEYWORD_MIN_ITEMS] = compile_size,
    [KEYWORD_MIN_LENGTH] = compile_size,
    [KEYWORD_MIN_PROPERTIES] = compile_size,
    [KEYWORD_MINIMUM] = compile_limit,
    [KEYWORD_MULTIPLE_OF] = compile_limit,
    [KEYWORD_NOT] = compile_not,
    [KEYWORD_ONE_OF] = compile_schemas,
    [KEYWORD_PATTERN] = compile_pattern,
    [KEYWORD_PATTERN_PROPERTIES] = compile_pattern_properties,
    [KEYWORD_PREFIX_ITEMS] = compile_prefix_items,
    [KEYWORD_PROPERTIES] = compile_properties,
    [KEYWORD_PROPERTY_NAMES] = compile_property_names,
    [KEYWORD_RECURSIVE_REF] = compile_recursive_ref,
    [KEYWORD_REF] = compile_ref,
    [KEYWORD_REQUIRED] = compile_required,
    [KEYWORD_TYPE] = compile_type,
    [KEYWORD_UNEVALUATED_ITEMS] = compile_unevaluated,
    [KEYWORD_UNEVALUATED_PROPERTIES] = compile_unevaluated,
    [KEYWORD_UNIQUE_ITEMS] = compile_unique,
    [KEYWORD_NO_RULE] = NULL,
};

bool compile_keyword(struct compiler *compiler, const struct keyword *keyword,
                     const struct flat *value)
{
    compiler->value = value;
    return !compilers[keyword->id] || compilers[keyword->id](compiler, keyword, value);
}
