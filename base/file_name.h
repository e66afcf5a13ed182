/*
 * file_name.h - compare names of files, which need not exist yet.
 *
 * Two names can refer to one file through `.` and `..`, symbolic links and hard links. Files that
 * exist are compared by device and inode, others by the name that remains when all symbolic links
 * are resolved.
 *
 * Threads: no state.
 */
#pragma once

#include <stdbool.h>

#include "base/attr.h"

/** Do both names refer to one file? */
bool file_name_is_same(const char *one, const char *other);

/** Is `path` in `folder`, or in a folder below it, and does its last part end with `ending`? */
bool file_name_is_within(const char *path, const char *folder, const char *ending);

/** Does the name lead into /proc, as /dev/stdout and other names of open descriptors do? */
bool file_name_is_in_proc(const char *path);
