/*
 * compile.c - compile a schema: the nodes, and the order of the other steps (compile.h).
 */
#include "schema/compile.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/memory.h"

/* Errors. */

static void pointer_text(const struct compiler *compiler, const char *keyword, char *text,
                         size_t size)
{
    struct buf buf;

    buf_init(&buf, size - 1);
    library_print(&compiler->library, compiler->location, &buf);
    if (keyword) {
        buf_add_char(&buf, '/');
        json_write_pointer_token(&buf, str_from_c(keyword));
    }
    memcpy(text, buf.ptr ? buf.ptr : "", buf.len);
    text[buf.len] = '\0';
    buf_done(&buf);
}

bool compile_fail_within(struct compiler *compiler, const char *keyword)
{
    char place[ERR_TEXT_SIZE / 2] = "at ";

    pointer_text(compiler, keyword, place + 3, sizeof(place) - 3);
    return place[3] ? fail_within(compiler->err, place) : false;
}

bool compile_fail(struct compiler *compiler, const char *keyword, const char *fmt, ...)
{
    char text[ERR_TEXT_SIZE];
    va_list args;

    va_start(args, fmt);
    (void)vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);
    fail(compiler->err, ERR_MALFORMED, "%s", text);
    return compile_fail_within(compiler, keyword);
}

/* Nodes. */

uint32_t compile_node_at(struct compiler *compiler, uint32_t location)
{
    struct library *library = &compiler->library;
    struct schema *schema = compiler->schema;
    struct location *at = &library->locations[location];

    if (at->node != NO_NODE)
        return at->node;
    schema->nodes =
        mem_grow(schema->nodes, schema->node_count, &compiler->node_capacity, sizeof(struct node));
    schema->nodes[schema->node_count] = (struct node){ .location = location };
    at->node = schema->node_count++;
    library->resources[at->resource].entered = true;
    return at->node;
}

struct rule *compile_rule(struct compiler *compiler, enum rule_op op, const char *keyword,
                          uint8_t kinds)
{
    compiler->rules = mem_grow(compiler->rules, compiler->rule_count, &compiler->rule_capacity,
                               sizeof(struct rule));

    struct rule *rule = &compiler->rules[compiler->rule_count++];

    compiler->ops |= RULE_BIT(op);
    *rule = (struct rule){
        .op = (uint8_t)op, .kinds = kinds, .keyword = keyword, .source = compiler->value
    };
    return rule;
}

struct target *compile_alloc_targets(struct compiler *compiler, size_t count)
{
    struct target *targets =
        arena_alloc(compiler->schema->arena, (count + 1) * sizeof(struct target));

    for (size_t i = 0; i < count; i++)
        targets[i] = (struct target){ NO_NODE, NO_NODE };
    return targets;
}

bool compile_target(struct compiler *compiler, const char *keyword, const struct flat *value,
                    struct target *out)
{
    uint32_t location = library_find(&compiler->library, value);

    if (location == NO_LOCATION)
        return compile_fail(compiler, keyword, "a schema is an object or a boolean");
    out->node = compile_node_at(compiler, location);
    out->fast = out->node;
    return true;
}

struct rule *compile_schema_rule(struct compiler *compiler, enum rule_op op,
                                 const struct keyword *keyword, const struct flat *value,
                                 uint8_t kinds)
{
    struct target *target = compile_alloc_targets(compiler, 1);

    if (!compile_target(compiler, keyword->name, value, target))
        return NULL;

    struct rule *rule = compile_rule(compiler, op, keyword->name, kinds);

    rule->targets = target;
    rule->target_count = 1;
    return rule;
}

const struct flat *compile_sibling(const struct compiler *compiler, const char *keyword)
{
    struct str name = str_from_c(keyword);

    return dialect_keyword(&compiler->dialect, name) ? flat_find(compiler->object, name) : NULL;
}

static bool compile_object(struct compiler *compiler)
{
    const struct library *library = &compiler->library;
    const struct location *at = &library->locations[compiler->location];
    bool alone = at->refers && dialect_ref_hides(&compiler->dialect);
    uint32_t next = at->keywords;

    for (FLAT_EACH(member, compiler->object)) {
        const struct keyword *keyword = library->keywords[next++];

        if (!keyword)
            compile_warn_unknown(compiler, flat_key(member));
        else if ((!alone || keyword->id == KEYWORD_REF) &&
                 !compile_keyword(compiler, keyword, member))
            return false;
    }
    return true;
}

static void begin_node(struct compiler *compiler, uint32_t number)
{
    const struct library *library = &compiler->library;
    const struct location *at = &library->locations[compiler->schema->nodes[number].location];

    compiler->node = number;
    compiler->location = compiler->schema->nodes[number].location;
    compiler->object = at->value;
    compiler->dialect = library->resources[at->resource].dialect;
    compiler->rule_count = 0;
    compiler->ops = 0;
    compiler->types = KIND_ALL;
    compiler->whole = false;
    compiler->has_type = false;
}

