/*
 * tree.h - flat trees for tests.
 *
 * Threads: one at a time.
 */
#pragma once

#include "base/flat.h"

/**
 * The tree of a copy of `text`, as deep as the reader allows; lives until trees_end(). `symbols`
 * may be NULL. A text that is not JSON fails the test and gives null.
 */
const struct flat *tree_read(struct str text, const struct json_symbols *symbols);

/** The same of a C string, without symbols. */
const struct flat *tree_of(const char *text);

/** Free all trees; for the end of main(). */
void trees_end(void);
