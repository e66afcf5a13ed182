/*
 * message.c - write error messages as Python's jsonschema 4.26 does.
 *
 * Some messages list values. They are searched for again here, so that struct fault need not store
 * them. With redact_values a message has the type of each instance value in place of the value;
 * property names and parts of the schema are not redacted. A message for logs has neither values
 * nor names that only the instance has.
 */
#include <stdlib.h>

#include "base/memory.h"
#include "base/utf8.h"
#include "schema/report.h"
#include "schema/repr.h"

struct message {
    struct reporter *reporter;
    struct buf *out;
    const struct fault *fault;
};

static void add(const struct message *message, const char *text)
{
    buf_add(message->out, str_from_c(text));
}

static void add_cut(const struct message *message, const struct flat *value, size_t max)
{
    struct buf text;

    buf_init(&text, max);
    repr_value(&text, value);
    buf_add(message->out, buf_str(&text));
    if (text.overflow)
        add(message, ELLIPSIS);
    buf_done(&text);
}

static void add_shown(const struct message *message, const struct flat *value)
{
    if (message->reporter->value_max > 0)
        add_cut(message, value, message->reporter->value_max);
    else
        repr_value(message->out, value);
}

static void add_value(const struct message *message, const struct flat *value)
{
    if (message->reporter->options.redact_values || message->reporter->for_log)
        repr_type(message->out, value);
    else
        add_shown(message, value);
}

static void add_instance(const struct message *message)
{
    if (message->fault->at->is_name && message->reporter->for_log)
        add(message, "<name>");
    else if (message->fault->at->is_name)
        add_shown(message, message->fault->at->value);
    else
        add_value(message, message->fault->at->value);
}

/* Add as much of the quote as fits. */
static void add_quote(const struct message *message, struct quote quote)
{
    const struct schema *schema = message->reporter->check.schema;
    struct str text = { schema->quotes.ptr + quote.start, quote.len };
    size_t room = message->out->max - message->out->len;

    if (text.len <= room) {
        buf_add(message->out, text);
        return;
    }
    buf_add(message->out, utf8_prefix(text, room));
    message->out->overflow = true;
}

/* Add the rule's subschema `number`. */
static void add_target(const struct message *message, uint64_t number)
{
    const struct schema *schema = message->reporter->check.schema;

    add_quote(message, schema->nodes[message->fault->rule->targets[number].node].quote);
}

static void add_source(const struct message *message)
{
    const struct rule *rule = message->fault->rule;

    if (rule->source)
        repr_value(message->out, rule->source);
    else if (rule->op == RULE_NOT)
        add_target(message, 0);
    else
        add_quote(message, rule->quote);
}

/* Add the separator of a list. False: the buffer is full. */
static bool next_entry(const struct message *message, size_t count)
{
    if (count > 0)
        add(message, ", ");
    return !message->out->overflow;
}

/* Lists of names. */

static int by_bytes(const void *a, const void *b)
{
    return str_compare(*(const struct str *)a, *(const struct str *)b);
}

/* Add the names, sorted by bytes if `sorted`. Frees the list. */
static void add_names(const struct message *message, struct str *names, size_t count, bool sorted)
{
    if (sorted)
        qsort(names, count, sizeof(*names), by_bytes);
    for (size_t i = 0; i < count && next_entry(message, i); i++)
        repr_string(message->out, names[i]);
    mem_free(names);
}

static struct str *alloc_names(size_t count)
{
    return mem_alloc_array(count + 1, sizeof(struct str));
}

static void add_patterns(const struct message *message)
{
    const struct members *members = message->fault->at->node->members;
    struct str *patterns = alloc_names(members->pattern_count);

    for (uint32_t i = 0; i < members->pattern_count; i++)
        patterns[i] = members->patterns[i].text;
    add_names(message, patterns, members->pattern_count, true);
}

static bool has_patterns(const struct node *node)
{
    for (uint32_t i = 0; i < node->rule_count; i++) {
        if (node->rules[i].op == RULE_PATTERN_PROPERTIES)
            return true;
    }
    return false;
}

/* A name in the instance that the schema did not expect. */
static struct str unexpected_name(const struct message *message, const struct flat *member)
{
    return message->reporter->for_log ? STR("*") : flat_key(member);
}