static void end_node(struct compiler *compiler, uint32_t number)
{
    struct node *node = &compiler->schema->nodes[number];
    size_t size = compiler->rule_count * sizeof(struct rule);

    node->resource = compiler->library.locations[compiler->location].resource;
    node->types = compiler->types;
    node->whole = compiler->whole;
    node->has_type = compiler->has_type;
    node->ops = compiler->ops;
    node->rule_count = compiler->rule_count;
    if (size == 0)
        return;
    node->rules = arena_keep(compiler->schema->arena, compiler->rules, size);
}

static bool compile_node(struct compiler *compiler, uint32_t number)
{
    begin_node(compiler, number);
    if (!flat_is_object(compiler->object)) {
        bool allowed = flat_is_true(compiler->object) != 0;

        compiler->types = allowed ? KIND_ALL : 0;
        compiler->schema->nodes[number].is_false = !allowed;
    } else if (!compile_object(compiler)) {
        return false;
    }
    end_node(compiler, number);
    return true;
}

bool compile_pending(struct compiler *compiler)
{
    while (compiler->compiled < compiler->schema->node_count) {
        if (!compile_node(compiler, compiler->compiled++))
            return false;
        if (compiler->checked < compiler->library.document_count &&
            !compile_check_documents(compiler))
            return false;
    }
    return true;
}

/* All steps. */

/* Draft 3 has assertions that later drafts do not have and would ignore. */
static bool is_draft_3(const struct flat *document)
{
    return flat_is_object(document) &&
           str_starts_with(flat_find_str(document, STR("$schema")),
                           STR("http://json-schema.org/draft-03/schema"));
}

static bool compile_all(struct compiler *compiler, const struct flat *document, bool trusted)
{
    struct schema *schema = compiler->schema;
    struct library *library = &compiler->library;
    uint32_t root;

    if (is_draft_3(document))
        return fail(compiler->err, ERR_MALFORMED, "at /$schema: draft 3 is not implemented");
    if (!library_add(library, document, str_from_c(library->options->base_uri), &root,
                     compiler->err))
        return false;
    library->documents[0].bundled = trusted;
    if (!compile_check_documents(compiler))
        return false;
    compiler->node_capacity = library->location_count;
    schema->nodes = mem_realloc(NULL, compiler->node_capacity * sizeof(struct node));
    schema->root = compile_node_at(compiler, root);
    if (!compile_pending(compiler) || !compile_dynamics(compiler) || !compile_loops(compiler))
        return false;
    compile_shortcuts(compiler);
    if (!compile_keep(compiler))
        return false;
    compile_plans(compiler);
    compile_warn_dialects(compiler);
    return true;
}

/* An error's text can contain parts of the schema, and must be one line. */
static void replace_controls(struct error *err)
{
    for (char *at = err->text; *at; at++) {
        if ((unsigned char)*at < ' ' || *at == 0x7F)
            *at = ' ';
    }
}

static bool compile_with(const struct flat *document, const struct schema_options *options,
                         bool trusted, struct schema **out, struct error *err)
{
    static const struct schema_options defaults = { 0 };
    struct arena *arena = arena_create();
    struct schema *schema = arena_alloc(arena, sizeof(*schema));
    struct compiler compiler = { .schema = schema, .err = err };

    if (!options)
        options = &defaults;
    schema->arena = arena;
    schema->symbols = options->symbols;
    library_init(&compiler.library, options);

    bool ok = compile_all(&compiler, document, trusted);

    library_done(&compiler.library);
    mem_free(compiler.rules);
    mem_free(compiler.dynamics);
    mem_free(compiler.regexes);
    if (ok) {
        *out = schema;
        return true;
    }
    replace_controls(err);
    schema_destroy(schema);
    return false;
}

bool compile_unchecked(const struct flat *document, const struct schema_options *options,
                       struct schema **out, struct error *err)
{
    return compile_with(document, options, true, out, err);
}

bool schema_compile(const struct flat *document, const struct schema_options *options,
                    struct schema **out, struct error *err)
{
    return compile_with(document, options, false, out, err);
}

void schema_destroy(struct schema *schema)
{
    if (!schema)
        return;
    mem_free(schema->nodes);
    buf_done(&schema->quotes);
    arena_destroy(schema->arena);
}

bool schema_mentions(const struct schema *schema, struct str name)
{
    for (uint32_t i = 0; i < schema->node_count; i++) {
        const struct members *members = schema->nodes[i].members;

        if (members && lookup_names_find(&members->names, name) != LOOKUP_NONE)
            return true;
    }
    return false;
}
