/*
 * orders_read.c - orders that read the store and the schemas, see orders_internal.h.
 */
#include "base/chars.h"
#include "server/orders_internal.h"

#include <inttypes.h>
#include <string.h>

#include "base/clock.h"
#include "base/member.h"
#include "handlers/status.h"
#include "server/config/config.h"
#include "server/row_json.h"
#include "settings/unit.h"

enum {
    LIMIT_DEFAULT = 50,
    LIMIT_MAX = 500,
    GROUPS_MAX = 200,
};

/* Filters: members of the order, texts as in a query. */

static bool read_positive(struct json_object *members, const char *name, int64_t *out,
                          struct error *err)
{
    struct json_object *value;

    if (!json_find(members, name, &value))
        return true;
    if ((json_kind(value) == JSON_INTEGER && json_int64(value, out) && *out > 0) ||
        (json_is_string(value) && whole_number(json_str(value), INT64_MAX / 10, out) && *out > 0))
        return true;
    return fail(err, ERR_INVALID, "%s: expected a number from 1 on", name);
}

/* A time, or how long ago. */
static bool read_moment(struct json_object *members, const char *name, int64_t *out,
                        struct error *err)
{
    struct str text = json_find_str(members, name);
    int64_t ago_us;

    if (!text.ptr || clock_parse(text, out))
        return true;
    if (!settings_time_text(text, &ago_us))
        return fail(err, ERR_INVALID,
                    "%s: expected 2026-11-23T06:22:01Z, or how long ago: 90s, 2h, 3d", name);
    *out = clock_now_us() - ago_us;
    return true;
}

static bool read_outcome(struct json_object *members, struct outbox_filter *filter,
                         struct error *err)
{
    struct str outcome = json_find_str(members, "outcome");

    filter->only_registry_kind = str_equal(outcome, STR("registry"));
    if (!outcome.ptr || filter->only_registry_kind)
        return true;
    filter->outcome = outcome.ptr;
    return status_has_name(outcome) || fail(err, ERR_INVALID, "outcome: there is no such outcome");
}

static bool read_filter(struct json_object *members, struct outbox_filter *filter,
                        struct error *err)
{
    int64_t limit = LIMIT_DEFAULT;

    *filter = (struct outbox_filter){
        .newest_first = true,
        .event_id = json_find_str(members, "event_id").ptr,
        .route = json_find_str(members, "route").ptr,
        .rule = json_find_str(members, "rule").ptr,
        .version = json_find_str(members, "schema_version").ptr,
        .sink = json_find_str(members, "sink").ptr,
        .with_resolved = str_equal(json_find_str(members, "all"), STR("1")),
    };
    if (!read_outcome(members, filter, err) ||
        !read_moment(members, "since", &filter->from_us, err) ||
        !read_moment(members, "until", &filter->until_us, err) ||
        !read_positive(members, "before", &filter->before_id, err) ||
        !read_positive(members, "limit", &limit, err))
        return false;
    filter->limit = limit < LIMIT_MAX ? (size_t)limit : LIMIT_MAX;
    return true;
}

/* Lists. */

struct listing {
    struct buf *out;
    size_t count;
    size_t max;
    bool more;
    const struct config *config; /* for the event's payload; NULL: not wanted */
    const char *payload;         /* likewise: a JSON Pointer; NULL: its route is not known */
    void (*members)(struct buf *out, const void *row);
    void (*details)(struct buf *out, const void *row); /* NULL: not wanted */
};

/* True: it is in the list, and the reading goes on. */
static bool list_row(struct listing *listing, int64_t id, const void *row)
{
    if (listing->count == listing->max) {
        listing->more = true;
        return false;
    }
    buf_printf(listing->out, "%s{\"id\":%" PRId64, listing->count++ ? "," : "", id);
    listing->members(listing->out, row);
    if (listing->details)
        listing->details(listing->out, row);
    buf_add_char(listing->out, '}');
    return true;
}

/* The payload of the route's events, from which the pointers in error units start. */
static const char *payload_of(const struct config *config, struct str route)
{
    for (size_t i = 0; config && i < config->route_count; i++)
        if (str_equal(str_from_c(config->routes[i].name), route))
            return config->routes[i].payload;
    return NULL;
}

static bool list_refused(void *self, const struct outbox_refused *row)
{
    struct listing *listing = self;

    listing->payload = payload_of(listing->config, row->route);
    return list_row(listing, row->id, row);
}

static bool list_dead(void *self, const struct outbox_dead *row)
{
    return list_row(self, row->id, row);
}

/* One row more than the limit is read, to know whether there are more. */
static bool read_list(const struct orders *orders, struct json_object *members, bool dead,
                      struct buf *answer, struct error *err)
{
    struct outbox_filter filter;
    struct listing listing = { .out = answer,
                               .members = dead ? row_dead_members : row_refused_members };

    if (!read_filter(members, &filter, err))
        return false;
    listing.max = filter.limit++;
    member_open(answer, dead ? "dead" : "refused", '[');
    if (!(dead ? outbox_view_dead(orders->view, &filter, list_dead, &listing, err)
               : outbox_view_refused(orders->view, &filter, list_refused, &listing, err)))
        return false;
    buf_add_char(answer, ']');
    member_bool(answer, "more", listing.more);
    return true;
}

bool order_refused(const struct orders *orders, struct json_object *members, struct buf *answer,
                   struct error *err)
{
    return read_list(orders, members, false, answer, err);
}

bool order_dead(const struct orders *orders, struct json_object *members, struct buf *answer,
                struct error *err)
{
    return read_list(orders, members, true, answer, err);
}

