/*
 * folder.h - a temporary folder for one test.
 *
 * What cannot be done ends the test program: there is nothing to test then.
 */
#pragma once

#include <stdint.h>

#include "base/str.h"

enum { FOLDER_PATH_SIZE = 256 };

struct folder {
    char path[FOLDER_PATH_SIZE];
};

/** Make it, empty. */
void folder_init(struct folder *folder);

/** Remove it with all that it holds. */
void folder_done(struct folder *folder);

/** The path of `name` in it. */
void folder_path(const struct folder *folder, const char *name, char path[static FOLDER_PATH_SIZE]);

/** Put a file there at once, whole; folders on the way are made. */
void folder_write(const struct folder *folder, const char *name, struct str bytes);

/** Say that the file `name` was changed at this second. */
void folder_set_time(const struct folder *folder, const char *name, int64_t seconds);

/** Remove the file `name`. */
void folder_remove(const struct folder *folder, const char *name);
