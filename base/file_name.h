/*
 * file_name.h - which file a name stands for, also when it is not there yet.
 *
 * Two names may stand for one file: by `.` and `..`, by symbolic links, by hard links. Files that
 * are there are compared by device and inode, others by the name that is left when all links of
 * their folders are followed.
 *
 * Threads: any.
 */
#pragma once

#include <stdbool.h>

#include "base/attr.h"

/** Do both stand for one file? */
bool file_name_is_same(const char *one, const char *other);

/** Does `path` lie in `folder` or in a folder below it? */
bool file_name_is_within(const char *path, const char *folder);

/** Is it another name of an open descriptor, such as /dev/stdout, or something else in /proc? */
bool file_name_is_in_proc(const char *path);
