/*
 * transform.c - transforms on standard input: each line is {"transform": ..., "event": ...}, whose
 * payload is the event's member `detail`. Prints the record, `!` and the error, or `dropped`, a
 * line each.
 *
 *     transform [BUDGET_MS]
 *
 * With a budget each line begins with the microseconds of processor time that were taken, and a
 * tab.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/json.h"
#include "handlers/transform.h"

#define NOW_US INT64_C(1705314600123456)

/* Load a transform from its text. */
static bool load(struct str text, struct transform **out, struct error *err)
{
    char path[64];
    int file = memfd_create("transform", MFD_CLOEXEC);
    bool ok = write(file, text.ptr, text.len) == (ssize_t)text.len;

    (void)snprintf(path, sizeof(path), "/proc/self/fd/%d", file);
    ok = ok && transform_load(path, out, err);
    (void)close(file);
    return ok;
}

static bool apply(const struct transform *transform, const struct flat *event, int64_t budget_us,
                  struct buf *out, struct error *err)
{
    struct schema_budget budget = schema_budget(budget_us);
    const struct transform_input input = {
        .payload = flat_find(event, STR("detail")),
        .event = event,
        .now_us = NOW_US,
        .meta = { [TRANSFORM_META_KEY] = STR("k"), [TRANSFORM_META_ROUTE] = STR("r") },
        .budget = &budget,
    };

    if (!transform_drops(transform, input.payload))
        return transform_apply(transform, &input, out, err);
    buf_add(out, STR("dropped"));
    return true;
}

static void run(struct arena *arena, struct str line, int64_t budget_us)
{
    const struct flat *tree = NULL;
    struct transform *transform = NULL;
    struct error err = { 0 };
    struct buf out;
    bool ok = flat_read(arena, line, NULL, &tree, &err) &&
              load(flat_text(arena, flat_find(tree, STR("transform"))), &transform, &err);
    int64_t start_us = clock_thread_us();

    buf_init(&out, (size_t)16 * 1024 * 1024);
    ok = ok && apply(transform, flat_find(tree, STR("event")), budget_us, &out, &err);
    if (budget_us > 0)
        (void)printf("%lld\t", (long long)(clock_thread_us() - start_us));
    if (ok)
        (void)printf("%.*s\n", STR_ARG(buf_str(&out)));
    else
        (void)printf("! %s\n", err.text);
    (void)fflush(stdout);
    transform_destroy(transform);
    buf_done(&out);
}

int main(int argc, char **argv)
{
    int64_t budget_us = argc > 1 ? strtoll(argv[1], NULL, 10) * US_PER_MS : 0;
    char *line = NULL;
    size_t size = 0;
    ssize_t len;

    while ((len = getline(&line, &size, stdin)) > 0) {
        struct arena *arena = arena_create();

        run(arena, (struct str){ line, (size_t)len - 1 }, budget_us);
        arena_destroy(arena);
    }
    free(line);
    return 0;
}
