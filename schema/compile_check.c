/*
 * compile_check.c - validate documents by the metaschemas of their dialects.
 *
 * A document with resources of several dialects is not validated, because none of the metaschemas
 * fits all of it. Its faults are found when its keywords are compiled.
 */
#include "schema/compile.h"

#include "schema/metaschema.h"

/* Bytes of the message; the rest of the error's text is the location. */
enum { EXPLAIN_MAX = 200 };

/* Fail with the best match of the errors that the metaschema reports. */
static bool explain(struct compiler *compiler, const struct schema *metaschema,
                    const struct document *document)
{
    const struct schema_report_options options = { .max_errors = 1, .max_text = EXPLAIN_MAX };
    struct arena *arena = arena_create();
    struct schema_report report;
    struct str uri = compiler->library.resources[document->resource].uri;
    bool first = document == compiler->library.documents;

    (void)schema_report(metaschema, document->root, &options, NULL, arena, &report);
    struct str place = arena_printf(arena, "at %.*s%s%.*s", STR_ARG(first ? STR("") : uri),
                                    first ? "" : "#", STR_ARG(report.best.instance_location));

    fail(compiler->err, ERR_MALFORMED, "%.*s", STR_ARG(report.best.error));
    if (place.len > 3)
        fail_within(compiler->err, place.ptr);
    arena_destroy(arena);
    return false;
}

static bool check_against(struct compiler *compiler, const struct schema *metaschema,
                          const struct document *document)
{
    enum schema_verdict verdict = schema_check(metaschema, document->root, NULL);

    if (verdict == SCHEMA_VALID)
        return true;
    if (verdict == SCHEMA_INVALID)
        return explain(compiler, metaschema, document);
    if (verdict == SCHEMA_DANGLING)
        return fail(compiler->err, ERR_MALFORMED, "the metaschema has a $ref that leads nowhere");
    return fail(compiler->err, ERR_MALFORMED, "too deep or too expensive to check");
}

static bool check_custom(struct compiler *compiler, const struct dialect *dialect,
                         const struct document *document)
{
    struct schema *metaschema;

    if (!schema_compile(dialect->metaschema, compiler->library.options, &metaschema, compiler->err))
        return fail_within(compiler->err, "$schema");

    bool ok = check_against(compiler, metaschema, document);

    schema_destroy(metaschema);
    return ok;
}

static bool check_document(struct compiler *compiler, const struct document *document)
{
    const struct dialect *dialect = &compiler->library.resources[document->resource].dialect;

    if (document->bundled || document->mixed)
        return true;
    if (dialect->metaschema)
        return check_custom(compiler, dialect, document);
    return check_against(compiler, metaschema_compiled(dialect->draft), document);
}

bool compile_check_documents(struct compiler *compiler)
{
    while (compiler->checked < compiler->library.document_count) {
        if (!check_document(compiler, &compiler->library.documents[compiler->checked++]))
            return false;
    }
    return true;
}
