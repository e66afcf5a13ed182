/*
 * replay.h - `replay` of rows of a store: one after another, a line each, at a rate.
 *
 * Interrupted at any moment, each row is either done or untouched.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/error.h"
#include "server/cli/rows.h"

/** The rows to replay, in the order of their ids. */
struct replay_list {
    int64_t *ids;
    size_t count;
    size_t capacity;
};

void replay_list_add(struct replay_list *list, int64_t id);
void replay_list_done(struct replay_list *list);

enum replay_result {
    REPLAY_DONE,
    REPLAY_REFUSED, /* it did not help; others may fare better */
    REPLAY_STOP,    /* `err` says why there is no point in going on */
};

struct replay_work {
    /** Replay row `id`, and add members to the JSON object that tells of it. */
    enum replay_result (*run)(void *self, int64_t id, struct buf *members, struct error *err);
    void *self;
    const char *command; /* for complaints */
};

/**
 * Replay them all; a line on standard output for each, a bar on standard error when it takes long,
 * a summary there at the end. The command's exit status.
 */
int replay_rows(const struct cli_rows *rows, const struct replay_list *list,
                const struct replay_work *work);

/** What a row comes to whose replay failed with `err`: one that is gone says so and
 * ends nothing. */
enum replay_result replay_failed(struct buf *members, struct error *err);
