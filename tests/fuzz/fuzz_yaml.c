/*
 * fuzz_yaml.c - a YAML file is a JSON tree that survives being written and read, or an error with
 * file and line.
 */
#include <assert.h>
#include <stdint.h>

#include "settings/interpolate.h"
#include "settings/yaml.h"

static const char *lookup(const char *name)
{
    return name[0] == 'A' ? "1" : NULL;
}

static bool expand(void *self, struct str text, struct buf *out, struct error *err)
{
    (void)self;
    return interpolate(text, lookup, out, err);
}

static void check_tree(const struct yaml *yaml)
{
    struct arena *arena = arena_create();
    struct str text = json_text(arena, yaml_root(yaml));
    struct json_object *again = NULL;
    struct error err = { 0 };
    bool ok = json_read_in(arena, text, NULL, &again, &err);

    assert(ok && str_equal(json_text(arena, again), text));
    assert(yaml_locate(yaml, STR(""), arena_buf(arena, 100)) > 0);
    assert(yaml_locate(yaml, STR("/a/0/~0b"), arena_buf(arena, 100)) > 0);
    for (size_t i = 0; i < yaml_fault_count(yaml); i++) {
        const struct yaml_fault *fault = yaml_fault(yaml, i);

        assert(fault->line > 0 && *fault->text);
        assert(yaml_locate(yaml, fault->pointer, arena_buf(arena, SIZE_MAX / 2)) <= fault->line);
    }
    arena_destroy(arena);
}

/* NOLINTNEXTLINE(readability-identifier-naming): libFuzzer's choice */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* NOLINTNEXTLINE(readability-identifier-naming) */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct yaml_options options = { .file = "f" };
    struct yaml *yaml = NULL;
    struct error err = { 0 };

    if (size > 0 && data[0] % 2 == 1)
        options.expand = expand;
    if (yaml_read((struct str){ (const char *)data, size }, &options, &yaml, &err))
        check_tree(yaml);
    else
        assert(err.code == ERR_CONFIG && str_starts_with(str_from_c(err.text), STR("f:")));
    yaml_destroy(yaml);
    return 0;
}
