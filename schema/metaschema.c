/*
 * metaschema.c - see metaschema.h. The documents are schema/metaschemas/ *.json, embedded.
 */
#include "schema/metaschema.h"

#include <assert.h>
#include <pthread.h>

#include "base/embed.h"
#include "schema/compile.h"

EMBED(draft4, "schema/metaschemas/draft4.json");
EMBED(draft6, "schema/metaschemas/draft6.json");
EMBED(draft7, "schema/metaschemas/draft7.json");
EMBED(draft2019, "schema/metaschemas/draft2019-09.json");
EMBED(applicator2019, "schema/metaschemas/2019-09-applicator.json");
EMBED(content2019, "schema/metaschemas/2019-09-content.json");
EMBED(core2019, "schema/metaschemas/2019-09-core.json");
EMBED(format2019, "schema/metaschemas/2019-09-format.json");
EMBED(metadata2019, "schema/metaschemas/2019-09-meta-data.json");
EMBED(validation2019, "schema/metaschemas/2019-09-validation.json");
EMBED(draft2020, "schema/metaschemas/draft2020-12.json");
EMBED(applicator2020, "schema/metaschemas/2020-12-applicator.json");
EMBED(content2020, "schema/metaschemas/2020-12-content.json");
EMBED(core2020, "schema/metaschemas/2020-12-core.json");
EMBED(annotation2020, "schema/metaschemas/2020-12-format-annotation.json");
EMBED(assertion2020, "schema/metaschemas/2020-12-format-assertion.json");
EMBED(metadata2020, "schema/metaschemas/2020-12-meta-data.json");
EMBED(unevaluated2020, "schema/metaschemas/2020-12-unevaluated.json");
EMBED(validation2020, "schema/metaschemas/2020-12-validation.json");

#define DOCUMENT(uri, name)                                                                        \
    {                                                                                              \
        STR_INIT(uri), name##_begin, name##_end                                                    \
    }
#define IN_2019(path, name) DOCUMENT("https://json-schema.org/draft/2019-09/" path, name)
#define IN_2020(path, name) DOCUMENT("https://json-schema.org/draft/2020-12/" path, name)

static const struct {
    struct str uri;
    const char *begin;
    const char *end;
} documents[] = {
    /* The first five are in the order of enum schema_draft. */
    IN_2020("schema", draft2020),
    IN_2019("schema", draft2019),
    DOCUMENT("http://json-schema.org/draft-07/schema", draft7),
    DOCUMENT("http://json-schema.org/draft-06/schema", draft6),
    DOCUMENT("http://json-schema.org/draft-04/schema", draft4),
    IN_2019("meta/applicator", applicator2019),
    IN_2019("meta/content", content2019),
    IN_2019("meta/core", core2019),
    IN_2019("meta/format", format2019),
    IN_2019("meta/meta-data", metadata2019),
    IN_2019("meta/validation", validation2019),
    IN_2020("meta/applicator", applicator2020),
    IN_2020("meta/content", content2020),
    IN_2020("meta/core", core2020),
    IN_2020("meta/format-annotation", annotation2020),
    IN_2020("meta/format-assertion", assertion2020),
    IN_2020("meta/meta-data", metadata2020),
    IN_2020("meta/unevaluated", unevaluated2020),
    IN_2020("meta/validation", validation2020),
};

enum { DRAFT_COUNT = SCHEMA_DRAFT_4 + 1 };

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct schema *compiled[DRAFT_COUNT];

bool metaschema_find(struct str uri, struct str *text)
{
    for (size_t i = 0; i < COUNT_OF(documents); i++) {
        if (str_equal(uri, documents[i].uri)) {
            *text =
                (struct str){ documents[i].begin, (size_t)(documents[i].end - documents[i].begin) };
            return true;
        }
    }
    return false;
}

static struct schema *compile(enum schema_draft draft)
{
    const struct schema_options options = { .draft = draft };
    struct schema *schema = NULL;
    struct arena *arena = arena_create();
    const struct flat *document = NULL;
    struct error err;
    struct str text;
    bool ok = metaschema_find(documents[draft].uri, &text) &&
              flat_read(arena, text, NULL, &document, &err) &&
              compile_unchecked(document, &options, &schema, &err);

    arena_destroy(arena);
    assert(ok);
    return schema;
}

const struct schema *metaschema_compiled(enum schema_draft draft)
{
    pthread_mutex_lock(&lock);
    if (!compiled[draft])
        compiled[draft] = compile(draft);

    const struct schema *schema = compiled[draft];

    pthread_mutex_unlock(&lock);
    return schema;
}
