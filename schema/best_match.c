/*
 * best_match.c - select the error that best_match() of Python's jsonschema 4.26 returns.
 *
 * best_match() selects the most relevant error: the one with the shortest path; among these, with
 * the greatest path; then, one whose keyword is not anyOf or oneOf; then, one whose value is not of
 * the subschema's type; then, the first. If its keyword is anyOf or oneOf, best_match() continues
 * with the least relevant error of the subschemas, except when two errors are equally relevant.
 * Errors are compared when they are found, so that each level keeps one error only.
 *
 * As in jsonschema, the path of the error of a `false` subschema lacks its last token.
 */
#include "schema/report.h"

#include "base/memory.h"

static void set_path(struct relevance *relevance, const struct step *step, size_t length)
{
    if (length > relevance->capacity) {
        relevance->capacity = length * 2;
        relevance->path = mem_realloc(relevance->path, relevance->capacity * sizeof(struct token));
    }
    relevance->length = length;
    for (size_t i = length; i > 0; i--, step = step->up)
        relevance->path[i - 1] = (struct token){ step->key, step->index };
}

static int compare_tokens(const struct token *a, const struct token *b)
{
    if (a->key.ptr && b->key.ptr)
        return str_compare(a->key, b->key); /* bytes of UTF-8 have the order of the code points */
    return (a->index > b->index) - (a->index < b->index);
}

static const struct step *step_at_depth(const struct step *step, size_t depth)
{
    while (step && step->depth > depth)
        step = step->up;
    return step;
}

/* Compare two paths of the same length. The second one is a list of steps. */
static int compare_path(const struct relevance *a, const struct step *step)
{
    int order = 0;

    /* The loop begins at the last token, so the first difference in the path is the last found. */
    for (size_t i = a->length; i > 0; i--, step = step->up) {
        struct token token = { step->key, step->index };
        int here = compare_tokens(&a->path[i - 1], &token);

        order = here != 0 ? here : order;
    }
    return order;
}

static bool matches_type(const struct fault *fault)
{
    const struct node *node = fault->at->node;
    unsigned kind = kind_bit(fault->at->value);

    for (uint32_t i = 0; i < node->rule_count; i++) {
        if (node->rules[i].op == RULE_TYPE)
            return (node->rules[i].u.limit & kind) != 0 ||
                   (kind == KIND_DOUBLE && check_whole(node, fault->at->value));
    }
    return false;
}

static bool is_any_or_one_of(const struct fault *fault)
{
    return fault->rule && (fault->rule->op == RULE_ANY_OF || fault->rule->op == RULE_ONE_OF);
}

/* Compare the level's best error with a new one. Positive: the old one is more relevant. */
static int compare(const struct relevance *old, const struct relevance *new,
                   const struct step *step)
{
    if (old->length != new->length)
        return old->length < new->length ? 1 : -1;

    int order = compare_path(old, step);

    if (order != 0)
        return order;
    if (old->strong != new->strong)
        return old->strong ? 1 : -1;
    if (old->mismatched != new->mismatched)
        return old->mismatched ? 1 : -1;
    return 0;
}

static void set_best(struct level *level, const struct relevance *new, const struct step *step,
                     uint64_t resolved)
{
    set_path(&level->best, step, new->length);
    level->best.strong = new->strong;
    level->best.mismatched = new->mismatched;
    level->resolved = resolved;
    level->has_best = true;
    level->tied = false;
}

void best_match_offer(struct reporter *reporter, const struct fault *fault, uint64_t resolved)
{
    struct level *level = &reporter->levels[reporter->level_count - 1];
    bool context = reporter->level_count > 1;
    const struct step *step = fault->at->step;
    size_t depth = step ? step->depth : 0;

    if (fault->kind == FAULT_FALSE && fault->at->stepped && depth > level->base)
        depth--;

    struct relevance new = {
        .length = depth - level->base,
        .strong = !is_any_or_one_of(fault),
        .mismatched = fault->kind == FAULT_FALSE || !matches_type(fault),
    };

    step = step_at_depth(step, depth);
    if (!level->has_best) {
        set_best(level, &new, step, resolved);
        return;
    }

    int order = compare(&level->best, &new, step);

    if (context ? order > 0 : order < 0)
        set_best(level, &new, step, resolved);
    else if (order == 0)
        level->tied = true;
}

void best_match_begin(struct reporter *reporter, size_t depth)
{
    reporter->levels = mem_grow(reporter->levels, reporter->level_count, &reporter->level_capacity,
                                sizeof(struct level));

    struct level *level = &reporter->levels[reporter->level_count];

    /* A level that was used before is reused with the memory of its path. */
    if (reporter->level_count++ == reporter->level_made)
        reporter->levels[reporter->level_made++] = (struct level){ 0 };
    level->base = depth;
    level->has_best = false;
    level->tied = false;
}

uint64_t best_match_end(struct reporter *reporter, uint64_t ordinal)
{
    const struct level *level = &reporter->levels[--reporter->level_count];

    return level->has_best && !level->tied ? level->resolved : ordinal;
}
