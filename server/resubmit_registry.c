/*
 * resubmit_registry.c - see resubmit_registry.h.
 */
#include "server/resubmit_registry.h"

#include "base/buf.h"
#include "base/log.h"
#include "base/memory.h"

enum {
    STEP_BYTES = 256 * 1024, /* with several events: as JSON trees far below a body's limit */
    STEP_LEAST = 4,          /* events */
    STEP_MOST = 256,
    EVENT_US = RESUBMIT_STEP_US / STEP_LEAST, /* beside senders */
    ALONE = 8,                                /* times as many without senders */
};

struct resubmit_registry {
    struct resubmit_registry_options options;
    bool broken; /* the store could not be read, which has been logged */

    /* Where the round is: */
    const struct catalog *catalog; /* that it goes through */
    size_t index;                  /* of the schema in it */
    int64_t after_id;              /* rows up to this one were posted */
    size_t posted;                 /* of this schema */
    size_t accepted;
};

/* Rows to post, as an array unless it is one. */
struct resubmit_rows {
    struct buf array;
    size_t most;
    size_t count;
    int64_t last_id;
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

/* False: that is enough. */
static bool take_row(void *self, const struct outbox_refused *row)
{
    struct resubmit_rows *rows = self;

    if (rows->count > 0 && rows->array.len + row->body.len > STEP_BYTES)
        return false;
    buf_add_char(&rows->array, rows->count > 0 ? ',' : '[');
    buf_add(&rows->array, row->body);
    rows->last_id = row->id;
    return ++rows->count < rows->most;
}

/* The event alone, or all of them as an array. */
static struct str body_of(struct resubmit_rows *rows)
{
    if (rows->count == 1)
        return str_from(buf_str(&rows->array), 1);
    buf_add_char(&rows->array, ']');
    return buf_str(&rows->array);
}

/* `failure` NULL: the store can be read. */
static void log_state(struct resubmit_registry *rounds, const struct error *failure)
{
    if (failure && !rounds->broken)
        LOG_EVENT(LOG_WARN, "resubmit_failed", LOG_STR("reason", str_from_c(failure->text)));
    if (!failure && rounds->broken)
        log_write(LOG_INFO, "resubmit_recovered", NULL, 0);
    rounds->broken = failure != NULL;
}

/* Post them. False: it is too early again, or the store takes nothing now. */
static bool post(struct resubmit_registry *rounds, struct resubmit_rows *rows)
{
    struct resubmit_answer answer;

    resubmit(rounds->options.resubmitter, body_of(rows), rows->count > 1, &answer);
    rounds->posted += rows->count;
    rounds->accepted += answer.accepted;
    rounds->after_id = rows->last_id;
    /* An event that brings the schema into trouble (500) does not hold up those behind it. */
    return answer.accepted > 0 || answer.status != 503;
}

/* Post the next rows of this schema. False: there are none, or none that can be posted now. */
static bool step(struct resubmit_registry *rounds, const struct catalog_status *schema, size_t most)
{
    const struct outbox_filter filter = {
        .registry = schema->registry,
        .schema = schema->schema,
        .after_id = rounds->after_id,
        .limit = most,
    };
    struct resubmit_rows rows = { .most = most };
    struct error err = { 0 };
    bool ok;

    buf_init(&rows.array, SIZE_MAX);
    ok = outbox_view_registry_kind(rounds->options.view, &filter, take_row, &rows, &err);

    log_state(rounds, ok ? NULL : &err);
    ok = ok && rows.count > 0 && post(rounds, &rows);
    buf_done(&rows.array);
    return ok;
}

static void go_to(struct resubmit_registry *rounds, size_t index)
{
    rounds->index = index;
    rounds->after_id = 0;
    rounds->posted = 0;
    rounds->accepted = 0;
}

static void log_posted(const struct resubmit_registry *rounds, const struct catalog_status *schema)
{
    if (rounds->posted > 0)
        LOG_EVENT(rounds->accepted ? LOG_INFO : LOG_DEBUG, "resubmitted",
                  LOG_STR("registry", str_from_c(schema->registry)),
                  LOG_STR("schema", str_from_c(schema->schema)), LOG_INT("events", rounds->posted),
                  LOG_INT("accepted", rounds->accepted));
}

bool resubmit_registry_step(struct resubmit_registry *rounds, struct catalog *catalog, size_t most)
{
    if (rounds->catalog != catalog)
        go_to(rounds, 0);
    rounds->catalog = catalog;
    while (rounds->index < catalog_count(catalog)) {
        struct catalog_status status;

        catalog_status(catalog, rounds->index, &status);
        if (status.usable && step(rounds, &status, most))
            return true;
        log_posted(rounds, &status);
        go_to(rounds, rounds->index + 1);
    }
    go_to(rounds, 0);
    return false;
}

size_t resubmit_registry_portion(int64_t since_us, bool beside_senders, size_t max_batch)
{
    int64_t events = since_us / EVENT_US;

    if (events < STEP_LEAST)
        events = STEP_LEAST;
    if (events > STEP_MOST)
        events = STEP_MOST;
    if (!beside_senders)
        events = events * ALONE < STEP_MOST ? events * ALONE : STEP_MOST;
    return (size_t)events < max_batch ? (size_t)events : max_batch;
}
