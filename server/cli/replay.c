/*
 * replay.c - see replay.h.
 */
#include "server/cli/replay.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/clock.h"
#include "base/memory.h"
#include "server/cli/cli.h"
#include "server/cli/commands.h"
#include "server/cli/progress.h"
#include "server/cli/row_text.h"

enum { FIRST_CAPACITY = 64, LINE_SIZE_MAX = 8192 };

void replay_list_add(struct replay_list *list, int64_t id)
{
    if (list->count == list->capacity) {
        list->capacity = list->capacity ? list->capacity * 2 : FIRST_CAPACITY;
        list->ids = mem_realloc(list->ids, list->capacity * sizeof(list->ids[0]));
    }
    list->ids[list->count++] = id;
}

void replay_list_done(struct replay_list *list)
{
    mem_free(list->ids);
    *list = (struct replay_list){ 0 };
}

enum replay_result replay_failed(struct buf *members, struct error *err)
{
    if (cli_status(err) != COMMAND_NO)
        return REPLAY_STOP;
    row_text_member(members, "error", str_from_c(err->text));
    *err = (struct error){ 0 };
    return REPLAY_REFUSED;
}

static enum replay_result replay_one(const struct replay_work *work, int64_t id, struct error *err)
{
    struct buf line;

    buf_init(&line, LINE_SIZE_MAX);
    buf_printf(&line, "{\"id\":%" PRId64, id);

    enum replay_result result = work->run(work->self, id, &line, err);

    buf_add(&line, STR("}\n"));
    if (result != REPLAY_STOP) {
        (void)fwrite(line.ptr, 1, line.len, stdout);
        (void)fflush(stdout); /* whoever interrupts us knows what was done */
    }
    buf_done(&line);
    return result;
}

int replay_rows(const struct cli_rows *rows, const struct replay_list *list,
                const struct replay_work *work)
{
    size_t counts[REPLAY_STOP + 1] = { 0 };
    int64_t start_us = clock_monotonic_us();
    struct progress progress;
    struct error err = { 0 };

    progress_start(&progress, list->count);
    for (size_t i = 0; i < list->count && !counts[REPLAY_STOP]; i++) {
        cli_rows_pace(rows, i, start_us);
        counts[replay_one(work, list->ids[i], &err)]++;
        progress_add(&progress, 1);
    }
    progress_end(&progress);
    if (counts[REPLAY_STOP])
        cli_complain(work->command, err.text);
    (void)fprintf(stderr, "%s %zu of %zu: %zu well, %zu refused again\n",
                  rows->dry_run ? "tried" : "replayed",
                  counts[REPLAY_DONE] + counts[REPLAY_REFUSED], list->count, counts[REPLAY_DONE],
                  counts[REPLAY_REFUSED]);
    if (counts[REPLAY_STOP])
        return COMMAND_ENVIRONMENT;
    return counts[REPLAY_REFUSED] ? COMMAND_NO : COMMAND_OK;
}
