/*
 * tree.c - see tree.h.
 */
#include "tests/unit/tree.h"

#include "tests/unit/test.h"

static struct arena *trees;

const struct flat *tree_read(struct str text, const struct json_symbols *symbols)
{
    static const struct flat null = { .kind = JSON_NULL, .size = 1 };
    const struct flat_options options = { .max_depth = JSON_DEPTH_LIMIT, .symbols = symbols };
    const struct flat *tree = &null;
    struct error err = { 0 };

    if (!trees)
        trees = arena_create();

    bool ok = flat_read(trees, arena_copy(trees, text), &options, &tree, &err);

    test_check(ok, err.text, __FILE__, __LINE__);
    return tree;
}

const struct flat *tree_of(const char *text)
{
    return tree_read(str_from_c(text), NULL);
}

void trees_end(void)
{
    arena_destroy(trees);
    trees = NULL;
}