static void write_additional_properties(const struct message *message)
{
    const struct visit *at = message->fault->at;
    struct str *names = alloc_names(flat_count(at->value));
    size_t count = 0;

    for (FLAT_EACH(member, at->value)) {
        if (report_is_additional(message->reporter, at->node->members, member))
            names[count++] = unexpected_name(message, member);
    }
    if (has_patterns(at->node)) {
        add_names(message, names, count, true);
        add(message, count == 1 ? " does" : " do");
        add(message, " not match any of the regexes: ");
        add_patterns(message);
        return;
    }
    add(message, "Additional properties are not allowed (");
    add_names(message, names, count, true);
    add(message, count == 1 ? " was unexpected)" : " were unexpected)");
}

static void write_unevaluated_properties(const struct message *message)
{
    const struct visit *at = message->fault->at;
    struct check *check = &message->reporter->check;
    const struct target *target = message->fault->rule->targets;
    bool is_false = check->schema->nodes[target->node].is_false;
    struct str *names = alloc_names(flat_count(at->value));
    size_t count = 0;

    for (FLAT_EACH(member, at->value)) {
        if (!evaluated_has(at->seen, member->index) &&
            !check_node(check, target->fast, member, NULL))
            names[count++] = unexpected_name(message, member);
    }
    add(message, is_false ? "Unevaluated properties are not allowed ("
                          : "Unevaluated properties are not valid under the given schema (");
    add_names(message, names, count, is_false);
    add(message, count == 1 ? " was " : " were ");
    add(message, is_false ? "unexpected)" : "unevaluated and invalid)");
}

/* Lists of items. */

static void write_items(const struct message *message)
{
    const struct flat *array = message->fault->at->value;
    const struct rule *rule = message->fault->rule;
    size_t count = flat_count(array);
    size_t extra = count - rule->offset;
    bool additional = strcmp(rule->keyword, "additionalItems") == 0;
    bool bracket = !additional && extra != 1;

    if (additional)
        add(message, "Additional items are not allowed (");
    else
        buf_printf(message->out, "Expected at most %u %s but found %zu extra: ", rule->offset,
                   rule->offset == 1 ? "item" : "items", extra);
    if (bracket)
        add(message, "[");
    for (FLAT_EACH(item, array)) {
        if (item->index < rule->offset)
            continue;
        if (!next_entry(message, item->index - rule->offset))
            break;
        add_value(message, item);
    }
    if (bracket)
        add(message, "]");
    if (additional)
        add(message, extra == 1 ? " was unexpected)" : " were unexpected)");
}

static void write_unevaluated_items(const struct message *message)
{
    const struct visit *at = message->fault->at;
    struct check *check = &message->reporter->check;
    uint32_t node = message->fault->rule->targets[0].fast;
    size_t count = 0;

    add(message, "Unevaluated items are not allowed (");
    for (FLAT_EACH(item, at->value)) {
        if (message->out->overflow)
            break;
        if (evaluated_has(at->seen, item->index) || check_node(check, node, item, NULL))
            continue;
        (void)next_entry(message, count++);
        add_value(message, item);
    }
    add(message, count == 1 ? " was unexpected)" : " were unexpected)");
}

/* Other messages. */

static void write_type(const struct message *message)
{
    add_instance(message);
    add(message, " is not of type ");
    add_quote(message, message->fault->rule->quote);
}

static void write_size(const struct message *message)
{
    static const struct {
        uint8_t op;
        uint64_t special;
        const char *specially;
        const char *text;
    } sizes[] = {
        { RULE_MIN_LENGTH, 1, " should be non-empty", " is too short" },
        { RULE_MAX_LENGTH, 0, " is expected to be empty", " is too long" },
        { RULE_MIN_ITEMS, 1, " should be non-empty", " is too short" },
        { RULE_MAX_ITEMS, 0, " is expected to be empty", " is too long" },
        { RULE_MIN_PROPERTIES, 1, " should be non-empty", " does not have enough properties" },
        { RULE_MAX_PROPERTIES, 0, " is expected to be empty", " has too many properties" },
    };
    const struct rule *rule = message->fault->rule;

    add_instance(message);
    for (size_t i = 0; i < COUNT_OF(sizes); i++) {
        if (sizes[i].op == rule->op)
            add(message, rule->u.limit == sizes[i].special ? sizes[i].specially : sizes[i].text);
    }
}

