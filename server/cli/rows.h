/*
 * rows.h - the commands that list, show and replay rows of a store: `sluice rejected` and
 * `sluice dead`. Each describes its rows in a `struct row_kind`.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/buf.h"
#include "base/error.h"
#include "delivery/outbox/view.h"
#include "server/cli/admin.h"
#include "server/cli/cli.h"

struct row_kind;

/** One call of such a command. */
struct rows {
    const struct row_kind *kind;
    struct outbox_filter filter;
    int64_t limit;     /* 0: none given */
    const char *route; /* its name, or its number from 1; NULL: none given */
    bool json;
    bool bytes;   /* show: only the bytes of the event or record */
    bool redact;  /* export: types instead of values */
    bool dry_run; /* replay: change nothing */
    double rate;  /* replay: rows a second; 0: no limit */
    int64_t *ids; /* of the command line, or, for a replay without any, those that match */
    size_t id_count;
    size_t id_capacity;
    const char *command; /* its name */
    bool has_filter;     /* one of the filters was given */
    struct config *config;
    struct outbox_view *view;
    struct admin *admin; /* during a replay */
};

/** Gets each row, of the type that the kind stands for. Returns false to end the reading. */
struct row_visitor {
    bool (*visit)(void *self, int64_t id, const void *row);
    void *self;
};

enum replay_result {
    REPLAY_DONE,
    REPLAY_REFUSED, /* this row; go on with the next */
    REPLAY_STOP,    /* `err` says why no further row can be replayed */
};

struct row_kind {
    const char *name;    /* of one row, as in "no dead record 7" */
    const char *heading; /* of the table that `list` prints */

    bool (*read)(struct outbox_view *view, const struct outbox_filter *filter,
                 const struct row_visitor *visitor, struct error *err);
    void (*write_columns)(struct buf *out, const void *row); /* behind the id */
    void (*write_members)(struct buf *out, const void *row); /* of a JSON object, likewise */
    void (*write_details)(struct buf *out, const void *row); /* members that only `show` prints */
    struct str (*bytes)(const void *row);
    bool is_dead; /* for orders: else refused events */

    /** Are the filters' values known? If not, `err` says which one is not. */
    bool (*check_filter)(const struct rows *rows, struct error *err);

    /** Replay row `id`, and add members to the JSON object about it. */
    enum replay_result (*replay)(const struct rows *rows, int64_t id, struct buf *members,
                                 struct error *err);
    bool needs_trial; /* `replay --dry-run` runs events through a pipeline: admin_open_trial() */

    /* The verbs of some kinds; NULL: there is none. */
    int (*groups)(struct rows *rows, struct error *err);
    void (*write_export)(const struct rows *rows, struct buf *out, const void *row);
    bool (*move)(const struct rows *rows, struct error *err);
};

/** The command line of such a command. */
struct rows_call {
    const struct cli_spec *spec;      /* without options */
    const struct cli_option *options; /* those of this command alone; ends as in cli.h */
    int argc;
    char **argv;
};

/** Read the command line and run its verb; `rows` has only its kind set. Returns the exit status.
 */
int rows_run(struct rows *rows, const struct rows_call *call);

/** For options: read a place in a schema, as `errors` name it. */
bool rows_read_rule(void *self, const char *value, struct error *err);

/** For options: read a time into the int64_t `self`, in microseconds: RFC 3339, or how long ago. */
bool rows_read_time(void *self, const char *value, struct error *err);

/** Is row `id` there? If not, `err` says so. */
NODISCARD bool rows_find(const struct rows *rows, int64_t id, struct error *err);

/** The result of a replay that failed with `err`: a missing row stops nothing. */
enum replay_result rows_replay_failed(struct buf *members, struct error *err);
