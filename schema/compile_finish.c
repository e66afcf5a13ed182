/*
 * compile_finish.c - steps that need all nodes: dynamic references, loops, short cuts.
 */
#include "base/memory.h"
#include "schema/compile.h"

/* Dynamic references. */

/* Is `anchor` a candidate target? Its resource must be one that can be in scope. */
static bool is_candidate(const struct compiler *compiler, const struct dynamic_rule *dynamic,
                         const struct anchor *anchor)
{
    return !dynamic->recursive && anchor->dynamic && str_equal(anchor->name, dynamic->anchor) &&
           compiler->library.resources[anchor->resource].entered;
}

/* The same for a `$recursiveRef`, whose candidates are the roots of resources. */
static bool is_candidate_root(const struct compiler *compiler, const struct dynamic_rule *dynamic,
                              uint32_t resource)
{
    return dynamic->recursive && compiler->library.resources[resource].recursive &&
           compiler->library.resources[resource].entered;
}

static void make_candidates(struct compiler *compiler, const struct dynamic_rule *dynamic)
{
    struct library *library = &compiler->library;

    for (uint32_t i = 0; i < library->anchor_count; i++) {
        if (is_candidate(compiler, dynamic, &library->anchors[i]))
            (void)compile_node_at(compiler, library->anchors[i].location);
    }
    for (uint32_t i = 0; i < library->resource_count; i++) {
        if (is_candidate_root(compiler, dynamic, i))
            (void)compile_node_at(compiler, library->resources[i].location);
    }
}

static void add_scoped(struct compiler *compiler, struct scoped *scoped, uint32_t resource,
                       uint32_t location)
{
    uint32_t node = compile_node_at(compiler, location);

    scoped->targets[scoped->count++] =
        (struct scoped_target){ .resource = resource, .target = { node, node } };
}

static size_t count_candidates(const struct compiler *compiler, const struct dynamic_rule *dynamic)
{
    const struct library *library = &compiler->library;
    size_t count = 0;

    for (uint32_t i = 0; i < library->anchor_count; i++)
        count += is_candidate(compiler, dynamic, &library->anchors[i]);
    for (uint32_t i = 0; i < library->resource_count; i++)
        count += is_candidate_root(compiler, dynamic, i);
    return count;
}

static struct scoped *collect(struct compiler *compiler, const struct dynamic_rule *dynamic)
{
    struct library *library = &compiler->library;
    struct arena *arena = compiler->schema->arena;
    struct scoped *scoped = arena_alloc(arena, sizeof(*scoped));
    size_t count = count_candidates(compiler, dynamic);

    scoped->targets = arena_alloc(arena, (count + 1) * sizeof(struct scoped_target));
    for (uint32_t i = 0; i < library->anchor_count; i++) {
        if (is_candidate(compiler, dynamic, &library->anchors[i]))
            add_scoped(compiler, scoped, library->anchors[i].resource,
                       library->anchors[i].location);
    }
    for (uint32_t i = 0; i < library->resource_count; i++) {
        if (is_candidate_root(compiler, dynamic, i))
            add_scoped(compiler, scoped, i, library->resources[i].location);
    }
    return scoped;
}

/*
 * A candidate in the root schema's resource is the target in every dynamic scope, because that
 * resource is always the outermost. NULL: there is none.
 */
static const struct target *find_static_target(const struct compiler *compiler,
                                               const struct scoped *scoped)
{
    const struct schema *schema = compiler->schema;
    uint32_t outermost = compiler->library.locations[schema->nodes[schema->root].location].resource;

    for (uint32_t i = 0; i < scoped->count; i++) {
        if (scoped->targets[i].resource == outermost)
            return &scoped->targets[i].target;
    }
    return NULL;
}

static struct rule *rule_of(const struct compiler *compiler, const struct dynamic_rule *dynamic)
{
    return &compiler->schema->nodes[dynamic->node].rules[dynamic->rule];
}

static void resolve_dynamic(struct compiler *compiler, const struct dynamic_rule *dynamic)
{
    struct scoped *scoped = collect(compiler, dynamic);
    const struct target *target = find_static_target(compiler, scoped);
    struct rule *rule = rule_of(compiler, dynamic);

    if (target) {
        rule->op = RULE_REF;
        rule->targets[0] = *target;
    } else {
        rule->u.scoped = scoped;
        compiler->schema->dynamic = true;
    }
}

static void copy_targets(struct rule *rule, const struct rule *first)
{
    rule->op = first->op;
    if (first->op == RULE_REF)
        rule->targets[0] = first->targets[0];
    else
        rule->u.scoped = first->u.scoped;
}

/* Set the targets of all dynamic references. One with a static target becomes a RULE_REF. */
static void resolve_dynamics(struct compiler *compiler)
{
    compiler->schema->dynamic = false;
    for (uint32_t i = 0; i < compiler->dynamic_count; i++) {
        const struct dynamic_rule *dynamic = &compiler->dynamics[i];

        if (dynamic->same_as == i)
            resolve_dynamic(compiler, dynamic);
        else
            copy_targets(rule_of(compiler, dynamic),
                         rule_of(compiler, &compiler->dynamics[dynamic->same_as]));
    }
}

