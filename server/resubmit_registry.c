/*
 * resubmit_registry.c - see resubmit_registry.h.
 */
#include "server/resubmit_registry.h"

#include "base/attr.h"
#include "base/log.h"
#include "base/memory.h"

enum { ROUND_MAX = 64 }; /* events of one schema in one round */

struct resubmit_registry {
    struct resubmit_registry_options options;
    bool broken; /* the store could not be read, and the log says so */
};

/* Rows to post. */
struct rows {
    int64_t ids[ROUND_MAX];
    size_t count;
};

struct resubmit_registry *resubmit_registry_create(const struct resubmit_registry_options *options)
{
    struct resubmit_registry *rounds = mem_alloc(sizeof(*rounds));

    rounds->options = *options;
    return rounds;
}

void resubmit_registry_destroy(struct resubmit_registry *rounds)
{
    mem_free(rounds);
}

static bool note_row(void *self, const struct outbox_refused *row)
{
    struct rows *rows = self;

    rows->ids[rows->count++] = row->id;
    return rows->count < ROUND_MAX;
}

static void say_broken(struct resubmit_registry *rounds, const struct error *err)
{
    if (!rounds->broken)
        LOG_EVENT(LOG_WARN, "resubmit_failed", LOG_STR("reason", str_from_c(err->text)));
    rounds->broken = true;
}

/* Post them, until one shows that it is too early again. How many were accepted. */
static size_t post(struct resubmit_registry *rounds, const struct rows *rows)
{
    const struct resubmit_registry_options *options = &rounds->options;
    size_t accepted = 0;

    for (size_t i = 0; i < rows->count; i++) {
        struct resubmit_answer answer;
        struct error err = { 0 };

        if (!resubmit_refused(options->resubmitter, rows->ids[i], &answer, &err)) {
            if (err.code == ERR_CONFIG) /* evicted meanwhile */
                continue;
            say_broken(rounds, &err);
            break;
        }
        if (answer.status >= 500)
            break;
        accepted += answer.status == 200;
    }
    return accepted;
}

static void post_of_schema(struct resubmit_registry *rounds, const char *registry,
                           const char *schema)
{
    const struct outbox_filter filter = {
        .registry = registry,
        .schema = schema,
        .limit = ROUND_MAX,
    };
    struct rows rows = { .count = 0 };
    struct error err = { 0 };

    if (!outbox_view_registry_kind(rounds->options.view, &filter, note_row, &rows, &err)) {
        say_broken(rounds, &err);
        return;
    }
    rounds->broken = false;
    if (rows.count == 0)
        return;

    size_t accepted = post(rounds, &rows);

    LOG_EVENT(accepted ? LOG_INFO : LOG_DEBUG, "resubmitted",
              LOG_STR("registry", str_from_c(registry)), LOG_STR("schema", str_from_c(schema)),
              LOG_INT("events", rows.count), LOG_INT("accepted", accepted));
}

void resubmit_registry_round(struct resubmit_registry *rounds, struct catalog *catalog)
{
    for (size_t i = 0; i < catalog_count(catalog); i++) {
        struct catalog_status status;

        catalog_status(catalog, i, &status);
        if (status.usable)
            post_of_schema(rounds, status.registry, status.schema);
    }
}
