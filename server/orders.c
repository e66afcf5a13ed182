/*
 * orders.c - orders that change something, and short questions; see orders.h.
 */
#include "server/orders.h"

#include <inttypes.h>
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/log.h"
#include "base/member.h"
#include "base/version.h"
#include "server/config/config.h"
#include "server/orders_internal.h"

enum { ROWS_US = US_PER_S }; /* for the rows of one order: others wait for the thread */

struct order_ids {
    int64_t list[CONTROL_IDS_MAX];
    size_t count;
};

static bool read_id(struct json_object *members, int64_t *row, struct error *err)
{
    struct json_object *id;

    return (json_find(members, "id", &id) && json_kind(id) == JSON_INTEGER && json_int64(id, row) &&
            *row > 0) ||
           fail(err, ERR_INVALID, "no id");
}

static bool read_ids(struct json_object *members, struct order_ids *out, struct error *err)
{
    struct json_object *list;

    if (!json_find(members, "ids", &list) || json_kind(list) != JSON_ARRAY ||
        json_count(list) > COUNT_OF(out->list))
        return fail(err, ERR_INVALID, "no ids, or more than %d", CONTROL_IDS_MAX);
    out->count = json_count(list);
    for (size_t i = 0; i < out->count; i++)
        if (json_kind(json_at(list, i)) != JSON_INTEGER ||
            !json_int64(json_at(list, i), &out->list[i]) || out->list[i] <= 0)
            return fail(err, ERR_INVALID, "an id is a number");
    return true;
}

static bool replay_row(struct resubmitter *resubmitter, int64_t row, struct buf *answer,
                       struct error *err)
{
    struct resubmit_answer result;

    if (!resubmit_refused(resubmitter, row, &result, err))
        return false;
    member_int(answer, "status", result.status);
    member_text(answer, "outcome", str_from_c(result.outcome));
    member_text(answer, "reason", str_from_c(result.reason));
    member_text(answer, "rule", str_from_c(result.rule));
    return true;
}

static bool revive_row(const struct orders *orders, int64_t row, struct buf *answer,
                       struct error *err)
{
    if (!outbox_revive(orders->outbox, row, err))
        return false;
    buf_add(answer, STR(",\"revived\":true"));
    return true;
}

/*
 * Several rows: a result for each, as far as the time is enough; `left` rows at the end were not
 * tried. What is wrong with one row, as that it is gone, does not stop the rest.
 */
static bool replay_rows(const struct orders *orders, struct json_object *members, bool dead,
                        struct buf *answer, struct error *err)
{
    struct order_ids ids = { 0 };
    struct resubmitter *resubmitter =
        json_find_true(members, "dry_run") ? orders->trial : orders->resubmitter;
    int64_t end_us = clock_monotonic_us() + ROWS_US;
    size_t i = 0;

    if (!read_ids(members, &ids, err))
        return false;
    buf_add(answer, STR(",\"results\":["));
    for (; i < ids.count && (i == 0 || clock_monotonic_us() < end_us); i++) {
        struct error why = { 0 };

        buf_printf(answer, "%s{\"id\":%" PRId64, i > 0 ? "," : "", ids.list[i]);
        if (!(dead ? revive_row(orders, ids.list[i], answer, &why)
                   : replay_row(resubmitter, ids.list[i], answer, &why)))
            member_text(answer, "error", str_from_c(why.text));
        buf_add_char(answer, '}');
    }
    buf_add_char(answer, ']');
    member_int(answer, "left", (int64_t)(ids.count - i));
    return true;
}

static bool has_ids(struct json_object *members)
{
    struct json_object *list;

    return json_find(members, "ids", &list);
}

static bool order_replay(const struct orders *orders, struct json_object *members,
                         struct buf *answer, struct error *err)
{
    int64_t row = 0;

    if (has_ids(members))
        return replay_rows(orders, members, false, answer, err);
    return read_id(members, &row, err) && replay_row(orders->resubmitter, row, answer, err);
}

typedef bool discard_function(struct outbox *outbox, const int64_t *ids, size_t count, size_t *gone,
                              struct error *err);

static bool discard(const struct orders *orders, discard_function *run, struct json_object *members,
                    struct buf *answer, struct error *err)
{
    struct order_ids ids = { 0 };
    size_t gone = 0;

    if (!read_ids(members, &ids, err) || !run(orders->outbox, ids.list, ids.count, &gone, err))
        return false;
    buf_printf(answer, ",\"gone\":%zu", gone);
    return true;
}

static bool order_discard(const struct orders *orders, struct json_object *members,
                          struct buf *answer, struct error *err)
{
    return discard(orders, outbox_discard_refused, members, answer, err);
}