static bool read_one(const struct orders *orders, struct json_object *members, bool dead,
                     struct buf *answer, struct error *err)
{
    struct outbox_filter filter = { .with_resolved = true };
    struct listing listing = { .out = answer,
                               .max = 1,
                               .config = orders->target->config,
                               .members = dead ? row_dead_members : row_refused_members,
                               .details = dead ? row_dead_details : row_refused_details };

    if (!read_positive(members, "id", &filter.id, err))
        return false;
    if (filter.id == 0)
        return fail(err, ERR_INVALID, "no id");
    member_key(answer, dead ? "record" : "event");
    if (!(dead ? outbox_view_dead(orders->view, &filter, list_dead, &listing, err)
               : outbox_view_refused(orders->view, &filter, list_refused, &listing, err)))
        return false;
    if (!dead)
        member_text(answer, "payload", str_from_c(listing.payload));
    return listing.count == 1 || fail(err, ERR_NOT_FOUND, "no %s %" PRId64,
                                      dead ? "dead record" : "refused event", filter.id);
}

bool order_refused_event(const struct orders *orders, struct json_object *members,
                         struct buf *answer, struct error *err)
{
    return read_one(orders, members, false, answer, err);
}

bool order_dead_record(const struct orders *orders, struct json_object *members, struct buf *answer,
                       struct error *err)
{
    return read_one(orders, members, true, answer, err);
}

static bool list_group(void *self, const struct outbox_group *group)
{
    struct listing *listing = self;

    if (listing->count == GROUPS_MAX) {
        listing->more = true;
        return false;
    }
    if (listing->count++)
        buf_add_char(listing->out, ',');
    row_group_object(listing->out, group);
    return true;
}

static bool find_groups(const struct orders *orders, struct json_object *members,
                        struct buf *answer, struct error *err)
{
    struct outbox_filter filter;
    struct listing listing = { .out = answer };

    if (!read_filter(members, &filter, err))
        return false;
    filter.limit = 0;
    member_time(answer, "as_of", clock_now_us());
    member_open(answer, "groups", '[');
    if (!outbox_view_groups(orders->view, &filter, list_group, &listing, err))
        return false;
    buf_add_char(answer, ']');
    member_bool(answer, "more", listing.more);
    return true;
}

/* All refused events are read, and each console asks every 10 seconds: one reading serves all. */
bool order_refused_groups(const struct orders *orders, struct json_object *members,
                          struct buf *answer, struct error *err)
{
    struct arena *arena = arena_create();
    struct str question = json_text(arena, members);
    int64_t begun_us = clock_monotonic_us();
    size_t begin = answer->len;
    bool ok = kept_answers_find(orders->kept, question, begun_us, answer);

    if (!ok && find_groups(orders, members, answer, err)) {
        kept_answers_add(orders->kept, question, str_from(buf_str(answer), begin), begun_us,
                         clock_monotonic_us());
        ok = true;
    }
    arena_destroy(arena);
    return ok;
}

/* Schemas. */

static void write_guard(struct buf *out, const struct catalog_status *status)
{
    const struct guard_finding *finding = &status->finding;

    if (!status->suspect[0]) {
        member_json(out, "guard", STR_NONE);
        return;
    }
    member_open(out, "guard", '{');
    member_bool(out, "held", !status->suspect_is_live);
    member_text(out, "version", str_from_c(status->suspect));
    member_int(out, "tried", (int64_t)finding->tried);
    member_int(out, "refused", (int64_t)finding->refused);
    member_text(out, "instance_location", str_from_c(finding->place.instance_location));
    member_text(out, "keyword_location", str_from_c(finding->place.keyword_location));
    buf_add_char(out, '}');
}

static void write_schema(struct buf *out, const struct catalog_status *status)
{
    buf_add_char(out, '{');
    member_text(out, "registry", str_from_c(status->registry));
    member_text(out, "schema", str_from_c(status->schema));
    member_bool(out, "usable", status->usable);
    member_text(out, "version", status->usable ? str_from_c(status->version) : STR_NONE);
    member_int(out, "age_ms", status->age_us / US_PER_MS);
    member_time(out, "since", status->since_us);
    if (status->looked_ago_us >= 0)
        member_int(out, "looked_ms", status->looked_ago_us / US_PER_MS);
    member_int(out, "refreshed", (int64_t)status->refreshed);
    member_int(out, "failed", (int64_t)status->failed);
    member_int(out, "guard_refusals", (int64_t)status->guard_refusals);
    member_text(out, "error",
                status->error.code == ERR_NONE ? STR_NONE : str_from_c(status->error.text));
    write_guard(out, status);
    buf_add_char(out, '}');
}

bool order_schemas(const struct orders *orders, struct json_object *members, struct buf *answer,
                   struct error *err)
{
    struct catalog *catalog = orders->target->catalog;
    struct catalog_status status;

    (void)members;
    (void)err;
    member_open(answer, "schemas", '[');
    for (size_t i = 0; i < catalog_count(catalog); i++) {
        if (i > 0)
            buf_add_char(answer, ',');
        catalog_status(catalog, i, &status);
        write_schema(answer, &status);
    }
    buf_add_char(answer, ']');
    return true;
}

bool order_schema_texts(const struct orders *orders, struct json_object *members,
                        struct buf *answer, struct error *err)
{
    struct str registry = json_find_str(members, "registry");
    struct str schema = json_find_str(members, "schema");

    member_key(answer, "texts");
    return catalog_write_texts(orders->target->catalog, registry, schema, answer, err);
}

bool order_history(const struct orders *orders, struct json_object *members, struct buf *answer,
                   struct error *err)
{
    (void)members;
    if (!orders->history)
        return fail(err, ERR_NOT_FOUND, "the server has no admin address (admin.listen)");
    member_key(answer, "history");
    history_write(orders->history, answer);
    return true;
}
