/*
 * rows.h - the command line of what lists, shows and replays rows of a store: `sluice rejected`
 * and `sluice dead`.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "delivery/outbox/view.h"
#include "server/config/config.h"

enum cli_rows_verb { CLI_ROWS_LIST, CLI_ROWS_SHOW, CLI_ROWS_REPLAY, CLI_ROWS_MOVE };

struct cli_rows {
    enum cli_rows_verb verb;
    struct outbox_filter filter;
    bool json;
    bool bytes;   /* show: the event's or the record's own bytes alone */
    bool dry_run; /* replay: say what would become of each, change nothing */
    double rate;  /* replay: rows a second; 0: no limit */
    int64_t *ids; /* replay: these alone; NULL: all that the filter takes */
    size_t id_count;
    struct config *config;
};

/** A command of this kind; each verb answers the exit status, and 3 with `err` set. */
struct cli_rows_command {
    const char *usage; /* the whole help text */
    int (*list)(const struct cli_rows *rows, struct outbox_view *view, struct error *err);
    int (*show)(const struct cli_rows *rows, struct outbox_view *view, struct error *err);
    int (*replay)(const struct cli_rows *rows, struct outbox_view *view, struct error *err);
    int (*move)(const struct cli_rows *rows, struct error *err); /* NULL: there is no such verb */
};

/**
 * Read the command line and the configuration that it names, open the store for reading, run the
 * verb and say what went wrong. The exit status.
 */
int cli_rows_run(int argc, char **argv, const struct cli_rows_command *command);

/** The exit status for a listing that went well or not. */
int cli_rows_status(bool ok);

/** Wait as `rate` wants it before row number `index` (from 0), begun at `start_us`. */
void cli_rows_pace(const struct cli_rows *rows, size_t index, int64_t start_us);