static bool order_discard_dead(const struct orders *orders, struct json_object *members,
                               struct buf *answer, struct error *err)
{
    return discard(orders, outbox_discard_dead, members, answer, err);
}

static bool order_revive(const struct orders *orders, struct json_object *members,
                         struct buf *answer, struct error *err)
{
    int64_t row = 0;

    if (has_ids(members))
        return replay_rows(orders, members, true, answer, err);
    return read_id(members, &row, err) && outbox_revive(orders->outbox, row, err);
}

/* Without "sink": of whichever sink waits for the record. */
static bool order_move(const struct orders *orders, struct json_object *members, struct buf *answer,
                       struct error *err)
{
    const char *name = NULL;
    struct json_object *sink;
    struct json_object *sequence;
    int64_t seq;

    (void)answer;
    if (!json_find(members, "sequence", &sequence) || json_kind(sequence) != JSON_INTEGER ||
        !json_int64(sequence, &seq))
        return fail(err, ERR_INVALID, "no sequence");
    if (json_find(members, "sink", &sink) && json_is_string(sink))
        name = json_str(sink).ptr;
    return outbox_set_aside(orders->outbox, name, seq, err);
}

static bool read_name(struct json_object *members, const char **out, struct error *err)
{
    struct json_object *name;

    if (!json_find(members, "name", &name) || !json_is_string(name))
        return fail(err, ERR_INVALID, "no name");
    *out = json_str(name).ptr;
    return true;
}

static bool order_drop_sink(const struct orders *orders, struct json_object *members,
                            struct buf *answer, struct error *err)
{
    const char *name = NULL;

    (void)answer;
    return read_name(members, &name, err) && outbox_drop_sink(orders->outbox, name, err);
}

static bool order_pause(const struct orders *orders, struct json_object *members,
                        struct buf *answer, struct error *err)
{
    const char *name = NULL;

    (void)answer;
    return read_name(members, &name, err) && outbox_pause_sink(orders->outbox, name, true, err);
}

static bool order_resume(const struct orders *orders, struct json_object *members,
                         struct buf *answer, struct error *err)
{
    const char *name = NULL;

    (void)answer;
    return read_name(members, &name, err) && outbox_pause_sink(orders->outbox, name, false, err);
}

static bool run_again(const struct orders *orders, struct json_object *members, struct arena *arena,
                      struct buf *answer, struct error *err)
{
    struct json_object *routes;
    struct outbox_replay replay = {
        .sink = arena_copy(arena, json_find_str(members, "sink")).ptr,
        .from_us = json_find_int64(members, "from_us"),
        .until_us = json_find_int64(members, "until_us"),
        .only_routes = json_find_true(members, "only_routes"),
        .dry_run = json_find_true(members, "dry_run"),
        .position = json_find_int64(members, "position"),
        .end = json_find_int64(members, "end"),
    };

    if (!json_find(members, "routes", &routes))
        return fail(err, ERR_INVALID, "no routes");
    replay.routes = json_text(arena, routes).ptr;
    if (!outbox_replay(orders->outbox, &replay, err))
        return false;
    member_int(answer, "position", replay.position);
    member_int(answer, "end", replay.end);
    member_int(answer, "count", replay.count);
    member_bool(answer, "done", replay.done);
    member_bool(answer, "waits", replay.waits);
    return true;
}

static bool order_again(const struct orders *orders, struct json_object *members,
                        struct buf *answer, struct error *err)
{
    struct arena *arena = arena_create();
    bool ok = run_again(orders, members, arena, answer, err);

    arena_destroy(arena);
    return ok;
}

static bool order_top(const struct orders *orders, struct json_object *members, struct buf *answer,
                      struct error *err)
{
    const struct config *config = orders->target->config;

    (void)members;
    (void)err;
    member_key(answer, "top");
    metrics_write_state(orders->target->metrics, answer);
    member_text(answer, "version", STR(SLUICE_VERSION));
    member_text(answer, "status_map",
                str_from_c(status_map_name(config ? config->status_map : STATUS_MAP_TUTORIAL)));
    return true;
}

static bool order_shadow(const struct orders *orders, struct json_object *members,
                         struct buf *answer, struct error *err)
{
    const char *route = "";

    if (!read_name(members, &route, err))
        return false;
    member_key(answer, "shadow");
    return catalog_write_shadow(orders->target->catalog, str_from_c(route), answer, err);
}

static bool order_shadows(const struct orders *orders, struct json_object *members,
                          struct buf *answer, struct error *err)
{
    (void)members;
    (void)err;
    buf_add(answer, STR(",\"shadows\":"));
    catalog_write_shadows(orders->target->catalog, answer);
    return true;
}