bool compile_dynamics(struct compiler *compiler)
{
    uint32_t before;

    /* Compiling a candidate can add resources and dynamic references, and so more candidates. */
    do {
        before = compiler->schema->node_count;
        for (uint32_t i = 0; i < compiler->dynamic_count; i++) {
            if (compiler->dynamics[i].same_as == i)
                make_candidates(compiler, &compiler->dynamics[i]);
        }
        if (!compile_pending(compiler))
            return false;
    } while (compiler->schema->node_count > before);
    resolve_dynamics(compiler);
    return true;
}

/* Loops: a depth-first search over in-place applicators, which keep the instance location. */

enum { UNSEEN, OPEN, DONE };

struct node_visit {
    uint32_t node;
    uint32_t rule;
    uint32_t target;
};

struct walk {
    struct node_visit *path;
    uint32_t length;
    size_t capacity;
    uint8_t *state;
};

static const uint64_t in_place = RULE_BIT(RULE_DEPENDENTS) | RULE_BIT(RULE_ALL_OF) |
                                 RULE_BIT(RULE_ANY_OF) | RULE_BIT(RULE_ONE_OF) |
                                 RULE_BIT(RULE_NOT) | RULE_BIT(RULE_IF) | RULE_BIT(RULE_REF);

static bool is_in_place(const struct rule *rule)
{
    return (RULE_BIT(rule->op) & in_place) != 0;
}

static void enter(struct walk *walk, uint32_t node)
{
    walk->path = mem_grow(walk->path, walk->length, &walk->capacity, sizeof(struct node_visit));
    walk->path[walk->length++] = (struct node_visit){ .node = node };
    walk->state[node] = OPEN;
}

/* The next node that the visited one applies in place, or NO_NODE. */
static uint32_t next_target(const struct schema *schema, struct node_visit *visit)
{
    const struct node *node = &schema->nodes[visit->node];

    for (; visit->rule < node->rule_count; visit->rule++, visit->target = 0) {
        const struct rule *rule = &node->rules[visit->rule];

        while (is_in_place(rule) && visit->target < rule->target_count) {
            uint32_t target = rule->targets[visit->target++].node;

            if (target != NO_NODE)
                return target;
        }
    }
    return NO_NODE;
}

/* Most nodes have no in-place applicator, and need no search. */
static bool has_in_place(const struct compiler *compiler, uint32_t node)
{
    return (compiler->schema->nodes[node].ops & in_place) != 0;
}

static bool walk_from(struct compiler *compiler, struct walk *walk, uint32_t start)
{
    enter(walk, start);
    while (walk->length > 0) {
        struct node_visit *visit = &walk->path[walk->length - 1];
        uint32_t target = next_target(compiler->schema, visit);

        if (target == NO_NODE) {
            walk->state[visit->node] = DONE;
            walk->length--;
        } else if (walk->state[target] == OPEN) {
            compiler->location = compiler->schema->nodes[visit->node].location;
            return compile_fail(compiler, NULL, "refers to itself without end");
        } else if (walk->state[target] == UNSEEN && has_in_place(compiler, target)) {
            enter(walk, target);
        }
    }
    return true;
}

bool compile_loops(struct compiler *compiler)
{
    uint32_t count = compiler->schema->node_count;
    struct walk walk = { .state = mem_alloc_array(count + 1, 1) };
    bool ok = true;

    for (uint32_t i = 0; i < count && ok; i++) {
        if (has_in_place(compiler, i) && walk.state[i] == UNSEEN)
            ok = walk_from(compiler, &walk, i);
    }
    mem_free(walk.path);
    mem_free(walk.state);
    return ok;
}

/* Short cuts. */

/* Can the checker skip the node? It has only a reference, and skipping keeps the dynamic scope. */
static bool is_skippable(const struct schema *schema, const struct node *node)
{
    return node->rule_count == 1 && node->rules[0].op == RULE_REF &&
           (!schema->dynamic ||
            schema->nodes[node->rules[0].targets[0].node].resource == node->resource);
}

/* The end of a chain of skippable nodes. Sets it in each of them, so a chain is followed once. */
static uint32_t shortcut(const struct schema *schema, uint32_t node)
{
    uint32_t end = node;

    while (is_skippable(schema, &schema->nodes[end]))
        end = schema->nodes[end].rules[0].targets[0].fast;
    while (node != end) {
        struct target *target = &schema->nodes[node].rules[0].targets[0];

        node = target->fast;
        target->fast = end;
    }
    return end;
}

static void shorten(const struct schema *schema, struct target *target)
{
    if (target->node != NO_NODE)
        target->fast = shortcut(schema, target->node);
}

void compile_shortcuts(struct compiler *compiler)
{
    struct schema *schema = compiler->schema;

    for (uint32_t i = 0; i < schema->node_count; i++) {
        struct node *node = &schema->nodes[i];

        for (uint32_t j = 0; j < node->rule_count; j++) {
            for (uint32_t k = 0; k < node->rules[j].target_count; k++)
                shorten(schema, &node->rules[j].targets[k]);
        }
    }
    schema->root_fast = shortcut(schema, schema->root);
    for (uint32_t i = 0; i < compiler->dynamic_count; i++) {
        const struct dynamic_rule *dynamic = &compiler->dynamics[i];
        const struct rule *rule = rule_of(compiler, dynamic);

        if (dynamic->same_as != i || rule->op == RULE_REF)
            continue;
        for (uint32_t j = 0; j < rule->u.scoped->count; j++)
            shorten(schema, &rule->u.scoped->targets[j].target);
    }
}
