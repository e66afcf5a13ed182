/*
 * output.h - columns of the tables that commands show.
 *
 * Threads: any.
 */
#pragma once

#include <stdint.h>

#include "base/buf.h"
#include "base/str.h"

/** A column of at least `width` characters and a space; `-` for ptr NULL. */
void output_column(struct buf *out, struct str text, int width);

/**
 * The same for a text that others have chosen: what could break the line or affect a terminal is
 * written as \\uXXXX.
 */
void output_safe_column(struct buf *out, struct str text, int width);

/** The same for a time, to the second; empty for 0. */
void output_time_column(struct buf *out, int64_t us);