static void write_contains(const struct message *message)
{
    const struct fault *fault = message->fault;

    if (fault->kind == FAULT_MANY) {
        buf_printf(message->out, "Too many items match the given schema (expected at most %llu)",
                   (unsigned long long)fault->rule->u.contains.max);
    } else if (fault->count > 0) {
        buf_printf(message->out,
                   "Too few items match the given schema (expected at least %llu but only %llu "
                   "matched)",
                   (unsigned long long)fault->rule->u.contains.min,
                   (unsigned long long)fault->count);
    } else if (fault->rule->modern) {
        add_instance(message);
        add(message, " does not contain items matching the given schema");
    } else {
        add(message, "None of ");
        add_instance(message);
        add(message, " are valid under the given schema");
    }
}

/* jsonschema lists the first valid subschema last. */
static void write_several(const struct message *message)
{
    const struct fault *fault = message->fault;

    add_instance(message);
    add(message, " is valid under each of ");
    for (uint32_t i = (uint32_t)fault->count + 1; i < fault->rule->target_count; i++) {
        if (!check_node(&message->reporter->check, fault->rule->targets[i].fast, fault->at->value,
                        NULL))
            continue;
        add_target(message, i);
        add(message, ", ");
    }
    add_target(message, fault->count);
}

static void write_combined(const struct message *message)
{
    if (message->fault->kind == FAULT_SEVERAL) {
        write_several(message);
        return;
    }
    add_instance(message);
    add(message, " is not valid under any of the given schemas");
}

static void write_const(const struct message *message)
{
    add_source(message);
    add(message, " was expected");
}

static void write_unique(const struct message *message)
{
    add_instance(message);
    add(message, " has non-unique elements");
}

/* Messages with the value, then a fixed text, then the keyword's value. */
static void write_plain(const struct message *message)
{
    static const char *const words[RULE_COUNT] = {
        [RULE_ENUM] = " is not one of ",
        [RULE_MINIMUM] = " is less than the minimum of ",
        [RULE_MAXIMUM] = " is greater than the maximum of ",
        [RULE_EXCLUSIVE_MINIMUM] = " is less than or equal to the minimum of ",
        [RULE_EXCLUSIVE_MAXIMUM] = " is greater than or equal to the maximum of ",
        [RULE_MULTIPLE_OF] = " is not a multiple of ",
        [RULE_PATTERN] = " does not match ",
        [RULE_FORMAT] = " is not a ",
        [RULE_NOT] = " should not be valid under ",
    };

    add_instance(message);
    add(message, words[message->fault->rule->op]);
    add_source(message);
}

static void (*const writers[RULE_COUNT])(const struct message *) = {
    [RULE_TYPE] = write_type,
    [RULE_CONST] = write_const,
    [RULE_MIN_LENGTH] = write_size,
    [RULE_MAX_LENGTH] = write_size,
    [RULE_MIN_ITEMS] = write_size,
    [RULE_MAX_ITEMS] = write_size,
    [RULE_MIN_PROPERTIES] = write_size,
    [RULE_MAX_PROPERTIES] = write_size,
    [RULE_UNIQUE_ITEMS] = write_unique,
    [RULE_ITEMS] = write_items,
    [RULE_CONTAINS] = write_contains,
    [RULE_ADDITIONAL_PROPERTIES] = write_additional_properties,
    [RULE_ANY_OF] = write_combined,
    [RULE_ONE_OF] = write_combined,
    [RULE_UNEVALUATED_ITEMS] = write_unevaluated_items,
    [RULE_UNEVALUATED_PROPERTIES] = write_unevaluated_properties,
};

void message_write(struct reporter *reporter, struct buf *out, const struct fault *fault)
{
    const struct message message = { reporter, out, fault };

    switch (fault->kind) {
    case FAULT_FALSE:
        add(&message, "False schema does not allow ");
        add_instance(&message);
        break;
    case FAULT_MISSING:
        repr_string(out, fault->name);
        add(&message, " is a required property");
        break;
    case FAULT_NEEDED:
        repr_string(out, fault->name);
        add(&message, " is a dependency of ");
        repr_string(out, fault->cause);
        break;
    default:
        if (writers[fault->rule->op])
            writers[fault->rule->op](&message);
        else
            write_plain(&message);
    }
}
