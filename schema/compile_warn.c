/*
 * compile_warn.c - warnings: probable faults of a schema that compiles.
 */
#include <stdarg.h>
#include <stdio.h>

#include "schema/compile.h"

enum { WARNINGS_MAX = 20 };

static void add_warning(struct compiler *compiler, struct str text)
{
    struct schema *schema = compiler->schema;

    if (!schema->warnings)
        schema->warnings = arena_alloc(schema->arena, WARNINGS_MAX * sizeof(struct str));
    schema->warnings[schema->warning_count++] = text;
}

void compile_warn(struct compiler *compiler, const char *keyword, const char *fmt, ...)
{
    struct buf *text = arena_buf(compiler->schema->arena, ERR_TEXT_SIZE);
    char why[ERR_TEXT_SIZE];
    va_list args;

    if (compiler->schema->warning_count == WARNINGS_MAX)
        return;
    va_start(args, fmt);
    (void)vsnprintf(why, sizeof(why), fmt, args);
    va_end(args);
    buf_add(text, STR("at "));
    library_print(&compiler->library, compiler->location, text);
    buf_add_char(text, '/');
    json_write_pointer_token(text, str_from_c(keyword));
    buf_printf(text, ": %s", why);
    for (size_t i = 0; i < text->len; i++) /* parts of the schema may have newlines */
        if ((unsigned char)text->ptr[i] < ' ' || text->ptr[i] == 0x7F)
            text->ptr[i] = ' ';
    add_warning(compiler, buf_str(text));
}

void compile_warn_unknown(struct compiler *compiler, struct str key)
{
    const char *similar =
        compiler->schema->warning_count < WARNINGS_MAX ? dialect_similar(key) : NULL;

    if (similar)
        compile_warn(compiler, arena_copy(compiler->library.arena, key).ptr,
                     "unknown keyword, is \"%s\" meant?", similar);
}

/* Warn about the `$schema` of one document. */
static void warn_of_dialect(struct compiler *compiler, const struct document *document)
{
    const struct resource *resource = &compiler->library.resources[document->resource];
    struct str draft = dialect_name(resource->dialect.draft);
    struct str uri = flat_find_str(document->root, STR("$schema"));

    compiler->location = resource->location;
    if (resource->dialect.unknown)
        compile_warn(compiler, "$schema", "\"%.*s\" is no known draft, read as %.*s", STR_ARG(uri),
                     STR_ARG(draft));
    else if (compiler->library.options->from_glue && uri.len == 0)
        compile_warn(compiler, "$schema",
                     "missing, read as %.*s; AWS Glue knows drafts 4, 6 and 7 only",
                     STR_ARG(draft));
    else if (compiler->library.options->from_glue && resource->dialect.draft < SCHEMA_DRAFT_7)
        compile_warn(compiler, "$schema", "draft %.*s; AWS Glue knows drafts 4, 6 and 7 only",
                     STR_ARG(draft));
}

void compile_warn_dialects(struct compiler *compiler)
{
    for (uint32_t i = 0; i < compiler->library.document_count; i++) {
        const struct document *document = &compiler->library.documents[i];

        if (!document->bundled && flat_is_object(document->root))
            warn_of_dialect(compiler, document);
    }
}

const struct str *schema_warnings(const struct schema *schema, size_t *count)
{
    *count = schema->warning_count;
    return schema->warnings;
}
