/*
 * diff.h - what differs between two texts, line by line, in the unified format of diff -u.
 *
 * Threads: any.
 */
#pragma once

#include <stdbool.h>

#include "base/buf.h"
#include "base/str.h"

/**
 * Add the difference, with three lines of context around each change, under the headings
 * `--- old_name` and `+++ new_name`. False: there is none, and nothing is added. The fewest lines
 * are shown as changed, unless both texts have more than a few thousand that differ.
 */
bool diff_write(struct buf *out, struct str old_text, const char *old_name, struct str new_text,
                const char *new_name);
