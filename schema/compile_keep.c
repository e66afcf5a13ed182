/*
 * compile_keep.c - copy the parts of the documents that a compiled schema needs.
 *
 * These are the values that rules compare with, and quotes: the parts of the schema that error
 * messages show, in the form in which messages show them. Messages about `not` and `oneOf` show
 * whole subschemas. A subschema inside another one shares its quote.
 */
/* NOLINTBEGIN(misc-no-recursion): the reader limits the depth of documents */
#include "base/memory.h"
#include "schema/compile.h"
#include "schema/repr.h"

/* Bytes of a value that are kept; more than a message can show. */
enum { QUOTE_MAX = 4352 };

static void quote_value(struct compiler *compiler, const struct flat *value);

static void quote_array(struct compiler *compiler, const struct flat *array)
{
    struct buf *out = &compiler->schema->quotes;

    buf_add_char(out, '[');
    for (FLAT_EACH(element, array)) {
        if (element->index > 0)
            buf_add(out, STR(", "));
        quote_value(compiler, element);
    }
    buf_add_char(out, ']');
}

static void quote_object(struct compiler *compiler, const struct flat *object)
{
    struct buf *out = &compiler->schema->quotes;

    buf_add_char(out, '{');
    for (FLAT_EACH(member, object)) {
        if (member->index > 0)
            buf_add(out, STR(", "));
        repr_string(out, flat_key(member));
        buf_add(out, STR(": "));
        quote_value(compiler, member);
    }
    buf_add_char(out, '}');
}

static struct quote quote_since(const struct compiler *compiler, size_t start)
{
    return (struct quote){ (uint32_t)start, (uint32_t)(compiler->schema->quotes.len - start) };
}

/* Like repr_value(), and sets node.quote of each subschema in the value. */
static void quote_value(struct compiler *compiler, const struct flat *value)
{
    size_t start = compiler->schema->quotes.len;
    uint32_t location = library_find(&compiler->library, value);

    if (flat_is_array(value))
        quote_array(compiler, value);
    else if (flat_is_object(value))
        quote_object(compiler, value);
    else
        repr_value(&compiler->schema->quotes, value);
    if (location != NO_LOCATION && compiler->library.locations[location].node != NO_NODE)
        compiler->schema->nodes[compiler->library.locations[location].node].quote =
            quote_since(compiler, start);
}

/* Write the subschemas of a `not` or `oneOf`. */
static void quote_targets(struct compiler *compiler, const struct rule *rule)
{
    for (uint32_t i = 0; i < rule->target_count; i++) {
        const struct node *node = &compiler->schema->nodes[rule->targets[i].node];

        if (node->quote.len == 0)
            quote_value(compiler, compiler->library.locations[node->location].value);
    }
}

/* Write the beginning of the keyword's value. */
static void quote_source(struct compiler *compiler, struct rule *rule)
{
    struct buf *out = &compiler->schema->quotes;
    size_t start = out->len;
    size_t max = out->max;
    bool full = out->overflow;

    if (max - start > QUOTE_MAX)
        out->max = start + QUOTE_MAX;
    repr_value(out, rule->source);
    out->overflow = full || (out->overflow && out->max == max);
    out->max = max;
    rule->quote = quote_since(compiler, start);
}

/* Messages show a list of types without brackets. */
static void quote_types(struct compiler *compiler, struct rule *rule)
{
    struct buf *out = &compiler->schema->quotes;
    size_t start = out->len;

    for (FLAT_EACH(type, rule->source)) {
        if (type->index > 0)
            buf_add(out, STR(", "));
        repr_value(out, type);
    }
    rule->quote = quote_since(compiler, start);
}

/* All rules with the same type share one quote. */
static void quote_type(struct compiler *compiler, struct rule *rule)
{
    struct quote *quote = &compiler->type_quotes[63 - __builtin_clzll(rule->u.limit)];

    if (quote->len == 0) {
        quote_source(compiler, rule);
        *quote = rule->quote;
    }
    rule->quote = *quote;
}

static void keep_rule(struct compiler *compiler, struct rule *rule)
{
    switch (rule->op) {
    case RULE_TYPE:
        if (flat_is_array(rule->source))
            quote_types(compiler, rule);
        else
            quote_type(compiler, rule);
        break;
    case RULE_ENUM:
    case RULE_CONST:
    case RULE_PATTERN:
    case RULE_FORMAT:
        quote_source(compiler, rule);
        break;
    case RULE_MINIMUM:
    case RULE_MAXIMUM:
    case RULE_EXCLUSIVE_MINIMUM:
    case RULE_EXCLUSIVE_MAXIMUM:
    case RULE_MULTIPLE_OF:
        rule->source = flat_copy(compiler->schema->arena, rule->source);
        return;
    case RULE_NOT:
    case RULE_ONE_OF:
        quote_targets(compiler, rule);
        break;
    default:
        break;
    }
    rule->source = NULL;
}

bool compile_keep(struct compiler *compiler)
{
    struct library *library = &compiler->library;
    struct schema *schema = compiler->schema;

    buf_init(&schema->quotes, UINT32_MAX);
    /* A location precedes those inside it, so that quote_value() finds the inner quotes. */
    for (uint32_t i = 0; i < library->location_count; i++) {
        if (library->locations[i].node == NO_NODE)
            continue;

        struct node *node = &schema->nodes[library->locations[i].node];

        for (uint32_t j = 0; j < node->rule_count; j++)
            keep_rule(compiler, &node->rules[j]);
    }
    if (schema->quotes.overflow)
        return fail(compiler->err, ERR_MALFORMED, "too large");
    return true;
}
/* NOLINTEND(misc-no-recursion) */