static bool order_where(const struct orders *orders, struct json_object *members,
                        struct buf *answer, struct error *err)
{
    const struct control_where *where = orders->where;

    (void)members;
    (void)err;
    member_text(answer, "host", str_from_c(where->host));
    member_int(answer, "port", where->port);
    member_bool(answer, "tls", where->tls);
    return true;
}

/* A link for a browser. An address that stands for all of the machine's becomes that of loopback.
 */
static bool order_console(const struct orders *orders, struct json_object *members,
                          struct buf *answer, struct error *err)
{
    const struct control_where *where = orders->where;
    const char *host = where->admin_host;
    char token[CONSOLE_TOKEN_LEN + 1];

    (void)members;
    if (!*host)
        return fail(err, ERR_NOT_FOUND, "the server has no admin address (admin.listen)");
    if (strcmp(host, "0.0.0.0") == 0)
        host = "127.0.0.1";
    else if (strcmp(host, "::") == 0)
        host = "::1";
    console_tokens_add(orders->tokens, clock_monotonic_us(), token);
    buf_printf(answer,
               strchr(host, ':') ? ",\"url\":\"http://[%s]:%u/console?token=%s\""
                                 : ",\"url\":\"http://%s:%u/console?token=%s\"",
               host, (unsigned)where->admin_port, token);
    return true;
}

enum { ASKS = 1, NEEDS_STORE = 2 };

static const struct row {
    struct str name;
    order_function *run;
    int flags;
} rows[] = {
    { STR_INIT("replay"), order_replay, NEEDS_STORE },
    { STR_INIT("revive"), order_revive, NEEDS_STORE },
    { STR_INIT("discard"), order_discard, NEEDS_STORE },
    { STR_INIT("discard-dead"), order_discard_dead, NEEDS_STORE },
    { STR_INIT("move"), order_move, NEEDS_STORE },
    { STR_INIT("drop-sink"), order_drop_sink, NEEDS_STORE },
    { STR_INIT("pause"), order_pause, NEEDS_STORE },
    { STR_INIT("resume"), order_resume, NEEDS_STORE },
    { STR_INIT("again"), order_again, NEEDS_STORE },
    { STR_INIT("console"), order_console, 0 },
    { STR_INIT("top"), order_top, ASKS },
    { STR_INIT("where"), order_where, ASKS },
    { STR_INIT("shadow"), order_shadow, ASKS },
    { STR_INIT("shadows"), order_shadows, ASKS },
    { STR_INIT("refused"), order_refused, ASKS | NEEDS_STORE },
    { STR_INIT("refused-groups"), order_refused_groups, ASKS | NEEDS_STORE },
    { STR_INIT("refused-event"), order_refused_event, ASKS | NEEDS_STORE },
    { STR_INIT("dead"), order_dead, ASKS | NEEDS_STORE },
    { STR_INIT("dead-record"), order_dead_record, ASKS | NEEDS_STORE },
    { STR_INIT("schemas"), order_schemas, ASKS },
    { STR_INIT("schema-texts"), order_schema_texts, ASKS },
    { STR_INIT("history"), order_history, ASKS },
};

/* Who has done what, with the name, id or ids that the order is about. */
static void log_order(const struct order *order)
{
    struct arena *arena = arena_create();
    struct json_object *subject;
    struct str about = STR_NONE;

    if ((json_find(order->members, "id", &subject) || json_find(order->members, "ids", &subject) ||
         json_find(order->members, "sequence", &subject)) &&
        !json_is_string(subject))
        about = json_text(arena, subject);
    LOG_EVENT(LOG_INFO, "operator", LOG_STR("order", order->name),
              LOG_STR("sink", log_identifier(json_find_str(order->members, "name"))),
              LOG_STR("rows", about),
              LOG_BOOL("dry_run", json_find_true(order->members, "dry_run")),
              LOG_STR("by", order->by), LOG_STR("request_id", order->request_id),
              LOG_INT("uid", order->uid));
    arena_destroy(arena);
}

bool orders_run(const struct orders *orders, const struct order *order, struct buf *answer,
                struct error *err)
{
    const struct row *row = rows;
    const struct row *end = rows + COUNT_OF(rows);

    while (row < end && !str_equal(order->name, row->name))
        row++;
    if (row == end)
        return fail(err, ERR_MALFORMED, "no such order");
    if (row->flags & NEEDS_STORE && !orders->view)
        return fail(err, ERR_NOT_FOUND, "the server has no store (store.path)");
    if (!row->run(orders, order->members, answer, err))
        return false;
    if (!(row->flags & ASKS)) {
        kept_answers_clear(orders->kept);
        log_order(order);
    }
    return true;
}
