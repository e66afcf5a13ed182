/*
 * view.h - reads a store without changing it: for the command line.
 *
 * Works beside a running server and without one. A listing is read in pages: rows are copied, the
 * read transaction ends, and then the visitor gets them one at a time. So a slow visitor does not
 * hold the server's write-ahead log. A row that changes meanwhile is shown as it was, as it is, or
 * not at all. Texts are valid until the visitor returns.
 *
 * Threads: a view belongs to one thread.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/error.h"
#include "base/str.h"
#include "delivery/outbox/outbox.h"

struct outbox_view;

/**
 * Open the store at `path` for reading. The caller owns the view. ERR_NOT_FOUND: there is no store;
 * ERR_CONFIG: it is of another version; ERR_SYSTEM: it cannot be read.
 */
NODISCARD bool outbox_view_open(const char *path, struct outbox_view **out, struct error *err);

/** NULL is allowed. */
void outbox_view_close(struct outbox_view *view);

/** A refused event in quarantine. */
struct outbox_refused {
    int64_t id;          /* of the row: grows, never used twice */
    struct str event_id; /* ptr NULL: none */
    struct str outcome;  /* "schema_invalid", ... */
    struct str details;  /* the reason in words */
    struct str units;    /* error units as a JSON array; ptr NULL: none */
    struct str registry; /* ptr NULL where no route was found; schema and version likewise */
    struct str schema;
    struct str version;
    struct str body;  /* the event's bytes as received */
    int64_t first_us; /* of the first and last attempt; time of day */
    int64_t last_us;
    int64_t attempts;      /* how often it was received */
    int64_t resolved_us;   /* when the same event was accepted; 0: not yet */
    bool is_registry_kind; /* the registry was at fault, not the event */
    struct str route;      /* its name; ptr NULL: none, or not known */
    struct str rule;       /* where in the schema the first error is; ptr NULL: none */
    struct str reason;     /* the details without values of the event; ptr NULL: not known */
};

/** Refused events of one route, outcome and rule. */
struct outbox_group {
    struct str route;
    struct str outcome;
    struct str rule;
    int64_t count;
    int64_t example; /* id of the newest row */
    int64_t first_us;
    int64_t last_us;
};

/** A record that was set aside: a sink refused it, or an operator moved it. */
struct outbox_dead {
    int64_t id; /* of the row, for outbox_revive() */
    struct str sink;
    int64_t seq;
    struct str key;
    struct str registry;
    struct str schema;
    struct str version;
    struct str reason;
    struct str bytes;
    struct str route;  /* ptr NULL: not known */
    struct str origin; /* as in struct outbox_event */
    struct str said;   /* what the target answered, its beginning; ptr NULL: not known */
    int64_t accepted_us;
    int64_t dead_us;
    int64_t attempts;
};

/** Which rows; 0, NULL and false: any. */
struct outbox_filter {
    int64_t id;        /* only this one */
    int64_t after_id;  /* only later ones */
    int64_t before_id; /* only earlier ones; 0: any */
    bool newest_first;
    int64_t from_us;  /* last received (set aside) at or after, */
    int64_t until_us; /* and before this time */
    const char *outcome;
    const char *sink;
    const char *registry;
    const char *schema;
    const char *version;
    const char *event_id;
    const char *route;
    const char *rule;
    bool with_resolved;      /* resolved ones too */
    bool only_registry_kind; /* those that were refused because of the registry */
    size_t limit;            /* 0: all */
};

/** Return false to end the listing. */
typedef bool outbox_visit_refused(void *self, const struct outbox_refused *row);
typedef bool outbox_visit_group(void *self, const struct outbox_group *group);
typedef bool outbox_visit_dead(void *self, const struct outbox_dead *row);

/** Visit refused events in the order of their ids, or newest first. */
NODISCARD bool outbox_view_refused(struct outbox_view *view, const struct outbox_filter *filter,
                                   outbox_visit_refused *visit, void *self, struct error *err);

/**
 * Visit those that were refused because of the registry and not accepted since, with the filter's
 * registry and schema, later than its `after_id`, at most its `limit`. Does not read other rows.
 */
NODISCARD bool outbox_view_registry_kind(struct outbox_view *view,
                                         const struct outbox_filter *filter,
                                         outbox_visit_refused *visit, void *self,
                                         struct error *err);

/**
 * Count refused events by route, outcome and rule; the largest groups first. Texts are valid until
 * the visitor returns.
 */
NODISCARD bool outbox_view_groups(struct outbox_view *view, const struct outbox_filter *filter,
                                  outbox_visit_group *visit, void *self, struct error *err);

/** Visit dead records in the order of their ids, or newest first. */
NODISCARD bool outbox_view_dead(struct outbox_view *view, const struct outbox_filter *filter,
                                outbox_visit_dead *visit, void *self, struct error *err);

/** The stored counters; histograms and the log's size are not stored. */
NODISCARD bool outbox_view_counters(struct outbox_view *view, struct outbox_counters *out,
                                    struct error *err);
