/*
 * bench_json.c - what our reader costs against json-c's own parser, on the sample event.
 *
 * Both read the same compact text into a json-c tree and release it; json-c's parser is kept
 * between texts, which flatters it. Rounds alternate, so that a busy machine hits all alike, and
 * the median round counts. Usage: bench_json [FILE]
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/memory.h"

enum { ROUNDS = 31, REPEATS = 4000 };

struct bench {
    struct str text;
    struct json_symbols *symbols;
    struct json_tokener *tokener;
};

static bool run_json_c(struct bench *bench)
{
    json_tokener_reset(bench->tokener);

    struct json_object *tree =
        json_tokener_parse_ex(bench->tokener, bench->text.ptr, (int)bench->text.len);

    json_object_put(tree);
    return tree != NULL;
}

static bool run_reader(struct bench *bench, const struct json_symbols *symbols)
{
    struct json_object *tree;
    struct error err;

    if (!json_read(bench->text, &(struct json_read_options){ .symbols = symbols }, &tree, &err))
        return false;
    json_release(tree);
    return true;
}

static bool run_plain(struct bench *bench)
{
    return run_reader(bench, NULL);
}

static bool run_symbols(struct bench *bench)
{
    return run_reader(bench, bench->symbols);
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a;
    double y = *(const double *)b;

    return (x > y) - (x < y);
}

static double measure(struct bench *bench, bool (*run)(struct bench *bench))
{
    int64_t start = clock_monotonic_us();

    for (int i = 0; i < REPEATS; i++) {
        if (!run(bench))
            abort();
    }
    return (double)(clock_monotonic_us() - start) * 1000 / REPEATS;
}

/* The keys of the whole tree, as the schemas would name them. */
static size_t collect_keys(struct json_object *value, struct str *keys, size_t count, size_t max)
{
    if (json_is_object(value)) {
        for (JSON_EACH(member, value)) {
            if (count < max)
                keys[count++] = str_from_c(json_key(member));
            count = collect_keys(json_value(member), keys, count, max);
        }
    } else if (json_is_array(value)) {
        for (size_t i = 0; i < json_count(value); i++)
            count = collect_keys(json_at(value, i), keys, count, max);
    }
    return count;
}

static void compare(struct bench *bench)
{
    static const struct {
        const char *name;
        bool (*run)(struct bench *bench);
    } runs[] = {
        { "json-c's parser", run_json_c },
        { "json_read", run_plain },
        { "json_read, known keys", run_symbols },
    };
    double ns[COUNT_OF(runs)][ROUNDS];

    for (size_t round = 0; round < ROUNDS; round++) {
        for (size_t i = 0; i < COUNT_OF(runs); i++)
            ns[i][round] = measure(bench, runs[i].run);
    }
    for (size_t i = 0; i < COUNT_OF(runs); i++) {
        qsort(ns[i], ROUNDS, sizeof(ns[i][0]), by_value);
        (void)printf("%-24s %7.0f ns  ratio %.2f\n", runs[i].name, ns[i][ROUNDS / 2],
                     ns[i][ROUNDS / 2] / ns[0][ROUNDS / 2]);
    }
}

static bool load(const char *path, struct buf *out)
{
    FILE *file = fopen(path, "rbe");
    char piece[4096];
    size_t len;

    if (!file)
        return false;
    while ((len = fread(piece, 1, sizeof(piece), file)) > 0)
        buf_add(out, (struct str){ piece, len });
    (void)fclose(file);
    return true;
}

int main(int argc, char **argv)
{
    const char *path = argc > 1 ? argv[1] : "conf/samples/interaction.started.json";
    CLEANUP(buf_done) struct buf file;
    CLEANUP(json_cleanup) struct json_object *tree = NULL;
    struct arena *arena = arena_create();
    struct bench bench = { .tokener = json_tokener_new_ex(JSON_MAX_DEPTH) };
    struct str keys[256];
    struct error err = { 0 };

    buf_init(&file, 64 << 20);
    if (!load(path, &file) || !json_read(buf_str(&file), NULL, &tree, &err)) {
        (void)fprintf(stderr, "%s: %s\n", path, err.text);
        return 1;
    }
    json_tokener_set_flags(bench.tokener, JSON_TOKENER_STRICT | JSON_TOKENER_VALIDATE_UTF8);
    bench.text = json_text(arena, tree);
    bench.symbols = json_symbols_create(keys, collect_keys(tree, keys, 0, COUNT_OF(keys)));
    (void)printf("%zu bytes, read and released, median of %d rounds\n", bench.text.len, ROUNDS);
    compare(&bench);
    json_symbols_destroy(bench.symbols);
    json_tokener_free(bench.tokener);
    arena_destroy(arena);
    return 0;
}
