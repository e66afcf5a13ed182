/*
 * cmd_schema_compile.c - `sluice schema`: compile a definition with the schemas that it refers to.
 */
#include <stdio.h>

#include "base/flat.h"
#include "base/memory.h"
#include "schema/registry/references.h"
#include "schema/schema.h"
#include "server/cli/cmd_schema.h"

enum { DEFINITION_DEPTH = 256 };

static void print_warnings(const struct schema *schema)
{
    size_t count;
    const struct str *warnings = schema_warnings(schema, &count);

    for (size_t i = 0; i < count; i++)
        (void)fprintf(stderr, "sluice schema: warning: %.*s\n", STR_ARG(warnings[i]));
}

/* Fetch a referenced schema. */
static bool fetch_from_glue(void *self, const struct registry_query *query,
                            struct schema_definition *out, struct error *err)
{
    const struct schema_cli *cli = self;
    struct glue_version version = { 0 };

    if (!glue_get_version(cli->glue, query, cli->arena, &version, err))
        return false;
    out->text = (struct str){ mem_copy(version.definition.ptr, version.definition.len),
                              version.definition.len };
    (void)snprintf(out->version, sizeof(out->version), "%.*s",
                   STR_ARG(schema_cli_version(cli, &version)));
    return true;
}

static struct registry_query *list_routed(const struct config *config)
{
    struct registry_query *list = mem_alloc_array(config->route_count + 1, sizeof(*list));

    for (size_t i = 0; i < config->route_count; i++)
        list[i] =
            (struct registry_query){ config->routes[i].registry, config->routes[i].schema, NULL };
    return list;
}

static bool compile(const struct schema_cli *cli, const struct flat *document, struct error *err)
{
    struct registry glue = { .fetch = fetch_from_glue, .self = (void *)cli, .is_glue = true };
    struct registry files = registry_file(cli->config->registry.dir);
    struct registry_query *routed = list_routed(cli->config);
    const struct references_options options = {
        .registry = cli->glue ? &glue : &files,
        .from = { cli->registry, cli->schema, NULL },
        .routed = routed,
        .routed_count = cli->config->route_count,
        .cache_dir = "",
    };
    struct references *references = references_create(&options);
    const struct schema_options compiling = {
        .assert_formats = cli->config->validation.assert_formats,
        .from_glue = cli->glue != NULL,
        .base_uri = references_base_uri(references),
        .finder = references_finder(references),
    };
    struct schema *schema = NULL;
    bool ok = schema_compile(document, &compiling, &schema, err);

    if (ok)
        print_warnings(schema);
    schema_destroy(schema);
    references_destroy(references);
    mem_free(routed);
    return ok;
}

bool schema_cli_compile(const struct schema_cli *cli, struct str definition, struct error *err)
{
    const struct flat_options reading = { .max_depth = DEFINITION_DEPTH };
    const struct flat *document = NULL;

    if (registry_is_blank(definition))
        return registry_fail_empty(err);
    if (flat_read(cli->arena, definition, &reading, &document, err) && compile(cli, document, err))
        return true;
    err->code = ERR_INVALID;
    return fail_within(err, "Schema definition cannot be used");
}
